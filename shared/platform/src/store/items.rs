//! The stored shapes. They are neither the domain's types nor the wire's: a renamed field can break
//! neither old data nor the API. Each carries the version of its shape in `sv`; version N reads N−1.

mod decision;
mod order;

use jiff::{SignedDuration, Timestamp};
use leadyard_domain::assignment::{Assignment, Attempt, DeliveryState, Return};
use leadyard_domain::contract::{AcceptBy, Needs};
use leadyard_domain::dealer::ChannelKind;
use leadyard_domain::distribution::{Reservation, Waiting};
use leadyard_domain::enquiry::Fields;
use leadyard_domain::ids::{
    AssignmentId, CategoryId, CompanyId, ContractId, DealerId, EnquiryId, LeadId, OfferId, SourceId,
    VisitorId,
};
use leadyard_domain::lead::{
    AssignmentState, Contactable, EnquiryRef, Former, Hold, Holder, Lead, ScoreState, Stage,
};
use leadyard_domain::limits;
use leadyard_domain::money::Money;
use leadyard_domain::place::State;
use leadyard_domain::report::Asked;
use leadyard_domain::scoring::{Band, Priority};
use leadyard_domain::screening::Verdict;
use leadyard_domain::time::UtcDay;
use serde::{Deserialize, Serialize};

use super::consent::StoredConsent;
use super::keys::{self, Key};
use super::{Item, StoreError, number, string};

pub use decision::DecisionRecord;
pub(super) use order::coarse_sort;
use order::stage_sort;

/// The version of every shape here.
const SHAPE: u8 = 1;

pub(super) fn to_item(key: &Key<'_>, shape: &impl Serialize) -> Result<Item, StoreError> {
    let mut item: Item =
        serde_dynamo::to_item(shape).map_err(|error| StoreError::Malformed(Box::new(error)))?;
    item.insert("pk".to_owned(), string(key.pk()));
    item.insert("sk".to_owned(), string(key.sk()));
    item.insert("sv".to_owned(), number(SHAPE));
    Ok(item)
}

fn read<'de, T: Deserialize<'de>>(what: &'static str, item: Item) -> Result<T, StoreError> {
    serde_dynamo::from_item(item).map_err(|error| StoreError::damaged(what, error))
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
const fn none_lost(seats: &u8) -> bool {
    *seats == 0
}

#[derive(Serialize, Deserialize)]
struct LeadItem {
    id: LeadId,
    co: CompanyId,
    scope: String,
    /// The version of the lead, not of the shape.
    v: u64,
    p: Contactable,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    was: Vec<Former>,
    offer: OfferId,
    cat: CategoryId,
    src: SourceId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    camp: Option<String>,
    #[serde(default)]
    brings: Needs,
    cyc: u32,
    opened: Timestamp,
    asked: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lifted: Option<Timestamp>,
    stage: Stage,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    wait: Option<Waiting>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    closed: Option<Timestamp>,
    enq: Vec<EnquiryRef>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    forgot: Option<UtcDay>,
    opening: EnquiryId,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    join: Vec<VisitorId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    held: Vec<Holder>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    excl: Vec<DealerId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seats: Option<(u8, bool)>,
    #[serde(default, skip_serializing_if = "none_lost")]
    lost: u8,
    #[serde(default)]
    dup: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    into: Option<LeadId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    merged: Vec<LeadId>,
    #[serde(default)]
    crossed: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    score: Option<ScoreState>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    concl: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hold: Option<Hold>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    prio: Option<Priority>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cert: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    erased: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due: Option<Timestamp>,
}

pub(super) fn lead_item(lead: &Lead) -> Result<Item, StoreError> {
    let shape = LeadItem {
        id: lead.id,
        co: lead.company.clone(),
        scope: lead.scope.to_string(),
        v: lead.version,
        p: lead.person.clone(),
        was: lead.former.clone(),
        offer: lead.offer.clone(),
        cat: lead.category.clone(),
        src: lead.source.clone(),
        camp: lead.campaign.clone(),
        brings: lead.brings,
        cyc: lead.cycle,
        opened: lead.opened_at,
        asked: lead.last_enquiry_at,
        lifted: lead.lifted_at,
        stage: lead.stage,
        wait: lead.waiting,
        closed: lead.closed_at,
        enq: lead.enquiries.clone(),
        forgot: lead.forgotten_since,
        opening: lead.opening,
        join: lead.visitors_to_join.clone(),
        held: lead.holders.clone(),
        excl: lead.excluded.clone(),
        seats: lead.seats,
        lost: lead.lost_seats,
        dup: lead.possible_duplicate,
        into: lead.merged_into,
        merged: lead.merged.clone(),
        crossed: lead.crossed,
        score: lead.score.clone(),
        concl: lead.last_conclusion.clone(),
        hold: lead.hold.clone(),
        prio: lead.priority_set,
        cert: lead.certificate_warning,
        erased: lead.erased_at,
        due: lead.due,
    };
    let mut item = to_item(&Key::Lead(lead.id), &shape)?;
    index_due(&mut item, lead.id.bytes(), lead.due);
    // One that nobody has looked at yet is in no list: it is due within a minute, which finds it.
    if lead.stage != Stage::Received {
        let shard = keys::shard(lead.id.bytes()) % keys::STAGE_SHARDS;
        let partition = keys::stage_shard(&lead.company, lead.stage.as_str(), &lead.category, shard);
        item.insert("gk".to_owned(), string(partition));
        item.insert("gs".to_owned(), string(stage_sort(lead)));
    }
    // What another took in stands where that one does, and nobody looks for who was erased.
    if lead.merged_into.is_none() && lead.erased_at.is_none() {
        let shard = keys::source_shard(&lead.company, &lead.source, keys::shard(lead.id.bytes()));
        item.insert("ak".to_owned(), string(shard));
        item.insert("am".to_owned(), number(keys::source_sort(lead.last_enquiry_at, lead.id)));
    }
    Ok(item)
}

pub(super) fn index_due(item: &mut Item, id: &[u8; 16], due: Option<Timestamp>) {
    if let Some(due) = due {
        item.insert("dk".to_owned(), string(keys::due_shard(keys::shard(id))));
        item.insert("dt".to_owned(), number(due.as_millisecond()));
    }
}

pub(super) fn read_lead(item: Item) -> Result<Lead, StoreError> {
    // The sweep moves a due time forward in the index attribute alone.
    let due = super::read_number::<i64>(&item, "dt").and_then(|ms| Timestamp::from_millisecond(ms).ok());
    let shape: LeadItem = read("lead", item)?;
    Ok(Lead {
        id: shape.id,
        company: shape.co,
        scope: shape.scope.parse().map_err(|error| StoreError::damaged("lead", error))?,
        version: shape.v,
        person: shape.p,
        former: shape.was,
        offer: shape.offer,
        category: shape.cat,
        source: shape.src,
        campaign: shape.camp,
        brings: shape.brings,
        cycle: shape.cyc,
        opened_at: shape.opened,
        lifted_at: shape.lifted,
        last_enquiry_at: shape.asked,
        stage: shape.stage,
        waiting: shape.wait,
        closed_at: shape.closed,
        enquiries: shape.enq,
        forgotten_since: shape.forgot,
        opening: shape.opening,
        visitors_to_join: shape.join,
        holders: shape.held,
        excluded: shape.excl,
        seats: shape.seats,
        lost_seats: shape.lost,
        possible_duplicate: shape.dup,
        merged_into: shape.into,
        merged: shape.merged,
        crossed: shape.crossed,
        score: shape.score,
        last_conclusion: shape.concl,
        hold: shape.hold,
        priority_set: shape.prio,
        certificate_warning: shape.cert,
        erased_at: shape.erased,
        due,
    })
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields by reference")]
const fn is_none(count: &u32) -> bool {
    *count == 0
}

#[derive(Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "as of the assignment")]
struct AssignmentItem {
    id: AssignmentId,
    v: u64,
    lead: LeadId,
    co: CompanyId,
    cyc: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    enq: Option<EnquiryId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lifted: Option<Timestamp>,
    contract: ContractId,
    dealer: DealerId,
    price: Money,
    state: AssignmentState,
    res: Reservation,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pre: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<AcceptBy>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    warned: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ret: Option<Return>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    recall: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    desk: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    shadow: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    imp: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    patient: Option<Timestamp>,
    #[serde(default)]
    rb: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    st: Option<State>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bd: Option<Band>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next: Option<Timestamp>,
    offered: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    settled: Option<Timestamp>,
    state_at: Timestamp,
    /// Unix milliseconds, as the two below. Left out where `settled` says it: in the usual case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dl: Option<i64>,
    /// Left out where `state_at` says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ac: Option<i64>,
    /// The same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ct: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    chan: Option<ChannelKind>,
    #[serde(default)]
    chan_no: u8,
    #[serde(default, skip_serializing_if = "is_none")]
    chan_from: u32,
    deliv: DeliveryState,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    att: Vec<Attempt>,
    #[serde(default)]
    atts: u32,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    unk: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    won: Option<Money>,
}

pub(super) fn assignment_item(assignment: &Assignment) -> Result<Item, StoreError> {
    let shape = AssignmentItem {
        id: assignment.id,
        v: assignment.version,
        lead: assignment.lead,
        co: assignment.company.clone(),
        cyc: assignment.cycle,
        enq: assignment.enquiry,
        lifted: assignment.lifted_at,
        contract: assignment.contract.clone(),
        dealer: assignment.dealer.clone(),
        price: assignment.price,
        state: assignment.state,
        res: assignment.reservation,
        pre: assignment.prepaid,
        by: assignment.accept_by,
        warned: assignment.warned,
        ret: assignment.returned.clone(),
        recall: assignment.recalled,
        desk: assignment.by_desk,
        shadow: assignment.shadow,
        imp: assignment.imported,
        patient: assignment.patient_until,
        rb: assignment.rulebook,
        st: assignment.sold_in,
        bd: assignment.band,
        next: assignment.next_attempt_at,
        offered: assignment.offered_at,
        settled: assignment.settled_at,
        state_at: assignment.state_at,
        dl: unless(assignment.delivered_at, said_to_be_delivered(assignment)),
        ac: unless(assignment.accepted_at, said_to_be(assignment, AssignmentState::Accepted)),
        ct: unless(assignment.contacted_at, said_to_be(assignment, AssignmentState::Contacted)),
        chan: assignment.channel,
        chan_no: assignment.channel_order,
        chan_from: assignment.tried_before,
        deliv: assignment.delivery,
        att: assignment.attempts.clone(),
        atts: assignment.attempt_count,
        unk: assignment.unknown_before,
        won: assignment.won_value,
    };
    let mut item = to_item(&keys::assignment(assignment), &shape)?;
    index_due(&mut item, assignment.id.bytes(), assignment.due);
    item.insert("ik".to_owned(), string(keys::inbox(&assignment.company, &assignment.dealer)));
    let open = if assignment.state.holds() { "open" } else { "shut" };
    item.insert(
        "is".to_owned(),
        string(format!("{open}#{}", keys::sort_time(assignment.offered_at.as_millisecond()))),
    );
    Ok(item)
}

pub(super) fn read_assignment(item: Item) -> Result<Assignment, StoreError> {
    let due = super::read_number::<i64>(&item, "dt").and_then(|ms| Timestamp::from_millisecond(ms).ok());
    let shape: AssignmentItem = read("assignment", item)?;
    let (delivered, accepted, contacted) = (shape.dl, shape.ac, shape.ct);
    let at = |ms: i64| Timestamp::from_millisecond(ms).ok();
    let mut assignment = Assignment {
        id: shape.id,
        version: shape.v,
        lead: shape.lead,
        company: shape.co,
        cycle: shape.cyc,
        enquiry: shape.enq,
        lifted_at: shape.lifted,
        contract: shape.contract,
        dealer: shape.dealer,
        price: shape.price,
        state: shape.state,
        reservation: shape.res,
        prepaid: shape.pre,
        accept_by: shape.by,
        warned: shape.warned,
        returned: shape.ret,
        recalled: shape.recall,
        by_desk: shape.desk,
        shadow: shape.shadow,
        imported: shape.imp,
        patient_until: shape.patient,
        rulebook: shape.rb,
        sold_in: shape.st,
        band: shape.bd,
        next_attempt_at: shape.next,
        offered_at: shape.offered,
        settled_at: shape.settled,
        state_at: shape.state_at,
        delivered_at: delivered.and_then(at),
        accepted_at: accepted.and_then(at),
        contacted_at: contacted.and_then(at),
        channel: shape.chan,
        channel_order: shape.chan_no,
        tried_before: shape.chan_from,
        delivery: shape.deliv,
        attempts: shape.att,
        attempt_count: shape.atts,
        unknown_before: shape.unk,
        won_value: shape.won,
        due,
    };
    assignment.delivered_at = assignment.delivered_at.or_else(|| said_to_be_delivered(&assignment));
    assignment.accepted_at =
        assignment.accepted_at.or_else(|| said_to_be(&assignment, AssignmentState::Accepted));
    assignment.contacted_at =
        assignment.contacted_at.or_else(|| said_to_be(&assignment, AssignmentState::Contacted));
    Ok(assignment)
}

/// When the dealer had it, as its charge says: without a deadline that is the same moment. A lead that an earlier version
/// delivered under a deadline is taken for delivered when it was accepted.
fn said_to_be_delivered(assignment: &Assignment) -> Option<Timestamp> {
    assignment.settled_at.filter(|_| assignment.delivery == DeliveryState::Received)
}

/// When it came to this state, as the state says.
fn said_to_be(assignment: &Assignment, state: AssignmentState) -> Option<Timestamp> {
    (assignment.state == state).then_some(assignment.state_at)
}

/// A moment, unless something else says it.
fn unless(moment: Option<Timestamp>, said: Option<Timestamp>) -> Option<i64> {
    moment.filter(|_| moment != said).map(Timestamp::as_millisecond)
}

/// An enquiry as kept: what was received, and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoredEnquiry {
    /// Which.
    pub id: EnquiryId,
    /// The company.
    pub company: CompanyId,
    /// The source.
    pub source: SourceId,
    /// When it arrived.
    pub received_at: Timestamp,
    /// The fields as received, names and values.
    pub fields: Fields,
    /// What it asked for, for the reports; nothing of tests, of what was not understood, and of what an earlier version
    /// kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Asked>,
    /// What was agreed to in it, as it was read when it arrived. None of what could not be read, and of what an
    /// earlier version kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<StoredConsent>,
    /// The body as received, where it could not be read as fields.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<String>,
    /// The same as base64, where it is not UTF-8 and `raw` stands for some of its bytes with U+FFFD.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw_base64: Option<String>,
    /// The lead it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lead: Option<LeadId>,
    /// `received`, `repeat`, `quarantined`, `rejected`, `test`, `imported`, `unfetched` or `replay`.
    pub status: String,
    /// Why it is quarantined.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
    /// Where it came from: page and browser, as far as the request said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// It came in from the spill.
    #[serde(default)]
    pub spilled: bool,
    /// The browser sent `Sec-GPC: 1`.
    #[serde(default)]
    pub gpc: bool,
    /// The browser that it was linked to, where tracking is allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visitor: Option<VisitorId>,
    /// Where it is or was quarantined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quarantine: Option<Quarantine>,
    /// Where an ad platform has told of it, and what it says is still to be fetched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fetch: Option<Fetch>,
    /// The enquiry that it is: the sender sent it again, and that was taken in first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay_of: Option<EnquiryId>,
}

/// The status of what was spilled, and came in by being sent again.
pub const REPLAY: &str = "replay";

/// The status of what is still to be fetched.
pub const UNFETCHED: &str = "unfetched";

/// How fetching an enquiry fares. It is due at `next`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fetch {
    /// How often it was tried.
    pub tries: u32,
    /// When it is tried next.
    pub next: Timestamp,
    /// Since when.
    pub began: Timestamp,
}

/// The status of what waits for a verdict.
pub const QUARANTINED: &str = "quarantined";
/// The status of what the desk would not have.
pub const REJECTED: &str = "rejected";

/// The status of what was posted to a source of tests.
pub const TEST: &str = "test";

/// What the quarantine knows of an enquiry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quarantine {
    /// Doubtful or spam.
    pub verdict: Verdict,
    /// What its reasons weigh.
    #[serde(default)]
    pub weight: u32,
    /// By when the desk is to look.
    pub until: Timestamp,
    /// Nobody did.
    #[serde(default)]
    pub overdue: bool,
    /// The browser that it came from, to be linked when it is released.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visitor: Option<VisitorId>,
    /// It came with the source's secret.
    #[serde(default)]
    pub trusted: bool,
    /// The fields as the desk put them right; what was received stays beside them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited: Option<Fields>,
    /// Who decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judged: Option<Judgement>,
}

/// A verdict of the desk, or of its silence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// When.
    pub at: Timestamp,
    /// Who; nobody, when the deadline did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// What they said of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
}

impl StoredEnquiry {
    pub(super) fn item(&self) -> Result<Item, StoreError> {
        let mut item = to_item(&Key::Enquiry(self.id), self)?;
        let day = UtcDay::of(self.received_at);
        let partition = keys::arrivals_shard(&self.company, day, keys::shard(self.id.bytes()));
        item.insert("ak".to_owned(), string(partition));
        item.insert("am".to_owned(), number(self.received_at.as_millisecond()));
        if let Some(quarantine) = &self.quarantine {
            let open = self.status == QUARANTINED;
            let partition = keys::quarantine_shard(&self.company, open, keys::shard(self.id.bytes()));
            item.insert("gk".to_owned(), string(partition));
            item.insert("gs".to_owned(), string(keys::quarantine_sort(self.received_at, self.id)));
            let deadline = Some(quarantine.until).filter(|_| open && !quarantine.overdue);
            index_due(&mut item, self.id.bytes(), deadline.or_else(|| self.look_after(self.aside_since()?)));
        } else if self.status == TEST {
            // A test has no lead and no identity: here its person's erasure finds it.
            let partition = keys::tests_shard(&self.company, keys::shard(self.id.bytes()));
            item.insert("gk".to_owned(), string(partition));
            item.insert("gs".to_owned(), string(keys::quarantine_sort(self.received_at, self.id)));
            index_due(&mut item, self.id.bytes(), self.look_after(self.received_at));
        }
        if let Some(fetch) = self.fetch.as_ref().filter(|_| self.status == UNFETCHED) {
            index_due(&mut item, self.id.bytes(), Some(fetch.next));
        }
        Ok(item)
    }

    /// Since when it stands aside for good, and nothing but its retention is due: rejected, a test, or left by the
    /// desk beyond its deadline. `None` of any other.
    pub fn aside_since(&self) -> Option<Timestamp> {
        let quarantine = self.quarantine.as_ref();
        let since = match self.status.as_str() {
            TEST => Some(self.received_at),
            QUARANTINED => quarantine.filter(|one| one.overdue).map(|one| one.until),
            REJECTED => quarantine.and_then(|one| one.judged.as_ref()).map(|judged| judged.at),
            _ => None,
        };
        since.filter(|_| self.lead.is_none()).map(|since| since.max(self.received_at))
    }

    /// When its retention is looked at, after it was looked at then: as often as that of a lead.
    pub fn look_after(&self, at: Timestamp) -> Option<Timestamp> {
        at.checked_add(SignedDuration::from_hours(24 * limits::RETENTION_LOOK_DAYS)).ok()
    }

    /// The fields that count: as the desk put them right, else as received.
    pub fn meant(&self) -> &Fields {
        self.quarantine.as_ref().and_then(|quarantine| quarantine.edited.as_ref()).unwrap_or(&self.fields)
    }

    pub(super) fn read(item: Item) -> Result<Self, StoreError> {
        read("enquiry", item)
    }
}
