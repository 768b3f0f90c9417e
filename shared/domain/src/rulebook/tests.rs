//! A small rulebook of two dealers, and everything that can be wrong with it.

use super::*;
use proptest::prelude::*;

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

pub(super) fn folder() -> BTreeMap<&'static str, Vec<u8>> {
    [
        ("company.toml", COMPANY),
        ("offers.toml", OFFERS),
        ("sources.toml", SOURCES),
        ("scoring.toml", SCORING),
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

mod good {
    use super::*;
    use crate::contract::{Cap, Caps, Needs, Sale, Selection, Territory, WhenUnavailable};
    use crate::dealer::{AfterHours, Hours};
    use crate::distribution::{DEFAULT_RANKING, Rule, Step, Waiting};
    use crate::scoring::Band;
    use crate::time::Period;

    #[test]
    fn a_rulebook_is_read_with_its_defaults() {
        let book = parse(folder()).unwrap();
        assert_eq!((book.company.window_days, book.company.currency.as_str()), (45, "USD"));
        assert_eq!(book.company.scope, Scope::Category);

        let [repair, prize] = &book.offers[..] else { panic!() };
        assert_eq!((repair.mode, repair.ranking.as_slice()), (Mode::Automatic, &DEFAULT_RANKING[..]));
        assert_eq!((prize.mode, prize.min_band, prize.incentive), (Mode::Manual, Band::LEAST, true));
        assert_eq!(prize.ranking, [Step::Price, Step::Distance { bucket_miles: 25 }]);

        let [page, list] = &book.sources[..] else { panic!() };
        assert_eq!(page.origins, ["https://storm.example", "http://localhost:8080"]);
        assert_eq!(page.fields["Your e-mail"], "email");
        assert_eq!(page.offers["Win!"].as_str(), "grill-prize");
        assert_eq!((list.ends.unwrap().to_string().as_str(), list.key_generation), ("2026-01-31", 3));

        let [hudson, mia] = &book.dealers[..] else { panic!() };
        assert_eq!((hudson.name.as_str(), hudson.zone.as_str()), ("Hudson, Sons", "America/New_York"));
        assert_eq!(hudson.holidays.len(), 2);
        assert_eq!((mia.zone.as_str(), &mia.hours), ("America/Chicago", &Hours::always()));
        assert_eq!(mia.after_hours, AfterHours::Deliver);
        let order: Vec<(&str, u8)> =
            book.channels.iter().map(|channel| (channel.dealer.as_str(), channel.order)).collect();
        assert_eq!(order, [("hudson", 1), ("hudson", 2), ("mia", 1)]);

        let [protected, open] = &book.contracts[..] else { panic!() };
        assert_eq!(protected.territory, Territory::Protected);
        assert_eq!(protected.when_unavailable, WhenUnavailable::Wait);
        assert_eq!(
            protected.caps,
            Caps(vec![
                Cap { period: Period::Hour, most: 2 },
                Cap { period: Period::Day, most: 10 },
                Cap { period: Period::Month, most: 100 }
            ])
        );
        assert_eq!((open.tier, open.weight, open.price.minor(), open.sale.seats()), (1, 1, 0, 3));
        assert_eq!((open.territory, open.needs), (Territory::Open, Needs::NONE));
        assert_eq!(open.offers, Selection::All);
        assert_eq!(protected.sale, Sale::EXCLUSIVE);

        let [miami, night] = &book.tests[..] else { panic!() };
        assert_eq!(miami.used.values().next().unwrap().day, Some(9));
        assert_eq!(miami.expect.excluded.values().next(), Some(&Rule::Inactive));
        assert_eq!(night.expect.waiting, Some(Waiting::For(Rule::Hours)));
        assert_eq!(night.lead.band.to_string(), "A1");
        let warnings = book.check("2026-01-31".parse().unwrap());
        assert!(warnings.iter().all(is_about_the_country), "{warnings:?}");
    }

    #[test]
    fn what_spreadsheets_do_to_a_file_changes_nothing() {
        let book = parse(folder()).unwrap();
        for name in ["dealers.csv", "channels.csv", "areas.csv", "contracts.csv"] {
            let text = text_of(name);
            let semicolons: Vec<String> = text
                .lines()
                .map(|line| {
                    let mut cells = Vec::new();
                    let mut reader =
                        csv::ReaderBuilder::new().has_headers(false).from_reader(line.as_bytes());
                    for cell in reader
                        .records()
                        .flatten()
                        .flat_map(|row| row.iter().map(str::to_owned).collect::<Vec<_>>())
                    {
                        cells.push(if cell.contains(';') { format!("\"{cell}\"") } else { cell });
                    }
                    cells.join(";")
                })
                .collect();
            let semicolons = semicolons.join("\n");
            for changed in [
                format!("\u{feff}{text}"),
                text.replace('\n', "\r\n"),
                text.replace('\n', "\n,,,,\n") + "\n\n,,,,,\n",
                text.replacen('\n', ",,\n", 1),
                semicolons.clone(),
                format!("sep=;\r\n{semicolons}"),
                text.lines().next().unwrap().to_uppercase()
                    + text.split_once('\n').map(|_| "\n").unwrap()
                    + text.split_once('\n').unwrap().1,
                text.trim_end().to_owned(),
            ] {
                assert_eq!(with(name, &changed).as_ref(), Ok(&book), "{changed}");
            }
        }
        for name in ["company.toml", "sources.toml", "tests.toml"] {
            let text = text_of(name);
            assert_eq!(with(name, text.replace('\n', "\r\n")).as_ref(), Ok(&book));
            assert_eq!(with(name, format!("\u{feff}{text}")).as_ref(), Ok(&book));
        }
    }

    #[test]
    fn channels_and_tests_may_be_absent_and_notes_are_passed_over() {
        let mut folder = folder();
        folder.remove("channels.csv");
        folder.remove("tests.toml");
        folder.insert("README.md", b"\xff".to_vec());
        folder.insert(".gitignore", Vec::new());
        assert!(parse(folder).is_ok());
    }

    #[test]
    fn a_channel_says_when_it_is_used_and_is_a_fallback_if_it_does_not() {
        use crate::dealer::ChannelWhen;
        let rows =
            "dealer,order,kind,address,when\nmia,1,inbox,,\nmia,2,webhook,https://mia.example/,always\n";
        let book = with("channels.csv", rows).unwrap();
        let whens: Vec<ChannelWhen> = book.channels.iter().map(|channel| channel.when).collect();
        assert_eq!(whens, [ChannelWhen::Fallback, ChannelWhen::Always]);
        assert_only(
            with("channels.csv", rows.replace("always", "often")),
            "channels.csv:3:36: error: when a channel is used is one of: fallback always",
        );
    }

    #[test]
    fn a_channel_says_its_format_and_is_standard_if_it_does_not() {
        use crate::dealer::Format;
        let earlier = "dealer,order,kind,address,when\nmia,1,webhook,https://mia.example/,\n";
        let book = with("channels.csv", earlier).unwrap();
        assert_eq!((&book.channels[0].format, book.channels[0].vendor_id.as_str()), (&Format::Standard, ""));
        let compiled = book.compile(1).unwrap();
        assert!(
            compiled.chunks.values().all(|chunk| chunk.encode().unwrap()[0] < 0x80),
            "as earlier versions"
        );

        let adf = CHANNELS.replacen("leads,,", "leads,adf,D-4711", 1);
        let book = with("channels.csv", &adf).unwrap();
        let hudson = &book.channels[0];
        assert_eq!((&hudson.format, hudson.vendor_id.as_str()), (&Format::Adf, "D-4711"));
        // It is kept beside the chunk's channels, and comes back with them.
        for chunk in book.compile(1).unwrap().chunks.values() {
            let chunk = crate::distribution::Chunk::decode(&chunk.encode().unwrap()).unwrap();
            let Some(hudson) = chunk.dealer(&"hudson".parse().unwrap()) else { continue };
            let [first, second] = &hudson.channels[..] else { panic!("there are two") };
            assert_eq!((&first.format, &second.format), (&Format::Adf, &Format::Standard));
            assert_eq!((first.vendor.id.as_str(), first.vendor.name.as_str()), ("D-4711", "Hudson, Sons"));
        }
    }

    #[test]
    fn debug_shows_no_person() {
        let files = RulebookFiles::new(folder()).unwrap();
        let shown = format!("{files:?} {:?}", Rulebook::parse(&files).unwrap());
        assert!(!shown.contains("Hudson") && !shown.contains("305") && shown.contains("gulf-leads"));
    }
}

mod files {
    use super::*;

    #[test]
    fn a_missing_file_is_one_problem() {
        for (name, _) in FILES.iter().filter(|(_, needed)| *needed) {
            let mut folder = folder();
            folder.remove(name);
            assert_only(parse(folder), &format!("{name}:1:1: error: a rulebook needs the file {name}"));
        }
    }

    #[test]
    fn a_stranger_is_named_with_what_was_meant() {
        let mut folder = folder();
        folder.insert("dealer.csv", Vec::new());
        folder.insert("people.csv", Vec::new());
        let known = "company.toml offers.toml sources.toml scoring.toml screening.toml dealers.csv templates.toml channels.csv areas.csv contracts.csv tests.toml";
        assert_eq!(
            lines(parse(folder)),
            [
                format!(
                    "dealer.csv:1:1: error: a rulebook has no such file (its files are: {known}); did you mean \"dealers.csv\"?"
                ),
                "people.csv:1:1: error: this file is not supported yet: leave it out".to_owned(),
            ]
        );
    }

    #[test]
    fn a_rulebook_has_a_size() {
        let result = RulebookFiles::new([("areas.csv", vec![b' '; crate::limits::RULEBOOK_BYTES + 1])]);
        let problems = result.unwrap_err();
        assert_eq!(
            problems.to_string(),
            "areas.csv:1:1: error: a rulebook has at most 16777216 bytes in all its files"
        );
        assert_only(
            with("scoring.toml", vec![b'#'; crate::limits::TOML_BYTES + 1]),
            "scoring.toml:1:1: error: a TOML file has at most 4194304 bytes",
        );
        let twice = RulebookFiles::new([("areas.csv", vec![]), ("areas.csv", vec![])]);
        assert_eq!(twice.unwrap_err().list[0].code, ProblemCode::DuplicateFile);
    }

    #[test]
    fn other_encodings_are_refused_where_they_show() {
        let mut bytes = b"area,part\nmiami,zip3:331\nd\xe9f,state:FL\n".to_vec();
        let problems = with("areas.csv", &bytes).unwrap_err();
        assert_eq!(problems.list.len(), 1);
        assert_eq!(problems.list[0].at, Position { line: 3, column: 2 });
        assert_eq!(problems.list[0].code, ProblemCode::NotUtf8);
        bytes.splice(0..0, [0xff, 0xfe]);
        assert!(with("areas.csv", &bytes).unwrap_err().to_string().contains("UTF-16"));
    }

    #[test]
    fn problems_are_json_for_programs() {
        let problems = edited("company.toml", "45", "0").unwrap_err();
        assert_eq!(
            serde_json::to_string(&problems).unwrap(),
            r#"{"list":[{"file":"company.toml","line":4,"column":15,"severity":"error","code":"invalid-value","message":"window_days is a whole number from 1 to 365"}],"omitted":0}"#
        );
    }

    #[test]
    fn problems_end_somewhere() {
        let rows = "c,nobody,*,*,nowhere,x\n".repeat(1_000);
        let problems =
            with_contracts(&format!("contract,dealer,offers,sources,area,price\n{rows}")).unwrap_err();
        assert_eq!((problems.list.len(), problems.omitted), (200, 3_999 - 200));
        assert!(problems.to_string().ends_with("\nand 3799 more"));
    }
}

mod toml_files {
    use super::*;

    #[test]
    fn every_key_is_checked_where_it_stands() {
        for (name, from, to, expected) in [
            (
                "company.toml",
                "zone = \"America/New_York\"",
                "zone = \"EST5\"",
                "3:8: error: a zone is an IANA name such as America/New_York",
            ),
            (
                "company.toml",
                "name = \"Gulf Leads\"",
                "name = 7",
                "2:8: error: name: this is text, in quotes",
            ),
            ("company.toml", "id = \"gulf-leads\"\n", "", "1:1: error: the key id is missing here"),
            (
                "company.toml",
                "mode = \"automatic\"",
                "mode = \"auto\"",
                "5:8: error: mode is one of: automatic manual",
            ),
            (
                "company.toml",
                "mode = \"automatic\"",
                "currency = \"usd\"",
                "5:12: error: currency is three capital letters, such as USD",
            ),
            (
                "company.toml",
                "mode = \"automatic\"",
                "week_starts = \"friday\"",
                "5:15: error: week_starts is one of: monday sunday",
            ),
            (
                "company.toml",
                "mode = \"automatic\"",
                "scope = \"trade\"",
                "5:9: error: scope is one of: category offer",
            ),
            ("company.toml", "mode = \"automatic\"", "ranking = []", "5:11: error: ranking has 1 to 8 steps"),
            (
                "company.toml",
                "mode = \"automatic\"",
                "ranking = [\"tier\", \"luck\"]",
                "5:20: error: a ranking step is tier, distance:10mi (1 to 500), share, longest_ago, price or performance:90d:20 (7 to 182 days, at least 1 to 10000 leads)",
            ),
            (
                "company.toml",
                "window_days",
                "windowdays",
                "4:1: error: there is no key \"windowdays\" here; did you mean \"window_days\"?",
            ),
            (
                "company.toml",
                "window_days = 45",
                "branding = {}",
                "4:12: error: branding is not supported yet: leave it out",
            ),
            (
                "company.toml",
                "window_days = 45",
                "window_days = 45\nretention_days = 29",
                "5:18: error: retention_days is a whole number from 30 to 3650",
            ),
            (
                "company.toml",
                "window_days = 45",
                "window_days = 45\nretention_days = 44",
                "5:18: error: retention_days is at least window_days, 45",
            ),
            (
                "company.toml",
                "window_days = 45",
                "window_days = 45\ncertificate_days = 0",
                "5:20: error: certificate_days is a whole number from 1 to 1826",
            ),
            (
                "company.toml",
                "window_days = 45",
                "window_days = 45\ncall_hours = \"07:59-21:00\"",
                "5:14: error: call_hours is from and to, such as 09:00-20:00, within 08:00-21:00",
            ),
            (
                "company.toml",
                "window_days = 45",
                "window_days = 45\ncall_hours = \"09:00-21:01\"",
                "5:14: error: call_hours is from and to, such as 09:00-20:00, within 08:00-21:00",
            ),
            (
                "company.toml",
                "window_days = 45",
                "window_days = 45\ncall_hours = \"20:00-09:00\"",
                "5:14: error: call_hours is from and to, such as 09:00-20:00, within 08:00-21:00",
            ),
            (
                "offers.toml",
                "ranking = [\"price\", \"distance:25mi\"]",
                "[[offer]]\nid = \"roof-repair\"\ncategory = \"roofing\"\nname = \"Again\"",
                "14:6: error: offer \"roof-repair\" is here twice: it stands in line 2 already",
            ),
            (
                "offers.toml",
                "band = \"B3\"",
                "band = \"D3\"",
                "5:8: error: a band is a letter from A to C and a digit from 1 to 3, such as B2",
            ),
            (
                "offers.toml",
                "incentive = true",
                "incentive = \"yes\"",
                "12:13: error: incentive is true or false, without quotes",
            ),
            (
                "sources.toml",
                "offer = \"roof-repair\"",
                "offer = \"roof-repairs\"",
                "4:9: error: there is no offer \"roof-repairs\" in offers.toml; did you mean \"roof-repair\"?",
            ),
            (
                "sources.toml",
                "\"grill-prize\"",
                "\"prize\"",
                "5:21: error: there is no offer \"prize\" in offers.toml",
            ),
            (
                "sources.toml",
                "\"email\"",
                "\"E-mail\"",
                "6:28: error: fields: a standard field is 1 to 64 characters: lower-case letters, digits and '_', a letter first",
            ),
            (
                "sources.toml",
                "http://localhost:8080",
                "http://localhost:8080/",
                "7:37: error: origins: an origin is https://host or https://host:8443, with nothing after it, not even '/'",
            ),
            (
                "sources.toml",
                "https://storm.example/thanks",
                "/thanks",
                "8:13: error: thank_you: a page is an http:// or https:// URL of at most 2048 ASCII characters",
            ),
            (
                "sources.toml",
                "kind = \"file\"",
                "kind = \"fax\"",
                "12:8: error: kind: a source's kind is one of: form google meta adf file",
            ),
            (
                "sources.toml",
                "2026-01-31",
                "2026-01-31T10:00:00Z",
                "13:8: error: ends: a date is written 2026-05-09",
            ),
            (
                "sources.toml",
                "key_generation = 3",
                "key_generation = 0",
                "15:18: error: key_generation is a whole number from 1 to 1000000",
            ),
            ("sources.toml", "key_generation = 3", "postback = \"x\"", "15:12: error: postback is a table"),
            (
                "tests.toml",
                "\"roof-repair\"",
                "\"roof\"",
                "4:33: error: there is no offer \"roof\" in offers.toml",
            ),
            (
                "tests.toml",
                "hudson-miami = {",
                "hudson = {",
                "5:10: error: there is no contract \"hudson\" in contracts.csv",
            ),
            (
                "tests.toml",
                "day = 9",
                "days = 9",
                "5:27: error: there is no key \"days\" here; did you mean \"day\"?",
            ),
            (
                "tests.toml",
                "holds = [\"mia\"]",
                "holds = [\"maa\"]",
                "6:10: error: there is no dealer \"maa\" in dealers.csv; did you mean \"mia\"?",
            ),
            (
                "tests.toml",
                "paused = [\"mia-florida\", \"mia\"]",
                "paused = [\"nobody\"]",
                "7:11: error: paused: this is the id of a contract or dealer; there is none of that name",
            ),
            (
                "tests.toml",
                "\"inactive\"",
                "\"asleep\"",
                "9:30: error: excluded: a rule is one of: inactive offer source age area band needs excluded territory hours cap",
            ),
            (
                "tests.toml",
                "2026-06-01T09:00:00-04:00",
                "2026-06-01T09:00:00",
                "3:6: error: at: a time is written with its offset: 2026-06-01T09:00:00-04:00",
            ),
            (
                "tests.toml",
                "assigned = [\"hudson-miami\"]\n",
                "waiting = \"hours\"\nassigned = [\"hudson-miami\"]\n",
                "8:11: error: a lead is assigned or waiting, not both",
            ),
            (
                "tests.toml",
                "assigned = [\"hudson-miami\"]",
                "assigned = []",
                "8:12: error: assigned names at least one contract; of a lead that nobody gets, say waiting",
            ),
            (
                "tests.toml",
                "waiting = \"hours\"\n",
                "",
                "15:9: error: until needs waiting: an assigned lead waits for nothing",
            ),
            (
                "tests.toml",
                "waiting = \"hours\"\nuntil = 2026-06-02T08:00:00-04:00\n",
                "",
                "11:1: error: this test expects nothing: say assigned, waiting or excluded",
            ),
        ] {
            assert_only(edited(name, from, to), &format!("{name}:{expected}"));
        }
    }

    #[test]
    fn what_is_no_toml_is_refused_where_it_breaks() {
        for name in ["company.toml", "offers.toml", "sources.toml", "scoring.toml", "tests.toml"] {
            let problems = with(name, "a = 1\né = ü\n").unwrap_err();
            assert_eq!(problems.list.len(), 1, "{problems}");
            assert_eq!((problems.list[0].at.line, problems.list[0].code), (2, ProblemCode::Syntax));
        }
    }

    #[test]
    fn a_file_of_the_wrong_shape_is_one_problem() {
        assert_only(with("offers.toml", "offer = 1"), "offers.toml:1:9: error: offer is a list: [ … ]");
        assert_only(
            with("offers.toml", "offer = [1]"),
            "offers.toml:1:10: error: each offer is a table: [[offer]]",
        );
        assert_only(
            with("sources.toml", ""),
            "sources.toml:1:1: error: a rulebook has at least one [[source]]",
        );
    }
}

mod templates {
    use super::*;
    use crate::delivery::{Event, Node};

    const CRM: &str = r#"[[template]]
id = "crm"
kind = "json"
method = "PATCH"
headers = { Authorization = "Bearer {secret.api_key}" }
success = { status = [200], json = "$.status", is = ["ok"] }
reference = "$.id"
decline = { status = [409], reason = "$.why" }
assigned = { zip = "{zip}", email = "{email}", list = [1, 2.5, true, "x"] }
withdrawn = { id = "{reference}", why = "{reason}" }
"#;

    fn book(templates: &str) -> Result<Rulebook, Problems> {
        let mut folder = folder();
        folder.insert("templates.toml", templates.as_bytes().to_vec());
        folder.insert("channels.csv", CHANNELS.replacen("leads,,", "leads,crm,", 1).into_bytes());
        parse(folder)
    }

    #[test]
    fn a_template_is_read_in_the_order_in_which_it_is_written_and_compiled() {
        let book = book(CRM).unwrap();
        let compiled = book.compile(1).unwrap();
        let core: crate::distribution::Core =
            serde_json::from_str(&serde_json::to_string(&compiled.core).unwrap()).unwrap();
        let template = core.template(&"crm".parse().unwrap()).unwrap();
        let Some(Node::Table(parts)) = template.body(Event::Assigned) else { panic!("it has one") };
        let names: Vec<&str> = parts.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["zip", "email", "list"]);
        assert!(template.body(Event::Warned).is_none());
        assert!(template.headers[0].0 == "authorization");
        // One that nobody uses is warned of; a difference is told.
        let idle = with("templates.toml", CRM).unwrap();
        let warned = idle.check("2026-06-01".parse().unwrap());
        assert!(format!("{warned:?}").contains("no channel names the template"), "{warned:?}");
        let other = super::templates::book(&CRM.replace("{zip}", "{state}")).unwrap();
        let told = book.diff(&other).to_string();
        assert!(told.starts_with("templates: 1 changed\n  ~ crm\n"), "{told}");
    }

    #[test]
    fn what_a_template_would_send_is_shown_of_the_dealer_that_uses_it() {
        let at = "2026-06-01T13:00:00Z".parse().unwrap();
        let crm = CRM.replace("{zip}", "{zip} {last_name} {dealer} {contract} {offer} {price}");
        let examples = super::templates::book(&crm).unwrap().template_examples(at);
        let shown: Vec<(Event, bool)> = examples.iter().map(|one| (one.event, one.masked)).collect();
        let expected = [(Event::Assigned, true), (Event::Assigned, false), (Event::Withdrawn, false)];
        assert_eq!(shown, expected);
        for one in &examples {
            assert_eq!((one.template.as_str(), one.method.as_str()), ("crm", "PATCH"));
            assert_eq!(one.headers[1], ("authorization".to_owned(), "Bearer {secret.api_key}".to_owned()));
        }
        let said = |at: usize| -> serde_json::Value { serde_json::from_str(&examples[at].body).unwrap() };
        let who = "hudson hudson-miami roof-repair 45.00";
        assert_eq!(said(0)["zip"], format!("12534  {who}"));
        assert_eq!(said(1)["zip"], format!("12534 O'Example & Sons {who}"));
        assert_eq!((said(0)["email"].is_null(), &said(1)["email"]), (true, &"ada@example.com".into()));
        assert_eq!(said(2), serde_json::json!({ "id": "L-1042", "why": "lapsed" }));
        // One that no channel names is shown under the first contract there is.
        let idle = with("templates.toml", CRM).unwrap().template_examples(at);
        assert_eq!(idle.len(), 3);
    }

    #[test]
    fn what_is_wrong_with_a_template_is_told_where_it_stands() {
        // What is replaced by what, the place that is told, and what is said of it.
        for (from, to, place, expected) in [
            ("{email}", "{emial}", "\"{emial}", "there is no field \"emial\"; did you mean \"email\"?"),
            ("{email}", "{email", "\"{email\"", "a field stands in braces"),
            ("{reason}", "{first_name}", "\"{first", "lead.withdrawn says nothing of first_name"),
            ("{reason}", "{extra.age}", "\"{extra", "lead.withdrawn says nothing of the person"),
            ("{zip}", "{reason}", "\"{reason}", "lead.assigned says nothing of reason"),
            ("{secret.api_key}", "{email}", "\"Bearer", "nothing of the person stands in a header"),
            ("Authorization", "Content-Type", "Content-Type", "this header is ours: leave it out"),
            ("Authorization", "Webhook-Id", "Webhook-Id", "this header is ours: leave it out"),
            ("\"crm\"", "\"adf\"", "\"adf\"", "id: standard and adf are formats already"),
            ("\"json\"", "\"yaml\"", "\"yaml\"", "a template's kind is one of: json form xml"),
            ("\"PATCH\"", "\"GET\"", "\"GET\"", "a template's method is one of: POST PUT PATCH"),
            ("[200]", "[404]", "[404]", "status is a list of numbers, each 2xx"),
            ("[409]", "[500]", "[500]", "status is a list of numbers, each 2xx or 4xx"),
            ("\"$.id\"", "\"id\"", "\"id\"", "a place in JSON is written $.lead.id"),
            ("status = [409], ", "", "{ reason = ", "decline says how it is known"),
            ("json = \"$.status\", ", "text = \"a\", ", "[\"ok\"]", "is goes with json"),
            (
                "assigned = {",
                "assinged = {",
                "assinged",
                "there is no key \"assinged\" here; did you mean \"assigned\"?",
            ),
            ("kind = \"json\"\n", "", "[[template]]", "the key kind is missing here"),
        ] {
            assert!(CRM.contains(from), "{from}");
            let changed = CRM.replacen(from, to, 1);
            let before = &changed[..changed.find(place).unwrap()];
            let (line, column) = (
                before.matches('\n').count() + 1,
                before.chars().rev().take_while(|c| *c != '\n').count() + 1,
            );
            let found = lines(book(&changed));
            let stands = format!("templates.toml:{line}:{column}: error: ");
            let told = |found: &String| found.starts_with(&stands) && found.contains(expected);
            assert!(found.iter().any(told), "{stands}{expected}\n{found:#?}");
        }
        let nested =
            CRM.replace("json\"\nmethod", "form\"\nmethod").replace("[1, 2.5, true, \"x\"]", "{ a = 1 }");
        assert!(lines(book(&nested))[0].contains("a form has no tables within it"));
        let xml = CRM.replace("json\"\nmethod", "xml\"\nmethod");
        assert!(lines(book(&xml))[0].contains("an XML document has one element"));
        let twice = format!("{CRM}{CRM}");
        assert!(lines(book(&twice)).iter().any(|line| line.contains("template \"crm\" is here twice")));
        let deep = CRM.replace("[1, 2.5, true, \"x\"]", &format!("{}1{}", "[".repeat(9), "]".repeat(9)));
        assert!(lines(book(&deep))[0].contains("at most 8 deep"));
        let huge = format!("{CRM}#{}", "x".repeat(crate::limits::TEMPLATES_BYTES));
        assert!(lines(book(&huge))[0].contains("at most 32768 bytes"));
        let many = CRM.replacen("[1, 2.5, true, \"x\"]", &format!("[{}]", "1,".repeat(201)), 1);
        assert!(lines(book(&many))[0].contains("at most 200 fields"));
    }
}

mod tables {
    use super::*;

    const ID: &str =
        "an id is 1 to 48 characters: lower-case letters, digits, '-', '_' and '.', a letter or digit first";

    #[test]
    fn every_cell_is_checked_where_it_stands() {
        for (row, expected) in [
            ("c,hudson,*,*,miami,45.00,0,,", "2:26: error: cap_day is a whole number from 1 to 1000000".to_owned()),
            ("c,hudson,*,*,miami,45.00,1000001,,", "2:26: error: cap_day is a whole number from 1 to 1000000".to_owned()),
            ("c,\"hudson\",\"*\",*,miami,45.00,+5,,", "2:30: error: cap_day is a whole number from 1 to 1000000".to_owned()),
            ("C,hudson,*,*,miami,45.00,,,", format!("2:1: error: contract: {ID}")),
            (",hudson,*,*,miami,45.00,,,", "2:1: error: contract may not be empty".to_owned()),
            ("c,hudso,*,*,miami,45.00,,,", "2:3: error: there is no dealer \"hudso\" in dealers.csv; did you mean \"hudson\"?".to_owned()),
            ("c,hudson,roof-repair nothing,*,miami,45.00,,,", "2:10: error: there is no offer \"nothing\" in offers.toml".to_owned()),
            ("c,hudson,roof-repair *,*,miami,45.00,,,", "2:10: error: offers: '*' means all, and stands alone".to_owned()),
            ("c,hudson,*,storm,miami,45.00,,,", "2:12: error: there is no source \"storm\" in sources.toml".to_owned()),
            ("c,hudson,*,,miami,45.00,,,", "2:12: error: sources may not be empty".to_owned()),
            ("c,hudson,*,*,texas,45.00,,,", "2:14: error: there is no area \"texas\" in areas.csv".to_owned()),
            ("c,hudson,*,*,miami,\"45,00\",,,", "2:20: error: price: an amount has a point, no comma: 45.00; set the spreadsheet's language to English, or format the column as text".to_owned()),
            ("c,hudson,*,*,miami,$45,,,", "2:20: error: price: an amount is written 45 or 45.00, from 0 to 10000000".to_owned()),
            ("c,hudson,*,*,miami", "2:19: error: price may not be empty".to_owned()),
            ("c,hudson,*,*,miami,45,,2026-01-01,2026-01-02", "2:24: error: ends lies before starts".to_owned()),
            ("c,hudson,*,*,miami,45,,5/1/2026,", "2:24: error: ends: the spreadsheet made this a date: format the column as text and write it again (a date is written 2026-05-09)".to_owned()),
            ("1.5E+07,hudson,*,*,miami,45,,,", format!("2:1: error: contract: the spreadsheet rounded this number: format the column as text and write it again in full ({ID})")),
            ("TRUE,hudson,*,*,miami,45,,,", format!("2:1: error: contract: the spreadsheet made this TRUE or FALSE: format the column as text and write it again ({ID})")),
            ("c,#REF!,*,*,miami,45,,,", format!("2:3: error: dealer: this is a spreadsheet's error value: repair the formula before you save ({ID})")),
            ("c,hudson,*,*,miami,45,,,,,x", "2:27: error: this cell stands under no column's name".to_owned()),
            ("c,hudson,*,*,miami,45,,,\n\n\"c\",hudson,*,*,florida,45,,,", "4:1: error: contract \"c\" is here twice: it stands in line 2 already".to_owned()),
            ("c,hudson,*,*,miami,\"45,,,\nd,hudson,*,*,miami,45,,,", "2:20: error: the quote that opens here is never closed".to_owned()),
        ] {
            assert_only(short_contracts(row), &format!("contracts.csv:{expected}"));
        }
    }

    #[test]
    fn dealers_channels_and_areas_are_checked_alike() {
        for (name, from, to, expected) in [
            (
                "dealers.csv",
                ",33101,",
                ",331012,",
                "2:78: error: zip: a ZIP is five digits, such as 02134 or 02134-1234",
            ),
            (
                "dealers.csv",
                ",outside,",
                ",inside,",
                "2:8: error: kind: a dealer's kind is one of: outside own",
            ),
            ("dealers.csv", "\"Hudson, Sons\"", "", "2:16: error: name may not be empty"),
            (
                "dealers.csv",
                "ann@hudson.example",
                "ann",
                "2:42: error: email: an address is written leads@example.com, in at most 254 bytes",
            ),
            (
                "dealers.csv",
                "+1 305 555 0100",
                "1.3055550E+10",
                "2:61: error: phone: the spreadsheet rounded this number: format the column as text and write it again in full (a telephone number is written +1 305 555 0100)",
            ),
            (
                "dealers.csv",
                "+1 305 555 0100",
                "call us",
                "2:61: error: phone: a telephone number is written +1 305 555 0100",
            ),
            (
                "dealers.csv",
                "america/chicago",
                "Chicago",
                "3:22: error: a zone is an IANA name such as America/New_York",
            ),
            (
                "dealers.csv",
                "Mo-Fr 08:00-18:00; Sa 09:00-12:00",
                "9-May",
                "2:85: error: hours: the spreadsheet made this a date: format the column as text and write it again (hours are written 'Mo-Fr 08:00-18:00; Sa 09:00-12:00' or '24/7')",
            ),
            (
                "dealers.csv",
                "Mo-Fr 08:00-18:00; Sa 09:00-12:00",
                ";",
                "2:85: error: hours must be open at some time; leave the cell empty for 24/7",
            ),
            (
                "dealers.csv",
                "2026-12-25 2026-11-26",
                "Christmas",
                "2:124: error: holidays are days, and vacations from one to another, separated by spaces: 2026-12-25 2026-07-01..2026-07-14",
            ),
            (
                "dealers.csv",
                "2026-12-25 2026-11-26",
                "2026-12-25..2026-11-26",
                "2:124: error: holidays: 2026-11-26 lies before 2026-12-25",
            ),
            (
                "dealers.csv",
                "2026-12-25 2026-11-26",
                "2026-01-01..2027-02-05",
                "2:124: error: holidays are at most 400 days",
            ),
            ("dealers.csv", "deliver,,,,\n", "deliver,,,,500\n", "3:50: error: prepaid: this is yes or no"),
            (
                "dealers.csv",
                "own,Mia",
                "own,TRUE",
                "3:9: error: name: the spreadsheet made this TRUE or FALSE: format the column as text and write it again",
            ),
            (
                "dealers.csv",
                "\nmia,",
                "\nhudson,",
                "3:1: error: dealer \"hudson\" is here twice: it stands in line 2 already",
            ),
            ("channels.csv", "hudson,2", "hudson,9", "2:8: error: order is a whole number from 1 to 8"),
            (
                "channels.csv",
                "hudson,2",
                "hudson,1",
                "3:8: error: dealer \"hudson\" has a channel of this order already",
            ),
            (
                "channels.csv",
                "hudson,2",
                "maa,2",
                "2:1: error: there is no dealer \"maa\" in dealers.csv; did you mean \"mia\"?",
            ),
            (
                "channels.csv",
                "https://hudson",
                "http://hudson",
                "3:18: error: address: a webhook's address is an https:// URL of at most 2048 ASCII characters",
            ),
            (
                "channels.csv",
                "2,inbox,,",
                "2,inbox,x,",
                "2:16: error: an inbox has no address: leave it empty",
            ),
            (
                "channels.csv",
                "leads,,",
                "leads,adff,",
                "3:47: error: there is no format \"adff\": it is standard, adf or a template of templates.toml; did you mean \"adf\"?",
            ),
            (
                "channels.csv",
                "2,inbox,,",
                "2,inbox,,adf",
                "2:17: error: an inbox has no format: leave it empty",
            ),
            (
                "channels.csv",
                "leads,,",
                "leads,,4711",
                "3:48: error: a vendor_id goes with the format adf, or with a template",
            ),
            ("areas.csv", "state:FL", "", "4:9: error: part may not be empty"),
            (
                "areas.csv",
                "zip3:331",
                "radius_mi:501",
                "2:7: error: part: radius_mi is a whole number of miles from 1 to 500",
            ),
        ] {
            let mut folder = folder();
            let text = text_of(name);
            assert!(text.contains(from));
            folder.insert(name, text.replacen(from, to, 1).into_bytes());
            let found = lines(parse(folder));
            // A dealer that is gone, or an area, is missed elsewhere too; the first is the cause.
            assert!(found.contains(&format!("{name}:{expected}")), "{expected}\n{found:#?}");
        }
    }

    #[test]
    fn a_header_is_checked_name_by_name() {
        let row = "c,hudson,*,*,miami,45";
        for (header, expected) in [
            (
                "contract,dealer,offers,sources,area,prize",
                vec![
                    "1:1: error: contracts.csv needs the column price",
                    "1:37: error: there is no column \"prize\" in contracts.csv; did you mean \"price\"?",
                ],
            ),
            (
                "contract,dealer,offers,sources,area,price,area",
                vec!["1:43: error: the column area is here twice"],
            ),
            (
                "contract,dealer,offers,sources,area,",
                vec![
                    "1:1: error: contracts.csv needs the column price",
                    "2:20: error: this cell stands under no column's name",
                ],
            ),
        ] {
            let expected: Vec<String> = expected.iter().map(|line| format!("contracts.csv:{line}")).collect();
            assert_eq!(lines(with_contracts(&format!("{header}\n{row}\n"))), expected);
        }
    }

    #[test]
    fn a_table_without_a_header_is_not_repeated_aloud() {
        for text in ["", "\n\n", "Ann Hudson,ann@hudson.example,305 555 0100\n"] {
            let found = lines(with("dealers.csv", text));
            assert_eq!(found.len(), 1);
            assert!(found[0].contains("error: the first row names the columns: dealer,kind,name"));
            assert!(!found[0].contains("Ann"));
        }
    }

    #[test]
    fn positions_survive_quotes_line_ends_and_a_byte_order_mark() {
        let text = "contract,dealer,\"offers\",sources,area,price\n\
                    \"a\",\"hudson\",\"roof-repair\ngrill-prize\",*,miami,45\n\
                    é,hudson,*,\"*\",\"m\"\"x\",45\n";
        let expected = [
            format!("contracts.csv:4:1: error: contract: {ID}"),
            format!("contracts.csv:4:16: error: area: {ID}"),
        ];
        for text in
            [text.to_owned(), text.replace('\n', "\r\n"), text.replace('\n', "\r"), format!("\u{feff}{text}")]
        {
            assert_eq!(lines(with_contracts(&text)), expected);
        }
    }

    #[test]
    fn all_faults_of_a_row_are_told_at_once_and_a_faulty_dealer_is_still_a_dealer() {
        let problems = lines(short_contracts("C,nobody,*,*,miami,x,0,y,"));
        assert_eq!(problems.len(), 5, "{problems:#?}");
        assert_only(
            edited("dealers.csv", "hold,", "held,"),
            "dealers.csv:2:119: error: after_hours is one of: hold deliver",
        );
    }

    /// The good company with a deadline of its own, and one contract with these columns.
    fn contract_with(columns: &str, cells: &str) -> Result<Rulebook, Problems> {
        let mut folder = folder();
        let header = format!("contract,dealer,offers,sources,area,price,{columns}");
        let text = format!("{header}\nc,hudson,*,*,miami,45,{cells}\n");
        folder.insert("contracts.csv", text.into_bytes());
        folder.remove("tests.toml");
        let company =
            format!("{}\ndeadline_minutes = 60\ndeadline_clock = \"wall\"\n", text_of("company.toml"));
        folder.insert("company.toml", company.into_bytes());
        parse(folder)
    }

    #[test]
    fn a_contract_has_the_companys_deadline_unless_it_says_otherwise() {
        let deadline = |cells: &str| {
            let book = contract_with("deadline_minutes,deadline_clock", cells).unwrap();
            book.contracts[0].deadline.map(|deadline| (deadline.minutes, deadline.clock.as_str()))
        };
        assert_eq!(deadline(","), Some((60, "wall")));
        assert_eq!(deadline("15,"), Some((15, "wall")));
        assert_eq!(deadline(",open"), Some((60, "open")));
        assert_eq!(deadline("0,"), None);
        assert_only(
            contract_with("deadline_minutes,deadline_clock", "0,open"),
            "contracts.csv:2:25: error: deadline_clock needs deadline_minutes: there is no deadline",
        );
    }

    #[test]
    fn what_may_be_returned_is_said_whole() {
        const COLUMNS: &str = "return_days,return_quota,return_reasons,return_approval,budget_month";
        let book = contract_with(COLUMNS, "7,10%,wrong-number out-of-area,trusted,900.00").unwrap();
        let terms = book.contracts[0].returns.as_ref().unwrap();
        assert_eq!((terms.days, terms.quota_percent, terms.approval.as_str()), (7, Some(10), "trusted"));
        assert_eq!(
            terms.reasons.iter().map(|reason| reason.as_str()).collect::<Vec<_>>(),
            ["wrong-number", "out-of-area"]
        );
        assert_eq!(book.contracts[0].budget_month.unwrap().minor(), 90_000);
        assert!(contract_with(COLUMNS, ",,,,").unwrap().contracts[0].returns.is_none());
        for (cells, expected) in [
            (
                "7,,,,",
                "2:23: error: return_days needs return_reasons: for which reasons may a lead be returned?",
            ),
            (",5,,,", "2:24: error: return_quota needs return_days: nothing may be returned"),
            ("91,,x,,", "2:23: error: return_days is a whole number from 1 to 90"),
            ("7,0.1,x,,", "2:25: error: return_quota: a quota is a whole percentage from 1 to 100: 10%"),
            (
                "7,,Bad!,,",
                "2:26: error: return_reasons are ids separated by spaces: wrong-number not-interested",
            ),
            (",,,,0", "2:27: error: budget_month: a budget is more than 0; leave the cell empty for none"),
        ] {
            assert_only(contract_with(COLUMNS, cells), &format!("contracts.csv:{expected}"));
        }
    }

    #[test]
    fn tables_end_somewhere() {
        use std::fmt::Write as _;
        let mut text = "contract,dealer,offers,sources,area,price\n".to_owned();
        for number in 0..=crate::limits::CONTRACTS {
            writeln!(text, "c{number},mia,*,*,miami,1").unwrap();
        }
        assert_only(
            with_contracts(&text),
            "contracts.csv:100002:1: error: a rulebook has at most 100000 contracts",
        );
    }
}

/// Two dealers in Miami leave most of the country open, and half of the week.
fn is_about_the_country(warning: &Problem) -> bool {
    matches!(warning.code, ProblemCode::Gap | ProblemCode::Shut)
}

mod warnings {
    use super::*;

    fn warned(result: Result<Rulebook, Problems>, today: &str) -> Vec<String> {
        let mut warnings = result.unwrap().check(today.parse().unwrap());
        warnings.retain(|warning| !is_about_the_country(warning));
        warnings.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_is_hardly_meant_is_warned_of() {
        assert_eq!(
            warned(parse(folder()), "2027-01-01"),
            [
                "contracts.csv:2:1: warning: the last day of contract \"hudson-miami\" is over",
                "dealers.csv:2:1: warning: dealer \"hudson\" has no running contract",
                "sources.toml:10:1: warning: the last day of source \"old-list\" is over",
            ]
        );
        assert_eq!(
            warned(short_contracts("c,hudson,roof-repair,*,miami,45,,,"), "2026-01-01"),
            [
                "areas.csv:4:1: warning: no contract names the area \"florida\"",
                "dealers.csv:3:1: warning: dealer \"mia\" has no running contract",
                "offers.toml:7:1: warning: no running contract takes the offer \"grill-prize\"",
            ]
        );
    }

    #[test]
    fn a_dealer_that_nothing_is_sent_to_is_warned_of() {
        assert_eq!(
            warned(edited("channels.csv", "mia,1,inbox,,,\n", ""), "2026-01-01"),
            ["dealers.csv:3:1: warning: dealer \"mia\" has no channel: it reads the inbox only"]
        );
        let mut folder = folder();
        folder.remove("channels.csv");
        assert_eq!(
            warned(parse(folder), "2026-01-01"),
            ["channels.csv:1:1: warning: there is no channels.csv: every dealer reads the inbox only"]
        );
    }

    #[test]
    fn a_slip_in_a_standard_field_is_warned_of() {
        assert_eq!(
            warned(edited("sources.toml", "\"email\"", "\"emial\""), "2026-01-01"),
            [
                "sources.toml:1:1: warning: fields of source \"storm-page\": \"emial\" is no standard field; did you mean \"email\"?"
            ]
        );
    }
}

/// Every file, mutated: bytes replaced, removed, doubled, or moved from elsewhere.
fn mutated() -> impl Strategy<Value = (&'static str, Vec<u8>)> {
    let edit = (any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0..6_u8, any::<u8>());
    (0..FILES.len(), prop::collection::vec(edit, 1..6)).prop_map(|(file, edits)| {
        let (name, _) = FILES[file];
        let mut bytes = folder().get(name).cloned().unwrap_or_default(); // some files may be absent
        for (at, other, how, byte) in edits {
            if bytes.is_empty() {
                break;
            }
            let (at, other) = (at.index(bytes.len()), other.index(bytes.len()));
            match how {
                0 => bytes[at] = byte,
                1 => drop(bytes.remove(at)),
                2 => bytes.insert(at, b"\",;\n\r={[.#E"[usize::from(byte) % 11]),
                3 => bytes.truncate(at),
                4 => {
                    let copy = bytes[at.min(other)..at.max(other)].to_vec();
                    bytes.splice(at..at, copy);
                }
                _ => bytes.swap(at, other),
            }
        }
        (name, bytes)
    })
}

/// Whatever came in, what comes out is a rulebook or problems within the files.
fn assert_sound(name: &'static str, bytes: &[u8]) {
    match with(name, bytes) {
        Ok(book) => drop(book.check("2026-01-01".parse().unwrap())),
        Err(problems) => {
            assert!(!problems.is_empty());
            for problem in &problems.list {
                assert!(problem.at.line >= 1 && problem.at.column >= 1 && !problem.message.contains('\n'));
            }
            assert!(problems.list.is_sorted_by_key(|problem| (&problem.file, problem.at)));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_bytes_make_the_parser_panic(file in 0..FILES.len(), bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        assert_sound(FILES[file].0, &bytes);
    }

    #[test]
    fn no_change_of_a_good_file_makes_the_parser_panic((name, bytes) in mutated()) {
        assert_sound(name, &bytes);
    }

    #[test]
    fn a_bad_cell_is_found_behind_any_quoting(
        before in prop::collection::vec("[a-z é,;\n\"]{0,8}", 0..4),
        line_end in prop::sample::select(vec!["\n", "\r\n"]),
        mark in prop::sample::select(vec!["", "\u{feff}"]),
    ) {
        // The cells stand under empty names, so each that is not blank is a problem where it begins.
        let quoted: Vec<String> =
            before.iter().map(|cell| format!("\"{}\"", cell.replace('"', "\"\""))).collect();
        let header = format!("area,part{}", ",".repeat(before.len() + 1));
        let row = format!("miami,zip3:331,{}", quoted.join(",") + if quoted.is_empty() { "" } else { "," });
        let mut folder = folder();
        folder.insert("areas.csv", format!("{mark}{header}{line_end}florida,state:FL{line_end}{row}?{line_end}").into_bytes());
        let problems = parse(folder).unwrap_err();
        let first = before.iter().position(|cell| !cell.trim().is_empty()).unwrap_or(before.len());
        let passed = format!("miami,zip3:331,{}", quoted[..first].join(",") + if first == 0 { "" } else { "," });
        let expected = Position {
            line: 3 + passed.matches('\n').count() as u32,
            column: 1 + passed.rsplit('\n').next().unwrap().chars().count() as u32,
        };
        prop_assert_eq!(problems.list[0].at, expected);
    }
}
#[test]
fn depth_and_width_end_in_problems() {
    let deep = [
        format!("{}a = 1", "a.".repeat(100_000)),
        format!("[{}a]", "a.".repeat(100_000)),
        format!("a = {}", "[".repeat(100_000)),
        format!("a = {}", "{a=".repeat(100_000)),
    ];
    for text in deep {
        assert_sound("tests.toml", text.as_bytes());
    }
    let wide = [
        format!("area,part\n{}", ",".repeat(1_000_000)),
        format!("area{}", ",x".repeat(500_000)),
        format!("area,part\n{}", "A,b\n".repeat(300_000)),
        format!("area,part\n\"{}", "\"\"".repeat(500_000)),
    ];
    for text in wide {
        assert_sound("areas.csv", text.as_bytes());
    }
}
