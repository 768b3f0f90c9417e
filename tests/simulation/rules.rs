//! Two small companies: their rulebooks as text, and the same rules once more as a table that the
//! checks go by. The table is written apart from the text, so that a mistake of the compiler is not
//! repeated by the check.

use leadyard_domain::distribution::Compiled;
use leadyard_domain::rulebook::{Rulebook, RulebookFiles};
use leadyard_domain::time::Period;

/// A company's rulebook, compiled once for all seeds.
pub(crate) struct Book {
    /// As compiled.
    pub(crate) compiled: Compiled,
    /// As written.
    pub(crate) files: RulebookFiles,
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
}

const ROOFS: &[&str] = &["roof-repair", "roof-new", "grill-prize"];
const ALL: &[&str] = &["roof-repair", "roof-new", "grill-prize", "solar-quote"];
const COLORADO: &[&str] = &["80"];
const TEXAS: &[&str] = &["75"];
const FLORIDA: &[&str] = &["331"];
const UTAH: &[&str] = &["84"];

/// Every contract.
pub(crate) const CONTRACTS: &[Contract] = &[
    Contract {
        company: "alpha",
        id: "aspen-denver",
        dealer: "aspen",
        zips: &["802"],
        offers: &["roof-repair", "roof-new"],
        caps: &[(Period::Day, 3)],
    },
    Contract {
        company: "alpha",
        id: "birch-colorado",
        dealer: "birch",
        zips: COLORADO,
        offers: ALL,
        caps: &[(Period::Hour, 2), (Period::Day, 4)],
    },
    Contract {
        company: "alpha",
        id: "cedar-colorado",
        dealer: "cedar",
        zips: COLORADO,
        offers: ALL,
        caps: &[(Period::Day, 5)],
    },
    Contract {
        company: "alpha",
        id: "elm-colorado",
        dealer: "elm",
        zips: COLORADO,
        offers: ROOFS,
        caps: &[],
    },
    Contract { company: "alpha", id: "fir-texas", dealer: "fir", zips: TEXAS, offers: ALL, caps: &[] },
    Contract {
        company: "alpha",
        id: "cedar-texas",
        dealer: "cedar",
        zips: TEXAS,
        offers: ALL,
        caps: &[(Period::Day, 2)],
    },
    Contract { company: "alpha", id: "doug-texas", dealer: "doug", zips: TEXAS, offers: ALL, caps: &[] },
    // Both are asked before the rest, and one sleeps at night: its seat is kept.
    Contract { company: "alpha", id: "fir-utah", dealer: "fir", zips: UTAH, offers: ALL, caps: &[] },
    Contract { company: "alpha", id: "birch-utah", dealer: "birch", zips: UTAH, offers: ALL, caps: &[] },
    Contract {
        company: "alpha",
        id: "elm-florida",
        dealer: "elm",
        zips: FLORIDA,
        offers: &["roof-repair"],
        caps: &[(Period::Day, 2)],
    },
    Contract {
        company: "alpha",
        id: "cedar-anywhere",
        dealer: "cedar",
        zips: &[""],
        offers: ALL,
        caps: &[(Period::Total, 6)],
    },
    Contract {
        company: "beta",
        id: "gum-anywhere",
        dealer: "gum",
        zips: &[""],
        offers: &["car-quote", "home-quote"],
        caps: &[(Period::Day, 2)],
    },
    Contract {
        company: "beta",
        id: "aspen-anywhere",
        dealer: "aspen",
        zips: &[""],
        offers: &["car-quote", "home-quote"],
        caps: &[(Period::Hour, 1), (Period::Week, 4)],
    },
];

/// Caps of dealers, across their contracts.
pub(crate) const DEALER_CAPS: &[(&str, &str, Period, u32)] =
    &[("alpha", "elm", Period::Day, 3), ("alpha", "cedar", Period::Day, 6)];

/// Monthly budgets of contracts, in minor units.
pub(crate) const BUDGETS: &[(&str, &str, i64)] =
    &[("alpha", "aspen-denver", 40_000), ("beta", "gum-anywhere", 10_000)];

/// The dealer that pays in advance.
pub(crate) const PREPAID: (&str, &str) = ("alpha", "cedar");

/// The budget of the caps item of a contract, by its partition key.
pub(crate) fn budget_of(pk: &str) -> Option<i64> {
    BUDGETS.iter().find(|(company, id, _)| pk == format!("K#{company}#c#{id}")).map(|(_, _, budget)| *budget)
}

/// Whether a caps item is that of the dealer that pays in advance.
pub(crate) fn is_prepaid(pk: &str) -> bool {
    pk == format!("K#{}#d#{}", PREPAID.0, PREPAID.1)
}

/// Offers people ask for, by company.
pub(crate) const OFFERS: &[(&str, &[&str])] = &[
    ("alpha", &["roof-repair", "roof-new", "roof-repair", "solar-quote", "grill-prize"]),
    ("beta", &["car-quote", "home-quote"]),
];

/// Where people live.
pub(crate) const ZIPS: &[&str] = &["80202", "80401", "75214", "33101", "80401", "75230", "84101"];

/// A contract by its id.
pub(crate) fn contract(company: &str, id: &str) -> Option<&'static Contract> {
    CONTRACTS.iter().find(|contract| contract.company == company && contract.id == id)
}

/// What was agreed for the caps item of a contract or a dealer, by its partition key; `None` for any
/// other item.
pub(crate) fn caps_of(pk: &str) -> Option<Vec<(Period, u32)>> {
    let mut parts = pk.strip_prefix("K#")?.split('#');
    let (company, kind, id) = (parts.next()?, parts.next()?, parts.next()?);
    if kind == "c" {
        return Some(contract(company, id)?.caps.to_vec());
    }
    let of_dealer = DEALER_CAPS.iter().filter(|(of, dealer, _, _)| *of == company && *dealer == id);
    Some(of_dealer.map(|(_, _, period, most)| (*period, *most)).collect())
}

/// Who alone may have a lead of this offer from there: an empty list is nobody, `None` is anybody.
pub(crate) fn compelled(company: &str, offer: &str, zip: &str) -> Option<&'static [&'static str]> {
    let roofing = ROOFS.contains(&offer);
    match company {
        "alpha" if zip.starts_with("802") && ["roof-repair", "roof-new"].contains(&offer) => {
            Some(&["aspen-denver"])
        }
        "alpha" if zip.starts_with("331") && roofing && offer == "roof-repair" => Some(&["elm-florida"]),
        "alpha" if zip.starts_with("331") && roofing => Some(&[]),
        _ => None,
    }
}

/// Who must have been offered a lead from there before anybody else.
pub(crate) fn comes_first(company: &str, zip: &str) -> Option<&'static str> {
    (company == "alpha" && zip.starts_with("75")).then_some("fir-texas")
}

/// Both rulebooks, compiled.
///
/// # Errors
/// When the text is not a rulebook.
pub(crate) fn books() -> anyhow::Result<Vec<Book>> {
    [&ALPHA[..], &BETA[..]].into_iter().map(book).collect()
}

fn book(files: &[(&str, &str)]) -> anyhow::Result<Book> {
    let problem = |problems: leadyard_domain::rulebook::Problems| anyhow::anyhow!("{problems:?}");
    let files = files.iter().chain(&BOTH).map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()));
    let files = RulebookFiles::new(files.collect::<Vec<_>>()).map_err(problem)?;
    let compiled = Rulebook::parse(&files).map_err(problem)?.compile(0)?;
    Ok(Book { compiled, files })
}

const BOTH: [(&str, &str); 2] = [
    (
        "scoring.toml",
        r#"half_life_days = 14

[[fit]]
label = "can be called"
points = 15
has = ["phone"]

[[fit]]
label = "can be written to"
points = 15
has = ["email"]

[interactions]
enquiry = { points = 10, daily_cap = 3 }
quote_request = { points = 30, daily_cap = 2 }
email_click = { points = 5, daily_cap = 3 }
page_view = { points = 1, daily_cap = 10 }

[bands.fit]
A = 30
B = 10

[bands.engagement]
1 = 40
2 = 10
"#,
    ),
    (
        "areas.csv",
        "area,part\ndenver,zip3:802\ncolorado,state:CO\ntexas,state:TX\nflorida,zip3:331\nutah,state:UT\nanywhere,any\n",
    ),
];

const ALPHA: [(&str, &str); 6] = [
    (
        "company.toml",
        r#"id = "alpha"
name = "Alpha Leads"
zone = "America/Denver"
window_days = 30
mode = "automatic"
"#,
    ),
    (
        "offers.toml",
        r#"[[offer]]
id = "roof-repair"
category = "roofing"
name = "Roof repair"

[[offer]]
id = "roof-new"
category = "roofing"
name = "New roof"

[[offer]]
id = "grill-prize"
category = "roofing"
name = "Win a grill"
incentive = true

[[offer]]
id = "solar-quote"
category = "solar"
name = "Solar quote"
band = "A1"
"#,
    ),
    ("sources.toml", "[[source]]\nid = \"web\"\nkind = \"form\"\noffer = \"roof-repair\"\n"),
    (
        "dealers.csv",
        "dealer,kind,name,zip,zone,hours,cap_day,prepaid\n\
         aspen,outside,Aspen,80202,America/Denver,24/7,,\n\
         birch,outside,Birch,80401,America/Denver,Mo-Su 08:00-20:00,,\n\
         cedar,outside,Cedar,80401,America/Denver,24/7,6,yes\n\
         doug,own,Doug,75214,America/Chicago,24/7,,\n\
         elm,outside,Elm,33101,America/New_York,24/7,3,\n\
         fir,outside,Fir,75230,America/Chicago,24/7,,\n",
    ),
    (
        "channels.csv",
        "dealer,order,kind,address\n\
         aspen,1,webhook,http://127.0.0.1:9/alpha/aspen\n\
         birch,1,webhook,http://127.0.0.1:9/alpha/birch\n\
         cedar,1,webhook,http://127.0.0.1:9/alpha/cedar\n\
         doug,1,inbox,\n\
         elm,1,webhook,http://127.0.0.1:9/alpha/elm\n\
         fir,1,webhook,http://127.0.0.1:9/alpha/fir\n",
    ),
    (
        "contracts.csv",
        "contract,dealer,offers,sources,area,territory,sale,when_unavailable,max_age_hours,tier,weight,price,cap_hour,cap_day,cap_week,cap_month,cap_total,budget_month,deadline_minutes,deadline_clock,return_days,return_quota,return_reasons,return_approval\n\
         aspen-denver,aspen,roof-repair roof-new,*,denver,protected,exclusive,wait,,1,1,85.00,,3,,,,400.00,,,,,,\n\
         birch-colorado,birch,*,*,colorado,open,exclusive,next,,1,1,45.00,2,4,,,,,60,open,,,,\n\
         cedar-colorado,cedar,*,*,colorado,open,shared:2,next,,1,2,40.00,,5,,,,,,,7,,wrong-number,desk\n\
         elm-colorado,elm,roof-repair roof-new grill-prize,*,colorado,open,shared:2,next,,1,1,40.00,,,,,,,,,7,50%,wrong-number,trusted\n\
         fir-texas,fir,*,*,texas,first,exclusive,next,,3,1,40.00,,,,,,,,,,,,\n\
         cedar-texas,cedar,*,*,texas,open,exclusive,next,,1,1,40.00,,2,,,,,,,,,,\n\
         doug-texas,doug,*,*,texas,open,shared:2,next,,1,1,0,,,,,,,90,wall,,,,\n\
         fir-utah,fir,*,*,utah,first,shared:2,wait,72,1,1,35.00,,,,,,,,,,,,\n\
         birch-utah,birch,*,*,utah,first,shared:2,wait,72,1,1,35.00,,,,,,,,,,,,\n\
         elm-florida,elm,roof-repair,*,florida,closed,exclusive,wait,72,1,1,50.00,,2,,,,,,,,,\n\
         cedar-anywhere,cedar,*,*,anywhere,open,exclusive,next,,2,1,30.00,,,,,6,,,,,,,\n",
    ),
];

const BETA: [(&str, &str); 6] = [
    (
        "company.toml",
        r#"id = "beta"
name = "Beta Leads"
zone = "America/New_York"
scope = "offer"
window_days = 30
mode = "automatic"
"#,
    ),
    (
        "offers.toml",
        r#"[[offer]]
id = "car-quote"
category = "insurance"
name = "Car insurance"

[[offer]]
id = "home-quote"
category = "insurance"
name = "Home insurance"
"#,
    ),
    ("sources.toml", "[[source]]\nid = \"web\"\nkind = \"form\"\noffer = \"car-quote\"\n"),
    (
        "dealers.csv",
        "dealer,kind,name,zip,zone,hours\n\
         aspen,outside,Aspen too,80202,America/Denver,24/7\n\
         gum,outside,Gum,33101,America/New_York,24/7\n",
    ),
    (
        "channels.csv",
        "dealer,order,kind,address\n\
         aspen,1,webhook,http://127.0.0.1:9/beta/aspen\n\
         gum,1,webhook,http://127.0.0.1:9/beta/gum\n",
    ),
    (
        "contracts.csv",
        "contract,dealer,offers,sources,area,territory,sale,when_unavailable,tier,weight,price,cap_hour,cap_day,cap_week,budget_month\n\
         gum-anywhere,gum,*,*,anywhere,open,shared:2,next,1,1,20.00,,2,,100.00\n\
         aspen-anywhere,aspen,*,*,anywhere,open,shared:2,next,1,3,20.00,1,,4,\n",
    ),
];
