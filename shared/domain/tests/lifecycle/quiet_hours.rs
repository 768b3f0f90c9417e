//! At which hours somebody may be called: minute by minute, by the clock wherever they may be.

use fastrand::Rng;
use jiff::civil::{Time, time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use leadyard_domain::calling::{CallingHours, FEDERAL, MayCall, may_call, zones};
use leadyard_domain::distribution::Location;

use crate::{holds, one_of};

broken! {
    /// They are called from midnight on.
    Morning,
    /// They are called until midnight.
    Evening,
    /// The evening's last minute is one longer.
    ToTheMinute,
    /// The clock is UTC's.
    Theirs,
    /// Who may be in two zones is called when one of them allows it.
    EveryZone,
    /// A state is where most of its people are.
    WholeState,
    /// Who may be anywhere is on the East coast.
    Anywhere,
    /// A company's own hours are not heard.
    CompanysHours,
}

/// Where somebody is said to be, and the zones that they may be in.
const PLACES: [(&str, &[&str]); 5] = [
    ("33130", &["America/New_York"]),
    ("85001", &["America/Phoenix"]),
    ("96701", &["Pacific/Honolulu"]),
    ("FL", &["America/New_York", "America/Chicago"]),
    (
        "",
        &[
            "America/New_York",
            "America/Chicago",
            "America/Denver",
            "America/Phoenix",
            "America/Los_Angeles",
            "America/Anchorage",
            "Pacific/Honolulu",
        ],
    ),
];

#[derive(Clone, Copy, Debug)]
struct Case {
    place: usize,
    hours: CallingHours,
    at: Timestamp,
}

fn cases(random: &mut Rng) -> Case {
    let own = CallingHours { opens: time(9, 30, 0, 0), closes: time(19, 0, 0, 0) };
    // An ordinary week, and the two in which clocks change.
    let days = ["2026-06-01T00:00:00Z", "2026-03-07T00:00:00Z", "2026-10-31T00:00:00Z"];
    let first: Timestamp = one_of(random, &days).parse().unwrap();
    Case {
        place: random.usize(..PLACES.len()),
        hours: one_of(random, &[FEDERAL, own]),
        at: first + SignedDuration::from_mins(5 * random.i64(0..600)),
    }
}

fn done(case: &Case) -> MayCall {
    let location = match PLACES[case.place].0 {
        "" => Location::Unplaced,
        state if state.len() == 2 => Location::State { state: state.parse().unwrap(), guessed: false },
        zip => Location::Zip(zip.parse().unwrap()),
    };
    let named = zones(location).0.into_iter();
    let zones: Vec<TimeZone> = named.map(|zone| TimeZone::get(zone).unwrap()).collect();
    may_call(&zones, case.hours, case.at)
}

fn plain(case: &Case, broken: Option<Broken>) -> MayCall {
    let keeps = |rule| broken != Some(rule);
    let (said, zones) = PLACES[case.place];
    let zones = match said {
        "FL" if !keeps(Broken::WholeState) => &zones[..1],
        "" if !keeps(Broken::Anywhere) => &zones[..1],
        _ => zones,
    };
    let zones: Vec<TimeZone> = zones
        .iter()
        .map(|zone| TimeZone::get(if keeps(Broken::Theirs) { zone } else { "UTC" }).unwrap())
        .collect();
    let CallingHours { opens, closes } = if keeps(Broken::CompanysHours) { case.hours } else { FEDERAL };
    let allows = |clock: Time| {
        (opens <= clock || !keeps(Broken::Morning))
            && (clock < closes || clock == closes && !keeps(Broken::ToTheMinute) || !keeps(Broken::Evening))
    };
    let allowed = |at: Timestamp| {
        let mut clocks = zones.iter().map(|zone| zone.to_datetime(at).time());
        if keeps(Broken::EveryZone) { clocks.all(allows) } else { clocks.any(allows) }
    };
    let now = allowed(case.at);
    let mut minutes = (1..3 * 24 * 60).map(|minutes| case.at + SignedDuration::from_mins(minutes));
    match (now, minutes.find(|at| allowed(*at) != now)) {
        (true, Some(until)) => MayCall::Until(until),
        (true, None) => MayCall::Until(Timestamp::MAX),
        (false, Some(from)) => MayCall::From(from),
        (false, None) => MayCall::Never,
    }
}

#[test]
fn at_which_hours_somebody_may_be_called_is_what_the_rules_say_and_each_of_them_counts() {
    holds(ALL, 1_000, cases, done, plain);
}
