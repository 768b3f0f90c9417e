//! A good folder: what is read of it, with its defaults and by whoever edited it.

use super::*;
use crate::contract::{Cap, Caps, Needs, Sale, Selection, Territory, WhenUnavailable};
use crate::dealer::{AfterHours, Hours};
use crate::distribution::{DEFAULT_RANKING, Rule, Step, Waiting};
use crate::place::State;
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
    let on = |generation, day: &str| list.lets_in(generation, day.parse().unwrap());
    let last = "2026-02-14";
    assert!(on(3, "2026-12-01") && on(2, last));
    assert!(!on(2, "2026-02-15") && !on(1, last) && !on(4, last) && !page.lets_in(0, last.parse().unwrap()));

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
                let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(line.as_bytes());
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
    let rows = "dealer,order,kind,address,when\nmia,1,inbox,,\nmia,2,webhook,https://mia.example/,always\n";
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
    assert!(compiled.chunks.values().all(|chunk| chunk.encode().unwrap()[0] < 0x80), "as earlier versions");

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
        assert_eq!((first.vendor().id.as_str(), first.vendor().name.as_str()), ("D-4711", "Hudson, Sons"));
    }
}

#[test]
fn debug_shows_no_person() {
    let files = RulebookFiles::new(folder()).unwrap();
    let shown = format!("{files:?} {:?}", Rulebook::parse(&files).unwrap());
    assert!(!shown.contains("Hudson") && !shown.contains("305") && shown.contains("gulf-leads"));
}

#[test]
fn each_contract_serves_the_states_that_its_area_lies_in() {
    let served = |parts: &str| {
        let areas: String = parts.split(' ').flat_map(|part| ["here,", part, "\n"]).collect();
        let mut folder = folder();
        folder.insert("areas.csv", format!("area,part\n{areas}").into_bytes());
        folder.insert(
            "contracts.csv",
            b"contract,dealer,offers,sources,area,price\none,hudson,*,*,here,1.00\n".to_vec(),
        );
        folder.remove("tests.toml");
        let [served] = parse(folder).unwrap().served()[..] else { panic!() };
        let states = State::ALL.iter().filter(|state| served.states.contains(**state));
        (states.map(|state| state.as_str()).collect::<Vec<_>>(), served.everywhere)
    };
    assert_eq!(served("state:FL state:GU"), (vec!["FL", "GU"], false));
    assert_eq!(served("zip:33101 zip:10001 county:48201"), (vec!["FL", "NY", "TX"], false));
    assert_eq!(served("zip3:331"), (vec!["FL"], false));
    assert_eq!(served("any zip:33101"), (vec!["FL"], true));
    // A circle around Hudson: of 5 miles, and one that touches Georgia.
    assert_eq!(served("radius_mi:5").0, ["FL"]);
    let far = served("radius_mi:500").0;
    assert!(far.contains(&"FL") && far.contains(&"GA") && !far.contains(&"TX"), "{far:?}");
}
