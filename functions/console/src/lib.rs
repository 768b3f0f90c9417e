//! Console: the desk's and the dealer's JSON API.
//!
//! | module | holds |
//! |---|---|
//! | [`who`] (the platform's) | whose token it is, and what they may see |
//! | [`leads`] | the whole story of a lead |
//! | [`why`] | why it went there; where it would go now |
//! | [`acts`], [`place`], [`merge`] | what the desk does to a lead |
//! | [`waiting`] | who waits and why; unmet demand |
//! | [`quiet`] | why a dealer got nothing today |
//! | [`shadow`] | what shadow mode would have done, beside what the desk did |
//! | [`history`] | what a backtest takes |
//! | [`inbox`] | the dealer's side: own leads, answers |
//! | [`returns`] | what dealers give back |
//! | [`statement`] | what a dealer owes; deposits |
//! | [`channels`] | how dealers' channels fare |
//! | [`secrets`] | what dealers verify our webhooks with |
//! | [`rulebook`] | what is in force; publishing |
//! | [`switches`] | stop and pause |

mod leads;
mod why;
mod acts;
mod place;
mod merge;
mod waiting;
mod quiet;
mod shadow;
mod history;
mod inbox;
mod returns;
mod statement;
mod channels;
mod secrets;
mod given;
mod rulebook;
mod switches;

use axum::routing::{get, patch, post, put};
use axum::{Json, Router};
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{method_not_allowed, not_found};
use leadyard_platform::who;
use serde_json::{Value, json};

/// What the desk can do to leads: `POST /v1/leads/{act}` for many, which intake leaves to the console.
pub const ACTS: [&str; 9] =
    ["place", "take_back", "hold", "resume", "reject", "reopen", "merge", "priority", "note"];

/// All routes.
pub fn router(cloud: Cloud) -> Router {
    let on_many = ACTS
        .iter()
        .fold(Router::new(), |router, act| router.route(&format!("/v1/leads/{act}"), post(acts::many)));
    on_many
        .route("/healthz", get(health))
        .route("/v1/leads/{lead}", get(leads::story))
        .route("/v1/leads/{lead}/recommendation", get(why::recommendation))
        .route("/v1/leads/{lead}/decisions/{decision}", get(why::decision))
        .route("/v1/leads/{lead}/{act}", post(acts::one))
        .route("/v1/waiting", get(waiting::room))
        .route("/v1/why-nothing", get(quiet::why_nothing))
        .route("/v1/shadow", get(shadow::compared))
        .route("/v1/history", get(history::page))
        .route("/v1/inbox", get(inbox::list))
        .route("/v1/inbox/{assignment}/return", post(returns::ask))
        .route("/v1/returns", get(returns::list))
        .route("/v1/returns/{id}/{verdict}", post(returns::decide))
        .route("/v1/dealers/{dealer}/statement", get(statement::statement))
        .route("/v1/dealers/{dealer}/deposits", post(statement::deposit))
        .route("/v1/dealers/{dealer}/deposits/{reference}/reverse", post(statement::reverse))
        .route("/v1/dealers/{dealer}/secret", post(secrets::show))
        .route("/v1/dealers/{dealer}/secret/rotate", post(secrets::rotate))
        .route("/v1/dealers/{dealer}/secrets", get(given::list))
        .route("/v1/dealers/{dealer}/secrets/{name}", put(given::set).delete(given::take_away))
        .route("/v1/dealers/{dealer}/channels", get(channels::list))
        .route("/v1/dealers/{dealer}/channels/{order}/enable", post(channels::enable))
        .route("/v1/inbox/{assignment}/{act}", post(inbox::answer))
        .route("/v1/rulebook", get(rulebook::current).put(rulebook::publish))
        .route("/v1/rulebook/versions", get(rulebook::versions))
        .route("/v1/rulebook/workbook", get(rulebook::workbook_of).put(rulebook::publish_workbook))
        .route("/v1/rulebook/template", get(rulebook::template))
        .route("/v1/rulebook/rollback", post(rulebook::rollback))
        .route("/v1/rulebook/{table}/{id}", patch(rulebook::edit))
        .route("/v1/switches", get(switches::current))
        .route("/v1/changes", get(switches::changes))
        .route("/v1/switches/{switch}", post(switches::flip))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(cloud)
}

async fn health() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}
