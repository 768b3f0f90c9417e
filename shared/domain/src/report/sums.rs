//! Tallies by dimension and value.

use std::collections::BTreeMap;

use super::fact::{Facets, Fact, Happened};
use super::tally::{Counter, Speed, Tally};
use crate::screening::Verdict;

words! {
    /// By what is counted.
    pub enum Dimension as "a dimension" {
        /// By nothing: the whole company.
        All = "all",
        /// Who sent it.
        Source = "source",
        /// The marketing push.
        Campaign = "campaign",
        /// What was asked for.
        Offer = "offer",
        /// The trade.
        Category = "category",
        /// Who received it.
        Dealer = "dealer",
        /// Where it is.
        State = "state",
        /// What it was worth when it was decided.
        Band = "band",
        /// Why it waits, came back or was quarantined: `waiting:cap`, `returned:wrong-number`, `quarantined:honeypot`.
        Reason = "reason",
    }
}

impl Dimension {
    /// Whether a counter is told by it. What is not was never counted there, whatever happened: that is no zero, and no
    /// report says one.
    pub const fn carries(self, counter: Counter) -> bool {
        match counter {
            // An enquiry has neither dealer nor band yet. Where it was quarantined, it has reasons.
            Counter::Enquiries => !matches!(self, Self::Dealer | Self::Band),
            Counter::Ham
            | Counter::Doubtful
            | Counter::Spam
            | Counter::Repeats
            | Counter::Leads
            | Counter::NewLeads
            | Counter::LeadsCost => !matches!(self, Self::Dealer | Self::Band | Self::Reason),
            // Of what another system did nothing is told but how many it brought.
            Counter::Imported => matches!(self, Self::All),
            // A decision does not know the campaign, and what it makes wait is no dealer's.
            Counter::Waiting | Counter::Unserved => !matches!(self, Self::Campaign | Self::Dealer),
            // A seat has what the enquiry had that opened its cycle, and more; of its ends only a return has a reason.
            Counter::Returned => true,
            Counter::Distributed
            | Counter::Delivered
            | Counter::Accepted
            | Counter::Declined
            | Counter::Lapsed
            | Counter::Withdrawn
            | Counter::Contacted
            | Counter::Won
            | Counter::Lost
            | Counter::Charges
            | Counter::Credits
            | Counter::Charged
            | Counter::Credited
            | Counter::WonValue => !matches!(self, Self::Reason),
        }
    }
}

/// The value of what is not known: no campaign, no state.
pub const UNKNOWN: &str = "";
/// The value of all campaigns that are not [`Named`](super::Named): nobody's id, and no campaign begins so.
pub const REST: &str = "\u{1}rest";

/// The longest value, in bytes: a campaign is whatever a URL said.
pub const VALUE_BYTES: usize = 100;

/// Tallies by dimension and value. None is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sums(BTreeMap<(Dimension, String), Tally>);

impl Sums {
    /// Counts a fact `times` times: 1 of what a new image states, −1 of what the old one stated.
    pub fn count(&mut self, fact: &Fact, facets: &Facets, times: i64) {
        let mut tally = Tally::default();
        let (counters, reason) = counters(&fact.what);
        for (counter, amount) in counters {
            tally.add(counter, amount.wrapping_mul(times));
        }
        if let Some((speed, seconds)) = measured(&fact.what) {
            tally.times[speed as usize].add(seconds, times);
        }
        for (dimension, value) in values(&fact.what, facets, reason) {
            self.add(dimension, &value, &tally);
        }
    }

    /// Adds a tally to a value's.
    pub fn add(&mut self, dimension: Dimension, value: &str, tally: &Tally) {
        use std::collections::btree_map::Entry;
        match self.0.entry((dimension, cut(value))) {
            Entry::Vacant(free) if !tally.is_empty() => {
                free.insert(*tally);
            }
            Entry::Vacant(_) => {}
            Entry::Occupied(mut stands) => {
                stands.get_mut().merge(tally);
                if stands.get().is_empty() {
                    stands.remove();
                }
            }
        }
    }

    /// Adds other sums: in any order and grouping the same.
    pub fn merge(&mut self, other: &Self) {
        for ((dimension, value), tally) in &other.0 {
            self.add(*dimension, value, tally);
        }
    }

    /// Whether nothing is counted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All tallies, by dimension and value.
    pub fn iter(&self) -> impl Iterator<Item = (Dimension, &str, &Tally)> {
        self.0.iter().map(|((dimension, value), tally)| (*dimension, value.as_str(), tally))
    }

    /// The tallies of a dimension, by value.
    pub fn by(&self, dimension: Dimension) -> impl Iterator<Item = (&str, &Tally)> {
        self.0
            .range((dimension, String::new())..)
            .map(|((of, value), tally)| (of, value.as_str(), tally))
            .take_while(move |(of, _, _)| **of == dimension)
            .map(|(_, value, tally)| (value, tally))
    }

    /// A value's tally.
    pub fn get(&self, dimension: Dimension, value: &str) -> Tally {
        self.0.get(&(dimension, value.to_owned())).copied().unwrap_or_default()
    }

    /// The sums of one dimension alone.
    #[must_use]
    pub fn only(&self, dimension: Dimension) -> Self {
        let of_it = self.0.iter().filter(|((of, _), _)| *of == dimension);
        Self(of_it.map(|(key, tally)| (key.clone(), *tally)).collect())
    }

    /// The counters alone, and the times alone: what a report reads apart.
    #[must_use]
    pub fn split(&self) -> (Self, Self) {
        let (mut counted, mut measured) = (Self::default(), Self::default());
        for (dimension, value, tally) in self.iter() {
            counted.add(dimension, value, &Tally { counts: tally.counts, ..Tally::default() });
            measured.add(dimension, value, &Tally { times: tally.times, ..Tally::default() });
        }
        (counted, measured)
    }

    /// With the campaigns that `named` lets pass, and all others as one, the rest. What has become the rest stays it.
    #[must_use]
    pub fn folded(&self, named: impl Fn(&str) -> bool) -> Self {
        let mut kept = Self::default();
        for (dimension, value, tally) in self.iter() {
            let whole = dimension != Dimension::Campaign || value == UNKNOWN || value == REST || named(value);
            kept.add(dimension, if whole { value } else { REST }, tally);
        }
        kept
    }
}

/// A value as sums hold it: at most [`VALUE_BYTES`] of it.
pub fn cut(value: &str) -> String {
    crate::person::cut_bytes(value, VALUE_BYTES).0.to_owned()
}

/// Which counters a fact moves, and its reason.
fn counters(what: &Happened) -> (Vec<(Counter, i64)>, Option<String>) {
    let one = |counter| (vec![(counter, 1)], None);
    match what {
        Happened::Enquired(verdict) => {
            let screened = match verdict {
                Verdict::Ham => Counter::Ham,
                Verdict::Doubtful => Counter::Doubtful,
                Verdict::Spam => Counter::Spam,
            };
            (vec![(Counter::Enquiries, 1), (screened, 1)], None)
        }
        Happened::Quarantined(reason) => {
            (vec![(Counter::Enquiries, 1)], Some(format!("quarantined:{reason}")))
        }
        Happened::Repeated => one(Counter::Repeats),
        Happened::Opened { new, cost } => {
            let cost = cost.map_or(0, |cost| cost.minor());
            let opened =
                [(Counter::Leads, 1), (Counter::NewLeads, i64::from(*new)), (Counter::LeadsCost, cost)];
            (opened.to_vec(), None)
        }
        Happened::Imported => one(Counter::Imported),
        Happened::Waited(why) => {
            let unserved = i64::from(why.is_unserved());
            (vec![(Counter::Waiting, 1), (Counter::Unserved, unserved)], Some(format!("waiting:{why}")))
        }
        Happened::Distributed => one(Counter::Distributed),
        Happened::Delivered(_) => one(Counter::Delivered),
        Happened::Accepted(_) => one(Counter::Accepted),
        Happened::Declined => one(Counter::Declined),
        Happened::Lapsed => one(Counter::Lapsed),
        Happened::Withdrawn => one(Counter::Withdrawn),
        Happened::Returned(reason) => {
            let reason = reason.as_ref().map_or(UNKNOWN, |reason| reason.as_str());
            (vec![(Counter::Returned, 1)], Some(format!("returned:{reason}")))
        }
        Happened::Contacted(_) => one(Counter::Contacted),
        Happened::Won(value) => {
            let value = value.map_or(0, |value| value.minor());
            (vec![(Counter::Won, 1), (Counter::WonValue, value)], None)
        }
        Happened::Lost => one(Counter::Lost),
        Happened::Charged(amount) => (vec![(Counter::Charges, 1), (Counter::Charged, amount.minor())], None),
        Happened::Credited(amount) => {
            (vec![(Counter::Credits, 1), (Counter::Credited, amount.minor())], None)
        }
    }
}

/// What of a fact is a time.
const fn measured(what: &Happened) -> Option<(Speed, i64)> {
    match what {
        Happened::Delivered(Some(seconds)) => Some((Speed::Delivery, *seconds)),
        Happened::Accepted(Some(seconds)) => Some((Speed::Acceptance, *seconds)),
        Happened::Contacted(Some(seconds)) => Some((Speed::Contact, *seconds)),
        Happened::Enquired(_)
        | Happened::Quarantined(_)
        | Happened::Repeated
        | Happened::Opened { .. }
        | Happened::Imported
        | Happened::Waited(_)
        | Happened::Distributed
        | Happened::Delivered(None)
        | Happened::Accepted(None)
        | Happened::Declined
        | Happened::Lapsed
        | Happened::Withdrawn
        | Happened::Returned(_)
        | Happened::Contacted(None)
        | Happened::Won(_)
        | Happened::Lost
        | Happened::Charged(_)
        | Happened::Credited(_) => None,
    }
}

/// Where a fact is counted. Of an enquiry each reason is counted, and nothing else by it.
fn values(what: &Happened, facets: &Facets, reason: Option<String>) -> Vec<(Dimension, String)> {
    let mut values = Vec::with_capacity(Dimension::ALL.len());
    if matches!(what, Happened::Imported) {
        values.push((Dimension::All, UNKNOWN.to_owned()));
        return values;
    }
    if !matches!(what, Happened::Quarantined(_)) {
        let text = |id: Option<&str>| id.unwrap_or(UNKNOWN).to_owned();
        values.push((Dimension::All, UNKNOWN.to_owned()));
        values.push((Dimension::Source, text(facets.source.as_ref().map(|id| id.as_str()))));
        values.push((Dimension::Offer, text(facets.offer.as_ref().map(|id| id.as_str()))));
        values.push((Dimension::Category, text(facets.category.as_ref().map(|id| id.as_str()))));
        values.push((Dimension::State, facets.state.map_or_else(String::new, |state| state.to_string())));
        if !matches!(what, Happened::Waited(_)) {
            values.push((Dimension::Campaign, text(facets.campaign.as_deref())));
        }
        values.extend(facets.dealer.as_ref().map(|dealer| (Dimension::Dealer, dealer.to_string())));
        values.extend(facets.band.map(|band| (Dimension::Band, band.to_string())));
    }
    values.extend(reason.map(|reason| (Dimension::Reason, reason)));
    values
}
