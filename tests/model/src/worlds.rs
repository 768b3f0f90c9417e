//! The worlds that are looked at, each small enough that every state of it is.

use leadyard_domain::lead::Answer;

use crate::state::{Change, Faults};
use crate::world::{ANYHOW, DOUBTFUL, Dealer, World};

const ACCEPT: Change = Change::Answer(Answer::Accept);
const DECLINE: Change = Change::Answer(Answer::Decline);
const LOST: Change = Change::Answer(Answer::Lost);
const NO_FAULTS: Faults =
    Faults { duplicates: 0, losses: 0, crashes: 0, turns: 0, windows: 0, repeats: 0, take_backs: 0 };

/// A world to begin from.
const WORLD: World = World {
    name: "",
    leads: 1,
    dealers: &[],
    seats: 1,
    protected: &[],
    attempts: 1,
    hands: 2,
    people: &[],
    faults: NO_FAULTS,
};

/// Two leads come at once and there is one slot; it comes back when its dealer declines.
pub const ONE_SLOT: World = World {
    name: "two leads, one slot",
    leads: 2,
    dealers: &[Dealer { cap: 1, ..Dealer::OPEN }],
    people: &[DECLINE],
    faults: Faults { duplicates: 1, crashes: 1, ..NO_FAULTS },
    ..WORLD
};

/// The same, and messages are lost: among them those that wake.
pub const LOST_WAKE: World = World {
    name: "two leads, one slot, a message lost",
    faults: Faults { losses: 1, crashes: 1, ..NO_FAULTS },
    ..ONE_SLOT
};

/// Two leads, two dealers of one slot each, and attempts that may leave it open who has the lead.
pub const TWO_DEALERS: World = World {
    name: "two leads, two dealers of one slot each",
    leads: 2,
    dealers: &[Dealer { cap: 1, ends: DOUBTFUL, ..Dealer::OPEN }, Dealer { cap: 1, ..Dealer::OPEN }],
    faults: Faults { duplicates: 1, ..NO_FAULTS },
    ..WORLD
};

/// Attempts that end in every way, twice, while the dealer answers.
pub const ATTEMPTS: World = World {
    name: "attempts, answers and final failure",
    dealers: &[Dealer { ends: ANYHOW, ..Dealer::OPEN }, Dealer::OPEN],
    attempts: 2,
    people: &[ACCEPT, DECLINE],
    faults: Faults { duplicates: 1, losses: 1, crashes: 1, ..NO_FAULTS },
    ..WORLD
};

/// Offered, warned, lapsed; accepted in time, or too late.
pub const DEADLINE: World = World {
    name: "a deadline",
    dealers: &[Dealer { deadline: true, cap: 1, ends: DOUBTFUL, ..Dealer::OPEN }, Dealer::OPEN],
    people: &[ACCEPT, DECLINE],
    faults: Faults { duplicates: 1, losses: 1, crashes: 1, ..NO_FAULTS },
    ..WORLD
};

/// Returns asked for, approved by two at once, denied; and the desk takes back.
pub const DESK: World = World {
    name: "returns and the desk",
    dealers: &[Dealer { ends: DOUBTFUL, ..Dealer::OPEN }, Dealer::OPEN],
    people: &[ACCEPT, Change::AskReturn, Change::Approve, Change::Deny, Change::TakeBack],
    faults: Faults { duplicates: 1, take_backs: 1, ..NO_FAULTS },
    ..WORLD
};

/// The period of the caps turns while leads are decided on, attempts are under way and slots come back.
pub const MIDNIGHT: World = World {
    name: "midnight",
    leads: 2,
    dealers: &[Dealer { cap: 1, ends: DOUBTFUL, ..Dealer::OPEN }],
    people: &[DECLINE],
    faults: Faults { turns: 1, ..NO_FAULTS },
    ..WORLD
};

/// A balance for one lead, and two leads.
pub const BALANCE: World = World {
    name: "a prepaid balance",
    leads: 2,
    dealers: &[Dealer { budget: 3, price: 2, deadline: true, ..Dealer::OPEN }],
    people: &[ACCEPT, Change::AskReturn, Change::Approve],
    faults: Faults { losses: 1, ..NO_FAULTS },
    ..WORLD
};

/// Two seats for three dealers; seats come back and are given anew, and the window ends.
pub const SHARED: World = World {
    name: "a shared lead",
    dealers: &[Dealer::OPEN, Dealer { ends: DOUBTFUL, ..Dealer::OPEN }, Dealer::OPEN],
    seats: 2,
    people: &[DECLINE, LOST],
    faults: Faults { windows: 1, ..NO_FAULTS },
    ..WORLD
};

/// A second cycle opens while the first is held, and the slot of the first comes back.
pub const CYCLES: World = World {
    name: "two cycles",
    leads: 2,
    dealers: &[Dealer { cap: 1, ..Dealer::OPEN }],
    people: &[DECLINE],
    faults: Faults { windows: 1, repeats: 1, ..NO_FAULTS },
    ..WORLD
};

/// A protected territory that waits for its dealer; the other lead competes for it.
pub const TERRITORY: World = World {
    name: "a protected territory",
    leads: 2,
    dealers: &[Dealer { cap: 1, ..Dealer::OPEN }, Dealer::OPEN],
    protected: &[(0, 0)],
    people: &[DECLINE],
    ..WORLD
};

/// Two slots come back, one while those who wait are woken for the other.
pub const TWO_SLOTS: World = World {
    name: "two slots come back",
    leads: 2,
    dealers: &[Dealer { cap: 1, ..Dealer::OPEN }, Dealer { cap: 1, ..Dealer::OPEN }],
    people: &[DECLINE],
    ..WORLD
};

/// All of them.
pub const ALL: &[World] = &[
    ONE_SLOT,
    LOST_WAKE,
    TWO_DEALERS,
    ATTEMPTS,
    DEADLINE,
    DESK,
    MIDNIGHT,
    BALANCE,
    SHARED,
    CYCLES,
    TERRITORY,
    TWO_SLOTS,
];
