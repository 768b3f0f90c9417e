//! The demo dealer: a receiver on this machine that checks signatures and shows what it got.
//!
//! | route | does |
//! |---|---|
//! | `POST /demo/dealer/{dealer}` | takes a webhook: 204, or 401 when the signature or its time is wrong |
//! | `GET /demo/dealer` | shows the newest messages, with or without a script |
//! | `GET /demo/dealer/received.json?after=N` | what changed after change number `N` |
//! | `POST /demo/behave` | form fields `dealer` and `behave`: how that dealer answers from now on |
//! | `GET /demo/dealer.js` | the page's script |
//!
//! Every dealer has an address of its own, since every dealer has a secret of its own. For trying things
//! out a dealer can be told to [`Behave`] badly: by the form on the page until it is told otherwise, or by
//! `?behave=500` in the address, which comes before the form and is how a rulebook names a dealer that never
//! works. What is received is kept in memory, the newest [`KEPT`] messages, and is gone with the process.
//!
//! Signatures are those of Standard Webhooks 1.0.0. A message that comes again (the same `webhook-id`) is
//! counted, not shown twice. `lead.withdrawn` strikes the lead through, `lead.erased` erases the person
//! here as any dealer has to, and both also when they overtake the message they are about.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Json, Redirect, Response};
use axum::routing::{get, post};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use standardwebhooks::Webhook;
use subtle::ConstantTimeEq as _;

use crate::pages::{escape, fill};

/// How many messages are kept.
pub const KEPT: usize = 500;
/// A message's body, in bytes; Leadyard sends at most 20,000.
const BODY_BYTES: usize = 64 * 1024;
/// How many dealers may behave in their own way; beyond that, telling another has no effect.
const BEHAVIOURS: usize = 10_000;
/// A dealer's id in a path, in bytes.
const DEALER_BYTES: usize = 48;
/// What is shown of a text that a message brings, in characters.
const SHOWN_CHARS: usize = 120;
/// How far the clocks of sender and receiver may differ, in seconds (Standard Webhooks).
const TOLERANCE_S: i64 = 5 * 60;
/// How long a dealer hangs that was told to.
const HANG: Duration = Duration::from_secs(30);

const PAGE: &str = include_str!("pages/dealer.html");
const SCRIPT: &str = include_str!("pages/dealer.js");
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; connect-src 'self'; \
    form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// A dealer's webhook secrets as `whsec_…`, the newest first; none if there is no such dealer.
pub type Secrets = Arc<dyn Fn(&str) -> Vec<String> + Send + Sync>;

/// The time.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Everything the demo dealers know. Clones share it.
#[derive(Clone)]
pub struct DemoDealers {
    secrets: Secrets,
    clock: Clock,
    book: Arc<Mutex<Book>>,
}

/// A message, as far as the page shows it. Full of a person: never logged, and without `Debug`.
#[derive(Clone, Serialize)]
pub struct Received {
    /// Counts messages, 1 first.
    pub number: u64,
    /// Counts changes of anything: what `received.json?after=` compares.
    pub change: u64,
    /// When it arrived first.
    pub at: Timestamp,
    /// To whose address it was sent.
    pub dealer: String,
    /// The `webhook-id`.
    pub webhook_id: String,
    /// `lead.assigned` and the like; empty if it could not be read.
    pub event: String,
    /// The assignment it is about.
    pub assignment_id: String,
    /// The lead it is about.
    pub lead_id: String,
    /// What the lead signed up for.
    pub offer: String,
    /// The contract.
    pub contract: String,
    /// The price, as it was written.
    pub price: String,
    /// The person's name.
    pub name: String,
    /// The person's ZIP.
    pub zip: String,
    /// The signature was right, and of now.
    pub verified: bool,
    /// How often it came again.
    pub duplicates: u64,
    /// The status that was answered last; 0 while it hangs.
    pub answered: u16,
    /// A withdrawal of its assignment has arrived.
    pub withdrawn: bool,
    /// The person was erased.
    pub erased: bool,
}

/// How many messages of each kind there have been, those no longer kept included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Verified messages, each once.
    pub verified: u64,
    /// Verified messages that came again.
    pub duplicates: u64,
    /// Messages whose signature was wrong, each arrival.
    pub refused: u64,
}

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
    const ALL: [(Self, &'static str, &'static str); 6] = [
        (Self::Well, "204", "works: 204"),
        (Self::Fail, "500", "fails: 500"),
        (Self::Gone, "410", "is gone: 410"),
        (Self::Busy, "429", "is busy: 429, Retry-After 10 s"),
        (Self::Hang, "hang", "takes it, then hangs for 30 s"),
        (Self::Refuse, "refuse", "refuses the signature: 401"),
    ];

    /// From the word in a form or address.
    fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known, _)| *known == word).map(|(behave, _, _)| *behave)
    }

    fn word(self) -> &'static str {
        Self::ALL.iter().find(|(behave, _, _)| *behave == self).map_or("204", |(_, word, _)| word)
    }
}

/// What is kept. Entries of `messages` are in the order of their numbers.
#[derive(Default)]
struct Book {
    messages: VecDeque<Received>,
    counts: Counts,
    per_dealer: BTreeMap<String, Counts>,
    behaves: BTreeMap<String, Behave>,
    last_number: u64,
    last_change: u64,
}

impl DemoDealers {
    /// Dealers that have received nothing yet, and behave.
    pub fn new(secrets: Secrets, clock: Clock) -> Self {
        Self { secrets, clock, book: Arc::default() }
    }

    /// What is kept, oldest first.
    pub fn received(&self) -> Vec<Received> {
        self.book().messages.iter().cloned().collect()
    }

    /// How many there have been, of all dealers.
    pub fn counts(&self) -> Counts {
        self.book().counts
    }

    /// How many there have been of one dealer.
    pub fn counts_of(&self, dealer: &str) -> Counts {
        self.book().per_dealer.get(dealer).copied().unwrap_or_default()
    }

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

    /// Nothing in the book breaks by a panic elsewhere: each change is made in one go.
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The demo dealers' routes, all below `/demo`.
pub fn router(state: DemoDealers) -> Router {
    Router::new()
        .route("/demo/dealer", get(page))
        .route("/demo/dealer.js", get(script))
        .route("/demo/dealer/received.json", get(received))
        .route("/demo/dealer/{dealer}", post(receive))
        .route("/demo/behave", post(set_behave))
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .with_state(state)
}

#[derive(Deserialize)]
struct ReceiveQuery {
    behave: Option<String>,
}

/// Takes one webhook, as a careful dealer would: verify, note, answer.
async fn receive(
    State(dealers): State<DemoDealers>,
    Path(dealer): Path<String>,
    query: Result<Query<ReceiveQuery>, QueryRejection>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let secrets = if dealer.len() <= DEALER_BYTES { (dealers.secrets)(&dealer) } else { Vec::new() };
    if secrets.is_empty() {
        return StatusCode::NOT_FOUND.into_response();
    }
    let of_address = query.ok().and_then(|Query(query)| query.behave).as_deref().and_then(Behave::parse);
    let behave =
        of_address.unwrap_or_else(|| dealers.book().behaves.get(&dealer).copied().unwrap_or_default());
    let now = (dealers.clock)();
    let verified = behave != Behave::Refuse && verify(&secrets, &headers, &body, now);
    let answer = if verified { answer_of(behave) } else { StatusCode::UNAUTHORIZED };
    let hangs = verified && behave == Behave::Hang;
    let message = read(&dealer, &headers, &body, verified, now);
    let number = dealers.book().note(message, if hangs { 0 } else { answer.as_u16() });
    if hangs {
        // The sender has long given up: to it, the end of this attempt is unknown.
        tokio::time::sleep(HANG).await;
        dealers.book().answered(number, answer.as_u16());
    }
    if answer == StatusCode::TOO_MANY_REQUESTS {
        return (answer, [(header::RETRY_AFTER, "10")]).into_response();
    }
    answer.into_response()
}

fn answer_of(behave: Behave) -> StatusCode {
    match behave {
        Behave::Well | Behave::Hang => StatusCode::NO_CONTENT,
        Behave::Fail => StatusCode::INTERNAL_SERVER_ERROR,
        Behave::Gone => StatusCode::GONE,
        Behave::Busy => StatusCode::TOO_MANY_REQUESTS,
        Behave::Refuse => StatusCode::UNAUTHORIZED,
    }
}

/// Whether one of the signatures is by one of the secrets, and of now. The library's own `verify` reads
/// the machine's clock; here time is an argument, so what should stand there is signed and compared.
fn verify(secrets: &[String], headers: &HeaderMap, body: &[u8], now: Timestamp) -> bool {
    let (id, signatures) = (text_of(headers, "webhook-id"), text_of(headers, "webhook-signature"));
    let Ok(timestamp_s) = text_of(headers, "webhook-timestamp").parse::<i64>() else { return false };
    if id.is_empty() || now.as_second().abs_diff(timestamp_s) > TOLERANCE_S.unsigned_abs() {
        return false;
    }
    secrets.iter().any(|secret| {
        let expected = Webhook::new(secret).and_then(|webhook| webhook.sign(id, timestamp_s, body));
        expected.is_ok_and(|expected| {
            signatures.split(' ').any(|given| given.as_bytes().ct_eq(expected.as_bytes()).into())
        })
    })
}

fn text_of<'a>(headers: &'a HeaderMap, name: &'static str) -> &'a str {
    headers.get(HeaderName::from_static(name)).and_then(|value| value.to_str().ok()).unwrap_or("")
}

/// What of a message is shown. A body that cannot be read is shown as one without content.
fn read(dealer: &str, headers: &HeaderMap, body: &[u8], verified: bool, at: Timestamp) -> Received {
    let json: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |pointer: &str| shorten(json.pointer(pointer).and_then(|value| value.as_str()).unwrap_or(""));
    let name = format!("{} {}", text("/data/person/first_name"), text("/data/person/last_name"));
    Received {
        number: 0,
        change: 0,
        at,
        dealer: dealer.to_owned(),
        webhook_id: shorten(text_of(headers, "webhook-id")),
        event: text("/type"),
        assignment_id: text("/data/assignment_id"),
        lead_id: text("/data/lead_id"),
        offer: text("/data/offer"),
        contract: text("/data/contract"),
        price: text("/data/price"),
        name: name.trim().to_owned(),
        zip: text("/data/address/zip"),
        verified,
        duplicates: 0,
        answered: 0,
        withdrawn: false,
        erased: false,
    }
}

fn shorten(text: &str) -> String {
    text.chars().take(SHOWN_CHARS).collect()
}

impl Book {
    /// Notes a message and what was answered; its number, which is an earlier one's if it came again.
    fn note(&mut self, message: Received, answered: u16) -> u64 {
        let change = self.next_change();
        let again = !message.webhook_id.is_empty();
        let known = self.messages.iter_mut().find(|known| {
            again
                && known.webhook_id == message.webhook_id
                && known.dealer == message.dealer
                && known.verified == message.verified
        });
        if let Some(known) = known {
            known.duplicates += 1;
            known.answered = answered;
            known.change = change;
            let number = known.number;
            self.count(&message, true);
            return number;
        }
        self.count(&message, false);
        self.last_number += 1;
        let mut message = Received { number: self.last_number, change, answered, ..message };
        self.follow(&mut message, change);
        self.messages.push_back(message);
        if self.messages.len() > KEPT {
            self.messages.pop_front();
        }
        self.last_number
    }

    /// What this message does to others, and they to it. Only what is verified does anything.
    fn follow(&mut self, message: &mut Received, change: u64) {
        if !message.verified || message.assignment_id.is_empty() {
            return;
        }
        let (withdraws, erases) = (message.event == "lead.withdrawn", message.event == "lead.erased");
        let dealer = message.dealer.clone();
        for other in self.messages.iter_mut().filter(|other| other.verified && other.dealer == dealer) {
            let same = other.assignment_id == message.assignment_id;
            if same && withdraws && other.event != "lead.withdrawn" {
                other.withdrawn = true;
                other.change = change;
            }
            message.withdrawn |= same && other.event == "lead.withdrawn" && !withdraws;
            if other.lead_id == message.lead_id {
                if erases {
                    other.erase();
                    other.change = change;
                }
                message.erased |= other.event == "lead.erased";
            }
        }
        if message.erased {
            message.erase();
        }
    }

    fn answered(&mut self, number: u64, answered: u16) {
        let change = self.next_change();
        if let Some(message) = self.messages.iter_mut().find(|message| message.number == number) {
            message.answered = answered;
            message.change = change;
        }
    }

    fn count(&mut self, message: &Received, again: bool) {
        let of_dealer = self.per_dealer.entry(message.dealer.clone()).or_default();
        for counts in [of_dealer, &mut self.counts] {
            match (message.verified, again) {
                (false, _) => counts.refused += 1,
                (true, true) => counts.duplicates += 1,
                (true, false) => counts.verified += 1,
            }
        }
    }

    fn next_change(&mut self) -> u64 {
        self.last_change += 1;
        self.last_change
    }
}

impl Received {
    fn erase(&mut self) {
        self.erased = true;
        self.name.clear();
        self.zip.clear();
    }

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
async fn page(State(dealers): State<DemoDealers>) -> Response {
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

async fn script() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/javascript; charset=utf-8"),
        (header::CACHE_CONTROL, "no-cache"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, SCRIPT).into_response()
}

#[derive(Deserialize)]
struct After {
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

async fn received(
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

/// The page's form. Anything else than a known dealer and word is 422.
async fn set_behave(State(dealers): State<DemoDealers>, body: Bytes) -> Response {
    let mut fields: BTreeMap<String, String> = form_urlencoded::parse(&body).into_owned().collect();
    let dealer = fields.remove("dealer").unwrap_or_default();
    let behave = fields.remove("behave").as_deref().and_then(Behave::parse);
    match behave {
        Some(behave) if dealers.behave(dealer.trim(), behave) => Redirect::to("/demo/dealer").into_response(),
        Some(_) | None => (StatusCode::UNPROCESSABLE_ENTITY, "there is no such dealer, or no such behaviour")
            .into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::http::Request;
    use http_body_util::BodyExt as _;
    use tower::ServiceExt as _;

    const SECRETS: [&str; 2] =
        ["whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz", "whsec_YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4"];

    fn now() -> Timestamp {
        "2026-06-01T13:00:00Z".parse().unwrap()
    }

    fn dealers() -> DemoDealers {
        let secrets = |dealer: &str| {
            if dealer == "nobody" { Vec::new() } else { SECRETS.map(str::to_owned).to_vec() }
        };
        DemoDealers::new(Arc::new(secrets), Arc::new(now))
    }

    fn assigned(n: u8, name: &str) -> String {
        serde_json::json!({"type": "lead.assigned", "timestamp": "2026-06-01T13:00:00Z", "data": {
            "assignment_id": format!("a{n}"), "lead_id": format!("l{n}"), "offer": "roof-inspection",
            "contract": "c1", "price": "45.00",
            "person": {"first_name": name, "last_name": "Example"}, "address": {"zip": "80219"}
        }})
        .to_string()
    }

    fn about(event: &str, n: u8) -> String {
        serde_json::json!({"type": event, "timestamp": "2026-06-01T13:00:00Z", "data": {
            "assignment_id": format!("a{n}"), "lead_id": format!("l{n}")}})
        .to_string()
    }

    fn message(path: &str, id: &str, body: &str, secret: &str, at: i64) -> Request<Body> {
        let signature = Webhook::new(secret).unwrap().sign(id, at, body.as_bytes()).unwrap();
        Request::post(path)
            .header("webhook-id", id)
            .header("webhook-timestamp", at.to_string())
            .header("webhook-signature", format!("v1,AAAA {signature}"))
            .body(Body::from(body.to_owned()))
            .unwrap()
    }

    async fn send(dealers: &DemoDealers, path: &str, id: &str, body: &str) -> StatusCode {
        let request = message(path, id, body, SECRETS[1], now().as_second());
        router(dealers.clone()).oneshot(request).await.unwrap().status()
    }

    async fn fetch(dealers: &DemoDealers, path: &str) -> String {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = router(dealers.clone()).oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
    }

    async fn tell(dealers: &DemoDealers, form: &str) -> StatusCode {
        let request = Request::post("/demo/behave").body(Body::from(form.to_owned())).unwrap();
        router(dealers.clone()).oneshot(request).await.unwrap().status()
    }

    #[tokio::test]
    async fn what_is_rightly_signed_is_taken_and_counted_once() {
        let dealers = dealers();
        for _ in 0..3 {
            let status = send(&dealers, "/demo/dealer/acme", "msg_1", &assigned(1, "Ada")).await;
            assert_eq!(status, StatusCode::NO_CONTENT);
        }
        let received = dealers.received();
        assert_eq!(received.len(), 1);
        let first = &received[0];
        assert_eq!((first.name.as_str(), first.zip.as_str(), first.duplicates), ("Ada Example", "80219", 2));
        assert!(first.verified && first.answered == 204);
        assert_eq!(dealers.counts(), Counts { verified: 1, duplicates: 2, refused: 0 });
        assert_eq!(dealers.counts_of("acme"), dealers.counts());
        assert_eq!(dealers.counts_of("other"), Counts::default());
    }

    #[tokio::test]
    async fn the_same_id_to_another_dealer_is_another_message() {
        let dealers = dealers();
        send(&dealers, "/demo/dealer/acme", "msg_1", &assigned(1, "Ada")).await;
        send(&dealers, "/demo/dealer/other", "msg_1", &assigned(1, "Ada")).await;
        assert_eq!(dealers.received().len(), 2);
        assert_eq!(dealers.counts().duplicates, 0);
    }

    #[tokio::test]
    async fn a_wrong_body_secret_or_time_is_refused() {
        let dealers = dealers();
        let at = now().as_second();
        let wrong_secret =
            message("/demo/dealer/acme", "m1", "{}", "whsec_enp6enp6enp6enp6enp6enp6enp6enp6", at);
        let too_old = message("/demo/dealer/acme", "m2", "{}", SECRETS[0], at - 301);
        let too_new = message("/demo/dealer/acme", "m3", "{}", SECRETS[0], at + 301);
        let (parts, _) = message("/demo/dealer/acme", "m4", "{}", SECRETS[0], at).into_parts();
        let other_body = Request::from_parts(parts, Body::from("{ }"));
        let unsigned = Request::post("/demo/dealer/acme").body(Body::from("{}")).unwrap();
        for request in [wrong_secret, too_old, too_new, other_body, unsigned] {
            let status = router(dealers.clone()).oneshot(request).await.unwrap().status();
            assert_eq!(status, StatusCode::UNAUTHORIZED);
        }
        assert_eq!(dealers.counts(), Counts { verified: 0, duplicates: 0, refused: 5 });
        assert!(dealers.received().iter().all(|message| !message.verified && message.answered == 401));
        for edge in [at - 300, at + 300] {
            let request = message("/demo/dealer/acme", "m5", "{}", SECRETS[0], edge);
            let status = router(dealers.clone()).oneshot(request).await.unwrap().status();
            assert_eq!(status, StatusCode::NO_CONTENT);
        }
        let status = send(&dealers, "/demo/dealer/nobody", "m6", "{}").await;
        assert_eq!(status, StatusCode::NOT_FOUND);
    }

    #[tokio::test]
    async fn a_withdrawal_strikes_its_lead_through_in_either_order() {
        let dealers = dealers();
        send(&dealers, "/demo/dealer/acme", "m1", &assigned(1, "Ada")).await;
        send(&dealers, "/demo/dealer/acme", "m2", &about("lead.withdrawn", 1)).await;
        send(&dealers, "/demo/dealer/acme", "m3", &about("lead.withdrawn", 2)).await;
        send(&dealers, "/demo/dealer/acme", "m4", &assigned(2, "Bob")).await;
        send(&dealers, "/demo/dealer/acme", "m5", &assigned(3, "Cy")).await;
        send(&dealers, "/demo/dealer/other", "m6", &assigned(1, "Ada")).await;
        let withdrawn: Vec<bool> = dealers.received().iter().map(|message| message.withdrawn).collect();
        assert_eq!(withdrawn, [true, false, false, true, false, false]);
        assert!(fetch(&dealers, "/demo/dealer").await.contains(r#"class="struck""#));
    }

    #[tokio::test]
    async fn an_unverified_withdrawal_does_nothing() {
        let dealers = dealers();
        send(&dealers, "/demo/dealer/acme", "m1", &assigned(1, "Ada")).await;
        let body = about("lead.withdrawn", 1);
        let forged = message("/demo/dealer/acme", "m2", &body, SECRETS[0], 0);
        router(dealers.clone()).oneshot(forged).await.unwrap();
        assert!(!dealers.received()[0].withdrawn);
    }

    #[tokio::test]
    async fn an_erased_person_is_gone_here_too_in_either_order() {
        let dealers = dealers();
        send(&dealers, "/demo/dealer/acme", "m1", &assigned(1, "Ada")).await;
        send(&dealers, "/demo/dealer/acme", "m2", &about("lead.erased", 1)).await;
        send(&dealers, "/demo/dealer/acme", "m3", &assigned(1, "Ada")).await;
        let shown =
            fetch(&dealers, "/demo/dealer").await + &fetch(&dealers, "/demo/dealer/received.json").await;
        assert!(!shown.contains("Ada") && !shown.contains("80219"));
        assert!(shown.contains(">erased</td>"));
    }

    #[tokio::test]
    async fn a_dealer_behaves_as_told_by_form_or_address() {
        let dealers = dealers();
        assert_eq!(tell(&dealers, "dealer=acme&behave=500").await, StatusCode::SEE_OTHER);
        assert_eq!(tell(&dealers, "dealer=nobody&behave=500").await, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(tell(&dealers, "dealer=acme&behave=teapot").await, StatusCode::UNPROCESSABLE_ENTITY);
        let path = "/demo/dealer/acme";
        assert_eq!(send(&dealers, path, "m1", "{}").await, StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(send(&dealers, "/demo/dealer/other", "m1", "{}").await, StatusCode::NO_CONTENT);
        assert_eq!(send(&dealers, "/demo/dealer/acme?behave=410", "m1", "{}").await, StatusCode::GONE);
        assert!(fetch(&dealers, "/demo/dealer").await.contains("<code>acme</code> 500"));
        tell(&dealers, "dealer=acme&behave=429").await;
        let request = message(path, "m2", "{}", SECRETS[0], now().as_second());
        let response = router(dealers.clone()).oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(response.headers()["retry-after"], "10");
        tell(&dealers, "dealer=acme&behave=refuse").await;
        assert_eq!(send(&dealers, path, "m1", "{}").await, StatusCode::UNAUTHORIZED);
        tell(&dealers, "dealer=acme&behave=204").await;
        assert_eq!(send(&dealers, path, "m1", "{}").await, StatusCode::NO_CONTENT);
        assert_eq!(dealers.received().iter().filter(|message| message.dealer == "acme").count(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_dealer_that_hangs_has_the_lead_all_the_same() {
        let dealers = dealers();
        dealers.behave("acme", Behave::Hang);
        let sending = {
            let dealers = dealers.clone();
            tokio::spawn(async move { send(&dealers, "/demo/dealer/acme", "m1", &assigned(1, "Ada")).await })
        };
        tokio::time::sleep(Duration::from_secs(29)).await;
        assert_eq!(dealers.received()[0].answered, 0);
        assert!(!sending.is_finished());
        assert_eq!(sending.await.unwrap(), StatusCode::NO_CONTENT);
        assert_eq!(dealers.received()[0].answered, 204);
    }

    #[tokio::test]
    async fn the_newest_five_hundred_are_kept_and_changes_are_told_once() {
        let dealers = dealers();
        for n in 0..KEPT + 5 {
            send(&dealers, "/demo/dealer/acme", &format!("m{n}"), "{}").await;
        }
        assert_eq!(dealers.received().len(), KEPT);
        let all: serde_json::Value =
            serde_json::from_str(&fetch(&dealers, "/demo/dealer/received.json").await).unwrap();
        assert_eq!(all["oldest"], 6);
        assert_eq!(all["messages"][0]["number"], 505);
        let change = all["change"].as_u64().unwrap();
        send(&dealers, "/demo/dealer/acme", "m504", "{}").await;
        let path = format!("/demo/dealer/received.json?after={change}");
        let next: serde_json::Value = serde_json::from_str(&fetch(&dealers, &path).await).unwrap();
        assert_eq!(next["messages"].as_array().unwrap().len(), 1);
        assert_eq!(next["messages"][0]["duplicates"], 1);
        let earlier_process: serde_json::Value =
            serde_json::from_str(&fetch(&dealers, "/demo/dealer/received.json?after=999999").await).unwrap();
        assert_eq!(earlier_process["messages"].as_array().unwrap().len(), KEPT);
    }

    #[tokio::test]
    async fn a_hostile_lead_is_only_text() {
        let dealers = dealers();
        let hostile = r#"</td><script>alert(1)</script><img src=x onerror="alert(1)">'{{rows}}"#;
        let body = serde_json::json!({"type": hostile, "data": {
            "assignment_id": hostile, "lead_id": hostile, "offer": hostile, "contract": hostile,
            "price": hostile, "person": {"first_name": hostile, "last_name": {"a": 1}},
            "address": {"zip": hostile}}})
        .to_string();
        assert_eq!(send(&dealers, "/demo/dealer/acme", "m1", &body).await, StatusCode::NO_CONTENT);
        let odd = "/demo/dealer/%3Cscript%3Ealert(1)%3C%2Fscript%3E";
        send(&dealers, odd, "<script>alert(1)</script>", "[1, 2").await;
        tell(&dealers, "dealer=%3Cscript%3E&behave=500").await;
        let page = fetch(&dealers, "/demo/dealer").await;
        assert!(!page.contains("<script>") && !page.contains("<img"));
        assert_eq!(page.matches("<script").count(), 1);
        assert_eq!(dealers.received().len(), 2);
    }

    #[tokio::test]
    async fn a_long_text_is_shortened_and_a_huge_body_refused() {
        let dealers = dealers();
        send(&dealers, "/demo/dealer/acme", "m1", &assigned(1, &"é".repeat(5_000))).await;
        assert!(dealers.received()[0].name.chars().count() <= 2 * SHOWN_CHARS + 1);
        let status = send(&dealers, "/demo/dealer/acme", "m2", &"x".repeat(BODY_BYTES + 1)).await;
        assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
        let status = send(&dealers, &format!("/demo/dealer/{}", "d".repeat(49)), "m3", "{}").await;
        assert_eq!(status, StatusCode::NOT_FOUND);
    }
}
