//! How a dealer fares, and what it owes: its own, of nobody else.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{Problem, Query};
use serde::Deserialize;

use crate::dealers::fared::OfAll;
use crate::pages::account::{Lines, Table, lines_of, sums_of, table_of, tables_of};
use crate::pages::signed::{INBOX, SignedDealer};
use crate::pages::standing::Made;
use crate::pages::{Frame, rendered, troubled};
use crate::statement;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::pages) struct Asked {
    month: String,
    after: String,
}

#[derive(askama::Template)]
#[template(path = "figures.html")]
struct Page {
    frame: Frame,
    fared: Made,
    dealer: String,
    /// Who bills.
    company: String,
    month: String,
    sums: Vec<(&'static str, String)>,
    tables: Vec<Table>,
    lines: Lines,
}

/// `GET /console/inbox/figures?month`.
pub(in crate::pages) async fn page(
    State(cloud): State<Cloud>,
    signed: SignedDealer,
    Query(asked): Query<Asked>,
) -> Response {
    let read = async {
        let month = month(&cloud, &signed, &asked).await?;
        let fared = OfAll::read(&cloud, &month.core, cloud.clock.now()).await?;
        Ok::<_, Problem>(Page {
            frame: Frame::of("Figures and statement", "figures", &signed),
            fared: Made::of(&fared.of(&signed.token.dealer)),
            dealer: signed.token.dealer.to_string(),
            company: month.core.company.name.clone(),
            month: month.month.to_string(),
            sums: sums_of(&month),
            tables: tables_of(&month)?,
            lines: lines_of(&month, |line| line.assignment.map(|seat| format!("{INBOX}/{seat}"))),
        })
    };
    match read.await {
        Ok(page) => rendered(&page, StatusCode::OK),
        Err(problem) => troubled(&signed, &problem),
    }
}

/// `GET /console/inbox/statement.csv?month&after`.
pub(in crate::pages) async fn csv(
    State(cloud): State<Cloud>,
    signed: SignedDealer,
    Query(asked): Query<Asked>,
) -> Response {
    let read = async {
        let month = month(&cloud, &signed, &asked).await?;
        table_of(&month, signed.token.dealer.as_str(), Some(&asked.after))
    };
    read.await.unwrap_or_else(|problem| troubled(&signed, &problem))
}

async fn month(cloud: &Cloud, signed: &SignedDealer, asked: &Asked) -> Result<statement::OfMonth, Problem> {
    let month = Some(asked.month.as_str()).filter(|month| !month.is_empty());
    statement::of_month(cloud, &signed.token.company, &signed.token.dealer, month).await
}
