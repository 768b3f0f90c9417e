//! What an image's change adds to the reports' counters; and the recount of all images as they stand.
//!
//! Both count by the same few lines: what a new image states is added, what the old one stated is taken away. A recount
//! knows new images alone.
//!
//! A recount is for days that are not sealed: after records were lost (they stood in the dead letters, or the stream
//! forgot them), or for what the table held before there were reports. It is run while nothing is counted: what the
//! stream still holds then would be counted twice. It does not find what was erased or has expired since it was counted.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use leadyard_domain::ids::{CompanyId, EnquiryId, SYNTHETIC_COMPANY};
use leadyard_domain::report::Sums;
use leadyard_domain::time;

use crate::rulebooks::Rulebooks;
use crate::store::{ReportPart, Seen, SeenSeat, Store, StoreError};

/// The shard that stands for a recount.
const RECOUNTED: &str = "recounted";

/// What opened the cycles of seats.
pub type Openings = HashMap<EnquiryId, SeenSeat>;

/// An item's change, as far as it is counted.
#[derive(Debug)]
pub struct Change {
    /// As it stood.
    pub old: Option<Seen>,
    /// As it stands.
    pub new: Seen,
}

impl Change {
    /// Whose.
    pub const fn company(&self) -> &CompanyId {
        self.new.company()
    }

    /// What it adds, by day of the company's zone. What did not change cancels out. The synthetic lead is no lead.
    pub fn by_day(&self, openings: &Openings, zone: &TimeZone) -> BTreeMap<Date, Sums> {
        let mut days: BTreeMap<Date, Sums> = BTreeMap::new();
        if self.company().as_str() == SYNTHETIC_COMPANY {
            return days;
        }
        for (image, times) in [(self.old.as_ref(), -1), (Some(&self.new), 1)] {
            let Some(image) = image else { continue };
            let opening = image.opening().and_then(|id| openings.get(&id));
            let (facts, facets) = image.facts(opening);
            for fact in facts {
                let day = zone.to_datetime(fact.at).date();
                days.entry(day).or_default().count(&fact, &facets, times);
            }
        }
        days.retain(|_, sums| !sums.is_empty());
        days
    }
}

/// The enquiries that opened the cycles of these seats, as far as they are kept.
///
/// # Errors
/// When the store could not be asked.
pub async fn openings<'a>(
    store: &Store,
    changes: impl Iterator<Item = &'a Change>,
) -> Result<Openings, StoreError> {
    let images = changes.flat_map(|change| change.old.iter().chain([&change.new]));
    let ids: BTreeSet<EnquiryId> = images.filter_map(Seen::opening).collect();
    let found = store.enquiries_get(&ids.into_iter().collect::<Vec<_>>()).await?;
    let seen = |enquiry: &crate::store::StoredEnquiry| SeenSeat {
        facets: enquiry.seen().facets(),
        received_at: enquiry.received_at,
    };
    Ok(found.iter().map(|enquiry| (enquiry.id, seen(enquiry))).collect())
}

/// The zone in which a company's days are counted; UTC of one without a rulebook.
///
/// # Errors
/// When the store could not be asked.
pub async fn zone_of(
    store: &Store,
    rulebooks: &Rulebooks,
    company: &CompanyId,
) -> Result<TimeZone, StoreError> {
    let core = rulebooks.current(store, company).await?;
    // A zone that the rulebook let through is one.
    Ok(core.and_then(|core| time::zone(&core.company.zone).ok()).unwrap_or(TimeZone::UTC))
}

/// What a recount did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Recounted {
    /// Items that were looked at.
    pub items: u64,
    /// Items that could not be read.
    pub unreadable: u64,
    /// Days, of all companies, that were counted anew.
    pub days: u64,
    /// Days that are sealed, and stay as they are.
    pub sealed: u64,
}

/// Counts all that the table says anew, and puts it in the place of what was counted on days that are not sealed.
/// `looked` is told after each page how many items were looked at.
///
/// # Errors
/// When the store could not be asked, or somebody counts at the same time: what was done until then stays, and the
/// recount is done again.
pub async fn recount(
    store: &Store,
    rulebooks: &Rulebooks,
    mut looked: impl FnMut(u64),
) -> Result<Recounted, StoreError> {
    let mut done = Recounted::default();
    let mut counted: BTreeMap<CompanyId, BTreeMap<Date, Sums>> = BTreeMap::new();
    let mut zones: HashMap<CompanyId, TimeZone> = HashMap::new();
    let mut start = None;
    loop {
        let (items, next) = store.scan_page(start).await?;
        done.items += items.len() as u64;
        let mut changes = Vec::new();
        for item in items {
            match Seen::read(item) {
                Ok(Some(new)) => changes.push(Change { old: None, new }),
                Ok(None) => {}
                Err(_) => done.unreadable += 1,
            }
        }
        let openings = openings(store, changes.iter()).await?;
        for change in changes {
            let company = change.company();
            if !zones.contains_key(company) {
                zones.insert(company.clone(), zone_of(store, rulebooks, company).await?);
            }
            let zone = zones.get(company).cloned().unwrap_or(TimeZone::UTC);
            let days = counted.entry(company.clone()).or_default();
            for (day, sums) in change.by_day(&openings, &zone) {
                days.entry(day).or_default().merge(&sums);
            }
        }
        looked(done.items);
        start = next;
        if start.is_none() {
            break;
        }
    }
    for (company, days) in counted {
        replace(store, &company, days, &mut done).await?;
    }
    Ok(done)
}

/// Puts these in the place of a company's partial sums.
async fn replace(
    store: &Store,
    company: &CompanyId,
    mut days: BTreeMap<Date, Sums>,
    done: &mut Recounted,
) -> Result<(), StoreError> {
    let parts = store.report_parts(company).await?;
    // What was counted and is not found any more is counted no more.
    for part in parts.iter().filter(|part| !part.sums.is_empty()) {
        days.entry(part.day).or_default();
    }
    for (day, sums) in days {
        if store.report_is_sealed(company, day).await? {
            done.sealed += 1;
            continue;
        }
        for part in parts.iter().filter(|part| part.day == day && part.shard != RECOUNTED) {
            let empty = ReportPart { sums: Sums::default(), ..part.clone() };
            if !store.report_part_save(company, &empty).await? {
                return Err(StoreError::Contended);
            }
        }
        let part = store.report_part(company, day, RECOUNTED).await?;
        if !store.report_part_save(company, &ReportPart { sums, ..part }).await? {
            return Err(StoreError::Contended);
        }
        done.days += 1;
    }
    Ok(())
}
