//! What a contract fails is said whole, by the API and on the page. What is passed over is what was said, and stands
//! whole in the lead's history.

use leadyard_tests::Browser;

use super::*;

/// The rules that the last placing passed over, as the lead's history says.
async fn kept(yard: &Yard, lead: &str) -> Vec<String> {
    let story = yard.story(lead).await;
    let placed = story.list("history").filter(|act| act["act"] == "place").last();
    passed_over(&placed.expect("it was placed")["after"])
}

/// With a contract, over these rules and no other.
fn over(contract: &str, rules: &[&str]) -> Value {
    json!({ "contract": contract, "override": true, "over_only": rules, "reason": "agreed" })
}

/// The nth person's phone comes onto the do-not-call list.
async fn lists(yard: &Yard, n: usize) {
    let rows = json!({ "rows": [{ "phone": format!("+1305{:07}", 2_740_000 + n) }] });
    let _ = yard.desk(Method::POST, "/v1/import/do_not_call", Some(rows)).await.is(200);
}

#[tokio::test(start_paused = true)]
async fn every_rule_that_a_contract_fails_is_said_and_only_what_was_named_is_passed_over() {
    let rules = Rules::roofing("acme")
        .seller("agreed", [("min_band", "A1"), ("needs", "consent")])
        .seller("afar", [("area", "state:GA"), ("needs", "dnc_clean")])
        .dealer("early", [("hours", "Mo-Fr 08:00-10:00")])
        .contract("early", "early", [("min_band", "A1")])
        .contract("earliest", "early", [("min_band", "A1"), ("area", "state:GA"), ("needs", "dnc_clean")]);
    let yard = Yard::of(rules).await;
    let cases: [(&str, &[&str]); 4] = [
        ("agreed", &["band", "needs"]),
        ("afar", &["area", "needs"]),
        ("early", &["band", "hours"]),
        ("earliest", &["area", "band", "needs", "hours"]),
    ];
    for (number, (contract, rules)) in (1..).zip(cases) {
        let lead = yard.settled_lead(&Person::number(number)).await;
        lists(&yard, number).await;
        let place = async |over_only: Option<&[&str]>| {
            let mut body = json!({ "contract": contract, "reason": "agreed by phone" });
            if let Some(rules) = over_only {
                body["override"] = json!(true);
                body["over_only"] = json!(rules);
            }
            acts(&yard, &lead, "place", body).await
        };
        assert_eq!(failed(&place(None).await.is(409)), rules, "{contract}");
        // A word for one is none for another, whichever it is.
        for without in 0..rules.len() {
            let some = [&rules[..without], &rules[without + 1..]].concat();
            let refused = place(Some(some.as_slice())).await.is(409);
            assert_eq!(failed(&refused), rules, "{contract}, over {some:?}");
        }
        assert_eq!(yard.story(&lead).await.holders(), [""; 0], "{contract}");
        let placed = place(Some(rules)).await.is(200);
        assert_eq!(passed_over(&placed.json["after"]), rules, "{contract}");
        yard.settle().await;
        assert_eq!(yard.story(&lead).await.holders(), [contract]);
        assert_eq!(kept(&yard, &lead).await, rules, "{contract}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lead_of_nowhere_is_not_placed_over_its_area_alone() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [("needs", "consent")])).await;
    let lead = yard.settled_lead(&Person::named("Ada", "Hill").without("zip")).await;
    assert_eq!(yard.story(&lead).await.waiting(), "unplaced");
    let refused = acts(&yard, &lead, "place", over("hudson", &["area"])).await.is(409);
    assert_eq!(failed(&refused), ["area", "needs"]);
    let _ = acts(&yard, &lead, "place", over("hudson", &["area", "needs"])).await.is(200);
    assert_eq!((yard.story(&lead).await.holders(), kept(&yard, &lead).await.len()), (vec!["hudson"], 2));
}

#[tokio::test(start_paused = true)]
async fn a_dealer_that_gave_a_lead_up_has_it_again_over_that_and_over_what_its_contract_wants() {
    let yard = Yard::of(Rules::roofing("acme").seller("ridge", [("min_band", "A1")])).await;
    let lead = yard.settled_lead(&Person::number(1)).await;
    let _ = acts(&yard, &lead, "place", over("ridge", &["band"])).await.is(200);
    yard.settle().await;
    let _ = yard.answers("ridge", &lead, "decline").await.is(200);
    yard.settle().await;
    // What is done at one moment stands in no order.
    yard.advance(Duration::from_secs(1)).await;
    for one in ["band", "excluded"] {
        let refused = acts(&yard, &lead, "place", over("ridge", &[one])).await.is(409);
        assert_eq!(failed(&refused), ["band", "excluded"]);
    }
    let _ = acts(&yard, &lead, "place", over("ridge", &["excluded", "band"])).await.is(200);
    yard.settle().await;
    assert_eq!(kept(&yard, &lead).await, ["band", "excluded"], "in the order of the rules");
    assert_eq!(yard.story(&lead).await.holders(), ["ridge"]);
}

#[tokio::test(start_paused = true)]
async fn what_comes_to_fail_while_a_lead_is_being_placed_is_asked_again() {
    let yard =
        Yard::of(Rules::roofing("acme").seller("ridge", [("min_band", "A1"), ("cap_total", "1")])).await;
    let slow = yard.settled_lead(&Person::number(1)).await;
    let quick = yard.settled_lead(&Person::number(2)).await;
    // All is read, and on its way to the table: another has the last slot meanwhile.
    let held = yard.faults.hold_commit();
    let (reply, ()) = futures::join!(acts(&yard, &slow, "place", over("ridge", &["band"])), async {
        held.arrives().await;
        let _ = acts(&yard, &quick, "place", over("ridge", &["band"])).await.is(200);
        held.let_go();
    });
    assert_eq!(failed(&reply.is(409)), ["band", "cap"]);
    yard.settle().await;
    assert_eq!((yard.story(&slow).await.holders(), yard.taken("ridge", 4).await), (vec![], 1));
}

#[tokio::test(start_paused = true)]
async fn a_page_says_every_rule_and_its_tick_is_for_those_alone() {
    let wants = [("min_band", "A1"), ("needs", "dnc_clean"), ("area", "state:FL")];
    let yard = Yard::of(Rules::roofing("acme").seller("ridge", wants)).await;
    let lead = yard.settled_lead(&Person::number(1)).await;
    let desk = Browser::of(&yard).await;
    let to = format!("/console/leads/{lead}/place");
    let page = desk.opens(&format!("/console/leads/{lead}")).await.is(200);
    let typed = [("contract", "ridge"), ("reason", "agreed by phone")];
    let says = |page: &Reply, rules: &[&str]| {
        assert!(page.text.contains("name=\"override\" checked"), "{}", page.text);
        for (rule, said) in [
            ("band", "band: the contract needs band A1; it is band A2"),
            ("needs", "needs: the contract needs dnc_clean, which is missing"),
        ] {
            assert_eq!(page.text.contains(said), rules.contains(&rule), "{said}: {}", page.text);
        }
    };
    let band = desk.submits(&page, &to, &typed).await.is(409);
    says(&band, &["band"]);
    // They come onto the list: the tick was for the band, not for that.
    lists(&yard, 1).await;
    let both = desk.submits(&band, &to, &[]).await.is(409);
    says(&both, &["band", "needs"]);
    assert_eq!(yard.story(&lead).await.holders(), [""; 0]);
    let _ = desk.submits(&both, &to, &[]).await.is(303);
    yard.settle().await;
    assert_eq!(yard.story(&lead).await.holders(), ["ridge"]);
    assert_eq!(kept(&yard, &lead).await, ["band", "needs"]);
    let page = desk.opens(&format!("/console/leads/{lead}")).await.is(200);
    assert!(page.text.contains("place, over the rules band, needs"), "{}", page.text);
}
