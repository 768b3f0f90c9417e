//! Reports: what the counters say is what a plain recount of the same history says; however the stream comes, and after
//! days are sealed.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::Duration;

use http::Method;
use jiff::civil::date;
use leadyard::aws::stream::SHARD;
use leadyard::system;
use leadyard_domain::report::{Counter, Dimension, Speed, Tally, UNKNOWN};
use leadyard_platform::reports;
use leadyard_platform::store::{ReportRules, Tables};
use leadyard_platform::stream::{StreamEvent, StreamRecord};
use leadyard_tests::routes::REPORTS;
use leadyard_tests::{Browser, Person, Rules, Says, Yard};
use serde_json::{Value, json};

mod seats;
mod stream;
mod poison;
mod sealed;
mod campaigns;
mod year;
mod served;

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(24 * 3_600);

/// Two sources, two campaigns; hudson must accept within half an hour and may return, ridge is charged when a lead
/// arrives.
fn trade() -> Rules {
    Rules::company("acme")
        .offer("roof", "roofing", "")
        .offer("gutter", "roofing", "")
        .source("web", "offer = \"roof\"\ncost_per_lead = \"4.00\"")
        .source("ads", "offer = \"gutter\"")
        .dealer("hudson", [])
        .contract(
            "hudson",
            "hudson",
            [
                ("tier", "1"),
                ("price", "40.00"),
                ("deadline_minutes", "30"),
                ("deadline_clock", "wall"),
                ("cap_day", "16"),
                ("return_days", "7"),
                ("return_reasons", "wrong-number out-of-area"),
            ],
        )
        .dealer("ridge", [])
        .contract(
            "ridge",
            "ridge",
            [("tier", "2"), ("price", "15.00"), ("area", "state:FL"), ("cap_day", "20")],
        )
        .file("spend.csv", "month,source,campaign,amount\n2026-06,ads,spring,300.00\n2026-06,web,,60.00\n")
}

/// A day's trade: forty leads by turns from either source, of whom hudson and ridge make this and that.
async fn trade_a_day(yard: &Yard, first: usize) {
    for n in first..first + 40 {
        let zip = if n % 5 == 0 { "10001" } else { "33101" };
        let source = if n % 2 == 0 { "web" } else { "ads" };
        let mut person = Person::number(n).with("zip", zip);
        if n % 3 == 0 {
            person = person.with("utm_campaign", "spring");
        }
        if n % 13 == 5 {
            person = person
                .with("website", "https://spam.example")
                .with("message", "buy https://a.example https://b.example https://c.example");
        }
        let posted = yard.server(source).posts(&person).await;
        assert!((200..300).contains(&posted.status.as_u16()), "{}", posted.text);
        let Some(lead) = posted.json["lead"].as_str().map(str::to_owned) else { continue };
        yard.settle().await;
        yard.advance(Duration::from_secs(20 * (n as u64 % 7))).await;
        if n % 17 == 0 {
            let _ = yard.server(source).posts(&person).await.is(200);
        }
        dealers_answer(yard, n, &lead).await;
        if n % 4 == 0 {
            yard.count().await;
        }
    }
}

async fn dealers_answer(yard: &Yard, n: usize, lead: &str) {
    if n % 16 == 11 {
        let taken = json!({ "reason": "the wrong one", "hold": true });
        let _ = yard.desk(Method::POST, &format!("/v1/leads/{lead}/take_back"), Some(taken)).await.is(200);
        yard.settle().await;
        return;
    }
    for dealer in yard.story(lead).await.holders().into_iter().map(str::to_owned).collect::<Vec<_>>() {
        if dealer == "hudson" {
            match n % 8 {
                0 => {
                    let _ = yard.answers("hudson", lead, "decline").await.is(200);
                    yard.settle().await;
                    continue;
                }
                1 => continue, // it lapses
                _ => {
                    let _ = yard.answers("hudson", lead, "accept").await.is(200);
                    answered(1, 0);
                }
            }
            if n % 8 == 2 {
                let body =
                    json!({ "reason": if n.is_multiple_of(3) { "out-of-area" } else { "wrong-number" } });
                let _ = yard.answers_with("hudson", lead, "return", Some(body)).await.is(200);
                yard.settle().await;
                if n % 16 == 2 {
                    let seat = yard.story(lead).await.assignment("hudson")["assignment"].clone();
                    let path = format!("/v1/returns/{}/approve", seat.as_str().unwrap());
                    let _ =
                        yard.desk(Method::POST, &path, Some(json!({ "reason": "so it is" }))).await.is(200);
                    yard.settle().await;
                }
                continue;
            }
        }
        yard.advance(Duration::from_secs(30 * (n as u64 % 11))).await;
        match n % 6 {
            0 | 1 => {
                let _ = yard.answers(&dealer, lead, "contacted").await.is(200);
                let value = json!({ "value": format!("{}.50", 1_000 + n) });
                let _ = yard.answers_with(&dealer, lead, "won", Some(value)).await.is(200);
                answered(0, 1);
            }
            2 => {
                let _ = yard.answers(&dealer, lead, "lost").await.is(200);
            }
            3 => {
                let _ = yard.answers(&dealer, lead, "contacted").await.is(200);
                answered(0, 1);
            }
            _ => {}
        }
    }
}

thread_local! {
    /// How often dealers accepted and reached the person, as this thread's test made them.
    static ANSWERS: Cell<(i64, i64)> = const { Cell::new((0, 0)) };
}

fn answered(accepted: i64, contacted: i64) {
    let (before, reached) = ANSWERS.get();
    ANSWERS.set((before + accepted, reached + contacted));
}

type Counted = BTreeMap<(String, String), BTreeMap<String, i64>>;

/// The same history counted plainly, from the stories of all leads, their enquiries and the dealers' statements: by
/// dimension and value.
async fn recounted(yard: &Yard) -> Counted {
    let mut counted = Counted::new();
    let mut add = |by: &[(&str, &str)], what: &str, amount: i64| {
        for (dimension, value) in by {
            let of = counted.entry(((*dimension).to_owned(), (*value).to_owned())).or_default();
            *of.entry(what.to_owned()).or_default() += amount;
        }
    };
    let (mut items, mut start) = (Vec::new(), None);
    loop {
        let (page, next) = yard.cloud.store.scan_page(start).await.unwrap();
        items.extend(page);
        start = next;
        if start.is_none() {
            break;
        }
    }
    let text = |item: &leadyard_platform::store::Item, name: &str| {
        item.get(name).and_then(|value| value.as_s().ok()).cloned().unwrap_or_default()
    };
    for item in &items {
        let (kind, status) = (text(item, "sk"), text(item, "status"));
        if kind == "E" && ["received", "repeat", "quarantined", "rejected"].contains(&status.as_str()) {
            let source = text(item, "source");
            let by = [("all", ""), ("source", source.as_str())];
            add(&by, "enquiries", 1);
            let verdict = item.get("quarantine").map(|kept| format!("{:?}", kept.as_m().unwrap()["verdict"]));
            let verdict =
                verdict.map_or("ham", |said| if said.contains("spam") { "spam" } else { "doubtful" });
            add(&by, verdict, 1);
            add(&by, "repeats", i64::from(status == "repeat"));
        }
        if kind.starts_with("D#") && text(item, "conclusion").starts_with("waiting") {
            let reason = text(item, "conclusion").replace(':', "#").replacen("waiting#", "waiting:", 1);
            add(&[("all", "")], "waiting", 1);
            add(&[("reason", reason.as_str())], "waiting", 1);
        }
    }
    let (accepted, contacted) = ANSWERS.get();
    add(&[("all", "")], "accepted", accepted);
    add(&[("all", "")], "contacted", contacted);
    let leads = items.iter().filter_map(|item| {
        let sk = item["sk"].as_s().unwrap();
        (sk == "L").then(|| item["pk"].as_s().unwrap().trim_start_matches("L#").to_owned())
    });
    let mut of_lead: BTreeMap<String, (String, String, String, String)> = BTreeMap::new();
    for lead in leads {
        let stored = yard.stored(&lead).await;
        let story = yard.story(&lead).await;
        let seats = yard.cloud.store.lead_story(stored.id).await.unwrap().unwrap().assignments;
        for seat in seats.iter().filter(|seat| seat.delivered_at.is_some()) {
            add(&[("all", ""), ("dealer", seat.dealer.as_str())], "delivered", 1);
        }
        let (source, offer) = (stored.source.to_string(), stored.offer.to_string());
        let campaign = stored.campaign.clone().unwrap_or_default();
        let state = stored.location().state().map(|state| state.to_string()).unwrap_or_default();
        of_lead.insert(lead.clone(), (source.clone(), campaign.clone(), offer.clone(), state.clone()));
        let by = [
            ("all", ""),
            ("source", source.as_str()),
            ("campaign", campaign.as_str()),
            ("offer", offer.as_str()),
            ("state", state.as_str()),
        ];
        add(&by, "leads", 1);
        add(&by, "new_leads", 1);
        for seat in story.list("assignments") {
            let dealer = seat["dealer"].as_str().unwrap();
            let mut by = by.to_vec();
            by.push(("dealer", dealer));
            add(&by, "distributed", 1);
            let state = seat["state"].as_str().unwrap();
            if ["declined", "lapsed", "returned", "withdrawn", "won", "lost"].contains(&state) {
                add(&by, state, 1);
            }
            if state == "returned" {
                let reason = format!("returned:{}", seat["return"]["reason"].as_str().unwrap());
                add(&[("reason", reason.as_str())], "returned", 1);
            }
            if state == "won" {
                let value: f64 = seat["won_value"].as_str().unwrap().parse().unwrap();
                add(&by, "won_value", (value * 100.0).round() as i64);
            }
        }
    }
    for dealer in ["hudson", "ridge"] {
        let statement =
            yard.dealer(dealer, Method::GET, &format!("/v1/dealers/{dealer}/statement"), None).await.is(200);
        for line in statement.json["lines"].as_array().unwrap() {
            let (source, campaign, offer, state) = &of_lead[line["lead"].as_str().unwrap()];
            let by = [
                ("all", ""),
                ("source", source.as_str()),
                ("campaign", campaign.as_str()),
                ("offer", offer.as_str()),
                ("state", state.as_str()),
                ("dealer", dealer),
            ];
            let amount: f64 = line["amount"].as_str().unwrap().parse().unwrap();
            let what = if line["kind"] == "charge" { "charged" } else { "credited" };
            add(&by, what, (amount * 100.0).round() as i64);
        }
    }
    counted
}

/// What a report's row says of a counter; money in minor units.
fn said(row: &Value, counter: &str) -> i64 {
    match &row[counter] {
        Value::String(amount) => (amount.parse::<f64>().unwrap() * 100.0).round() as i64,
        Value::Number(count) => count.as_i64().unwrap(),
        other => panic!("{counter}: {other}"),
    }
}

/// Holds the reports of June against a recount.
async fn agree(yard: &Yard) {
    let june = "from=2026-06-01&to=2026-06-30";
    let counted = recounted(yard).await;
    let none = BTreeMap::new();
    let mut compared = 0;
    for (report, dimension, prefix, more) in [
        ("sources", "source", "", &["enquiries", "ham", "doubtful", "spam", "repeats"][..]),
        ("campaigns", "campaign", "", &[]),
        ("offers", "offer", "", &[]),
        ("areas", "state", "", &[]),
        ("dealers", "dealer", "", &["delivered"]),
        ("returns", "reason", "returned:", &[]),
        ("waiting", "reason", "waiting:", &["waiting"]),
        ("leads", "all", "", &["enquiries", "repeats"]),
        ("funnel", "all", "", &["enquiries", "ham", "delivered", "accepted", "contacted"]),
    ] {
        let told = yard.report(&format!("{report}?{june}")).await;
        let rows = told["rows"].as_array().unwrap();
        let of_it = |of: &str, value: &str| of == dimension && value.starts_with(prefix);
        let expected: Vec<_> = counted.iter().filter(|((of, value), _)| of_it(of, value)).collect();
        assert!(!expected.is_empty(), "{report}: nothing to compare");
        for ((_, value), plain) in &expected {
            let named = match (dimension, value.as_str()) {
                ("all", _) => json!("all"),
                (_, "") => Value::Null,
                (_, value) => json!(value.trim_start_matches(prefix)),
            };
            let row = rows.iter().find(|row| row["value"] == named);
            let row = row.unwrap_or_else(|| panic!("{report}: no row {named}: {told}"));
            for counter in EVERYWHERE.iter().chain(more) {
                if row.get(counter).is_some() {
                    let expected = plain.get(*counter).copied().unwrap_or(0);
                    assert_eq!(said(row, counter), expected, "{report}, {value}, {counter}: {row}");
                    compared += 1;
                }
            }
        }
        // And nothing else is counted.
        let whole = counted.get(&("all".to_owned(), String::new())).unwrap_or(&none);
        for counter in ["leads", "won", "charged", "credited", "won_value", "waiting"] {
            if let Some(total) = told["whole"].get(counter) {
                let rows: i64 = rows.iter().map(|row| said(row, counter)).sum();
                let plain = whole.get(counter).copied().unwrap_or(0);
                assert_eq!(said(&json!({ counter: total }), counter), plain, "{report}: {counter}");
                assert_eq!(rows, plain, "{report}: the rows are the whole, {counter}");
            }
        }
    }
    assert!(compared > 65, "{compared} figures were compared");
    seats::agree(yard).await;
}

/// What the company's counters go by.
async fn rules_of(yard: &Yard) -> ReportRules {
    reports::rules_of(&yard.cloud.store, &yard.cloud.rulebooks, &yard.company_id()).await.unwrap()
}

/// Counts the table anew, in the place of what was counted.
async fn recount(yard: &Yard) -> reports::Recounted {
    let cloud = &yard.cloud;
    reports::recount(&cloud.store, &cloud.rulebooks, cloud.clock.now(), |_| {}).await.unwrap()
}

/// What the plain recount counts by every dimension. What it knows of some alone is compared there.
const EVERYWHERE: [&str; 12] = [
    "leads",
    "new_leads",
    "distributed",
    "declined",
    "lapsed",
    "withdrawn",
    "returned",
    "won",
    "lost",
    "charged",
    "credited",
    "won_value",
];

/// All reports, but for what reading them cost.
async fn all(yard: &Yard, query: &str) -> Vec<Value> {
    let mut told = Vec::new();
    for name in REPORTS {
        let mut report = yard.report(&format!("{name}?{query}")).await;
        report.as_object_mut().unwrap().remove("read_units");
        told.push(report);
    }
    told.push(yard.report(&format!("speed?{query}&by=dealer")).await["rows"].clone());
    told
}

#[tokio::test(start_paused = true)]
async fn reports_say_what_a_plain_recount_says_also_once_days_are_sealed() {
    let yard = Yard::of(trade()).await;
    yard.notes();
    yard.dealers.says("acme/ridge", Says::Status(200));
    trade_a_day(&yard, 0).await;
    yard.count().await;
    agree(&yard).await;
    let first = all(&yard, "from=2026-06-01&to=2026-06-30").await;
    // Another day is counted, and the first is sealed.
    yard.advance_to("2026-06-02T15:00:00Z").await;
    yard.count().await;
    let before = all(&yard, "from=2026-06-01&to=2026-06-01").await;
    trade_a_day(&yard, 100).await;
    yard.count().await;
    let day = "2026-06-01".parse().unwrap();
    assert!(yard.cloud.store.report_is_sealed(&yard.company_id(), day).await.unwrap());
    agree(&yard).await;
    assert_eq!(all(&yard, "from=2026-06-01&to=2026-06-01").await, before, "sealing changes nothing");
    assert_ne!(all(&yard, "from=2026-06-01&to=2026-06-30").await, first);
    // What is put right on a sealed day is put right there.
    let sold = yard.inbox("ridge").await;
    let sold = sold.iter().find(|seat| seat["state"] == "won").expect("ridge has sold");
    let lead = sold["lead"].as_str().unwrap().to_owned();
    let _ = yard.answers_with("ridge", &lead, "won", Some(json!({ "value": "9.00" }))).await.is(200);
    yard.count().await;
    agree(&yard).await;
    yard.advance(DAY + HOUR).await;
    let _ = yard.settled_lead(&Person::number(900)).await;
    yard.count().await;
    agree(&yard).await;
    // A recount of the table comes to the same, of what is not sealed.
    let counted = all(&yard, "from=2026-06-01&to=2026-06-30").await;
    let done = recount(&yard).await;
    assert!(done.days >= 1 && done.sealed >= 2 && done.unreadable == 0, "{done:?}");
    assert_eq!(all(&yard, "from=2026-06-01&to=2026-06-30").await, counted);
}

#[tokio::test(start_paused = true)]
async fn a_recount_comes_to_what_the_stream_said() {
    let yard = Yard::of(trade()).await;
    yard.notes();
    trade_a_day(&yard, 0).await;
    yard.count().await;
    let counted = all(&yard, "from=2026-06-01&to=2026-06-02").await;
    assert_eq!(recount(&yard).await.sealed, 0);
    assert_eq!(all(&yard, "from=2026-06-01&to=2026-06-02").await, counted);
    // What the recount wrote is noted too, and counts nothing; what happens after it counts on.
    yard.count().await;
    assert_eq!(all(&yard, "from=2026-06-01&to=2026-06-02").await, counted);
    let _ = yard.settled_lead(&Person::number(77)).await;
    yard.count().await;
    let leads = |told: &Value| said(&told["whole"], "leads");
    assert_eq!(
        leads(&yard.report("leads").await),
        leads(counted.last_chunk::<2>().map(|[leads, _]| leads).unwrap()) + 1
    );
    let more = all(&yard, "from=2026-06-01&to=2026-06-02").await;
    recount(&yard).await;
    assert_eq!(all(&yard, "from=2026-06-01&to=2026-06-02").await, more);
}

#[tokio::test(start_paused = true)]
async fn unmet_demand_is_what_nobody_serves_and_not_who_is_full() {
    let rules = Rules::company("acme")
        .offer("roof", "roofing", "")
        .offer("panel", "solar", "")
        .source("web", "offer = \"roof\"")
        .source("sun", "offer = \"panel\"")
        .dealer("hudson", [])
        .contract("hudson", "hudson", [("offers", "roof"), ("area", "state:FL"), ("cap_day", "1")])
        .dealer("ridge", [])
        .contract("ridge", "ridge", [("offers", "panel"), ("area", "state:TX")])
        .offer("gutter", "gutters", "")
        .source("rain", "offer = \"gutter\"")
        .seller("gulf", [("offers", "gutter"), ("min_band", "A1")]);
    let yard = Yard::of(rules).await;
    yard.notes();
    // In Miami one is sold, one waits for the cap, and nobody has panels; in New York nobody has anything.
    for (n, source, zip) in [
        (1, "web", "33101"),
        (2, "web", "33101"),
        (3, "sun", "33101"),
        (4, "web", "10001"),
        (5, "sun", "10001"),
        // Whoever has gutters wants better leads.
        (6, "rain", "33101"),
    ] {
        let _ = yard.server(source).posts(&Person::number(n).with("zip", zip)).await.is(201);
        yard.settle().await;
    }
    // Nobody knows where this one is.
    let nowhere = Person::number(7).without("zip").without("phone");
    let _ = yard.server("web").posts(&nowhere).await.is(201);
    yard.settle().await;
    yard.count().await;
    let of = |report: &Value, value: &str| {
        let rows = report["rows"].as_array().unwrap();
        let row = rows.iter().find(|row| row["value"] == value);
        let row = row.unwrap_or_else(|| panic!("no row {value}: {report}"));
        ["leads", "waiting", "unserved"].map(|counter| said(row, counter))
    };
    let june = "from=2026-06-01&to=2026-06-30";
    let unmet = yard.report(&format!("unmet?{june}")).await;
    assert_eq!((of(&unmet, "FL"), of(&unmet, "NY")), ([4, 3, 1], [2, 2, 2]));
    assert_eq!(said(&unmet["whole"], "unserved"), 3);
    // The waiting room has the same word for the same.
    let room = yard.desk(Method::GET, "/v1/waiting", None).await.is(200);
    assert_eq!(room.json["by_reason"]["band"], json!(1), "{}", room.text);
    assert_eq!(room.json["by_reason"]["unplaced"], json!(1), "{}", room.text);
    let demand = room.json["unmet_demand"].as_array().unwrap();
    assert_eq!(demand.iter().map(|of| said(of, "leads")).sum::<i64>(), 3, "{}", room.text);
    let unmet = yard.report(&format!("unmet?{june}&by=category")).await;
    assert_eq!((of(&unmet, "roofing"), of(&unmet, "solar")), ([4, 3, 1], [2, 2, 2]));
    let (header, rows) = yard.desk_csv(&format!("/v1/reports/unmet?{june}")).await;
    assert_eq!(header, ["state", "leads", "waiting", "unserved", "unserved_of_leads"]);
    assert_eq!(rows[1], ["NY", "2", "2", "2", "1.0"]);
    // Any other period, too: before it there was nothing.
    let before = yard.report("unmet?from=2026-05-01&to=2026-05-31").await;
    assert_eq!((said(&before["whole"], "unserved"), before["rows"].as_array().unwrap().len()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_report_has_its_period_the_one_before_and_what_was_spent() {
    let yard = Yard::of(trade()).await;
    yard.notes();
    let web = Person::number(1);
    yard.settled_lead(&web).await;
    let ads = yard.server("ads").posts(&Person::number(2).with("utm_campaign", "spring")).await.is(201);
    yard.settle().await;
    yard.advance(Duration::from_secs(240)).await;
    let lead = ads.text_of("lead").to_owned();
    let _ = yard.answers("hudson", &lead, "accept").await.is(200);
    let _ = yard.answers("hudson", &lead, "contacted").await.is(200);
    yard.advance(DAY).await;
    yard.settled_lead(&Person::number(3)).await;
    yard.count().await;
    let today = yard.report("leads?from=2026-06-02&to=2026-06-02").await;
    assert_eq!((said(&today["whole"], "leads"), said(&today["before"]["whole"], "leads")), (1, 2));
    assert_eq!((said(&today["whole"], "size"), said(&today["before"]["whole"], "size")), (3, 2));
    assert_eq!(
        (&today["before"]["from"], &today["before"]["to"]),
        (&json!("2026-06-01"), &json!("2026-06-01"))
    );
    // Of June's spend the days in the period have their part; web costs 4.00 a lead besides.
    let june = yard.report("sources?from=2026-06-01&to=2026-06-30").await;
    let row = |report: &Value, value: Value| {
        let rows = report["rows"].as_array().unwrap();
        rows.iter()
            .find(|row| row["value"] == value)
            .cloned()
            .unwrap_or_else(|| panic!("no row {value}: {report}"))
    };
    assert_eq!(row(&june, json!("web"))["cost"], "68.00");
    assert_eq!(row(&june, json!("ads"))["cost"], "300.00");
    assert_eq!(june["whole"]["cost"], "368.00");
    let days = yard.report("sources?from=2026-06-01&to=2026-06-03").await;
    assert_eq!(row(&days, json!("ads"))["cost"], "30.00");
    let campaigns = yard.report("campaigns?from=2026-06-01&to=2026-06-30").await;
    let spring = row(&campaigns, json!("spring"));
    assert_eq!(
        (&spring["cost"], &spring["charged"], &spring["return_on_spend"]),
        (&json!("300.00"), &json!("40.00"), &json!(0.1333))
    );
    // Speed to lead: the one that was reached took four minutes.
    let speed = yard.report("speed?from=2026-06-01&to=2026-06-30").await;
    assert_eq!(
        (&speed["whole"]["contact_measured"], &speed["whole"]["contact_within_5_minutes"]),
        (&json!(1), &json!(1.0))
    );
    let median = speed["whole"]["contact_median_s"].as_i64().unwrap();
    assert!((181..=300).contains(&median), "{median}");
    // Hudson had all three; the first lapsed, and ridge had it.
    assert_eq!(speed["whole"]["delivery_measured"], 4);
    // The same as a table.
    let (header, rows) = yard.desk_csv("/v1/reports/campaigns?from=2026-06-01&to=2026-06-30").await;
    assert_eq!((header[0].as_str(), header.len()), ("campaign", 13));
    let found: Vec<&str> = rows.iter().map(|row| row[0].as_str()).collect();
    assert_eq!(found, ["(unknown)", "spring"]);
    // What cannot be told is refused by name.
    for (path, slug) in [
        ("nothing", "not-found"),
        ("sources?from=June", "invalid-field"),
        ("sources?from=2026-06-02&to=2026-06-01", "invalid-field"),
        ("sources?by=colour", "invalid-field"),
        ("sources?by=reason", "invalid-field"),
        ("returns?by=dealer", "invalid-field"),
        ("sources?from=1970-01-01", "invalid-field"),
    ] {
        let reply = yard.desk(Method::GET, &format!("/v1/reports/{path}"), None).await;
        let status = reply.status.as_u16();
        let _ = reply.is(status).is_problem(slug);
    }
}

#[tokio::test(start_paused = true)]
async fn the_whole_costs_the_same_whatever_the_rows_are() {
    let yard = Yard::of(trade()).await;
    yard.notes();
    yard.settled_lead(&Person::number(1)).await;
    let _ = yard.server("ads").posts(&Person::number(2).with("utm_campaign", "spring")).await.is(201);
    yard.settle().await;
    yard.advance(DAY).await;
    yard.settled_lead(&Person::number(3)).await;
    yard.count().await;
    // Of each day 12.00 are spent, and a lead of the web's costs 4.00.
    let day = "from=2026-06-02&to=2026-06-02";
    for by in ["source", "all", "state", "campaign", "category"] {
        let told = yard.report(&format!("sources?{day}&by={by}")).await;
        let costs = [&told["whole"]["cost"], &told["before"]["whole"]["cost"]];
        assert_eq!(costs, ["16.00", "16.00"], "by {by}: {told}");
        let told = yard.report(&format!("campaigns?{day}&by={by}")).await;
        let costs = [&told["whole"]["cost"], &told["before"]["whole"]["cost"]];
        assert_eq!(costs, ["16.00", "16.00"], "by {by}: {told}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_lead_cost_stays_what_it_cost_whatever_its_source_asks_for_later() {
    let rules = |source: &str| {
        Rules::company("acme")
            .offer("roof", "roofing", "")
            .source("form", "offer = \"roof\"")
            .source("web", source)
            .seller("hudson", [])
    };
    let yard = Yard::of(rules("offer = \"roof\"\ncost_per_lead = \"4.00\"")).await;
    yard.notes();
    let ask = async |n: usize| {
        let _ = yard.server("web").posts(&Person::number(n).with("utm_campaign", "spring")).await.is(201);
        yard.settle().await;
    };
    ask(1).await;
    let _ = yard.publish(&rules("offer = \"roof\"\ncost_per_lead = \"9.00\"")).await.is(200);
    ask(2).await;
    // Somebody who asks again costs nothing more.
    let _ = yard.server("web").posts(&Person::number(2)).await.is(200);
    yard.settle().await;
    let _ = yard.publish(&rules("offer = \"roof\"")).await.is(200);
    ask(3).await;
    yard.count().await;
    let june = "from=2026-06-01&to=2026-06-30";
    let told = yard.report(&format!("sources?{june}")).await;
    let web = told["rows"].as_array().unwrap().iter().find(|row| row["value"] == "web").unwrap();
    assert_eq!((&web["cost"], &web["leads"]), (&json!("13.00"), &json!(3)), "{told}");
    let told = yard.report(&format!("campaigns?{june}")).await;
    assert_eq!(
        (&told["rows"][0]["value"], &told["rows"][0]["cost"]),
        (&json!("spring"), &json!("13.00")),
        "{told}"
    );
}

#[tokio::test(start_paused = true)]
async fn who_was_imported_is_known_and_is_no_new_lead() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [])).await;
    yard.notes();
    yard.settled_lead(&Person::number(1)).await;
    let row =
        |email: &str, at: &str| json!({ "received_at": at, "source": "web", "email": email, "zip": "33101" });
    // One of them twice: one lead.
    let rows = json!({ "rows": [
        row("ben@mail.example", "2025-03-01"), row("ben@mail.example", "2025-09-01"), row("cleo@mail.example", "2024-01-05"),
    ] });
    let _ = yard.desk(Method::POST, "/v1/import/history", Some(rows)).await.is(200);
    yard.settle().await;
    yard.count().await;
    let told = yard.report("leads?from=2026-06-01&to=2026-06-30").await;
    assert_eq!((&told["whole"]["new_leads"], &told["whole"]["size"]), (&json!(1), &json!(3)), "{told}");
    assert_eq!(told["before"]["whole"]["size"], json!(0), "{told}");
}

#[tokio::test(start_paused = true)]
async fn what_a_dimension_does_not_know_is_no_zero_and_what_a_report_is_about_it_must_know() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [("area", "state:FL")])).await;
    yard.notes();
    // In Alaska nobody has roofs.
    let person = Person::number(1).without("phone").with("zip", "99501").with("utm_campaign", "spring");
    let _ = yard.server("web").posts(&person).await.is(201);
    yard.settle().await;
    yard.count().await;
    let june = "from=2026-06-01&to=2026-06-30";
    // A decision does not know the campaign, and an enquiry no band.
    for (report, by, known, unknown) in [
        ("offers", "campaign", &["leads", "enquiries"][..], &["waiting"][..]),
        ("unmet", "band", &["waiting", "unserved"], &["leads", "unserved_of_leads"]),
    ] {
        let told = yard.report(&format!("{report}?{june}&by={by}")).await;
        let (header, rows) = yard.desk_csv(&format!("/v1/reports/{report}?{june}&by={by}")).await;
        let at = |column: &str| header.iter().position(|one| one == column).unwrap();
        let row = &told["rows"][0];
        assert_eq!(rows.len(), 1, "{told}");
        for column in known {
            assert_eq!((&row[column], rows[0][at(column)].as_str()), (&json!(1), "1"), "{column}: {told}");
        }
        for column in unknown {
            assert_eq!((&row[column], rows[0][at(column)].as_str()), (&Value::Null, ""), "{column}: {told}");
            assert_eq!(told["whole"][column].as_f64(), Some(1.0), "the whole knows {column}: {told}");
        }
    }
    // A table without what it is about is none.
    for (report, by, may) in [
        ("sources", "dealer", "all, source, campaign, offer, category, state"),
        ("leads", "band", "all, source, campaign, offer, category, state"),
        ("unmet", "campaign", "all, source, offer, category, state, band"),
        ("returns", "dealer", "reason"),
    ] {
        let refused = yard.desk(Method::GET, &format!("/v1/reports/{report}?by={by}"), None).await.is(400);
        let said = format!("by: the report {report} is told by one of: {may}");
        assert_eq!(refused.is_problem("invalid-field").json["detail"], json!(said));
    }
    let _ = yard.report(&format!("dealers?{june}&by=band")).await;
}

#[tokio::test(start_paused = true)]
async fn a_table_of_the_whole_has_all_that_the_report_says_of_it_also_of_a_silent_period() {
    let yard = Yard::of(trade()).await;
    yard.notes();
    yard.settled_lead(&Person::number(1)).await;
    yard.count().await;
    let (june, may) = ("from=2026-06-01&to=2026-06-30", "from=2026-05-01&to=2026-05-31");
    let (header, rows) = yard.desk_csv(&format!("/v1/reports/leads?{june}")).await;
    assert_eq!(header, ["all", "enquiries", "repeats", "leads", "new_leads", "size"]);
    assert_eq!(rows, [["all", "1", "0", "1", "1", "1"]]);
    let (_, rows) = yard.desk_csv(&format!("/v1/reports/leads?{may}")).await;
    assert_eq!(rows, [["all", "0", "0", "0", "0", "0"]]);
    // What was spent in June, and what web's lead cost; nobody owes for it before it is accepted.
    let (header, rows) = yard.desk_csv(&format!("/v1/reports/sources?{june}&by=all")).await;
    let of = |column: &str| rows[0][header.iter().position(|one| one == column).unwrap()].as_str();
    assert_eq!((rows.len(), of("cost"), of("return_on_spend")), (1, "364.00", "0.0"));
    let told = yard.report(&format!("sources?{june}&by=all")).await;
    let row = &told["rows"][0];
    assert_eq!((&row["value"], &row["cost"]), (&json!("all"), &told["whole"]["cost"]));
}

#[tokio::test(start_paused = true)]
async fn a_company_sees_its_own_figures_alone_and_a_dealer_none() {
    let acme = Yard::of(trade()).await;
    let other = acme.also(Rules::roofing("zenith").seller("hudson", [])).await;
    acme.notes();
    acme.settled_lead(&Person::number(1)).await;
    acme.settled_lead(&Person::number(2)).await;
    other.settled_lead(&Person::number(3)).await;
    acme.count().await;
    for name in REPORTS {
        let path = format!("/v1/reports/{name}");
        let _ = acme.desk(Method::GET, &format!("{path}?company=zenith"), None).await.is(404);
        let _ = acme.dealer("hudson", Method::GET, &path, None).await.is(401);
        let _ = acme.sends(None, Method::GET, &path, "text/plain", Vec::new()).await.is(401);
    }
    assert_eq!(said(&acme.report("leads").await["whole"], "leads"), 2);
    assert_eq!(said(&other.report("leads").await["whole"], "leads"), 1);
    let sources = other.report("sources").await["rows"].clone();
    assert_eq!((sources.as_array().unwrap().len(), &sources[0]["value"]), (1, &json!("web")));
}
