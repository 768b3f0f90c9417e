//! The contracts that are not over, each with its dealer, its coverage, and what it takes as numbers.

use std::collections::HashMap;

use jiff::civil::Date;

use super::ground::{Coverage, Coverages, Ground};
use super::unused::ended;
use crate::contract::{AreaPart, Contract, Selection, Territory};
use crate::dealer::{AfterHours, Dealer};
use crate::ids::{AreaId, DealerId};
use crate::place::Zip;
use crate::rulebook::Rulebook;
use crate::rulebook::problem::Position;

/// A rulebook seen as a whole.
pub(super) struct Survey<'a> {
    pub(super) book: &'a Rulebook,
    pub(super) today: Date,
    pub(super) ground: Ground,
    pub(super) coverages: Vec<Coverage>,
    /// In the order of the file.
    pub(super) standings: Vec<Standing<'a>>,
    pub(super) dealers: Vec<Dealing>,
}

/// A contract that is not over.
pub(super) struct Standing<'a> {
    pub(super) contract: &'a Contract,
    pub(super) dealer: &'a Dealer,
    /// The dealer, in [`Survey::dealers`].
    pub(super) dealing: usize,
    /// In [`Survey::coverages`].
    pub(super) coverage: usize,
    pub(super) at: Position,
    pub(super) offers: Taken,
    pub(super) sources: Taken,
    /// It can never be given a lead.
    pub(super) is_dead: bool,
}

/// What matters of a dealer's contracts together.
#[derive(Clone, Copy, Default)]
pub(super) struct Dealing {
    /// How many are protected or closed, over or not.
    pub(super) barring: u32,
    /// Whether any may share a lead, over or not.
    pub(super) shares: bool,
}

/// What a contract takes: all, or these, by their place in the rulebook.
pub(super) enum Taken {
    All,
    These(Vec<u32>),
}

impl Taken {
    fn of<'a, Id: Eq + std::hash::Hash>(
        selection: &'a Selection<Id>,
        numbers: &HashMap<&'a Id, u32>,
    ) -> Self {
        match selection {
            Selection::All => Self::All,
            Selection::These(ids) => {
                let mut these: Vec<u32> = ids.iter().filter_map(|id| numbers.get(id).copied()).collect();
                these.sort_unstable();
                Self::These(these)
            }
        }
    }

    pub(super) fn takes(&self, number: u32) -> bool {
        match self {
            Self::All => true,
            Self::These(these) => these.binary_search(&number).is_ok(),
        }
    }

    /// Whether this takes all that another takes.
    pub(super) fn takes_all_of(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::All, _) => true,
            (Self::These(_), Self::All) => false,
            (Self::These(_), Self::These(others)) => others.iter().all(|&number| self.takes(number)),
        }
    }

    /// Whether there is something that both take.
    pub(super) fn meets(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::All, _) | (_, Self::All) => true,
            (Self::These(these), Self::These(_)) => these.iter().any(|&number| other.takes(number)),
        }
    }

    /// The numbers that are meant, of so many in all.
    pub(super) fn numbers(&self, all: usize) -> impl Iterator<Item = u32> {
        let (all, these) = match self {
            Self::All => (all as u32, &[][..]),
            Self::These(these) => (0, these.as_slice()),
        };
        (0..all).chain(these.iter().copied())
    }
}

impl<'a> Survey<'a> {
    pub(super) fn of(book: &'a Rulebook, today: Date) -> Self {
        let numbered: HashMap<&DealerId, usize> =
            book.dealers.iter().enumerate().map(|(number, dealer)| (&dealer.id, number)).collect();
        let offers = book.offers.iter().map(|offer| &offer.id).zip(0..).collect();
        let sources = book.sources.iter().map(|source| &source.id).zip(0..).collect();
        let mut areas: HashMap<&AreaId, Area> = HashMap::new();
        let mut known: HashMap<(&AreaId, Option<Zip>), usize> = HashMap::new();
        let mut made = Coverages::default();
        let mut coverages = Vec::new();
        let mut standings = Vec::new();
        let mut dealers = vec![Dealing::default(); book.dealers.len()];
        for (contract, &at) in book.contracts.iter().zip(&book.positions.contracts) {
            let Some(&dealing) = numbered.get(&contract.dealer) else { continue };
            let Some(dealer) = book.dealers.get(dealing) else { continue };
            if let Some(of_dealer) = dealers.get_mut(dealing) {
                of_dealer.barring += u32::from(bars(contract.territory));
                of_dealer.shares |= contract.sale.seats() > 1;
            }
            if ended(contract.ends, today) {
                continue;
            }
            let area =
                areas.entry(&contract.area).or_insert_with(|| Area::of(book, &contract.area, &mut made));
            let zip = (!area.radii.is_empty()).then_some(dealer.zip);
            let coverage = *known.entry((&contract.area, zip)).or_insert_with(|| {
                coverages.push(made.around(&area.coverage, dealer.zip, &area.radii));
                coverages.len() - 1
            });
            standings.push(Standing {
                contract,
                dealer,
                dealing,
                coverage,
                at,
                offers: Taken::of(&contract.offers, &offers),
                sources: Taken::of(&contract.sources, &sources),
                is_dead: false,
            });
        }
        Self { book, today, ground: Ground::new(), coverages, standings, dealers }
    }

    pub(super) fn coverage(&self, standing: &Standing<'_>) -> Option<&Coverage> {
        self.coverages.get(standing.coverage)
    }

    pub(super) fn dealing(&self, standing: &Standing<'_>) -> Dealing {
        self.dealers.get(standing.dealing).copied().unwrap_or_default()
    }

    /// Those that may be given a lead.
    pub(super) fn living(&self) -> impl Iterator<Item = (usize, &Standing<'a>)> {
        self.standings.iter().enumerate().filter(|(_, standing)| !standing.is_dead)
    }
}

impl Standing<'_> {
    /// Whether it is open at any hour: opening hours do not bind it.
    pub(super) fn delivers(&self) -> bool {
        self.contract.after_hours.unwrap_or(self.dealer.after_hours) == AfterHours::Deliver
    }

    /// `"hudson-miami" (closed, of "hudson")`
    pub(super) fn described(&self) -> String {
        format!("\"{}\" ({}, of \"{}\")", self.contract.id, self.contract.territory, self.dealer.id)
    }
}

/// Whether a territory may keep other dealers out.
pub(super) fn bars(territory: Territory) -> bool {
    matches!(territory, Territory::Protected | Territory::Closed)
}

/// A named area: what it covers but for its radii, and those, the smallest first.
struct Area {
    coverage: Coverage,
    radii: Vec<u32>,
}

impl Area {
    fn of(book: &Rulebook, id: &AreaId, made: &mut Coverages) -> Self {
        let parts = book.areas.get(id).map_or(&[][..], Vec::as_slice);
        let mut radii: Vec<u32> = parts
            .iter()
            .filter_map(|part| match *part {
                AreaPart::RadiusMiles(miles) => Some(miles),
                AreaPart::Zip(_)
                | AreaPart::Zip3(_)
                | AreaPart::County(_)
                | AreaPart::State(_)
                | AreaPart::Any => None,
            })
            .collect();
        radii.sort_unstable();
        radii.dedup();
        Self { coverage: made.of_area(parts), radii }
    }
}
