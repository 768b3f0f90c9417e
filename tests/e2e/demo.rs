//! `leadyard demo`: a year that looks like trade, played through the handlers into a data folder.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use axum::Router;
use http::{HeaderMap, Method};
use jiff::Timestamp;
use leadyard::demo::{self, Options, Told};
use leadyard::keys::Keys;
use leadyard::{gateway, rules, system};
use leadyard_domain::distribution::Waiting;
use leadyard_platform::clock::Clock;
use leadyard_tests::live::Program;
use leadyard_tests::post::send;
use serde_json::{Value, json};

/// A Thursday afternoon in Chicago, late in a month: caps of the month have had time.
const UNTIL: &str = "2026-05-28T21:30:00Z";
const LEADS: u32 = 60;

/// Sources whose leads are sold more often than is usual by the demo's making, and some whose are sold half as often:
/// several of either, since a source has a dozen leads of sixty.
const GOOD: [&str; 2] = ["landing", "search-landing"];
const BAD: [&str; 3] = ["social-landing", "affiliate-network", "old-crm"];
/// Of the dealers that take what nobody else does, and so have the most leads: by this seed one looks at a lead after
/// three minutes, as a rule, and one after three hours.
const QUICK: &str = "fallback-roof-desk";
const SLOW: &str = "fallback-cover-desk";

fn options(data: &Path, seed: u64) -> Options {
    let until = Some(UNTIL.parse().unwrap());
    Options { leads: LEADS, data: data.to_owned(), rules: None, seed, until, json: true }
}

/// The folder as the desk finds it in the instant in which the year ends.
struct Desk {
    app: Router,
    token: String,
}

impl Desk {
    async fn of(data: &Path) -> Self {
        let until: Timestamp = UNTIL.parse().unwrap();
        let cloud = system::open(data, &Clock::given(move || until)).await.unwrap();
        let (checked, _) = rules::check(demo::files_of(Some(data), "http://127.0.0.1:9/").unwrap(), until);
        let (book, _) = checked.rulebook.unwrap();
        let token = Keys::mint(&cloud.master, &book, "desk").desk_token;
        Self { app: gateway::router(&cloud, Router::new()), token }
    }

    async fn asks(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", format!("Bearer {}", self.token).parse().unwrap());
        headers.insert("content-type", "application/json".parse().unwrap());
        let body = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
        send(&self.app, method, path, headers, body).await.is(200).json
    }

    async fn gets(&self, path: &str) -> Value {
        self.asks(Method::GET, path, None).await
    }

    /// Every lead with its whole story, by way of its source.
    async fn stories(&self) -> Vec<Value> {
        let sources = [
            "landing",
            "partner-api",
            "google-ads",
            "old-crm",
            "search-landing",
            "social-landing",
            "google-solar",
            "google-auto",
            "comparison-portal",
            "affiliate-network",
        ];
        let mut ids = BTreeSet::new();
        for source in sources {
            let mut after = Value::Null;
            loop {
                let body = json!({ "source": source, "limit": 100, "after": after });
                let body = body.as_object().unwrap().iter().filter(|(_, value)| !value.is_null());
                let body: serde_json::Map<String, Value> =
                    body.map(|(name, value)| (name.clone(), value.clone())).collect();
                let page = self.asks(Method::POST, "/v1/leads/search", Some(Value::Object(body))).await;
                for lead in page["leads"].as_array().unwrap() {
                    ids.insert(lead["lead"].as_str().unwrap().to_owned());
                }
                after = page["next"].clone();
                if after.is_null() {
                    break;
                }
            }
        }
        // Whose person was erased stands in no list; the ledger knows the lead.
        for erasure in list(&self.gets("/v1/erasures").await, "erasures") {
            ids.extend(list(erasure, "leads").map(|lead| lead.as_str().unwrap().to_owned()));
        }
        let mut stories = Vec::new();
        for id in ids {
            stories.push(self.gets(&format!("/v1/leads/{id}")).await);
        }
        stories
    }

    /// A report of the whole year.
    async fn report(&self, name: &str) -> Value {
        self.gets(&format!("/v1/reports/{name}?from=2025-05-28&to=2026-05-28")).await
    }

    /// The same, told by something else than usual.
    async fn report_by(&self, name: &str, by: &str) -> Value {
        self.gets(&format!("/v1/reports/{name}?from=2025-05-28&to=2026-05-28&by={by}")).await
    }

    async fn quarantined(&self, state: &str) -> Vec<Value> {
        let page = self.gets(&format!("/v1/quarantine?state={state}")).await;
        page["enquiries"].as_array().unwrap().clone()
    }
}

fn list<'a>(of: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    of[name].as_array().into_iter().flatten()
}

/// A year of sixty leads, played once for all that is asked of it.
async fn year(data: &Path) -> Told {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Box::pin(demo::run(&options(data, 7))).await.unwrap()
}

#[tokio::test]
async fn a_year_has_of_everything_something_and_loses_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let told = year(folder.path()).await;
    assert_eq!(told.leads, u64::from(LEADS));
    let desk = Desk::of(folder.path()).await;
    let stories = desk.stories().await;
    assert_eq!(stories.len(), LEADS as usize);

    // Nothing is lost: whoever asked is with somebody, waits for a reason, is nurtured, or is over for a reason.
    let mut stages: BTreeMap<&str, u32> = BTreeMap::new();
    let mut states: BTreeMap<&str, i64> = BTreeMap::new();
    for story in &stories {
        let stage = story["stage"].as_str().unwrap();
        *stages.entry(stage).or_default() += 1;
        match stage {
            "assigned" | "won" | "lost" => assert!(list(story, "assignments").next().is_some(), "{story}"),
            "waiting" => assert!(story["waiting"].is_string() || story["hold"] != Value::Null, "{story}"),
            "nurturing" | "expired" | "rejected" => {}
            other => panic!("a lead was left {other}: {story}"),
        }
        for assignment in list(story, "assignments") {
            *states.entry(assignment["state"].as_str().unwrap()).or_default() += 1;
        }
    }
    for stage in ["assigned", "waiting", "won", "lost", "rejected"] {
        assert!(stages.contains_key(stage), "no lead is {stage}: {stages:?}");
    }
    for state in ["offered", "accepted", "declined", "lapsed", "returned", "contacted", "won", "lost"] {
        assert!(states.contains_key(state), "no seat is {state}: {states:?}");
    }
    for done in [
        "asked_again",
        "interacted",
        "released",
        "rejected",
        "return",
        "approved",
        "denied",
        "paused",
        "noted",
        "erased",
        "opted_out",
        "placed",
        "rules_changed",
        "chosen",
        "callback",
    ] {
        assert!(told.done.contains_key(done), "nobody {done}: {:?}", told.done);
    }
    assert!(stories.iter().any(|story| !story["hold"].is_null()), "the desk holds nobody");

    // The desk called, and the calls came to this and that; somebody is to be called still, who was promised it or was not.
    let results =
        ["no_answer", "voicemail", "busy", "not_now", "interested", "wrong_number", "not_interested"];
    let came_to = results.iter().filter(|result| told.done.contains_key(**result)).count();
    assert!(came_to >= 3, "calls came to too little: {:?}", told.done);
    let calls = stories.iter().flat_map(|story| list(story, "history")).filter(|act| act["act"] == "call");
    assert!(calls.count() >= came_to, "what calls came to stands in no history");
    let day = desk.gets("/v1/follow-ups").await;
    let reasons: BTreeSet<&str> =
        list(&day, "follow_ups").map(|call| call["follow_up"]["reason"].as_str().unwrap()).collect();
    assert!(reasons.contains("callback") && reasons.len() > 1, "{day}");

    // Every enquiry is a lead's, or in quarantine; but for those of whom was erased.
    let of_leads: usize = stories.iter().map(|story| list(story, "enquiries").count()).sum();
    let (open, decided) = (desk.quarantined("open").await, desk.quarantined("done").await);
    assert!(!open.is_empty() && !decided.is_empty());
    let of_nobody = open.iter().chain(&decided).filter(|enquiry| enquiry["lead"].is_null()).count();
    let erased = stories.iter().filter(|story| !story["erased_at"].is_null());
    let gone = told.enquiries - (of_leads + of_nobody) as u64;
    assert!(gone <= 2 * erased.count() as u64, "{gone} enquiries are nowhere");

    // Somebody waits for a verdict on a return, somebody is paused, somebody is full, an offer is open.
    assert!(!desk.gets("/v1/returns").await["returns"].as_array().unwrap().is_empty());
    assert!(!desk.gets("/v1/switches").await["dealers"].as_array().unwrap().is_empty());
    // `serve` goes on with the rules as the desk left them.
    let in_force = desk.gets("/v1/rulebook?files=1").await;
    assert!(in_force["version"].as_u64() > Some(1));
    let kept = demo::files_of(Some(folder.path()), "http://127.0.0.1:9/").unwrap();
    let kept: BTreeMap<String, String> =
        kept.into_iter().map(|(name, bytes)| (name, String::from_utf8(bytes).unwrap())).collect();
    assert_eq!(json!(kept), in_force["files"]);
    assert!(!desk.gets("/v1/waiting").await["by_reason"].as_object().unwrap().is_empty());

    reports_agree(&desk, &stories, &states, &told).await;
    whoever_does_well_is_told_apart(&desk).await;
}

/// The year's reports are those of a plain recount.
async fn reports_agree(desk: &Desk, stories: &[Value], states: &BTreeMap<&str, i64>, told: &Told) {
    let seats: i64 = states.values().sum();
    let funnel = desk.report("funnel").await["whole"].clone();
    let leads = desk.report("leads").await["whole"].clone();
    let sources = desk.report("sources").await;
    assert_eq!(leads["new_leads"], stories.len());
    assert_eq!(leads["enquiries"], told.enquiries);
    assert_eq!(funnel["distributed"], seats);
    for (column, state) in [("won", "won"), ("lost", "lost")] {
        assert_eq!(desk.report("dealers").await["whole"][column], states[state], "{column}");
    }
    // Money in and out: what was spent is there, by source.
    let costs =
        list(&sources, "rows").filter(|row| !["0.00", ""].contains(&row["cost"].as_str().unwrap_or("")));
    assert!(costs.count() >= 3, "{sources}");
    for name in ["campaigns", "offers", "areas", "speed", "returns", "waiting"] {
        assert!(list(&desk.report(name).await, "rows").next().is_some(), "{name} is empty");
    }
    // Whom a decision made wait, the desk's own apart; and of them whom nobody serves, by where they are.
    let decided = stories.iter().flat_map(|story| list(story, "decisions"));
    let waits = decided.filter(|decision| decision["placed"].is_null());
    let waits: Vec<Waiting> =
        waits.filter_map(|decision| decision["waiting"].as_str()).map(|why| why.parse().unwrap()).collect();
    let unserved = waits.iter().filter(|why| why.is_unserved()).count();
    let unmet = desk.report("unmet").await;
    assert!(unserved > 0, "everybody is served: {unmet}");
    assert_eq!(unmet["whole"]["waiting"], waits.len());
    assert_eq!(unmet["whole"]["unserved"], unserved);
    let by_state: u64 = list(&unmet, "rows").filter_map(|row| row["unserved"].as_u64()).sum();
    assert_eq!(by_state, unserved as u64, "{unmet}");
}

/// What makes sources good and dealers quick is seen in what the reports say of them.
async fn whoever_does_well_is_told_apart(desk: &Desk) {
    let sources = desk.report("sources").await;
    let (good, bad) = (sold(&sources, &GOOD), sold(&sources, &BAD));
    assert!(good.0 > 0 && bad.0 > 0, "nobody came: {sources}");
    // As parts of their leads.
    assert!(good.1 * bad.0 > bad.1 * good.0, "won {good:?} of good sources, {bad:?} of bad: {sources}");
    let speed = desk.report_by("speed", "dealer").await;
    let accepts = |dealer: &str| {
        let row = list(&speed, "rows").find(|row| row["value"] == dealer);
        let row = row.unwrap_or_else(|| panic!("{dealer} has nothing: {speed}"));
        assert!(row["acceptance_measured"].as_i64() >= Some(5), "{row}");
        row["acceptance_median_s"].as_i64().unwrap()
    };
    let (quick, slow) = (accepts(QUICK), accepts(SLOW));
    assert!(quick < slow, "{QUICK} accepts in {quick} s, {SLOW} in {slow} s");
}

/// The leads of some rows of a report, and how many of them were won.
fn sold(report: &Value, of: &[&str]) -> (i64, i64) {
    let rows: Vec<&Value> =
        list(report, "rows").filter(|row| of.iter().any(|value| row["value"] == *value)).collect();
    let sum = |column: &str| rows.iter().filter_map(|row| row[column].as_i64()).sum::<i64>();
    (sum("leads"), sum("won"))
}

/// By itself (`tests/run` runs it after the others): what waits half a second for the table by the machine's own clock and
/// then goes on without it must not wait for the other tests, or the year is another.
#[tokio::test]
#[ignore = "it needs the machine for itself"]
async fn the_same_seed_gives_the_same_year_and_another_another() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().unwrap();
    let play = async |name: &str, seed| {
        let data = folder.path().join(name);
        let few = Options { leads: 20, ..options(&data, seed) };
        let told = Box::pin(demo::run(&few)).await.unwrap();
        let desk = Desk::of(&data).await;
        (told, desk.report("funnel").await["whole"].clone(), desk.stories().await)
    };
    let first = play("first", 11).await;
    assert!(first == play("again", 11).await, "the same seed gave another year");
    assert_ne!(first.2, play("another", 12).await.2);
}

#[tokio::test]
async fn a_folder_that_holds_anything_is_refused_and_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("table.sqlite"), b"data").unwrap();
    let data = folder.path().to_str().unwrap();
    let ran = Program::run(&["demo", "--leads", "10", "--data", data]).await;
    assert!(ran.err.contains("holds data already"), "{}", ran.err);
    let _ = ran.is(2);
    assert_eq!(std::fs::read(folder.path().join("table.sqlite")).unwrap(), b"data");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}
