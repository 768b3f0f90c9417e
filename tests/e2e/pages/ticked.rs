//! Single leads, by their ticks: taken as a table after a look; and left out of what is done with all of a list.

use std::collections::BTreeSet;
use std::time::Duration;

use leadyard_domain::access::DeskToken;
use leadyard_tests::{Browser, Person, Reply, Rules, Yard};
use serde_json::{Value, json};

use super::leads::{EXPORT, MANY, exports, is_download, link, listed, says, times, waits, yard};
use super::many::{how_far, look_of, looked_at_all, steps};
use super::{READS, names_nobody};

const WAITING: &str = "/console/leads?list=waiting";

/// A page on which somebody took the tick from a lead.
fn unticked(page: &Reply, lead: &str) -> Reply {
    let mut page = page.clone();
    assert!(is_ticked(&page, lead), "{lead} in {}", page.text);
    page.text = page.text.replace(&format!("name=\"one.{lead}\" checked"), &format!("name=\"one.{lead}\""));
    page
}

fn is_ticked(page: &Reply, lead: &str) -> bool {
    let name = format!("name=\"one.{lead}\"");
    assert!(page.text.contains(&name), "{lead} is not in {}", page.text);
    page.text.contains(&format!("{name} checked"))
}

/// Which leads a table has.
fn leads_of(file: &Reply) -> BTreeSet<String> {
    file.text.lines().skip(1).map(|row| row.split(',').next().unwrap().to_owned()).collect()
}

fn set<const N: usize>(leads: [&String; N]) -> BTreeSet<String> {
    leads.into_iter().cloned().collect()
}

/// So many leads that wait, and a look at all of them.
async fn looked<'y>(yard: &'y Yard, leads: usize, act: &str) -> (Browser<'y>, Reply, String) {
    for n in 1..=leads {
        let _ = waits(yard, n).await;
    }
    let desk = Browser::of(yard).await;
    let page = desk.opens(WAITING).await.is(200);
    let begun = desk.submits(&page, MANY, &[("whole", "on"), ("act", act)]).await.is(303);
    let look = looked_at_all(&desk, begun.header("location")).await;
    let at = look_of(&look);
    (desk, look, at)
}

/// Sends a page of what was looked at, and opens what it leads to.
async fn sends(desk: &Browser<'_>, page: &Reply, typed: &[(&str, &str)]) -> Reply {
    let sent = desk.submits(page, &look_of(page), typed).await.is(303);
    desk.opens(sent.header("location")).await.is(200)
}

const LEAVE: (&str, &str) = ("leave", "yes");

// --- Taken as a table ---

#[tokio::test(start_paused = true)]
async fn single_leads_are_taken_as_a_table_after_a_look_and_which_they_were_is_kept() {
    let yard = yard("10").await;
    let (first, second, third) = (waits(&yard, 1).await, waits(&yard, 2).await, waits(&yard, 3).await);
    let desk = Browser::of(&yard).await;
    let page = desk.opens(WAITING).await.is(200);
    says(&page, &["take as a table"]);
    let nothing = desk.submits(&page, MANY, &[("act", "export")]).await.is(303);
    says(&desk.opens(nothing.header("location")).await.is(200), &["Nothing was chosen"]);
    let (one, other) = (format!("one.{first}"), format!("one.{second}"));
    let typed = [(one.as_str(), "on"), (other.as_str(), "on"), ("act", "export")];
    let (look, reads) = desk.submits_reading(&page, MANY, &typed).await;
    assert!(reads <= READS, "{reads} reads");
    let look = look.is(200);
    says(&look, &["2 leads", &first, &second]);
    assert!(!look.text.contains(&third), "{}", look.text);
    names_nobody(&look, &["@", "5550101"]);
    assert_eq!(exports(&yard).await.len(), 0, "a look takes nothing");
    let file = desk.submits(&look, EXPORT, &[]).await.is(200);
    is_download(&file, "leads-acme-ticked.csv");
    assert_eq!(leads_of(&file), set([&first, &second]));
    names_nobody(&file, &["@", "5550101", "first_name"]);
    yard.advance(Duration::from_secs(5)).await;
    // One of them alone, with who it is.
    let file = desk.submits(&unticked(&look, &first), EXPORT, &[("who", "on")]).await.is(200);
    assert_eq!(leads_of(&file), set([&second]));
    says(&file, &["first_name,last_name,email,phone", "+13055550102"]);
    let asked = exports(&yard).await;
    let told: Vec<(&Value, Value)> =
        asked.iter().map(|act| (&act["after"]["who"], sorted(&act["after"]["leads"]))).collect();
    let both = sorted(&json!([first, second]));
    assert_eq!(told, [(&json!(true), json!([second])), (&json!(false), both)]);
    // Where nobody is ticked it is not all of the list that is asked for.
    let nobody = unticked(&unticked(&look, &first), &second);
    let nobody = desk.submits(&nobody, EXPORT, &[]).await.is(303);
    says(&desk.opens(nobody.header("location")).await.is(200), &["Nothing was chosen"]);
    assert_eq!(exports(&yard).await.len(), 2);
    // A file of single leads is none of the list's.
    let list = desk.opens(&link(&page, "as a table").unwrap()).await.is(200);
    says(&list, &["File 1"]);
    let _ = desk.submits(&look, EXPORT, &[]).await.is(200);
    says(&desk.opens(&link(&list, "go on").unwrap()).await.is(200), &["<h2>File 1<"]);
    let look = desk.submits(&page, MANY, &[("every", "on"), ("act", "export")]).await.is(200);
    says(&look, &["3 leads"]);
    assert_eq!(leads_of(&desk.submits(&look, EXPORT, &[]).await.is(200)), set([&first, &second, &third]));
}

/// A list in order.
fn sorted(list: &Value) -> Value {
    let mut list = list.as_array().unwrap().clone();
    list.sort_by_key(ToString::to_string);
    Value::Array(list)
}

#[tokio::test(start_paused = true)]
async fn all_from_here_down_the_list_are_a_file_that_begins_there() {
    let yard = yard("10").await;
    for n in 1..=28 {
        let _ = waits(&yard, n).await;
    }
    let desk = Browser::of(&yard).await;
    let page = desk.opens(WAITING).await.is(200);
    let further = desk.opens(&link(&page, "Further down").unwrap()).await.is(200);
    let below: BTreeSet<String> = listed(&further).into_iter().collect();
    assert_eq!(below.len(), 3);
    let to = desk.submits(&further, MANY, &[("whole", "on"), ("act", "export")]).await.is(303);
    let export = desk.opens(to.header("location")).await.is(200);
    says(&export, &["File 1", "from further down on"]);
    let file = desk.submits(&export, EXPORT, &[]).await.is(200);
    assert_eq!(leads_of(&file), below);
    yard.advance(Duration::from_secs(5)).await;
    let over = desk.opens(&link(&export, "go on").unwrap()).await.is(200);
    says(&over, &["That is all of them: 3 leads in 1 files."]);
}

#[tokio::test(start_paused = true)]
async fn single_leads_are_taken_by_whoever_sees_them_and_with_who_they_are_by_the_desk_alone() {
    let people = "person,email,role\nrita,rita@desk.example,reader\n";
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", []).file("people.csv", people)).await;
    let lead = yard.settled_lead(&Person::named("Ada", "Hill")).await;
    let desk = Browser::of(&yard).await;
    let ticked = format!("list=company%3Dacme&shown.{lead}=&one.{lead}=on");
    let form = format!("{ticked}&{}", desk.csrf().await);
    // Another company's desk: neither of acme's list nor of a list of its own.
    let other = yard.also(Rules::roofing("other").seller("hudson", [])).await;
    let theirs = Browser::of(&other).await;
    let csrf = theirs.csrf().await;
    for list in ["acme", "other"] {
        let ticked = format!("{}&{csrf}", ticked.replace("acme", list));
        for (path, form) in [(EXPORT, ticked.clone()), (MANY, format!("{ticked}&act=export"))] {
            let refused = theirs.sends(path, &form).await.is(404);
            assert!(!refused.text.contains("Ada"), "{}", refused.text);
        }
    }
    let rita = Browser::by_mail(&yard, "rita@desk.example").await;
    let csrf = rita.csrf().await;
    let file = rita.sends(EXPORT, &format!("{ticked}&{csrf}")).await.is(200);
    assert_eq!(leads_of(&file), set([&lead]));
    names_nobody(&file, &["Ada", "Hill", "@"]);
    let _ = rita.sends(EXPORT, &format!("{ticked}&who=on&{csrf}")).await.is(403);
    // A form that came from elsewhere is nobody's.
    let _ = desk.sends(EXPORT, &ticked).await.is(403);
    assert_eq!(exports(&yard).await.len(), 1);
    let file = desk.sends(EXPORT, &format!("{form}&who=on")).await.is(200);
    says(&file, &["Ada,Hill,"]);
}

// --- Left out of all of a list ---

#[tokio::test(start_paused = true)]
async fn who_is_left_out_is_so_on_every_page_until_they_are_ticked_again_and_nothing_is_done_with_them() {
    let yard = yard("10").await;
    let (desk, look, at) = looked(&yard, 30, "hold").await;
    says(&look, &["30 would be held", "Do it with all 30"]);
    let second = desk.opens(&format!("{at}?page=2")).await.is(200);
    let (rows, behind) = (listed(&look), listed(&second));
    assert_eq!((rows.len(), behind.len()), (25, 5));
    let ([one, again], other) = ([&rows[3], &rows[7]], &behind[1]);
    // On two pages at one moment: both are kept, and what was typed is not lost.
    let page = unticked(&unticked(&look, one), again);
    let page_behind = unticked(&second, other);
    let typed = [LEAVE, ("reason", "a storm")];
    let (left, left_behind) = tokio::join!(sends(&desk, &page, &typed), sends(&desk, &page_behind, &typed));
    says(&left_behind, &["Page 2 of 2"]);
    says(&left, &["Page 1 of 2"]);
    let (page, reads) = desk.reads(&at).await;
    assert!(reads <= READS && page.text.len() < 100_000, "{reads} reads, {} bytes", page.text.len());
    says(&page, &["27 would be held", "3 are left out", "Do it with the 27 that are ticked", "\"a storm\""]);
    assert!(!is_ticked(&page, one) && !is_ticked(&page, again) && is_ticked(&page, &rows[0]));
    assert!(!is_ticked(&desk.opens(&format!("{at}?page=2")).await.is(200), other));
    // One is ticked again.
    let back = format!("one.{again}");
    let page = sends(&desk, &page, &[LEAVE, (&back, "on")]).await;
    says(&page, &["28 would be held", "2 are left out"]);
    assert!(is_ticked(&page, again) && !is_ticked(&page, one));
    for lead in rows.iter().chain(&behind) {
        assert!(yard.stored(lead).await.hold.is_none(), "nothing is done yet");
    }
    // The last tick is taken and it is done with one click; a second click is the first one.
    let page = unticked(&page, &rows[0]);
    let (sent, twice) = tokio::join!(desk.submits(&page, &at, &[]), desk.submits(&page, &at, &[]));
    let _ = twice.is(303);
    let (over, came) = steps(&desk, sent.is(303).header("location")).await;
    assert_eq!(came.last(), Some(&(27, 27)));
    says(&over, &["27 held. 3 were left out."]);
    // Who is left out once it is done is not.
    let late = sends(&desk, &unticked(&look, &rows[1]), &[LEAVE]).await;
    assert_eq!(how_far(&late), (27, 27));
    says(&late, &["27 held. 3 were left out."]);
    for lead in rows.iter().chain(&behind) {
        let held = ![one, other, &rows[0]].contains(&lead);
        assert_eq!(times(&yard, lead, "hold").await, usize::from(held), "{lead}");
    }
    let story = yard.story(again).await;
    assert_eq!(story.list("history").next().unwrap()["reason"], "a storm");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_done_by_a_page_that_shows_who_is_left_out_as_it_was_or_on_which_nobody_is_ticked() {
    let yard = yard("10").await;
    let (desk, look, at) = looked(&yard, 3, "hold").await;
    let rows = listed(&look);
    let left = sends(&desk, &unticked(&look, &rows[0]), &[LEAVE]).await;
    says(&left, &["2 would be held", "1 is left out"]);
    // The page that still shows the first as ticked takes it in no more; who is not ticked on it is left out as well.
    let stale = sends(&desk, &unticked(&look, &rows[1]), &[]).await;
    says(&stale, &["Nothing is done yet", "1 would be held", "2 are left out"]);
    assert!(!is_ticked(&stale, &rows[0]) && !is_ticked(&stale, &rows[1]));
    let nobody = sends(&desk, &unticked(&stale, &rows[2]), &[]).await;
    says(&nobody, &["Nothing is done: nobody is ticked.", "0 would be held", "3 are left out"]);
    for lead in &rows {
        assert!(yard.stored(lead).await.hold.is_none());
    }
    // They can be ticked again, and it is done with those.
    let (one, other) = (format!("one.{}", rows[0]), format!("one.{}", rows[2]));
    let page = sends(&desk, &nobody, &[LEAVE, (&one, "on"), (&other, "on")]).await;
    says(&page, &["2 would be held", "1 is left out"]);
    let sent = desk.submits(&page, &at, &[]).await.is(303);
    says(&steps(&desk, sent.header("location")).await.0, &["2 held. 1 was left out."]);
    for (lead, held) in rows.iter().zip([1, 0, 1]) {
        assert_eq!(times(&yard, lead, "hold").await, held);
    }
}

#[tokio::test(start_paused = true)]
async fn who_is_left_out_is_not_charged_and_gives_their_seat_to_nobody() {
    let yard = yard("2").await;
    let (desk, look, at) = looked(&yard, 3, "place").await;
    says(&look, &["2 would go, for 90.00 USD", "1 would stay as they are"]);
    let rows = listed(&look);
    let left = sends(&desk, &unticked(&look, &rows[0]), &[LEAVE]).await;
    says(&left, &["1 would go, for 45.00 USD", "1 is left out", "Their seats go to nobody else here"]);
    says(&left, &["1 would stay as they are"]);
    let sent = desk.submits(&left, &at, &[]).await.is(303);
    says(&steps(&desk, sent.header("location")).await.0, &["1 placed. 1 was left out."]);
    yard.settle().await;
    assert_eq!(yard.taken("hudson", 4).await, 1);
    assert_eq!((times(&yard, &rows[0], "place").await, times(&yard, &rows[1], "place").await), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn whoever_looks_leaves_out_and_only_of_what_they_looked_at() {
    let yard = yard("10").await;
    let (desk, look, at) = looked(&yard, 2, "hold").await;
    let rows = listed(&look);
    let behind = waits(&yard, 3).await;
    let out = format!("leave=yes&seen=0&from=1&shown.{}=", rows[0]);
    let token = DeskToken { staff: "lee".to_owned(), companies: vec![yard.company_id()] };
    let lee = Browser::with(&yard, &yard.cloud.master.mint(&token)).await;
    let not_theirs = lee.sends(&at, &format!("{out}&{}", lee.csrf().await)).await.is(303);
    says(&lee.opens(not_theirs.header("location")).await.is(200), &["That look is over"]);
    let other = yard.also(Rules::roofing("other").seller("hudson", [])).await;
    let theirs = Browser::of(&other).await;
    let _ = theirs.sends(&at, &format!("{out}&{}", theirs.csrf().await)).await.is(404);
    let _ = desk.sends(&at, &out).await.is(403);
    // Who is none of the look cannot be left out of it.
    let stranger = format!("leave=yes&seen=0&from=1&shown.{behind}=&{}", desk.csrf().await);
    let _ = desk.sends(&at, &stranger).await.is(303);
    let page = desk.opens(&at).await.is(200);
    says(&page, &["2 would be held", "Do it with all 2"]);
    assert!(!page.text.contains("left out."), "{}", page.text);
}
