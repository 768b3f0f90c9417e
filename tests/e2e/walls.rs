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
        .file("people.csv", PEOPLE)
}

fn canary() -> Person {
    Person::named("Zebulon", "Quackenbush")
        .with("email", "zq.canary@mail.example")
        .with("phone", "305-555-0177")
        .with("street", "7 Marmalade Row")
        .with("message", "a xylophone on the roof")
}

/// A company with a lead that hudson has accepted and asks to return, an enquiry in quarantine, and a second company
/// that has none of it.
struct Walled {
    acme: Yard,
    other: Yard,
    lead: String,
    assignment: String,
    decision: String,
    enquiry: String,
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
        acme.settle().await;
        let story = acme.story(&lead).await;
        let text = |value: &Value| value.as_str().expect("an id").to_owned();
        let assignment = text(&story.assignment("hudson")["assignment"]);
        let decision = text(&story.list("decisions").next().expect("a decision")["id"]);
        let enquiry = aside.text_of("enquiry").to_owned();
        Self { acme, other, lead, assignment, decision, enquiry }
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

/// Nothing of acme's person stands in an answer.
fn names_nobody(reply: &Reply, asked: &str) {
    for canary in CANARIES {
        assert!(!reply.text.contains(canary), "{canary} is told by {asked}: {}", reply.text);
    }
}
