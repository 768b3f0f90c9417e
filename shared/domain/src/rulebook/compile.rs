//! From the rules as text to what a decision reads: contracts by category and state.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::Rulebook;
use crate::contract::{AreaPart, Contract, Selection};
use crate::dealer::{Channel, Dealer, Format};
use crate::delivery::Vendor;
use crate::distribution::compiled::{ChunkBuilder, CompiledChannel, Part, Ranks};
use crate::distribution::{Chunk, ChunkKey, Compiled, Core};
use crate::error::Invalid;
use crate::ids::{AreaId, CategoryId, ContractId, DealerId};
use crate::limits;
use crate::place::{self, Place, State, Zip};

/// Contracts of one chunk. Most are stored in about 100 bytes, cells and dealer included, so a chunk
/// stays well within [`limits::CHUNK_BYTES`]; one that does not is halved.
const CONTRACTS_PER_CHUNK: usize = 1_500;

impl Rulebook {
    /// Compiles the rulebook as version `version`. The order of its rows changes nothing.
    ///
    /// # Errors
    /// A chunk that exceeds [`limits::CHUNK_BYTES`] however it is cut, or a zone that is not known;
    /// neither happens for a rulebook that parsed.
    pub fn compile(&self, version: u64) -> Result<Compiled, Invalid> {
        let compiler = Compiler::new(self);
        let chunks = compiler.chunks()?;
        let mut parts: BTreeMap<(CategoryId, Option<State>), u16> = BTreeMap::new();
        for key in chunks.keys() {
            *parts.entry((key.category.clone(), key.state)).or_default() += 1;
        }
        // Those whose area covers no place stand in no chunk, and still are there.
        let taken: BTreeSet<&CategoryId> =
            self.contracts.iter().flat_map(|contract| compiler.categories_of(contract)).collect();
        for category in taken {
            if !chunks.keys().any(|key| &key.category == category) {
                parts.insert((category.clone(), None), 0);
            }
        }
        let core = Core {
            version,
            company: self.company.clone(),
            offers: self.offers.clone(),
            sources: self.sources.clone(),
            scoring: self.scoring.clone(),
            screening: self.screening.clone(),
            follow_up: self.follow_up.clone(),
            templates: self.templates.clone(),
            spend: self.spend.clone(),
            chunks: parts.into_iter().map(|((category, state), parts)| (category, state, parts)).collect(),
            former: Vec::new(),
        };
        Ok(Compiled { core, chunks, signers: self.signers() })
    }
}

/// An area, and where its radii are measured from if it has any: what contracts share.
pub(super) type CoverageKey<'a> = (&'a AreaId, Option<Zip>);

/// Its parts, under every state that they touch; `None` for everywhere.
type PartsByState = BTreeMap<Option<State>, Vec<Part>>;

/// A contract in the chunks of one category and state.
struct Row<'a> {
    coverage: CoverageKey<'a>,
    contract: &'a Contract,
    dealer: &'a Dealer,
}

struct Compiler<'a> {
    book: &'a Rulebook,
    dealers: HashMap<&'a DealerId, &'a Dealer>,
    channels: HashMap<&'a DealerId, Vec<CompiledChannel>>,
    measured: HashSet<&'a AreaId>,
    category_of: HashMap<&'a str, &'a CategoryId>,
    categories: BTreeSet<&'a CategoryId>,
    contract_ranks: HashMap<&'a ContractId, u32>,
    dealer_ranks: HashMap<&'a DealerId, u32>,
}

/// Where each id stands among all.
fn ranks<'a, Id: Ord + std::hash::Hash>(ids: impl Iterator<Item = &'a Id>) -> HashMap<&'a Id, u32> {
    let mut sorted: Vec<&Id> = ids.collect();
    sorted.sort_unstable();
    sorted.into_iter().zip(0..).collect()
}

impl<'a> Compiler<'a> {
    fn new(book: &'a Rulebook) -> Self {
        let mut channels: HashMap<&DealerId, Vec<CompiledChannel>> = HashMap::new();
        let dealers: HashMap<&DealerId, &Dealer> =
            book.dealers.iter().map(|dealer| (&dealer.id, dealer)).collect();
        for channel in &book.channels {
            let dealer = dealers.get(&channel.dealer).copied();
            let compiled = CompiledChannel {
                order: channel.order,
                kind: channel.kind,
                address: channel.address.clone(),
                when: channel.when,
                format: channel.format.clone(),
                vendor: dealer.and_then(|dealer| vendor(channel, dealer)).map(Box::new),
            };
            channels.entry(&channel.dealer).or_default().push(compiled);
        }
        Self {
            book,
            channels,
            dealers,
            measured: measured(book),
            category_of: book.offers.iter().map(|offer| (offer.id.as_str(), &offer.category)).collect(),
            categories: book.offers.iter().map(|offer| &offer.category).collect(),
            contract_ranks: ranks(book.contracts.iter().map(|contract| &contract.id)),
            dealer_ranks: ranks(book.dealers.iter().map(|dealer| &dealer.id)),
        }
    }

    fn chunks(&self) -> Result<BTreeMap<ChunkKey, Chunk>, Invalid> {
        let mut coverages: HashMap<CoverageKey<'a>, PartsByState> = HashMap::new();
        let mut circles: HashMap<(Zip, u32), BTreeSet<State>> = HashMap::new();
        let mut rows: BTreeMap<(&CategoryId, Option<State>), Vec<Row<'a>>> = BTreeMap::new();
        for contract in &self.book.contracts {
            let Some(&dealer) = self.dealers.get(&contract.dealer) else { continue };
            let key = coverage_of(contract, Some(dealer.zip), &self.measured);
            let parts = coverages.entry(key).or_insert_with(|| self.parts_by_state(key, &mut circles));
            for category in self.categories_of(contract) {
                for &state in parts.keys() {
                    let row = Row { coverage: key, contract, dealer };
                    rows.entry((category, state)).or_default().push(row);
                }
            }
        }
        let mut chunks = BTreeMap::new();
        for ((category, state), mut rows) in rows {
            rows.sort_by(|a, b| (a.coverage, &a.contract.id).cmp(&(b.coverage, &b.contract.id)));
            let cut = self.cut(&rows, state, &coverages, CONTRACTS_PER_CHUNK)?;
            for (part, chunk) in cut.into_iter().enumerate() {
                let part = u16::try_from(part).map_err(|_| Invalid::new("a category has too many chunks"))?;
                chunks.insert(ChunkKey { category: category.clone(), state, part }, chunk);
            }
        }
        Ok(chunks)
    }

    fn categories_of(&self, contract: &Contract) -> BTreeSet<&'a CategoryId> {
        match &contract.offers {
            Selection::All => self.categories.clone(),
            Selection::These(offers) => {
                offers.iter().filter_map(|offer| self.category_of.get(offer.as_str()).copied()).collect()
            }
        }
    }

    fn parts_by_state(
        &self,
        (area, zip): CoverageKey<'_>,
        circles: &mut HashMap<(Zip, u32), BTreeSet<State>>,
    ) -> PartsByState {
        let mut by_state = PartsByState::new();
        for part in self.book.areas.get(area).into_iter().flatten() {
            let Some(states) = states_of(*part, zip, circles) else {
                by_state.entry(None).or_default().push(Part::Any);
                continue;
            };
            let part = match *part {
                AreaPart::Any => Part::Any,
                AreaPart::State(state) => Part::State(state),
                AreaPart::Zip(zip) => Part::Zip(zip.as_u32()),
                AreaPart::Zip3(zip3) => Part::Zip3(zip3.as_u16()),
                AreaPart::County(county) => Part::County(county.as_u32()),
                AreaPart::RadiusMiles(miles) => Part::Radius(miles),
            };
            for state in states {
                by_state.entry(Some(state)).or_default().push(part);
            }
        }
        for parts in by_state.values_mut() {
            parts.sort_unstable();
            parts.dedup();
        }
        by_state
    }

    /// Cuts the rows of one category and state into chunks that fit, halving while one does not.
    fn cut(
        &self,
        rows: &[Row<'a>],
        state: Option<State>,
        coverages: &HashMap<CoverageKey<'a>, PartsByState>,
        most: usize,
    ) -> Result<Vec<Chunk>, Invalid> {
        let mut chunks = Vec::new();
        for some in rows.chunks(most.max(1)) {
            let chunk = self.chunk(some, state, coverages)?;
            if chunk.encode()?.len() <= limits::CHUNK_BYTES {
                chunks.push(chunk);
            } else if some.len() > 1 {
                chunks.extend(self.cut(some, state, coverages, some.len().div_ceil(2))?);
            } else {
                return Err(Invalid::new(
                    "one contract's area has too many parts: a compiled chunk is at most 256 KiB",
                ));
            }
        }
        Ok(chunks)
    }

    fn chunk(
        &self,
        rows: &[Row<'a>],
        state: Option<State>,
        coverages: &HashMap<CoverageKey<'a>, PartsByState>,
    ) -> Result<Chunk, Invalid> {
        let mut builder = ChunkBuilder::default();
        for alike in rows.chunk_by(|a, b| a.coverage == b.coverage) {
            let Some(coverage) = alike.first().map(|row| row.coverage) else { continue };
            let Some(by_state) = coverages.get(&coverage) else { continue };
            let twin = by_state.len() > 1 && by_state.contains_key(&None);
            builder.begin(coverage.1, twin, by_state.get(&state).map_or(&[], Vec::as_slice));
            for row in alike {
                let channels = self.channels.get(&row.dealer.id).map_or(&[][..], Vec::as_slice);
                let ranks = Ranks {
                    contract: self.contract_ranks.get(&row.contract.id).copied().unwrap_or_default(),
                    dealer: self.dealer_ranks.get(&row.dealer.id).copied().unwrap_or_default(),
                };
                builder.add(row.contract, row.dealer, channels, ranks)?;
            }
        }
        builder.finish()
    }
}

/// Whom another system than ours takes the dealer of a channel for; our own form says nothing of it.
fn vendor(channel: &Channel, dealer: &Dealer) -> Option<Vendor> {
    (channel.format != Format::Standard).then(|| Vendor {
        id: channel.vendor_id.clone(),
        name: dealer.name.clone(),
        contact: dealer.contact.clone(),
        email: dealer.email.clone(),
        phone: dealer.phone.clone(),
    })
}

/// The areas that have a radius.
pub(super) fn measured(book: &Rulebook) -> HashSet<&AreaId> {
    let has_radius = |parts: &[AreaPart]| parts.iter().any(|part| matches!(part, AreaPart::RadiusMiles(_)));
    book.areas.iter().filter(|(_, parts)| has_radius(parts)).map(|(area, _)| area).collect()
}

/// What a contract covers, whose dealer is there: of an area without a radius it is the same wherever that is.
pub(super) fn coverage_of<'a>(
    contract: &'a Contract,
    zip: Option<Zip>,
    measured: &HashSet<&AreaId>,
) -> CoverageKey<'a> {
    (&contract.area, zip.filter(|_| measured.contains(&contract.area)))
}

/// The states that a part of an area lies in; `None` of the whole country. A radius without a ZIP is nowhere.
pub(super) fn states_of(
    part: AreaPart,
    zip: Option<Zip>,
    circles: &mut HashMap<(Zip, u32), BTreeSet<State>>,
) -> Option<BTreeSet<State>> {
    match part {
        AreaPart::Any => None,
        AreaPart::State(state) => Some(BTreeSet::from([state])),
        AreaPart::Zip(zip) => Some(place::state_of(zip).into_iter().collect()),
        AreaPart::Zip3(zip3) => Some(place::in_zip3(zip3).map(Place::state).collect()),
        AreaPart::County(county) => Some(place::state_of_county(county).into_iter().collect()),
        AreaPart::RadiusMiles(miles) => Some(zip.map_or_else(BTreeSet::new, |zip| {
            circles.entry((zip, miles)).or_insert_with(|| states_within(zip, miles)).clone()
        })),
    }
}

/// The states a circle touches. Where it is wide, this looks at the places of the whole country, once per
/// ZIP and radius, however many contracts share them.
fn states_within(zip: Zip, miles: u32) -> BTreeSet<State> {
    let center = place::of(zip).and_then(Place::unit);
    center.into_iter().flat_map(|center| place::within(center, f64::from(miles))).map(Place::state).collect()
}
