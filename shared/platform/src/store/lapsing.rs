//! Offers by when they lapse: noted as they are made, taken away as they end.
//!
//! They stand by quarters of an hour, each in [`PARTS`] by their leads, so that what a batch of the stream says of them is
//! a few writes for each quarter that it touches, and whoever asks for the next hours asks once. The same said twice
//! changes nothing. An offer that ended while its end was lost stands until its quarter expires: whoever reads it asks the
//! seat itself.
//!
//! Determinations. *A part is an item, and holds about 4,000 offers*: 36,000 of one company and quarter. Of more some are
//! not noted, and what they were among is: it is a help, and nothing hangs on it. *What an earlier version noted in one
//! item a quarter is read*; what ends meanwhile stands there until it expires, as what was lost does.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use leadyard_domain::ids::{AssignmentId, CompanyId, LeadId};

use super::keys::Key;
use super::{Item, Store, StoreError, key_item, number, string};

/// A quarter of an hour.
const QUARTER_MS: i64 = 15 * 60 * 1_000;
/// How long a quarter is kept when it is over, in seconds.
const KEPT_S: i64 = 24 * 3_600;
/// Offers of one write: an expression is at most 4 KB.
const AT_ONCE: usize = 40;
/// Items of one quarter: an item holds at most 400 KB.
const PARTS: u8 = 8;
/// How the attributes of offers begin.
const OFFER: &str = "o_";

/// An offer, and when it lapses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Offer {
    /// When it lapses.
    pub at: Timestamp,
    /// Of which lead.
    pub lead: LeadId,
    /// In which of its cycles.
    pub cycle: u32,
    /// The seat.
    pub assignment: AssignmentId,
}

impl Offer {
    fn quarter_ms(at: Timestamp) -> i64 {
        at.as_millisecond().div_euclid(QUARTER_MS) * QUARTER_MS
    }

    /// Of a lead all offers stand in one part; what is random of an id is its end.
    const fn part(&self) -> u8 {
        let [.., last] = *self.lead.bytes();
        last % PARTS
    }

    fn text(&self) -> String {
        format!("{}#{}#{}", self.at.as_millisecond(), self.lead, self.cycle)
    }

    fn read(name: &str, text: &str) -> Option<Self> {
        let mut parts = text.split('#');
        Some(Self {
            at: Timestamp::from_millisecond(parts.next()?.parse().ok()?).ok()?,
            lead: parts.next()?.parse().ok()?,
            cycle: parts.next()?.parse().ok()?,
            assignment: name.strip_prefix(OFFER)?.parse().ok()?,
        })
    }
}

impl Store {
    /// Notes offers of a company as they stand: open (`true`), or ended. A write for each part of a quarter of an hour, or
    /// for each [`AT_ONCE`] of them; of a seat that is named twice in one, what is said last. One that fails keeps no other
    /// from being tried.
    pub async fn offers_note(&self, company: &CompanyId, offers: &[(Offer, bool)]) -> Result<(), StoreError> {
        let mut parts: BTreeMap<_, BTreeMap<AssignmentId, &(Offer, bool)>> = BTreeMap::new();
        for offer in offers {
            let part = parts.entry((Offer::quarter_ms(offer.0.at), offer.0.part())).or_default();
            part.insert(offer.0.assignment, offer);
        }
        let mut failed = Ok(());
        for ((from_ms, part), offers) in parts {
            let offers: Vec<&(Offer, bool)> = offers.into_values().collect();
            for some in offers.chunks(AT_ONCE) {
                let noted =
                    self.offers_of_part(&Key::Lapsing { company, from_ms, part }, from_ms, some).await;
                failed = failed.and(noted);
            }
        }
        failed
    }

    async fn offers_of_part(
        &self,
        key: &Key<'_>,
        from_ms: i64,
        offers: &[&(Offer, bool)],
    ) -> Result<(), StoreError> {
        let mut names = HashMap::from([("#ttl".to_owned(), "ttl".to_owned())]);
        let ends_s = (from_ms + QUARTER_MS).div_euclid(1_000);
        let mut bound: Item = HashMap::from([(":ttl".to_owned(), number(ends_s + KEPT_S))]);
        let (mut sets, mut removes) = (vec!["#ttl = :ttl".to_owned()], Vec::new());
        for (place, (offer, open)) in offers.iter().enumerate() {
            names.insert(format!("#o{place}"), format!("{OFFER}{}", offer.assignment));
            if *open {
                sets.push(format!("#o{place} = :o{place}"));
                bound.insert(format!(":o{place}"), string(offer.text()));
            } else {
                removes.push(format!("#o{place}"));
            }
        }
        let mut expression = format!("SET {}", sets.join(", "));
        if !removes.is_empty() {
            expression = format!("{expression} REMOVE {}", removes.join(", "));
        }
        self.client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key_item(key)))
            .update_expression(expression)
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values(Some(bound))
            .send()
            .await
            .map(drop)
            .map_err(StoreError::unavailable)
    }

    /// The offers of a company that lapse between two instants, the next first: those that were noted. One read for each
    /// megabyte of them.
    pub async fn offers_lapsing(
        &self,
        company: &CompanyId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Offer>, StoreError> {
        let key = |at: Timestamp, part| Key::Lapsing { company, from_ms: Offer::quarter_ms(at), part };
        let (first, last) = (key(from, 0), key(to, PARTS));
        // An earlier version's item of a quarter stands right before the quarter's parts.
        let first_sk = first.sk();
        let from_sk = first_sk.rsplit_once('#').map_or(first_sk.as_str(), |(quarter, _)| quarter).to_owned();
        let items = self.query_between(first.pk(), from_sk, last.sk()).await?;
        let mut offers: Vec<Offer> = items
            .iter()
            .flatten()
            .filter_map(|(name, value)| Offer::read(name, value.as_s().ok()?))
            .filter(|offer| from < offer.at && offer.at <= to)
            .collect();
        offers.sort_unstable();
        Ok(offers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offer_is_read_as_it_was_noted_and_stands_in_its_quarter() {
        let offer = Offer {
            at: "2026-06-01T16:14:59.999Z".parse().unwrap(),
            lead: LeadId::from_bytes([1; 16]),
            cycle: 3,
            assignment: AssignmentId::from_bytes([2; 16]),
        };
        let name = format!("{OFFER}{}", offer.assignment);
        assert_eq!(Offer::read(&name, &offer.text()), Some(offer));
        let starts: Timestamp = "2026-06-01T16:00:00Z".parse().unwrap();
        assert_eq!(Offer::quarter_ms(offer.at), starts.as_millisecond());
        assert_eq!((Offer::read("ttl", "1"), Offer::read(&name, "1")), (None, None));
    }

    #[test]
    fn leads_are_spread_over_the_parts_of_a_quarter() {
        let at: Timestamp = "2026-06-01T16:00:00Z".parse().unwrap();
        let of = |byte: u8| {
            let lead = LeadId::mint(at, [byte; 10]);
            Offer { at, lead, cycle: 1, assignment: AssignmentId::from_bytes([2; 16]) }.part()
        };
        let parts: std::collections::BTreeSet<u8> = (0..=255).map(of).collect();
        assert_eq!(parts.into_iter().collect::<Vec<_>>(), (0..PARTS).collect::<Vec<_>>());
    }
}
