//! Every page of the console.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use http::{HeaderMap, HeaderValue, Method};
use leadyard_domain::access::Role;
use leadyard_domain::lead::Answer;
use leadyard_domain::openapi::ACTS;
use leadyard_tests::browser::FORM;
use leadyard_tests::routes::{is_page, routes_of};
use leadyard_tests::{Browser, Reply, Yard};

use super::api::said_of;
use super::{Walled, as_the_others, names_nobody};

/// What a page is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum For {
    /// Whoever comes: nothing of a company is in it.
    Anyone,
    /// Whoever has this role; it shows something of one company, and nothing to another's.
    Of(Role),
    /// Whoever has this role in any company: it shows what is theirs.
    Own(Role),
    /// A dealer: it shows what is theirs.
    OwnDealer,
    /// The dealer hudson of acme.
    Hudson,
}

use For::{Anyone, Hudson, Of, Own, OwnDealer};
use Role::{Desk, Manager, Reader};

/// Where a rulebook's files are sent.
const SENT: &str = "/console/rulebook/send";

/// The hottest of acme's, as a form carries it.
const HOTTEST: &str = "list=company%3Dacme%26list%3Dhottest";

/// A page: its method and path as they are routed, what it is asked for by, and whom it is for.
pub(super) type Line = (&'static str, &'static str, String, String, For);

/// Every page, and every form with each act that it knows.
pub(super) fn pages(of: &Walled) -> Vec<Line> {
    let mut lines = single(of);
    lines.extend(acts(of));
    lines
}

/// The forms in which somebody says what is to be done, with each act that they know: in their address, or as `act`.
fn acts(of: &Walled) -> Vec<Line> {
    let Walled { lead, assignment, enquiry, token, .. } = of;
    let mut lines: Vec<Line> = Vec::new();
    let mut each = |path: &'static str, at: &str, whom: For, forms: Vec<(&str, String)>| {
        for (act, form) in forms {
            lines.push(("post", path, format!("{at}/{act}"), form, whom));
        }
    };
    let says = |act: &'static str, form: &str| (act, form.to_owned());
    let of_lead = |act: &'static str| match act {
        "place" => says(act, "contract=ridge&reason=agreed"),
        "take_back" | "redeliver" => says(act, &format!("assignment={assignment}&reason=agreed")),
        "merge" => says(act, &format!("into={lead}&reason=agreed")),
        "hold" | "reject" => says(act, "reason=agreed"),
        "priority" => says(act, "priority=urgent"),
        "note" => says(act, "text=seen"),
        "call" => says(act, "result=busy"),
        // `show` among them.
        _ => says(act, ""),
    };
    let of_leads = ACTS.into_iter().chain(["show"]).map(of_lead).collect();
    each("/console/leads/{lead}/{act}", &format!("/console/leads/{lead}"), Of(Desk), of_leads);
    let verdicts = ["show", "release", "edit", "reject"];
    let verdicts = verdicts.map(|act| says(act, "offer=gutter&reason=spam&seen=quarantined")).to_vec();
    let one = format!("/console/quarantine/{enquiry}");
    each("/console/quarantine/{enquiry}/{act}", &one, Of(Desk), verdicts);
    let calls = vec![
        says("claim", "company=acme"),
        says("unclaim", "company=acme"),
        says("call", "company=acme&result=busy"),
    ];
    each("/console/follow-up/{lead}/{act}", &format!("/console/follow-up/{lead}"), Of(Desk), calls);
    let verdicts = ["approve", "deny"].map(|act| says(act, "reason=they+answered")).to_vec();
    let one = format!("/console/returns/acme/{assignment}");
    each("/console/returns/{company}/{id}/{verdict}", &one, Of(Desk), verdicts);
    let of_dealer = vec![
        says("pause", "reason=away"),
        says("resume", ""),
        says("test", "order=1"),
        says("enable", "order=1"),
        says("redeliver", &format!("lead={lead}&assignment={assignment}")),
    ];
    each("/console/dealers/{company}/{dealer}/{act}", "/console/dealers/acme/hudson", Of(Desk), of_dealer);
    let answers = Answer::ALL.iter().map(|answer| says(answer.as_str(), ""));
    let answers = answers.chain([says("return", "reason=wrong-number")]).collect();
    each("/console/inbox/{assignment}/{act}", &format!("/console/inbox/{assignment}"), Hudson, answers);
    let of_people = vec![
        says("add", "company=acme&people=eve%2Ceve%40desk.example%2Cmanager"),
        says("find", "company=acme&named=dora"),
        says("invite", "company=acme&who=people&once=01970000-0000-7000-8000-000000000000"),
        says("token", "company=acme&name=mine&role=manager"),
        says("revoke", &format!("company=acme&token={token}")),
    ];
    each("/console/people/{act}", "/console/people", Of(Manager), of_people);
    let many = "/console/leads/many";
    lines.extend(["follow_up", "place", "take_back", "hold", "resume"].map(|act| {
        let form = format!("act={act}&sure=yes&reason=agreed&{HOTTEST}&one.{lead}=on");
        ("post", many, many.to_owned(), form, Of(Desk))
    }));
    let many = "/console/quarantine/many";
    lines.extend(["release", "reject"].map(|act| {
        let form = format!("act={act}&sure=yes&reason=spam&one.{enquiry}=quarantined");
        ("post", many, many.to_owned(), form, Of(Desk))
    }));
    lines.extend(["stop", "shadow"].map(|switch| {
        let (at, form) = ("/console/rulebook/switch", format!("switch={switch}&on=yes&reason=a+storm"));
        ("post", at, at.to_owned(), format!("company=acme&{form}"), Of(Manager))
    }));
    lines
}

fn single(of: &Walled) -> Vec<Line> {
    let Walled { lead, assignment, decision, enquiry, .. } = of;
    let dealer = "/console/dealers/acme/hudson";
    let rulebook = "/console/rulebook/acme/1";
    let list = HOTTEST;
    let look = "/console/leads/many/acme/01970000-0000-7000-8000-000000000000";
    let line =
        |method, path, asked: &str, form: &str, whom| (method, path, asked.to_owned(), form.to_owned(), whom);
    vec![
        line("get", "/console", "/console", "", Anyone),
        line("get", "/console/", "/console/", "", Anyone),
        line("get", "/console/assets/{name}", "/console/assets/x.css", "", Anyone),
        line("get", "/console/sign-in", "/console/sign-in", "", Anyone),
        line("post", "/console/sign-in", "/console/sign-in", "token=x", Anyone),
        line("post", "/console/sign-out", "/console/sign-out", "", Own(Reader)),
        line("get", "/console/today", "/console/today", "", Own(Reader)),
        line("get", "/console/leads", "/console/leads?company=acme&list=hottest", "", Of(Reader)),
        line(
            "post",
            "/console/leads",
            "/console/leads",
            "company=acme&who=zq.canary%40mail.example",
            Of(Reader),
        ),
        // Of a look that is over.
        line("get", "/console/leads/many/{company}/{look}", look, "", Of(Desk)),
        line("post", "/console/leads/many/{company}/{look}", look, "reason=sure", Of(Desk)),
        line(
            "post",
            "/console/leads/many",
            "/console/leads/many",
            &format!("act=hold&whole=on&{list}"),
            Of(Desk),
        ),
        line(
            "get",
            "/console/leads/export",
            "/console/leads/export?company=acme&list=hottest",
            "",
            Of(Reader),
        ),
        line("post", "/console/leads/export", "/console/leads/export", list, Of(Reader)),
        // The same with who they are.
        line("post", "/console/leads/export", "/console/leads/export", &format!("{list}&who=on"), Of(Desk)),
        // And of single leads.
        line(
            "post",
            "/console/leads/many",
            "/console/leads/many",
            &format!("act=export&{list}&one.{lead}=on"),
            Of(Desk),
        ),
        line(
            "post",
            "/console/leads/export",
            "/console/leads/export",
            &format!("{list}&one.{lead}=on"),
            Of(Reader),
        ),
        line(
            "post",
            "/console/leads/export",
            "/console/leads/export",
            &format!("{list}&who=on&one.{lead}=on"),
            Of(Desk),
        ),
        line("get", "/console/leads/{lead}", &format!("/console/leads/{lead}"), "", Of(Reader)),
        line(
            "get",
            "/console/leads/{lead}/decisions/{decision}",
            &format!("/console/leads/{lead}/decisions/{decision}"),
            "",
            Of(Reader),
        ),
        line("get", "/console/quarantine", "/console/quarantine?company=acme", "", Of(Desk)),
        line("get", "/console/quarantine/reasons", "/console/quarantine/reasons?company=acme", "", Of(Desk)),
        line("get", "/console/quarantine/{enquiry}", &format!("/console/quarantine/{enquiry}"), "", Of(Desk)),
        line(
            "get",
            "/console/quarantine/{enquiry}/next",
            &format!("/console/quarantine/{enquiry}/next"),
            "",
            Of(Desk),
        ),
        line("get", "/console/waiting", "/console/waiting?company=acme", "", Of(Reader)),
        line(
            "post",
            "/console/waiting/place",
            "/console/waiting/place",
            &format!("sure=yes&one.{lead}=on"),
            Of(Desk),
        ),
        line("get", "/console/follow-up", "/console/follow-up?company=acme", "", Of(Reader)),
        line("post", "/console/follow-up/next", "/console/follow-up/next", "company=acme", Of(Desk)),
        line("get", "/console/follow-up/{lead}", &format!("/console/follow-up/{lead}"), "", Of(Reader)),
        line("get", "/console/returns", "/console/returns?company=acme", "", Of(Reader)),
        line(
            "get",
            "/console/returns/{company}/{id}",
            &format!("/console/returns/acme/{assignment}"),
            "",
            Of(Reader),
        ),
        line("get", "/console/dealers", "/console/dealers?company=acme", "", Of(Reader)),
        line("post", "/console/dealers", "/console/dealers", "company=acme&name=r", Of(Reader)),
        line("get", "/console/dealers/{company}/{dealer}", dealer, "", Of(Reader)),
        line(
            "get",
            "/console/dealers/{company}/{dealer}/contracts/{contract}",
            &format!("{dealer}/contracts/hudson"),
            "",
            Of(Reader),
        ),
        line(
            "post",
            "/console/dealers/{company}/{dealer}/contracts/{contract}/edit",
            &format!("{dealer}/contracts/hudson/edit"),
            "base=1&sure=yes&price=11.00",
            Of(Manager),
        ),
        line("get", "/console/dealers/{company}/{dealer}/row", &format!("{dealer}/row"), "", Of(Manager)),
        line(
            "post",
            "/console/dealers/{company}/{dealer}/row/edit",
            &format!("{dealer}/row/edit"),
            "base=1&sure=yes&cap_day=11",
            Of(Manager),
        ),
        line("get", "/console/dealers/{company}/{dealer}/why", &format!("{dealer}/why"), "", Of(Reader)),
        line(
            "get",
            "/console/dealers/{company}/{dealer}/statement",
            &format!("{dealer}/statement"),
            "",
            Of(Reader),
        ),
        line(
            "get",
            "/console/dealers/{company}/{dealer}/statement.csv",
            &format!("{dealer}/statement.csv"),
            "",
            Of(Reader),
        ),
        line("get", "/console/rulebook", "/console/rulebook?company=acme", "", Of(Reader)),
        line("get", "/console/rulebook/changes", "/console/rulebook/changes?company=acme", "", Of(Reader)),
        line(
            "get",
            "/console/rulebook/diff",
            "/console/rulebook/diff?company=acme&from=1&to=1",
            "",
            Of(Manager),
        ),
        line("post", SENT, SENT, "company=acme", Of(Manager)),
        line(
            "post",
            "/console/rulebook/publish",
            "/console/rulebook/publish",
            "company=acme&base=1&draft=AAAAAAAAAAAAAAAAAAAAAA&how=files",
            Of(Manager),
        ),
        line("get", "/console/rulebook/{company}/{version}", rulebook, "", Of(Reader)),
        line(
            "get",
            "/console/rulebook/{company}/areas/{area}",
            "/console/rulebook/acme/areas/of-hudson",
            "",
            Of(Reader),
        ),
        line(
            "post",
            "/console/rulebook/{company}/areas/{area}/edit",
            "/console/rulebook/acme/areas/of-hudson/edit",
            "base=1&sure=yes&part=zip%3A33101",
            Of(Manager),
        ),
        line(
            "get",
            "/console/rulebook/{company}/{version}/files.zip",
            &format!("{rulebook}/files.zip"),
            "",
            Of(Manager),
        ),
        line(
            "get",
            "/console/rulebook/{company}/{version}/tables.xlsx",
            &format!("{rulebook}/tables.xlsx"),
            "",
            Of(Manager),
        ),
        line(
            "get",
            "/console/rulebook/{company}/{version}/rollback",
            &format!("{rulebook}/rollback"),
            "",
            Of(Manager),
        ),
        line(
            "post",
            "/console/rulebook/{company}/{version}/rollback",
            &format!("{rulebook}/rollback"),
            "base=1",
            Of(Manager),
        ),
        line("get", "/console/sign-in/provider", "/console/sign-in/provider", "", Anyone),
        line("get", "/console/sign-in/back", "/console/sign-in/back", "", Anyone),
        line("get", "/console/inbox", "/console/inbox", "", OwnDealer),
        line("get", "/console/inbox/closed", "/console/inbox/closed", "", OwnDealer),
        line("get", "/console/inbox/figures", "/console/inbox/figures", "", OwnDealer),
        line("get", "/console/inbox/statement.csv", "/console/inbox/statement.csv", "", OwnDealer),
        line("get", "/console/inbox/{assignment}", &format!("/console/inbox/{assignment}"), "", Hudson),
        line("get", "/console/people", "/console/people?company=acme", "", Of(Manager)),
        line("post", "/console/again", "/console/again", "", Anyone),
        line("get", "/console/reports", "/console/reports?company=acme", "", Of(Reader)),
        line("get", "/console/reports/{name}", "/console/reports/sources?company=acme", "", Of(Reader)),
        line(
            "get",
            "/console/reports/{name}/table.csv",
            "/console/reports/sources/table.csv?company=acme",
            "",
            Of(Reader),
        ),
    ]
}

/// What a page's form is sent as, and the form itself; one with a file as browsers send files.
fn encoded((_, path, _, form, _): &Line, csrf: &str) -> (&'static str, Vec<u8>) {
    let form = format!("{form}&{csrf}");
    if *path != SENT {
        return (FORM, form.into_bytes());
    }
    let mut body = String::new();
    for (name, value) in form_urlencoded::parse(form.as_bytes()) {
        let _ = write!(body, "--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    }
    body += "--b\r\nContent-Disposition: form-data; name=\"files\"; filename=\"areas.csv\"\r\n";
    body += "Content-Type: text/csv\r\n\r\narea,part\r\n\r\n--b--\r\n";
    ("multipart/form-data; boundary=b", body.into_bytes())
}

async fn asks(browser: &Browser<'_>, page: &Line, csrf: &str) -> Reply {
    let (method, _, at, ..) = page;
    if *method == "get" {
        browser.opens(at).await
    } else {
        let (kind, body) = encoded(page, csrf);
        browser.sends_as(at, kind, body).await
    }
}

/// The same page of the other company, with the ids of what acme has; none of a list as a table, of which the other
/// company keeps that it was taken.
fn of_the_others(of: &Walled, (method, path, at, form, whom): &Line) -> Option<Line> {
    let takes = path.ends_with("/export") || form.starts_with("act=export");
    let asked = as_the_others(of, &format!("{at} {form}")).filter(|_| !takes)?;
    let (at, form) = asked.split_once(' ')?;
    Some((*method, *path, at.to_owned(), form.to_owned(), *whom))
}

/// The pages that are somebody's, and none that is anyone's.
fn theirs(of: &Walled) -> Vec<Line> {
    pages(of).into_iter().filter(|(.., whom)| *whom != Anyone).collect()
}

fn role(whom: For) -> Option<Role> {
    match whom {
        Anyone | OwnDealer | Hudson => None,
        Of(role) | Own(role) => Some(role),
    }
}

#[tokio::test(start_paused = true)]
async fn every_page_has_a_line_here() {
    let of = Walled::build().await;
    let router = leadyard_console::router(of.acme.cloud.clone());
    let routed: BTreeSet<_> = routes_of(&router).into_iter().filter(|(_, path)| is_page(path)).collect();
    let lines: BTreeSet<_> =
        pages(&of).into_iter().map(|(method, path, ..)| (method.to_owned(), path.to_owned())).collect();
    assert_eq!(routed, lines, "what is routed, what has a line");
}

#[tokio::test(start_paused = true)]
async fn on_no_page_does_anybody_see_or_change_what_is_not_theirs() {
    let of = Walled::build().await;
    let stale = Browser::by_mail(&of.acme, "maria@desk.example").await;
    of.acme.advance(Duration::from_secs(25 * 3_600)).await;
    let left = Browser::by_mail(&of.acme, "maria@desk.example").await;
    let out = format!("{}&everywhere=yes", left.csrf().await);
    let _ = left.sends("/console/sign-out", &out).await.is(303);

    let guess = guessed(&of.acme);
    let maria = Browser::by_mail(&of.acme, "maria@desk.example").await;
    let (dora, rita) = (
        Browser::by_mail(&of.acme, "dora@desk.example").await,
        Browser::by_mail(&of.acme, "rita@desk.example").await,
    );
    let theirs_of_other = Browser::by_mail(&of.acme, "maria@other.example").await;
    let csrfs = [maria.csrf().await, dora.csrf().await, rita.csrf().await, theirs_of_other.csrf().await];
    let hudson = Browser::of_dealer(&of.acme, "hudson").await;
    let ridge = Browser::of_dealer(&of.acme, "ridge").await;
    let namesake = Browser::of_dealer(&of.other, "hudson").await;
    let (of_hudson, of_ridge, of_namesake) = (hudson.csrf().await, ridge.csrf().await, namesake.csrf().await);
    let stood = of.image().await;
    for page in theirs(&of) {
        let (method, path, at, form, whom) = &page;
        let named = format!("{method} {at} ({form})");
        // Nobody, and whose session is over: to the page to sign in.
        for (who, headers) in [
            ("nobody", HeaderMap::new()),
            ("a guessed cookie", guess.clone()),
            ("a session that is over", stale.headers()),
            ("who signed out everywhere", left.headers()),
        ] {
            let (kind, body) = encoded(&page, &csrfs[0]);
            let method: Method = method.to_uppercase().parse().unwrap();
            let reply = of.acme.requests(method, at, headers, kind, body).await;
            // What was typed comes back to who typed it, and nothing else.
            if reply.status == 401 && !form.is_empty() {
                assert!(reply.text.contains("Your sign-in is over"), "{named} by {who}: {}", reply.text);
                continue;
            }
            assert_eq!(reply.status, 303, "{named} by {who}: {}", reply.text);
            assert!(reply.header("location").starts_with("/console/sign-in?next="), "{named} by {who}");
            names_nobody(&reply, &named);
        }
        // Another company's: it does not exist.
        if matches!(whom, Of(_)) {
            let reply = asks(&theirs_of_other, &page, &csrfs[3]).await;
            // Of many, each is refused for itself.
            let many = path.ends_with("/many") || path.ends_with("/place");
            assert!(many || reply.status == 404, "{named} by another company's manager: {}", reply.text);
            names_nobody(&reply, &named);
            assert!(
                !reply.text.contains("Zebulon") && !reply.text.contains("hudson"),
                "{named}: {}",
                reply.text
            );
            // What stands under acme is not found under the company that is theirs.
            if let Some(page) = of_the_others(&of, &page) {
                let reply = asks(&theirs_of_other, &page, &csrfs[3]).await;
                assert!(reply.status.as_u16() < 500, "{named} of the other company: {}", reply.text);
                names_nobody(&reply, &named);
                assert!(!reply.text.contains("Zebulon"), "{named} of the other company: {}", reply.text);
            }
        }
        // A role that does not suffice is told which is needed.
        for (browser, csrf, has) in [(&dora, &csrfs[1], Desk), (&rita, &csrfs[2], Reader)] {
            let Some(needs) = role(*whom).filter(|needs| *needs > has) else { continue };
            let reply = asks(browser, &page, csrf).await;
            assert_eq!(reply.status, 403, "{named} by {has}: {}", reply.text);
            assert!(reply.text.contains(said_of(needs)), "{}", reply.text);
            names_nobody(&reply, &named);
        }
        // The desk has no page of a dealer's, and a dealer none of the desk's; another dealer's do not exist for it.
        let is_dealers = matches!(whom, OwnDealer | Hudson);
        let dealers = [("another company's hudson", &namesake, &of_namesake), ("ridge", &ridge, &of_ridge)];
        let strangers = if is_dealers {
            vec![("the desk", &maria, &csrfs[0], "/console/today")]
        } else {
            let [namesake, _] = dealers;
            let at_home = |(who, browser, csrf)| (who, browser, csrf, "/console/inbox");
            vec![at_home(("hudson", &hudson, &of_hudson)), at_home(namesake)]
        };
        for (who, browser, csrf, home) in strangers {
            if path.ends_with("sign-out") {
                continue;
            }
            let reply = asks(browser, &page, csrf).await;
            let expected: u16 = if *method == "get" { 303 } else { 403 };
            assert_eq!(reply.status, expected, "{named} by {who}: {}", reply.text);
            assert!(*method != "get" || reply.header("location") == home, "{named} by {who}");
            names_nobody(&reply, &named);
        }
        for (who, browser, csrf) in dealers.into_iter().filter(|_| is_dealers) {
            let reply = asks(browser, &page, csrf).await;
            let expected: u16 = if *whom == Hudson { 404 } else { 200 };
            assert_eq!(reply.status, expected, "{named} by {who}: {}", reply.text);
            names_nobody(&reply, &named);
            assert!(
                !reply.text.contains("Zebulon") && !reply.text.contains(&of.assignment),
                "{named} by {who}"
            );
        }
        // A form of another session, of none, or of another site.
        let whose = if is_dealers { &hudson } else { &maria };
        if *method == "post" {
            for csrf in ["", "csrf=guessed", &csrfs[1]] {
                let reply = asks(whose, &page, csrf).await;
                assert_eq!(reply.status, 403, "{named} with {csrf}: {}", reply.text);
            }
            let mut headers = whose.headers();
            headers.insert("sec-fetch-site", HeaderValue::from_static("cross-site"));
            let own = if is_dealers { &of_hudson } else { &csrfs[0] };
            let (kind, body) = encoded(&page, own);
            let _ = of.acme.requests(Method::POST, at, headers, kind, body).await.is(403);
        }
        assert!(of.image().await == stood, "{named} changed something");
    }
}

/// Where the forms of a page send what is typed.
fn sent_to(page: &Reply) -> BTreeSet<String> {
    let forms = page.text.split("<form ").skip(1).filter_map(|form| form.split("</form>").next());
    let posts = forms.filter(|form| form.contains("method=\"post\""));
    // A button may name another address than its form.
    let addresses = posts.flat_map(|form| form.split("action=\"").skip(1));
    addresses.filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect()
}

/// A cookie that nobody was given.
fn guessed(yard: &Yard) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let guess = yard.cloud.master.mailboxes().of("maria@desk.example");
    headers.insert("cookie", HeaderValue::try_from(format!("leadyard_session={guess}")).unwrap());
    headers
}

#[tokio::test(start_paused = true)]
async fn whoever_may_sees_a_page_and_whoever_only_reads_no_form_of_it_and_nobodys_name() {
    let of = Walled::build().await;
    let people = [
        (Browser::by_mail(&of.acme, "rita@desk.example").await, Reader),
        (Browser::by_mail(&of.acme, "dora@desk.example").await, Desk),
        (Browser::by_mail(&of.acme, "maria@desk.example").await, Manager),
    ];
    let (read, sent): (Vec<Line>, Vec<Line>) =
        theirs(&of).into_iter().partition(|(method, ..)| *method == "get");
    let sent: BTreeSet<String> = sent.into_iter().map(|(_, _, at, ..)| at).collect();
    for page in &read {
        let (_, path, at, _, whom) = page;
        for (browser, has) in people.iter().filter(|(_, has)| role(*whom).is_some_and(|needs| *has >= needs))
        {
            let reply = browser.opens(at).await;
            assert!([200, 303].contains(&reply.status.as_u16()), "{path} by {has}: {}", reply.text);
            // What a form of theirs does stands above, and was refused to everybody else.
            let new: Vec<String> = sent_to(&reply).difference(&sent).cloned().collect();
            assert!(new.is_empty(), "{path} has forms without a line here: {new:?}");
            if !path.contains("quarantine") {
                names_nobody(&reply, &format!("{path}, which nobody has asked to show, by {has}"));
            }
            if *has == Reader {
                let forms =
                    reply.text.split("<form ").skip(1).filter(|form| form.starts_with("method=\"post\""));
                for form in forms {
                    // What finds somebody, and a list without who they are.
                    let finds = ["/console/leads\"", "/console/dealers\"", "/console/leads/export\""]
                        .iter()
                        .any(|at| form.contains(at));
                    assert!(
                        !form.contains("type=\"checkbox\" name=\"who\""),
                        "{path} offers a reader {form}"
                    );
                    let places = form.contains("/console/waiting/place") && !form.contains("<button");
                    assert!(form.contains("sign-out") || finds || places, "{path} offers a reader {form}");
                }
            }
        }
    }
    // What a form of theirs does is done.
    let (dora, maria) = (&people[1].0, &people[2].0);
    let (of_dora, of_maria) = (dora.csrf().await, maria.csrf().await);
    let _ = dora.sends("/console/dealers/acme/ridge/pause", &format!("reason=away&{of_dora}")).await.is(303);
    let edit = "/console/dealers/acme/hudson/contracts/hudson/edit";
    let _ = maria.sends(edit, &format!("base=1&sure=yes&price=11.00&{of_maria}")).await.is(303);
    let changes = of.acme.desk(Method::GET, "/v1/changes", None).await.is(200);
    assert!(changes.text.contains("dora"), "it is kept who: {}", changes.text);
}
