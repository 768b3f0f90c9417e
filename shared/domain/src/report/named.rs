//! Which campaigns of a year are named.
//!
//! A campaign is whatever a URL said. As long as there is room in its year, a campaign is named when it is first cut out
//! of partial sums or sealed, and it stays named until the year is over; once there is none, those that come are the
//! rest, which is one row. Campaigns that the rulebook spends on always have room, also before anything happened to them.
//!
//! What is named is whole, or it is among the rest: a campaign that was named while nothing was in the rest is whole in
//! any period of the year; one that was named later, in periods that begin after that, and among the rest in all others.
//! So a figure never depends on how a period is cut, and rows and rest are always the whole.
//!
//! Determinations:
//!
//! - *By year, first come*, and of those that come together the ones to which most happened. A ranking would have to be
//!   made anew every day, and whoever rose in it would have left a part of its figure in the rest.
//! - *Whoever invents campaigns takes their room until the year ends*, and nothing else: the whole, and all campaigns of
//!   `spend.csv`, are as before. One that comes into `spend.csv` only after that is named from the day after on.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::sums::{Dimension, REST, Sums, UNKNOWN};
use super::tally::Tally;
use crate::limits;

/// The campaigns of a year that are named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// From which day on nothing of it is in the rest.
    pub since: BTreeMap<String, Date>,
    /// Whether anything of the year may be in the rest.
    pub rest: bool,
}

/// The named of several years, by year.
pub type Years = BTreeMap<i16, Named>;

impl Named {
    /// Names the campaigns of these sums of a year as far as there is room, and all of `ours`: they are those of the
    /// rulebook, as sums hold them, and are named before anything happens to them. Whether anything changed.
    pub fn admit(&mut self, sums: &Sums, ours: &BTreeSet<String>, today: Date) -> bool {
        let before = (self.since.len(), self.rest);
        // What earlier versions put into the rest, nobody knows of whom.
        self.rest |= has_rest(sums);
        // What came until today may be in the rest already; what comes after goes by this.
        let since = if self.rest { today.tomorrow().unwrap_or(Date::MAX) } else { Date::MIN };
        let of_ours: Vec<String> =
            ours.iter().filter(|value| !self.since.contains_key(*value)).cloned().collect();
        let stranger = |value: &str| {
            value != UNKNOWN && value != REST && !self.since.contains_key(value) && !ours.contains(value)
        };
        let mut strangers: Vec<(&str, &Tally)> =
            sums.by(Dimension::Campaign).filter(|(value, _)| stranger(value)).collect();
        strangers.sort_by_key(|(value, tally)| (std::cmp::Reverse(tally.weight()), *value));
        let of_strangers = self.since.keys().filter(|value| !ours.contains(*value)).count();
        let room = limits::REPORT_CAMPAIGNS.saturating_sub(of_strangers);
        let most = limits::REPORT_CAMPAIGNS + limits::SPEND_ROWS;
        self.rest |= strangers.len() > room;
        let strangers = strangers.into_iter().take(room).map(|(value, _)| value.to_owned());
        for value in of_ours.into_iter().chain(strangers) {
            if self.since.len() < most {
                self.since.insert(value, since);
            } else {
                self.rest = true;
            }
        }
        before != (self.since.len(), self.rest)
    }

    /// These sums of the year, with what is not named as the rest.
    #[must_use]
    pub fn fold(&self, sums: &Sums) -> Sums {
        sums.folded(|campaign| self.since.contains_key(campaign))
    }

    /// Whether all that happened to a campaign from a day of the year on stands under its name.
    fn is_whole(&self, campaign: &str, from: Date) -> bool {
        !self.rest || self.since.get(campaign).is_some_and(|since| *since <= from)
    }
}

/// Whether anything in these sums is in the rest: else all that they name is whole.
pub fn has_rest(sums: &Sums) -> bool {
    !sums.get(Dimension::Campaign, REST).is_empty()
}

/// What a report says of the days from `from` on: those campaigns that are whole in every one of these years, and the
/// rest. What `years` are is asked only where there is a rest.
#[must_use]
pub fn told(sums: Sums, years: &Years, from: Date) -> Sums {
    if !has_rest(&sums) {
        return sums;
    }
    sums.folded(|campaign| is_whole(campaign, years, from))
}

/// The campaigns that are named and whole from `from` on, in every one of these years: what is not in the sums of one did
/// not happen.
pub fn whole(years: &Years, from: Date) -> BTreeSet<String> {
    let named = years.values().flat_map(|named| named.since.keys());
    named.filter(|campaign| is_whole(campaign, years, from)).cloned().collect()
}

fn is_whole(campaign: &str, years: &Years, from: Date) -> bool {
    years.iter().all(|(year, named)| {
        let first = Date::new(*year, 1, 1).unwrap_or(from);
        named.is_whole(campaign, first.max(from))
    })
}
