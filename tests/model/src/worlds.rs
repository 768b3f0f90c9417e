//! The worlds that are looked at, each small enough that every state of it is.

use leadyard_domain::lead::Answer;

use crate::state::{Change, Faults};
use crate::world::{ANYHOW, Contract, DOUBTFUL, World};

const ACCEPT: Change = Change::Answer(Answer::Accept);
const DECLINE: Change = Change::Answer(Answer::Decline);
const LOST: Change = Change::Answer(Answer::Lost);
const NO_FAULTS: Faults =
    Faults { duplicates: 0, losses: 0, crashes: 0, turns: 0, windows: 0, repeats: 0, take_backs: 0 };

/// A world to begin from.
const WORLD: World = World {
    name: "",
    leads: 1,
    contracts: &[],
    dealer_caps: &[],
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
    contracts: &[Contract { cap: 1, ..Contract::of(0) }],
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
    contracts: &[
        Contract { cap: 1, ends: DOUBTFUL, ..Contract::of(0) },
        Contract { cap: 1, ..Contract::of(1) },
    ],
    faults: Faults { duplicates: 1, ..NO_FAULTS },
    ..WORLD
};

/// Attempts that end in every way, twice, while the dealer answers.
pub const ATTEMPTS: World = World {
    name: "attempts, answers and final failure",
    contracts: &[Contract { ends: ANYHOW, ..Contract::of(0) }, Contract::of(1)],
    attempts: 2,
    people: &[ACCEPT, DECLINE],
    faults: Faults { duplicates: 1, losses: 1, crashes: 1, ..NO_FAULTS },
    ..WORLD
};

/// Offered, warned, lapsed; accepted in time, or too late.
pub const DEADLINE: World = World {
    name: "a deadline",
    contracts: &[Contract { deadline: true, cap: 1, ends: DOUBTFUL, ..Contract::of(0) }, Contract::of(1)],
    people: &[ACCEPT, DECLINE],
    faults: Faults { duplicates: 1, losses: 1, crashes: 1, ..NO_FAULTS },
    ..WORLD
};

/// Returns asked for, approved by two at once, denied; and the desk takes back.
pub const DESK: World = World {
    name: "returns and the desk",
    contracts: &[Contract { ends: DOUBTFUL, ..Contract::of(0) }, Contract::of(1)],
    people: &[ACCEPT, Change::AskReturn, Change::Approve, Change::Deny, Change::TakeBack],
    faults: Faults { duplicates: 1, take_backs: 1, ..NO_FAULTS },
    ..WORLD
};

/// The period of the caps turns while leads are decided on, attempts are under way and slots come back.
pub const MIDNIGHT: World = World {
    name: "midnight",
    leads: 2,
    contracts: &[Contract { cap: 1, ends: DOUBTFUL, ..Contract::of(0) }],
    people: &[DECLINE],
    faults: Faults { turns: 1, ..NO_FAULTS },
    ..WORLD
};

/// A balance for one lead, and two leads.
pub const BALANCE: World = World {
    name: "a prepaid balance",
    leads: 2,
    contracts: &[Contract { budget: 3, price: 2, deadline: true, ..Contract::of(0) }],
    people: &[ACCEPT, Change::AskReturn, Change::Approve],
    faults: Faults { losses: 1, ..NO_FAULTS },
    ..WORLD
};

/// Two seats for three dealers; seats come back and are given anew, and the window ends.
pub const SHARED: World = World {
    name: "a shared lead",
    contracts: &[Contract::of(0), Contract { ends: DOUBTFUL, ..Contract::of(1) }, Contract::of(2)],
    seats: 2,
    people: &[DECLINE, LOST],
    faults: Faults { windows: 1, ..NO_FAULTS },
    ..WORLD
};

/// A second cycle opens while the first is held, and the slot of the first comes back.
pub const CYCLES: World = World {
    name: "two cycles",
    leads: 2,
    contracts: &[Contract { cap: 1, ..Contract::of(0) }],
    people: &[DECLINE],
    faults: Faults { windows: 1, repeats: 1, ..NO_FAULTS },
    ..WORLD
};

/// A protected territory that waits for its dealer; the other lead competes for it.
pub const TERRITORY: World = World {
    name: "a protected territory",
    leads: 2,
    contracts: &[Contract { cap: 1, ..Contract::of(0) }, Contract::of(1)],
    protected: &[(0, 0)],
    people: &[DECLINE],
    faults: Faults { duplicates: 1, ..NO_FAULTS },
    ..WORLD
};

/// The same, and whoever works on it dies in the middle.
pub const TERRITORY_LEFT: World = World {
    name: "a protected territory, left in the middle",
    faults: Faults { crashes: 1, ..NO_FAULTS },
    ..TERRITORY
};

/// Two slots come back, one while those who wait are woken for the other.
pub const TWO_SLOTS: World = World {
    name: "two slots come back",
    leads: 2,
    contracts: &[Contract { cap: 1, ..Contract::of(0) }, Contract { cap: 1, ..Contract::of(1) }],
    people: &[DECLINE],
    ..WORLD
};

/// Two contracts of one dealer, which takes one lead in all: one lead is of the territory of the second.
pub const TWO_CONTRACTS: World = World {
    name: "two contracts of a dealer that takes one lead",
    leads: 2,
    contracts: &[Contract { cap: 1, ..Contract::of(0) }, Contract { cap: 1, ..Contract::of(0) }],
    dealer_caps: &[1],
    protected: &[(1, 1)],
    people: &[DECLINE],
    faults: Faults { turns: 1, ..NO_FAULTS },
    ..WORLD
};

/// Two seats of a lead, and two of the three contracts are one dealer's.
pub const TWO_SEATS: World = World {
    name: "two seats, a dealer of two contracts",
    contracts: &[Contract::of(0), Contract::of(0), Contract::of(1)],
    dealer_caps: &[9, 9],
    seats: 2,
    people: &[DECLINE],
    faults: Faults { crashes: 1, ..NO_FAULTS },
    ..WORLD
};

/// Four come for one slot, and three wait for that of the next period: one of them behind twice the slots.
pub const IN_LINE: World = World {
    name: "three in line for the next period",
    leads: 4,
    hands: 1,
    contracts: &[Contract { cap: 1, ..Contract::of(0) }],
    faults: Faults { turns: 1, ..NO_FAULTS },
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
    TERRITORY_LEFT,
    TWO_SLOTS,
    TWO_CONTRACTS,
    TWO_SEATS,
    IN_LINE,
];
