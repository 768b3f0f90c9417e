//! One lead: who, the score as bars that add up, what they did and what was done on one time line, why it went where it
//! did, and what can be done with it now.
//!
//! Who somebody is, is masked until it is asked for, and that is recorded with the lead: who looked, and when.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use jiff::Timestamp;
use leadyard_domain::calling::{self, MayCall};
use leadyard_domain::distribution::Core;
use leadyard_domain::followup::{FollowUp, Followed, followed};
use leadyard_domain::lead::Lead;
use leadyard_domain::scoring::{Part, Score};
use leadyard_domain::time;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{Path, Problem, Query};
use leadyard_platform::judging;
use leadyard_platform::store::{Act, DecisionRecord, StoredEnquiry};
use leadyard_platform::who;
use serde::Deserialize;
use serde_json::json;

use super::shown::{self, Contact, instant};
use super::signed::{self, Form, Signed};
use super::{Frame, rendered, troubled};
use crate::acts::{self, Asked};
use crate::leads::{self, Whole};
use crate::why;

#[derive(askama::Template)]
#[template(path = "lead.html")]
struct Page {
    frame: Frame,
    lead: String,
    name: String,
    place: String,
    /// Of the score: its points, band, priority and next step.
    score: String,
    band: String,
    priority: String,
    next_step: String,
    bars: Vec<Bar>,
    stage: String,
    /// What the stage means here: who has it, what it waits for and until when.
    stands: String,
    facts: Vec<(&'static str, String)>,
    /// Who they are, or what is shown of it.
    contact: Vec<Contact>,
    /// Where it would go now.
    says: Vec<String>,
    recommended: Vec<String>,
    line: Vec<Event>,
    can: Can,
    done: String,
    trouble: String,
}

/// What can be done with it now.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a form that the page shows or not")]
struct Can {
    place: bool,
    take_back: bool,
    hold: bool,
    resume: bool,
    reject: bool,
    reopen: bool,
    follow_up: bool,
    show: bool,
}

/// A line of the score: so many of a hundred.
struct Bar {
    label: String,
    points: String,
    percent: u64,
}

/// Something that happened.
pub(super) struct Event {
    at: Timestamp,
    pub(super) when: String,
    pub(super) what: String,
    pub(super) detail: String,
    /// `enquiry`, `decision`, `seat`, `desk`, `did`.
    pub(super) kind: &'static str,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Shown {
    done: Option<String>,
}

/// `GET /console/leads/{lead}?done`.
pub(super) async fn page(
    State(cloud): State<Cloud>,
    signed: Signed,
    Path(lead): Path<String>,
    Query(Shown { done }): Query<Shown>,
) -> Response {
    match of(&cloud, &signed, &lead, false).await {
        Ok(mut page) => {
            page.done = said(done.as_deref().unwrap_or_default()).to_owned();
            rendered(&page, StatusCode::OK)
        }
        Err(problem) => troubled(&signed, &problem),
    }
}

/// What a page says of an act that was done.
fn said(act: &str) -> &'static str {
    match act {
        "place" => "Placed. Delivery is on its way.",
        "take_back" => "Taken back: the dealer is told first, then the lead moves on.",
        "hold" => "Held: nobody gets it until it is resumed.",
        "resume" => "Resumed: it goes to distribution.",
        "reject" => "Rejected.",
        "reopen" => "Open again.",
        "priority" => "The priority is changed.",
        "note" => "The note is kept.",
        "follow_up" => "It stands in the day’s list of calls.",
        _ => "",
    }
}

/// `POST /console/leads/{lead}/{act}`: an act of the desk, or `show` for who they are.
pub(super) async fn act(
    State(cloud): State<Cloud>,
    signed: Signed,
    Path((lead, act)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let form = match signed::form(&signed, &headers, body).await {
        Ok(form) => form,
        Err(problem) => return troubled(&signed, &problem),
    };
    if act == "show" {
        return match reveal(&cloud, &signed, &lead).await {
            Ok(page) => rendered(&page, StatusCode::OK),
            Err(problem) => troubled(&signed, &problem),
        };
    }
    let done = match asked(&form) {
        Ok(asked) => acts::done(&cloud, &signed.desk, &lead, &act, &asked).await,
        Err(problem) => Err(problem),
    };
    let Err(trouble) = done else {
        return Redirect::to(&format!("/console/leads/{lead}?done={act}")).into_response();
    };
    // The page as it stands now, with why it was not done.
    match of(&cloud, &signed, &lead, false).await {
        Ok(mut page) => {
            trouble.detail().clone_into(&mut page.trouble);
            let status = StatusCode::from_u16(trouble.code().status()).unwrap_or(StatusCode::CONFLICT);
            rendered(&page, status)
        }
        Err(problem) => troubled(&signed, &problem),
    }
}

/// What a form asks for, in the API's words; an empty field asks for nothing.
fn asked(form: &Form) -> Result<Asked, Problem> {
    let mut said = serde_json::Map::new();
    for name in ["contract", "priority", "text", "reason", "until", "assignment"] {
        if let Some(value) = form.get(name).map(|value| value.trim()).filter(|value| !value.is_empty()) {
            said.insert(name.to_owned(), json!(value));
        }
    }
    for name in ["override", "hold"] {
        if form.contains_key(name) {
            said.insert(name.to_owned(), json!(true));
        }
    }
    acts::asked(json!(said).to_string().as_bytes())
}

/// The page with who they are; that somebody looked is kept first.
async fn reveal(cloud: &Cloud, signed: &Signed, lead: &str) -> Result<Page, Problem> {
    for round in 0..crate::inbox::ROUNDS {
        if round > 0 {
            tokio::time::sleep(cloud.entropy.between_ms(5, 60)).await;
        }
        let whole = leads::of_desk(cloud, &signed.desk, lead).await?;
        let act = acts::record(cloud, &signed.desk, "show", None, &json!({}), &json!({}));
        if cloud.store.lead_act(&whole.story.lead, &act).await? {
            return of(cloud, signed, lead, true).await;
        }
    }
    Err(crate::inbox::crowded())
}

async fn of(cloud: &Cloud, signed: &Signed, lead: &str, shown: bool) -> Result<Page, Problem> {
    let whole = leads::of_desk(cloud, &signed.desk, lead).await?;
    let lead = &whole.story.lead;
    let core = who::rules_of(cloud, &lead.company).await?;
    let now = cloud.clock.now();
    let enquiries = cloud
        .store
        .enquiries_of(std::iter::once(lead).chain(whole.merged.iter().map(|one| &one.lead)))
        .await?;
    let opening = judging::opening(cloud, core.source(&lead.source), lead, None).await?;
    let judged = judging::judge_by(&core, lead, opening.as_ref(), whole.story.activity.clone(), now);
    let explained =
        if lead.wants_distribution() { Some(why::of_now(cloud, &whole.story).await?.0) } else { None };
    let erased = lead.is_erased();
    let in_nobodys = lead.stage.in_nobodys_hands();
    let can = Can {
        place: in_nobodys && !erased,
        take_back: !lead.holders.is_empty(),
        hold: in_nobodys && lead.hold.is_none() && !erased,
        resume: lead.hold.is_some() && !erased,
        reject: in_nobodys && lead.holders.is_empty() && !erased,
        reopen: lead.stage == leadyard_domain::lead::Stage::Rejected && !erased,
        follow_up: followed(lead) != Followed::No,
        show: !shown && !erased,
    };
    let score = &judged.score;
    Ok(Page {
        frame: Frame::of(shown::name(&lead.person), "leads", signed),
        lead: lead.id.to_string(),
        name: shown::name(&lead.person),
        place: shown::place(&lead.person),
        score: format!("{}.{}", score.exact.hundredths() / 100, score.exact.hundredths() / 10 % 10),
        band: score.band.to_string(),
        priority: lead.priority_set.unwrap_or(score.priority).to_string(),
        next_step: score.next_step.to_string(),
        bars: bars(score),
        stage: lead.stage.to_string(),
        stands: stands(&core, lead),
        facts: facts(&core, lead, whole.story.follow_up.as_ref().map(|kept| &kept.state), now),
        contact: Contact::of(&lead.person, shown),
        says: explained
            .as_ref()
            .map(|explained| why::says(explained).into_iter().map(str::to_owned).collect())
            .unwrap_or_default(),
        recommended: explained
            .as_ref()
            .map(|explained| why::seats(explained).iter().map(|seat| seat.contract.to_string()).collect())
            .unwrap_or_default(),
        line: line(&core, &whole, &enquiries, shown),
        can,
        done: String::new(),
        trouble: String::new(),
    })
}

/// The lines that sum to the score, the longest of them a hundred.
fn bars(score: &Score) -> Vec<Bar> {
    let lines = &score.explanation.lines;
    let most = lines.iter().map(|line| line.hundredths).max().unwrap_or(1).max(1);
    lines
        .iter()
        .map(|line| Bar {
            label: match &line.part {
                Part::Fit(letter) => format!("fit {letter}"),
                Part::Interactions { kind, counted } => {
                    format!("{} × {counted}", kind.as_str().replace('_', " "))
                }
            },
            points: format!("{}.{:02}", line.hundredths / 100, line.hundredths % 100),
            percent: line.hundredths * 100 / most,
        })
        .collect()
}

fn stands(core: &Core, lead: &Lead) -> String {
    let until = lead
        .due
        .filter(|_| lead.waiting.is_some())
        .map(|due| format!(", looked at again {}", instant(core, due)));
    match (lead.holders.as_slice(), &lead.hold, lead.waiting) {
        ([], Some(hold), _) => match hold.until {
            Some(until) => format!("held by the desk until {}", instant(core, until)),
            None => "held by the desk".to_owned(),
        },
        ([], None, Some(reason)) => format!("waits: {reason}{}", until.unwrap_or_default()),
        ([], None, None) => String::new(),
        (holders, ..) => {
            let dealers: Vec<&str> = holders.iter().map(|holder| holder.dealer.as_str()).collect();
            format!("with {}", dealers.join(", "))
        }
    }
}

fn facts(
    core: &Core,
    lead: &Lead,
    followed: Option<&FollowUp>,
    now: Timestamp,
) -> Vec<(&'static str, String)> {
    let offer = core.offer(&lead.offer).map_or_else(|| lead.offer.to_string(), |offer| offer.name.clone());
    let mut facts = vec![
        ("Company", core.company.name.clone()),
        ("Offer", offer),
        ("Source", lead.source.to_string()),
        ("Campaign", lead.campaign.clone().unwrap_or_default()),
        ("First asked", instant(core, lead.opened_at)),
        (
            "Asked last",
            format!("{} ({})", instant(core, lead.last_enquiry_at), shown::ago(lead.last_enquiry_at, now)),
        ),
        ("Sale cycle", lead.cycle.to_string()),
        ("May be called", may_be_called(core, lead, now)),
    ];
    // That of a cycle that is over says nothing of this one.
    if let Some(followed) = followed.filter(|followed| followed.cycle == lead.cycle) {
        facts.push(("Follow-up", super::follow_up::next_step(core, followed, now)));
        if followed.is_open() {
            facts.push(("Why", followed.reason.says().to_owned()));
        }
    }
    if lead.possible_duplicate {
        facts.push(("Look", "another lead may be the same person's".to_owned()));
    }
    facts.retain(|(_, value)| !value.is_empty());
    facts
}

fn may_be_called(core: &Core, lead: &Lead, now: Timestamp) -> String {
    let (zones, guessed) = calling::zones(lead.location());
    let zones: Vec<_> = zones.iter().filter_map(|zone| time::zone(zone).ok()).collect();
    let guess = if guessed { " (where they are is a guess)" } else { "" };
    match calling::may_call(&zones, core.company.call_hours, now) {
        MayCall::Until(until) => format!("now, until {}{guess}", instant(core, until)),
        MayCall::From(from) => format!("from {}{guess}", instant(core, from)),
        MayCall::Never => "at no hour".to_owned(),
    }
}

/// All that happened, the newest first.
pub(super) fn line(core: &Core, whole: &Whole, enquiries: &[StoredEnquiry], shown: bool) -> Vec<Event> {
    let mut line = Vec::new();
    let mut add = |at: Timestamp, kind: &'static str, what: String, detail: String| {
        line.push(Event { at, when: instant(core, at), what, detail, kind });
    };
    for enquiry in enquiries {
        let message = enquiry.fields.get("message").filter(|_| shown).unwrap_or_default();
        add(
            enquiry.received_at,
            "enquiry",
            format!("Enquiry by {}: {}", enquiry.source, enquiry.status),
            message.to_owned(),
        );
    }
    for record in whole.decisions() {
        add(record.at, "decision", decided(record), misses(record));
    }
    for seat in whole.assignments() {
        let price = seat.price.to_string();
        add(
            seat.offered_at,
            "seat",
            format!("Offered to {} ({}) for {price}", seat.dealer, seat.contract),
            String::new(),
        );
        if seat.state_at > seat.offered_at {
            add(seat.state_at, "seat", format!("{}: {}", seat.dealer, seat.state), String::new());
        }
    }
    for act in whole.acts() {
        let what = match act.act.as_str() {
            "show" => "looked at who it is".to_owned(),
            "call" => came_to(act),
            word => word.replace('_', " "),
        };
        add(act.at, "desk", format!("{}: {what}", act.by), act.reason.clone().unwrap_or_default());
    }
    for (day, of_day) in whole.story.activity.days() {
        let kinds: Vec<String> = of_day
            .kinds()
            .map(|(kind, _)| (kind, of_day.count(kind)))
            .filter(|(_, count)| *count > 0)
            .map(|(kind, count)| format!("{} × {count}", kind.as_str().replace('_', " ")))
            .collect();
        let at = Timestamp::from_second(i64::from(day.0) * 86_400).unwrap_or(Timestamp::MIN);
        if !kinds.is_empty() {
            let day = at.to_zoned(jiff::tz::TimeZone::UTC).strftime("%a, %b %-d, %Y (UTC day)").to_string();
            line.push(Event { at, when: day, what: kinds.join(", "), detail: String::new(), kind: "did" });
        }
    }
    line.sort_by_key(|event| std::cmp::Reverse(event.at));
    line
}

/// What a call came to.
fn came_to(act: &Act) -> String {
    let after: serde_json::Value = serde_json::from_str(&act.after).unwrap_or_default();
    let result = after["last_call"]["result"].as_str().unwrap_or_default();
    format!("called: {}", result.replace('_', " "))
}

/// What was decided, in a sentence.
fn decided(record: &DecisionRecord) -> String {
    let contracts: Vec<&str> = record.contracts.iter().map(|contract| contract.as_str()).collect();
    match (&record.waiting, contracts.is_empty(), &record.placed) {
        (_, _, Some(placed)) => {
            format!("Placed by the desk with {placed}; the rules said: {}", record.concluded())
        }
        (Some(reason), true, None) => format!("Decided: it waits ({reason})"),
        (Some(reason), false, None) => {
            format!("Decided: it waits ({reason}); recommended: {}", contracts.join(", "))
        }
        (None, _, None) => format!("Decided: {}", record.concluded()),
    }
}

/// Who nearly had it.
fn misses(record: &DecisionRecord) -> String {
    let near = record.near_misses.iter().take(3);
    let said: Vec<String> =
        near.map(|miss| format!("{} needs {}; it is {}", miss.contract, miss.needed, miss.found)).collect();
    said.join(" · ")
}
