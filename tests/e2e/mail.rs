//! Leads by mail: what a dealer reads, what SES's answers mean, the links that accept and decline, mails that come
//! back.
//!
//! | module | holds |
//! |---|---|
//! | `letter` | what a dealer reads |
//! | `sent` | what SES says when a mail is handed over |
//! | `links` | the links that accept and decline |
//! | `returned` | a mail comes back: what becomes of its lead |
//! | `mailbox` | a mail comes back: what becomes of its address |
//! | `shown` | the page that shows mails on one machine |

mod letter;
mod sent;
mod links;
mod returned;
mod mailbox;
mod shown;

use std::time::Duration;

use http::Method;
use leadyard::aws::Caught;
use leadyard_tests::{Person, Rules, Yard};
use serde_json::Value;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);

const HUDSON: &str = "leads@hudson.example";
const SENDER: &str = "[mail]\nfrom = \"desk@acme.example\"\nname = \"Acme Leads\"";

const PHONE: &str = "+13052745678";
const EMAIL: &str = "ada.hill@mail.example";

fn ada() -> Person {
    Person::named("Ada", "Hill").with("phone", PHONE)
}

/// Hudson first, by these channels (order, kind, address, when); then Ridge, by its webhook.
fn by<const N: usize>(channels: &[[&str; 4]], contract: [(&str, &str); N]) -> Rules {
    let mut table = "dealer,order,kind,address,when\n".to_owned();
    for channel in channels {
        table.extend(["hudson,", &channel.join(","), "\n"]);
    }
    table.push_str("ridge,1,webhook,http://127.0.0.1:9/acme/ridge,\n");
    Rules::roofing("acme")
        .with(SENDER)
        .dealer("hudson", [("zone", "America/Chicago")])
        .contract("hudson", "hudson", contract)
        .seller("ridge", [("tier", "2")])
        .file("channels.csv", &table)
}

fn by_mail<const N: usize>(contract: [(&str, &str); N]) -> Rules {
    by(&[["1", "mail", HUDSON, ""]], contract)
}

fn mails(yard: &Yard) -> Vec<Caught> {
    yard.aws.mail().caught_by(HUDSON)
}

async fn changes(yard: &Yard, act: &str) -> Vec<Value> {
    let reply = yard.desk(Method::GET, "/v1/changes", None).await.is(200);
    let all = reply.json["changes"].as_array().cloned().unwrap_or_default();
    all.into_iter().filter(|change| change["act"] == act).collect()
}

/// What a dealer owes this month, and for how many leads.
async fn charged(yard: &Yard, dealer: &str) -> (Value, Value) {
    let path = format!("/v1/dealers/{dealer}/statement?month=2026-06");
    let june = yard.desk(Method::GET, &path, None).await.is(200).json;
    (june["charged"].clone(), june["owed"].clone())
}
