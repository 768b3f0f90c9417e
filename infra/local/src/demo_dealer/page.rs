//! The page: what was received, with or without a script.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Json, Response};
use serde::{Deserialize, Serialize};

use super::book::Book;
use super::{Behave, Counts, DemoDealers, Received};
use crate::pages::{escape, fill};

const PAGE: &str = include_str!("../pages/dealer.html");
const SCRIPT: &str = include_str!("../pages/dealer.js");
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; connect-src 'self'; \
    form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

impl Received {
    /// A row of the table. Must stay as `dealer.js` draws it.
    fn row(&self) -> String {
        let struck = if self.withdrawn || self.erased { r#" class="struck""# } else { "" };
        let name = if self.erased { "erased" } else { &self.name };
        let (mark, word) = if self.verified { ("ok", "verified") } else { ("no", "refused") };
        let again = if self.duplicates > 0 { format!("+{}", self.duplicates) } else { String::new() };
        let state = if self.withdrawn { "withdrawn" } else { "" };
        let cells = [
            ("Time", "time", self.at.strftime("%H:%M:%S").to_string()),
            ("Event", "event", self.event.clone()),
            ("Dealer", "dealer", self.dealer.clone()),
            ("Offer", "offer", self.offer.clone()),
            ("Person", "person", name.to_owned()),
            ("ZIP", "zip", self.zip.clone()),
            ("Price", "price", self.price.clone()),
        ];
        let cells: Vec<String> = cells
            .iter()
            .map(|(label, class, text)| {
                format!(r#"<td data-label="{label}" class="{class}">{}</td>"#, escape(text))
            })
            .collect();
        let cells = cells.concat();
        format!(
            r#"<tr data-number="{}"{struck}>{cells}<td data-label="Signature" class="mark"><b class="{mark}">{word}</b></td><td data-label="Answered" class="answer">{}</td><td data-label="Again" class="again">{again}</td><td data-label="State" class="state">{state}</td></tr>"#,
            self.number,
            answered_text(self.answered),
        )
    }
}

fn answered_text(answered: u16) -> String {
    if answered == 0 { "hangs".to_owned() } else { answered.to_string() }
}

/// The page, complete without a script.
pub(super) async fn page(State(dealers): State<DemoDealers>) -> Response {
    let (rows, counts, last_change, told) = {
        let book = dealers.book();
        let rows: String = book.messages.iter().rev().map(Received::row).collect();
        (rows, book.counts, book.last_change, book.told())
    };
    let options: Vec<String> = Behave::ALL
        .iter()
        .map(|(_, word, description)| format!(r#"<option value="{word}">{}</option>"#, escape(description)))
        .collect();
    let page = fill(
        PAGE,
        &[
            ("rows", &rows),
            ("empty", if rows.is_empty() { "" } else { "hidden" }),
            ("told", &told),
            ("options", &options.concat()),
            ("change", &last_change.to_string()),
            ("verified", &counts.verified.to_string()),
            ("duplicates", &counts.duplicates.to_string()),
            ("refused", &counts.refused.to_string()),
        ],
    );
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (headers, page).into_response()
}

impl Book {
    /// Who was told to behave badly, as list items.
    fn told(&self) -> String {
        let items: Vec<String> = self
            .behaves
            .iter()
            .map(|(dealer, behave)| format!("<li><code>{}</code> {}</li>", escape(dealer), behave.word()))
            .collect();
        items.concat()
    }
}

pub(super) async fn script() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/javascript; charset=utf-8"),
        (header::CACHE_CONTROL, "no-cache"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, SCRIPT).into_response()
}

#[derive(Deserialize)]
pub(super) struct After {
    after: Option<u64>,
}

/// What changed, newest first.
#[derive(Serialize)]
struct Changes {
    /// Ask with this next time.
    change: u64,
    /// Messages before this number are no longer kept.
    oldest: u64,
    counts: Counts,
    messages: Vec<Received>,
}

pub(super) async fn received(
    State(dealers): State<DemoDealers>,
    query: Result<Query<After>, QueryRejection>,
) -> Response {
    let Ok(Query(After { after })) = query else { return StatusCode::BAD_REQUEST.into_response() };
    let changes = {
        let book = dealers.book();
        // Who knows of more changes than there are knew an earlier process: it gets everything.
        let after = after.filter(|after| *after <= book.last_change).unwrap_or(0);
        let changed = book.messages.iter().rev().filter(|message| message.change > after);
        Changes {
            change: book.last_change,
            oldest: book.messages.front().map_or(1, |message| message.number),
            counts: book.counts,
            messages: changed.cloned().collect(),
        }
    };
    ([(header::CACHE_CONTROL, "no-store"), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")], Json(changes))
        .into_response()
}
