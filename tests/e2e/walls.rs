//! The walls: nobody reads or changes what another company's or another dealer's is, or does what their role does not
//! allow, by any route and on any page; and whoever only reads learns nobody's name, address or number.
//!
//! Every route of the document and every page of the console has a line in the tables below, with a request that would
//! do something if it were let in. A new route without a line fails the test. And whatever a page shows somebody, the API
//! tells them as well.

mod api;
mod pages;
mod shown;

use std::collections::BTreeMap;

use http::Method;
use leadyard_domain::access::Role;
use leadyard_platform::store::Item;
use leadyard_tests::{Person, Reply, Rules, Yard};
use serde_json::{Value, json};

/// What of acme's person nobody reads who may not: nothing else in the system is written like these.
const CANARIES: [&str; 6] = ["Quackenbush", "zq.canary", "5550177", "555-0177", "xylophone", "Marmalade"];

/// The people of each company's desk, by what they may do.
const PEOPLE: &str = "person,email,role\nmaria,maria@desk.example,manager\ndora,dora@desk.example,desk\n\
    rita,rita@desk.example,reader\n";

fn rules(company: &str) -> Rules {
    let returns = [("return_days", "7"), ("return_quota", "50%"), ("return_reasons", "wrong-number")];
    Rules::roofing(company)
        .with("[mail]\nfrom = \"desk@acme.example\"\nname = \"Acme Leads\"")
        .offer("gutter", "roofing", "")
        .seller("hudson", [("tier", "1"), returns[0], returns[1], returns[2]])
        .seller("ridge", [("tier", "2")])
        .source_of("meta", "ads", "offer = \"roof\"")
        .file("people.csv", PEOPLE)
}

fn canary() -> Person {
    Person::named("Zebulon", "Quackenbush")
        .with("email", "zq.canary@mail.example")
        .with("phone", "305-555-0177")
        .with("street", "7 Marmalade Row")
        .with("message", "a xylophone on the roof")
}

/// A company with a lead that hudson has accepted and asks to return, an enquiry in quarantine, a token for programs; a
/// deposit, a secret and a test of hudson's; and a second company that has none of it. What a request names is there: of
/// what is not, nothing would be told where a wall is missing.
struct Walled {
    acme: Yard,
    other: Yard,
    lead: String,
    assignment: String,
    decision: String,
    /// Something that the lead did, as its story names it.
    interaction: String,
    enquiry: String,
    /// By its id.
    token: String,
    test: String,
}

impl Walled {
    async fn build() -> Self {
        let acme = Yard::of(rules("acme")).await;
        let other = acme
            .also(rules("other").file("people.csv", &PEOPLE.replace("desk.example", "other.example")))
            .await;
        let lead = acme.settled_lead(&canary()).await;
        let asks = json!({ "reason": "wrong-number", "note": "a fax answers" });
        let _ = acme.answers_with("hudson", &lead, "return", Some(asks)).await.is(200);
        let doubtful = canary().with("email", "zq.canary@mailinator.com").with("phone", "");
        let aside = acme.server("web").posts(&doubtful).await.is(202);
        let looked =
            json!({ "id": "look-1", "kind": "page_view", "at": "2026-06-01T15:00:00Z", "lead": lead });
        let _ = acme.server("web").reports(looked).await.is(202);
        let standing = json!({ "name": "standing", "role": "desk" });
        let made = acme.desk(Method::POST, "/v1/tokens", Some(standing)).await.is(201);
        let paid = json!({ "amount": "100.00", "reference": "wire-1" });
        let _ = acme.desk(Method::POST, "/v1/dealers/hudson/deposits", Some(paid)).await.is(200);
        for whose in ["dealers/hudson/secrets/api_key", "sources/ads/secrets/meta_app_secret"] {
            let given = json!({ "secret": "s3cret-s3cret" });
            let _ = acme.desk(Method::PUT, &format!("/v1/{whose}"), Some(given)).await.is(200);
        }
        let tried = acme.desk(Method::POST, "/v1/dealers/hudson/channels/1/test", None).await.is(202);
        acme.settle().await;
        let story = acme.story(&lead).await;
        let text = |value: &Value| value.as_str().expect("an id").to_owned();
        let assignment = text(&story.assignment("hudson")["assignment"]);
        let decision = text(&story.list("decisions").next().expect("a decision")["id"]);
        let interaction = text(&story.list("interactions").next().expect("a page view")["names"][0]);
        let enquiry = aside.text_of("enquiry").to_owned();
        let (token, test) = (made.text_of("id").to_owned(), tried.text_of("test").to_owned());
        Self { acme, other, lead, assignment, decision, interaction, enquiry, token, test }
    }

    /// A token of acme for programs.
    async fn token(&self, role: Role) -> String {
        let asked = json!({ "name": role.as_str(), "role": role });
        let made = self.acme.desk(Method::POST, "/v1/tokens", Some(asked)).await.is(201);
        made.text_of("token").to_owned()
    }

    /// Everything that the table holds, but for when sessions and tokens were last used.
    async fn image(&self) -> BTreeMap<(String, String), Item> {
        let store = &self.acme.cloud.store;
        let mut items = BTreeMap::new();
        let mut start = None;
        loop {
            let scan = store.client().scan().table_name(store.table()).set_exclusive_start_key(start);
            let page = scan.send().await.unwrap();
            for mut item in page.items.unwrap_or_default() {
                let key = |name: &str| item[name].as_s().unwrap().clone();
                let key = (key("pk"), key("sk"));
                let _ = (item.remove("used_on"), item.remove("seen_at"));
                items.insert(key, item);
            }
            start = page.last_evaluated_key.filter(|key| !key.is_empty());
            if start.is_none() {
                return items;
            }
        }
    }
}

/// What is asked of acme by the ids of what it has, asked of the other company in its stead: an id is of no company by
/// itself. Nothing, where it names nothing of acme's, or no company.
fn as_the_others(of: &Walled, asked: &str) -> Option<String> {
    let Walled { lead, assignment, decision, interaction, enquiry, token, test, .. } = of;
    let ids = [lead, assignment, decision, interaction, enquiry, token, test];
    let names_one = ids.iter().any(|id| asked.contains(id.as_str()));
    let ways =
        [("company=acme", "company=other"), ("company%3Dacme", "company%3Dother"), ("/acme/", "/other/")];
    let theirs = ways.iter().fold(asked.to_owned(), |text, (ours, theirs)| text.replace(ours, theirs));
    (names_one && theirs != asked).then_some(theirs)
}

/// Nothing of acme's person stands in an answer.
fn names_nobody(reply: &Reply, asked: &str) {
    for canary in CANARIES {
        assert!(!reply.text.contains(canary), "{canary} is told by {asked}: {}", reply.text);
    }
}
