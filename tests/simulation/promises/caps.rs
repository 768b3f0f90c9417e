//! Promise 3 of caps, budgets and balances: at every moment, and in the end.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use leadyard_domain::time::Period;
use serde_json::Value;

use super::rules_kept::{passed_over, placing};
use super::{Check, given_back, number, text};
use crate::rules::{self, Edition, Editions};

/// Looks at the counters whenever they are written, beside what the rulebook agreed by which the seat was given:
/// the one that the decision names which stands in the same transaction. Only the desk passes a limit over, and says
/// so in the act which stands there too.
pub(crate) struct CapWatch {
    editions: Editions,
    /// As each item was written last.
    seen: Mutex<HashMap<String, Counted>>,
}

/// What a caps item counts.
#[derive(Clone, Copy, Default)]
struct Counted {
    /// The start of each period and what was used of it.
    used: [(i64, i64); Period::ALL.len()],
    spent: i64,
    balance: i64,
}

impl CapWatch {
    /// Of this table.
    pub(crate) fn new(editions: Editions) -> Self {
        Self { editions, seen: Mutex::default() }
    }

    /// What should not be, of items (`pk|sk`) that were just written together.
    pub(crate) fn wrote(&self, keys: &[String]) -> Vec<String> {
        let mut wrong = Vec::new();
        for key in keys {
            let Some((pk, "K")) = key.split_once('|') else { continue };
            if !pk.starts_with("K#") || pk.contains("#s#") {
                continue;
            }
            let Some(item) = self.editions.item(key) else { continue };
            let now = Counted::read(&item);
            let before = self
                .seen
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(pk.to_owned(), now)
                .unwrap_or_default();
            let more = now.counts_more_than(&before);
            if !more && now.balance >= before.balance {
                continue;
            }
            let Some(edition) = self.decided_by(pk, keys) else {
                wrong.push(format!("promise 3: {pk} counts more, and nothing was decided"));
                continue;
            };
            if !self.passed_over(keys) {
                wrong.extend(now.beyond(&before, edition, pk));
            }
        }
        wrong
    }

    /// The rulebook of the decision that was written with it.
    fn decided_by(&self, pk: &str, keys: &[String]) -> Option<Edition> {
        let decision = keys.iter().find(|key| key.contains("|D#"))?;
        let version = self.editions.item(decision)?["rulebook"]["N"].as_str()?.parse().ok()?;
        Some(self.editions.of(pk.split('#').nth(1)?, version))
    }

    /// Whether the desk said, in the act that was written with it, that it passes a limit over.
    fn passed_over(&self, keys: &[String]) -> bool {
        let act = keys.iter().find(|key| key.contains("|H#")).and_then(|key| self.editions.item(key));
        let after = act.and_then(|act| serde_json::from_str(act["after"]["S"].as_str()?).ok());
        after.is_some_and(|after: Value| passes_a_cap_over(&after))
    }
}

/// Whether a placing, as its act tells it, passed a cap over.
pub(super) fn passes_a_cap_over(after: &Value) -> bool {
    passed_over(after).iter().any(|rule| rule == "cap")
}

impl Counted {
    fn read(item: &Value) -> Self {
        let read =
            |name: &str| item[name]["N"].as_str().and_then(|text| text.parse::<i64>().ok()).unwrap_or(0);
        let mut used = [(0, 0); Period::ALL.len()];
        for (slot, period) in used.iter_mut().zip(Period::ALL) {
            *slot = (read(&format!("{period}_at")), read(&format!("{period}_used")));
        }
        Self { used, spent: read("month_spent"), balance: read("balance") }
    }

    /// Whether a seat was reserved: in all periods at once, so that the total says it.
    fn counts_more_than(&self, before: &Self) -> bool {
        self.used[Period::Total as usize].1 > before.used[Period::Total as usize].1
    }

    /// What is beyond what was agreed, now that a seat was reserved.
    fn beyond(&self, before: &Self, edition: Edition, pk: &str) -> Vec<String> {
        let Some(agreed) = rules::agreed(edition, pk) else {
            return vec![format!("promise 3: {pk} is no contract of the {edition:?} edition")];
        };
        let used = |period: Period| self.used[period as usize].1;
        let over = agreed.caps.iter().filter(|(period, most)| used(*period) > i64::from(*most));
        let mut wrong: Vec<String> = over
            .map(|(period, most)| {
                format!(
                    "promise 3: {pk} stood at {} of {most} a {period} by the {edition:?} edition",
                    used(*period)
                )
            })
            .collect();
        if let Some(budget) = agreed.budget.filter(|budget| self.spent > *budget) {
            wrong.push(format!("promise 3: {pk} had spent {} of {budget}", self.spent));
        }
        if rules::is_prepaid(pk) && self.balance < 0 && self.balance < before.balance {
            wrong.push(format!("promise 3: {pk} had less than nothing"));
        }
        wrong
    }
}

impl Check<'_> {
    /// Promise 3: what is counted is what is held, and no more than agreed by any rulebook that was in force, but
    /// for what the desk placed over a cap.
    pub(super) fn no_cap_is_exceeded(&mut self) {
        let mut used: HashMap<(String, Period, i64), (i64, i64)> = HashMap::new();
        for story in self.stories {
            for one in story.assignments.iter().filter(|one| !given_back(one.state)) {
                let over = placing(story, one).is_some_and(|after| passes_a_cap_over(&after));
                for period in Period::ALL {
                    let start = one.reservation.start(*period);
                    for of in [
                        format!("K#{}#c#{}", one.company, one.contract),
                        format!("K#{}#d#{}", one.company, one.dealer),
                    ] {
                        let (all, within) = used.entry((of, *period, start)).or_default();
                        *all += 1;
                        *within += i64::from(!over);
                    }
                }
            }
        }
        let mut wrong = Vec::new();
        for ((of, period, _), (_, count)) in &used {
            let company = of.split('#').nth(1).unwrap_or_default();
            let most = |edition: &Edition| {
                let agreed = rules::agreed(*edition, of)?;
                Some(
                    agreed
                        .caps
                        .iter()
                        .find(|(of, _)| of == period)
                        .map_or(i64::MAX, |(_, most)| i64::from(*most)),
                )
            };
            let most = Edition::up_to(self.version(company)).iter().filter_map(most).max();
            if let Some(most) = most.filter(|most| count > most) {
                wrong.push(format!("{of} has {count} in a {period}, and may have {most}"));
            }
        }
        for item in self.items.iter().filter(|item| text(item, "pk").starts_with("K#")) {
            for period in Period::ALL {
                let Some(start) = number(item, &format!("{period}_at")) else { continue };
                let counted = number(item, &format!("{period}_used")).unwrap_or(0);
                let held =
                    used.get(&(text(item, "pk").to_owned(), *period, start)).map_or(0, |(all, _)| *all);
                if counted != held {
                    wrong.push(format!(
                        "{} counts {counted} in its {period}, and {held} are held",
                        text(item, "pk")
                    ));
                }
            }
        }
        for wrong in wrong {
            self.violated(3, wrong);
        }
    }
}
