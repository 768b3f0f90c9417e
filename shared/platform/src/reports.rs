//! What an image's change adds to the reports' counters; and the recount of all images as they stand.
//!
//! Both count by the same few lines: what a new image states is added, what the old one stated is taken away. A recount
//! knows new images alone.
//!
//! A recount is for days that are not sealed: after records were lost (they stood in the dead letters, or the stream
//! forgot them), or for what the table held before there were reports. It is run while nothing is counted: what the
//! stream still holds then would be counted twice. It does not find what was erased or has expired since it was counted.
//!
//! Determinations:
//!
//! - *A seat whose opening enquiry cannot be read is counted all the same*, as one whose enquiry is not kept any more:
//!   by what it says itself, so that what dealers owe is what their statements say. Of which source it was is unknown.
//! - *A company whose rules cannot be read is not counted*: nobody knows whose days these are.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use leadyard_domain::ids::{CompanyId, EnquiryId, SYNTHETIC_COMPANY};
use leadyard_domain::limits;
use leadyard_domain::report::Sums;
use leadyard_domain::report::sums::cut;
use leadyard_domain::time;

use crate::rulebooks::Rulebooks;
use crate::store::{ReportPart, ReportRules, Seen, SeenSeat, Store, StoreError};

/// The shard that stands for a recount.
const RECOUNTED: &str = "recounted";

/// What opened the cycles of seats.
#[derive(Debug, Default)]
pub struct Openings {
    seen: HashMap<EnquiryId, SeenSeat>,
    unreadable: BTreeSet<EnquiryId>,
}

impl Openings {
    /// The enquiries that a change is counted by and that cannot be read.
    pub fn unreadable_of<'a>(&'a self, change: &'a Change) -> impl Iterator<Item = EnquiryId> + 'a {
        let named: BTreeSet<EnquiryId> = change.images().filter_map(Seen::opening).collect();
        named.into_iter().filter(|id| self.unreadable.contains(id))
    }
}

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

    fn images(&self) -> impl Iterator<Item = &Seen> {
        self.old.iter().chain([&self.new])
    }

    /// What it adds, by day of the company's zone. What did not change cancels out. The synthetic lead is no lead.
    pub fn by_day(&self, openings: &Openings, zone: &TimeZone) -> BTreeMap<Date, Sums> {
        let mut days: BTreeMap<Date, Sums> = BTreeMap::new();
        if self.company().as_str() == SYNTHETIC_COMPANY {
            return days;
        }
        for (image, times) in [(self.old.as_ref(), -1), (Some(&self.new), 1)] {
            let Some(image) = image else { continue };
            let opening = image.opening().and_then(|id| openings.seen.get(&id));
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

/// The enquiries that opened the cycles of these seats, as far as they are kept and can be read.
///
/// # Errors
/// When the store could not be asked.
pub async fn openings<'a>(
    store: &Store,
    changes: impl Iterator<Item = &'a Change>,
) -> Result<Openings, StoreError> {
    let ids: BTreeSet<EnquiryId> = changes.flat_map(Change::images).filter_map(Seen::opening).collect();
    let (found, unreadable) = store.enquiries_readable(&ids.into_iter().collect::<Vec<_>>()).await?;
    let seen = |enquiry: &crate::store::StoredEnquiry| SeenSeat {
        facets: enquiry.seen().facets(),
        received_at: enquiry.received_at,
    };
    let seen = found.iter().map(|enquiry| (enquiry.id, seen(enquiry))).collect();
    Ok(Openings { seen, unreadable })
}

/// What a company's counters go by; of one without a rulebook, days of UTC.
///
/// # Errors
/// When the store could not be asked, or its rules cannot be read.
pub async fn rules_of(
    store: &Store,
    rulebooks: &Rulebooks,
    company: &CompanyId,
) -> Result<ReportRules, StoreError> {
    let core = rulebooks.current(store, company).await?;
    // A zone that the rulebook let through is one.
    let zone = core.as_ref().and_then(|core| time::zone(&core.company.zone).ok()).unwrap_or(TimeZone::UTC);
    let spend = core.iter().flat_map(|core| &core.spend);
    let campaigns = spend.filter_map(|row| row.campaign.as_deref()).map(cut).collect();
    Ok(ReportRules { zone, campaigns })
}

/// What a recount did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Recounted {
    /// Items that were looked at.
    pub items: u64,
    /// Items that could not be read, or whose company's rules could not be.
    pub unreadable: u64,
    /// Days, of all companies, that were counted anew.
    pub days: u64,
    /// Days that are sealed, and stay as they are.
    pub sealed: u64,
}

/// A company, counted anew.
#[derive(Debug)]
pub struct Anew {
    /// What it is counted by.
    pub rules: ReportRules,
    /// What happened, by day.
    pub days: BTreeMap<Date, Sums>,
}

/// Counts all that the table says anew, and changes nothing. `looked` is told after each page how many items were looked
/// at.
///
/// # Errors
/// When the store could not be asked.
pub async fn count_anew(
    store: &Store,
    rulebooks: &Rulebooks,
    mut looked: impl FnMut(u64),
) -> Result<(BTreeMap<CompanyId, Anew>, Recounted), StoreError> {
    let mut done = Recounted::default();
    let mut companies: BTreeMap<CompanyId, Anew> = BTreeMap::new();
    let mut unknown: BTreeSet<CompanyId> = BTreeSet::new();
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
            if !companies.contains_key(company) && !unknown.contains(company) {
                match rules_of(store, rulebooks, company).await {
                    Ok(rules) => {
                        companies.insert(company.clone(), Anew { rules, days: BTreeMap::new() });
                    }
                    Err(StoreError::Damaged { .. }) => {
                        unknown.insert(company.clone());
                    }
                    Err(error) => return Err(error),
                }
            }
            let Some(Anew { rules, days }) = companies.get_mut(company) else {
                done.unreadable += 1;
                continue;
            };
            for (day, sums) in change.by_day(&openings, &rules.zone) {
                days.entry(day).or_default().merge(&sums);
            }
        }
        looked(done.items);
        start = next;
        if start.is_none() {
            break;
        }
    }
    Ok((companies, done))
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
    now: Timestamp,
    looked: impl FnMut(u64),
) -> Result<Recounted, StoreError> {
    let (companies, mut done) = count_anew(store, rulebooks, looked).await?;
    for (company, anew) in companies {
        replace(store, &company, anew, now, &mut done).await?;
    }
    Ok(done)
}

/// Puts these in the place of a company's partial sums.
async fn replace(
    store: &Store,
    company: &CompanyId,
    Anew { rules, mut days }: Anew,
    now: Timestamp,
    done: &mut Recounted,
) -> Result<(), StoreError> {
    let parts = store.report_parts_damaged_too(company).await?;
    // What was counted and is not found any more is counted no more, and what cannot be read is.
    for (part, sums) in &parts {
        if !sums.as_ref().is_ok_and(Sums::is_empty) {
            days.entry(part.day).or_default();
        }
    }
    for (day, sums) in days {
        if store.report_is_sealed(company, day).await? {
            done.sealed += 1;
            continue;
        }
        let anew = parts_of(store, company, (day, sums), &rules, now).await?;
        for (part, _) in parts.iter().filter(|(part, _)| part.day == day) {
            if !anew.contains_key(&part.shard) && !store.report_part_empty(company, part, now).await? {
                return Err(StoreError::Contended);
            }
        }
        for (shard, sums) in anew {
            let stands =
                parts.iter().map(|(part, _)| part).find(|part| part.day == day && part.shard == shard);
            let stands =
                stands.cloned().unwrap_or_else(|| ReportPart { day, shard, ..ReportPart::default() });
            if !store.report_part_save(company, &ReportPart { sums, ..stands }, &rules, now).await? {
                return Err(StoreError::Contended);
            }
        }
        done.days += 1;
    }
    Ok(())
}

/// A day's sums as partial sums, by their shards, each of which an item can hold.
async fn parts_of(
    store: &Store,
    company: &CompanyId,
    (day, sums): (Date, Sums),
    rules: &ReportRules,
    now: Timestamp,
) -> Result<BTreeMap<String, Sums>, StoreError> {
    if sums.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut pieces = sums.pieces(limits::REPORT_PART_BYTES);
    if pieces.len() > 1 {
        let named = store.report_name(company, day, &sums, rules, now).await?;
        pieces = named.fold(&sums).pieces(limits::REPORT_PART_BYTES);
    }
    let shard = |at: usize| if at == 0 { RECOUNTED.to_owned() } else { format!("{RECOUNTED}/{at}") };
    Ok(pieces.into_iter().enumerate().map(|(at, sums)| (shard(at), sums)).collect())
}
