//! Past leads: they stand in the story, and nothing follows from them.

use http::Method;
use leadyard_domain::access::DeskToken;
use leadyard_tests::logs::Logs;
use leadyard_tests::{Person, Reply, Rules, Yard};
use serde_json::{Value, json};

use super::{DAY, MINUTE, ann, imports, queued, row, sends, statement, statuses, table, without_time, yard};

#[tokio::test(start_paused = true)]
async fn the_past_stands_in_the_story_and_nothing_is_sent_counted_or_charged() {
    let yard = yard().await;
    let before = queued(&yard);
    let rows = [
        row(
            1,
            "2026-05-01 12:00",
            json!({
                "dealer": "hudson", "assigned_at": "2026-05-01 12:05", "price": "$45.00", "outcome": "won",
                "outcome_at": "5/3/2026 2:05 PM", "won_value": "8,000",
            }),
        ),
        row(2, "2026-05-02", json!({ "dealer": "old-dealer", "outcome": "lost" })),
        row(3, "2026-05-03", json!({})),
        row(4, "2026-05-04", json!({ "dealer": "ridge", "price": "20" })),
    ];
    let leads = imports(&yard, &rows).await;
    assert_eq!(queued(&yard), before);
    assert!(
        !table(&yard).await.iter().any(|item| item.contains("\"pk\":\"K#") || item.contains("\"sk\":\"M#"))
    );
    yard.advance(MINUTE * 10).await;

    let won = yard.story(&leads[0]).await;
    let seat = won.assignment("hudson");
    assert_eq!((won.stage(), won.holders(), won.decisions()), ("won", vec!["hudson"], vec!["imported"]));
    assert_eq!(won.0["closed_at"], "2026-05-03T18:05:00Z");
    assert_eq!(
        (&seat["state"], &seat["price"], &seat["won_value"]),
        (&json!("won"), &json!("45.00"), &json!("8000.00"))
    );
    assert_eq!((&seat["offered_at"], &seat["imported"]), (&json!("2026-05-01T16:05:00Z"), &json!(true)));
    assert_eq!(won.list("enquiries").next().unwrap()["status"], "imported");
    let lost = yard.story(&leads[1]).await;
    assert_eq!((lost.stage(), lost.assignments()), ("lost", vec![("imported", "lost")]));
    assert_eq!(lost.assignment("imported")["dealer"], "old-dealer");
    assert_eq!(
        (yard.story(&leads[2]).await.stage(), yard.story(&leads[3]).await.stage()),
        ("expired", "assigned")
    );

    assert!(
        yard.told("hudson").is_empty() && yard.told("ridge").is_empty() && yard.dead_letters().is_empty()
    );
    for dealer in ["hudson", "ridge"] {
        assert_eq!(statement(&yard, dealer).await["lines"], json!([]));
        assert_eq!(yard.taken(dealer, 4).await, 0);
    }
    // Its dealer sees what it has.
    assert_eq!(yard.inbox("ridge").await[0]["person"]["email"], "ann4@mail.example");
}

#[tokio::test(start_paused = true)]
async fn who_asks_again_after_the_move_is_a_repeat_or_opens_a_new_cycle() {
    let yard = yard().await;
    let leads = imports(
        &yard,
        &[
            row(1, "2026-05-20", json!({ "dealer": "ridge", "outcome": "contacted" })),
            row(2, "2026-05-20", json!({ "dealer": "ridge", "outcome": "lost" })),
            row(3, "2025-05-20", json!({ "dealer": "ridge", "outcome": "won" })),
            row(4, "2026-05-20", json!({})),
            row(5, "2026-05-20", json!({ "dealer": "gone" })),
        ],
    )
    .await;
    for (n, (lead, status)) in
        leads.iter().zip(["repeat", "repeat", "received", "received", "received"]).enumerate()
    {
        let reply = yard.server("web").posts(&ann(n + 1)).await;
        assert_eq!((reply.text_of("status"), reply.text_of("lead")), (status, lead.as_str()), "{}", n + 1);
    }
    yard.settle().await;
    // Who holds it is told, as of any repeat.
    let told = yard.told("ridge");
    let repeated: Vec<&str> =
        told.iter().filter(|told| told.event == "lead.repeated").map(|told| told.lead()).collect();
    assert!(repeated.contains(&leads[0].as_str()));
    assert_eq!(yard.story(&leads[0]).await.holders(), ["ridge"]);
    for lead in &leads[2..] {
        let story = yard.story(lead).await;
        assert_eq!((story.cycle(), story.stage(), story.holders()), (2, "assigned", vec!["hudson"]));
        assert_eq!(story.decisions(), ["imported", "assigned"]);
    }
}

#[tokio::test(start_paused = true)]
async fn who_bought_a_lead_before_the_move_sees_nothing_of_what_another_dealer_bought_since() {
    let yard = yard().await;
    // Of one the past comes late, the other asks anew long after: both are hudson's now.
    let late = yard.settled_lead(&ann(1).with("message", "the roof leaks")).await;
    let anew = imports(&yard, &[row(2, "2025-05-20", json!({ "dealer": "ridge", "outcome": "won" }))]).await;
    let _ = yard.settled_lead(&ann(2).with("message", "and now the gutters")).await;
    let past = [row(1, "2026-05-25", json!({ "dealer": "ridge", "outcome": "won" }))];
    assert_eq!(sends(&yard, "history", &past).await.is(200).json["rows"][0]["as"], "late");
    for lead in [&late, &anew[0]] {
        assert_eq!(yard.story(lead).await.holders(), ["hudson"]);
    }
    let sold = yard.inbox("ridge").await;
    let mut leads: Vec<&str> = sold.iter().map(|seat| seat["lead"].as_str().unwrap()).collect();
    leads.sort_unstable();
    let mut both = [late.as_str(), &anew[0]];
    both.sort_unstable();
    assert_eq!(leads, both);
    for seat in &sold {
        assert!(seat["person"]["email"].is_string(), "the person is whom it bought: {seat}");
        for member in ["offer", "source", "campaign", "received_at", "message", "consent", "extra"] {
            assert!(seat.get(member).is_none(), "{member} is of another enquiry: {seat}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn rows_of_one_person_are_repeats_and_cycles_in_whatever_order_they_stand() {
    let yard = yard().await;
    let rows = [
        row(1, "2026-03-20", json!({ "dealer": "ridge", "outcome": "won" })),
        row(1, "2025-11-20", json!({})),
        row(1, "2025-11-03", json!({ "dealer": "hudson", "outcome": "lost" })),
        // The same person by the phone alone, once the two came together.
        row(1, "2026-03-25", json!({ "phone": "305-555-0144" })),
        json!({ "received_at": "2026-03-28", "source": "web", "phone": "3055550144.0", "name": "Ann Hill1", "zip": "33101" }),
    ];
    let reply = sends(&yard, "history", &rows).await.is(200);
    let how: Vec<&str> =
        reply.json["rows"].as_array().unwrap().iter().map(|row| row["as"].as_str().unwrap()).collect();
    assert_eq!(how, ["cycle", "repeat", "lead", "repeat", "repeat"]);
    let story = yard.story(reply.json["rows"][0]["lead"].as_str().unwrap()).await;
    assert_eq!((story.cycle(), story.enquiries(), story.stage()), (2, 5, "won"));
    assert_eq!(story.assignments(), [("hudson", "lost"), ("ridge", "won")]);
}

/// A year of a few people who ask again and again, none of it recent.
fn a_year() -> Vec<Value> {
    let mut rows = Vec::new();
    for n in 0..40 {
        let day = format!("2025-{:02}-{:02}", 1 + n % 11, 1 + (n * 7) % 28);
        let more = match n % 5 {
            0 => json!({ "dealer": "hudson", "outcome": "won", "external_id": n.to_string() }),
            1 => json!({ "dealer": "gone", "outcome": "returned" }),
            2 => json!({ "external_id": format!("x{n}"), "phone": format!("305555{:04}", n % 9) }),
            3 => json!({ "dealer": "ridge", "outcome": "lost", "message": "a leak" }),
            _ => json!({ "outcome": "rejected" }),
        };
        rows.push(row(n % 13, &day, more));
    }
    rows.sort_by_key(|row| row["received_at"].as_str().unwrap().to_owned());
    rows
}

#[tokio::test(start_paused = true)]
async fn an_import_repeated_broken_off_or_doubled_ends_as_one_that_went_well() {
    let rows = a_year();
    let well = yard().await;
    assert_eq!(imports(&well, &rows).await.len(), 40);
    let expected = table(&well).await;

    // The reply was lost, and the request comes again.
    let again = sends(&well, "history", &rows).await.is(200);
    assert_eq!((&again.json["already"], &again.json["rows"][0]["lead"].is_string()), (&json!(40), &true));
    assert_eq!(table(&well).await, expected);

    // It broke off half way, the table went away, and it is run again from the beginning.
    let broken = yard().await;
    assert_eq!(imports(&broken, &rows[..17]).await.len(), 17);
    broken.faults.table(true);
    let _ = sends(&broken, "history", &rows).await.is(503).is_problem("unavailable");
    broken.faults.table(false);
    let rest = sends(&broken, "history", &rows).await.is(200);
    assert_eq!((&rest.json["already"], &rest.json["imported"]), (&json!(17), &json!(23)));
    assert_eq!(without_time(&table(&broken).await), without_time(&expected));

    // Two people press the button at once.
    let doubled = yard().await;
    let (one, other) = futures::join!(sends(&doubled, "history", &rows), sends(&doubled, "history", &rows));
    let imported = |reply: &Reply| reply.json["imported"].as_u64().unwrap();
    assert_eq!(imported(&one) + imported(&other), 40, "{} {}", one.text, other.text);
    assert_eq!(without_time(&table(&doubled).await), without_time(&expected));
}

#[tokio::test(start_paused = true)]
async fn a_row_that_names_itself_comes_once_though_its_dates_were_put_right() {
    let yard = yard().await;
    let named = |at: &str, dealer: &str| {
        row(1, at, json!({ "external_id": "8841", "dealer": dealer, "outcome": "lost" }))
    };
    let leads = imports(&yard, &[named("2025-11-03", "hudson"), named("2025-11-03", "ridge")]).await;
    let again = sends(&yard, "history", &[named("2025-11-04", "hudson")]).await.is(200);
    assert_eq!((statuses(&again), &again.json["rows"][0]["lead"]), (vec!["already"], &json!(leads[0])));
    // A shared lead is exported once for each who bought it.
    let story = yard.story(&leads[0]).await;
    let mut sold = story.assignments();
    sold.sort_unstable();
    assert_eq!(sold, [("hudson", "lost"), ("ridge", "lost")]);
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_says_it_all_and_writes_nothing() {
    let yard = yard().await;
    imports(&yard, &[row(1, "2025-11-03", json!({}))]).await;
    let before = table(&yard).await;
    let rows = [
        row(1, "2025-11-03", json!({})),
        row(2, "2025-11-03", json!({})),
        row(2, "2025-11-03", json!({})),
        row(3, "someday", json!({})),
    ];
    let body = json!({ "rows": rows });
    let reply = yard.desk(Method::POST, "/v1/import/history?dry_run", Some(body)).await.is(200);
    assert_eq!(statuses(&reply), ["already", "imported", "already", "refused"]);
    let counts =
        json!({ "rows": [{ "contract": "hudson", "day": "3" }, { "dealer": "hudson", "balance": "9" }] });
    let reply = yard.desk(Method::POST, "/v1/import/counts?dry_run", Some(counts)).await.is(200);
    assert_eq!(statuses(&reply), ["imported", "imported"]);
    let listed =
        json!({ "rows": [{ "email": "ann1@mail.example" }, { "phone": "305-555-0100", "remove": true }] });
    let reply = yard.desk(Method::POST, "/v1/import/suppressed?dry_run", Some(listed)).await.is(200);
    assert_eq!(statuses(&reply), ["imported", "already"]);
    assert_eq!(table(&yard).await, before);
}

#[tokio::test(start_paused = true)]
async fn one_bad_row_refuses_itself_and_says_which_rule_and_nothing_of_the_person() {
    let (logs, _guard) = Logs::keep();
    let yard = yard().await;
    let canary =
        json!({ "name": "Zebulon Quackenbush", "email": "zq.canary@mail.example", "message": "xylophone" });
    let rows = [
        row(1, "2027-01-01", canary.clone()),
        row(2, "13/11/2025", canary.clone()),
        row(3, "2025-11-03", json!({ "outcome": "Quackenbush" })),
        row(4, "2025-11-03", json!({ "email": "xylophone", "phone": "zq" })),
        row(5, "2025-11-03", json!({ "source": "quackenbush" })),
        row(6, "2025-11-03", json!({ "contract": "ridge", "dealer": "hudson" })),
        row(7, "2025-11-03", json!({ "contract": "quackenbush" })),
        json!(["xylophone"]),
        row(8, "2025-11-03", canary),
        row(9, "2025-11-03", json!({ "zip": "xylophone" })),
    ];
    let reply = sends(&yard, "history", &rows).await.is(200);
    let mut expected = vec!["refused"; 8];
    expected.extend(["imported", "imported"]);
    assert_eq!(statuses(&reply), expected, "{}", reply.text);
    let fault = |at: usize| reply.json["rows"][at]["errors"][0]["pointer"].as_str().unwrap();
    assert_eq!(fault(0), "/rows/0/received_at");
    assert_eq!(
        [fault(2), fault(3), fault(4), fault(5), fault(6)],
        ["/rows/2/outcome", "/rows/3/email", "/rows/4/source", "/rows/5/contract", "/rows/6/dealer",]
    );
    assert_eq!(reply.json["rows"][9]["notes"][0]["pointer"], "/rows/9/zip");
    let _ =
        sends(&yard, "suppressed", &[json!({ "email": "zq.canary@mail.example", "reason": "xylophone" })])
            .await
            .is(200);
    let _ = yard
        .server("web")
        .posts(&Person::named("Zebulon", "Quackenbush").with("email", "zq.canary@mail.example"))
        .await
        .is(202);
    for canary in ["zebulon", "quackenbush", "canary", "xylophone"] {
        assert!(!reply.text.to_lowercase().contains(canary), "{canary}: {}", reply.text);
        assert!(!logs.text().to_lowercase().contains(canary), "{canary} was logged");
    }
    assert!(logs.text().contains("rows were moved in"));
    // Nor does any key of the table.
    let keys = table(&yard).await;
    assert!(
        !keys
            .iter()
            .filter(|item| !item.contains("\"E#") && !item.contains("\"L#"))
            .any(|item| item.contains("canary"))
    );
}

#[tokio::test(start_paused = true)]
async fn a_request_is_let_in_by_the_desks_token_with_at_most_a_hundred_rows() {
    let yard = yard().await;
    let rows: Vec<Value> = (0..101).map(|n| row(n, "2025-11-03", json!({}))).collect();
    let _ = sends(&yard, "history", &rows).await.is(400).is_problem("invalid-field");
    let _ = sends(&yard, "history", &[]).await.is(400).is_problem("invalid-field");
    let bare = yard.desk(Method::POST, "/v1/import/history", Some(json!([]))).await;
    let _ = bare.is(400).is_problem("malformed-body");
    let long = [row(1, "2025-11-03", json!({ "message": "x".repeat(1_048_576) }))];
    let _ = sends(&yard, "history", &long).await.is(413).is_problem("body-too-large");
    let body = Some(json!({ "rows": [row(1, "2025-11-03", json!({}))] }));
    let _ = yard.dealer("hudson", Method::POST, "/v1/import/history", body.clone()).await.is(401);
    let other = yard.desk(Method::POST, "/v1/import/history?company=other", body.clone()).await;
    let _ = other.is(404).is_problem("not-found");
    let _ = yard.desk(Method::GET, "/v1/import/history", None).await.is(405);
    let _ = yard.desk(Method::POST, "/v1/import/leads", body).await.is(404);
    assert_eq!(yard.cloud.master.verify::<DeskToken>("dt_x.y"), None);
}

#[tokio::test(start_paused = true)]
async fn companies_move_in_apart() {
    let acme = yard().await;
    let brook = acme.also(Rules::roofing("brook").seller("hudson", [])).await;
    let rows = [row(1, "2026-05-20", json!({ "external_id": "1", "dealer": "hudson" }))];
    let (here, there) = (imports(&acme, &rows).await, imports(&brook, &rows).await);
    assert_ne!(here, there);
    let _ = brook.desk(Method::GET, &format!("/v1/leads/{}", here[0]), None).await.is(404);
    let _ = sends(&acme, "suppressed", &[json!({ "email": "ann1@mail.example" })]).await.is(200);
    let _ = sends(&acme, "counts", &[json!({ "contract": "hudson", "day": 3 })]).await.is(200);
    assert_eq!((acme.taken("hudson", 1).await, brook.taken("hudson", 1).await), (3, 0));
    assert_eq!(acme.server("web").posts(&ann(1)).await.is(202).text_of("status"), "quarantined");
    assert_eq!(brook.server("web").posts(&ann(1)).await.is(200).text_of("lead"), there[0]);
}

#[tokio::test(start_paused = true)]
async fn what_another_system_sold_is_not_charged_credited_returned_or_given_back_here() {
    let yard = Yard::of(
        Rules::roofing("acme")
            .seller(
                "hudson",
                [
                    ("cap_total", "2"),
                    ("return_days", "90"),
                    ("return_reasons", "wrong-number"),
                    ("tier", "1"),
                ],
            )
            .seller("ridge", [("tier", "2")]),
    )
    .await;
    let live = yard.settled_lead(&Person::number(50)).await;
    assert_eq!(yard.story(&live).await.holders(), ["hudson"]);
    let leads = imports(
        &yard,
        &[
            row(1, "2026-05-25", json!({ "dealer": "hudson", "price": "30" })),
            row(2, "2026-06-01 09:00", json!({ "dealer": "hudson", "price": "30", "outcome": "contacted" })),
            row(3, "2026-05-25", json!({ "dealer": "hudson", "price": "30" })),
        ],
    )
    .await;
    let owed = async || statement(&yard, "hudson").await["lines"].as_array().unwrap().len();
    assert_eq!((owed().await, yard.taken("hudson", 4).await), (1, 1));

    // The dealer answers about what it has; declining and returning are for the system that sold it.
    let _ = yard.answers_with("hudson", &leads[0], "won", Some(json!({ "value": "900.00" }))).await.is(200);
    assert_eq!(yard.story(&leads[0]).await.stage(), "won");
    let _ = yard.answers("hudson", &leads[1], "decline").await.is(409);
    let asked =
        yard.answers_with("hudson", &leads[1], "return", Some(json!({ "reason": "wrong-number" }))).await;
    assert!(asked.is(409).text.contains("before the company moved here"));

    // The desk takes one back: the lead goes on, and no slot or money comes back that never went.
    let path = format!("/v1/leads/{}/take_back", leads[2]);
    let _ = yard.desk(Method::POST, &path, Some(json!({}))).await.is(200);
    yard.advance(MINUTE * 2).await;
    let story = yard.story(&leads[2]).await;
    assert_eq!(story.assignments(), [("hudson", "withdrawn"), ("ridge", "offered")]);
    assert_eq!((owed().await, yard.taken("hudson", 4).await), (1, 1));
    assert_eq!(statement(&yard, "hudson").await["owed"], "10.00");
}

#[tokio::test(start_paused = true)]
async fn what_is_held_expires_after_ninety_days_and_nobody_hears_of_it() {
    let yard = yard().await;
    let leads = imports(
        &yard,
        &[
            row(1, "2026-04-01", json!({ "dealer": "hudson" })),
            row(2, "2025-04-01", json!({ "dealer": "hudson" })),
        ],
    )
    .await;
    assert_eq!(yard.story(&leads[1]).await.0["closed_at"], "2025-06-30T04:00:00Z");
    assert_eq!(yard.story(&leads[0]).await.stage(), "assigned");
    yard.advance(DAY * 31).await;
    let story = yard.story(&leads[0]).await;
    assert_eq!(
        (story.stage(), story.decisions(), yard.told("hudson").len()),
        ("expired", vec!["imported"], 0)
    );
}

#[tokio::test(start_paused = true)]
async fn history_on_top_of_a_lead_that_lives_here_moves_nothing_and_tells_nobody() {
    let yard = yard().await;
    let lead = yard.settled_lead(&ann(1)).await;
    let before = yard.stored(&lead).await;
    let told = yard.told("hudson").len();
    let rows = [
        row(1, "2026-05-25", json!({ "dealer": "ridge", "outcome": "won", "city": "Miami" })),
        row(1, "2026-06-01 11:59", json!({ "outcome": "rejected" })),
    ];
    let reply = sends(&yard, "history", &rows).await.is(200);
    assert_eq!(
        (&reply.json["rows"][0]["as"], &reply.json["rows"][0]["lead"]),
        (&json!("late"), &json!(lead))
    );
    yard.advance(MINUTE * 5).await;
    let after = yard.stored(&lead).await;
    assert_eq!(
        (after.stage, &after.holders, after.due, after.cycle),
        (before.stage, &before.holders, before.due, before.cycle)
    );
    assert_eq!(
        (after.person.city.as_deref(), after.enquiries.len(), after.opening),
        (Some("Miami"), 3, before.opening)
    );
    assert_eq!(yard.told("hudson").len(), told);
    assert_eq!(yard.story(&lead).await.assignment("ridge")["cycle"], 0);
    // Nor does the dealer's word on what it once had.
    let _ = yard.answers("ridge", &lead, "lost").await.is(409);
    assert_eq!(yard.story(&lead).await.holders(), ["hudson"]);
}

#[tokio::test(start_paused = true)]
async fn the_desk_sees_what_was_decided_elsewhere_for_what_it_is() {
    let yard = yard().await;
    let leads = imports(&yard, &[row(1, "2026-06-01 09:00", json!({ "dealer": "hudson" }))]).await;
    let story = yard.story(&leads[0]).await;
    let decision = story.list("decisions").next().unwrap().clone();
    assert_eq!((&decision["algorithm"], &decision["contracts"]), (&json!(0), &json!(["hudson"])));
    let path = format!("/v1/leads/{}/decisions/{}", leads[0], decision["id"].as_str().unwrap());
    let why = yard.desk(Method::GET, &path, None).await.is(404);
    assert!(why.text.contains("another system"), "{}", why.text);
    let nothing = yard.desk(Method::GET, "/v1/why-nothing?dealer=ridge&date=2026-06-01", None).await.is(200);
    assert_eq!((&nothing.json["examined"], &nothing.json["complete"]), (&json!(0), &json!(true)));
    let shadow = yard.desk(Method::GET, "/v1/shadow?month=2026-06", None).await.is(200);
    assert_eq!(shadow.json["leads"], 0);
    let repeat = yard.desk(Method::GET, &format!("/v1/leads/{}/recommendation", leads[0]), None).await;
    let _ = repeat.is(409);
}
