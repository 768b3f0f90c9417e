//! Letters to dealers, and invitations to sign in, over SES (API v2).
//!
//! A mail is sent as the bytes it is ([`Mail::bytes`]), so that it arrives as one part whatever SES would make of
//! text. What it is about goes beside it as tags, which come back with everything that SES later says of it: a
//! bounce finds its lead by them. They are ids; no person stands in them.
//!
//! SES answers over HTTP, and its answer is judged as a dealer's is: accepted is *received* until a bounce or a
//! complaint says otherwise; a refusal is *not received*; where no answer came, nobody knows. Nothing is retried
//! here: retries happen in the schedule only.

use std::time::Duration;

use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::primitives::Blob;
use aws_sdk_sesv2::types::{Destination, EmailContent, MessageTag, RawMessage};
use jiff::Timestamp;
use leadyard_domain::delivery::{Event, Mail};
use leadyard_domain::ids::{ActId, AssignmentId, CompanyId, DealerId, LeadId};
use leadyard_domain::limits;
use leadyard_domain::rulebook::Invitee;
use tokio::time::Instant;

use crate::sent::Sent;

/// What mails need to know of where this runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MailConfig {
    /// SES's configuration set that publishes bounces and complaints. Without one nobody hears of them.
    pub configuration_set: Option<String>,
    /// Where the console's pages are, without a slash at the end. Without it letters have no links.
    pub console_url: Option<String>,
}

/// The way to dealers' mailboxes.
#[derive(Clone, Debug)]
pub struct Mailer {
    client: Client,
    config: MailConfig,
}

/// What a mail is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// Whose lead.
    pub company: CompanyId,
    /// To whom.
    pub dealer: DealerId,
    /// By which of its channels.
    pub channel: u8,
    /// What that channel was, hashed: one that the rulebook changes is another.
    pub mark: String,
    /// Which lead.
    pub lead: LeadId,
    /// Which cycle of it.
    pub cycle: u32,
    /// Which seat.
    pub assignment: AssignmentId,
    /// What it says.
    pub event: Event,
    /// Which message: the assignment itself, or another by its number.
    pub message: Option<String>,
    /// Of a copy, the channel that it has to itself; 0 of none.
    pub copy: u8,
}

/// A dot within a tag, which may have none.
const DOT: &str = "P";

impl About {
    /// As tags: names and values of letters, digits, `-` and `_`. Our ids have no capitals, and may have dots: those
    /// go as [`DOT`].
    pub fn tags(&self) -> Vec<(&'static str, String)> {
        let (_, event) = self.event.as_str().split_once('.').unwrap_or_default();
        let mut tags = vec![
            ("company", self.company.as_str().replace('.', DOT)),
            ("dealer", self.dealer.as_str().replace('.', DOT)),
            ("channel", self.channel.to_string()),
            ("mark", self.mark.clone()),
            ("lead", self.lead.to_string()),
            ("cycle", self.cycle.to_string()),
            ("assignment", self.assignment.to_string()),
            ("event", event.to_owned()),
            ("copy", self.copy.to_string()),
        ];
        tags.extend(self.message.clone().map(|message| ("message", message)));
        tags
    }

    /// Read back; `None` of tags that are not ours.
    pub fn of_tags<'a>(tag: impl Fn(&str) -> Option<&'a str>) -> Option<Self> {
        let event = format!("lead.{}", tag("event")?);
        Some(Self {
            company: CompanyId::new(&tag("company")?.replace(DOT, ".")).ok()?,
            dealer: DealerId::new(&tag("dealer")?.replace(DOT, ".")).ok()?,
            channel: tag("channel")?.parse().ok()?,
            mark: tag("mark")?.to_owned(),
            lead: tag("lead")?.parse().ok()?,
            cycle: tag("cycle")?.parse().ok()?,
            assignment: tag("assignment")?.parse().ok()?,
            event: event.parse().ok()?,
            message: tag("message").map(str::to_owned),
            copy: tag("copy")?.parse().ok()?,
        })
    }
}

/// What a mail is about that invites somebody. An earlier version reads no lead of its tags, and takes what comes back of
/// it for a mail that is not ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invited {
    /// To whose leads.
    pub company: CompanyId,
    /// Whom.
    pub to: Invitee,
    /// By which act.
    pub act: ActId,
}

impl Invited {
    /// As tags, as [`About::tags`].
    pub fn tags(&self) -> Vec<(&'static str, String)> {
        vec![
            ("company", self.company.as_str().replace('.', DOT)),
            ("invited", self.to.kind().to_owned()),
            ("who", self.to.id().replace('.', DOT)),
            ("act", self.act.to_string()),
        ]
    }

    /// Read back; `None` of tags that are no invitation's.
    pub fn of_tags<'a>(tag: impl Fn(&str) -> Option<&'a str>) -> Option<Self> {
        Some(Self {
            company: CompanyId::new(&tag("company")?.replace(DOT, ".")).ok()?,
            to: Invitee::of(tag("invited")?, &tag("who")?.replace(DOT, "."))?,
            act: tag("act")?.parse().ok()?,
        })
    }
}

impl Mailer {
    /// Over this client, which retries nothing: see [`Mailer::timeouts`].
    pub const fn new(client: Client, config: MailConfig) -> Self {
        Self { client, config }
    }

    /// How long SES may take: less than an attempt has.
    pub fn timeouts() -> aws_sdk_sesv2::config::timeout::TimeoutConfig {
        const LEFT_MS: u64 = 1_000;
        aws_sdk_sesv2::config::timeout::TimeoutConfig::builder()
            .connect_timeout(Duration::from_millis(limits::CONNECT_MS))
            .operation_timeout(Duration::from_millis(limits::ATTEMPT_MS - LEFT_MS))
            .build()
    }

    /// Where the console's pages are.
    pub fn console_url(&self) -> Option<&str> {
        self.config.console_url.as_deref()
    }

    /// Makes one attempt at `at`; the tags say what it is about.
    pub async fn send(&self, mail: &Mail, tags: Vec<(&'static str, String)>, at: Timestamp) -> Sent {
        let began = Instant::now();
        let Ok(raw) = RawMessage::builder().data(Blob::new(mail.bytes(at))).build() else {
            return Sent::never("malformed", began.elapsed());
        };
        let tags: Result<Vec<MessageTag>, _> = tags
            .into_iter()
            .map(|(name, value)| MessageTag::builder().name(name).value(value).build())
            .collect();
        let sent = self
            .client
            .send_email()
            .from_email_address(&mail.from)
            .destination(Destination::builder().to_addresses(&mail.to).build())
            .content(EmailContent::builder().raw(raw).build())
            .set_email_tags(tags.ok())
            .set_configuration_set_name(self.config.configuration_set.clone())
            .send()
            .await;
        match sent {
            Ok(answer) => Sent::received(answer.message_id.unwrap_or_default(), began.elapsed()),
            Err(error) => Sent::failed(&error, began.elapsed()),
        }
    }
}

#[cfg(test)]
mod tests {
    use leadyard_domain::ids::PersonId;

    use super::*;

    #[test]
    fn what_comes_back_of_an_invitation_names_it() {
        let invited = Invited {
            company: CompanyId::new("acme.roofing").unwrap(),
            to: Invitee::Person(PersonId::new("ada.b").unwrap()),
            act: ActId::from_bytes([7; 16]),
        };
        let tags = invited.tags();
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        assert!(tags.iter().all(|(_, value)| value.chars().all(allowed)), "{tags:?}");
        let tag = |name: &str| tags.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str());
        assert_eq!(Invited::of_tags(tag), Some(invited));
        assert_eq!(About::of_tags(tag), None, "it is about no lead");
    }
}
