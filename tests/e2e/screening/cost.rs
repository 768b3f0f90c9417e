//! What accepting an enquiry writes, and what each write is for.

use std::time::Duration;

use leadyard_tests::{Person, Sender, Yard};

use super::{HOUR, browser, rules, spam, token};

/// What the first version of all, the spine, wrote to accept an enquiry of somebody new who gives an e-mail and a phone:
/// the enquiry, its lead, and what each of the two identifies. All in one transaction.
const SPINE_BY_A_SERVER: usize = 4;
/// The same by a page: and whose browser it came from.
const SPINE_BY_A_PAGE: usize = 5;

/// What accepting one writes now, each write with what it is for:
///
/// | more than the spine | why |
/// |---|---|
/// | a page: 1 | how many come from there and in all, counted in its window of ten minutes: screening cannot do without |
/// | a page whose form was opened in an earlier window: 1 | that two people sent one form shows, however much later, only where both look: in the window it was opened in, which is another item than the one that counts what comes now |
/// | its source has a cap: 1 | counted in the enquiry's own transaction: a cap is never exceeded, whatever comes at once |
/// | its source has a postback: 1 | that it is to be told, in the same transaction: it is told once, and also where the process died on it |
/// | an idempotency key: 1 | the first answer, in the same transaction; the spine wrote it too |
///
/// So one by a server is accepted with the spine's writes, one by a page with one more, or two where its form
/// stood open across windows: why none of the two can be spared, `infra/README.md` says. A cap, a postback
/// and a key are a write each, and none of a source that has none.
#[tokio::test(start_paused = true)]
async fn accepting_writes_the_spine_what_a_page_is_counted_by_and_what_its_source_asks_for() {
    let told = "postback = { url = \"http://127.0.0.1:9/partner\", on = [\"received\"] }";
    let cap = "caps = { day = 1000 }";
    let rules = rules()
        .source("capped", &format!("offer = \"roof\"\n{cap}"))
        .source("told", &format!("offer = \"roof\"\n{told}"))
        .source("both", &format!("offer = \"roof\"\n{cap}\n{told}"));
    let yard = Yard::of(rules).await;
    let writes = async |sender: &Sender, person: &Person| {
        let before = yard.faults.writes();
        let _ = sender.posts(person).await.is(201);
        yard.faults.writes() - before
    };
    for (n, (source, asked_for)) in
        [("web", 0), ("capped", 1), ("told", 1), ("both", 2)].into_iter().enumerate()
    {
        let (server, page) = (yard.server(source), browser(&yard, source, "203.0.113.7"));
        let person = |more: usize| Person::number(10 * n + more);
        assert_eq!(writes(&server, &person(1)).await, SPINE_BY_A_SERVER + asked_for, "a server, {source}");
        assert_eq!(writes(&page, &person(2)).await, SPINE_BY_A_PAGE + 1 + asked_for, "a page, {source}");
        // A form that was opened within the window is counted with what else came in it; one of before, by itself.
        let opened = token(&page).await;
        yard.advance(Duration::from_secs(5)).await;
        let sent = person(3).with("form_token", &opened);
        assert_eq!(writes(&page, &sent).await, SPINE_BY_A_PAGE + 1 + asked_for, "a form, {source}");
        let opened = token(&page).await;
        yard.advance(HOUR).await;
        let sent = person(4).with("form_token", &opened);
        assert_eq!(writes(&page, &sent).await, SPINE_BY_A_PAGE + 2 + asked_for, "an earlier form, {source}");
        let server = server.header("idempotency-key", &format!("key-{n}"));
        assert_eq!(writes(&server, &person(5)).await, SPINE_BY_A_SERVER + 1 + asked_for, "a key, {source}");
        assert_eq!(writes(&server, &person(5)).await, 0, "the same again, {source}");
    }
    // What waits for the desk is an enquiry, and counted where a page sent it.
    let page = browser(&yard, "web", "203.0.113.7");
    assert_eq!(writes(&page, &spam()).await, 2);
}
