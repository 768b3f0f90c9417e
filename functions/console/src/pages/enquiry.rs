//! One enquiry in quarantine: why it is there, what it says, and the desk's verdict; then the next.
//!
//! Who somebody is, and what they wrote, is masked until it is asked for; that somebody looked is kept among the
//! company's changes first. To put it right one sees it.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use leadyard_domain::distribution::Core;
use leadyard_domain::enquiry::Standard;
use leadyard_domain::error::Code;
use leadyard_domain::rulebook::{Offer, Source};
use leadyard_platform::arriving::join::contactable;
use leadyard_platform::arriving::quarantine::{self as verdicts, Act};
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{Path, Problem, Query};
use leadyard_platform::judging;
use leadyard_platform::store::{QUARANTINED, REJECTED, StoredEnquiry, keys};
use leadyard_platform::who::{self, ACTS};
use serde_json::json;

use super::quarantine::{Asked, LOOKED_AT, done, judged, says_kept};
use super::shown::{self, Choice, Contact, instant};
use super::signed::{For, Form, Sent, Signed};
use super::{Frame, rendered, troubled};
use crate::acts;

/// Characters of a value that a page shows.
const SHOWN: usize = 4_000;

/// What can be put right, in the order of the form. A name is one field or two, as it was sent.
const FIELDS: &[Standard] = &[
    Standard::Name,
    Standard::FirstName,
    Standard::LastName,
    Standard::Organization,
    Standard::Email,
    Standard::Phone,
    Standard::Street,
    Standard::City,
    Standard::State,
    Standard::Zip,
    Standard::Message,
];

#[derive(askama::Template)]
#[template(path = "enquiry.html")]
struct Page {
    frame: Frame,
    enquiry: String,
    asked: Asked,
    name: String,
    place: String,
    verdict: String,
    /// Where it stands: by when the desk is to look, or what became of it.
    stands: String,
    overdue: bool,
    status: String,
    reasons: Vec<Why>,
    contact: Vec<Contact>,
    facts: Vec<(&'static str, String)>,
    /// What was sent, where it is shown.
    sent: Vec<(String, String)>,
    raw: String,
    /// The form to put it right, where it is shown.
    fields: Vec<Field>,
    offers: Vec<Choice>,
    /// What keeps it from going on as it is.
    kept_by: String,
    can: Can,
    lead: String,
    /// What was typed into the reason.
    reason: String,
    /// What was put right in a form that is not there any more.
    kept: Vec<(String, String)>,
    next: String,
    done: String,
    was: String,
    trouble: String,
}

#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a form that the page shows or not")]
struct Can {
    release: bool,
    reject: bool,
    show: bool,
    edit: bool,
}

/// A reason, and how often it was right.
struct Why {
    reason: String,
    tried: String,
}

/// A field of the form to put it right.
struct Field {
    name: &'static str,
    label: String,
    value: String,
    /// A message has several lines.
    long: bool,
}

/// `GET /console/quarantine/{enquiry}`.
pub(super) async fn page(
    State(cloud): State<Cloud>,
    For(signed): For<ACTS>,
    Path(enquiry): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    let read = async {
        let enquiry = found(&cloud, &signed, &enquiry).await?;
        of(&cloud, &signed, enquiry, asked, &Form::new(), false).await
    };
    match read.await {
        Ok(page) => rendered(&page, StatusCode::OK),
        Err(problem) => troubled(&signed, &problem),
    }
}

async fn found(cloud: &Cloud, signed: &Signed, enquiry: &str) -> Result<StoredEnquiry, Problem> {
    let id = enquiry.parse().map_err(|_| verdicts::missing())?;
    verdicts::find(cloud, &signed.desk, id).await
}

/// `GET /console/quarantine/{enquiry}/next`: the one that waits behind it, or the list.
pub(super) async fn next(
    State(cloud): State<Cloud>,
    For(signed): For<ACTS>,
    Path(enquiry): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    let read = async {
        let enquiry = found(&cloud, &signed, &enquiry).await?;
        behind(&cloud, &signed, &enquiry, &asked, &[]).await
    };
    match read.await {
        Ok(to) => Redirect::to(&to).into_response(),
        Err(problem) => troubled(&signed, &problem),
    }
}

/// Where to go on: to the next that waits in the same list, or to the list when there is none.
async fn behind(
    cloud: &Cloud,
    signed: &Signed,
    enquiry: &StoredEnquiry,
    asked: &Asked,
    more: &[(&str, &str)],
) -> Result<String, Problem> {
    let asked = Asked { company: enquiry.company.to_string(), state: String::new(), ..asked.clone() };
    let after = keys::quarantine_sort(enquiry.received_at, enquiry.id);
    let page = verdicts::page(cloud, &signed.desk, asked.listed(&after), 1, LOOKED_AT).await?;
    Ok(match page.enquiries.first() {
        Some(next) => asked.at(&format!("/console/quarantine/{}", next.id), more),
        None => asked.at("/console/quarantine", more),
    })
}

/// `POST /console/quarantine/{enquiry}/{act}`: `show`, `release`, `edit` or `reject`, with the status that was `seen`.
pub(super) async fn act(
    State(cloud): State<Cloud>,
    Path((enquiry, act)): Path<(String, String)>,
    Sent { signed: For(signed), form }: Sent<For<ACTS>>,
) -> Response {
    let asked = Asked::of(&form);
    if act == "show" {
        return match reveal(&cloud, &signed, &enquiry, asked, &Form::new()).await {
            Ok(page) => rendered(&page, StatusCode::OK),
            Err(problem) => troubled(&signed, &problem),
        };
    }
    let trouble = match judge(&cloud, &signed, &enquiry, &act, &form, &asked).await {
        Ok(to) => return Redirect::to(&to).into_response(),
        Err(problem) => problem,
    };
    // The page as it stands now, with why it was not done and all that was typed.
    let page = if act == "edit" {
        reveal(&cloud, &signed, &enquiry, asked, &form).await
    } else {
        match found(&cloud, &signed, &enquiry).await {
            Ok(enquiry) => of(&cloud, &signed, enquiry, asked, &form, false).await,
            Err(problem) => Err(problem),
        }
    };
    match page {
        Ok(mut page) => {
            page.trouble = said(&trouble);
            let status = StatusCode::from_u16(trouble.code().status()).unwrap_or(StatusCode::CONFLICT);
            rendered(&page, status)
        }
        Err(problem) => troubled(&signed, &problem),
    }
}

/// Why something was not done, for people.
fn said(problem: &Problem) -> String {
    let reasons = &problem.json()["reasons"];
    let reasons: Vec<String> =
        reasons.as_array().into_iter().flatten().filter_map(|word| word.as_str()).map(shown::word).collect();
    if reasons.is_empty() {
        problem.detail().to_owned()
    } else {
        format!("{}: {}", problem.detail(), reasons.join(", "))
    }
}

/// A verdict, and where to go on.
async fn judge(
    cloud: &Cloud,
    signed: &Signed,
    enquiry: &str,
    act: &str,
    form: &Form,
    asked: &Asked,
) -> Result<String, Problem> {
    let verdict = Act::of(act)?;
    let enquiry = found(cloud, signed, enquiry).await?;
    let seen = form.get("seen").map_or(QUARANTINED, String::as_str);
    if verdicts::moved_on(&enquiry, verdict, seen) {
        let detail = format!("since this page was opened it was {}", judged(&enquiry, cloud.clock.now()));
        return Err(Problem::new(Code::StateConflict, detail));
    }
    let reason =
        form.get("reason").map(|reason| reason.trim().to_owned()).filter(|reason| !reason.is_empty());
    let fields = if verdict == Act::Edit {
        let core = who::rules_of(cloud, &enquiry.company).await?;
        Some(corrections(&core, &enquiry, form)).filter(|fields| !fields.is_empty())
    } else {
        None
    };
    // What was looked at and left as it is, is released.
    let verdict = if verdict == Act::Edit && fields.is_none() { Act::Release } else { verdict };
    let said = verdicts::Asked { fields, reason, seen: Some(seen.to_owned()), ..verdicts::Asked::default() };
    let told = verdicts::judge(cloud, &signed.desk, verdict, enquiry.id, &said).await?;
    let done = if told["already"] == true { "already" } else { act };
    behind(cloud, signed, &enquiry, asked, &[("done", done), ("was", &enquiry.id.to_string())]).await
}

/// What the form says otherwise than the enquiry.
fn corrections(core: &Core, enquiry: &StoredEnquiry, form: &Form) -> BTreeMap<String, Option<String>> {
    let map = core.source(&enquiry.source).map(Source::map).unwrap_or_default();
    let said = enquiry.meant().standard(&map);
    let mut changed = BTreeMap::new();
    let says = judging::understand(enquiry, core.source(&enquiry.source)).offer;
    let offer = known_offer(core, enquiry, says.as_deref()).map(|offer| offer.id.to_string()).or(says);
    for standard in FIELDS.iter().chain(&[Standard::Offer]) {
        let Some(typed) = form.get(standard.as_str()) else { continue };
        // A browser ends lines as mail does.
        let typed = typed.replace("\r\n", "\n");
        let was = if *standard == Standard::Offer { offer.as_deref() } else { said.get(standard).copied() };
        let was = was.unwrap_or_default().trim();
        if typed.trim() != was.replace("\r\n", "\n") {
            let value = Some(typed.trim().to_owned()).filter(|value| !value.is_empty());
            changed.insert(standard.to_string(), value);
        }
    }
    changed
}

/// What somebody put right, and nobody else did meanwhile.
fn left_over(core: &Core, enquiry: &StoredEnquiry, typed: &Form) -> Vec<(String, String)> {
    let map = core.source(&enquiry.source).map(Source::map).unwrap_or_default();
    let sent = enquiry.fields.standard(&map);
    let offer = known_offer(core, enquiry, sent.get(&Standard::Offer).copied());
    let changed = corrections(core, enquiry, typed);
    let of_field = |field: &Standard| {
        let value = changed.get(field.as_str())?.as_deref().unwrap_or_default();
        let was = match offer {
            Some(offer) if *field == Standard::Offer => offer.id.as_str(),
            Some(_) | None => sent.get(field).copied().unwrap_or_default().trim(),
        };
        // Left as it came: what it is not now, somebody else put right.
        if value == was.replace("\r\n", "\n") {
            return None;
        }
        Some((label(*field), if value.is_empty() { "nothing".to_owned() } else { value.to_owned() }))
    };
    FIELDS.iter().chain(&[Standard::Offer]).filter_map(of_field).collect()
}

/// The page with who it is; that somebody looked is kept first.
async fn reveal(
    cloud: &Cloud,
    signed: &Signed,
    enquiry: &str,
    asked: Asked,
    typed: &Form,
) -> Result<Page, Problem> {
    let enquiry = found(cloud, signed, enquiry).await?;
    let act = acts::record(
        cloud,
        &signed.desk,
        "show_enquiry",
        None,
        &json!({}),
        &json!({ "enquiry": enquiry.id }),
    );
    cloud.store.change_keep(&enquiry.company, &act).await?;
    of(cloud, signed, enquiry, asked, typed, true).await
}

async fn of(
    cloud: &Cloud,
    signed: &Signed,
    enquiry: StoredEnquiry,
    asked: Asked,
    typed: &Form,
    shown: bool,
) -> Result<Page, Problem> {
    let core = who::rules_of(cloud, &enquiry.company).await?;
    let now = cloud.clock.now();
    let source = core.source(&enquiry.source);
    let who = judging::understand(&enquiry, source);
    let person = contactable(&who);
    let quarantine = enquiry.quarantine.as_ref();
    let open = [QUARANTINED, REJECTED].contains(&enquiry.status.as_str());
    let waits = enquiry.status == QUARANTINED;
    let overdue = waits && quarantine.is_some_and(|found| found.until <= now);
    let stands = match quarantine {
        Some(found) if waits && overdue => {
            format!("overdue since {}", shown::due(found.until, now).trim_end_matches(" ago"))
        }
        Some(found) if waits => {
            format!("to be looked at {} ({})", shown::due(found.until, now), instant(&core, found.until))
        }
        _ => judged(&enquiry, now),
    };
    let said = quarantine.and_then(|found| found.judged.as_ref()?.said.clone());
    let tried = verdicts::tried(cloud, &core).await?;
    let reasons = enquiry.reasons.iter().map(|reason| {
        let tried = tried.iter().find(|one| one.reason.as_str() == reason);
        let tried =
            tried.map(|one| format!("right {} of {} times", one.rejected, one.rejected + one.released));
        Why { reason: shown::word(reason), tried: tried.unwrap_or_default() }
    });
    // A page's own; of what a server sent on, the one that it names.
    let browser = enquiry.user_agent.as_deref().or(who.consent.user_agent.as_deref());
    let mut facts = vec![
        ("Company", core.company.name.clone()),
        ("Source", enquiry.source.to_string()),
        (
            "Received",
            format!("{} ({})", instant(&core, enquiry.received_at), shown::ago(enquiry.received_at, now)),
        ),
        ("Browser", browser.map(|agent| shown::cut(agent, 200)).unwrap_or_default()),
        ("Said of it", said.unwrap_or_default()),
        ("Enquiry", enquiry.id.to_string()),
    ];
    facts.retain(|(_, value)| !value.is_empty());
    let kept_by = verdicts::kept_by(&core, &enquiry);
    // Of a test, and of a source that is gone, nothing is to be put right.
    let mendable = !matches!(kept_by, Some("test" | "unknown_source"));
    let (sent, raw) = if shown { sent(&enquiry) } else { (Vec::new(), String::new()) };
    let asked = Asked { company: enquiry.company.to_string(), ..asked };
    let edits = shown && open && mendable;
    Ok(Page {
        frame: Frame::of(shown::name(&person), "quarantine", signed),
        enquiry: enquiry.id.to_string(),
        name: shown::name(&person),
        place: shown::place(&person),
        verdict: quarantine
            .map_or_else(String::new, |found| format!("{} · weighs {}", found.verdict, found.weight)),
        stands,
        overdue,
        reasons: reasons.collect(),
        contact: Contact::of(&person, shown),
        facts,
        sent,
        raw,
        fields: if shown && open { fields(&core, &enquiry, typed) } else { Vec::new() },
        offers: offers(&core, &enquiry, who.offer.as_deref(), typed),
        kept_by: kept_by.filter(|_| open).map(says_kept).unwrap_or_default(),
        can: Can { release: open && mendable, reject: waits, show: !shown, edit: edits },
        lead: enquiry.lead.map(|lead| lead.to_string()).unwrap_or_default(),
        reason: typed.get("reason").cloned().unwrap_or_default(),
        kept: if edits { Vec::new() } else { left_over(&core, &enquiry, typed) },
        next: asked.at(&format!("/console/quarantine/{}/next", enquiry.id), &[]),
        done: done(&asked),
        was: if asked.was == enquiry.id.to_string() { String::new() } else { asked.was.clone() },
        trouble: String::new(),
        status: enquiry.status,
        asked,
    })
}

/// What was sent, field by field, with what the desk put right; or what could not be read.
fn sent(enquiry: &StoredEnquiry) -> (Vec<(String, String)>, String) {
    let told = |(name, value): (&str, &str)| (name.to_owned(), shown::cut(value, SHOWN));
    let mut sent: Vec<(String, String)> = enquiry.fields.iter().map(told).collect();
    let edited = enquiry.quarantine.as_ref().and_then(|quarantine| quarantine.edited.as_ref());
    for (name, value) in edited.into_iter().flat_map(|edited| edited.iter()) {
        if enquiry.fields.get(name) != Some(value) {
            sent.push((format!("{name}, put right"), shown::cut(value, SHOWN)));
        }
    }
    (sent, enquiry.raw.as_deref().map(|raw| shown::cut(raw, 2 * SHOWN)).unwrap_or_default())
}

fn label(field: Standard) -> String {
    match field.as_str() {
        "email" => "E-mail".to_owned(),
        "zip" => "ZIP".to_owned(),
        word => {
            let word = shown::word(word);
            let mut letters = word.chars();
            letters
                .next()
                .map_or_else(String::new, |first| format!("{}{}", first.to_uppercase(), letters.as_str()))
        }
    }
}

/// The form to put it right, as it stands or as it was typed.
fn fields(core: &Core, enquiry: &StoredEnquiry, typed: &Form) -> Vec<Field> {
    let map = core.source(&enquiry.source).map(Source::map).unwrap_or_default();
    let said = enquiry.meant().standard(&map);
    let whole = said.contains_key(&Standard::Name);
    let of_form = FIELDS.iter().filter(|field| {
        let part = [Standard::FirstName, Standard::LastName].contains(field);
        if **field == Standard::Name { whole } else { !part || !whole || said.contains_key(field) }
    });
    of_form
        .map(|field| Field {
            name: field.as_str(),
            label: label(*field),
            value: typed
                .get(field.as_str())
                .cloned()
                .unwrap_or_else(|| said.get(field).map(|value| (*value).to_owned()).unwrap_or_default()),
            long: *field == Standard::Message,
        })
        .collect()
}

fn known_offer<'a>(core: &'a Core, enquiry: &StoredEnquiry, says: Option<&str>) -> Option<&'a Offer> {
    core.source(&enquiry.source).and_then(|source| core.offer_of(source, says))
}

/// What it may be about; chosen is what it says, or what was chosen before.
fn offers(core: &Core, enquiry: &StoredEnquiry, says: Option<&str>, typed: &Form) -> Vec<Choice> {
    let known = known_offer(core, enquiry, says);
    let chosen = typed.get("offer").cloned().or_else(|| known.map(|offer| offer.id.to_string()));
    let mut offers = Vec::new();
    if known.is_none() {
        offers.push(Choice::of(says.unwrap_or_default(), says.unwrap_or("not said"), chosen.as_deref()));
    }
    offers.extend(core.offers.iter().map(|offer| Choice::of(&offer.id, &offer.name, chosen.as_deref())));
    offers
}
