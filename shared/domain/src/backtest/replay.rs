//! History in its order, every decision made again under the new rulebook.

mod book;
mod trail;
mod judge;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use jiff::{SignedDuration, Timestamp};

use super::difference::{Assumed, Difference};
use super::history::{Assigned, Decided, Event};
use super::tally::{Slot, Worlds};
use crate::distribution::{Compiled, Conclusion, Seat, Switches};
use crate::error::Invalid;
use crate::ids::{CategoryId, DealerId, LeadId};
use crate::lead::AssignmentState;
use crate::rulebook::Rulebook;
use book::Book;
use trail::{Held, Trail};

/// The time that is compared: from an instant to before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first instant.
    pub from: Timestamp,
    /// The first instant that is not looked at any more.
    pub to: Timestamp,
}

/// Runs history under a rulebook. Events may come in any order; those before `window.from` count, and are
/// not decided again. `progress` is told how many events of how many are done.
///
/// # Errors
/// When a dealer's zone is unknown, which a rulebook that parses does not say.
pub fn backtest(
    book: &Rulebook,
    compiled: Compiled,
    history: &[Event],
    window: Window,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Difference, Invalid> {
    let mut replay = Replay::new(Book::new(book, compiled)?, window);
    let steps = steps(history, window.to);
    let total = steps.len();
    replay.remember(history);
    for (done, step) in steps.into_iter().enumerate() {
        replay.until(step.at);
        replay.step(step.what);
        if done % 1_000 == 0 {
            progress(done, total);
        }
    }
    replay.until(window.to);
    progress(total, total);
    Ok(Difference::of(&replay))
}

/// Something in history, at its time.
struct Step<'h> {
    at: Timestamp,
    /// At one instant, what was so before decides first.
    rank: u8,
    /// Then lead by lead, and of one lead the decision that knows of the fewest dealers.
    lead: LeadId,
    dealers: usize,
    by_desk: bool,
    after: bool,
    what: What<'h>,
}

#[derive(Clone, Copy)]
enum What<'h> {
    Happened(&'h Event),
    /// A seat came back.
    Ended(&'h Decided, &'h Assigned),
    /// A seat was won.
    Won(&'h Decided, &'h Assigned),
}

const BEFORE_DECISIONS: u8 = 0;
const DECISIONS: u8 = 1;

fn steps(history: &[Event], to: Timestamp) -> Vec<Step<'_>> {
    let mut steps = Vec::with_capacity(history.len());
    for event in history {
        let nobody = LeadId::from_bytes([0; 16]);
        let Event::Decided(decided) = event else {
            let (rank, what) = (BEFORE_DECISIONS, What::Happened(event));
            steps.push(Step {
                at: event.at(),
                rank,
                lead: nobody,
                dealers: 0,
                by_desk: false,
                after: false,
                what,
            });
            continue;
        };
        let lead = decided.facts.lead;
        let dealers = decided.facts.excluded.len() + decided.facts.holders.len();
        let what = What::Happened(event);
        // What the desk did at the instant of a decision, it did after it.
        let by_desk = decided.beside_desk;
        steps.push(Step { at: decided.at, rank: DECISIONS, lead, dealers, by_desk, after: false, what });
        for given in &decided.given {
            let ended = given.given_back_at().map(|at| (at, What::Ended(decided, given)));
            let won = given.won_at().map(|at| (at, What::Won(decided, given)));
            steps.extend(ended.into_iter().chain(won).map(|(at, what)| {
                // What ends in the instant in which it began ends after that.
                let rank = if at <= given.at { DECISIONS } else { BEFORE_DECISIONS };
                Step { at: at.max(given.at), rank, lead, dealers, by_desk, after: true, what }
            }));
        }
    }
    steps.retain(|step| step.at < to);
    steps.sort_by_key(|step| (step.at, step.rank, step.lead, step.dealers, step.by_desk, step.after));
    steps
}

/// A lead's cycle.
type CycleKey = (LeadId, u32);

/// What time brings in the world that would be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    /// A seat that the dealer gives back, as it did.
    Ends { trail: usize, dealer: DealerId, taken: Timestamp },
    /// A seat that the dealer wins, as it did.
    Wins { trail: usize, dealer: DealerId, taken: Timestamp },
    /// A lead that waits is looked at.
    Looks { trail: usize },
}

fn key(decided: &Decided) -> CycleKey {
    (decided.facts.lead, decided.facts.cycle)
}

/// A timer by its time; those of one instant in the order of their leads' worth.
type Timed = (Timestamp, u8, Reverse<Timestamp>, Timer);

/// How many of those that wait are asked whether a freed slot is for them.
const ASKED_FOR_A_SLOT: usize = 500;
/// How many are woken for one slot: twice as many as came free.
const WOKEN_FOR_A_SLOT: usize = 2;

/// The state of both worlds.
pub(super) struct Replay<'h> {
    book: Book,
    pub(super) window: Window,
    worlds: Worlds,
    pub(super) trails: Vec<Trail<'h>>,
    by_lead: HashMap<CycleKey, usize>,
    /// What each dealer answered to each lead.
    answers: HashMap<CycleKey, Vec<&'h Assigned>>,
    timers: BinaryHeap<Reverse<Timed>>,
    /// Leads that wait in the world that would be, by category.
    waiting: HashMap<CategoryId, Vec<usize>>,
    switches: Switches,
    /// Some lead does not go as it went: time and slots matter from here.
    parted: bool,
    pub(super) assumed: Assumed,
}

impl<'h> Replay<'h> {
    fn new(book: Book, window: Window) -> Self {
        Self {
            book,
            window,
            worlds: Worlds::default(),
            trails: Vec::new(),
            by_lead: HashMap::new(),
            answers: HashMap::new(),
            timers: BinaryHeap::new(),
            waiting: HashMap::new(),
            switches: Switches::default(),
            parted: false,
            assumed: Assumed::default(),
        }
    }

    fn remember(&mut self, history: &'h [Event]) {
        for event in history {
            if let Event::Decided(decided) = event
                && !decided.given.is_empty()
            {
                self.answers.entry(key(decided)).or_default().extend(&decided.given);
            }
        }
        self.assumed.counted_from = history.iter().map(Event::at).min();
    }

    /// Lets time pass in the world that would be, up to an instant.
    fn until(&mut self, to: Timestamp) {
        while let Some(Reverse((at, ..))) = self.timers.peek()
            && *at <= to
            && *at < self.window.to
            && let Some(Reverse((at, _, _, timer))) = self.timers.pop()
        {
            match timer {
                Timer::Ends { trail, dealer, taken } => self.ends(trail, &dealer, taken, at),
                Timer::Wins { trail, dealer, taken } => {
                    let held = self.trails.get(trail).and_then(|trail| trail.seat(&dealer, taken));
                    if let Some(held) = held {
                        self.worlds.as_it_would_be.win(&held.slot);
                    }
                }
                Timer::Looks { trail } => {
                    let open = self.trails.get(trail).is_some_and(|trail| trail.is_open(at));
                    if self.parted && open {
                        self.look(trail, at, None);
                    }
                }
            }
        }
    }

    fn step(&mut self, what: What<'h>) {
        match what {
            What::Happened(Event::Decided(decided)) => self.decided(decided),
            What::Happened(Event::Deposited(deposited)) => {
                self.worlds.as_it_was.deposit(&deposited.dealer, deposited.amount.minor());
                self.worlds.as_it_would_be.deposit(&deposited.dealer, deposited.amount.minor());
            }
            What::Happened(Event::Switched(switched)) => {
                self.switches = switched.switches.clone();
                self.all_look(switched.at);
            }
            What::Ended(decided, given) => {
                let slot = self.book.slot_as_it_was(given);
                self.worlds.as_it_was.give_back(&slot);
                if let Some(trail) = self.compared(decided) {
                    trail.was_given_back(given);
                } else {
                    self.worlds.as_it_would_be.give_back(&slot);
                }
            }
            What::Won(decided, given) => {
                let slot = self.book.slot_as_it_was(given);
                self.worlds.as_it_was.win(&slot);
                if self.compared(decided).is_none() {
                    self.worlds.as_it_would_be.win(&slot);
                }
            }
        }
    }

    /// The trail of a decision's lead, if it is one that is compared.
    fn compared(&mut self, decided: &Decided) -> Option<&mut Trail<'h>> {
        let at = *self.by_lead.get(&key(decided))?;
        self.trails.get_mut(at).filter(|trail| trail.compared)
    }

    /// A decision that was recorded is made again, and what was given with it counts as it was.
    fn decided(&mut self, decided: &'h Decided) {
        let index = self.trail_of(decided);
        let Some(trail) = self.trails.get_mut(index) else { return };
        if !trail.compared {
            // What was decided before counts in both worlds alike.
            for given in &decided.given {
                let was = self.book.slot_as_it_was(given);
                self.worlds.as_it_was.take(&was);
                self.worlds.as_it_would_be.take(&was);
            }
            return;
        }
        trail.records(decided);
        // A lead that has found its dealer elsewhere is not decided. One that goes as it went is, whoever
        // has a seat of it: a holder, or one that lost it.
        let elsewhere = trail.parted_at.is_some() && !trail.may_wait();
        if !decided.beside_desk && !elsewhere {
            self.look(index, decided.at, Some(decided));
        }
        for given in &decided.given {
            self.given(index, given);
        }
    }

    fn trail_of(&mut self, decided: &'h Decided) -> usize {
        if let Some(known) = self.by_lead.get(&key(decided)) {
            return *known;
        }
        let compared = decided.at >= self.window.from;
        let expires = self.book.expires_at(&decided.facts);
        self.trails.push(Trail::new(decided, compared, expires));
        self.by_lead.insert(key(decided), self.trails.len() - 1);
        self.trails.len() - 1
    }

    /// A seat that was given, of a lead that is compared.
    fn given(&mut self, index: usize, given: &'h Assigned) {
        let was = self.book.slot_as_it_was(given);
        self.worlds.as_it_was.take(&was);
        let Some(trail) = self.trails.get_mut(index) else { return };
        trail.was_given(given);
        let same = |held: &&Held| held.slot.contract == given.contract && held.slot.at == given.at;
        if trail.seats.iter().find(same).is_some_and(|held| held.slot.price != given.price.minor()) {
            // It goes where it went, and what is left of a budget is another.
            self.part();
        }
        if given.by_desk {
            self.placed_by_desk(index, given);
        }
    }

    /// What the desk placed is placed again, where that can be.
    fn placed_by_desk(&mut self, index: usize, given: &'h Assigned) {
        let slot = self.book.slot_of(&given.contract, given.at, given.prepaid);
        let Some(trail) = self.trails.get_mut(index) else { return };
        match slot {
            // There was room as it was: a seat that a dealer lost stands beside one that the desk gave it since.
            Some((slot, fixes)) if trail.parted_at.is_none() || trail.has_room_for(&slot.dealer) => {
                self.assumed.placements_replayed += 1;
                trail.fix(fixes);
                self.take(index, slot);
            }
            Some(_) => self.assumed.placements_elsewhere += 1,
            None => {
                self.assumed.placements_lost += 1;
                let why =
                    format!("the desk placed it with {}, which is not in the new rulebook", given.contract);
                trail.part(given.at, why);
                self.part();
            }
        }
    }

    /// Decides, and lets what follows follow. With a record, at its time and beside what came of it then.
    fn look(&mut self, index: usize, now: Timestamp, recorded: Option<&'h Decided>) {
        let Some(judged) = self.judge(index, now, recorded) else { return };
        let Some(trail) = self.trails.get_mut(index) else { return };
        let kept = judged.kept;
        let (seats, waiting, until) = match judged.conclusion {
            Conclusion::Assign(seats) => (seats, None, None),
            Conclusion::Wait { reason, until, .. } => (Vec::new(), Some(reason), until),
        };
        let chosen = || seats.iter().map(|seat| &seat.contract);
        let as_it_went = match recorded {
            Some(record) => {
                let given = record.waiting.is_none();
                trail.parted_at.is_none()
                    && if given { chosen().eq(&record.contracts) } else { seats.is_empty() }
            }
            None => trail.parted_at.is_none() && seats.is_empty(),
        };
        if trail.parted_at.is_none() && !as_it_went {
            let why = self.why(index, now, recorded, waiting);
            if let Some(trail) = self.trails.get_mut(index) {
                trail.part(now, why);
            }
            self.part();
        }
        if let (Some(first), Some(trail)) = (seats.first(), self.trails.get_mut(index)) {
            trail.fix((first.seats, first.protected));
        }
        for seat in &seats {
            self.take(index, slot(seat, now));
        }
        if let Some(trail) = self.trails.get_mut(index) {
            trail.looked(waiting, until, kept);
        }
        self.waits(index, now);
    }

    /// A seat is taken in the world that would be; what the dealer answered, it answers again.
    fn take(&mut self, index: usize, slot: Slot) {
        self.worlds.as_it_would_be.take(&slot);
        let Some(trail) = self.trails.get_mut(index) else { return };
        // One that had it more than once answers each time as it did.
        let of_dealer = self.answers.get(&key(trail.latest)).into_iter().flatten();
        let answered =
            of_dealer.filter(|seat| seat.dealer == slot.dealer).min_by_key(|seat| seat.at != slot.at);
        let lapsed = answered.is_some_and(|seat| seat.state == AssignmentState::Lapsed);
        let lapses_no_more = lapsed && !self.book.has_deadline(&slot.contract);
        if lapses_no_more {
            trail.part(slot.at, format!("{} has no deadline any more: it does not lapse", slot.contract));
        }
        let answered = answered.filter(|_| !lapses_no_more);
        match answered {
            None => self.assumed.answers_accepted += 1,
            Some(answered) => {
                self.assumed.answers_reused += 1;
                let after = |at: Timestamp| slot.at.checked_add(at.duration_since(answered.at)).ok();
                let (dealer, taken) = (slot.dealer.clone(), slot.at);
                if let Some(at) = answered.given_back_at().and_then(after) {
                    let timer = Timer::Ends { trail: index, dealer: dealer.clone(), taken };
                    self.timers.push(Reverse((at, 0, Reverse(taken), timer)));
                }
                if let Some(at) = answered.won_at().and_then(after) {
                    let timer = Timer::Wins { trail: index, dealer, taken };
                    self.timers.push(Reverse((at, 0, Reverse(taken), timer)));
                }
            }
        }
        trail.take(slot);
        let category = &trail.latest.facts.category;
        if let Some(waiting) = self.waiting.get_mut(category) {
            waiting.retain(|at| *at != index);
        }
        if lapses_no_more {
            self.part();
        }
    }

    /// A seat comes back in the world that would be.
    fn ends(&mut self, index: usize, dealer: &DealerId, taken: Timestamp, now: Timestamp) {
        let Some(trail) = self.trails.get_mut(index) else { return };
        let Some(held) = trail.give_back(dealer, taken) else { return };
        self.worlds.as_it_would_be.give_back(&held.slot);
        // One that goes as it went is decided when it was. A seat that comes back is given anew, whoever has the others.
        let looks = trail.parted_at.is_some() && (!trail.seats.is_empty() || trail.is_open(now));
        if looks {
            self.look(index, now, None);
        }
        if self.parted {
            self.slot_came_free(dealer, now);
        }
    }

    /// A lead waits, or a seat of it is kept: it is looked at when time alone may change something.
    fn waits(&mut self, index: usize, now: Timestamp) {
        let Some(trail) = self.trails.get(index).filter(|trail| trail.may_wait()) else { return };
        let waiting = self.waiting.entry(trail.latest.facts.category.clone()).or_default();
        if !waiting.contains(&index) {
            waiting.push(index);
        }
        if self.parted {
            self.set_timer(index, now);
        }
    }

    fn set_timer(&mut self, index: usize, now: Timestamp) {
        let Some(trail) = self.trails.get(index) else { return };
        let Some(until) = trail.until else { return };
        let at = until.max(now.checked_add(SignedDuration::from_secs(1)).unwrap_or(now));
        let (band, fresh) = trail.worth();
        self.timers.push(Reverse((at, band, fresh, Timer::Looks { trail: index })));
    }

    /// From here the worlds differ: those that wait are looked at by time as well.
    fn part(&mut self) {
        if std::mem::replace(&mut self.parted, true) {
            return;
        }
        let waiting: Vec<usize> = self.waiting.values().flatten().copied().collect();
        for index in waiting {
            self.set_timer(index, self.window.from);
        }
    }

    /// Those that wait are looked at, once the worlds differ: a switch was flipped.
    fn all_look(&mut self, now: Timestamp) {
        if !self.parted {
            return;
        }
        for index in self.waiting.values().flatten().copied().collect::<Vec<_>>() {
            let Some(trail) = self.trails.get_mut(index) else { continue };
            trail.until = Some(now);
            self.set_timer(index, now);
        }
    }

    /// A dealer's slot came free: the best of those who wait that may be its are looked at, in whatever category.
    fn slot_came_free(&mut self, dealer: &DealerId, now: Timestamp) {
        let mut best: Vec<usize> = self.waiting.values().flatten().copied().collect();
        best.sort_by_key(|at| self.trails.get(*at).map(|trail| (trail.worth(), *at)));
        let mut woken = Vec::new();
        for index in best.into_iter().take(ASKED_FOR_A_SLOT) {
            if woken.len() == WOKEN_FOR_A_SLOT {
                break;
            }
            if self.may_be_theirs(index, dealer, now) {
                woken.push(index);
            }
        }
        for index in woken {
            if self.trails.get(index).is_some_and(|trail| trail.is_open(now)) {
                self.look(index, now, None);
            }
        }
    }
}

/// A seat as it counts.
fn slot(seat: &Seat, now: Timestamp) -> Slot {
    Slot {
        contract: seat.contract.clone(),
        dealer: seat.dealer.clone(),
        reservation: seat.reservation,
        at: now,
        price: seat.price.minor(),
        prepaid: seat.prepaid,
        step: seat.pass.step,
        pass: Some(seat.pass.next),
    }
}
