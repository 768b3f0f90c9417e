//! What was counted last: whether it can be gone by, what of it is lacking, and when it is to be counted again.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};
use leadyard_domain::distribution::Core;
use leadyard_domain::ids::LeadId;
use leadyard_domain::lead::{Lead, Stage};

use super::{DEALERS_S, GRACE, KEPT_S, LEADS_S, Now};
use crate::cloud::Cloud;
use crate::scores::Scores;
use crate::store::StoreError;

/// What was last counted, by these rules and not too long ago.
pub(super) struct Kept {
    pub(super) now: Now,
    /// When leads changed last without its being counted, in Unix milliseconds.
    pub(super) touched_ms: Option<i64>,
    /// Who came to stand high since.
    pub(super) rose: Vec<LeadId>,
}

impl Kept {
    pub(super) async fn read(cloud: &Cloud, core: &Core) -> Result<Option<Self>, StoreError> {
        let Some(stored) = cloud.store.now_get(core.company_id()).await? else { return Ok(None) };
        // What another version of this program wrote is counted again.
        let now: Option<Now> = stored.text.as_deref().and_then(|text| serde_json::from_str(text).ok());
        let oldest = cloud.clock.now().as_second() - KEPT_S;
        let now = now.filter(|now| now.rulebook == core.version && now.at.as_second() >= oldest);
        Ok(now.map(|now| Self { now, touched_ms: stored.touched_ms, rose: stored.rose }))
    }

    /// Whether leads changed since.
    fn is_touched(&self) -> bool {
        self.touched_ms.is_some_and(|touched| touched >= self.now.at.as_millisecond())
    }

    /// Whether it need not be counted again where leads alone changed.
    pub(super) fn is_young(&self, at: Timestamp) -> bool {
        at.as_second() - self.now.at.as_second() < LEADS_S && self.now.dealers.hold(at)
    }

    /// Whether it can be gone by. Of dealers who were asked for before it was counted something may have changed since.
    fn holds(&self, at: Timestamp) -> bool {
        let dealers = &self.now.dealers;
        let asked = dealers.at == self.now.at || dealers.known(at).is_some();
        self.is_young(at) || !self.is_touched() && dealers.hold(at) && asked
    }

    /// Whether a look goes by it.
    pub(super) fn serves(&self, at: Timestamp) -> bool {
        self.holds(at.checked_sub(GRACE).unwrap_or(at))
    }

    /// Of leads that changed, those that belong to the hottest and are not named.
    pub(super) fn lacks(&self, cloud: &Cloud, core: &Core, changed: &[Lead]) -> Vec<LeadId> {
        let scores = Scores::of(core, cloud.clock.now());
        let lacks = |lead: &&Lead| {
            let top = match lead.stage {
                Stage::Waiting | Stage::Nurturing => &self.now.top_free,
                Stage::Assigned => &self.now.top_held,
                Stage::Received
                | Stage::Quarantined
                | Stage::Won
                | Stage::Lost
                | Stage::Expired
                | Stage::Rejected => return false,
            };
            let score = scores.now(lead).map_or(0, |score| score.hundredths);
            top.lacks(lead.id, score) && !self.rose.contains(&lead.id)
        };
        // A batch may have a lead more than once, and a set takes it once.
        let lacking: HashSet<LeadId> = changed.iter().filter(lacks).map(|lead| lead.id).collect();
        lacking.into_iter().collect()
    }
}

impl Now {
    /// When it is to be counted again though nothing happens.
    pub(super) fn due(&self) -> Option<Timestamp> {
        let ages = self.dealers.at != self.at;
        let old = ages.then(|| after(self.dealers.at, DEALERS_S));
        old.into_iter().chain(self.dealers.until).chain(self.overdue_next).min()
    }

    /// The same where leads changed since.
    pub(super) fn due_touched(&self) -> Timestamp {
        let touched = after(self.at, LEADS_S);
        self.due().map_or(touched, |due| due.min(touched))
    }
}

fn after(at: Timestamp, seconds: i64) -> Timestamp {
    at.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::now::{AtLeast, Dealers, Top};
    use std::collections::BTreeMap;

    #[test]
    fn what_is_kept_is_due_when_the_first_of_what_it_says_ends() {
        let at: Timestamp = "2026-06-01T15:00:00Z".parse().unwrap();
        let minutes = |minutes: i64| after(at, 60 * minutes);
        let now = |asked: Timestamp, until: Option<Timestamp>, overdue_next: Option<Timestamp>| Now {
            at,
            rulebook: 1,
            quarantined: AtLeast::default(),
            overdue: 0,
            overdue_next,
            waiting: BTreeMap::new(),
            more_waiting: false,
            unanswered: AtLeast::default(),
            dealers: Dealers { at: asked, until, failing: AtLeast::default(), full: AtLeast::default() },
            free: Vec::new(),
            more_free: false,
            held: Vec::new(),
            lapsing: Vec::new(),
            top_free: Top::default(),
            top_held: Top::default(),
        };
        let due = |now: Now| (now.due(), now.due_touched());
        assert_eq!(due(now(at, None, None)), (None, minutes(2)));
        assert_eq!(due(now(minutes(-10), None, None)), (Some(minutes(5)), minutes(2)));
        assert_eq!(due(now(minutes(-14), None, Some(minutes(3)))), (Some(minutes(1)), minutes(1)));
        assert_eq!(due(now(at, Some(minutes(9)), Some(minutes(7)))), (Some(minutes(7)), minutes(2)));
    }
}
