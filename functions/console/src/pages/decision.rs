//! One decision with everybody's part in it, made again from its record: who was chosen, who ranked lower, and which rule
//! was in whose way, with what it asked and what it met.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use leadyard_domain::distribution::{Conclusion, Judged};
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{Path, Problem};
use leadyard_platform::who::{self, READS};

use super::line::decided;
use super::shown::{self, instant};
use super::signed::{For, Signed};
use super::{Frame, rendered, troubled};
use crate::{leads, why};

/// Candidates that a page shows.
const SHOWN: usize = 200;

#[derive(askama::Template)]
#[template(path = "decision.html")]
struct Page {
    frame: Frame,
    lead: String,
    name: String,
    when: String,
    concluded: String,
    rulebook: u64,
    /// It comes out as it was recorded. It may not where places or time zones have changed since.
    as_recorded: bool,
    /// How many failed by each rule first.
    failed: Vec<(String, u32)>,
    rows: Vec<Row>,
    all: usize,
}

/// A candidate.
struct Row {
    contract: String,
    dealer: String,
    part: String,
    needed: String,
    found: String,
    says: String,
    /// It would have had the lead but for that one rule.
    nearly: bool,
    chosen: bool,
}

/// `GET /console/leads/{lead}/decisions/{decision}`.
pub(super) async fn page(
    State(cloud): State<Cloud>,
    For(signed): For<READS>,
    Path((lead, decision)): Path<(String, String)>,
) -> Response {
    match Box::pin(of(&cloud, &signed, &lead, &decision)).await {
        Ok(page) => rendered(&page, StatusCode::OK),
        Err(problem) => troubled(&signed, &problem),
    }
}

async fn of(cloud: &Cloud, signed: &Signed, lead: &str, decision: &str) -> Result<Page, Problem> {
    let whole = leads::of_desk(cloud, &signed.desk, lead).await?;
    let lead = &whole.story.lead;
    let core = who::rules_of(cloud, &lead.company).await?;
    let (record, again) = why::made_again(cloud, &whole, decision).await?;
    let seats = match &again.explained.considered.decision.conclusion {
        Conclusion::Assign(seats) | Conclusion::Wait { recommended: seats, .. } => seats,
    };
    let candidates = &again.explained.candidates;
    let of_candidate = |one: &Judged| {
        let chosen = seats.iter().any(|seat| seat.contract == one.contract);
        let (part, needed, found) = match &one.miss {
            Some(miss) => (miss.rule.to_string(), miss.needed.clone(), miss.found.clone()),
            None if chosen => ("chosen".to_owned(), String::new(), String::new()),
            None => ("ranked lower".to_owned(), String::new(), String::new()),
        };
        Row {
            contract: one.contract.to_string(),
            dealer: one.dealer.to_string(),
            part,
            needed,
            found,
            says: one.sentence.clone(),
            nearly: one.would_have_had_it,
            chosen,
        }
    };
    let mut rows: Vec<Row> = candidates.iter().map(of_candidate).collect();
    // Who had it, who might have had it, who nearly had it, the rest; each in the order of the decision.
    rows.sort_by_key(|row| (!row.chosen, row.part != "ranked lower", !row.nearly));
    rows.truncate(SHOWN);
    Ok(Page {
        frame: Frame::of("A decision", "leads", signed),
        lead: lead.id.to_string(),
        name: shown::name(&lead.person),
        when: instant(&core, record.at),
        concluded: decided(record),
        rulebook: record.rulebook,
        as_recorded: again.as_recorded,
        failed: record.failed.iter().map(|(rule, count)| (rule.clone(), *count)).collect(),
        rows,
        all: candidates.len(),
    })
}
