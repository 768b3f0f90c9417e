//! Report counters: partial sums while a day runs, tables once it is sealed.
//!
//! A partial sum belongs to one company, day and shard of the table's stream, and says the last sequence number that is
//! in it: numbers rise within a shard, so what comes again is known by its number, however the batches are cut. It is
//! one conditional put for all that a batch says of that day. Where they grow too large for an item, what they hold so
//! far is laid beside them as partial sums of their own, which nobody adds to.
//!
//! Sealing moves what the partial sums of a day hold into the tables, by dimension, of that day and of the part of a month,
//! the month and the quarter that it is in, in one transaction: so that a year is a few of each. The partial sums stay
//! behind, empty, and go on knowing what they counted. What comes late makes them count again, and is moved the next
//! time. A table that is too large for an item is several.
//!
//! Of campaigns those that are named in their year ([`leadyard_domain::report::named`]) stand under their names, and the
//! rest as one. Who is named is written before anything is put into the rest, and whoever is named later is so for the
//! days to come alone: so the two need no transaction.
//!
//! Determinations:
//!
//! - *A transaction ends at 4 MB*, so that a day seals as long as the tables of all its spans are together no more:
//!   some twenty thousand dealers to whom something happened within the quarter. Beyond that days stay partial sums,
//!   which reports read as well.

mod spans;
mod sealing;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use leadyard_domain::ids::CompanyId;
use leadyard_domain::limits;
use leadyard_domain::report::named::{self, Named, Years};
use leadyard_domain::report::{Dimension, Sums};

pub use self::sealing::PARTS_SEALED;
use self::spans::{Span, runs};
use super::keys::{Key, REPORT_NAMES, REPORT_PARTS};
use super::{Commit, Item, Store, StoreError, key_item, number, read_number, read_string, string, values};

/// How long empty partial sums know what they counted, in seconds: the stream forgets after a day.
pub const SEALED_TTL_S: i64 = 8 * 24 * 3_600;
/// Tables in a row that a report reads by a query of their own: the longest. A page has twenty reads.
const RANGES: usize = 9;
/// How often who is named is read again when somebody else named more.
const NAMING_ROUNDS: usize = 5;

/// What of a company's rulebook its counters go by.
#[derive(Clone, Debug)]
pub struct ReportRules {
    /// Whose days these are.
    pub zone: TimeZone,
    /// The campaigns that it spends on, as sums hold them.
    pub campaigns: BTreeSet<String>,
}

impl ReportRules {
    /// The day that it is there.
    pub fn today(&self, now: Timestamp) -> Date {
        self.zone.to_datetime(now).date()
    }
}

/// Partial sums of one company, day and shard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReportPart {
    /// Which day.
    pub day: Date,
    /// Which shard of the stream.
    pub shard: String,
    /// The last sequence number that is counted.
    pub sequence: String,
    /// Counts writes; 0 of one that is not kept yet.
    pub version: u64,
    /// The hour, since the epoch, in which it was last asked whether other days can be sealed.
    pub looked: i64,
    /// What happened.
    pub sums: Sums,
}

impl ReportPart {
    /// Whether what has this number is counted already.
    pub fn has(&self, sequence: &str) -> bool {
        rank(sequence) <= rank(&self.sequence)
    }
}

/// Sequence numbers are up to 40 digits: the longer is the larger.
fn rank(sequence: &str) -> (usize, &str) {
    let digits = sequence.trim_start_matches('0');
    (digits.len(), digits)
}

/// Which tables of a dimension a report reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tables {
    /// Counters.
    Counts,
    /// Times.
    Times,
}

impl Tables {
    fn of(self, counts: String, times: String) -> String {
        match self {
            Self::Counts => counts,
            Self::Times => times,
        }
    }
}

/// What a report asks for.
#[derive(Clone, Copy, Debug)]
pub struct ReportAsked<'a> {
    /// By what.
    pub dimensions: &'a [Dimension],
    /// Of which kind.
    pub tables: Tables,
    /// From one day to another, both included.
    pub days: (Date, Date),
}

impl ReportAsked<'_> {
    /// The tables that have it, those in a row together.
    fn runs(&self, company: &CompanyId, of: usize, today: Date) -> Vec<Run> {
        let in_a_row = runs(self.days.0, self.days.1, today);
        let of_dimension = |dimension: &Dimension| {
            let [counts, measured] = names(*dimension);
            let table = self.tables.of(counts, measured);
            let pk = Key::ReportTable { company, table: &table, period: "" }.pk();
            in_a_row.iter().map(move |periods| Run { of, pk: pk.clone(), periods: periods.clone() }).collect()
        };
        self.dimensions.iter().flat_map(|dimension| -> Vec<Run> { of_dimension(dimension) }).collect()
    }
}

/// Tables of one dimension whose periods follow each other.
struct Run {
    /// For which of those that are asked for.
    of: usize,
    pk: String,
    periods: Vec<String>,
}

/// What was read for a report.
#[derive(Clone, Debug, Default)]
pub struct ReportRead {
    /// What happened in the days asked for.
    pub sums: Sums,
    /// Where some campaigns are the rest, those that are named and whole: what is not in the sums of one did not happen.
    pub whole: BTreeSet<String>,
}

/// Reads for reports of one company, all within some days.
#[derive(Debug)]
pub struct ReportReads<'a> {
    store: &'a Store,
    company: &'a CompanyId,
    today: Date,
    /// Read before any table: a day that is sealed in between is then in both for a moment, and never in neither.
    parts: Vec<ReportPart>,
    /// How many tables in a row may still be read by a query of their own: of all that is read at most [`RANGES`].
    ranges: usize,
    /// What it took so far, in read units.
    pub units: f64,
}

impl ReportReads<'_> {
    /// What happened, of each that is asked for: of the longest spans that fit their tables, and partial sums. In few reads,
    /// however many are asked for: [`RANGES`] of tables in a row over all that is read, two of all others together, and one
    /// of who is named, where any has a rest.
    pub async fn read(&mut self, asked: &[ReportAsked<'_>]) -> Result<Vec<ReportRead>, StoreError> {
        let mut reads = vec![ReportRead::default(); asked.len()];
        for part in &self.parts {
            let of_day = |one: &ReportAsked<'_>| one.days.0 <= part.day && part.day <= one.days.1;
            for (read, one) in reads.iter_mut().zip(asked).filter(|(_, one)| of_day(one)) {
                for dimension in one.dimensions {
                    read.sums.merge(&part.sums.only(*dimension));
                }
            }
        }
        let of = |(nth, one): (usize, &ReportAsked<'_>)| one.runs(self.company, nth, self.today);
        let mut runs: Vec<Run> = asked.iter().enumerate().flat_map(of).collect();
        runs.sort_by_key(|run| Reverse(run.periods.len()));
        let short = runs.split_off(self.ranges.min(runs.len()));
        self.ranges -= runs.len();
        for run in runs {
            let (Some(first), Some(last)) = (run.periods.first(), run.periods.last()) else { continue };
            // A table's further pieces stand right behind it.
            let range = (first.clone(), format!("{last}$"));
            for item in self.store.report_query(run.pk, range, &mut self.units).await? {
                if let Some(read) = reads.get_mut(run.of) {
                    read.sums.merge(&read_sums(&item)?);
                }
            }
        }
        for (of, item) in self.store.report_tables_by_key(short, &mut self.units).await? {
            if let Some(read) = reads.get_mut(of) {
                read.sums.merge(&read_sums(&item)?);
            }
        }
        self.tell_rest(asked, &mut reads).await?;
        Ok(reads)
    }

    /// Who is in no rest. After the tables: of what is in their rest it is known then who is not.
    async fn tell_rest(
        &mut self,
        asked: &[ReportAsked<'_>],
        reads: &mut [ReportRead],
    ) -> Result<(), StoreError> {
        let have_rest = || asked.iter().zip(&*reads).filter(|(_, read)| named::has_rest(&read.sums));
        let years = have_rest().map(|(one, _)| (one.days.0.year(), one.days.1.year()));
        let Some(years) = years.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))) else { return Ok(()) };
        let years = self.store.report_names(self.company, years, &mut self.units).await?;
        for (one, read) in asked.iter().zip(reads).filter(|(_, read)| named::has_rest(&read.sums)) {
            let (from, to) = one.days;
            let own = years.range(from.year()..=to.year());
            let own: Years = own.map(|(year, named)| (*year, named.clone())).collect();
            read.sums = named::told(std::mem::take(&mut read.sums), &own, from);
            read.whole = named::whole(&own, from);
        }
        Ok(())
    }
}

impl Store {
    /// Partial sums; of none, empty ones.
    pub async fn report_part(
        &self,
        company: &CompanyId,
        day: Date,
        shard: &str,
    ) -> Result<ReportPart, StoreError> {
        match self.get(&Key::ReportPart { company, day, shard }).await? {
            Some(item) => read_part(&item),
            None => Ok(ReportPart { day, shard: shard.to_owned(), ..ReportPart::default() }),
        }
    }

    /// All partial sums of a company that are kept, empty ones too.
    pub async fn report_parts(&self, company: &CompanyId) -> Result<Vec<ReportPart>, StoreError> {
        let items = self.query_prefix(Key::ReportSeal(company).pk(), REPORT_PARTS).await?;
        items.iter().map(read_part).collect()
    }

    /// The same, of which those whose sums cannot be read are said to be damaged: what is counted anew takes their place.
    pub async fn report_parts_damaged_too(
        &self,
        company: &CompanyId,
    ) -> Result<Vec<(ReportPart, Result<Sums, StoreError>)>, StoreError> {
        let items = self.query_prefix(Key::ReportSeal(company).pk(), REPORT_PARTS).await?;
        items.iter().map(|item| Ok((read_place(item)?, read_sums(item)))).collect()
    }

    /// Keeps partial sums; `false` when somebody else changed them since they were read.
    pub async fn report_part_save(
        &self,
        company: &CompanyId,
        part: &ReportPart,
        rules: &ReportRules,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (condition, bound) = unchanged(part.version);
        if part.sums.encode().len() <= limits::REPORT_PART_BYTES {
            return self.put_if(part_item(company, part, None), condition, bound).await;
        }
        let named = self.report_name(company, part.day, &part.sums, rules, now).await?;
        let sums = named.fold(&part.sums);
        let mut pieces = sums.pieces(limits::REPORT_PART_BYTES);
        if pieces.len() == 1 {
            let part = ReportPart { sums, ..part.clone() };
            return self.put_if(part_item(company, &part, None), condition, bound).await;
        }
        // The last of them is added to.
        let last = ReportPart { sums: pieces.pop().unwrap_or_default(), ..part.clone() };
        let mut writes = vec![self.put(part_item(company, &last, None), condition, bound)?];
        for (at, sums) in pieces.into_iter().enumerate() {
            let shard = format!("{}/{}.{at}", part.shard, part.version + 1);
            let beside = ReportPart { day: part.day, shard, sums, ..ReportPart::default() };
            let (condition, bound) = unchanged(0);
            writes.push(self.put(part_item(company, &beside, None), condition, bound)?);
        }
        Ok(matches!(self.transact(writes).await?, Commit::Done))
    }

    /// Empties partial sums, which expire; `false` when somebody else changed them since they were read.
    pub async fn report_part_empty(
        &self,
        company: &CompanyId,
        part: &ReportPart,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let empty = ReportPart { sums: Sums::default(), ..part.clone() };
        let (condition, bound) = unchanged(part.version);
        self.put_if(part_item(company, &empty, Some(now.as_second() + SEALED_TTL_S)), condition, bound).await
    }

    /// The campaigns of some years that are named, both years included; and what reading them cost.
    async fn report_names(
        &self,
        company: &CompanyId,
        (from, to): (i16, i16),
        units: &mut f64,
    ) -> Result<Years, StoreError> {
        let years = (format!("{REPORT_NAMES}{from:04}"), format!("{REPORT_NAMES}{to:04}"));
        let items = self.report_query(Key::ReportSeal(company).pk(), years, units).await?;
        let year = |item: &Item| read_string(item, "sk")?.strip_prefix(REPORT_NAMES)?.parse().ok();
        Ok(items.iter().filter_map(|item| Some((year(item)?, read_named(item)))).collect())
    }

    /// The campaigns that are named in a day's year, with those of these sums for which there was room.
    pub async fn report_name(
        &self,
        company: &CompanyId,
        day: Date,
        sums: &Sums,
        rules: &ReportRules,
        now: Timestamp,
    ) -> Result<Named, StoreError> {
        let key = Key::ReportNames(company, day.year());
        for round in 0..NAMING_ROUNDS {
            if round > 0 {
                tokio::time::sleep(self.entropy.between_ms(5, 60)).await;
            }
            let kept = self.get(&key).await?;
            let version = kept.as_ref().and_then(|item| read_number(item, "v")).unwrap_or(0_u64);
            let mut named = kept.as_ref().map(read_named).unwrap_or_default();
            if !named.admit(sums, &rules.campaigns, rules.today(now)) {
                return Ok(named);
            }
            let mut item = key_item(&key);
            item.insert("v".to_owned(), number(version + 1));
            item.insert("r".to_owned(), AttributeValue::Bool(named.rest));
            let since =
                named.since.iter().map(|(campaign, since)| (campaign.clone(), string(since.to_string())));
            item.insert("c".to_owned(), AttributeValue::M(since.collect()));
            let (condition, bound) = unchanged(version);
            if self.put_if(item, condition, bound).await? {
                return Ok(named);
            }
        }
        Err(StoreError::Contended)
    }

    /// Sets a record of the stream aside.
    pub async fn report_set_aside(
        &self,
        shard: &str,
        sequence: &str,
        (pk, sk): (&str, &str),
        now: Timestamp,
    ) -> Result<(), StoreError> {
        const KEPT_S: i64 = 30 * 24 * 3_600;
        let mut item = key_item(&Key::ReportAside { shard, sequence });
        item.insert("of".to_owned(), string(pk));
        item.insert("at".to_owned(), string(sk));
        item.insert("seen".to_owned(), string(now.to_string()));
        item.insert("ttl".to_owned(), number(now.as_second() + KEPT_S));
        self.put_if(item, "attribute_not_exists(pk)", values([])).await.map(drop)
    }

    /// What happened from one day to another, both included, by these dimensions.
    pub async fn report_read(
        &self,
        company: &CompanyId,
        dimensions: &[Dimension],
        tables: Tables,
        days: (Date, Date),
        today: Date,
    ) -> Result<ReportRead, StoreError> {
        let mut reads = self.report_reads(company, days, today).await?;
        let mut read = reads.read(&[ReportAsked { dimensions, tables, days }]).await?;
        Ok(read.pop().unwrap_or_default())
    }

    /// Begins to read what happened within these days: the partial sums. One read.
    pub async fn report_reads<'a>(
        &'a self,
        company: &'a CompanyId,
        (from, to): (Date, Date),
        today: Date,
    ) -> Result<ReportReads<'a>, StoreError> {
        let (mut units, between) = (0.0, (format!("{REPORT_PARTS}{from}"), format!("{REPORT_PARTS}{to}$")));
        let items = self.report_query(Key::ReportSeal(company).pk(), between, &mut units).await?;
        let parts = items.iter().map(read_part).collect::<Result<_, _>>()?;
        Ok(ReportReads { store: self, company, today, parts, ranges: RANGES, units })
    }

    /// The tables of short runs one by one, each with for whom it is.
    async fn report_tables_by_key(
        &self,
        runs: Vec<Run>,
        units: &mut f64,
    ) -> Result<Vec<(usize, Item)>, StoreError> {
        let mut wanted: BTreeMap<(String, String), Vec<usize>> = BTreeMap::new();
        for run in runs {
            for period in run.periods {
                wanted.entry((run.pk.clone(), period)).or_default().push(run.of);
            }
        }
        let mut found = Vec::new();
        while !wanted.is_empty() {
            let key = |(pk, sk): &(String, String)| {
                Item::from([("pk".to_owned(), string(pk)), ("sk".to_owned(), string(sk))])
            };
            let keys: Vec<Item> = wanted.keys().map(key).collect();
            let mut further = BTreeMap::new();
            for item in self.batches(&keys, false, units).await? {
                let text = |name| read_string(&item, name).unwrap_or_default().to_owned();
                let (pk, sk) = (text("pk"), text("sk"));
                let many = read_number::<usize>(&item, "c").unwrap_or(1);
                let of = wanted.get(&(pk.clone(), sk.clone())).cloned().unwrap_or_default();
                for at in 1..many {
                    further.insert((pk.clone(), format!("{sk}#{at}")), of.clone());
                }
                found.extend(of.into_iter().map(|of| (of, item.clone())));
            }
            wanted = further;
        }
        Ok(found)
    }

    /// Whether anything was ever counted of a company. Two reads of one item.
    pub async fn report_has_any(&self, company: &CompanyId) -> Result<bool, StoreError> {
        let [counts, _] = names(Dimension::All);
        // What is not sealed yet, and what is.
        let any = futures::try_join!(
            self.report_any(Key::ReportSeal(company).pk(), REPORT_PARTS),
            self.report_any(Key::ReportTable { company, table: &counts, period: "" }.pk(), ""),
        )?;
        Ok(any.0 || any.1)
    }

    /// Whether an item's sort key begins so.
    async fn report_any(&self, pk: String, begins: &str) -> Result<bool, StoreError> {
        let query = self.client.query().table_name(&self.table).limit(1);
        let query = query.expression_attribute_values(":pk", string(&pk));
        let query = match begins {
            "" => query.key_condition_expression("pk = :pk"),
            _ => query
                .key_condition_expression("pk = :pk AND begins_with(sk, :begins)")
                .expression_attribute_values(":begins", string(begins)),
        };
        Ok(!query.send().await.map_err(StoreError::unavailable)?.items().is_empty())
    }

    /// What happened in the whole company on each of some days, counters and times. Two reads.
    pub async fn report_days(&self, company: &CompanyId, days: &[Date]) -> Result<Vec<Sums>, StoreError> {
        let (Some(from), Some(to)) = (days.iter().min(), days.iter().max()) else { return Ok(Vec::new()) };
        let mut sums: Vec<Sums> = days.iter().map(|_| Sums::default()).collect();
        // Before the tables, as a report does.
        let parts = (format!("{REPORT_PARTS}{from}"), format!("{REPORT_PARTS}{to}$"));
        for item in self.report_query(Key::ReportSeal(company).pk(), parts, &mut 0.0).await? {
            let part = read_part(&item)?;
            for (_, sums) in days.iter().zip(&mut sums).filter(|(day, _)| **day == part.day) {
                sums.merge(&part.sums.only(Dimension::All));
            }
        }
        let (tables, periods) = (names(Dimension::All), days.iter().map(|day| Span::Day.key(*day)));
        let periods: Vec<String> = periods.collect();
        let keys: Vec<Key<'_>> = tables
            .iter()
            .flat_map(|table| {
                periods.iter().map(move |period| Key::ReportTable {
                    company,
                    table: table.as_str(),
                    period: period.as_str(),
                })
            })
            .collect();
        for item in self.get_many(&keys).await? {
            let period = read_string(&item, "sk").unwrap_or_default();
            for (_, sums) in periods.iter().zip(&mut sums).filter(|(of, _)| *of == period) {
                sums.merge(&read_sums(&item)?);
            }
        }
        Ok(sums)
    }

    /// Items whose sort keys lie between these. Half the price of a consistent read: a report may be a second behind.
    async fn report_query(
        &self,
        pk: String,
        (from, to): (String, String),
        units: &mut f64,
    ) -> Result<Vec<Item>, StoreError> {
        let mut items = Vec::new();
        let mut start = None;
        loop {
            let answer = self
                .client
                .query()
                .table_name(&self.table)
                .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :to")
                .expression_attribute_values(":pk", string(&pk))
                .expression_attribute_values(":from", string(&from))
                .expression_attribute_values(":to", string(&to))
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(StoreError::unavailable)?;
            *units += answer.consumed_capacity.and_then(|used| used.capacity_units).unwrap_or(0.0);
            items.extend(answer.items.into_iter().flatten());
            start = answer.last_evaluated_key.filter(|key| !key.is_empty());
            if start.is_none() {
                return Ok(items);
            }
        }
    }

    /// A page of the whole table: only ever for a person's own tools, whose credentials allow it.
    pub async fn scan_page(&self, start: Option<Item>) -> Result<(Vec<Item>, Option<Item>), StoreError> {
        let answer = self
            .client
            .scan()
            .table_name(&self.table)
            .consistent_read(true)
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(StoreError::unavailable)?;
        let next = answer.last_evaluated_key.filter(|key| !key.is_empty());
        Ok((answer.items.unwrap_or_default(), next))
    }
}

/// The two tables of a dimension: counters, and times.
fn names(dimension: Dimension) -> [String; 2] {
    [dimension.to_string(), format!("{dimension}/times")]
}

fn unchanged(version: u64) -> (&'static str, Item) {
    match version {
        0 => ("attribute_not_exists(pk)", values([])),
        seen => ("v = :seen", values([(":seen", number(seen))])),
    }
}

fn blob(sums: &Sums) -> AttributeValue {
    AttributeValue::B(Blob::new(sums.encode()))
}

fn part_item(company: &CompanyId, part: &ReportPart, ttl: Option<i64>) -> Item {
    let mut item = key_item(&Key::ReportPart { company, day: part.day, shard: &part.shard });
    item.insert("v".to_owned(), number(part.version + 1));
    item.insert("n".to_owned(), string(&part.sequence));
    item.insert("h".to_owned(), number(part.looked));
    if !part.sums.is_empty() {
        item.insert("b".to_owned(), blob(&part.sums));
    }
    if let Some(ttl) = ttl {
        item.insert("ttl".to_owned(), number(ttl));
    }
    item
}

fn read_named(item: &Item) -> Named {
    let since = item.get("c").and_then(|campaigns| campaigns.as_m().ok()).into_iter().flatten();
    let since =
        since.filter_map(|(campaign, since)| Some((campaign.clone(), since.as_s().ok()?.parse().ok()?)));
    Named { since: since.collect(), rest: item.get("r").is_some_and(|rest| rest.as_bool() == Ok(&true)) }
}

fn read_sums(item: &Item) -> Result<Sums, StoreError> {
    match item.get("b") {
        Some(AttributeValue::B(packed)) => {
            let bytes = packed.as_ref();
            Sums::decode(bytes).map_err(|error| {
                // Of a later version: during a deployment they come again, to a function that knows it.
                let later = Sums::is_later(bytes);
                if later { StoreError::unavailable(error) } else { StoreError::damaged("report", error) }
            })
        }
        Some(_) | None => Ok(Sums::default()),
    }
}

fn read_part(item: &Item) -> Result<ReportPart, StoreError> {
    Ok(ReportPart { sums: read_sums(item)?, ..read_place(item)? })
}

/// Partial sums but for what they hold.
fn read_place(item: &Item) -> Result<ReportPart, StoreError> {
    let damaged = || StoreError::damaged("report", leadyard_domain::report::Damaged);
    let mut parts = read_string(item, "sk").unwrap_or_default().splitn(3, '#');
    let (day, shard) = (parts.nth(1).ok_or_else(damaged)?, parts.next().ok_or_else(damaged)?);
    Ok(ReportPart {
        day: day.parse().map_err(|error| StoreError::damaged("report", error))?,
        shard: shard.to_owned(),
        sequence: read_string(item, "n").unwrap_or_default().to_owned(),
        version: read_number(item, "v").unwrap_or(0),
        looked: read_number(item, "h").unwrap_or(0),
        sums: Sums::default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_larger_by_its_digits_and_not_as_text() {
        let part = ReportPart { sequence: "99".to_owned(), ..ReportPart::default() };
        assert!(part.has("99") && part.has("9") && part.has("0099"));
        assert!(!part.has("100") && !part.has("000000000000000000000000000000000000000100"));
        assert!(!ReportPart::default().has("1"));
    }
}
