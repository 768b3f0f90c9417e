//! The dealers and contracts in force, by name: built once for each version of a rulebook.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::tz::TimeZone;
use leadyard_domain::contract::Selection;
use leadyard_domain::distribution::Core;
use leadyard_domain::error::FieldError;
use leadyard_domain::history::{Counted, DealerNamed, PastSale, Placed};
use leadyard_domain::ids::{CategoryId, CompanyId, ContractId, DealerId, OfferId};
use leadyard_domain::money::Money;
use leadyard_domain::rulebook::Offer;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::store::{Freed, StoreError};

/// The directories built so far, the newest of each company.
#[derive(Default)]
pub(super) struct Directories(Mutex<HashMap<CompanyId, Arc<Directory>>>);

impl Directories {
    pub(super) async fn of(&self, cloud: &Cloud, core: &Core) -> Result<Arc<Directory>, StoreError> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(core.company_id()).cloned();
        if let Some(known) = known.filter(|known| known.version == core.version) {
            return Ok(known);
        }
        let built = Arc::new(Directory::build(cloud, core).await?);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.insert(core.company_id().clone(), Arc::clone(&built));
        Ok(built)
    }
}

/// Who has which contracts.
pub(super) struct Directory {
    version: u64,
    dealers: HashMap<DealerId, Dealer>,
    /// Whose each contract is.
    contracts: HashMap<ContractId, DealerId>,
    /// Whom a name means, as it is compared; `None` where several have it.
    names: HashMap<String, Option<DealerId>>,
}

struct Dealer {
    zone: TimeZone,
    contracts: BTreeMap<(CategoryId, ContractId), (Selection<OfferId>, Money)>,
}

/// The contract of a past sale that cannot be told.
const UNKNOWN: &str = "imported";

impl Directory {
    async fn build(cloud: &Cloud, core: &Core) -> Result<Self, StoreError> {
        let mut built = Self {
            version: core.version,
            dealers: HashMap::new(),
            contracts: HashMap::new(),
            names: HashMap::new(),
        };
        let mut categories: Vec<&CategoryId> = core.chunks.iter().map(|(category, ..)| category).collect();
        categories.sort_unstable();
        categories.dedup();
        for category in categories {
            for key in core.chunks_of(category) {
                let Some(chunk) = cloud.rulebooks.chunk(&cloud.store, core, key).await? else { continue };
                for terms in chunk.terms() {
                    let dealer = built.dealers.entry(terms.dealer.clone());
                    let dealer = dealer
                        .or_insert_with(|| Dealer { zone: terms.zone.clone(), contracts: BTreeMap::new() });
                    dealer
                        .contracts
                        .entry((category.clone(), terms.contract.clone()))
                        .or_insert_with(|| (terms.offers.clone(), terms.price));
                    built.contracts.insert(terms.contract.clone(), terms.dealer.clone());
                    let named = built.names.entry(compared(terms.name));
                    let named = named.or_insert_with(|| Some(terms.dealer.clone()));
                    if named.as_ref() != Some(terms.dealer) {
                        *named = None;
                    }
                }
            }
        }
        Ok(built)
    }

    /// Whom another system means: by id, else by the exact name of one dealer, in any case of letters.
    pub(super) fn named(&self, text: &str) -> DealerNamed {
        if let Some(dealer) =
            DealerId::new(&text.to_lowercase()).ok().filter(|id| self.dealers.contains_key(id))
        {
            return DealerNamed::One(dealer);
        }
        match self.names.get(&compared(text)) {
            None => DealerNamed::Nobody,
            Some(None) => DealerNamed::Several,
            Some(Some(dealer)) => DealerNamed::One(dealer.clone()),
        }
    }

    /// To whom a past sale was. A dealer who is not in force is gone, and keeps its name; a contract that is
    /// not is its dealer's only one for the offer, if there is exactly one, else it cannot be told.
    pub(super) fn place(&self, sale: &PastSale, offer: &Offer) -> Result<Placed, FieldError> {
        let refused =
            |field: &str, rule: &str| FieldError { pointer: format!("/{field}"), detail: rule.to_owned() };
        let known = sale.contract.as_ref().and_then(|contract| self.contracts.get(contract));
        let dealer = sale.dealer.as_ref().or(known);
        let dealer = dealer.ok_or_else(|| {
            refused(
                "dealer",
                "the rulebook has no such contract, and so does not say whose it was: name the dealer",
            )
        })?;
        if known.is_some_and(|owner| owner != dealer) {
            return Err(refused("contract", "the contract is another dealer's"));
        }
        let listed = self.dealers.get(dealer);
        let named = sale.contract.clone().filter(|_| known.is_some() || listed.is_none());
        let contract = named.or_else(|| only_one(listed?, offer)).or_else(|| ContractId::new(UNKNOWN).ok());
        let contract = contract.ok_or_else(|| refused("contract", "name the contract"))?;
        Ok(Placed { dealer: dealer.clone(), contract, gone: listed.is_none() })
    }

    /// The zone in which somebody's periods run.
    pub(super) fn zone(&self, of: &Counted) -> Option<&TimeZone> {
        let dealer = match of {
            Counted::Contract(contract) => self.contracts.get(contract)?,
            Counted::Dealer(dealer) => dealer,
        };
        Some(&self.dealers.get(dealer)?.zone)
    }

    /// How many leads an amount pays at most; `None` if no contract is this dealer's.
    pub(super) fn freed(&self, dealer: &DealerId, amount: Money) -> Option<Freed> {
        let contracts = self.dealers.get(dealer).map(|dealer| &dealer.contracts).into_iter().flatten();
        let prices = contracts.map(|((category, _), (_, price))| (*price, category));
        let (price, category) = prices.min()?;
        let slots = (amount.minor() / price.minor().max(1)).max(1) as u64;
        Some(Freed { category: category.clone(), slots })
    }
}

/// A name with one space for many, in lower case.
fn compared(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

fn only_one(dealer: &Dealer, offer: &Offer) -> Option<ContractId> {
    let mut taking = dealer
        .contracts
        .iter()
        .filter(|((category, _), (offers, _))| *category == offer.category && offers.takes(&offer.id));
    let ((_, first), _) = taking.next()?;
    taking.next().is_none().then(|| first.clone())
}
