//! Files: which there are, how large, in what encoding, and how their problems are told.

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
    let known = "company.toml offers.toml sources.toml scoring.toml screening.toml followup.toml people.csv dealers.csv templates.toml channels.csv areas.csv contracts.csv tests.toml spend.csv";
    assert_eq!(
        lines(parse(folder)),
        [format!(
            "dealer.csv:1:1: error: a rulebook has no such file (its files are: {known}); did you mean \"dealers.csv\"?"
        )]
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
    let problems = with_contracts(&format!("contract,dealer,offers,sources,area,price\n{rows}")).unwrap_err();
    assert_eq!((problems.list.len(), problems.omitted), (200, 3_999 - 200));
    assert!(problems.to_string().ends_with("\nand 3799 more"));
}
