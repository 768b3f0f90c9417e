//! Report counters: partial sums while a day runs, tables once it is sealed.
//!
//! A partial sum belongs to one company, day and shard of the table's stream, and says the last sequence number that is
//! in it: numbers rise within a shard, so what comes again is known by its number, however the batches are cut. It is
//! one conditional put for all that a batch says of that day.
//!
//! Sealing moves what the partial sums of a day hold into the tables, by dimension, of that day and of the part of a month,
//! the month and the quarter that it is in, in one transaction: so that a year is a few of each. The partial sums stay behind, empty, and go on knowing what they counted. What comes late makes them
//! count again, and is moved the next time.

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};
use leadyard_domain::ids::CompanyId;
use leadyard_domain::limits;
use leadyard_domain::report::{Dimension, Sums};

use super::keys::{Key, REPORT_PARTS};
use super::{Commit, Item, Store, StoreError, key_item, number, read_number, read_string, string, values};

/// How long empty partial sums know what they counted, in seconds: the stream forgets after a day.
pub const SEALED_TTL_S: i64 = 8 * 24 * 3_600;
/// Partial sums that one transaction seals.
const PARTS_SEALED: usize = 20;

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

/// What was read for a report, and what that cost.
#[derive(Clone, Debug, Default)]
pub struct ReportRead {
    /// What happened in the days asked for.
    pub sums: Sums,
    /// Read units.
    pub units: f64,
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

    /// Keeps partial sums; `false` when somebody else changed them since they were read.
    pub async fn report_part_save(&self, company: &CompanyId, part: &ReportPart) -> Result<bool, StoreError> {
        let (condition, bound) = unchanged(part.version);
        self.put_if(part_item(company, part, None), condition, bound).await
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

    /// Moves what these partial sums of one day hold into the tables. `false` when somebody else seals, or counts.
    pub async fn report_seal(
        &self,
        company: &CompanyId,
        day: Date,
        parts: &[ReportPart],
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let full: Vec<&ReportPart> =
            parts.iter().filter(|part| part.day == day && !part.sums.is_empty()).take(PARTS_SEALED).collect();
        let mut sums = Sums::default();
        for part in &full {
            sums.merge(&part.sums);
        }
        let lock = Key::ReportSeal(company);
        let seen = self.get(&lock).await?.and_then(|item| read_number(&item, "v")).unwrap_or(0_u64);
        let mut locked = key_item(&lock);
        locked.insert("v".to_owned(), number(seen + 1));
        let (condition, bound) = unchanged(seen);
        let mut writes = vec![self.put(locked, condition, bound)?];
        for part in full {
            let empty = ReportPart { sums: Sums::default(), ..part.clone() };
            let (condition, bound) = unchanged(part.version);
            let ttl = now.as_second() + SEALED_TTL_S;
            writes.push(self.put(part_item(company, &empty, Some(ttl)), condition, bound)?);
        }
        for period in Span::ALL.map(|span| span.key(day)) {
            let mut whole = self.report_tables_of(company, &period).await?;
            whole.merge(&sums);
            let whole = whole.top(limits::REPORT_TOP);
            for ((table, moved), (_, of_it)) in tables(&sums).into_iter().zip(tables(&whole)) {
                if moved.is_empty() {
                    continue;
                }
                let mut item = key_item(&Key::ReportTable { company, table: &table, period: &period });
                item.insert("b".to_owned(), blob(&of_it));
                writes.push(self.put(item, "", values([]))?);
            }
        }
        Ok(matches!(self.transact(writes).await?, Commit::Done))
    }

    /// All tables of a day, or of what it is in.
    async fn report_tables_of(&self, company: &CompanyId, period: &str) -> Result<Sums, StoreError> {
        let names: Vec<String> = Dimension::ALL.iter().flat_map(|dimension| names(*dimension)).collect();
        let keys: Vec<Key<'_>> =
            names.iter().map(|table| Key::ReportTable { company, table, period }).collect();
        let mut sums = Sums::default();
        for item in self.get_many(&keys).await? {
            sums.merge(&read_sums(&item)?);
        }
        Ok(sums)
    }

    /// Whether a day is sealed.
    pub async fn report_is_sealed(&self, company: &CompanyId, day: Date) -> Result<bool, StoreError> {
        let table = Dimension::All.as_str();
        Ok(self.get(&Key::ReportTable { company, table, period: &Span::Day.key(day) }).await?.is_some())
    }

    /// What happened from one day to another, both included, by these dimensions: counters or times, or both. Of the
    /// longest spans that fit their tables, and partial sums.
    pub async fn report_read(
        &self,
        company: &CompanyId,
        dimensions: &[Dimension],
        tables: Tables,
        (from, to): (Date, Date),
        today: Date,
    ) -> Result<ReportRead, StoreError> {
        let mut read = ReportRead::default();
        // Before the tables: a day that is sealed in between is then in both for a moment, and never in neither.
        let parts = (format!("{REPORT_PARTS}{from}"), format!("{REPORT_PARTS}{to}$"));
        for item in self.report_query(Key::ReportSeal(company).pk(), parts, &mut read.units).await? {
            let sums = read_part(&item)?.sums;
            for dimension in dimensions {
                read.sums.merge(&sums.only(*dimension));
            }
        }
        for dimension in dimensions {
            let [counts, measured] = names(*dimension);
            let table = tables.of(counts, measured);
            for range in ranges(from, to, today) {
                let pk = Key::ReportTable { company, table: &table, period: "" }.pk();
                for item in self.report_query(pk, range, &mut read.units).await? {
                    read.sums.merge(&read_sums(&item)?);
                }
            }
        }
        Ok(read)
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

    /// What reporting last found to matter of a company, as it is written; see [`crate::now`].
    pub async fn now_get(&self, company: &CompanyId) -> Result<Option<String>, StoreError> {
        let item = self.get(&Key::Now(company)).await?;
        Ok(item.and_then(|item| read_string(&item, "now").map(str::to_owned)))
    }

    /// Keeps it, unless something later is kept.
    pub async fn now_keep(&self, company: &CompanyId, text: &str, at: Timestamp) -> Result<(), StoreError> {
        let mut item = key_item(&Key::Now(company));
        item.insert("now".to_owned(), string(text));
        item.insert("ms".to_owned(), number(at.as_millisecond()));
        let earlier = values([(":at", number(at.as_millisecond()))]);
        self.put_if(item, "attribute_not_exists(pk) OR ms <= :at", earlier).await.map(drop)
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

/// How days are put together: a quarter is whole months, a month whole parts, a part whole days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Span {
    Quarter,
    Month,
    /// Days 1 to 8 of a month, 9 to 16, 17 to 24, and the rest.
    Part,
    Day,
}

impl Span {
    /// The longest first.
    const ALL: [Self; 4] = [Self::Quarter, Self::Month, Self::Part, Self::Day];

    /// The first and the last day of the one that a day is in.
    fn bounds(self, day: Date) -> (Date, Date) {
        let first = day.first_of_month();
        let plus = |date: Date, span: jiff::Span| date.checked_add(span).unwrap_or(Date::MAX);
        match self {
            Self::Quarter => {
                let back = i64::from((day.month() - 1) % 3);
                let first = first.checked_sub(back.months()).unwrap_or(first);
                (first, plus(first, 2.months()).last_of_month())
            }
            Self::Month => (first, day.last_of_month()),
            Self::Part => {
                let part = i64::from(((day.day() - 1) / 8).min(3));
                let from = plus(first, (8 * part).days());
                (from, if part == 3 { day.last_of_month() } else { plus(from, 7.days()) })
            }
            Self::Day => (day, day),
        }
    }

    /// The sort key of the one that a day is in.
    fn key(self, day: Date) -> String {
        let (first, _) = self.bounds(day);
        let kind = match self {
            Self::Quarter => "quarter",
            Self::Month => "month",
            Self::Part => "part",
            Self::Day => "day",
        };
        format!("{kind}#{first}")
    }
}

/// The two tables of a dimension: counters, and times.
fn names(dimension: Dimension) -> [String; 2] {
    [dimension.to_string(), format!("{dimension}/times")]
}

/// The sums of each table, in one order.
fn tables(sums: &Sums) -> Vec<(String, Sums)> {
    let of = |dimension: &Dimension| {
        let [counts, times] = names(*dimension);
        let (counted, measured) = sums.only(*dimension).split();
        [(counts, counted), (times, measured)]
    };
    Dimension::ALL.iter().flat_map(of).collect()
}

/// The sort keys that together are these days, the longest spans that fit. One whose end is not before `today` fits
/// where it begins: nothing follows.
fn ranges(from: Date, to: Date, today: Date) -> Vec<(String, String)> {
    let mut ranges: Vec<(Span, String, String)> = Vec::new();
    let mut day = from;
    while day <= to {
        let fits = |span: &Span| {
            let (first, last) = span.bounds(day);
            first == day && (last <= to || to >= today)
        };
        let span = Span::ALL.into_iter().find(fits).unwrap_or(Span::Day);
        let key = span.key(day);
        match ranges.last_mut() {
            Some((before, _, last)) if *before == span => *last = key,
            Some(_) | None => ranges.push((span, key.clone(), key)),
        }
        let Ok(next) = span.bounds(day).1.tomorrow() else { break };
        day = next;
    }
    ranges.into_iter().map(|(_, first, last)| (first, last)).collect()
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
        let packed = blob(&part.sums);
        let small = packed.as_b().is_ok_and(|packed| packed.as_ref().len() <= limits::REPORT_PART_BYTES);
        let packed = if small { packed } else { blob(&part.sums.top(limits::REPORT_PART_TOP)) };
        item.insert("b".to_owned(), packed);
    }
    if let Some(ttl) = ttl {
        item.insert("ttl".to_owned(), number(ttl));
    }
    item
}

fn read_sums(item: &Item) -> Result<Sums, StoreError> {
    match item.get("b") {
        Some(AttributeValue::B(packed)) => {
            Sums::decode(packed.as_ref()).map_err(|error| StoreError::damaged("report", error))
        }
        Some(_) | None => Ok(Sums::default()),
    }
}

fn read_part(item: &Item) -> Result<ReportPart, StoreError> {
    let damaged = || StoreError::damaged("report", leadyard_domain::report::Damaged);
    let mut parts = read_string(item, "sk").unwrap_or_default().splitn(3, '#');
    let (day, shard) = (parts.nth(1).ok_or_else(damaged)?, parts.next().ok_or_else(damaged)?);
    Ok(ReportPart {
        day: day.parse().map_err(|error| StoreError::damaged("report", error))?,
        shard: shard.to_owned(),
        sequence: read_string(item, "n").unwrap_or_default().to_owned(),
        version: read_number(item, "v").unwrap_or(0),
        looked: read_number(item, "h").unwrap_or(0),
        sums: read_sums(item)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn a_number_is_larger_by_its_digits_and_not_as_text() {
        let part = ReportPart { sequence: "99".to_owned(), ..ReportPart::default() };
        assert!(part.has("99") && part.has("9") && part.has("0099"));
        assert!(!part.has("100") && !part.has("000000000000000000000000000000000000000100"));
        assert!(!ReportPart::default().has("1"));
    }

    #[test]
    fn a_period_is_whole_months_and_the_days_that_are_left() {
        let today = date(2026, 6, 15);
        let of = |from: Date, to: Date| {
            let ranges = ranges(from, to, today);
            ranges.into_iter().map(|(from, to)| format!("{from}..{to}")).collect::<Vec<_>>()
        };
        assert_eq!(
            of(date(2025, 6, 16), today),
            [
                "day#2025-06-16..day#2025-06-16",
                "part#2025-06-17..part#2025-06-25",
                "quarter#2025-07-01..quarter#2026-04-01",
            ]
        );
        assert_eq!(of(date(2026, 2, 1), date(2026, 3, 31)), ["month#2026-02-01..month#2026-03-01"]);
        assert_eq!(
            of(date(2026, 1, 1), date(2026, 3, 30)),
            [
                "month#2026-01-01..month#2026-02-01",
                "part#2026-03-01..part#2026-03-17",
                "day#2026-03-25..day#2026-03-30",
            ]
        );
        assert_eq!(of(date(2026, 3, 3), date(2026, 3, 3)), ["day#2026-03-03..day#2026-03-03"]);
    }

    #[test]
    fn whatever_is_asked_for_every_day_is_in_it_once() {
        let first = date(2023, 12, 27);
        for begins in 0..100 {
            for days in [0, 1, 7, 8, 9, 30, 31, 89, 200, 366, 731] {
                let from = first.checked_add(begins.days()).unwrap();
                let to = from.checked_add(days.days()).unwrap();
                let mut day = from;
                for (start, last) in ranges(from, to, date(2030, 1, 1)) {
                    let span = Span::ALL.into_iter().find(|span| span.key(day) == start);
                    let span = span.unwrap_or_else(|| panic!("{start} does not begin at {day}"));
                    while span.key(day) < last {
                        day = span.bounds(day).1.tomorrow().unwrap();
                    }
                    assert_eq!(span.key(day), last);
                    day = span.bounds(day).1.tomorrow().unwrap();
                }
                assert_eq!(day, to.tomorrow().unwrap(), "{from} to {to}");
            }
        }
    }
}
