//! Cells that a spreadsheet made something else of.

use super::made::{name, sheets, text_cell, workbook};
use super::{lines, parse, read, tables};
use crate::rulebook::tests::folder;
use crate::rulebook::{Problems, Rulebook};

/// The good workbook with one cell of the second line replaced by this XML (`@` is the cell's name).
fn with(table: &'static str, column: &str, xml: &str) -> Result<Rulebook, Problems> {
    let tables = tables();
    let place = tables[table][0].iter().position(|name| name == column).unwrap();
    let at = name(place, 2);
    let old = text_cell(&at, &tables[table][1][place]);
    let mut sheets = sheets(&tables);
    for (_, data) in sheets.iter_mut().filter(|(name, _)| name == table) {
        assert!(data.contains(&old), "{old}");
        *data = data.replacen(&old, &xml.replace('@', &at), 1);
    }
    read(workbook(&sheets))
}

#[test]
fn sheets_of_text_are_the_tables() {
    let book = read(workbook(&sheets(&tables()))).unwrap();
    assert_eq!(book, parse(folder()).unwrap());
}

#[test]
fn numbers_and_dates_are_read_where_they_say_what_is_meant() {
    let zip = |xml: &str| with("dealers", "zip", xml).unwrap().dealers[0].zip.to_string();
    assert_eq!(zip(r#"<c r="@"><v>2134</v></c>"#), "02134");
    assert_eq!(zip(r#"<c r="@" s="3"><v>2134</v></c>"#), "02134");
    assert_eq!(zip(r#"<c r="@" t="n"><v>33101.0</v></c>"#), "33101");
    let price = |xml: &str| with("contracts", "price", xml).unwrap().contracts[0].price.minor();
    assert_eq!(price(r#"<c r="@"><v>45.0</v></c>"#), 4_500);
    assert_eq!(price(r#"<c r="@"><v>4.5E1</v></c>"#), 4_500);
    assert_eq!(price(r#"<c r="@"><f>45*1.1</f><v>49.500000000000007</v></c>"#), 4_950);
    assert_eq!(price(r#"<c r="@" t="str"><f>"45"&amp;".5"</f><v>45.5</v></c>"#), 4_550);
    let phone = with("dealers", "phone", r#"<c r="@"><v>1.305555010E10</v></c>"#).unwrap();
    assert_eq!(phone.dealers[0].phone, "13055550100");
    let ends = |xml: &str| with("contracts", "ends", xml).unwrap().contracts[0].ends.unwrap().to_string();
    assert_eq!(ends(r#"<c r="@" s="1"><v>46387</v></c>"#), "2026-12-31");
    assert_eq!(ends(r#"<c r="@" t="d"><v>2026-12-31T00:00:00</v></c>"#), "2026-12-31");
    let holidays = with("dealers", "holidays", r#"<c r="@" s="1"><v>46381</v></c>"#).unwrap();
    assert_eq!(holidays.dealers[0].holidays[0].to_string(), "2026-12-25");
    let empty = with("contracts", "cap_day", r#"<c r="@" t="str"><f>""</f><v></v></c>"#).unwrap();
    assert!(empty.contracts[0].caps.0.iter().all(|cap| cap.period != crate::time::Period::Day));
}

#[test]
fn what_a_spreadsheet_rewrote_is_refused_by_sheet_row_and_column() {
    const DATE: &str = "the spreadsheet made this a date: format the column as text and write it again";
    const HOURS: &str = "hours are written 'Mo-Fr 08:00-18:00; Sa 09:00-12:00' or '24/7'";
    const ERROR: &str = "this is a spreadsheet's error value: repair the formula before you save";
    const TRUE: &str =
        "the spreadsheet made this TRUE or FALSE: format the column as text and write it again";
    const ROUNDED: &str =
        "the spreadsheet rounded this number: format the column as text and write it again in full";
    for (table, column, xml, expected) in [
        ("dealers", "hours", r#"<c r="@" s="5"><v>46151</v></c>"#, format!("dealers!J2: error: hours: {DATE} ({HOURS})")),
        ("dealers", "hours", r#"<c r="@" s="2"><v>0.375</v></c>"#, format!("dealers!J2: error: hours: {DATE} ({HOURS})")),
        ("dealers", "hours", r#"<c r="@"><v>8</v></c>"#, format!("dealers!J2: error: {HOURS}")),
        ("dealers", "name", r#"<c r="@" s="1"><v>46151</v></c>"#, format!("dealers!C2: error: name: {DATE}")),
        ("dealers", "name", r#"<c r="@" t="b"><v>1</v></c>"#, format!("dealers!C2: error: name: {TRUE}")),
        ("dealers", "phone", r#"<c r="@"><v>1.5E+20</v></c>"#, format!("dealers!F2: error: phone: {ROUNDED} (a telephone number is written +1 305 555 0100)")),
        ("contracts", "ends", r#"<c r="@" s="1"><v>46387.5</v></c>"#, format!("contracts!AB2: error: ends: {DATE} (a date is written 2026-05-09)")),
        ("contracts", "price", r#"<c r="@" s="1"><v>45</v></c>"#, format!("contracts!N2: error: price: {DATE} (an amount is written 45 or 45.00, from 0 to 10000000)")),
        ("contracts", "price", r#"<c r="@" t="e"><f>A1/0</f><v>#DIV/0!</v></c>"#, format!("contracts!N2: error: price: {ERROR} (an amount is written 45 or 45.00, from 0 to 10000000)")),
        ("contracts", "price", r#"<c r="@"><v>45.125</v></c>"#, "contracts!N2: error: price: an amount is written 45 or 45.00, from 0 to 10000000".to_owned()),
        ("contracts", "tier", r#"<c r="@"><v>1.5</v></c>"#, "contracts!L2: error: tier is a whole number from 1 to 99".to_owned()),
        ("contracts", "cap_day", r#"<c r="@"><f>B2*2</f><v></v></c>"#, "contracts!P2: error: this formula has no value yet: open the workbook in a spreadsheet and save it".to_owned()),
        ("contracts", "cap_day", r#"<c r="@"><f>B2*2</f></c>"#, "contracts!P2: error: this formula has no value yet: open the workbook in a spreadsheet and save it".to_owned()),
        ("channels", "format", r#"<c r="@"><v>1</v></c>"#, "channels!E2: error: an inbox has no format: leave it empty".to_owned()),
        ("contracts", "cap_day", r#"<c r="@" t="e"><v>#SPILL!</v></c>"#, "contracts!O2: error: behind this cell stands one that cannot be read: an error value, or damage".to_owned()),
    ] {
        assert_eq!(lines(with(table, column, xml)), [format!("rulebook.xlsx:{expected}")], "{xml}");
    }
}

#[test]
fn a_problem_is_json_with_its_cell() {
    let problems = with("dealers", "zip", r#"<c r="@"><v>331012</v></c>"#).unwrap_err();
    assert_eq!(
        serde_json::to_value(&problems.list[0]).unwrap(),
        serde_json::json!({
            "file": "rulebook.xlsx", "line": 2, "column": 8, "cell": "dealers!H2", "severity": "error",
            "code": "invalid-value", "message": "zip: a ZIP is five digits, such as 02134 or 02134-1234",
        })
    );
}

#[test]
fn empty_rows_move_no_problem() {
    let mut sheets = sheets(&tables());
    for (_, data) in sheets.iter_mut().filter(|(name, _)| name == "areas") {
        *data = data.replace("r=\"4\"", "r=\"1000\"").replace("A4", "A1000").replace("B4", "B1000");
        *data += r#"<row r="1001"><c r="B1001" t="str"><v>state:FL</v></c></row>"#;
        *data += r#"<row r="1048576"><c r="C1048576" t="str"><v>, stray "x"</v></c></row>"#;
    }
    assert_eq!(
        lines(read(workbook(&sheets))),
        [
            "rulebook.xlsx:areas!A1001: error: area may not be empty",
            "rulebook.xlsx:areas!A1048576: error: area may not be empty",
            "rulebook.xlsx:areas!B1048576: error: part may not be empty",
            "rulebook.xlsx:areas!C1048576: error: this cell stands under no column's name",
        ]
    );
}

#[test]
fn warnings_are_told_by_cell_too() {
    let mut tables = tables();
    tables.get_mut("areas").unwrap().push(vec!["unused".to_owned(), "any".to_owned()]);
    let book = read(workbook(&sheets(&tables))).unwrap();
    let warnings = book.check("2026-01-31".parse().unwrap());
    let of_areas = warnings.iter().filter(|warning| warning.cell.is_some());
    let shown: Vec<String> = of_areas.map(ToString::to_string).collect();
    assert_eq!(shown, ["rulebook.xlsx:areas!A5: warning: no contract names the area \"unused\""]);
}
