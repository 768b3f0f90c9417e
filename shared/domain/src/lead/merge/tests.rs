//! What the desk merges: every enquiry kept, every seat kept, nobody sold again; and any mixture of repeats, partial
//! enquiries, sales and merges.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use proptest::prelude::*;

use super::*;
use crate::contract::{Need, Needs};
use crate::identity::{Claim, IdentityHash, IdentityKey, Join, PersonKeys, join};
use crate::ids::{AssignmentId, CategoryId, CompanyId, ContractId, EnquiryId, OfferId, SourceId, VisitorId};
use crate::lead::{Arrival, Contactable, CycleOf, Hold, LeadScope, Met};
use crate::person::{Email, Name, Phone};
use crate::scoring::{Band, Priority};

const WINDOW_DAYS: u16 = 30;

fn day(number: i64) -> Timestamp {
    let first: Timestamp = "2026-06-01T12:00:00Z".parse().unwrap();
    first.checked_add(SignedDuration::from_hours(24 * number)).unwrap()
}

fn arrival(number: u8, at: Timestamp, person: Contactable) -> Arrival {
    Arrival {
        enquiry: EnquiryId::mint(at, [number; 10]),
        at,
        person,
        offer: OfferId::new("roof").unwrap(),
        category: CategoryId::new("roofing").unwrap(),
        source: SourceId::new("web").unwrap(),
        campaign: None,
        brings: Needs::NONE,
        certificate_warning: None,
        visitor: None,
    }
}

fn scope() -> LeadScope {
    LeadScope::Category(CategoryId::new("roofing").unwrap())
}

fn company() -> CompanyId {
    CompanyId::new("acme").unwrap()
}

/// A lead that was opened on a day.
fn lead(number: u8, opened: i64) -> Lead {
    let mut lead = Lead::open(company(), scope(), &arrival(number, day(opened), Contactable::default()));
    lead.version = u64::from(number);
    lead
}

fn dealer(name: &str) -> DealerId {
    DealerId::new(name).unwrap()
}

fn holder(name: &str, assignment: u8) -> Holder {
    Holder {
        dealer: dealer(name),
        contract: ContractId::new(name).unwrap(),
        assignment: AssignmentId::from_bytes([assignment; 16]),
        again: true,
        came_from: None,
    }
}

/// The same, held by this dealer in one of so many seats.
fn held(mut lead: Lead, name: &str, seats: u8) -> Lead {
    lead.seats = Some((seats, false));
    lead.holders.push(holder(name, lead.version as u8));
    lead.rest_assigned();
    lead
}

fn waiting(mut lead: Lead) -> Lead {
    lead.nurture(WINDOW_DAYS);
    lead
}

fn closed(mut lead: Lead, stage: Stage) -> Lead {
    lead.close(stage, day(2));
    lead
}

fn merged(into: &Lead, from: &Lead) -> Merged {
    into.merge(from, WINDOW_DAYS, day(3)).unwrap()
}

fn names(lead: &Lead) -> Vec<&str> {
    lead.holders.iter().map(|holder| holder.dealer.as_str()).collect()
}

fn free_seats(lead: &Lead) -> Option<u8> {
    lead.facts(Band::LEAST).open_seats.map(|seats| seats.free)
}

#[test]
fn only_what_is_the_same_thing_is_merged() {
    let (one, other) = (lead(1, 0), lead(2, 1));
    let refused = |into: &Lead, from: &Lead| into.merge(from, WINDOW_DAYS, day(3)).unwrap_err();
    assert_eq!(refused(&one, &one), Unmergeable::Itself);
    let elsewhere = Lead { company: CompanyId::new("blue").unwrap(), ..other.clone() };
    assert_eq!(refused(&one, &elsewhere), Unmergeable::OtherCompany);
    let of_offer = Lead { scope: LeadScope::Offer(OfferId::new("roof").unwrap()), ..other.clone() };
    assert_eq!(refused(&one, &of_offer), Unmergeable::OtherScope);
    for (into, from) in [(Stage::Quarantined, Stage::Waiting), (Stage::Waiting, Stage::Quarantined)] {
        let (into, from) = (Lead { stage: into, ..one.clone() }, Lead { stage: from, ..other.clone() });
        assert_eq!(refused(&into, &from), Unmergeable::Quarantined);
    }
    let full = Lead { merged: vec![LeadId::from_bytes([9; 16]); limits::MERGED_PER_LEAD], ..one.clone() };
    assert_eq!(refused(&full, &other), Unmergeable::TooMany);
    assert_eq!(refused(&other, &full), Unmergeable::TooMany);
    // Nor in a circle, nor out of a lead that points elsewhere.
    let Merged { into, from, .. } = merged(&one, &other);
    assert_eq!(refused(&from, &into), Unmergeable::Itself);
    assert_eq!(refused(&into, &from), Unmergeable::Itself);
    assert_eq!(refused(&lead(3, 1), &from), Unmergeable::Elsewhere(one.id));
    assert_eq!(refused(&from, &lead(3, 1)), Unmergeable::Elsewhere(one.id));
}

#[test]
fn both_are_held_and_both_dealers_keep_what_they_bought_and_nobody_else_gets_one() {
    let (one, other) = (held(lead(1, 0), "hudson", 3), held(lead(2, 1), "ridge", 1));
    let Merged { mut into, from, held_twice } = merged(&one, &other);
    assert_eq!(
        (into.stage, names(&into), into.seats),
        (Stage::Assigned, vec!["hudson", "ridge"], Some((1, false)))
    );
    assert_eq!(into.holders.last().unwrap().came_from, Some(CycleOf { lead: other.id, cycle: 1 }));
    assert_eq!((from.stage, from.merged_into, from.holders.len()), (Stage::Rejected, Some(one.id), 0));
    assert_eq!((from.due, held_twice), (None, Vec::new()));
    // One gives it back: the other holds it, and there is no seat to give.
    into.give_back(AssignmentId::from_bytes([2; 16]), day(4));
    assert_eq!((names(&into), free_seats(&into)), (vec!["hudson"], Some(0)));
    // Both have: it is for sale again, to neither of them.
    into.give_back(AssignmentId::from_bytes([1; 16]), day(4));
    assert_eq!((into.stage, free_seats(&into)), (Stage::Received, None));
    assert_eq!(into.excluded, [dealer("ridge"), dealer("hudson")]);
}

#[test]
fn a_dealer_that_bought_the_person_twice_is_named() {
    let Merged { into, held_twice, .. } =
        merged(&held(lead(1, 0), "hudson", 1), &held(lead(2, 1), "hudson", 1));
    assert_eq!((into.holders.len(), held_twice), (2, vec![dealer("hudson")]));
}

#[test]
fn what_waited_is_not_sold_beside_what_is_held_whichever_survives() {
    let (held, waiting) = (held(lead(1, 0), "hudson", 1), waiting(lead(2, 1)));
    for (into, from) in [(&held, &waiting), (&waiting, &held)] {
        let Merged { into, .. } = merged(into, from);
        assert_eq!((into.stage, names(&into), free_seats(&into)), (Stage::Assigned, vec!["hudson"], Some(0)));
        assert!(into.due.is_some() && !into.possible_duplicate);
    }
}

#[test]
fn a_seat_that_is_kept_or_came_back_is_looked_at_as_it_would_have_been() {
    let mut shared = held(lead(1, 0), "hudson", 3);
    shared.stage = Stage::Received; // another holder gave it back
    for (into, from) in [(&shared, &waiting(lead(2, 1))), (&waiting(lead(2, 1)), &shared)] {
        let Merged { into, .. } = merged(into, from);
        assert_eq!((into.stage, free_seats(&into)), (Stage::Received, Some(2)));
        assert!(into.wants_distribution());
    }
}

#[test]
fn what_is_held_is_not_nurtured_once_it_is_merged_into_a_lead_for_another_offer() {
    let other = Lead { offer: OfferId::new("gutter").unwrap(), ..waiting(lead(2, 1)) };
    let mut shared = Lead { crossed: true, ..held(lead(1, 0), "hudson", 2) };
    shared.stage = Stage::Received; // another holder gave it back
    let into = merged(&other, &shared).into;
    assert_eq!((into.offer.as_str(), into.stage, into.crossed), ("gutter", Stage::Received, true));
    // What nobody holds has reached the band of its own offer, and of no other.
    let unsold = Lead { crossed: true, ..waiting(lead(1, 0)) };
    assert!(!merged(&other, &unsold).into.crossed);
    let same = Lead { offer: unsold.offer.clone(), ..other };
    assert!(merged(&same, &unsold).into.crossed);
}

/// Nothing is asked of a lead that is over but this, weeks later.
fn is_a_look_at_retention(due: Timestamp) -> bool {
    due > day(20)
}

#[test]
fn won_as_soon_as_one_has_won() {
    let won = closed(held(lead(1, 0), "hudson", 1), Stage::Won);
    for other in [waiting(lead(2, 1)), held(lead(2, 1), "ridge", 1), closed(lead(2, 1), Stage::Lost)] {
        for (into, from) in [(&won, &other), (&other, &won)] {
            let Merged { into, from, .. } = merged(into, from);
            assert_eq!((into.stage, into.closed_at), (Stage::Won, Some(day(2))));
            assert!(from.due.is_none() && into.due.is_some_and(is_a_look_at_retention));
            assert!(from.stage.closed() && from.merged_into == Some(into.id));
        }
    }
    let history = merged(&waiting(lead(2, 1)), &won).from;
    assert_eq!(history.stage, Stage::Won, "what is over stays what it was");
}

#[test]
fn of_what_nobody_holds_the_survivors_stage_decides() {
    let lost = closed(held(lead(1, 0), "hudson", 1), Stage::Lost);
    let waiting = waiting(lead(2, 1));
    let into_lost = merged(&lost, &waiting).into;
    assert_eq!(into_lost.stage, Stage::Lost);
    assert!(into_lost.due.is_some_and(is_a_look_at_retention));
    let into_waiting = merged(&waiting, &lost).into;
    assert_eq!(into_waiting.stage, Stage::Nurturing);
    assert_eq!(into_waiting.excluded, [dealer("hudson")], "who lost it does not get it again");
    assert_eq!(free_seats(&into_waiting), None);
}

#[test]
fn what_was_lost_goes_on_in_the_hands_of_whoever_holds_the_other() {
    let lost = closed(held(lead(1, 0), "hudson", 1), Stage::Lost);
    let mut into = merged(&lost, &held(lead(2, 1), "ridge", 1)).into;
    assert_eq!((into.stage, names(&into), into.closed_at), (Stage::Assigned, vec!["ridge"], None));
    assert_eq!(into.excluded, [dealer("hudson")]);
    into.give_back(AssignmentId::from_bytes([2; 16]), day(4));
    assert_eq!((into.stage, free_seats(&into)), (Stage::Received, None));
}

#[test]
fn outside_the_window_the_later_cycle_goes_on_and_the_other_is_history() {
    let mut never_again = held(lead(1, 0), "hudson", 1);
    never_again.holders[0].again = false;
    let old = closed(never_again, Stage::Lost);
    let new = held(lead(2, 40), "ridge", 1);
    // The survivor is the older: it goes on as the newer, in its next cycle.
    let into = merged(&old, &new).into;
    assert_eq!((into.cycle, into.stage, names(&into)), (2, Stage::Assigned, vec!["ridge"]));
    assert_eq!((into.opening, into.opened_at), (new.opening, new.opened_at));
    assert_eq!(into.holders[0].came_from, Some(CycleOf { lead: new.id, cycle: 1 }));
    assert_eq!(into.excluded, [dealer("hudson")]);
    // The survivor is the newer: it stays as it is.
    let into = merged(&new, &old).into;
    assert_eq!((into.cycle, into.stage, names(&into)), (1, Stage::Assigned, vec!["ridge"]));
    assert_eq!(into.excluded, [dealer("hudson")]);
    // What expired in nobody's hands is over, whatever the window says.
    let expired = closed(waiting(lead(1, 0)), Stage::Expired);
    let into = merged(&expired, &waiting(lead(2, 1))).into;
    assert_eq!((into.cycle, into.stage), (2, Stage::Nurturing));
}

#[test]
fn blanks_are_filled_and_the_desks_word_stands() {
    let (mut one, mut other) = (lead(1, 0), lead(2, 1));
    one.person.email = Some("ada@example.com".into());
    other.person.email = Some("countess@example.com".into());
    other.person.phone = Some("+13055550100".into());
    other.hold = Some(Hold { until: None });
    other.priority_set = Some(Priority::Urgent);
    other.visitors_to_join = vec![VisitorId::from_bytes([5; 16])];
    (one.possible_duplicate, other.possible_duplicate) = (true, true);
    let Merged { into, from, .. } = merged(&one, &other);
    assert_eq!(into.person.email.as_deref(), Some("ada@example.com"));
    assert_eq!(into.person.phone.as_deref(), Some("+13055550100"));
    assert_eq!((into.hold, into.priority_set), (other.hold, Some(Priority::Urgent)));
    assert_eq!((into.visitors_to_join, into.last_enquiry_at), (other.visitors_to_join, day(1)));
    assert!(!into.possible_duplicate && !from.possible_duplicate);
    assert_eq!(from.person, other.person, "it is known as it was");
}

#[test]
fn of_the_enquiries_of_both_the_newest_are_remembered_and_each_keeps_its_own() {
    let (mut one, mut other) = (lead(1, 0), lead(2, 0));
    let at = |number: u8| day(1).checked_add(SignedDuration::from_secs(i64::from(number))).unwrap();
    for number in 3..=122 {
        let lead = if number % 2 == 0 { &mut one } else { &mut other };
        lead.take(&arrival(number, at(number), Contactable::default()), WINDOW_DAYS);
    }
    let Merged { into, from, .. } = merged(&one, &other);
    assert_eq!(into.enquiries.len(), limits::ENQUIRIES_ON_LEAD);
    assert_eq!(from.enquiries, other.enquiries);
    let newest = arrival(122, at(122), Contactable::default()).enquiry;
    assert_eq!(into.enquiries.last().unwrap().id, newest);
    assert!(into.enquiries.iter().all(|enquiry| enquiry.id != one.opening));
}

/// What may happen to people of one scope, within a window and beyond it.
#[derive(Clone, Debug)]
enum Happens {
    /// Somebody asks, with some of what there is to know of them: a step of a form, or all of it; of one source or
    /// another, and with or without a consent.
    Asks { email: u8, phone: u8, surname: u8, ads: bool, consents: bool },
    /// Days pass; what nobody has looked after meanwhile expires.
    Passes { days: u8 },
    /// A lead that is for sale is sold; the contract may say that its dealer has this person once only.
    Sold { lead: u8, dealer: u8, seats: u8, again: bool },
    /// A dealer answers of a seat.
    Ends { seat: u8, how: End },
    /// The desk merges.
    Merges { from: u8, into: u8 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Won,
    Lost,
    GivenBack,
    Expired,
}

/// A seat as the table keeps it: with the lead it was sold of.
#[derive(Clone, Debug)]
struct Sold {
    id: AssignmentId,
    of: LeadId,
    dealer: DealerId,
    seats: u8,
    end: Option<End>,
    /// The cycle that it was sold in is over, and another came after it.
    past: bool,
}

/// A scope of a company, kept as the store keeps it.
#[derive(Default)]
struct World {
    leads: BTreeMap<LeadId, Lead>,
    owners: BTreeMap<IdentityHash, (LeadId, BTreeSet<IdentityHash>)>,
    /// Enquiries, with the lead that each joined when it came, and when that was.
    asked: Vec<(EnquiryId, LeadId, Timestamp)>,
    /// Whether a lead's present cycle has a consent: its first enquiry's, or a further page's of the same form.
    consents: BTreeMap<LeadId, bool>,
    seats: Vec<Sold>,
    steps: u8,
    days: i64,
}

const KEY: IdentityKey = IdentityKey::from_bytes([7; 32]);

fn contactable(email: u8, phone: u8, surname: u8) -> Contactable {
    Contactable {
        email: (email > 0).then(|| format!("person{email}@example.com")),
        phone: (phone > 0).then(|| format!("+1305555010{phone}")),
        last_name: (surname > 0).then(|| ["Lovelace", "King"][usize::from(surname) - 1].to_owned()),
        ..Contactable::default()
    }
}

fn keys_of(person: &Contactable) -> PersonKeys {
    let email = person.email.as_deref().and_then(|email| Email::parse(email).ok());
    let phone = person.phone.as_deref().and_then(|phone| Phone::parse(phone).ok());
    let name = Name::new("", person.last_name.as_deref().unwrap_or_default());
    PersonKeys::of(&KEY, &company(), email.as_ref(), phone.as_ref(), &name)
}

impl World {
    fn now(&self) -> Timestamp {
        day(self.days).checked_add(SignedDuration::from_mins(10 * i64::from(self.steps))).unwrap()
    }

    /// When a lead, or one that was merged into it, last asked.
    fn last_asked(&self, lead: LeadId) -> Timestamp {
        let asked = self.asked.iter().filter(|(_, joined, _)| self.surviving(*joined) == lead);
        asked.map(|(.., at)| *at).max().unwrap()
    }

    /// Whether what a lead asked for before has nothing to do with somebody who asks at this instant: the window is
    /// over, or it expired in nobody's hands.
    fn is_over(&self, lead: LeadId, at: Timestamp) -> bool {
        let known = &self.leads[&lead];
        let since = at.duration_since(self.last_asked(lead));
        known.stage == Stage::Expired && known.holders.is_empty()
            || since > SignedDuration::from_hours(24 * i64::from(WINDOW_DAYS))
    }

    /// Whatever was sold of a lead so far is no matter of its next cycle.
    fn cycle_is_past(&mut self, lead: LeadId) {
        let of: Vec<bool> = self.seats.iter().map(|seat| self.surviving(seat.of) == lead).collect();
        for (seat, of) in self.seats.iter_mut().zip(of) {
            seat.past |= of;
        }
    }

    fn surviving(&self, mut id: LeadId) -> LeadId {
        while let Some(into) = self.leads[&id].merged_into {
            id = into;
        }
        id
    }

    fn nth(&self, n: u8) -> Option<LeadId> {
        self.leads.keys().nth(usize::from(n) % self.leads.len().max(1)).copied()
    }

    fn claim(&self, identity: Option<IdentityHash>) -> Option<Claim> {
        let (owner, surnames) = self.owners.get(&identity?)?;
        let lead = &self.leads[&self.surviving(*owner)];
        let all = std::iter::once(lead).chain(lead.merged.iter().map(|merged| &self.leads[merged]));
        let known_as = all.map(|lead| PersonKeys { phone: None, ..keys_of(&lead.person) }).collect();
        Some(Claim { lead: lead.id, surnames: surnames.clone(), known_as })
    }

    fn asks(&mut self, person: Contactable, ads: bool, consents: bool) -> Result<(), TestCaseError> {
        let keys = keys_of(&person);
        let news = Arrival {
            source: SourceId::new(if ads { "ads" } else { "web" }).unwrap(),
            brings: if consents { Needs::NONE.with(Need::Consent) } else { Needs::NONE },
            certificate_warning: None,
            ..arrival(self.steps, self.now(), person)
        };
        let by_email = self.claim(keys.email).filter(|claim| {
            claim.surnames.iter().chain(&keys.surname).collect::<BTreeSet<_>>().len()
                <= limits::SURNAMES_PER_IDENTITY
        });
        let (lead, claims) =
            match join(&keys, self.claim(keys.email).as_ref(), self.claim(keys.phone).as_ref()) {
                Join::Repeat { lead, claim, .. } => {
                    self.asks_again(lead, &news)?;
                    (lead, claim)
                }
                Join::New { claim, .. } => {
                    let lead = Lead::open(company(), scope(), &news);
                    let id = lead.id;
                    self.leads.insert(id, lead);
                    self.consents.insert(id, consents);
                    (id, claim)
                }
            };
        if let Some(claim) = by_email {
            prop_assert_eq!(lead, claim.lead, "a known e-mail finds the survivor");
        }
        prop_assert!(self.leads[&lead].merged_into.is_none(), "nobody joins a lead that was merged");
        for identity in claims.iter() {
            self.owners.insert(identity, (lead, BTreeSet::new()));
        }
        for identity in [keys.email, keys.phone].into_iter().flatten() {
            self.owners.entry(identity).and_modify(|(_, surnames)| surnames.extend(keys.surname));
        }
        self.asked.push((news.enquiry, lead, news.at));
        Ok(())
    }

    /// Somebody who is known: a repeat within the window, and else the next cycle.
    fn asks_again(&mut self, lead: LeadId, news: &Arrival) -> Result<(), TestCaseError> {
        let before = self.leads[&lead].clone();
        let over = self.is_over(lead, news.at);
        let met = self.leads.get_mut(&lead).unwrap().take(news, WINDOW_DAYS);
        prop_assert_eq!(met, if over { Met::NewCycle } else { Met::Repeat });
        let after = &self.leads[&lead];
        let consents = news.brings != Needs::NONE;
        let page = news.source == before.source
            && news.at.duration_since(before.opened_at) <= SignedDuration::from_mins(limits::FORM_MINUTES);
        if over {
            let not_again = before.holders.iter().filter(|holder| !holder.again);
            let not_again: BTreeSet<&DealerId> = not_again.map(|holder| &holder.dealer).collect();
            prop_assert_eq!(after.cycle, before.cycle + 1);
            prop_assert_eq!(after.excluded.iter().collect::<BTreeSet<_>>(), not_again);
            prop_assert!(after.holders.is_empty() && !after.stage.closed(), "it is decided anew");
            prop_assert_eq!(&after.source, &news.source);
            self.consents.insert(lead, consents);
            self.cycle_is_past(lead);
        } else {
            prop_assert_eq!((after.cycle, after.stage), (before.cycle, before.stage));
            prop_assert_eq!((&after.holders, &after.excluded), (&before.holders, &before.excluded));
            *self.consents.get_mut(&lead).unwrap() |= consents && page;
        }
        Ok(())
    }

    fn sold(&mut self, lead: LeadId, dealer: DealerId, seats: u8, again: bool) {
        let now = self.now();
        let lead = self.leads.get_mut(&lead).unwrap();
        let facts = lead.facts(Band::LEAST);
        let room = facts.open_seats.is_none_or(|open| open.free > 0 && seats >= open.of);
        if !lead.wants_distribution() || !room || [facts.excluded, facts.holders].concat().contains(&dealer) {
            return;
        }
        if facts.open_seats.is_none() {
            lead.seats = Some((seats, false));
        }
        let id = AssignmentId::mint(now, [self.steps; 10]);
        let contract = ContractId::new(dealer.as_str()).unwrap();
        let holder = Holder { dealer: dealer.clone(), contract, assignment: id, again, came_from: None };
        lead.holders.push(holder);
        lead.rest_assigned();
        self.seats.push(Sold { id, of: lead.id, dealer, seats, end: None, past: false });
    }

    fn ends(&mut self, seat: u8, how: End, now: Timestamp) {
        let count = self.seats.len().max(1);
        let Some(seat) = self.seats.get_mut(usize::from(seat) % count).filter(|seat| seat.end.is_none())
        else {
            return;
        };
        seat.end = Some(how);
        if seat.past {
            return;
        }
        let (id, of) = (seat.id, seat.of);
        let survivor = self.surviving(of);
        let lead = self.leads.get_mut(&survivor).unwrap();
        let others = lead.holders.iter().any(|holder| holder.assignment != id);
        match how {
            End::Won if !lead.stage.closed() => lead.close(Stage::Won, now),
            End::Lost if others => lead.lose_seat(id),
            End::Lost if lead.wants_distribution() => lead.lose_last_seat(id, now),
            End::Lost if !lead.stage.closed() => lead.close(Stage::Lost, now),
            End::GivenBack => lead.give_back(id, now),
            End::Won | End::Lost | End::Expired => {}
        }
    }

    fn merges(&mut self, from: LeadId, into: LeadId, now: Timestamp) {
        let Ok(merged) = self.leads[&into].merge(&self.leads[&from], WINDOW_DAYS, now) else { return };
        // The later of two cycles is the earlier one's repeat, or comes after it.
        let opened = |lead: LeadId| self.leads[&lead].opened_at;
        let (earlier, later) = if opened(into) <= opened(from) { (into, from) } else { (from, into) };
        if self.is_over(earlier, opened(later)) {
            self.cycle_is_past(earlier);
            self.consents.insert(into, self.consents[&later]);
        }
        self.leads.insert(into, merged.into);
        self.leads.insert(from, merged.from);
    }

    /// Days pass, and what time has closed by then is closed.
    fn passes(&mut self, days: u8) {
        self.days += i64::from(days);
        let now = self.now();
        let expired: Vec<LeadId> = self
            .leads
            .values()
            .filter(|lead| lead.merged_into.is_none() && lead.has_expired(WINDOW_DAYS, now))
            .map(|lead| lead.id)
            .collect();
        for id in expired {
            self.leads.get_mut(&id).unwrap().close(Stage::Expired, now);
            let of: Vec<bool> = self.seats.iter().map(|seat| self.surviving(seat.of) == id).collect();
            for (seat, _) in self.seats.iter_mut().zip(of).filter(|(seat, of)| *of && !seat.past) {
                seat.end = seat.end.or(Some(End::Expired));
            }
        }
    }

    fn happens(&mut self, what: &Happens) -> Result<(), TestCaseError> {
        self.steps += 1;
        let now = self.now();
        match *what {
            Happens::Asks { email, phone, surname, ads, consents } if email + phone > 0 => {
                self.asks(contactable(email, phone, surname), ads, consents)?;
            }
            Happens::Asks { .. } => {}
            Happens::Passes { days } => self.passes(days),
            Happens::Sold { lead, dealer: of, seats, again } => {
                if let Some(lead) = self.nth(lead) {
                    let of = dealer(["hudson", "ridge", "crest", "grove"][usize::from(of)]);
                    self.sold(lead, of, seats, again);
                }
            }
            Happens::Ends { seat, how } => self.ends(seat, how, now),
            Happens::Merges { from, into } => {
                if let (Some(from), Some(into)) = (self.nth(from), self.nth(into)) {
                    self.merges(from, into, now);
                }
            }
        }
        self.holds()
    }

    /// What the rules say of every lead, whatever happened.
    fn holds(&self) -> Result<(), TestCaseError> {
        let surviving: Vec<&Lead> = self.leads.values().filter(|lead| lead.merged_into.is_none()).collect();
        for (enquiry, lead, _) in &self.asked {
            let on = |lead: &Lead| lead.enquiries.iter().filter(|one| one.id == *enquiry).count();
            prop_assert_eq!(on(&self.leads[lead]), 1, "each lead keeps its own");
            let all: usize = surviving.iter().map(|lead| on(lead)).sum();
            prop_assert_eq!(
                (on(&self.leads[&self.surviving(*lead)]), all),
                (1, 1),
                "an enquiry is the survivor's"
            );
        }
        for lead in surviving {
            self.is_as_the_rules_say(lead)?;
        }
        for lead in self.leads.values().filter(|lead| lead.merged_into.is_some()) {
            prop_assert!(lead.stage.closed() && lead.due.is_none(), "what was merged asks for nothing");
            prop_assert!(self.leads[&self.surviving(lead.id)].merged.contains(&lead.id));
        }
        Ok(())
    }

    fn is_as_the_rules_say(&self, lead: &Lead) -> Result<(), TestCaseError> {
        let of_its_cycle = |seat: &&Sold| self.surviving(seat.of) == lead.id && !seat.past;
        let seats: Vec<&Sold> = self.seats.iter().filter(of_its_cycle).collect();
        prop_assert_eq!(
            lead.brings != Needs::NONE,
            self.consents[&lead.id],
            "a consent is that of its form, and of no other enquiry"
        );
        prop_assert_eq!(lead.last_enquiry_at, self.last_asked(lead.id));
        let live: BTreeSet<AssignmentId> =
            seats.iter().filter(|seat| seat.end.is_none()).map(|seat| seat.id).collect();
        let held: BTreeSet<AssignmentId> = lead.holders.iter().map(|holder| holder.assignment).collect();
        prop_assert!(live.is_subset(&held), "nobody loses a seat by a merge: {:?}", lead);
        for holder in &lead.holders {
            let of = seats.iter().find(|seat| seat.id == holder.assignment).unwrap().of;
            prop_assert_eq!(lead.cycle_of(holder).lead, of, "a seat is found where it stands");
        }
        let won = seats.iter().any(|seat| seat.end == Some(End::Won));
        prop_assert_eq!(lead.stage == Stage::Won, won, "won as soon as one has won");
        if !won && !live.is_empty() {
            prop_assert!(!lead.stage.closed(), "what is held is open");
            let of_live = seats.iter().filter(|seat| seat.end.is_none());
            let fewest = of_live.clone().map(|seat| seat.seats).min().unwrap();
            let free = free_seats(lead).unwrap();
            prop_assert!(
                free == 0 || usize::from(free) + live.len() <= usize::from(fewest),
                "nobody is sold a seat that somebody was promised not to be"
            );
        }
        for seat in seats.iter().filter(|seat| seat.end.is_some_and(|end| end != End::Won)) {
            let facts = lead.facts(Band::LEAST);
            let kept_out = facts.excluded.contains(&seat.dealer) || facts.holders.contains(&seat.dealer);
            prop_assert!(kept_out || lead.stage.closed(), "who had it in this cycle does not get it again");
        }
        if !lead.stage.closed() {
            prop_assert!(lead.due.is_some(), "what is open is due some time");
        }
        Ok(())
    }
}

fn happens() -> impl Strategy<Value = Happens> {
    let end = prop::sample::select(vec![End::Won, End::Lost, End::Lost, End::GivenBack, End::GivenBack]);
    prop_oneof![
        5 => (0..4_u8, 0..4_u8, 0..3_u8, any::<bool>(), any::<bool>()).prop_map(
            |(email, phone, surname, ads, consents)| Happens::Asks { email, phone, surname, ads, consents }
        ),
        1 => prop::sample::select(vec![1_u8, 15, 29, 30, 31, 91]).prop_map(|days| Happens::Passes { days }),
        3 => (any::<u8>(), 0..4_u8, 1..4_u8, prop::bool::weighted(0.8))
            .prop_map(|(lead, dealer, seats, again)| Happens::Sold { lead, dealer, seats, again }),
        2 => (any::<u8>(), end).prop_map(|(seat, how)| Happens::Ends { seat, how }),
        3 => (any::<u8>(), any::<u8>()).prop_map(|(from, into)| Happens::Merges { from, into }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn any_mixture_of_repeats_partials_and_merges_keeps_every_enquiry_and_ends_as_the_rules_say(
        what in prop::collection::vec(happens(), 0..60)
    ) {
        let mut world = World::default();
        for one in &what {
            world.happens(one)?;
        }
    }
}
