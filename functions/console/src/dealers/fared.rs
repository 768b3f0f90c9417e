//! What dealers made of their leads in the last days.

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};
use leadyard_domain::distribution::Core;
use leadyard_domain::ids::DealerId;
use leadyard_domain::report::{Counter, Dimension, Speed, Sums};
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::Problem;
use leadyard_platform::store::Tables;
use serde_json::{Value, json};

use crate::who;

/// Days that a dealer's figures are of, today among them.
const DAYS: i64 = 30;

/// What all dealers made of their leads in thirty days.
pub(crate) struct OfAll {
    /// The first of the days, and today, in the company's zone.
    days: (Date, Date),
    counts: Sums,
    times: Sums,
}

/// What a dealer made of its leads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fared {
    /// Leads that it was offered.
    pub(crate) offered: i64,
    pub(crate) delivered: i64,
    pub(crate) accepted: i64,
    pub(crate) declined: i64,
    pub(crate) lapsed: i64,
    pub(crate) returned: i64,
    pub(crate) won: i64,
    /// The median of the time from an enquiry to its acceptance, in seconds.
    pub(crate) accepts_in_s: Option<i64>,
}

impl OfAll {
    pub(crate) async fn read(cloud: &Cloud, core: &Core, now: Timestamp) -> Result<Self, Problem> {
        let today = who::zone_of(core)?.to_datetime(now).date();
        let from = today.checked_sub((DAYS - 1).days()).unwrap_or(today);
        let read = |tables| {
            cloud.store.report_read(core.company_id(), &[Dimension::Dealer], tables, (from, today), today)
        };
        let (counts, times) = futures::try_join!(read(Tables::Counts), read(Tables::Times))?;
        Ok(Self { days: (from, today), counts: counts.sums, times: times.sums })
    }

    pub(crate) fn of(&self, dealer: &DealerId) -> Fared {
        let counts = self.counts.get(Dimension::Dealer, dealer.as_str());
        let of = |counter| counts.get(counter);
        let times = self.times.get(Dimension::Dealer, dealer.as_str());
        Fared {
            offered: of(Counter::Distributed),
            delivered: of(Counter::Delivered),
            accepted: of(Counter::Accepted),
            declined: of(Counter::Declined),
            lapsed: of(Counter::Lapsed),
            returned: of(Counter::Returned),
            won: of(Counter::Won),
            accepts_in_s: times.speed(Speed::Acceptance).median_s(),
        }
    }

    /// As the API says it of one dealer.
    pub(super) fn tell(&self, dealer: &DealerId) -> Value {
        let Fared { offered, delivered, accepted, declined, lapsed, returned, won, accepts_in_s } =
            self.of(dealer);
        json!({
            "from": self.days.0, "to": self.days.1, "offered": offered, "delivered": delivered,
            "accepted": accepted, "declined": declined, "lapsed": lapsed, "returned": returned, "won": won,
            "accepts_in_s": accepts_in_s,
        })
    }
}

impl Fared {
    /// Leads that it said yes or no to, or let lapse.
    pub(crate) const fn answered(&self) -> i64 {
        self.accepted + self.declined + self.lapsed
    }
}
