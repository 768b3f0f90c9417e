//! Who receives leads: the dealer, its opening hours, its channels.

use jiff::Timestamp;
use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::contract::{Cap, Caps};
use crate::error::Invalid;
use crate::ids::DealerId;
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
}

impl std::fmt::Debug for Dealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dealer").field("id", &self.id).field("zip", &self.zip).finish_non_exhaustive()
    }
}

words! {
    /// How a dealer is reached.
    pub enum ChannelKind as "a channel's kind" {
        /// An HTTPS endpoint, signed by Standard Webhooks.
        Webhook = "webhook",
        /// Nothing is sent: the dealer reads the inbox.
        Inbox = "inbox",
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
    /// An `https://` URL for a webhook (on one machine `http://` on loopback too); empty for the inbox.
    pub address: String,
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

    /// Whether it is open at this instant.
    pub fn is_open(&self, now: Timestamp, zone: &TimeZone, holidays: &[Date]) -> bool {
        let local = zone.to_datetime(now);
        if holidays.contains(&local.date()) {
            return false;
        }
        let minute = minute_of(local.time());
        self.day(local.date().weekday()).iter().any(|&(from, to)| from <= minute && minute < to)
    }

    /// The next instant at which it opens, after `now`; `None` when it does not open within
    /// [`limits::OPENING_SEARCH_DAYS`].
    pub fn next_opening(&self, now: Timestamp, zone: &TimeZone, holidays: &[Date]) -> Option<Timestamp> {
        let mut date = zone.to_datetime(now).date();
        for _ in 0..limits::OPENING_SEARCH_DAYS {
            if !holidays.contains(&date) {
                for &(from, _) in self.day(date.weekday()) {
                    let opens = instant(date, from, zone)?;
                    if opens > now {
                        return Some(opens);
                    }
                }
            }
            date = date.tomorrow().ok()?;
        }
        None
    }

    fn day(&self, weekday: Weekday) -> &[(u16, u16)] {
        // `to_monday_zero_offset` is 0..=6.
        self.week.get(weekday.to_monday_zero_offset() as usize).map_or(&[], Vec::as_slice)
    }
}

fn minute_of(time: Time) -> u16 {
    u16::from(time.hour().unsigned_abs()) * 60 + u16::from(time.minute().unsigned_abs())
}

/// A local minute as an instant; where daylight saving skips it, the first that exists.
fn instant(date: Date, minute: u16, zone: &TimeZone) -> Option<Timestamp> {
    let time = Time::new((minute / 60) as i8, (minute % 60) as i8, 0, 0).ok()?;
    Some(date.to_datetime(time).to_zoned(zone.clone()).ok()?.timestamp())
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
    fn an_opening_inside_the_skipped_hour_moves_to_the_first_instant_that_exists() {
        let hours: Hours = "Su 02:30-05:00".parse().unwrap();
        let new_york = time::zone("America/New_York").unwrap();
        let opens = hours.next_opening(at("2026-03-08T05:00:00Z"), &new_york, &[]).unwrap();
        assert_eq!(opens, at("2026-03-08T07:30:00Z")); // 03:30 EDT: 02:30 does not exist
        assert!(hours.is_open(opens, &new_york, &[]));
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
