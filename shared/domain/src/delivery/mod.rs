//! Getting an assigned lead to its dealer: what is sent, how it is signed, where it may go, what an
//! attempt's end means and when the next one follows.
//!
//! In reading order: [`payload`](Event) is what is sent, by Standard Webhooks 1.0.0; `adf` is the same for dealers
//! whose system reads that, [`Template`] the form of a dealer's own API, [`letter`] for a person to read; `mail` is the
//! bytes of one, `mail_event` what becomes of it; `signature` proves that it came from us; `address` says which URLs
//! may be dialled; `outcome` turns a dealer's answer,
//! or the lack of one, into *received*, *not received* or *unknown*; `schedule` says when the next
//! attempt follows, `breaker` when a channel is left alone. Nothing here sends anything.

mod payload;
mod xml;
mod adf;
mod template;
mod sealed;
mod signature;
pub mod letter;
mod mail;
mod mail_event;
mod address;
mod outcome;
mod schedule;
mod breaker;

pub use address::{Reach, check_url, is_localhost_name};
pub use adf::{ADF_TYPE, ProspectStatus, Vendor, adf, speaks};
pub use breaker::{Breaker, Gate};
pub use mail::Mail;
pub use mail_event::{MailEvent, MailFate};
pub use outcome::{End, Failure, FailureKind, Outcome, retry_after_s};
pub use payload::{
    Address, AssignedPayload, Consent, ErasedPayload, Event, OptedOutOf, OptedOutPayload, Person,
    RepeatedPayload, WarnedPayload, WithdrawalReason, WithdrawnPayload, webhook_id,
};
pub use schedule::{LEAD_ATTEMPTS, Next, Schedule, next_attempt};
pub use sealed::{Giver, Owner, Sealed, SourceGives, check_secret, never_shown};
pub use signature::{WebhookSecret, derive_postback_secret, derive_secret, sign};
pub use template::{
    BodyKind, Decline, Example as TemplateExample, ExampleOf, Facts, Field as TemplateField, JsonPath,
    Method, Named, NoSecret, Node, Says, Secrets, Success, Template, Text, TextFault, Verdict,
    check_secret_name,
};
pub(crate) use xml::is_name as is_xml_name;
