//! What changed rules would have done with the last decisions, beside a look before they are published.
//!
//! Determinations. *It is the backtest of the command line* over less: one day, and of that what twenty reads of the table
//! hold ([`history::recent`]); what that left out is said. What is assumed is said in the words of the backtest itself.
//! *It is a help and no gate*: where it cannot be had, that is said, and what was looked at can be published.

use std::time::Duration;

use leadyard_domain::backtest::{Difference, backtest};
use leadyard_domain::ids::CompanyId;
use leadyard_domain::limits;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::history::{self, Recent};
use leadyard_platform::judging::Rules;
use serde_json::{Value, json};

use crate::rulebook::Looked;

/// How long a look waits for what it reads: longer than [`limits::BACKTEST_MS`], after which no more is read.
const MOST: Duration = Duration::from_millis(2 * limits::BACKTEST_MS);

/// What came of it.
pub(crate) enum Tried {
    /// Why it cannot be said.
    Not(String),
    Found {
        difference: Box<Difference>,
        /// What the bounds left out.
        left_out: LeftOut,
    },
}

/// What the bounds of a look left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LeftOut {
    /// There may be more on that day, before the first that was looked at.
    pub(crate) cut: bool,
    /// Leads that came in before, and go as they went.
    pub(crate) earlier: usize,
    /// Leads of which it is not kept, or was not read, what their decisions stood on.
    pub(crate) unknown: usize,
}

/// The last decisions under the rules that were looked at; nothing, where none are in force that decided any.
pub(crate) async fn tried(cloud: &Cloud, company: &CompanyId, looked: Looked) -> Option<Tried> {
    let Looked { over, before, book, compiled, .. } = looked;
    if over == 0 {
        return None;
    }
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
        Ok(found) => Some(Tried::Found { difference: Box::new(found), left_out: LeftOut::of(&recent) }),
        Err(rule) => Some(Tried::not(&format!("That cannot be said: {rule}."))),
    }
}

impl Tried {
    fn not(trouble: &str) -> Self {
        Self::Not(trouble.to_owned())
    }

    /// As the API says it: the difference as `leadyard backtest --json` prints it.
    pub(crate) fn tell(&self) -> Value {
        match self {
            Self::Not(trouble) => json!({ "trouble": trouble }),
            Self::Found { difference, left_out } => {
                let mut told = json!(difference);
                told["left_out"] = json!({
                    "cut": left_out.cut, "earlier": left_out.earlier, "unknown": left_out.unknown,
                });
                told
            }
        }
    }
}

impl LeftOut {
    const fn of(recent: &Recent) -> Self {
        Self { cut: recent.cut, earlier: recent.earlier, unknown: recent.unknown }
    }
}
