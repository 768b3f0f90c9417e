//! A chunk in bytes, as the table keeps it, and what follows from them when they are read.

use serde::{Deserialize, Serialize};

use super::contract::OfDealer;
use super::{Chunk, CompiledDealer, Day};
use crate::dealer::Format;
use crate::delivery::Vendor;
use crate::error::Invalid;
use crate::place::{self, Place, Reach};

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
    pub(super) fn resolve(&mut self) -> Result<(), Invalid> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{Needs, Sale, Territory, WhenUnavailable};
    use crate::dealer::AfterHours;
    use crate::distribution::CompiledContract;
    use crate::money::Money;
    use crate::scoring::Band;

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
