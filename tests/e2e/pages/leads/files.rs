//! A list as a table: file by file, each lead once, with who they are only when it is asked for, and the asking is kept.

use std::collections::BTreeSet;
use std::time::Duration;

use leadyard_tests::{Browser, Person, Reply, Rules, Yard};
use serde_json::{Value, json};

use super::{EXPORT, MANY, exports, is_download, link, listed, says, waits, yard};
use crate::pages::names_nobody;

#[tokio::test(start_paused = true)]
async fn a_list_is_taken_as_a_table_file_by_file_and_the_asking_is_kept() {
    let yard = yard("10").await;
    let mut all = BTreeSet::new();
    for n in 1..=5 {
        let _ = all.insert(waits(&yard, n).await);
    }
    let desk = Browser::of(&yard).await;
    let list = desk.opens("/console/leads?list=waiting").await.is(200);
    let mut page = desk.opens(&link(&list, "as a table").unwrap()).await.is(200);
    says(&page, &["File 1", "waiting"]);
    assert_eq!(exports(&yard).await.len(), 0, "a look at the page takes nothing");
    let mut found = Vec::new();
    // A file is asked for after another.
    for (part, says_then) in [
        (1, "2 leads are in your files so far. More follow."),
        (2, "4 leads are in your files so far. More follow."),
        (3, "That is all of them: 5 leads in 3 files."),
    ] {
        let file = desk.submits(&page, EXPORT, &[("most", "2")]).await.is(200);
        is_download(&file, &format!("leads-acme-waiting-{part}.csv"));
        names_nobody(&file, &["@", "5550101", "Hill"]);
        assert!(file.text.starts_with("lead,company,category,offer,"), "{}", file.text);
        found.extend(file.text.lines().skip(1).map(|row| row.split(',').next().unwrap().to_owned()));
        yard.advance(Duration::from_secs(5)).await;
        page = desk.opens(&link(&page, "go on").unwrap()).await.is(200);
        says(&page, &[says_then]);
    }
    assert_eq!((found.len(), found.into_iter().collect::<BTreeSet<_>>()), (5, all));
    let asked = exports(&yard).await;
    assert_eq!(asked.len(), 3);
    for act in &asked {
        assert_eq!((&act["by"], &act["after"]["who"]), (&json!("desk"), &json!(false)), "{act}");
    }
    let _ = desk.submits(&desk.opens(EXPORT).await.is(200), EXPORT, &[("most", "0")]).await.is(400);
    assert_eq!(exports(&yard).await.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_only_begun_stands_among_the_changes_and_is_offered_again() {
    let yard = yard("10").await;
    for n in 1..=3 {
        let _ = waits(&yard, n).await;
    }
    let desk = Browser::of(&yard).await;
    let mut page = desk.opens("/console/leads/export?list=waiting").await.is(200);
    let typed = [("most", "2"), ("who", "on")];
    // Whose asking cannot be kept is given nothing.
    let keeps = yard.faults.hold("BatchGetItem");
    let (refused, ()) = tokio::join!(desk.submits(&page, EXPORT, &typed), async {
        keeps.arrives().await;
        yard.faults.table(true);
        keeps.let_go();
    });
    yard.faults.table(false);
    let refused = refused.is(503);
    assert!(!refused.text.contains("lead,company"), "{}", refused.text);
    assert_eq!(exports(&yard).await.len(), 0);
    for (part, so_far, asked_by_then) in [(1, 0, 1), (2, 2, 3)] {
        let keeps = yard.faults.hold_commit();
        let (file, begun) = tokio::join!(desk.submits(&page, EXPORT, &typed), async {
            keeps.arrives().await;
            let writes = yard.faults.hold_commit();
            keeps.let_go();
            // It is not over yet; whoever breaks it off now has asked for it.
            writes.arrives().await;
            let asked = exports(&yard).await;
            assert_eq!(asked.len(), asked_by_then);
            let begun = asked.iter().filter(|act| act["after"]["ended"] == false);
            let begun: Vec<&Value> = begun.map(|act| &act["after"]["who"]).collect();
            assert_eq!(begun, [&json!(true)]);
            let begun = desk.opens(&link(&page, "go on").unwrap()).await.is(200);
            writes.let_go();
            begun
        });
        // The same file is offered, from where it began.
        let offered = [
            format!("File {part} is being written still, or broke off"),
            format!("<h2>File {part}<"),
            format!("name=\"so_far\" value=\"{so_far}\""),
        ];
        says(&begun, &offered.each_ref().map(String::as_str));
        yard.advance(Duration::from_secs(5)).await;
        let again = desk.submits(&begun, EXPORT, &typed).await.is(200);
        assert_eq!(again.text, file.text);
        is_download(&again, &format!("leads-acme-waiting-{part}.csv"));
        yard.advance(Duration::from_secs(5)).await;
        page = desk.opens(&link(&page, "go on").unwrap()).await.is(200);
    }
    says(&page, &["That is all of them: 3 leads in 2 files."]);
}

/// An answer that comes before API Gateway gives it up.
async fn in_time(yard: &Yard, answers: impl Future<Output = Reply>) -> Reply {
    let began = yard.cloud.clock.now();
    let reply = answers.await;
    let took = yard.cloud.clock.now().duration_since(began).as_secs();
    assert!(took < 29, "it takes {took} s");
    reply
}

#[tokio::test(start_paused = true)]
async fn a_long_list_ends_in_time_and_goes_on_where_it_ended() {
    let yard = yard("10").await;
    let mut all = BTreeSet::new();
    for n in 0..1_300 {
        let person = Person::number(n).with("offer", "gutter");
        all.insert(yard.server("web2").posts(&person).await.is(201).text_of("lead").to_owned());
    }
    let desk = Browser::of(&yard).await;
    let export = desk.opens("/console/leads/export?list=source:web2").await.is(200);
    let far = "act=hold&whole=on&list=company%3Dacme%26list%3Dsource%3Aweb2%26state%3DWY";
    let far = format!("{far}&{}", desk.csrf().await);
    // A table that is as slow as a busy one may be.
    yard.faults.slow(Duration::from_millis(1_500));
    let file = in_time(&yard, desk.submits(&export, EXPORT, &[])).await.is(200);
    let begun = in_time(&yard, desk.sends(MANY, &far)).await.is(303);
    yard.faults.slow(Duration::ZERO);
    let look = desk.opens(begun.header("location")).await.is(200);
    says(&look, &["None of them would be held", "More stand behind them", "Look at those behind these"]);
    let leads = |file: &Reply| -> Vec<String> {
        let rows = file.text.lines().skip(1).map(|row| row.split(',').next().unwrap().to_owned());
        rows.collect()
    };
    let mut found = leads(&file);
    assert!((100..1_300).contains(&found.len()), "{} leads", found.len());
    let page = desk.opens(&link(&export, "go on").unwrap()).await.is(200);
    let so_far = format!("{} leads are in your files so far. More follow.", found.len());
    says(&page, &[&so_far, "<h2>File 2<"]);
    // The next begins where it ended.
    found.extend(leads(&desk.submits(&page, EXPORT, &[]).await.is(200)));
    assert_eq!(found.len(), 1_300);
    assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), all);
}

#[tokio::test(start_paused = true)]
async fn who_asked_twice_is_once_in_a_file_and_who_asked_long_ago_is_in_the_first_look() {
    let yard = yard("10").await;
    let lead = waits(&yard, 1).await;
    yard.advance(Duration::from_secs(40 * 86_400)).await;
    let person = Person::number(1).with("phone", "305-555-0101").with("message", "once more");
    let again = yard.server("web2").posts(&person).await;
    assert_eq!(again.text_of("lead"), lead, "{}", again.text);
    yard.settle().await;
    let desk = Browser::of(&yard).await;
    let page = desk.opens("/console/leads/export?list=source:web2").await.is(200);
    let file = desk.submits(&page, EXPORT, &[]).await.is(200);
    assert_eq!(file.text.matches(&lead).count(), 1, "{}", file.text);
    yard.advance(Duration::from_secs(400 * 86_400)).await;
    let desk = Browser::of(&yard).await;
    let page = desk.opens("/console/leads?list=source:web2").await.is(200);
    assert_eq!(listed(&page), [lead.as_str()]);
    let whole = "act=hold&whole=on&list=company%3Dacme%26list%3Dsource%3Aweb2";
    let begun = desk.sends(MANY, &format!("{whole}&{}", desk.csrf().await)).await.is(303);
    let look = crate::pages::many::looked_at_all(&desk, begun.header("location")).await;
    says(&look, &[&lead]);
}

#[tokio::test(start_paused = true)]
async fn who_they_are_is_in_the_table_when_it_is_asked_for_and_a_formula_is_text() {
    let yard = yard("10").await;
    let person = Person::named("Ada", "Hill").with("phone", "305-555-0100").with("utm_campaign", "=1+1");
    let _ = yard.server("web2").posts(&person).await.is(201);
    yard.settle().await;
    let desk = Browser::of(&yard).await;
    let page = desk.opens("/console/leads/export?list=waiting").await.is(200);
    let file = desk.submits(&page, EXPORT, &[("who", "on")]).await.is(200);
    says(
        &file,
        &["first_name,last_name,email,phone", "Ada,Hill,ada.hill@mail.example,+13055550100", ",'=1+1,"],
    );
    let asked = exports(&yard).await;
    assert_eq!(
        (asked.len(), &asked[0]["after"]["who"], &asked[0]["after"]["so_far"]),
        (1, &json!(true), &json!(1))
    );
    // Another company's list is nobody's, and nothing of it is kept.
    let other = yard.also(Rules::roofing("other").seller("hudson", [])).await;
    let theirs = Browser::of(&other).await;
    let _ = theirs.opens("/console/leads/export?company=acme").await.is(404);
    let form = format!("{}&who=on&list=company%3Dacme%26list%3Dwaiting", theirs.csrf().await);
    let _ = theirs.sends(EXPORT, &form).await.is(404);
    let _ = desk.sends(EXPORT, "list=company%3Dacme%26list%3Dwaiting").await.is(403);
    assert_eq!(exports(&yard).await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn every_table_is_a_file_with_a_name_that_is_kept_nowhere() {
    let yard = yard("10").await;
    let desk = Browser::of(&yard).await;
    let report = desk.opens("/console/reports/leads/table.csv?from=2026-05-01&to=2026-05-31").await.is(200);
    is_download(&report, "leads-acme-2026-05-01-2026-05-31.csv");
    let statement = desk.opens("/console/dealers/acme/hudson/statement.csv?month=2026-06").await.is(200);
    is_download(&statement, "statement-acme-hudson-2026-06.csv");
    let dealer = Browser::of_dealer(&yard, "hudson").await;
    let own = dealer.opens("/console/inbox/statement.csv?month=2026-06").await.is(200);
    is_download(&own, "statement-hudson-2026-06.csv");
}
