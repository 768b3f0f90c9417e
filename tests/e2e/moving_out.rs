//! A list of leads leaves as a table, by the API and by the command line: each lead once, with who they are only for whom
//! may see them, however long the list is; and the asking is kept.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json, Router};
use http::{Method, StatusCode};
use leadyard_tests::live::Program;
use leadyard_tests::{Person, Reply, Rules, Yard};
use serde_json::{Value, json};

const EXPORT: &str = "/v1/leads/export";
const NEXT: &str = "leadyard-next";

/// The rows of a table, by the names of its columns.
fn rows(table: &str) -> Vec<csv::StringRecord> {
    csv::Reader::from_reader(table.as_bytes()).records().collect::<Result<_, _>>().unwrap()
}

fn leads(table: &str) -> Vec<String> {
    rows(table).iter().map(|row| row[0].to_owned()).collect()
}

/// Who ask for a gutter, of which nobody takes any.
async fn waiting(yard: &Yard, many: usize) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for n in 0..many {
        let person = Person::number(n).with("offer", "gutter");
        all.insert(yard.server("web").posts(&person).await.is(201).text_of("lead").to_owned());
    }
    yard.settle().await;
    all
}

async fn asks(yard: &Yard, body: Value) -> Reply {
    yard.desk(Method::POST, EXPORT, Some(body)).await
}

#[tokio::test(start_paused = true)]
async fn the_api_gives_a_list_as_a_table_part_after_part_and_the_asking_is_kept() {
    let rules = Rules::roofing("acme").offer("gutter", "roofing", "").seller("hudson", [("offers", "roof")]);
    let yard = Yard::of(rules).await;
    let all = waiting(&yard, 5).await;
    let list = json!({ "stage": "waiting", "limit": 2 });
    let (mut found, mut list) = (Vec::new(), list);
    for more in [true, true, false] {
        let part = asks(&yard, json!({ "list": list })).await.is(200);
        assert!(part.header("content-type").starts_with("text/csv"));
        assert_eq!(part.header("cache-control"), "no-store");
        assert!(!["@", "Hill", "+1305"].iter().any(|who| part.text.contains(who)), "{}", part.text);
        found.extend(leads(&part.text));
        let next = part.headers.get(NEXT).map(|next| next.to_str().unwrap());
        assert_eq!(next.is_some(), more);
        list["after"] = json!(next);
    }
    assert_eq!((found.len(), found.into_iter().collect::<BTreeSet<_>>()), (5, all));

    // As many as there are, and nobody behind them.
    let exactly = asks(&yard, json!({ "list": { "stage": "waiting", "limit": 5 } })).await.is(200);
    assert_eq!((leads(&exactly.text).len(), exactly.headers.get(NEXT)), (5, None));
    let top = asks(&yard, json!({ "list": { "hottest": true, "limit": 2 } })).await.is(200);
    let more = top.headers.get("leadyard-more").is_some();
    assert_eq!((leads(&top.text).len(), more, top.headers.get(NEXT)), (2, true, None));

    // The same table that the console gives, with who they are.
    let whole = asks(&yard, json!({ "list": { "stage": "waiting" }, "who": true })).await.is(200);
    assert_eq!(rows(&whole.text).len(), 5);
    assert!(whole.text.contains("email,phone") && whole.text.contains('@'), "{}", whole.text);
    let changes = yard.desk(Method::GET, "/v1/changes", None).await.is(200).json;
    let changes = changes["changes"].as_array().unwrap();
    let kept: Vec<&Value> = changes.iter().filter(|act| act["act"] == "export_leads").collect();
    assert_eq!(kept.len(), 6, "each part, and each list");
    let named: Vec<&&Value> = kept.iter().filter(|act| act["after"]["who"] == true).collect();
    let [named] = named[..] else { panic!("{named:?}") };
    assert_eq!((&named["by"], &named["before"]["asked"]), (&json!("desk"), &json!({ "stage": "waiting" })));
    assert_eq!((&named["after"]["so_far"], &named["after"]["ended"]), (&json!(5), &json!(true)), "{named}");
}

#[tokio::test(start_paused = true)]
async fn who_only_reads_has_a_table_without_who_they_are_and_a_person_is_no_list() {
    let rules = Rules::roofing("acme").offer("gutter", "roofing", "").seller("hudson", [("offers", "roof")]);
    let yard = Yard::of(rules).await;
    let _ = waiting(&yard, 1).await;
    let made = json!({ "name": "nightly", "role": "reader" });
    let made = yard.desk(Method::POST, "/v1/tokens", Some(made)).await.is(201);
    let reader = made.text_of("token");
    let list = json!({ "source": "web" });
    let reads = |who: bool| {
        let asked = json!({ "list": list, "who": who }).to_string().into_bytes();
        yard.sends(Some(reader), Method::POST, EXPORT, "application/json", asked)
    };
    assert_eq!(leads(&reads(false).await.is(200).text).len(), 1);
    let _ = reads(true).await.is(403);
    for (filter, rule) in [
        ("offer", "an id is 1 to 48"),
        ("state", "a state is its two letters"),
        ("waits", "a waiting reason is"),
    ] {
        let no_list = json!({ "stage": "waiting", "only": { filter: "zq.canary@mail.example" } });
        let refused = asks(&yard, json!({ "list": no_list })).await.is(400);
        assert!(refused.text.contains(&format!("only.{filter}: {rule}")), "{}", refused.text);
        assert!(!refused.text.contains("canary"), "{}", refused.text);
    }
    for person in [json!({ "email": "ann@mail.example" }), json!({ "phone": "305-555-0100" }), json!({})] {
        let refused = asks(&yard, json!({ "list": person })).await.is(400);
        assert!(!refused.text.contains("ann@"), "{}", refused.text);
    }
    let wrong = asks(&yard, json!({ "list": { "stage": "waiting" }, "all": true })).await.is(400);
    assert!(wrong.text.contains("the body asks for no list"), "{}", wrong.text);
    let changes = yard.desk(Method::GET, "/v1/changes", None).await.is(200).text;
    assert_eq!(changes.matches("export_leads").count(), 1, "what was refused was not given");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_writes_all_of_a_list_in_a_data_folder() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (data, rules, history, out) = (path("data"), path("rules"), path("past.csv"), path("lost.csv"));
    std::fs::create_dir(&rules).unwrap();
    Rules::roofing("acme").seller("hudson", []).write_to(rules.as_ref());
    let mut past = "received_at,source,email,zip,dealer,outcome\n".to_owned();
    for n in 0..230 {
        let outcome = if n % 10 == 0 { "won" } else { "lost" };
        let _ = writeln!(past, "2025-06-01,web,ann{n}@mail.example,33101,hudson,{outcome}");
    }
    std::fs::write(&history, past).unwrap();
    let of = ["--company", "acme", "--data", &data];
    assert_eq!(Program::run(&["apply", &rules, "--data", &data]).await.code, 0);
    assert_eq!(Program::run(&[&["import", "--history", &history], &of[..]].concat()).await.code, 0);

    let ran = Program::run(&[&["leads", "--stage", "lost", "--who", "--out", &out], &of[..]].concat()).await;
    assert!(ran.code == 0 && ran.err.contains("207 leads"), "{} {}", ran.code, ran.err);
    let table = std::fs::read_to_string(&out).unwrap();
    assert_eq!(leads(&table).into_iter().collect::<BTreeSet<_>>().len(), 207);
    assert!(table.starts_with("lead,company,") && table.contains("ann1@mail.example"), "{table}");
    let ran = Program::run(&[&["leads", "--stage", "won"], &of[..]].concat()).await;
    assert_eq!((ran.code, rows(&ran.out).len(), ran.out.contains('@')), (0, 23, false), "{}", ran.err);
    // Of nobody there is a table all the same.
    let ran =
        Program::run(&[&["leads", "--dealer", "hudson", "--past", "--state", "WY"], &of[..]].concat()).await;
    assert_eq!((ran.code, rows(&ran.out).len(), ran.out.starts_with("lead,")), (0, 0, true), "{}", ran.err);
    // What is there is not written over.
    let ran = Program::run(&[&["leads", "--stage", "won", "--out", &out], &of[..]].concat()).await;
    assert!(ran.code == 2 && ran.err.contains("could not be written"), "{} {}", ran.code, ran.err);
    assert_eq!(std::fs::read_to_string(&out).unwrap(), table);
    // Of no list, or of two, there is no table.
    let ran = Program::run(&[&["leads"], &of[..]].concat()).await;
    assert!(ran.code == 2 && ran.err.contains("--stage"), "{} {}", ran.code, ran.err);
    let ran = Program::run(&[&["leads", "--stage", "won", "--source", "web"], &of[..]].concat()).await;
    assert!(ran.code == 2 && ran.err.contains("cannot be used with"), "{} {}", ran.code, ran.err);
}

/// Answers with one part after the other, and then refuses; what it was asked.
#[derive(Clone, Default)]
struct Parts(Arc<Mutex<Vec<Value>>>);

const ONE: &str = "01890a5d-ac96-774b-bcce-b302099a8051";
/// As places are.
const THIRD: &str = r#"["2#0922","01890a5d-ac96-774b-bcce-b302099a8052",20605]"#;
const TWO: &str = "01890a5d-ac96-774b-bcce-b302099a8052";

async fn parts(State(parts): State<Parts>, Json(asked): Json<Value>) -> Response {
    let mut all = parts.0.lock().unwrap();
    all.push(asked);
    let row = |id: &&str| [id, ",won\n"].concat();
    let table = |rows: &[&str]| "lead,stage\n".to_owned() + &rows.iter().map(row).collect::<String>();
    match all.len() {
        // No lead of the first twenty seconds is asked for.
        1 => ([(NEXT, "first")], table(&[])).into_response(),
        2 => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        3 => ([(NEXT, "second")], table(&[ONE])).into_response(),
        // One that moved down the list meanwhile stands once more.
        4 => ([(NEXT, THIRD)], table(&[ONE, TWO])).into_response(),
        _ => (StatusCode::BAD_REQUEST, Json(json!({ "detail": "no more" }))).into_response(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_list_goes_on_where_an_answer_ended_and_says_where_it_broke_off() {
    let asked = Parts::default();
    let app = Router::new().route(EXPORT, post(parts)).with_state(asked.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let serving = tokio::spawn(async move { axum::serve(listener, app).await });
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("won.csv").to_str().unwrap().to_owned();
    let of = ["leads", "--company", "acme", "--stage", "won", "--state", "FL", "--url", &url, "--token", "x"];
    let to = [&of[..], &["--out", &out]].concat();
    let ran = Program::run(&to).await;
    let whole = format!("lead,stage\n{ONE},won\n{TWO},won\n");
    assert_eq!(std::fs::read_to_string(&out).unwrap(), whole);
    let says = format!("2 leads are written; for the rest say --after '{THIRD}'");
    assert!(ran.code == 2 && ran.err.contains(&says), "{}", ran.err);
    {
        let mut all = asked.0.lock().unwrap();
        let after: Vec<Value> = all.iter().map(|asked| asked["list"]["after"].clone()).collect();
        assert_eq!(json!(after), json!([null, "first", "first", "second", THIRD]));
        assert_eq!((&all[0]["list"]["only"], &all[0]["who"]), (&json!({ "state": "FL" }), &json!(false)));
        // From there it goes on, as if the system had answered.
        all.truncate(3);
    }
    let again = Program::run(&[&to[..], &["--after", THIRD]].concat()).await;
    assert!(again.code == 2 && again.err.contains("2 leads are written"), "{}", again.err);
    assert_eq!(asked.0.lock().unwrap()[3]["list"]["after"], THIRD);
    assert_eq!(std::fs::read_to_string(&out).unwrap(), whole);
    // Nothing is written over.
    asked.0.lock().unwrap().truncate(2);
    let ran = Program::run(&to).await;
    assert!(ran.code == 2 && ran.err.contains("won.csv could not be written"), "{}", ran.err);
    serving.abort();
}
