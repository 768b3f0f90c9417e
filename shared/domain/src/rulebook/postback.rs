//! `[source.postback]`: where the sender of a source's enquiries is told what became of them.
//!
//! Determinations:
//!
//! - *Nothing personal is in a postback*: it has our id of the enquiry, the sender's own reference, the status and its
//!   reason. What the reference may be, [`Understood::reference`](crate::enquiry::Understood::reference) says.
//! - *A sender chooses no host*: placeholders stand in the path and the query, never before them, and what takes their
//!   place is percent-encoded.
//! - *A GET says nothing but its URL*, which therefore has a placeholder at least; a POST has a body besides.
//! - *`rejected` came later* than the others, and the rules in force are read by functions of the version
//!   before while a new one is deployed: it is kept apart from them, where that version passes over it.

use std::fmt::Write as _;

use crate::error::Invalid;
use crate::limits;
use crate::rulebook::index::Read;
use crate::rulebook::keys::{Keys, text};
use crate::rulebook::problem::{ProblemCode, Problems};
use crate::rulebook::value;

words! {
    /// What the sender of an enquiry may be told of it.
    pub enum PostbackStatus as "what a postback tells" {
        /// It opened a lead's sale cycle.
        Received = "received",
        /// It is of somebody whose lead is known.
        Repeat = "repeat",
        /// It waits for the desk's verdict.
        Quarantined = "quarantined",
        /// The desk rejected it.
        Rejected = "rejected",
        /// The lead it opened was sold: a dealer has it, and owes for it.
        Sold = "sold",
        /// A dealer gave that lead back, and was credited.
        Returned = "returned",
    }
}

words! {
    /// How a postback is sent.
    pub enum PostbackMethod as "a postback's method" {
        /// Signed, by Standard Webhooks.
        Post = "post",
        /// What there is to say stands in the URL.
        Get = "get",
    }
}

/// Where the sender is told what became of its enquiries.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(from = "Kept", into = "Kept")]
pub struct PostbackRule {
    /// An `https` URL, with `{reference}`, `{enquiry}`, `{status}` and `{reason}` where they are to stand.
    pub url: String,
    /// How.
    pub method: PostbackMethod,
    /// Of what it is told; each once.
    pub on: Vec<PostbackStatus>,
}

/// A rule as it is kept.
#[derive(serde::Serialize, serde::Deserialize)]
struct Kept {
    url: String,
    method: PostbackMethod,
    /// All but [`PostbackStatus::Rejected`].
    on: Vec<PostbackStatus>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    rejected: bool,
}

impl From<PostbackRule> for Kept {
    fn from(rule: PostbackRule) -> Self {
        let rejected = rule.asks_for(PostbackStatus::Rejected);
        let on = rule.on.into_iter().filter(|status| *status != PostbackStatus::Rejected).collect();
        Self { url: rule.url, method: rule.method, on, rejected }
    }
}

impl From<Kept> for PostbackRule {
    fn from(kept: Kept) -> Self {
        let mut on = kept.on;
        on.extend(kept.rejected.then_some(PostbackStatus::Rejected));
        on.sort_unstable();
        Self { url: kept.url, method: kept.method, on }
    }
}

/// What is said in a postback.
#[derive(Clone, Copy, Debug)]
pub struct PostbackSays<'a> {
    /// Our id of the enquiry.
    pub enquiry: &'a str,
    /// What became of it.
    pub status: PostbackStatus,
    /// Why, in words that programs compare; empty, if there is nothing to say.
    pub reason: &'a str,
    /// What the sender calls the enquiry; empty, if it called it nothing.
    pub reference: &'a str,
}

/// What may stand in braces.
const PLACEHOLDERS: [&str; 4] = ["reference", "enquiry", "status", "reason"];

impl PostbackRule {
    /// Whether the sender is to be told of this.
    pub fn asks_for(&self, status: PostbackStatus) -> bool {
        self.on.contains(&status)
    }

    /// The URL of one postback.
    pub fn fill(&self, says: &PostbackSays<'_>) -> String {
        let values = [says.reference, says.enquiry, says.status.as_str(), says.reason];
        let mut url = String::with_capacity(self.url.len() + limits::POSTBACK_REFERENCE_BYTES);
        let mut rest = self.url.as_str();
        // In one pass: what is put in is never looked at again.
        while let Some((before, after)) = rest.split_once('{') {
            url.push_str(before);
            let (name, after) = after.split_once('}').unwrap_or((after, ""));
            let said = PLACEHOLDERS.iter().zip(values).find(|(known, _)| **known == name);
            if let Some((_, value)) = said {
                encode(value, &mut url);
            }
            rest = after;
        }
        url.push_str(rest);
        url
    }
}

/// Percent-encodes all but what no URL gives a meaning to (RFC 3986, unreserved).
fn encode(value: &str, url: &mut String) {
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'~' | b'.') {
            url.push(char::from(byte));
        } else {
            let _ = write!(url, "%{byte:02X}");
        }
    }
}

/// `postback = { url = "https://…", method = "get", on = ["sold"] }`, or a table `[source.postback]`.
pub(super) fn read(keys: &mut Keys<'_, '_>, problems: &mut Problems) -> Read<Option<PostbackRule>> {
    let Some(mut table) = keys.table("postback", problems)? else { return Ok(None) };
    let url = table.needed("url", text(url), problems);
    let method = table.optional("method", text(str::parse), problems);
    let on = table.list("on", str::parse, problems);
    let (url, method, on) = (url?, method?.unwrap_or(PostbackMethod::Post), on?);
    if method == PostbackMethod::Get && !url.contains('{') {
        let rule = "a GET says nothing but its URL: write {reference} and {status} into it";
        return table.refuse("url", ProblemCode::InvalidValue, rule, problems);
    }
    table.finish(problems);
    let mut on = on.unwrap_or_else(|| PostbackStatus::ALL.to_vec());
    on.sort_unstable();
    on.dedup();
    Ok(Some(PostbackRule { url, method, on }))
}

fn url(text: &str) -> Result<String, Invalid> {
    let rule = || {
        Invalid::new(format!(
            "a postback's URL is an https:// URL of at most {} ASCII characters, with {{reference}}, {{enquiry}}, {{status}} and {{reason}} alone in braces, in its path or query",
            limits::POSTBACK_URL_BYTES
        ))
    };
    let plain =
        PLACEHOLDERS.iter().fold(text.to_owned(), |url, name| url.replace(&format!("{{{name}}}"), "x"));
    let host_ends =
        text.split_once("://").and_then(|(scheme, rest)| Some(scheme.len() + 3 + rest.find('/')?));
    let in_host = text.find('{').is_some_and(|at| host_ends.is_none_or(|ends| at < ends));
    if text.len() > limits::POSTBACK_URL_BYTES || plain.contains(['{', '}', '#']) || in_host {
        return Err(rule());
    }
    value::webhook(&plain).map_err(|_| rule())?;
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAYS: PostbackSays<'_> = PostbackSays {
        enquiry: "0190",
        status: PostbackStatus::Sold,
        reason: "wrong_number,too far&more",
        reference: "a/../b?c=d#{status}%",
    };

    fn rule(url: &str) -> PostbackRule {
        PostbackRule { url: super::url(url).unwrap(), method: PostbackMethod::Get, on: Vec::new() }
    }

    #[test]
    fn what_is_put_in_changes_nothing_of_the_url_around_it() {
        assert_eq!(
            rule("https://n.example/p/{enquiry}?r={reference}&s={status}&w={reason}&s={status}").fill(&SAYS),
            "https://n.example/p/0190?r=a%2F..%2Fb%3Fc%3Dd%23%7Bstatus%7D%25&s=sold\
             &w=wrong_number%2Ctoo%20far%26more&s=sold"
        );
        assert_eq!(rule("https://n.example/p").fill(&SAYS), "https://n.example/p");
    }

    #[test]
    fn the_version_before_reads_a_rule_that_asks_for_what_it_does_not_know() {
        let all = PostbackRule { on: PostbackStatus::ALL.to_vec(), ..rule("https://n.example/p") };
        let kept = serde_json::to_value(&all).unwrap();
        let known = ["received", "repeat", "quarantined", "sold", "returned"];
        assert_eq!(kept["on"], serde_json::json!(known));
        assert_eq!(serde_json::from_value::<PostbackRule>(kept).unwrap(), all);
        // And this one, what that wrote.
        let before =
            serde_json::json!({ "url": "https://n.example/p", "method": "get", "on": ["repeat", "sold"] });
        let read: PostbackRule = serde_json::from_value(before).unwrap();
        assert_eq!(read.on, [PostbackStatus::Repeat, PostbackStatus::Sold]);
    }

    #[test]
    fn a_sender_chooses_no_host() {
        for bad in [
            "https://{reference}/p",
            "https://{reference}.example/p",
            "https://n.example:{reference}/",
            "https://n.example?{reference}",
            "https://u{reference}@n.example/",
            "{reference}://n.example/",
            "http://n.example/?{reference}",
            "https://n.example/?{email}",
            "https://n.example/?{",
            "https://n.example/?}",
            "https://n.example/#{reference}",
        ] {
            assert!(url(bad).is_err(), "{bad}");
        }
        let long = format!("https://n.example/{}", "x".repeat(limits::POSTBACK_URL_BYTES));
        assert!(url(&long).is_err());
        assert!(url("http://127.0.0.1:9/?{reference}").is_ok(), "one machine has no certificate");
    }
}
