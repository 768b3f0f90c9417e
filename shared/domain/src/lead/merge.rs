//! Two leads become one, by the desk's hand.
//!
//! The system never merges two existing leads (see [`identity`](crate::identity)); the desk may, when it knows
//! that they are one person's. One of them, the *survivor*, goes on for both. The other keeps its id, its
//! decisions, seats and enquiries, is closed, and points to the survivor: whoever finds it, by its id, an e-mail,
//! a phone or a browser, finds the survivor. So nothing moves that a message on its way may name, and the whole
//! is two leads changed at once.
//!
//! # Determinations
//!
//! - *Only what is the same thing is merged*: the same company, and the same scope. A person's lead for a category
//!   and the second one for an offer of it are two by rule.
//! - *What the cycles are to each other is what the rules would have made of them*: had the later one begun within
//!   the window of the earlier one, they are one cycle. Else the later one is the survivor's open or last cycle,
//!   whichever lead it was, and the other one is history.
//! - *One cycle, and both are held*: all holders keep their seats, since each bought it, and nobody else gets one:
//!   the seats are the fewest that any of the contracts takes. A dealer that holds both is named: the desk may take
//!   one back, which credits it.
//! - *One cycle, and one of them is held*: the survivor is held by that dealer. What waited is not sold besides.
//! - *Won as soon as one has won.* Else the one that is held goes on; else the survivor's stage decides: merging
//!   what waits into what was lost or rejected closes it, the other way round it goes on waiting.
//! - *Who had either in this cycle* (declined, gave back, lost) does not get the survivor.
//! - *What is sold stays the survivor's*: its offer, source and opening enquiry, but for the cycle of the other that
//!   it goes on with. Of the person blanks are filled, and nothing is overwritten.
//! - *A hold or a priority of the desk* stands, of whichever lead; the survivor's first.
//! - *Quarantined leads* are released or rejected first: a person has to say what they are.

use jiff::Timestamp;

use super::{Holder, Lead, Stage, soon};
use crate::ids::{DealerId, LeadId};
use crate::limits;

/// Two leads after they were merged.
#[derive(Clone, Debug, PartialEq)]
pub struct Merged {
    /// The survivor.
    pub into: Lead,
    /// The one that points to it from now on.
    pub from: Lead,
    /// Dealers that hold more than one seat of the survivor: they bought the same person twice.
    pub held_twice: Vec<DealerId>,
}

/// Why two leads are not merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unmergeable {
    /// It is the same lead, or one that was merged into it.
    #[error("a lead is not merged into itself, nor into one that was merged into it")]
    Itself,
    /// Companies know nothing of each other.
    #[error("the leads are of two companies")]
    OtherCompany,
    /// Two scopes are two leads by rule.
    #[error("the leads are of two scopes: a person has a lead in each")]
    OtherScope,
    /// One of them is not a lead of its own any more.
    #[error("the lead was merged into another: merge that one")]
    Elsewhere(LeadId),
    /// Nobody has looked at it yet.
    #[error("a quarantined lead is released or rejected first")]
    Quarantined,
    /// There is nobody in it any more.
    #[error("the person of one of them was erased")]
    Erased,
    /// It would have taken in more than [`limits::MERGED_PER_LEAD`].
    #[error("a lead takes in at most {} others", limits::MERGED_PER_LEAD)]
    TooMany,
}

/// What two sale cycles are to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cycles {
    /// The later one would have been a repeat of the earlier one.
    One,
    /// The survivor's came after the other's was over.
    SurvivorsIsLater,
    /// The other way round.
    OthersIsLater,
}

impl Cycles {
    fn of(into: &Lead, from: &Lead, window_days: u16) -> Self {
        let (earlier, later) = if into.opened_at <= from.opened_at { (into, from) } else { (from, into) };
        // One that expired without a holder is nobody's, as in [`Lead::take`].
        let nobodys = earlier.stage == Stage::Expired && earlier.holders.is_empty();
        if !nobodys && !earlier.outside_window(later.opened_at, window_days) {
            Self::One
        } else if later.id == into.id {
            Self::SurvivorsIsLater
        } else {
            Self::OthersIsLater
        }
    }
}

impl Lead {
    /// Merges another lead into this one; see the module for the rules.
    ///
    /// # Errors
    /// When they are not to be merged.
    pub fn merge(&self, from: &Self, window_days: u16, now: Timestamp) -> Result<Merged, Unmergeable> {
        self.takes_in(from)?;
        let mut into = self.clone();
        match Cycles::of(self, from, window_days) {
            Cycles::One => into.make_one_cycle(from),
            Cycles::SurvivorsIsLater if into.stage.closed() => {}
            Cycles::SurvivorsIsLater => into.exclude(not_again(&from.holders)),
            Cycles::OthersIsLater => into.go_on_as(from),
        }
        into.join_history(from);
        into.look_again(now);
        let held_twice = into.held_twice();
        let mut from = from.clone();
        from.end_merged(into.id, now);
        Ok(Merged { into, from, held_twice })
    }

    fn takes_in(&self, from: &Self) -> Result<(), Unmergeable> {
        let (one, other) = (self.merged_into, from.merged_into);
        if self.id == from.id || one == Some(from.id) || other == Some(self.id) {
            Err(Unmergeable::Itself)
        } else if self.is_erased() || from.is_erased() {
            Err(Unmergeable::Erased)
        } else if self.company != from.company {
            Err(Unmergeable::OtherCompany)
        } else if self.scope != from.scope {
            Err(Unmergeable::OtherScope)
        } else if let Some(elsewhere) = other.or(one) {
            Err(Unmergeable::Elsewhere(elsewhere))
        } else if [self.stage, from.stage].contains(&Stage::Quarantined) {
            Err(Unmergeable::Quarantined)
        } else if self.merged.len() + 1 + from.merged.len() > limits::MERGED_PER_LEAD {
            Err(Unmergeable::TooMany)
        } else {
            Ok(())
        }
    }

    /// What both did and said, whatever their cycles are to each other.
    fn join_history(&mut self, from: &Self) {
        self.person.fill_blanks(&from.person);
        self.remember(from.enquiries.iter().copied());
        // More than one lead may have are joined all the same: they are read once, and then gone.
        let new = from.visitors_to_join.iter().filter(|visitor| !self.visitors_to_join.contains(visitor));
        let new: Vec<_> = new.copied().collect();
        self.visitors_to_join.extend(new);
        self.last_enquiry_at = self.last_enquiry_at.max(from.last_enquiry_at);
        self.hold = self.hold.take().or_else(|| from.hold.clone());
        self.priority_set = self.priority_set.or(from.priority_set);
        self.possible_duplicate = false;
        self.merged.push(from.id);
        self.merged.extend(&from.merged);
    }

    /// The other's cycle is part of this one.
    fn make_one_cycle(&mut self, from: &Self) {
        self.exclude(from.excluded.iter().cloned());
        if self.stage == Stage::Won || from.stage == Stage::Won {
            let closed = [self, from].map(|lead| lead.closed_at.filter(|_| lead.stage == Stage::Won));
            self.share_seats(from);
            self.close_won(closed.into_iter().flatten().min());
            return;
        }
        match (self.stage.closed(), from.stage.closed()) {
            (false, false) => {
                let (ours, theirs) = (self.holders.len(), from.holders.len());
                self.share_seats(from);
                if theirs > 0 && (ours == 0 || from.stage == Stage::Received) {
                    // A seat of it came back, or is kept: that is looked at as it would have been.
                    self.stage = from.stage;
                    self.waiting = from.waiting;
                }
                // What somebody holds was sold, whatever for: it is not nurtured in their hands.
                self.crossed |= theirs > 0 || from.crossed && from.offer == self.offer;
            }
            (false, true) => self.exclude(dealers(&from.holders)),
            (true, false) if !from.holders.is_empty() => {
                let had = std::mem::take(&mut self.holders);
                self.exclude(dealers(&had));
                self.lost_seats = 0;
                self.share_seats(from);
                self.stage = from.stage;
                self.waiting = from.waiting;
                self.closed_at = None;
                self.crossed |= from.crossed;
                self.hold = None; // of the time before it closed
            }
            (true, false) => {}
            (true, true) => self.holders.extend(from.moved()),
        }
    }

    /// The survivor goes on with the other's cycle, as its next one.
    fn go_on_as(&mut self, from: &Self) {
        self.renew_person(&from.person);
        self.cycle += 1;
        self.offer = from.offer.clone();
        self.category = from.category.clone();
        self.source = from.source.clone();
        self.campaign.clone_from(&from.campaign);
        self.certificate_warning = from.certificate_warning;
        self.brings = from.brings;
        self.opened_at = from.opened_at;
        self.lifted_at = from.lifted_at;
        self.opening = from.opening;
        self.stage = from.stage;
        self.waiting = from.waiting;
        self.closed_at = from.closed_at;
        self.last_conclusion.clone_from(&from.last_conclusion);
        let before = std::mem::replace(&mut self.holders, from.moved());
        self.excluded.clone_from(&from.excluded);
        self.exclude(not_again(&before));
        self.seats = from.seats;
        self.lost_seats = from.lost_seats;
        self.crossed = from.crossed;
        self.hold = None;
        self.priority_set = None;
        self.due = from.due;
    }

    /// All keep what they hold; no more is given than the least of what was agreed.
    fn share_seats(&mut self, from: &Self) {
        self.seats = match (self.seats_given(), from.seats_given()) {
            (Some((ours, protected)), Some((theirs, also))) => Some((ours.min(theirs), protected || also)),
            (ours, theirs) => ours.or(theirs),
        };
        self.lost_seats = self.lost_seats.saturating_add(from.lost_seats);
        self.holders.extend(from.moved());
    }

    fn seats_given(&self) -> Option<(u8, bool)> {
        self.seats.filter(|_| !self.holders.is_empty() || self.lost_seats > 0)
    }

    /// Its holders, as another lead names them.
    fn moved(&self) -> Vec<Holder> {
        let here = |holder: &Holder| Some(self.cycle_of(holder));
        self.holders.iter().map(|holder| Holder { came_from: here(holder), ..holder.clone() }).collect()
    }

    fn exclude(&mut self, dealers: impl IntoIterator<Item = DealerId>) {
        for dealer in dealers {
            if !self.excluded.contains(&dealer) {
                self.excluded.push(dealer);
            }
        }
    }

    fn close_won(&mut self, at: Option<Timestamp>) {
        self.stage = Stage::Won;
        self.waiting = None;
        self.closed_at = at;
        self.due = None;
    }

    /// What it is worth and who may have it is another matter now: distribution looks, and records what it
    /// concludes.
    fn look_again(&mut self, now: Timestamp) {
        if self.stage.closed() {
            self.rest_closed(now); // why it closed stays said
            return;
        }
        self.last_conclusion = None;
        self.due = Some(self.due.map_or(soon(now), |due| due.min(soon(now))));
    }

    fn held_twice(&self) -> Vec<DealerId> {
        let mut twice = Vec::new();
        for (at, holder) in self.holders.iter().enumerate() {
            let before = self.holders.iter().take(at);
            if before.clone().any(|one| one.dealer == holder.dealer) && !twice.contains(&holder.dealer) {
                twice.push(holder.dealer.clone());
            }
        }
        twice
    }

    /// From now on it only points to the survivor: an open cycle closes, one that is over stays what it was.
    fn end_merged(&mut self, into: LeadId, now: Timestamp) {
        self.merged_into = Some(into);
        self.possible_duplicate = false;
        self.visitors_to_join.clear();
        self.hold = None;
        if !self.stage.closed() {
            self.holders.clear();
            self.close(Stage::Rejected, now);
        }
        self.due = None;
    }
}

fn dealers(holders: &[Holder]) -> impl Iterator<Item = DealerId> {
    holders.iter().map(|holder| holder.dealer.clone())
}

/// Those whose contract has them wait for nothing more of this person.
fn not_again(holders: &[Holder]) -> impl Iterator<Item = DealerId> {
    holders.iter().filter(|holder| !holder.again).map(|holder| holder.dealer.clone())
}

#[cfg(test)]
mod tests;
