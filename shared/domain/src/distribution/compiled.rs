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

mod grid;
mod lists;
mod build;

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use grid::Grid;
use lists::{Lists, equal};

pub(crate) use build::{ChunkBuilder, Part, Ranks};

use crate::contract::{
    Caps, Deadline, Needs, ReturnTerms, Sale, Selection, Specificity, Territory, WhenUnavailable,
};
use crate::dealer::{AfterHours, ChannelKind, ChannelWhen, Format, Hours};
use crate::delivery::{Template, Vendor};
use crate::error::Invalid;
use crate::followup::FollowUpPlan;
use crate::ids::{CategoryId, CompanyId, ContractId, DealerId, OfferId, SourceId, TemplateId};
use crate::limits;
use crate::money::Money;
use crate::place::{self, Place, Reach, State, Unit, Zip};
use crate::rulebook::{Company, Offer, Signer, Source, Spend};
use crate::scoring::{Band, ScoringModel};
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
    schedules: Vec<Schedule>,
    zones: Vec<String>,
    #[serde(skip)]
    time_zones: Vec<TimeZone>,
    coverages: Vec<Coverage>,
    /// (ZIP, coverage), sorted: an area may name thousands of ZIPs, most of them its own.
    by_zip: Vec<(u32, u32)>,
    /// Coverages.
    by_zip3: Lists<u16>,
    by_county: Lists<u32>,
    /// Which radii may cover a point of the cell.
    by_cell: Lists<u32>,
    radii: Vec<Radius>,
    /// The radii as they are measured with, when the chunk is read.
    #[serde(skip)]
    circles: Vec<Circle>,
    /// Coverages.
    by_state: Lists<State>,
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

/// A coverage that covers a lead, and by which part: in one number, since hundreds are sorted, by coverage and
/// then the narrowest part first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Hit(u64);

impl Hit {
    fn new(coverage: u32, specificity: Specificity) -> Self {
        Self(u64::from(coverage) << 32 | u64::from(specificity.order()))
    }

    const fn coverage(self) -> usize {
        (self.0 >> 32) as usize
    }

    /// By which part.
    pub(crate) const fn specificity(self) -> Specificity {
        Specificity::from_order(self.0 as u32)
    }
}

/// A contract as a decision reads it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CompiledContract {
    /// Its id.
    pub id: ContractId,
    dealer: u16,
    offers: u16,
    sources: u16,
    caps: u16,
    returns: u16,
    /// Where its id stands among those of the rulebook's contracts.
    rank: u32,
    /// When the chunk is read.
    #[serde(skip)]
    of_dealer: OfDealer,
    /// The first and the last day, likewise.
    #[serde(skip)]
    days: (Day, Day),
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
    pub(crate) again: bool,
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
    schedule: u16,
    caps: u16,
    /// Where its id stands among those of the rulebook's dealers.
    rank: u32,
    /// How it is reached, in order; none means by the inbox alone.
    pub channels: Vec<CompiledChannel>,
    zip: Zip,
    /// From the ZIP, when the chunk is read.
    #[serde(skip)]
    pub(crate) unit: Option<Unit>,
}

/// A contract, and whose it is.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// The contract.
    pub contract: &'a ContractId,
    /// Its dealer.
    pub dealer: &'a DealerId,
    /// What the dealer is called.
    pub name: &'a str,
    /// The dealer's zone.
    pub zone: &'a TimeZone,
    /// Which offers it takes.
    pub offers: &'a Selection<OfferId>,
    /// What a lead costs.
    pub price: Money,
}

/// Which of a chunk's selections take an offer, and which a source.
pub(crate) struct Takers {
    offers: Vec<bool>,
    sources: Vec<bool>,
}

impl Takers {
    pub(crate) fn offer(&self, contract: &CompiledContract) -> bool {
        self.offers.get(usize::from(contract.offers)).copied().unwrap_or(false)
    }

    pub(crate) fn source(&self, contract: &CompiledContract) -> bool {
        self.sources.get(usize::from(contract.sources)).copied().unwrap_or(false)
    }
}

impl CompiledContract {
    /// Its dealer's, by [`Chunk::calendar`].
    pub(crate) const fn schedule(&self) -> u16 {
        self.of_dealer.schedule
    }

    /// Whether a day, where the dealer is, is within its start and end.
    #[expect(
        clippy::needless_bitwise_bool,
        reason = "asked of hundreds, whose answers no processor can guess"
    )]
    pub(crate) fn runs(&self, today: Day) -> bool {
        (self.days.0 <= today) & (today <= self.days.1)
    }

    /// Whether its last day is before this one.
    pub(crate) fn is_over(&self, day: Day) -> bool {
        self.days.1 < day
    }

    /// Whether no cap, budget or balance can ever stand in its way.
    pub(crate) fn has_no_limit(&self, chunk: &Chunk) -> bool {
        self.budget_month.is_none()
            && !self.of_dealer.prepaid
            && chunk.caps_of(self).0.is_empty()
            && chunk.caps_of_dealer(self).0.is_empty()
    }

    /// Whether its dealer pays in advance.
    pub(crate) const fn prepaid(&self) -> bool {
        self.of_dealer.prepaid
    }

    /// Where its id stands among those of the rulebook's contracts: their order, known without reading them.
    pub(crate) const fn rank(&self) -> u32 {
        self.rank
    }

    /// Whether another contract of the rulebook is the same dealer's.
    pub(crate) const fn is_beside(&self, other: &Self) -> bool {
        self.of_dealer.rank == other.of_dealer.rank
    }
}

/// What of its dealer is asked of every contract that covers a lead: it stands beside the contract, since
/// dealers lie all over the chunk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct OfDealer {
    schedule: u16,
    caps: u16,
    prepaid: bool,
    rank: u32,
}

/// A day of the calendar that is compared in one step; the default is before all days.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Day(i32);

impl Day {
    /// The last day of contracts that have none.
    const LAST: Self = Self(i32::MAX - 1);
    /// A day on which no contract runs.
    pub(crate) const NEVER: Self = Self(i32::MAX);

    pub(crate) fn of(date: Date) -> Self {
        // In the order of dates, with gaps; the year -9999 is above the default.
        Self((i32::from(date.year()) + 10_000) * 512 + i32::from(date.month()) * 32 + i32::from(date.day()))
    }
}

/// When a dealer is open, as many say alike.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Schedule {
    zone: u16,
    hours: u16,
    holidays: Vec<Date>,
}

/// When a dealer is open, ready to be asked.
#[derive(Clone, Copy)]
pub(crate) struct Calendar<'a> {
    pub(crate) hours: &'a Hours,
    pub(crate) holidays: &'a [Date],
    pub(crate) zone: &'a TimeZone,
    /// The zone, in [`Chunk::zones`].
    pub(crate) zone_at: usize,
}

/// A way to reach a dealer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompiledChannel {
    /// Which of the dealer's.
    pub order: u8,
    /// How.
    pub kind: ChannelKind,
    /// Where; nowhere, for the inbox.
    pub address: String,
    /// When it has a lead.
    pub when: ChannelWhen,
    /// In what form its messages are.
    #[serde(skip)]
    pub format: Format,
    /// Whom another system takes the dealer for; nobody in our own form. Apart, since most channels have none.
    #[serde(skip)]
    pub vendor: Option<Box<Vendor>>,
}

impl CompiledChannel {
    /// Of a dealer that has none in the rulebook.
    pub fn inbox() -> Self {
        Self {
            order: 1,
            kind: ChannelKind::Inbox,
            address: String::new(),
            when: ChannelWhen::Fallback,
            format: Format::Standard,
            vendor: None,
        }
    }

    /// Whom another system takes the dealer for; of nobody, every part is empty.
    pub fn vendor(&self) -> &Vendor {
        self.vendor.as_deref().unwrap_or(Vendor::NOBODY)
    }
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
        let (mut chunk, formats) = match shape {
            SHAPE => (postcard::from_bytes::<Self>(bytes).map_err(|_| Self::invalid())?, Vec::new()),
            SHAPE_WITH_FORMATS => {
                let (chunk, rest) = postcard::take_from_bytes(bytes).map_err(|_| Self::invalid())?;
                (chunk, postcard::from_bytes::<Vec<Formatted>>(rest).map_err(|_| Self::invalid())?)
            }
            _ => return Err(Invalid::new("a chunk that another version of this program compiled")),
        };
        for Formatted { dealer, order, format, vendor } in formats {
            let channels = chunk.dealers.get_mut(usize::from(dealer)).map(|dealer| &mut dealer.channels);
            let channel = channels.and_then(|all| all.iter_mut().find(|channel| channel.order == order));
            let channel = channel.ok_or_else(Self::invalid)?;
            (channel.format, channel.vendor) = (format, Some(Box::new(vendor)));
        }
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
        for contract in &mut self.contracts {
            let dealer = self.dealers.get(usize::from(contract.dealer)).ok_or_else(Self::invalid)?;
            let &CompiledDealer { schedule, caps, prepaid, rank, .. } = dealer;
            contract.of_dealer = OfDealer { schedule, caps, prepaid, rank };
            let first = contract.starts.map_or(Day::default(), Day::of);
            contract.days = (first, contract.ends.map_or(Day::LAST, Day::of));
        }
        // Lists grow by doubling as they are read.
        self.contracts.shrink_to_fit();
        self.dealers.shrink_to_fit();
        self.by_zip.shrink_to_fit();
        // Checked once here, so that a decision never meets a contract whose terms it cannot read.
        let has = |list: usize, at: u16| usize::from(at) < list;
        let whole =
            self.contracts.iter().all(|contract| {
                has(self.offers.len(), contract.offers)
                    && has(self.sources.len(), contract.sources)
                    && has(self.caps.len(), contract.caps)
                    && has(self.returns.len(), contract.returns)
            }) && self.dealers.iter().all(|dealer| {
                has(self.schedules.len(), dealer.schedule) && has(self.caps.len(), dealer.caps)
            }) && self.schedules.iter().all(|schedule| {
                has(self.time_zones.len(), schedule.zone) && has(self.hours.len(), schedule.hours)
            });
        if whole { Ok(()) } else { Err(Self::invalid()) }
    }

    /// The chunk as stored: the version of its shape in one byte, then postcard's.
    pub fn encode(&self) -> Result<Vec<u8>, Invalid> {
        let broken = |_| Invalid::new("a chunk could not be encoded");
        let formats: Vec<Formatted> = self.formats().collect();
        if formats.is_empty() {
            return postcard::to_extend(self, vec![SHAPE]).map_err(broken);
        }
        let bytes = postcard::to_extend(self, vec![SHAPE_WITH_FORMATS]).map_err(broken)?;
        postcard::to_extend(&formats, bytes).map_err(broken)
    }

    /// The channels whose messages are in another form than our own.
    fn formats(&self) -> impl Iterator<Item = Formatted> {
        (0_u16..).zip(&self.dealers).flat_map(|(at, dealer)| {
            let others = dealer.channels.iter().filter(|channel| channel.format != Format::Standard);
            others.map(move |channel| Formatted {
                dealer: at,
                order: channel.order,
                format: channel.format.clone(),
                vendor: channel.vendor().clone(),
            })
        })
    }

    /// About how many bytes of memory it takes, ids and texts included.
    pub fn weight(&self) -> usize {
        /// What an allocation costs beside what it holds: its header, and rounding up.
        const EACH: usize = 24;
        fn list<T>(list: &[T]) -> usize {
            size_of_val(list)
        }
        // An id is counted with its two counts.
        let id = |text: &str| text.len() + 2 * size_of::<usize>() + EACH;
        let text = |text: &str| if text.is_empty() { 0 } else { text.len() + EACH };
        let contracts: usize = self.contracts.iter().map(|contract| id(contract.id.as_str())).sum();
        let of_dealer = |dealer: &CompiledDealer| {
            let of_channel = |channel: &CompiledChannel| {
                let of_vendor = |vendor: &Vendor| {
                    let Vendor { id, name, contact, email, phone } = vendor;
                    let texts: usize =
                        [id, name, contact, email, phone].map(|known| text(known)).iter().sum();
                    size_of::<Vendor>() + EACH + texts
                };
                text(&channel.address) + channel.vendor.as_deref().map_or(0, of_vendor)
            };
            let channels: usize = dealer.channels.iter().map(of_channel).sum();
            id(dealer.id.as_str()) + text(&dealer.name) + list(&dealer.channels) + EACH + channels
        };
        let dealers: usize = self.dealers.iter().map(of_dealer).sum();
        let areas = list(&self.coverages) + list(&self.by_zip) + list(&self.radii) + list(&self.circles);
        let lists = self.by_zip3.weight() + self.by_county.weight() + self.by_cell.weight();
        list(&self.contracts) + contracts + list(&self.dealers) + dealers + areas + lists
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

    /// A dealer's contracts here.
    pub fn own(&self, dealer: &DealerId) -> impl Iterator<Item = &CompiledContract> {
        let at = self.dealers.iter().position(|known| &known.id == dealer);
        self.contracts.iter().filter(move |contract| Some(usize::from(contract.dealer)) == at)
    }

    /// The lowest price of a dealer's contracts here.
    pub fn cheapest_of(&self, dealer: &DealerId) -> Option<Money> {
        self.own(dealer).map(|contract| contract.price).min()
    }

    /// Every contract here by whose it is: for who looks up dealers, not for decisions.
    pub fn terms(&self) -> impl Iterator<Item = Terms<'_>> {
        self.contracts.iter().filter_map(|contract| {
            let dealer = self.dealer_of(contract)?;
            Some(Terms {
                contract: &contract.id,
                dealer: &dealer.id,
                name: &dealer.name,
                zone: self.calendar(dealer.schedule)?.zone,
                offers: self.offers.get(contract.offers as usize)?,
                price: contract.price,
            })
        })
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
        self.offers.get(usize::from(contract.offers)).is_some_and(|offers| offers.takes(offer))
    }

    /// What the chunk's contracts say to this offer and source: each distinct answer is found once.
    pub(crate) fn takers(&self, offer: &OfferId, source: &SourceId) -> Takers {
        Takers {
            offers: self.offers.iter().map(|offers| offers.takes(offer)).collect(),
            sources: self.sources.iter().map(|sources| sources.takes(source)).collect(),
        }
    }

    pub(crate) fn dealer_of(&self, contract: &CompiledContract) -> Option<&CompiledDealer> {
        self.dealers.get(usize::from(contract.dealer))
    }

    /// A contract's caps.
    pub(crate) fn caps_of(&self, contract: &CompiledContract) -> &Caps {
        self.caps.get(usize::from(contract.caps)).unwrap_or(&NO_CAPS)
    }

    /// What may be returned of a contract's leads.
    pub fn returns_of(&self, contract: &ContractId) -> Option<&ReturnTerms> {
        let contract = self.contract(contract)?;
        self.returns.get(usize::from(contract.returns))?.as_ref()
    }

    /// Its dealer's caps.
    pub(crate) fn caps_of_dealer(&self, contract: &CompiledContract) -> &Caps {
        self.caps.get(usize::from(contract.of_dealer.caps)).unwrap_or(&NO_CAPS)
    }

    /// How many schedules its dealers have.
    pub(crate) fn schedules(&self) -> usize {
        self.schedules.len()
    }

    /// When the dealers of a schedule are open.
    pub(crate) fn calendar(&self, schedule: u16) -> Option<Calendar<'_>> {
        let Schedule { zone, hours, holidays } = self.schedules.get(usize::from(schedule))?;
        let zone_at = usize::from(*zone);
        let (hours, zone) = (self.hours.get(usize::from(*hours))?, self.time_zones.get(zone_at)?);
        Some(Calendar { hours, holidays, zone, zone_at })
    }

    /// A dealer's zone.
    pub fn zone_of(&self, dealer: &CompiledDealer) -> Option<&TimeZone> {
        Some(self.calendar(dealer.schedule)?.zone)
    }

    /// The zones of its dealers, by name and as they are.
    pub(crate) fn zones(&self) -> impl Iterator<Item = (&str, &TimeZone)> {
        self.zones.iter().map(String::as_str).zip(&self.time_zones)
    }

    /// The contracts of a coverage.
    pub(crate) fn contracts_of(&self, hit: Hit) -> &[CompiledContract] {
        let end = |coverage: usize| self.coverages.get(coverage).map_or(0, |coverage| coverage.end as usize);
        let at = hit.coverage();
        let start = at.checked_sub(1).map_or(0, end);
        self.contracts.get(start..end(at)).unwrap_or_default()
    }

    /// Whether the contracts of a coverage that was found by its widest part may stand in the chunk of
    /// the lead's state as well, by a narrower one.
    pub(crate) fn may_be_twin(&self, hit: Hit) -> bool {
        hit.specificity() == Specificity::Any
            && self.coverages.get(hit.coverage()).is_some_and(|coverage| coverage.twin)
    }

    /// The coverages that cover a place, each once, by its narrowest part.
    pub(crate) fn covering(&self, target: &Target) -> Vec<Hit> {
        let place = target.place;
        let mut hits = Vec::with_capacity(HITS);
        let mut found = |coverage, specificity| hits.push(Hit::new(coverage, specificity));
        for &(_, coverage) in equal(&self.by_zip, |row| row.0, place.zip().as_u32()) {
            found(coverage, Specificity::Zip);
        }
        for &coverage in self.by_zip3.of(place.zip().zip3().as_u16()) {
            found(coverage, Specificity::Zip3);
        }
        if let Some(county) = place.county() {
            for &coverage in self.by_county.of(county.as_u32()) {
                found(coverage, Specificity::County);
            }
        }
        if let Some((unit, cells)) = target.unit {
            for cell in cells {
                for &at in self.by_cell.of(cell) {
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
        in_order(hits)
    }

    /// The same for a place of which only the state is known.
    pub(crate) fn covering_state(&self, state: State) -> Vec<Hit> {
        let mut hits = Vec::with_capacity(HITS);
        self.find_wide(state, &mut |coverage, specificity| hits.push(Hit::new(coverage, specificity)));
        in_order(hits)
    }

    fn find_wide(&self, state: State, found: &mut impl FnMut(u32, Specificity)) {
        for &coverage in self.by_state.of(state) {
            found(coverage, Specificity::State);
        }
        for &coverage in &self.anywhere {
            found(coverage, Specificity::Any);
        }
    }
}

/// As many coverages as most leads have, so that their list seldom grows.
const HITS: usize = 128;

/// Each coverage once, by its narrowest part.
fn in_order(mut hits: Vec<Hit>) -> Vec<Hit> {
    hits.sort_unstable();
    hits.dedup_by_key(|hit| hit.coverage());
    hits
}

/// Changes with every change to what a chunk holds.
const SHAPE: u8 = 5;

/// The same, with a list of [`Formatted`] behind it. A version that knows no formats reads the chunks that have
/// none, and refuses these: it would send a dealer what its system does not take, and call it received.
const SHAPE_WITH_FORMATS: u8 = 0x80 | SHAPE;

/// In what form the messages of one channel are, as it is stored behind the chunk.
#[derive(Serialize, Deserialize)]
struct Formatted {
    /// Its place among the chunk's dealers.
    dealer: u16,
    order: u8,
    format: Format,
    vendor: Vendor,
}

static NO_CAPS: Caps = Caps(Vec::new());

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_chunk_is_refused() {
        assert!(Chunk::decode(&[]).is_err() && Chunk::decode(&[1, 2, 3]).is_err());
        let contract = CompiledContract {
            id: "a".parse().unwrap(),
            dealer: 3, // nobody
            of_dealer: OfDealer::default(),
            days: Default::default(),
            offers: 0,
            sources: 0,
            caps: 0,
            returns: 0,
            rank: 0,
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
            again: true,
            starts: None,
            ends: None,
        };
        let chunk = Chunk { contracts: vec![contract], ..Chunk::default() };
        assert!(Chunk::decode(&chunk.encode().unwrap()).is_err());
    }
}
