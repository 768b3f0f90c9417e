//! What is to be done first: the hottest, and the offers that are about to lapse.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap, HashSet};

use futures::future::try_join_all;
use jiff::Timestamp;
use leadyard_domain::error::Code;
use leadyard_domain::ids::LeadId;
use leadyard_domain::lead::{Lead, Stage};
use leadyard_domain::limits;
use leadyard_platform::http::Problem;
use leadyard_platform::now::{self, TOP, Top};
use leadyard_platform::store::Place;

use super::{Found, ONE_READ, SOON, Seek, by_score, is_open, written};

/// Newest leads of a source among which its hottest are sought.
const OF_SOURCE: usize = 150;

impl Seek<'_> {
    /// The hottest by score as of now, among those that were [named](now::tops) and of a source also its newest. Where
    /// those cannot be gone by, or too many of them are the hottest no more, the lists themselves are read. It is a look at
    /// the top, and has no next page.
    pub(super) async fn hottest(&self) -> Result<Found, Problem> {
        if self.asked.after.is_some() {
            return Err(Problem::new(Code::InvalidField, "the hottest are one page: ask for more by limit"));
        }
        let held = self.asked.only.held;
        let Some(tops) = now::tops(self.cloud, self.core).await? else {
            return self.hottest_of_lists().await;
        };
        let kinds = [(false, &tops.free), (true, &tops.held)];
        let kinds = || kinds.into_iter().filter(|(is_held, _)| held.is_none_or(|held| held == *is_held));
        let mut ids: HashSet<LeadId> = kinds().flat_map(|(_, top)| &top.leads).copied().collect();
        ids.extend(&tops.rose);
        let mut behind = kinds().any(|(_, top)| top.behind.is_some());
        if let Some(source) = &self.asked.only.source {
            let newest = self.cloud.store.leads_of_source(self.company(), source, None, OF_SOURCE).await?;
            // All of a source's are among these, where they are fewer than were asked for.
            behind = newest.len() >= OF_SOURCE;
            ids.extend(newest.into_iter().map(|(_, lead)| lead));
        }
        let leads = self.leads(&ids.into_iter().collect::<Vec<_>>()).await?;
        // Of a kind behind which more stand, those that are of it still must be enough.
        let too_few = |(is_held, top): (bool, &Top)| {
            let still = |lead: &&Lead| (lead.stage == Stage::Assigned) == is_held && is_open(lead);
            let of_kind = top.leads.iter().filter_map(|id| leads.get(id)).filter(still);
            top.behind.is_some() && of_kind.count() < self.limit.min(TOP)
        };
        if !self.asked.only.narrows() && kinds().any(too_few) {
            return self.hottest_of_lists().await;
        }
        Ok(self.hottest_among(leads, behind))
    }

    /// Of each open stage, category and letter the most engaged, merged. Exact for who is in nobody's hands; among those
    /// that a dealer has, who stand in steps of engagement, the last places may be a step off.
    async fn hottest_of_lists(&self) -> Result<Found, Problem> {
        let stages: &[Stage] = match self.asked.only.held {
            Some(true) => &[Stage::Assigned],
            Some(false) => &[Stage::Waiting, Stage::Nurturing],
            None => &[Stage::Waiting, Stage::Nurturing, Stage::Assigned],
        };
        // Of each letter one more than is shown: whether any is left out.
        let (most, looked_at) = if self.asked.only.narrows() {
            (ONE_READ, limits::SEARCH_EXAMINED)
        } else {
            (self.limit + 1, self.limit * 4)
        };
        let looked_at = looked_at.clamp(ONE_READ, limits::SEARCH_EXAMINED);
        let mut lists = Vec::new();
        for stage in stages {
            for category in self.core.waited_in() {
                lists.push(self.cloud.store.leads_hottest(self.company(), *stage, category, most));
            }
        }
        let lists = try_join_all(lists).await?;
        let mut behind = lists.iter().any(|list| list.len() >= most);
        let mut places: Vec<Place> = lists.into_iter().flatten().collect();
        // By their places alone: of many lists with many each, all but the first would be read for nothing. One who moves
        // meanwhile stands in two, and is asked for once.
        places.sort_by_cached_key(|place| Reverse((self.scores.of_place(&place.0), place.clone())));
        let mut seen = HashSet::new();
        places.retain(|(_, lead)| seen.insert(*lead));
        behind |= places.len() > looked_at;
        places.truncate(looked_at);
        let ids: Vec<LeadId> = places.into_iter().map(|(_, lead)| lead).collect();
        Ok(self.hottest_among(self.leads(&ids).await?, behind))
    }

    /// Of these leads the open ones that the filters take, by score: what is closed meanwhile is not hot. Whether others
    /// stand behind these.
    fn hottest_among(&self, leads: HashMap<LeadId, Lead>, behind: bool) -> Found {
        let examined = leads.len();
        let open = leads.into_values().filter(is_open);
        let mut leads: Vec<_> = open.filter_map(|lead| self.takes(lead)).collect();
        by_score(&mut leads);
        let more = behind || leads.len() > self.limit;
        leads.truncate(self.limit);
        Found { leads, examined, more, ..Found::default() }
    }

    /// Leads of offers that are about to lapse, the next first: those that were noted, and those that counting found, as
    /// the page of the day has them.
    pub(super) async fn lapsing(&self) -> Result<Found, Problem> {
        let now = self.cloud.clock.now();
        let soon = now.checked_add(SOON).unwrap_or(now);
        let (counted, noted) = futures::try_join!(
            Box::pin(now::read(self.cloud, self.core)),
            self.cloud.store.offers_lapsing(self.company(), now, soon)
        )?;
        let noted = noted.iter().map(|offer| (offer.at, offer.lead));
        let all: BTreeSet<(Timestamp, LeadId)> = noted.chain(counted.lapsing).collect();
        let after: Option<(Timestamp, LeadId)> = self.after()?;
        let mut seen = HashSet::new();
        let places = all.into_iter().filter(|place| seen.insert(place.1));
        let mut places: Vec<_> = places.filter(|place| after.is_none_or(|after| *place > after)).collect();
        let behind = places.len() > 3 * ONE_READ;
        places.truncate(3 * ONE_READ);
        let mut found = Found::default();
        for some in places.chunks(ONE_READ) {
            let ids: Vec<LeadId> = some.iter().map(|(_, lead)| *lead).collect();
            let leads = self.cloud.store.leads_get(&ids).await?;
            let seats = now::seats_of(self.cloud, &leads).await?;
            let mut leads: HashMap<LeadId, Lead> = leads.into_iter().map(|lead| (lead.id, lead)).collect();
            for place in some {
                found.examined += 1;
                let lapses = |lead: &Lead| now::lapses_at(lead, &seats, now).is_some_and(|at| at <= soon);
                let lead = leads.remove(&place.1).filter(lapses);
                found.leads.extend(lead.and_then(|lead| self.takes(lead)));
                let is_last = found.examined == places.len();
                if found.leads.len() == self.limit || is_last {
                    found.next = (behind || !is_last).then(|| written(place));
                    return Ok(found);
                }
            }
        }
        Ok(found)
    }
}
