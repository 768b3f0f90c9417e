//! What changed rules would have done with the last decisions, as a look says it.

use leadyard_domain::backtest::{Difference, difference};
use leadyard_domain::distribution::Core;
use leadyard_domain::ids::CompanyId;
use leadyard_domain::limits;
use leadyard_platform::cloud::Cloud;

use super::shown::instant;
use crate::backtest::{self, LeftOut};
use crate::rulebook::Looked;
use crate::statement::amount;

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
    let core = looked.compiled.core.clone();
    let tried = backtest::tried(cloud, company, looked).await?;
    Some(match tried {
        backtest::Tried::Not(trouble) => Tried { trouble, ..Tried::default() },
        backtest::Tried::Found { difference, left_out } => Tried::of(&core, left_out, *difference),
    })
}

impl Tried {
    fn of(core: &Core, left_out: LeftOut, found: Difference) -> Self {
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
            left_out: left_out_says(&instant(core, found.from), left_out),
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
fn left_out_says(from: &str, left_out: LeftOut) -> Vec<String> {
    let mut said = vec![format!(
        "It is one day, and at most its last {} decisions: leadyard backtest takes any time.",
        limits::BACKTEST_DECISIONS
    )];
    if left_out.cut {
        said.push(format!("There may be more on that day: only what came in from {from} on was looked at."));
    }
    let leads = |count: usize| match count {
        1 => "1 lead".to_owned(),
        count => format!("{count} leads"),
    };
    if left_out.earlier > 0 {
        said.push(format!(
            "Left out as come in before, so that it goes as it went: {}.",
            leads(left_out.earlier)
        ));
    }
    if left_out.unknown > 0 {
        said.push(format!(
            "Left out, since what their decisions stood on is not kept or was not read: {}.",
            leads(left_out.unknown)
        ));
    }
    said
}
