//! What is in a workbook, how much of it, and what is none.

use super::made::{packed, parts, sheets, workbook};
use super::{lines, parse, read, tables, with_workbook};
use crate::limits;
use crate::rulebook::edit::RowEdit;
use crate::rulebook::{Rulebook, RulebookFiles};
use proptest::prelude::*;

#[test]
fn a_table_given_twice_is_refused_by_name() {
    let mut folder = with_workbook(workbook(&sheets(&tables())));
    folder.insert("areas.csv", b"area,part\n".to_vec());
    assert_eq!(
        lines(parse(folder.clone())),
        ["areas.csv:1:1: error: this table is here twice: rulebook.xlsx has a sheet areas"]
    );
    folder.remove("areas.csv");
    folder.insert("second.XLSX", Vec::new());
    assert_eq!(lines(parse(folder.clone())), ["second.XLSX:1:1: error: a rulebook has at most one workbook"]);
    folder.remove("second.XLSX");
    // What a spreadsheet leaves beside a workbook that is open.
    folder.insert("~$rulebook.xlsx", vec![0; 165]);
    assert!(parse(folder).is_ok());
}

#[test]
fn a_table_may_be_a_file_beside_the_workbook() {
    let mut all = sheets(&tables());
    all.retain(|(name, _)| name != "areas");
    let mut folder = with_workbook(workbook(&all));
    assert_eq!(lines(parse(folder.clone())), ["areas.csv:1:1: error: a rulebook needs the file areas.csv"]);
    folder.insert("areas.csv", crate::rulebook::tests::folder()["areas.csv"].clone());
    assert!(parse(folder).is_ok());
}

#[test]
fn sheets_are_known_by_name_and_strangers_are_named() {
    let mut all = sheets(&tables());
    let good = read(workbook(&all)).unwrap();
    all[0].0 = " Areas ".to_owned();
    all.push(("Sheet1".to_owned(), r#"<row r="1"><c r="A1" s="4"/></row>"#.to_owned()));
    let filled = r#"<row r="1"><c r="A1" t="str"><v>hello</v></c></row>"#.to_owned();
    all.push(("README first".to_owned(), filled.clone()));
    assert_eq!(read(workbook(&all)).unwrap(), good);
    all.push(("contract".to_owned(), filled.clone()));
    all.push(("AREAS".to_owned(), filled));
    assert_eq!(
        lines(read(workbook(&all))),
        [
            "rulebook.xlsx:AREAS!A1: error: the sheet areas is here twice",
            "rulebook.xlsx:contract!A1: error: a rulebook has no sheet \"contract\" (its sheets are: dealers channels areas contracts people); did you mean \"contracts\"?",
        ]
    );
}

#[test]
fn a_header_that_is_wrong_is_told_by_sheet() {
    let mut tables = tables();
    tables.get_mut("areas").unwrap()[0] = vec!["area".to_owned(), "parts".to_owned()];
    let problems = lines(read(workbook(&sheets(&tables))));
    assert_eq!(
        problems,
        [
            "rulebook.xlsx:areas!A1: error: the sheet areas needs the column part",
            "rulebook.xlsx:areas!B1: error: there is no column \"parts\" in the sheet areas; did you mean \"part\"?",
        ]
    );
}

#[test]
fn what_is_no_workbook_is_refused() {
    let good = workbook(&sheets(&tables()));
    let damaged =
        "rulebook.xlsx:1:1: error: this is not a workbook, or a damaged one: save it again as .xlsx";
    for bytes in [Vec::new(), b"area,part\n".to_vec(), good[..good.len() / 2].to_vec()] {
        assert_eq!(lines(read(bytes)), [damaged]);
    }
    assert_eq!(
        lines(read([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1].repeat(600))),
        [
            "rulebook.xlsx:1:1: error: this workbook has a password, or is of the time before XLSX: save it as .xlsx without a password"
        ]
    );
    // A zip of something else.
    let other = packed(&[("hello.txt".to_owned(), b"hello".to_vec())]);
    assert_eq!(
        lines(read(other)),
        ["rulebook.xlsx:1:1: error: this workbook is damaged: open it in a spreadsheet and save it again"]
    );
}

#[test]
fn a_workbook_that_unfolds_to_gigabytes_is_refused() {
    let mut bomb = parts(&sheets(&tables()));
    bomb.push(("xl/media/image1.png".to_owned(), vec![0; limits::WORKBOOK_BYTES + 1]));
    let bytes = packed(&bomb);
    assert!(bytes.len() < limits::WORKBOOK_BYTES / 500);
    let too_large = "rulebook.xlsx:1:1: error: a workbook has at most 268435456 bytes once it is unpacked";
    assert_eq!(lines(read(bytes)), [too_large]);
    let mut many = parts(&sheets(&tables()));
    many.extend((0..limits::WORKBOOK_PARTS).map(|number| (format!("x{number}"), Vec::new())));
    assert_eq!(lines(read(packed(&many))), ["rulebook.xlsx:1:1: error: a workbook has at most 1000 parts"]);
    for claim in ["\"99999999999\"", "'+99999999999'", "  =  \"000000000000000000000000009\""] {
        let mut claims = parts(&sheets(&tables()));
        let strings = format!("<sst {} uniqueCount={claim}></sst>", "a=\"b\" ".repeat(11_000));
        claims.push(("xl/sharedStrings.xml".to_owned(), strings.replace("= =", "=").into_bytes()));
        assert_eq!(lines(read(packed(&claims))), [too_large], "{claim}");
    }
}

#[test]
fn a_sheet_of_more_text_than_a_rulebook_has_is_refused() {
    let mut all = sheets(&tables());
    let row = |number: usize| {
        format!("<row r=\"{number}\"><c r=\"A{number}\" t=\"str\"><v>{}</v></c></row>", "x".repeat(20_000))
    };
    for (_, data) in all.iter_mut().filter(|(name, _)| name == "areas") {
        data.extend((5..900).map(row));
    }
    let problems = lines(read(workbook(&all)));
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].starts_with("rulebook.xlsx:areas!A") && problems[0].contains("16777216 bytes"));
}

#[test]
fn a_row_of_a_workbook_is_edited_in_the_file_that_its_sheet_becomes() {
    let files = RulebookFiles::new(with_workbook(workbook(&sheets(&tables())))).unwrap();
    let body = serde_json::json!({"set": {"price": "46.00"}});
    let edit = RowEdit::from_json("contracts", "hudson-miami", &body).unwrap();
    let edited = edit.apply(&files).unwrap();
    assert!(edited.get("rulebook.xlsx").is_none() && edited.get("dealers.csv").is_some());
    let diff = Rulebook::parse(&files).unwrap().diff(&Rulebook::parse(&edited).unwrap());
    assert_eq!(diff.to_string(), "contracts: 1 changed\n  ~ hudson-miami\n      price: 45.00 → 46.00\n");
    // An offer stands in no sheet: the workbook stays.
    let body = serde_json::json!({"set": {"name": "Repairs"}});
    let edit = RowEdit::from_json("offers", "roof-repair", &body).unwrap();
    assert!(edit.apply(&files).unwrap().get("rulebook.xlsx").is_some());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_change_of_a_part_makes_the_reader_panic(
        part in any::<prop::sample::Index>(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0..4_u8, any::<u8>()), 1..6),
    ) {
        let mut parts = parts(&sheets(&tables()));
        let part = part.index(parts.len());
        let bytes = &mut parts[part].1;
        for (at, how, byte) in edits {
            let at = at.index(bytes.len());
            match how {
                0 => bytes[at] = byte,
                1 => bytes[at] = b"<>\"'=/&;0129ZA"[usize::from(byte) % 14],
                2 => drop(bytes.remove(at)),
                _ => bytes.insert(at, b"<>\"'=/&;0129ZA"[usize::from(byte) % 14]),
            }
        }
        match read(packed(&parts)) {
            Ok(book) => drop(book.check("2026-01-01".parse().unwrap())),
            Err(problems) => prop_assert!(problems.list.iter().all(|problem| !problem.message.contains('\n'))),
        }
    }

    #[test]
    fn no_change_of_the_bytes_makes_the_reader_panic(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = workbook(&sheets(&tables()));
        let at = at.index(bytes.len());
        bytes[at] = byte;
        drop(read(bytes));
    }
}
