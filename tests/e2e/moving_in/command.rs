//! The command line: `leadyard import` on a data folder.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use http::StatusCode;
use leadyard_tests::live::{Program, until};
use leadyard_tests::{Person, Rules};
use serde_json::{Value, json};

/// Runs the program; its exit code and what it printed.
async fn leadyard(args: &[&str]) -> (i32, String) {
    let ran = Program::run(args).await;
    (ran.code, ran.out + &ran.err)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spreadsheet_is_moved_into_a_data_folder_and_running_it_again_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let rules = tempfile::tempdir().unwrap();
    Rules::roofing("acme").seller("hudson", [("cap_day", "9")]).write_to(rules.path());
    // As a spreadsheet saves it: a byte order mark, semicolons, quoted line breaks, the newest first.
    let mut csv = "\u{feff}Created Date;E-Mail;ZIP;Dealer;Outcome;Message\r\n".to_owned();
    for n in (0..120).rev() {
        let day = format!("{}/{}/2025 2:05 PM", 1 + n / 12, 1 + 2 * (n % 12));
        let _ =
            write!(csv, "{day};ann{}@mail.example;2134;hudson;lost;\"a leak\r\nby the stair\"\r\n", n % 20);
    }
    csv.push_str("someday;zq.canary@mail.example;2134;hudson;lost;\r\n");
    std::fs::write(path("leads.csv"), csv).unwrap();
    std::fs::write(path("list.csv"), "value,reason\nann1@mail.example,unsubscribed\n").unwrap();
    std::fs::write(path("counts.csv"), "contract,day\nhudson,9\n").unwrap();
    let (code, text) = leadyard(&["apply", rules.path().to_str().unwrap(), "--data", &path("data")]).await;
    assert_eq!(code, 0, "{text}");

    let (data, leads, list, counts) = (path("data"), path("leads.csv"), path("list.csv"), path("counts.csv"));
    let all = [
        "import",
        "--company",
        "acme",
        "--data",
        &data,
        "--history",
        &leads,
        "--suppressed",
        &list,
        "--counts",
        &counts,
        "--rename",
        "Created Date=received_at",
        "--set",
        "source=web",
    ];
    let (code, text) = leadyard(&[&all[..], &["--dry-run"]].concat()).await;
    assert!(code == 1 && text.contains("nothing was written"), "{code} {text}");
    let (code, text) = leadyard(&all).await;
    assert!(code == 1 && text.contains("history line 242: received_at: a time is"), "{code} {text}");
    assert!(text.contains("history: 121 rows: 120 imported, 0 already there, 1 refused"), "{text}");
    assert!(!text.contains("canary"));
    let (code, text) = leadyard(&[&all[..], &["--json"]].concat()).await;
    let told: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (code, &told["files"][1]["already"], &told["files"][1]["imported"]),
        (1, &json!(120), &json!(0))
    );
    assert_eq!(told["files"][1]["refused"][0]["line"], 242);
    assert_eq!((&told["files"][0]["already"], &told["files"][2]["already"]), (&json!(1), &json!(1)));
    let (code, text) =
        leadyard(&["import", "--company", "acme", "--data", &data, "--history", &path("none.csv")]).await;
    assert!(code == 2 && text.contains("could not be read"), "{code} {text}");
    let (code, text) =
        leadyard(&["import", "--company", "other", "--data", &data, "--counts", &counts]).await;
    assert!(code == 2 && text.contains("no rulebook yet"), "{code} {text}");

    std::fs::write(path("dnc.csv"), "phone\n305-555-0107\nann@mail.example\n").unwrap();
    let (code, text) =
        leadyard(&["import", "--company", "acme", "--data", &data, "--do-not-call", &path("dnc.csv")]).await;
    assert!(
        code == 1 && text.contains("do_not_call: 2 rows: 1 imported, 0 already there, 1 refused"),
        "{text}"
    );

    // It is all there, in the order of its dates, when the system starts.
    let program = Program::start(folder.path().join("data").as_path(), rules.path()).await;
    let (status, body) = program
        .live
        .posts("web", &Person::named("Ann", "Hill").with("email", "ann0@mail.example"))
        .await
        .unwrap();
    assert_eq!((status, body["status"].as_str()), (201, Some("received")));
    let story = program.live.story(body["lead"].as_str().unwrap()).await.unwrap();
    assert!(story.cycle() > 2, "{}", story.cycle());
    assert!(story.list("assignments").all(|seat| seat["cycle"] != 0), "a row came late");
    program.kill().await;
}

/// A data folder with a rulebook in force.
struct Folder {
    files: tempfile::TempDir,
    rules: tempfile::TempDir,
    data: String,
}

impl Folder {
    async fn with(rules: Rules) -> Self {
        let (folder, rules_at) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        rules.write_to(rules_at.path());
        let data = folder.path().join("data").to_str().unwrap().to_owned();
        let (code, text) = leadyard(&["apply", rules_at.path().to_str().unwrap(), "--data", &data]).await;
        assert_eq!(code, 0, "{text}");
        Self { files: folder, rules: rules_at, data }
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.files.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }

    async fn import(&self, args: &[&str]) -> (i32, String) {
        leadyard(&[&["import", "--company", "acme", "--data", &self.data], args].concat()).await
    }

    async fn told(&self, args: &[&str]) -> (i32, Value) {
        let (code, text) = self.import(&[args, &["--json"]].concat()).await;
        (code, serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}")))
    }
}

fn selling() -> Rules {
    Rules::roofing("acme")
        .file_source("list", "offer = \"roof\"\nfields = { \"Your e-mail\" = \"email\" }")
        .dealer("hudson", [("name", "Hudson Roofing")])
        .contract("hudson", "hudson", [])
        .dealer("ridge", [("name", "Ridge & Sons")])
        .contract("ridge", "ridge", [("tier", "2")])
        .dealer("ridge2", [("name", "ridge  & sons")])
        .contract("ridge2", "ridge2", [("tier", "3")])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_system_that_is_busy_is_asked_again_with_the_same_rows() {
    let asked: Arc<Mutex<Vec<Value>>> = Arc::default();
    let busy = |State(asked): State<Arc<Mutex<Vec<Value>>>>, Json(rows): Json<Value>| async move {
        let mut asked = asked.lock().unwrap();
        asked.push(rows);
        let statuses = [StatusCode::SERVICE_UNAVAILABLE, StatusCode::TOO_MANY_REQUESTS, StatusCode::OK];
        let row = json!({ "row": 0, "status": "imported" });
        (statuses[asked.len() - 1], Json(json!({ "rows": [row] })))
    };
    let app = Router::new().route("/v1/import/suppressed", post(busy)).with_state(Arc::clone(&asked));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let serving = tokio::spawn(async move { axum::serve(listener, app).await });
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("list.csv").to_str().unwrap().to_owned();
    std::fs::write(&list, "value,reason\nann1@mail.example,unsubscribed\n").unwrap();
    let to = ["--url", url.as_str(), "--token", "a token", "--suppressed", list.as_str()];
    let (code, text) = leadyard(&[&["import", "--company", "acme"], &to[..]].concat()).await;
    assert!(code == 0 && text.contains("1 rows: 1 imported"), "{code} {text}");
    let asked = asked.lock().unwrap();
    assert!(asked.len() == 3 && asked.iter().all(|rows| *rows == asked[0]), "{asked:?}");
    serving.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_persons_rows_come_in_by_their_dates_though_a_request_holds_a_hundred() {
    let folder = Folder::with(selling()).await;
    // The newest first, and so many of one household between that the oldest goes in another request.
    let mut csv = "received_at,source,email,phone,zip\n".to_owned();
    csv.push_str("2025-12-01,list,ann@mail.example,305-555-0100,33101\n");
    for n in 0..120 {
        let _ = writeln!(csv, "2025-06-01,list,of{n}@mail.example,305-555-0100,33101");
    }
    csv.push_str("2025-01-01,list,ann@mail.example,305-555-0100,33101\n");
    let history = folder.write("history.csv", &csv);
    let (code, told) = folder.told(&["--history", &history]).await;
    assert_eq!((code, &told["files"][0]["imported"]), (0, &json!(122)), "{told}");
    let became = &told["files"][0]["became"];
    assert_eq!((&became["late"], &became["cycle"]), (&Value::Null, &json!(1)), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_enquiries_comes_in_from_csv_or_workbook_and_a_dry_run_reports_every_row() {
    let folder = Folder::with(selling()).await;
    // A question that is longer than a field's name; a column in the source's own words.
    let question = "How old is the roof of the house that you would like to have a new one on?";
    let mut csv = format!("Created;Your e-mail;Full Name;ZIP;Telephone;{question}\r\n");
    for n in 0..230 {
        let _ =
            write!(csv, "5/31/2026;ann{n}@mail.example;Ann Hill{n};2134;305555{n:04};\"20,\r\nor so\"\r\n");
    }
    csv.push_str(";ANN0@mail.example;Ann Hill0;2134;;\r\n;nobody;Zq Canary;2134;;\r\n");
    let leads = folder.write("leads.csv", &csv);
    let rename = ["--rename", "Created=asked_on", "--source", "list"];
    let file = [&[leads.as_str()], &rename[..]].concat();

    let (code, text) = folder.import(&[&file[..], &["--dry-run"]].concat()).await;
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("enquiries line 2: would be a new lead, and go to hudson\n"), "{text}");
    assert!(text.contains("shares its e-mail or phone with line 2"), "{text}");
    assert!(text.contains("enquiries line 463: email: give an e-mail address or a phone number"), "{text}");
    assert!(text.contains("nothing was written") && !text.contains("Canary"), "{text}");
    assert_eq!(text.lines().filter(|line| line.contains("would be a new lead")).count(), 231);
    let (code, dry) = folder.told(&[&file[..], &["--dry-run"]].concat()).await;
    let each = dry["files"][0]["each"].as_array().unwrap();
    assert_eq!((code, each.len(), &each[231]["status"]), (1, 232, &json!("refused")));
    assert_eq!((&each[0]["would_go_to"], &each[230]["shares_with_line"]), (&json!(["hudson"]), &json!(2)));

    let (code, told) = folder.told(&file).await;
    let part = &told["files"][0];
    assert_eq!(
        (code, &part["imported"], &part["became"]),
        (1, &json!(231), &json!({ "received": 230, "repeat": 1 }))
    );
    assert_eq!((&part["refused"][0]["line"], part["each"].is_null()), (&json!(463), true));
    // The same once more, with a column renamed and one filled in: the cells are the same.
    let (_, again) = folder
        .told(&[leads.as_str(), "--source", "list", "--rename", "Full Name=name", "--set", "city=Miami"])
        .await;
    assert_eq!((&again["files"][0]["already"], &again["files"][0]["imported"]), (&json!(231), &json!(0)));

    // The same sheet as a workbook, and one row more.
    let mut workbook = rust_xlsxwriter::Workbook::new();
    let notes = workbook.add_worksheet();
    notes.set_name("Notes").unwrap().write(0, 0, "not this one").unwrap();
    let sheet = workbook.add_worksheet();
    sheet.set_name("Leads").unwrap();
    for (column, name) in ["Your e-mail", "Full Name", "ZIP", "Telephone"].into_iter().enumerate() {
        sheet.write(3, column as u16, name).unwrap();
    }
    for row in 0..3_u32 {
        sheet.write(6 + row, 0, format!("bea{row}@mail.example")).unwrap();
        sheet.write(6 + row, 1, format!("Bea Moss{row}")).unwrap();
        sheet.write(6 + row, 2, 2134).unwrap();
        sheet.write(6 + row, 3, 3_055_550_100_i64 + i64::from(row)).unwrap();
    }
    sheet.write(10, 1, "Nobody At All").unwrap();
    let path = folder.write("leads.xlsx", workbook.save_to_buffer().unwrap());
    let (code, told) = folder.told(&[&path, "--source", "list", "--sheet", "Leads"]).await;
    assert_eq!((code, &told["files"][0]["became"]), (1, &json!({ "received": 3 })), "{told}");
    assert_eq!(told["files"][0]["refused"][0]["line"], 11);
    let (code, text) = folder.import(&[&path, "--source", "list", "--sheet", "Other"]).await;
    assert!(code == 2 && text.contains("no sheet of that name"), "{code} {text}");
    let (code, text) = folder.import(&[&leads, "--source", "web"]).await;
    assert!(code == 2 && text.contains("kind file"), "{code} {text}");
    let (code, text) = folder.import(&[&path]).await;
    assert!(code == 2 && text.contains("--source"), "{code} {text}");

    // When the system starts, they are sold.
    let program = Program::start(Path::new(&folder.data), folder.rules.path()).await;
    let person = Person::named("Bea", "Moss0").with("email", "bea0@mail.example");
    let (_, body) = program.live.posts("web", &person).await.unwrap();
    let lead = body["lead"].as_str().unwrap().to_owned();
    let story = until("the lead is sold", async || {
        program.live.story(&lead).await.filter(|story| story.stage() == "assigned")
    })
    .await;
    assert_eq!((story.holders(), story.enquiries()), (vec!["hudson"], 2));
    assert_eq!(
        (&story.0["person"]["zip"], &story.0["person"]["phone"]),
        (&json!("02134"), &json!("+13055550100"))
    );
    program.kill().await;
}

/// `leads.xlsx` was typed as text and saved by LibreOffice Calc 7.4, which made numbers of a ZIP and a phone, dates of
/// all that looked like one, and a formula of a message.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_spreadsheet_program_saved_is_read_as_it_was_typed() {
    let folder = Folder::with(selling()).await;
    let saved = include_bytes!("../spreadsheets/leads.xlsx");
    let path = folder.write("leads.xlsx", saved.as_slice());
    let history = [
        "--history",
        &path,
        "--rename",
        "Received=received_at",
        "--set",
        "source=list",
        "--set",
        "outcome=lost",
    ];
    let (code, told) = folder.told(&history).await;
    let part = &told["files"][0];
    assert_eq!((code, &part["imported"], &part["refused"][0]["line"]), (1, &json!(2), &json!(4)), "{told}");
    // `=no formula` was text to whoever typed it.
    let error = &part["refused"][0]["errors"][0];
    assert!(error["field"] == "message" && error["rule"].to_string().contains("error value"), "{error}");
    let program = Program::start(Path::new(&folder.data), folder.rules.path()).await;
    for (number, first, last, zip, received_at, message) in [
        (0, "Ann", "Hill", "02134", "2026-05-30T18:05:00Z", "The roof leaks, badly"),
        (1, "José", "Núñez", "33101", "2026-05-29T04:00:00Z", "Two lines\nof text"),
    ] {
        let phone = format!("+1305555010{number}");
        // Who asks anew and says nothing of a place is where they were.
        let again = Person::named(first, last).with("phone", &phone).without("email").without("zip");
        let (_, body) = program.live.posts("web", &again).await.unwrap();
        let story = program.live.story(body["lead"].as_str().unwrap()).await.unwrap();
        let person = &story.0["person"];
        assert_eq!((&person["zip"], &person["phone"]), (&json!(zip), &json!(phone)), "{first}");
        let came = story.list("enquiries").next().unwrap();
        assert_eq!(came["received_at"], received_at, "{first}");
        let fields = came["fields"].as_array().unwrap();
        assert!(fields.iter().any(|field| field[1] == message), "{first}: {fields:?}");
    }
    program.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_systems_names_and_words_are_mapped_and_a_dry_run_lists_those_that_are_not() {
    let folder = Folder::with(selling()).await;
    let mut csv = "Date,Source,Email,Buyer,Disposition\n".to_owned();
    for (n, (buyer, disposition)) in [
        ("Hudson Roofing", "Sold"),
        ("HUDSON  roofing", "Closed Won"),
        ("hudson", "No Answer"),
        ("Joe's Roofs LLC", "sold"),
        ("Ridge & Sons", "Bad Lead"),
        ("Joe's Roofs LLC", "lost"),
    ]
    .into_iter()
    .enumerate()
    {
        let _ = writeln!(csv, "2025-11-0{},Google Ads,ann{n}@mail.example,{buyer},{disposition}", n + 1);
    }
    let leads = folder.write("leads.csv", &csv);
    let history = [
        "--history",
        &leads,
        "--rename",
        "Date=received_at",
        "--rename",
        "Buyer=dealer",
        "--rename",
        "Disposition=outcome",
    ];
    let (code, told) = folder.told(&[&history[..], &["--dry-run"]].concat()).await;
    let words: Vec<(&str, &str, u64)> = told["files"][0]["unknown"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            (one["column"].as_str().unwrap(), one["word"].as_str().unwrap(), one["rows"].as_u64().unwrap())
        })
        .collect();
    assert_eq!(
        (code, words),
        (
            1,
            vec![
                ("dealer", "Joe's Roofs LLC", 2),
                ("dealer", "Ridge & Sons", 1),
                ("outcome", "Bad Lead", 1),
                ("outcome", "Closed Won", 1),
                ("outcome", "No Answer", 1),
                ("outcome", "Sold", 1),
                ("outcome", "sold", 1),
                ("source", "Google Ads", 6),
            ]
        )
    );
    let (_, text) = folder.import(&[&history[..], &["--dry-run"]].concat()).await;
    assert!(
        text.contains("    source: Google Ads (6 rows)") && text.contains("several dealers have this name"),
        "{text}"
    );

    let map = folder.write(
        "words.csv",
        "column,theirs,ours\noutcome,Sold,won\noutcome,Closed Won,won\noutcome,No Answer,lost\noutcome,Bad Lead,returned\n",
    );
    let mapped = [
        &history[..],
        &["--map-file", &map, "--map", "source:Google Ads=web", "--map", "dealer:Joe's Roofs LLC=joes-roofs"],
        &["--map", "dealer:Ridge & Sons=ridge"],
    ]
    .concat();
    let (code, told) = folder.told(&mapped).await;
    assert_eq!((code, &told["files"][0]["imported"]), (0, &json!(6)), "{told}");
    let program = Program::start(Path::new(&folder.data), folder.rules.path()).await;
    let mut seats = Vec::new();
    for n in [0, 1, 3, 4] {
        let person = Person::named("Ann", "Hill").with("email", &format!("ann{n}@mail.example"));
        let (_, body) = program.live.posts("web", &person).await.unwrap();
        let story = program.live.story(body["lead"].as_str().unwrap()).await.unwrap();
        let seat = story.list("assignments").find(|seat| seat["imported"] == true).unwrap().clone();
        seats.push((seat["dealer"].as_str().unwrap().to_owned(), seat["state"].as_str().unwrap().to_owned()));
    }
    let seat = |dealer: &str, state: &str| (dealer.to_owned(), state.to_owned());
    assert_eq!(
        seats,
        [seat("hudson", "won"), seat("hudson", "won"), seat("joes-roofs", "won"), seat("ridge", "returned")]
    );
    program.kill().await;
    let (code, text) = folder.import(&[&history[..], &["--map", "Sold=won"]].concat()).await;
    assert!(code == 2 && text.contains("COLUMN:THEIRS=OURS"), "{code} {text}");
}
