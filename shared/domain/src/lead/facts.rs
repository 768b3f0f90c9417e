//! What a decision sees of a lead.

use super::Lead;
use crate::distribution::{Core, LeadFacts, OpenSeats};
use crate::ids::{CategoryId, DealerId};
use crate::scoring::Band;

impl Lead {
    /// What a decision sees.
    pub fn facts(&self, band: Band) -> LeadFacts {
        let holders: Vec<DealerId> = self.holders.iter().map(|holder| holder.dealer.clone()).collect();
        let given = self.lost_seats.saturating_add(holders.len() as u8);
        let open_seats = self.seats.filter(|_| given > 0).map(|(of, protected)| OpenSeats {
            of,
            free: of.saturating_sub(given),
            protected,
        });
        LeadFacts {
            lead: self.id,
            cycle: self.cycle,
            offer: self.offer.clone(),
            category: self.category.clone(),
            source: self.source.clone(),
            opened_at: self.opened_at,
            location: self.location(),
            band,
            brings: self.brings,
            excluded: self.excluded.clone(),
            holders,
            open_seats,
        }
    }

    /// The same under a rulebook: see [`Lead::category_under`].
    pub fn facts_under(&self, core: &Core, band: Band) -> LeadFacts {
        LeadFacts { category: self.category_under(core).clone(), ..self.facts(band) }
    }

    /// In which category a rulebook has its contracts: the offer's, which may have moved to another since the lead
    /// came; of an offer that left, the lead's own.
    pub fn category_under<'a>(&'a self, core: &'a Core) -> &'a CategoryId {
        core.offer(&self.offer).map_or(&self.category, |offer| &offer.category)
    }
}
