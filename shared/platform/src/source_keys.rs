//! What a source's senders are let in by: derived from the master key, stored nowhere.

use leadyard_domain::access::{MasterKey, PageKey, Platform, PlatformKey, SourceSecret};
use leadyard_domain::ids::CompanyId;
use leadyard_domain::rulebook::{Source, SourceKind};
use serde::Serialize;

/// A source's ways in. To be shown, and never logged.
#[derive(Clone, Serialize)]
pub struct SourceKeys {
    /// Which.
    pub source: String,
    /// Its page key, which may stand in a public page.
    pub key: String,
    /// Its secret, for servers.
    pub secret: String,
    /// What Google Ads is to send with every lead, where it is a source of kind google.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub google_key: Option<String>,
    /// What Meta is to send when it subscribes, where it is a source of kind meta.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meta_verify_token: Option<String>,
}

impl SourceKeys {
    /// Those of a company's source, by its key generation.
    pub fn of(master: &MasterKey, company: &CompanyId, source: &Source) -> Self {
        let (company, id) = (company.clone(), source.id.clone());
        let generation = source.key_generation;
        let origins = source.origins.clone();
        let secret = SourceSecret { company: company.clone(), source: id.clone(), generation };
        let of = |platform, kind| {
            let key = || PlatformKey::of(master, platform, &secret).reveal().to_owned();
            (source.kind == kind).then(key)
        };
        Self {
            source: source.id.to_string(),
            google_key: of(Platform::Google, SourceKind::Google),
            meta_verify_token: of(Platform::Meta, SourceKind::Meta),
            key: master.mint(&PageKey { company, source: id, generation, origins }),
            secret: master.mint(&secret),
        }
    }
}

impl std::fmt::Debug for SourceKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SourceKeys of {}", self.source)
    }
}
