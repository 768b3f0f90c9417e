//! Contracts of one category that may cover one state, and what is looked up in them.

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::coverage::{Circle, Coverage, Radius};
use super::dealer::Schedule;
use super::lists::Lists;
use super::{Calendar, CompiledChannel, CompiledContract, CompiledDealer};
use crate::contract::{Caps, ReturnTerms, Selection};
use crate::dealer::Hours;
use crate::delivery::Vendor;
use crate::ids::{ContractId, DealerId, OfferId, SourceId};
use crate::money::Money;
use crate::place::State;

/// Contracts of one category that may cover one state.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Chunk {
    /// In the order of their coverages.
    pub(super) contracts: Vec<CompiledContract>,
    pub(super) dealers: Vec<CompiledDealer>,
    /// What many contracts or dealers say alike stands once.
    pub(super) offers: Vec<Selection<OfferId>>,
    pub(super) sources: Vec<Selection<SourceId>>,
    pub(super) caps: Vec<Caps>,
    pub(super) returns: Vec<Option<ReturnTerms>>,
    pub(super) hours: Vec<Hours>,
    pub(super) schedules: Vec<Schedule>,
    pub(super) zones: Vec<String>,
    #[serde(skip)]
    pub(super) time_zones: Vec<TimeZone>,
    pub(super) coverages: Vec<Coverage>,
    /// (ZIP, coverage), sorted: an area may name thousands of ZIPs, most of them its own.
    pub(super) by_zip: Vec<(u32, u32)>,
    /// Coverages.
    pub(super) by_zip3: Lists<u16>,
    pub(super) by_county: Lists<u32>,
    /// Which radii may cover a point of the cell.
    pub(super) by_cell: Lists<u32>,
    pub(super) radii: Vec<Radius>,
    /// The radii as they are measured with, when the chunk is read.
    #[serde(skip)]
    pub(super) circles: Vec<Circle>,
    /// Coverages.
    pub(super) by_state: Lists<State>,
    pub(super) anywhere: Vec<u32>,
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

impl Chunk {
    /// About how many bytes of memory it takes, ids and texts included.
    pub fn weight(&self) -> usize {
        /// What an allocation costs beside what it holds: its header, and rounding up.
        const EACH: usize = 24;
        fn list<T>(list: &[T]) -> usize {
            size_of_val(list)
        }
        let text = |text: &str| if text.is_empty() { 0 } else { text.len() + EACH };
        // Ids and names stand in their rows where they are short; else beside them, with two counts.
        let beside = |text: &str| {
            let is_long = text.len() > SmolStr::INLINE_CAP;
            if is_long { text.len() + 2 * size_of::<usize>() + EACH } else { 0 }
        };
        let contracts: usize = self.contracts.iter().map(|contract| beside(contract.id.as_str())).sum();
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
            beside(dealer.id.as_str()) + beside(&dealer.name) + list(&dealer.channels) + EACH + channels
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
}

static NO_CAPS: Caps = Caps(Vec::new());
