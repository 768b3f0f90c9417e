//! An enquiry comes to its lead: asked by intake, when it arrives or its time in quarantine is over, and by the desk's
//! pages, when somebody releases it.
//!
//! | module | holds |
//! |---|---|
//! | [`whose`] | which lead an enquiry belongs to |
//! | [`join`] | an arrival becomes an enquiry and its lead, in one commit |
//! | [`answer`] | what became of it, as its sender may know |
//! | [`quarantine`] | what waits for a verdict: the desk's, or its silence |

pub mod whose;
pub mod join;
pub mod answer;
pub mod quarantine;

use std::net::IpAddr;

use bytes::Bytes;
use jiff::Timestamp;
use leadyard_domain::access::{PageKey, Platform, VisitorToken};
use leadyard_domain::distribution::Core;
use leadyard_domain::enquiry::{Fields, Understood};
use leadyard_domain::ids::{EnquiryId, VisitorId};
use leadyard_domain::rulebook::Source;
use leadyard_domain::screening::AddressHash;

use crate::cloud::Cloud;
use crate::queues::SentBy;
use crate::store::UNFETCHED;

/// The generation of a key that let its enquiry in, where nobody says any more which it was.
pub const LET_IN: u32 = 0;

/// An enquiry on the doorstep: received, not yet kept.
#[derive(Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Arrival {
    /// Fixed before the first write.
    pub id: EnquiryId,
    /// By which it came.
    pub key: PageKey,
    /// It came with the source's secret.
    pub trusted: bool,
    /// When.
    pub at: Timestamp,
    /// As it was sent.
    pub content_type: String,
    /// As it was sent.
    pub body: Bytes,
    /// Hashes of the idempotency key and of the body.
    pub idempotency: Option<(String, String)>,
    /// The visitor to link unless the enquiry brings one, minted here; none where no browser sent it.
    pub visitor: Option<VisitorId>,
    /// The browser asks not to be tracked, by Global Privacy Control.
    pub gpc: bool,
    /// The browser, as it names itself.
    pub user_agent: Option<String>,
    /// Where it came from, as a keyed hash.
    pub address: Option<AddressHash>,
    /// The same as it is, where a page sent it: for the proof of a consent alone.
    pub ip: Option<IpAddr>,
    /// The ad platform that sent it.
    pub sent_by: Option<SentBy>,
    /// It comes in from the spill.
    pub spilled: bool,
    /// It was sent from the posting instructions.
    pub tried: bool,
}

impl Arrival {
    /// One of which no more is known than by which key it came, and when.
    pub fn by(key: PageKey, at: Timestamp) -> Self {
        Self {
            id: EnquiryId::from_bytes([0; 16]),
            key,
            trusted: false,
            at,
            content_type: String::new(),
            body: Bytes::new(),
            idempotency: None,
            visitor: None,
            gpc: false,
            user_agent: None,
            address: None,
            ip: None,
            sent_by: None,
            spilled: false,
            tried: false,
        }
    }

    /// Somebody tries the connection: a test lead, whatever its source.
    pub fn is_test(&self) -> bool {
        self.tried || self.sent_by.is_some_and(|sent_by| sent_by.test)
    }

    /// The status it stands with before it is kept: what a platform told of, and was fetched since.
    pub fn stands_as(&self) -> Option<&'static str> {
        self.sent_by.filter(|sent_by| sent_by.platform == Platform::Meta).map(|_| UNFETCHED)
    }

    /// Whoever sent it cannot send it again: no full cap refuses it.
    pub const fn is_not_refused(&self) -> bool {
        self.spilled || self.sent_by.is_some()
    }
}

/// An arrival, understood.
pub struct Arrived<'a> {
    /// What arrived.
    pub arrival: &'a Arrival,
    /// The rules that it is taken in under.
    pub core: &'a Core,
    /// Who sent it.
    pub source: &'a Source,
    /// What it says.
    pub fields: Fields,
    /// What that means.
    pub understood: Understood,
}

/// The browser an enquiry came from: the one it names, if the token is ours and of this company; else
/// the one minted for it. None where tracking is not allowed.
pub fn visitor(cloud: &Cloud, arrived: &Arrived<'_>) -> Option<VisitorId> {
    if !arrived.understood.tracking_allowed {
        return None;
    }
    let named = arrived.understood.visitor.as_deref().and_then(|token| cloud.master.verify(token));
    let named = named.filter(|token: &VisitorToken| token.company == arrived.arrival.key.company);
    named.map(|token| token.visitor).or(arrived.arrival.visitor)
}
