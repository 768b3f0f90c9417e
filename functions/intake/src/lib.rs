//! Intake: an enquiry or an interaction arrives.
//!
//! | module | holds |
//! |---|---|
//! | [`arrive`] | a request becomes an arrival: key, origin, body, enquiry id |
//! | [`google`] | what Google Ads posts by itself |
//! | [`meta`] | what Meta tells of, and is then fetched |
//! | [`screen`] | what screening sees of it; form tokens |
//! | [`keep`] | an arrival becomes an enquiry and its lead, in one commit |
//! | [`trial`] | a test lead: where it would have gone |
//! | [`answer`] | what the sender is told |
//! | [`instructions`] | how a source posts, for whoever is to send |
//! | [`quarantine`] | what waits for a verdict: the desk's, or its silence |
//! | [`aside`] | how long what has no lead is kept |
//! | [`spill`] | what the table did not take comes in later, once |
//! | [`interactions`] | what leads do |
//! | [`snippet`] | the script that a page sends all of it with |
//! | [`moving_in`] | what another system knew: history, opening counts, suppression lists |
//!
//! One binary, deployed three times: leads, interactions, spill, so that beacons cannot starve leads.

mod arrive;
mod google;
mod meta;
mod screen;
mod keep;
mod trial;
mod answer;
mod instructions;
mod quarantine;
mod aside;
mod spill;
mod interactions;
mod snippet;
mod moving_in;

use axum::Router;
use axum::routing::{get, post};
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{method_not_allowed, not_found};

pub use spill::handle_spill;

/// The routes that take leads, one by one or as a whole company's past.
pub fn leads(cloud: Cloud) -> Router {
    Router::new()
        .route("/v1/leads/{key}", post(arrive::post_lead).options(arrive::preflight))
        .route("/v1/leads/{key}/google", post(google::post_google))
        .route("/v1/leads/{key}/meta", get(meta::subscribe).post(meta::post_meta))
        .route("/v1/leads/{key}/instructions", get(instructions::show).post(instructions::try_it))
        .route("/v1/leads/{key}/form_token", get(screen::form_token).options(arrive::preflight))
        .route("/leadyard.js", get(snippet::leadyard_js))
        .route("/.well-known/gpc.json", get(snippet::gpc_json))
        .with_state(cloud.clone())
        .merge(quarantine::router(cloud.clone()))
        .merge(moving_in::router(cloud))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
}

/// The routes that take interactions.
pub fn interactions(cloud: Cloud) -> Router {
    Router::new()
        .route("/v1/interactions/{key}", post(interactions::post_interactions).options(arrive::preflight))
        .route("/v1/interactions/{key}/visitor", get(interactions::visitor).options(arrive::preflight))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(cloud)
}
