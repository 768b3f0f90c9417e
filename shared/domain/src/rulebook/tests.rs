//! A small rulebook of two dealers, and everything that can be wrong with it.

mod good;
mod files;
mod toml_files;
mod templates;
mod tables;
mod warnings;
mod mutated;

use super::*;

const COMPANY: &str = r#"id = "gulf-leads"
name = "Gulf Leads"
zone = "America/New_York"
window_days = 45
mode = "automatic"
"#;

const OFFERS: &str = r#"[[offer]]
id = "roof-repair"
category = "roofing"
name = "Roof repair"
band = "B3"

[[offer]]
id = "grill-prize"
category = "roofing"
name = "Win a grill"
mode = "manual"
incentive = true
ranking = ["price", "distance:25mi"]
"#;

const SOURCES: &str = r#"[[source]]
id = "storm-page"
kind = "form"
offer = "roof-repair"
offers = { "Win!" = "grill-prize" }
fields = { "Your e-mail" = "email", "ZIP code" = "zip" }
origins = ["https://Storm.Example", "http://localhost:8080"]
thank_you = "https://storm.example/thanks"

[[source]]
id = "old-list"
kind = "file"
ends = 2026-01-31
test = true
key_generation = 3
earlier_key_until = 2026-02-14
"#;

const SCORING: &str = "half_life_days = 14\n";

const DEALERS: &str = "\
dealer,kind,name,contact,email,phone,billing_email,zip,zone,hours,after_hours,holidays,cap_day,cap_month,prepaid
hudson,outside,\"Hudson, Sons\",Ann Hudson,ann@hudson.example,+1 305 555 0100,,33101,,Mo-Fr 08:00-18:00; Sa 09:00-12:00,hold,2026-12-25 2026-11-26,10,,
mia,own,Mia,,,,,2134,america/chicago,,deliver,,,,
";

const CHANNELS: &str = "\
dealer,order,kind,address,format,vendor_id
hudson,2,inbox,,,
hudson,1,webhook,https://hudson.example/leads,,
mia,1,inbox,,,
";

const AREAS: &str = "\
area,part
miami,zip3:331
miami,zip:2134
florida,state:FL
";

const CONTRACTS: &str = "\
contract,dealer,offers,sources,area,territory,sale,when_unavailable,min_band,needs,max_age_hours,tier,weight,price,cap_hour,cap_day,cap_week,cap_month,cap_total,budget_month,deadline_minutes,deadline_clock,after_hours,return_days,return_quota,return_reasons,starts,ends
hudson-miami,hudson,roof-repair grill-prize,*,miami,protected,exclusive,wait,B2,consent dnc_clean,72,1,2,45.00,2,10,,100,,,,,deliver,,,,2026-01-01,2026-12-31
mia-florida,mia,*,storm-page,florida,,shared:3,,,,,,,0,,,,,,,,,,,,,,
";

const TESTS: &str = r#"[[test]]
name = "Miami is Hudson's"
at = 2026-06-01T09:00:00-04:00
lead = { zip = "33101", offer = "roof-repair", source = "storm-page", band = "A2", brings = ["consent"], age_hours = 3 }
used = { hudson-miami = { day = 9 } }
holds = ["mia"]
paused = ["mia-florida", "mia"]
assigned = ["hudson-miami"]
excluded = { "mia-florida" = "inactive" }

[[test]]
name = "nobody at night"
at = "2026-06-01T23:00:00-04:00"
lead = { state = "FL", offer = "roof-repair", source = "storm-page", excluded = ["hudson"] }
waiting = "hours"
until = 2026-06-02T08:00:00-04:00
"#;

const PEOPLE: &str = "person,email,role\nmaria,maria@acme.example,manager\nben,ben@acme.example,reader\n";

pub(super) fn folder() -> BTreeMap<&'static str, Vec<u8>> {
    [
        ("company.toml", COMPANY),
        ("offers.toml", OFFERS),
        ("sources.toml", SOURCES),
        ("scoring.toml", SCORING),
        ("people.csv", PEOPLE),
        ("dealers.csv", DEALERS),
        ("channels.csv", CHANNELS),
        ("areas.csv", AREAS),
        ("contracts.csv", CONTRACTS),
        ("tests.toml", TESTS),
    ]
    .into_iter()
    .map(|(name, text)| (name, text.as_bytes().to_vec()))
    .collect()
}

pub(super) fn parse(folder: BTreeMap<&'static str, Vec<u8>>) -> Result<Rulebook, Problems> {
    RulebookFiles::new(folder).and_then(|files| Rulebook::parse(&files))
}

/// The good folder with one file replaced.
fn with(name: &'static str, bytes: impl AsRef<[u8]>) -> Result<Rulebook, Problems> {
    let mut folder = folder();
    folder.insert(name, bytes.as_ref().to_vec());
    parse(folder)
}

fn text_of(name: &str) -> String {
    String::from_utf8(folder()[name].clone()).unwrap()
}

/// The good folder with `from` replaced once by `to` in one file.
fn edited(name: &'static str, from: &str, to: &str) -> Result<Rulebook, Problems> {
    let text = text_of(name);
    assert!(text.contains(from), "{from:?} is not in {name}");
    with(name, text.replacen(from, to, 1))
}

fn lines(result: Result<Rulebook, Problems>) -> Vec<String> {
    result.unwrap_err().list.iter().map(ToString::to_string).collect()
}

#[track_caller]
fn assert_only(result: Result<Rulebook, Problems>, expected: &str) {
    assert_eq!(lines(result), [expected]);
}

/// A contract of the fewest columns, `row` below the header.
fn short_contracts(row: &str) -> Result<Rulebook, Problems> {
    with_contracts(&format!("contract,dealer,offers,sources,area,price,cap_day,ends,starts\n{row}\n"))
}

fn with_contracts(text: &str) -> Result<Rulebook, Problems> {
    let mut folder = folder();
    folder.insert("contracts.csv", text.as_bytes().to_vec());
    folder.remove("tests.toml");
    parse(folder)
}

/// Two dealers in Miami leave most of the country open, and half of the week.
fn is_about_the_country(warning: &Problem) -> bool {
    matches!(warning.code, ProblemCode::Gap | ProblemCode::Shut)
}
