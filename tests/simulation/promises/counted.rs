//! The reports' counters, however the stream came and whoever died: what the table says, counted anew.

use std::collections::BTreeMap;

use jiff::civil::Date;
use leadyard_domain::ids::CompanyId;
use leadyard_domain::report::{Dimension, Sums};
use leadyard_platform::reports::{self, Anew};
use leadyard_platform::store::Tables;

use super::Check;

/// Differences of one day that are told.
const TOLD: usize = 5;

impl Check<'_> {
    /// What the counters say of every day is what a recount says, before it takes their place and after; how many
    /// figures there were.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub(super) async fn counters_are_a_recount(&mut self) -> anyhow::Result<usize> {
        if self.world.counting.is_none() {
            return Ok(0);
        }
        let (store, rulebooks) = (&self.world.plain.store, &self.world.plain.rulebooks);
        let (companies, done) = reports::count_anew(store, rulebooks, |_| {}).await?;
        if done.unreadable > 0 {
            self.violations.push(format!("reports: {} items cannot be counted", done.unreadable));
        }
        let mut figures = 0;
        for (company, anew) in &companies {
            figures += self.company_is_a_recount(company, anew, "the counters").await?;
        }
        let now = self.world.plain.clock.now();
        let again = reports::recount(store, rulebooks, now, |_| {}).await?;
        if again.unreadable > 0 || again.items < done.items {
            self.violations.push(format!("reports: the recount looked at less than before: {again:?}"));
        }
        for (company, anew) in &companies {
            self.company_is_a_recount(company, anew, "once recounted, the counters").await?;
        }
        Ok(figures)
    }

    async fn company_is_a_recount(
        &mut self,
        company: &CompanyId,
        anew: &Anew,
        who: &str,
    ) -> anyhow::Result<usize> {
        let today = anew.rules.today(self.world.plain.clock.now());
        let first = anew.rules.zone.to_datetime(self.world.began).date();
        let mut days: BTreeMap<Date, Sums> = anew.days.clone();
        let mut day = first.min(days.keys().next().copied().unwrap_or(first));
        while day <= today {
            days.entry(day).or_default();
            day = day.tomorrow()?;
        }
        let (mut figures, mut whole) = (0, Sums::default());
        for (day, plain) in &days {
            figures += plain.iter().count();
            whole.merge(plain);
            let told = self.told(company, (*day, *day), today).await?;
            self.differences(&format!("{who} of {company} on {day}"), &told, plain);
        }
        // All days at once are other tables.
        let Some(((first, _), (last, _))) = days.first_key_value().zip(days.last_key_value()) else {
            return Ok(figures);
        };
        let told = self.told(company, (*first, *last), today).await?;
        self.differences(&format!("{who} of {company}"), &told, &whole);
        Ok(figures)
    }

    /// What reports say of these days, by everything.
    async fn told(&self, company: &CompanyId, days: (Date, Date), today: Date) -> anyhow::Result<Sums> {
        let store = &self.world.plain.store;
        let counts = store.report_read(company, Dimension::ALL, Tables::Counts, days, today).await?;
        let times = store.report_read(company, Dimension::ALL, Tables::Times, days, today).await?;
        let mut told = counts.sums.split().0;
        told.merge(&times.sums.split().1);
        Ok(told)
    }

    fn differences(&mut self, what: &str, told: &Sums, plain: &Sums) {
        let values = plain.iter().chain(told.iter()).map(|(dimension, value, _)| (dimension, value));
        let mut wrong: Vec<String> = values
            .filter(|(dimension, value)| told.get(*dimension, value) != plain.get(*dimension, value))
            .map(|(dimension, value)| {
                let (is, so) = (told.get(dimension, value), plain.get(dimension, value));
                format!("reports: {what}: {dimension} {value:?} is {is:?} and not {so:?}")
            })
            .collect();
        wrong.sort();
        wrong.dedup();
        for one in wrong.into_iter().take(TOLD) {
            self.violations.push(one);
        }
    }
}
