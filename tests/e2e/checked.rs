//! The command line: `leadyard check` and `leadyard apply`.

use std::path::Path;

use leadyard_tests::Rules;
use leadyard_tests::live::Program;
use serde_json::{Value, json};

/// Hudson alone, and a test of the rulebook's own that expects a contract to have the lead.
fn tested(expected: &str) -> Rules {
    let test = format!(
        "[[test]]\nname = \"Miami\"\nat = 2026-06-01T16:00:00Z\nlead = {{ zip = \"33101\", offer = \"roof\", source = \"web\" }}\nassigned = [\"{expected}\"]\n"
    );
    Rules::roofing("acme")
        .seller("hudson", [("tier", "1")])
        .seller("ridge", [("tier", "2")])
        .file("tests.toml", &test)
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn of(rules: &Rules) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.says(rules);
        folder
    }

    fn says(&self, rules: &Rules) {
        rules.write_to(self.0.path());
    }

    fn path(&self) -> &str {
        self.0.path().to_str().unwrap()
    }
}

/// A cap that is no number, in the first row.
fn broken() -> Rules {
    tested("hudson").file(
        "contracts.csv",
        "contract,dealer,offers,sources,area,price,cap_day\nhudson,hudson,*,*,of-hudson,10.00,many\n",
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn check_says_what_is_wrong_and_where_and_its_exit_code_says_whether() {
    let folder = Folder::of(&tested("hudson"));
    let check = async |more: &[&str]| Program::run(&[&["check", folder.path()], more].concat()).await;
    let well = check(&[]).await.is(0);
    let sum = "acme: 1 offers, 1 sources, 2 dealers, 2 contracts;";
    assert!(well.out.contains(sum) && well.out.contains("1 of 1 tests pass"), "{}", well.out);
    let report = check(&["--json"]).await.is(0).json();
    assert_eq!(
        (&report["passed"], &report["errors"], &report["omitted"], &report["tests"]),
        (&json!(true), &json!([]), &json!(0), &json!([{ "name": "Miami", "differences": [] }]))
    );

    // A test that fails is a problem.
    folder.says(&tested("ridge"));
    let fails = check(&[]).await.is(1);
    let difference = "expected assigned [ridge], but assigned [hudson]";
    assert!(
        fails.out.contains(&format!("tests.toml: test 'Miami' fails\n    {difference}\n")),
        "{}",
        fails.out
    );
    assert!(fails.out.contains("0 of 1 tests pass"), "{}", fails.out);
    let report = check(&["--json"]).await.is(1).json();
    assert_eq!((&report["passed"], &report["errors"]), (&json!(false), &json!([])));
    assert_eq!(report["tests"][0]["differences"], json!([difference]));

    // An error has a file, a line and a column; a warning is no error.
    folder.says(&broken());
    let wrong = check(&[]).await.is(1);
    let first = wrong.out.lines().next().unwrap();
    assert!(
        first.starts_with("contracts.csv:2:") && first.contains(": error: ") && first.contains("cap_day"),
        "{first}"
    );
    assert_eq!(wrong.out.lines().last(), Some("1 errors"));
    let report = check(&["--json"]).await.is(1).json();
    let error = &report["errors"][0];
    assert_eq!((&report["passed"], &report["tests"]), (&json!(false), &json!([])));
    let (file, line, column) = (error["file"].as_str().unwrap(), &error["line"], &error["column"]);
    assert!(first.starts_with(&format!("{file}:{line}:{column}: error: ")), "{error}");
    assert_eq!((&error["severity"], &error["code"]), (&json!("error"), &json!("invalid-value")));
    folder.says(&tested("hudson").contract("old", "hudson", [("ends", "2020-01-01")]));
    let warned = check(&["--json"]).await.is(0).json();
    let codes: Vec<&Value> = warned["warnings"].as_array().unwrap().iter().map(|one| &one["code"]).collect();
    assert!(codes.contains(&&json!("ended")), "{warned}");

    // What could not run is neither.
    let nowhere = Program::run(&["check", "nowhere/at/all", "--json"]).await.is(2);
    assert!(
        nowhere.err.contains("nowhere/at/all could not be read") && nowhere.out.is_empty(),
        "{}",
        nowhere.err
    );
    let _ = Program::run(&["check"]).await.is(2);
    let _ = check(&["--csv"]).await.is(2);
}

#[tokio::test(flavor = "multi_thread")]
async fn apply_publishes_what_passes_and_says_which_version_is_in_force() {
    let folder = Folder::of(&tested("hudson"));
    let place = tempfile::tempdir().unwrap();
    let data = place.path().join("data").to_str().unwrap().to_owned();
    let apply = async |more: &[&str]| Program::run(&[&["apply", folder.path()], more].concat()).await;
    let alone = ["--data", &data];
    let first = apply(&alone).await.is(0);
    assert_eq!(first.out.lines().last(), Some("version 1 is in force"));
    let json = ["--data", &data, "--json"];
    assert_eq!(apply(&json).await.is(0).json()["version"], 1, "the very same is no new version");

    // Neither what has an error nor what fails its own tests is published, not even in part.
    folder.says(&broken());
    let wrong = apply(&json).await.is(1);
    assert_eq!((wrong.err.as_str(), &wrong.json()["passed"]), ("nothing was published\n", &json!(false)));
    folder.says(&tested("ridge"));
    let fails = apply(&alone).await.is(1);
    assert!(
        fails.err == "nothing was published\n" && fails.out.contains("test 'Miami' fails"),
        "{}",
        fails.out
    );

    folder.says(&tested("hudson").contract("old", "hudson", [("ends", "2020-01-01")]));
    let second = apply(&json).await.is(0).json();
    assert_eq!(second["version"], 2);
    assert!(second["warnings"].to_string().contains("\"ended\""), "{second}");

    // Beside a running system by its address; on the version that was looked at, or not at all.
    let program = Program::start(Path::new(&data), Path::new(folder.path())).await;
    assert_eq!(program.live.ready["rulebook"], 2);
    folder.says(&tested("hudson"));
    let in_use = apply(&alone).await.is(2);
    assert!(in_use.err.contains("beside a running system, say --url and --token"), "{}", in_use.err);
    let ready = |name: &str| program.live.ready[name].as_str().unwrap().to_owned();
    let (url, token) = (ready("url"), ready("desk_token"));
    let (url, token) = (url.as_str(), token.as_str());
    let beside = ["--url", url, "--token", token, "--json"];
    let late = apply(&[&beside[..], &["--base", "1"]].concat()).await.is(2);
    assert!(late.err.contains("version 2 is in force") && late.out.is_empty(), "{}", late.err);
    let third = apply(&[&beside[..], &["--base", "2"]].concat()).await.is(0).json();
    assert_eq!(third["version"], 3);
    let stranger = apply(&["--url", url, "--token", "x"]).await.is(2);
    assert!(stranger.err.contains("(401)"), "{}", stranger.err);
    let _ = apply(&["--url", url]).await.is(2);
    program.kill().await;
    let gone = apply(&beside).await.is(2);
    assert!(gone.err.contains("the system could not be reached"), "{}", gone.err);
}
