//! Who receives leads: the dealer, its opening hours, its channels.

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};

use crate::contract::{Cap, Caps};
use crate::error::Invalid;
use crate::ids::{DealerId, TemplateId};
use crate::limits;
use crate::place::Zip;
use crate::time;

words! {
    /// Whose people these are.
    pub enum DealerKind as "a dealer's kind" {
        /// Another firm.
        Outside = "outside",
        /// One of our own salespeople.
        Own = "own",
    }
}

words! {
    /// What happens to a lead while the dealer is shut.
    pub enum AfterHours as "after_hours" {
        /// The contract is not open: see `when_unavailable`.
        Hold = "hold",
        /// It is delivered all the same.
        Deliver = "deliver",
    }
}

/// A row of `dealers.csv`. Its `Debug` names nobody.
#[derive(Clone, PartialEq)]
pub struct Dealer {
    /// Its id.
    pub id: DealerId,
    /// Outside or own.
    pub kind: DealerKind,
    /// The firm's name, as the desk reads it.
    pub name: String,
    /// Whom to ask for. A person: never logged.
    pub contact: String,
    /// Never logged.
    pub email: String,
    /// Never logged.
    pub phone: String,
    /// Never logged.
    pub billing_email: String,
    /// Where radii are measured from.
    pub zip: Zip,
    /// IANA zone that hours and caps are read in.
    pub zone: String,
    /// When it is open.
    pub hours: Hours,
    /// Unless the contract says otherwise.
    pub after_hours: AfterHours,
    /// Days it is shut, in its zone.
    pub holidays: Vec<Date>,
    /// Across all its contracts.
    pub caps: Caps,
    /// It gets leads only as far as what it paid in advance goes.
    pub prepaid: bool,
}

impl std::fmt::Debug for Dealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dealer").field("id", &self.id).field("zip", &self.zip).finish_non_exhaustive()
    }
}

words! {
    /// How a dealer is reached.
    pub enum ChannelKind as "a channel's kind" {
        /// An HTTPS endpoint. What is posted there is signed as Standard Webhooks are, whatever its format.
        Webhook = "webhook",
        /// Nothing is sent: the dealer reads the inbox.
        Inbox = "inbox",
        /// A letter that a person reads.
        Mail = "mail",
        /// A queue of our own account, for a dealer's program: the body of the webhook.
        Sqs = "sqs",
    }
}

words! {
    /// When a channel has a lead.
    #[derive(Default)]
    pub enum ChannelWhen as "when a channel is used" {
        /// When those before it have failed; the first at once.
        #[default]
        Fallback = "fallback",
        /// With every lead, side by side with the others.
        Always = "always",
    }
}

/// In what form a channel's messages are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Format {
    /// Standard Webhooks: our own JSON.
    #[default]
    Standard,
    /// ADF/XML 1.0.
    Adf,
    /// As the dealer's own API takes it, by a template of the rulebook.
    Template(TemplateId),
}

impl Format {
    /// The words that are no template's id.
    pub const WORDS: [&'static str; 2] = ["standard", "adf"];
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Standard => f.write_str("standard"),
            Self::Adf => f.write_str("adf"),
            Self::Template(id) => f.write_str(id.as_str()),
        }
    }
}

impl std::str::FromStr for Format {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        match text {
            "standard" => Ok(Self::Standard),
            "adf" => Ok(Self::Adf),
            id => id.parse().map(Self::Template),
        }
    }
}

impl TryFrom<String> for Format {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl From<Format> for String {
    fn from(format: Format) -> Self {
        format.to_string()
    }
}

/// A row of `channels.csv`. Secrets are never in it: they are derived.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Channel {
    /// Whose channel it is.
    pub dealer: DealerId,
    /// Channels are tried in this order, 1 first.
    pub order: u8,
    /// How.
    pub kind: ChannelKind,
    /// An `https://` URL for a webhook (on one machine `http://` on loopback too); an e-mail address for mail; a
    /// queue's name or URL for SQS; empty for the inbox.
    pub address: String,
    /// When it has a lead: the first is tried first, whatever it says.
    #[serde(default)]
    pub when: ChannelWhen,
    /// In what form its messages are.
    #[serde(default)]
    pub format: Format,
    /// What the dealer is called in its own system; empty where it has no such name.
    #[serde(default)]
    pub vendor_id: String,
}

/// Weekly opening hours, as `Mo-Fr 08:00-18:00; Sa 09:00-12:00`, or `24/7`.
///
/// Minutes of the local day, Monday first. An interval may end at `24:00`; one that would cross
/// midnight is written as two.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hours {
    week: [Vec<(u16, u16)>; 7],
}

const DAY_MINUTES: u16 = 24 * 60;

impl Hours {
    /// Open always.
    pub fn always() -> Self {
        Self { week: std::array::from_fn(|_| vec![(0, DAY_MINUTES)]) }
    }

    /// Whether any interval exists at all.
    pub fn ever_open(&self) -> bool {
        self.week.iter().any(|day| !day.is_empty())
    }

    /// The intervals of each day in minutes from its midnight, Monday first; the end is not in.
    pub fn week(&self) -> &[Vec<(u16, u16)>; 7] {
        &self.week
    }

    /// Whether it is open at this instant.
    pub fn is_open(&self, now: Timestamp, zone: &TimeZone, holidays: &[Date]) -> bool {
        self.open_on(zone.to_datetime(now), holidays)
    }

    /// The first instant after `now` at which it turns from shut to open; `None` when it does not within
    /// [`limits::OPENING_SEARCH_DAYS`].
    ///
    /// It opens when the clock on the wall says so, as [`Hours::is_open`] reads it:
    ///
    /// - an opening that daylight saving skips is at the first instant after the gap: from 02:30, where
    ///   there is none, it is moved to 03:00;
    /// - one in an hour that occurs twice opens twice, if it shut between;
    /// - intervals that touch are one, over midnight too: `Fr 20:00-24:00; Sa 00:00-02:00` does not open
    ///   on Saturday, and `24/7` only after a holiday.
    pub fn next_opening(&self, now: Timestamp, zone: &TimeZone, holidays: &[Date]) -> Option<Timestamp> {
        self.next_turn(true, now, zone, holidays)
    }

    /// The first instant after `now` at which it turns from open to shut, likewise.
    pub fn next_closing(&self, now: Timestamp, zone: &TimeZone, holidays: &[Date]) -> Option<Timestamp> {
        self.next_turn(false, now, zone, holidays)
    }

    /// The instant at which it has been open for `seconds` since `now`, as clocks run: an hour that
    /// daylight saving takes is none, one that it gives twice is two. `None` when it does not open in time.
    pub fn after_open(
        &self,
        now: Timestamp,
        seconds: i64,
        zone: &TimeZone,
        holidays: &[Date],
    ) -> Option<Timestamp> {
        let last =
            now.checked_add(jiff::SignedDuration::from_hours(24 * limits::OPENING_SEARCH_DAYS)).ok()?;
        let mut left = seconds;
        let mut at = now;
        if !self.is_open(at, zone, holidays) {
            at = self.next_opening(at, zone, holidays)?;
        }
        while at <= last {
            let shuts = self.next_closing(at, zone, holidays);
            let ends = at.checked_add(jiff::SignedDuration::from_secs(left)).ok()?;
            match shuts {
                Some(shuts) if shuts < ends => {
                    left -= shuts.as_second() - at.as_second();
                    at = self.next_opening(shuts, zone, holidays)?;
                }
                Some(_) | None => return Some(ends),
            }
        }
        None
    }

    fn next_turn(
        &self,
        to_open: bool,
        now: Timestamp,
        zone: &TimeZone,
        holidays: &[Date],
    ) -> Option<Timestamp> {
        let last = zone.to_datetime(now).date().checked_add(limits::OPENING_SEARCH_DAYS.days()).ok()?;
        let mut from = now;
        loop {
            // From one clock change to the next, local time runs as everywhere.
            let offset = zone.to_offset(from);
            let change = zone.following(from).next().map(|change| change.timestamp());
            let turns = self.next_turn_at(offset, to_open, from, last, holidays);
            if turns.is_some_and(|turns| change.is_none_or(|change| turns < change)) {
                return turns;
            }
            let change = change?;
            let (before, after) = (offset.to_datetime(change), zone.to_datetime(change));
            if after.date() > last {
                return None;
            }
            let was_open = self.was_open_before(before, holidays);
            let is_open = self.open_on(after, holidays);
            if was_open != is_open && is_open == to_open {
                return Some(change);
            }
            from = change;
        }
    }

    /// The same where clocks never change.
    fn next_turn_at(
        &self,
        offset: Offset,
        to_open: bool,
        now: Timestamp,
        last: Date,
        holidays: &[Date],
    ) -> Option<Timestamp> {
        let mut date = offset.to_datetime(now).date();
        while date <= last {
            if !holidays.contains(&date) {
                for &(from, to) in self.day(date.weekday()) {
                    let turns = local(date, if to_open { from } else { to })?;
                    let at = offset.to_timestamp(turns).ok()?;
                    // Not where it goes on from one interval to the next.
                    let stays = || {
                        if to_open {
                            self.was_open_before(turns, holidays)
                        } else {
                            self.open_on(turns, holidays)
                        }
                    };
                    if at > now && !stays() {
                        return Some(at);
                    }
                }
            }
            date = date.tomorrow().ok()?;
        }
        None
    }

    fn open_on(&self, local: DateTime, holidays: &[Date]) -> bool {
        let minute = minute_of(local.time());
        !holidays.contains(&local.date())
            && self.day(local.date().weekday()).iter().any(|&(from, to)| from <= minute && minute < to)
    }

    fn was_open_before(&self, local: DateTime, holidays: &[Date]) -> bool {
        local.checked_sub(1.nanosecond()).is_ok_and(|before| self.open_on(before, holidays))
    }

    fn day(&self, weekday: Weekday) -> &[(u16, u16)] {
        // `to_monday_zero_offset` is 0..=6.
        self.week.get(weekday.to_monday_zero_offset() as usize).map_or(&[], Vec::as_slice)
    }
}

fn minute_of(time: Time) -> u16 {
    u16::from(time.hour().unsigned_abs()) * 60 + u16::from(time.minute().unsigned_abs())
}

/// A minute of a local day; that of `24:00` is the first of the next.
fn local(date: Date, minute: u16) -> Option<DateTime> {
    let (date, minute) = if minute < DAY_MINUTES { (date, minute) } else { (date.tomorrow().ok()?, 0) };
    let time = Time::new((minute / 60) as i8, (minute % 60) as i8, 0, 0).ok()?;
    Some(date.to_datetime(time))
}

impl std::str::FromStr for Hours {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let text = text.trim();
        if text == "24/7" || text == "*" {
            return Ok(Self::always());
        }
        let mut week: [Vec<(u16, u16)>; 7] = Default::default();
        for group in text.split(';').map(str::trim).filter(|group| !group.is_empty()) {
            let (days, times) = group.split_once(char::is_whitespace).ok_or_else(hours_rule)?;
            let days = parse_days(days)?;
            for interval in times.split(',').map(str::trim) {
                let (from, to) = interval.split_once('-').ok_or_else(hours_rule)?;
                let (from, to) = (parse_minute(from)?, parse_minute(to)?);
                if from >= to {
                    return Err(Invalid::new(
                        "opening hours end after they begin; write an interval across midnight as two: 'Fr 20:00-24:00; Sa 00:00-02:00'",
                    ));
                }
                for &day in &days {
                    if let Some(slot) = week.get_mut(day) {
                        slot.push((from, to));
                    }
                }
            }
        }
        for day in &mut week {
            day.sort_unstable();
            if day.len() > limits::INTERVALS_PER_DAY {
                return Err(Invalid::new("opening hours have at most 4 intervals a day"));
            }
            if day.iter().zip(day.iter().skip(1)).any(|(one, next)| one.1 > next.0) {
                return Err(Invalid::new("opening hours of one day overlap"));
            }
        }
        Ok(Self { week })
    }
}

/// As they are read: neighbouring days of the same hours are one group.
impl std::fmt::Display for Hours {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const DAYS: [&str; 7] = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"];
        if *self == Self::always() {
            return f.write_str("24/7");
        }
        let mut separator = "";
        let days: Vec<(&str, &Vec<(u16, u16)>)> = DAYS.into_iter().zip(&self.week).collect();
        for alike in days.chunk_by(|one, next| one.1 == next.1) {
            let (Some((first, intervals)), Some((last, _))) = (alike.first(), alike.last()) else { continue };
            if intervals.is_empty() {
                continue;
            }
            write!(f, "{separator}{first}")?;
            if first != last {
                write!(f, "-{last}")?;
            }
            for (index, (from, to)) in intervals.iter().enumerate() {
                let before = if index == 0 { ' ' } else { ',' };
                write!(f, "{before}{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, to / 60, to % 60)?;
            }
            separator = "; ";
        }
        Ok(())
    }
}

fn hours_rule() -> Invalid {
    Invalid::new("hours are written 'Mo-Fr 08:00-18:00; Sa 09:00-12:00' or '24/7'")
}

fn parse_days(text: &str) -> Result<Vec<usize>, Invalid> {
    let mut days = Vec::new();
    for part in text.split(',') {
        let index = |day: &str| time::weekday(day).map(|day| day.to_monday_zero_offset() as usize);
        match part.split_once('-') {
            Some((from, to)) => {
                let (from, to) = (index(from)?, index(to)?);
                // `Sa-Mo` wraps around the week.
                days.extend((0..7).map(|step| (from + step) % 7).take((to + 7 - from) % 7 + 1));
            }
            None => days.push(index(part)?),
        }
    }
    Ok(days)
}

fn parse_minute(text: &str) -> Result<u16, Invalid> {
    let rule = || Invalid::new("a time of day is written 08:00, from 00:00 to 24:00");
    let (hour, minute) = text.trim().split_once(':').ok_or_else(rule)?;
    if hour.is_empty() || hour.len() > 2 || minute.len() != 2 {
        return Err(rule());
    }
    let (hour, minute): (u16, u16) = (hour.parse().map_err(|_| rule())?, minute.parse().map_err(|_| rule())?);
    let total = hour * 60 + minute;
    if minute > 59 || total > DAY_MINUTES { Err(rule()) } else { Ok(total) }
}

impl Dealer {
    /// The dealer's own caps as `cap_day` and `cap_month` give them.
    pub fn caps(day: Option<u32>, month: Option<u32>) -> Caps {
        Caps(
            [(time::Period::Day, day), (time::Period::Month, month)]
                .into_iter()
                .filter_map(|(period, most)| most.map(|most| Cap { period, most }))
                .collect(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use proptest::sample::select;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn hours_are_the_dealers_own() {
        let hours: Hours = "Mo-Fr 08:00-18:00; Sa 09:00-12:00".parse().unwrap();
        let chicago = time::zone("America/Chicago").unwrap();
        assert!(hours.is_open(at("2026-06-01T13:00:00Z"), &chicago, &[])); // Monday 08:00
        assert!(!hours.is_open(at("2026-06-01T12:59:00Z"), &chicago, &[]));
        assert!(!hours.is_open(at("2026-06-01T23:00:00Z"), &chicago, &[])); // 18:00 is shut
        let holiday: Date = "2026-06-01".parse().unwrap();
        assert!(!hours.is_open(at("2026-06-01T13:00:00Z"), &chicago, &[holiday]));
        assert_eq!(
            hours.next_opening(at("2026-05-30T17:00:00Z"), &chicago, &[holiday]), // Saturday noon
            Some(at("2026-06-02T13:00:00Z")) // over Sunday and the holiday, to Tuesday 08:00
        );
    }

    #[test]
    fn an_opening_inside_the_skipped_hour_is_at_the_first_instant_that_exists() {
        let hours: Hours = "Su 02:30-05:00".parse().unwrap();
        let new_york = time::zone("America/New_York").unwrap();
        let opens = hours.next_opening(at("2026-03-08T05:00:00Z"), &new_york, &[]).unwrap();
        assert_eq!(opens, at("2026-03-08T07:00:00Z")); // 03:00 EDT: there is no hour from 02:00
        assert!(hours.is_open(opens, &new_york, &[]));
    }

    #[test]
    fn an_opening_inside_the_skipped_hour_alone_is_left_out() {
        let hours: Hours = "Su 02:15-02:45".parse().unwrap();
        let new_york = time::zone("America/New_York").unwrap();
        let opens = hours.next_opening(at("2026-03-08T05:00:00Z"), &new_york, &[]);
        assert_eq!(opens, Some(at("2026-03-15T06:15:00Z")));
    }

    #[test]
    fn an_opening_in_the_hour_that_occurs_twice_is_twice() {
        let hours: Hours = "Su 01:30-02:00".parse().unwrap();
        let new_york = time::zone("America/New_York").unwrap();
        let first = hours.next_opening(at("2026-11-01T04:00:00Z"), &new_york, &[]);
        assert_eq!(first, Some(at("2026-11-01T05:30:00Z"))); // 01:30 EDT
        let second = hours.next_opening(at("2026-11-01T05:30:00Z"), &new_york, &[]);
        assert_eq!(second, Some(at("2026-11-01T06:30:00Z"))); // 01:30 EST
        // Open when the clock goes back from 02:00 to 01:00, and still open then: it does not open anew.
        let through: Hours = "Su 00:30-05:00".parse().unwrap();
        let next = through.next_opening(at("2026-11-01T04:30:00Z"), &new_york, &[]);
        assert_eq!(next, Some(at("2026-11-08T05:30:00Z")));
    }

    #[test]
    fn hours_that_go_on_over_midnight_do_not_open_there() {
        let hours: Hours = "Fr 20:00-24:00; Sa 00:00-02:00".parse().unwrap();
        let chicago = time::zone("America/Chicago").unwrap();
        let friday = at("2026-06-05T12:00:00Z");
        let opens = at("2026-06-06T01:00:00Z");
        assert_eq!(hours.next_opening(friday, &chicago, &[]), Some(opens));
        assert_eq!(hours.next_opening(opens, &chicago, &[]), Some(at("2026-06-13T01:00:00Z")));
        // After a holiday, Saturday's part stands alone.
        let holiday: Date = "2026-06-05".parse().unwrap();
        assert_eq!(hours.next_opening(friday, &chicago, &[holiday]), Some(at("2026-06-06T05:00:00Z")));
        assert_eq!(Hours::always().next_opening(friday, &chicago, &[]), None);
    }

    fn hours() -> impl Strategy<Value = Hours> {
        let day = prop_oneof![
            2 => Just(Vec::new()),
            1 => Just(vec![(0, DAY_MINUTES)]),
            1 => Just(vec![(0, 120), (1_200, DAY_MINUTES)]),
            1 => Just(vec![(90, 120), (150, 300)]),
            1 => Just(vec![(135, 165), (165, 180)]),
            1 => (0..DAY_MINUTES, 1..=DAY_MINUTES).prop_map(|(from, long)| {
                vec![(from, (from + long).min(DAY_MINUTES))]
            }),
            1 => (0..240_u16, 1..240_u16).prop_map(|(from, long)| vec![(from, from + long)]),
        ];
        prop::array::uniform7(day).prop_map(|week| Hours { week })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 1_500, ..ProptestConfig::default() })]

        #[test]
        fn it_turns_open_or_shut_then_and_not_before(
            hours in hours(),
            // Where the clocks change by an hour, by half of one, and by a whole day; and an ordinary week.
            (zone, change) in select(&[
                ("America/New_York", "2026-03-08T07:00:00Z"),
                ("America/New_York", "2026-11-01T06:00:00Z"),
                ("America/Chicago", "2026-03-08T08:00:00Z"),
                ("America/Chicago", "2026-11-01T07:00:00Z"),
                ("America/Chicago", "2026-06-01T05:00:00Z"),
                ("Australia/Lord_Howe", "2026-04-04T15:00:00Z"),
                ("Australia/Lord_Howe", "2026-10-03T15:30:00Z"),
                ("Pacific/Apia", "2011-12-30T10:00:00Z"),
            ][..]),
            seconds in prop_oneof![(-90_i64..90).prop_map(|minutes| minutes * 60), -200_000..100_000_i64],
            holidays in prop::collection::vec(-2_i64..3, 0..3),
        ) {
            let (zone, change) = (time::zone(zone).unwrap(), at(change));
            let now = Timestamp::from_second(change.as_second() + seconds).unwrap();
            let today = zone.to_datetime(change).date();
            let holidays: Vec<Date> = holidays.into_iter().map(|days| today + days.days()).collect();
            let turns = |to_open: bool, at: Timestamp| {
                let before = Timestamp::from_millisecond(at.as_millisecond() - 1).unwrap();
                let is_open = |at| hours.is_open(at, &zone, &holidays);
                is_open(at) == to_open && is_open(before) != to_open
            };
            let first = now.as_second().div_euclid(60) + 1;
            for (to_open, next) in [
                (true, hours.next_opening(now, &zone, &holidays)),
                (false, hours.next_closing(now, &zone, &holidays)),
            ] {
                if let Some(next) = next {
                    prop_assert!(next > now && turns(to_open, next), "{to_open}: {next} after {now}");
                }
                for minute in first..first + 8 * i64::from(DAY_MINUTES) {
                    let at = Timestamp::from_second(minute * 60).unwrap();
                    if next.is_some_and(|next| at >= next) {
                        break;
                    }
                    prop_assert!(!turns(to_open, at), "{to_open}: at {at} after {now}, not {next:?}");
                }
            }
        }
    }

    #[test]
    fn hours_that_make_no_sense_are_refused_with_their_rule() {
        for bad in [
            "Mo",
            "Mo 8-18",
            "Mo 18:00-08:00",
            "Xx 08:00-09:00",
            "Mo 08:00-25:00",
            "Mo 08:00-12:00,11:00-13:00",
            "9-May",
        ] {
            assert!(bad.parse::<Hours>().is_err(), "{bad}");
        }
        let around: Hours = "Sa-Mo 10:00-12:00".parse().unwrap();
        assert_eq!(around.week.iter().filter(|day| !day.is_empty()).count(), 3);
        assert!(!"".parse::<Hours>().unwrap().ever_open());
    }
}
