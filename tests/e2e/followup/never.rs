//! Who is not called: at night, once their consent is too old, and never who is unsubscribed, suppressed, erased or said so.

use std::time::Duration;

use http::Method;
use leadyard_domain::followup::Ended;
use leadyard_tests::{Person, Yard};
use serde_json::{Value, json};

use super::{DAY, HOUR, acts, acts_as, ada, called, calls, did, follow_up, listed, lost, rules, yard};

const FORM: &str = "application/x-www-form-urlencoded";

#[tokio::test(start_paused = true)]
async fn the_quiet_hours_are_the_lead_s_own() {
    let yard = yard().await;
    let (miami, honolulu) = (
        yard.settled_lead(&ada()).await,
        yard.settled_lead(&Person::number(1).with("zip", "96815").with("phone", "808-274-0100")).await,
    );
    // Half past nine in Miami, half past three in Honolulu.
    yard.advance_to("2026-06-02T16:30:00Z").await;
    yard.advance_to("2026-06-03T13:30:00Z").await;
    for call in listed(&yard).await {
        let here = call["lead"]["lead"] == json!(miami);
        assert_eq!(call["may_be_called"]["now"], here, "{call}");
        assert_eq!(call["may_be_called"]["from"].is_null(), here);
    }
    let refused = acts(&yard, &honolulu, "claim", json!({})).await.is(409).is_problem("state-conflict");
    assert_eq!(refused.json["may_be_called"]["from"], "2026-06-03T18:00:00Z");
    let _ = acts(&yard, &miami, "claim", json!({})).await.is(200);
    yard.advance_to("2026-06-03T18:00:01Z").await;
    let _ = acts(&yard, &honolulu, "claim", json!({})).await.is(200);
    // At nine in the evening it is over in Miami.
    yard.advance_to("2026-06-04T01:00:01Z").await;
    let _ = acts(&yard, &miami, "claim", json!({})).await.is(409);
}

#[tokio::test(start_paused = true)]
async fn nobody_is_called_once_their_consent_is_too_old() {
    let plan = "not_ready = [\"1d\"]\nlost = [\"1d\"]\nenquiry_days = 5\nconsent_days = 20\n";
    let yard = Yard::of(rules(plan)).await;
    let lead = yard.settled_lead(&ada()).await;
    let agreed = yard.settled_lead(&Person::number(1).with("consent", "yes")).await;
    yard.advance(2 * DAY).await;
    assert_eq!(calls(&yard).await.len(), 2);
    let until = |lead: &str, list: &[Value]| {
        list.iter().find(|call| call["lead"]["lead"] == lead).unwrap()["callable_until"].clone()
    };
    let list = listed(&yard).await;
    assert_eq!(until(&lead, &list), "2026-06-06T16:00:00Z");
    assert_eq!(until(&agreed, &list), "2026-06-21T16:00:00Z");
    yard.advance_to("2026-06-06T15:59:00Z").await;
    assert_eq!(calls(&yard).await.len(), 2);
    // Before anybody has looked.
    tokio::time::sleep(Duration::from_secs(90)).await;
    assert_eq!(calls(&yard).await, [agreed.as_str()]);
    yard.advance(DAY).await;
    assert_eq!(calls(&yard).await, [agreed.as_str()]);
    // The list itself has it no more: whoever looked found that it is too late.
    let rests = follow_up(&yard, &lead).await;
    assert_eq!((&rests["stands"], &rests["why"]), (&json!("rests"), &json!("consent_over")));
    for act in ["claim", "follow_up"] {
        let _ = acts(&yard, &lead, act, json!({})).await.is(409);
    }
    // Nor is a later call promised; and who asks again has asked again.
    let late = json!({ "result": "callback", "callback_at": "2026-06-22T16:00:00Z" });
    assert!(acts(&yard, &agreed, "call", late).await.is(400).text.contains("may be called until"));
    let _ = yard.server("web").posts(&ada().with("message", "again")).await.is(200);
    yard.settle().await;
    assert!(calls(&yard).await.contains(&lead));
}

#[tokio::test(start_paused = true)]
async fn who_is_unsubscribed_suppressed_erased_merged_or_held_never_appears() {
    for how in
        ["unsubscribed", "suppressed", "do not call", "erased", "merged", "rejected", "placed", "said so"]
    {
        let yard = yard().await;
        let lead = yard.settled_lead(&ada()).await;
        let lost_one =
            lost(&yard, &ada().with("phone", "305-274-0199").with("email", "a.h@mail.example")).await;
        yard.advance(11 * DAY).await;
        assert_eq!(calls(&yard).await.len(), 2);
        for lead in [&lead, &lost_one] {
            match how {
                "unsubscribed" => {
                    let link = yard.story(lead).await.0["unsubscribe"].as_str().unwrap().to_owned();
                    let click = b"List-Unsubscribe=One-Click".to_vec();
                    let _ = yard.sends(None, Method::POST, &link, FORM, click).await.is(200);
                }
                "suppressed" | "do not call" => {
                    let phone = yard.story(lead).await.0["person"]["phone"].clone();
                    let (path, body) = if how == "suppressed" {
                        ("/v1/import/suppressed", json!({ "rows": [{ "phone": phone }] }))
                    } else {
                        ("/v1/import/do_not_call", json!({ "rows": [{ "phone": phone }] }))
                    };
                    let _ = yard.desk(Method::POST, path, Some(body)).await.is(200);
                }
                "erased" => {
                    let reply = acts(&yard, lead, "erase", json!({ "reason": "requested" })).await;
                    assert!([200, 202].contains(&reply.status.as_u16()), "{}", reply.text);
                }
                "merged" => {
                    let into = yard.server("ads").posts(&Person::number(9)).await;
                    let into = into.text_of("lead").to_owned();
                    let _ = acts(&yard, lead, "merge", json!({ "into": into, "reason": "one person" }))
                        .await
                        .is(200);
                }
                "rejected" if *lead == lost_one => {
                    let _ = called(&yard, lead, "not_interested").await;
                }
                "rejected" => {
                    let _ = acts(&yard, lead, "reject", json!({ "reason": "no roof" })).await.is(200);
                }
                "placed" if *lead == lost_one => {
                    let _ = called(&yard, lead, "interested").await;
                }
                "placed" => {
                    let over = json!({ "contract": "hudson", "override": true, "reason": "they know them" });
                    let _ = acts(&yard, lead, "place", over).await.is(200);
                }
                _ => {
                    let _ = called(&yard, lead, "do_not_call").await;
                }
            }
        }
        assert!(calls(&yard).await.is_empty(), "{how}: {:?}", listed(&yard).await);
        for lead in [&lead, &lost_one] {
            if how != "placed" {
                did(&yard, lead, &format!("p-{lead}"), "page_view").await;
            }
            if !["rejected"].contains(&how) {
                let refused = acts(&yard, lead, "claim", json!({})).await;
                assert_eq!(refused.status, 409, "{how}: {}", refused.text);
            }
        }
        if how == "rejected" {
            // Whoever wants nothing rests, and is woken by what they do.
            assert_eq!(calls(&yard).await, [lost_one.as_str()]);
        } else {
            assert!(calls(&yard).await.is_empty(), "{how}");
        }
        // A day later the list itself is clean.
        yard.advance(2 * DAY).await;
        let list = yard.cloud.store.follow_ups_count(&yard.company_id(), 10).await.unwrap();
        assert_eq!(list.due + list.promised, usize::from(how == "rejected"), "{how}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_wants_never_to_be_called_is_opted_out_of_everything() {
    let yard = yard().await;
    let lead = yard.settled_lead(&ada()).await;
    // Their other lead is hudson's.
    let gutters = yard.server("ads").posts(&ada()).await;
    assert_eq!(gutters.status, 200, "{}", gutters.text);
    yard.settle().await;
    yard.advance(DAY + HOUR).await;
    let _ = called(&yard, &lead, "do_not_call").await;
    yard.settle().await;
    assert_eq!(yard.story(&lead).await.stage(), "rejected");
    let again = yard.server("web").posts(&ada().with("message", "x")).await;
    assert_eq!(again.status, 202, "who is on the list is quarantined: {}", again.text);
}

#[tokio::test(start_paused = true)]
async fn who_is_never_to_be_called_is_not_though_their_lead_moves_meanwhile_and_it_may_be_said_again() {
    let yard = yard().await;
    let lead = yard.settled_lead(&ada()).await;
    yard.advance(DAY + HOUR).await;
    let never = json!({ "result": "do_not_call", "note": "never again" });
    let first = yard.faults.hold_commit();
    let calling = acts(&yard, &lead, "call", never.clone());
    let meanwhile = async {
        // The opt-out closes the lead; whoever looks at it before the call is kept ends its follow-up.
        first.arrives().await;
        let second = yard.faults.hold_commit();
        first.let_go();
        second.arrives().await;
        let (stored, now) = (yard.stored(&lead).await, yard.cloud.clock.now());
        assert_eq!(stored.stage.as_str(), "rejected");
        let mut moved = yard.cloud.store.follow_up_get(stored.id).await.unwrap().unwrap();
        moved.state.end(Ended::Moved, now);
        assert!(yard.cloud.store.follow_up_save(&stored, &moved, now).await.unwrap());
        second.let_go();
    };
    let (reply, ()) = tokio::join!(calling, meanwhile);
    assert_eq!(reply.is(200).json["after"]["why"], "do_not_call");
    let again = acts(&yard, &lead, "call", never.clone()).await.is(200);
    assert_eq!(again.json["already"], true);
    let story = yard.story(&lead).await;
    assert_eq!(story.0["follow_up"]["why"], "do_not_call");
    let calls: Vec<&Value> = story.list("history").filter(|act| act["act"] == "call").collect();
    assert_eq!((calls.len(), &calls[0]["reason"]), (1, &json!("never again")));
    // Of a call that could not be kept that is said; and nothing else is said of them any more.
    let _ = acts(&yard, &lead, "call", json!({ "result": "busy" })).await.is(409);
    let mut moved = yard.cloud.store.follow_up_get(lead.parse().unwrap()).await.unwrap().unwrap();
    moved.state.end(Ended::Moved, yard.cloud.clock.now());
    let stored = yard.stored(&lead).await;
    assert!(yard.cloud.store.follow_up_save(&stored, &moved, yard.cloud.clock.now()).await.unwrap());
    let completed = acts(&yard, &lead, "call", never).await.is(200);
    assert_eq!(completed.json["after"]["why"], "do_not_call");
}

#[tokio::test(start_paused = true)]
async fn who_says_never_again_is_not_called_though_a_colleague_calls_them_by_now_or_they_are_sold() {
    for sold in [false, true] {
        let yard = yard().await;
        let lead = yard.settled_lead(&ada()).await;
        yard.advance(DAY + HOUR).await;
        if sold {
            let placed = json!({ "contract": "hudson", "override": true, "reason": "she asked for them" });
            let _ = acts(&yard, &lead, "place", placed).await.is(200);
            yard.settle().await;
        } else {
            let _ = acts_as(&yard, "ben", &lead, "claim", &json!({})).await.is(200);
        }
        let _ = acts(&yard, &lead, "call", json!({ "result": "busy" })).await.is(409);
        let never = json!({ "result": "do_not_call", "note": "never again" });
        assert_eq!(acts(&yard, &lead, "call", never).await.is(200).json["after"]["why"], "do_not_call");
        assert!(yard.cloud.on_lists(&yard.stored(&lead).await).await.unwrap().suppressed, "sold: {sold}");
    }
}
