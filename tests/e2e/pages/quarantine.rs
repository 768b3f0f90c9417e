//! The quarantine's pages.

use http::Method;
use leadyard_domain::access::DeskToken;
use leadyard_tests::{Browser, Person, Rules, Yard};
use serde_json::{Value, json};

use super::{HOSTILE, READS, is_harmless, names_nobody};

fn rules() -> Rules {
    Rules::roofing("acme").offer("gutter", "roofing", "").source("bare", "").seller("hudson", [])
}

async fn yard() -> Yard {
    Yard::of(rules()).await
}

fn doubtful(n: usize) -> Person {
    Person::named(&format!("Ann{n}"), "Hill")
        .with("email", &format!("ann{n}@mailinator.com"))
        .with("phone", &format!("305-555-01{n:02}"))
}

/// An enquiry that waits for a verdict.
async fn aside(yard: &Yard, source: &str, person: &Person) -> String {
    let reply = yard.server(source).posts(person).await;
    assert_eq!(reply.text_of("status"), "quarantined", "{}", reply.text);
    yard.advance(std::time::Duration::from_secs(60)).await;
    reply.text_of("enquiry").to_owned()
}

async fn told(yard: &Yard, enquiry: &str) -> Value {
    yard.desk(Method::GET, &format!("/v1/quarantine/{enquiry}"), None).await.is(200).json
}

#[tokio::test(start_paused = true)]
async fn the_longest_waiting_stand_first_and_nobody_is_named_until_somebody_asks_which_is_kept() {
    let yard = yard().await;
    let (first, second) = (aside(&yard, "web", &doubtful(1)).await, aside(&yard, "web", &doubtful(2)).await);
    let desk = Browser::of(&yard).await;
    let (list, reads) = desk.reads("/console/quarantine").await;
    assert!(reads <= READS, "{reads} reads");
    let at = |id: &str| list.text.find(&format!("/console/quarantine/{id}?")).unwrap();
    assert!(
        at(&first) < at(&second) && list.text.contains("Ann1 H.") && list.text.contains("disposable email")
    );
    names_nobody(&list, &["ann1@", "Hill", "0101"]);

    let path = format!("/console/quarantine/{first}");
    let (page, reads) = desk.reads(&path).await;
    assert!(reads <= READS, "{reads} reads");
    names_nobody(&page, &["ann1@", "Hill", "5550101"]);
    let shown = desk.submits(&page, &format!("{path}/show"), &[]).await.is(200);
    assert!(shown.text.contains("ann1@mailinator.com") && shown.text.contains("Hill"), "{}", shown.text);
    let changes = yard.desk(Method::GET, "/v1/changes", None).await.is(200);
    let looked: Vec<&Value> = changes.json["changes"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|act| act["act"] == "show_enquiry")
        .collect();
    assert_eq!(looked.len(), 1);
    assert_eq!((&looked[0]["by"], &looked[0]["after"]), (&json!("desk"), &json!({ "enquiry": first })));
    assert!(!changes.text.contains("ann1") && !changes.text.contains("Hill"), "{}", changes.text);
}

#[tokio::test(start_paused = true)]
async fn one_after_the_other_is_released_or_rejected_and_a_second_click_changes_nothing() {
    let yard = yard().await;
    let mut waiting = Vec::new();
    for n in 1..=3 {
        waiting.push(aside(&yard, "web", &doubtful(n)).await);
    }
    let desk = Browser::of(&yard).await;
    let at = |n: usize| format!("/console/quarantine/{}", waiting[n]);
    let page = desk.opens(&at(0)).await.is(200);
    let released = desk.submits(&page, &format!("{}/release", at(0)), &[]).await.is(303);
    assert!(released.header("location").starts_with(&at(1)), "{}", released.header("location"));
    let next = desk.opens(released.header("location")).await.is(200);
    assert!(next.text.contains("Released: it goes its way") && next.text.contains("Ann2 H."));
    yard.settle().await;
    let first = told(&yard, &waiting[0]).await;
    let lead = first["lead"].as_str().unwrap();
    assert_eq!(yard.story(lead).await.holders(), ["hudson"]);

    // A double click, and going back to send it again: the same lead, and said so.
    let again = desk.submits(&page, &format!("{}/release", at(0)), &[]).await.is(303);
    assert!(desk.opens(again.header("location")).await.is(200).text.contains("nothing changed"));
    yard.settle().await;
    assert_eq!(told(&yard, &waiting[0]).await["lead"], first["lead"]);

    let rejected = desk.submits(&next, &format!("{}/reject", at(1)), &[("reason", "a robot")]).await.is(303);
    assert!(rejected.header("location").starts_with(&at(2)), "{}", rejected.header("location"));
    assert_eq!(told(&yard, &waiting[1]).await["judged"]["said"], "a robot");
    // The last one leads back to the list.
    let last = desk.opens(&at(2)).await.is(200);
    let list = desk.submits(&last, &format!("{}/reject", at(2)), &[]).await.is(303);
    assert!(list.header("location").starts_with("/console/quarantine?"), "{}", list.header("location"));
    assert!(desk.opens(list.header("location")).await.is(200).text.contains("Nothing waits for a verdict"));
    let decided = desk.opens("/console/quarantine?state=done").await.is(200);
    assert!(decided.text.contains("rejected by desk") && decided.text.contains("released by desk"));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_go_on_is_put_right_and_what_was_typed_is_not_lost() {
    let yard = yard().await;
    let person = Person::named("Bea", "Moss").with("phone", "305-555-0100").with("message", "Two\nlines");
    let enquiry = aside(&yard, "bare", &person).await;
    let desk = Browser::of(&yard).await;
    let path = format!("/console/quarantine/{enquiry}");
    let page = desk.opens(&path).await.is(200);
    assert!(page.text.contains("It cannot go on as it is: unknown offer"), "{}", page.text);
    let kept = desk.submits(&page, &format!("{path}/release"), &[]).await.is(409);
    assert!(kept.text.contains("This was not done") && kept.text.contains("unknown offer"), "{}", kept.text);

    let shown = desk.submits(&page, &format!("{path}/show"), &[]).await.is(200);
    let edit = format!("{path}/edit");
    let typed = [("phone", "305-555-0177"), ("city", "Miami Beach"), ("reason", "asked by phone")];
    let refused = desk.submits(&shown, &edit, &typed).await.is(409);
    for (_, text) in typed {
        assert!(refused.text.contains(text), "{text} is lost: {}", refused.text);
    }
    assert_eq!(told(&yard, &enquiry).await["edited"], Value::Null);
    // Sent from there with the offer that was missing: only what differs is put right.
    let done = desk.submits(&refused, &edit, &[("offer", "gutter")]).await.is(303);
    assert!(desk.opens(done.header("location")).await.is(200).text.contains("Put right and released"));
    yard.settle().await;
    let told = told(&yard, &enquiry).await;
    assert_eq!((&told["status"], &told["judged"]["said"]), (&json!("received"), &json!("asked by phone")));
    let edited = told["edited"].as_array().unwrap();
    assert!(edited.contains(&json!(["message", "Two\nlines"])), "{edited:?}");
    let story = yard.story(told["lead"].as_str().unwrap()).await;
    assert_eq!(
        (&story.0["offer"], &story.0["person"]["phone"], &story.0["person"]["city"]),
        (&json!("gutter"), &json!("+13055550177"), &json!("Miami Beach"))
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_looked_at_and_left_as_it_is_is_released_and_not_edited() {
    let yard = yard().await;
    let enquiry = aside(&yard, "web", &doubtful(1).with("message", "Two\nlines <b>\n\n and \"more\"")).await;
    let desk = Browser::of(&yard).await;
    let path = format!("/console/quarantine/{enquiry}");
    let page = desk.opens(&path).await.is(200);
    let shown = desk.submits(&page, &format!("{path}/show"), &[]).await.is(200);
    let _ = desk.submits(&shown, &format!("{path}/edit"), &[]).await.is(303);
    let told = told(&yard, &enquiry).await;
    assert_eq!((&told["status"], &told["edited"]), (&json!("received"), &Value::Null));
}

#[tokio::test(start_paused = true)]
async fn who_decides_on_a_stale_page_is_told_who_was_first_and_nothing_follows() {
    let yard = yard().await;
    let enquiry = aside(&yard, "web", &doubtful(1)).await;
    let token = DeskToken { staff: "maria".to_owned(), companies: vec![yard.company_id()] };
    let (desk, maria) =
        (Browser::of(&yard).await, Browser::with(&yard, &yard.cloud.master.mint(&token)).await);
    let path = format!("/console/quarantine/{enquiry}");
    let stale = desk.opens(&path).await.is(200);
    let list = desk.opens("/console/quarantine").await.is(200);
    let _ = maria.submits(&stale, &format!("{path}/reject"), &[]).await.is(403);
    let hers = maria.opens(&path).await.is(200);
    let _ = maria.submits(&hers, &format!("{path}/reject"), &[]).await.is(303);

    let refused = desk.submits(&stale, &format!("{path}/release"), &[]).await.is(409);
    assert!(refused.text.contains("rejected by maria") && refused.text.contains("This was not done"));
    let many = "/console/quarantine/many";
    let every = [("every", "on"), ("act", "release")];
    let look = desk.submits(&list, many, &every).await.is(200);
    assert!(look.text.contains("1 would stay as they are") && look.text.contains("rejected by maria"));
    let sure = [("every", "on"), ("act", "release"), ("sure", "yes")];
    let done = desk.submits(&list, many, &sure).await.is(303);
    assert!(desk.opens(done.header("location")).await.is(200).text.contains("0 released. 1 stayed"));
    yard.settle().await;
    assert_eq!(told(&yard, &enquiry).await["status"], "rejected");
    // Who looks again may release it all the same.
    let fresh = desk.opens(&path).await.is(200);
    let _ = desk.submits(&fresh, &format!("{path}/release"), &[]).await.is(303);
    assert_eq!(told(&yard, &enquiry).await["status"], "received");

    // What was typed for a verdict that came second stands where its form stood.
    let enquiry = aside(&yard, "web", &doubtful(2)).await;
    let path = format!("/console/quarantine/{enquiry}");
    let stale = desk.opens(&path).await.is(200);
    let hers = maria.opens(&path).await.is(200);
    let _ = maria.submits(&hers, &format!("{path}/release"), &[]).await.is(303);
    let why = [("reason", "she never asked")];
    let refused = desk.submits(&stale, &format!("{path}/reject"), &why).await.is(409);
    for told in ["released by maria", "You typed: she never asked"] {
        assert!(refused.text.contains(told), "{told}: {}", refused.text);
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_put_right_in_an_enquiry_that_was_released_meanwhile_is_shown_again() {
    let yard = yard().await;
    let person = doubtful(1).with("city", "Miami").with("zip", "33101").with("message", "Two\nlines");
    let enquiry = aside(&yard, "web", &person).await;
    let token = DeskToken { staff: "maria".to_owned(), companies: vec![yard.company_id()] };
    let (desk, maria) =
        (Browser::of(&yard).await, Browser::with(&yard, &yard.cloud.master.mint(&token)).await);
    let path = format!("/console/quarantine/{enquiry}");
    let (edit, show) = (format!("{path}/edit"), format!("{path}/show"));
    let opened = async |browser: &Browser<'_>| {
        let page = browser.opens(&path).await.is(200);
        browser.submits(&page, &show, &[]).await.is(200)
    };
    let (mine, hers) = (opened(&desk).await, opened(&maria).await);
    // She has put the city right, and released it.
    let _ = maria.submits(&hers, &edit, &[("city", "Miami Beach")]).await.is(303);
    let typed = [
        ("phone", "305-555-0177"),
        ("zip", ""),
        ("message", "Three\r\nlines <b>"),
        ("offer", "gutter"),
        ("reason", "asked by phone"),
    ];
    let refused = desk.submits(&mine, &edit, &typed).await.is(409);
    for told in [
        "This was not done: the enquiry was released already",
        "released by maria",
        "You typed: asked by phone",
        "<dt>You typed: Phone</dt><dd class=\"lines\">305-555-0177</dd>",
        "<dt>You typed: ZIP</dt><dd class=\"lines\">nothing</dd>",
        "<dt>You typed: Message</dt><dd class=\"lines\">Three\nlines &#60;b&#62;</dd>",
        "<dt>You typed: Offer</dt><dd class=\"lines\">gutter</dd>",
    ] {
        assert!(refused.text.contains(told), "{told} is not in {}", refused.text);
    }
    // What was left as it came was not typed.
    assert_eq!(refused.text.matches("<dt>You typed").count(), 4, "{}", refused.text);
    assert!(!refused.text.contains(&format!("action=\"{edit}\"")), "there is nothing to put right any more");
    let told = told(&yard, &enquiry).await;
    assert!(told["edited"].as_array().unwrap().contains(&json!(["city", "Miami Beach"])), "{told}");
}

#[tokio::test(start_paused = true)]
async fn of_a_release_and_a_rejection_at_one_moment_one_stands_and_the_other_is_told() {
    for by_page in [true, false] {
        let yard = yard().await;
        let enquiry = aside(&yard, "web", &doubtful(1)).await;
        let desk = Browser::of(&yard).await;
        let path = format!("/console/quarantine/{enquiry}");
        let page = desk.opens(&path).await.is(200);
        // The release has read everything; before it is written, somebody rejects.
        let held = yard.faults.hold_commit();
        let release = async {
            if by_page {
                desk.submits(&page, &format!("{path}/release"), &[]).await
            } else {
                yard.desk(Method::POST, &format!("/v1/quarantine/{enquiry}/release"), None).await
            }
        };
        let reject = async {
            held.arrives().await;
            let path = format!("/v1/quarantine/{enquiry}/reject");
            let _ = yard.desk(Method::POST, &path, None).await.is(200);
            held.let_go();
        };
        let (released, ()) = tokio::join!(release, reject);
        let _ = released.is(409);
        yard.settle().await;
        let told = told(&yard, &enquiry).await;
        assert_eq!((&told["status"], &told["lead"]), (&json!("rejected"), &Value::Null));
    }
}

#[tokio::test(start_paused = true)]
async fn many_are_decided_at_once_after_a_look_and_each_reason_says_how_often_it_was_right() {
    let yard = yard().await;
    let mut waiting = Vec::new();
    for n in 1..=4 {
        waiting.push(aside(&yard, "web", &doubtful(n)).await);
    }
    waiting.push(aside(&yard, "bare", &Person::named("Bea", "Moss").with("phone", "305-555-0199")).await);
    let desk = Browser::of(&yard).await;
    let many = "/console/quarantine/many";
    let list = desk.opens("/console/quarantine").await.is(200);
    let nothing = desk.submits(&list, many, &[("act", "reject")]).await.is(303);
    assert!(desk.opens(nothing.header("location")).await.is(200).text.contains("Nothing was chosen"));

    let ticked = [format!("one.{}", waiting[0]), format!("one.{}", waiting[4])];
    let ticked = [(ticked[0].as_str(), "quarantined"), (&ticked[1], "quarantined"), ("act", "release")];
    let look = desk.submits(&list, many, &ticked).await.is(200);
    assert!(look.text.contains("1 would be released") && look.text.contains("1 would stay as they are"));
    assert!(look.text.contains("unknown offer"), "{}", look.text);
    assert_eq!(told(&yard, &waiting[0]).await["status"], "quarantined", "a look changes nothing");
    let done = desk.submits(&look, many, &[]).await.is(303);
    assert!(desk.opens(done.header("location")).await.is(200).text.contains("1 released."));
    // Sent again, it is done already.
    let again = desk.submits(&look, many, &[]).await.is(303);
    assert!(desk.opens(again.header("location")).await.is(200).text.contains("1 released."));

    let spam = desk.opens("/console/quarantine?reason=disposable_email").await.is(200);
    let look = desk.submits(&spam, many, &[("every", "on"), ("act", "reject")]).await.is(200);
    assert!(look.text.contains("3 would be rejected"), "{}", look.text);
    let done = desk.submits(&look, many, &[("reason", "one robot")]).await.is(303);
    assert!(desk.opens(done.header("location")).await.is(200).text.contains("3 rejected."));
    for enquiry in &waiting[1..4] {
        let told = told(&yard, enquiry).await;
        assert_eq!((&told["status"], &told["judged"]["said"]), (&json!("rejected"), &json!("one robot")));
    }
    assert_eq!(told(&yard, &waiting[4]).await["status"], "quarantined", "another reason's is left alone");
    let (reasons, reads) = desk.reads("/console/quarantine/reasons").await;
    assert!(reads <= READS);
    let row = reasons.text.split("<tr>").find(|row| row.contains("disposable email")).unwrap();
    for figure in ["\"right\">3<", "\"wrong\">1<", "25 %"] {
        assert!(row.contains(figure), "{figure} not in {row}");
    }
}

#[tokio::test(start_paused = true)]
async fn another_company_s_enquiry_is_there_for_nobody_and_names_are_text() {
    let yard = yard().await;
    let person = doubtful(1).with("first_name", HOSTILE).with("message", HOSTILE).with("city", HOSTILE);
    let enquiry = aside(&yard, "web", &person).await;
    let desk = Browser::of(&yard).await;
    let path = format!("/console/quarantine/{enquiry}");
    let list = desk.opens("/console/quarantine").await.is(200);
    let page = desk.opens(&path).await.is(200);
    let shown = desk.submits(&page, &format!("{path}/show"), &[]).await.is(200);
    let look = desk.submits(&list, "/console/quarantine/many", &[("every", "on"), ("act", "reject")]).await;
    let typed = [("first_name", HOSTILE), ("phone", "1"), ("email", "x"), ("reason", HOSTILE)];
    let refused = desk.submits(&shown, &format!("{path}/edit"), &typed).await;
    for page in [&list, &page, &shown, &look, &refused] {
        is_harmless(page);
    }
    assert!(refused.text.contains("&#60;script&#62;"));

    let other = yard.also(Rules::roofing("other").seller("hudson", [])).await;
    let theirs = Browser::of(&other).await;
    let csrf = theirs.csrf().await;
    for path in [path.clone(), format!("{path}/next"), "/console/quarantine?company=acme".to_owned()] {
        let _ = theirs.opens(&path).await.is(404);
    }
    for act in ["show", "release", "reject", "edit"] {
        let _ = theirs.sends(&format!("{path}/{act}"), &csrf).await.is(404);
    }
    let many = format!("{csrf}&company=other&act=reject&sure=yes&one.{enquiry}=quarantined");
    let done = theirs.sends("/console/quarantine/many", &many).await.is(303);
    assert!(done.header("location").contains("count=0"), "{}", done.header("location"));
    let _ = theirs.sends("/console/quarantine/many", &many.replace("=other", "=acme")).await.is(404);
    assert_eq!(told(&yard, &enquiry).await["status"], "quarantined");
    // Without the word of the session nothing is done.
    let _ = desk.sends(&format!("{path}/release"), "csrf=guessed").await.is(403);
    assert_eq!(told(&yard, &enquiry).await["status"], "quarantined");
}
