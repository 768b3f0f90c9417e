//! A person goes, everywhere in a company, whatever interrupts it.
//!
//! An erasure is written to the ledger first, with a due time; then its work is done, at once by whoever was asked
//! and, should that one end in between, by the sweep. Every step may be done twice. The order is this:
//!
//! 1. *Found*: all leads of theirs, what they were known by, what stands aside ([`person`](crate::person)). The
//!    ledger has it before anything goes, so that whoever comes after knows as much.
//! 2. *Forgotten*: what they sent before and arrives later is not taken in; with `suppress` neither is what comes
//!    after, but into quarantine, as of anybody on the list.
//! 3. *Shells*: each lead loses its person and what leads to it in one commit, on its version: a repeat, a merge or a
//!    sale at the same moment comes before, and is found, or after, and finds nobody.
//! 4. *Holders*: whoever has or had a lead is told `lead.erased` by their channel, as patiently as of a withdrawal.
//! 5. *The rest*: browsers, activity, answers, notes, messages under way; last the enquiries, which lead to them.
//! 6. *Once more*, an hour later ([`limits::ERASURE_AGAIN_MINUTES`]): what was under way has arrived by then.
//!
//! # Determinations
//!
//! - *A seat that nobody has accepted* is withdrawn without charge: its slot comes back, and what was charged when it
//!   arrived is credited, since its dealer may not use what it paid for. The dealer is told `lead.erased`, and no
//!   `lead.withdrawn` besides. One that is being delivered at this moment is waited for: its erasure would arrive
//!   first.
//! - *What a dealer has accepted* stays that dealer's, who is told; its charge stands.
//! - *Whoever has a lead from elsewhere* (imported, or placed in shadow mode) is told nothing by us, who never sent
//!   it: the answer names them, to be told by hand.
//! - *Decisions, charges, counts and outcomes* stay: they name nobody. So does the mark of an imported row, a keyed
//!   hash: the same file does not bring its person back.
//! - *Whoever shares a phone* with them is somebody else: that phone neither suppresses nor forgets.
//! - *Answers to idempotency keys* hold ids alone, and expire within four days; counts of screening are keyed hashes that
//!   expire within the hour.
//! - *By retention* nobody is told, and nobody suppressed: nobody asked for anything. Where time alone erases
//!   ([`retention`](crate::retention)) seats stay as they are as well, and only what was sent until then is
//!   forgotten; whoever asks again before their lead is a shell stays.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use leadyard_domain::assignment::{Assignment, DeliveryState};
use leadyard_domain::delivery::Event;
use leadyard_domain::erasure::ErasureReason;
use leadyard_domain::ids::{CompanyId, DealerId, EnquiryId, ErasureId, LeadId};
use leadyard_domain::lead::AssignmentState;
use leadyard_domain::ledger::{CreditReason, Line};
use leadyard_domain::limits;

use crate::cloud::Cloud;
use crate::person::{Person, SeekError, Sought, TheirLead};
use crate::retention;
use crate::store::{Changes, Delivery, Erasure, Gone, List, StoreError, Suppression};

/// How often a step looks again when others were first, within one go.
const ROUNDS: usize = 8;
/// How often everything is looked through.
const PASSES: u8 = 2;
/// How soon the sweep looks, should whoever works on it end before it is done.
const GRACE: SignedDuration = SignedDuration::from_secs(60);

/// Whom to erase, and how.
#[derive(Clone, Debug)]
pub struct Asked {
    /// By whom.
    pub by: String,
    /// Why.
    pub reason: ErasureReason,
    /// They are not to be taken in again.
    pub suppress: bool,
    /// Whoever has or had them is told.
    pub tell: bool,
    /// Enquiries without a lead that the desk knows to be theirs.
    pub enquiries: BTreeSet<EnquiryId>,
}

/// What becomes of a seat whose person is erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeatFate {
    /// Its dealer never had anything: it ends.
    Ends,
    /// It ends, and its dealer is told.
    EndsTold,
    /// It stays, and its dealer is told.
    StaysTold,
    /// Its dealer has the lead from elsewhere: to be told by hand.
    ByHand,
    /// It is over, and its dealer never had anything.
    Over,
}

/// What becomes of a seat; see the module.
pub fn fate_of_seat(seat: &Assignment, story_deliveries: &[Delivery]) -> SeatFate {
    if seat.shadow || seat.imported {
        return SeatFate::ByHand;
    }
    let copied = story_deliveries.iter().any(|message| {
        message.assignment == seat.id && message.event == Event::Assigned && !message.attempts.is_empty()
    });
    let had = seat.attempt_count > 0 || seat.delivery == DeliveryState::Received || copied;
    // One that is being withdrawn from already goes its own way.
    let open = seat.state == AssignmentState::Offered
        && matches!(seat.delivery, DeliveryState::Pending | DeliveryState::Received);
    match (open, had) {
        (true, true) => SeatFate::EndsTold,
        (true, false) => SeatFate::Ends,
        (false, true) => SeatFate::StaysTold,
        (false, false) => SeatFate::Over,
    }
}

impl Erasure {
    /// Of this person, as found; due at once.
    pub fn of(cloud: &Cloud, company: &CompanyId, person: &Person, asked: &Asked) -> Self {
        let at = cloud.clock.now();
        Self {
            id: ErasureId::mint(at, cloud.entropy.bytes()),
            company: company.clone(),
            at,
            by: asked.by.clone(),
            reason: asked.reason,
            people: person.people.clone(),
            shared: person.shared.clone(),
            surnames: person.surnames.clone(),
            leads: person.leads.keys().copied().collect(),
            enquiries: asked.enquiries.clone(),
            over_by: None,
            suppress: asked.suppress,
            tell: asked.tell,
            passes: 0,
            gone: Gone::default(),
            v: 0,
            due: at.checked_add(GRACE).ok(),
        }
    }

    /// Of this person, whose leads were all over by then: by nobody's word, and due at once.
    pub fn by_time(cloud: &Cloud, company: &CompanyId, person: &Person, over_by: Timestamp) -> Self {
        let asked = Asked {
            by: "leadyard".to_owned(),
            reason: ErasureReason::Retention,
            suppress: false,
            tell: false,
            enquiries: BTreeSet::new(),
        };
        let erasure = Self::of(cloud, company, person, &asked);
        Self { over_by: Some(over_by), due: Some(erasure.at), ..erasure }
    }

    /// What they sent until then is erased.
    pub fn sent_until(&self) -> Timestamp {
        self.over_by.unwrap_or(self.at)
    }

    /// Whether everything was looked through for the last time.
    pub const fn is_done(&self) -> bool {
        self.due.is_none()
    }
}

/// What one go came to.
enum Went {
    /// All that was found is gone.
    Through,
    /// Somebody else was first: at once again.
    Again,
    /// Something is being delivered at this moment.
    Waits(SignedDuration),
}

impl Cloud {
    /// Goes on with an erasure, as far as it comes now. What it could not do stays due.
    pub async fn erasure_go_on(&self, company: &CompanyId, id: ErasureId) -> Result<(), SeekError> {
        let mut passes = None;
        for round in 0..ROUNDS {
            if round > 0 {
                tokio::time::sleep(self.entropy.between_ms(5, 60)).await;
            }
            let Some(mut erasure) = self.store.erasure_get(company, id).await? else { return Ok(()) };
            // The last look is for what was under way: it is never part of the first.
            let went_through = *passes.get_or_insert(erasure.passes) != erasure.passes;
            if erasure.is_done() || went_through {
                return Ok(());
            }
            let went = match self.erase_once(&mut erasure).await {
                Err(SeekError::Store(StoreError::Contended)) => Went::Again,
                went => went?,
            };
            let wait = match went {
                Went::Again => continue,
                Went::Waits(wait) => wait,
                Went::Through => {
                    erasure.passes += 1;
                    SignedDuration::from_mins(limits::ERASURE_AGAIN_MINUTES)
                }
            };
            let next = self.clock.now().checked_add(wait).ok();
            erasure.due = next.filter(|_| erasure.passes < PASSES);
            if self.store.erasure_save(&erasure).await? {
                tracing::info!(
                    erasure.id = %id, company.id = %company, erasure.passes = erasure.passes,
                    erasure.done = erasure.is_done(), "an erasure went on"
                );
                return Ok(());
            }
        }
        // It stays due.
        Err(SeekError::Store(StoreError::Contended))
    }

    async fn erase_once(&self, erasure: &mut Erasure) -> Result<Went, SeekError> {
        let mut person = self.person(&erasure.company, &Sought::of(erasure)).await?;
        if let Some(over_by) = erasure.over_by
            && !spare_who_came_back(&mut person, over_by)
        {
            tracing::info!(erasure.id = %erasure.id, "whoever was to be erased by time is known again");
            return Ok(Went::Through);
        }
        if extend(erasure, &person) {
            // Known before anything goes.
            if !self.store.erasure_save(erasure).await? {
                return Ok(Went::Again);
            }
            erasure.v += 1;
        }
        self.forget(erasure).await?;
        for theirs in person.leads.values() {
            let mut shell = theirs.story.lead.clone();
            if shell.is_erased() {
                continue;
            }
            shell.erase(erasure.at);
            if !self.store.lead_erase(&shell, &theirs.known_by).await? {
                return Ok(Went::Again);
            }
        }
        erasure.gone.leads = person.leads.len() as u32;
        let mut waits = None;
        for theirs in person.leads.values() {
            waits = waits.max(self.release_seats(erasure, theirs.story.lead.id).await?);
        }
        for visit in &person.visits {
            self.store.item_delete(visit).await?;
            erasure.gone.visits += 1;
        }
        for theirs in person.leads.values() {
            if !self.tidy(erasure, theirs).await? {
                return Ok(Went::Again);
            }
        }
        for enquiry in &person.aside {
            self.store.enquiry_delete(enquiry.id).await?;
            erasure.gone.enquiries += 1;
        }
        Ok(waits.map_or(Went::Through, Went::Waits))
    }

    /// What they sent and arrives later is not taken in; with `suppress` nor what comes after.
    async fn forget(&self, erasure: &Erasure) -> Result<(), StoreError> {
        const REASON: &str = "erased";
        for hash in &erasure.people {
            self.store.forget(hash, erasure.sent_until()).await?;
            if erasure.suppress {
                let on = Suppression::On(Some(REASON));
                self.store.identity_list(List::Suppressed, hash, on, erasure.at).await?;
            }
        }
        Ok(())
    }

    /// Ends what nobody accepted, and tells whoever has or had it; how long to wait for what is under way.
    async fn release_seats(
        &self,
        erasure: &Erasure,
        lead: LeadId,
    ) -> Result<Option<SignedDuration>, StoreError> {
        if erasure.over_by.is_some() {
            // It was over: who has it, and what they owe for it, is settled.
            return Ok(None);
        }
        // As it stands since the shell does.
        let Some(story) = self.store.lead_story(lead).await? else { return Ok(None) };
        let mut waits = None;
        for seat in &story.assignments {
            let fate = fate_of_seat(seat, &story.deliveries);
            let ends = matches!(fate, SeatFate::Ends | SeatFate::EndsTold);
            if ends {
                let now = self.clock.now();
                if let Some(until) = under_way(seat, &story.deliveries, now) {
                    waits = waits.max(Some(until.duration_since(now)));
                    continue;
                }
                if !self.end_seat(seat, now).await? {
                    return Err(StoreError::Contended);
                }
            }
            let told = matches!(fate, SeatFate::EndsTold | SeatFate::StaysTold);
            if told && erasure.tell {
                let message = Delivery::to(seat, Event::Erased, "1", self.clock.now());
                if self.store.delivery_create(&message).await? {
                    self.hand_message(&message, 0).await;
                }
            }
        }
        Ok(waits)
    }

    /// A seat that nobody accepted is withdrawn without charge; `false` when somebody else changed it.
    async fn end_seat(&self, seat: &Assignment, now: Timestamp) -> Result<bool, StoreError> {
        let lead = self.store.lead_of(seat).await?;
        let category = lead.as_ref().map(|lead| lead.category.clone());
        let category = self.category_to_wake(&seat.company, category.as_ref()).await?;
        let lead = lead.map(|mut lead| {
            lead.give_back(seat.id, now);
            lead
        });
        let credit = Line::credit(seat, CreditReason::TakenBack, now);
        let mut next = seat.clone();
        next.move_to(AssignmentState::Withdrawn, now);
        next.next_attempt_at = None;
        next.due = None;
        let changes = Changes {
            lead: lead.as_ref(),
            gives_back: true,
            wakes: category.as_ref(),
            line: credit.as_ref(),
            ..Changes::of(&next, now)
        };
        let done = self.store.assignment_change(&changes).await?;
        if done && let Some(category) = &category {
            self.hand_wake(&seat.company, category).await;
        }
        Ok(done)
    }

    /// Takes away what stands beside a lead's shell; `false` when somebody else changed some of it.
    async fn tidy(&self, erasure: &mut Erasure, theirs: &TheirLead) -> Result<bool, StoreError> {
        let id = theirs.story.lead.id;
        // As it stands since the holders were told: what was read before may have changed.
        for item in self.store.lead_items(id).await? {
            match self.store.item_erase(&item).await? {
                Some(done) => erasure.gone.items += u32::from(done),
                None => return Ok(false),
            }
        }
        for enquiry in &theirs.enquiries {
            self.store.enquiry_delete(enquiry.id).await?;
            erasure.gone.enquiries += 1;
        }
        Ok(true)
    }
}

/// Leaves out what is open again or was touched since: by time nobody goes who has come back. Whether anything is
/// to be done at all.
fn spare_who_came_back(person: &mut Person, over_by: Timestamp) -> bool {
    let found = person.leads.len();
    person.leads.retain(|_, theirs| {
        theirs.story.lead.is_erased() || retention::over_since(theirs).is_some_and(|since| since <= over_by)
    });
    if person.leads.len() == found {
        return true;
    }
    // Their browsers are of the lead that goes on.
    person.visits.clear();
    person.leads.values().any(|theirs| theirs.story.lead.is_erased())
}

/// Adds what was found to what the ledger knows; whether there was anything new.
fn extend(erasure: &mut Erasure, person: &Person) -> bool {
    let known = (erasure.people.len(), erasure.shared.len(), erasure.surnames.len(), erasure.leads.len());
    erasure.people.extend(&person.people);
    erasure.shared.extend(&person.shared);
    erasure.people.retain(|hash| !person.shared.contains(hash));
    erasure.surnames.extend(&person.surnames);
    erasure.leads.extend(person.leads.keys());
    known != (erasure.people.len(), erasure.shared.len(), erasure.surnames.len(), erasure.leads.len())
}

/// Until when a seat's lead may still be on its way to its dealer.
fn under_way(seat: &Assignment, deliveries: &[Delivery], now: Timestamp) -> Option<Timestamp> {
    let posted = seat.next_attempt_at.filter(|until| seat.begun().is_some() && *until > now);
    let copied = deliveries.iter().any(|message| {
        message.assignment == seat.id
            && message.event == Event::Assigned
            && message.state == DeliveryState::Pending
            && message.next_at.is_none_or(|at| at <= now)
    });
    // A copy is not claimed: it takes no longer than an attempt may.
    let claim = SignedDuration::from_millis(limits::ATTEMPT_CLAIM_MS as i64);
    let copied = copied.then(|| now.checked_add(claim).unwrap_or(now));
    posted.max(copied)
}

/// Dealers who have a lead from elsewhere: nobody here can tell them.
pub fn by_hand(person: &Person) -> BTreeSet<DealerId> {
    let seats = person.leads.values().flat_map(|lead| {
        lead.story.assignments.iter().map(move |seat| (seat, lead.story.deliveries.as_slice()))
    });
    seats
        .filter(|(seat, deliveries)| fate_of_seat(seat, deliveries) == SeatFate::ByHand)
        .map(|(seat, _)| seat.dealer.clone())
        .collect()
}
