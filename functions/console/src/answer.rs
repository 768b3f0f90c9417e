//! The links of a letter: a dealer without a program accepts or declines by a click.
//!
//! Determinations:
//!
//! - *`GET` changes nothing*: programs that look for viruses follow every link of a mail. It shows a page, and only its
//!   button, a `POST`, answers. It needs no script.
//! - *The link is the proof*: it names one assignment and one answer, is signed, and ends by itself. Whoever has the
//!   letter has the link, and the letter is the dealer's. No person stands in it.
//! - *What was answered is shown by where it stands*: a second click, a link opened later, and the other link of the
//!   same letter all show what became of the lead. Who accepted sees the person by the same link.
//! - *It answers as the dealer's inbox does*, by the same rules and with the same refusals.

use askama::Template as _;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use jiff::Timestamp;
use leadyard_domain::access::AnswerLink;
use leadyard_domain::assignment::{Assignment, DeliveryState};
use leadyard_domain::distribution::Core;
use leadyard_domain::error::Code;
use leadyard_domain::lead::{Answer, AssignmentState};
use leadyard_domain::person::without_contact;
use leadyard_domain::place;
use leadyard_domain::time;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{Path, Problem};
use leadyard_platform::judging::{self, Sold};

use crate::inbox::{self, Seat};
use crate::leads;

/// `GET /answer/{token}`: where the lead stands, and a button if there is something to answer.
pub(crate) async fn page(State(cloud): State<Cloud>, Path(token): Path<String>) -> Response {
    match read(&cloud, &token) {
        Some(link) => shown(&cloud, &link, StatusCode::OK).await,
        None => incomplete(),
    }
}

/// `POST /answer/{token}`: answers, and shows what became of it.
pub(crate) async fn answer(State(cloud): State<Cloud>, Path(token): Path<String>) -> Response {
    let Some(link) = read(&cloud, &token) else { return incomplete() };
    if is_over(&link, cloud.clock.now()) {
        return shown(&cloud, &link, StatusCode::GONE).await;
    }
    let seat = Seat::Linked { lead: link.lead, cycle: link.cycle, assignment: link.assignment };
    match inbox::give(&cloud, &seat, link.answer, None).await {
        // A page that is asked for, so that going back or loading it again answers nothing.
        Ok(_) => headed(Redirect::to(&format!("/answer/{token}")).into_response()),
        Err(problem) if problem.code() == Code::StateConflict => refused(&cloud, &link, &problem).await,
        Err(problem) => troubled(&problem),
    }
}

fn read(cloud: &Cloud, token: &str) -> Option<AnswerLink> {
    let link = cloud.master.verify::<AnswerLink>(token);
    link.filter(|link| matches!(link.answer, Answer::Accept | Answer::Decline))
}

fn incomplete() -> Response {
    Page::plain("This link is not complete", "Please open it from the mail again, or copy all of it.")
        .with(StatusCode::NOT_FOUND)
}

fn is_over(link: &AnswerLink, now: Timestamp) -> bool {
    now.as_second() >= link.until_s
}

/// The page, as the lead stands.
async fn shown(cloud: &Cloud, link: &AnswerLink, status: StatusCode) -> Response {
    match of(cloud, link).await {
        Ok(page) => page.with(status),
        Err(problem) => troubled(&problem),
    }
}

/// The same with why it was not done.
async fn refused(cloud: &Cloud, link: &AnswerLink, problem: &Problem) -> Response {
    match of(cloud, link).await {
        Ok(page) => {
            let why = problem.faults().into_iter().map(|fault| fault.detail).collect::<Vec<_>>().join("; ");
            Page { detail: format!("This was not done: {why}."), button: None, ..page }
                .with(StatusCode::CONFLICT)
        }
        Err(problem) => troubled(&problem),
    }
}

fn troubled(problem: &Problem) -> Response {
    let status = StatusCode::from_u16(problem.code().status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Page::plain("That did not work", "Nothing was changed. Please try again in a moment.").with(status)
}

async fn of(cloud: &Cloud, link: &AnswerLink) -> Result<Page, Problem> {
    let now = cloud.clock.now();
    let stands = cloud.store.assignment_get(link.lead, link.cycle, link.assignment).await?;
    let Some(stands) = stands.filter(|stands| !stands.shadow) else {
        return Ok(Page::plain("This lead is not here any more", "There is nothing to answer."));
    };
    let (title, detail) = where_it_stands(&stands, link, now);
    let core = cloud.rulebooks.current(&cloud.store, &stands.company).await?;
    let mut page = Page::plain(title, detail);
    page.company = core.as_ref().map(|core| core.company.name.clone()).unwrap_or_default();
    // What is on its way to it and may yet go to somebody else is not shown.
    if stands.state.holds() && has_it(&stands) && !stands.lapses(now) && !is_over(link, now) {
        (page.lines, page.silent) = lines(cloud, core.as_deref(), &stands, now).await?;
    }
    page.button = button(&stands, link, now);
    Ok(page)
}

/// Whether the dealer has it, or may: delivery has not ended without it.
const fn has_it(stands: &Assignment) -> bool {
    matches!(stands.delivery, DeliveryState::Pending | DeliveryState::Received)
}

/// What the page says above all, and what beside it.
fn where_it_stands(stands: &Assignment, link: &AnswerLink, now: Timestamp) -> (&'static str, &'static str) {
    match stands.state {
        AssignmentState::Offered if stands.lapses(now) => {
            ("This lead has gone on", "The time to accept it is over. You are not charged.")
        }
        AssignmentState::Offered if !has_it(stands) => (
            "This lead has gone on",
            "It could not be delivered to you, and goes to another dealer. You are not charged.",
        ),
        AssignmentState::Offered if is_over(link, now) => {
            ("This link is too old", "Please answer in your inbox, or ask whoever sends you leads.")
        }
        AssignmentState::Offered => match link.answer {
            Answer::Decline => {
                ("Decline this lead?", "It then goes to another dealer, and you are not charged for it.")
            }
            Answer::Accept | Answer::Contacted | Answer::Won | Answer::Lost => {
                ("Accept this lead?", "It is yours once you have accepted it.")
            }
        },
        AssignmentState::Accepted | AssignmentState::Contacted if is_over(link, now) => {
            ("This lead is yours", "The link is too old to show it: please look into your inbox.")
        }
        AssignmentState::Accepted | AssignmentState::Contacted => {
            ("This lead is yours", "You have accepted it. Please get in touch soon.")
        }
        AssignmentState::Won => ("This lead is yours", "You have reported it as won."),
        AssignmentState::Lost => ("This lead is closed", "You have reported it as lost."),
        AssignmentState::Declined => {
            ("You declined this lead", "It goes to another dealer, and you are not charged for it.")
        }
        AssignmentState::Lapsed => {
            ("This lead has gone on", "It was not accepted in time. You are not charged.")
        }
        AssignmentState::Withdrawn => {
            ("This lead was withdrawn", "It is no longer yours, and you are not charged for it.")
        }
        AssignmentState::Returned => ("You returned this lead", "It is no longer yours."),
    }
}

fn button(stands: &Assignment, link: &AnswerLink, now: Timestamp) -> Option<Button> {
    let asks = stands.state == AssignmentState::Offered && has_it(stands);
    if !asks || stands.lapses(now) || is_over(link, now) {
        return None;
    }
    let refuses = link.answer == Answer::Decline;
    Some(Button { says: if refuses { "Decline the lead" } else { "Accept the lead" }, refuses })
}

/// What the dealer may see of the lead; of a masked one no more than its inbox shows, and the request without contact.
/// And why nobody may call them now, where there is a number to call.
async fn lines(
    cloud: &Cloud,
    core: Option<&Core>,
    stands: &Assignment,
    now: Timestamp,
) -> Result<(Vec<Line>, String), Problem> {
    let Some((lead, person)) = inbox::person(cloud, stands).await? else {
        return Ok((Vec::new(), String::new()));
    };
    let Sold { lead, understood, is_known } = judging::sold(cloud, core, &lead, stands).await?;
    let request = understood.and_then(|opening| opening.message);
    let offer = core.and_then(|core| core.offer(&lead.offer)).map(|offer| offer.name.clone());
    let zone = core.and_then(|core| time::zone(&core.company.zone).ok()).unwrap_or(jiff::tz::TimeZone::UTC);
    let told = |at: Timestamp| at.to_zoned(zone.clone()).strftime("%a, %b %-d, %Y, %-I:%M %p %Z").to_string();
    let masked = stands.masked();
    let text = |parts: [Option<&str>; 2], between: &str| {
        parts.into_iter().flatten().collect::<Vec<_>>().join(between)
    };
    let zip = person.zip.map(|zip| zip.to_string());
    let region = text([person.state.map(place::State::as_str), zip.as_deref()], " ");
    let town =
        text([person.city.as_deref(), Some(region.as_str()).filter(|region| !region.is_empty())], ", ");
    let address = text([person.street.as_deref(), Some(town.as_str()).filter(|town| !town.is_empty())], ", ");
    let request = request.map(|text| if masked { without_contact(&text).into_owned() } else { text });
    let offer = offer.unwrap_or_else(|| lead.offer.to_string());
    let mut lines = vec![Line::plain("Offer", if is_known { offer } else { String::new() })];
    lines.push(Line::plain("Name", text([person.first_name.as_deref(), person.last_name.as_deref()], " ")));
    if let Some(phone) = &person.phone {
        lines.push(Line { label: "Phone", value: phone.clone(), link: format!("tel:{phone}") });
    }
    if let Some(email) = &person.email {
        lines.push(Line { label: "E-mail", value: email.clone(), link: format!("mailto:{email}") });
    }
    lines.push(Line::plain("Address", address));
    lines.push(Line::plain("Request", request.unwrap_or_default()));
    lines.push(Line::plain("Asked", if is_known { told(lead.opened_at) } else { String::new() }));
    if let Some(by) = stands.accept_by.filter(|_| masked) {
        lines.push(Line::plain("Accept by", told(by.at)));
    }
    let currency = core.map(|core| format!(" {}", core.company.currency)).unwrap_or_default();
    lines.push(Line::plain("Price", format!("{}{currency}", stands.price)));
    lines.push(Line::plain("Lead", lead.id.to_string()));
    lines.retain(|line| !line.value.is_empty());
    let silent = if person.phone.is_some() && !lead.is_erased() {
        let opted_out = cloud.on_lists(&lead).await?.suppressed;
        let may = leads::may_call(&lead, leads::call_hours(core), now);
        leads::not_to_be_called(opted_out, may, told)
    } else {
        String::new()
    };
    Ok((lines, silent))
}

#[derive(askama::Template)]
#[template(path = "answer.html")]
struct Page {
    title: &'static str,
    detail: String,
    /// Whose lead it is; empty, where nobody knows.
    company: String,
    lines: Vec<Line>,
    /// Why nobody may call them now.
    silent: String,
    button: Option<Button>,
}

struct Line {
    label: &'static str,
    value: String,
    link: String,
}

struct Button {
    says: &'static str,
    refuses: bool,
}

impl Line {
    const fn plain(label: &'static str, value: String) -> Self {
        Self { label, value, link: String::new() }
    }
}

impl Page {
    fn plain(title: &'static str, detail: &str) -> Self {
        let detail = detail.to_owned();
        Self { title, detail, company: String::new(), lines: Vec::new(), silent: String::new(), button: None }
    }

    fn with(&self, status: StatusCode) -> Response {
        match self.render() {
            Ok(html) => headed((status, Html(html)).into_response()),
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "a page could not be made");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }
}

/// Kept nowhere, told nobody, shown in no frame.
fn headed(mut response: Response) -> Response {
    const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(HeaderName::from_static("x-robots-tag"), HeaderValue::from_static("noindex"));
    response
}
