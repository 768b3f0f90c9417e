//! Dealers, channels, areas and contracts: every cell of the tables.

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
        ("dealers.csv", ",outside,", ",inside,", "2:8: error: kind: a dealer's kind is one of: outside own"),
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
        ("channels.csv", "2,inbox,,", "2,inbox,x,", "2:16: error: an inbox has no address: leave it empty"),
        (
            "channels.csv",
            "leads,,",
            "leads,adff,",
            "3:47: error: there is no format \"adff\": it is standard, adf or a template of templates.toml; did you mean \"adf\"?",
        ),
        ("channels.csv", "2,inbox,,", "2,inbox,,adf", "2:17: error: an inbox has no format: leave it empty"),
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
    let company = format!("{}\ndeadline_minutes = 60\ndeadline_clock = \"wall\"\n", text_of("company.toml"));
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
        ("7,,,,", "2:23: error: return_days needs return_reasons: for which reasons may a lead be returned?"),
        (",5,,,", "2:24: error: return_quota needs return_days: nothing may be returned"),
        ("91,,x,,", "2:23: error: return_days is a whole number from 1 to 90"),
        ("7,0.1,x,,", "2:25: error: return_quota: a quota is a whole percentage from 1 to 100: 10%"),
        ("7,,Bad!,,", "2:26: error: return_reasons are ids separated by spaces: wrong-number not-interested"),
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
