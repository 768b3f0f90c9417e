//! Every way in that a master key gives a company's desk, dealers and sources.

use leadyard_domain::access::{DealerToken, DeskToken, MasterKey};
use leadyard_domain::rulebook::Rulebook;
use leadyard_platform::source_keys::SourceKeys;
use serde::Serialize;

/// The ways in of one company.
#[derive(Clone, Debug, Serialize)]
pub struct Keys {
    /// The desk's bearer token.
    pub desk_token: String,
    /// Every dealer's bearer token.
    pub dealers: Vec<DealerKeys>,
    /// Every source's key and secret.
    pub sources: Vec<SourceKeys>,
}

/// A dealer's way in.
#[derive(Clone, Debug, Serialize)]
pub struct DealerKeys {
    /// Who.
    pub dealer: String,
    /// Its bearer token.
    pub token: String,
}

impl Keys {
    /// Mints them; what the desk does by this token is `staff`'s.
    pub fn mint(master: &MasterKey, book: &Rulebook, staff: &str) -> Self {
        let company = &book.company.id;
        let dealers = book.dealers.iter().map(|dealer| DealerKeys {
            dealer: dealer.id.to_string(),
            token: master.mint(&DealerToken {
                company: company.clone(),
                dealer: dealer.id.clone(),
                generation: 1,
            }),
        });
        let sources = book.sources.iter().map(|source| SourceKeys::of(master, company, source));
        Self {
            desk_token: master.mint(&DeskToken { staff: staff.to_owned(), companies: vec![company.clone()] }),
            dealers: dealers.collect(),
            sources: sources.collect(),
        }
    }
}
