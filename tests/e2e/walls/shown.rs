//! A page never shows what the API would not.
//!
//! A company holds one of each kind of thing, each written like nothing else in it. What of them stands on any page is
//! held against what the API answers the very same role, or the very same dealer: whatever a page shows, some route tells
//! as well, and what somebody may not be told stands on no page of theirs.

use std::collections::{BTreeMap, BTreeSet};

use http::Method;
use leadyard_domain::access::Role;
use leadyard_domain::openapi;
use leadyard_tests::routes::REPORTS;
use leadyard_tests::{Browser, Person, Reply, Rules, Story, Yard};
use serde_json::{Value, json};

use super::api::{self, Line};
use super::{PEOPLE, Walled, canary, pages, rules};

/// Who people are who asked for something, how they are reached, and what they wrote.
const WHO: &[&str] = &[
    "Quackenbush",
    "zq.canary@mail.example",
    "13055550177",
    "Marmalade",
    "xylophone",
    "Thistlewood",
    "Nightshade",
    "Ravenscroft",
    "theremin",
    "baobab",
];

/// An address as it is masked, and the whole of it.
const MASKED: (&str, &str) = ("z•••@mail.example", "zq.canary@mail.example");

/// How the people of dealers and of the desk are reached, and where leads are sent.
const OF_MANAGERS: &[&str] = &[
    "Ottoline Vane",
    "ottoline@vane.example",
    "13052740144",
    "bills@vane.example",
    "dora@desk.example",
    "narwhal",
];

/// What every page of the desk may show: people masked, the rules, what was done and why, what was paid.
const OF_COMPANY: &[&str] = &[
    "Zebulon",
    MASKED.0,
    "Quagga",
    "Hudson Zephyr",
    "Umber Crest",
    "okapi-summer",
    "13.37",
    "17.76",
    "19.84",
    "731",
    "862",
    "zip3:997",
    "klaxon",
    "Gustav",
    "aardvark",
    "emu",
    "walrus",
    "987.65",
];

/// What stands on some pages and not on others, as their lists and tables have it.
const BESIDES: &[&str] = &["07:13-21:47", "wire-qoph", "543.21", "regatta", "numbat-nightly"];

const DEALERS: [&str; 3] = ["hudson", "ridge", "crest"];

const LISTS: [&str; 11] = [
    "waiting",
    "assigned",
    "won",
    "nurturing",
    "rejected",
    "lost",
    "unreached",
    "lapsing",
    "source:web",
    "dealer:hudson",
    "past:hudson",
];

const JUNE: &str = "from=2026-06-01&to=2026-06-30";

const JSON: &str = "application/json";

fn canaries() -> impl Iterator<Item = &'static str> {
    [WHO, OF_MANAGERS, OF_COMPANY, BESIDES].into_iter().flatten().copied()
}

/// What was found of them, each with where it was first.
#[derive(Default)]
struct Found(BTreeMap<&'static str, String>);

impl Found {
    fn look(&mut self, at: &str, text: &str) {
        for canary in canaries().filter(|canary| stands_in(text, canary)) {
            let _ = self.0.entry(canary).or_insert_with(|| at.to_owned());
        }
    }

    /// What of these is not among the others; an address that is masked is, where the whole is.
    fn beyond(&self, others: &Self) -> Vec<String> {
        let among = |canary: &str| others.0.contains_key(canary) || others.0.contains_key(whole(canary));
        let alone = self.0.iter().filter(|(canary, _)| !among(canary));
        alone.map(|(canary, at)| format!("{canary} on {at}")).collect()
    }
}

fn whole(canary: &str) -> &str {
    if canary == MASKED.0 { MASKED.1 } else { canary }
}

/// As a word of its own: ids and instants have such digits by chance.
fn stands_in(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        [before, after].into_iter().flatten().all(|beside| !beside.is_alphanumeric())
    })
}

/// Two dealers with leads and one without; a lead that is to be returned, one that is won, one that waits and is to be
/// called back, one that was taken back and is held; an enquiry in quarantine; a pause, a deposit, a token, two
/// versions of the rules; and a second company.
struct World {
    of: Walled,
    /// Of every lead.
    stories: Vec<Story>,
}

fn rules_of_acme() -> Rules {
    let hudson = [
        ("name", "Hudson Zephyr"),
        ("contact", "Ottoline Vane"),
        ("email", "ottoline@vane.example"),
        ("phone", "+13052740144"),
        ("billing_email", "bills@vane.example"),
        ("hours", "Mo-Su 07:13-21:47"),
        ("cap_day", "731"),
        ("prepaid", "yes"),
    ];
    let of_hudson = [
        ("area", "zip:33101 zip3:997"),
        ("price", "13.37"),
        ("cap_week", "862"),
        ("return_days", "7"),
        ("return_quota", "50%"),
        ("return_reasons", "klaxon wrong-number"),
    ];
    Rules::roofing("acme")
        .named("Quagga Roofing")
        .with("[mail]\nfrom = \"desk@acme.example\"\nname = \"Acme Leads\"")
        .dealer("hudson", hudson)
        .contract("hudson", "hudson", of_hudson)
        .seller("ridge", [("area", "state:NY"), ("price", "17.76")])
        .dealer("crest", [("name", "Umber Crest")])
        .contract("crest", "crest", [("area", "zip:99501"), ("price", "19.84")])
        .file("people.csv", PEOPLE)
}

impl World {
    async fn build() -> Self {
        let acme = Yard::of(rules_of_acme()).await;
        acme.notes();
        let other = acme
            .also(rules("other").file("people.csv", &PEOPLE.replace("desk.example", "other.example")))
            .await;
        let paid = json!({ "amount": "987.65", "reference": "wire-qoph" });
        let _ = acme.desk(Method::POST, "/v1/dealers/hudson/deposits", Some(paid)).await.is(200);
        let asked = canary().with("utm_campaign", "okapi-summer").with("favourite_tree", "baobab");
        let lead = acme.settled_lead(&asked).await;
        let asks = json!({ "reason": "klaxon", "note": "a fax named Gustav answers" });
        let _ = acme.answers_with("hudson", &lead, "return", Some(asks)).await.is(200);
        let others = [won(&acme).await, waiting(&acme).await, held(&acme).await];
        let enquiry = in_quarantine(&acme).await;

        let named = json!({ "name": "numbat-nightly", "role": "reader" });
        let made = acme.desk(Method::POST, "/v1/tokens", Some(named)).await.is(201);
        let why = json!({ "on": true, "dealer": "ridge", "reason": "a walrus on strike" });
        let _ = acme.flip("pause", why).await;
        let sent_to = json!({ "set": { "address": "https://hooks.example/narwhal" } });
        let channel = "/v1/rulebook/channels/crest:1?base=1";
        let _ = acme.desk(Method::PATCH, channel, Some(sent_to)).await.is(200);
        acme.settle().await;
        acme.count().await;

        let mut stories = Vec::new();
        for id in std::iter::once(&lead).chain(&others) {
            stories.push(acme.story(id).await);
        }
        let text = |value: &Value| value.as_str().expect("an id").to_owned();
        let assignment = text(&stories[0].assignment("hudson")["assignment"]);
        let decision = text(&stories[0].list("decisions").next().expect("a decision")["id"]);
        // No lead did anything, and no channel was tried.
        let (interaction, test) = (String::new(), lead.clone());
        let token = made.text_of("id").to_owned();
        Self {
            of: Walled { acme, other, lead, assignment, decision, interaction, enquiry, token, test },
            stories,
        }
    }

    /// What is asked of one lead, decision, seat or dealer, asked of all of them.
    fn of_each(&self, at: &str) -> BTreeSet<String> {
        let Walled { lead, assignment, decision, .. } = &self.of;
        let mut all = BTreeSet::new();
        for story in &self.stories {
            let of_lead = at.replace(lead, story.0["lead"].as_str().expect("a lead"));
            let decisions = story.list("decisions").filter_map(|one| one["id"].as_str());
            all.extend(decisions.map(|one| of_lead.replace(decision, one)));
            let seats = story.list("assignments").filter_map(|one| one["assignment"].as_str());
            all.extend(seats.map(|one| of_lead.replace(assignment, one)));
            all.insert(of_lead);
        }
        all.iter().flat_map(|at| DEALERS.map(|dealer| at.replace("hudson", dealer))).collect()
    }

    /// Everything that the API answers whoever has a token.
    async fn told_by(&self, token: &str) -> Found {
        let (mut found, acme) = (Found::default(), &self.of.acme);
        for path in self.routes() {
            let reply = acme.sends(Some(token), Method::GET, &path, JSON, Vec::new()).await;
            found.look(&path, &reply.text);
        }
        for body in searches() {
            for path in ["/v1/leads/search", "/v1/quarantine/search"] {
                let sent = body.to_string().into_bytes();
                let reply = acme.sends(Some(token), Method::POST, path, JSON, sent).await;
                found.look(&format!("{path} {body}"), &reply.text);
            }
            for who in [false, true] {
                let sent = json!({ "list": body, "who": who }).to_string().into_bytes();
                let reply = acme.sends(Some(token), Method::POST, "/v1/leads/export", JSON, sent).await;
                found.look(&format!("/v1/leads/export {body}"), &reply.text);
            }
        }
        // A dealer that names no reason of its contract's is told them.
        for path in self.of_each(&format!("/v1/inbox/{}/return", self.of.assignment)) {
            let sent = json!({ "reason": "none-of-these" }).to_string().into_bytes();
            let reply = acme.sends(Some(token), Method::POST, &path, JSON, sent).await;
            found.look(&path, &reply.text);
        }
        found
    }

    /// Every route that only tells something, with all that it can be asked for.
    fn routes(&self) -> BTreeSet<String> {
        let reads = openapi::routes().into_iter().filter(|route| route.method.as_str() == "get");
        let mut paths: BTreeSet<String> = reads
            .flat_map(|route| api::lines(&route, &self.of))
            .filter_map(|line| match line {
                Line::Asks(path, _) | Line::AsksForMany(path, _) => Some(path),
                Line::Keyed | Line::Nothing(_) => None,
            })
            .flat_map(|path| self.of_each(&path))
            .collect();
        paths.extend(REPORTS.map(|name| format!("/v1/reports/{name}?company=acme&{JUNE}")));
        for more in [
            "/v1/inbox?state=shut",
            "/v1/returns?company=acme&state=done",
            "/v1/quarantine?company=acme&state=done",
            "/v1/rulebook?company=acme&files=1",
            "/v1/rulebook?company=acme&files=1&version=1",
            "/v1/rulebook/diff?company=acme&from=1&to=2",
            "/v1/rulebook/dealers/hudson?company=acme",
            "/v1/rulebook/areas/of-hudson?company=acme",
        ] {
            paths.extend(self.of_each(more));
        }
        paths
    }

    /// Everything that pages show whoever has a session: every page of each thing, the pages that those lead to, and
    /// what forms show that change nothing.
    async fn shown_to(&self, browser: &Browser<'_>, role: &str) -> Found {
        let mut found = Found::default();
        let (mut seen, mut further) = (BTreeSet::new(), BTreeSet::<String>::new());
        for path in self.pages() {
            let reply = browser.opens(&path).await;
            found.look(&path, &reply.text);
            further.extend(links(&reply));
            seen.insert(path);
        }
        // Every report was asked for: its other periods say nothing new.
        further.retain(|at| !at.starts_with("/console/reports/"));
        for path in further.difference(&seen) {
            let reply = browser.opens(path).await;
            found.look(path, &reply.text);
        }
        let csrf = browser.csrf().await;
        for (path, form) in self.forms() {
            let reply = browser.sends(&path, &format!("{form}&{csrf}")).await;
            // What only shows leads nowhere else; but whoever is found is opened at once.
            let opened = path == "/console/leads" && reply.header("location").starts_with("/console/leads/");
            assert!(reply.status != 303 || opened, "{path} with {form}");
            // Who may do all is shown all: else a form that is none any more would show nobody anything.
            let shows = reply.status == 200 || opened;
            assert!(shows || role != Role::Manager.as_str(), "{path} with {form}: {}", reply.text);
            found.look(&path, &reply.text);
        }
        found
    }

    fn pages(&self) -> BTreeSet<String> {
        let reads = pages::pages(&self.of).into_iter().filter(|(method, ..)| *method == "get");
        let mut paths: BTreeSet<String> = reads.flat_map(|(_, _, at, ..)| self.of_each(&at)).collect();
        paths.retain(|at| !at.contains("/sign-in"));
        for list in LISTS {
            paths.extend(self.of_each(&format!("/console/leads?company=acme&list={list}")));
        }
        paths.extend(REPORTS.map(|name| format!("/console/reports/{name}?company=acme&{JUNE}")));
        paths.insert("/console/rulebook/diff?company=acme&from=1&to=2".to_owned());
        paths.insert("/console/quarantine?company=acme&state=done".to_owned());
        paths.insert("/console/returns?company=acme&state=done".to_owned());
        paths
    }

    /// Forms that find somebody, show who it is, or look at what would follow.
    fn forms(&self) -> Vec<(String, String)> {
        let Walled { lead, enquiry, .. } = &self.of;
        let hottest = "list=company%3Dacme%26list%3Dhottest";
        let edit = "/console/dealers/acme/hudson/contracts/hudson/edit";
        let waits = self.stories.iter().find(|story| story.stage() == "waiting").expect("one that waits");
        let waits = waits.0["lead"].as_str().expect("a lead");
        let form = |path: &str, form: &str| (path.to_owned(), form.to_owned());
        let mut forms = vec![
            form("/console/leads", "company=acme&who=zq.canary%40mail.example"),
            // More than one is called so.
            form("/console/dealers", "company=acme&name=r"),
            form("/console/people/find", "company=acme&named=dora"),
            form("/console/leads/export", hottest),
            form("/console/leads/export", &format!("{hottest}&who=on")),
            form("/console/leads/many", &format!("act=take_back&{hottest}&one.{lead}=on")),
            form("/console/waiting/place", &format!("company=acme&one.{waits}=on")),
            form("/console/quarantine/many", &format!("company=acme&act=reject&one.{enquiry}=quarantined")),
            form(edit, "base=2&price=11.00"),
            form(&format!("/console/quarantine/{enquiry}/show"), "company=acme"),
        ];
        let leads = self.stories.iter().filter_map(|story| story.0["lead"].as_str());
        forms.extend(leads.map(|id| form(&format!("/console/leads/{id}/show"), "from=")));
        forms
    }
}

/// A lead that ridge has won.
async fn won(acme: &Yard) -> String {
    let person = Person::named("Ignatius", "Thistlewood").with("zip", "10001").with("phone", "305-274-0201");
    let lead = acme.settled_lead(&person).await;
    let _ = acme.answers("ridge", &lead, "accept").await.is(200);
    let _ = acme.answers_with("ridge", &lead, "won", Some(json!({ "value": "543.21" }))).await.is(200);
    lead
}

/// A lead where no contract is, that the desk knows and calls again.
async fn waiting(acme: &Yard) -> String {
    let person = Person::named("Perpetua", "Nightshade").with("zip", "60601").with("phone", "305-274-0202");
    let lead = acme.settled_lead(&person).await;
    let call = json!({
        "result": "callback", "callback_at": "2026-06-05T16:30:00Z", "note": "after the regatta",
    });
    for (act, body) in
        [("note", json!({ "text": "an aardvark knows them" })), ("follow_up", json!({})), ("call", call)]
    {
        let _ = acme.desk(Method::POST, &format!("/v1/leads/{lead}/{act}"), Some(body)).await.is(200);
    }
    lead
}

/// A lead that the desk took back from ridge, and holds.
async fn held(acme: &Yard) -> String {
    let person = Person::named("Barnaby", "Featherstone").with("zip", "10001").with("phone", "305-274-0203");
    let lead = acme.settled_lead(&person).await;
    let why = json!({ "reason": "an emu asked for it", "hold": true });
    let _ = acme.desk(Method::POST, &format!("/v1/leads/{lead}/take_back"), Some(why)).await.is(200);
    acme.settle().await;
    lead
}

async fn in_quarantine(acme: &Yard) -> String {
    let doubtful = Person::named("Wilhelmina", "Ravenscroft")
        .with("email", "wilhelmina@mailinator.com")
        .with("phone", "")
        .with("message", "a theremin in the attic")
        .with("favourite_tree", "baobab");
    let aside = acme.server("web").posts(&doubtful).await.is(202);
    acme.settle().await;
    aside.text_of("enquiry").to_owned()
}

fn searches() -> Vec<Value> {
    let mut all = vec![
        json!({ "company": "acme", "hottest": true }),
        json!({ "company": "acme", "source": "web" }),
        json!({ "company": "acme", "email": "zq.canary@mail.example" }),
        // As the quarantine is asked.
        json!({ "company": "acme" }),
    ];
    let stages = ["nurturing", "waiting", "assigned", "won", "lost", "expired", "rejected"];
    all.extend(stages.map(|stage| json!({ "company": "acme", "stage": stage })));
    for shut in [false, true] {
        all.extend(DEALERS.map(|dealer| json!({ "company": "acme", "dealer": dealer, "shut": shut })));
    }
    all
}

/// The pages that one leads to; a lead's once, from whichever list it is opened.
fn links(page: &Reply) -> BTreeSet<String> {
    let each = page.text.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    let ours = each.filter(|at| at.starts_with("/console/") && !at.contains("/assets/"));
    let plain = ours.map(|at| at.replace("&#38;", "&").replace("&amp;", "&"));
    plain.filter_map(|at| at.split('#').next()?.split("?from=").next().map(str::to_owned)).collect()
}

/// Who looks, what stands on their pages at least, and what of all that may stand on none of them.
struct Somebody<'y> {
    name: &'static str,
    browser: Browser<'y>,
    token: String,
    sees: Vec<&'static str>,
    never: Vec<&'static str>,
}

async fn everybody(world: &World) -> Vec<Somebody<'_>> {
    let acme = &world.of.acme;
    let at_desk = [
        ("rita@desk.example", Role::Reader, vec![OF_COMPANY], vec![WHO, OF_MANAGERS]),
        ("dora@desk.example", Role::Desk, vec![OF_COMPANY, WHO], vec![OF_MANAGERS]),
        ("maria@desk.example", Role::Manager, vec![OF_COMPANY, WHO, OF_MANAGERS], vec![]),
    ];
    let mut all = Vec::new();
    for (mailbox, role, sees, never) in at_desk {
        all.push(Somebody {
            name: role.as_str(),
            browser: Browser::by_mail(acme, mailbox).await,
            token: world.of.token(role).await,
            sees: sees.concat(),
            never: never.concat(),
        });
    }
    let of_dealers = [
        (
            "hudson",
            vec!["Quackenbush", "zq.canary@mail.example", "xylophone", "baobab", "13.37", "klaxon", "987.65"],
            vec!["Thistlewood", "Ravenscroft", "17.76", "walrus", "aardvark", "narwhal"],
        ),
        (
            "ridge",
            vec!["Thistlewood", "17.76", "543.21"],
            vec!["Quackenbush", "Zebulon", "Ravenscroft", "13.37", "987.65", "aardvark", "narwhal"],
        ),
    ];
    for (name, sees, never) in of_dealers {
        let browser = Browser::of_dealer(acme, name).await;
        all.push(Somebody { name, browser, token: acme.dealer_token(name), sees, never });
    }
    all
}

#[tokio::test(start_paused = true)]
async fn a_page_shows_nobody_what_no_route_would_tell_them() {
    let world = World::build().await;
    for Somebody { name, browser, token, sees, never } in everybody(&world).await {
        let (told, shown) = (world.told_by(&token).await, world.shown_to(&browser, name).await);
        let alone = shown.beyond(&told);
        assert!(alone.is_empty(), "{name} is shown, and told by no route: {alone:?}");
        let unseen: Vec<_> = sees.iter().filter(|canary| !shown.0.contains_key(*canary)).collect();
        assert!(unseen.is_empty(), "{name} is not shown what is theirs to see: {unseen:?}");
        for canary in never {
            let learned_at = told.0.get(canary).or_else(|| shown.0.get(canary));
            assert_eq!(learned_at, None, "{name} learns {canary}");
        }
    }
}

#[test]
fn what_a_page_alone_has_is_found_however_it_stands_there() {
    let (mut told, mut shown) = (Found::default(), Found::default());
    told.look("/v1/leads", "{\"price\":\"13.37\",\"id\":\"01a731b2\",\"at\":\"17:00:00.862Z\"}");
    shown.look("/console/leads", "<td>13.37 USD</td><dd>0 of 731 today</dd><dd>862</dd>");
    assert_eq!(shown.beyond(&told), ["731 on /console/leads", "862 on /console/leads"]);
    assert!(told.beyond(&shown).is_empty());
}
