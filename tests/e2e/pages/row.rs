//! Rows of dealers and areas: put right, looked at and published, as a contract's.

use http::Method;
use leadyard_tests::{Browser, Rules, Yard};
use serde_json::{Value, json};

use super::{HOSTILE, READS, is_harmless};

const DEALER: &str = "/console/dealers/acme/hudson";
const ROW: &str = "/console/dealers/acme/hudson/row";
const EDIT_ROW: &str = "/console/dealers/acme/hudson/row/edit";
const AREA: &str = "/console/rulebook/acme/areas/of-main";
const EDIT_AREA: &str = "/console/rulebook/acme/areas/of-main/edit";

async fn yard() -> Yard {
    let rules = Rules::roofing("acme")
        .dealer("hudson", [("cap_day", "10")])
        .contract("main", "hudson", [("area", "zip:33101 zip:33109")])
        .seller("ridge", []);
    Yard::of(rules).await
}

async fn patch(yard: &Yard, row: &str, change: Value) {
    let path = format!("/v1/rulebook/{row}?base={}", yard.version().await);
    let _ = yard.desk(Method::PATCH, &path, Some(change)).await.is(200);
}

async fn file(yard: &Yard, name: &str) -> String {
    let files = yard.desk(Method::GET, "/v1/rulebook?files=1", None).await.is(200);
    files.json["files"][name].as_str().unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_dealer_s_row_is_changed_from_its_page_after_a_look_and_published_once() {
    let yard = yard().await;
    let desk = Browser::of(&yard).await;
    let dealer = desk.opens(DEALER).await.is(200);
    assert!(dealer.text.contains(&format!("href=\"{ROW}\"")), "{}", dealer.text);
    let (page, reads) = desk.reads(ROW).await;
    assert!(reads <= READS && page.text.contains("The dealer hudson"), "{}", page.text);
    let _ = desk.submits(&page, EDIT_ROW, &[]).await.is(400);
    let (look, reads) =
        desk.submits_reading(&page, EDIT_ROW, &[("name", "Hudson & Sons"), ("cap_day", "12")]).await;
    assert!(reads <= READS, "{reads} reads");
    for told in [
        "<strong>name</strong>: hudson → Hudson &#38; Sons",
        "<strong>cap_day</strong>: 10 → 12",
        "id=\"backtest\"",
    ] {
        assert!(look.text.contains(told), "{told} is not in {}", look.text);
    }
    assert_eq!(yard.version().await, 1, "a look publishes nothing");
    for _ in 0..2 {
        let done = desk.submits(&look, EDIT_ROW, &[]).await.is(303);
        assert_eq!(done.header("location"), format!("{DEALER}?done=publish"));
        let after = desk.opens(done.header("location")).await.is(200);
        assert!(after.text.contains("Published") && after.text.contains("Hudson &#38; Sons"));
    }
    assert_eq!(yard.version().await, 2);
    is_harmless(&desk.submits(&page, EDIT_ROW, &[("name", HOSTILE), ("hours", HOSTILE)]).await);
}

#[tokio::test(start_paused = true)]
async fn of_a_dealer_that_somebody_else_changed_both_are_shown_and_nothing_typed_is_lost() {
    let yard = yard().await;
    let desk = Browser::of(&yard).await;
    let stale = desk.opens(ROW).await.is(200);
    let refused = desk.submits(&stale, EDIT_ROW, &[("cap_day", "a <lot>"), ("name", "Typed")]).await;
    assert!(refused.status.is_client_error());
    for told in ["the rulebook has errors", "value=\"a &#60;lot&#62;\"", "value=\"Typed\"", "<li>"] {
        assert!(refused.text.contains(told), "{told} is not in {}", refused.text);
    }
    patch(&yard, "dealers/hudson", json!({ "set": { "name": "Theirs" } })).await;
    let both = desk.submits(&stale, EDIT_ROW, &[("cap_day", "15"), ("sure", "yes")]).await.is(409);
    for told in
        ["somebody else changed this row", "was hudson, is Theirs", "value=\"15\"", "value=\"Theirs\""]
    {
        assert!(both.text.contains(told), "{told} is not in {}", both.text);
    }
    let look = desk.submits(&both, EDIT_ROW, &[]).await.is(200);
    assert!(!look.text.contains("<strong>name</strong>"), "what was not touched is not taken back");
    let _ = desk.submits(&look, EDIT_ROW, &[]).await.is(303);
    let now = desk.opens(ROW).await.is(200);
    assert!(now.text.contains("value=\"15\"") && now.text.contains("value=\"Theirs\""), "{}", now.text);
}

#[tokio::test(start_paused = true)]
async fn an_area_is_changed_from_its_contract_s_page_after_a_look_and_published_once() {
    let yard = yard().await;
    let desk = Browser::of(&yard).await;
    let contract = desk.opens(&format!("{DEALER}/contracts/main")).await.is(200);
    assert!(contract.text.contains(&format!("href=\"{AREA}\"")), "{}", contract.text);
    let (page, reads) = desk.reads(AREA).await;
    assert!(reads <= READS && page.text.contains("zip:33101\nzip:33109</textarea>"), "{}", page.text);
    // As a browser sends its lines; empty ones and the space around them say nothing.
    let unchanged =
        desk.submits(&page, EDIT_AREA, &[("part", " zip:33101\r\n\r\nzip:33109 \r\n")]).await.is(400);
    assert!(unchanged.text.contains("nothing is changed"));
    let empty = desk.submits(&page, EDIT_AREA, &[("part", " \r\n")]).await.is(400);
    assert!(empty.text.contains("an area has at least one part"), "{}", empty.text);
    let (look, reads) =
        desk.submits_reading(&page, EDIT_AREA, &[("part", "zip:33101\r\nstate:GA\r\n")]).await;
    assert!(reads <= READS, "{reads} reads");
    for told in [
        "<strong>part</strong>: zip:33109 → nothing",
        "<strong>part</strong>: nothing → state:GA",
        "id=\"backtest\"",
    ] {
        assert!(look.text.contains(told), "{told} is not in {}", look.text);
    }
    for _ in 0..2 {
        let done = desk.submits(&look, EDIT_AREA, &[]).await.is(303);
        let after = desk.opens(done.header("location")).await.is(200);
        assert!(after.text.contains("Published") && after.text.contains("areas/of-main"), "{}", after.text);
    }
    assert_eq!(yard.version().await, 2);
    let areas = file(&yard, "areas.csv").await;
    assert!(areas.contains("of-main,zip:33101\nof-main,state:GA\n"), "{areas}");
}

#[tokio::test(start_paused = true)]
async fn of_an_area_what_is_wrong_is_said_and_what_others_made_of_it_is_shown() {
    let yard = yard().await;
    let desk = Browser::of(&yard).await;
    let stale = desk.opens(AREA).await.is(200);
    let typed = [("part", "zip:33101\r\nzip:nowhere<b>")];
    let refused = desk.submits(&stale, EDIT_AREA, &typed).await;
    assert!(refused.status.is_client_error());
    for told in ["the rulebook has errors", "zip:nowhere&#60;b&#62;</textarea>", "<li>"] {
        assert!(refused.text.contains(told), "{told} is not in {}", refused.text);
    }
    is_harmless(&desk.submits(&stale, EDIT_AREA, &[("part", HOSTILE)]).await);
    patch(&yard, "areas/of-main", json!({ "parts": ["zip:33125"] })).await;
    let typed = [("part", "zip:33101\r\nzip:33130"), ("sure", "yes")];
    let both = desk.submits(&stale, EDIT_AREA, &typed).await.is(409);
    for told in [
        "somebody else changed this row",
        "was zip:33101 zip:33109, is zip:33125",
        "zip:33101\nzip:33130</textarea>",
    ] {
        assert!(both.text.contains(told), "{told} is not in {}", both.text);
    }
    let look = desk.submits(&both, EDIT_AREA, &[]).await.is(200);
    assert!(look.text.contains("<strong>part</strong>: zip:33125 → nothing"), "{}", look.text);
    let _ = desk.submits(&look, EDIT_AREA, &[]).await.is(303);
    assert!(file(&yard, "areas.csv").await.contains("of-main,zip:33101\nof-main,zip:33130\n"));
}

#[tokio::test(start_paused = true)]
async fn an_area_that_is_larger_than_a_page_is_sent_as_a_file() {
    let parts: Vec<String> = (0..3_000).map(|number| format!("zip:{}", 10_000 + number)).collect();
    let rules = Rules::roofing("acme").dealer("hudson", []).contract(
        "main",
        "hudson",
        [("area", parts.join(" ").as_str())],
    );
    let yard = Yard::of(rules).await;
    let desk = Browser::of(&yard).await;
    let page = desk.opens(AREA).await.is(200);
    assert!(page.text.contains("It is too large to be changed on a page"), "{}", page.text);
    assert!(!page.text.contains("<textarea") && page.bytes.len() < 100_000);
}

#[tokio::test(start_paused = true)]
async fn who_does_not_manage_is_led_to_no_dealer_s_row_and_changes_no_area() {
    let people = "person,email,role\nrita,rita@desk.example,reader\nmaria,maria@desk.example,manager\n";
    let rules = Rules::roofing("acme").seller("main", []).file("people.csv", people);
    let yard = Yard::of(rules).await;
    let row = "/console/dealers/acme/main/row";
    for (who, manages) in [("rita@desk.example", false), ("maria@desk.example", true)] {
        let browser = Browser::by_mail(&yard, who).await;
        let dealer = browser.opens("/console/dealers/acme/main").await.is(200);
        assert_eq!(dealer.text.contains(row), manages, "{}", dealer.text);
        let _ = browser.opens(row).await.is(if manages { 200 } else { 403 });
        let area = browser.opens(AREA).await.is(200);
        let parts = if manages { "any</textarea>" } else { "<dd>any</dd>" };
        assert!(area.text.contains(parts) && area.text.contains(EDIT_AREA) == manages, "{}", area.text);
    }
}

#[tokio::test(start_paused = true)]
async fn another_company_s_rows_are_there_for_nobody() {
    let yard = yard().await;
    let desk = Browser::of(&yard).await;
    for path in ["/console/dealers/acme/nobody/row", "/console/rulebook/acme/areas/nowhere"] {
        let _ = desk.opens(path).await.is(404);
    }
    let other = yard.also(Rules::roofing("other").seller("hudson", [])).await;
    let theirs = Browser::of(&other).await;
    let csrf = theirs.csrf().await;
    for (path, typed) in [(ROW, "name=Taken"), (AREA, "part=state%3AGA")] {
        let form = format!("{csrf}&base=1&{typed}&sure=yes");
        for path in [path.to_owned(), path.replace("/acme/", "/other/")] {
            // Their own hudson is theirs; its area is called otherwise.
            let own = path.contains("/other/hudson");
            let _ = theirs.opens(&path).await.is(if own { 200 } else { 404 });
            let _ = theirs.sends(&format!("{path}/edit"), &form).await.is(if own { 303 } else { 404 });
        }
        let _ = desk.sends(&format!("{path}/edit"), &format!("base=1&{typed}&sure=yes")).await.is(403);
    }
    assert_eq!(yard.version().await, 1);
}
