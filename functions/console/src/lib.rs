//! Console: the desk's pages, and the desk's and the dealer's JSON API.
//!
//! | module | holds |
//! |---|---|
//! | [`who`] (the platform's) | whose token it is, and what they may see |
//! | [`pages`] | the desk's pages over all of it |
//! | [`find`] | leads, by what is known of them or in the order of a list |
//! | [`export`] | a list as a table, for its page and for programs |
//! | [`leads`] | the whole story of a lead |
//! | [`masked`] | a person as those see them who may not know who it is |
//! | [`why`] | why it went there; where it would go now |
//! | [`acts`], [`place`], [`merge`], [`redeliver`] | what the desk does to a lead |
//! | [`follow_up`] | who is to be called, by whom, and what that came to |
//! | [`interactions`] | the desk's word on what a lead did |
//! | [`privacy`] | what is held of a person; their erasure, and its ledger |
//! | [`unsubscribe`] | one click and no more mail |
//! | [`waiting`] | who waits and why; unmet demand |
//! | [`quiet`] | why a dealer got nothing today |
//! | [`shadow`] | what shadow mode would have done, beside what the desk did |
//! | [`history`] | what a backtest takes |
//! | [`inbox`] | the dealer's side: own leads, answers |
//! | [`answer`] | the links of a letter: pages that accept and decline |
//! | [`returns`] | what dealers give back |
//! | [`statement`] | what a dealer owes; deposits |
//! | [`reports`] | what the counters say, for any period |
//! | [`dealers`] | how each stands with its leads, and what it made of them |
//! | [`channels`], [`trial`] | how dealers' channels fare; a test of one |
//! | [`secrets`] | what dealers verify our webhooks with; what sources are let in by |
//! | [`given`] | what dealers and sources give us in confidence |
//! | [`tokens`] | tokens for programs: made, listed, taken away |
//! | [`invitations`] | people and dealers are told that they may sign in |
//! | [`rulebook`] | what is in force; publishing |
//! | [`backtest`] | what changed rules would have done with the last decisions |
//! | [`switches`] | stop and pause |
//! | [`openapi`] | all routes, as a document |

mod pages;
mod find;
mod export;
mod leads;
mod masked;
mod why;
mod acts;
mod place;
mod merge;
mod redeliver;
mod follow_up;
mod interactions;
mod privacy;
mod unsubscribe;
mod waiting;
mod quiet;
mod shadow;
mod history;
mod inbox;
mod answer;
mod returns;
mod statement;
mod reports;
mod dealers;
mod channels;
mod trial;
mod secrets;
mod given;
mod tokens;
mod invitations;
mod rulebook;
mod backtest;
mod switches;
mod openapi;

use axum::middleware::from_fn_with_state;
use axum::routing::{get, post, put};
use axum::{Json, Router};
use leadyard_domain::openapi::ACTS;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{method_not_allowed, not_found};
use leadyard_platform::who;
use serde_json::{Value, json};

/// All routes.
pub fn router(cloud: Cloud) -> Router {
    let on_many = ACTS
        .iter()
        .fold(Router::new(), |router, act| router.route(&format!("/v1/leads/{act}"), post(acts::many)));
    on_many
        .merge(pages::router(&cloud))
        .route("/healthz", get(health))
        .route("/openapi.json", get(openapi::document))
        .route("/v1/leads/search", post(find::search))
        .route("/v1/leads/export", post(export::csv))
        .route("/v1/leads/{lead}", get(leads::story))
        .route("/v1/leads/{lead}/recommendation", get(why::recommendation))
        .route("/v1/leads/{lead}/decisions/{decision}", get(why::decision))
        .route("/v1/leads/erase", post(privacy::erase_leads))
        .route("/v1/leads/{lead}/erase", post(privacy::erase_lead))
        .route("/v1/leads/{lead}/{act}", post(acts::one))
        .route("/v1/leads/{lead}/interactions/{interaction}/{word}", post(interactions::judge))
        .route("/v1/persons/export", post(privacy::export))
        .route("/v1/persons/erase", post(privacy::erase_person))
        .route("/v1/persons/opt_out", post(privacy::opt_out))
        .route("/v1/unsubscribe/{token}", get(unsubscribe::page).post(unsubscribe::click))
        .route("/v1/erasures", get(privacy::ledger))
        .route("/v1/erasures/reapply", post(privacy::reapply))
        .route("/v1/waiting", get(waiting::room))
        .route("/v1/follow-ups", get(follow_up::list))
        .route("/v1/why-nothing", get(quiet::why_nothing))
        .route("/v1/shadow", get(shadow::compared))
        .route("/v1/history", get(history::page))
        .route("/v1/inbox", get(inbox::list))
        .route("/v1/inbox/{assignment}", get(inbox::one))
        .route("/v1/inbox/{assignment}/return", post(returns::ask))
        .route("/v1/returns", get(returns::list))
        .route("/v1/returns/{id}/{verdict}", post(returns::decide))
        .route("/v1/dealers", get(dealers::list))
        .route("/v1/dealers/{dealer}", get(dealers::one))
        .route("/v1/dealers/{dealer}/figures", get(dealers::figures))
        .route("/v1/dealers/{dealer}/statement", get(statement::statement))
        .route("/v1/reports/{name}", get(reports::report))
        .route("/v1/dealers/{dealer}/deposits", post(statement::deposit))
        .route("/v1/dealers/{dealer}/deposits/{reference}/reverse", post(statement::reverse))
        .route("/v1/dealers/{dealer}/secret", post(secrets::show))
        .route("/v1/dealers/{dealer}/secret/rotate", post(secrets::rotate))
        .route("/v1/sources/{source}/keys", post(secrets::source_keys))
        .route("/v1/sources/{source}/postback_secret", post(secrets::postback))
        .route("/v1/sources/{source}/secrets", get(given::list_of_source))
        .route(
            "/v1/sources/{source}/secrets/{name}",
            put(given::set_of_source).delete(given::take_away_of_source),
        )
        .route("/v1/dealers/{dealer}/secrets", get(given::list))
        .route("/v1/dealers/{dealer}/secrets/{name}", put(given::set).delete(given::take_away))
        .route("/v1/dealers/{dealer}/channels", get(channels::list))
        .route("/v1/dealers/{dealer}/channels/{order}/enable", post(channels::enable))
        .route("/v1/dealers/{dealer}/channels/{order}/test", post(trial::begin))
        .route("/v1/dealers/{dealer}/channels/{order}/test/{test}", get(trial::show))
        .route("/v1/inbox/{assignment}/{act}", post(inbox::answer))
        .route("/answer/{token}", get(answer::page).post(answer::answer))
        .route("/v1/tokens", get(tokens::list).post(tokens::make))
        .route("/v1/tokens/{token}", axum::routing::delete(tokens::revoke))
        .route("/v1/invitations", get(invitations::list).post(invitations::make))
        .route("/v1/rulebook", get(rulebook::current).put(rulebook::publish))
        .route("/v1/rulebook/versions", get(rulebook::versions))
        .route("/v1/rulebook/diff", get(rulebook::difference))
        .route("/v1/rulebook/workbook", get(rulebook::workbook_of).put(rulebook::publish_workbook))
        .route("/v1/rulebook/template", get(rulebook::template))
        .route("/v1/rulebook/rollback", post(rulebook::rollback))
        .route("/v1/rulebook/{table}/{id}", get(rulebook::row).patch(rulebook::edit))
        .route("/v1/switches", get(switches::current))
        .route("/v1/changes", get(switches::changes))
        .route("/v1/switches/{switch}", post(switches::flip))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn_with_state(cloud.clone(), pages::lost::as_page))
        .with_state(cloud)
}

async fn health() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}
