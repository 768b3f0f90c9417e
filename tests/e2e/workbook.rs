//! The tables as a workbook: taken out, changed in a spreadsheet, put back in; and the template, filled in.

use std::io::Cursor;

use calamine::{Data, Reader as _, Xlsx};
use http::Method;
use leadyard_tests::{Person, Reply, Rules, Yard};
use serde_json::{Value, json};

const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// Sheets by name, each row by row, as a spreadsheet shows them.
type Sheets = Vec<(String, Vec<Vec<String>>)>;

/// What a spreadsheet shows of a workbook.
fn opened(bytes: &[u8]) -> Sheets {
    let mut workbook: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(bytes)).unwrap();
    let sheets = workbook.worksheets();
    let cell = |cell: &Data| match cell {
        Data::Empty => String::new(),
        Data::String(text) => text.clone(),
        other => panic!("every cell is text, so that no spreadsheet changes it: {other:?}"),
    };
    sheets
        .into_iter()
        .map(|(name, range)| (name, range.rows().map(|row| row.iter().map(cell).collect()).collect()))
        .collect()
}

/// What a spreadsheet saves of them.
fn saved(sheets: &Sheets) -> Vec<u8> {
    let mut workbook = rust_xlsxwriter::Workbook::new();
    for (name, rows) in sheets {
        let sheet = workbook.add_worksheet();
        sheet.set_name(name).unwrap();
        for (line, row) in (0..).zip(rows) {
            for (place, cell) in (0..).zip(row).filter(|(_, cell)| !cell.is_empty()) {
                sheet.write(line, place, cell).unwrap();
            }
        }
    }
    workbook.save_to_buffer().unwrap()
}

fn rows_of<'s>(sheets: &'s mut Sheets, name: &str) -> &'s mut Vec<Vec<String>> {
    &mut sheets.iter_mut().find(|(sheet, _)| sheet == name).unwrap_or_else(|| panic!("no sheet {name}")).1
}

/// A cell by the first column and its own column's name.
fn cell<'s>(sheets: &'s mut Sheets, table: &str, id: &str, column: &str) -> &'s mut String {
    let rows = rows_of(sheets, table);
    let place =
        rows[0].iter().position(|name| name == column).unwrap_or_else(|| panic!("no column {column}"));
    let row = rows.iter_mut().find(|row| row[0] == id).unwrap_or_else(|| panic!("no row {id}"));
    &mut row[place]
}

/// One more row, by the columns' names.
fn add_row(sheets: &mut Sheets, table: &str, cells: &[(&str, &str)]) {
    let rows = rows_of(sheets, table);
    let mut row = vec![String::new(); rows[0].len()];
    for (column, text) in cells {
        let place = rows[0].iter().position(|name| name == column);
        (*text).clone_into(&mut row[place.unwrap_or_else(|| panic!("no column {column}"))]);
    }
    rows.push(row);
}

async fn get(yard: &Yard, path: &str) -> Sheets {
    let reply = yard.desk(Method::GET, path, None).await.is(200);
    assert_eq!(reply.header("content-type"), XLSX);
    opened(&reply.bytes)
}

async fn put(yard: &Yard, query: &str, sheets: &Sheets) -> Reply {
    let path = format!("/v1/rulebook/workbook?{query}");
    yard.sends(Some(&yard.desk_token()), Method::PUT, &path, XLSX, saved(sheets)).await
}

/// The files in force.
async fn files(yard: &Yard) -> Value {
    yard.desk(Method::GET, "/v1/rulebook?files=1", None).await.is(200).json["files"].clone()
}

async fn yard() -> Yard {
    let tests = "[[test]]\nname = \"Miami\"\nat = 2026-06-01T16:00:00Z\nlead = { zip = \"33101\", offer = \"roof\", source = \"web\" }\nassigned = [\"hudson\"]\n";
    let rules = Rules::roofing("acme")
        .dealer("hudson", [("zip", "02134"), ("hours", "Mo-Fr 08:00-18:00")])
        .contract("hudson", "hudson", [("cap_day", "1")])
        .seller("ridge", [("tier", "2")])
        .file("tests.toml", tests);
    Yard::of(rules).await
}

#[tokio::test(start_paused = true)]
async fn a_cell_changed_in_a_spreadsheet_is_one_difference_and_all_that_is_toml_stays() {
    let yard = yard().await;
    let (base, before) = (yard.version().await, files(&yard).await);
    let taken = get(&yard, "/v1/rulebook/workbook").await;
    let names: Vec<&str> = taken.iter().map(|(name, _)| name.as_str()).collect();
    for table in ["dealers", "channels", "areas", "contracts"] {
        assert!(names.contains(&table), "{names:?}");
    }
    // What is put back as it was taken out says nothing new.
    let same = put(&yard, &format!("base={base}&dry_run=1"), &taken).await.is(200);
    assert_eq!(same.json["diff"]["tables"], json!([]), "{}", same.text);

    let mut changed = taken.clone();
    assert_eq!(cell(&mut changed, "dealers", "hudson", "zip"), "02134");
    *cell(&mut changed, "contracts", "hudson", "cap_day") = "2".to_owned();
    let dry = put(&yard, &format!("base={base}&dry_run=1"), &changed).await.is(200);
    assert_eq!((yard.version().await, &dry.json["version"]), (base, &Value::Null));
    let done = put(&yard, &format!("base={base}"), &changed).await.is(200);
    let row = json!({
        "id": "hudson", "change": "changed",
        "columns": [{ "column": "cap_day", "before": "1", "after": "2" }],
    });
    let tables = json!([{ "table": "contracts", "added": 0, "removed": 0, "changed": 1, "rows": [row] }]);
    assert_eq!((&dry.json["diff"]["tables"], &done.json["diff"]["tables"]), (&tables, &tables));
    assert_eq!((&done.json["version"], yard.version().await), (&json!(base + 1), base + 1));
    let after = files(&yard).await;
    for (name, text) in before.as_object().unwrap().iter().filter(|(name, _)| !name.ends_with("csv")) {
        assert_eq!(&after[name], text, "{name}");
    }
    assert!(after["tests.toml"].as_str().unwrap().contains("Miami"));
    let versions = yard.desk(Method::GET, "/v1/rulebook/versions", None).await.is(200);
    assert_eq!(
        (&versions.json["versions"][0]["how"], &versions.json["versions"][0]["by"]),
        (&json!("workbook"), &json!("desk"))
    );
    // It is in force.
    for number in 1..=3 {
        yard.settled_lead(&Person::number(number)).await;
    }
    assert_eq!((yard.taken("hudson", 1).await, yard.taken("ridge", 1).await), (2, 1));

    // Made from a version that is not in force any more, it is refused; and so is what breaks the rules' own tests.
    let late = put(&yard, &format!("base={base}"), &taken).await.is(409).is_problem("version-conflict");
    assert_eq!(late.json["version"], base + 1);
    *cell(&mut changed, "contracts", "hudson", "area") = "of-nobody".to_owned();
    let unknown = put(&yard, "", &changed).await.is(422).is_problem("rulebook-refused");
    let problem = &unknown.json["problems"]["list"][0];
    assert!(problem.to_string().contains("of-nobody") && problem.to_string().contains("area"), "{problem}");
    *cell(&mut changed, "contracts", "hudson", "area") = "of-hudson".to_owned();
    *cell(&mut changed, "contracts", "hudson", "tier") = "3".to_owned();
    let failed = put(&yard, "", &changed).await.is(422).is_problem("rulebook-refused");
    assert_eq!(failed.json["problems"][0]["name"], "Miami");
    assert_eq!(yard.version().await, base + 1);

    // It is the desk's alone.
    let dealer = Some(yard.dealer_token("hudson"));
    for (method, path) in [(Method::GET, "workbook"), (Method::PUT, "workbook"), (Method::GET, "template")] {
        let path = format!("/v1/rulebook/{path}");
        let _ = yard.sends(dealer.as_deref(), method, &path, XLSX, saved(&taken)).await.is(401);
    }
    let other = yard.also(Rules::roofing("blue").seller("hudson", [])).await;
    let path = "/v1/rulebook/workbook?company=acme";
    let _ = other.sends(Some(&other.desk_token()), Method::PUT, path, XLSX, saved(&taken)).await.is(404);
}

#[tokio::test(start_paused = true)]
async fn a_template_that_is_filled_in_is_a_rulebooks_tables() {
    let yard = yard().await;
    let base = yard.version().await;
    let mut sheets = get(&yard, "/v1/rulebook/template").await;
    for (name, rows) in &sheets {
        assert_eq!(rows.len(), 1, "{name} has its columns and nothing else");
    }
    // Nobody at all would break the rules' own test.
    let _ = put(&yard, "", &sheets).await.is(422);
    add_row(&mut sheets, "dealers", &[("dealer", "crest"), ("name", "Crest"), ("zip", "33101")]);
    add_row(&mut sheets, "areas", &[("area", "all"), ("part", "any")]);
    let terms = [
        ("contract", "hudson"),
        ("dealer", "crest"),
        ("offers", "*"),
        ("sources", "*"),
        ("area", "all"),
        ("price", "45.00"),
    ];
    add_row(&mut sheets, "contracts", &terms);
    let done = put(&yard, &format!("base={base}"), &sheets).await.is(200);
    let of = |table: &str| {
        let tables = done.json["diff"]["tables"].as_array().unwrap();
        let found =
            tables.iter().find(|one| one["table"] == table).unwrap_or_else(|| panic!("{}", done.text));
        ["added", "removed", "changed"].map(|count| found[count].as_u64().unwrap())
    };
    assert_eq!((of("dealers"), of("contracts")), ([1, 2, 0], [0, 1, 1]));
    let lead = yard.settled_lead(&Person::number(1)).await;
    let story = yard.story(&lead).await;
    let seat = story.assignment("hudson");
    assert_eq!((&seat["dealer"], &seat["price"]), (&json!("crest"), &json!("45.00")));
}
