//! Out and in again.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Cursor, Read as _};

use jiff::civil::{DateTime, date};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::{parse, read};
use crate::rulebook::tests::folder;
use crate::rulebook::workbook::{export, template};
use crate::rulebook::{Presence, Rulebook, TABLES};

fn noon() -> DateTime {
    date(2026, 5, 9).at(12, 0, 0, 0)
}

/// A rulebook's tables as a workbook beside the TOML files of the same folder.
fn through_a_workbook(book: &Rulebook, mut folder: BTreeMap<&'static str, Vec<u8>>) -> Rulebook {
    folder.retain(|name, _| name.strip_suffix(".csv").is_none());
    folder.insert("tables.xlsx", export(book, noon()).unwrap());
    parse(folder).unwrap_or_else(|problems| panic!("{problems}"))
}

fn demo() -> BTreeMap<&'static str, Vec<u8>> {
    macro_rules! file {
        ($name:literal) => {
            ($name, include_bytes!(concat!("../../../../../../infra/local/demo/", $name)).to_vec())
        };
    }
    BTreeMap::from([
        file!("company.toml"),
        file!("offers.toml"),
        file!("sources.toml"),
        file!("scoring.toml"),
        file!("dealers.csv"),
        file!("channels.csv"),
        file!("areas.csv"),
        file!("contracts.csv"),
        file!("tests.toml"),
    ])
}

#[test]
fn the_demo_goes_out_and_comes_back() {
    let book = parse(demo()).unwrap();
    assert!(book.contracts.len() > 300);
    assert_eq!(through_a_workbook(&book, demo()), book);
}

/// The good folder's tables, opened as CSV and saved as XLSX by LibreOffice Calc 7.4: ZIPs and amounts became numbers,
/// one of them without its zero, and days became dates.
#[test]
fn what_libreoffice_makes_of_a_table_is_read_as_it_was() {
    let whole = parse(folder()).unwrap();
    for (table, saved) in [
        ("dealers.csv", &include_bytes!("libreoffice-dealers.xlsx")[..]),
        ("contracts.csv", &include_bytes!("libreoffice-contracts.xlsx")[..]),
    ] {
        let mut folder = folder();
        folder.remove(table);
        folder.insert("tables.xlsx", saved.to_vec());
        let read = parse(folder).unwrap_or_else(|problems| panic!("{table}: {problems}"));
        assert!(read == whole, "{table}");
    }
}

/// The parts of a workbook that we wrote.
fn unpacked(bytes: &[u8]) -> BTreeMap<String, String> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    (0..archive.len())
        .map(|index| {
            let mut part = archive.by_index(index).unwrap();
            let mut text = String::new();
            part.read_to_string(&mut text).unwrap();
            (part.name().unwrap().into_owned(), text)
        })
        .collect()
}

#[test]
fn a_template_explains_itself_and_damages_nothing() {
    let bytes = template(noon()).unwrap();
    let parts = unpacked(&bytes);
    for (index, known) in TABLES.iter().enumerate() {
        let sheet = &parts[&format!("xl/worksheets/sheet{}.xml", index + 1)];
        assert!(sheet.contains("state=\"frozen\""));
        let notes = &parts[&format!("xl/comments{}.xml", index + 1)];
        for column in known.columns {
            let is_here = column.presence != Presence::Later;
            assert_eq!(
                parts["xl/sharedStrings.xml"].contains(&format!("<t>{}</t>", column.name)),
                is_here || shared(column.name)
            );
            if is_here {
                assert!(notes.contains(&column.rule.replace('&', "&amp;")), "{}: {notes}", column.name);
            }
            if is_here && !column.words.is_empty() {
                assert!(
                    sheet.contains(&format!("&quot;{}&quot;", column.words.join(",")))
                        || sheet.contains(&format!("\"{}\"", column.words.join(","))),
                    "{}",
                    column.name
                );
            }
        }
    }
    // Every column is text: number format 49.
    assert!(parts["xl/styles.xml"].contains("numFmtId=\"49\""));
    // Nothing is filled in, and everything is where it belongs.
    let problems = read(bytes.clone()).unwrap_err();
    assert!(problems.list.iter().all(|problem| problem.file == "tests.toml"), "{problems}");
    assert_eq!(template(noon()).unwrap(), bytes);
    let later = unpacked(&template(date(2027, 1, 1).at(0, 0, 0, 0)).unwrap());
    let changed: Vec<&String> = parts.keys().filter(|name| parts[*name] != later[*name]).collect();
    assert_eq!(changed, ["docProps/core.xml"]);
    assert!(parts["docProps/core.xml"].contains("2026-05-09T12:00:00Z"));
}

/// Whether another table has a column of that name in use.
fn shared(name: &str) -> bool {
    TABLES
        .iter()
        .flat_map(|known| known.columns)
        .any(|column| column.name == name && column.presence != Presence::Later)
}

#[test]
fn what_no_cell_can_hold_is_refused() {
    let mut folder = folder();
    folder.remove("tests.toml");
    let mut offers = String::new();
    let mut ids = Vec::new();
    for number in 0..1_000 {
        let id = format!("{}-{number:04}", "x".repeat(40));
        write!(offers, "[[offer]]\nid = \"{id}\"\ncategory = \"a\"\nname = \"A\"\n").unwrap();
        ids.push(id);
    }
    folder.insert("offers.toml", offers.into_bytes());
    folder.insert("sources.toml", b"[[source]]\nid = \"s\"\nkind = \"form\"\n".to_vec());
    let contracts = format!("contract,dealer,offers,sources,area,price\nc,mia,{},*,miami,1\n", ids.join(" "));
    folder.insert("contracts.csv", contracts.into_bytes());
    let book = parse(folder).unwrap();
    assert!(export(&book, noon()).unwrap_err().to_string().contains("32767 characters"));
}

/// Words of a set, between them a space.
fn some(words: &'static [&'static str]) -> impl Strategy<Value = String> {
    subsequence(words, 0..=words.len()).prop_map(|words| words.join(" "))
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// Names that spreadsheets, XML and formulas stumble over.
fn a_name() -> impl Strategy<Value = String> {
    prop_oneof![
        select(vec![
            "=1+1",
            "'33101",
            "00123",
            "_x000D_",
            "a_x0041_b",
            "<b>&amp;",
            "@SUM(A1)",
            "1e5",
            "+1",
            "]]>",
            "a  b",
            "-",
            "\u{1f600}\u{300}"
        ])
        .prop_map(str::to_owned),
        "[A-Za-z\"',;é&<>_]([A-Za-z0-9\"',;é&<>_ ]{0,30}[A-Za-z\"',;é&<>_])?",
    ]
}

fn dealer_row() -> impl Strategy<Value = String> {
    (
        (select(vec!["", "own", "outside"]), a_name(), a_name(), select(vec!["2134", "33101", "00501"])),
        (
            select(vec![
                "",
                "24/7",
                "Mo-Fr 08:00-18:00; Sa 09:00-12:00",
                "Mo,We,Fr 00:00-12:00,12:00-24:00",
                "Sa-Mo 09:00-17:00",
            ]),
            select(vec!["", "hold", "deliver"]),
            some(&["2026-12-25", "2026-07-01..2026-07-14", "2026-07-15", "2027-01-01..2027-01-02"]),
            select(vec!["", "1", "1000000"]),
            select(vec!["", "America/Chicago", "america/denver"]),
        ),
    )
        .prop_map(|((kind, name, contact, zip), (hours, after, holidays, cap, zone))| {
            format!(
                "{kind},{},{},{zip},{hours:?},{after},{holidays},{cap},{cap},{zone}",
                quoted(&name),
                quoted(&contact)
            )
        })
}

fn contract_row() -> impl Strategy<Value = String> {
    (
        (0..3_usize, 0..3_usize, select(vec!["*", "roof-repair", "grill-prize roof-repair"]), select(vec!["*", "old-list storm-page"])),
        (select(vec!["", "first", "protected", "closed"]), select(vec!["", "shared:2", "shared:10"]), select(vec!["", "wait"]), select(vec!["", "A1", "B2"])),
        (some(&["consent", "certificate", "dnc_clean"]), select(vec!["", "72"]), select(vec!["", "99"]), select(vec!["0", "45", "0.07", "10000000"])),
        (select(vec!["", "7"]), select(vec!["", "8"]), select(vec!["", "deliver"]), select(vec!["", "yes", "no"]), select(vec!["", "2026-01-01"]), select(vec!["", "2026-12-31"])),
    )
        .prop_map(|((dealer, area, offers, sources), (territory, sale, when, band), (needs, age, tier, price), (hour, total, after, again, starts, ends))| {
            format!("dealer-{dealer},{offers},{sources},area-{area},{territory},{sale},{when},{band},{needs},{age},{tier},{tier},{price},{hour},,{total},,{total},{after},{again},{starts},{ends}")
        })
}

fn a_folder() -> impl Strategy<Value = BTreeMap<&'static str, Vec<u8>>> {
    let part =
        select(vec!["zip:2134", "zip:33101", "zip3:005", "county:01001", "radius_mi:500", "state:FL", "any"]);
    (
        prop::collection::vec(dealer_row(), 3),
        prop::collection::vec(prop::collection::vec(part, 1..5), 3),
        prop::collection::vec(contract_row(), 0..6),
        any::<bool>(),
    )
        .prop_map(|(dealers, areas, contracts, has_webhook)| {
            let mut dealer_text = "dealer,kind,name,contact,zip,hours,after_hours,holidays,cap_day,cap_month,zone\n".to_owned();
            for (number, row) in dealers.iter().enumerate() {
                writeln!(dealer_text, "dealer-{number},{row}").unwrap();
            }
            let mut area_text = "area,part\n".to_owned();
            for (number, parts) in areas.iter().enumerate() {
                for part in parts {
                    writeln!(area_text, "area-{number},{part}").unwrap();
                }
            }
            let mut contract_text = "contract,dealer,offers,sources,area,territory,sale,when_unavailable,min_band,needs,max_age_hours,tier,weight,price,cap_hour,cap_day,cap_week,cap_month,cap_total,after_hours,again,starts,ends\n".to_owned();
            for (number, row) in contracts.iter().enumerate() {
                writeln!(contract_text, "c-{number},{row}").unwrap();
            }
            let channels = if has_webhook { "dealer,order,kind,address\ndealer-1,2,inbox,\ndealer-1,1,webhook,https://a.example/?x=1&y=%20\n" } else { "dealer,order,kind,address\n" };
            let mut folder = folder();
            folder.remove("tests.toml");
            folder.insert("dealers.csv", dealer_text.into_bytes());
            folder.insert("channels.csv", channels.as_bytes().to_vec());
            folder.insert("areas.csv", area_text.into_bytes());
            folder.insert("contracts.csv", contract_text.into_bytes());
            folder
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_rulebook_goes_out_and_comes_back_the_same(folder in a_folder()) {
        let book = parse(folder.clone()).unwrap_or_else(|problems| panic!("{problems}"));
        let back = through_a_workbook(&book, folder);
        prop_assert_eq!(book.diff(&back).to_string(), "nothing is different\n");
        prop_assert_eq!(back, book);
    }
}
