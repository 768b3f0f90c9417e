//! Where no page answers, and what is of an earlier sign-in: it is said truly, it leads on, and nothing typed is lost.

use std::fmt::Write as _;

use std::time::Duration;

use http::{HeaderMap, HeaderValue, Method, header};
use leadyard_tests::browser::FORM;
use leadyard_tests::{Browser, Person, Reply, Rules, Yard};

use super::names_nobody;

const MARIA: &str = "maria@desk.example";

async fn yard() -> Yard {
    let rules = Rules::roofing("acme")
        .seller("hudson", [])
        .file("people.csv", "person,email,role\nmaria,maria@desk.example,manager\n");
    Yard::of(rules).await
}

fn says(page: &Reply, words: &[&str]) {
    for word in words {
        assert!(page.text.contains(word), "{word} is not in {}", page.text);
    }
}

/// A page in the house's look, and no problem as programs read it.
fn is_page(page: &Reply) {
    assert!(page.header("content-type").starts_with("text/html"), "{}", page.text);
    says(page, &["<span class=\"mark\">Leadyard</span>", "<h1>"]);
    assert!(page.header("content-security-policy").contains("default-src 'none'"));
}

#[tokio::test(start_paused = true)]
async fn where_no_page_answers_people_are_told_and_led_on_and_programs_are_told_the_problem() {
    let yard = yard().await;
    let lead = yard.settled_lead(&Person::named("Ada", "Hill")).await;
    let (desk, hudson) = (Browser::by_mail(&yard, MARIA).await, Browser::of_dealer(&yard, "hudson").await);
    // An address that nobody has; also one whose name is no text.
    for (browser, at, leads_on) in [
        (&desk, "/console/nothing-here", "/console/today\">Today"),
        (&desk, "/console/leads/%FF", "/console/today\">Today"),
        (&hudson, "/console/nothing-here", "/console/inbox\">Inbox"),
    ] {
        let page = browser.opens(at).await.is(404);
        is_page(&page);
        says(&page, &["There is nothing here", "No page has this address", leads_on]);
    }
    let people = || HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static("text/html"))]);
    let nobody =
        yard.requests(Method::GET, "/console/nothing-here", people(), FORM, Vec::new()).await.is(404);
    is_page(&nobody);
    says(&nobody, &["There is nothing here", "<a href=\"/console/sign-in\">Sign in</a>"]);

    // One that only a form is sent to leads to the page of the form, which is there.
    let seat = yard.story(&lead).await.assignment("hudson")["assignment"].as_str().unwrap().to_owned();
    for (browser, at, page) in [
        (&desk, format!("/console/leads/{lead}/hold"), format!("/console/leads/{lead}")),
        (&desk, "/console/waiting/place".to_owned(), "/console/waiting".to_owned()),
        (&desk, "/console/rulebook/publish".to_owned(), "/console/rulebook".to_owned()),
        (&desk, "/console/people/add".to_owned(), "/console/people".to_owned()),
        (&hudson, format!("/console/inbox/{seat}/contacted"), format!("/console/inbox/{seat}")),
    ] {
        let shown = browser.opens(&at).await.is(405);
        is_page(&shown);
        says(&shown, &["Only a form is sent here", "nothing was done", &format!("<a href=\"{page}\">")]);
        assert!(shown.header("allow").contains("POST"), "{}", shown.header("allow"));
        let _ = browser.opens(&page).await.is(200);
    }
    // And a form to a page that takes none.
    let posted = desk.sends("/console/today", &desk.csrf().await).await.is(405);
    is_page(&posted);
    says(&posted, &["No form is taken here", "<a href=\"/console/today\">To that page</a>"]);
    // A query that nobody can read.
    let odd = desk.opens("/console/waiting?count=many").await.is(400);
    is_page(&odd);
    says(&odd, &["That did not work", "a parameter of the query is not of its kind"]);

    // Programs, and whoever asks anything else.
    for (accept, at, status, kind) in [
        ("*/*", "/console/nothing-here", 404, "not-found"),
        ("application/json", "/console/waiting/place", 405, "method-not-allowed"),
        ("text/html", "/v1/nothing-here", 404, "not-found"),
    ] {
        let headers = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]);
        let problem = yard.requests(Method::GET, at, headers, FORM, Vec::new()).await.is(status);
        assert_eq!(problem.header("content-type"), "application/problem+json", "{at}");
        assert!(problem.text_of("type").ends_with(kind), "{}", problem.text);
    }
}

#[tokio::test(start_paused = true)]
async fn a_form_that_comes_after_a_sign_in_says_which_page_it_was_of_and_what_was_typed() {
    let yard = yard().await;
    let lead = yard.settled_lead(&Person::named("Ada", "Hill")).await;
    let (at, note) = (format!("/console/leads/{lead}"), format!("/console/leads/{lead}/note"));
    let maria = Browser::by_mail(&yard, MARIA).await;
    let old = maria.csrf().await;
    yard.advance(Duration::from_secs(9 * 3_600)).await;
    let typed = format!("text=she+said+%3Cb%3Emaybe&{old}");
    let kept = maria.sends(&note, &typed).await.is(401);
    says(&kept, &["nothing that you typed with a lead is lost", "she said &#60;b&#62;maybe"]);
    names_nobody(&kept, &["Ada"]);
    // What only a click said is done again there; files are chosen again.
    let hold = maria.sends(&format!("{at}/hold"), &old).await.is(303);
    assert_eq!(
        hold.header("location"),
        format!("/console/sign-in?next={}&over=form", at.replace('/', "%2F"))
    );
    says(
        &maria.opens(hold.header("location")).await.is(200),
        &["nothing was done. Sign in, and do it again"],
    );
    // Also where the page is the one that takes the form: a look at all of a list stands for who comes back to it.
    for (own, named) in [
        ("/console/leads/export", "%2Fconsole%2Fleads%2Fexport"),
        ("/console/leads/many/acme/l1", "%2Fconsole%2Fleads%2Fmany%2Facme%2Fl1"),
    ] {
        let sure = maria.sends(own, &old).await.is(303);
        assert_eq!(sure.header("location"), format!("/console/sign-in?next={named}&over=form"));
    }
    let (kind, files) = files(&old);
    let sent = maria.sends_as("/console/rulebook/send", kind, files).await.is(303);
    assert_eq!(sent.header("location"), "/console/sign-in?next=%2Fconsole%2Frulebook&over=files");
    says(
        &maria.opens(sent.header("location")).await.is(200),
        &["the files were not taken", "choose them again"],
    );

    // Signed in again, the page says whose it was, and leads there.
    let maria = Browser::by_mail(&yard, MARIA).await;
    let again = maria.submits(&kept, "/console/again", &[]).await.is(200);
    says(&again, &["what you typed with the lead Ada H.", &format!("<a href=\"{at}\">"), "she said"]);
    names_nobody(&again, &["Hill"]);
    assert_eq!(yard.story(&lead).await.list("history").count(), 0, "nothing is done before the click");
}

/// A form with a file, as browsers send it.
fn files(csrf: &str) -> (&'static str, Vec<u8>) {
    let token = csrf.trim_start_matches("csrf=");
    let mut body = String::new();
    for (name, value) in [("csrf", token), ("company", "acme")] {
        let _ = write!(body, "--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    }
    body += "--b\r\nContent-Disposition: form-data; name=\"files\"; filename=\"areas.csv\"\r\n";
    body += "Content-Type: text/csv\r\n\r\narea,part\r\n\r\n--b--\r\n";
    ("multipart/form-data; boundary=b", body.into_bytes())
}

#[tokio::test(start_paused = true)]
async fn a_form_of_an_earlier_sign_in_is_called_so_and_shows_what_was_typed() {
    let yard = yard().await;
    let lead = yard.settled_lead(&Person::named("Ada", "Hill")).await;
    let (at, note) = (format!("/console/leads/{lead}"), format!("/console/leads/{lead}/note"));
    let old = Browser::by_mail(&yard, MARIA).await.csrf().await;
    // Signed in anew beside the page that is open still.
    let maria = Browser::by_mail(&yard, MARIA).await;
    let stood = yard.version().await;
    let stale = maria.sends(&note, &format!("text=she+said+%3Cb%3Emaybe&seen=x&{old}")).await.is(403);
    says(
        &stale,
        &[
            "<h1>This form is of an earlier sign-in</h1>",
            "with the lead Ada H.",
            &format!("<a href=\"{at}\">"),
            "she said &#60;b&#62;maybe",
        ],
    );
    assert!(!stale.text.contains("This is not yours to do"), "{}", stale.text);
    let main = stale.text.split("<main").nth(1).unwrap().split("</main>").next().unwrap();
    assert!(!main.contains("<form") && !main.contains("csrf"), "nothing of it is sent by a click: {main}");
    assert_eq!(yard.story(&lead).await.list("history").count(), 0);
    let (kind, body) = files(&old);
    let sent = maria.sends_as("/console/rulebook/send", kind, body).await.is(403);
    says(
        &sent,
        &[
            "This form is of an earlier sign-in",
            "The files were not taken: choose them again",
            "with the rulebook",
        ],
    );
    assert_eq!(yard.version().await, stood);
    // Another site's is told as that, and nothing of it is repeated.
    let mut headers = maria.headers();
    headers.insert("sec-fetch-site", HeaderValue::from_static("cross-site"));
    let form = format!("text=buy+now&{}", maria.csrf().await).into_bytes();
    let other = yard.requests(Method::POST, &note, headers, FORM, form).await.is(403);
    says(&other, &["<h1>This form came from elsewhere</h1>"]);
    assert!(!other.text.contains("buy now"), "{}", other.text);
}
