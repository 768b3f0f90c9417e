//! Two small companies: their rulebooks as text, and the same rules once more as a table that the
//! checks go by. The table is written apart from the text, so that a mistake of the compiler is not
//! repeated by the check.
//!
//! Each rulebook has two editions, of which the desk publishes the other one in the middle of a run: see
//! [`Edition`]. The texts are [`texts`].

mod texts;

use std::collections::BTreeMap;
use std::sync::Arc;

use leadyard::aws::DynamoService;
use leadyard_domain::contract::Need;
use leadyard_domain::distribution::Compiled;
use leadyard_domain::rulebook::{Problems, Rulebook, RulebookFiles};
use leadyard_domain::time::Period;
use serde_json::Value;

use texts::{ALPHA, ALPHA_SECOND, BETA, BETA_SECOND, BOTH};

/// The texts of both editions of a rulebook, by file.
pub(crate) type Texts = [Arc<BTreeMap<String, String>>; 2];

/// A company's rulebook, its first edition compiled once for all seeds.
pub(crate) struct Book {
    /// Whose.
    pub(crate) company: &'static str,
    /// The first edition, as compiled.
    pub(crate) compiled: Compiled,
    /// The first edition, as written.
    pub(crate) files: RulebookFiles,
    /// The texts of both editions, by file.
    pub(crate) texts: Texts,
}

/// Which edition of a rulebook a version is. A world begins with the first; whoever publishes puts the other one
/// over the version that it looked at, and only over that: so they take turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Edition {
    /// As in [`CONTRACTS`].
    First,
    /// With what is in [`SECOND`].
    Second,
}

impl Edition {
    /// The other one.
    pub(crate) const fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }

    /// All that were in force, if this is the version now.
    pub(crate) const fn up_to(version: u64) -> &'static [Self] {
        if version > 1 { &[Self::First, Self::Second] } else { &[Self::First] }
    }
}

/// Which editions were published, as the table says it: each version names the one that it was put over.
#[derive(Clone)]
pub(crate) struct Editions {
    tables: DynamoService,
    table: String,
}

impl Editions {
    /// Of this table.
    pub(crate) const fn new(tables: DynamoService, table: String) -> Self {
        Self { tables, table }
    }

    /// An item of the table, by `pk|sk`, in the JSON of the API.
    pub(crate) fn item(&self, key: &str) -> Option<Value> {
        let (pk, sk) = key.split_once('|')?;
        serde_json::to_value(self.tables.item(&self.table, pk, sk)?).ok()
    }

    /// That of a version; of one that was never in force, as if it were the first.
    pub(crate) fn of(&self, company: &str, version: u64) -> Edition {
        let (mut edition, mut version) = (Edition::First, version);
        while let Some(base) = self.base(company, version) {
            edition = edition.other();
            version = base;
        }
        edition
    }

    fn base(&self, company: &str, version: u64) -> Option<u64> {
        let known = self.item(&format!("R#{company}|version#{version:010}"))?;
        known["base"]["N"].as_str()?.parse().ok().filter(|base| *base > 0)
    }
}

/// A contract as the checks know it.
pub(crate) struct Contract {
    /// Whose.
    pub(crate) company: &'static str,
    /// Its id.
    pub(crate) id: &'static str,
    /// Its dealer.
    pub(crate) dealer: &'static str,
    /// ZIPs that begin so are covered.
    pub(crate) zips: &'static [&'static str],
    /// The offers it takes.
    pub(crate) offers: &'static [&'static str],
    /// Its caps.
    pub(crate) caps: &'static [(Period, u32)],
    /// Its monthly budget, in minor units.
    pub(crate) budget: Option<i64>,
    /// The least band it takes.
    pub(crate) band: Option<&'static str>,
    /// What it needs of a lead.
    pub(crate) needs: &'static [Need],
}

/// A contract of alpha's that asks for nothing more.
const PLAIN: Contract = Contract {
    company: "alpha",
    id: "",
    dealer: "",
    zips: &[],
    offers: ALL,
    caps: &[],
    budget: None,
    band: None,
    needs: &[],
};

const ROOFS: &[&str] = &["roof-repair", "roof-new", "grill-prize"];
/// All of the category, which a closed territory keeps from others.
const ROOFING: &[&str] = &["roof-repair", "roof-new", "grill-prize", "gutters"];
const ALL: &[&str] = &["roof-repair", "roof-new", "grill-prize", "solar-quote", "gutters"];
/// The offer that the desk places by hand.
pub(crate) const BY_HAND: &str = "gutters";
const COLORADO: &[&str] = &["80"];
const TEXAS: &[&str] = &["75"];
const FLORIDA: &[&str] = &["331"];
const UTAH: &[&str] = &["84"];
const NEVADA: &[&str] = &["89"];
const CARS: &[&str] = &["car-quote", "home-quote"];

/// Every contract of the first editions.
pub(crate) const CONTRACTS: &[Contract] = &[
    Contract {
        id: "aspen-denver",
        dealer: "aspen",
        zips: &["802"],
        offers: &["roof-repair", "roof-new"],
        caps: &[(Period::Day, 3)],
        budget: Some(40_000),
        ..PLAIN
    },
    Contract {
        id: "birch-colorado",
        dealer: "birch",
        zips: COLORADO,
        caps: &[(Period::Hour, 2), (Period::Day, 4)],
        ..PLAIN
    },
    Contract { id: "cedar-colorado", dealer: "cedar", zips: COLORADO, caps: &[(Period::Day, 5)], ..PLAIN },
    Contract { id: "elm-colorado", dealer: "elm", zips: COLORADO, offers: ROOFS, ..PLAIN },
    Contract { id: "fir-texas", dealer: "fir", zips: TEXAS, ..PLAIN },
    Contract { id: "cedar-texas", dealer: "cedar", zips: TEXAS, caps: &[(Period::Day, 2)], ..PLAIN },
    Contract { id: "doug-texas", dealer: "doug", zips: TEXAS, ..PLAIN },
    // Both are asked before the rest, and one sleeps at night: its seat is kept.
    Contract { id: "fir-utah", dealer: "fir", zips: UTAH, ..PLAIN },
    Contract { id: "birch-utah", dealer: "birch", zips: UTAH, ..PLAIN },
    Contract {
        id: "elm-florida",
        dealer: "elm",
        zips: FLORIDA,
        offers: &["roof-repair"],
        caps: &[(Period::Day, 2)],
        ..PLAIN
    },
    Contract { id: "cedar-anywhere", dealer: "cedar", zips: &[""], caps: &[(Period::Total, 6)], ..PLAIN },
    // Who brings neither what one needs nor the band of the other is left to the contract above.
    Contract {
        id: "ash-nevada",
        dealer: "ash",
        zips: NEVADA,
        caps: &[(Period::Day, 6)],
        needs: &[Need::Consent, Need::DncClean],
        ..PLAIN
    },
    Contract {
        id: "yew-nevada",
        dealer: "yew",
        zips: NEVADA,
        caps: &[(Period::Hour, 3)],
        band: Some("A2"),
        ..PLAIN
    },
    Contract {
        company: "beta",
        id: "gum-anywhere",
        dealer: "gum",
        zips: &[""],
        offers: CARS,
        caps: &[(Period::Day, 2), (Period::Month, 3)],
        budget: Some(6_000),
        ..PLAIN
    },
    Contract {
        company: "beta",
        id: "aspen-anywhere",
        dealer: "aspen",
        zips: &[""],
        offers: CARS,
        caps: &[(Period::Hour, 1), (Period::Week, 4)],
        ..PLAIN
    },
];

/// Caps of dealers, across their contracts.
pub(crate) const DEALER_CAPS: &[(&str, &str, Period, u32)] =
    &[("alpha", "elm", Period::Day, 3), ("alpha", "cedar", Period::Day, 6)];

/// What is otherwise in the second editions; `None` of a contract that is gone.
const SECOND: &[(&str, &str, Option<Contract>)] = &[
    (
        "alpha",
        "aspen-denver",
        Some(Contract {
            id: "aspen-denver",
            dealer: "aspen",
            zips: &["802"],
            offers: &["roof-repair", "roof-new"],
            caps: &[(Period::Day, 1)],
            budget: Some(40_000),
            ..PLAIN
        }),
    ),
    (
        "alpha",
        "birch-colorado",
        Some(Contract {
            id: "birch-colorado",
            dealer: "birch",
            zips: &["802"],
            caps: &[(Period::Hour, 2), (Period::Day, 4)],
            ..PLAIN
        }),
    ),
    (
        "alpha",
        "cedar-colorado",
        Some(Contract {
            id: "cedar-colorado",
            dealer: "cedar",
            zips: COLORADO,
            caps: &[(Period::Day, 7)],
            ..PLAIN
        }),
    ),
    (
        "alpha",
        "ash-nevada",
        Some(Contract {
            id: "ash-nevada",
            dealer: "ash",
            zips: NEVADA,
            caps: &[(Period::Day, 6)],
            needs: &[Need::Consent],
            ..PLAIN
        }),
    ),
    ("alpha", "elm-colorado", None),
    (
        "beta",
        "gum-anywhere",
        Some(Contract {
            company: "beta",
            id: "gum-anywhere",
            dealer: "gum",
            zips: &[""],
            offers: CARS,
            caps: &[(Period::Day, 1), (Period::Month, 3)],
            budget: Some(6_000),
            ..PLAIN
        }),
    ),
    (
        "beta",
        "aspen-anywhere",
        Some(Contract {
            company: "beta",
            id: "aspen-anywhere",
            dealer: "aspen",
            zips: &[""],
            offers: CARS,
            caps: &[(Period::Hour, 2), (Period::Week, 4)],
            ..PLAIN
        }),
    ),
];

/// The dealer that pays in advance.
pub(crate) const PREPAID: (&str, &str) = ("alpha", "cedar");

/// Whether a caps item is that of the dealer that pays in advance.
pub(crate) fn is_prepaid(pk: &str) -> bool {
    pk == format!("K#{}#d#{}", PREPAID.0, PREPAID.1)
}

/// Offers people ask for, by company.
pub(crate) const OFFERS: &[(&str, &[&str])] = &[
    ("alpha", &["roof-repair", "roof-new", "roof-repair", "solar-quote", "grill-prize", "gutters"]),
    ("beta", &["car-quote", "home-quote"]),
];

/// Where people live.
pub(crate) const ZIPS: &[&str] =
    &["80202", "80401", "75214", "33101", "80401", "75230", "84101", "89101", "89101"];

/// Whether a person, by its number, agrees to be contacted, in all that it sends.
pub(crate) const fn consents(person: u64) -> bool {
    person % 5 < 3
}

/// Whether a person's phone is on its company's do-not-call list.
pub(crate) const fn is_listed(person: u64) -> bool {
    person % 5 == 1 || person % 10 == 4
}

/// A contract by its id, in an edition.
pub(crate) fn contract(edition: Edition, company: &str, id: &str) -> Option<&'static Contract> {
    let is_it = |of: &str, named: &str| of == company && named == id;
    if edition == Edition::Second
        && let Some((_, _, second)) = SECOND.iter().find(|(of, named, _)| is_it(of, named))
    {
        return second.as_ref();
    }
    CONTRACTS.iter().find(|contract| is_it(contract.company, contract.id))
}

/// What an edition agrees for a caps item.
pub(crate) struct Agreed {
    /// Its caps.
    pub(crate) caps: Vec<(Period, u32)>,
    /// Its monthly budget, in minor units.
    pub(crate) budget: Option<i64>,
}

/// What was agreed for the caps item of a contract or a dealer, by its partition key; `None` for any other item, and
/// for a contract that the edition does not have.
pub(crate) fn agreed(edition: Edition, pk: &str) -> Option<Agreed> {
    let mut parts = pk.strip_prefix("K#")?.split('#');
    let (company, kind, id) = (parts.next()?, parts.next()?, parts.next()?);
    if kind == "c" {
        let contract = contract(edition, company, id)?;
        return Some(Agreed { caps: contract.caps.to_vec(), budget: contract.budget });
    }
    let of_dealer = DEALER_CAPS.iter().filter(|(of, dealer, _, _)| *of == company && *dealer == id);
    let caps = of_dealer.map(|(_, _, period, most)| (*period, *most)).collect();
    Some(Agreed { caps, budget: None })
}

/// Whose territory compels for a lead of this offer from there, and who alone may have it then: an empty list is
/// nobody. `None` is anybody.
pub(crate) fn compelled(
    company: &str,
    offer: &str,
    zip: &str,
) -> Option<(&'static str, &'static [&'static str])> {
    let roofing = ROOFING.contains(&offer);
    match company {
        "alpha" if zip.starts_with("802") && ["roof-repair", "roof-new"].contains(&offer) => {
            Some(("aspen-denver", &["aspen-denver"]))
        }
        "alpha" if zip.starts_with("331") && roofing && offer == "roof-repair" => {
            Some(("elm-florida", &["elm-florida"]))
        }
        "alpha" if zip.starts_with("331") && roofing => Some(("elm-florida", &[])),
        _ => None,
    }
}

/// Who must have been offered a lead from there before anybody else.
pub(crate) fn comes_first(company: &str, zip: &str) -> Option<&'static str> {
    (company == "alpha" && zip.starts_with("75")).then_some("fir-texas")
}

/// Both rulebooks, their first editions compiled.
///
/// # Errors
/// When a text is not a rulebook, or has not what the second edition changes.
pub(crate) fn books() -> anyhow::Result<Vec<Book>> {
    Ok(vec![book("alpha", &ALPHA, &ALPHA_SECOND)?, book("beta", &BETA, &BETA_SECOND)?])
}

fn book(
    company: &'static str,
    files: &[(&str, &str)],
    changes: &[(&str, &str, &str)],
) -> anyhow::Result<Book> {
    let problem = |problems: Problems| anyhow::anyhow!("{problems:?}");
    let as_files = |texts: &BTreeMap<String, String>| {
        RulebookFiles::new(texts.iter().map(|(name, text)| (name.clone(), text.as_bytes().to_vec())))
    };
    let files = files.iter().chain(&BOTH);
    let first: BTreeMap<String, String> =
        files.map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    let mut second = first.clone();
    for (name, from, to) in changes {
        let text = second.get_mut(*name).ok_or_else(|| anyhow::anyhow!("there is no {name}"))?;
        anyhow::ensure!(text.matches(from).count() == 1, "{name} has not once: {from}");
        *text = text.replace(from, to);
    }
    let files = as_files(&first).map_err(problem)?;
    let compiled = Rulebook::parse(&files).map_err(problem)?.compile(0)?;
    Rulebook::parse(&as_files(&second).map_err(problem)?).map_err(problem)?;
    Ok(Book { company, compiled, files, texts: [Arc::new(first), Arc::new(second)] })
}
