//! The dealer's inbox: what is new and what is in hand, what is closed; made for a phone.
//!
//! | module | holds |
//! |---|---|
//! | [`seat`] | one lead: who, what they ask for, and every answer that the dealer may give now |
//! | [`figures`] | how the dealer fares, and its statement |
//!
//! Determinations. *A page is made of what the API answers*, read by its names, so that it can show no more than that: a
//! lead that must be accepted first has a first name and a ZIP and no contact, and nothing of any other dealer is there.
//! *New* is what is offered and not answered, *in hand* what was accepted or contacted; what is *won* stays the dealer's
//! own, and stands below them. *A page has fifty leads* of the newest three hundred that are open: what is new stands first,
//! the next deadline before all, over all pages; whatever else is the newest first. Older ones stand behind them by age, as
//! what is closed does. *What was charged when it arrived is not said to be the price of a yes.* *A phone number is a link that
//! calls, an e-mail one that writes*; when the law lets nobody call, the page says so beside it.

mod figures;
mod seat;

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use leadyard_domain::assignment::{DeliveryState, Return, ReturnState};
use leadyard_domain::calling::MayCall;
use leadyard_domain::distribution::Core;
use leadyard_domain::ids::{AssignmentId, ContractId, OfferId};
use leadyard_domain::lead::{AssignmentState, Contactable};
use leadyard_domain::money::Money;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{Problem, Query};
use leadyard_platform::who;
use serde::Deserialize;

pub(super) use figures::{csv, page as figures_page};
pub(super) use seat::{act, page as seat_page};

use super::shown::{self, instant};
use super::signed::{INBOX, SignedDealer};
use super::{Frame, address, rendered, troubled};
use crate::inbox::Standing;
use crate::{inbox, leads};

/// A seat as `GET /v1/inbox` tells its dealer.
#[derive(Clone, Debug, Deserialize)]
struct Told {
    assignment: AssignmentId,
    contract: ContractId,
    state: AssignmentState,
    delivery: DeliveryState,
    price: String,
    offered_at: Timestamp,
    state_at: Timestamp,
    settled_at: Option<Timestamp>,
    accept_by: Option<Timestamp>,
    #[serde(rename = "return")]
    returned: Option<Return>,
    won_value: Option<String>,
    /// Nothing, of what it has not or not yet.
    person: Option<Contactable>,
    #[serde(default)]
    masked: bool,
    offer: Option<OfferId>,
    offer_name: Option<String>,
    received_at: Option<Timestamp>,
    message: Option<String>,
    consent: Option<Consent>,
    #[serde(default)]
    extra: BTreeMap<String, String>,
    #[serde(default)]
    repeats: usize,
    #[serde(default)]
    opted_out: bool,
    may_be_called: Option<MayBeCalled>,
    erased_at: Option<Timestamp>,
}

#[derive(Clone, Debug, Deserialize)]
struct Consent {
    given: bool,
    text: Option<String>,
    certificate: Option<String>,
    leadid: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
struct MayBeCalled {
    now: bool,
    until: Option<Timestamp>,
    from: Option<Timestamp>,
}

impl Told {
    fn read(told: serde_json::Value) -> Result<Self, Problem> {
        serde_json::from_value(told).map_err(|error| {
            tracing::error!(error = &error as &dyn std::error::Error, "the inbox could not be read");
            Problem::new(leadyard_domain::error::Code::Internal, "the inbox could not be read")
        })
    }

    /// Who it is, as far as the dealer may know.
    fn name(&self) -> String {
        let Some(person) = &self.person else { return "A lead".to_owned() };
        let names = [person.first_name.as_deref(), person.last_name.as_deref()];
        let name = names.into_iter().flatten().collect::<Vec<_>>().join(" ");
        if name.is_empty() { "No name".to_owned() } else { name }
    }

    fn place(&self) -> String {
        self.person.as_ref().map(shown::place).unwrap_or_default()
    }

    fn offer(&self) -> String {
        let id = || self.offer.as_ref().map(ToString::to_string);
        self.offer_name.clone().or_else(id).unwrap_or_default()
    }

    fn has_phone(&self) -> bool {
        self.person.as_ref().is_some_and(|person| person.phone.is_some())
    }

    /// Why nobody may call them now; nothing, where somebody may, or where there is no number.
    fn may_not_be_called(&self, core: &Core) -> String {
        let Some(told) = self.may_be_called.as_ref().filter(|_| self.has_phone()) else {
            return String::new();
        };
        let may = match (told.until, told.from) {
            (Some(until), _) => MayCall::Until(until),
            (None, Some(from)) => MayCall::From(from),
            (None, None) => MayCall::Never,
        };
        leads::not_to_be_called(self.opted_out, may, |at| instant(core, at))
    }

    /// What accepting it costs, in the company's currency; nothing, where it costs nothing or is paid for.
    fn price(&self, core: &Core) -> String {
        if self.settled_at.is_none() { self.worth(core) } else { String::new() }
    }

    /// What was charged when it arrived; nothing, where nothing was.
    fn charged(&self, core: &Core) -> String {
        if self.settled_at.is_some() { self.worth(core) } else { String::new() }
    }

    fn worth(&self, core: &Core) -> String {
        let costs = self.price.parse::<Money>().is_ok_and(|price| price != Money::ZERO);
        if costs { shown::money(core, &self.price) } else { String::new() }
    }

    /// What became of it, or what is to be done.
    fn stands(&self, core: &Core, now: Timestamp) -> String {
        if self.erased_at.is_some() {
            return "the person was erased: delete what you hold of them".to_owned();
        }
        if self.opted_out {
            return "the person wants no more contact".to_owned();
        }
        // Once it is decided, the state says what became of it.
        if let Some(asked) = self.returned.as_ref().filter(|asked| asked.state == ReturnState::Requested) {
            return format!("return {}", asked.state);
        }
        match (self.state, self.won_value.as_deref()) {
            (AssignmentState::Offered, _) => match self.accept_by {
                Some(by) => format!("accept {}", shown::due(by, now)),
                None => "new".to_owned(),
            },
            (AssignmentState::Won, Some(value)) => format!("won, {}", shown::money(core, value)),
            (
                state @ (AssignmentState::Accepted
                | AssignmentState::Declined
                | AssignmentState::Lapsed
                | AssignmentState::Returned
                | AssignmentState::Withdrawn
                | AssignmentState::Contacted
                | AssignmentState::Won
                | AssignmentState::Lost),
                _,
            ) => state.to_string(),
        }
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    /// Behind which place in their order, or which seat, the page begins.
    after: String,
}

#[derive(askama::Template)]
#[template(path = "inbox.html")]
struct Page {
    frame: Frame,
    open: bool,
    further: bool,
    groups: Vec<Group>,
    /// How many were put in order, where older ones stand behind them.
    ordered: Option<i32>,
    next: String,
    /// Those behind the page are older ones, and no further ones of an order.
    older: bool,
}

/// Leads that stand alike.
struct Group {
    title: &'static str,
    /// How many stand so, here or on another page.
    all: usize,
    rows: Vec<Row>,
}

struct Row {
    at: String,
    name: String,
    place: String,
    offer: String,
    message: String,
    /// A link that calls, where the person is known.
    phone: String,
    /// Why nobody may use it now.
    silent: String,
    stands: String,
    /// It must be done soon, or is over.
    late: bool,
    asked: String,
    asked_at: String,
    /// It waits for an acceptance.
    accept: bool,
    /// What that costs.
    price: String,
    /// What was charged for it already.
    charged: String,
}

/// `GET /console/inbox?after`.
pub(super) async fn open(
    State(cloud): State<Cloud>,
    signed: SignedDealer,
    Query(asked): Query<Asked>,
) -> Response {
    answer(&cloud, &signed, true, &asked).await
}

/// `GET /console/inbox/closed?after`.
pub(super) async fn closed(
    State(cloud): State<Cloud>,
    signed: SignedDealer,
    Query(asked): Query<Asked>,
) -> Response {
    answer(&cloud, &signed, false, &asked).await
}

async fn answer(cloud: &Cloud, signed: &SignedDealer, open: bool, asked: &Asked) -> Response {
    match listed(cloud, signed, open, asked).await {
        Ok(page) => rendered(&page, StatusCode::OK),
        Err(problem) => troubled(signed, &problem),
    }
}

/// What a page has of a dealer's leads, and what the page behind it is asked for with.
struct Listed {
    items: Vec<serde_json::Value>,
    /// The order in which they stand, where they have one.
    order: Option<inbox::InOrder>,
    next: Option<String>,
}

impl Listed {
    async fn read(cloud: &Cloud, signed: &SignedDealer, open: bool, after: &str) -> Result<Self, Problem> {
        let place = inbox::Place::read(after);
        if open && (after.is_empty() || place.is_some()) {
            let mut order = inbox::in_order(cloud, &signed.token, place).await?;
            let older = || order.older.map(|older| older.to_string());
            let next = order.next.map(|next| next.written()).or_else(older);
            return Ok(Self { items: std::mem::take(&mut order.items), order: Some(order), next });
        }
        let after = Some(after).filter(|after| !after.is_empty());
        let (items, next) = inbox::listed(cloud, &signed.token, open, after).await?;
        Ok(Self { items, order: None, next: next.map(|next| next.to_string()) })
    }
}

async fn listed(cloud: &Cloud, signed: &SignedDealer, open: bool, asked: &Asked) -> Result<Page, Problem> {
    let core = who::rules_of(cloud, &signed.token.company).await?;
    let Listed { items, order, next } = Listed::read(cloud, signed, open, &asked.after).await?;
    let now = cloud.clock.now();
    let told = items.into_iter().map(Told::read).collect::<Result<Vec<_>, _>>()?;
    let group = |title: &'static str, standing: Standing| {
        let of = told.iter().filter(|one| Standing::of(one.state) == standing || !open);
        let rows: Vec<Row> = of.map(|one| Row::of(&core, one, now)).collect();
        let all = order.as_ref().map_or(rows.len(), |order| order.count(standing));
        Group { title, all, rows }
    };
    let groups = if open {
        vec![group("New", Standing::New), group("In hand", Standing::InHand), group("Won", Standing::Won)]
    } else {
        vec![group("Closed", Standing::InHand)]
    };
    let path = if open { INBOX.to_owned() } else { format!("{INBOX}/closed") };
    let (title, section) = if open { ("Inbox", "inbox") } else { ("Closed", "closed") };
    Ok(Page {
        frame: Frame::of(title, section, signed),
        open,
        further: !asked.after.is_empty(),
        groups: groups.into_iter().filter(|group| !group.rows.is_empty()).collect(),
        ordered: order.as_ref().and_then(|order| order.older).map(|_| inbox::ORDERED),
        older: order.is_none_or(|order| order.next.is_none()),
        next: next.map(|next| address(&path, &[("after", &next)])).unwrap_or_default(),
    })
}

impl Row {
    fn of(core: &Core, told: &Told, now: Timestamp) -> Self {
        let asked = told.received_at.unwrap_or(told.offered_at);
        Self {
            at: format!("{INBOX}/{}", told.assignment),
            name: told.name(),
            place: told.place(),
            offer: told.offer(),
            message: told.message.as_deref().map(|message| shown::cut(message, 120)).unwrap_or_default(),
            phone: told.person.as_ref().and_then(|person| person.phone.clone()).unwrap_or_default(),
            silent: told.may_not_be_called(core),
            stands: told.stands(core, now),
            late: told.accept_by.is_some() && told.state == AssignmentState::Offered
                || told.opted_out
                || told.erased_at.is_some(),
            asked: shown::ago(asked, now),
            asked_at: instant(core, asked),
            accept: told.state == AssignmentState::Offered && told.delivery == DeliveryState::Received,
            price: told.price(core),
            charged: told.charged(core),
        }
    }
}
