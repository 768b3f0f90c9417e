//! One lead of a dealer: who, what they ask for, what happened; and what the dealer says of it.
//!
//! Determinations. *A button stands there only where its answer would be taken* as things stand. Who answers something
//! else meanwhile is told, and what they typed stands there still. *A value that was put wrong is put right* by telling it
//! once more.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use jiff::Timestamp;
use leadyard_domain::assignment::{Assignment, ReturnState};
use leadyard_domain::distribution::Core;
use leadyard_domain::error::Code;
use leadyard_domain::ids::AssignmentId;
use leadyard_domain::lead::{Answer, AssignmentState};
use leadyard_domain::money::Money;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{Path, Problem, Query};
use leadyard_platform::who;
use serde::Deserialize;

use super::Told;
use crate::inbox::{self, Seat};
use crate::pages::shown::{self, Choice, Contact, instant};
use crate::pages::signed::{Form, INBOX, Sent, SignedDealer};
use crate::pages::{Frame, rendered, troubled};
use crate::returns::{self, MayAsk};

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::pages) struct Asked {
    done: String,
}

#[derive(askama::Template)]
#[template(path = "seat.html")]
struct Page {
    frame: Frame,
    at: String,
    name: String,
    place: String,
    stands: String,
    late: bool,
    masked: bool,
    contact: Vec<Contact>,
    /// When nobody may be called, or until when.
    call: String,
    offer: String,
    message: String,
    extra: Vec<(String, String)>,
    consent: Vec<(&'static str, String)>,
    repeats: usize,
    facts: Vec<(&'static str, String)>,
    /// What may be answered now.
    answers: Vec<Answer>,
    /// What accepting it costs.
    price: String,
    /// What was charged when it arrived.
    charged: String,
    /// It is won: the value may be put right.
    correct: bool,
    value: String,
    currency: String,
    /// Why it may be returned; none, where the quota is used.
    reasons: Vec<Choice>,
    terms: String,
    note: String,
    returned: String,
    done: &'static str,
    trouble: String,
    /// What was typed into a form that is not there any more.
    typed: String,
}

/// `GET /console/inbox/{assignment}`.
pub(in crate::pages) async fn page(
    State(cloud): State<Cloud>,
    signed: SignedDealer,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    match of(&cloud, &signed, &id, &Form::new()).await {
        Ok(mut page) => {
            page.done = match asked.done.as_str() {
                "accept" => "Accepted: it is yours.",
                "decline" => "Declined: it goes to another.",
                "contacted" => "Noted: you reached them.",
                "won" => "Won. Well done.",
                "lost" => "Noted as lost.",
                "return" => "Asked: the desk decides.",
                "returned" => "Returned: it is credited, and nobody need decide.",
                _ => "",
            };
            rendered(&page, StatusCode::OK)
        }
        Err(problem) => troubled(&signed, &problem),
    }
}

/// `POST /console/inbox/{assignment}/{accept|decline|contacted|won|lost|return}`: `value`; `reason`, `note`.
pub(in crate::pages) async fn act(
    State(cloud): State<Cloud>,
    Path((id, word)): Path<(String, String)>,
    Sent { signed, form }: Sent<SignedDealer>,
) -> Response {
    let trouble = match Box::pin(answered(&cloud, &signed, &id, &word, &form)).await {
        Ok(stands) => {
            // Of a dealer whom the contract trusts nobody decides.
            let is_done = word == "return" && stands.state == AssignmentState::Returned;
            let done = if is_done { "returned" } else { &word };
            return Redirect::to(&format!("{INBOX}/{id}?done={done}")).into_response();
        }
        Err(trouble) => trouble,
    };
    match of(&cloud, &signed, &id, &form).await {
        Ok(mut page) => {
            page.trouble = refusal(&cloud, &signed, &trouble).await;
            page.typed = page.left_over(&form);
            rendered(&page, StatusCode::from_u16(trouble.code().status()).unwrap_or(StatusCode::CONFLICT))
        }
        Err(problem) => troubled(&signed, &problem),
    }
}

impl Page {
    fn may(&self, answer: &str) -> bool {
        self.answers.iter().any(|known| known.as_str() == answer)
    }

    /// What was typed and stands in no form of the page: nothing that somebody wrote is lost.
    fn left_over(&self, form: &Form) -> String {
        let shown = |name: &str| match name {
            "value" => self.may("won") || self.correct,
            "note" => !self.reasons.is_empty(),
            _ => true,
        };
        let left = ["value", "note"].into_iter().filter(|name| !shown(name));
        left.filter_map(|name| form.get(name).map(String::as_str)).collect::<Vec<_>>().join(" ")
    }
}

async fn answered(
    cloud: &Cloud,
    signed: &SignedDealer,
    id: &str,
    word: &str,
    form: &Form,
) -> Result<Assignment, Problem> {
    let assignment: AssignmentId = id.parse().map_err(|_| inbox::missing())?;
    let typed = |name: &str| form.get(name).map(|typed| typed.trim()).filter(|typed| !typed.is_empty());
    if word == "return" {
        let unknown = |_| Problem::new(Code::InvalidField, "choose the reason for which you return it");
        let reason = typed("reason").unwrap_or_default().parse().map_err(unknown)?;
        let note = typed("note").map(str::to_owned);
        return returns::asked(cloud, &signed.token, assignment, reason, note).await;
    }
    let act: Answer = word.parse().map_err(|_| Problem::new(Code::NotFound, "there is no such answer"))?;
    let value = typed("value").filter(|_| act == Answer::Won).map(str::parse::<Money>).transpose();
    let value = value.map_err(|rule| Problem::new(Code::InvalidField, rule.to_string()))?;
    let seat = Seat::Own { token: signed.token.clone(), assignment };
    inbox::give(cloud, &seat, act, value).await
}

/// Why it was not done, for people: until when a lead could be returned is said as the page says it before.
async fn refusal(cloud: &Cloud, signed: &SignedDealer, problem: &Problem) -> String {
    let until = shown::told_at(&problem.json()["until"]);
    if let Some(until) = until
        && let Ok(core) = who::rules_of(cloud, &signed.token.company).await
    {
        return format!("it could be returned until {}", instant(&core, until));
    }
    problem.detail().to_owned()
}

async fn of(cloud: &Cloud, signed: &SignedDealer, id: &str, typed: &Form) -> Result<Page, Problem> {
    let id: AssignmentId = id.parse().map_err(|_| inbox::missing())?;
    let seat = inbox::own(cloud, &signed.token, id).await?;
    let core = who::rules_of(cloud, &signed.token.company).await?;
    let now = cloud.clock.now();
    let told = Told::read(inbox::shown(cloud, &seat).await?)?;
    let answers = inbox::answers(cloud, &seat, now).await?;
    let returns = returns::may_ask(cloud, &seat, now).await?;
    let written = |name: &str| typed.get(name).cloned().unwrap_or_default();
    let chosen = typed.get("reason").map(String::as_str);
    let terms = |MayAsk { terms, until, used }: &MayAsk| {
        if let Some(used) = used {
            return used.clone();
        }
        let quota = terms.quota_percent.map(|percent| format!("; at most {percent} % of a month’s leads"));
        format!("until {}{}", instant(&core, *until), quota.unwrap_or_default())
    };
    Ok(Page {
        frame: Frame::of(told.name(), "", signed),
        at: format!("{INBOX}/{id}"),
        name: told.name(),
        place: told.place(),
        stands: told.stands(&core, now),
        late: told.accept_by.is_some() && answers.contains(&Answer::Accept)
            || told.opted_out
            || told.erased_at.is_some(),
        masked: told.masked,
        contact: told.person.iter().flat_map(|person| Contact::of(person, true)).collect(),
        call: may_be_called(&core, &told),
        offer: told.offer(),
        message: told.message.clone().unwrap_or_default(),
        extra: told.extra.iter().map(|(name, value)| (shown::word(name), value.clone())).collect(),
        consent: consent(&told),
        repeats: told.repeats,
        facts: facts(&core, &told),
        answers,
        price: told.price(&core),
        charged: told.charged(&core),
        correct: told.state == AssignmentState::Won,
        value: typed.get("value").cloned().or_else(|| told.won_value.clone()).unwrap_or_default(),
        currency: core.company.currency.clone(),
        terms: returns.as_ref().map(terms).unwrap_or_default(),
        reasons: returns
            .iter()
            .filter(|may| may.used.is_none())
            .flat_map(|may| &may.terms.reasons)
            .map(|reason| Choice::of(reason, &shown::word(reason), chosen))
            .collect(),
        note: written("note"),
        returned: returned(&core, &told),
        done: "",
        trouble: String::new(),
        typed: String::new(),
    })
}

/// Until when they may be called, or why not.
fn may_be_called(core: &Core, told: &Told) -> String {
    let Some(may) = told.may_be_called.as_ref() else { return String::new() };
    let said = told.may_not_be_called(core);
    match may.until.filter(|_| may.now && said.is_empty()) {
        Some(until) if told.has_phone() => format!("They may be called until {}.", instant(core, until)),
        Some(_) | None => said,
    }
}

fn consent(told: &Told) -> Vec<(&'static str, String)> {
    let Some(consent) = &told.consent else { return Vec::new() };
    let mut lines =
        vec![("Consent", if consent.given { "given".to_owned() } else { "not given".to_owned() })];
    lines.extend(consent.text.clone().map(|text| ("Its words", text)));
    lines.extend(consent.certificate.clone().map(|certificate| ("Certificate", certificate)));
    lines.extend(consent.leadid.clone().map(|leadid| ("LeadiD", leadid)));
    lines
}

/// What happened with it, and what it costs.
fn facts(core: &Core, told: &Told) -> Vec<(&'static str, String)> {
    let at = |at: Option<Timestamp>| at.map(|at| instant(core, at));
    let steps = [
        ("Asked", at(told.received_at)),
        ("Offered", at(Some(told.offered_at))),
        ("Accept by", at(told.accept_by.filter(|_| told.state == AssignmentState::Offered))),
        ("Charged", at(told.settled_at)),
        ("Last changed", at(Some(told.state_at).filter(|at| *at != told.offered_at))),
        ("Price", Some(shown::money(core, &told.price))),
        ("Contract", Some(told.contract.to_string())),
    ];
    steps.into_iter().filter_map(|(label, value)| Some((label, value?))).collect()
}

/// What became of the return that the dealer asked for.
fn returned(core: &Core, told: &Told) -> String {
    let Some(asked) = &told.returned else { return String::new() };
    let why = shown::word(&asked.reason);
    let said = asked.said.as_deref().map(|said| format!(": {said}")).unwrap_or_default();
    match asked.state {
        ReturnState::Requested => {
            format!("You asked to return it, {} ({why}). The desk decides.", instant(core, asked.at))
        }
        ReturnState::Approved => format!("You returned it ({why}); it is credited{said}"),
        ReturnState::Denied => format!("You asked to return it ({why}); the desk denied it{said}"),
    }
}
