//! A dealer as a decision reads it: how it is reached, and when it is open.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::dealer::{ChannelKind, ChannelWhen, Format, Hours};
use crate::delivery::Vendor;
use crate::ids::DealerId;
use crate::place::{Unit, Zip};

/// A dealer as a decision reads it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CompiledDealer {
    /// Its id.
    pub id: DealerId,
    /// As the desk reads it.
    pub name: SmolStr,
    pub(crate) prepaid: bool,
    pub(super) schedule: u16,
    pub(super) caps: u16,
    /// Where its id stands among those of the rulebook's dealers.
    pub(super) rank: u32,
    /// How it is reached, in order; none means by the inbox alone.
    pub channels: Vec<CompiledChannel>,
    pub(super) zip: Zip,
    /// From the ZIP, when the chunk is read.
    #[serde(skip)]
    pub(crate) unit: Option<Unit>,
}

/// When a dealer is open, as many say alike.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Schedule {
    pub(super) zone: u16,
    pub(super) hours: u16,
    pub(super) holidays: Vec<Date>,
}

/// When a dealer is open, ready to be asked.
#[derive(Clone, Copy)]
pub(crate) struct Calendar<'a> {
    pub(crate) hours: &'a Hours,
    pub(crate) holidays: &'a [Date],
    pub(crate) zone: &'a TimeZone,
    /// The zone, in [`Chunk::zones`](super::Chunk::zones).
    pub(crate) zone_at: usize,
}

/// A way to reach a dealer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompiledChannel {
    /// Which of the dealer's.
    pub order: u8,
    /// How.
    pub kind: ChannelKind,
    /// Where; nowhere, for the inbox.
    pub address: String,
    /// When it has a lead.
    pub when: ChannelWhen,
    /// In what form its messages are.
    #[serde(skip)]
    pub format: Format,
    /// Whom another system takes the dealer for; nobody in our own form. Apart, since most channels have none.
    #[serde(skip)]
    pub vendor: Option<Box<Vendor>>,
}

impl CompiledChannel {
    /// Of a dealer that has none in the rulebook.
    pub fn inbox() -> Self {
        Self {
            order: 1,
            kind: ChannelKind::Inbox,
            address: String::new(),
            when: ChannelWhen::Fallback,
            format: Format::Standard,
            vendor: None,
        }
    }

    /// Whom another system takes the dealer for; of nobody, every part is empty.
    pub fn vendor(&self) -> &Vendor {
        self.vendor.as_deref().unwrap_or(Vendor::NOBODY)
    }
}
