//! The desk's pages, and finding leads.

use std::collections::BTreeSet;

use http::{HeaderMap, HeaderValue, Method};
use leadyard_tests::browser::FORM;
use leadyard_tests::{Browser, Person, Reply, Rules, Yard};
use serde_json::{Value, json};

/// Three offers that need no band, so that who asks is sold at once unless nobody takes the offer.
async fn yard() -> Yard {
    let rules = Rules::roofing("acme")
        .offer("gutter", "roofing", "")
        .source("web2", "offer = \"gutter\"")
        .seller("hudson", [("offers", "roof")]);
    Yard::of(rules).await
}

fn ada() -> Person {
    Person::named("Ada", "Hill").with("phone", "305-555-0100")
}

async fn search(yard: &Yard, asked: Value) -> Reply {
    yard.desk(Method::POST, "/v1/leads/search", Some(asked)).await
}

fn names(reply: &Reply) -> Vec<String> {
    reply.json["leads"]
        .as_array()
        .unwrap()
        .iter()
        .map(|lead| lead["name"].as_str().unwrap().to_owned())
        .collect()
}

fn did(id: &str, kind: &str, lead: &str) -> Value {
    json!({ "id": id, "kind": kind, "at": "2026-06-01T15:00:00Z", "lead": lead })
}

#[tokio::test(start_paused = true)]
async fn a_lead_is_found_by_its_exact_e_mail_phone_or_id_however_old_it_is() {
    let yard = yard().await;
    let lead = yard.settled_lead(&ada()).await;
    yard.advance_to("2027-05-01T12:00:00Z").await;
    for asked in [
        json!({ "email": "ADA.HILL@mail.example" }),
        json!({ "phone": "(305) 555-0100" }),
        json!({ "lead": lead }),
    ] {
        let found = search(&yard, asked.clone()).await.is(200);
        assert_eq!(
            (found.json["leads"][0]["lead"].as_str(), found.json["examined"].as_u64()),
            (Some(&*lead), Some(1)),
            "{asked}"
        );
        // Enough to choose by, and no way to reach anybody.
        assert!(!found.text.contains("mail.example") && !found.text.contains("5550100"), "{}", found.text);
    }
    assert_eq!(names(&search(&yard, json!({ "email": "nobody@mail.example" })).await.is(200)), [""; 0]);
    for (asked, field) in [
        (json!({}), "/"),
        (json!({ "hottest": true, "stage": "waiting" }), "/"),
        (json!({ "email": "ada" }), "/email"),
        (json!({ "stage": "asleep" }), "/stage"),
    ] {
        let refused = search(&yard, asked).await.is(400).is_problem("invalid-field");
        assert_eq!(refused.json["errors"][0]["pointer"], field, "{}", refused.text);
    }
    let typo = search(&yard, json!({ "e_mail": "ada.hill@mail.example" })).await.is(400);
    assert!(!typo.text.contains("ada.hill"), "{}", typo.text);
}

#[tokio::test(start_paused = true)]
async fn the_hottest_stand_first_by_their_score_of_the_day_and_fade() {
    let yard = yard().await;
    let (mut leads, mut ids) = (Vec::new(), 0);
    for (name, calls) in [("Bea", 1), ("Cid", 3), ("Dan", 0)] {
        let person = Person::named(name, "Moss").with("offer", "gutter");
        let lead = yard.server("web2").posts(&person).await.is(201).text_of("lead").to_owned();
        for _ in 0..calls {
            ids += 1;
            let _ =
                yard.server("web2").reports(did(&format!("q{ids}"), "quote_request", &lead)).await.is(202);
        }
        leads.push(lead);
    }
    yard.settle().await;
    let hottest = search(&yard, json!({ "hottest": true })).await.is(200);
    assert_eq!(names(&hottest), ["Cid Moss", "Bea Moss", "Dan Moss"]);
    for (place, lead) in [(0, &leads[1]), (1, &leads[0]), (2, &leads[2])] {
        let story = yard.story(lead).await;
        let (listed, told) = (
            hottest.json["leads"][place]["score"].as_f64().unwrap(),
            story.0["score"]["total_hundredths"].as_f64().unwrap(),
        );
        assert!((listed * 100.0 - told).abs() <= 1.0, "{listed} is not {told}");
    }
    let before = hottest.json["leads"][0]["score"].as_f64().unwrap();
    yard.advance_to("2026-06-15T16:00:00Z").await;
    let later = search(&yard, json!({ "hottest": true })).await.is(200);
    assert_eq!(names(&later), ["Cid Moss", "Bea Moss", "Dan Moss"]);
    assert!(later.json["leads"][0]["score"].as_f64().unwrap() < before, "a half-life later");
    // Filters are applied within, and said so.
    let many = search(&yard, json!({ "hottest": true, "only": { "points": u64::MAX } })).await.is(200);
    assert_eq!((names(&many).len(), many.json["examined"].as_u64()), (0, Some(3)));
}

#[tokio::test(start_paused = true)]
async fn a_list_is_read_page_by_page_and_misses_nobody() {
    let yard = yard().await;
    // All in one millisecond, as the rows of a file may be.
    let mut all = BTreeSet::new();
    for number in 1..=23 {
        let person = Person::number(number).with("offer", "gutter");
        all.insert(yard.server("web2").posts(&person).await.is(201).text_of("lead").to_owned());
    }
    yard.settle().await;
    for list in [json!({ "stage": "waiting", "limit": 5 }), json!({ "source": "web2", "limit": 5 })] {
        let (mut found, mut asked) = (Vec::new(), list.clone());
        for _ in 0..6 {
            let reply = search(&yard, asked.clone()).await.is(200);
            let leads = reply.json["leads"].as_array().unwrap();
            found.extend(leads.iter().map(|lead| lead["lead"].as_str().unwrap().to_owned()));
            asked["after"] = reply.json["next"].clone();
            if asked["after"].is_null() {
                break;
            }
        }
        assert_eq!(found.len(), 23, "{list}");
        assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), all, "{list}");
    }
}

#[tokio::test(start_paused = true)]
async fn of_a_file_whose_rows_are_all_of_one_instant_a_source_s_list_misses_none() {
    let yard = yard().await;
    let mut all = BTreeSet::new();
    for number in 0..1_000 {
        let person = Person::number(number).with("offer", "gutter");
        all.insert(yard.server("web2").posts(&person).await.is(201).text_of("lead").to_owned());
    }
    let (mut found, mut asked) = (BTreeSet::new(), json!({ "source": "web2", "limit": 50 }));
    for _ in 0..40 {
        let reply = search(&yard, asked.clone()).await.is(200);
        let leads = reply.json["leads"].as_array().unwrap();
        found.extend(leads.iter().map(|lead| lead["lead"].as_str().unwrap().to_owned()));
        asked["after"] = reply.json["next"].clone();
        if asked["after"].is_null() {
            break;
        }
    }
    assert_eq!(found.len(), all.len());
    assert_eq!(found, all);
}

#[tokio::test(start_paused = true)]
async fn a_dealer_s_and_a_source_s_leads_are_listed_the_newest_first() {
    let yard = yard().await;
    for (name, source) in [("Bea", "web"), ("Cid", "web2"), ("Dan", "web")] {
        let person = Person::named(name, "Moss").with("offer", "roof");
        let _ = yard.server(source).posts(&person).await.is(201);
        yard.advance(std::time::Duration::from_secs(3 * 86_400)).await;
    }
    assert_eq!(names(&search(&yard, json!({ "source": "web" })).await.is(200)), ["Dan Moss", "Bea Moss"]);
    let first = search(&yard, json!({ "source": "web", "limit": 1 })).await.is(200);
    assert_eq!(names(&first), ["Dan Moss"]);
    let second =
        search(&yard, json!({ "source": "web", "limit": 1, "after": first.json["next"] })).await.is(200);
    assert_eq!(names(&second), ["Bea Moss"]);
    let of_hudson = search(&yard, json!({ "dealer": "hudson", "only": { "source": "web2" } })).await.is(200);
    assert_eq!(
        (names(&of_hudson), of_hudson.json["examined"].as_u64()),
        (vec!["Cid Moss".to_owned()], Some(3))
    );
}

#[tokio::test(start_paused = true)]
async fn another_company_s_leads_are_found_by_nobody_else() {
    let yard = yard().await;
    let lead = yard.settled_lead(&ada()).await;
    let other = yard.also(Rules::roofing("other").seller("hudson", [])).await;
    for asked in
        [json!({ "lead": lead }), json!({ "email": "ada.hill@mail.example" }), json!({ "hottest": true })]
    {
        let found = other.desk(Method::POST, "/v1/leads/search", Some(asked)).await.is(200);
        assert_eq!(names(&found), [""; 0]);
    }
    let found = other
        .desk(Method::POST, "/v1/leads/search", Some(json!({ "hottest": true, "company": "acme" })))
        .await;
    let _ = found.is(404);
}

// --- The pages ---

#[tokio::test(start_paused = true)]
async fn the_desk_finds_a_lead_looks_who_it_is_and_acts_on_it() {
    let yard = yard().await;
    let person = ada().with("offer", "gutter").with("message", "Both <b>gutters</b>");
    let lead = yard.server("web2").posts(&person).await.is(201).text_of("lead").to_owned();
    yard.settle().await;
    let desk = Browser::of(&yard).await;
    let today = desk.opens("/console/today").await.is(200);
    assert!(today.text.contains(&lead) && today.text.contains("Ada H."), "{}", today.text);
    let csrf = desk.csrf().await;
    let found = desk.sends("/console/leads", &format!("{csrf}&who=ada.hill%40mail.example")).await.is(303);
    let at = format!("/console/leads/{lead}");
    assert_eq!(found.header("location"), at);
    let page = desk.opens(&at).await.is(200);
    for hidden in ["ada.hill@", "5550100", "Hill"] {
        assert!(!page.text.contains(hidden), "{hidden} is shown to who has not asked");
    }
    let shown = desk.sends(&format!("{at}/show"), &csrf).await.is(200);
    assert!(shown.text.contains("ada.hill@mail.example") && shown.text.contains("tel:+13055550100"));
    assert!(
        shown.text.contains("Both &#60;b&#62;gutters") && !shown.text.contains("<b>gutters"),
        "{}",
        shown.text
    );
    let story = yard.story(&lead).await;
    let looked: Vec<_> =
        story.list("history").filter(|act| act["act"] == "show" && act["by"] == "desk").collect();
    assert_eq!(looked.len(), 1);

    let held = desk.sends(&format!("{at}/hold"), &csrf).await.is(303);
    assert_eq!(held.header("location"), format!("{at}?done=hold"));
    assert!(desk.opens(held.header("location")).await.is(200).text.contains("held by the desk"));
    // A double click: the second is told why nothing more came of it, on the same page.
    let again = desk.sends(&format!("{at}/reject"), &csrf).await.is(400);
    assert!(again.text.contains("a lead is rejected for a reason"), "{}", again.text);
    // What the contract fails is said first; the form that comes back passes over it.
    let (page, place) = (desk.opens(&at).await.is(200), format!("{at}/place"));
    let typed = [("contract", "hudson"), ("reason", "agreed by phone")];
    let failed = desk.submits(&page, &place, &typed).await.is(409);
    let _ = desk.submits(&failed, &place, &[]).await.is(303);
    yard.settle().await;
    assert_eq!(yard.story(&lead).await.holders(), ["hudson"]);
    assert!(desk.opens("/console/leads?list=assigned").await.is(200).text.contains(&lead));
}

#[tokio::test(start_paused = true)]
async fn nobody_sees_a_page_without_a_session_or_has_a_form_sent_for_them() {
    let yard = yard().await;
    let lead = yard.settled_lead(&ada()).await;
    let stranger = |method: Method, path: String| {
        let yard = &yard;
        async move { yard.requests(method, &path, HeaderMap::new(), FORM, Vec::new()).await }
    };
    for path in [
        "/console/today".to_owned(),
        "/console/leads?list=waiting".to_owned(),
        format!("/console/leads/{lead}"),
    ] {
        let reply = stranger(Method::GET, path.clone()).await.is(303);
        assert!(reply.header("location").starts_with("/console/sign-in?next=%2Fconsole%2F"), "{path}");
        assert!(!reply.text.contains("Ada"));
    }
    let _ = stranger(Method::POST, format!("/console/leads/{lead}/hold")).await.is(303);
    let wrong = yard
        .requests(Method::POST, "/console/sign-in", HeaderMap::new(), FORM, b"token=desk_x.y".to_vec())
        .await;
    assert_eq!(wrong.is(401).json, Value::Null);

    let desk = Browser::of(&yard).await;
    for form in ["", "csrf=guessed"] {
        let _ = desk.sends(&format!("/console/leads/{lead}/take_back"), form).await.is(403);
    }
    let csrf = desk.csrf().await;
    let mut headers = desk.headers();
    headers.insert("sec-fetch-site", HeaderValue::from_static("cross-site"));
    let path = format!("/console/leads/{lead}/take_back");
    let _ = yard.requests(Method::POST, &path, headers, FORM, csrf.clone().into_bytes()).await.is(403);
    assert_eq!(yard.story(&lead).await.holders(), ["hudson"], "nothing was done");

    let other = yard.also(Rules::roofing("other").seller("hudson", [])).await;
    let theirs = Browser::of(&other).await;
    let _ = theirs.opens(&format!("/console/leads/{lead}")).await.is(404);
    let _ = theirs.sends(&format!("/console/leads/{lead}/show"), &theirs.csrf().await).await.is(404);

    let _ = desk.sends("/console/sign-out", &csrf).await.is(303);
    let _ = desk.opens("/console/today").await.is(303);
    let idle = Browser::of(&yard).await;
    yard.advance(std::time::Duration::from_secs(7 * 3_600)).await;
    let _ = idle.opens("/console/today").await.is(200);
    yard.advance(std::time::Duration::from_secs(9 * 3_600)).await;
    let _ = idle.opens("/console/today").await.is(303);
}
