//! What SES says of a mail after it took it: published to a topic of SNS, and from there to a queue of ours.
//!
//! The body is SNS's envelope, or SES's event alone where the topic delivers it raw. It names mailboxes: none is kept.
//! The shapes are those of the SES developer guide, "Contents of event data that Amazon SES publishes to Amazon SNS".

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::error::Invalid;

/// What became of one mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailEvent {
    /// SES's id of the mail.
    pub id: String,
    /// What it was about, as it was sent with it.
    pub tags: BTreeMap<String, String>,
    /// What became of it.
    pub fate: MailFate,
}

words! {
    /// What became of a mail.
    pub enum MailFate as "what became of a mail" {
        /// It never will arrive there: no such mailbox, or one that SES does not write to any more.
        Bounced = "bounced",
        /// It did not arrive, for a reason that may pass: the mailbox is full, the message was too large for it.
        Returned = "returned",
        /// Something came back that leaves open whether the mailbox has it: SES takes an automatic reply for such a
        /// bounce.
        Unsure = "unsure",
        /// SES itself would not send it after all.
        Refused = "refused",
        /// It arrived, and its reader calls it spam.
        Complained = "complained",
        /// The mailbox has it.
        Delivered = "delivered",
        /// Nothing that we act on: sent, delayed, opened.
        Other = "other",
    }
}

impl MailEvent {
    /// Reads a message of the queue.
    ///
    /// What SNS and SES say of the topic itself, in words, is nothing that became of a mail: it has no id.
    pub fn read(body: &str) -> Result<Self, Invalid> {
        let rule = |_| Invalid::new("a mail event is SES's JSON, or SNS's envelope around it");
        let envelope: Envelope = serde_json::from_str(body).map_err(rule)?;
        let event: Event = match envelope.message {
            Some(message) if !message.trim_start().starts_with('{') => {
                return Ok(Self { id: String::new(), tags: BTreeMap::new(), fate: MailFate::Other });
            }
            Some(message) => serde_json::from_str(&message).map_err(rule)?,
            None => serde_json::from_str(body).map_err(rule)?,
        };
        let fate = match (event.kind.as_str(), event.bounce) {
            ("Bounce", Some(bounce)) if bounce.kind == "Permanent" => MailFate::Bounced,
            ("Bounce", Some(bounce)) if bounce.arrived_not() => MailFate::Returned,
            ("Bounce", _) => MailFate::Unsure,
            ("Complaint", _) => MailFate::Complained,
            ("Reject", _) => MailFate::Refused,
            ("Delivery", _) => MailFate::Delivered,
            _ => MailFate::Other,
        };
        let first = |(name, values): (String, Vec<String>)| Some((name, values.into_iter().next()?));
        let tags = event.mail.tags.into_iter().filter_map(first).collect();
        Ok(Self { id: event.mail.id, tags, fate })
    }

    /// A tag's value.
    pub fn tag(&self, name: &str) -> Option<&str> {
        self.tags.get(name).map(String::as_str)
    }
}

#[derive(Deserialize)]
struct Envelope {
    #[serde(rename = "Message")]
    message: Option<String>,
}

#[derive(Deserialize)]
struct Event {
    /// Feedback of an identity, rather than of a configuration set, calls it otherwise.
    #[serde(rename = "eventType", alias = "notificationType")]
    kind: String,
    mail: MailOf,
    bounce: Option<Bounce>,
}

#[derive(Deserialize)]
struct MailOf {
    #[serde(rename = "messageId")]
    id: String,
    #[serde(default)]
    tags: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
struct Bounce {
    #[serde(rename = "bounceType")]
    kind: String,
    #[serde(rename = "bounceSubType", default)]
    why: String,
}

impl Bounce {
    /// Whether it says that the mailbox does not have the mail. What is general or undetermined may be the reply of
    /// somebody who is out of the office, and has it.
    fn arrived_not(&self) -> bool {
        const NOT_TAKEN: [&str; 4] =
            ["MailboxFull", "MessageTooLarge", "ContentRejected", "AttachmentRejected"];
        self.kind == "Transient" && NOT_TAKEN.contains(&self.why.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // As SES's developer guide prints them.
    const BOUNCE: &str = include_str!("mail_event/bounce.json");
    const COMPLAINT: &str = include_str!("mail_event/complaint.json");
    const DELIVERY: &str = include_str!("mail_event/delivery.json");
    const REJECT: &str = include_str!("mail_event/reject.json");
    const DELAY: &str = include_str!("mail_event/delay.json");

    fn fate(body: &str) -> MailFate {
        MailEvent::read(body).unwrap().fate
    }

    #[test]
    fn the_published_events_are_read() {
        let bounce = MailEvent::read(BOUNCE).unwrap();
        assert_eq!(bounce.fate, MailFate::Bounced);
        assert!(bounce.id.starts_with("EXAMPLE7c191be45"));
        assert_eq!(bounce.tag("ses:configuration-set"), Some("ConfigSet"));
        assert_eq!(fate(COMPLAINT), MailFate::Complained);
        assert_eq!(fate(DELIVERY), MailFate::Delivered);
        assert_eq!(fate(REJECT), MailFate::Refused);
        assert_eq!(fate(DELAY), MailFate::Other);
    }

    #[test]
    fn a_bounce_that_may_pass_is_not_a_lasting_one() {
        let full = BOUNCE.replace("Permanent", "Transient").replace("\"General\"", "\"MailboxFull\"");
        assert_eq!(fate(&full), MailFate::Returned);
        // An automatic reply looks like this, and its mailbox has the mail.
        for kind in ["Transient", "Undetermined"] {
            assert_eq!(fate(&BOUNCE.replace("Permanent", kind)), MailFate::Unsure);
        }
    }

    #[test]
    fn it_may_come_in_an_envelope_and_from_an_identity() {
        let envelope = serde_json::json!({ "Type": "Notification", "TopicArn": "arn", "Message": BOUNCE });
        assert_eq!(MailEvent::read(&envelope.to_string()), MailEvent::read(BOUNCE));
        let feedback = BOUNCE.replace("eventType", "notificationType");
        assert_eq!(fate(&feedback), MailFate::Bounced);
    }

    #[test]
    fn what_a_topic_says_of_itself_is_no_event() {
        let said = "Successfully validated SNS topic for Amazon SES event publishing.";
        let envelope = serde_json::json!({ "Type": "Notification", "Message": said });
        let event = MailEvent::read(&envelope.to_string()).unwrap();
        assert_eq!((event.fate, event.tag("lead")), (MailFate::Other, None));
    }

    #[test]
    fn what_is_none_is_refused_and_not_repeated() {
        let envelope = r#"{"Type": "Notification", "Message": "{not JSON of ada@example.com"}"#;
        for bad in ["", "[]", "{}", "null", r#"{"eventType": "Bounce"}"#, envelope] {
            let error = MailEvent::read(bad).unwrap_err().to_string();
            assert!(!error.contains("ada@"), "{error}");
        }
    }
}
