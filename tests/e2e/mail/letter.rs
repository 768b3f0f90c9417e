//! What a dealer reads: plain text, one conversation of each lead, and no name before the lead is the dealer's.

use http::Method;
use leadyard_domain::limits;
use leadyard_tests::{Rules, Yard};
use serde_json::json;

use super::{EMAIL, HUDSON, MINUTE, PHONE, SENDER, ada, by_mail, changes, charged, mails};

#[tokio::test(start_paused = true)]
async fn a_dealer_reads_a_lead_in_one_part_of_plain_text() {
    let yard = Yard::of(by_mail([("price", "45.00")])).await;
    let person = ada().with("message", "The roof leaks over the kitchen.\nPlease call after five.");
    let lead = yard.settled_lead(&person).await;
    let all = mails(&yard);
    assert_eq!(all.len(), 1);
    let mail = &all[0];
    assert_eq!(mail.header("from"), "\"Acme Leads\" <desk@acme.example>");
    assert_eq!(mail.header("content-type"), "text/plain; charset=utf-8");
    assert!(!mail.header("subject").contains("Ada") && mail.header("subject").ends_with(": roof"));
    for line in [
        "Name        Ada Hill\n",
        &format!("Phone       tel:{PHONE}\nCall        08:00 to 21:00, America/New_York time\n"),
        &format!("E-mail      {EMAIL}\n"),
        "> The roof leaks over the kitchen.\n> Please call after five.\n",
        // Noon in New York, as the dealer's clock has it.
        "Asked       Mon, Jun 1, 2026, 11:00 AM CDT\n",
        "Consent     not recorded\n",
        "Price       45.00\n",
        &format!("Lead        {lead}\n"),
    ] {
        assert!(mail.text.contains(line), "{line:?} in {}", mail.text);
    }
    for line in mail.text.lines().filter(|line| !line.starts_with("https://")) {
        assert!(line.chars().count() <= limits::LETTER_COLUMNS, "{line}");
    }
    let story = yard.story(&lead).await;
    assert_eq!(story.attempts("hudson"), ["received"]);
    assert_eq!(story.assignment("hudson")["attempts"][0]["what"], "accepted");
    assert_eq!(charged(&yard, "hudson").await, (json!(1), json!("45.00")));
    assert!(yard.dead_letters().is_empty());
}

#[tokio::test(start_paused = true)]
async fn all_mails_of_a_lead_are_one_conversation() {
    let yard = Yard::of(by_mail([("deadline_minutes", "60"), ("deadline_clock", "wall")])).await;
    yard.settled_lead(&ada().with("message", "My number is 305-274-5678, call me.")).await;
    let _ = yard.server("web").posts(&ada().with("message", "Are you there?")).await.is(200);
    yard.advance(MINUTE * 45).await;
    yard.advance(MINUTE * 30).await;
    let all = mails(&yard);
    let events: Vec<&str> = all.iter().map(|mail| mail.tags["event"].as_str()).collect();
    assert_eq!(events, ["assigned", "repeated", "warned", "withdrawn"]);
    for mail in &all {
        assert_eq!(mail.header("subject"), all[0].header("subject"));
        assert_eq!(mail.header("references"), all[0].header("references"));
        let known = ["Hill", "5678", "ada.", "mail.example"].iter().find(|part| mail.raw.contains(**part));
        assert_eq!(known, None, "it was never accepted: {}", mail.text);
    }
    let ids: std::collections::BTreeSet<&str> = all.iter().map(|mail| mail.header("message-id")).collect();
    assert_eq!(ids.len(), 4);
    assert!(all[1].text.contains("> Are you there?\n") && all[3].text.contains("not accepted in time"));
}

#[tokio::test(start_paused = true)]
async fn a_mail_channel_needs_a_sender() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [])).await;
    let table = "dealer,order,kind,address\nhudson,1,mail,leads@hudson.example\n";
    let rules = Rules::roofing("acme").seller("hudson", []).file("channels.csv", table);
    let refused = yard.publish(&rules).await.is(422);
    assert!(refused.text.contains("[mail]"), "{}", refused.text);
    for bad in ["leads", "a b@hudson.example", "Ada <ada@hudson.example>", "lèads@hudson.example"] {
        let table = format!("dealer,order,kind,address\nhudson,1,mail,{bad}\n");
        let rules = Rules::roofing("acme").with(SENDER).seller("hudson", []).file("channels.csv", &table);
        let _ = yard.publish(&rules).await.is(422);
    }
}

#[tokio::test(start_paused = true)]
async fn a_dealer_by_mail_reads_what_the_person_asked_for_and_by_its_id_alone_of_whom() {
    let yard = Yard::of(by_mail([])).await;
    let lead = yard.settled_lead(&ada()).await;
    let words = [
        ("mail", "wants no more mail: please write them none."),
        ("everything", "wants no more mail, calls or texts: please do not get in touch with them."),
    ];
    for (of, says) in words {
        let body = Some(json!({ "email": EMAIL, "of": of }));
        let _ = yard.desk(Method::POST, "/v1/persons/opt_out", body).await.is(200);
        yard.settle().await;
        let last = mails(&yard).pop().unwrap();
        let text = last.text.replace('\n', " ");
        assert!(text.contains(says) && text.contains(&lead), "{}", last.text);
        assert_eq!(last.tags["event"], "opted_out");
        let known = ["Hill", "5678", "ada.", "mail.example"].iter().find(|part| last.raw.contains(**part));
        assert_eq!(known, None, "{}", last.text);
    }
    assert_eq!(mails(&yard).len(), 3);
    assert_eq!(changes(&yard, "tell_by_hand").await.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn adf_by_mail_is_the_whole_text_of_it() {
    let channels = format!(
        "dealer,order,kind,address,format,vendor_id\nhudson,1,mail,{HUDSON},adf,D-4711\nridge,1,webhook,http://127.0.0.1:9/acme/ridge,,\n"
    );
    let yard = Yard::of(by_mail([]).file("channels.csv", &channels)).await;
    let lead = yard.settled_lead(&ada().with("message", "Zoë & I: it leaks.")).await;
    let mail = mails(&yard).pop().unwrap();
    assert_eq!(mail.header("content-type"), "text/plain; charset=utf-8");
    assert!(
        mail.text.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<?adf version=\"1.0\"?>"),
        "{}",
        mail.text
    );
    assert!(mail.text.contains("D-4711") && mail.text.contains(&lead) && mail.text.contains("Zoë &amp; I"));
    assert!(!mail.header("subject").contains("Hill"));
    // What it has no words for, the desk says by hand.
    let _ = yard
        .desk(Method::POST, &format!("/v1/leads/{lead}/take_back"), Some(json!({ "reason": "wrong" })))
        .await
        .is(200);
    yard.advance(MINUTE).await;
    assert_eq!((mails(&yard).len(), changes(&yard, "tell_by_hand").await.len()), (1, 1));
    assert_eq!(yard.story(&lead).await.holders(), ["ridge"]);
}
