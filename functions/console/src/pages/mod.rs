//! The console's pages: server-rendered, plain forms; nothing of them needs a script. One small script stands beside the
//! style sheet, for comfort: see `assets/console.js`.
//!
//! | module | holds |
//! |---|---|
//! | [`signed`] | signing in and out; whose session a request is of |
//! | [`provider`] | signing in by an OpenID provider |
//! | [`again`] | what was typed when a sign-in was over |
//! | [`lost`] | where no page answers: said as a page to people, as a problem to programs |
//! | [`today`] | the leads that matter now, across one's companies |
//! | [`list`] | any lead, by what is known of it; lists in their order |
//! | [`many`] | one act on many of a list, after a look |
//! | [`whole`] | the same on all of a list, looked at, shown and done step by step |
//! | [`export`] | a list as a table, written as it is read; single leads of it, after a look |
//! | [`lead`] | one lead: who, the score that adds up, why it went where it did, what can be done |
//! | [`score`], [`line`], [`seats`] | its score and next step; what happened to it; its deliveries, charges and credits |
//! | [`decision`] | one decision with everybody's part in it |
//! | [`quarantine`] | what waits for a verdict; many at once, after a look; how often each reason was right |
//! | [`enquiry`] | one of them: read, put right, release or reject, and the next |
//! | [`waiting`] | who waits and why; place as recommended, after a look |
//! | [`follow_up`] | who is to be called; claim, call, and the next |
//! | [`returns`] | what dealers ask to give back: approve or deny |
//! | [`dealers`] | the dealers: how each can be given leads now, and fares |
//! | [`dealer`] | one: contracts, channels, last leads; pause and resume, test, redeliver |
//! | [`standing`] | what keeps leads from a dealer and how it fared, in words |
//! | [`served`] | how many dealers serve each state, as a map and the table behind it |
//! | [`row`] | a row of the rulebook, a contract, a dealer or an area: put right, looked at, published |
//! | [`backtest`] | what changed rules would have done with the last decisions |
//! | [`inbox`] | the dealer's own: its leads, what it says of them, its figures and statement |
//! | [`account`] | its statement, and why it got nothing on a day |
//! | [`rulebook`] | versions, compared, sent, rolled back; the switches and who did what |
//! | [`people`], [`invited`] | who may come in: people, who of them and of the dealers was invited; tokens for programs |
//! | [`reports`] | what the counters say, for any period: a chart or a map, and the table behind it |
//! | [`period`], [`figure`], [`chart`], [`states`] | its periods with names, its numbers as people write them, its bars, its map |
//! | [`shown`] | how times, scores and people are written |
//!
//! Determinations. *Every page is of a session and of no token*: a link that is copied lets nobody in. *What a page
//! changes goes through the same acts as the API*, and comes back to a page that is asked for, so that going back or
//! loading again does nothing twice. *A page shows what the API would*, and less: who somebody is only when it is
//! asked for, which is recorded. *The script keeps nothing and asks nothing*: it sends no request of its own but for a page
//! that is loaded anew, and the policy of the pages lets none stand in them.

mod signed;
mod provider;
mod again;
pub(crate) mod lost;
mod today;
mod list;
mod many;
mod whole;
mod export;
mod lead;
mod score;
mod line;
mod seats;
mod decision;
mod quarantine;
mod enquiry;
mod waiting;
mod follow_up;
mod returns;
mod dealers;
mod standing;
mod dealer;
mod served;
mod row;
mod backtest;
mod account;
mod rulebook;
mod inbox;
mod people;
mod invited;
mod reports;
mod period;
mod figure;
mod chart;
mod states;
mod shown;

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::LazyLock;

use axum::Router;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use leadyard_domain::access::Role;
use leadyard_domain::error::Code;
use leadyard_domain::ids::CompanyId;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{Path, Problem};

use signed::InSession;

/// What stands beside the pages, under a name of its content, so that a browser keeps it for good.
struct Asset {
    at: String,
    kind: &'static str,
    text: &'static str,
}

const ASSETS: &str = "/console/assets/";

static SHEET: LazyLock<Asset> =
    LazyLock::new(|| Asset::of("css", "text/css; charset=utf-8", include_str!("../../assets/console.css")));
static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    Asset::of("js", "text/javascript; charset=utf-8", include_str!("../../assets/console.js"))
});
/// What a browser shows beside the title.
static ICON: LazyLock<Asset> =
    LazyLock::new(|| Asset::of("svg", "image/svg+xml", include_str!("../../assets/icon.svg")));

impl Asset {
    fn of(end: &str, kind: &'static str, text: &'static str) -> Self {
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        Self { at: format!("{ASSETS}{:016x}.{end}", hasher.finish()), kind, text }
    }
}

pub(crate) fn router(cloud: &Cloud) -> Router<Cloud> {
    Router::new()
        .route("/console", get(|| async { Redirect::to("/console/today") }))
        .route("/console/", get(|| async { Redirect::to("/console/today") }))
        .route("/console/assets/{name}", get(asset))
        .route("/console/sign-in", get(signed::page).post(signed::sign_in))
        .route("/console/sign-in/provider", get(provider::go))
        .route("/console/sign-in/back", get(provider::back))
        .route("/console/sign-out", post(signed::sign_out))
        .route("/console/today", get(today::page))
        .route("/console/leads", get(list::page).post(list::by_person))
        .route("/console/leads/many", post(many::act))
        .route("/console/leads/many/{company}/{look}", get(whole::page).post(whole::sure))
        .route("/console/leads/export", get(export::page).post(export::csv))
        .route("/console/leads/{lead}", get(lead::page))
        .route("/console/leads/{lead}/decisions/{decision}", get(decision::page))
        .route("/console/leads/{lead}/{act}", post(lead::act))
        .route("/console/quarantine", get(quarantine::page))
        .route("/console/quarantine/reasons", get(quarantine::reasons))
        .route("/console/quarantine/many", post(quarantine::many))
        .route("/console/quarantine/{enquiry}", get(enquiry::page))
        .route("/console/quarantine/{enquiry}/next", get(enquiry::next))
        .route("/console/quarantine/{enquiry}/{act}", post(enquiry::act))
        .route("/console/waiting", get(waiting::page))
        .route("/console/waiting/place", post(waiting::place))
        .route("/console/follow-up", get(follow_up::page))
        .route("/console/follow-up/next", post(follow_up::next))
        .route("/console/follow-up/{lead}", get(follow_up::one))
        .route("/console/follow-up/{lead}/{act}", post(follow_up::act))
        .route("/console/returns", get(returns::page))
        .route("/console/returns/{company}/{id}", get(returns::one))
        .route("/console/returns/{company}/{id}/{verdict}", post(returns::decide))
        .route("/console/dealers", get(dealers::page).post(dealers::find))
        .route("/console/dealers/{company}/{dealer}", get(dealer::page))
        .route("/console/dealers/{company}/{dealer}/contracts/{contract}", get(row::contract))
        .route("/console/dealers/{company}/{dealer}/contracts/{contract}/edit", post(row::edit_contract))
        .route("/console/dealers/{company}/{dealer}/row", get(row::dealer))
        .route("/console/dealers/{company}/{dealer}/row/edit", post(row::edit_dealer))
        .route("/console/dealers/{company}/{dealer}/why", get(account::why))
        .route("/console/dealers/{company}/{dealer}/statement", get(account::statement))
        .route("/console/dealers/{company}/{dealer}/statement.csv", get(account::statement_csv))
        .route("/console/dealers/{company}/{dealer}/{act}", post(dealer::act))
        .route("/console/rulebook", get(rulebook::page))
        .route("/console/rulebook/diff", get(rulebook::compared))
        .route("/console/rulebook/changes", get(rulebook::changes))
        .route("/console/rulebook/send", post(rulebook::send))
        .route("/console/rulebook/publish", post(rulebook::publish))
        .route("/console/rulebook/switch", post(rulebook::flip))
        .route("/console/rulebook/{company}/{version}", get(rulebook::one))
        .route("/console/rulebook/{company}/areas/{area}", get(row::area))
        .route("/console/rulebook/{company}/areas/{area}/edit", post(row::edit_area))
        .route("/console/rulebook/{company}/{version}/files.zip", get(rulebook::files_zip))
        .route("/console/rulebook/{company}/{version}/tables.xlsx", get(rulebook::tables_xlsx))
        .route(
            "/console/rulebook/{company}/{version}/rollback",
            get(rulebook::look_back).post(rulebook::roll_back),
        )
        .route("/console/inbox", get(inbox::open))
        .route("/console/inbox/closed", get(inbox::closed))
        .route("/console/inbox/figures", get(inbox::figures_page))
        .route("/console/inbox/statement.csv", get(inbox::csv))
        .route("/console/inbox/{assignment}", get(inbox::seat_page))
        .route("/console/inbox/{assignment}/{act}", post(inbox::act))
        .route("/console/reports", get(reports::all))
        .route("/console/reports/{name}", get(reports::page))
        .route("/console/reports/{name}/table.csv", get(reports::csv))
        .route("/console/people", get(people::page))
        .route("/console/people/{act}", post(people::act))
        .route(again::AT, post(again::look))
        .layer(from_fn_with_state(cloud.clone(), again::keep))
}

async fn asset(Path(name): Path<String>) -> Response {
    let is_named = |one: &&Asset| one.at.strip_prefix(ASSETS) == Some(name.as_str());
    let Some(asset) = [&*SHEET, &*SCRIPT, &*ICON].into_iter().find(is_named) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, asset.kind),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, asset.text).into_response()
}

/// What stands around every page.
struct Frame {
    css: &'static str,
    js: &'static str,
    icon: &'static str,
    title: String,
    /// Which of the sections it is: `today`, `leads`, `quarantine` …; none, where it is none of them.
    section: &'static str,
    /// Who is signed in, and what signing out carries; nobody, where nobody is.
    who: Option<(String, String)>,
    /// The same for the forms of the page; nobody, where they may not send them.
    staff: Option<(String, String)>,
    /// Whether they work at the desk of any company.
    works: bool,
    /// Whether they answer for any company.
    manages: bool,
    /// Where they begin.
    home: &'static str,
}

impl Frame {
    fn of(title: impl Into<String>, section: &'static str, signed: &dyn InSession) -> Self {
        let who = Some((signed.name().to_owned(), signed.csrf().to_owned()));
        let (works, manages) = (signed.may(Role::Desk), signed.may(Role::Manager));
        let (css, js, icon) = (SHEET.at.as_str(), SCRIPT.at.as_str(), ICON.at.as_str());
        let (title, home) = (title.into(), signed.home());
        Self { css, js, icon, title, section, staff: who.clone(), who, works, manages, home }
    }

    /// The sections are a dealer's.
    fn is_dealer_s(&self) -> bool {
        self.home == signed::INBOX
    }

    /// The same of a page whose forms are for who has this role in a company: others see none of them.
    fn forms_for(self, role: Role, signed: &signed::Signed, company: &CompanyId) -> Self {
        let staff = self.staff.filter(|_| signed.desk.may(company, role));
        Self { staff, ..self }
    }

    fn of_nobody(title: impl Into<String>) -> Self {
        Self {
            css: SHEET.at.as_str(),
            js: SCRIPT.at.as_str(),
            icon: ICON.at.as_str(),
            title: title.into(),
            section: "",
            who: None,
            staff: None,
            works: false,
            manages: false,
            home: signed::TODAY,
        }
    }
}

/// An address with what it asks for; what is empty is left out. No person ever stands in it.
fn address(path: &str, asked: &[(&str, &str)]) -> String {
    let mut to = form_urlencoded::Serializer::new(String::new());
    for (name, value) in asked.iter().filter(|(_, value)| !value.is_empty()) {
        to.append_pair(name, value);
    }
    let asked = to.finish();
    if asked.is_empty() { path.to_owned() } else { format!("{path}?{asked}") }
}

/// A page that only says something.
#[derive(askama::Template)]
#[template(path = "said.html")]
struct Said {
    frame: Frame,
    detail: String,
    /// The page that it is about and that is there; empty, where it is about none.
    stands_on: String,
}

/// A problem as a page.
fn troubled(signed: &dyn InSession, problem: &Problem) -> Response {
    let frame = Frame::of(title_of(problem.code()), "", signed);
    let status = StatusCode::from_u16(problem.code().status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    rendered(&Said { frame, detail: problem.detail().to_owned(), stands_on: String::new() }, status)
}

/// What a page is called that can only say what was wrong.
const fn title_of(code: Code) -> &'static str {
    match code {
        Code::NotFound => "There is nothing here",
        Code::Unavailable => "Not just now",
        Code::Forbidden => "This is not yours to do",
        Code::StateConflict => "As it stands, this cannot be done",
        Code::VersionConflict => "It was changed meanwhile",
        Code::BodyTooLarge
        | Code::UnsupportedMediaType
        | Code::MalformedBody
        | Code::InvalidField
        | Code::UnreachablePerson
        | Code::Unauthorized
        | Code::SourceClosed
        | Code::CapReached
        | Code::OriginRefused
        | Code::IdempotencyMismatch
        | Code::RulebookRefused
        | Code::MethodNotAllowed
        | Code::Internal => "That did not work",
    }
}

/// A table as a file of this name, kept nowhere else.
fn download(mut table: Response, name: &str) -> Response {
    // A name is of ids, dates and words alone: what else stands in it could end the header's value.
    let plain = |letter: char| letter.is_ascii_alphanumeric() || ['-', '_', '.'].contains(&letter);
    let name: String = name.chars().map(|letter| if plain(letter) { letter } else { '-' }).collect();
    let headers = table.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(value) = HeaderValue::try_from(format!("attachment; filename=\"{name}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    table
}

/// Kept nowhere, told nobody, shown in no frame; a sheet and a script of our own and nothing else, and neither in the page.
fn rendered(page: &impl askama::Template, status: StatusCode) -> Response {
    const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; \
        base-uri 'none'; frame-ancestors 'none'";
    let mut response = match page.render() {
        Ok(html) => (status, Html(html)).into_response(),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "a page could not be made");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(HeaderName::from_static("x-robots-tag"), HeaderValue::from_static("noindex"));
    response
}
