//! Everything of a person goes, however much there is of it, and everything of everybody else stays.

use std::collections::BTreeMap;

use http::Method;
use leadyard_domain::access::Platform;
use leadyard_tests::logs::Logs;
use leadyard_tests::{Person, Yard};
use serde_json::{Value, json};

use super::{CANARIES, HOUR, ada, assert_nobody, erase, events, export, items, live, rules, zeb};

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
