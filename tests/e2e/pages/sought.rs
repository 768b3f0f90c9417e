//! Whoever is sought by an e-mail, a phone or an id is found in any of one's companies, and in none of another's.

use http::Method;
use leadyard_domain::access::DeskToken;
use leadyard_tests::{Browser, Person, Reply, Rules, Yard};
use serde_json::json;

use super::READS;
use super::leads::{listed, says};

/// A browser of somebody at the desks of these.
async fn of<'y>(yard: &'y Yard, of: &[&Yard]) -> Browser<'y> {
    let companies = of.iter().map(|one| one.company_id()).collect();
    let token = yard.cloud.master.mint(&DeskToken { staff: "ann".to_owned(), companies });
    Browser::with(yard, &token).await
}

/// What is found from the lists of a company.
async fn finds(desk: &Browser<'_>, company: &str, who: &str) -> Reply {
    let who = who.replace('@', "%40").replace('+', "%2B");
    let form = format!("{}&company={company}&who={who}", desk.csrf().await);
    desk.sends("/console/leads", &form).await
}

fn ann() -> Person {
    Person::number(1)
}

const MAIL: &str = "ann1.hill1@mail.example";
const PHONE: &str = "+13052740001";

#[tokio::test(start_paused = true)]
async fn who_is_sought_is_opened_from_whichever_of_one_s_companies_has_them() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [])).await;
    let bolt = yard.also(Rules::roofing("bolt").named("Bolt & Sons").seller("ridge", [])).await;
    let lead = bolt.settled_lead(&ann()).await;
    let desk = of(&yard, &[&yard, &bolt]).await;
    for who in [MAIL, PHONE, &lead] {
        for company in ["acme", "bolt"] {
            let found = finds(&desk, company, who).await.is(303);
            assert_eq!(found.header("location"), format!("/console/leads/{lead}"), "{who} from {company}");
        }
    }
    let page = desk.opens(&format!("/console/leads/{lead}")).await.is(200);
    assert!(page.text.contains(&lead), "{}", page.text);
    let nobody = finds(&desk, "acme", "nobody@mail.example").await.is(200);
    says(&nobody, &["Nobody is known by that in your companies."]);
}

#[tokio::test(start_paused = true)]
async fn who_stands_in_several_companies_is_shown_with_each_and_nothing_is_done_across_them() {
    let yard = Yard::of(Rules::roofing("acme").named("Acme Roofs").seller("hudson", [])).await;
    let bolt = yard.also(Rules::roofing("bolt").named("Bolt Gutters").seller("ridge", [])).await;
    let (here, there) = (yard.settled_lead(&ann()).await, bolt.settled_lead(&ann()).await);
    let desk = of(&yard, &[&yard, &bolt]).await;
    for (company, leads) in [("acme", [&here, &there]), ("bolt", [&there, &here])] {
        let page = finds(&desk, company, MAIL).await.is(200);
        assert_eq!(listed(&page).iter().collect::<Vec<_>>(), leads, "the chosen company stands first");
        says(&page, &["Acme Roofs · web", "Bolt Gutters · web"]);
        assert!(!page.text.contains("/console/leads/many"), "{}", page.text);
        assert!(!page.text.contains("mail.example"), "{}", page.text);
    }
}

#[tokio::test(start_paused = true)]
async fn a_company_that_is_not_theirs_is_never_looked_in() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [])).await;
    let bolt = yard.also(Rules::roofing("bolt").seller("ridge", [])).await;
    let crest = yard.also(Rules::roofing("crest").seller("sun", [])).await;
    let theirs = crest.settled_lead(&ann()).await;
    let desk = of(&yard, &[&yard, &bolt]).await;
    for who in [MAIL, PHONE, &theirs] {
        let page = finds(&desk, "acme", who).await.is(200);
        says(&page, &["Nobody is known by that"]);
        assert!(!page.text.contains(&theirs) && listed(&page).is_empty(), "{}", page.text);
        let _ = finds(&desk, "crest", who).await.is(404);
    }
    // Whoever is known there as well is found here alone, and the API looks in the company that is named.
    let ours = bolt.settled_lead(&ann()).await;
    let found = finds(&desk, "acme", MAIL).await.is(303);
    assert_eq!(found.header("location"), format!("/console/leads/{ours}"));
    let told = yard.desk(Method::POST, "/v1/leads/search", Some(json!({ "email": MAIL }))).await.is(200);
    assert_eq!((told.json["leads"].as_array().unwrap().len(), &told.json["more"]), (0, &json!(false)));
}

#[tokio::test(start_paused = true)]
async fn of_very_many_companies_some_are_looked_in_and_it_is_said() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [])).await;
    let mut all = vec![yard.clone()];
    for n in 1..12 {
        all.push(yard.also(Rules::roofing(&format!("firm{n:02}")).seller("hudson", [])).await);
    }
    for one in &all {
        let _ = one.settled_lead(&ann()).await;
    }
    let desk = of(&yard, &all.iter().collect::<Vec<_>>()).await;
    let csrf = desk.csrf().await;
    let _ = yard.faults.calls();
    let form = format!("{csrf}&company=firm11&who={}", MAIL.replace('@', "%40"));
    let page = desk.sends("/console/leads", &form).await.is(200);
    let reads = desk.read_since();
    assert!(reads <= READS, "{reads} reads");
    says(&page, &["Looked in 8 of your 12 companies", "5 more stand in other companies of yours"]);
    assert_eq!(listed(&page).len(), 3);
    says(&page, &["firm11 · web"]);
}

#[tokio::test(start_paused = true)]
async fn the_api_says_where_more_stand_behind_a_look_at_the_top() {
    let yard = Yard::of(Rules::roofing("acme").seller("sun", [])).await;
    for n in 1..=3 {
        let _ = yard.settled_lead(&Person::number(n)).await;
    }
    for (limit, more) in [(2, true), (3, false)] {
        let asked = json!({ "dealer": "sun", "order": "score", "limit": limit });
        let told = yard.desk(Method::POST, "/v1/leads/search", Some(asked)).await.is(200);
        assert_eq!((&told.json["more"], &told.json["next"]), (&json!(more), &json!(null)), "of {limit}");
    }
}
