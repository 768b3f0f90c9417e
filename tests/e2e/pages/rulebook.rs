//! The rulebook's pages: versions, compared, sent, rolled back; the switches and who did what.

use std::collections::BTreeMap;
use std::time::Duration;

use http::{HeaderMap, Method};
use leadyard_domain::access::DeskToken;
use leadyard_domain::limits;
use leadyard_domain::rulebook::{Rulebook, RulebookFiles};
use leadyard_tests::{Browser, Reply, Rules, Yard};
use serde_json::{Value, json};

use super::{HOSTILE, READS, is_harmless};

const AT: &str = "/console/rulebook";
const SEND: &str = "/console/rulebook/send";
const PUBLISH: &str = "/console/rulebook/publish";
const SWITCH: &str = "/console/rulebook/switch";
const MINUTE: Duration = Duration::from_secs(60);

fn rules() -> Rules {
    Rules::roofing("acme").seller("hudson", [("cap_day", "10")]).seller("ridge", [])
}

/// Sends files as a browser does.
async fn sends(yard: &Yard, desk: &Browser<'_>, files: &[(&str, &[u8])]) -> Reply {
    let csrf = desk.csrf().await;
    sends_as(yard, desk.headers(), csrf.trim_start_matches("csrf="), &yard.company, files).await
}

async fn sends_as(
    yard: &Yard,
    headers: HeaderMap,
    csrf: &str,
    company: &str,
    files: &[(&str, &[u8])],
) -> Reply {
    let mut body = Vec::new();
    for (name, value) in [("csrf", csrf), ("company", company)] {
        body.extend(
            format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").bytes(),
        );
    }
    for (name, bytes) in files {
        let head = format!("--b\r\nContent-Disposition: form-data; name=\"files\"; filename=\"{name}\"\r\n");
        body.extend(head.bytes().chain(*b"Content-Type: application/octet-stream\r\n\r\n"));
        body.extend(bytes.iter().copied().chain(*b"\r\n"));
    }
    body.extend(*b"--b--\r\n");
    yard.requests(Method::POST, SEND, headers, "multipart/form-data; boundary=b", body).await
}

/// The file of contracts with this instead of that.
fn contracts(rules: &Rules, this: &str, that: &str) -> String {
    let text = rules.files()["contracts.csv"].clone();
    assert!(text.contains(this), "{text}");
    text.replace(this, that)
}

/// A rulebook's files as they are chosen in a browser.
fn chosen(files: &BTreeMap<String, String>) -> Vec<(&str, &[u8])> {
    files.iter().map(|(name, text)| (name.as_str(), text.as_bytes())).collect()
}

async fn patch(yard: &Yard, contract: &str, set: Value) {
    let path = format!("/v1/rulebook/contracts/{contract}?base={}", yard.version().await);
    let _ = yard.desk(Method::PATCH, &path, Some(json!({ "set": set }))).await.is(200);
}

async fn how(yard: &Yard) -> Vec<String> {
    let told = yard.desk(Method::GET, "/v1/rulebook/versions", None).await.is(200);
    let versions = told.json["versions"].as_array().unwrap().iter();
    versions.map(|version| version["how"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn versions_say_who_and_how_and_any_two_are_compared_as_the_api_does() {
    let yard = Yard::of(rules()).await;
    for price in 11..=14 {
        patch(&yard, "hudson", json!({ "price": format!("{price}.00") })).await;
    }
    let desk = Browser::of(&yard).await;
    let (page, reads) = desk.reads(AT).await;
    assert!(reads <= READS, "{reads} reads");
    for told in ["version 5 is in force", "contracts/hudson", ">whole<", ">desk<", "from=4&#38;to=5"] {
        assert!(page.text.contains(told), "{told} is not in {}", page.text);
    }
    let (compared, reads) = desk.reads(&format!("{AT}/diff?company=acme&from=2&to=5")).await;
    assert!(reads <= READS && compared.text.contains("price: 11.00 → 14.00"), "{}", compared.text);
    let told = yard.desk(Method::GET, "/v1/rulebook/diff?from=2&to=5", None).await.is(200);
    let row = &told.json["diff"]["tables"][0]["rows"][0];
    assert_eq!((&row["id"], &row["columns"][0]["before"]), (&json!("hudson"), &json!("11.00")));
    assert_eq!(row["columns"][0]["after"], "14.00");
    let back = yard.desk(Method::GET, "/v1/rulebook/diff?from=5&to=2", None).await.is(200);
    assert_eq!(back.json["diff"]["tables"][0]["rows"][0]["columns"][0]["after"], "11.00");
    let same = desk.opens(&format!("{AT}/diff?company=acme&from=3&to=3")).await.is(200);
    assert!(same.text.contains("both say the same"));
    let _ = yard.desk(Method::GET, "/v1/rulebook/diff?from=2&to=99", None).await.is(404);
    let _ = desk.opens(&format!("{AT}/diff?company=acme&from=99&to=2")).await.is(404);
}

#[tokio::test(start_paused = true)]
async fn versions_tell_when_each_was_put_in_force_as_the_company_s_clocks_have_it() {
    let yard = Yard::of(rules()).await;
    for price in ["11.00", "12.00"] {
        tokio::time::sleep(3 * MINUTE).await;
        patch(&yard, "hudson", json!({ "price": price })).await;
    }
    let page = Browser::of(&yard).await.opens(AT).await.is(200);
    for (version, at) in [(1, "12:00 PM"), (2, "12:03 PM"), (3, "12:06 PM")] {
        let row = page.text.split("<tr").find(|row| row.contains(&format!("<th scope=\"row\">{version}")));
        let row = row.unwrap_or_else(|| panic!("{}", page.text));
        assert!(row.contains(&format!("<td>Mon, Jun 1, 2026, {at} EDT</td>")), "{version}: {row}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_checker_warns_of_stands_beside_what_was_sent_with_its_place() {
    let yard = Yard::of(rules()).await;
    let desk = Browser::of(&yard).await;
    let file = rules().contract("old", "hudson", [("ends", "2026-05-31")]).files();
    let look = sends(&yard, &desk, &chosen(&file)).await.is(200);
    let said = look.text.split("<h3>Worth a second look</h3>").nth(1).unwrap().split("</ul>").next().unwrap();
    let line = file["contracts.csv"].lines().position(|line| line.contains("old,")).unwrap() + 1;
    let warning =
        format!("contracts.csv, line {line}, column 1: the last day of contract &#34;old&#34; is over");
    assert!(said.contains(&format!("<li>{warning}</li>")), "{warning} is not in {said}");
    assert_eq!(yard.version().await, 1);
}

#[tokio::test(start_paused = true)]
async fn no_version_lies_beyond_the_pages() {
    let yard = Yard::of(rules()).await;
    for price in 0..30 {
        patch(&yard, "hudson", json!({ "price": format!("{}.00", 20 + price) })).await;
    }
    let desk = Browser::of(&yard).await;
    let first = desk.opens(AT).await.is(200);
    assert!(first.text.contains("acme/31/files.zip") && first.text.contains("acme/7/files.zip"));
    assert!(!first.text.contains("acme/6/files.zip"));
    let second = desk.opens(&format!("{AT}?company=acme&before=7")).await.is(200);
    assert!(first.text.contains("before=7") && second.text.contains("acme/6/files.zip"));
    assert!(second.text.contains("acme/1/files.zip") && !second.text.contains("Earlier versions"));
    let told = yard.desk(Method::GET, "/v1/rulebook/versions?before=3", None).await.is(200);
    let numbers: Vec<&Value> =
        told.json["versions"].as_array().unwrap().iter().map(|one| &one["version"]).collect();
    assert_eq!(numbers, [&json!(2), &json!(1)]);
}

#[tokio::test(start_paused = true)]
async fn what_is_downloaded_can_be_sent_back_and_is_published_once_after_a_look() {
    let yard = Yard::of(rules()).await;
    let desk = Browser::of(&yard).await;
    let packed = desk.opens(&format!("{AT}/acme/1/files.zip")).await.is(200);
    assert_eq!(packed.header("content-type"), "application/zip");
    assert!(packed.header("content-disposition").contains("rulebook-1.zip"));
    assert_eq!(packed.header("cache-control"), "no-store");
    let book = desk.opens(&format!("{AT}/acme/1/tables.xlsx")).await.is(200);
    patch(&yard, "hudson", json!({ "price": "12.00" })).await;
    let look = sends(&yard, &desk, &[("rules.zip", &packed.bytes)]).await.is(200);
    for told in ["What would change of version 2", "price: 12.00 → 10.00", "rules.zip"] {
        assert!(look.text.contains(told), "{told} is not in {}", look.text);
    }
    assert_eq!(yard.version().await, 2, "a look publishes nothing");
    for _ in 0..2 {
        // A second click finds it in force.
        let done = desk.submits(&look, PUBLISH, &[]).await.is(303);
        let after = desk.opens(done.header("location")).await.is(200);
        assert!(after.text.contains("Published") && after.text.contains("version 3 is in force"));
    }
    assert_eq!(how(&yard).await, ["whole", "contracts/hudson", "whole"]);
    let files = |version: u64| format!("/v1/rulebook?files=1&version={version}");
    let first = yard.desk(Method::GET, &files(1), None).await.is(200);
    let third = yard.desk(Method::GET, &files(3), None).await.is(200);
    assert_eq!(first.json["files"], third.json["files"]);
    // Its workbook says the same: nothing is new.
    let look = sends(&yard, &desk, &[("rules.xlsx", &book.bytes)]).await.is(200);
    assert!(look.text.contains("it only reads otherwise"), "{}", look.text);
}

#[tokio::test(start_paused = true)]
async fn files_without_the_company_s_are_laid_over_what_is_in_force() {
    let yard = Yard::of(rules()).await;
    let desk = Browser::of(&yard).await;
    let changed = contracts(&rules(), "10.00", "33.00");
    let look = sends(&yard, &desk, &[("contracts.csv", changed.as_bytes())]).await.is(200);
    assert!(look.text.contains("price: 10.00 → 33.00"), "{}", look.text);
    let _ = desk.submits(&look, PUBLISH, &[]).await.is(303);
    assert_eq!(how(&yard).await, ["files", "whole"]);
    let files = yard.desk(Method::GET, "/v1/rulebook?files=1", None).await.is(200);
    assert_eq!(files.json["files"]["contracts.csv"], changed);
    assert_eq!(files.json["files"]["offers.toml"], rules().files()["offers.toml"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_says_where_it_stands_and_nothing_is_published() {
    let yard = Yard::of(rules()).await;
    let desk = Browser::of(&yard).await;
    let broken = contracts(&rules(), "10.00", "a lot");
    let refused = sends(&yard, &desk, &[("contracts.csv", broken.as_bytes())]).await.is(422);
    assert!(refused.text.contains("contracts.csv, line 2, column "), "{}", refused.text);
    assert!(!refused.text.contains(PUBLISH), "{}", refused.text);
    let none = sends(&yard, &desk, &[("", b"")]).await.is(400);
    assert!(none.text.contains("no file was chosen"));
    let damaged = sends(&yard, &desk, &[("rules.zip", b"PK nothing")]).await.is(422);
    assert!(damaged.text.contains("rules.zip, line 1, column 1") && damaged.text.contains("damaged"));
    let unknown = sends(&yard, &desk, &[("<b onx>.csv", b"a,b")]).await.is(422);
    assert!(unknown.text.contains("has no such file"), "{}", unknown.text);
    is_harmless(&unknown);
    let others = Rules::roofing("other").seller("hudson", []);
    let files = others.files();
    let other = sends(&yard, &desk, &chosen(&files)).await.is(422);
    assert!(other.text.contains("another company than acme"), "{}", other.text);
    assert!(!other.text.contains(PUBLISH), "{}", other.text);
    assert_eq!(how(&yard).await, ["whole"]);
}

#[tokio::test(start_paused = true)]
async fn who_publishes_over_a_version_they_did_not_see_is_shown_what_would_change_of_it() {
    let yard = Yard::of(rules()).await;
    let desk = Browser::of(&yard).await;
    let changed = contracts(&rules(), "10.00", "33.00");
    let look = sends(&yard, &desk, &[("contracts.csv", changed.as_bytes())]).await.is(200);
    patch(&yard, "ridge", json!({ "price": "44.00" })).await;
    let stale = desk.submits(&look, PUBLISH, &[]).await.is(409);
    for told in ["somebody published version 2 meanwhile", "price: 44.00 → 33.00"] {
        assert!(stale.text.contains(told), "{told} is not in {}", stale.text);
    }
    assert_eq!(yard.version().await, 2);
    // They have seen it, and nothing is chosen again.
    let _ = desk.submits(&stale, PUBLISH, &[]).await.is(303);
    assert_eq!(yard.version().await, 3);
    let gone = desk.submits(&look, PUBLISH, &[("draft", "AAAAAAAAAAAAAAAAAAAAAA")]).await.is(404);
    assert!(gone.text.contains("choose the files again"), "{}", gone.text);
}

#[tokio::test(start_paused = true)]
async fn a_part_leaves_what_others_published_since_it_was_sent() {
    let yard = Yard::of(rules()).await;
    let (ann, ben) = (Browser::of(&yard).await, Browser::of(&yard).await);
    let price = contracts(&rules(), "10.00", "33.00");
    let looked = sends(&yard, &ann, &[("contracts.csv", price.as_bytes())]).await.is(200);
    let offers = rules().files()["offers.toml"].replace("id = ", "# Ben's\nid = ");
    let meanwhile = sends(&yard, &ben, &[("offers.toml", offers.as_bytes())]).await.is(200);
    let _ = ben.submits(&meanwhile, PUBLISH, &[]).await.is(303);
    let stale = ann.submits(&looked, PUBLISH, &[]).await.is(409);
    assert!(stale.text.contains("price: 10.00 → 33.00"), "{}", stale.text);
    let _ = ann.submits(&stale, PUBLISH, &[]).await.is(303);
    let files = yard.desk(Method::GET, "/v1/rulebook?files=1", None).await.is(200);
    assert_eq!((files.json["version"].as_u64(), how(&yard).await.len()), (Some(3), 3));
    assert_eq!(files.json["files"]["contracts.csv"], price);
    assert_eq!(files.json["files"]["offers.toml"], offers, "what Ben published stays");
}

#[tokio::test(start_paused = true)]
async fn of_a_double_click_both_are_told_that_it_is_published() {
    let yard = Yard::of(rules()).await;
    let desk = Browser::of(&yard).await;
    let changed = contracts(&rules(), "10.00", "33.00");
    let look = sends(&yard, &desk, &[("contracts.csv", changed.as_bytes())]).await.is(200);
    // The first has read what is in force, and is a moment late.
    let held = yard.faults.hold_commit();
    let (late, done) = tokio::join!(desk.submits(&look, PUBLISH, &[]), async {
        held.arrives().await;
        let done = desk.submits(&look, PUBLISH, &[]).await;
        held.let_go();
        done
    });
    for click in [done, late] {
        assert!(click.is(303).header("location").ends_with("done=publish"));
    }
    assert_eq!(how(&yard).await, ["files", "whole"]);
}

#[tokio::test(start_paused = true)]
async fn what_was_sent_is_kept_for_an_hour_and_is_as_much_as_can_be_sent() {
    let yard = Yard::of(rules()).await;
    let desk = Browser::of(&yard).await;
    let changed = contracts(&rules(), "10.00", "33.00");
    let look = sends(&yard, &desk, &[("contracts.csv", changed.as_bytes())]).await.is(200);
    yard.advance(MINUTE * 61).await;
    let gone = desk.submits(&look, PUBLISH, &[]).await.is(404);
    assert!(gone.text.contains("choose the files again"), "{}", gone.text);
    // A request of Lambda's has at most 6 MB, in which bytes stand as base64.
    assert!((limits::UPLOAD_BYTES + 64 * 1024).div_ceil(3) * 4 < 6_000_000);
    assert!(desk.opens(AT).await.is(200).text.contains("4 MiB at most"));
    for more in [1, 1024 * 1024] {
        let large = vec![b'a'; limits::UPLOAD_BYTES + more];
        let refused = sends(&yard, &desk, &[("contracts.csv", &large)]).await.is(413);
        assert!(refused.text.contains("at most 4 MiB"), "{}", refused.text);
    }
    assert_eq!(how(&yard).await, ["whole"]);
}

#[tokio::test(start_paused = true)]
async fn of_a_version_that_is_not_read_any_more_nobody_says_that_nothing_changes() {
    let yard = Yard::of(rules()).await;
    let files = rules().files();
    let book = RulebookFiles::new(files.iter().map(|(name, text)| (name.clone(), text.clone().into_bytes())));
    let compiled = Rulebook::parse(&book.unwrap()).unwrap().compile(0).unwrap();
    // As an earlier version of this program may have taken it.
    let odd = RulebookFiles::new([("company.toml".to_owned(), b"id = ".to_vec())]).unwrap();
    let (now, mailboxes) = (yard.cloud.clock.now(), yard.cloud.master.mailboxes());
    let published = yard.cloud.store.rulebook_publish(&compiled, &odd, 1, ("old", "whole"), &mailboxes, now);
    let _ = published.await.unwrap();
    assert_eq!(yard.version().await, 2);
    let desk = Browser::of(&yard).await;
    let look = sends(&yard, &desk, &chosen(&files)).await.is(200);
    assert!(look.text.contains("That cannot be said: version 2 is not read"), "{}", look.text);
    assert!(!look.text.contains("it only reads otherwise"), "{}", look.text);
    let _ = desk.submits(&look, PUBLISH, &[]).await.is(303);
    assert_eq!(yard.version().await, 3);
}

#[tokio::test(start_paused = true)]
async fn a_rulebook_of_one_of_somebody_s_companies_is_not_published_on_the_page_of_another() {
    let yard = Yard::of(rules()).await;
    let other = yard.also(Rules::roofing("other").seller("hudson", [("price", "77.00")])).await;
    let companies = vec![yard.company_id(), other.company_id()];
    let both = yard.cloud.master.mint(&DeskToken { staff: "ann".to_owned(), companies });
    let desk = Browser::with(&yard, &both).await;
    let files = Rules::roofing("other").seller("hudson", [("price", "88.00")]).files();
    let refused = sends(&yard, &desk, &chosen(&files)).await.is(422);
    assert!(refused.text.contains("the rulebook of other, and not of acme"), "{}", refused.text);
    assert!(!refused.text.contains(PUBLISH), "{}", refused.text);
    assert_eq!((yard.version().await, other.version().await), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn an_earlier_version_is_put_in_force_again_after_a_look_and_once() {
    let yard = Yard::of(rules()).await;
    let desk = Browser::of(&yard).await;
    patch(&yard, "hudson", json!({ "price": "12.00" })).await;
    let path = format!("{AT}/acme/1/rollback");
    let (look, reads) = desk.reads(&path).await;
    assert!(reads <= READS && look.text.contains("price: 12.00 → 10.00"), "{}", look.text);
    assert_eq!(yard.version().await, 2, "a look publishes nothing");
    for _ in 0..2 {
        let _ = desk.submits(&look, &path, &[]).await.is(303);
    }
    assert_eq!(how(&yard).await, ["rollback to 1", "contracts/hudson", "whole"]);
    // One that somebody published over meanwhile is looked at again.
    let look = desk.opens(&format!("{AT}/acme/2/rollback")).await.is(200);
    patch(&yard, "ridge", json!({ "price": "44.00" })).await;
    let stale = desk.submits(&look, &format!("{AT}/acme/2/rollback"), &[]).await.is(409);
    assert!(stale.text.contains("price: 44.00 → 10.00"), "{}", stale.text);
    let _ = desk.opens(&format!("{AT}/acme/99/rollback")).await.is(404);
}

#[tokio::test(start_paused = true)]
async fn a_switch_is_flipped_with_a_reason_and_once_and_stands_in_the_log() {
    let yard = Yard::of(rules()).await;
    let desk = Browser::of(&yard).await;
    let page = desk.opens(AT).await.is(200);
    let stop = [("switch", "stop"), ("on", "yes"), ("reason", "  ")];
    let silent = desk.submits(&page, SWITCH, &stop).await.is(400);
    assert!(silent.text.contains("say why"), "{}", silent.text);
    let stop = [("switch", "stop"), ("on", "yes"), ("reason", HOSTILE)];
    let done = desk.submits(&page, SWITCH, &stop).await.is(303);
    let after = desk.opens(done.header("location")).await.is(200);
    assert!(after.text.contains("Distribution is stopped."), "{}", after.text);
    // A second click, and a page from before: it stands so, and is not turned over.
    let again = desk.submits(&page, SWITCH, &stop).await.is(303);
    assert!(desk.opens(again.header("location")).await.is(200).text.contains("It stood so already"));
    let switches = yard.desk(Method::GET, "/v1/switches", None).await.is(200);
    assert_eq!((&switches.json["stop"], &switches.json["shadow"]), (&json!(true), &json!(false)));
    let (log, reads) = desk.reads(&format!("{AT}/changes")).await;
    assert!(reads <= READS && log.text.contains("stop: false → true"), "{}", log.text);
    assert_eq!(log.text.matches("false → true").count(), 1, "{}", log.text);
    is_harmless(&log);
    let shadow = [("switch", "shadow"), ("on", "yes"), ("reason", "a look at the new rules")];
    // What is refused stands there as it was chosen, though off is offered where it is stopped.
    let silent = desk.submits(&after, SWITCH, &[shadow[0], shadow[1], ("reason", " ")]).await.is(400);
    for chosen in ["value=\"shadow\" selected", "value=\"yes\" selected"] {
        assert!(silent.text.contains(chosen), "{chosen} is not in {}", silent.text);
    }
    let _ = desk.submits(&after, SWITCH, &shadow).await.is(303);
    let log = desk.opens(&format!("{AT}/changes")).await.is(200);
    assert!(log.text.contains("a look at the new rules") && log.text.contains("shadow: false → true"));
}

#[tokio::test(start_paused = true)]
async fn the_log_of_changes_has_an_end_and_leaves_nothing_out() {
    let yard = Yard::of(rules()).await;
    for n in 0..60 {
        let _ = yard.flip("stop", json!({ "on": n % 2 == 0, "reason": format!("turn {n}.") })).await;
    }
    let desk = Browser::of(&yard).await;
    let first = desk.opens(&format!("{AT}/changes")).await.is(200);
    let next =
        first.text.split("<p><a href=\"").find(|link| link.contains(">Earlier<")).expect("a next page");
    let next = next.split('"').next().unwrap().replace("&#38;", "&");
    let second = desk.opens(&next).await.is(200);
    for n in 0..60 {
        let on = [&first, &second].map(|page| page.text.matches(&format!("turn {n}.")).count());
        assert_eq!(on[0] + on[1], 1, "turn {n}");
    }
    assert!(!second.text.contains(">Earlier<"));
}

#[tokio::test(start_paused = true)]
async fn another_company_s_rulebook_is_there_for_nobody() {
    let yard = Yard::of(rules()).await;
    let desk = Browser::of(&yard).await;
    let changed = contracts(&rules(), "10.00", "33.00");
    let look = sends(&yard, &desk, &[("contracts.csv", changed.as_bytes())]).await.is(200);
    let draft = look.text.split("name=\"draft\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let other = yard.also(Rules::roofing("other").seller("hudson", [])).await;
    let theirs = Browser::of(&other).await;
    let csrf = theirs.csrf().await;
    for path in [
        format!("{AT}?company=acme"),
        format!("{AT}/diff?company=acme&from=1&to=1"),
        format!("{AT}/changes?company=acme"),
        format!("{AT}/acme/1/files.zip"),
        format!("{AT}/acme/1/tables.xlsx"),
        format!("{AT}/acme/1/rollback"),
    ] {
        let _ = theirs.opens(&path).await.is(404);
    }
    for (path, form) in [
        (PUBLISH.to_owned(), format!("{csrf}&company=acme&base=1&draft={draft}")),
        // What acme sent is not there under their own name.
        (PUBLISH.to_owned(), format!("{csrf}&company=other&base=1&draft={draft}")),
        (SWITCH.to_owned(), format!("{csrf}&company=acme&switch=stop&on=yes&reason=x")),
        (format!("{AT}/acme/1/rollback"), format!("{csrf}&base=1")),
    ] {
        let _ = theirs.sends(&path, &form).await.is(404);
    }
    let word = csrf.trim_start_matches("csrf=");
    let sent = [("contracts.csv", changed.as_bytes())];
    let _ = sends_as(&yard, theirs.headers(), word, "acme", &sent).await.is(404);
    // Without the session's own word nothing is taken, and without a session there is nothing.
    let _ = sends_as(&yard, desk.headers(), "", "acme", &sent).await.is(403);
    let mut elsewhere = desk.headers();
    elsewhere.insert("sec-fetch-site", http::HeaderValue::from_static("cross-site"));
    let csrf = desk.csrf().await;
    let word = csrf.trim_start_matches("csrf=");
    let _ = sends_as(&yard, elsewhere, word, "acme", &sent).await.is(403);
    for (path, form) in
        [(PUBLISH, format!("company=acme&base=1&draft={draft}")), (SWITCH, "switch=stop&on=yes".to_owned())]
    {
        let _ = desk.sends(path, &form).await.is(403);
    }
    let dealer = Browser::of_dealer(&yard, "hudson").await;
    assert_eq!(dealer.opens(AT).await.is(303).header("location"), "/console/inbox");
    assert_eq!(how(&yard).await, ["whole"]);
}
