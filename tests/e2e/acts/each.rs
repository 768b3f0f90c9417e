//! Each act, singly and on many, tried and done: the lead's history says who, when, before and after.

use super::*;

/// What a lead is when an act comes.
#[derive(Clone, Copy, PartialEq)]
enum Needs {
    /// Hudson, who alone might take it, is full.
    Waits,
    /// The same, held.
    Held,
    /// The same, rejected.
    Rejected,
    /// The desk has placed it, and its dealer has it.
    Sold,
    /// It waits, and the desk chose it to be called.
    Chosen,
    /// The same, and the desk has claimed it.
    Claimed,
}

/// An act, and what its history says.
struct Case {
    act: &'static str,
    needs: Needs,
    body: Value,
    before: Value,
    after: Value,
}

/// Each of [`leadyard_domain::openapi::ACTS`], in its order. `into` is a lead to merge into.
fn cases(into: &str) -> Vec<Case> {
    use Needs::{Chosen, Claimed, Held, Rejected, Sold, Waits};
    let case = |act, needs, body, before, after| Case { act, needs, body, before, after };
    let until = "2026-06-03T00:00:00Z";
    let over = json!({ "contract": "ridge", "override": true });
    let waits = json!({ "stage": "waiting", "waiting": "cap" });
    let merged = json!({ "into": { "lead": into }, "lead": { "stage": "waiting", "cycle": 1 } });
    vec![
        case(
            "place",
            Waits,
            over,
            json!({ "stage": "waiting", "waiting": "cap", "recommended": [] }),
            json!({
                "contract": "ridge", "dealer": "ridge", "price": "10.00", "shadow": false, "as_recommended": false,
                "override": { "rule": "band", "needed": "band A1", "found": "band A2" },
            }),
        ),
        case(
            "take_back",
            Sold,
            json!({}),
            json!({ "dealer": "ridge", "state": "offered" }),
            json!({ "recalled": true }),
        ),
        case(
            "hold",
            Waits,
            json!({ "until": until }),
            json!({ "hold": null }),
            json!({ "hold": { "until": until } }),
        ),
        case("resume", Held, json!({}), json!({ "hold": { "until": null } }), json!({ "hold": null })),
        case("reject", Waits, json!({}), waits, json!({ "stage": "rejected" })),
        case("reopen", Rejected, json!({}), json!({ "stage": "rejected" }), json!({ "stage": "received" })),
        case("merge", Waits, json!({ "into": into }), merged, json!({ "merged_into": into, "lead": into })),
        case(
            "priority",
            Waits,
            json!({ "priority": "urgent" }),
            json!({ "priority": null }),
            json!({ "priority": "urgent" }),
        ),
        case("note", Sold, json!({ "text": "calls back on Friday" }), json!({}), json!({})),
        case(
            "redeliver",
            Sold,
            json!({}),
            json!({ "dealer": "ridge", "delivery": "received" }),
            json!({ "message": "1r1" }),
        ),
        case("follow_up", Waits, json!({}), json!(null), json!({ "stands": "due", "reason": "by_hand" })),
        case(
            "claim",
            Chosen,
            json!({}),
            json!({ "stands": "due", "claim": null }),
            json!({ "stands": "due", "claim": { "by": "desk" } }),
        ),
        case(
            "unclaim",
            Claimed,
            json!({}),
            json!({ "stands": "due", "claim": { "by": "desk" } }),
            json!({ "stands": "due", "claim": null }),
        ),
        case(
            "call",
            Chosen,
            json!({ "result": "busy" }),
            json!({ "stands": "due", "last_call": null }),
            json!({ "stands": "planned", "reason": "not_reached", "last_call": { "result": "busy", "by": "desk" } }),
        ),
    ]
}

/// What an act said, without the times that a follow-up counts from the act itself: it was tried before it was done.
fn timeless(act: &str, mut said: Value) -> Value {
    fn strip(value: &mut Value) {
        if let Value::Object(members) = value {
            members.retain(|name, _| !["at", "since", "until"].contains(&name.as_str()));
            members.values_mut().for_each(strip);
        }
    }
    if ["follow_up", "claim", "unclaim", "call"].contains(&act) {
        strip(&mut said);
    }
    said
}

/// Whether it says all of that, and perhaps more.
fn says(found: &Value, expected: &Value) -> bool {
    match (found, expected) {
        (Value::Object(found), Value::Object(expected)) => {
            expected.iter().all(|(name, value)| found.get(name).is_some_and(|found| says(found, value)))
        }
        (found, expected) => found == expected,
    }
}

async fn made(yard: &Yard, person: usize, needs: Needs) -> String {
    let lead = yard.settled_lead(&Person::number(person)).await;
    assert_eq!(yard.story(&lead).await.waiting(), "cap");
    let (act, body) = match needs {
        Needs::Waits => return lead,
        Needs::Held => ("hold", json!({})),
        Needs::Rejected => ("reject", json!({ "reason": "a prank" })),
        Needs::Sold => ("place", json!({ "contract": "ridge", "override": true, "reason": "agreed" })),
        Needs::Chosen | Needs::Claimed => ("follow_up", json!({})),
    };
    let _ = acts(yard, &lead, act, body).await.is(200);
    if needs == Needs::Claimed {
        let _ = acts(yard, &lead, "claim", json!({})).await.is(200);
    }
    yard.settle().await;
    lead
}

/// All that an act may change of a lead.
async fn stands(yard: &Yard, lead: &str) -> Value {
    let story = yard.story(lead).await.0;
    let of = [
        "stage",
        "waiting",
        "hold",
        "priority_set",
        "holders",
        "merged_into",
        "merged",
        "assignments",
        "history",
        "messages",
        "follow_up",
    ];
    of.iter().map(|name| story[*name].clone()).collect()
}

#[tokio::test(start_paused = true)]
async fn each_act_says_who_when_before_and_after_singly_and_on_many_and_a_dry_run_says_the_same() {
    let yard = Yard::of(picky()).await;
    yard.settled_lead(&Person::number(1)).await;
    let into = made(&yard, 2, Needs::Waits).await;
    let cases = cases(&into);
    assert_eq!(cases.iter().map(|case| case.act).collect::<Vec<_>>(), leadyard_domain::openapi::ACTS);
    let mut person = 10;
    for Case { act, needs, body, before, after } in cases {
        let mut leads = Vec::new();
        for _ in 0..3 {
            leads.push(made(&yard, person, needs).await);
            person += 1;
        }
        let asked = |more: Value| {
            let mut body = body.clone();
            let members = body.as_object_mut().unwrap();
            members.insert("reason".to_owned(), json!("for this reason"));
            members.extend(more.as_object().unwrap().clone());
            body
        };
        let mut stood = Vec::new();
        for lead in &leads {
            stood.push(stands(&yard, lead).await);
        }
        // Tried: it says what would follow, and nothing does.
        let dry = acts(&yard, &leads[0], act, asked(json!({ "dry_run": true }))).await.is(200).json;
        assert_eq!(dry["act"], act);
        let path = format!("/v1/leads/{act}");
        let many = asked(json!({ "leads": leads[1..], "dry_run": true }));
        let dry_many = yard.desk(Method::POST, &path, Some(many)).await.is(200).json;
        for result in dry_many["results"].as_array().unwrap() {
            assert_eq!((&result["act"], &result["done"]), (&json!(act), &json!(false)), "{dry_many}");
        }
        yard.settle().await;
        for (lead, stood) in leads.iter().zip(&stood) {
            assert_eq!(&stands(&yard, lead).await, stood, "{act}: tried only");
        }

        // Done: what was said, a second apart.
        tokio::time::sleep(Duration::from_secs(1)).await;
        let first_at = yard.cloud.clock.now();
        let done = acts(&yard, &leads[0], act, asked(json!({}))).await.is(200).json;
        tokio::time::sleep(Duration::from_secs(1)).await;
        let then_at = yard.cloud.clock.now();
        let many = asked(json!({ "leads": leads[1..] }));
        let done_many = yard.desk(Method::POST, &path, Some(many)).await.is(200).json;
        let results = done_many["results"].as_array().unwrap();
        assert_eq!(timeless(act, done), timeless(act, dry), "{act}: what was tried is what was done");
        for (at, (lead, result)) in leads[1..].iter().zip(results).enumerate() {
            assert_eq!((&result["lead"], &result["done"]), (&json!(lead), &json!(true)), "{act}: {result}");
            if act != "merge" {
                let mut tried = dry_many["results"][at].clone();
                tried["done"] = json!(true);
                assert_eq!(timeless(act, result.clone()), timeless(act, tried), "{act}");
            }
        }

        let reason = body["text"].as_str().unwrap_or("for this reason");
        for (lead, at) in leads.iter().zip([first_at, then_at, then_at]) {
            let story = yard.story(lead).await;
            let of_lead = |found: &&Value| found["act"] == act && found["at"] == json!(at);
            let found: Vec<&Value> = story.list("history").filter(of_lead).collect();
            // A lead that was merged tells the survivor's story, where both merges stand.
            let found = if act == "merge" {
                found.into_iter().find(|found| found["before"]["lead"]["lead"] == json!(lead))
            } else {
                assert_eq!(found.len(), 1, "{act}: {:?}", story.0["history"]);
                found.first().copied()
            };
            let found = found.unwrap_or_else(|| panic!("{act}: {:?}", story.0["history"]));
            assert_eq!((&found["by"], &found["reason"]), (&json!("desk"), &json!(reason)), "{act}");
            assert!(says(&found["before"], &before), "{act}: {} is not {before}", found["before"]);
            assert!(says(&found["after"], &after), "{act}: {} is not {after}", found["after"]);
        }
        yard.settle().await;
    }
}

#[tokio::test(start_paused = true)]
async fn each_switch_says_who_when_before_and_after_among_the_changes() {
    let yard = Yard::of(picky()).await;
    let until = "2026-06-02T00:00:00Z";
    let flips = [
        ("stop", json!({ "on": true, "reason": "a flood" })),
        ("shadow", json!({ "on": true, "reason": "we look first" })),
        ("pause", json!({ "on": true, "dealer": "hudson", "reason": "on holiday", "until": until })),
        ("pause", json!({ "on": true, "contract": "ridge", "reason": "no money" })),
        ("pause", json!({ "on": false, "dealer": "hudson", "reason": "back again" })),
        ("shadow", json!({ "on": false, "reason": "well enough" })),
        ("stop", json!({ "on": false, "reason": "it is over" })),
    ];
    let switches = async || yard.desk(Method::GET, "/v1/switches", None).await.is(200).json;
    let mut expected = Vec::new();
    for (switch, body) in &flips {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let before = switches().await;
        let at = yard.cloud.clock.now();
        let after = yard.flip(switch, body.clone()).await.json;
        assert_ne!(before, after);
        assert_eq!(switches().await, after);
        expected.push(json!({
            "act": switch, "by": "desk", "at": at, "reason": body["reason"], "before": before, "after": after,
        }));
    }
    let paused = &expected[2]["after"]["dealers"];
    assert!(paused.to_string().contains("on holiday") && paused.to_string().contains(until), "{paused}");
    expected.reverse();
    let changes = yard.desk(Method::GET, "/v1/changes", None).await.is(200).json;
    let flipped: Vec<&Value> =
        changes["changes"].as_array().unwrap().iter().filter(|act| act["act"] != "publish").collect();
    assert_eq!(flipped.len(), expected.len(), "{changes}");
    for (found, expected) in flipped.into_iter().zip(&expected) {
        assert!(says(found, expected), "{found} is not {expected}");
    }
}
