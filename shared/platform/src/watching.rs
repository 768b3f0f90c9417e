//! Publishes that are watched: whether new leads are matched as they were before, and the roll back where they are not. What
//! is counted, and what a jump is, stands in [`leadyard_domain::rulebook::Rollback`].
//!
//! The watch is an item of its own that is due, written by the transaction that publishes: the sweep finds it, and where no
//! publish is watched nobody reads anything. A look reads the newest [`limits::ROLLBACK_DECISIONS`] decisions since the
//! publish, by their index; the first look reads as many of before it too. A look that is made twice, or by two at once, does
//! the same; and of two that roll back one does, since the version that was watched is then in force no more. Nor is it where
//! a colleague has published meanwhile, and theirs stands.

use jiff::Timestamp;
use leadyard_domain::ids::CompanyId;
use leadyard_domain::limits;
use leadyard_domain::rulebook::{Decided, NewLeads, Verdict};

use crate::cloud::Cloud;
use crate::metrics::Metric;
use crate::now;
use crate::store::{DecisionRecord, Published, RolledBack, StoreError, Watch};

impl Cloud {
    /// Looks at the publish of a company that is watched.
    pub async fn watch_look(&self, company: &CompanyId) -> Result<(), StoreError> {
        let store = &self.store;
        let Some(mut watch) = store.rulebook_watch(company).await? else { return Ok(()) };
        let core = self.rulebooks.current(store, company).await?;
        let rule = core.filter(|core| core.version == watch.version).and_then(|core| core.company.rollback);
        let Some(rule) = rule else {
            return store.rulebook_watch_keep(company, &watch, None).await;
        };
        let (now, published) = (self.clock.now(), watch.published);
        let before = match watch.before {
            Some(before) => before,
            None => self.new_leads(company, (watch.compared_from, published), None).await?,
        };
        watch.before = Some(before);
        let after = self.new_leads(company, (published, now), Some(watch.version)).await?;
        let verdict = rule.judge(before, after);
        if verdict == Verdict::RollsBack {
            return self.roll_back(company, &watch, (before, after)).await;
        }
        let over = now >= rule.until(published);
        watch.stood = over && verdict == Verdict::Stands;
        // With too few before it nothing will ever be compared.
        let looks = (!over && before.leads >= rule.after_leads).then(|| rule.looks_next(published, now));
        store.rulebook_watch_keep(company, &watch, looks).await
    }

    /// New leads between two instants, by the newest decisions; by those of one version, where it is named.
    async fn new_leads(
        &self,
        company: &CompanyId,
        (from, to): (Timestamp, Timestamp),
        version: Option<u64>,
    ) -> Result<NewLeads, StoreError> {
        // Of two publishes at one instant nothing lies between, and a table asked for that refuses.
        if from >= to {
            return Ok(NewLeads::default());
        }
        let most = limits::ROLLBACK_DECISIONS;
        let records = self.store.decisions_between(company, from, to, most).await?;
        let decided = records
            .iter()
            .filter(|record| {
                !record.is_imported() && version.is_none_or(|version| record.rulebook == version)
            })
            .map(decided);
        Ok(NewLeads::of(decided, (from, to)))
    }

    async fn roll_back(
        &self,
        company: &CompanyId,
        watch: &Watch,
        (before, after): (NewLeads, NewLeads),
    ) -> Result<(), StoreError> {
        let why = RolledBack {
            leads: after.leads,
            unmatched: after.unmatched,
            leads_before: before.leads,
            unmatched_before: before.unmatched,
        };
        match self.store.rulebook_roll_back(company, watch, why, self.clock.now()).await? {
            // A colleague's stands, or that of another sweep.
            Published::Behind(_) => Ok(()),
            Published::Version(version) => {
                tracing::warn!(
                    company.id = %company, rulebook.version = version, rulebook.rolled_back = watch.version,
                    leads.after = after.leads, unmatched.after = after.unmatched,
                    leads.before = before.leads, unmatched.before = before.unmatched,
                    "a publish rolled itself back"
                );
                self.metrics.count(Metric::PublishesRolledBack);
                self.hand_wake_all(company).await;
                now::wants(self, company).await;
                Ok(())
            }
        }
    }
}

fn decided(record: &DecisionRecord) -> Decided<'_> {
    // What cannot be read blames no rules.
    let paused =
        || record.evidence().map_or(true, |read| read.is_some_and(|read| read.has_paused(record.at)));
    Decided {
        facts: &record.facts,
        at: record.at,
        waiting: record.waiting,
        paused: record.waiting.is_some() && paused(),
        by_hand: record.placed.is_some(),
    }
}
