//! Differences as a person reads them before publishing.

use std::collections::BTreeMap;

use super::*;
use crate::rulebook::tests::{folder, parse};

fn edited(edits: &[(&'static str, &str, &str)]) -> Rulebook {
    let mut folder = folder();
    for (name, from, to) in edits {
        let text = String::from_utf8(folder[name].clone()).unwrap();
        assert!(text.contains(from), "{from:?} is not in {name}");
        folder.insert(name, text.replacen(from, to, 1).into_bytes());
    }
    parse(folder).unwrap()
}

#[test]
fn order_and_spelling_are_no_difference() {
    let book = parse(folder()).unwrap();
    let other = edited(&[
        ("contracts.csv", "roof-repair grill-prize", "grill-prize  roof-repair"),
        ("contracts.csv", ",45.00,", ",45,"),
        ("contracts.csv", ",mia,*,storm-page,florida,,", ",mia,*,storm-page,florida,open,"),
        (
            "dealers.csv",
            "Mo-Fr 08:00-18:00; Sa 09:00-12:00",
            "Mo-Th 08:00-18:00; Fr 8:00-18:00; Sa 09:00-12:00",
        ),
        ("dealers.csv", ",2134,", ",02134,"),
        (
            "areas.csv",
            "miami,zip3:331\nmiami,zip:2134\nflorida,state:FL\n",
            "florida,state:FL\nmiami,zip:02134\nmiami,zip3:331\n",
        ),
        ("company.toml", "window_days = 45", "currency = \"USD\"\nwindow_days = 45"),
    ]);
    let diff = book.diff(&other);
    assert!(diff.is_empty(), "{diff}");
    assert_eq!(diff.to_string(), "nothing is different\n");
}

#[test]
fn when_a_publish_rolls_itself_back_is_a_difference() {
    let book = parse(folder()).unwrap();
    let rule = "mode = \"automatic\"\n[rollback]\nunmatched_points = 20\n";
    let other = edited(&[("company.toml", "mode = \"automatic\"\n", rule)]);
    let lines = "\
company: 1 changed
  ~ company
    + rollback.after_leads: 50
    + rollback.unmatched_points: 20
    + rollback.within_hours: 2
";
    assert_eq!(book.diff(&other).to_string(), lines);
}

#[test]
fn every_table_shows_what_came_went_and_changed() {
    let book = parse(folder()).unwrap();
    let other = edited(&[
        ("company.toml", "window_days = 45", "window_days = 30"),
        ("offers.toml", "band = \"B3\"", "band = \"A1\""),
        ("sources.toml", "\"Your e-mail\" = \"email\"", "\"Mail\" = \"email\""),
        ("scoring.toml", "14", "20"),
        ("dealers.csv", "Ann Hudson", ""),
        ("channels.csv", "mia,1,inbox", "mia,2,inbox"),
        ("areas.csv", "miami,zip:2134", "miami,zip:2135"),
        ("contracts.csv", ",45.00,2,10,", ",50,2,,"),
        ("tests.toml", "nobody at night", "nobody after dark"),
    ]);
    let expected = "\
company: 1 changed
  ~ company
      window_days: 45 → 30
offers: 1 changed
  ~ roof-repair
      band: B3 → A1
sources: 1 changed
  ~ storm-page
    + fields.Mail: email
    - fields.Your e-mail: email
scoring: 1 changed
  ~ scoring
      half_life_days: 14 → 20
dealers: 1 changed
  ~ hudson
    - contact: Ann Hudson
channels: 1 added, 1 removed
  - mia:1
    - dealer: mia
    - format: standard
    - kind: inbox
    - order: 1
    - when: fallback
  + mia:2
    + dealer: mia
    + format: standard
    + kind: inbox
    + order: 2
    + when: fallback
areas: 1 changed
  ~ miami
    - part: zip:02134
    + part: zip:02135
contracts: 1 changed
  ~ hudson-miami
    - cap_day: 10
      price: 45.00 → 50.00
tests: 1 added, 1 removed
  + nobody after dark
  - nobody at night
";
    let diff = book.diff(&other);
    assert_eq!(diff.to_string(), expected);
    assert!(!format!("{diff:?}").contains("Ann"));
    let json = serde_json::to_value(&diff).unwrap();
    assert_eq!(
        json["tables"][7],
        serde_json::json!({"table": "contracts", "added": 0, "removed": 0, "changed": 1, "rows": [
            {"id": "hudson-miami", "change": "changed", "columns": [
                {"column": "cap_day", "before": "10", "after": null},
                {"column": "price", "before": "45.00", "after": "50.00"},
            ]},
        ]})
    );
}

#[test]
fn a_fit_rule_put_before_another_changes_nothing_else() {
    let rule = |label: &str| format!("[[fit]]\nlabel = \"{label}\"\npoints = 5\nhas = [\"zip\"]\n");
    let with = |rules: &str| {
        let mut folder = folder();
        folder.insert("scoring.toml", rules.as_bytes().to_vec());
        parse(folder).unwrap()
    };
    let diff = with(&rule("one")).diff(&with(&format!("{}{}", rule("two"), rule("one"))));
    let lines: BTreeMap<&str, Option<&str>> = diff.tables[0].rows[0]
        .columns
        .iter()
        .map(|line| (line.column.as_str(), line.after.as_deref()))
        .collect();
    assert!(lines.keys().all(|column| column.starts_with("fit.two.")), "{lines:?}");
    assert_eq!(lines["fit.two.points"], Some("5"));
}

#[test]
fn a_difference_ends_somewhere_and_says_so() {
    use std::fmt::Write as _;
    let mut areas = String::from_utf8(folder()["areas.csv"].clone()).unwrap();
    for number in 0..2_000 {
        writeln!(areas, "miami,zip:{:05}", 10_000 + number).unwrap();
    }
    let mut other = folder();
    other.insert("areas.csv", areas.into_bytes());
    let mut diff = parse(folder()).unwrap().diff(&parse(other).unwrap());
    let [table] = &mut diff.tables[..] else { panic!() };
    assert_eq!((table.changed, table.rows[0].columns.len()), (1, limits::DIFF_LINES - 1));
    assert_eq!(diff.omitted, 2_000 - (limits::DIFF_LINES - 1));
    assert!(diff.to_string().ends_with("\nand 1001 more lines\n"));
}
