//! Every way in that a master key gives a company's desk, dealers and sources.

use leadyard_domain::access::{
    DealerToken, DeskToken, MasterKey, PageKey, Platform, PlatformKey, SourceSecret,
};
use leadyard_domain::rulebook::{Rulebook, SourceKind};
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

/// A source's ways in.
#[derive(Clone, Debug, Serialize)]
pub struct SourceKeys {
    /// Which.
    pub source: String,
    /// Its page key.
    pub key: String,
    /// Its secret.
    pub secret: String,
    /// What Google Ads is to send with every lead, where it is a source of kind google.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub google_key: Option<String>,
    /// What Meta is to send when it subscribes, where it is a source of kind meta.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meta_verify_token: Option<String>,
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
        let sources = book.sources.iter().map(|source| {
            let (company, id) = (company.clone(), source.id.clone());
            let generation = source.key_generation;
            let origins = source.origins.clone();
            let secret = SourceSecret { company: company.clone(), source: id.clone(), generation };
            let of = |platform, kind| {
                let key = || PlatformKey::of(master, platform, &secret).reveal().to_owned();
                (source.kind == kind).then(key)
            };
            SourceKeys {
                source: source.id.to_string(),
                google_key: of(Platform::Google, SourceKind::Google),
                meta_verify_token: of(Platform::Meta, SourceKind::Meta),
                key: master.mint(&PageKey { company, source: id, generation, origins }),
                secret: master.mint(&secret),
            }
        });
        Self {
            desk_token: master.mint(&DeskToken { staff: staff.to_owned(), companies: vec![company.clone()] }),
            dealers: dealers.collect(),
            sources: sources.collect(),
        }
    }
}
