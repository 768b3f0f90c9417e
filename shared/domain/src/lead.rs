//! A lead: one person's interest in one scope of one company, living in sale cycles.
//!
//! A cycle opens with an enquiry and closes when it is won, lost, rejected or expired. Within the
//! window of repeats, an enquiry belongs to the open or last cycle; outside it, it opens the next.
//! Everything here is a pure transition from one [`Lead`] to the next; the store keeps each under a
//! version, so that of two who change it at once one looks again.
//!
//! | module | holds |
//! |---|---|
//! | [`merge`] | two leads become one, by the desk's hand |
//! | [`erase`] | the person goes, the lead stays as a shell |
//! | [`retention`] | how long the person of a lead that is over is kept |
//! | `lift` | the desk spoke with them, and they are interested |

pub mod merge;
pub mod erase;
pub mod retention;
mod lift;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::contract::Needs;
use crate::distribution::{Core, Kept, LeadFacts, Location, OpenSeats, Seat, Waiting};
use crate::ids::{
    AssignmentId, CategoryId, CompanyId, ContractId, DealerId, EnquiryId, LeadId, OfferId, SourceId,
    VisitorId,
};
use crate::limits;
use crate::place::{State, Zip};
use crate::scoring::{Band, HeatKey, NextStep, Priority, ScoringModel};
use crate::time::UtcDay;

words! {
    /// Where a lead stands.
    pub enum Stage as "a stage" {
        /// Kept, not decided yet: distribution is on its way.
        Received = "received",
        /// Kept aside until a person looks.
        Quarantined = "quarantined",
        /// Not ready to be sold: followed up.
        Nurturing = "nurturing",
        /// Nobody may have it now; it waits with a reason.
        Waiting = "waiting",
        /// A dealer holds it.
        Assigned = "assigned",
        /// The cycle closed: sold.
        Won = "won",
        /// The cycle closed: not sold.
        Lost = "lost",
        /// The cycle closed by time.
        Expired = "expired",
        /// The cycle closed by the desk.
        Rejected = "rejected",
    }
}

impl Stage {
    /// Whether the cycle is over.
    pub const fn closed(self) -> bool {
        matches!(self, Self::Won | Self::Lost | Self::Expired | Self::Rejected)
    }

    /// Whether nobody has it yet and somebody might.
    pub const fn in_nobodys_hands(self) -> bool {
        matches!(self, Self::Received | Self::Nurturing | Self::Waiting)
    }
}

/// What a lead's identity holds for: the category, or a single offer.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LeadScope {
    /// Every offer of a category.
    Category(CategoryId),
    /// One offer.
    Offer(OfferId),
}

impl std::fmt::Display for LeadScope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Category(id) => write!(f, "c:{id}"),
            Self::Offer(id) => write!(f, "o:{id}"),
        }
    }
}

impl std::str::FromStr for LeadScope {
    type Err = crate::error::Invalid;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            Some(("c", id)) => CategoryId::new(id).map(Self::Category),
            Some(("o", id)) => OfferId::new(id).map(Self::Offer),
            Some(_) | None => Err(crate::error::Invalid::new("a scope is c:CATEGORY or o:OFFER")),
        }
    }
}

/// A person as far as we know them: blanks are filled by repeats, nothing is overwritten until the next cycle opens. Redacted
/// in `Debug`.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contactable {
    /// First name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// Last name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// E-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Telephone, E.164.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Employer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    /// Street and number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub street: Option<String>,
    /// City.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// State.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// ZIP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zip: Option<Zip>,
}

impl std::fmt::Debug for Contactable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Contactable(…)")
    }
}

impl Contactable {
    /// Where they are, as well as we know.
    pub fn location(&self) -> Location {
        Location::of(self.zip, self.state, self.phone.as_deref().and_then(area_code))
    }

    /// Takes from `other` what is blank here.
    pub fn fill_blanks(&mut self, other: &Self) {
        fn fill<T: Clone>(blank: &mut Option<T>, other: Option<&T>) {
            if blank.is_none() {
                *blank = other.cloned();
            }
        }
        fill(&mut self.first_name, other.first_name.as_ref());
        fill(&mut self.last_name, other.last_name.as_ref());
        fill(&mut self.email, other.email.as_ref());
        fill(&mut self.phone, other.phone.as_ref());
        fill(&mut self.organization, other.organization.as_ref());
        fill(&mut self.street, other.street.as_ref());
        fill(&mut self.city, other.city.as_ref());
        fill(&mut self.state, other.state.as_ref());
        fill(&mut self.zip, other.zip.as_ref());
    }

    /// The person as news of another sale cycle describes them: what they leave blank is as it was. A place is one thing: who
    /// names another street, city, state or ZIP is nowhere else any more.
    #[must_use]
    pub fn renewed(&self, news: &Self) -> Self {
        let mut person = news.clone();
        person.fill_blanks(self);
        if news.street.is_some() || news.city.is_some() || news.state.is_some() || news.zip.is_some() {
            person.street.clone_from(&news.street);
            person.city.clone_from(&news.city);
            (person.state, person.zip) = (news.state, news.zip);
        }
        person
    }
}

/// Who a person was in the cycles before they described themselves otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Former {
    /// The last cycle of which it holds.
    #[serde(rename = "c")]
    pub cycle: u32,
    /// The person.
    #[serde(rename = "p")]
    pub person: Contactable,
}

/// A dealer that holds a seat of the open cycle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Who.
    pub dealer: DealerId,
    /// Under which contract.
    pub contract: ContractId,
    /// The seat.
    pub assignment: AssignmentId,
    /// It may have the lead again in a later cycle.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub again: bool,
    /// Where the seat stands, if it came with another lead that was merged into this one: it stays there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub came_from: Option<CycleOf>,
}

/// A sale cycle of a lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CycleOf {
    /// The lead.
    pub lead: LeadId,
    /// Its cycle.
    pub cycle: u32,
}

const fn yes() -> bool {
    true
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_yes(said: &bool) -> bool {
    *said
}

/// An enquiry as the lead remembers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnquiryRef {
    /// Which.
    pub id: EnquiryId,
    /// The day it counts as an interaction on.
    pub day: UtcDay,
}

/// What the last scoring found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScoreState {
    /// The band.
    pub band: Band,
    /// How urgent.
    pub priority: Priority,
    /// What should happen with it.
    pub next_step: NextStep,
    /// Sorts leads of a fit letter by engagement, whenever it is read.
    pub heat: i64,
    /// The version of the model.
    pub model: String,
    /// Whole points as of `at`.
    pub points: i64,
    /// When.
    pub at: Timestamp,
}

impl ScoreState {
    /// The score as of another day, without looking at the interactions: fit stays, engagement fades. Of another model
    /// than this one it is what was found last.
    pub fn on(&self, model: &ScoringModel, version: &str, today: UtcDay) -> ScoreNow {
        if self.model != version {
            let hundredths = u64::try_from(self.points).unwrap_or(0).saturating_mul(100);
            let Self { band, priority, next_step, .. } = *self;
            return ScoreNow { hundredths, band, priority, next_step };
        }
        let points = HeatKey::from_number(self.heat).points_on(today, model.half_life_days());
        let band = Band { fit: self.band.fit, engagement: model.bands.engagement.digit(points) };
        ScoreNow {
            hundredths: (model.fit_points.of(band.fit) + points).hundredths(),
            band,
            priority: model.priority.of(band),
            next_step: model.next_step.of(band),
        }
    }
}

/// What a lead is worth as of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScoreNow {
    /// The score, in hundredths of a point.
    pub hundredths: u64,
    /// Fit and engagement in one grid.
    pub band: Band,
    /// How urgent it is, by its band.
    pub priority: Priority,
    /// What should happen, by its band.
    pub next_step: NextStep,
}

/// A lead with its open (or last) sale cycle.
#[derive(Clone, Debug, PartialEq)]
pub struct Lead {
    /// Which.
    pub id: LeadId,
    /// Whose.
    pub company: CompanyId,
    /// What its identity holds for.
    pub scope: LeadScope,
    /// Counts writes; the store refuses one that did not see the last.
    pub version: u64,
    /// The person, as of the cycle.
    pub person: Contactable,
    /// The person as of cycles before, the newest [`limits::FORMER_PERSONS`]: who bought one of those sees nothing of what
    /// was said since.
    pub former: Vec<Former>,
    /// What it signed up for, as of the enquiry that opened the cycle.
    pub offer: OfferId,
    /// The offer's category.
    pub category: CategoryId,
    /// The source of that enquiry.
    pub source: SourceId,
    /// Its campaign, as the UTM parameters of the touch it is credited to name it.
    pub campaign: Option<String>,
    /// What it brings of what contracts may need.
    pub brings: Needs,
    /// The sale cycle, 1 first.
    pub cycle: u32,
    /// When the cycle opened.
    pub opened_at: Timestamp,
    /// When the desk lifted it into the cycle, if no enquiry opened that.
    pub lifted_at: Option<Timestamp>,
    /// When it last asked.
    pub last_enquiry_at: Timestamp,
    /// Where it stands.
    pub stage: Stage,
    /// Why it waits; of an assigned one, why a further seat is kept empty.
    pub waiting: Option<Waiting>,
    /// When it closed.
    pub closed_at: Option<Timestamp>,
    /// Its enquiries, the newest [`limits::ENQUIRIES_ON_LEAD`].
    pub enquiries: Vec<EnquiryRef>,
    /// The day of the first that it does not remember, where there are such.
    pub forgotten_since: Option<UtcDay>,
    /// The enquiry that opened the cycle: what the dealer is sent.
    pub opening: EnquiryId,
    /// Visitors whose earlier interactions are to be joined to this lead's.
    pub visitors_to_join: Vec<VisitorId>,
    /// Who holds it.
    pub holders: Vec<Holder>,
    /// Who had it in this cycle.
    pub excluded: Vec<DealerId>,
    /// Seats the first contract of the cycle fixed, and whether it was protected.
    pub seats: Option<(u8, bool)>,
    /// Seats of the cycle whose holder did not sell: given, and not to be given again.
    pub lost_seats: u8,
    /// Somebody else may be the same person.
    pub possible_duplicate: bool,
    /// The desk merged it into this lead, which goes on for both.
    pub merged_into: Option<LeadId>,
    /// Leads that were merged into it, and those that had been merged into them.
    pub merged: Vec<LeadId>,
    /// What the last scoring found.
    pub score: Option<ScoreState>,
    /// It has reached its offer's band in this cycle: fading since does not take it back.
    pub crossed: bool,
    /// The last decision's conclusion, so that only a changed one is recorded again.
    pub last_conclusion: Option<String>,
    /// The desk keeps it from distribution.
    pub hold: Option<Hold>,
    /// The desk's word on how urgent it is, over what scoring says.
    pub priority_set: Option<Priority>,
    /// When the desk is to be told that the consent's certificate expires soon; nothing, where there is none, or it was
    /// told.
    pub certificate_warning: Option<Timestamp>,
    /// Its person was erased then: it is a shell, and nobody's any more.
    pub erased_at: Option<Timestamp>,
    /// When it must be looked at next.
    pub due: Option<Timestamp>,
}

/// The desk keeps a lead from distribution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Until then; until the desk lets it go, if `None`.
    pub until: Option<Timestamp>,
}

/// What an enquiry brings to a lead.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// The enquiry.
    pub enquiry: EnquiryId,
    /// When.
    pub at: Timestamp,
    /// The person as it describes them.
    pub person: Contactable,
    /// What for.
    pub offer: OfferId,
    /// In which category.
    pub category: CategoryId,
    /// From where.
    pub source: SourceId,
    /// Its campaign.
    pub campaign: Option<String>,
    /// What it brings.
    pub brings: Needs,
    /// From when on to warn that its certificate expires, if one comes with it.
    pub certificate_warning: Option<Timestamp>,
    /// The visitor that sent it, where tracking is allowed.
    pub visitor: Option<VisitorId>,
}

/// How an enquiry met a lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Met {
    /// A repeat within the open or last cycle.
    Repeat,
    /// It opened the next cycle.
    NewCycle,
}

/// The last conclusion of a lead that was rejected for its person.
const SUPPRESSED: &str = "suppressed";

/// How soon after a commit the sweep looks, should the queue's message be lost.
const GRACE: SignedDuration = SignedDuration::from_secs(45);

impl Lead {
    /// The lead that this enquiry opens.
    pub fn open(company: CompanyId, scope: LeadScope, arrival: &Arrival) -> Self {
        Self {
            id: LeadId::opened_by(arrival.enquiry),
            company,
            scope,
            version: 0,
            person: arrival.person.clone(),
            former: Vec::new(),
            offer: arrival.offer.clone(),
            category: arrival.category.clone(),
            source: arrival.source.clone(),
            campaign: arrival.campaign.clone(),
            brings: arrival.brings,
            cycle: 1,
            opened_at: arrival.at,
            lifted_at: None,
            last_enquiry_at: arrival.at,
            stage: Stage::Received,
            waiting: None,
            closed_at: None,
            enquiries: vec![EnquiryRef { id: arrival.enquiry, day: UtcDay::of(arrival.at) }],
            forgotten_since: None,
            opening: arrival.enquiry,
            visitors_to_join: arrival.visitor.into_iter().collect(),
            holders: Vec::new(),
            excluded: Vec::new(),
            seats: None,
            lost_seats: 0,
            possible_duplicate: false,
            merged_into: None,
            merged: Vec::new(),
            score: None,
            crossed: false,
            last_conclusion: None,
            hold: None,
            priority_set: None,
            certificate_warning: arrival.certificate_warning,
            erased_at: None,
            due: Some(soon(arrival.at)),
        }
    }

    /// Whether nobody has written it since its first enquiry opened it.
    pub const fn is_as_opened(&self) -> bool {
        self.version == 0
    }

    /// Whether the window of repeats is over.
    pub fn outside_window(&self, at: Timestamp, window_days: u16) -> bool {
        at.duration_since(self.last_enquiry_at) > SignedDuration::from_hours(24 * i64::from(window_days))
    }

    /// Whether another enquiry of the same person would open the next cycle, and not repeat this one.
    pub fn opens_next_cycle(&self, at: Timestamp, window_days: u16) -> bool {
        // One that expired without a holder is nobody's, whatever the window says by now.
        let nobodys = self.stage == Stage::Expired && self.holders.is_empty();
        nobodys || self.outside_window(at, window_days)
    }

    /// Takes in another enquiry of the same person: a repeat, or the opening of the next cycle.
    pub fn take(&mut self, arrival: &Arrival, window_days: u16) -> Met {
        let new_cycle = self.opens_next_cycle(arrival.at, window_days);
        if new_cycle {
            self.renew_person(&arrival.person);
        } else {
            self.person.fill_blanks(&arrival.person);
        }
        self.remember([EnquiryRef { id: arrival.enquiry, day: UtcDay::of(arrival.at) }]);
        if let Some(visitor) = arrival.visitor
            && !self.visitors_to_join.contains(&visitor)
            && self.visitors_to_join.len() < limits::VISITORS_PER_LEAD
        {
            self.visitors_to_join.push(visitor);
        }
        // Two machines' clocks may disagree; the window never moves back.
        self.last_enquiry_at = self.last_enquiry_at.max(arrival.at);
        if new_cycle {
            self.next_cycle(arrival);
            return Met::NewCycle;
        }
        // What completes the form, and nothing else: what a step brings is sold with what it says.
        if self.form_steps().any(|step| step == arrival.enquiry) && arrival.source == self.source {
            // Consent may stand on the last page of a form whose first asked for the e-mail.
            self.brings = self.brings.and(arrival.brings);
            self.certificate_warning = self.certificate_warning.or(arrival.certificate_warning);
        }
        // A repeat is worth points: distribution scores it again. One that is assigned stays so, and so does one that was
        // lost, which is followed up at once.
        let lost = self.stage == Stage::Lost && self.is_kept();
        if lost || !self.stage.closed() && self.stage != Stage::Quarantined {
            self.due = Some(self.due.map_or(soon(arrival.at), |due| due.min(soon(arrival.at))));
        }
        Met::Repeat
    }

    /// The person as news of the next cycle describe them, before it has begun. Who they were stays with the cycles before.
    fn renew_person(&mut self, news: &Contactable) {
        let person = self.person.renewed(news);
        if person == self.person {
            return;
        }
        let person = std::mem::replace(&mut self.person, person);
        self.former.push(Former { cycle: self.cycle, person });
        let surplus = self.former.len().saturating_sub(limits::FORMER_PERSONS);
        self.former.drain(..surplus);
    }

    /// The person as a cycle sold them.
    pub fn person_in(&self, of: CycleOf) -> &Contactable {
        let before = |former: &&Former| of.lead == self.id && of.cycle <= former.cycle;
        self.former.iter().find(before).map_or(&self.person, |former| &former.person)
    }

    /// Takes up enquiries, and forgets the oldest beyond [`limits::ENQUIRIES_ON_LEAD`]: whoever needs those finds them among
    /// what arrived from the day of the first of them to that of the first it remembers.
    pub(crate) fn remember(&mut self, enquiries: impl IntoIterator<Item = EnquiryRef>) {
        self.enquiries.extend(enquiries);
        // The ids of a day sort by arrival, but for those of a file's rows and an ad platform's.
        self.enquiries.sort_by_key(|enquiry| (enquiry.day, enquiry.id));
        self.enquiries.dedup();
        let surplus = self.enquiries.len().saturating_sub(limits::ENQUIRIES_ON_LEAD);
        let forgotten = self.enquiries.drain(..surplus).map(|enquiry| enquiry.day).min();
        self.forgotten_since = self.forgotten_since.into_iter().chain(forgotten).min();
    }

    /// The enquiries that may be further steps of the form whose first opened the cycle: those that followed
    /// within [`limits::FORM_MINUTES`], the first few. What they say completes it; whether they are of the same
    /// source, and of this lead, is theirs to say.
    pub fn form_steps(&self) -> impl Iterator<Item = EnquiryId> {
        let steps = self.enquiries.iter().map(|enquiry| enquiry.id).filter(|id| self.is_step(*id));
        steps.take(limits::FORM_STEPS)
    }

    fn is_step(&self, enquiry: EnquiryId) -> bool {
        // The id of a file's row says nothing of when it arrived.
        let opened_ms = self.opening.minted_ms();
        let after_ms = enquiry.minted_ms() - opened_ms;
        opened_ms > 0 && enquiry != self.opening && (0..=limits::FORM_MINUTES * 60_000).contains(&after_ms)
    }

    fn next_cycle(&mut self, arrival: &Arrival) {
        self.offer = arrival.offer.clone();
        self.category = arrival.category.clone();
        self.source = arrival.source.clone();
        self.campaign = arrival.campaign.clone();
        self.brings = arrival.brings;
        self.opened_at = arrival.at;
        self.opening = arrival.enquiry;
        self.begin_again(arrival.at);
        self.certificate_warning = arrival.certificate_warning;
    }

    /// The next cycle begins, of which nobody knows anything yet.
    fn begin_again(&mut self, at: Timestamp) {
        self.cycle += 1;
        self.stage = Stage::Received;
        self.waiting = None;
        self.closed_at = None;
        self.lifted_at = None;
        self.excluded = self.holders.drain(..).filter(|last| !last.again).map(|last| last.dealer).collect();
        self.seats = None;
        self.lost_seats = 0;
        self.crossed = false;
        self.last_conclusion = None;
        self.hold = None;
        self.priority_set = None;
        self.certificate_warning = None;
        self.due = Some(soon(at));
    }

    /// What a decision sees.
    pub fn facts(&self, band: Band) -> LeadFacts {
        let holders: Vec<DealerId> = self.holders.iter().map(|holder| holder.dealer.clone()).collect();
        let given = self.lost_seats.saturating_add(holders.len() as u8);
        let open_seats = self.seats.filter(|_| given > 0).map(|(of, protected)| OpenSeats {
            of,
            free: of.saturating_sub(given),
            protected,
        });
        LeadFacts {
            lead: self.id,
            cycle: self.cycle,
            offer: self.offer.clone(),
            category: self.category.clone(),
            source: self.source.clone(),
            opened_at: self.opened_at,
            location: self.location(),
            band,
            brings: self.brings,
            excluded: self.excluded.clone(),
            holders,
            open_seats,
        }
    }

    /// The same under a rulebook: see [`Lead::category_under`].
    pub fn facts_under(&self, core: &Core, band: Band) -> LeadFacts {
        LeadFacts { category: self.category_under(core).clone(), ..self.facts(band) }
    }

    /// In which category a rulebook has its contracts: the offer's, which may have moved to another since the lead
    /// came; of an offer that left, the lead's own.
    pub fn category_under<'a>(&'a self, core: &'a Core) -> &'a CategoryId {
        core.offer(&self.offer).map_or(&self.category, |offer| &offer.category)
    }

    /// Where a holder's seat stands.
    pub fn cycle_of(&self, holder: &Holder) -> CycleOf {
        holder.came_from.unwrap_or(CycleOf { lead: self.id, cycle: self.cycle })
    }

    /// Where it is, as well as we know.
    pub fn location(&self) -> Location {
        self.person.location()
    }

    /// Whether the desk keeps it, and until when.
    pub fn held_back(&self, now: Timestamp) -> Option<&Hold> {
        self.hold.as_ref().filter(|hold| hold.until.is_none_or(|until| now < until))
    }

    /// How urgent it is: the desk's word, else the score's.
    pub fn priority(&self) -> Option<Priority> {
        self.priority_set.or(self.score.as_ref().map(|score| score.priority))
    }

    /// Whether there is a seat to give: nobody holds it, a shared lead lost a holder, or a further seat is
    /// kept for somebody.
    pub fn wants_distribution(&self) -> bool {
        match self.stage {
            Stage::Received | Stage::Waiting | Stage::Nurturing => true,
            Stage::Assigned => self.waiting.is_some(),
            Stage::Quarantined | Stage::Won | Stage::Lost | Stage::Expired | Stage::Rejected => false,
        }
    }

    /// The seats are given; a further one may be kept.
    pub fn assign(&mut self, seats: &[(Seat, AssignmentId)], kept: Option<Kept>, now: Timestamp) {
        if let Some((first, _)) = seats.first()
            && self.holders.is_empty()
            && self.lost_seats == 0
        {
            self.seats = Some((first.seats, first.protected));
        }
        self.holders.extend(seats.iter().map(|(seat, assignment)| Holder {
            dealer: seat.dealer.clone(),
            contract: seat.contract.clone(),
            assignment: *assignment,
            again: seat.again,
            came_from: None,
        }));
        self.rest_assigned();
        if let Some(Kept { reason, until }) = kept {
            self.keep_seat(reason, until, now);
        }
    }

    /// Others hold it, and nobody is waited for: a seat that came back and finds no taker at once stays empty.
    pub fn rest_assigned(&mut self) {
        self.stage = Stage::Assigned;
        self.waiting = None;
        let over = self.held_until();
        self.due = Some(self.certificate_warning.map_or(over, |warning| warning.min(over)));
    }

    /// Others hold it, and a seat is kept. The waiting room wakes those whom nobody holds: this one looks by
    /// itself whether somebody may have it.
    fn keep_seat(&mut self, reason: Waiting, until: Option<Timestamp>, now: Timestamp) {
        let looks_every = match reason {
            // The desk's, until it places it: only a publish can change that.
            Waiting::Manual => SignedDuration::from_hours(24),
            Waiting::Unplaced | Waiting::Stopped | Waiting::Shadow | Waiting::Held | Waiting::For(_) => {
                SignedDuration::from_mins(limits::KEPT_SEAT_LOOK_MINUTES)
            }
        };
        self.stage = Stage::Assigned;
        self.waiting = Some(reason);
        let next_look = now.checked_add(looks_every).unwrap_or(now);
        let due = until.unwrap_or(next_look).clamp(now + SignedDuration::from_secs(1), next_look);
        self.due = Some(due.min(self.held_until()));
    }

    /// It waits; of a lead that others hold, the seat that is left.
    pub fn wait(&mut self, reason: Waiting, until: Option<Timestamp>, window_days: u16, now: Timestamp) {
        if !self.holders.is_empty() {
            return self.keep_seat(reason, until, now);
        }
        self.stage = Stage::Waiting;
        self.waiting = Some(reason);
        let expires = self.expires_at(window_days);
        let looks_again = until.unwrap_or(expires).max(now + SignedDuration::from_secs(1));
        self.due = Some(looks_again.min(expires.max(now + SignedDuration::from_secs(1))));
    }

    /// It is not ready to be sold.
    pub fn nurture(&mut self, window_days: u16) {
        self.stage = Stage::Nurturing;
        self.waiting = None;
        self.due = Some(self.expires_at(window_days));
    }

    /// When the cycle expires in nobody's hands: at the window's end.
    pub fn expires_at(&self, window_days: u16) -> Timestamp {
        after_days(self.last_enquiry_at, i64::from(window_days)).unwrap_or(self.last_enquiry_at)
    }

    /// Whether time has closed the cycle.
    pub fn has_expired(&self, window_days: u16, now: Timestamp) -> bool {
        match self.stage {
            // A shared lead that lost one of its holders is looked at again, and is still held.
            Stage::Received | Stage::Nurturing | Stage::Waiting if self.holders.is_empty() => {
                now >= self.expires_at(window_days)
            }
            Stage::Received | Stage::Nurturing | Stage::Waiting | Stage::Assigned => now >= self.held_until(),
            Stage::Quarantined | Stage::Won | Stage::Lost | Stage::Expired | Stage::Rejected => false,
        }
    }

    /// When a held lead without an outcome expires. Whoever was given it last has it for as long, however late in the
    /// window that was.
    pub fn held_until(&self) -> Timestamp {
        let given = self.holders.iter().map(|holder| holder.assignment.minted_ms()).max();
        let given = given.and_then(|ms| Timestamp::from_millisecond(ms).ok());
        let since = self.last_enquiry_at.max(self.opened_at);
        let since = given.map_or(since, |given| given.max(since));
        after_days(since, limits::HELD_DAYS).unwrap_or(since)
    }

    /// A seat came back: its dealer is excluded, and the lead goes to distribution again.
    pub fn give_back(&mut self, assignment: AssignmentId, now: Timestamp) {
        let Some(at) = self.holders.iter().position(|holder| holder.assignment == assignment) else { return };
        let holder = self.holders.remove(at);
        if !self.excluded.contains(&holder.dealer) {
            self.excluded.push(holder.dealer);
        }
        if self.erased_at.is_some() {
            self.settle_erased(now);
        } else if !self.stage.closed() {
            self.stage = Stage::Received;
            self.waiting = None;
            self.last_conclusion = None;
            self.due = Some(soon(now));
        }
    }

    /// One of several holders did not sell: its seat stays given, and it does not get the lead again.
    pub fn lose_seat(&mut self, assignment: AssignmentId) {
        let Some(at) = self.holders.iter().position(|holder| holder.assignment == assignment) else { return };
        let holder = self.holders.remove(at);
        self.lost_seats = self.lost_seats.saturating_add(1);
        if !self.excluded.contains(&holder.dealer) {
            self.excluded.push(holder.dealer);
        }
    }

    /// The same of the last holder, while a seat is kept for somebody or came back: the lead goes to distribution with that.
    pub fn lose_last_seat(&mut self, assignment: AssignmentId, now: Timestamp) {
        self.lose_seat(assignment);
        self.stage = Stage::Received;
        self.waiting = None;
        self.last_conclusion = None;
        self.due = Some(soon(now));
    }

    /// Its person is not to be taken in any more: what nobody holds is rejected. `false` of what somebody holds,
    /// has held, or a person is still to look at.
    pub fn suppress(&mut self, now: Timestamp) -> bool {
        let open = self.stage.in_nobodys_hands() && self.holders.is_empty();
        if open {
            self.close(Stage::Rejected, now);
            self.last_conclusion = Some(SUPPRESSED.to_owned());
        }
        open
    }

    /// Whether it was rejected for its person, and not by the desk.
    pub fn is_suppressed(&self) -> bool {
        self.merged_into.is_none()
            && self.stage == Stage::Rejected
            && self.last_conclusion.as_deref() == Some(SUPPRESSED)
    }

    /// What the desk rejected goes to distribution after all.
    pub fn reopen(&mut self, now: Timestamp) {
        // Whoever had a lead that was merged into it has it no more.
        for holder in std::mem::take(&mut self.holders) {
            if !self.excluded.contains(&holder.dealer) {
                self.excluded.push(holder.dealer);
            }
        }
        self.stage = Stage::Received;
        self.closed_at = None;
        self.last_conclusion = None;
        self.due = Some(soon(now));
    }

    /// The cycle closes. What is due from now on is to ask how long its person is kept.
    pub fn close(&mut self, stage: Stage, now: Timestamp) {
        self.stage = stage;
        self.waiting = None;
        self.closed_at = Some(now);
        self.rest_closed(now);
    }
}

/// The area code of an E.164 number of the North American plan.
fn area_code(phone: &str) -> Option<u16> {
    phone.strip_prefix("+1")?.get(..3)?.parse().ok()
}

fn soon(at: Timestamp) -> Timestamp {
    at.checked_add(GRACE).unwrap_or(at)
}

fn after_days(at: Timestamp, days: i64) -> Option<Timestamp> {
    at.checked_add(SignedDuration::from_hours(24 * days)).ok()
}

words! {
    /// A seat's state, from offered to closed.
    pub enum AssignmentState as "an assignment's state" {
        /// The dealer has been chosen; settled once delivered.
        Offered = "offered",
        /// The dealer said yes.
        Accepted = "accepted",
        /// The dealer said no.
        Declined = "declined",
        /// The deadline passed.
        Lapsed = "lapsed",
        /// The dealer gave it back, and the desk agreed.
        Returned = "returned",
        /// We took it back.
        Withdrawn = "withdrawn",
        /// The dealer reached the person.
        Contacted = "contacted",
        /// Sold.
        Won = "won",
        /// Not sold.
        Lost = "lost",
    }
}

impl AssignmentState {
    /// Whether the dealer holds the lead in this state.
    pub const fn holds(self) -> bool {
        matches!(self, Self::Offered | Self::Accepted | Self::Contacted | Self::Won)
    }
}

words! {
    /// What a dealer says of a lead it holds.
    pub enum Answer as "an answer" {
        /// Takes it.
        Accept = "accept",
        /// Does not want it.
        Decline = "decline",
        /// Reached the person.
        Contacted = "contacted",
        /// Sold.
        Won = "won",
        /// Did not sell.
        Lost = "lost",
    }
}

impl Answer {
    /// The state that an offer takes on by it.
    pub const fn leads_to(self) -> AssignmentState {
        match self {
            Self::Accept => AssignmentState::Accepted,
            Self::Decline => AssignmentState::Declined,
            Self::Contacted => AssignmentState::Contacted,
            Self::Won => AssignmentState::Won,
            Self::Lost => AssignmentState::Lost,
        }
    }
}

/// What an answer makes of a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answered {
    /// It moves there.
    To(AssignmentState),
    /// It stands there already: a second click.
    Already,
    /// It does not fit.
    Refused,
}

impl AssignmentState {
    /// What follows when the dealer answers.
    ///
    /// An outcome implies acceptance: a dealer that reports `won` from its own system need not have
    /// clicked `accept`. What was accepted cannot be declined; it can be returned.
    pub const fn answer(self, answer: Answer) -> Answered {
        use Answered::{Already, Refused, To};
        match (self, answer) {
            (Self::Offered, _)
            | (Self::Accepted, Answer::Contacted)
            | (Self::Accepted | Self::Contacted, Answer::Won | Answer::Lost) => To(answer.leads_to()),
            (Self::Accepted | Self::Contacted | Self::Won | Self::Lost, Answer::Accept)
            | (Self::Declined, Answer::Decline)
            | (Self::Contacted, Answer::Contacted)
            | (Self::Won, Answer::Won)
            | (Self::Lost, Answer::Lost) => Already,
            (
                Self::Accepted
                | Self::Declined
                | Self::Lapsed
                | Self::Returned
                | Self::Withdrawn
                | Self::Contacted
                | Self::Won
                | Self::Lost,
                Answer::Accept | Answer::Decline | Answer::Contacted | Answer::Won | Answer::Lost,
            ) => Refused,
        }
    }
}

#[cfg(test)]
mod tests;
