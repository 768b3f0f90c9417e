//! What many worlds may not lack: the rare cases that the checks would otherwise pass by without a word.

use std::collections::{BTreeMap, BTreeSet};

use leadyard_domain::assignment::Assignment;
use leadyard_domain::distribution::{Rule, Switches, Waiting};
use leadyard_domain::lead::AssignmentState;
use leadyard_domain::time::Period;
use leadyard_platform::store::{DecisionRecord, Story};
use serde_json::Value;

use super::rules_kept::{decided, placing};
use super::{Check, given_back};
use crate::rules::{self, Edition};

const HOUR_S: i64 = 3_600;
const DAY_S: i64 = 24 * HOUR_S;

impl Check<'_> {
    /// What a world may not lack, and how often it was seen.
    pub(super) fn seen(&self) -> Vec<(&'static str, usize)> {
        let decisions = || self.stories.iter().flat_map(|story| &story.decisions);
        let waited = |reason: Waiting| decisions().filter(|record| record.waiting == Some(reason)).count();
        let turned_away = |rule: &str| decisions().filter(|record| record.failed.contains_key(rule)).count();
        let seats =
            || self.stories.iter().flat_map(|story| story.assignments.iter().map(move |one| (story, one)));
        let placed = |passes: &dyn Fn(&Value) -> bool| {
            seats().filter(|(story, one)| placing(story, one).is_some_and(|after| passes(&after))).count()
        };
        let paused = decisions().filter(|record| {
            let by = record.evidence().ok().flatten().map(|evidence| evidence.switches());
            by.is_some_and(|by| !by.contracts.is_empty() || !by.dealers.is_empty())
        });
        let for_pause = |record: &&DecisionRecord| {
            let by = record.evidence().ok().flatten().map(|evidence| evidence.switches());
            let ends = |by: &Switches| {
                let ends =
                    by.contracts.iter().map(|one| one.until).chain(by.dealers.iter().map(|one| one.until));
                ends.flatten().collect::<Vec<_>>()
            };
            record.until.is_some_and(|until| by.is_some_and(|by| ends(&by).contains(&until)))
        };
        let held = || seats().filter(|(_, one)| !given_back(one.state));
        let current = |one: &Assignment| {
            self.world.editions.of(one.company.as_str(), self.version(one.company.as_str()))
        };
        let is_gone = |one: &Assignment| {
            rules::contract(current(one), one.company.as_str(), one.contract.as_str()).is_none()
        };
        let waits_for_cap = |story: &&Story| story.lead.waiting == Some(Waiting::For(Rule::Cap));
        let of_state = |state| seats().filter(|(_, one)| one.state == state).count();
        let two_holders = self.stories.iter().filter(|story| story.lead.holders.len() > 1).count();
        let days = self.lengths_of_days();
        let (full_months, months) = self.months();
        let nights = |seconds: i64| days.iter().filter(|day| **day == seconds).count();
        vec![
            ("decision while stopped", waited(Waiting::Stopped)),
            ("decision while only watching", waited(Waiting::Shadow)),
            ("decision beside a pause", paused.count()),
            ("decision that waits for a pause's end", decisions().filter(for_pause).count()),
            ("recommendation for an offer placed by hand", waited(Waiting::Manual)),
            ("decision that turned one away for the band", turned_away("band")),
            ("decision that turned one away for a need", turned_away("needs")),
            ("seat placed while only watching", seats().filter(|(_, one)| one.shadow).count()),
            (
                "seat placed by hand, as recommended",
                seats()
                    .filter(|(story, one)| {
                        let by_hand = decided(story, one)
                            .is_some_and(|record| record.facts.offer.as_str() == rules::BY_HAND);
                        by_hand && placing(story, one).is_some_and(|after| after["as_recommended"] == true)
                    })
                    .count(),
            ),
            ("seat placed over a cap", placed(&super::caps::passes_a_cap_over)),
            (
                "seat placed against another rule",
                placed(&|after| !after["override"].is_null() && after["override"]["rule"] != "cap"),
            ),
            ("rulebook published in the middle", self.published),
            (
                "seat held by an earlier rulebook",
                held().filter(|(_, one)| one.rulebook < self.version(one.company.as_str())).count(),
            ),
            ("seat held by a contract that is gone", held().filter(|(_, one)| is_gone(one)).count()),
            ("lead asked why it waits for a cap", self.stories.iter().filter(waits_for_cap).count()),
            ("lead given after it waited for a cap until a midnight", self.given_after_midnight()),
            ("lead with two holders at once", two_holders),
            ("seat lapsed", of_state(AssignmentState::Lapsed)),
            ("seat returned", of_state(AssignmentState::Returned)),
            ("contract that gave all that it may in a month", full_months),
            ("contract that gave in one month and in another", months),
            ("contract that gave before and after a midnight", nights(DAY_S)),
            ("contract that gave before and after a day of 23 hours", nights(DAY_S - HOUR_S)),
            ("contract that gave before and after a day of 25 hours", nights(DAY_S + HOUR_S)),
        ]
    }

    /// Leads that waited for a cap until a new day, and of which a seat was given that counts for that day.
    fn given_after_midnight(&self) -> usize {
        let given = |story: &&Story| {
            let waited =
                story.decisions.iter().filter(|record| record.waiting == Some(Waiting::For(Rule::Cap)));
            let mut until = waited.filter_map(|record| record.until);
            until.any(|until| {
                story.assignments.iter().any(|one| one.reservation.start(Period::Day) == until.as_second())
            })
        };
        self.stories.iter().filter(given).count()
    }

    /// How many contracts gave in a month all that they may by the first edition, and how many in more than one, by what
    /// did not come back.
    fn months(&self) -> (usize, usize) {
        let mut months: BTreeMap<(&str, &str), BTreeMap<i64, u32>> = BTreeMap::new();
        let assignments = self.stories.iter().flat_map(|story| &story.assignments);
        for one in assignments.filter(|one| !given_back(one.state)) {
            let of = months.entry((one.company.as_str(), one.contract.as_str())).or_default();
            *of.entry(one.reservation.start(Period::Month)).or_default() += 1;
        }
        let most = |company: &str, id: &str| {
            let contract = rules::contract(Edition::First, company, id)?;
            contract.caps.iter().find(|(period, _)| *period == Period::Month).map(|(_, most)| *most)
        };
        let full = months.iter().filter(|((company, id), given)| {
            most(company, id).is_some_and(|most| given.values().any(|given| *given >= most))
        });
        (full.count(), months.values().filter(|given| given.len() > 1).count())
    }

    /// Of each contract that gave seats on one day and the next: how long the first day was, in seconds.
    fn lengths_of_days(&self) -> Vec<i64> {
        let mut days: BTreeMap<(&str, &str), BTreeSet<i64>> = BTreeMap::new();
        for one in self.stories.iter().flat_map(|story| &story.assignments) {
            let of = days.entry((one.company.as_str(), one.contract.as_str())).or_default();
            of.insert(one.reservation.start(Period::Day));
        }
        let lengths = |of: &BTreeSet<i64>| {
            of.iter().zip(of.iter().skip(1)).map(|(day, next)| next - day).collect::<Vec<_>>()
        };
        days.values().flat_map(lengths).collect()
    }
}
