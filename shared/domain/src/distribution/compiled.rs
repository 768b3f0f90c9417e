//! A rulebook made ready for decisions: contracts by category and state, indexed by area.
//!
//! A company may have 100,000 contracts; a decision looks at tens. So contracts stand in *chunks*,
//! one or more per category and state (one for those that are everywhere), each small enough for one
//! item of the table. A chunk is loaded once per rulebook version and never changes.
//!
//! Within a chunk the unit is the *coverage*: an area, and for an area with a radius the dealer's ZIP it
//! is measured from. Sorted lists find the coverages of a lead by binary search, and contracts stand in
//! the order of their coverages, so a coverage's contracts are a range. A thousand contracts that share
//! an area of five thousand ZIPs cost one list of them, not a thousand.
//!
//! | module | holds |
//! |---|---|
//! | `chunk` | contracts of one category that may cover one state, and what is looked up in them |
//! | `contract` | a contract as a decision reads it |
//! | `dealer` | a dealer: its channels, and when it is open |
//! | `coverage` | which coverages of a chunk cover a lead |
//! | `grid` | where circles stand |
//! | `lists` | sorted lists, searched by key |
//! | `build` | a chunk is built, coverage by coverage |
//! | `stored` | a chunk in bytes, and what follows from them when they are read |

mod chunk;
mod contract;
mod dealer;
mod coverage;
mod grid;
mod lists;
mod build;
mod stored;

pub use chunk::{Chunk, Terms};
pub use contract::CompiledContract;
pub use dealer::{CompiledChannel, CompiledDealer};

pub(crate) use build::{ChunkBuilder, Part, Ranks};
pub(crate) use chunk::Takers;
pub(crate) use contract::Day;
pub(crate) use coverage::{Hit, Target};
pub(crate) use dealer::Calendar;

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::delivery::Template;
use crate::followup::FollowUpPlan;
use crate::ids::{CategoryId, CompanyId, OfferId, SourceId, TemplateId};
use crate::limits;
use crate::place::State;
use crate::rulebook::{Company, Offer, Signer, Source, Spend};
use crate::scoring::ScoringModel;
use crate::screening::ScreeningRules;
use crate::time;

/// What every function needs of a rulebook, whatever the lead: company, offers, sources, scoring, and
/// which chunks there are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Core {
    /// The rulebook's version, 1 first.
    pub version: u64,
    /// The company.
    pub company: Company,
    /// Its offers.
    pub offers: Vec<Offer>,
    /// Its sources.
    pub sources: Vec<Source>,
    /// How leads are scored.
    pub scoring: ScoringModel,
    /// What is doubtful, and what is spam.
    #[serde(default)]
    pub screening: ScreeningRules,
    /// Who is called again, when, and how often. A core that was compiled before there was a plan has the usual one.
    #[serde(default)]
    pub follow_up: FollowUpPlan,
    /// The forms of dealers' own APIs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub templates: Vec<Template>,
    /// What was spent on sources and campaigns, for the reports.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub spend: Vec<Spend>,
    /// How many parts each chunk has; a category and state without contracts is absent. A category
    /// whose contracts cover no place at all has none, everywhere.
    pub chunks: Vec<(CategoryId, Option<State>, u16)>,
    /// Categories of earlier versions that this one has no offer of: leads may wait in them still. Publishing
    /// adds them; at most [`limits::FORMER_CATEGORIES`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former: Vec<CategoryId>,
}

impl Core {
    /// An offer by id.
    pub fn offer(&self, id: &OfferId) -> Option<&Offer> {
        self.offers.iter().find(|offer| &offer.id == id)
    }

    /// The categories of its offers, each once.
    pub fn categories(&self) -> Vec<&CategoryId> {
        let mut categories: Vec<&CategoryId> = self.offers.iter().map(|offer| &offer.category).collect();
        categories.sort_unstable();
        categories.dedup();
        categories
    }

    /// Every category in which a lead may wait: those of its offers, and those that left.
    pub fn waited_in(&self) -> Vec<&CategoryId> {
        let mut categories = self.categories();
        categories.extend(&self.former);
        categories
    }

    /// What the next version remembers of this one's categories, once it has these: the last that left stand
    /// last, and the oldest are forgotten.
    pub fn left_by(&self, categories: &[&CategoryId]) -> Vec<CategoryId> {
        let known = self.former.iter().chain(self.categories());
        let left: Vec<CategoryId> = known.filter(|one| !categories.contains(one)).cloned().collect();
        left.get(left.len().saturating_sub(limits::FORMER_CATEGORIES)..).unwrap_or_default().to_vec()
    }

    /// The day that an instant falls on, in the company's zone; a zone that the rulebook let through is one.
    pub fn today(&self, now: Timestamp) -> Date {
        time::zone(&self.company.zone).unwrap_or(TimeZone::UTC).to_datetime(now).date()
    }

    /// A source by id.
    pub fn source(&self, id: &SourceId) -> Option<&Source> {
        self.sources.iter().find(|source| &source.id == id)
    }

    /// A template by id.
    pub fn template(&self, id: &TemplateId) -> Option<&Template> {
        self.templates.iter().find(|template| &template.id == id)
    }

    /// The company's id.
    pub fn company_id(&self) -> &CompanyId {
        &self.company.id
    }

    /// The chunks that may cover a lead of this category in this state, in order.
    pub fn chunks_for(&self, category: &CategoryId, state: Option<State>) -> Vec<ChunkKey> {
        self.chunks
            .iter()
            .filter(|(of, whose, _)| of == category && (whose.is_none() || *whose == state))
            .flat_map(|(of, whose, parts)| {
                (0..*parts).map(|part| ChunkKey { category: of.clone(), state: *whose, part })
            })
            .collect()
    }

    /// All chunks of a category, wherever they are.
    pub fn chunks_of(&self, category: &CategoryId) -> Vec<ChunkKey> {
        self.chunks
            .iter()
            .filter(|(of, _, _)| of == category)
            .flat_map(|(of, state, parts)| {
                (0..*parts).map(|part| ChunkKey { category: of.clone(), state: *state, part })
            })
            .collect()
    }

    /// Whether anyone at all takes this category, anywhere.
    pub fn has_contracts(&self, category: &CategoryId) -> bool {
        self.chunks.iter().any(|(of, _, _)| of == category)
    }

    /// The offer a sender means by what it calls it; the source's own, where it says nothing. What it
    /// says and we do not know is nobody's: a guess would send a lead to the wrong trade.
    pub fn offer_of(&self, source: &Source, said: Option<&str>) -> Option<&Offer> {
        let id = match said {
            Some(said) => source.offers.get(said).cloned().or_else(|| OfferId::new(said).ok()),
            None => source.offer.clone(),
        };
        self.offer(&id?)
    }
}

/// Which chunk.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChunkKey {
    /// The trade.
    pub category: CategoryId,
    /// The state, or `None` for contracts that are everywhere.
    pub state: Option<State>,
    /// 0 first.
    pub part: u16,
}

impl std::fmt::Display for ChunkKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/", self.category)?;
        match self.state {
            Some(state) => write!(f, "{state}/")?,
            None => f.write_str("*/")?,
        }
        write!(f, "{}", self.part)
    }
}

/// A whole compiled rulebook: what a publish writes, and what `check` runs tests on.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// The core.
    pub core: Core,
    /// The chunks.
    pub chunks: BTreeMap<ChunkKey, Chunk>,
    /// Who may sign in, and as what.
    pub signers: Vec<Signer>,
}
