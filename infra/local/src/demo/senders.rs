//! Who sends: how much, how good it is, what it costs, and by which campaigns.

use leadyard_domain::ids::SourceId;
use leadyard_domain::rulebook::{Rulebook, Source, SourceKind};

/// How a source of the demo behaves.
#[derive(Clone, Copy)]
struct Habit {
    /// Of all enquiries, in shares.
    share: u32,
    /// How many of its leads are sold, in hundredths of what is usual.
    quality: u32,
    /// Of a hundred of its enquiries so many are spam besides.
    spam: u32,
    /// What an enquiry costs in advertising, in cents; what is paid by the lead stands in the rulebook.
    cents: u32,
    utm: Option<(&'static str, &'static str)>,
    /// Parts of a campaign's name behind the trade; the season's own stands for itself.
    campaigns: &'static [&'static str],
}

const KNOWN: [(&str, Habit); 10] = [
    (
        "landing",
        Habit {
            share: 24,
            quality: 125,
            spam: 5,
            cents: 600,
            utm: Some(("newsletter", "email")),
            campaigns: &["", "newsletter", "season"],
        },
    ),
    (
        "search-landing",
        Habit {
            share: 22,
            quality: 112,
            spam: 4,
            cents: 2_600,
            utm: Some(("google", "cpc")),
            campaigns: &["search-brand", "search-generic", "search-generic", "search-rivals", "season"],
        },
    ),
    (
        "social-landing",
        Habit {
            share: 15,
            quality: 62,
            spam: 12,
            cents: 1_150,
            utm: Some(("facebook", "paid-social")),
            campaigns: &["video", "lookalike", "season"],
        },
    ),
    (
        "google-ads",
        Habit { share: 7, quality: 96, spam: 2, cents: 3_100, utm: None, campaigns: &["2101", "2102"] },
    ),
    (
        "google-solar",
        Habit { share: 4, quality: 96, spam: 2, cents: 3_900, utm: None, campaigns: &["2201", "2202"] },
    ),
    (
        "google-auto",
        Habit { share: 4, quality: 90, spam: 2, cents: 1_700, utm: None, campaigns: &["2301", "2302"] },
    ),
    (
        "comparison-portal",
        Habit {
            share: 10,
            quality: 88,
            spam: 3,
            cents: 0,
            utm: Some(("portal", "referral")),
            campaigns: &[""],
        },
    ),
    (
        "partner-api",
        Habit {
            share: 6,
            quality: 78,
            spam: 3,
            cents: 0,
            utm: Some(("partner", "referral")),
            campaigns: &[""],
        },
    ),
    (
        "affiliate-network",
        Habit {
            share: 9,
            quality: 38,
            spam: 24,
            cents: 0,
            utm: Some(("affiliate", "affiliate")),
            campaigns: &["aff-118", "aff-204", "aff-377"],
        },
    ),
    ("old-crm", Habit { share: 3, quality: 55, spam: 1, cents: 0, utm: None, campaigns: &[""] }),
];

/// A source that the demo does not know.
const UNKNOWN: Habit = Habit {
    share: 10,
    quality: 85,
    spam: 6,
    cents: 1_500,
    utm: Some(("search", "cpc")),
    campaigns: &["brand", "generic", "season"],
};

/// A source as the demo sends by it.
pub(super) struct Sender {
    pub(super) source: Source,
    pub(super) share: u32,
    pub(super) quality: u32,
    pub(super) spam: u32,
    pub(super) cents: u32,
    pub(super) utm: Option<(&'static str, &'static str)>,
    pub(super) campaigns: &'static [&'static str],
}

impl Sender {
    /// The campaign of an enquiry of this trade and month, by chance; `None` of what no campaign brought.
    pub(super) fn campaign(&self, category: &str, month: i8, chance: usize) -> Option<String> {
        let part = self.campaigns.get(chance % self.campaigns.len().max(1)).copied().unwrap_or_default();
        match part {
            "" => None,
            "season" => Some(format!("{category}-{}", season(month))),
            // What an ad platform calls a campaign has no trade in its name.
            part if self.source.kind == SourceKind::Google || part.starts_with("aff-") => {
                Some(part.to_owned())
            }
            part => Some(format!("{category}-{part}")),
        }
    }

    /// What reports call the campaign: an ad platform's number may have a name in the rulebook.
    pub(super) fn called(&self, campaign: &str) -> String {
        let names = self.source.values.get("utm_campaign");
        names.and_then(|names| names.get(campaign)).cloned().unwrap_or_else(|| campaign.to_owned())
    }

    /// Whether its sender posts from a server of its own, with the source's secret.
    pub(super) fn is_server(&self) -> bool {
        self.utm.is_some_and(|(_, medium)| ["referral", "affiliate"].contains(&medium))
    }

    /// Its id.
    pub(super) const fn id(&self) -> &SourceId {
        &self.source.id
    }
}

const fn season(month: i8) -> &'static str {
    match month {
        3..=5 => "spring",
        6..=8 => "summer",
        9..=11 => "autumn",
        _ => "new-year",
    }
}

/// The sources that the demo can send by: forms, Google's lead forms, files. Those for tests reach nobody, and what
/// Meta tells of would have to be fetched.
pub(super) fn of(book: &Rulebook) -> Vec<Sender> {
    let usable = |source: &&Source| {
        let kind = match source.kind {
            SourceKind::Form | SourceKind::Google | SourceKind::File => true,
            SourceKind::Meta | SourceKind::Adf => false,
        };
        kind && !source.test && source.ends.is_none()
    };
    book.sources
        .iter()
        .filter(usable)
        .map(|source| {
            let known = KNOWN.iter().find(|(id, _)| *id == source.id.as_str());
            let Habit { share, quality, spam, cents, utm, campaigns } =
                known.map_or(UNKNOWN, |(_, habit)| *habit);
            let cents = if source.cost_per_lead.is_some() { 0 } else { cents };
            Sender { source: source.clone(), share, quality, spam, cents, utm, campaigns }
        })
        .collect()
}
