//! Who had a lead and how it got there: its seats with their attempts, what was charged for each and credited, and what
//! holders were told besides.
//!
//! Determination. *Charges and credits are read off the seats, not off the ledger*: a line stands in the write that
//! settles or gives back, so that the seat says the same, and a dealer's ledger holds every other lead of it too.

use leadyard_domain::assignment::{Assignment, Attempt};
use leadyard_domain::distribution::Core;
use leadyard_domain::ledger::Line;
use leadyard_platform::store::Delivery;

use super::shown::{self, instant};
use crate::leads::Whole;

/// Attempts of one seat or message that a page shows, the last ones.
const ATTEMPTS: usize = 6;

/// A seat that a dealer has or had.
pub(super) struct Seat {
    pub(super) dealer: String,
    /// The dealer's page.
    pub(super) at: String,
    pub(super) contract: String,
    pub(super) state: String,
    pub(super) offered: String,
    pub(super) delivery: String,
    pub(super) attempts: Vec<String>,
    pub(super) price: String,
    /// What was charged, and what of it was credited.
    pub(super) money: Vec<String>,
}

/// A message to a holder.
pub(super) struct Message {
    pub(super) what: String,
    pub(super) dealer: String,
    pub(super) since: String,
    pub(super) state: String,
    pub(super) attempts: Vec<String>,
}

/// The seats of a lead, the newest first.
pub(super) fn seats(core: &Core, whole: &Whole) -> Vec<Seat> {
    whole.assignments().into_iter().rev().map(|seat| of(core, seat)).collect()
}

fn of(core: &Core, seat: &Assignment) -> Seat {
    Seat {
        dealer: seat.dealer.to_string(),
        at: format!("/console/dealers/{}/{}", seat.company, seat.dealer),
        contract: seat.contract.to_string(),
        state: seat.state.to_string(),
        offered: instant(core, seat.offered_at),
        delivery: match (seat.shadow, seat.imported) {
            (true, _) => "only watched".to_owned(),
            (false, true) => "by another system".to_owned(),
            (false, false) => shown::word(&seat.delivery),
        },
        attempts: attempts(core, &seat.attempts),
        price: shown::money(core, seat.price),
        money: money(core, seat),
    }
}

fn money(core: &Core, seat: &Assignment) -> Vec<String> {
    let Some(charge) = Line::charge(seat) else { return Vec::new() };
    let told =
        |what: &str, at| format!("{what} {}, {}", shown::money(core, charge.amount), instant(core, at));
    let mut lines = vec![told("charged", charge.at)];
    if seat.state.is_given_back() {
        lines.push(told("credited", seat.state_at));
    }
    lines
}

/// What holders were told besides the lead itself, the newest first.
pub(super) fn messages(core: &Core, whole: &Whole) -> Vec<Message> {
    let mut all: Vec<&Delivery> = whole.messages().collect();
    all.sort_by_key(|message| std::cmp::Reverse(message.since));
    let told = |message: &&Delivery| Message {
        what: message.event.to_string(),
        dealer: message.dealer.to_string(),
        since: instant(core, message.since),
        state: shown::word(&message.state),
        attempts: attempts(core, &message.attempts),
    };
    all.iter().map(told).collect()
}

/// The last attempts, the newest first. What the dealer answered may repeat the person, and is not told.
fn attempts(core: &Core, attempts: &[Attempt]) -> Vec<String> {
    let told = |attempt: &Attempt| {
        let what = if attempt.what.is_empty() { attempt.end.to_string() } else { attempt.what.clone() };
        let by =
            if attempt.channel == 0 { String::new() } else { format!(" by channel {}", attempt.channel) };
        format!("{}: {}{by} ({} ms)", instant(core, attempt.at), shown::cut(&what, 200), attempt.ms)
    };
    attempts.iter().rev().take(ATTEMPTS).map(told).collect()
}
