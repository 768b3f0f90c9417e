//! What is agreed about a dealer's answers: until when it accepts, and what it may return.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::dealer::Hours;
use crate::ids::ReturnReason;

words! {
    /// By which clock a deadline runs.
    pub enum DeadlineClock as "deadline_clock" {
        /// In the dealer's open hours only.
        Open = "open",
        /// Day and night.
        Wall = "wall",
    }
}

/// How long a dealer has to accept a lead. Without one, a lead is the dealer's as soon as it arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deadline {
    /// 1 to [`crate::limits::DEADLINE_MINUTES`].
    pub minutes: u32,
    /// Counted by which clock.
    pub clock: DeadlineClock,
}

/// A deadline as it stands for one assignment: instants, whatever becomes of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcceptBy {
    /// The dealer is warned, at two thirds.
    pub warn_at: Timestamp,
    /// It has lapsed.
    pub at: Timestamp,
}

impl Deadline {
    /// The deadline of a lead offered at `now`. A dealer that does not open in time for it to end within
    /// [`crate::limits::OPENING_SEARCH_DAYS`] has it by the wall clock.
    pub fn from(self, now: Timestamp, hours: &Hours, zone: &TimeZone, holidays: &[Date]) -> AcceptBy {
        let whole_s = i64::from(self.minutes) * 60;
        let wall =
            |seconds| now.checked_add(jiff::SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX);
        let open = |seconds| match self.clock {
            DeadlineClock::Wall => None,
            DeadlineClock::Open => hours.after_open(now, seconds, zone, holidays),
        };
        // Both by one clock, or the warning may stand behind the end.
        match open(whole_s).zip(open(whole_s * 2 / 3)) {
            Some((at, warn_at)) => AcceptBy { warn_at, at },
            None => AcceptBy { warn_at: wall(whole_s * 2 / 3), at: wall(whole_s) },
        }
    }
}

words! {
    /// Who says yes to a return.
    pub enum ReturnApproval as "return_approval" {
        /// The desk.
        Desk = "desk",
        /// Nobody need: the dealer is trusted, within window, quota and reasons.
        Trusted = "trusted",
    }
}

/// What a dealer may return.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnTerms {
    /// For how many days after it was charged, 1 to [`crate::limits::RETURN_DAYS`].
    pub days: u32,
    /// At most this share, in percent, of the leads charged in a calendar month, though always one; no
    /// limit if `None`.
    pub quota_percent: Option<u32>,
    /// For which reasons; at least one.
    pub reasons: Vec<ReturnReason>,
    /// Who approves.
    pub approval: ReturnApproval,
}

impl ReturnTerms {
    /// How many of `charged` leads of one month may be returned.
    pub fn quota_of(&self, charged: u32) -> Option<u32> {
        let share = |percent: u32| (u64::from(charged) * u64::from(percent) / 100) as u32;
        self.quota_percent.map(|percent| share(percent).max(1))
    }

    /// The last instant at which a lead charged at `settled_at` may be returned.
    pub fn until(&self, settled_at: Timestamp) -> Timestamp {
        let days = jiff::SignedDuration::from_hours(24 * i64::from(self.days));
        settled_at.checked_add(days).unwrap_or(Timestamp::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_deadline_in_open_hours_goes_over_the_weekend() {
        let hours: Hours = "Mo-Fr 08:00-18:00".parse().unwrap();
        let chicago = crate::time::zone("America/Chicago").unwrap();
        let friday = at("2026-06-05T22:30:00Z"); // 17:30
        let open = Deadline { minutes: 90, clock: DeadlineClock::Open };
        let by = open.from(friday, &hours, &chicago, &[]);
        assert_eq!(by.at, at("2026-06-08T14:00:00Z")); // Monday 09:00
        assert_eq!(by.warn_at, at("2026-06-08T13:30:00Z"));
        let monday: Date = "2026-06-08".parse().unwrap();
        assert_eq!(open.from(friday, &hours, &chicago, &[monday]).at, at("2026-06-09T14:00:00Z"));
        let wall = Deadline { minutes: 90, clock: DeadlineClock::Wall };
        assert_eq!(wall.from(friday, &hours, &chicago, &[]).at, at("2026-06-06T00:00:00Z"));
        // At night it begins with the morning; always open, it is the wall clock.
        let night = at("2026-06-08T03:00:00Z");
        assert_eq!(open.from(night, &hours, &chicago, &[]).at, at("2026-06-08T14:30:00Z"));
        assert_eq!(open.from(friday, &Hours::always(), &chicago, &[]).at, at("2026-06-06T00:00:00Z"));
    }

    #[test]
    fn a_deadline_that_open_hours_do_not_reach_runs_by_the_wall_clock_and_so_does_its_warning() {
        // An hour a week: two thirds of it are open within the search, the whole is not.
        let hours: Hours = "Mo 09:00-10:00".parse().unwrap();
        let new_york = crate::time::zone("America/New_York").unwrap();
        let now = at("2026-06-01T12:00:00Z");
        let weeks = crate::limits::OPENING_SEARCH_DAYS / 7 + 1;
        let deadline = Deadline { minutes: (weeks * 60 + 30) as u32, clock: DeadlineClock::Open };
        let by = deadline.from(now, &hours, &new_york, &[]);
        let wall = Deadline { clock: DeadlineClock::Wall, ..deadline }.from(now, &hours, &new_york, &[]);
        assert_eq!(by, wall);
        assert!(now < by.warn_at && by.warn_at < by.at);
    }

    #[test]
    fn an_hour_that_daylight_saving_takes_is_not_counted() {
        let hours: Hours = "Su 00:00-06:00".parse().unwrap();
        let new_york = crate::time::zone("America/New_York").unwrap();
        let deadline = Deadline { minutes: 180, clock: DeadlineClock::Open };
        // From 00:00 EST three hours go by until 04:00 EDT.
        let by = deadline.from(at("2026-03-08T05:00:00Z"), &hours, &new_york, &[]);
        assert_eq!(by.at, at("2026-03-08T08:00:00Z"));
    }

    #[test]
    fn a_window_of_returns_is_so_many_times_24_hours_from_the_charge() {
        let terms = ReturnTerms {
            days: 7,
            quota_percent: None,
            reasons: vec!["wrong-number".parse().unwrap()],
            approval: ReturnApproval::Trusted,
        };
        // Over a clock change too: the dealer's wall clock shows an hour more or less.
        assert_eq!(terms.until(at("2026-03-05T17:00:00Z")), at("2026-03-12T17:00:00Z"));
    }

    #[test]
    fn a_quota_is_a_share_of_the_month_and_always_one() {
        let mut terms = ReturnTerms {
            days: 7,
            quota_percent: Some(10),
            reasons: vec!["wrong-number".parse().unwrap()],
            approval: ReturnApproval::Desk,
        };
        assert_eq!([0, 9, 19, 20, 100].map(|charged| terms.quota_of(charged).unwrap()), [1, 1, 1, 2, 10]);
        terms.quota_percent = None;
        assert_eq!(terms.quota_of(1), None);
    }
}
