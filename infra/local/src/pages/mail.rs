//! The page of caught mails.
//!
//! | route | does |
//! |---|---|
//! | `GET /mail` | shows the newest mails, without a script |
//! | `GET /mail/{number}/raw` | one as it was sent, `message/rfc822` |
//! | `POST /mail/{number}/{how}` | makes one come back: `bounced`, `full`, `complained` |
//!
//! Links in a mail are links here: it is what a dealer clicks.
//!
//! Whoever was erased is forgotten here too, before anything is shown: by the table, so that no channel has
//! to say it.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use leadyard_domain::ids::LeadId;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::store::StoreError;

use super::{escape, fill};
use crate::aws::ses::KEPT;
use crate::aws::{Caught, LocalMail, Returns};

const PAGE: &str = include_str!("mail.html");
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; \
    frame-ancestors 'none'";

#[derive(Clone)]
struct Mails {
    mail: Arc<LocalMail>,
    cloud: Cloud,
}

/// The page, over what was mailed.
pub fn router(mail: Arc<LocalMail>, cloud: Cloud) -> Router {
    Router::new()
        .route("/mail", get(page))
        .route("/mail/{number}/raw", get(raw))
        .route("/mail/{number}/{how}", post(returns))
        .with_state(Mails { mail, cloud })
}

async fn page(State(mails): State<Mails>) -> Response {
    if let Err(response) = mails.forget_the_erased().await {
        return response;
    }
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
    ];
    (headers, rendered(&mails.mail.caught())).into_response()
}

async fn raw(State(mails): State<Mails>, Path(number): Path<u64>) -> Response {
    if let Err(response) = mails.forget_the_erased().await {
        return response;
    }
    let caught = mails.mail.caught();
    let Some(mail) = caught.into_iter().find(|mail| mail.number == number) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let headers = [(header::CONTENT_TYPE, "message/rfc822"), (header::CACHE_CONTROL, "no-store")];
    (headers, mail.raw).into_response()
}

impl Mails {
    /// Before anything is shown; where that cannot be read, nothing is.
    async fn forget_the_erased(&self) -> Result<(), Response> {
        self.forget().await.map_err(|error| {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "whose mails may be shown could not be read"
            );
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        })
    }

    async fn forget(&self) -> Result<(), StoreError> {
        let told: Vec<LeadId> = self.mail.leads().iter().filter_map(|lead| lead.parse().ok()).collect();
        let leads = self.cloud.store.leads_get(&told).await?;
        let erased: BTreeSet<String> =
            leads.iter().filter(|lead| lead.is_erased()).map(|lead| lead.id.to_string()).collect();
        self.mail.forget(&erased);
        Ok(())
    }
}

async fn returns(State(mails): State<Mails>, Path((number, how)): Path<(u64, String)>) -> Response {
    let how = match how.as_str() {
        "bounced" => Returns::Bounced,
        "full" => Returns::Full,
        "complained" => Returns::Complained,
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    if mails.mail.returns(number, how) {
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
