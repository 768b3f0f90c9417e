//! Building a chunk, coverage by coverage.

use std::collections::HashMap;

use serde::Serialize;

use super::contract::OfDealer;
use super::coverage::{Coverage, Radius};
use super::dealer::Schedule;
use super::grid::Grid;
use super::lists::Lists;
use super::{Chunk, CompiledChannel, CompiledContract, CompiledDealer};
use crate::contract::Contract;
use crate::dealer::Dealer;
use crate::error::Invalid;
use crate::ids::DealerId;
use crate::place::{self, Place, State, Zip};

/// A list in which what is said alike stands once, found by its bytes as stored.
#[derive(Default)]
struct Interner(HashMap<Vec<u8>, u16>);

impl Interner {
    fn intern<T: Serialize + Clone>(&mut self, value: &T, list: &mut Vec<T>) -> Result<u16, Invalid> {
        let bytes =
            postcard::to_stdvec(value).map_err(|_| Invalid::new("a rule of a chunk could not be encoded"))?;
        if let Some(&known) = self.0.get(&bytes) {
            return Ok(known);
        }
        let at = next(list)?;
        list.push(value.clone());
        self.0.insert(bytes, at);
        Ok(at)
    }
}

/// The index of what is pushed next.
fn next<T>(list: &[T]) -> Result<u16, Invalid> {
    u16::try_from(list.len()).map_err(|_| Invalid::new("a chunk has at most 65,536 of a kind"))
}

/// Builds one chunk, coverage by coverage, and contract by contract within.
#[derive(Default)]
pub(crate) struct ChunkBuilder {
    chunk: Chunk,
    by_zip3: Vec<(u16, u32)>,
    by_county: Vec<(u32, u32)>,
    by_cell: Vec<(u32, u32)>,
    by_state: Vec<(State, u32)>,
    dealers: HashMap<DealerId, u16>,
    offers: Interner,
    sources: Interner,
    caps: Interner,
    returns: Interner,
    hours: Interner,
    schedules: Interner,
}

impl ChunkBuilder {
    /// Begins a coverage: those parts of an area that touch this chunk's state, measured from `zip`.
    pub(crate) fn begin(&mut self, zip: Option<Zip>, twin: bool, parts: &[Part]) {
        let at = self.chunk.coverages.len() as u32;
        let end = self.chunk.contracts.len() as u32;
        let center = zip.and_then(place::of).and_then(Place::unit);
        self.chunk.coverages.push(Coverage { zip, end, twin });
        for part in parts {
            match *part {
                Part::Zip(zip) => self.chunk.by_zip.push((zip, at)),
                Part::Zip3(zip3) => self.by_zip3.push((zip3, at)),
                Part::County(county) => self.by_county.push((county, at)),
                Part::State(state) => self.by_state.push((state, at)),
                Part::Any => self.chunk.anywhere.push(at),
                Part::Radius(miles) => {
                    let Some(center) = center else { continue };
                    let radius = self.chunk.radii.len() as u32;
                    self.chunk.radii.push(Radius { miles, coverage: at });
                    let cells = Grid::of(miles).cells_of(center, miles);
                    self.by_cell.extend(cells.into_iter().map(|cell| (cell, radius)));
                }
            }
        }
    }

    /// Adds a contract to the coverage that was begun last.
    pub(crate) fn add(
        &mut self,
        contract: &Contract,
        dealer: &Dealer,
        channels: &[CompiledChannel],
        ranks: Ranks,
    ) -> Result<(), Invalid> {
        let compiled = CompiledContract {
            id: contract.id.clone(),
            dealer: self.dealer(dealer, channels, ranks.dealer)?,
            rank: ranks.contract,
            of_dealer: OfDealer::default(),
            days: Default::default(),
            offers: self.offers.intern(&contract.offers, &mut self.chunk.offers)?,
            sources: self.sources.intern(&contract.sources, &mut self.chunk.sources)?,
            caps: self.caps.intern(&contract.caps, &mut self.chunk.caps)?,
            returns: self.returns.intern(&contract.returns, &mut self.chunk.returns)?,
            territory: contract.territory,
            sale: contract.sale,
            when_unavailable: contract.when_unavailable,
            min_band: contract.min_band,
            needs: contract.needs,
            max_age_hours: contract.max_age_hours,
            tier: contract.tier,
            weight: contract.weight,
            price: contract.price,
            budget_month: contract.budget_month,
            deadline: contract.deadline,
            after_hours: contract.after_hours.unwrap_or(dealer.after_hours),
            again: contract.again,
            starts: contract.starts,
            ends: contract.ends,
        };
        self.chunk.contracts.push(compiled);
        if let Some(coverage) = self.chunk.coverages.last_mut() {
            coverage.end = self.chunk.contracts.len() as u32;
        }
        Ok(())
    }

    fn dealer(&mut self, dealer: &Dealer, channels: &[CompiledChannel], rank: u32) -> Result<u16, Invalid> {
        if let Some(&known) = self.dealers.get(&dealer.id) {
            return Ok(known);
        }
        let zones = &mut self.chunk.zones;
        let zone = match zones.iter().position(|zone| zone == &dealer.zone) {
            Some(known) => known as u16,
            None => {
                let at = next(zones)?;
                zones.push(dealer.zone.clone());
                at
            }
        };
        let hours = self.hours.intern(&dealer.hours, &mut self.chunk.hours)?;
        let schedule = Schedule { zone, hours, holidays: dealer.holidays.clone() };
        let at = next(&self.chunk.dealers)?;
        self.chunk.dealers.push(CompiledDealer {
            id: dealer.id.clone(),
            name: dealer.name.as_str().into(),
            prepaid: dealer.prepaid,
            rank,
            schedule: self.schedules.intern(&schedule, &mut self.chunk.schedules)?,
            caps: self.caps.intern(&dealer.caps, &mut self.chunk.caps)?,
            channels: channels.to_vec(),
            zip: dealer.zip,
            unit: None,
        });
        self.dealers.insert(dealer.id.clone(), at);
        Ok(at)
    }

    /// The chunk, ready for decisions.
    pub(crate) fn finish(mut self) -> Result<Chunk, Invalid> {
        let chunk = &mut self.chunk;
        sort(&mut chunk.by_zip);
        sort(&mut chunk.anywhere);
        chunk.by_zip3 = Lists::new(self.by_zip3);
        chunk.by_county = Lists::new(self.by_county);
        chunk.by_cell = Lists::new(self.by_cell);
        chunk.by_state = Lists::new(self.by_state);
        chunk.resolve()?;
        Ok(self.chunk)
    }
}

/// Where the ids of a contract and its dealer stand among all of the rulebook's: so that ids of several chunks
/// are compared without reading them.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ranks {
    pub(crate) contract: u32,
    pub(crate) dealer: u32,
}

/// An area may name a part twice.
fn sort<T: Ord>(rows: &mut Vec<T>) {
    rows.sort_unstable();
    rows.dedup();
    rows.shrink_to_fit();
}

/// A part of an area.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    Zip(u32),
    Zip3(u16),
    County(u32),
    State(State),
    /// In miles, around the coverage's ZIP.
    Radius(u32),
    Any,
}
