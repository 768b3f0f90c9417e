//! One cycle of a lead, as it went and as it would have gone.

use std::cmp::Reverse;

use jiff::Timestamp;

use crate::backtest::history::{Assigned, Decided};
use crate::backtest::tally::Slot;
use crate::distribution::{Kept, LeadFacts, OpenSeats, Waiting};
use crate::ids::DealerId;

/// A cycle on its way through both worlds.
pub(in crate::backtest) struct Trail<'h> {
    /// The latest recorded decision: its facts are the lead's.
    pub(in crate::backtest) latest: &'h Decided,
    /// It was first decided within the time asked for.
    pub(in crate::backtest) compared: bool,
    pub(in crate::backtest) first_at: Timestamp,
    expires: Timestamp,
    /// Who holds it as it was.
    pub(in crate::backtest) was_held: Vec<&'h Assigned>,
    pub(in crate::backtest) was_waiting: Option<Waiting>,
    pub(in crate::backtest) was_ever_held: bool,
    /// Who holds it in the world that would be.
    pub(in crate::backtest) seats: Vec<Held>,
    pub(in crate::backtest) would_ever_be_held: bool,
    excluded: Vec<DealerId>,
    /// What the first seat fixed: how many seats, whether protected.
    terms: Option<(u8, bool)>,
    pub(in crate::backtest) would_wait: Option<Waiting>,
    /// When time alone may change that.
    pub(super) until: Option<Timestamp>,
    /// Others hold it, and a further seat stays empty for somebody.
    kept: Option<Kept>,
    /// Since when it goes another way than it went.
    pub(in crate::backtest) parted_at: Option<Timestamp>,
    pub(in crate::backtest) why: String,
}

/// A seat in the world that would be.
pub(in crate::backtest) struct Held {
    pub(in crate::backtest) slot: Slot,
}

impl<'h> Trail<'h> {
    pub(super) fn new(decided: &'h Decided, compared: bool, expires: Timestamp) -> Self {
        Self {
            latest: decided,
            compared,
            first_at: decided.at,
            expires,
            was_held: Vec::new(),
            was_waiting: decided.waiting,
            was_ever_held: false,
            seats: Vec::new(),
            would_ever_be_held: false,
            excluded: decided.facts.excluded.clone(),
            terms: None,
            would_wait: None,
            until: None,
            kept: None,
            parted_at: None,
            why: String::new(),
        }
    }

    /// Whether it may be decided: in nobody's hands, and not expired; or with a seat that is kept for somebody. One that
    /// nobody took at once stays empty.
    pub(super) fn is_open(&self, now: Timestamp) -> bool {
        if self.seats.is_empty() {
            return now < self.expires;
        }
        self.kept.is_some()
    }

    /// In nobody's hands, or with a seat that is kept for somebody.
    pub(super) fn may_wait(&self) -> bool {
        self.seats.is_empty() || self.kept.is_some()
    }

    /// It was decided on: why it waits, or for whom a seat of it is kept, and when time alone may change that.
    pub(super) fn looked(&mut self, waiting: Option<Waiting>, until: Option<Timestamp>, kept: Option<Kept>) {
        let held = !self.seats.is_empty();
        self.would_wait = waiting;
        self.kept = kept.filter(|_| held);
        self.until = self.kept.map_or(until, |kept| kept.until);
    }

    /// Highest score first, freshest first among equals.
    pub(super) fn worth(&self) -> (u8, Reverse<Timestamp>) {
        let band = self.latest.facts.band;
        (3 * band.fit as u8 + band.engagement as u8, Reverse(self.latest.facts.opened_at))
    }

    /// A decision of it is recorded: while it goes as it went, what that says is so.
    pub(super) fn records(&mut self, decided: &'h Decided) {
        self.latest = decided;
        self.was_waiting = decided.waiting;
        if self.parted_at.is_none() {
            self.excluded.clone_from(&decided.facts.excluded);
        }
    }

    /// What it is decided on: of a recorded decision its facts, while it goes as it went. Else the latest, and who holds
    /// it and who is excluded as that would be.
    pub(super) fn facts(&self, recorded: bool) -> LeadFacts {
        let facts = self.latest.facts.clone();
        if recorded && self.parted_at.is_none() {
            return facts;
        }
        let free = |of: u8| of.saturating_sub(u8::try_from(self.seats.len()).unwrap_or(u8::MAX));
        let open_seats = self.terms.filter(|_| !self.seats.is_empty());
        LeadFacts {
            excluded: self.excluded.clone(),
            holders: self.seats.iter().map(|held| held.slot.dealer.clone()).collect(),
            open_seats: open_seats.map(|(of, protected)| OpenSeats { of, free: free(of), protected }),
            ..facts
        }
    }

    pub(super) fn seat(&self, dealer: &DealerId, taken: Timestamp) -> Option<&Held> {
        self.seats.iter().find(|held| &held.slot.dealer == dealer && held.slot.at == taken)
    }

    /// Whether the desk may give this dealer a seat.
    pub(super) fn has_room_for(&self, dealer: &DealerId) -> bool {
        let of = self.terms.map_or(1, |(of, _)| usize::from(of));
        self.seats.len() < of && self.seats.iter().all(|held| &held.slot.dealer != dealer)
    }

    /// The first seat fixes how many there are.
    pub(super) fn fix(&mut self, terms: (u8, bool)) {
        if self.seats.is_empty() {
            self.terms = Some(terms);
        }
    }

    pub(super) fn take(&mut self, slot: Slot) {
        self.would_wait = None;
        self.until = None;
        self.would_ever_be_held = true;
        self.seats.push(Held { slot });
    }

    pub(super) fn give_back(&mut self, dealer: &DealerId, taken: Timestamp) -> Option<Held> {
        let at = self.seats.iter().position(|held| &held.slot.dealer == dealer && held.slot.at == taken)?;
        self.excluded.push(dealer.clone());
        Some(self.seats.remove(at))
    }

    pub(super) fn was_given(&mut self, assigned: &'h Assigned) {
        self.was_waiting = None;
        self.was_ever_held = true;
        self.was_held.push(assigned);
    }

    pub(super) fn was_given_back(&mut self, assigned: &Assigned) {
        self.was_held.retain(|held| !std::ptr::eq(*held, assigned));
    }

    /// It goes another way from here.
    pub(super) fn part(&mut self, at: Timestamp, why: String) {
        if self.parted_at.is_none() {
            self.parted_at = Some(at);
            self.why = why;
        }
    }
}
