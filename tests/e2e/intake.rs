//! What comes in, and what its sender is told.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use leadyard_domain::limits;
use leadyard_tests::{Person, Rules, Yard};
use serde_json::json;

fn ada() -> Person {
    Person::named("Ada", "Hill").with("phone", "305-555-0100")
}

async fn yard() -> Yard {
    Yard::of(
        Rules::roofing("acme")
            .source("framed", "offer = \"roof\"\norigins = [\"https://roofs.example\"]\nthank_you = \"https://roofs.example/thanks\"\nerror_page = \"https://roofs.example/again\"")
            .source("trial", "offer = \"roof\"\ntest = true")
            .source("over", "offer = \"roof\"\nends = \"2026-05-31\"")
            .source("capped", "offer = \"roof\"\ncaps = { day = 1 }")
            .seller("hudson", []),
    )
    .await
}

#[tokio::test(start_paused = true)]
async fn json_and_a_form_say_the_same() {
    let yard = yard().await;
    let by_json = yard.lead(&ada()).await;
    let by_form = yard.server("web").sends("application/x-www-form-urlencoded", ada().form()).await.is(200);
    assert_eq!((by_form.text_of("status"), by_form.text_of("lead")), ("repeat", by_json.as_str()));
    assert_eq!(yard.story(&by_json).await.enquiries(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_page_is_told_that_it_was_received_and_nothing_of_who_is_known() {
    let yard = yard().await;
    let first = yard.page("web").posts(&ada()).await.is(201);
    let again = yard.page("web").posts(&ada()).await.is(201);
    let unknown_offer = yard.page("web").posts(&ada().with("offer", "no such offer")).await.is(201);
    for reply in [&first, &again, &unknown_offer] {
        let mut members: Vec<&str> = reply.json.as_object().unwrap().keys().map(String::as_str).collect();
        members.sort_unstable();
        assert_eq!(members, ["enquiry", "status", "visitor"], "{}", reply.text);
        assert_eq!(reply.text_of("status"), "received");
    }
    assert_eq!(yard.enquiry(again.text_of("enquiry")).await.unwrap().status, "repeat");
    assert_eq!(yard.enquiry(unknown_offer.text_of("enquiry")).await.unwrap().status, "quarantined");
}

#[tokio::test(start_paused = true)]
async fn a_server_is_told_what_became_of_its_enquiry() {
    let yard = yard().await;
    let new = yard.server("web").posts(&ada()).await.is(201);
    assert_eq!(new.text_of("status"), "received");
    let repeat = yard.server("web").posts(&ada()).await.is(200);
    assert_eq!((repeat.text_of("status"), repeat.text_of("lead")), ("repeat", new.text_of("lead")));
    assert!(!repeat.text_of("since").is_empty());
    let aside = yard.server("web").posts(&ada().with("offer", "no such offer")).await.is(202);
    assert_eq!((aside.text_of("status"), &aside.json["reasons"]), ("quarantined", &json!(["unknown_offer"])));
}

#[tokio::test(start_paused = true)]
async fn a_test_lead_says_where_it_would_have_gone_and_reaches_nobody() {
    let yard = yard().await;
    let reply = yard.server("trial").posts(&ada()).await.is(201);
    assert_eq!((&reply.json["test"], &reply.json["would_go_to"]), (&json!(true), &json!(["hudson"])));
    yard.settle().await;
    assert!(yard.told("hudson").is_empty());
    assert_eq!(yard.taken("hudson", 4).await, 0);
    // It made no identity either: the same person is new.
    assert_eq!(yard.server("web").posts(&ada()).await.is(201).text_of("status"), "received");
}

#[tokio::test(start_paused = true)]
async fn a_test_lead_of_somebody_who_is_known_leaves_their_lead_as_it_was() {
    let yard = yard().await;
    let minted = yard.page("web").gets(&format!("/v1/interactions/{}/visitor", yard.page("web").key())).await;
    let visitor = minted.text_of("visitor").to_owned();
    let known = ada().with("visitor", &visitor);
    let lead = yard.settled_lead(&known).await;
    let saw = json!({ "id": "p1", "kind": "page_view", "at": "2026-06-01T15:00:00Z", "visitor": visitor });
    let _ = yard.page("web").reports(saw).await.is(202);
    yard.settle().await;
    let before = (yard.stored(&lead).await, yard.story(&lead).await.0, yard.taken("hudson", 4).await);
    assert_eq!((yard.told("hudson").len(), before.2), (1, 1));
    for person in [&known, &ada(), &known.clone().with("message", "is this thing on?").without("phone")] {
        let reply = yard.server("trial").posts(person).await.is(201);
        assert_eq!(reply.json["test"], json!(true));
        let page = yard.page("trial").posts(person).await.is(201);
        assert_eq!(page.text_of("status"), "received");
    }
    yard.settle().await;
    let after = (yard.stored(&lead).await, yard.story(&lead).await.0, yard.taken("hudson", 4).await);
    assert_eq!(after, before);
    assert_eq!(yard.told("hudson").len(), 1);
    // What the browser does afterwards still counts for that lead.
    let asked =
        json!({ "id": "q1", "kind": "quote_request", "at": "2026-06-01T15:30:00Z", "visitor": visitor });
    let _ = yard.page("web").reports(asked).await.is(202);
    yard.settle().await;
    assert!(yard.story(&lead).await.hundredths() > before.1["score"]["total_hundredths"].as_i64().unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_plain_form_goes_on_to_the_source_s_page_or_to_one_of_ours() {
    let yard = yard().await;
    let page = yard.page("framed");
    let thanks = page.submits(&ada()).await.is(303);
    assert_eq!(thanks.header("location"), "https://roofs.example/thanks");
    let again = page.submits(&Person::named("Ada", "Hill").without("email")).await.is(303);
    assert_eq!(again.header("location"), "https://roofs.example/again");

    let ours = yard.page("web").submits(&ada()).await.is(201);
    assert!(ours.header("content-type").starts_with("text/html") && ours.text.contains("Thank you"));
    let ours = yard.page("web").submits(&Person::named("Ada", "Hill").without("email")).await.is(422);
    assert!(
        ours.header("content-type").starts_with("text/html")
            && ours.text.contains("e-mail address or a phone")
    );
}

#[tokio::test(start_paused = true)]
async fn a_browser_may_post_from_the_source_s_origins_and_from_no_other() {
    let yard = yard().await;
    let page = yard.page_of("framed", &["https://roofs.example"], 1);
    let own = page.clone().header("origin", "https://roofs.example");
    let preflight = own.asks_whether_it_may().await.is(204);
    assert_eq!(preflight.header("access-control-allow-origin"), "https://roofs.example");
    assert!(preflight.header("access-control-allow-headers").contains("idempotency-key"));
    let posted = own.posts(&ada()).await.is(201);
    assert_eq!(posted.header("access-control-allow-origin"), "https://roofs.example");

    let other = page.header("origin", "https://elsewhere.example");
    let _ = other.asks_whether_it_may().await.is(403).is_problem("origin-refused");
    let _ = other.posts(&ada()).await.is(403).is_problem("origin-refused");

    // When to send it again says a header, and a browser shows a page none that is not named to it.
    let full = yard.page_of("capped", &["https://roofs.example"], 1);
    let full = full.header("origin", "https://roofs.example");
    let _ = yard.server("capped").posts(&Person::named("Bob", "Mann")).await.is(201);
    let full = full.posts(&Person::named("Cy", "Young")).await.is(429);
    yard.faults.table(true);
    yard.faults.queues(true);
    let away = own.posts(&ada()).await.is(503);
    for refused in [full, away] {
        assert!(refused.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds > 0), "{refused:?}");
        assert_eq!(refused.header("access-control-allow-origin"), "https://roofs.example");
        let named = refused.header("access-control-expose-headers");
        assert!(named.split(", ").any(|name| name == "retry-after"), "{refused:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_idempotency_key_gets_the_first_answer_again() {
    let yard = yard().await;
    let server = yard.server("web").header("idempotency-key", "order-1");
    let first = server.posts(&ada()).await.is(201);
    let again = server.posts(&ada()).await.is(201);
    assert_eq!((again.header("idempotent-replay"), &again.json), ("true", &first.json));
    assert_eq!(yard.story(first.text_of("lead")).await.enquiries(), 1);
    let _ = server.posts(&ada().with("zip", "33102")).await.is(422).is_problem("idempotency-mismatch");
    // In quotes, as the draft writes it, it is the same key.
    let quoted = yard.server("web").header("idempotency-key", "\"order-1\"");
    let again = quoted.posts(&ada()).await.is(201);
    assert_eq!((again.header("idempotent-replay"), &again.json), ("true", &first.json));
}

#[tokio::test(start_paused = true)]
async fn who_has_the_page_s_key_alone_takes_no_idempotency_key_from_the_server() {
    let yard = yard().await;
    let stranger = yard.page("web").header("idempotency-key", "order-1002");
    let _ = stranger.posts(&Person::named("Zeb", "Marsh")).await.is(201);
    let _ = yard.server("web").header("idempotency-key", "order-1002").posts(&ada()).await.is(201);
    // Each gets its own answer again.
    let _ = stranger.posts(&ada()).await.is(422).is_problem("idempotency-mismatch");
}

#[tokio::test(start_paused = true)]
async fn an_idempotency_key_is_remembered_for_96_hours() {
    let yard = yard().await;
    let server = yard.server("web").header("idempotency-key", "order-1");
    let first = server.posts(&ada()).await.is(201);
    tokio::time::sleep(Duration::from_secs(96 * 3_600 - 1)).await;
    let again = server.posts(&ada()).await.is(201);
    assert_eq!((again.header("idempotent-replay"), &again.json), ("true", &first.json));
    tokio::time::sleep(Duration::from_secs(2)).await;
    // From then on it is a request of its own: somebody who asks again.
    let later = server.posts(&ada()).await.is(200);
    assert_eq!((later.header("idempotent-replay"), later.text_of("status")), ("", "repeat"));
}

#[tokio::test(start_paused = true)]
async fn twenty_posts_under_one_idempotency_key_are_one_enquiry() {
    let yard = yard().await;
    let server = yard.server("web").header("idempotency-key", "order-2");
    let person = ada();
    let replies = futures::future::join_all((0..20).map(|_| server.posts(&person))).await;
    let first = &replies[0];
    assert!(replies.iter().all(|reply| reply.json == first.json && reply.status == 201));
    assert_eq!(replies.iter().filter(|reply| reply.header("idempotent-replay") != "true").count(), 1);
    assert_eq!(yard.story(first.text_of("lead")).await.enquiries(), 1);
}

#[tokio::test(start_paused = true)]
async fn nobody_who_can_be_reached_is_refused_and_kept_all_the_same() {
    let yard = yard().await;
    let nobody = Person::named("Ada", "Hill").with("email", "not an address").with("phone", "12");
    let reply = yard.server("web").posts(&nobody).await.is(422).is_problem("unreachable-person");
    let pointers: Vec<&str> = reply.json["errors"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|error| error["pointer"].as_str())
        .collect();
    assert_eq!(pointers, ["/email", "/phone"], "{}", reply.text);
    let kept = yard.enquiry(reply.text_of("enquiry")).await.unwrap();
    assert_eq!((kept.status.as_str(), kept.reasons), ("quarantined", vec!["unreachable_person".to_owned()]));
    assert!(kept.fields.iter().any(|(_, value)| value == "not an address"));
}

/// Each is refused with its limit by name, and what a source may send is kept as it came.
#[tokio::test(start_paused = true)]
async fn bad_input_is_named_and_what_a_source_may_send_is_kept_raw() {
    let yard = yard().await;
    let server = yard.server("web");
    let nested = format!("{}1{}", r#"{"a":"#.repeat(40), "}".repeat(40));
    let fields = (0..10_000).map(|n| format!("f{n}=1")).collect::<Vec<_>>().join("&");
    let fields = fields.get(..60_000).unwrap().to_owned();
    for (what, content_type, body, status, slug, says) in [
        ("nested", "application/json", nested.clone().into_bytes(), 400, "malformed-body", "deeper than 16"),
        ("type", "application/pdf", b"%PDF".to_vec(), 415, "unsupported-media-type", "application/json"),
        ("utf-8", "application/json", b"{\"email\":\"\xff\"}".to_vec(), 400, "malformed-body", "UTF-8"),
        (
            "fields",
            "application/x-www-form-urlencoded",
            fields.clone().into_bytes(),
            400,
            "malformed-body",
            "200 fields",
        ),
        ("no JSON", "application/json", b"{\"email\":".to_vec(), 400, "malformed-body", "line 1"),
        ("a list", "application/json", b"[1]".to_vec(), 400, "malformed-body", "object"),
    ] {
        let reply = server.sends(content_type, body.clone()).await.is(status).is_problem(slug);
        assert!(reply.text_of("detail").contains(says), "{what}: {}", reply.text);
        let kept = yard.enquiry(reply.text_of("enquiry")).await.unwrap();
        assert_eq!(kept.raw.as_deref(), Some(String::from_utf8_lossy(&body).as_ref()), "{what}");
        let exact = kept.raw_base64.map(|exact| STANDARD.decode(exact).unwrap());
        assert_eq!(exact, std::str::from_utf8(&body).is_err().then_some(body), "{what}: every byte of it");
        assert_eq!(
            (kept.status.as_str(), kept.reasons),
            ("quarantined", vec!["unreadable".to_owned()]),
            "{what}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_too_large_is_refused_with_the_limit() {
    let yard = yard().await;
    let body = format!(r#"{{"email":"ada@mail.example","message":"{}"}}"#, "x".repeat(limits::BODY_BYTES));
    let reply = yard.server("web").sends("application/json", body).await.is(413).is_problem("body-too-large");
    assert!(reply.text_of("detail").contains(&limits::BODY_BYTES.to_string()), "{}", reply.text);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_unknown_tampered_with_or_old_lets_nobody_in() {
    let yard = yard().await;
    let good = yard.page("web");
    let mut tampered = good.key().to_owned();
    let middle = tampered.len() / 2;
    let other = if tampered.as_bytes()[middle] == b'A' { "B" } else { "A" };
    tampered.replace_range(middle..=middle, other);
    for key in ["pk_nothing.AAAA", tampered.as_str(), "x"] {
        let _ = good.clone().with_key(key).posts(&ada()).await.is(401).is_problem("unauthorized");
    }
    let _ = yard.page_of("web", &[], 2).posts(&ada()).await.is(401).is_problem("unauthorized");
    let _ = yard.page_of("gone", &[], 1).posts(&ada()).await.is(401).is_problem("unauthorized");
    let secret_of_another = yard.server("trial").with_key(good.key());
    let _ = secret_of_another.posts(&ada()).await.is(401).is_problem("unauthorized");
    let with_a_token = good.header("authorization", "Bearer desk_x.y");
    let _ = with_a_token.posts(&ada()).await.is(401).is_problem("unauthorized");
}

#[tokio::test(start_paused = true)]
async fn a_source_past_its_end_is_told_since_when() {
    let yard = yard().await;
    let reply = yard.server("over").posts(&ada()).await.is(410).is_problem("source-closed");
    assert!(reply.text_of("detail").contains("2026-05-31"), "{}", reply.text);
}

#[tokio::test(start_paused = true)]
async fn what_the_table_refuses_is_spilled_and_comes_in_later_once() {
    let yard = yard().await;
    yard.lead(&Person::named("Bob", "Mann")).await; // intake knows the rules
    yard.faults.table(true);
    let reply = yard.server("web").posts(&ada()).await.is(202);
    assert_eq!(reply.text_of("status"), "spilled");
    yard.settle().await; // the table still refuses: it stays in the queue
    assert_eq!(yard.queued("spill").len(), 1);

    yard.faults.table(false);
    yard.advance(std::time::Duration::from_secs(300)).await;
    assert!(yard.queued("spill").is_empty());
    let kept = yard.enquiry(reply.text_of("enquiry")).await.unwrap();
    assert_eq!((kept.status.as_str(), kept.spilled), ("received", true));
    let lead = kept.lead.unwrap().to_string();
    assert_eq!(yard.story(&lead).await.enquiries(), 1);
    assert_eq!(yard.told("hudson").iter().filter(|told| told.lead() == lead).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn intake_that_starts_while_the_table_is_away_knows_no_rules_and_spills_all_the_same() {
    let mut yard = yard().await;
    yard.starts_anew().await;
    yard.faults.table(true);
    // By the keys alone: whose they are, it can tell without a table.
    let mut spilled = Vec::new();
    for (sender, person) in [(yard.server("web"), ada()), (yard.page("web"), Person::number(2))] {
        let reply = sender.posts(&person).await.is(202);
        assert_eq!(reply.text_of("status"), "spilled", "{}", reply.text);
        spilled.push(reply.text_of("enquiry").to_owned());
    }
    let _ = yard.page_of("web", &["https://roofs.example"], 1).with_key("pk_x.y").posts(&ada()).await.is(401);
    // As long as it is away nothing of it is lost, however often it is tried.
    yard.settle().await;
    assert_eq!(yard.queued("spill").len(), 2);
    yard.faults.table(false);
    yard.advance(Duration::from_secs(900)).await;
    assert!(yard.queued("spill").is_empty() && yard.dead_letters().is_empty());
    for enquiry in &spilled {
        let kept = yard.enquiry(enquiry).await.unwrap();
        assert_eq!((kept.status.as_str(), kept.spilled), ("received", true));
    }
    assert_eq!(yard.told("hudson").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_was_spilled_and_sent_again_under_one_key_is_one_enquiry() {
    // Sent again before the spill is brought in, and after.
    for before in [true, false] {
        let yard = yard().await;
        let server = yard.server("web").header("idempotency-key", "order-7");
        yard.faults.table(true);
        let spilled = server.posts(&ada()).await.is(202).text_of("enquiry").to_owned();
        yard.faults.table(false);
        if !before {
            yard.advance(Duration::from_secs(120)).await;
        }
        let again = server.posts(&ada()).await;
        let taken_in = again.text_of("enquiry").to_owned();
        yard.advance(Duration::from_secs(120)).await;
        assert_eq!(taken_in == spilled, !before, "{}", again.text);
        let kept = yard.enquiry(&spilled).await.unwrap();
        if before {
            assert_eq!(
                (kept.status.as_str(), kept.replay_of.unwrap().to_string()),
                ("replay", taken_in.clone())
            );
            assert!(
                kept.fields.is_empty() && kept.lead.is_none(),
                "the person stands in the one that was taken in"
            );
        } else {
            assert_eq!((kept.status.as_str(), again.header("idempotent-replay")), ("received", "true"));
        }
        let lead = yard.enquiry(&taken_in).await.unwrap().lead.unwrap().to_string();
        assert_eq!(yard.story(&lead).await.enquiries(), 1);
        let heard: Vec<_> = yard.told("hudson").into_iter().map(|told| told.event).collect();
        assert_eq!(heard, ["lead.assigned"], "nobody asked again");
        let third = server.posts(&ada()).await;
        assert_eq!(third.text_of("enquiry"), taken_in);
    }
    // Another body under the same key is another enquiry, and was acknowledged.
    let yard = yard().await;
    let server = yard.server("web").header("idempotency-key", "order-8");
    yard.faults.table(true);
    let spilled = server.posts(&Person::number(5)).await.is(202).text_of("enquiry").to_owned();
    yard.faults.table(false);
    let other = server.posts(&ada()).await.is(201).text_of("enquiry").to_owned();
    yard.advance(Duration::from_secs(120)).await;
    for enquiry in [&spilled, &other] {
        assert_eq!(yard.enquiry(enquiry).await.unwrap().status, "received");
    }
    assert!(yard.dead_letters().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_was_spilled_for_a_source_that_is_gone_is_kept_for_the_desk() {
    let yard = yard().await;
    yard.lead(&Person::named("Bob", "Mann")).await; // intake knows the rules
    yard.faults.table(true);
    let reply = yard.server("web").posts(&ada()).await.is(202);
    yard.faults.table(false);
    let others = Rules::company("acme").offer("roof", "roofing", "").source("other", "offer = \"roof\"");
    let _ = yard.publish(&others.seller("hudson", [])).await.is(200);
    yard.advance(std::time::Duration::from_secs(300)).await;
    let kept = yard.enquiry(reply.text_of("enquiry")).await.unwrap();
    assert_eq!((kept.status.as_str(), kept.reasons), ("quarantined", vec!["unknown_source".to_owned()]));
    assert!(kept.raw.is_some_and(|raw| raw.contains("ada")), "whole, as it came");
}

#[tokio::test(start_paused = true)]
async fn a_spilled_enquiry_that_comes_twice_is_kept_once() {
    let yard = yard().await;
    yard.lead(&Person::named("Bob", "Mann")).await;
    yard.faults.table(true);
    let reply = yard.server("web").posts(&ada()).await.is(202);
    yard.faults.table(false);
    let body = yard.queued("spill").remove(0);
    yard.aws.queues().send("spill", &body, None, 0).unwrap();
    yard.settle().await;
    let lead = yard.enquiry(reply.text_of("enquiry")).await.unwrap().lead.unwrap().to_string();
    yard.settle().await;
    assert_eq!(yard.story(&lead).await.enquiries(), 1);
    assert_eq!(yard.told("hudson").iter().filter(|told| told.lead() == lead).count(), 1);
    assert!(yard.dead_letters().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_nothing_can_keep_is_refused_with_a_time_to_come_back() {
    let yard = yard().await;
    yard.faults.table(true);
    yard.faults.queues(true);
    let reply = yard.server("web").posts(&ada()).await.is(503).is_problem("unavailable");
    assert!(reply.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds > 0), "{reply:?}");
}

#[tokio::test(start_paused = true)]
async fn a_lost_queue_delays_a_lead_by_a_sweep_and_loses_none() {
    let yard = yard().await;
    yard.faults.queues(true);
    let lead = yard.lead(&ada()).await;
    yard.faults.queues(false);
    yard.settle().await;
    assert_eq!(yard.story(&lead).await.stage(), "received");
    yard.advance(std::time::Duration::from_secs(180)).await;
    assert_eq!(yard.story(&lead).await.assignment("hudson")["delivery"], "received");
}

#[tokio::test(start_paused = true)]
async fn what_comes_by_a_void_key_while_nobody_can_tell_is_kept_aside_and_not_sold() {
    let rules = |keys: &str| {
        Rules::roofing("acme").source("partner", &format!("offer = \"roof\"\n{keys}")).seller("hudson", [])
    };
    let yard = Yard::of(rules("")).await;
    let _ = yard.publish(&rules("key_generation = 2")).await.is(200);
    let _ = yard.server("partner").posts(&ada()).await.is(401);
    yard.faults.table(true);
    let void = yard.server("partner").posts(&ada()).await.is(202);
    let good = yard.page_of("partner", &[], 2).posts(&Person::named("Zeb", "Marsh")).await.is(202);
    yard.faults.table(false);
    yard.advance(Duration::from_secs(600)).await;
    let kept = async |reply: &leadyard_tests::Reply| {
        let stored = yard.enquiry(reply.text_of("enquiry")).await.unwrap();
        (stored.status, stored.reasons.join(" "))
    };
    assert_eq!(kept(&void).await, ("quarantined".to_owned(), "unknown_source".to_owned()));
    assert_eq!(kept(&good).await, ("received".to_owned(), String::new()));
}

#[tokio::test(start_paused = true)]
async fn a_source_s_keys_are_changed_without_a_gap_and_those_of_before_end_on_their_day() {
    let rules = |keys: &str| {
        Rules::company("acme")
            .offer("roof", "roofing", "band = \"A1\"")
            .source("web", &format!("offer = \"roof\"\n{keys}"))
            .seller("hudson", [])
    };
    let yard = Yard::of(rules("")).await;
    let lead = yard.settled_lead(&ada()).await;
    let _ = yard.publish(&rules("key_generation = 2\nearlier_key_until = 2026-06-02")).await.is(200);
    let asks =
        |id: &str| json!({ "id": id, "kind": "quote_request", "at": "2026-06-01T15:00:00Z", "lead": lead });
    let before = yard.server("web");
    // Whoever has changed one of the two is let in as well.
    let half = yard.page_of("web", &[], 2).header("authorization", &format!("Bearer {}", yard.secret("web")));
    for sender in [&before, &half, &yard.page_of("web", &[], 1), &yard.page_of("web", &[], 2)] {
        assert!(sender.posts(&ada()).await.status.is_success());
    }
    yard.advance_to("2026-06-03T03:59:00Z").await;
    let _ = before.posts(&ada()).await.is(200);
    yard.advance(Duration::from_secs(120)).await;
    for sender in [&before, &half] {
        let _ = sender.posts(&ada()).await.is(401).is_problem("unauthorized");
    }
    let _ = yard.page_of("web", &[], 2).posts(&ada()).await.is(201);
    // Intake of interactions reads no table: those of a void key are left uncounted by scoring.
    let asked = async || {
        let story = yard.story(&lead).await;
        story.list("interactions").filter(|did| did["kind"] == "quote_request").count()
    };
    let _ = before.reports(asks("q1")).await.is(202);
    yard.settle().await;
    assert_eq!(asked().await, 0);
    let _ = yard.publish(&rules("key_generation = 1")).await.is(200);
    let _ = before.reports(asks("q2")).await.is(202);
    yard.settle().await;
    assert_eq!(asked().await, 1);
}
