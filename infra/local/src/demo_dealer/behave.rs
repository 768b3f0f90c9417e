//! How a dealer answers, and who tells it to.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};

use super::{BEHAVIOURS, DEALER_BYTES, DemoDealers};

/// How a dealer answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Behave {
    /// 204, or 401 when the signature is wrong.
    #[default]
    Well,
    /// 500 to what is rightly signed.
    Fail,
    /// 410: do not send here any more.
    Gone,
    /// 429, with `Retry-After: 10`.
    Busy,
    /// Takes the message, says nothing for 30 s, then 204.
    Hang,
    /// 401 to everything, as a dealer does that has the wrong secret.
    Refuse,
}

impl Behave {
    /// All of them, in the order of the page's form, with the word and the description.
    pub(super) const ALL: [(Self, &'static str, &'static str); 6] = [
        (Self::Well, "204", "works: 204"),
        (Self::Fail, "500", "fails: 500"),
        (Self::Gone, "410", "is gone: 410"),
        (Self::Busy, "429", "is busy: 429, Retry-After 10 s"),
        (Self::Hang, "hang", "takes it, then hangs for 30 s"),
        (Self::Refuse, "refuse", "refuses the signature: 401"),
    ];

    /// From the word in a form or address.
    pub(super) fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known, _)| *known == word).map(|(behave, _, _)| *behave)
    }

    pub(super) fn word(self) -> &'static str {
        Self::ALL.iter().find(|(behave, _, _)| *behave == self).map_or("204", |(_, word, _)| word)
    }
}

impl DemoDealers {
    /// Tells a dealer how to answer from now on. Whether it is known.
    pub fn behave(&self, dealer: &str, behave: Behave) -> bool {
        if dealer.len() > DEALER_BYTES || (self.secrets)(dealer).is_empty() {
            return false;
        }
        let mut book = self.book();
        if behave == Behave::Well {
            book.behaves.remove(dealer);
        } else if book.behaves.len() < BEHAVIOURS {
            book.behaves.insert(dealer.to_owned(), behave);
        }
        true
    }
}

pub(super) fn answer_of(behave: Behave) -> StatusCode {
    match behave {
        Behave::Well | Behave::Hang => StatusCode::NO_CONTENT,
        Behave::Fail => StatusCode::INTERNAL_SERVER_ERROR,
        Behave::Gone => StatusCode::GONE,
        Behave::Busy => StatusCode::TOO_MANY_REQUESTS,
        Behave::Refuse => StatusCode::UNAUTHORIZED,
    }
}

/// The page's form. Anything else than a known dealer and word is 422.
pub(super) async fn set_behave(State(dealers): State<DemoDealers>, body: Bytes) -> Response {
    let mut fields: BTreeMap<String, String> = form_urlencoded::parse(&body).into_owned().collect();
    let dealer = fields.remove("dealer").unwrap_or_default();
    let behave = fields.remove("behave").as_deref().and_then(Behave::parse);
    match behave {
        Some(behave) if dealers.behave(dealer.trim(), behave) => Redirect::to("/demo/dealer").into_response(),
        Some(_) | None => (StatusCode::UNPROCESSABLE_ENTITY, "there is no such dealer, or no such behaviour")
            .into_response(),
    }
}
