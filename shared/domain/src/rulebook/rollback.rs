//! `[rollback]` of `company.toml`: when a publish rolls itself back. The rules that were in force before it are in force
//! again as soon as too many more of the new leads are unmatched than were before.
//!
//! *New leads* alone are counted: whose cycle opened after the publish, and before it for the comparison; of each cycle the
//! first decision, made within [`limits::ROLLBACK_FRESH_MINUTES`]. So those who waited and are woken by a publish say nothing
//! of it, nor do those who were released, nurtured or given back. Of tests there are no decisions.
//!
//! *Unmatched* is who waits for a rule that a rulebook decides: an area that nobody takes, an offer, a source, a band, a need,
//! an age, a territory, dealers that are excluded or not active, and a place that we do not know (an enquiry's ZIP comes by
//! the fields of its source). Whoever waits for a cap or for opening hours has met such a rule and counts as matched: a busy
//! hour is no bad rulebook. So does who waits where a contract or dealer is paused that was looked at: that was the desk.
//! Where the rules were not asked (stop, shadow, offers and leads that a person places) nothing is counted at all. Leads
//! whose score is below their offer's band are not decided on, and are not counted either.
//!
//! Determinations:
//!
//! - *A jump is so many percentage points, and no chance.* Both shares are of at least `after_leads`, and lie more than
//!   three standard errors apart (the test of two proportions, pooled): who looks thirty times must not be fooled once.
//! - *What is compared is the day before the publish*, or, where the version before was itself still in doubt or came by a
//!   roll back, only what was decided under it: else the faults of one version would hide those of the next.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::distribution::{LeadFacts, Waiting};
use crate::ids::LeadId;
use crate::limits;

/// When a publish rolls itself back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rollback {
    /// By how many percentage points more leads are unmatched than before, 5 to 100.
    pub unmatched_points: u32,
    /// Of how many new leads at least, before and after, 20 to 200.
    pub after_leads: u32,
    /// For how many hours after a publish, 1 to 48.
    pub within_hours: u32,
}

/// New leads, and how many of them are unmatched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewLeads {
    /// That the rules decided on.
    pub leads: u32,
    /// That wait for a rule.
    pub unmatched: u32,
}

/// A decision, as far as it says what the rules do.
#[derive(Clone, Copy, Debug)]
pub struct Decided<'a> {
    /// What was decided on.
    pub facts: &'a LeadFacts,
    /// When.
    pub at: Timestamp,
    /// What it waits for; nothing, where it was given.
    pub waiting: Option<Waiting>,
    /// Somebody was paused who might have had it.
    pub paused: bool,
    /// A person placed it.
    pub by_hand: bool,
}

/// What the leads since a publish say of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing yet.
    TooFew,
    /// There is no jump.
    Stands,
    /// It is rolled back.
    RollsBack,
}

impl NewLeads {
    /// Of these decisions the new leads whose cycle opened from one instant to before another.
    pub fn of<'a>(
        decisions: impl IntoIterator<Item = Decided<'a>>,
        (from, to): (Timestamp, Timestamp),
    ) -> Self {
        let fresh = SignedDuration::from_mins(limits::ROLLBACK_FRESH_MINUTES);
        let mut first: HashMap<(LeadId, u32), Decided<'a>> = HashMap::new();
        for one in decisions {
            let opened = one.facts.opened_at;
            if opened < from || opened >= to || one.at.duration_since(opened) > fresh {
                continue;
            }
            let known = first.entry((one.facts.lead, one.facts.cycle)).or_insert(one);
            if one.at < known.at {
                *known = one;
            }
        }
        let mut counted = Self::default();
        for one in first.values() {
            if one.by_hand || one.waiting.is_some_and(Waiting::is_by_hand) {
                continue;
            }
            counted.leads += 1;
            counted.unmatched += u32::from(!one.paused && one.waiting.is_some_and(Waiting::is_unmatched));
        }
        counted
    }
}

impl Rollback {
    /// Whether a publish is rolled back: what new leads came to before it, and after.
    pub fn judge(self, before: NewLeads, after: NewLeads) -> Verdict {
        let least = self.after_leads.max(1);
        if before.leads < least || after.leads < least {
            return Verdict::TooFew;
        }
        let of = |new: NewLeads| (i128::from(new.leads), i128::from(new.unmatched.min(new.leads)));
        let ((n0, u0), (n1, u1)) = (of(before), of(after));
        // The difference of the shares, times n0 * n1.
        let rise = u1 * n0 - u0 * n1;
        let jumps = rise > 0 && rise * 100 >= i128::from(self.unmatched_points) * n0 * n1;
        // rise² / (n0 n1)² > 9 p (1 - p) (1 / n0 + 1 / n1), where p is the share of both together.
        let (n, u) = (n0 + n1, u0 + u1);
        let no_chance = rise * rise * n > 9 * u * (n - u) * n0 * n1;
        if jumps && no_chance { Verdict::RollsBack } else { Verdict::Stands }
    }

    /// Until when a publish of then is watched.
    pub fn until(self, at: Timestamp) -> Timestamp {
        at.saturating_add(SignedDuration::from_hours(i64::from(self.within_hours))).unwrap_or(Timestamp::MAX)
    }

    /// When a publish of then, whose watch is not over, is looked at next: often at first, and later after a fourth of what
    /// has gone by; last when the watch ends.
    pub fn looks_next(self, at: Timestamp, now: Timestamp) -> Timestamp {
        let wait = (now.duration_since(at) / 4).clamp(
            SignedDuration::from_mins(limits::ROLLBACK_LOOK_LEAST_MINUTES),
            SignedDuration::from_mins(limits::ROLLBACK_LOOK_MOST_MINUTES),
        );
        now.saturating_add(wait).unwrap_or(Timestamp::MAX).min(self.until(at))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::distribution::{Location, Rule};

    const RULE: Rollback = Rollback { unmatched_points: 20, after_leads: 50, within_hours: 2 };

    fn of(unmatched: u32, leads: u32) -> NewLeads {
        NewLeads { leads, unmatched }
    }

    #[test]
    fn a_jump_of_enough_leads_rolls_back_and_nothing_less() {
        for (before, after, verdict) in [
            (of(12, 100), of(41, 60), Verdict::RollsBack),
            (of(0, 50), of(50, 50), Verdict::RollsBack),
            (of(0, 500), of(10, 50), Verdict::RollsBack),
            // Too few, before or after.
            (of(0, 49), of(60, 60), Verdict::TooFew),
            (of(0, 100), of(49, 49), Verdict::TooFew),
            (of(0, 100), of(3, 3), Verdict::TooFew),
            // 19 points, and a fall.
            (of(10, 500), of(105, 500), Verdict::Stands),
            (of(60, 60), of(0, 60), Verdict::Stands),
            (of(60, 60), of(60, 60), Verdict::Stands),
            // Twenty points of fifty are two standard errors and a half where half of them was unmatched.
            (of(20, 50), of(30, 50), Verdict::Stands),
            (of(200, 500), of(300, 500), Verdict::RollsBack),
        ] {
            assert_eq!(RULE.judge(before, after), verdict, "{before:?} {after:?}");
        }
    }

    #[test]
    fn a_watched_publish_is_looked_at_often_at_first_and_last_at_its_end() {
        let at: Timestamp = "2026-06-01T12:00:00Z".parse().unwrap();
        let rule = Rollback { within_hours: 48, ..RULE };
        let mut looks = vec![at];
        while looks[looks.len() - 1] < rule.until(at) {
            looks.push(rule.looks_next(at, looks[looks.len() - 1]));
        }
        let minutes: Vec<i64> = looks.iter().map(|look| look.duration_since(at).as_mins()).collect();
        assert_eq!(minutes[..6], [0, 2, 4, 6, 8, 10]);
        assert_eq!(minutes.last(), Some(&(48 * 60)));
        assert!(looks.len() < 80, "{}", looks.len());
    }

    fn facts(lead: u8, cycle: u32, opened_at: Timestamp) -> LeadFacts {
        LeadFacts {
            lead: LeadId::from_bytes([lead; 16]),
            cycle,
            offer: "roof".parse().unwrap(),
            category: "roofing".parse().unwrap(),
            source: "web".parse().unwrap(),
            opened_at,
            location: Location::Unplaced,
            band: "C3".parse().unwrap(),
            brings: crate::contract::Needs::default(),
            excluded: Vec::new(),
            holders: Vec::new(),
            open_seats: None,
        }
    }

    #[test]
    fn of_each_cycle_the_first_fresh_decision_of_the_rules_is_counted() {
        let noon: Timestamp = "2026-06-01T12:00:00Z".parse().unwrap();
        let at = |minutes: i64| noon + SignedDuration::from_mins(minutes);
        let area = Some(Waiting::For(Rule::Area));
        // Lead, cycle, opened and decided in minutes after noon.
        let mut counted = Vec::new();
        for (lead, cycle, opened, decided, waiting) in [
            (1, 1, 0, 1, area),
            // The same once more, placed: it was unmatched first.
            (1, 1, 0, 3, None),
            (1, 2, 9, 9, None),
            (2, 1, 5, 5, Some(Waiting::For(Rule::Cap))),
            (3, 1, 5, 5, Some(Waiting::For(Rule::Hours))),
            (4, 1, 5, 5, Some(Waiting::Unplaced)),
            // Woken, of before; released later; of after; and where the rules were not asked.
            (5, 1, -1, 1, area),
            (6, 1, 1, 17, area),
            (7, 1, 10, 10, area),
            (8, 1, 5, 5, Some(Waiting::Stopped)),
            (9, 1, 5, 5, Some(Waiting::Shadow)),
            (10, 1, 5, 5, Some(Waiting::Manual)),
            (11, 1, 5, 5, Some(Waiting::Held)),
        ] {
            counted.push((facts(lead, cycle, at(opened)), at(decided), waiting));
        }
        let decided = |paused, by_hand| {
            move |(facts, at, waiting): &'static (LeadFacts, Timestamp, Option<Waiting>)| Decided {
                facts,
                at: *at,
                waiting: *waiting,
                paused,
                by_hand,
            }
        };
        let counted: &'static [_] = counted.leak();
        let between = (noon, at(10));
        let all = NewLeads::of(counted.iter().map(decided(false, false)), between);
        assert_eq!(all, of(2, 5));
        // In whatever order they are read.
        assert_eq!(NewLeads::of(counted.iter().rev().map(decided(false, false)), between), all);
        assert_eq!(NewLeads::of(counted.iter().map(decided(true, false)), between), of(0, 5));
        assert_eq!(NewLeads::of(counted.iter().map(decided(false, true)), between), of(0, 0));
    }

    proptest! {
        #[test]
        fn only_a_rise_of_so_many_points_over_enough_leads_rolls_back(
            (n0, n1) in (0_u32..600, 0_u32..600), (s0, s1) in (0_f64..=1.0, 0_f64..=1.0), points in 5_u32..=100,
        ) {
            let share = |n: u32, share: f64| of((f64::from(n) * share) as u32, n);
            let (before, after) = (share(n0, s0), share(n1, s1));
            let rule = Rollback { unmatched_points: points, ..RULE };
            let verdict = rule.judge(before, after);
            prop_assert_eq!(verdict == Verdict::TooFew, n0 < 50 || n1 < 50);
            if verdict == Verdict::RollsBack {
                let rise = f64::from(after.unmatched) / f64::from(n1) - f64::from(before.unmatched) / f64::from(n0);
                prop_assert!(rise * 100.0 > f64::from(points) - 1e-9);
                // As many, and one unmatched more of them; and as many again in the same shares.
                let more = of((after.unmatched + 1).min(n1), n1);
                prop_assert_eq!(rule.judge(before, more), Verdict::RollsBack);
                let twice = |new: NewLeads| of(new.unmatched * 2, new.leads * 2);
                prop_assert_eq!(rule.judge(twice(before), twice(after)), Verdict::RollsBack);
                // Who rolled back would not be rolled back to.
                prop_assert_eq!(rule.judge(after, before), Verdict::Stands);
            }
        }
    }
}
