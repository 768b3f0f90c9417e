//! stub
pub mod state;
pub mod world;
pub mod worlds;
mod distribution;
mod delivery;
mod giving_back;
mod changes;
mod properties;
pub mod rest;

use leadyard_domain::assignment::DeliveryState;
use leadyard_domain::delivery::End;
use leadyard_domain::lead::{AssignmentState, Stage};
use stateright::{Model, Property};

use state::{Attempt, Caps, Change, Due, Hand, Id, Lead, Message, Return, Set, State, Told, Withdrawal};
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
        let lead = Lead {
            stage: Stage::Received,
            waits: None,
            cycle: 0,
            holders: Set::default(),
            excluded: Set::default(),
            seats: 0,
            lost_seats: 0,
            due: Due::Soon,
            window_over: false,
            waited: false,
        };
        vec![State {
            leads: vec![lead; usize::from(self.world.leads)],
            assignments: Vec::new(),
            caps: vec![Caps::default(); self.world.dealers.len()],
            wake: None,
            queue: (0..self.world.leads).map(Message::Lead).collect(),
            hands: Vec::new(),
            period: 0,
            left: self.world.faults,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        self.messages(state, actions);
        self.steps(state, actions);
        self.time(state, actions);
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
                next.send.into_iter().for_each(|message| state.send(message));
                next.hand.into_iter().for_each(|hand| state.begin(hand));
            }
            Action::Post(hand, end) => {
                let next = self.step(&mut state, hand, Some(end), false);
                next.hand.into_iter().for_each(|hand| state.begin(hand));
            }
            Action::Withdraw(hand, arrives) => {
                let next = self.step(&mut state, hand, None, arrives);
                next.hand.into_iter().for_each(|hand| state.begin(hand));
            }
            Action::Crash(hand) => {
                state.left.crashes -= 1;
                end(&mut state, hand);
                hand.message().into_iter().for_each(|message| state.send(message));
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
                next.send.into_iter().take(usize::from(sent)).for_each(|message| state.send(message));
                hand.message().into_iter().for_each(|message| state.send(message));
            }
            Action::Sweep(message) => {
                if state.hands.iter().any(|hand| hand.message() == Some(message)) {
                    state.left.duplicates -= 1;
                }
                self.sweep(&mut state, message);
            }
            Action::ClaimEnds(of) => self.claim_ends(&mut state, of),
            Action::PeriodTurns => {
                state.left.turns -= 1;
                state.period += 1;
                for lead in &mut state.leads {
                    if lead.due == Due::NextPeriod {
                        lead.due = Due::Soon;
                    }
                }
            }
            Action::WindowEnds(id) => {
                state.left.windows -= 1;
                let lead = &mut state.leads[usize::from(id)];
                lead.window_over = true;
                if lead.stage == Stage::Waiting {
                    lead.due = Due::Soon;
                }
            }
            Action::AsksAgain(id) => {
                state.left.repeats -= 1;
                let lead = state.write_lead(id);
                *lead = Lead {
                    stage: Stage::Received,
                    waits: None,
                    cycle: lead.cycle + 1,
                    holders: Set::default(),
                    excluded: Set::default(),
                    seats: 0,
                    lost_seats: 0,
                    due: Due::Soon,
                    window_over: false,
                    waited: false,
                };
                state.send(Message::Lead(id));
            }
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
                Hand::TakingBack { of, told, fresh }
                    if !self.commits_taking_back(state, of, told, fresh) =>
                {
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

    /// What time alone makes happen.
    fn time(&self, state: &State, actions: &mut Vec<Action>) {
        let leads = state.leads.iter().enumerate().filter(|(_, lead)| lead.due == Due::Soon);
        let leads = leads.map(|(id, _)| Message::Lead(id as Id));
        let assignments = state.assignments().filter(|(_, one)| one.due == Due::Soon);
        let assignments = assignments.map(|(id, _)| Message::Assignment(id));
        let withdrawals = state.assignments().filter(|(_, one)| one.withdrawal == Withdrawal::Pending);
        let withdrawals = withdrawals.map(|(id, _)| Message::Withdrawal(id));
        let wake = state.wake.map(|_| Message::Wake);
        for due in leads.chain(assignments).chain(withdrawals).chain(wake) {
            let at_work = state.hands.iter().any(|hand| hand.message() == Some(due));
            if !state.queue.contains(&due) && (!at_work || state.left.duplicates > 0) {
                actions.push(Action::Sweep(due));
            }
        }
        // It makes a difference only to a message that is there, and to the desk; the sweep comes later.
        let desk = state.left.take_backs > 0;
        let waits = |id: Id| desk || state.queue.contains(&Message::Assignment(id));
        let claimed = state.assignments().filter(|(id, one)| one.claimed && waits(*id));
        actions.extend(claimed.map(|(id, _)| Action::ClaimEnds(id)));
        if state.left.turns > 0 {
            actions.push(Action::PeriodTurns);
        }
        for (id, lead) in state.leads.iter().enumerate() {
            if state.left.windows > 0 && !lead.window_over {
                actions.push(Action::WindowEnds(id as Id));
            }
            if state.left.repeats > 0 && lead.window_over {
                actions.push(Action::AsksAgain(id as Id));
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
            Message::Wake => Self::choose_whom_to_wake(state),
        };
        hand.into_iter().for_each(|hand| state.begin(hand));
    }

    fn step(&self, state: &mut State, hand: Hand, ends: Option<End>, arrives: bool) -> Next {
        end(state, hand);
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
            Hand::Waking { leads, fresh } => self.wake(state, leads, fresh),
        }
    }

    /// The sweep: an overdue item is claimed by moving its due time, and put on its queue.
    fn sweep(&self, state: &mut State, due: Message) {
        if let Message::Assignment(of) = due {
            let offered = state.assignment(of).state == AssignmentState::Offered;
            let received = state.assignment(of).delivery == DeliveryState::Received;
            let seat = &mut state.assignments[usize::from(of)];
            if offered && received && self.world.dealers[usize::from(seat.dealer)].deadline {
                // What was due is the warning, and after it the deadline.
                seat.clock = if seat.warned { 2 } else { 1 };
            }
            self.claim_ends(state, of);
        }
        if self.broken != Broken::SweepDoesNotRequeue {
            state.send(due);
        }
    }

    /// An attempt that was begun too slowly is not made any more.
    fn claim_ends(&self, state: &mut State, of: Id) {
        state.assignments[usize::from(of)].claimed = false;
        if self.broken != Broken::OutlivesItsClaim {
            state.hands.retain(|hand| {
                !matches!(hand, Hand::Attempting { of: one, next: Attempt::Post(_) } if *one == of)
            });
        }
    }
}

impl Return {
    /// Whether the desk is to decide.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Requested)
    }
}
