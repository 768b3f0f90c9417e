//! Reporting: the table's stream becomes the reports' counters.
//!
//! A batch is one shard's, in its order. Each record adds to the days of its company what its new image states less what
//! the old one stated (`shared/domain/src/report`). All that a batch says of a company's day is one conditional put, on
//! partial sums that are that shard's alone: they know the last number that they counted, and nothing else writes them
//! meanwhile. So a batch that comes twice, or cut otherwise, counts once; a thousand records of one company and day are
//! one write; and no key takes more writes than there are batches.
//!
//! What cannot be read is set aside, and the shard goes on: a record of the stream; the enquiry by which a seat is
//! counted, and then the seat is counted without it; records of a company whose rules, or whose sums of that day, are
//! damaged. A store that cannot be asked fails the batch from its first record on: what of it is counted already is
//! known by its number.
//!
//! Offers that are to be accepted in time are noted by when they lapse, and taken away when they end. What goes wrong there
//! is said, and fails no batch.
//!
//! Behind each batch what matters now of the companies in it is counted anew (`shared/platform/src/now.rs`), for whoever
//! opens the page of the day. That is read from the table as it stands and not from the records, so a batch that comes
//! twice does no harm; what goes wrong there, or takes longer than [`MATTERS`], is put right by the sweep, and fails
//! none.
//!
//! Determinations:
//!
//! - *The shard's name is part of the key, and numbers are never compared across shards.* Lambda names it only where the
//!   mapping has a tumbling window; one that does not is refused, for with two shards under one name the one behind would
//!   be taken for counted.
//! - *A damaged sum is left as it is*: who sees to it counts anew (`leadyard rebuild-reports`), which also finds what was
//!   set aside for it.
//! - *Days are sealed by whoever counts*, once an hour and shard: no timer. A company in which nothing happens keeps its
//!   last days as partial sums, which costs a report a little more and nothing else.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use jiff::civil::Date;
use leadyard_domain::ids::CompanyId;
use leadyard_domain::lead::Lead;
use leadyard_domain::report::Sums;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::now;
use leadyard_platform::reports::{self, Change};
use leadyard_platform::store::keys::Key;
use leadyard_platform::store::{
    Offer, PARTS_SEALED, ReportPart, ReportRules, Seen, StoreError, lead_of_image,
};
use leadyard_platform::stream::{StreamEvent, StreamRecord, StreamResponse, Unreadable};

/// How often partial sums are read again when somebody else changed them: it seals, or is the same batch.
const ROUNDS: usize = 5;

/// Days that are sealed in one go.
const DAYS_SEALED: usize = 40;

/// How long what matters now may take to be counted: the function has a minute, and the shard waits.
const MATTERS: Duration = Duration::from_secs(20);
/// How long it may take to say of whom it was not counted.
const TOUCHES: Duration = Duration::from_secs(3);

/// Why a batch comes again.
#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error("the mapping of the stream has no tumbling window: batches do not name their shard")]
    NoShard,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Handles a batch. What failed comes again.
pub async fn handle(cloud: &Cloud, event: StreamEvent) -> StreamResponse {
    if event.records.is_empty() {
        return StreamResponse::default(); // a window ended
    }
    match Box::pin(count(cloud, &event)).await {
        Ok(counted) => {
            tracing::info!(
                records = event.records.len(),
                counted.days = counted.days,
                counted.aside = counted.aside,
                "a batch was counted"
            );
            StreamResponse::default()
        }
        Err(error) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                records = event.records.len(),
                "a batch could not be counted; it comes again"
            );
            StreamResponse::again(&event)
        }
    }
}

struct Counted {
    days: usize,
    aside: usize,
}

/// What records add to a company's day, each under its number.
type Added<'a> = Vec<(&'a StreamRecord, &'a str, Sums)>;

async fn count(cloud: &Cloud, event: &StreamEvent) -> Result<Counted, Failed> {
    let shard = event.shard.as_deref().ok_or(Failed::NoShard)?;
    let mut changes: Vec<(&StreamRecord, &str, Change)> = Vec::new();
    let mut aside = 0;
    for record in &event.records {
        match read(record) {
            Ok(None) => {}
            Ok(Some((sequence, change))) => changes.push((record, sequence, change)),
            Err(Unreadable) => {
                set_aside(cloud, shard, record).await?;
                aside += 1;
            }
        }
    }
    let openings = reports::openings(&cloud.store, changes.iter().map(|(_, _, change)| change)).await?;
    let mut rules: HashMap<&CompanyId, Option<ReportRules>> = HashMap::new();
    let mut days: BTreeMap<(&CompanyId, Date), Added<'_>> = BTreeMap::new();
    for (record, sequence, change) in &changes {
        for enquiry in openings.unreadable_of(change) {
            tracing::error!(
                record.sequence = sequence,
                "the enquiry that opened a cycle cannot be read and is set aside"
            );
            let key = Key::Enquiry(enquiry);
            cloud.store.report_set_aside(shard, sequence, (&key.pk(), &key.sk()), cloud.clock.now()).await?;
            aside += 1;
        }
        let company = change.company();
        if !rules.contains_key(company) {
            let read = reports::rules_of(&cloud.store, &cloud.rulebooks, company).await;
            rules.insert(company, readable(read)?);
        }
        let Some(rules) = rules.get(company).and_then(Option::as_ref) else {
            set_aside(cloud, shard, record).await?;
            aside += 1;
            continue;
        };
        for (day, sums) in change.by_day(&openings, &rules.zone) {
            days.entry((company, day)).or_default().push((record, sequence, sums));
        }
    }
    let counted = days.len();
    for ((company, day), added) in days {
        let Some(rules) = rules.get(company).and_then(Option::as_ref) else { continue };
        if readable(add(cloud, company, day, shard, &added, rules).await)?.is_none() {
            for (record, _, _) in &added {
                set_aside(cloud, shard, record).await?;
            }
            aside += added.len();
        }
    }
    // By company, the leads that changed, and whether nothing else did.
    let mut companies: BTreeMap<CompanyId, Changed> = BTreeMap::new();
    for lead in event.records.iter().filter_map(lead_of) {
        companies.entry(lead.company.clone()).or_default().leads.push(lead);
    }
    for (_, _, change) in &changes {
        companies.entry(change.company().clone()).or_default().more = true;
    }
    matters(cloud, offers(&changes), companies).await;
    Ok(Counted { days: counted, aside })
}

/// What of a company changed in a batch.
#[derive(Default)]
struct Changed {
    leads: Vec<Lead>,
    /// Something else did too.
    more: bool,
}

impl Changed {
    /// The leads, where they alone changed.
    fn leads_alone(&self) -> Option<&[Lead]> {
        (!self.more).then_some(&self.leads)
    }
}

/// Notes offers by when they lapse, and counts what matters now of these companies, as long as there is time: the shard
/// waits for nothing here. Of whom it could not be counted, the sweep counts it.
async fn matters(
    cloud: &Cloud,
    offers: BTreeMap<&CompanyId, Vec<(Offer, bool)>>,
    companies: BTreeMap<CompanyId, Changed>,
) {
    let at = cloud.clock.now();
    let mut left: BTreeSet<&CompanyId> = companies.keys().collect();
    let all = async {
        for (company, offers) in offers {
            if let Err(error) = cloud.store.offers_note(company, &offers).await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error, company.id = %company,
                    "some offers are not known by when they lapse"
                );
            }
        }
        for (company, changed) in &companies {
            match now::keep(cloud, company, changed.leads_alone()).await {
                Ok(()) => {
                    left.remove(company);
                }
                Err(error) => tracing::warn!(
                    error = &error as &dyn std::error::Error, company.id = %company,
                    "what matters now is counted by the sweep"
                ),
            }
        }
    };
    if tokio::time::timeout(MATTERS, Box::pin(all)).await.is_err() {
        tracing::warn!(companies = left.len(), "what matters now of some companies took too long to count");
    }
    let touched = async {
        for company in left {
            cloud.store.now_touch(company, at, at, &[]).await?;
        }
        Ok::<_, StoreError>(())
    };
    // Should the table not take that either, it is behind until the next batch.
    let _ = tokio::time::timeout(TOUCHES, Box::pin(touched)).await;
}

/// `None` of what is damaged: trying again does not mend it.
fn readable<T>(read: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(StoreError::Damaged { .. }) => Ok(None),
        Err(error @ (StoreError::Contended | StoreError::Unavailable(_) | StoreError::Malformed(_))) => {
            Err(error)
        }
    }
}

/// By company, the offers that have to be accepted in time and were made (`true`), or ended, in a batch. Of one that was
/// made and ended in it, and of a seat that changed otherwise, there is nothing to note.
fn offers<'a>(changes: &'a [(&StreamRecord, &str, Change)]) -> BTreeMap<&'a CompanyId, Vec<(Offer, bool)>> {
    // By company and seat, as it was before the batch and is after it.
    let mut found: BTreeMap<_, (Option<Offer>, Option<Offer>)> = BTreeMap::new();
    for (_, _, change) in changes {
        let Seen::Seat(seat) = &change.new else { continue };
        let before = || change.old.as_ref().and_then(open_offer);
        let noted = found.entry((&seat.company, seat.id)).or_insert_with(|| (before(), None));
        noted.1 = open_offer(&change.new);
    }
    let mut by_company: BTreeMap<&CompanyId, Vec<(Offer, bool)>> = BTreeMap::new();
    for ((company, _), (before, after)) in found.into_iter().filter(|(_, (before, after))| before != after) {
        let of_it = by_company.entry(company).or_default();
        of_it.extend(before.map(|ended| (ended, false)));
        of_it.extend(after.map(|made| (made, true)));
    }
    by_company
}

/// A seat's offer, while it waits to be accepted.
fn open_offer(seen: &Seen) -> Option<Offer> {
    let Seen::Seat(seat) = seen else { return None };
    let by = seat.accept_by.as_ref().filter(|_| seat.masked() && !seat.shadow)?;
    Some(Offer { at: by.at, lead: seat.lead, cycle: seat.cycle, assignment: seat.id })
}

/// The lead that changed: what it did moves it in the lists, and nothing else says so.
fn lead_of(record: &StreamRecord) -> Option<Lead> {
    let (pk, sk) = record.key()?;
    let is_lead = pk.starts_with("L#") && sk == "L" && !record.removes();
    is_lead.then(|| record.new_image().ok().flatten()).flatten().and_then(lead_of_image)
}

/// A record's change, under its number; `None` of what is not counted: other items, and what was deleted.
fn read(record: &StreamRecord) -> Result<Option<(&str, Change)>, Unreadable> {
    let sequence = record.sequence().ok_or(Unreadable)?;
    let (pk, sk) = record.key().ok_or(Unreadable)?;
    let kind = |key: &str| key.split('#').next().unwrap_or_default().to_owned();
    let counts = matches!((kind(pk).as_str(), kind(sk).as_str()), ("E", "E") | ("L", "A" | "D"));
    if !counts || record.removes() {
        return Ok(None);
    }
    let seen = |item| Seen::read(item).map_err(|_| Unreadable);
    let Some(new) = record.new_image()?.map(seen).transpose()?.flatten() else { return Err(Unreadable) };
    let old = record.old_image()?.map(seen).transpose()?.flatten();
    Ok(Some((sequence, Change { old, new })))
}

/// Nothing that the record says is logged: it may say anything.
async fn set_aside(cloud: &Cloud, shard: &str, record: &StreamRecord) -> Result<(), StoreError> {
    let (sequence, key) = (record.sequence().unwrap_or("unnumbered"), record.key().unwrap_or_default());
    tracing::error!(record.sequence = sequence, "a record of the stream cannot be counted and is set aside");
    cloud.store.report_set_aside(shard, sequence, key, cloud.clock.now()).await
}

/// Adds what a batch says of a company's day to its shard's partial sums.
async fn add(
    cloud: &Cloud,
    company: &CompanyId,
    day: Date,
    shard: &str,
    added: &Added<'_>,
    rules: &ReportRules,
) -> Result<(), StoreError> {
    let now = cloud.clock.now();
    let hour = now.as_second().div_euclid(3_600);
    for round in 0..ROUNDS {
        if round > 0 {
            tokio::time::sleep(cloud.entropy.between_ms(5, 60)).await;
        }
        let mut part = cloud.store.report_part(company, day, shard).await?;
        let fresh: Vec<_> = added.iter().filter(|(_, sequence, _)| !part.has(sequence)).collect();
        let Some((_, last, _)) = fresh.last() else { return Ok(()) };
        for (_, _, sums) in &fresh {
            part.sums.merge(sums);
        }
        part.sequence = (*last).to_owned();
        let looks = part.looked != hour;
        part.looked = hour;
        if cloud.store.report_part_save(company, &part, rules, now).await? {
            if looks {
                seal(cloud, company, rules).await;
            }
            return Ok(());
        }
    }
    Err(StoreError::Contended)
}

/// Seals the days of a company that are over. What goes wrong is put right an hour later.
async fn seal(cloud: &Cloud, company: &CompanyId, rules: &ReportRules) {
    let now = cloud.clock.now();
    let today = rules.today(now);
    let sealed = async {
        let mut over: BTreeMap<Date, Vec<ReportPart>> = BTreeMap::new();
        for part in cloud.store.report_parts(company).await? {
            if part.day < today && !part.sums.is_empty() {
                over.entry(part.day).or_default().push(part);
            }
        }
        for (day, parts) in over.iter().take(DAYS_SEALED) {
            for some in parts.chunks(PARTS_SEALED) {
                if !Box::pin(cloud.store.report_seal(company, *day, some, rules, now)).await? {
                    return Ok(()); // somebody else does
                }
            }
        }
        Ok::<_, StoreError>(())
    };
    if let Err(error) = sealed.await {
        tracing::warn!(error = &error as &dyn std::error::Error, company.id = %company, "days are sealed later");
    }
}
