//! The table of hand-written enquiries, `tests/screening`: the verdict each should get beside the one it gets.
//!
//! Two thirds were read while the filters were made; the last third was not. Both are held in every run of
//! the tests, and `cargo test -p leadyard-domain --test screening -- --nocapture` prints what they get.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test fails by them, and prints figures"
)]

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::{SignedDuration, Timestamp};
use leadyard_domain::enquiry::{Enquiry, FieldMap, Fields};
use leadyard_domain::ids::CompanyId;
use leadyard_domain::screening::{
    FormSeen, PageSeen, Reason, Screening, ScreeningRules, Seen, Tally, Verdict, conclude, signs, velocity,
};

/// What was typed, under the names of a form.
const TYPED: [&str; 9] =
    ["first_name", "last_name", "name", "email", "phone", "zip", "city", "message", "organization"];

type Row = HashMap<String, String>;

fn rows(file: &str) -> Vec<Row> {
    let path = format!("{}/../../tests/screening/{file}", env!("CARGO_MANIFEST_DIR"));
    let mut reader = csv::Reader::from_path(path).expect("the table");
    reader.deserialize().collect::<Result<_, _>>().expect("rows")
}

/// Who said what when, within the windows of one source.
#[derive(Default)]
struct Said(HashMap<(i64, [u8; 8]), BTreeSet<String>>);

impl Said {
    fn people(&mut self, row: &Row, at: Timestamp) -> u32 {
        let company = CompanyId::new("acme").unwrap();
        let Some(said) = velocity::said(&[7; 32], &company, &row["message"]) else { return 0 };
        let window = at.as_second().div_euclid(velocity::WINDOW_S);
        let people = self.0.entry((window, said)).or_default();
        people.insert(format!("{}{}", row["email"], row["phone"]));
        people.len() as u32
    }
}

/// Rows lie a day apart, unless one says how long after another it came.
struct Table {
    at: HashMap<String, Timestamp>,
    now: Timestamp,
    said: Said,
}

impl Table {
    fn screen(&mut self, row: &Row) -> Screening {
        let day = SignedDuration::from_hours(24);
        let after = |first: &String| {
            let seconds = row["seconds_after"].parse().unwrap_or(0);
            self.at.get(first).map(|at| at.checked_add(SignedDuration::from_secs(seconds)).unwrap())
        };
        let at = after(&row["repeat_of"]).unwrap_or_else(|| self.now.checked_add(day).unwrap());
        self.now = self.now.max(at);
        self.at.insert(row["id"].clone(), at);

        let mut fields = Fields::default();
        for name in TYPED.into_iter().filter(|name| !row[*name].is_empty()) {
            fields.push(name, row[name].clone()).unwrap();
        }
        if !row["honeypot"].is_empty() {
            fields.push("hp", row["honeypot"].clone()).unwrap();
        }
        let enquiry = Enquiry { fields, received_at: at, global_privacy_control: false, ip: None };
        let understood = enquiry.understand(&FieldMap::default());
        let opened = || {
            let age = row["form_ms"].parse().map_or(day, SignedDuration::from_millis);
            FormSeen::Opened { age, elsewhere: false }
        };
        let (form, people_of_token) = match row["token"].as_str() {
            "valid" | "old" => (opened(), 1),
            // Whoever sends the same again is the same person.
            "used" => (opened(), if row["repeat_of"].is_empty() { 2 } else { 1 }),
            "missing" => (FormSeen::Unasked, 0),
            "forged" => (FormSeen::Invalid, 0),
            other => unreachable!("a token is never {other}"),
        };
        let tally = Tally {
            in_shard: 1,
            shards: 1,
            people_at_address: 1,
            people_of_token,
            people_who_said_so: self.said.people(row, at),
        };
        let user_agent = Some(row["user_agent"].as_str());
        let page = Some(PageSeen { user_agent, form, tally: Some(tally) });
        let rules = ScreeningRules::default();
        let mut found = signs(&rules, &Seen { fields: &enquiry.fields, understood: &understood, page });
        if !understood.reachable() {
            found.retain(|sign| !matches!(sign, Reason::MalformedEmail | Reason::ImpossiblePhone));
            found.push(Reason::UnreachablePerson);
        }
        conclude(&rules, found)
    }
}

/// How many of each verdict got which.
#[derive(Default)]
struct Matrix(BTreeMap<(Verdict, Verdict), usize>);

impl Matrix {
    fn of(&self, should: Verdict, got: Verdict) -> usize {
        self.0.get(&(should, got)).copied().unwrap_or(0)
    }

    fn right(&self) -> usize {
        Verdict::ALL.iter().map(|verdict| self.of(*verdict, *verdict)).sum()
    }

    fn all(&self) -> usize {
        self.0.values().sum()
    }

    fn print(&self, file: &str) {
        println!("{file}: {} of {} as they should be", self.right(), self.all());
        println!("  {:>10} {:>9} {:>9} {:>9}", "should be", "ham", "doubtful", "spam");
        for &should in Verdict::ALL {
            let [ham, doubtful, spam] =
                [Verdict::Ham, Verdict::Doubtful, Verdict::Spam].map(|got| self.of(should, got));
            println!("  {should:>10} {ham:>9} {doubtful:>9} {spam:>9}", should = should.as_str());
        }
    }
}

fn run(file: &str, tell: bool) -> Matrix {
    let mut table =
        Table { at: HashMap::new(), now: "2026-01-01T00:00:00Z".parse().unwrap(), said: Said::default() };
    let mut matrix = Matrix::default();
    for row in rows(file) {
        let should: Verdict = row["verdict"].parse().unwrap();
        let got = table.screen(&row);
        *matrix.0.entry((should, got.verdict)).or_default() += 1;
        if tell && got.verdict != should {
            println!(
                "  {} {}: should be {should}, is {} by {:?}",
                row["id"], row["kind"], got.verdict, got.reasons
            );
        }
    }
    matrix.print(file);
    matrix
}

/// The one bad mistake first: nobody who asks for something is called spam.
#[test]
fn the_table_that_was_read_gets_its_verdicts() {
    let matrix = run("seen.csv", true);
    assert_eq!(matrix.of(Verdict::Ham, Verdict::Spam), 0, "ham is called spam");
    assert!(matrix.of(Verdict::Ham, Verdict::Doubtful) <= 3, "too many wait for the desk");
    assert!(matrix.right() * 100 >= matrix.all() * 95, "{} of {}", matrix.right(), matrix.all());
}

/// Figures alone: a weight that is tuned by these rows makes them worthless.
#[test]
fn the_table_that_was_not_read() {
    let matrix = run("unseen.csv", false);
    assert_eq!(matrix.of(Verdict::Ham, Verdict::Spam), 0, "ham is called spam");
}

// --- Each sign by itself ---

const BROWSER: &str =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/131.0.0.0 Safari/537.36";

/// Those that intake finds elsewhere than in the enquiry, and the tests end to end show.
const NOT_OF_THE_ENQUIRY: [Reason; 9] = [
    Reason::IdentityVelocity,
    Reason::DoNotCall,
    Reason::Suppressed,
    Reason::UnreachablePerson,
    Reason::UnknownOffer,
    Reason::UnknownSource,
    Reason::Unreadable,
    Reason::SourceCap,
    Reason::MetaUnfetched,
];

/// What is concluded of Ada, who says these things otherwise.
fn of_ada(otherwise: &[(&str, &str)], page: PageSeen<'_>) -> Screening {
    let mut said = BTreeMap::from([
        ("first_name", "Ada"),
        ("last_name", "Hill"),
        ("email", "ada.hill@gmail.com"),
        ("phone", "305-274-0142"),
        ("message", "The roof leaks over the kitchen. Please call after five."),
    ]);
    said.extend(otherwise.iter().copied());
    let mut fields = Fields::default();
    for (name, value) in said.into_iter().filter(|(_, value)| !value.is_empty()) {
        fields.push(name, value.to_owned()).unwrap();
    }
    let received_at = "2026-06-01T16:00:00Z".parse().unwrap();
    let enquiry = Enquiry { fields, received_at, global_privacy_control: false, ip: None };
    let understood = enquiry.understand(&FieldMap::default());
    let rules = ScreeningRules::default();
    let seen = Seen { fields: &enquiry.fields, understood: &understood, page: Some(page) };
    conclude(&rules, signs(&rules, &seen))
}

fn alone() -> Tally {
    Tally { in_shard: 1, shards: 1, people_at_address: 1, people_of_token: 1, people_who_said_so: 1 }
}

fn browser() -> PageSeen<'static> {
    PageSeen { user_agent: Some(BROWSER), form: FormSeen::Unasked, tally: Some(alone()) }
}

/// What shows each sign of what somebody says.
const SAID: [(Reason, &[(&str, &str)]); 21] = [
    (Reason::Honeypot, &[("hp", "Ada")]),
    (Reason::DisposableEmail, &[("email", "ada@mailinator.com")]),
    (Reason::MalformedEmail, &[("email", "ada.hill@")]),
    (Reason::DummyEmail, &[("email", "test@test.com")]),
    (Reason::GibberishEmail, &[("email", "xkqzjvwptk@gmail.com")]),
    (Reason::ImpossiblePhone, &[("phone", "305 27")]),
    (Reason::DummyPhone, &[("phone", "555-555-5555")]),
    (Reason::NoRealContact, &[("email", "test@test.com"), ("phone", "")]),
    (Reason::GibberishName, &[("first_name", "Xkjqzv"), ("last_name", "Wqpzxk")]),
    (Reason::LinkInName, &[("first_name", "http://roofs.example/")]),
    (Reason::DummyName, &[("first_name", "Test"), ("last_name", "Test")]),
    (Reason::RepeatedName, &[("first_name", "Montgomery"), ("last_name", "Montgomery")]),
    (Reason::GibberishMessage, &[("message", "test test")]),
    (Reason::BareLink, &[("message", "http://roofs.example/win")]),
    (Reason::Markup, &[("message", "The roof leaks, see [url=http://a.example]here[/url] how it drips.")]),
    (Reason::Advertising, &[("message", "We offer backlinks and SEO services for your website.")]),
    (Reason::NoEnquiry, &[("message", "Are you hiring? I roofed for ten years.")]),
    (Reason::Swindle, &[("message", "Do you accept credit card? I am out of town until it is done.")]),
    (Reason::Attack, &[("message", "<script>alert(1)</script>")]),
    (Reason::Attack, &[("favourite_colour", "' or 1=1--")]),
    (Reason::Advertising, &[("hp", "cheap backlinks http://roofs.example/")]),
];

#[test]
fn each_sign_is_shown_by_an_enquiry_of_its_own() {
    assert_eq!(of_ada(&[], browser()).reasons, [], "nothing is said against her");
    let mut shown = BTreeSet::from(NOT_OF_THE_ENQUIRY);
    let mut shows = |reason: Reason, screening: &Screening| {
        assert!(screening.reasons.contains(&reason), "{reason}: {:?}", screening.reasons);
        assert!(screening.weight > 0, "{reason}");
        shown.insert(reason);
    };
    for (reason, said) in SAID {
        shows(reason, &of_ada(said, browser()));
    }
    let opened = |hours, elsewhere| FormSeen::Opened { age: SignedDuration::from_hours(hours), elsewhere };
    for (reason, form) in [
        (Reason::FormTokenMissing, FormSeen::Missing),
        (Reason::FormTokenInvalid, FormSeen::Invalid),
        (Reason::FormTooFast, opened(0, false)),
        (Reason::FormTooOld, opened(200, false)),
        (Reason::FormTokenElsewhere, opened(1, true)),
    ] {
        shows(reason, &of_ada(&[], PageSeen { form, ..browser() }));
    }
    for (reason, tally) in [
        (Reason::FormTokenReused, Tally { people_of_token: 2, ..alone() }),
        (Reason::SourceVelocity, Tally { in_shard: 4_000, ..alone() }),
        (Reason::AddressVelocity, Tally { in_shard: 11, people_at_address: 11, ..alone() }),
        (Reason::IdenticalPayload, Tally { people_who_said_so: 2, ..alone() }),
        (Reason::Campaign, Tally { people_who_said_so: 3, ..alone() }),
    ] {
        shows(reason, &of_ada(&[], PageSeen { tally: Some(tally), ..browser() }));
    }
    for (reason, user_agent) in [
        (Reason::BotAgent, Some("Mozilla/5.0 (compatible; Googlebot/2.1)")),
        (Reason::ProgramAgent, Some("python-requests/2.32.3")),
        (Reason::NoAgent, None),
        (Reason::Attack, Some("() { :;}; /bin/bash -c id")),
    ] {
        shows(reason, &of_ada(&[], PageSeen { user_agent, ..browser() }));
    }
    assert_eq!(shown, Reason::ALL.iter().copied().collect(), "a sign that nothing shows");
}
