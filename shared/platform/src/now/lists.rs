//! Leads as they stand in lists: who waits, and why; of each fit letter the hottest, over all categories.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};

use futures::future::try_join_all;
use leadyard_domain::distribution::Core;
use leadyard_domain::ids::LeadId;
use leadyard_domain::lead::Stage;
use leadyard_domain::scoring::FitLetter;
use serde::{Deserialize, Serialize};

use super::{COUNTED, TOP};
use crate::cloud::Cloud;
use crate::scores::Scores;
use crate::store::{Place, StoreError};

/// The hottest of a kind, by score as of when they were counted; at most [`TOP`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Top {
    /// Who.
    pub leads: Vec<LeadId>,
    /// The score of the last of them, in hundredths of a point, where more stand behind.
    pub behind: Option<u64>,
}

impl Top {
    pub(super) fn of(mut places: Vec<Place>, scores: &Scores<'_>) -> Self {
        places.sort_by_cached_key(|place| Reverse((scores.of_place(&place.0), place.clone())));
        let mut seen = HashSet::new();
        places.retain(|(_, lead)| seen.insert(*lead));
        let last = places.get(TOP - 1).filter(|_| places.len() > TOP);
        let behind = last.map(|(sort, _)| scores.of_place(sort));
        Self { leads: places.into_iter().take(TOP).map(|(_, lead)| lead).collect(), behind }
    }

    /// Whether a lead of this score belongs to them and is not named.
    pub(super) fn lacks(&self, lead: LeadId, hundredths: u64) -> bool {
        self.behind.is_none_or(|last| hundredths > last) && !self.leads.contains(&lead)
    }
}

/// Who waits, by reason, and whether more may wait than were counted.
pub(super) async fn waiting(
    cloud: &Cloud,
    core: &Core,
) -> Result<(BTreeMap<String, usize>, bool), StoreError> {
    let (company, stage) = (core.company_id(), Stage::Waiting);
    // One more than is counted: whether anybody stands behind them.
    let of = |category| cloud.store.leads_in_stage(company, stage, category, None, COUNTED + 1);
    let mut places: Vec<Place> =
        try_join_all(core.waited_in().into_iter().map(of)).await?.into_iter().flatten().collect();
    places.sort_unstable_by(|a, b| b.cmp(a));
    let more = places.len() > COUNTED;
    places.truncate(COUNTED);
    let ids: Vec<LeadId> = places.into_iter().map(|(_, lead)| lead).collect();
    let mut by_reason = BTreeMap::new();
    // An index may be behind: who left the room meanwhile does not stand in it.
    for lead in cloud.store.leads_get(&ids).await?.iter().filter(|lead| lead.stage == stage) {
        if let Some(reason) = lead.waiting {
            *by_reason.entry(reason.to_string()).or_default() += 1;
        }
    }
    Ok((by_reason, more))
}

/// The hottest of some stages, over all categories: of each letter at most so many.
pub(super) async fn hottest(
    cloud: &Cloud,
    core: &Core,
    stages: &[Stage],
    most: usize,
) -> Result<Vec<Place>, StoreError> {
    let mut lists = Vec::new();
    for stage in stages {
        for category in core.waited_in() {
            lists.push(cloud.store.leads_hottest(core.company_id(), *stage, category, most));
        }
    }
    let found = try_join_all(lists).await?.into_iter().flatten().collect();
    Ok(of_each_letter(found, most))
}

/// How many there are of each letter.
pub(super) fn by_letter(places: &[Place]) -> HashMap<Option<FitLetter>, usize> {
    let mut by_letter = HashMap::new();
    for (sort, _) in places {
        *by_letter.entry(crate::store::keys::letter_of_stage(sort)).or_default() += 1;
    }
    by_letter
}

/// Of each letter the first so many.
pub(super) fn of_each_letter(mut places: Vec<Place>, most: usize) -> Vec<Place> {
    places.sort_unstable_by(|a, b| b.cmp(a));
    let mut of_letter: HashMap<_, usize> = HashMap::new();
    places.retain(|(sort, _)| {
        let seen = of_letter.entry(crate::store::keys::letter_of_stage(sort)).or_default();
        *seen += 1;
        *seen <= most
    });
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_each_letter_the_hottest_are_named_over_all_lists() {
        let place = |sort: &str, byte: u8| (sort.to_owned(), LeadId::from_bytes([byte; 16]));
        let found = vec![place("3#5", 1), place("2#9", 2), place("3#7", 3), place("3#6", 4), place("1#1", 5)];
        let named: Vec<String> = of_each_letter(found, 2).into_iter().map(|(sort, _)| sort).collect();
        assert_eq!(named, ["3#7", "3#6", "2#9", "1#1"]);
    }

    #[test]
    fn of_the_hottest_those_are_lacking_who_stand_above_the_last_and_are_not_named() {
        let lead = |byte: u8| LeadId::from_bytes([byte; 16]);
        let few = Top { leads: vec![lead(1)], behind: None };
        assert!(few.lacks(lead(2), 0) && !few.lacks(lead(1), 900));
        let many = Top { leads: vec![lead(1)], behind: Some(500) };
        assert!(many.lacks(lead(2), 501) && !many.lacks(lead(2), 500) && !many.lacks(lead(1), 900));
    }
}
