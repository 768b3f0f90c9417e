//! How a dealer stands, as a page says it: what keeps leads from it, what is used of its limits, how it fared.

use leadyard_domain::distribution::Core;
use leadyard_domain::money::Money;
use leadyard_platform::now::Limit;

use super::shown::{self, instant};
use crate::dealers::fared::Fared;
use crate::dealers::standing::{Fails, Kept, OfChannel, OfContract, Paused, Standing, Trouble};

/// Reasons that are told of why no contract takes leads.
const REASONS: usize = 5;

/// How a dealer can be given leads now.
pub(super) struct Stands {
    /// What keeps leads from it.
    pub(super) troubles: Vec<String>,
    pub(super) contracts: Vec<Contract>,
    pub(super) channels: Vec<Channel>,
    pub(super) caps: Vec<Cap>,
    /// What is left of what it paid in advance, where it must.
    pub(super) balance: String,
}

/// A contract, and what of it is used.
pub(super) struct Contract {
    pub(super) id: String,
    /// Its id without its dealer's, where it begins with that.
    pub(super) short: String,
    pub(super) price: String,
    pub(super) caps: Vec<Cap>,
    /// Why it gets nothing now.
    pub(super) trouble: String,
    pub(super) paused: bool,
}

/// A cap or budget, and whether it is used up.
pub(super) struct Cap {
    pub(super) says: String,
    pub(super) full: bool,
}

/// A channel, and how it fares.
pub(super) struct Channel {
    pub(super) order: u8,
    pub(super) kind: String,
    /// Why nothing goes through.
    pub(super) trouble: String,
    /// It takes nothing until the desk says so.
    pub(super) disabled: bool,
    /// What a test of it that is asked for on this page is called: the same once more is a second click.
    pub(super) test: String,
}

impl Stands {
    pub(super) fn of(core: &Core, dealer: &str, standing: &Standing) -> Self {
        let money = |minor| shown::money(core, Money::from_minor(minor));
        Self {
            troubles: standing.troubles.iter().map(|trouble| trouble_says(core, trouble)).collect(),
            contracts: standing.contracts.iter().map(|one| Contract::of(core, dealer, one)).collect(),
            channels: standing.channels.iter().map(|one| Channel::of(core, one)).collect(),
            caps: caps(core, &standing.limits),
            balance: standing.balance.map(money).unwrap_or_default(),
        }
    }
}

impl Contract {
    fn of(core: &Core, dealer: &str, contract: &OfContract) -> Self {
        let own = contract.id.as_str().strip_prefix(dealer);
        let short = own.and_then(|rest| rest.strip_prefix('-')).unwrap_or(contract.id.as_str());
        Self {
            short: short.to_owned(),
            id: contract.id.to_string(),
            price: shown::money(core, contract.price),
            caps: caps(core, &contract.limits),
            trouble: contract.kept.as_ref().map(|kept| kept_says(core, kept)).unwrap_or_default(),
            paused: contract.paused,
        }
    }
}

impl Channel {
    fn of(core: &Core, channel: &OfChannel) -> Self {
        Self {
            order: channel.order,
            kind: channel.kind.to_string(),
            trouble: channel.fails.as_ref().map(|fails| fails_says(core, fails)).unwrap_or_default(),
            disabled: matches!(channel.fails, Some(Fails::Disabled { .. })),
            test: String::new(),
        }
    }
}

/// Each cap and the budget, with what is used of it.
fn caps(core: &Core, limits: &[Limit]) -> Vec<Cap> {
    limits.iter().map(|limit| Cap { says: limit_says(core, *limit), full: limit.is_full() }).collect()
}

fn limit_says(core: &Core, limit: Limit) -> String {
    match limit {
        Limit::Cap { period, used, most } => format!("{period} {used} of {most}"),
        Limit::Budget { spent, most } => format!("budget {spent} of {} a month", shown::money(core, most)),
    }
}

fn trouble_says(core: &Core, trouble: &Trouble) -> String {
    match trouble {
        Trouble::Paused(paused) => paused_says(core, paused),
        Trouble::NoContract => "has no contract".to_owned(),
        Trouble::NoneTakes { why, unknown } => {
            let told = why.iter().take(REASONS).map(|kept| kept_says(core, kept));
            let mut said = told.collect::<Vec<_>>().join("; ");
            if why.len() > REASONS {
                said.push_str("; and others");
            }
            match (why.is_empty(), unknown) {
                (_, 0) => format!("no contract takes leads: {said}"),
                (true, unknown) => format!("{unknown} contracts were not looked at"),
                (false, unknown) => {
                    format!("no contract that was looked at takes leads: {said}; {unknown} were not")
                }
            }
        }
        Trouble::Full(limit) => format!("full: {}", limit_says(core, *limit)),
        Trouble::NothingPaid => "nothing is left of what was paid in advance".to_owned(),
        Trouble::Channel(kind, fails) => format!("{kind} {}", fails_says(core, fails)),
    }
}

fn kept_says(core: &Core, kept: &Kept) -> String {
    match kept {
        Kept::Paused(paused) => paused_says(core, paused),
        Kept::Starts(on) => format!("starts {on}"),
        Kept::Ended(on) => format!("ended {on}"),
        Kept::Full(limit) => format!("full: {}", limit_says(core, *limit)),
    }
}

fn paused_says(core: &Core, paused: &Paused) -> String {
    let until = paused.until.map_or_else(
        || "until somebody resumes it".to_owned(),
        |until| format!("until {}", instant(core, until)),
    );
    let why = if paused.reason.is_empty() { String::new() } else { format!(": {}", paused.reason) };
    format!("paused {until}{why}")
}

fn fails_says(core: &Core, fails: &Fails) -> String {
    match fails {
        Fails::Disabled { at, why } => {
            format!("takes nothing since {}: {}", instant(core, *at), shown::word(why))
        }
        Fails::LeftAlone { until } => format!("does not answer; left alone until {}", instant(core, *until)),
        Fails::DidNotAnswer => "did not answer; the next lead tries it".to_owned(),
    }
}

/// What a dealer made of its leads.
#[derive(Default)]
pub(super) struct Made {
    pub(super) offered: i64,
    pub(super) accepted: String,
    pub(super) speed: String,
    pub(super) returned: String,
    pub(super) won: String,
}

impl Made {
    pub(super) fn of(fared: &Fared) -> Self {
        let part = |part: i64, whole: i64| match whole {
            0 => String::new(),
            whole => format!("{} %", (part as f64 / whole as f64 * 100.0).round()),
        };
        Self {
            offered: fared.offered,
            accepted: part(fared.accepted, fared.answered()),
            speed: fared.accepts_in_s.map(lasts).unwrap_or_default(),
            returned: part(fared.returned, fared.delivered),
            won: part(fared.won, fared.delivered),
        }
    }
}

/// `45 s`, `12 min`, `3 h`: the largest unit alone.
fn lasts(seconds: i64) -> String {
    match seconds {
        ..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}
