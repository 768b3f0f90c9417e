//! The dealers: who can be given leads now and who cannot, what of their caps is used, and how they fared in thirty days.
//!
//! Determination. *Of many contracts a row names [`NAMED`]*, those that are full first.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{Problem, Query};
use leadyard_platform::who::READS;
use serde::Deserialize;

use super::served::ByState;
use super::shown::Choice;
use super::signed::{For, Sent, Signed};
use super::standing::{Made, Stands};
use super::{Frame, address, rendered, troubled};
use crate::dealers::fared::OfAll;
use crate::dealers::{Show, book_of, listed};

const AT: &str = "/console/dealers";
/// Contracts that a dealer's row names.
const NAMED: usize = 10;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    company: String,
    /// `paused`, `failing`, `full`; all of them, if none is named.
    show: String,
    /// Behind which dealer the page begins.
    after: String,
}

#[derive(askama::Template)]
#[template(path = "dealers.html")]
struct Page {
    frame: Frame,
    company: String,
    companies: Vec<Choice>,
    shows: Vec<Choice>,
    all: usize,
    rows: Vec<Row>,
    next: String,
    /// Not all were asked whether they fail or are full.
    cut: bool,
    /// What was looked for by name.
    sought: bool,
    /// Where dealers are: of all of them, on the first page.
    served: Option<ByState>,
}

struct Row {
    at: String,
    name: String,
    dealer: String,
    kind: String,
    standing: Stands,
    /// Contracts with a cap that it does not name.
    more: usize,
    fared: Made,
}

/// `GET /console/dealers?company&show&after`.
pub(super) async fn page(
    State(cloud): State<Cloud>,
    For(signed): For<READS>,
    Query(asked): Query<Asked>,
) -> Response {
    match shown(&cloud, &signed, &asked, None).await {
        Ok(page) => rendered(&page, StatusCode::OK),
        Err(problem) => troubled(&signed, &problem),
    }
}

/// `POST /console/dealers`: by a part of the name, which may be a person's and stands in no address. One is opened at
/// once.
pub(super) async fn find(
    State(cloud): State<Cloud>,
    Sent { signed: For(signed), form }: Sent<For<READS>>,
) -> Response {
    let asked = Asked { company: form.get("company").cloned().unwrap_or_default(), ..Asked::default() };
    let name = form.get("name").map(|name| name.trim().to_lowercase()).unwrap_or_default();
    match shown(&cloud, &signed, &asked, Some(&name)).await {
        Ok(page) => match page.rows.as_slice() {
            [only] => Redirect::to(&only.at).into_response(),
            _ => rendered(&page, StatusCode::OK),
        },
        Err(problem) => troubled(&signed, &problem),
    }
}

async fn shown(cloud: &Cloud, signed: &Signed, asked: &Asked, name: Option<&str>) -> Result<Page, Problem> {
    let core = signed.rules_of(cloud, &asked.company).await?;
    let (company, now) = (core.company_id(), cloud.clock.now());
    let book = book_of(cloud, &core).await?;
    let (switches, _) = cloud.store.switches_get(company).await?;
    let show = Show::named(&asked.show).unwrap_or(Show::All);
    let listed = listed(cloud, (&core, &book, &switches), (show, name), &asked.after, now).await?;
    // A name stands in no address: who looks for one types more of it.
    let next = listed.dealers.last().filter(|_| listed.more && name.is_none()).map(|last| {
        let pairs = [("company", company.as_str()), ("show", &asked.show), ("after", last.id.as_str())];
        address(AT, &pairs)
    });
    let fared = OfAll::read(cloud, &core, now).await?;
    let rows = listed.dealers.iter().map(|dealer| {
        let mut standing = listed.known.standing(dealer);
        standing.contracts.sort_by_key(|contract| !contract.limits.iter().any(|limit| limit.is_full()));
        standing.contracts.truncate(NAMED);
        let limited = listed.limited.get(&dealer.id).map_or(0, Vec::len);
        Row {
            at: format!("{AT}/{company}/{}", dealer.id),
            name: dealer.name.clone(),
            dealer: dealer.id.to_string(),
            kind: dealer.kind.to_string(),
            more: limited.saturating_sub(standing.contracts.len()),
            standing: Stands::of(&core, dealer.id.as_str(), &standing),
            fared: Made::of(&fared.of(&dealer.id)),
        }
    });
    let word = Some(asked.show.as_str());
    let first = name.is_none() && show == Show::All && asked.after.is_empty();
    let served = first.then(|| ByState::of(&book, &cloud.rulebooks.served(&core, &book), now));
    Ok(Page {
        frame: Frame::of("Dealers", "dealers", signed),
        companies: Choice::companies(cloud, &signed.desk, company),
        shows: vec![
            Choice::of("", "all", word),
            Choice::of("paused", "paused", word),
            Choice::of("failing", "not reached", word),
            Choice::of("full", "full", word),
        ],
        all: listed.all,
        rows: rows.collect(),
        next: next.unwrap_or_default(),
        cut: listed.cut,
        sought: name.is_some(),
        served: served.flatten(),
        company: company.to_string(),
    })
}
