//! The page of caught mails.
//!
//! | route | does |
//! |---|---|
//! | `GET /mail` | shows the newest mails, without a script |
//! | `POST /mail/{number}/{how}` | makes one come back: `bounced`, `full`, `complained` |
//!
//! Links in a mail are links here: it is what a dealer clicks.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};

use super::{escape, fill};
use crate::aws::ses::KEPT;
use crate::aws::{Caught, LocalMail, Returns};

const PAGE: &str = include_str!("mail.html");
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; \
    frame-ancestors 'none'";

/// The page, over what was mailed.
pub fn router(mail: Arc<LocalMail>) -> Router {
    Router::new().route("/mail", get(page)).route("/mail/{number}/{how}", post(returns)).with_state(mail)
}

async fn page(State(mail): State<Arc<LocalMail>>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
    ];
    (headers, rendered(&mail.caught())).into_response()
}

async fn returns(State(mail): State<Arc<LocalMail>>, Path((number, how)): Path<(u64, String)>) -> Response {
    let how = match how.as_str() {
        "bounced" => Returns::Bounced,
        "full" => Returns::Full,
        "complained" => Returns::Complained,
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    if mail.returns(number, how) {
        Redirect::to("/mail").into_response()
    } else {
        StatusCode::NOT_FOUND.into_response()
    }
}

fn rendered(mails: &[Caught]) -> String {
    let all: String = mails.iter().rev().map(shown).collect();
    let all = if all.is_empty() {
        "<p>Nothing yet. A dealer with a channel of kind <code>mail</code> is written to.</p>".to_owned()
    } else {
        all
    };
    fill(PAGE, &[("kept", &KEPT.to_string()), ("mails", &all)])
}

fn shown(mail: &Caught) -> String {
    let at = jiff::Timestamp::from_millisecond(mail.at_ms).unwrap_or_default();
    let text: String = mail.text.split_inclusive('\n').map(line).collect();
    let button = |how: &str, says: &str| {
        format!("<button type=\"submit\" formaction=\"/mail/{}/{how}\">{says}</button>", mail.number)
    };
    format!(
        "<details><summary><b>{}</b><span>to {} · {}</span></summary><pre>{text}</pre>\
         <form method=\"post\">{}{}{}</form></details>\n",
        escape(mail.header("subject")),
        escape(&mail.to),
        at.strftime("%Y-%m-%d %H:%M:%S UTC"),
        button("bounced", "No such mailbox"),
        button("full", "Mailbox full"),
        button("complained", "Reader complains"),
    )
}

/// A line that is a link, whole, is one here.
fn line(line: &str) -> String {
    let url = line.trim_end();
    let escaped = escape(line);
    if url.starts_with("http://") || url.starts_with("https://") {
        return format!(
            "<a href=\"{}\">{}</a>{}",
            escape(url),
            escape(url),
            escape(line.get(url.len()..).unwrap_or_default())
        );
    }
    escaped
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_hostile_mail_is_only_text() {
        let hostile = "\"><script>alert(1)</script>{{kept}}";
        let mail = Caught {
            number: 1,
            at_ms: 0,
            id: String::new(),
            to: hostile.to_owned(),
            headers: BTreeMap::from([("subject".to_owned(), hostile.to_owned())]),
            text: format!("{hostile}\nhttps://leads.example/{hostile}\njavascript:alert(1)\n"),
            tags: BTreeMap::new(),
            raw: String::new(),
            told: true,
        };
        let page = rendered(&[mail]);
        assert!(
            !page.contains("<script") && !page.contains("href=\"javascript") && page.contains("{{kept}}")
        );
        assert_eq!(page.matches("<a href=").count(), 1);
    }
}
