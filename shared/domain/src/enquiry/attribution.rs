//! Where an enquiry came from: UTM parameters, click ids, referrer, landing page.
//!
//! The usual names (`utm_source`, `gclid`) say what brought the visitor last, the same behind `first_touch.` (as the
//! snippet sends them, or `first_utm_source` as form builders do) what brought the visitor first. An enquiry keeps
//! both; `attribution` in `company.toml` says which of them it is credited to.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use super::names::squeezed;

words! {
    /// What attribution is kept under.
    #[allow(missing_docs)]
    pub enum Tag as "an attribution field" {
        UtmSource = "utm_source",
        UtmMedium = "utm_medium",
        UtmCampaign = "utm_campaign",
        UtmTerm = "utm_term",
        UtmContent = "utm_content",
        UtmId = "utm_id",
        Gclid = "gclid",
        Gbraid = "gbraid",
        Wbraid = "wbraid",
        Dclid = "dclid",
        Fbclid = "fbclid",
        Fbc = "_fbc",
        Fbp = "_fbp",
        Msclkid = "msclkid",
        Ttclid = "ttclid",
        Twclid = "twclid",
        LiFatId = "li_fat_id",
        ScCid = "ScCid",
        RdtCid = "rdt_cid",
        Epik = "epik",
        Irclickid = "irclickid",
        Referrer = "referrer",
        LandingPage = "landing_page",
    }
}

/// By their names, squeezed.
static TAGS: LazyLock<BTreeMap<String, Tag>> =
    LazyLock::new(|| Tag::ALL.iter().map(|&tag| (squeezed(tag.as_str()), tag)).collect());

words! {
    /// Which touch an enquiry is credited to.
    pub enum Touch as "attribution" {
        /// What brought the visitor in the first place.
        First = "first",
        /// What brought the visitor last: a visit that nothing brought about does not count.
        Last = "last",
    }
}

impl Default for Touch {
    /// What every ad platform counts by.
    fn default() -> Self {
        Self::Last
    }
}

impl Tag {
    /// By its name, squeezed; with the aliases that scripts use.
    pub(super) fn named(squeezed_name: &str) -> Option<Self> {
        match squeezed_name {
            "referer" | "referrerurl" => Some(Self::Referrer),
            "landingpageurl" | "landingurl" | "pageurl" => Some(Self::LandingPage),
            name => TAGS.get(name).copied(),
        }
    }
}

/// One touch: each value at most [`crate::limits::ATTRIBUTION_BYTES`].
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Attribution(pub(super) BTreeMap<Tag, String>);

impl Attribution {
    /// One value.
    pub fn get(&self, tag: Tag) -> Option<&str> {
        self.0.get(&tag).map(String::as_str)
    }

    /// The campaign as marketing calls it, word for word: what an enquiry is credited to is
    /// [`Understood::campaign`](super::Understood::campaign).
    pub fn campaign(&self) -> Option<&str> {
        self.get(Tag::UtmCampaign)
    }

    /// What is known, in the order of [`Tag::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (Tag, &str)> {
        self.0.iter().map(|(&tag, value)| (tag, value.as_str()))
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes what is blank from the landing page's own query: a form that posts only its address has
    /// said its UTM parameters and click ids all the same.
    pub(super) fn fill_from_landing_page(&mut self) {
        let Some(page) = self.0.get(&Tag::LandingPage) else { return };
        let query =
            page.split('#').next().and_then(|page| page.split_once('?')).map_or("", |(_, query)| query);
        let found: Vec<(Tag, String)> = form_urlencoded::parse(query.as_bytes())
            .filter_map(|(name, value)| Some((name.parse().ok()?, value.into_owned())))
            .filter(|(tag, value)| !value.is_empty() && !matches!(tag, Tag::Referrer | Tag::LandingPage))
            .collect();
        for (tag, value) in found {
            self.0.entry(tag).or_insert_with(|| {
                let tidy = crate::person::tidy(&value);
                crate::person::cut_bytes(&tidy, crate::limits::ATTRIBUTION_BYTES).0.to_owned()
            });
        }
    }
}

impl fmt::Debug for Attribution {
    /// Without the values: click ids and addresses of pages may say who it was.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys().map(|tag| tag.as_str())).finish()
    }
}
