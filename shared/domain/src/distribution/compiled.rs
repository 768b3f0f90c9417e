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

use std::collections::{BTreeMap, HashMap};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::contract::{
    Caps, Contract, Deadline, Needs, ReturnTerms, Sale, Selection, Specificity, Territory, WhenUnavailable,
};
use crate::dealer::{AfterHours, ChannelKind, Dealer, Hours};
use crate::error::Invalid;
use crate::ids::{CategoryId, CompanyId, ContractId, DealerId, OfferId, SourceId};
use crate::money::Money;
use crate::place::{self, Place, Reach, State, Unit, Zip};
use crate::rulebook::{Company, Offer, Source};
use crate::scoring::{Band, ScoringModel};

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
    /// How many parts each chunk has; a category and state without contracts is absent. A category
    /// whose contracts cover no place at all has none, everywhere.
    pub chunks: Vec<(CategoryId, Option<State>, u16)>,
}

impl Core {
    /// An offer by id.
    pub fn offer(&self, id: &OfferId) -> Option<&Offer> {
        self.offers.iter().find(|offer| &offer.id == id)
    }

    /// A source by id.
    pub fn source(&self, id: &SourceId) -> Option<&Source> {
        self.sources.iter().find(|source| &source.id == id)
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
}

/// Contracts of one category that may cover one state.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Chunk {
    /// In the order of their coverages.
    contracts: Vec<CompiledContract>,
    dealers: Vec<CompiledDealer>,
    /// What many contracts or dealers say alike stands once.
    offers: Vec<Selection<OfferId>>,
    sources: Vec<Selection<SourceId>>,
    caps: Vec<Caps>,
    returns: Vec<Option<ReturnTerms>>,
    hours: Vec<Hours>,
    zones: Vec<String>,
    #[serde(skip)]
    time_zones: Vec<TimeZone>,
    coverages: Vec<Coverage>,
    /// (ZIP, coverage), sorted; likewise below.
    by_zip: Vec<(u32, u32)>,
    by_zip3: Vec<(u16, u32)>,
    by_county: Vec<(u32, u32)>,
    /// (cell, radius): which radii may cover a point.
    by_cell: Vec<(u32, u32)>,
    radii: Vec<Radius>,
    /// The radii as they are measured with, when the chunk is read.
    #[serde(skip)]
    circles: Vec<Circle>,
    by_state: Vec<(State, u32)>,
    anywhere: Vec<u32>,
}

/// What of one area touches this chunk's state, and whose it is.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Coverage {
    /// Where its radii are measured from, if it has any.
    zip: Option<Zip>,
    /// Its contracts end before this one; they begin where those of the coverage before it end.
    end: u32,
    /// The area is everywhere, and has narrower parts too: its contracts may stand in a second chunk.
    twin: bool,
}

/// A circle around the centre of a coverage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Radius {
    miles: u32,
    coverage: u32,
}

/// A radius on the sphere; none around a ZIP without coordinates.
type Circle = Option<(Unit, Reach)>;

/// Where a lead is, and the cells in which to look for circles around it.
pub(crate) struct Target {
    place: Place,
    unit: Option<(Unit, [u32; 2])>,
}

impl Target {
    pub(crate) fn of(place: Place) -> Self {
        let unit = place.unit().map(|unit| (unit, Grid::ALL.map(|grid| grid.cell_of(unit))));
        Self { place, unit }
    }
}

/// A coverage that covers a lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Hit {
    coverage: u32,
    /// By which part.
    pub(crate) specificity: Specificity,
}

/// A contract as a decision reads it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CompiledContract {
    /// Its id.
    pub id: ContractId,
    dealer: u32,
    offers: u32,
    sources: u32,
    caps: u32,
    returns: u32,
    pub(crate) territory: Territory,
    pub(crate) sale: Sale,
    pub(crate) when_unavailable: WhenUnavailable,
    pub(crate) min_band: Band,
    pub(crate) needs: Needs,
    pub(crate) max_age_hours: Option<u32>,
    pub(crate) tier: u8,
    pub(crate) weight: u32,
    pub(crate) price: Money,
    pub(crate) budget_month: Option<Money>,
    pub(crate) deadline: Option<Deadline>,
    pub(crate) after_hours: AfterHours,
    pub(crate) starts: Option<Date>,
    pub(crate) ends: Option<Date>,
}

/// A dealer as a decision reads it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CompiledDealer {
    /// Its id.
    pub id: DealerId,
    /// As the desk reads it.
    pub name: String,
    pub(crate) prepaid: bool,
    zone: u32,
    hours: u32,
    caps: u32,
    pub(crate) holidays: Vec<Date>,
    /// How it is reached, in order; none means by the inbox alone.
    pub channels: Vec<CompiledChannel>,
    zip: Zip,
    /// From the ZIP, when the chunk is read.
    #[serde(skip)]
    pub(crate) unit: Option<Unit>,
}

/// Which of a chunk's selections take an offer, and which a source.
pub(crate) struct Takers {
    offers: Vec<bool>,
    sources: Vec<bool>,
}

impl Takers {
    pub(crate) fn offer(&self, contract: &CompiledContract) -> bool {
        self.offers.get(contract.offers as usize).copied().unwrap_or(false)
    }

    pub(crate) fn source(&self, contract: &CompiledContract) -> bool {
        self.sources.get(contract.sources as usize).copied().unwrap_or(false)
    }
}

impl CompiledDealer {
    /// Its zone, in [`Chunk::zones`].
    pub(crate) fn zone(&self) -> usize {
        self.zone as usize
    }
}

/// A way to reach a dealer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompiledChannel {
    /// How.
    pub kind: ChannelKind,
    /// Where, for a webhook.
    pub address: String,
}

impl Chunk {
    /// Reads what [`Chunk::encode`] wrote.
    ///
    /// # Errors
    /// When the bytes are not a chunk of this version of the program (it is then compiled anew from the rules'
    /// text), refer to what is not in it, or name a zone that the bundled
    /// database does not know.
    pub fn decode(bytes: &[u8]) -> Result<Self, Invalid> {
        let (&shape, bytes) = bytes.split_first().ok_or_else(Self::invalid)?;
        if shape != SHAPE {
            return Err(Invalid::new("a chunk that another version of this program compiled"));
        }
        let mut chunk: Self = postcard::from_bytes(bytes).map_err(|_| Self::invalid())?;
        chunk.resolve()?;
        Ok(chunk)
    }

    fn invalid() -> Invalid {
        Invalid::new("not a chunk of a compiled rulebook")
    }

    /// Fills in what follows from the rest: zones by name, positions by ZIP.
    fn resolve(&mut self) -> Result<(), Invalid> {
        self.time_zones = self.zones.iter().map(|zone| crate::time::zone(zone)).collect::<Result<_, _>>()?;
        for dealer in &mut self.dealers {
            dealer.unit = place::of(dealer.zip).and_then(Place::unit);
        }
        self.circles = self
            .radii
            .iter()
            .map(|radius| {
                let zip = self.coverages.get(radius.coverage as usize)?.zip?;
                Some((place::of(zip)?.unit()?, Reach::miles(f64::from(radius.miles))))
            })
            .collect();
        // Checked once here, so that a decision never meets a contract whose terms it cannot read.
        let has = |list: usize, at: u32| (at as usize) < list;
        let whole = self.contracts.iter().all(|contract| {
            has(self.dealers.len(), contract.dealer)
                && has(self.offers.len(), contract.offers)
                && has(self.sources.len(), contract.sources)
                && has(self.caps.len(), contract.caps)
                && has(self.returns.len(), contract.returns)
        }) && self.dealers.iter().all(|dealer| {
            has(self.time_zones.len(), dealer.zone)
                && has(self.hours.len(), dealer.hours)
                && has(self.caps.len(), dealer.caps)
        });
        if whole { Ok(()) } else { Err(Self::invalid()) }
    }

    /// The chunk as stored: the version of its shape in one byte, then postcard's.
    pub fn encode(&self) -> Result<Vec<u8>, Invalid> {
        postcard::to_extend(self, vec![SHAPE]).map_err(|_| Invalid::new("a chunk could not be encoded"))
    }

    /// How many contracts it holds.
    pub fn len(&self) -> usize {
        self.contracts.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.contracts.is_empty()
    }

    /// A contract by id: only for explanations, it looks at them all.
    pub(crate) fn contract(&self, id: &ContractId) -> Option<&CompiledContract> {
        self.contracts.iter().find(|contract| &contract.id == id)
    }

    /// The lowest price of a dealer's contracts here.
    pub fn cheapest_of(&self, dealer: &DealerId) -> Option<Money> {
        let at = self.dealers.iter().position(|known| &known.id == dealer)?;
        let own = self.contracts.iter().filter(|contract| contract.dealer as usize == at);
        own.map(|contract| contract.price).min()
    }

    /// A dealer of this chunk.
    pub fn dealer(&self, id: &DealerId) -> Option<&CompiledDealer> {
        self.dealers.iter().find(|dealer| &dealer.id == id)
    }

    /// Whether a contract of this chunk takes an offer; `None` if it is not here.
    pub fn takes_offer(&self, contract: &ContractId, offer: &OfferId) -> Option<bool> {
        self.contract(contract).map(|known| self.takes(known, offer))
    }

    fn takes(&self, contract: &CompiledContract, offer: &OfferId) -> bool {
        self.offers.get(contract.offers as usize).is_some_and(|offers| offers.takes(offer))
    }

    /// What the chunk's contracts say to this offer and source: each distinct answer is found once.
    pub(crate) fn takers(&self, offer: &OfferId, source: &SourceId) -> Takers {
        Takers {
            offers: self.offers.iter().map(|offers| offers.takes(offer)).collect(),
            sources: self.sources.iter().map(|sources| sources.takes(source)).collect(),
        }
    }

    pub(crate) fn dealer_of(&self, contract: &CompiledContract) -> Option<&CompiledDealer> {
        self.dealers.get(contract.dealer as usize)
    }

    /// A contract's caps, and its dealer's.
    pub(crate) fn caps_of(&self, contract: &CompiledContract) -> &Caps {
        self.caps.get(contract.caps as usize).unwrap_or(&NO_CAPS)
    }

    /// What may be returned of a contract's leads.
    pub fn returns_of(&self, contract: &ContractId) -> Option<&ReturnTerms> {
        let contract = self.contract(contract)?;
        self.returns.get(contract.returns as usize)?.as_ref()
    }

    pub(crate) fn caps_of_dealer(&self, dealer: &CompiledDealer) -> &Caps {
        self.caps.get(dealer.caps as usize).unwrap_or(&NO_CAPS)
    }

    pub(crate) fn hours_of(&self, dealer: &CompiledDealer) -> Option<&Hours> {
        self.hours.get(dealer.hours as usize)
    }

    pub(crate) fn zone_of(&self, dealer: &CompiledDealer) -> Option<&TimeZone> {
        self.time_zones.get(dealer.zone as usize)
    }

    /// The zones of its dealers, by name and as they are.
    pub(crate) fn zones(&self) -> impl Iterator<Item = (&str, &TimeZone)> {
        self.zones.iter().map(String::as_str).zip(&self.time_zones)
    }

    /// The contracts of a coverage.
    pub(crate) fn contracts_of(&self, hit: Hit) -> &[CompiledContract] {
        let end = |coverage: usize| self.coverages.get(coverage).map_or(0, |coverage| coverage.end as usize);
        let at = hit.coverage as usize;
        let start = at.checked_sub(1).map_or(0, end);
        self.contracts.get(start..end(at)).unwrap_or_default()
    }

    /// Whether the contracts of a coverage that was found by its widest part may stand in the chunk of
    /// the lead's state as well, by a narrower one.
    pub(crate) fn may_be_twin(&self, hit: Hit) -> bool {
        hit.specificity == Specificity::Any
            && self.coverages.get(hit.coverage as usize).is_some_and(|coverage| coverage.twin)
    }

    /// The coverages that cover a place, each once, by its narrowest part.
    pub(crate) fn covering(&self, target: &Target, hits: &mut Vec<Hit>) {
        let place = target.place;
        hits.clear();
        let mut found = |coverage, specificity| hits.push(Hit { coverage, specificity });
        for &(_, coverage) in equal(&self.by_zip, |row| row.0, place.zip().as_u32()) {
            found(coverage, Specificity::Zip);
        }
        for &(_, coverage) in equal(&self.by_zip3, |row| row.0, place.zip().zip3().as_u16()) {
            found(coverage, Specificity::Zip3);
        }
        if let Some(county) = place.county() {
            for &(_, coverage) in equal(&self.by_county, |row| row.0, county.as_u32()) {
                found(coverage, Specificity::County);
            }
        }
        if let Some((unit, cells)) = target.unit {
            for cell in cells {
                for &(_, at) in equal(&self.by_cell, |row| row.0, cell) {
                    if let Some(Some((center, reach))) = self.circles.get(at as usize)
                        && center.within(unit, *reach)
                        && let Some(radius) = self.radii.get(at as usize)
                    {
                        found(radius.coverage, Specificity::RadiusMiles(radius.miles));
                    }
                }
            }
        }
        self.find_wide(place.state(), &mut found);
        // By coverage, then the narrowest part first.
        hits.sort_unstable();
        hits.dedup_by_key(|hit| hit.coverage);
    }

    /// The same for a place of which only the state is known.
    pub(crate) fn covering_state(&self, state: State, hits: &mut Vec<Hit>) {
        hits.clear();
        self.find_wide(state, &mut |coverage, specificity| hits.push(Hit { coverage, specificity }));
        hits.sort_unstable();
        hits.dedup_by_key(|hit| hit.coverage);
    }

    fn find_wide(&self, state: State, found: &mut impl FnMut(u32, Specificity)) {
        for &(_, coverage) in equal(&self.by_state, |row| row.0, state) {
            found(coverage, Specificity::State);
        }
        for &coverage in &self.anywhere {
            found(coverage, Specificity::Any);
        }
    }
}

/// Changes with every change to what a chunk holds.
const SHAPE: u8 = 2;

static NO_CAPS: Caps = Caps(Vec::new());

/// The rows whose key equals `key`, in a list sorted by it.
fn equal<Row, Key: Ord + Copy>(rows: &[Row], of: impl Fn(&Row) -> Key, key: Key) -> &[Row] {
    let from = rows.partition_point(|row| of(row) < key);
    let count = rows.get(from..).map_or(0, |rest| rest.partition_point(|row| of(row) == key));
    rows.get(from..from + count).unwrap_or_default()
}

/// A net over the Earth that finds the circles around a point. Two of them, so that a wide circle does
/// not stand in a thousand cells, nor a small one among strangers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Grid {
    /// Cells of half a degree of latitude and longitude.
    Fine,
    /// Cells of four degrees.
    Coarse,
}

impl Grid {
    const ALL: [Self; 2] = [Self::Fine, Self::Coarse];

    /// In which a circle stands.
    const fn of(miles: u32) -> Self {
        if miles <= 60 { Self::Fine } else { Self::Coarse }
    }

    /// The width of a cell in 1e-4 degrees.
    const fn width_e4(self) -> i32 {
        match self {
            Self::Fine => 5_000,
            Self::Coarse => 40_000,
        }
    }

    fn cell_of(self, unit: Unit) -> u32 {
        let point = unit.point();
        self.cell(point.lat_e4.div_euclid(self.width_e4()), point.lon_e4.div_euclid(self.width_e4()))
    }

    fn cell(self, row: i32, column: i32) -> u32 {
        // Rows are at most 180 from the equator; columns go around the world. The fine grid has fewer
        // than 2^19 cells: the coarse one stands above it.
        let around = 3_600_000 / self.width_e4();
        let base = match self {
            Self::Fine => 0,
            Self::Coarse => 1 << 19,
        };
        base + ((row + 181) * around + column.rem_euclid(around)) as u32
    }

    /// Every cell that a circle may touch: those of its bounding box. On the sphere of
    /// [`place::EARTH_RADIUS_MILES`], a circle of angular radius r around latitude φ reaches
    /// asin(sin r / cos φ) to the east and west, and all around where it holds a pole.
    fn cells_of(self, center: Unit, miles: u32) -> Vec<u32> {
        // Points are read to 1e-4 degrees, at both ends.
        const ROUNDING: f64 = 3e-4;
        let r = f64::from(miles) / place::EARTH_RADIUS_MILES;
        let center = center.point();
        let (lat, lon) = (f64::from(center.lat_e4) / 1e4, f64::from(center.lon_e4) / 1e4);
        let lat_reach = r.to_degrees() + ROUNDING;
        let lon_reach = if lat.abs() + lat_reach >= 89.9 {
            180.0
        } else {
            ((r + ROUNDING.to_radians()).sin() / (lat.abs() + ROUNDING).to_radians().cos())
                .asin()
                .to_degrees()
                + ROUNDING
        };
        let width = f64::from(self.width_e4()) / 1e4;
        let index = |degrees: f64| (degrees / width).floor() as i32;
        let rows = index((lat - lat_reach).max(-90.0))..=index((lat + lat_reach).min(90.0));
        let columns = index(lon - lon_reach)..=index(lon + lon_reach);
        let mut cells: Vec<u32> =
            rows.flat_map(|row| columns.clone().map(move |column| self.cell(row, column))).collect();
        cells.sort_unstable();
        cells.dedup();
        cells
    }
}

/// A list in which what is said alike stands once, found by its bytes as stored.
#[derive(Default)]
struct Interner(HashMap<Vec<u8>, u32>);

impl Interner {
    fn intern<T: Serialize + Clone>(&mut self, value: &T, list: &mut Vec<T>) -> Result<u32, Invalid> {
        let bytes =
            postcard::to_stdvec(value).map_err(|_| Invalid::new("a rule of a chunk could not be encoded"))?;
        Ok(*self.0.entry(bytes).or_insert_with(|| {
            list.push(value.clone());
            list.len() as u32 - 1
        }))
    }
}

/// Builds one chunk, coverage by coverage, and contract by contract within.
#[derive(Default)]
pub(crate) struct ChunkBuilder {
    chunk: Chunk,
    dealers: HashMap<DealerId, u32>,
    offers: Interner,
    sources: Interner,
    caps: Interner,
    returns: Interner,
    hours: Interner,
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
                Part::Zip3(zip3) => self.chunk.by_zip3.push((zip3, at)),
                Part::County(county) => self.chunk.by_county.push((county, at)),
                Part::State(state) => self.chunk.by_state.push((state, at)),
                Part::Any => self.chunk.anywhere.push(at),
                Part::Radius(miles) => {
                    let Some(center) = center else { continue };
                    let radius = self.chunk.radii.len() as u32;
                    self.chunk.radii.push(Radius { miles, coverage: at });
                    let cells = Grid::of(miles).cells_of(center, miles);
                    self.chunk.by_cell.extend(cells.into_iter().map(|cell| (cell, radius)));
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
    ) -> Result<(), Invalid> {
        let compiled = CompiledContract {
            id: contract.id.clone(),
            dealer: self.dealer(dealer, channels)?,
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
            starts: contract.starts,
            ends: contract.ends,
        };
        self.chunk.contracts.push(compiled);
        if let Some(coverage) = self.chunk.coverages.last_mut() {
            coverage.end = self.chunk.contracts.len() as u32;
        }
        Ok(())
    }

    fn dealer(&mut self, dealer: &Dealer, channels: &[CompiledChannel]) -> Result<u32, Invalid> {
        if let Some(&known) = self.dealers.get(&dealer.id) {
            return Ok(known);
        }
        let zones = &mut self.chunk.zones;
        let zone = zones.iter().position(|zone| zone == &dealer.zone).unwrap_or_else(|| {
            zones.push(dealer.zone.clone());
            zones.len() - 1
        });
        let at = self.chunk.dealers.len() as u32;
        self.chunk.dealers.push(CompiledDealer {
            id: dealer.id.clone(),
            name: dealer.name.clone(),
            prepaid: dealer.prepaid,
            zone: zone as u32,
            hours: self.hours.intern(&dealer.hours, &mut self.chunk.hours)?,
            caps: self.caps.intern(&dealer.caps, &mut self.chunk.caps)?,
            holidays: dealer.holidays.clone(),
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
        sort(&mut chunk.by_zip3);
        sort(&mut chunk.by_county);
        sort(&mut chunk.by_cell);
        sort(&mut chunk.by_state);
        sort(&mut chunk.anywhere);
        chunk.resolve()?;
        Ok(self.chunk)
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits;
    use crate::place::Point;
    use proptest::prelude::*;
    use proptest::sample::select;

    fn unit(lat: f64, lon: f64) -> Unit {
        // Around the poles and the world once.
        let lon = (lon + 540.0).rem_euclid(360.0) - 180.0;
        Point { lat_e4: (lat.clamp(-90.0, 90.0) * 1e4) as i32, lon_e4: (lon * 1e4) as i32 }.unit()
    }

    fn found(center: Unit, miles: u32, point: Unit) -> bool {
        let grid = Grid::of(miles);
        grid.cells_of(center, miles).contains(&grid.cell_of(point))
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 20_000, ..ProptestConfig::default() })]

        #[test]
        fn no_point_within_a_radius_is_missed(
            // Miami, the North Slope, both sides of the antimeridian, Samoa, a pole.
            (lat, lon) in select(&[(25.8, -80.2), (71.3, -156.8), (51.9, 179.9), (51.9, -179.9), (-14.3, -170.7), (89.7, 10.0)][..]),
            (north, east) in (-1.0..1.0, -1.0..1.0),
            miles in prop_oneof![1..=3_u32, 1..=60_u32, 61..=500_u32],
            (bearing, part) in (0.0..std::f64::consts::TAU, prop_oneof![Just(0.999_999), 0.9..1.1, 0.0..1.0]),
        ) {
            let center = unit(lat + north, lon + east);
            let r = (f64::from(miles) * part / place::EARTH_RADIUS_MILES).to_degrees();
            // The destination along a great circle, by the spherical law of cosines.
            let (lat, lon) = (f64::from(center.point().lat_e4) / 1e4, f64::from(center.point().lon_e4) / 1e4);
            let (sin, cos) = (lat.to_radians().sin_cos(), r.to_radians().sin_cos());
            let to = (sin.0 * cos.1 + sin.1 * cos.0 * bearing.cos()).clamp(-1.0, 1.0).asin();
            let turn = (bearing.sin() * cos.0 * sin.1).atan2(cos.1 - sin.0 * to.sin()).to_degrees();
            let point = unit(to.to_degrees(), lon + turn);
            if center.within(point, Reach::miles(f64::from(miles))) {
                prop_assert!(found(center, miles, point), "{:?} {miles} mi {:?}", center.point(), point.point());
            }
        }
    }

    #[test]
    fn no_place_within_a_radius_is_missed() {
        let centers = ["33130", "99546", "99723", "96799", "96910", "10001", "79901", "83858"];
        for zip in centers {
            let center = place::of(zip.parse().unwrap()).and_then(Place::unit).unwrap();
            for miles in [1, 2, 5, 10, 25, 59, 60, 61, 100, 250, 500] {
                for place in place::within(center, f64::from(miles)) {
                    assert!(
                        found(center, miles, place.unit().unwrap()),
                        "{miles} miles around {zip}: {place:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_circle_stands_in_few_cells() {
        for zip in ["33130", "99723"] {
            let center = place::of(zip.parse().unwrap()).and_then(Place::unit).unwrap();
            for miles in 1..=limits::RADIUS_MILES {
                let cells = Grid::of(miles).cells_of(center, miles).len();
                assert!(cells <= 120, "{cells} for {miles} miles around {zip}");
            }
        }
    }

    #[test]
    fn what_is_no_chunk_is_refused() {
        assert!(Chunk::decode(&[]).is_err() && Chunk::decode(&[1, 2, 3]).is_err());
        let contract = CompiledContract {
            id: "a".parse().unwrap(),
            dealer: 3, // nobody
            offers: 0,
            sources: 0,
            caps: 0,
            returns: 0,
            territory: Territory::Open,
            sale: Sale::EXCLUSIVE,
            when_unavailable: WhenUnavailable::Next,
            min_band: Band::LEAST,
            needs: Needs::NONE,
            max_age_hours: None,
            tier: 1,
            weight: 1,
            price: Money::ZERO,
            budget_month: None,
            deadline: None,
            after_hours: AfterHours::Hold,
            starts: None,
            ends: None,
        };
        let chunk = Chunk { contracts: vec![contract], ..Chunk::default() };
        assert!(Chunk::decode(&chunk.encode().unwrap()).is_err());
    }
}
