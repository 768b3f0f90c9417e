//! Enquiries of a file: each comes in as if it had been posted, and once.

use std::collections::BTreeMap;

use http::Method;
use leadyard_tests::logs::Logs;
use leadyard_tests::{Reply, Rules, Yard};
use serde_json::{Value, json};

use super::{MINUTE, ann, sends, statuses, table, without_time};

/// Hudson first; a file of a source `list`, in whose words an e-mail is "Your e-mail".
async fn yard() -> Yard {
    Yard::of(rules()).await
}

fn rules() -> Rules {
    Rules::roofing("acme")
        .file_source("list", "offer = \"roof\"\nfields = { \"Your e-mail\" = \"email\" }")
        .seller("hudson", [("tier", "1")])
        .seller("ridge", [("tier", "2"), ("max_age_hours", "240")])
}

#[expect(clippy::needless_pass_by_value, reason = "as `json!` gives it")]
fn row(n: usize, more: Value) -> Value {
    let mut row = json!({
        "Name": format!("Ann Hill{n}"), "Your e-mail": format!("ann{n}@mail.example"), "ZIP Code": 33101,
    });
    row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    row
}

async fn posts(yard: &Yard, rows: &[Value]) -> Reply {
    asks(yard, "source=list", rows).await
}

async fn asks(yard: &Yard, query: &str, rows: &[Value]) -> Reply {
    yard.desk(Method::POST, &format!("/v1/import/enquiries?{query}"), Some(json!({ "rows": rows }))).await
}

/// What each row is.
fn became(reply: &Reply) -> Vec<&str> {
    let rows = reply.json["rows"].as_array().unwrap().iter();
    rows.map(|row| row["as"].as_str().unwrap_or_else(|| row["status"].as_str().unwrap())).collect()
}

fn lead(reply: &Reply, at: usize) -> &str {
    reply.json["rows"][at]["lead"].as_str().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_file_comes_in_as_if_it_had_been_posted_and_the_same_file_twice_makes_nothing_twice() {
    let yard = yard().await;
    let known = yard.settled_lead(&ann(1)).await;
    let _ = sends(&yard, "suppressed", &[json!({ "email": "ann2@mail.example" })]).await.is(200);
    let rows = [
        row(1, json!({})),
        row(2, json!({})),
        row(3, json!({ "ZIP Code": "2134.0", "Roof age": "old" })),
        row(4, json!({ "Phone": "305-555-0104" })),
    ];
    let reply = posts(&yard, &rows).await.is(200);
    assert_eq!(became(&reply), ["repeat", "quarantined", "received", "received"], "{}", reply.text);
    assert_eq!(
        (lead(&reply, 0), &reply.json["rows"][1]["reasons"]),
        (known.as_str(), &json!(["suppressed"]))
    );
    yard.settle().await;
    // Its holder hears of the repeat; the new ones are sold as any.
    let told = yard.told("hudson");
    let events = |of: &str| -> Vec<&str> {
        told.iter().filter(|told| told.lead() == of).map(|told| told.event.as_str()).collect()
    };
    assert_eq!(events(&known), ["lead.assigned", "lead.repeated"]);
    let third = yard.story(lead(&reply, 2)).await;
    assert_eq!((third.stage(), third.holders(), third.enquiries()), ("assigned", vec!["hudson"], 1));
    assert_eq!(third.0["person"]["zip"], "02134");
    let kept = yard.enquiry(third.list("enquiries").next().unwrap()["id"].as_str().unwrap()).await.unwrap();
    assert_eq!((kept.status.as_str(), kept.source.as_str()), ("received", "list"));
    assert_eq!((kept.fields.get("Roof age"), kept.fields.get("row_key")), (Some("old"), None));

    // Once more: the same rows, in another order, next week.
    let before = table(&yard).await;
    let backwards: Vec<Value> = rows.iter().rev().cloned().collect();
    let again = posts(&yard, &backwards).await.is(200);
    assert_eq!(statuses(&again), ["already"; 4]);
    assert_eq!(lead(&again, 3), known);
    yard.settle().await;
    assert_eq!((table(&yard).await, yard.told("hudson").len()), (before, told.len()));
    // The same row of another source is another enquiry, of the same person.
    assert_eq!(yard.story(&known).await.enquiries(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_request_broken_off_or_doubled_ends_as_one_that_went_well() {
    // Few people who stand in the file again and again: of those who come at one moment one opens the lead.
    let rows: Vec<Value> =
        (0..60).map(|n| row(n % 11, json!({ "external_id": n.to_string(), "Phone": "" }))).collect();
    let well = yard().await;
    let reply = posts(&well, &rows).await.is(200);
    let mut count = BTreeMap::new();
    for how in became(&reply) {
        *count.entry(how).or_insert(0) += 1;
    }
    assert_eq!(count, BTreeMap::from([("received", 11), ("repeat", 49)]), "{}", reply.text);

    let broken = yard().await;
    assert_eq!(posts(&broken, &rows[..17]).await.is(200).json["imported"], 17);
    broken.faults.table(true);
    let _ = posts(&broken, &rows).await.is(503).is_problem("unavailable");
    broken.faults.table(false);
    let rest = posts(&broken, &rows).await.is(200);
    assert_eq!((&rest.json["already"], &rest.json["imported"]), (&json!(17), &json!(43)));

    let doubled = yard().await;
    let (one, other) = futures::join!(posts(&doubled, &rows), posts(&doubled, &rows));
    let imported = |reply: &Reply| reply.json["imported"].as_u64().unwrap();
    assert_eq!(imported(&one) + imported(&other), 60, "{} {}", one.text, other.text);
    for yard in [&well, &broken, &doubled] {
        let items = table(yard).await;
        let of = |kind: &str| without_time(&items).iter().filter(|item| item.contains(kind)).count();
        assert_eq!((of("\"pk\":\"E#"), of("\"sk\":\"L\"")), (60, 11));
        yard.settle().await;
        let mut told: Vec<String> = yard
            .told("hudson")
            .iter()
            .filter(|told| told.event == "lead.assigned")
            .map(|told| told.lead().to_owned())
            .collect();
        told.sort_unstable();
        told.dedup();
        assert_eq!((told.len(), yard.taken("hudson", 4).await), (11, 11));
    }
}

#[tokio::test(start_paused = true)]
async fn a_row_is_known_by_its_external_id_or_its_cells_whatever_was_put_right_on_the_way() {
    let other = "offer = \"roof\"\nfields = { \"Your e-mail\" = \"email\" }";
    let yard = Yard::of(rules().file_source("other", other)).await;
    let named = |message: &str| row(1, json!({ "External ID": "8841", "message": message }));
    let keyed = |message: &str| row(2, json!({ "row_key": "as-it-stands", "message": message }));
    let first = posts(&yard, &[named("a leak"), keyed("a leak")]).await.is(200);
    assert_eq!(became(&first), ["received", "received"]);
    let again = posts(&yard, &[named("a drip"), keyed("a drip")]).await.is(200);
    assert_eq!(statuses(&again), ["already", "already"]);
    // Of one source: another's ids and cells are its own.
    let elsewhere = asks(&yard, "source=other", &[named("a leak"), keyed("a leak")]).await.is(200);
    assert_eq!(became(&elsewhere), ["repeat", "repeat"]);
    // In one request, too.
    let twice = posts(&yard, &[row(3, json!({})), row(3, json!({}))]).await.is(200);
    assert_eq!(statuses(&twice), ["imported", "already"]);
    let cells = |key: &str| row(4, json!({ "row_key": key }));
    let apart = posts(&yard, &[cells("a"), cells("b")]).await;
    assert_eq!(became(&apart), ["received", "repeat"], "{}", apart.text);
    let story = yard.story(lead(&first, 0)).await;
    assert_eq!((story.enquiries(), story.0["person"]["first_name"].as_str()), (2, Some("Ann")));
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_says_of_each_row_what_it_would_be_and_where_it_would_go_and_writes_nothing() {
    let yard = yard().await;
    let known = yard.settled_lead(&ann(1)).await;
    let _ = sends(&yard, "suppressed", &[json!({ "email": "ann2@mail.example" })]).await.is(200);
    let _ = posts(&yard, &[row(9, json!({}))]).await.is(200);
    yard.settle().await;
    let before = (table(&yard).await, super::queued(&yard));
    let rows = [
        row(1, json!({})),
        row(2, json!({})),
        row(3, json!({})),
        row(9, json!({})),
        row(4, json!({ "offer": "gutters" })),
        row(5, json!({ "received_at": "2026-05-20" })),
    ];
    let reply = asks(&yard, "source=list&dry_run", &rows).await.is(200);
    assert_eq!(became(&reply), ["repeat", "quarantined", "received", "already", "refused", "received"]);
    let rows = reply.json["rows"].as_array().unwrap();
    assert_eq!((&rows[0]["lead"], &rows[1]["reasons"]), (&json!(known), &json!(["suppressed"])));
    assert_eq!((&rows[2]["would_go_to"], &rows[2]["lead"]), (&json!(["hudson"]), &Value::Null));
    assert_eq!(rows[4]["errors"][0]["pointer"], "/rows/4/offer");
    assert_eq!(rows[5]["would_go_to"], json!(["hudson"]));
    assert!((table(&yard).await, super::queued(&yard)) == before);
}

#[tokio::test(start_paused = true)]
async fn an_enquiry_that_is_some_days_old_keeps_its_date_and_its_age_counts() {
    let yard = Yard::of(
        Rules::roofing("acme")
            .file_source("list", "offer = \"roof\"")
            .seller("hudson", [("tier", "1"), ("max_age_hours", "24")])
            .seller("ridge", [("tier", "2")]),
    )
    .await;
    let dated = |n: usize, at: &str| json!({ "name": format!("Ann Hill{n}"), "email": format!("ann{n}@mail.example"), "zip": "33101", "received_at": at });
    let rows = [
        dated(1, "5/29/2026 9:00 AM"),
        dated(2, "2026-06-01T15:59:00Z"),
        dated(3, "2026-04-01"),
        dated(4, "2026-07-01"),
    ];
    let dry = asks(&yard, "source=list&dry_run", &rows[..2]).await.is(200);
    let would = |at: usize| dry.json["rows"][at]["would_go_to"][0].as_str().unwrap();
    assert_eq!((would(0), would(1)), ("ridge", "hudson"));
    let reply = posts(&yard, &rows).await.is(200);
    assert_eq!(became(&reply), ["received", "received", "refused", "refused"], "{}", reply.text);
    assert!(
        reply.json["rows"][2]["errors"][0]["detail"].as_str().unwrap().contains("30 days"),
        "{}",
        reply.text
    );
    yard.advance(MINUTE * 2).await;
    let (old, fresh) = (yard.story(lead(&reply, 0)).await, yard.story(lead(&reply, 1)).await);
    assert_eq!((old.holders(), fresh.holders()), (vec!["ridge"], vec!["hudson"]));
    assert_eq!(old.list("enquiries").next().unwrap()["received_at"], "2026-05-29T13:00:00Z");
}

#[tokio::test(start_paused = true)]
async fn what_the_files_owner_can_put_right_is_refused_by_name_and_nothing_of_it_is_kept() {
    let (logs, _guard) = Logs::keep();
    let yard = Yard::of(
        rules()
            .file_source("trial", "offer = \"roof\"\ntest = true")
            .file_source("over", "offer = \"roof\"\nends = \"2026-05-01\"")
            .file_source("bare", ""),
    )
    .await;
    let before = table(&yard).await;
    let canary = json!({ "Name": "Zebulon Quackenbush", "email": "zq@mail.example", "message": "xylophone" });
    let nobody = row(1, json!({ "Your e-mail": "xylophone", "Phone": "zq", "Name": "Quackenbush" }));
    let reply =
        posts(&yard, &[nobody, json!(["xylophone"]), row(2, json!({ "received_at": "someday" }))]).await;
    assert_eq!(statuses(&reply), ["refused"; 3]);
    let fault = |at: usize| reply.json["rows"][at]["errors"][0]["pointer"].as_str().unwrap();
    assert_eq!((fault(0), fault(2)), ("/rows/0/email", "/rows/2/received_at"));
    let reply = asks(&yard, "source=bare", &[row(3, canary.clone())]).await.is(200);
    assert_eq!(reply.json["rows"][0]["errors"][0]["pointer"], "/rows/0/offer");
    for (query, said) in
        [("source=web", "kind file"), ("source=none", "no such source"), ("dry_run", "needs source")]
    {
        let refused = asks(&yard, query, &[row(1, json!({}))]).await.is(400);
        assert!(refused.is_problem("invalid-field").text.contains(said), "{query}");
    }
    let _ = asks(&yard, "source=over", &[row(1, json!({}))]).await.is_problem("source-closed");
    let body = Some(json!({ "rows": [row(1, json!({}))] }));
    let _ =
        yard.dealer("hudson", Method::POST, "/v1/import/enquiries?source=list", body.clone()).await.is(401);
    let other = yard.desk(Method::POST, "/v1/import/enquiries?source=list&company=other", body).await;
    let _ = other.is(404).is_problem("not-found");
    assert_eq!(table(&yard).await, before);

    // A source of test leads tells where they would have gone, and opens none.
    let test = asks(&yard, "source=trial", &[row(1, canary)]).await.is(200);
    assert_eq!((became(&test), &test.json["rows"][0]["would_go_to"]), (vec!["test"], &json!(["hudson"])));
    yard.settle().await;
    assert!(yard.told("hudson").is_empty());
    for canary in ["zebulon", "quackenbush", "xylophone", "ann1@"] {
        assert!(!reply.text.to_lowercase().contains(canary) && !test.text.to_lowercase().contains(canary));
        assert!(!logs.text().to_lowercase().contains(canary), "{canary} was logged");
    }
}

#[tokio::test(start_paused = true)]
async fn a_long_file_comes_in_first_and_keeps_nobody_waiting_who_comes_one_by_one() {
    let yard = yard().await;
    let reply = asks(&yard, "source=list&file_rows=50000", &[row(1, json!({}))]).await.is(200);
    let short = asks(&yard, "source=list&file_rows=2000", &[row(2, json!({}))]).await.is(200);
    let live = yard.settled_lead(&ann(3)).await;
    let stage = async |lead: &str| yard.stored(lead).await.stage.to_string();
    assert_eq!(stage(lead(&reply, 0)).await, "received");
    assert_eq!(
        (stage(lead(&short, 0)).await.as_str(), stage(&live).await.as_str()),
        ("assigned", "assigned")
    );
    yard.advance(MINUTE / 2).await;
    assert_eq!(stage(lead(&reply, 0)).await, "assigned");
    let _ = asks(&yard, "source=list&file_rows=many", &[row(4, json!({}))]).await.is(400);
}
