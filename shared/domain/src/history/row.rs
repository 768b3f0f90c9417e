//! A row of another system's leads, read into a [`PastLead`].

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{mend, when};
use crate::distribution::Core;
use crate::enquiry::{Enquiry, Fields, Understood, squeezed};
use crate::error::{FieldError, Invalid};
use crate::ids::{ContractId, DealerId, SourceId};
use crate::limits;
use crate::money::Money;
use crate::rulebook::{Offer, Source, damage};
use crate::time;

words! {
    /// What came of a past lead.
    pub enum PastOutcome as "an outcome" {
        /// Its dealer has it, and has said nothing else.
        Accepted = "accepted",
        /// Its dealer reached the person.
        Contacted = "contacted",
        /// Sold.
        Won = "won",
        /// Not sold.
        Lost = "lost",
        /// Its dealer did not want it.
        Declined = "declined",
        /// Its dealer gave it back.
        Returned = "returned",
        /// Time closed it.
        Expired = "expired",
        /// The desk closed it.
        Rejected = "rejected",
    }
}

impl PastOutcome {
    /// Whether somebody must have had the lead.
    const fn needs_a_dealer(self) -> bool {
        match self {
            Self::Accepted | Self::Contacted | Self::Declined | Self::Returned => true,
            Self::Won | Self::Lost | Self::Expired | Self::Rejected => false,
        }
    }
}

/// To whom a past lead was sold: the dealer, the contract or both are named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastSale {
    /// The dealer, who may be gone.
    pub dealer: Option<DealerId>,
    /// The contract, which may be gone.
    pub contract: Option<ContractId>,
    /// When.
    pub at: Timestamp,
    /// For how much.
    pub price: Money,
    /// What the dealer won.
    pub won_value: Option<Money>,
}

/// Whom a dealer's name means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DealerNamed {
    /// Nobody in force.
    Nobody,
    /// This one.
    One(DealerId),
    /// More than one.
    Several,
}

/// A dealer by id or by name. An id that nobody in force has is of one who is gone.
fn dealer(text: &str, named: impl Fn(&str) -> DealerNamed) -> Result<DealerId, Invalid> {
    match named(text) {
        DealerNamed::One(dealer) => Ok(dealer),
        DealerNamed::Several => Err(Invalid::new("several dealers have this name: say the id")),
        DealerNamed::Nobody => DealerId::new(&text.to_lowercase()).map_err(|rule| {
            Invalid::new(format!("no dealer in force has this name; and of one who is gone {rule}"))
        }),
    }
}

/// A lead of another system.
#[derive(Clone, Debug)]
pub struct PastLead<'a> {
    /// When it arrived.
    pub received_at: Timestamp,
    /// From where.
    pub source: &'a Source,
    /// What for.
    pub offer: &'a Offer,
    /// The id it had.
    pub external_id: Option<String>,
    /// What the person said: the row without what only history says.
    pub fields: Fields,
    /// The same, understood.
    pub understood: Understood,
    /// To whom it was sold.
    pub sale: Option<PastSale>,
    /// What came of it: `accepted` where it was sold and nothing is said, else `expired`.
    pub outcome: PastOutcome,
    /// When.
    pub outcome_at: Option<Timestamp>,
}

/// What only history says of a lead; everything else is the person's.
const OWN: [&str; 10] = [
    "received_at",
    "source",
    "external_id",
    "dealer",
    "contract",
    "assigned_at",
    "price",
    "outcome",
    "outcome_at",
    "won_value",
];

impl<'a> PastLead<'a> {
    /// Reads a row. Names of columns are compared in any case of letters, with or without spaces; `dealers` says
    /// whom a name means, where it is no id.
    ///
    /// # Errors
    /// Every field at fault, with its rule; never a value.
    pub fn read(
        row: &Fields,
        core: &'a Core,
        now: Timestamp,
        dealers: impl Fn(&str) -> DealerNamed,
    ) -> Result<Self, Vec<FieldError>> {
        let mut reader = Reader::new(Cells::of(row));
        let zone = time::zone(&core.company.zone).unwrap_or(TimeZone::UTC); // checked with the rulebook
        let source = reader.source(core);
        let received_at = reader.instant("received_at", &zone, now);
        if received_at.is_none() && reader.cells.get("received_at").is_none() {
            reader.refuse("received_at", "when it arrived must be given");
        }
        let external_id = reader.external_id();
        // The id it had stays with it: that is what people will look for.
        let own = |name: &str| {
            let name = squeezed(name);
            name != "externalid" && OWN.iter().any(|own| squeezed(own) == name)
        };
        let asked =
            source.and_then(|source| reader.asked(row, core, source, received_at.unwrap_or(now), own));
        let outcome = reader.parsed("outcome", |text| text.to_lowercase().parse::<PastOutcome>());
        let sale = reader.sale(received_at.unwrap_or(now), &zone, now, outcome, dealers);
        let since = sale.as_ref().map_or(received_at, |sale| Some(sale.at)).unwrap_or(now);
        let outcome_at = reader.later("outcome_at", since, &zone, now);
        match (source, received_at, asked) {
            (Some(source), Some(received_at), Some((offer, fields, understood)))
                if reader.errors.is_empty() =>
            {
                let unsaid = if sale.is_some() { PastOutcome::Accepted } else { PastOutcome::Expired };
                Ok(Self {
                    received_at,
                    source,
                    offer,
                    external_id,
                    fields,
                    understood,
                    sale,
                    outcome: outcome.unwrap_or(unsaid),
                    outcome_at,
                })
            }
            _ => Err(reader.errors),
        }
    }
}

/// A row by its columns' names. A blank, and what exports write for one, is nothing.
pub(super) struct Cells<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Cells<'a> {
    pub(super) fn of(row: &'a Fields) -> Self {
        let blank = |value: &str| {
            ["", "-", "null", "n/a", "#n/a", "none"].contains(&value.trim().to_lowercase().as_str())
        };
        Self(
            row.iter().map(|(name, value)| (name, value.trim())).filter(|(_, value)| !blank(value)).collect(),
        )
    }

    /// The first that is there under this name.
    pub(super) fn get(&self, name: &str) -> Option<&'a str> {
        let wanted = squeezed(name);
        self.0.iter().find(|(known, _)| squeezed(known) == wanted).map(|&(_, value)| value)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0.iter().copied()
    }
}

pub(super) fn at_fault(name: &str, rule: &Invalid) -> FieldError {
    let pointer = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
    FieldError { pointer, detail: rule.to_string() }
}

pub(super) struct Reader<'r> {
    cells: Cells<'r>,
    pub(super) errors: Vec<FieldError>,
}

impl<'r> Reader<'r> {
    /// A cell in which a formula failed is refused, whatever it is of: a message that reads `#NAME?` is nobody's.
    pub(super) fn new(cells: Cells<'r>) -> Self {
        let failed = cells.iter().filter(|(_, value)| damage::is_error(value.trim()));
        let errors = failed.map(|(name, _)| at_fault(name, &Invalid::new(damage::ERROR_VALUE))).collect();
        Self { cells, errors }
    }

    pub(super) fn refuse(&mut self, name: &str, rule: impl Into<String>) {
        self.errors.push(at_fault(name, &Invalid::new(rule.into())));
    }

    pub(super) fn parsed<T>(&mut self, name: &str, parse: impl Fn(&str) -> Result<T, Invalid>) -> Option<T> {
        match self.cells.get(name).map(parse)? {
            Ok(parsed) => Some(parsed),
            Err(rule) => {
                self.errors.push(at_fault(name, &rule));
                None
            }
        }
    }

    fn instant(&mut self, name: &str, zone: &TimeZone, now: Timestamp) -> Option<Timestamp> {
        self.parsed(name, |text| when::past(text, zone, now))
    }

    /// A time that follows another.
    fn later(&mut self, name: &str, since: Timestamp, zone: &TimeZone, now: Timestamp) -> Option<Timestamp> {
        let at = self.instant(name, zone, now)?;
        let at = when::following(at, since);
        if at.is_none() {
            self.refuse(name, "it lies a day or more before what it follows");
        }
        at
    }

    fn source<'a>(&mut self, core: &'a Core) -> Option<&'a Source> {
        let Some(named) = self.cells.get("source") else {
            self.refuse("source", "the source must be given");
            return None;
        };
        let id = SourceId::new(&named.to_lowercase()).ok();
        let found = id.and_then(|id| core.source(&id));
        match found {
            Some(source) if source.test => {
                self.refuse("source", "a source of test leads has no history");
                None
            }
            Some(source) => Some(source),
            None => {
                self.refuse("source", "the rulebook has no such source");
                None
            }
        }
    }

    pub(super) fn external_id(&mut self) -> Option<String> {
        self.parsed("external_id", |text| {
            let most = limits::EXTERNAL_ID_BYTES;
            let fits = text.len() <= most;
            fits.then(|| mend::whole(text).to_owned())
                .ok_or_else(|| Invalid::new(format!("an external id is at most {most} bytes")))
        })
    }

    /// What the person asked for, and what it is to us. What is the file's `own` the person did not say.
    pub(super) fn asked<'a>(
        &mut self,
        row: &Fields,
        core: &'a Core,
        source: &Source,
        at: Timestamp,
        own: impl Fn(&str) -> bool,
    ) -> Option<(&'a Offer, Fields, Understood)> {
        let map = source.map();
        let said = row.iter().filter(|(name, _)| !own(name));
        let said: Vec<(&str, &str)> = said.filter(|(_, value)| !value.trim().is_empty()).collect();
        let fields = mend::fields(&said, &map).unwrap_or_default(); // no more of them than were sent
        let enquiry = Enquiry { fields, received_at: at, global_privacy_control: false, ip: None };
        let understood = enquiry.understand(&map);
        if !understood.reachable() {
            self.refuse("email", "give an e-mail address or a phone number that can be understood");
            self.errors.extend(understood.notes.clone());
            return None;
        }
        let Some(offer) = core.offer_of(source, understood.offer.as_deref()) else {
            self.refuse("offer", "neither the rulebook nor the source's offer map has such an offer");
            return None;
        };
        Some((offer, enquiry.fields, understood))
    }

    fn sale(
        &mut self,
        received_at: Timestamp,
        zone: &TimeZone,
        now: Timestamp,
        outcome: Option<PastOutcome>,
        dealers: impl Fn(&str) -> DealerNamed,
    ) -> Option<PastSale> {
        let dealer = self.parsed("dealer", |text| dealer(text, &dealers));
        let contract = self.parsed("contract", |text| ContractId::new(&text.to_lowercase()));
        let at = self.later("assigned_at", received_at, zone, now);
        let price = self.parsed("price", mend::amount).filter(|price| *price != Money::ZERO);
        let won_value = self.parsed("won_value", mend::amount).filter(|value| *value != Money::ZERO);
        if won_value.is_some() && outcome.is_some_and(|outcome| outcome != PastOutcome::Won) {
            self.refuse("won_value", "only what was won has a value");
        }
        let named = self.cells.get("dealer").is_some() || self.cells.get("contract").is_some();
        if !named {
            let alone = |there: bool, name: &'static str| there.then_some(name);
            let sold = outcome.is_some_and(PastOutcome::needs_a_dealer);
            let lost =
                [alone(at.is_some(), "assigned_at"), alone(price.is_some(), "price"), alone(sold, "outcome")];
            for name in lost.into_iter().flatten() {
                self.refuse(name, "it belongs to a dealer: name the dealer");
            }
            return None;
        }
        let price = price.unwrap_or(Money::ZERO);
        Some(PastSale { dealer, contract, at: at.unwrap_or(received_at), price, won_value })
    }
}
