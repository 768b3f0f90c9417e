//! A lead at an instant: where, when, what switches are set, how far every counter stands.

use jiff::{SignedDuration, Timestamp};
use leadyard_domain::contract::{Need, Needs};
use leadyard_domain::distribution::counters::{WeekResults, week_of};
use leadyard_domain::distribution::{
    Compiled, Counters, LeadFacts, Location, OpenSeats, Pause, Pauses, Reservation, Screened, Switches, Usage,
};
use leadyard_domain::ids::{ContractId, DealerId, LeadId};
use leadyard_domain::place::State;
use leadyard_domain::scoring::Band;
use leadyard_domain::time::{self, Period};

use crate::bytes::Bytes;
use crate::draft::{STATES, ZIPS, ZONES};

/// Instants around which clocks change, days end, and time itself does.
const TURNS: &[&str] = &[
    "2026-06-01T16:00:00Z",
    "2026-06-03T08:00:00Z",
    "2026-03-08T07:00:00Z",
    "2026-11-01T06:00:00Z",
    "2026-03-28T22:00:00Z",
    "2026-12-31T23:59:59Z",
    "2024-02-29T00:00:00Z",
    "2011-12-30T10:00:00Z",
    "1970-01-01T00:00:00Z",
    "1883-11-18T17:00:00Z",
    "0001-01-01T00:00:00Z",
    "9999-12-30T00:00:00Z",
];

/// Any instant that there is.
pub fn instant(bytes: &mut Bytes<'_>) -> Timestamp {
    let (first, last) = (Timestamp::MIN, Timestamp::MAX);
    match bytes.below(16) {
        0 => first,
        1 => last,
        2 | 3 => {
            let span = (last.as_second() - first.as_second()) as u64;
            let second = first.as_second() + (bytes.number() % span) as i64;
            Timestamp::from_second(second).unwrap_or(last)
        }
        _ => {
            let turn: Timestamp = bytes.pick(TURNS).parse().unwrap_or(first);
            let nanos = (bytes.number() as i64) >> (5 + bytes.below(50));
            turn.checked_add(SignedDuration::from_nanos(nanos)).unwrap_or(turn)
        }
    }
}

fn location(bytes: &mut Bytes<'_>) -> Location {
    let state = |bytes: &mut Bytes<'_>| bytes.pick(STATES).parse::<State>().ok();
    match bytes.below(16) {
        0 => Location::Unplaced,
        1 | 2 => state(bytes)
            .map_or(Location::Unplaced, |state| Location::State { state, guessed: bytes.chance(128) }),
        // A place that the table does not know, too: nothing forbids it.
        3 => {
            let zip = (bytes.number() % 100_000) as u32;
            zip.try_into().map_or(Location::Unplaced, Location::Zip)
        }
        // Mostly where the contracts are.
        4..10 => bytes.pick(&ZIPS[..4]).parse().map_or(Location::Unplaced, Location::Zip),
        _ => bytes.pick(ZIPS).parse().map_or(Location::Unplaced, Location::Zip),
    }
}

/// A lead of one of the rulebook's offers; `None` where it has none.
pub fn lead(bytes: &mut Bytes<'_>, compiled: &Compiled, now: Timestamp) -> Option<LeadFacts> {
    let core = &compiled.core;
    let offer = core.offers.get(bytes.below(core.offers.len()))?;
    let source = core.sources.get(bytes.below(core.sources.len()))?;
    let opened_at = match bytes.below(4) {
        0 => instant(bytes),
        1 => now.checked_sub(SignedDuration::from_hours(bytes.byte().into())).unwrap_or(now),
        _ => now,
    };
    let bands = ["A1", "A1", "A2", "B1", "B2", "C3"];
    let mut brings = Needs::NONE;
    for &need in Need::ALL {
        if bytes.chance(192) {
            brings = brings.with(need);
        }
    }
    let dealers = |bytes: &mut Bytes<'_>| -> Vec<DealerId> {
        let count = if bytes.chance(64) { bytes.below(4) } else { 0 };
        (0..count).filter_map(|_| format!("d{}", bytes.below(6)).parse().ok()).collect()
    };
    // No more are free than there are.
    let of = bytes.pick(&[2, 3, 1, 10, 255, 0]);
    let free = bytes.pick(&[1, 2, 0, 9, 255]).min(of);
    let open_seats = bytes.chance(40).then(|| OpenSeats { of, free, protected: bytes.chance(64) });
    Some(LeadFacts {
        lead: LeadId::from_bytes([bytes.byte(); 16]),
        cycle: 1,
        offer: offer.id.clone(),
        category: offer.category.clone(),
        source: source.id.clone(),
        opened_at,
        location: location(bytes),
        band: bytes.pick(&bands).parse::<Band>().ok()?,
        brings,
        excluded: dealers(bytes),
        holders: dealers(bytes),
        open_seats,
    })
}

/// Stop, shadow, and pauses, most often none.
pub fn switches(bytes: &mut Bytes<'_>) -> Switches {
    fn pauses<Id: Clone + Eq + std::hash::Hash + std::str::FromStr>(
        bytes: &mut Bytes<'_>,
        letter: char,
    ) -> Pauses<Id> {
        let count = if bytes.chance(32) { bytes.below(5) } else { 0 };
        (0..count)
            .filter_map(|_| {
                let id = format!("{letter}{}", bytes.below(8)).parse().ok()?;
                let until = bytes.chance(128).then(|| instant(bytes));
                Some(Pause { id, reason: String::new(), until })
            })
            .collect()
    }
    Switches {
        stop: bytes.chance(4),
        shadow: bytes.chance(8),
        contracts: pauses::<ContractId>(bytes, 'c'),
        dealers: pauses::<DealerId>(bytes, 'd'),
    }
}

/// Counters of candidates, or of a part of them: near their caps, and where no counter ever was.
pub fn counters(bytes: &mut Bytes<'_>, screened: &Screened<'_>, now: Timestamp) -> Counters {
    let (contracts, dealers) = screened.all_counters();
    let zone = time::zone(bytes.pick(&ZONES[1..])).unwrap_or(jiff::tz::TimeZone::UTC);
    let current = Reservation::at(now, &zone, time::WeekStart::Monday);
    let mut counters = Counters::default();
    for contract in contracts.into_iter().take(32) {
        if bytes.chance(160) {
            counters.contracts.insert(contract, usage(bytes, &current, now));
        }
    }
    for dealer in dealers.into_iter().take(32) {
        if bytes.chance(160) {
            counters.dealers.insert(dealer, usage(bytes, &current, now));
        }
    }
    counters
}

fn usage(bytes: &mut Bytes<'_>, current: &Reservation, now: Timestamp) -> Usage {
    let mut used = [None; 5];
    for (slot, period) in used.iter_mut().zip(Period::ALL) {
        let start = match bytes.below(16) {
            0..4 => continue,
            4 => i64::MIN,
            5 => i64::MAX,
            6 => current.start(*period).saturating_add(86_400),
            7 => current.start(*period).saturating_sub(86_400),
            _ => current.start(*period),
        };
        *slot = Some((start, bytes.pick(&[0, 1, 2, 3, 4, 5, u32::MAX])));
    }
    let results = (0..bytes.below(3)).map(|_| WeekResults {
        week: bytes.pick(&[week_of(now), week_of(now).saturating_sub(5), i32::MIN, i32::MAX]),
        delivered: bytes.pick(&[0, 1, 30, u32::MAX]),
        won: bytes.pick(&[0, 1, 30, u32::MAX]),
    });
    Usage {
        used,
        results: results.collect(),
        pass: bytes.pick(&[0, 1 << 32, u64::MAX, 1 << 63]),
        last_assigned_ms: bytes.pick(&[0, now.as_millisecond(), i64::MIN, i64::MAX]),
        spent_month: bytes.pick(&[0, 4_500, i64::MIN, i64::MAX]),
        balance: bytes.pick(&[0, 4_500, 1_000_000, i64::MIN, i64::MAX]),
        exists: bytes.chance(128),
    }
}
