//! A contract's page: one row of the rulebook, put right, looked at and published.

use http::Method;
use leadyard_tests::{Browser, Reply, Rules, Yard};
use serde_json::{Value, json};

use super::{HOSTILE, READS, is_harmless};

const AT: &str = "/console/dealers/acme/hudson/contracts/main";
const EDIT: &str = "/console/dealers/acme/hudson/contracts/main/edit";

async fn yard() -> Yard {
    let rules = Rules::roofing("acme")
        .dealer("hudson", [])
        .contract("main", "hudson", [("cap_day", "10"), ("price", "45.00")])
        .seller("ridge", []);
    Yard::of(rules).await
}

async fn patch(yard: &Yard, contract: &str, set: Value) -> Reply {
    let path = format!("/v1/rulebook/contracts/{contract}?base={}", yard.version().await);
    yard.desk(Method::PATCH, &path, Some(json!({ "set": set }))).await.is(200)
}

#[tokio::test(start_paused = true)]
async fn a_contract_is_changed_after_a_look_and_published_once() {
    let yard = yard().await;
    let desk = Browser::of(&yard).await;
    let (page, reads) = desk.reads(AT).await;
    assert!(reads <= READS && page.text.contains("value=\"45.00\""), "{}", page.text);
    let unchanged = desk.submits(&page, EDIT, &[]).await.is(400);
    assert!(unchanged.text.contains("nothing is changed"));
    let typed = [("cap_day", "12"), ("territory", "protected")];
    let look = desk.submits(&page, EDIT, &typed).await.is(200);
    for told in
        ["<strong>cap_day</strong>: 10 → 12", "<strong>territory</strong>: open → protected", "Publish"]
    {
        assert!(look.text.contains(told), "{told} is not in {}", look.text);
    }
    assert_eq!(yard.version().await, 1, "a look publishes nothing");
    let done = desk.submits(&look, EDIT, &[]).await.is(303);
    let after = desk.opens(done.header("location")).await.is(200);
    assert!(after.text.contains("Published") && after.text.contains("day 0 of 12"), "{}", after.text);
    assert_eq!(yard.version().await, 2);
    // A second click asks for what stands already: it is no version of its own, nor is it by the API.
    let _ = desk.submits(&look, EDIT, &[]).await.is(303);
    let set = json!({ "set": { "cap_day": "12", "territory": "protected" } });
    let again = yard.desk(Method::PATCH, "/v1/rulebook/contracts/main?base=1", Some(set)).await.is(200);
    assert_eq!((&again.json["version"], &again.json["diff"]["tables"]), (&json!(2), &json!([])));
    assert_eq!(yard.version().await, 2);
    let files = yard.desk(Method::GET, "/v1/rulebook?files=1", None).await.is(200);
    assert!(files.json["files"]["contracts.csv"].as_str().unwrap().contains("protected"));
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_is_said_and_what_others_changed_is_shown_and_nothing_typed_is_lost() {
    let yard = yard().await;
    let desk = Browser::of(&yard).await;
    let page = desk.opens(AT).await.is(200);
    let refused = desk.submits(&page, EDIT, &[("price", "a <lot>"), ("cap_day", "13")]).await;
    assert!(refused.status.is_client_error());
    for told in ["the rulebook has errors", "value=\"a &#60;lot&#62;\"", "value=\"13\"", "<li>"] {
        assert!(refused.text.contains(told), "{told} is not in {}", refused.text);
    }
    // Another's row stays as they made it, also published from here.
    let _ = patch(&yard, "ridge", json!({ "price": "11.00" })).await;
    let look = desk.submits(&page, EDIT, &[("price", "50.00")]).await.is(200);
    let _ = desk.submits(&look, EDIT, &[]).await.is(303);
    let files = yard.desk(Method::GET, "/v1/rulebook?files=1", None).await.is(200);
    let contracts = files.json["files"]["contracts.csv"].as_str().unwrap();
    assert!(contracts.contains("11.00") && contracts.contains("50.00"), "{contracts}");
    // This row, changed by somebody else meanwhile.
    let stale = desk.opens(AT).await.is(200);
    let _ = patch(&yard, "main", json!({ "price": "60.00" })).await;
    let both = desk.submits(&stale, EDIT, &[("price", "55.00"), ("sure", "yes")]).await.is(409);
    for told in ["somebody else changed this row", "was 50.00, is 60.00", "value=\"55.00\""] {
        assert!(both.text.contains(told), "{told} is not in {}", both.text);
    }
    // Who sends it again has seen it.
    let look = desk.submits(&both, EDIT, &[]).await.is(200);
    assert!(look.text.contains("60.00 → 55.00"), "{}", look.text);
    let _ = desk.submits(&look, EDIT, &[]).await.is(303);
    let now = desk.opens(AT).await.is(200);
    assert!(now.text.contains("value=\"55.00\""));
}

#[tokio::test(start_paused = true)]
async fn what_is_sent_again_after_a_conflict_takes_back_nothing_that_was_not_touched() {
    let yard = yard().await;
    let desk = Browser::of(&yard).await;
    let stale = desk.opens(AT).await.is(200);
    let _ = patch(&yard, "main", json!({ "price": "60.00" })).await;
    let both = desk.submits(&stale, EDIT, &[("cap_day", "15"), ("sure", "yes")]).await.is(409);
    for told in ["was 45.00, is 60.00", "value=\"60.00\"", "value=\"15\""] {
        assert!(both.text.contains(told), "{told} is not in {}", both.text);
    }
    let look = desk.submits(&both, EDIT, &[]).await.is(200);
    assert!(look.text.contains("<strong>cap_day</strong>: 10 → 15"), "{}", look.text);
    assert!(!look.text.contains("<strong>price</strong>"), "{}", look.text);
    let _ = desk.submits(&look, EDIT, &[]).await.is(303);
    let now = desk.opens(AT).await.is(200);
    assert!(now.text.contains("value=\"60.00\"") && now.text.contains("value=\"15\""), "{}", now.text);
}

#[tokio::test(start_paused = true)]
async fn what_the_checker_warns_of_stands_beside_what_would_change() {
    let yard = yard().await;
    let desk = Browser::of(&yard).await;
    let page = desk.opens(AT).await.is(200);
    let warnings = |page: &Reply| -> Vec<String> {
        let list = page.text.split("<h3>Worth a second look in the whole rulebook</h3>").nth(1);
        let list = list.map(|rest| rest.split("</ul>").next().unwrap()).unwrap_or_default();
        let lines = list.split("<li>").skip(1).map(|line| line.split("</li>").next().unwrap());
        lines.map(|line| line.replace("&#34;", "\"").replace("&#39;", "'")).collect()
    };
    let plain = desk.submits(&page, EDIT, &[("cap_day", "12")]).await.is(200);
    let over = desk.submits(&page, EDIT, &[("cap_day", "12"), ("ends", "2026-05-31")]).await.is(200);
    let said = "the last day of contract \"main\" is over".to_owned();
    assert!(!warnings(&plain).contains(&said), "{}", plain.text);
    assert!(warnings(&over).contains(&said), "{}", over.text);
    assert!(over.text.contains("<button>Publish</button>"), "a warning keeps nobody from it");
    // All that the API warns of, each once.
    let set = json!({ "set": { "cap_day": "12", "ends": "2026-05-31" } });
    let told =
        yard.desk(Method::PATCH, "/v1/rulebook/contracts/main?base=1&dry_run=1", Some(set)).await.is(200);
    let all: Vec<String> = told.json["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["message"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(warnings(&over), all);
    assert_eq!(yard.version().await, 1);
}

#[tokio::test(start_paused = true)]
async fn another_company_s_contract_is_there_for_nobody() {
    let yard = yard().await;
    let desk = Browser::of(&yard).await;
    let page = desk.opens(AT).await.is(200);
    is_harmless(&desk.submits(&page, EDIT, &[("price", HOSTILE), ("ends", HOSTILE)]).await);
    for path in ["/console/dealers/acme/ridge/contracts/main", "/console/dealers/acme/hudson/contracts/none"]
    {
        let _ = desk.opens(path).await.is(404);
    }
    let other = yard.also(Rules::roofing("other").seller("hudson", [])).await;
    let theirs = Browser::of(&other).await;
    let form = format!("{}&base=1&price=1.00&sure=yes", theirs.csrf().await);
    for path in [AT.to_owned(), AT.replace("/acme/", "/other/")] {
        let _ = theirs.opens(&path).await.is(404);
        let _ = theirs.sends(&format!("{path}/edit"), &form).await.is(404);
    }
    let _ = desk.sends(EDIT, "base=1&price=1.00&sure=yes").await.is(403);
    assert_eq!(yard.version().await, 1);
}
