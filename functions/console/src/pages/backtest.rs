//! What changed rules would have done with the last decisions, beside a look before they are published.
//!
//! Determinations. *It is the backtest of the command line* over less: one day, and of that what twenty reads of the table
//! hold ([`history::recent`]); what that left out is said. What is assumed is said in the words of the backtest itself.
//! *It is a help and no gate*: where it cannot be had, that is said, and what was looked at can be published.

use std::time::Duration;

use leadyard_domain::backtest::{Difference, backtest, difference};
use leadyard_domain::distribution::Core;
use leadyard_domain::ids::CompanyId;
use leadyard_domain::limits;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::history::{self, Recent};
use leadyard_platform::judging::Rules;

use super::shown::instant;
use crate::rulebook::Looked;
use crate::statement::amount;

/// How long a look waits for what it reads: longer than [`limits::BACKTEST_MS`], after which no more is read.
const MOST: Duration = Duration::from_millis(2 * limits::BACKTEST_MS);
/// Dealers that are shown, the largest change first.
const DEALERS: usize = 20;

/// What came of it.
#[derive(Default)]
pub(super) struct Tried {
    /// Why there is nothing to show.
    pub(super) trouble: String,
    /// `Mon, Jun 1, 2026, 12:00 AM EDT`.
    pub(super) from: String,
    pub(super) to: String,
    pub(super) leads: usize,
    pub(super) changed: usize,
    pub(super) dealers: Vec<OfDealer>,
    pub(super) more: usize,
    /// Leads in nobody's hands, as it was and as it would have been.
    pub(super) nobody: (usize, usize),
    /// What the bounds left out.
    pub(super) left_out: Vec<String>,
    /// What was assumed where history cannot say.
    pub(super) assumed: Vec<String>,
}

/// A dealer: as it was, and as it would have been.
pub(super) struct OfDealer {
    pub(super) id: String,
    pub(super) leads: (usize, usize),
    pub(super) charges: (String, String),
}

/// The last decisions under the rules that were looked at; nothing, where none are in force that decided any.
pub(super) async fn tried(cloud: &Cloud, company: &CompanyId, looked: Looked) -> Option<Tried> {
    let Looked { over, before, book, compiled, .. } = looked;
    if over == 0 {
        return None;
    }
    let core = compiled.core.clone();
    let in_force = before.and_then(|before| before.compile(over).ok()).map(Rules::from);
    let recent = history::recent(cloud, company, in_force.into_iter().collect());
    let recent = match tokio::time::timeout(MOST, Box::pin(recent)).await {
        Ok(Ok(recent)) => recent,
        Err(_) => {
            return Some(Tried::not(
                "That cannot be said just now: reading the last decisions took too long. Publishing does not need them.",
            ));
        }
        Ok(Err(error)) => {
            tracing::warn!(
                company.id = %company, error = &error as &dyn std::error::Error,
                "the last decisions could not be read for a look at changed rules"
            );
            return Some(Tried::not(
                "That cannot be said just now: the last decisions could not be read. Publishing does not need them.",
            ));
        }
    };
    match backtest(&book, compiled, &recent.events, recent.window, &mut |_, _| {}) {
        Ok(found) => Some(Tried::of(&core, &recent, found)),
        Err(rule) => Some(Tried::not(&format!("That cannot be said: {rule}."))),
    }
}

impl Tried {
    fn not(trouble: &str) -> Self {
        Self { trouble: trouble.to_owned(), ..Self::default() }
    }

    fn of(core: &Core, recent: &Recent, found: Difference) -> Self {
        let dealers = found.dealers.iter().take(DEALERS).map(OfDealer::of).collect();
        Self {
            trouble: String::new(),
            from: instant(core, found.from),
            to: instant(core, found.to),
            leads: found.leads,
            changed: found.changed,
            dealers,
            more: found.dealers.len().saturating_sub(DEALERS),
            nobody: (found.before.unmatched, found.after.unmatched),
            left_out: left_out(core, recent),
            assumed: found.assumptions,
        }
    }
}

impl OfDealer {
    fn of(row: &difference::Row) -> Self {
        Self {
            id: row.id.clone(),
            leads: (row.before, row.after),
            charges: (amount(row.value_before), amount(row.value_after)),
        }
    }
}

/// What the bounds left out, as sentences.
fn left_out(core: &Core, recent: &Recent) -> Vec<String> {
    let mut said = vec![format!(
        "It is one day, and at most its last {} decisions: leadyard backtest takes any time.",
        limits::BACKTEST_DECISIONS
    )];
    if recent.cut {
        said.push(format!(
            "There may be more on that day: only what came in from {} on was looked at.",
            instant(core, recent.window.from)
        ));
    }
    let leads = |count: usize| match count {
        1 => "1 lead".to_owned(),
        count => format!("{count} leads"),
    };
    if recent.earlier > 0 {
        said.push(format!(
            "Left out as come in before, so that it goes as it went: {}.",
            leads(recent.earlier)
        ));
    }
    if recent.unknown > 0 {
        said.push(format!(
            "Left out, since what their decisions stood on is not kept or was not read: {}.",
            leads(recent.unknown)
        ));
    }
    said
}
