//! The protocol of distribution as a model: small enough to be looked at in every state, and close enough
//! to the functions to be read as their specification.
//!
//! A lead comes, is decided on, and its seats are given; attempts bring it to the dealer; dealers and the
//! desk have their say; slots come back and wake those who wait. Meanwhile messages come twice, in any
//! order, or never; processes end between any two side effects; midnight passes.
//!
//! | module | holds | after |
//! |---|---|---|
//! | [`state`], `hands` | what stands in the table and in the queues; processes at work | `store`, `queues`, `domain::{lead, assignment}` |
//! | [`world`], [`worlds`] | who lives there, what may go wrong, how the protocol may be broken | |
//! | `distribution` | deciding, reserving, assigning | `distribution`, `store::caps` |
//! | `waking` | waking for slots that came free, and at the start of a period | `distribution::wake`, `store::switches` |
//! | `delivery` | claims, attempts, settlement, final failure, withdrawals | `delivery::{assigned, messages}` |
//! | `changes` | answers, deadlines, returns, taking back by the desk | `console::inbox` |
//! | `giving_back` | the one commit by which a seat comes back | `store::assignments` |
//! | `clock` | the sweep, claims that end, midnight, the window of repeats | `sweep`, `store::due`, `Lead::take` |
//! | `properties` | what must hold always, at rest, and be seen sometimes | `product.md`'s promises 1 to 3 |
//! | [`rest`] | that every world comes to rest | |
//!
//! # The rules
//!
//! 1. *One commit is one step*: a conditional transaction stands as a whole or not at all. A version is
//!    a condition: who was not the last to read is refused, and looks again.
//! 2. *A process reads, decides, commits, sends.* Between any two of these it may end; then its message
//!    comes again. A request of a dealer or the desk does not.
//! 3. *Assigning* is conditional on the lead's version, on the period and the count of the caps item, and
//!    on the balance. A period that somebody's clock has turned is not turned back: a slot is reserved
//!    from the later one.
//! 4. *An attempt is claimed* before it is made. A claim outlasts its attempt: who comes to posting only
//!    when it is over does not post. An attempt that began and has no end is taken for unknown.
//! 5. *Final failure* is kept first, so that the dealer can answer no more; then, if an attempt ended
//!    unknown, the dealer is told; then the seat comes back. A withdrawal that did not arrive leaves an
//!    item of its own in that commit, which goes on.
//! 6. *A seat comes back* in one commit, on the assignment's and the lead's versions: state, slot (to the
//!    period it was taken from, if that runs), balance, credit, exclusion, lead, wake.
//! 7. *Settlement* is the charge line: at delivery, or at acceptance where there is a deadline. What comes
//!    back after it is credited.
//! 8. *A deadline* warns, then lapses, on the assignment's version: an answer in between wins.
//! 9. *Taking back by the desk* marks the delivery as ended unknown, and the rest is final failure's. It
//!    is refused while an attempt is under way: that might arrive after its withdrawal.
//! 10. *Waking* makes those chosen due, sends them, and forgets the wake on condition that no slot came
//!     free meanwhile. It begins only when whoever was being decided on before the slot came free has
//!     committed: five seconds, an assumption about time ([`Broken::DecidesSlowly`] is the model without).
//! 11. *At the start of a period* the best of those who wait for it are woken, twice as many as its slots: an item
//!     of its own, kept before the first of them waits, and forgotten once they are due. Everybody looks for itself a
//!     few minutes later, so that nobody's rest hangs on it; it decides who comes first. That the best have been
//!     looked at by then is an assumption about time.
//! 12. *The due index is the truth*: whatever is not at rest has a due time, and the sweep queues it again.
//!
//! Deadlines, returns, charges, balances and taking back by the desk stand here as the rules want them;
//! when this was written the functions did not have them yet. Where the functions fell short of the
//! promises, the model does what is right and [`Broken`] keeps what they did: `WakesByMessageAlone`,
//! `OldCycleWakesNobody`, `ExpiresWhileHeld`.
//!
//! # What is left out
//!
//! Scoring, bands, nurturing and quarantine; areas (a territory is given by lead), ranking and shares (the
//! first in the list wins); hours, pauses and the stop switch; several periods of one cap; budgets that a dealer's
//! contracts have in common; patience (`when_unavailable = wait` is modelled
//! for who gets the lead, not for slow attempts); `when_unavailable = next`; repeats within the window;
//! the ninety days of a held lead; people who place by hand. A deadline's clock begins at delivery, not
//! at the offer. Lost replies of the store: a transaction's token finds out, and a claim knows its own.
//! Index pages that are behind. A message that is sent while the same is under way adds nothing; a second
//! copy is the fault `duplicates`. Times are not numbers: what is due soon comes due at any moment.
//! `tests/simulation` has most of these, in chosen runs; here it is few things, in all of them.

pub mod state;
mod hands;
pub mod world;
pub mod worlds;
mod distribution;
mod waking;
mod delivery;
mod giving_back;
mod changes;
mod clock;
mod properties;
pub mod rest;
#[cfg(test)]
mod agreement;

use leadyard_domain::assignment::DeliveryState;
use leadyard_domain::delivery::End;
use stateright::{Model, Property};

use state::{Attempt, Caps, Change, Hand, Id, Lead, Message, Set, State, Told};
use world::{Broken, World};

/// The protocol in one world, whole or broken in one way.
#[derive(Clone, Debug)]
pub struct Protocol {
    /// Where.
    pub world: World,
    /// How.
    pub broken: Broken,
}

/// What happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// A message is received, and what it names is read.
    Receive(Message),
    /// A process makes its next side effect, and sends what follows.
    Step(Hand),
    /// A process posts to a dealer, and that ends so.
    Post(Hand, End),
    /// A process tells a dealer that it lost the lead; whether that arrives.
    Withdraw(Hand, bool),
    /// The sweep claims what is due and queues it.
    Sweep(Message),
    /// An attempt has the assignment no longer to itself.
    ClaimEnds(Id),
    /// The caps' period turns: midnight.
    PeriodTurns,
    /// The window of repeats of a lead ends.
    WindowEnds(Id),
    /// The same person asks again after it: the next cycle opens.
    AsksAgain(Id),
    /// A dealer or the desk wants a change, and the assignment is read.
    Want(Id, Change),
    /// A message is received, and will be again.
    Duplicate(Message),
    /// A message is lost.
    Lose(Message),
    /// A process ends before its next side effect; its message comes again.
    Crash(Hand),
    /// A process ends after its commit, when it has sent so many of the messages that follow.
    CrashAfter(Hand, u8),
}

/// What a side effect leaves to do.
pub(crate) struct Next {
    hand: Option<Hand>,
    send: Vec<Message>,
}

impl Next {
    pub(crate) const fn done() -> Self {
        Self { hand: None, send: Vec::new() }
    }

    pub(crate) const fn goes_on(hand: Hand) -> Self {
        Self { hand: Some(hand), send: Vec::new() }
    }

    pub(crate) const fn sends(send: Vec<Message>) -> Self {
        Self { hand: None, send }
    }
}

impl Model for Protocol {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            leads: vec![Lead::opened(0); usize::from(self.world.leads)],
            assignments: Vec::new(),
            caps: vec![Caps::default(); self.world.contracts.len()],
            dealer_caps: vec![Caps::default(); self.world.dealer_caps.len()],
            wake: None,
            wake_at: Set::default(),
            queue: (0..self.world.leads).map(Message::Lead).collect(),
            hands: Vec::new(),
            period: 0,
            left: self.world.faults,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        self.messages(state, actions);
        self.steps(state, actions);
        Self::time(state, actions);
        self.people(state, actions);
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Receive(message) => {
                state.receive(message);
                self.read(&mut state, message);
            }
            Action::Duplicate(message) => {
                state.left.duplicates -= 1;
                self.read(&mut state, message);
            }
            Action::Lose(message) => {
                state.left.losses -= 1;
                state.receive(message);
            }
            Action::Step(hand) => {
                let next = self.step(&mut state, hand, None, false);
                for message in next.send {
                    state.send(message);
                }
                if let Some(hand) = next.hand {
                    state.begin(hand);
                }
            }
            Action::Post(hand, end) => {
                let next = self.step(&mut state, hand, Some(end), false);
                if let Some(hand) = next.hand {
                    state.begin(hand);
                }
            }
            Action::Withdraw(hand, arrives) => {
                let next = self.step(&mut state, hand, None, arrives);
                if let Some(hand) = next.hand {
                    state.begin(hand);
                }
            }
            Action::Crash(hand) => {
                state.left.crashes -= 1;
                end(&mut state, hand);
                if let Some(message) = hand.message() {
                    state.send(message);
                }
            }
            Action::CrashAfter(hand, sent) => {
                state.left.crashes -= 1;
                let next = match hand {
                    // Here the messages come first, and the commit after them.
                    Hand::Waking { leads, .. } => {
                        end(&mut state, hand);
                        self.wake_them(&mut state, leads)
                    }
                    Hand::Distributing { .. }
                    | Hand::Attempting { .. }
                    | Hand::TakingBack { .. }
                    | Hand::Changing { .. } => self.step(&mut state, hand, None, false),
                };
                if next.send.len() < usize::from(sent) || next.send.is_empty() {
                    return None;
                }
                for message in next.send.into_iter().take(usize::from(sent)) {
                    state.send(message);
                }
                if let Some(message) = hand.message() {
                    state.send(message);
                }
            }
            Action::Sweep(message) => {
                if state.hands.iter().any(|hand| hand.message() == Some(message)) {
                    state.left.duplicates -= 1;
                }
                self.sweep(&mut state, message);
            }
            Action::ClaimEnds(of) => self.claim_ends(&mut state, of),
            Action::PeriodTurns => clock::period_turns(&mut state),
            Action::WindowEnds(id) => clock::window_ends(&mut state, id),
            Action::AsksAgain(id) => clock::asks_again(&mut state, id),
            Action::Want(of, change) => {
                if change == Change::TakeBack {
                    state.left.take_backs -= 1;
                }
                state.begin(Hand::Changing { of, change, fresh: true });
            }
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut all = properties::always();
        if self.broken == Broken::Nothing {
            all.extend(properties::sometimes());
        }
        all
    }
}

fn end(state: &mut State, hand: Hand) {
    if let Some(at) = state.hands.iter().position(|one| *one == hand) {
        state.hands.remove(at);
    }
}

impl Protocol {
    /// Messages are received in any order, twice, or never.
    fn messages(&self, state: &State, actions: &mut Vec<Action>) {
        let room = state.hands.len() < self.world.hands;
        for message in state.queue.iter().copied() {
            if state.left.losses > 0 {
                actions.push(Action::Lose(message));
            }
            // The wake comes five seconds after the slot: who was being decided on by then waits.
            let early = message == Message::Wake && self.broken != Broken::DecidesSlowly;
            let old = |hand: &Hand| matches!(hand, Hand::Distributing { before_slot: true, .. });
            if !room || early && state.hands.iter().any(old) {
                continue;
            }
            actions.push(Action::Receive(message));
            if state.left.duplicates > 0 {
                actions.push(Action::Duplicate(message));
            }
        }
    }

    fn steps(&self, state: &State, actions: &mut Vec<Action>) {
        for (at, hand) in state.hands.iter().copied().enumerate() {
            // Two that are the same do the same.
            if at > 0 && state.hands[at - 1] == hand {
                continue;
            }
            if state.left.crashes > 0 {
                actions.push(Action::Crash(hand));
            }
            match hand {
                Hand::Attempting { of, next: Attempt::Post(_) } => {
                    let ends = self.contract(state, of).ends.iter();
                    actions.extend(ends.map(|end| Action::Post(hand, *end)));
                    continue;
                }
                Hand::TakingBack { of, told, fresh } if !self.commits_taking_back(state, of, told, fresh) => {
                    actions.push(Action::Withdraw(hand, true));
                    if told == Told::No && state.assignment(of).delivery == DeliveryState::Unknown {
                        actions.push(Action::Withdraw(hand, false));
                    }
                    continue;
                }
                Hand::Attempting { .. }
                | Hand::TakingBack { .. }
                | Hand::Distributing { .. }
                | Hand::Changing { .. }
                | Hand::Waking { .. } => {}
            }
            actions.push(Action::Step(hand));
            if state.left.crashes > 0 {
                actions.extend((0..3).map(|sent| Action::CrashAfter(hand, sent)));
            }
        }
    }

    fn people(&self, state: &State, actions: &mut Vec<Action>) {
        if state.hands.len() >= self.world.hands {
            return;
        }
        for (of, _) in state.assignments() {
            for change in self.world.people.iter().copied() {
                let may = change != Change::TakeBack || state.left.take_backs > 0;
                if may && self.fits(state, of, change) {
                    actions.push(Action::Want(of, change));
                }
            }
        }
    }

    /// Reads what a message names, and begins to work on it if there is anything to do.
    fn read(&self, state: &mut State, message: Message) {
        let hand = match message {
            Message::Lead(id) => self.look(state, id),
            Message::Assignment(of) => self.deliver(state, of),
            Message::Withdrawal(of) => {
                Self::withdraw_again(state, of);
                None
            }
            Message::Wake => self.choose_whom_to_wake(state),
            Message::WakeAt => self.choose_whom_to_wake_now(state),
        };
        if let Some(hand) = hand {
            state.begin(hand);
        }
    }

    fn step(&self, state: &mut State, hand: Hand, ends: Option<End>, arrives: bool) -> Next {
        end(state, hand);
        if let Some(at) = self.notes(state, hand) {
            state.wake_at.insert(at);
            return Next::goes_on(hand.noted());
        }
        match hand {
            Hand::Distributing { lead, plan, period, seen, fresh, .. } => {
                self.distribute(state, lead, plan, period, seen, fresh)
            }
            Hand::Attempting { of, next: Attempt::Claim { fresh } } => self.claim(state, of, fresh),
            Hand::Attempting { of, next: Attempt::Post(number) } => {
                Self::post(state, of, number, ends.unwrap_or(End::Unknown))
            }
            Hand::Attempting { of, next: Attempt::Record(number, ended) } => {
                self.record(state, of, number, ended)
            }
            Hand::TakingBack { of, told, fresh } => {
                if self.commits_taking_back(state, of, told, fresh) {
                    self.take_back(state, of, told)
                } else {
                    self.look_back(state, of, told, arrives)
                }
            }
            Hand::Changing { of, change, fresh } => self.change(state, of, change, fresh),
            Hand::Waking { leads, timed, fresh } => self.wake(state, leads, timed, fresh),
        }
    }
}
