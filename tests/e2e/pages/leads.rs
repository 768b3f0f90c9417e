//! Lists of leads: one act on many after a look, a slice at a time; all of a dealer's; a list as a table.

use std::collections::BTreeSet;
use std::time::Duration;

use http::Method;
use leadyard_tests::{Browser, Person, Reply, Rules, Yard};
use serde_json::{Value, json};

use super::today::counts_all;
use super::{HOSTILE, READS, is_harmless, names_nobody};

/// What asks for a gutter is placed by hand, at hudson's; a roof is sun's at once.
pub(super) async fn yard(most: &str) -> Yard {
    let rules = Rules::roofing("acme")
        .offer("gutter", "roofing", "mode = \"manual\"")
        .source("web2", "offer = \"gutter\"")
        .seller("hudson", [("offers", "gutter"), ("cap_total", most), ("price", "45.00")])
        .seller("sun", [("offers", "roof")]);
    Yard::of(rules).await
}

pub(super) async fn waits(yard: &Yard, n: usize) -> String {
    let person = Person::number(n).with("phone", &format!("305-555-01{n:02}"));
    let lead = yard.server("web2").posts(&person).await.is(201).text_of("lead").to_owned();
    yard.settle().await;
    lead
}

pub(super) const MANY: &str = "/console/leads/many";
pub(super) const EXPORT: &str = "/console/leads/export";
const OF_WEB2: &str = "/console/leads?list=source:web2";

pub(super) fn says(page: &Reply, words: &[&str]) {
    for word in words {
        assert!(page.text.contains(word), "{word} is not in {}", page.text);
    }
}

pub(super) async fn acts(yard: &Yard, lead: &str, act: &str, body: Value) -> Reply {
    yard.desk(Method::POST, &format!("/v1/leads/{lead}/{act}"), Some(body)).await
}

pub(super) async fn times(yard: &Yard, lead: &str, act: &str) -> usize {
    yard.story(lead).await.list("history").filter(|one| one["act"] == act).count()
}

/// Leads of a list's page, in its order.
pub(super) fn listed(page: &Reply) -> Vec<String> {
    let links = page.text.split("<th scope=\"row\"><a href=\"/console/leads/").skip(1);
    links.map(|link| link.split(['?', '"']).next().unwrap().to_owned()).collect()
}

/// Where a link with these words leads.
pub(super) fn link(page: &Reply, words: &str) -> Option<String> {
    let link =
        page.text.split("<a href=\"").find(|link| link.split("</a>").next().unwrap().contains(words))?;
    link.split('"').next().map(|to| to.replace("&#38;", "&"))
}

#[tokio::test(start_paused = true)]
async fn many_are_held_and_resumed_after_a_look_that_says_who_stays_and_why() {
    let yard = yard("10").await;
    let (first, second, sold) = (waits(&yard, 1).await, waits(&yard, 2).await, waits(&yard, 3).await);
    let _ = acts(&yard, &sold, "place", json!({ "contract": "hudson" })).await.is(200);
    yard.settle().await;
    let desk = Browser::of(&yard).await;
    let page = desk.opens(OF_WEB2).await.is(200);
    let nothing = desk.submits(&page, MANY, &[("act", "hold")]).await.is(303);
    says(&desk.opens(nothing.header("location")).await.is(200), &["Nothing was chosen"]);
    let look = desk.submits(&page, MANY, &[("every", "on"), ("act", "hold")]).await.is(200);
    says(&look, &["2 would be held", "1 would stay as they are", "only a lead that nobody has can be held"]);
    assert!(yard.stored(&first).await.hold.is_none(), "a look changes nothing");
    names_nobody(&look, &["@", "5550101"]);
    // A second click finds each as the first left it.
    for _ in 0..2 {
        let typed = [("reason", "a storm"), ("until", "2026-06-02T09:00")];
        let done = desk.submits(&look, MANY, &typed).await.is(303);
        says(&desk.opens(done.header("location")).await.is(200), &["2 held."]);
    }
    for lead in [&first, &second] {
        let until = yard.stored(lead).await.hold.unwrap().until.unwrap();
        assert_eq!(until.to_string(), "2026-06-02T13:00:00Z");
        assert_eq!(times(&yard, lead, "hold").await, 1);
    }
    let held = yard.story(&first).await;
    assert_eq!(held.list("history").next().unwrap()["reason"], "a storm");
    // One alone is resumed.
    let one = format!("one.{first}");
    let look = desk.submits(&page, MANY, &[(&one, "on"), ("act", "resume")]).await.is(200);
    says(&look, &["1 would go to distribution"]);
    let _ = desk.submits(&look, MANY, &[]).await.is(303);
    assert!(yard.stored(&first).await.hold.is_none() && yard.stored(&second).await.hold.is_some());
    let _ = desk.submits(&page, MANY, &[("every", "on"), ("act", "erase")]).await.is(400);
}

#[tokio::test(start_paused = true)]
async fn many_are_placed_as_recommended_and_taken_back() {
    let yard = yard("2").await;
    let mut leads = Vec::new();
    for n in 1..=3 {
        leads.push(waits(&yard, n).await);
    }
    let desk = Browser::of(&yard).await;
    // A list that nobody is on is told from one of whose leads none is as asked.
    let nobody = desk.opens("/console/leads?list=won").await.is(200);
    says(&nobody, &["No lead is on this list."]);
    let elsewhere = desk.opens("/console/leads?list=waiting&state=AK").await.is(200);
    says(&elsewhere, &["None of the 3 leads looked at is such a one."]);
    assert!(!elsewhere.text.contains("0 shown"), "{}", elsewhere.text);
    let page = desk.opens("/console/leads?list=waiting").await.is(200);
    let look = desk.submits(&page, MANY, &[("every", "on"), ("act", "place")]).await.is(200);
    says(
        &look,
        &["2 would go, for 90.00 USD", "to hudson (hudson) for 45.00 USD", "1 would stay as they are"],
    );
    for _ in 0..2 {
        let done = desk.submits(&look, MANY, &[]).await.is(303);
        says(&desk.opens(done.header("location")).await.is(200), &["2 placed."]);
    }
    yard.settle().await;
    assert_eq!(yard.taken("hudson", 4).await, 2);
    let page = desk.opens("/console/leads?list=dealer:hudson").await.is(200);
    let held = listed(&page);
    assert_eq!(held.len(), 2);
    let look = desk.submits(&page, MANY, &[("every", "on"), ("act", "take_back")]).await.is(200);
    says(&look, &["2 would be taken back", "from hudson, who is told first"]);
    // One is given back by its dealer meanwhile, and the desk gives it to nobody else's harm.
    let _ = yard.answers("hudson", &held[0], "decline").await.is(200);
    yard.settle().await;
    let done = desk.submits(&look, MANY, &[]).await.is(303);
    says(&desk.opens(done.header("location")).await.is(200), &["1 taken back. 1 stayed as they are"]);
    yard.settle().await;
    for lead in &leads {
        assert_eq!(yard.story(lead).await.holders(), [""; 0]);
    }
    assert_eq!(
        (times(&yard, &held[0], "take_back").await, times(&yard, &held[1], "take_back").await),
        (0, 1)
    );
}

/// A lead of two seats, either of which may be returned.
async fn two_seats() -> (Yard, String, Vec<String>) {
    let seat = [
        ("sale", "shared:2"),
        ("return_days", "7"),
        ("return_quota", "10%"),
        ("return_reasons", "wrong-number"),
    ];
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", seat).seller("ridge", seat)).await;
    let lead = yard.settled_lead(&Person::number(1)).await;
    let holders: Vec<String> =
        yard.story(&lead).await.holders().iter().map(|holder| (*holder).to_owned()).collect();
    assert_eq!(holders.len(), 2);
    (yard, lead, holders)
}

const ASSIGNED: &str = "/console/leads?list=assigned";

#[tokio::test(start_paused = true)]
async fn of_two_seats_both_are_taken_back_or_none() {
    let (yard, lead, holders) = two_seats().await;
    let desk = Browser::of(&yard).await;
    let page = desk.opens(ASSIGNED).await.is(200);
    let looked = desk.submits(&page, MANY, &[("every", "on"), ("act", "take_back")]).await.is(200);
    says(&looked, &["1 would be taken back"]);
    // The second asks to return it: nor is the first taken back, and a look says so.
    let asks = Some(json!({ "reason": "wrong-number" }));
    let _ = yard.answers_with(&holders[1], &lead, "return", asks).await.is(200);
    let stays = desk.submits(&page, MANY, &[("every", "on"), ("act", "take_back")]).await.is(200);
    says(&stays, &["None of them would be taken back", "its dealer asks to return it"]);
    let done = desk.submits(&looked, MANY, &[]).await.is(303);
    says(&desk.opens(done.header("location")).await.is(200), &["0 taken back. 1 stayed as they are"]);
    let _ = acts(&yard, &lead, "take_back", json!({})).await.is(409);
    yard.settle().await;
    assert_eq!(yard.story(&lead).await.holders(), holders);
    assert_eq!(times(&yard, &lead, "take_back").await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_take_back_that_broke_off_between_two_seats_is_gone_on_with_by_the_same_form() {
    let (yard, lead, _) = two_seats().await;
    let desk = Browser::of(&yard).await;
    let page = desk.opens(ASSIGNED).await.is(200);
    let look = desk.submits(&page, MANY, &[("every", "on"), ("act", "take_back")]).await.is(200);
    let first = yard.faults.hold_commit();
    let _ = tokio::join!(desk.submits(&look, MANY, &[]), async {
        first.arrives().await;
        yard.faults.table(true);
        first.let_go();
    });
    yard.faults.table(false);
    assert_eq!(times(&yard, &lead, "take_back").await, 1, "it broke off between the two");
    for _ in 0..2 {
        let done = desk.submits(&look, MANY, &[]).await.is(303);
        says(&desk.opens(done.header("location")).await.is(200), &["1 taken back."]);
        assert_eq!(times(&yard, &lead, "take_back").await, 2, "and a second click is the first");
    }
    // The first was not handed on: the sweep finds it.
    yard.advance(Duration::from_secs(120)).await;
    let story = yard.story(&lead).await;
    assert_eq!(story.assignments().iter().filter(|(_, state)| *state == "withdrawn").count(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_changed_since_the_look_stays_and_is_counted_so() {
    let yard = yard("10").await;
    let (first, second) = (waits(&yard, 1).await, waits(&yard, 2).await);
    let desk = Browser::of(&yard).await;
    let page = desk.opens("/console/leads?list=waiting").await.is(200);
    let look = desk.submits(&page, MANY, &[("every", "on"), ("act", "place")]).await.is(200);
    says(&look, &["2 would go"]);
    let _ = acts(&yard, &first, "hold", json!({ "reason": "I call them" })).await.is(200);
    let done = desk.submits(&look, MANY, &[]).await.is(303);
    says(&desk.opens(done.header("location")).await.is(200), &["1 placed. 1 stayed as they are"]);
    yard.settle().await;
    assert_eq!(yard.story(&first).await.holders(), [""; 0]);
    assert_eq!(yard.story(&second).await.holders(), ["hudson"]);
    // Of another company nobody is looked at, and nothing is done.
    let other = yard.also(Rules::roofing("other").seller("hudson", [])).await;
    let theirs = Browser::of(&other).await;
    let csrf = theirs.csrf().await;
    let form = format!("{csrf}&act=resume&list=company%3Dother&one.{first}=on");
    let looked = theirs.sends(MANY, &form).await.is(200);
    assert!(!looked.text.contains(&first), "{}", looked.text);
    let done = theirs.sends(MANY, &format!("{form}&sure=yes&seen.{first}=null")).await.is(303);
    assert!(done.header("location").contains("count=0"), "{}", done.header("location"));
    let _ = theirs.sends(MANY, &form.replace("Dother", "Dacme")).await.is(404);
    assert!(yard.stored(&first).await.hold.is_some());
}

#[tokio::test(start_paused = true)]
async fn all_that_a_dealer_has_is_listed_page_by_page_and_what_it_had() {
    let yard = yard("10").await;
    let mut all = BTreeSet::new();
    for n in 1..=120 {
        let _ = all.insert(yard.settled_lead(&Person::number(n)).await);
    }
    let gone = all.iter().next().unwrap().clone();
    let _ = yard.answers("sun", &gone, "decline").await.is(200);
    yard.settle().await;
    let _ = all.remove(&gone);
    let desk = Browser::of(&yard).await;
    let (mut next, mut found) = (Some("/console/leads?list=dealer:sun".to_owned()), Vec::new());
    while let Some(path) = next {
        let (page, reads) = desk.reads(&path).await;
        assert!(reads <= READS, "{reads} reads");
        found.extend(listed(&page));
        next = link(&page, "Further down");
    }
    assert_eq!((found.len(), found.into_iter().collect::<BTreeSet<_>>()), (119, all.clone()));
    let past = desk.opens("/console/leads?list=past:sun").await.is(200);
    assert_eq!(listed(&past), [gone]);
    // As a table it is one file, though it is read a hundred at a time.
    let page = desk.opens("/console/leads/export?list=dealer:sun").await.is(200);
    let file = desk.submits(&page, EXPORT, &[]).await.is(200);
    is_download(&file, "leads-acme-dealer-sun-1.csv");
    let rows: BTreeSet<String> =
        file.text.lines().skip(1).map(|row| row.split(',').next().unwrap().to_owned()).collect();
    assert_eq!((file.text.lines().count(), &rows), (120, &all));
    // Who asks for what a filter takes none of is not told so one by one.
    let page = desk.opens("/console/leads/export?list=assigned&state=TX").await.is(200);
    let _ = yard.faults.calls();
    let file = desk.submits(&page, EXPORT, &[]).await.is(200);
    assert_eq!(file.text.lines().count(), 1);
    let queries = yard.faults.calls()["Query"];
    assert!(queries < 20, "{queries} queries for a list of 119");
    // The API goes the same way.
    let (mut asked, mut found) = (json!({ "dealer": "sun", "limit": 50 }), BTreeSet::new());
    loop {
        let reply = yard.desk(Method::POST, "/v1/leads/search", Some(asked.clone())).await.is(200);
        let leads = reply.json["leads"].as_array().unwrap().clone();
        found.extend(leads.iter().map(|lead| lead["lead"].as_str().unwrap().to_owned()));
        asked["after"] = reply.json["next"].clone();
        if asked["after"].is_null() {
            break;
        }
    }
    assert_eq!(found, all);
    let invented = json!({ "dealer": "hudson", "after": "[\"x\"]" });
    let _ = yard.desk(Method::POST, "/v1/leads/search", Some(invented)).await.is(400);
}

#[tokio::test(start_paused = true)]
async fn a_source_s_leads_stand_by_time_or_by_score_and_the_company_stays_after_a_search() {
    let yard = yard("10").await;
    let hot = waits(&yard, 1).await;
    let did = json!({ "id": "q1", "kind": "quote_request", "at": "2026-06-01T15:00:00Z", "lead": hot });
    let _ = yard.server("web2").reports(did).await.is(202);
    yard.settle().await;
    yard.advance(Duration::from_secs(60)).await;
    let late = waits(&yard, 2).await;
    let desk = Browser::of(&yard).await;
    let by_time = desk.opens(OF_WEB2).await.is(200);
    assert_eq!(listed(&by_time), [late.clone(), hot.clone()]);
    says(&by_time, &["who asked last first"]);
    let by_score = desk.opens(&format!("{OF_WEB2}&order=score")).await.is(200);
    assert_eq!(listed(&by_score), [hot.clone(), late]);
    says(&by_score, &["the highest score first"]);

    let csrf = desk.csrf().await;
    let nobody = format!("{csrf}&company=acme&who=nobody%40mail.example");
    let found = desk.sends("/console/leads", &nobody).await.is(200);
    assert_eq!(link(&found, "Lists of leads").as_deref(), Some("/console/leads?company=acme"));
    let page = desk.opens(&format!("/console/leads/{hot}")).await.is(200);
    assert_eq!(link(&page, "Leads").as_deref(), Some("/console/leads"), "the section");
    says(&page, &["<p class=\"crumb\"><a href=\"/console/leads?company=acme\">Leads</a>"]);
}

pub(super) fn is_download(file: &Reply, name: &str) {
    assert!(file.header("content-type").starts_with("text/csv"), "{}", file.header("content-type"));
    assert_eq!(file.header("cache-control"), "no-store");
    assert_eq!(file.header("x-content-type-options"), "nosniff");
    assert_eq!(file.header("content-disposition"), format!("attachment; filename=\"{name}\""));
}

/// What was asked of exports, the newest first.
pub(super) async fn exports(yard: &Yard) -> Vec<Value> {
    let changes = yard.desk(Method::GET, "/v1/changes", None).await.is(200).json;
    let changes = changes["changes"].as_array().unwrap().clone();
    changes.into_iter().filter(|act| act["act"] == "export_leads").collect()
}

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
    let look = super::many::looked_at_all(&desk, begun.header("location")).await;
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

#[tokio::test(start_paused = true)]
async fn names_in_a_list_and_a_look_are_text() {
    let yard = yard("10").await;
    let person = Person::number(1).with("first_name", HOSTILE).with("city", HOSTILE);
    let aside = yard.server("web2").posts(&person).await.is(202).text_of("enquiry").to_owned();
    let release = format!("/v1/quarantine/{aside}/release");
    let _ = yard.desk(Method::POST, &release, None).await.is(200);
    yard.settle().await;
    let desk = Browser::of(&yard).await;
    let page = desk.opens("/console/leads?list=waiting&state=%22%3E%3Cscript%3E").await.is(200);
    is_harmless(&page);
    let page = desk.opens("/console/leads?list=waiting").await.is(200);
    let look = desk.submits(&page, MANY, &[("every", "on"), ("act", "hold")]).await.is(200);
    says(&look, &["&#60;script&#62;"]);
    is_harmless(&page);
    is_harmless(&look);
}

#[tokio::test(start_paused = true)]
async fn a_filter_that_takes_nobody_reads_no_more_than_a_page_may() {
    let yard = yard("10").await;
    for n in 1..=180 {
        let person = Person::number(n).with("phone", &format!("305-555-{n:04}"));
        let _ = yard.server("web2").posts(&person).await.is(201);
    }
    yard.settle().await;
    let desk = Browser::of(&yard).await;
    for only in ["state=WY", "held=yes", "offer=roof"] {
        let (page, reads) = desk.reads(&format!("/console/leads?list=waiting&{only}")).await;
        assert!(reads <= READS, "{only}: {reads} reads");
        assert!(listed(&page).is_empty(), "{only}: {}", page.text);
        says(&page, &["180", "looked at"]);
    }
}

#[tokio::test(start_paused = true)]
async fn of_the_hottest_of_many_lists_no_more_are_looked_at_than_may_be_shown() {
    let categories = ["gutters", "pools", "fences", "decks", "doors"];
    let mut rules = Rules::roofing("acme").seller("sun", [("offers", "roof")]);
    for category in categories {
        let offer = format!("{category}-quote");
        rules = rules.offer(&offer, category, "mode = \"manual\"");
        rules = rules.source(&format!("web-{category}"), &format!("offer = \"{offer}\""));
    }
    let yard = Yard::of(rules).await;
    for n in 1..=130 {
        let source = format!("web-{}", categories[n % categories.len()]);
        let person = Person::number(n).with("phone", &format!("305-555-{n:04}"));
        let _ = yard.server(&source).posts(&person).await.is(201);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    yard.settle().await;
    let page = Browser::of(&yard).await.opens("/console/leads?list=hottest").await.is(200);
    says(&page, &["25 shown of 100 looked at", "Only the hottest stand here; others stand by stage"]);
    for stage in ["waiting", "nurturing", "assigned"] {
        let at = format!("/console/leads?company=acme&list={stage}");
        assert_eq!(link(&page, &format!(">{stage}")), Some(at), "{}", page.text);
    }
    // As they stand where all are looked at.
    let all = json!({ "hottest": true, "limit": 100 });
    let all = yard.desk(Method::POST, "/v1/leads/search", Some(all)).await.is(200);
    assert_eq!(all.json["examined"], 130);
    let first = all.json["leads"].as_array().unwrap().iter().take(25);
    assert_eq!(listed(&page), first.map(|one| one["lead"].as_str().unwrap()).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn where_the_hottest_leave_some_out_it_is_said_and_their_stages_have_all() {
    for (many, leaves_out) in [(25, false), (26, true)] {
        let yard = yard("10").await;
        yard.notes();
        let mut all = BTreeSet::new();
        for n in 1..=many {
            let _ = all.insert(waits(&yard, n).await);
        }
        let desk = Browser::of(&yard).await;
        let said = "Only the hottest stand here; others stand by stage";
        // As it is before anything was counted, and after.
        for counted in [false, true] {
            if counted {
                yard.count().await;
            }
            let today = desk.opens("/console/today").await.is(200);
            let at = link(&today, "The hottest that nobody has").unwrap().replace("&amp;", "&");
            let (page, reads) = desk.reads(&at).await;
            assert!(reads <= READS, "{reads} reads");
            assert_eq!((listed(&page).len(), page.text.contains(said)), (25, leaves_out), "{}", page.text);
            let by_score = desk.opens(&format!("{OF_WEB2}&order=score")).await.is(200);
            let more = by_score.text.contains("More stand behind those");
            assert_eq!((listed(&by_score).len(), more), (25, leaves_out), "{}", by_score.text);
            // Those that nobody has wait or are followed up: dealers' leads are elsewhere.
            assert_eq!(link(&page, ">nurturing").is_some(), leaves_out);
            assert_eq!(link(&page, ">assigned"), None);
            let (mut next, mut found) = (link(&page, ">waiting"), BTreeSet::new());
            while let Some(at) = next {
                assert!(at.contains("held=no"), "{at}");
                let page = desk.opens(&at).await.is(200);
                found.extend(listed(&page));
                next = link(&page, "Further down");
            }
            assert_eq!(found.is_empty(), !leaves_out);
            assert!(!leaves_out || found == all, "{found:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_hottest_are_named_and_who_rises_is_there_at_once() {
    let rules = ["gutters", "pools", "solar", "siding"].iter().fold(Rules::roofing("acme"), |rules, of| {
        rules.offer(of, of, "mode = \"manual\"").source(of, &format!("offer = \"{of}\""))
    });
    let yard = Yard::of(rules.seller("hudson", [])).await;
    yard.notes();
    let mut leads = Vec::new();
    for n in 0..120 {
        let source = ["gutters", "pools", "solar", "siding"][n % 4];
        let reply = yard.server(source).posts(&Person::number(n)).await.is(201);
        leads.push(reply.text_of("lead").to_owned());
        yard.advance(Duration::from_secs(1)).await;
    }
    yard.settle().await;
    yard.count().await;
    let desk = Browser::of(&yard).await;
    let hottest = async |more: &str| {
        let (page, reads) = desk.reads(&format!("/console/leads?list=hottest{more}")).await;
        assert!(reads <= READS, "{reads} reads of hottest{more}");
        page.is(200).text
    };
    let first = leads[0].clone();
    let page = hottest("").await;
    assert!(!page.contains(&first), "a hundred that asked later are as hot");
    for more in ["&held=no", "&held=yes", "&state=WY", "&offer=pools"] {
        let _ = hottest(more).await;
    }
    // Behind all that are named; what it does is told by its lead alone, and nothing is counted anew.
    for n in 0..3 {
        let did = json!({ "id": format!("q{n}"), "kind": "quote_request", "at": "2026-06-01T15:00:00Z", "lead": first });
        let _ = yard.server("gutters").reports(did).await.is(202);
    }
    yard.settle().await;
    counts_all(&yard, |record| record.key() == Some((format!("L#{first}").as_str(), "L"))).await;
    let page = hottest("").await;
    let at = page.find(&first).expect("who rose stands in the list");
    assert!(leads[1..].iter().all(|other| page.find(other).is_none_or(|place| place > at)), "and first");
    // Most who are named go, and nothing is counted anew: those behind them are shown.
    for lead in &leads[16..] {
        let path = format!("/v1/leads/{lead}/reject");
        let _ = yard.desk(Method::POST, &path, Some(json!({ "reason": "moved" }))).await.is(200);
    }
    let page = desk.opens("/console/leads?list=hottest").await.is(200);
    let left: BTreeSet<String> = leads[..16].iter().cloned().collect();
    assert_eq!(listed(&page).into_iter().collect::<BTreeSet<_>>(), left);
}

#[tokio::test(start_paused = true)]
async fn a_source_s_list_reads_little_whatever_came_in_between_and_however_few_are_sought() {
    let rules = Rules::roofing("acme").source("web2", "offer = \"roof\"").seller("hudson", []);
    let yard = Yard::of(rules).await;
    let old = yard.server("web").posts(&Person::number(0)).await.is(201).text_of("lead").to_owned();
    yard.advance(Duration::from_secs(200 * 86_400)).await;
    let mut again = String::new();
    // All in one millisecond, as the rows of a file may be.
    for n in 1..=600 {
        let lead = yard.server("web2").posts(&Person::number(n)).await.is(201).text_of("lead").to_owned();
        again = if n == 1 { lead } else { again };
    }
    yard.advance(Duration::from_secs(2 * 86_400)).await;
    // Within the window: the lead is the same, and opened when it was.
    let person = Person::number(1).with("message", "once more");
    assert_eq!(yard.server("web2").posts(&person).await.text_of("lead"), again);
    yard.settle().await;
    let desk = Browser::of(&yard).await;
    let list = async |asked: &str| {
        let (page, reads) = desk.reads(&format!("/console/leads?list=source:{asked}")).await;
        assert!(reads <= READS, "{reads} reads of source:{asked}");
        page.is(200).text
    };
    assert!(list("web").await.contains(&old));
    assert!(list("web&state=WY").await.contains("None of the 1 leads looked at"));
    let of_web2 = list("web2").await;
    let first = of_web2.split("/console/leads/").find(|part| part.len() > 36 && part.as_bytes()[8] == b'-');
    assert!(first.is_some_and(|part| part.starts_with(&again)), "who asked again stands first: {first:?}");
    assert!(list("web2&state=WY").await.contains("None of the 500 leads looked at"));
    let _ = list("web2&order=score").await;
    let _ = list("web2&order=score&state=WY").await;
}
