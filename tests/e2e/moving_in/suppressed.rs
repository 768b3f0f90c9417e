//! Whom not to take in.

use http::Method;
use leadyard_domain::identity::IdentityHash;
use leadyard_domain::person::Email;
use leadyard_platform::store::{List, Suppression};
use leadyard_tests::{Person, Reply, Rules, Yard};
use serde_json::{Value, json};

use super::{DAY, MINUTE, ann, imports, row, sends, statuses, table, yard};

#[tokio::test(start_paused = true)]
async fn who_is_suppressed_is_kept_aside_also_as_a_repeat_and_nobody_is_told() {
    let yard = yard().await;
    let lead = yard.settled_lead(&ann(1).with("phone", "305-555-0101")).await;
    let told = yard.told("hudson").len();
    let rows = [
        json!({ "E-Mail": "Ann1@mail.example", "reason": "unsubscribed" }),
        json!({ "value": "(305) 555-0102" }),
        json!({ "email": "not an address" }),
        json!({ "email": "test@mail.example" }),
    ];
    let reply = sends(&yard, "suppressed", &rows).await.is(200);
    assert_eq!(statuses(&reply), ["imported", "imported", "refused", "imported"]);
    assert_eq!(statuses(&sends(&yard, "suppressed", &rows[..2]).await), ["already", "already"]);
    assert!(
        !table(&yard)
            .await
            .iter()
            .filter(|item| item.contains("\"I#"))
            .any(|item| item.contains("mail.example") || item.contains("5550102"))
    );

    // The page is told what every page is told; the server, what became of it.
    let page = yard.page("web").posts(&ann(1)).await.is(201);
    let of_another = yard.page("web").posts(&ann(2)).await.is(201);
    let members = |reply: &Reply| reply.json.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!((page.text_of("status"), members(&page)), ("received", members(&of_another)));
    let server = yard.server("web").posts(&ann(1)).await.is(202);
    assert_eq!((server.text_of("status"), &server.json["reasons"]), ("quarantined", &json!(["suppressed"])));
    let by_phone = Person::named("Cy", "Moss").with("phone", "+13055550102");
    assert_eq!(yard.server("web").posts(&by_phone).await.is(202).json["reasons"], json!(["suppressed"]));
    let dummy = Person::named("Di", "Reed").with("email", "test@mail.example").with("phone", "305-555-0103");
    let _ = yard.server("web").posts(&dummy).await.is(202);
    let kept = yard.enquiry(server.text_of("enquiry")).await.unwrap();
    assert_eq!(
        (kept.status.as_str(), kept.lead, kept.reasons),
        ("quarantined", None, vec!["suppressed".to_owned()])
    );
    yard.advance(MINUTE * 5).await;
    let of_lead: Vec<_> = yard.told("hudson").into_iter().filter(|told| told.lead() == lead).collect();
    assert_eq!((of_lead.len(), yard.story(&lead).await.enquiries()), (told, 1));

    // History is history; and who is taken off the list is taken in again.
    imports(&yard, &[row(1, "2025-11-03", json!({}))]).await;
    let off = sends(&yard, "suppressed", &[json!({ "email": "ann1@mail.example", "remove": "yes" })]).await;
    assert_eq!(statuses(&off), ["imported"]);
    assert_eq!(yard.server("web").posts(&ann(1)).await.is(200).text_of("lead"), lead);
    let changes = yard.desk(Method::GET, "/v1/changes", None).await.is(200);
    assert!(changes.text.contains("suppress") && !changes.text.contains("ann1"), "{}", changes.text);
}

/// A yard in which the second lead waits: hudson takes one.
async fn full() -> Yard {
    Yard::of(Rules::roofing("acme").seller("hudson", [("cap_total", "1")])).await
}

async fn lists(yard: &Yard, row: Value) -> Reply {
    sends(yard, "suppressed", &[row]).await.is(200)
}

#[tokio::test(start_paused = true)]
async fn a_lead_of_theirs_that_waits_is_rejected_and_comes_back_with_its_person() {
    let yard = full().await;
    let held = yard.settled_lead(&ann(1)).await;
    let waits = yard.settled_lead(&ann(2).with("phone", "305-555-0102")).await;
    assert_eq!((yard.story(&held).await.stage(), yard.story(&waits).await.waiting()), ("assigned", "cap"));
    let dry = json!({ "rows": [{ "email": "ann2@mail.example" }] });
    let before = table(&yard).await;
    let dry = yard.desk(Method::POST, "/v1/import/suppressed?dry_run", Some(dry)).await.is(200);
    assert_eq!((&dry.json["rows"][0]["rejected"], table(&yard).await), (&json!([waits]), before));

    let reply = lists(&yard, json!({ "email": "ann2@mail.example" })).await;
    assert_eq!(reply.json["rows"][0]["rejected"], json!([waits]));
    // The phone says it once more: there is nothing left to reject.
    let both = lists(&yard, json!({ "phone": "305-555-0102" })).await;
    assert_eq!((statuses(&both), &both.json["rows"][0]["rejected"]), (vec!["imported"], &Value::Null));
    let story = yard.story(&waits).await;
    assert_eq!(story.stage(), "rejected");
    let act = story.list("history").next().unwrap().clone();
    assert_eq!(
        (&act["act"], &act["by"], &act["before"]["stage"]),
        (&json!("suppress"), &json!("desk"), &json!("waiting"))
    );

    // A slot comes free; nobody is given what was rejected.
    let _ = yard.answers("hudson", &held, "lost").await.is(200);
    let rules = Rules::roofing("acme").seller("hudson", [("cap_total", "9")]);
    let _ = yard.publish(&rules).await.is(200);
    yard.advance(MINUTE * 10).await;
    assert_eq!((yard.story(&waits).await.stage(), yard.told("hudson").len()), ("rejected", 1));
    // Nor does the desk get round the list.
    let _ = yard.desk(Method::POST, &format!("/v1/leads/{waits}/reopen"), Some(json!({}))).await.is(200);
    yard.advance(MINUTE).await;
    assert_eq!((yard.story(&waits).await.stage(), yard.told("hudson").len()), ("rejected", 1));

    // Off the list by e-mail, still on it by phone; then by both.
    let off = lists(&yard, json!({ "email": "ann2@mail.example", "remove": "yes" })).await;
    assert_eq!((statuses(&off), &off.json["rows"][0]["reopened"]), (vec!["imported"], &Value::Null));
    let off = lists(&yard, json!({ "phone": "305-555-0102", "remove": "yes" })).await;
    assert_eq!(off.json["rows"][0]["reopened"], json!([waits]));
    yard.advance(MINUTE).await;
    let story = yard.story(&waits).await;
    assert_eq!((story.stage(), story.holders()), ("assigned", vec!["hudson"]));
}

#[tokio::test(start_paused = true)]
async fn who_holds_a_lead_keeps_it_unheard_and_nobody_gets_it_after() {
    let yard = yard().await;
    let lead = yard.settled_lead(&ann(1)).await;
    let told = yard.told("hudson").len();
    let reply = lists(&yard, json!({ "email": "ann1@mail.example" })).await;
    assert_eq!(reply.json["rows"][0]["rejected"], Value::Null);
    yard.advance(MINUTE * 5).await;
    let story = yard.story(&lead).await;
    assert_eq!(
        (story.stage(), story.holders(), yard.told("hudson").len()),
        ("assigned", vec!["hudson"], told)
    );
    // What the desk rejected stays so, whoever comes off the list.
    let mine = yard.lead(&ann(3)).await;
    let reason = Some(json!({ "reason": "a joke" }));
    let _ = yard.desk(Method::POST, &format!("/v1/leads/{mine}/reject"), reason).await.is(200);
    let _ = lists(&yard, json!({ "email": "ann3@mail.example" })).await;
    let off = lists(&yard, json!({ "email": "ann3@mail.example", "remove": "yes" })).await;
    assert_eq!(
        (&off.json["rows"][0]["reopened"], yard.story(&mine).await.stage()),
        (&Value::Null, "rejected")
    );
    // Its dealer does not want it: the next in line is not asked.
    let _ = yard.answers("hudson", &lead, "decline").await.is(200);
    yard.advance(MINUTE * 5).await;
    let story = yard.story(&lead).await;
    assert_eq!((story.stage(), story.assignments()), ("rejected", vec![("hudson", "declined")]));
    assert!(yard.told("ridge").is_empty());
    // Months later they are a stranger no more than today: no new cycle opens.
    yard.advance(DAY * 40).await;
    let again = yard.server("web").posts(&ann(1)).await.is(202);
    assert_eq!((again.text_of("status"), yard.story(&lead).await.cycle()), ("quarantined", 1));
}

#[tokio::test(start_paused = true)]
async fn a_lead_that_slipped_in_while_the_list_was_written_is_seen_by_distribution() {
    let yard = yard().await;
    // Kept, and not decided yet, when the list says so: alone, and in a batch with others.
    let listed = async |email: &str| {
        let key = yard.cloud.identity_key();
        let hash = IdentityHash::of_email(&key, &yard.company_id(), &Email::parse(email).unwrap());
        assert!(
            yard.cloud
                .store
                .identity_list(List::Suppressed, &hash, Suppression::On(None), yard.cloud.clock.now())
                .await
                .unwrap()
        );
    };
    let alone = yard.lead(&ann(1)).await;
    listed("ann1@mail.example").await;
    yard.settle().await;
    let mut leads = Vec::new();
    for n in 2..6 {
        leads.push(yard.lead(&ann(n)).await);
    }
    listed("ann4@mail.example").await;
    yard.settle().await;
    let mut stages = Vec::new();
    for lead in [&alone].into_iter().chain(&leads) {
        stages.push(yard.stored(lead).await.stage.to_string());
    }
    assert_eq!(stages, ["rejected", "assigned", "assigned", "rejected", "assigned"]);
    assert_eq!(yard.told("hudson").len(), 3);
}
