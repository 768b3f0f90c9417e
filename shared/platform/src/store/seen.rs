//! What of an item's image is counted in reports.

use jiff::Timestamp;
use leadyard_domain::assignment::Assignment;
use leadyard_domain::ids::{CompanyId, EnquiryId};
use leadyard_domain::lead::Lead;
use leadyard_domain::report::seen::{facets_of, facts_of};
use leadyard_domain::report::{Facets, Fact, SeenDecision, SeenEnquiry};
use leadyard_domain::screening::Verdict;

use super::items::{self, DecisionRecord, StoredEnquiry};
use super::{Item, StoreError, read_string};

/// An image that may state facts.
#[derive(Debug)]
pub enum Seen {
    /// An enquiry.
    Enquiry(Box<StoredEnquiry>),
    /// A decision, of this company's lead.
    Decision(CompanyId, Box<DecisionRecord>),
    /// A seat.
    Seat(Box<Assignment>),
}

/// What a seat is counted by that it does not say itself.
#[derive(Clone, Debug)]
pub struct SeenSeat {
    /// What the enquiry that opened its cycle says.
    pub facets: Facets,
    /// When that arrived.
    pub received_at: Timestamp,
}

impl Seen {
    /// Reads an image; `None` of an item that states nothing.
    ///
    /// # Errors
    /// When it is not of the shape its key promises.
    pub fn read(item: Item) -> Result<Option<Self>, StoreError> {
        let begins = |name| read_string(&item, name).and_then(|key| key.split('#').next());
        match (begins("pk"), begins("sk")) {
            (Some("E"), Some("E")) => {
                StoredEnquiry::read(item).map(|enquiry| Some(Self::Enquiry(Box::new(enquiry))))
            }
            (Some("L"), Some("A")) => {
                items::read_assignment(item).map(|seat| Some(Self::Seat(Box::new(seat))))
            }
            (Some("L"), Some("D")) => {
                // Whose it is stands in the index alone.
                let company = read_string(&item, "ak").and_then(|shard| shard.split('#').next());
                let company = company.unwrap_or_default().parse();
                let company = company.map_err(|error| StoreError::damaged("decision", error))?;
                DecisionRecord::read(item).map(|record| Some(Self::Decision(company, Box::new(record))))
            }
            _ => Ok(None),
        }
    }

    /// Whose.
    pub const fn company(&self) -> &CompanyId {
        match self {
            Self::Enquiry(enquiry) => &enquiry.company,
            Self::Decision(company, _) => company,
            Self::Seat(seat) => &seat.company,
        }
    }

    /// The enquiry that says what it is counted by, where another item does.
    pub const fn opening(&self) -> Option<EnquiryId> {
        match self {
            Self::Enquiry(_) | Self::Decision(_, _) => None,
            Self::Seat(seat) => seat.enquiry,
        }
    }

    /// What it states, and of what.
    pub fn facts(&self, opening: Option<&SeenSeat>) -> (Vec<Fact>, Facets) {
        match self {
            Self::Enquiry(enquiry) => {
                let seen = enquiry.seen();
                (seen.facts(), seen.facets())
            }
            Self::Decision(_, record) => {
                let seen = SeenDecision {
                    at: record.at,
                    offer: &record.facts.offer,
                    category: &record.facts.category,
                    source: &record.facts.source,
                    state: record.facts.location.state(),
                    band: record.facts.band,
                    // Beside what the desk placed stands what the rules said: nobody waits for that.
                    waiting: record.waiting.filter(|_| record.placed.is_none() && !record.is_imported()),
                };
                (seen.facts(), seen.facets())
            }
            Self::Seat(seat) => {
                let facts = facts_of(seat, opening.map(|opening| opening.received_at));
                (facts, facets_of(seat, opening.map(|opening| &opening.facets)))
            }
        }
    }
}

/// A lead as an image of the stream has it; `None` of one that cannot be read.
pub fn lead_of_image(image: Item) -> Option<Lead> {
    super::items::read_lead(image).ok()
}

impl StoredEnquiry {
    /// As far as it is counted.
    pub fn seen(&self) -> SeenEnquiry<'_> {
        let quarantine = self.quarantine.as_ref();
        SeenEnquiry {
            id: self.id,
            source: &self.source,
            asked: self.asked.as_ref(),
            received_at: self.received_at,
            judged_at: quarantine.and_then(|kept| kept.judged.as_ref()).map(|judged| judged.at),
            status: &self.status,
            verdict: quarantine.map_or(Verdict::Ham, |kept| kept.verdict),
            reasons: &self.reasons,
            lead: self.lead,
        }
    }
}
