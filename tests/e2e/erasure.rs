//! A person is exported, and goes: everywhere, whatever interrupts it, and also after a restore.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use http::Method;
use leadyard_domain::access::Platform;
use leadyard_domain::erasure::ErasureReason;
use leadyard_domain::ids::ErasureId;
use leadyard_platform::erasure::Asked;
use leadyard_platform::person::Sought;
use leadyard_platform::store::Erasure;
use leadyard_tests::logs::Logs;
use leadyard_tests::{Person, Reply, Rules, Says, Yard};
use serde_json::{Value, json};

use crate::moving_in::table;

const HOUR: Duration = Duration::from_secs(3_600);
const BROWSER: &str =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/131.0.0.0 Safari/537.36";

/// Nothing else in the system reads like these.
const CANARIES: [&str; 11] = [
    "zebulon",
    "quackenbush",
    "zq.canary",
    "5550177",
    "555-0177",
    "5550178",
    "xylophone",
    "marmalade",
    "kumquat",
    "rutabaga",
    "persimmon",
];

fn rules() -> Rules {
    Rules::roofing("acme")
        .offer("gutter", "gutters", "")
        .source("rain", "offer = \"gutter\"")
        .source("trial", "offer = \"roof\"\ntest = true")
        .dealer("hudson", [])
        .contract(
            "hudson",
            "hudson",
            [
                ("offers", "roof"),
                ("return_days", "7"),
                ("return_quota", "100%"),
                ("return_reasons", "wrong-number"),
            ],
        )
        .dealer("ridge", [])
        .contract("ridge", "ridge", [("offers", "gutter"), ("deadline_minutes", "60")])
}

fn zeb() -> Person {
    Person::named("Zebulon", "Quackenbush")
        .with("email", "zq.canary@mail.example")
        .with("phone", "305-555-0177")
        .with("street", "7 Marmalade Row")
        .with("city", "Miami")
        .with("message", "a xylophone on the roof")
        .with("utm_campaign", "kumquat")
        .with("favourite_fruit", "kumquat")
        .with("consent", "yes")
        .with("consent_text", "Zebulon agrees to be called")
}

fn ada() -> Person {
    Person::named("Ada", "Hill").with("phone", "305-555-0100")
}

fn assert_nobody(place: &str, text: &str) {
    let text = text.to_lowercase();
    for canary in CANARIES {
        let at = text.find(canary);
        assert!(at.is_none(), "{canary} stands in {place}: …{}…", &text[at.unwrap().saturating_sub(200)..]);
    }
}

async fn erase(yard: &Yard, lead: &str, more: Value) -> Reply {
    let mut body = json!({ "reason": "requested" });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    yard.desk(Method::POST, &format!("/v1/leads/{lead}/erase"), Some(body)).await
}

async fn export(yard: &Yard, body: Value) -> Reply {
    yard.desk(Method::POST, "/v1/persons/export", Some(body)).await
}

fn events(yard: &Yard, dealer: &str) -> Vec<String> {
    yard.told(dealer).iter().map(|told| told.event.clone()).collect()
}

/// What a life with us leaves: by every way in, with everything that may be said of somebody on it.
struct Life {
    roof: String,
    gutter: String,
}

async fn live(yard: &Yard) -> Life {
    yard.dealer_says("hudson", Says::Body(200, "thank you, Zebulon Quackenbush is ours"));
    let roof = yard.server("web").header("user-agent", "Persimmon/1.0").posts(&zeb()).await.is(201);
    let roof = roof.text_of("lead").to_owned();
    yard.settle().await;
    // Asks again by a plain form with another phone, and for another thing.
    let again = zeb().with("phone", "3055550178").with("message", "still the rutabaga").with("state", "FL");
    let _ = yard.server("web").submits(&again).await;
    let gutter = yard.server("rain").posts(&zeb()).await.is(201).text_of("lead").to_owned();
    yard.settle().await;
    // What they did, by e-mail and in the browser.
    let at = yard.cloud.clock.now();
    let by_email =
        json!({ "id": "kumquat-1", "kind": "quote_request", "at": at, "email": "zq.canary@mail.example" });
    let _ = yard.server("web").reports(by_email).await.is(202);
    let page = yard.page("web").header("user-agent", BROWSER).posts(&zeb()).await.is(201);
    if let Some(visitor) = page.json["visitor"].as_str() {
        let visit = json!({ "id": "v-1", "kind": "page_view", "at": at, "visitor": visitor });
        let _ = yard.page("web").reports(visit).await.is(202);
    }
    yard.settle().await;
    // What the desk and the dealer wrote of them.
    let note = json!({ "text": "Zebulon called: the xylophone is loud" });
    let _ = yard.desk(Method::POST, &format!("/v1/leads/{roof}/note"), Some(note)).await.is(200);
    let _ = yard.answers("hudson", &roof, "accept").await.is(200);
    let seat = yard.story(&roof).await.assignment("hudson")["assignment"].as_str().unwrap().to_owned();
    let back = json!({ "reason": "wrong-number", "note": "555-0177 is a Marmalade shop" });
    let _ =
        yard.dealer("hudson", Method::POST, &format!("/v1/inbox/{seat}/return"), Some(back)).await.is(200);
    let said = json!({ "reason": "Quackenbush answered us on 555-0177" });
    let _ = yard.desk(Method::POST, &format!("/v1/returns/{seat}/deny"), Some(said)).await.is(200);
    // What was kept aside: doubted, rejected with a word, a test, and what nobody could read.
    let doubted = zeb().with("message", "We offer 500 backlinks for your website, reply YES to Zebulon");
    let aside = yard.server("web").posts(&doubted).await.is(202).text_of("enquiry").to_owned();
    let why = json!({ "reason": "Zebulon sells links" });
    let _ = yard.desk(Method::POST, &format!("/v1/quarantine/{aside}/reject"), Some(why)).await.is(200);
    let _ = yard
        .server("web")
        .posts(
            &doubted.with("message", "backlinks backlinks casino Zebulon, cheap backlinks for your website"),
        )
        .await;
    let _ = yard.server("trial").posts(&zeb()).await.is(201);
    let _ = yard
        .server("web")
        .sends("application/json", "{\"email\": zq.canary@mail.example, Zebulon")
        .await
        .is(400);
    Life { roof, gutter }
}

/// The table by item, and what stands in each.
async fn items(yard: &Yard) -> BTreeMap<(String, String), String> {
    let of = |line: String| {
        let item: Value = serde_json::from_str(&line).unwrap();
        let text = |name: &str| item[name].as_str().unwrap_or_default().to_owned();
        ((text("pk"), text("sk")), line)
    };
    table(yard).await.into_iter().map(of).collect()
}

#[tokio::test(start_paused = true)]
async fn everything_of_a_person_goes_and_everything_of_everybody_else_stays() {
    let (logs, _guard) = Logs::keep();
    let yard = Yard::of(rules()).await;
    let other = yard.settled_lead(&ada()).await;
    let life = live(&yard).await;
    let before = items(&yard).await;
    let with_canaries =
        before.values().filter(|text| CANARIES.iter().any(|canary| text.to_lowercase().contains(canary)));
    assert!(with_canaries.count() >= 12, "the canaries were planted");

    // What would go is told, and nothing goes.
    let told = erase(&yard, &life.roof, json!({ "dry_run": true })).await.is(200);
    assert_eq!(told.json["dry_run"], true);
    assert_eq!(told.json["leads"].as_array().unwrap().len(), 2);
    assert_eq!(told.json["aside"].as_array().unwrap().len(), 4, "{}", told.text);
    let seats: BTreeMap<&str, (&str, bool)> = told.json["seats"]
        .as_array()
        .unwrap()
        .iter()
        .map(|seat| {
            (
                seat["dealer"].as_str().unwrap(),
                (seat["becomes"].as_str().unwrap(), seat["to_be_told"] == true),
            )
        })
        .collect();
    assert_eq!(seats, BTreeMap::from([("hudson", ("accepted", true)), ("ridge", ("withdrawn", true))]));
    assert_eq!(items(&yard).await, before);
    assert_nobody("the answer", &told.text);

    let of_sources = async || {
        let mut found = String::new();
        for source in ["web", "rain"] {
            let asked = json!({ "source": source });
            found += &yard.desk(Method::POST, "/v1/leads/search", Some(asked)).await.is(200).text;
        }
        [&life.roof, &life.gutter, &other].map(|lead| found.contains(lead))
    };
    assert_eq!(of_sources().await, [true, true, true]);
    let told = erase(&yard, &life.roof, json!({})).await.is(200);
    assert_eq!(told.json["state"], "erased", "{}", told.text);
    yard.settle().await;
    assert_eq!(of_sources().await, [false, false, true], "who was erased stands in no source's list");
    let after = items(&yard).await;
    for ((pk, sk), text) in &after {
        assert_nobody(&format!("{pk} / {sk}"), text);
        // What led to them is gone as well: browsers, what they did in them, e-mails and phones.
        let led = ["V#", "I#"].iter().any(|kind| pk.starts_with(kind));
        assert!(
            !led || ![&life.roof, &life.gutter].into_iter().any(|lead| text.contains(lead)),
            "{pk} / {sk}"
        );
        assert!(![&life.roof, &life.gutter].iter().any(|lead| pk.ends_with(*lead)) || !sk.starts_with("Y#"));
    }
    let leads_to = |text: &String| text.contains(&life.roof) || text.contains(&life.gutter);
    for kind in ["V#", "I#"] {
        assert!(before.iter().any(|((pk, _), text)| pk.starts_with(kind) && leads_to(text)), "{kind}");
    }
    assert!(before.keys().any(|(pk, sk)| pk.ends_with(&life.roof) && sk.starts_with("Y#")));
    // And so it stays, whatever time does.
    yard.advance(HOUR * 3).await;
    for (key, text) in items(&yard).await {
        assert_nobody(&format!("{key:?} hours later"), &text);
    }
    for queue in ["interactions", "distribution", "delivery", "spill"] {
        assert_nobody(queue, &yard.queued(queue).join("\n"));
    }
    assert_nobody("the dead letters", &yard.dead_letters().join("\n"));
    assert!(yard.dead_letters().is_empty());
    assert_nobody("the log", &logs.text());
    assert!(logs.text().contains("an erasure began") && logs.text().contains("an erasure went on"));

    // Whoever has or had a lead of theirs was told, by its id alone.
    for dealer in ["hudson", "ridge"] {
        let told = yard.told(dealer);
        let last = told.iter().filter(|told| told.event == "lead.erased").collect::<Vec<_>>();
        assert_eq!(last.len(), 1, "{:?}", events(&yard, dealer));
        assert!(last[0].signed);
        assert_nobody("lead.erased", &String::from_utf8_lossy(&last[0].raw));
    }
    assert!(!events(&yard, "ridge").contains(&"lead.withdrawn".to_owned()));

    // Counts, decisions, charges and outcomes stay; a shell is in nobody's reach.
    let story = yard.story(&life.roof).await;
    assert!(story.0["erased_at"].is_string());
    assert_eq!(
        (story.stage(), story.holders(), story.decisions()),
        ("assigned", vec!["hudson"], vec!["assigned"])
    );
    assert_eq!(yard.story(&life.gutter).await.stage(), "rejected");
    assert_eq!((yard.taken("hudson", 4).await, yard.taken("ridge", 4).await), (2, 0));
    let statement = yard.desk(Method::GET, "/v1/dealers/hudson/statement?month=2026-06", None).await.is(200);
    assert_eq!(statement.json["owed"], "20.00");
    let path = "/v1/history?from=2026-05-01T00:00:00Z&to=2026-07-01T00:00:00Z";
    assert!(yard.desk(Method::GET, path, None).await.is(200).json["events"].as_array().unwrap().len() >= 3);
    for act in ["note", "hold", "reject", "place"] {
        let body = json!({ "text": "Zebulon", "reason": "Zebulon", "contract": "hudson" });
        let body = if act == "note" { json!({ "text": "Zebulon" }) } else { body };
        let body = if act == "hold" { json!({}) } else { body };
        let _ = yard.desk(Method::POST, &format!("/v1/leads/{}/{act}", life.roof), Some(body)).await.is(409);
    }
    let none = export(&yard, json!({ "email": "zq.canary@mail.example" })).await.is(200);
    assert_eq!((&none.json["leads"], &none.json["aside"]), (&json!([]), &json!([])));
    assert_eq!(none.json["suppressed"], true);

    // Everybody else is as before.
    let story = yard.story(&other).await;
    assert_eq!((story.0["person"]["last_name"].clone(), story.enquiries()), (json!("Hill"), 1));
    assert!(!yard.told("hudson").iter().any(|told| told.event == "lead.erased" && told.lead() == other));

    // A second click changes nothing.
    let again = erase(&yard, &life.roof, json!({})).await.is(200);
    assert_eq!(again.json["already"], true);
    let ledger = yard.desk(Method::GET, "/v1/erasures", None).await.is(200);
    assert_eq!(ledger.json["erasures"].as_array().unwrap().len(), 1);
    assert_eq!(ledger.json["erasures"][0]["state"], "done");
    assert_nobody("the ledger", &ledger.text);
}

/// A link of a mailing has its reader's address in it: a campaign to whoever counts, and a person in every report.
#[tokio::test(start_paused = true)]
async fn no_report_names_who_was_erased() {
    let yard = Yard::of(rules()).await;
    yard.notes();
    let _ = yard.settled_lead(&ada().with("utm_campaign", "spring")).await;
    let lead = yard.settled_lead(&zeb().with("utm_campaign", "zq.canary@mail.example")).await;
    for campaign in ["roof%20for%20zq.canary%40mail.example", "call 305-555-0177", "3055550177"] {
        let _ = yard.server("web").posts(&zeb().with("utm_campaign", campaign)).await.is(200);
    }
    let doubted = zeb().with("message", "We offer 500 backlinks for your website, reply YES to Zebulon");
    let _ = yard.server("web").posts(&doubted.with("utm_campaign", "+13055550178")).await.is(202);
    yard.settle().await;
    yard.count().await;
    let report = async || yard.report("campaigns?from=2026-06-01&to=2026-06-30").await;
    // What was counted before they are erased is what stays.
    assert_nobody("a report", &report().await.to_string());
    let _ = erase(&yard, &lead, json!({})).await.is(200);
    yard.advance(HOUR * 3).await;
    yard.count().await;
    let told = report().await;
    assert_nobody("a report after the erasure", &told.to_string());
    let of = |campaign: Value| {
        let rows = told["rows"].as_array().unwrap();
        rows.iter().find(|row| row["value"] == campaign).map(|row| row["enquiries"].clone())
    };
    assert_eq!((of(json!("spring")), of(json!(null))), (Some(json!(1)), Some(json!(5))), "{told}");
    for ((pk, sk), text) in items(&yard).await {
        assert_nobody(&format!("{pk} / {sk}"), &text);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_exported_is_what_is_erased() {
    let yard = Yard::of(rules()).await;
    let _ = yard.settled_lead(&ada()).await;
    let life = live(&yard).await;
    let reply = export(&yard, json!({ "email": "ZQ.Canary@mail.example" })).await.is(200);
    assert_eq!(reply.json["leads"].as_array().unwrap().len(), 2);
    assert_eq!(reply.json["aside"].as_array().unwrap().len(), 4, "what stands aside is theirs as well");
    let text = reply.text.to_lowercase();
    for canary in CANARIES {
        assert!(text.contains(canary), "{canary} is not exported");
    }
    // With each consent what proves it: the words, the browser, and the phone as it was typed.
    let lead = reply.json["leads"].as_array().unwrap().iter().find(|lead| lead["lead"] == life.roof).unwrap();
    let all = lead["enquiries"].as_array().unwrap();
    let first = all.iter().find(|one| one["user_agent"] == "Persimmon/1.0").unwrap();
    let consent = &first["consent"];
    assert_eq!((&consent["given"], &consent["text"]), (&json!(true), &json!("Zebulon agrees to be called")));
    let fields = first["fields"].as_array().unwrap();
    assert!(fields.contains(&json!(["phone", "305-555-0177"])), "{fields:?}");
    let dealers: BTreeSet<&str> = reply.json["recipients"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["dealer"].as_str().unwrap())
        .collect();
    assert_eq!(dealers, BTreeSet::from(["hudson", "ridge"]));
    assert!(!text.contains("ada.hill"));
    // Who took it is known.
    let acts = yard.story(&life.roof).await;
    assert!(acts.list("history").any(|act| act["act"] == "export" && act["by"] == "desk"));
    let changes = yard.desk(Method::GET, "/v1/changes", None).await.is(200);
    let changes = changes.json["changes"].as_array().unwrap().clone();
    assert!(changes.iter().any(|act| act["act"] == "export" && act["by"] == "desk"), "{changes:?}");
    let by_lead = export(&yard, json!({ "lead": life.gutter })).await.is(200);
    assert_eq!(by_lead.json["leads"].as_array().unwrap().len(), 2);

    // The collector's items, and those that the erasure changed or took away, are the same ones.
    let email = leadyard_domain::person::Email::parse("zq.canary@mail.example").unwrap();
    let sought = Sought { email: Some(email), ..Sought::default() };
    let found = yard.cloud.person(&yard.company_id(), &sought).await.unwrap();
    let mut held: BTreeSet<(String, String)> = BTreeSet::new();
    let key = |item: &leadyard_platform::store::Item| {
        (item["pk"].as_s().unwrap().clone(), item["sk"].as_s().unwrap().clone())
    };
    for lead in found.leads.values() {
        held.extend(lead.items.iter().map(key));
        held.extend(lead.known_by.iter().map(|(hash, scope)| (format!("I#{hash}"), scope.to_string())));
    }
    held.extend(found.visits.iter().map(key));
    held.extend(found.enquiries().map(|enquiry| (format!("E#{}", enquiry.id), "E".to_owned())));
    let before = items(&yard).await;
    let _ = erase(&yard, &life.roof, json!({})).await.is(200);
    let after = items(&yard).await;
    let changed = before.iter().filter(|(key, text)| after.get(*key) != Some(*text)).map(|(key, _)| key);
    for key in changed {
        // Counters give the slot back; who waits is woken.
        let counts = ["K#", "W#"].iter().any(|kind| key.0.starts_with(kind));
        assert!(held.contains(key) || counts, "{key:?} was erased, and is not exported");
    }
    for key in &held {
        let gone = after.get(key) != before.get(key);
        let text = before[key].to_lowercase();
        let personal = CANARIES.iter().any(|canary| text.contains(canary)) || !key.0.starts_with("L#");
        assert!(gone || !personal, "{key:?} is exported, and was not erased");
    }
}

#[tokio::test(start_paused = true)]
async fn of_somebody_who_asked_a_hundred_and_ten_times_nothing_stays() {
    let yard = Yard::of(rules()).await;
    let lead = yard.settled_lead(&zeb()).await;
    asks_on(&yard, &lead).await;
    nothing_stays_of(&yard, &lead).await;
}

/// An earlier version did not keep since when a lead forgot.
#[tokio::test(start_paused = true)]
async fn nor_where_an_earlier_version_stored_their_lead() {
    let yard = Yard::of(rules()).await;
    let lead = yard.settled_lead(&zeb()).await;
    asks_on(&yard, &lead).await;
    let mut stored = yard.stored(&lead).await;
    assert!(stored.forgotten_since.take().is_some());
    assert!(yard.cloud.store.lead_save(&stored).await.unwrap());
    nothing_stays_of(&yard, &lead).await;
}

/// The id of what an ad platform sent says nothing of its day.
#[tokio::test(start_paused = true)]
async fn nor_where_the_first_of_so_many_came_from_an_ad_platform_the_day_before() {
    let yard = Yard::of(rules().source_of("google", "ads", "offer = \"roof\"")).await;
    yard.advance(HOUR * 8).await;
    let said =
        [("FULL_NAME", "Zebulon Quackenbush"), ("EMAIL", "zq.canary@mail.example"), ("POSTAL_CODE", "33101")];
    let google = crate::ways::google_lead_of(&yard, "ads", "g-1", &said);
    let _ = crate::ways::google(&yard, "ads", &google).await.is(200);
    yard.settle().await;
    let first = crate::ways::id_of(&yard, Platform::Google, "ads", "g-1");
    let lead = yard.enquiry(&first).await.unwrap().lead.unwrap().to_string();
    asks_on(&yard, &lead).await;
    nothing_stays_of(&yard, &lead).await;
}

/// Asks again until there are 110 enquiries, and others ask beside.
async fn asks_on(yard: &Yard, lead: &str) {
    for n in 1..110 {
        // Within three days, as slowly as one person may.
        tokio::time::sleep(HOUR * 2 / 3).await;
        let again = zeb().with("message", &format!("the xylophone again, {n}"));
        let reply = yard.server("web").posts(&again).await.is(200);
        assert_eq!(reply.text_of("lead"), lead);
        if n % 20 == 0 {
            let _ = yard.server("web").posts(&Person::number(n)).await.is(201);
            yard.settle().await;
        }
    }
    yard.settle().await;
}

/// A lead remembers its last hundred enquiries. Those before are found by their days, and in them nobody else's.
async fn nothing_stays_of(yard: &Yard, lead: &str) {
    assert_eq!(yard.stored(lead).await.enquiries.len(), leadyard_domain::limits::ENQUIRIES_ON_LEAD);
    let reply = export(yard, json!({ "lead": lead })).await.is(200);
    let exported = reply.json["leads"][0]["enquiries"].as_array().unwrap();
    assert_eq!(exported.len(), 110);
    for n in 1..110 {
        assert!(reply.text.contains(&format!("the xylophone again, {n}\"")), "{n}");
    }
    let enquiries: Vec<String> =
        exported.iter().map(|one| format!("E#{}", one["id"].as_str().unwrap())).collect();

    let of_others = |(pk, _): &&(String, String)| pk.starts_with("E#") && !enquiries.contains(pk);
    let before = items(yard).await.keys().filter(of_others).count();
    assert_eq!(before, 5);
    let _ = erase(yard, lead, json!({})).await.is(200);
    yard.advance(HOUR * 3).await;
    let after = items(yard).await;
    for ((pk, sk), text) in &after {
        assert_nobody(&format!("{pk} / {sk}"), text);
        assert!(!enquiries.contains(pk), "{pk}");
    }
    assert_eq!(after.keys().filter(of_others).count(), before);
    assert!(yard.dead_letters().is_empty());
}

#[tokio::test(start_paused = true)]
async fn whatever_interrupts_it_it_ends() {
    let yard = Yard::of(rules()).await;
    // Before the first answer of the table, and after so many: every seventh step, to the end.
    let mut interrupted = 0;
    for calls in (0..).step_by(7) {
        let n = calls / 7;
        let person = zeb()
            .with("email", &format!("zq.canary{n}@mail.example"))
            .with("phone", &format!("+1305555{:04}", 1000 + n));
        let lead = yard.settled_lead(&person).await;
        let _ = yard.server("web").posts(&person).await.is(200);
        let note = json!({ "text": "Zebulon" });
        let _ = yard.desk(Method::POST, &format!("/v1/leads/{lead}/note"), Some(note)).await.is(200);
        yard.settle().await;
        yard.faults.table_after(Some(calls));
        let reply = erase(&yard, &lead, json!({})).await;
        yard.faults.table_after(None);
        let began = yard.desk(Method::GET, "/v1/erasures", None).await.is(200);
        let began =
            began.json["erasures"].as_array().unwrap().iter().any(|one| one["leads"] == json!([lead]));
        if reply.status.as_u16() == 503 && !began {
            // It was not taken; who asks again is heard.
            let _ = erase(&yard, &lead, json!({})).await.is(200);
        }
        interrupted += usize::from(!reply.status.is_success() || reply.json["state"] == "under_way");
        yard.advance(HOUR * 2).await;
        for (key, text) in items(&yard).await {
            assert_nobody(&format!("{key:?} after {calls} calls"), &text);
        }
        let told =
            yard.told("hudson").into_iter().filter(|told| told.event == "lead.erased" && told.lead() == lead);
        let ids: BTreeSet<String> = told.map(|told| told.id).collect();
        assert_eq!(ids.len(), 1, "its holder is told after {calls} calls");
        if reply.status.is_success() && reply.json["state"] == "erased" {
            break;
        }
    }
    assert!(interrupted >= 4, "{interrupted}");
    assert!(yard.dead_letters().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_is_found_on_the_way_is_known_before_anything_goes() {
    for calls in (0..).step_by(7) {
        let yard = Yard::of(rules()).await;
        let roof = yard.settled_lead(&zeb()).await;
        // For another thing they asked while the table was away: only the queue has it when they are to go.
        yard.faults.table(true);
        let _ = yard.server("rain").posts(&zeb().with("message", "a rutabaga")).await.is(202);
        yard.faults.table(false);
        let person = erasing(&yard, &roof).await;
        yard.settle().await;
        yard.faults.table_after(Some(calls));
        let ended = yard.cloud.erasure_go_on(&yard.company_id(), person).await.is_ok();
        yard.faults.table_after(None);
        yard.advance(HOUR * 2).await;
        for (key, text) in items(&yard).await {
            assert_nobody(&format!("{key:?} after {calls} calls"), &text);
        }
        if ended {
            assert!(calls > 10, "{calls} calls are no work");
            break;
        }
    }
}

/// An erasure that was opened, and not begun.
async fn erasing(yard: &Yard, lead: &str) -> ErasureId {
    let sought = Sought { leads: [lead.parse().unwrap()].into(), ..Sought::default() };
    let company = yard.company_id();
    let person = yard.cloud.person(&company, &sought).await.unwrap();
    let asked = Asked {
        by: "desk".to_owned(),
        reason: ErasureReason::Requested,
        suppress: true,
        tell: true,
        enquiries: BTreeSet::new(),
    };
    let erasure = Erasure::of(&yard.cloud, &company, &person, &asked);
    assert!(yard.cloud.store.erasure_open(&erasure).await.unwrap());
    erasure.id
}

#[tokio::test(start_paused = true)]
async fn who_asks_anew_between_the_first_look_and_the_last_is_new() {
    let yard = Yard::of(rules()).await;
    let lead = yard.settled_lead(&zeb()).await;
    let _ = erase(&yard, &lead, json!({ "suppress": false })).await.is(200);
    let ledger = yard.desk(Method::GET, "/v1/erasures", None).await.is(200);
    assert_eq!(ledger.json["erasures"][0]["state"], "erased", "the last look is to come");
    yard.advance(Duration::from_secs(5)).await;
    let anew = yard.settled_lead(&zeb()).await;
    assert_ne!(anew, lead);
    yard.advance(HOUR * 3).await;
    let ledger = yard.desk(Method::GET, "/v1/erasures", None).await.is(200);
    assert_eq!(ledger.json["erasures"][0]["state"], "done");
    let story = yard.story(&anew).await;
    assert_eq!((&story.0["person"]["first_name"], story.enquiries()), (&json!("Zebulon"), 1));
    assert!(yard.told("hudson").iter().all(|told| told.event != "lead.erased" || told.lead() == lead));
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_a_holder_is_not_said_of_who_was_erased() {
    let yard = Yard::of(rules()).await;
    let lead = yard.settled_lead(&zeb()).await;
    let gutter = yard.server("rain").posts(&zeb()).await.is(201).text_of("lead").to_owned();
    yard.settle().await;
    for dealer in ["hudson", "ridge"] {
        yard.dealer_says(dealer, Says::Status(503));
    }
    // One is to hear that they asked again, the other who they are, since it has accepted.
    let _ = yard.server("web").posts(&zeb().with("message", "a rutabaga")).await.is(200);
    let _ = yard.answers("ridge", &gutter, "accept").await.is(200);
    yard.settle().await;
    let told = |dealer: &str, event: &str| events(&yard, dealer).iter().filter(|told| *told == event).count();
    assert_eq!(
        (told("hudson", "lead.repeated"), told("ridge", "lead.assigned")),
        (1, 2),
        "tried, and to wait"
    );
    let _ = erase(&yard, &lead, json!({})).await.is(200);
    for dealer in ["hudson", "ridge"] {
        yard.dealer_says(dealer, Says::Status(200));
    }
    yard.advance(HOUR * 3).await;
    assert_eq!((told("hudson", "lead.repeated"), told("hudson", "lead.erased")), (1, 1));
    assert_eq!((told("ridge", "lead.assigned"), told("ridge", "lead.erased")), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn what_was_charged_and_not_answered_is_credited() {
    let yard = Yard::of(rules()).await;
    let lead = yard.settled_lead(&zeb()).await;
    let statement = "/v1/dealers/hudson/statement?month=2026-06";
    let owed = async || yard.desk(Method::GET, statement, None).await.is(200).json["owed"].clone();
    assert_eq!(owed().await, "10.00");
    let _ = erase(&yard, &lead, json!({})).await.is(200);
    yard.settle().await;
    assert_eq!(yard.story(&lead).await.assignments(), [("hudson", "withdrawn")]);
    assert_eq!(owed().await, "0.00");
}

#[tokio::test(start_paused = true)]
async fn an_attempt_under_way_ends_before_its_dealer_is_told() {
    const SLOW_S: u64 = 8;
    let yard = Yard::of(rules()).await;
    yard.dealer_says("hudson", Says::Slow(Duration::from_secs(SLOW_S)));
    let lead = yard.lead(&zeb()).await;
    let erasing = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        erase(&yard, &lead, json!({})).await
    };
    let (reply, ()) = tokio::join!(erasing, yard.settle());
    // The seat is not ended under an attempt that may arrive.
    assert_eq!((reply.status.as_u16(), reply.text_of("state")), (202, "under_way"), "{}", reply.text);
    yard.advance(HOUR).await;
    let told = yard.told("hudson");
    assert_eq!(events(&yard, "hudson"), ["lead.assigned", "lead.erased"]);
    let between_s = told[1].timestamp - told[0].timestamp;
    assert!(between_s >= SLOW_S as i64, "after {between_s} s, and it was under way for {SLOW_S}");
    assert_eq!(yard.story(&lead).await.assignments(), [("hudson", "withdrawn")]);
}

#[tokio::test(start_paused = true)]
async fn who_had_it_from_another_system_is_told_by_hand() {
    let yard = Yard::of(rules()).await;
    let row = json!({
        "received_at": "2026-05-20", "source": "web", "name": "Zebulon Quackenbush",
        "email": "zq.canary@mail.example", "zip": "33101", "dealer": "hudson",
    });
    let reply = yard.desk(Method::POST, "/v1/import/history", Some(json!({ "rows": [row] }))).await.is(200);
    let lead = reply.json["rows"][0]["lead"].as_str().unwrap().to_owned();
    let before = yard.story(&lead).await;
    assert_eq!(before.assignments().len(), 1, "{}", before.0);
    let told = erase(&yard, &lead, json!({})).await.is(200);
    assert_eq!(told.json["tell_by_hand"], json!(["hudson"]), "{}", told.text);
    yard.advance(HOUR * 3).await;
    assert!(yard.told("hudson").is_empty(), "its webhook never had it");
    assert_eq!(yard.story(&lead).await.assignments(), before.assignments());
}

#[tokio::test(start_paused = true)]
async fn what_was_under_way_brings_nobody_back_and_who_asks_anew_is_new() {
    let yard = Yard::of(rules()).await;
    let lead = yard.settled_lead(&zeb()).await;
    // A repeat that only the queue could keep, and interactions on their way.
    yard.faults.table(true);
    let _ = yard.server("web").posts(&zeb().with("message", "a rutabaga")).await.is(202);
    yard.faults.table(false);
    let at = yard.cloud.clock.now();
    let report = json!({ "id": "q", "kind": "quote_request", "at": at, "email": "zq.canary@mail.example" });
    let _ = yard.server("web").reports(report).await.is(202);
    // And a repeat that has read everything, and is a moment late.
    let held = yard.faults.hold_commit();
    let late = tokio::spawn({
        let yard = yard.clone();
        async move { yard.server("web").posts(&zeb().with("message", "a kumquat")).await }
    });
    held.arrives().await;
    let _ = erase(&yard, &lead, json!({ "suppress": false })).await.is(200);
    held.let_go();
    let late = late.await.unwrap();
    assert_ne!(late.text_of("lead"), lead, "a shell takes nobody in");
    yard.advance(HOUR * 3).await;
    for (key, text) in items(&yard).await {
        assert_nobody(&format!("{key:?}"), &text);
    }
    assert_eq!(yard.story(&lead).await.enquiries(), 0);
    // Who asks anew, is new.
    let anew = yard.lead(&zeb()).await;
    assert_ne!(anew, lead);
    yard.advance(HOUR * 3).await;
    assert_eq!(yard.story(&anew).await.0["person"]["first_name"], "Zebulon");
    // Their old row in an old file is not.
    let row = json!({ "received_at": "2026-05-20", "source": "web", "email": "zq.canary@mail.example", "zip": "33101" });
    let reply = yard.desk(Method::POST, "/v1/import/history", Some(json!({ "rows": [row] }))).await.is(200);
    assert_eq!(reply.json["rows"][0]["status"], "refused", "{}", reply.text);
}

#[tokio::test(start_paused = true)]
async fn who_asked_to_be_forgotten_stays_out_of_the_next_list() {
    let yard = Yard::of(rules()).await;
    // Of nobody we know: they stay out all the same.
    let body = json!({ "email": "zq.canary@mail.example", "reason": "requested" });
    let _ = yard.desk(Method::POST, "/v1/persons/erase", Some(body.clone())).await.is(200);
    let again = yard.desk(Method::POST, "/v1/persons/erase", Some(body)).await.is(200);
    assert_eq!(again.json["already"], true);
    let reply = yard.server("web").posts(&zeb()).await.is(202);
    assert_eq!(reply.json["reasons"], json!(["suppressed"]));
    assert!(yard.told("hudson").is_empty());
}

#[tokio::test(start_paused = true)]
async fn whoever_shares_a_phone_is_somebody_else() {
    let yard = Yard::of(rules()).await;
    let spouse = ada().with("phone", "305-555-0177").with("email", "ada@mail.example");
    let (zebs, adas) = (yard.settled_lead(&zeb()).await, yard.settled_lead(&spouse).await);
    let by_phone = json!({ "phone": "305-555-0177", "reason": "requested" });
    let found = export(&yard, json!({ "lead": adas })).await.is(200);
    assert_eq!((found.json["leads"].as_array().unwrap().len(), &found.json["others"]), (1, &json!([zebs])));
    let _ = erase(&yard, &adas, json!({})).await.is(200);
    assert!(yard.story(&zebs).await.0["erased_at"].is_null());
    assert!(yard.story(&adas).await.0["erased_at"].is_string());
    // The phone is his, and neither suppressed nor forgotten.
    let _ = yard.server("web").posts(&zeb()).await.is(200);
    let _ = yard.desk(Method::POST, "/v1/persons/erase", Some(by_phone)).await.is(200);
    assert!(yard.story(&zebs).await.0["erased_at"].is_string());
}

#[tokio::test(start_paused = true)]
async fn a_restored_table_forgets_again_by_the_ledger() {
    let yard = Yard::of(rules()).await;
    let life = live(&yard).await;
    let image = image(&yard).await;
    let _ = erase(&yard, &life.roof, json!({})).await.is(200);
    yard.settle().await;
    let ledger = yard.desk(Method::GET, "/v1/erasures", None).await.is(200);
    assert_nobody("the ledger", &ledger.text);

    restore(&yard, image).await;
    assert!(items(&yard).await.values().any(|text| text.contains("Zebulon")), "it is back");
    let told_before = events(&yard, "hudson").iter().filter(|event| *event == "lead.erased").count();
    let lines = json!({ "erasures": ledger.json["erasures"] });
    let reply = yard.desk(Method::POST, "/v1/erasures/reapply", Some(lines.clone())).await.is(200);
    assert_eq!(reply.json["erasures"][0]["applied"], true);
    yard.advance(HOUR * 2).await;
    for (key, text) in items(&yard).await {
        assert_nobody(&format!("{key:?}"), &text);
    }
    // Told once more, and known for the same message.
    let told: Vec<_> = yard.told("hudson").into_iter().filter(|told| told.event == "lead.erased").collect();
    assert_eq!(told.len(), told_before + 1);
    assert_eq!(told.iter().map(|told| told.id.clone()).collect::<BTreeSet<_>>().len(), 1);
    // Twice is once.
    let reply = yard.desk(Method::POST, "/v1/erasures/reapply", Some(lines.clone())).await.is(200);
    assert_eq!(reply.json["erasures"][0]["applied"], false);
    // Nobody reapplies another company's.
    let other = yard.also(Rules::roofing("brook").seller("hudson", [])).await;
    let _ = other.desk(Method::POST, "/v1/erasures/reapply", Some(lines)).await.is(404);
}

#[tokio::test(start_paused = true)]
async fn the_desk_of_one_company_and_a_dealer_reach_nobody_of_another() {
    let yard = Yard::of(rules()).await;
    let lead = yard.settled_lead(&zeb()).await;
    let other = yard.also(Rules::roofing("brook").seller("hudson", [])).await;
    let _ = erase(&other, &lead, json!({})).await.is(404);
    let none = export(&other, json!({ "email": "zq.canary@mail.example" })).await.is(200);
    assert_eq!(none.json["leads"], json!([]));
    let none = export(&other, json!({ "lead": lead })).await.is(200);
    assert_eq!(none.json["leads"], json!([]));
    for path in ["/v1/persons/export", "/v1/persons/erase", "/v1/erasures/reapply"] {
        let body = Some(json!({ "email": "zq.canary@mail.example", "reason": "requested" }));
        let _ = yard.dealer("hudson", Method::POST, path, body).await.is(401);
    }
    // What is wrong is named, and nobody in it.
    for body in [
        json!({}),
        json!({ "email": "zq.canary at mail" }),
        json!({ "lead": "Zebulon" }),
        json!({ "zebulon": 1 }),
    ] {
        let reply = export(&yard, body).await.is(400);
        assert_nobody("a problem", &reply.text);
    }
    let unreasoned =
        yard.desk(Method::POST, &format!("/v1/leads/{lead}/erase"), Some(json!({}))).await.is(400);
    assert!(unreasoned.text.contains("requested withdrawn unlawful retention"));
}

/// Every item, as a backup has it.
async fn image(yard: &Yard) -> Vec<leadyard_platform::store::Item> {
    let store = &yard.cloud.store;
    let mut items = Vec::new();
    let mut start = None;
    loop {
        let scan = store.client().scan().table_name(store.table()).set_exclusive_start_key(start);
        let page = scan.send().await.unwrap();
        items.extend(page.items.unwrap_or_default());
        start = page.last_evaluated_key.filter(|key| !key.is_empty());
        if start.is_none() {
            return items;
        }
    }
}

async fn restore(yard: &Yard, backup: Vec<leadyard_platform::store::Item>) {
    let store = &yard.cloud.store;
    for item in image(yard).await {
        let delete = store.client().delete_item().table_name(store.table());
        let key = delete.key("pk", item["pk"].clone()).key("sk", item["sk"].clone());
        let _ = key.send().await.unwrap();
    }
    for item in backup {
        let _ =
            store.client().put_item().table_name(store.table()).set_item(Some(item)).send().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn an_enquiry_that_is_named_leads_to_nobody_who_merely_shares_its_phone() {
    let yard = Yard::of(rules()).await;
    let wife =
        yard.settled_lead(&ada().with("phone", "305-555-0177").with("email", "ada@mail.example")).await;
    // His waits for a verdict: it is for nothing that there is.
    let his = zeb().with("offer", "no such").with("email", "zq.other@mail.example");
    let aside = yard.server("web").posts(&his).await.is(202).text_of("enquiry").to_owned();
    let body = json!({ "enquiries": [aside], "reason": "requested" });
    let told = yard.desk(Method::POST, "/v1/persons/erase", Some(body)).await;
    assert!(told.status.is_success(), "{}", told.text);
    yard.advance(HOUR * 2).await;
    assert!(yard.enquiry(&aside).await.is_none());
    let story = yard.story(&wife).await;
    assert!(story.0["erased_at"].is_null());
    assert_eq!(story.holders().len(), 1);
    assert!(!events(&yard, "hudson").contains(&"lead.erased".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn an_export_says_what_they_did() {
    let yard = Yard::of(rules()).await;
    let lead = yard.settled_lead(&zeb()).await;
    let one = json!({ "id": "1", "kind": "quote_request", "at": yard.cloud.clock.now(), "lead": lead });
    let _ = yard.server("web").reports(one).await.is(202);
    yard.settle().await;
    let told = export(&yard, json!({ "lead": lead })).await.is(200);
    assert!(told.json["leads"][0]["interactions"].to_string().contains("quote_request"), "{}", told.text);
}

#[tokio::test(start_paused = true)]
async fn several_are_erased_at_once_each_with_its_own_answer() {
    let yard = Yard::of(rules()).await;
    let other = yard.also(Rules::roofing("brook").seller("ridge", [])).await;
    let zeb = yard.settled_lead(&zeb()).await;
    let ann = yard.settled_lead(&Person::number(7)).await;
    let stranger = other.settled_lead(&Person::number(8)).await;
    let body = |dry_run: bool| {
        Some(json!({ "leads": [zeb, ann, stranger], "reason": "requested", "dry_run": dry_run }))
    };
    let by_lead = |reply: &Reply| -> BTreeMap<String, Value> {
        let results = reply.json["results"].as_array().unwrap().clone();
        results.into_iter().map(|one| (one["lead"].as_str().unwrap().to_owned(), one)).collect()
    };
    let dry = by_lead(&yard.desk(Method::POST, "/v1/leads/erase", body(true)).await.is(200));
    assert_eq!((&dry[&zeb]["done"], &dry[&zeb]["seats"][0]["dealer"]), (&json!(false), &json!("hudson")));
    assert!(yard.stored(&zeb).await.erased_at.is_none(), "a dry run erases nobody");
    let done = by_lead(&yard.desk(Method::POST, "/v1/leads/erase", body(false)).await.is(200));
    assert_eq!((&done[&zeb]["done"], &done[&ann]["done"]), (&json!(true), &json!(true)));
    assert_eq!(done[&stranger]["problem"]["status"], 404, "another company's lead does not exist");
    for lead in [&zeb, &ann] {
        assert!(yard.stored(lead).await.erased_at.is_some());
    }
    assert!(other.stored(&stranger).await.erased_at.is_none());
    let again = by_lead(&yard.desk(Method::POST, "/v1/leads/erase", body(false)).await.is(200));
    assert_eq!(again[&zeb]["already"], true);
    for body in
        [json!({ "leads": [], "reason": "requested" }), json!({ "leads": [zeb], "email": "a@b.example" })]
    {
        let _ = yard.desk(Method::POST, "/v1/leads/erase", Some(body)).await.is(400);
    }
}
