//! Counters and histograms of one value of one dimension.

words! {
    /// What is counted.
    pub enum Counter as "a counter" {
        /// Enquiries that arrived, whatever screening said; no tests.
        Enquiries = "enquiries",
        /// Of them, those that screening let pass.
        Ham = "ham",
        /// Of them, those that a person should look at.
        Doubtful = "doubtful",
        /// Of them, those that are hardly anybody's.
        Spam = "spam",
        /// Of them, those of somebody known within the window.
        Repeats = "repeats",
        /// Sale cycles that opened: leads, and those that came back.
        Leads = "leads",
        /// Of them, those of somebody not known before: the database grew by so many.
        NewLeads = "new_leads",
        /// Seats given.
        Distributed = "distributed",
        /// Decisions that made a lead wait.
        Waiting = "waiting",
        /// Seats whose dealer has the lead.
        Delivered = "delivered",
        /// Seats accepted.
        Accepted = "accepted",
        /// Seats declined.
        Declined = "declined",
        /// Seats whose deadline passed.
        Lapsed = "lapsed",
        /// Seats taken back.
        Withdrawn = "withdrawn",
        /// Seats given back and approved.
        Returned = "returned",
        /// Seats whose dealer reached the person.
        Contacted = "contacted",
        /// Seats sold.
        Won = "won",
        /// Seats not sold.
        Lost = "lost",
        /// Seats charged.
        Charges = "charges",
        /// Seats credited.
        Credits = "credits",
        /// What was charged, in minor units.
        Charged = "charged",
        /// What was credited, in minor units.
        Credited = "credited",
        /// What dealers say they won, in minor units: their revenue, not ours.
        WonValue = "won_value",
        /// Of the decisions that made a lead wait, those that found nobody who serves it.
        Unserved = "unserved",
        /// What sources cost for the cycles that opened, in minor units.
        LeadsCost = "leads_cost",
        /// Leads of the past that came in with files: the database grew by these too.
        Imported = "imported",
    }
}

/// How many counters there are.
pub const COUNTERS: usize = Counter::ALL.len();

words! {
    /// A time that is measured, from the arrival of the enquiry that opened the cycle.
    pub enum Speed as "a speed" {
        /// To the dealer's having it.
        Delivery = "delivery",
        /// To the dealer's yes.
        Acceptance = "acceptance",
        /// To the dealer's reaching the person: speed to lead.
        Contact = "contact",
    }
}

impl Speed {
    /// What is counted where it is measured.
    pub const fn counter(self) -> Counter {
        match self {
            Self::Delivery => Counter::Delivered,
            Self::Acceptance => Counter::Accepted,
            Self::Contact => Counter::Contacted,
        }
    }
}

/// How many times are measured.
pub const SPEEDS: usize = Speed::ALL.len();

/// The upper edges of a histogram's buckets, in seconds, each included: nearly logarithmic, with edges at five minutes and
/// at an hour, so that the shares within those are exact. The last bucket has no edge.
pub const EDGES_S: [i64; 22] = [
    1, 2, 5, 10, 20, 30, 60, 120, 180, 300, 600, 900, 1_200, 1_800, 3_600, 7_200, 14_400, 28_800, 86_400,
    172_800, 604_800, 2_592_000,
];

/// Buckets of a histogram.
pub const BUCKETS: usize = EDGES_S.len() + 1;

/// How often a time fell into each bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Histogram(pub [i64; BUCKETS]);

impl Histogram {
    /// Counts a time `times` times; takes it back where that is negative.
    pub fn add(&mut self, seconds: i64, times: i64) {
        let bucket = EDGES_S.iter().position(|edge| seconds <= *edge).unwrap_or(EDGES_S.len());
        self.0[bucket] = self.0[bucket].wrapping_add(times);
    }

    /// How many were measured.
    pub fn total(&self) -> i64 {
        self.0.iter().fold(0, |total, count| total.wrapping_add(*count))
    }

    /// How many took at most this long; exact at the edges.
    pub fn within(&self, seconds: i64) -> i64 {
        self.0.iter().zip(EDGES_S).take_while(|(_, edge)| *edge <= seconds).map(|(count, _)| count).sum()
    }

    /// The median in seconds, within its bucket as if spread evenly; `None` of nothing. What lies beyond the last edge
    /// is that edge.
    pub fn median_s(&self) -> Option<i64> {
        let total = self.total();
        if total <= 0 {
            return None;
        }
        let (mut below, mut lower) = (0_i64, 0_i64);
        for (count, edge) in self.0.iter().copied().zip(EDGES_S) {
            if count > 0 && 2 * (below + count) >= total {
                // Half of all, less those below: the part of this bucket that lies before the median.
                return Some(lower + (edge - lower) * (total - 2 * below) / (2 * count));
            }
            below += count;
            lower = edge;
        }
        Some(lower)
    }
}

/// Counters and histograms. What is taken back makes a counter smaller, on one day even negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// By [`Counter`].
    pub counts: [i64; COUNTERS],
    /// By [`Speed`].
    pub times: [Histogram; SPEEDS],
}

impl Tally {
    /// A counter.
    pub const fn get(&self, counter: Counter) -> i64 {
        self.counts[counter as usize]
    }

    /// A histogram.
    pub const fn speed(&self, speed: Speed) -> &Histogram {
        &self.times[speed as usize]
    }

    /// Adds to a counter.
    pub const fn add(&mut self, counter: Counter, amount: i64) {
        let at = counter as usize;
        self.counts[at] = self.counts[at].wrapping_add(amount);
    }

    /// Adds another tally: in any order and grouping the same.
    pub fn merge(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(other.counts) {
            *count = count.wrapping_add(more);
        }
        for (time, more) in self.times.iter_mut().zip(&other.times) {
            for (count, more) in time.0.iter_mut().zip(more.0) {
                *count = count.wrapping_add(more);
            }
        }
    }

    /// Whether nothing is counted.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What ranks a value among others: how much happened to it, money aside.
    pub fn weight(&self) -> i64 {
        let money = [Counter::Charged, Counter::Credited, Counter::WonValue, Counter::LeadsCost];
        let counted = Counter::ALL.iter().filter(|counter| !money.contains(counter));
        let counted = counted.map(|counter| self.get(*counter).saturating_abs());
        let measured = self.times.iter().map(|time| time.total().saturating_abs());
        counted.chain(measured).fold(0, i64::saturating_add)
    }
}
