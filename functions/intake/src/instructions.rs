//! Posting instructions of a source, for whoever is to send its leads: as a page, or as JSON.
//!
//! They are made of what reads the leads and answers them: the standard fields, the source's maps, every kind of answer
//! as it is rendered for each way in which the source may send, the closed codes of errors. What is added there and not
//! described here does not compile.
//!
//! Determinations:
//!
//! - *Who has the page key* may read them: they say nothing that a page with that key does not show, or that no
//!   sender is told. Keys of ad platforms and the source's secret are not in them.
//! - *The test lead* of the page is read and kept as any test lead, creates no identity, moves no counter and reaches
//!   nobody. It says what a page is told, and not where it would go: a page key says nothing of dealers.
//! - *The table is away*: the test is refused, never spilled; nobody waits for it.

use askama::Template;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use axum::response::{Html, IntoResponse as _};
use leadyard_domain::access::PageKey;
use leadyard_domain::distribution::Core;
use leadyard_domain::enquiry::{Enquiry, FieldMap, Fields, Standard, Tag};
use leadyard_domain::error::{Code, FieldError};
use leadyard_domain::ids::{EnquiryId, LeadId};
use leadyard_domain::limits;
use leadyard_domain::rulebook::{Source, SourceKind};
use leadyard_domain::screening::Reason;
use leadyard_platform::arriving::Arrival;
use leadyard_platform::arriving::answer::{Answer, AnswerKind, Answered};
use leadyard_platform::arriving::whose::WAS_ERASED;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{self, Path, Problem};
use serde::Serialize;
use serde_json::json;

use crate::arrive::Format;
use crate::{answer, google, keep, meta};

/// Under which the pages work: styles of their own, posts to where they came from, no script.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; \
    frame-ancestors 'none'";

/// What the examples send.
const EXAMPLE: [(&str, &str); 6] = [
    ("first_name", "Ada"),
    ("last_name", "Hill"),
    ("email", "ada.hill@example.com"),
    ("phone", "305-555-0142"),
    ("zip", "33101"),
    ("message", "The roof leaks over the porch."),
];

/// Stands for the source's secret, which a page that anybody may open does not say.
const SECRET: &str = "YOUR_SECRET";

#[derive(Serialize, Template)]
#[template(path = "instructions.html")]
struct Instructions {
    company: String,
    source: String,
    url: String,
    #[serde(skip)]
    path: String,
    formats: Vec<&'static str>,
    #[serde(skip)]
    google: bool,
    #[serde(skip)]
    meta: bool,
    example: Vec<(&'static str, &'static str)>,
    curl: String,
    html: String,
    javascript: String,
    fields: Vec<Field>,
    attribution: Vec<&'static str>,
    attribution_bytes: usize,
    own: Vec<(String, String)>,
    values: Vec<Value>,
    offer: Option<String>,
    offers: Vec<(String, String)>,
    limits: Vec<String>,
    answers: Vec<Told>,
    errors: Vec<Told>,
}

#[derive(Serialize)]
struct Field {
    name: &'static str,
    rule: &'static str,
}

#[derive(Serialize)]
struct Value {
    field: String,
    theirs: String,
    ours: String,
}

#[derive(Serialize)]
struct Told {
    status: u16,
    when: String,
    body: String,
}

#[derive(Template)]
#[template(path = "tried.html")]
struct Tried {
    title: &'static str,
    status: u16,
    body: String,
    back: String,
}

/// `GET /v1/leads/{key}/instructions`.
pub(crate) async fn show(
    State(cloud): State<Cloud>,
    Path(key): Path<String>,
    headers: HeaderMap,
) -> Result<Response<Body>, Problem> {
    let page_key = key_of(&cloud, &key)?;
    let (core, source) = rules(&cloud, &page_key).await?;
    let instructions = instructions(&cloud, &core, &source, &page_key, &key, &base(&headers));
    let asked = http::text(&headers, "accept").unwrap_or_default();
    if asked.contains("application/json") {
        return Ok(axum::Json(instructions).into_response());
    }
    page(StatusCode::OK, &instructions)
}

/// `POST /v1/leads/{key}/instructions`: the page's test lead.
pub(crate) async fn try_it(
    State(cloud): State<Cloud>,
    Path(key): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response<Body>, Problem> {
    let page_key = key_of(&cloud, &key)?;
    let body = http::body(body, limits::BODY_BYTES).await?;
    let at = cloud.clock.now();
    let arrival = Arrival {
        id: EnquiryId::mint(at, cloud.entropy.bytes()),
        content_type: http::text(&headers, "content-type").unwrap_or_default().to_owned(),
        body,
        tried: true,
        ..Arrival::by(page_key, at)
    };
    let answered = Box::pin(keep::keep(&cloud, &arrival)).await?;
    let (status, body) = answered.told(&cloud, &arrival);
    let title = if status < 300 { "The test lead was read" } else { "The test lead was refused" };
    let body = serde_json::from_str(&body).map_or(body, |json: serde_json::Value| pretty(&json));
    let back = format!("/v1/leads/{key}/instructions");
    page(StatusCode::from_u16(status).unwrap_or(StatusCode::OK), &Tried { title, status, body, back })
}

fn page(status: StatusCode, template: &impl Template) -> Result<Response<Body>, Problem> {
    let html = template.render().map_err(|_| Problem::new(Code::Internal, "the page could not be made"))?;
    let mut response = (status, Html(html)).into_response();
    let answer = response.headers_mut();
    answer.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    answer.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    Ok(response)
}

/// A page of ours sends its own origin, which is none of the source's.
fn key_of(cloud: &Cloud, key: &str) -> Result<PageKey, Problem> {
    let unknown = || Problem::new(Code::Unauthorized, "the page key in the path is unknown or damaged");
    cloud.master.verify(key).ok_or_else(unknown)
}

async fn rules(cloud: &Cloud, key: &PageKey) -> Result<(std::sync::Arc<Core>, Source), Problem> {
    let core = leadyard_platform::who::rules_of(cloud, &key.company).await?;
    let today = core.today(cloud.clock.now());
    let source = core.source(&key.source).filter(|source| source.lets_in(key.generation, today)).cloned();
    let old =
        || Problem::new(Code::Unauthorized, "the page key is of an older generation, or its source is gone");
    Ok((core, source.ok_or_else(old)?))
}

/// Where this was asked for, as far as it can be written into an example.
fn base(headers: &HeaderMap) -> String {
    let plain = |host: &&str| {
        host.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':' | b'[' | b']'))
    };
    let host = http::text(headers, "host").filter(plain).unwrap_or("leads.example.com");
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let local = matches!(name, "localhost" | "127.0.0.1" | "[::1]");
    format!("{}://{host}", if local { "http" } else { "https" })
}

fn instructions(
    cloud: &Cloud,
    core: &Core,
    source: &Source,
    page_key: &PageKey,
    key: &str,
    base: &str,
) -> Instructions {
    let path = format!("/v1/leads/{key}");
    let url = format!("{base}{path}");
    let mut example = EXAMPLE.to_vec();
    let first = core.offers.first().map(|offer| offer.id.to_string());
    let offer = source.offer.as_ref().map(ToString::to_string);
    let named = first.filter(|_| offer.is_none());
    let mut sent: Vec<(&str, &str)> = example.clone();
    sent.extend(named.as_deref().map(|offer| ("offer", offer)));
    let (curl, html, javascript) = (curl(&url, &sent), html(&url, &sent), javascript(&url, &sent));
    if named.is_some() {
        example.push(("offer", ""));
    }
    let own = source.fields.iter().map(|(theirs, ours)| (theirs.clone(), ours.clone())).collect();
    let values = source.values.iter().flat_map(|(field, of_field)| {
        of_field.iter().map(|(theirs, ours)| Value {
            field: field.clone(),
            theirs: theirs.clone(),
            ours: ours.clone(),
        })
    });
    let mapped = source.offers.iter().map(|(theirs, ours)| (theirs.clone(), ours.to_string()));
    let offers = core.offers.iter().map(|offer| (offer.id.to_string(), offer.name.clone()));
    Instructions {
        company: core.company.name.clone(),
        source: source.id.to_string(),
        formats: Format::ALL.iter().flat_map(|format| format.content_types()).copied().collect(),
        google: source.kind == SourceKind::Google,
        meta: source.kind == SourceKind::Meta,
        curl,
        html,
        javascript,
        example,
        fields: Standard::ALL
            .iter()
            .map(|field| Field { name: field.as_str(), rule: field.rule() })
            .collect(),
        attribution: Tag::ALL.iter().map(|tag| tag.as_str()).collect(),
        attribution_bytes: limits::ATTRIBUTION_BYTES,
        own,
        values: values.collect(),
        offer,
        offers: mapped.chain(offers).collect(),
        limits: limits_of(source),
        answers: answers(cloud, page_key, source.kind),
        errors: errors(),
        url,
        path,
    }
}

fn json_of(sent: &[(&str, &str)]) -> String {
    let members: Vec<String> =
        sent.iter().map(|(name, value)| format!("{}: {}", json!(name), json!(value))).collect();
    format!("{{{}}}", members.join(", "))
}

/// Without a quote that a shell would end at: the examples have none, an offer's id cannot. With the secret: a program that
/// posts as a page would is doubted, and its leads wait for the desk.
fn curl(url: &str, sent: &[(&str, &str)]) -> String {
    format!(
        "curl -X POST '{url}' \\\n  -H 'Authorization: Bearer {SECRET}' \\\n  -H 'Content-Type: application/json' \\\n  -d '{}'",
        json_of(sent)
    )
}

fn html(url: &str, sent: &[(&str, &str)]) -> String {
    let inputs: Vec<String> = sent.iter().map(|(name, _)| format!("  <input name=\"{name}\">\n")).collect();
    let inputs = inputs.concat();
    format!("<form method=\"post\" action=\"{url}\">\n{inputs}  <button>Send</button>\n</form>")
}

fn javascript(url: &str, sent: &[(&str, &str)]) -> String {
    format!(
        "const answer = await fetch(\"{url}\", {{\n  method: \"POST\",\n  headers: {{ \"Content-Type\": \"application/json\", \"Idempotency-Key\": crypto.randomUUID() }},\n  body: JSON.stringify({}),\n}});\nconsole.log(answer.status, await answer.json());",
        json_of(sent)
    )
}

fn limits_of(source: &Source) -> Vec<String> {
    let mut said = vec![
        format!("A body has at most {} bytes.", limits::BODY_BYTES),
        format!(
            "At most {} fields; a name has at most {} bytes and is cut there.",
            limits::ENQUIRY_FIELDS,
            limits::FIELD_NAME_BYTES
        ),
        format!(
            "Texts are cut at {} characters, the message at {}, other fields at {} bytes.",
            limits::TEXT_CHARS,
            limits::MESSAGE_CHARS,
            limits::EXTRA_BYTES
        ),
        format!("JSON nests at most {} levels deep, XML {}.", limits::JSON_DEPTH, limits::XML_DEPTH),
        format!("An ADF document has at most {} prospects; each is an enquiry.", limits::PROSPECTS),
        format!(
            "An Idempotency-Key of 1 to {} bytes is remembered for {} hours: the same request again gets the first answer.",
            limits::IDEMPOTENCY_KEY_BYTES,
            limits::IDEMPOTENCY_HOURS
        ),
    ];
    for cap in &source.caps.0 {
        said.push(format!("At most {} new leads a {}.", cap.most, cap.period));
    }
    if let Some(ends) = source.ends {
        said.push(format!("Leads are taken until {ends}."));
    }
    if !source.origins.is_empty() {
        said.push(format!("Browsers may post from {}.", source.origins.join(", ")));
    }
    if source.form_token {
        said.push("Pages send a form_token: GET …/form_token when the form is opened.".to_owned());
    }
    said
}

/// In which way a lead comes; each is answered in a form of its own.
#[derive(Clone, Copy)]
enum Way {
    Page,
    Server,
    Several,
    Google,
}

impl Way {
    const fn words(self) -> &'static str {
        match self {
            Self::Page => "with the page key",
            Self::Server => "with the secret",
            Self::Several => "an ADF document with several prospects, all or one of which",
            Self::Google => "from Google Ads",
        }
    }

    /// Status and body of an answer.
    fn told(self, cloud: &Cloud, key: &PageKey, kind: AnswerKind) -> (u16, serde_json::Value) {
        let arrival = Arrival {
            trusted: !matches!(self, Self::Page),
            ..Arrival::by(key.clone(), jiff::Timestamp::UNIX_EPOCH)
        };
        let answer = example(kind);
        match self {
            Self::Page => {
                let (status, mut body) = answer.render(cloud, &arrival, None);
                // What was kept brings a token of the browser; one that anybody could copy is none.
                if kind != AnswerKind::Spilled
                    && let Some(members) = body.as_object_mut()
                {
                    members.insert("visitor".to_owned(), json!("…"));
                }
                (status, body)
            }
            Self::Server => answer.render(cloud, &arrival, None),
            Self::Several => {
                let first = Answered::fresh(example(AnswerKind::Received));
                answer::told_of_several(cloud, &[(&arrival, first), (&arrival, Answered::fresh(answer))])
            }
            Self::Google => google::told(&answer),
        }
    }
}

/// One of each answer.
fn example(kind: AnswerKind) -> Answer {
    let (lead, since) = (LeadId::from_bytes([1; 16]), jiff::Timestamp::UNIX_EPOCH);
    match kind {
        AnswerKind::Received => Answer::Received { lead },
        AnswerKind::Repeat => Answer::Repeat { lead, since },
        AnswerKind::Quarantined => Answer::Quarantined { reasons: vec![Reason::DisposableEmail.as_str()] },
        AnswerKind::Test => {
            Answer::Test { would_go_to: Vec::new(), waiting: Some("manual".to_owned()), reasons: Vec::new() }
        }
        AnswerKind::Spilled => Answer::Spilled,
        AnswerKind::Refused => {
            let code = Code::UnreachablePerson;
            Answer::Refused(given(code, when(code).unwrap_or_default()))
        }
    }
}

const fn what(kind: AnswerKind) -> &'static str {
    match kind {
        AnswerKind::Received => "a new lead",
        AnswerKind::Repeat => "somebody known asks again",
        AnswerKind::Quarantined => "a person is to look at it first",
        AnswerKind::Test => "a test lead",
        AnswerKind::Spilled => "the table is away, it is kept and comes in later",
        AnswerKind::Refused => "refused, with the status of one of the errors below",
    }
}

/// Every answer there is to what this source may send, as it is rendered.
fn answers(cloud: &Cloud, key: &PageKey, kind: SourceKind) -> Vec<Told> {
    let mut answers = of_way(cloud, key, Way::Page);
    answers.extend(again_and_form());
    answers.extend(of_way(cloud, key, Way::Server));
    answers.extend(of_way(cloud, key, Way::Several));
    match kind {
        SourceKind::Google => answers.extend(of_way(cloud, key, Way::Google)),
        SourceKind::Meta => answers.extend(of_meta()),
        SourceKind::Form | SourceKind::Adf | SourceKind::File => {}
    }
    answers
}

/// What is told in one way; of what looks the same, once.
fn of_way(cloud: &Cloud, key: &PageKey, way: Way) -> Vec<Told> {
    let mut each: Vec<(u16, serde_json::Value, Vec<&str>)> = Vec::new();
    for kind in AnswerKind::ALL {
        let as_any_error = matches!((way, kind), (Way::Page | Way::Server, AnswerKind::Refused));
        if as_any_error {
            continue;
        }
        let (status, body) = way.told(cloud, key, *kind);
        let alike = each.iter_mut().find(|(known, like, _)| *known == status && looks_like(like, &body));
        match alike {
            Some((_, _, said)) => said.push(what(*kind)),
            None => each.push((status, body, vec![what(*kind)])),
        }
    }
    let told = |(status, body, said): (u16, serde_json::Value, Vec<&str>)| Told {
        status,
        when: format!("{}: {}", way.words(), said.join("; ")),
        body: pretty(&body),
    };
    each.into_iter().map(told).collect()
}

/// The same members, and the same word for what became of it.
fn looks_like(one: &serde_json::Value, other: &serde_json::Value) -> bool {
    let names = |body: &serde_json::Value| {
        body.as_object().map(|members| members.keys().cloned().collect::<Vec<_>>())
    };
    names(one) == names(other) && one.get("status") == other.get("status")
}

/// What a plain form is led to, and what comes of an `Idempotency-Key`.
fn again_and_form() -> [Told; 2] {
    let form = "a plain HTML form (Accept: text/html), received or not: the browser goes on to the source's thank-you \
                or error page; where there is none, a page that says so, with the status that a program is told";
    let again =
        "the same again under its Idempotency-Key: the first answer, with its status, and this header";
    [
        Told { status: 303, when: form.to_owned(), body: "Location: …".to_owned() },
        Told { status: 201, when: again.to_owned(), body: "Idempotent-Replay: true".to_owned() },
    ]
}

/// Meta is answered before its leads are fetched: whatever becomes of them.
fn of_meta() -> [Told; 2] {
    let told = |when: &str, body: &str| Told {
        status: meta::KEPT.as_u16(),
        when: when.to_owned(),
        body: body.to_owned(),
    };
    [
        told("to Meta's subscription, with this source's verify token: its hub.challenge, as text", "…"),
        told("to Meta's notice of leads, which are fetched next: nothing but the status", ""),
    ]
}

/// When intake answers with a code; `None` where it never does to a sender of leads.
const fn when(code: Code) -> Option<&'static str> {
    Some(match code {
        Code::BodyTooLarge => "The body is larger than is taken.",
        Code::UnsupportedMediaType => "The content type is none of those above; it is kept all the same.",
        Code::MalformedBody => "The body cannot be read; it is kept all the same, and a person may look.",
        Code::InvalidField => "The Idempotency-Key is empty or too long.",
        Code::UnreachablePerson => {
            "Neither an e-mail address nor a phone number can be understood; it is kept all the same."
        }
        Code::Unauthorized => {
            "The key in the path or the secret is unknown, damaged, or replaced by a newer one."
        }
        Code::SourceClosed => "The source's last day is over.",
        Code::CapReached => "As many leads as agreed came this hour or day; `until` says when to go on.",
        Code::OriginRefused => "The page that posts is none of this source's.",
        Code::IdempotencyMismatch => "The same Idempotency-Key came with another body.",
        Code::MethodNotAllowed => "Leads are posted.",
        Code::NotFound => "The path is none of these.",
        Code::Forbidden => "Meta's verify token is not this source's.",
        Code::Unavailable => "Nothing could keep it: send it again after the time in Retry-After.",
        Code::Internal => "A fault of ours: send it again later.",
        Code::StateConflict => "Its person was erased while it was on its way; nothing of it is kept.",
        Code::VersionConflict | Code::RulebookRefused => return None,
    })
}

/// A problem with the members that intake gives it; its text says when it comes.
fn given(code: Code, when: &str) -> Problem {
    let problem = Problem::new(code, when);
    let of_enquiry = |problem: Problem| problem.with("enquiry", EnquiryId::from_bytes([0; 16]).to_string());
    match code {
        Code::UnsupportedMediaType | Code::MalformedBody => of_enquiry(problem),
        Code::UnreachablePerson => of_enquiry(problem.fields(not_understood())),
        Code::CapReached => problem.with("until", jiff::Timestamp::UNIX_EPOCH.to_string()).retry_after(3_600),
        Code::StateConflict => {
            let detail = WAS_ERASED.to_owned();
            problem.fields(vec![FieldError { pointer: "/received_at".to_owned(), detail }])
        }
        Code::Unavailable => problem.retry_after(5),
        Code::BodyTooLarge
        | Code::InvalidField
        | Code::Unauthorized
        | Code::Forbidden
        | Code::NotFound
        | Code::SourceClosed
        | Code::OriginRefused
        | Code::IdempotencyMismatch
        | Code::VersionConflict
        | Code::RulebookRefused
        | Code::MethodNotAllowed
        | Code::Internal => problem,
    }
}

/// What is said of an address that is none, as it is read.
fn not_understood() -> Vec<FieldError> {
    let enquiry = Enquiry {
        fields: Fields::from_json(br#"{"email":"ada.hill"}"#).unwrap_or_default(),
        received_at: jiff::Timestamp::UNIX_EPOCH,
        global_privacy_control: false,
        ip: None,
    };
    enquiry.understand(&FieldMap::default()).notes
}

/// Every error, with the members that it is given with.
fn errors() -> Vec<Told> {
    let told = |code: &Code| {
        let when = when(*code)?;
        let problem = given(*code, when);
        let again = if code.retryable() { ": it may be sent again unchanged, later" } else { "" };
        let wait =
            if problem.retry_after_s().is_some() { ", in as many seconds as Retry-After says" } else { "" };
        let when = format!("{}{again}{wait}", code.slug());
        Some(Told { status: code.status(), when, body: pretty(&problem.json()) })
    };
    Code::ALL.iter().filter_map(told).collect()
}

fn pretty(json: &serde_json::Value) -> String {
    serde_json::to_string_pretty(json).unwrap_or_default()
}
