//! When a person may be called: from 8 in the morning to 9 in the evening where they are (47 CFR 64.1200(c)(1)).
//!
//! # Determinations
//!
//! - *Where they are* is where their ZIP is; else anywhere in the state they gave, or in that of their phone's area
//!   code, which is a guess: numbers move with people. Who may be in several zones may be called when all of these
//!   allow it. Who may be anywhere: when it is day from the East coast to Hawaii.
//! - *A state's zones* are those that anybody lives in, by the ZIPs of the place table.
//! - *A company narrows the hours* (`call_hours`), and never widens them.
//! - *Hours are the clock's on the wall*, so that a day of 23 or 25 hours is one day.

use jiff::civil::{Time, time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use crate::distribution::Location;
use crate::place::{self, State};

/// From when to when, by the clock where the person is: `closes` is the first moment that is too late.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct CallingHours {
    /// The first moment.
    pub opens: Time,
    /// The first moment after.
    pub closes: Time,
}

/// What federal law allows.
pub const FEDERAL: CallingHours = CallingHours { opens: time(8, 0, 0, 0), closes: time(21, 0, 0, 0) };

impl Default for CallingHours {
    fn default() -> Self {
        FEDERAL
    }
}

/// Who may be anywhere is called when it is day in all of these.
const ANYWHERE: [&str; 7] = [
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Phoenix",
    "America/Los_Angeles",
    "America/Anchorage",
    "Pacific/Honolulu",
];

/// Whether somebody may be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MayCall {
    /// Now, and until then.
    Until(Timestamp),
    /// Not now, but from then on.
    From(Timestamp),
    /// Never: it is not day everywhere at once.
    Never,
}

/// Where somebody may be, as IANA zones; and whether that is a guess.
pub fn zones(location: Location) -> (Vec<&'static str>, bool) {
    match location {
        Location::Zip(zip) => match place::of(zip) {
            Some(place) => (vec![place.zone()], false),
            None => (ANYWHERE.to_vec(), true),
        },
        Location::State { state, guessed } => (of_state(state), guessed),
        Location::Unplaced => (ANYWHERE.to_vec(), true),
    }
}

fn of_state(state: State) -> Vec<&'static str> {
    let peopled = place::all().filter(|place| place.state() == state && place.population() > 0);
    let mut zones: Vec<_> = peopled.map(place::Place::zone).collect();
    // The territories and the military, where nobody is counted.
    zones.push(place::state_zone(state));
    zones.sort_unstable();
    zones.dedup();
    zones
}

/// Whether somebody who may be in any of these zones may be called at this instant, and until or from when.
pub fn may_call(zones: &[TimeZone], hours: CallingHours, at: Timestamp) -> MayCall {
    let allowed = |at: Timestamp| {
        zones.iter().all(|zone| {
            let clock = zone.to_datetime(at).time();
            hours.opens <= clock && clock < hours.closes
        })
    };
    let now = allowed(at);
    let mut edges: Vec<Timestamp> = zones.iter().flat_map(|zone| edges(zone, hours, at)).collect();
    edges.sort_unstable();
    let next = edges.into_iter().find(|edge| *edge > at && allowed(*edge) != now);
    match (now, next) {
        (true, Some(until)) => MayCall::Until(until),
        // In no zone does the day end: there is none.
        (true, None) => MayCall::Until(Timestamp::MAX),
        (false, Some(from)) => MayCall::From(from),
        (false, None) => MayCall::Never,
    }
}

/// When the hours of a zone begin and end, from the day before to two days ahead: days of its calendar, since late in the
/// evening before clocks go forward, 24 hours later is the day after the next.
fn edges(zone: &TimeZone, hours: CallingHours, at: Timestamp) -> impl Iterator<Item = Timestamp> {
    let today = zone.to_datetime(at).date();
    let days = (-1..=2).filter_map(move |days: i64| today.checked_add(days.days()).ok());
    days.flat_map(move |date| {
        [hours.opens, hours.closes]
            .into_iter()
            .filter_map(|clock| zone.to_timestamp(date.to_datetime(clock)).ok())
            .collect::<Vec<_>>()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn asked(location: Location, when: &str) -> MayCall {
        let named = zones(location).0;
        let zones: Vec<_> = named.iter().map(|zone| crate::time::zone(zone).unwrap()).collect();
        may_call(&zones, FEDERAL, at(when))
    }

    fn zip(text: &str) -> Location {
        Location::of(Some(text.parse().unwrap()), None, None)
    }

    fn state(text: &str) -> Location {
        Location::of(None, Some(text.parse().unwrap()), None)
    }

    #[test]
    fn from_eight_to_nine_where_they_are() {
        let miami = zip("33101");
        for (when, may) in [
            ("2026-06-01T11:59:59Z", MayCall::From(at("2026-06-01T12:00:00Z"))),
            ("2026-06-01T12:00:00Z", MayCall::Until(at("2026-06-02T01:00:00Z"))),
            ("2026-06-02T00:59:59Z", MayCall::Until(at("2026-06-02T01:00:00Z"))),
            ("2026-06-02T01:00:00Z", MayCall::From(at("2026-06-02T12:00:00Z"))),
        ] {
            assert_eq!(asked(miami, when), may, "{when}");
        }
        assert_eq!(asked(zip("96701"), "2026-06-01T12:00:00Z"), MayCall::From(at("2026-06-01T18:00:00Z")));
    }

    #[test]
    fn the_night_that_the_clocks_change_is_one_night() {
        // On March 8th 2026 New York's clocks go forward at 2: the night is an hour shorter.
        assert_eq!(asked(zip("10001"), "2026-03-08T02:30:00Z"), MayCall::From(at("2026-03-08T12:00:00Z")));
        assert_eq!(asked(zip("10001"), "2026-03-07T02:30:00Z"), MayCall::From(at("2026-03-07T13:00:00Z")));
        // Late in the evening before, it is the very next morning too.
        assert_eq!(asked(zip("10001"), "2026-03-08T04:05:00Z"), MayCall::From(at("2026-03-08T12:00:00Z")));
        // And back on November 1st.
        assert_eq!(asked(zip("10001"), "2026-11-01T02:30:00Z"), MayCall::From(at("2026-11-01T13:00:00Z")));
        // Arizona keeps its clocks.
        assert_eq!(asked(zip("85001"), "2026-03-08T05:00:00Z"), MayCall::From(at("2026-03-08T15:00:00Z")));
    }

    #[test]
    fn who_may_be_in_two_zones_is_called_when_both_allow_it() {
        // Florida is in Eastern and Central time: from 8 Central to 9 Eastern.
        assert_eq!(zones(state("FL")).0, ["America/Chicago", "America/New_York"]);
        assert_eq!(asked(state("FL"), "2026-06-01T12:30:00Z"), MayCall::From(at("2026-06-01T13:00:00Z")));
        assert_eq!(asked(state("FL"), "2026-06-01T13:00:00Z"), MayCall::Until(at("2026-06-02T01:00:00Z")));
        // Nobody knows where: from 8 in Honolulu to 9 in New York.
        let (named, guessed) = zones(Location::Unplaced);
        assert!(guessed && named.len() == 7);
        // Nor of a ZIP that no table has.
        assert_eq!(zones(Location::Zip("00001".parse().unwrap())), (named, true));
        assert_eq!(
            asked(Location::Unplaced, "2026-06-01T16:00:00Z"),
            MayCall::From(at("2026-06-01T18:00:00Z"))
        );
        assert_eq!(
            asked(Location::Unplaced, "2026-06-01T18:00:00Z"),
            MayCall::Until(at("2026-06-02T01:00:00Z"))
        );
        // A phone's area code is a guess.
        assert!(zones(Location::of(None, None, Some(305))).1);
    }

    #[test]
    fn every_state_has_zones_and_hours() {
        for state in State::ALL {
            let location = Location::State { state: *state, guessed: false };
            assert_ne!(asked(location, "2026-06-01T12:00:00Z"), MayCall::Never, "{}", state.name());
        }
    }

    #[test]
    fn where_it_is_never_day_at_once_nobody_is_called() {
        let far: Vec<_> = ["Pacific/Guam", "America/New_York", "Europe/Berlin"]
            .into_iter()
            .map(|zone| crate::time::zone(zone).unwrap())
            .collect();
        let hours = CallingHours { opens: time(10, 0, 0, 0), closes: time(16, 0, 0, 0) };
        assert_eq!(may_call(&far, hours, at("2026-06-01T12:00:00Z")), MayCall::Never);
    }
}
