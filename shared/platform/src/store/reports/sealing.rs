//! Days that are over: what their partial sums hold is moved into the tables.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use leadyard_domain::ids::CompanyId;
use leadyard_domain::limits;
use leadyard_domain::report::{Dimension, Sums};

use super::spans::Span;
use super::{ReportPart, ReportRules, SEALED_TTL_S, blob, names, part_item, read_sums, unchanged};
use crate::store::keys::Key;
use crate::store::{Commit, Item, Store, StoreError, key_item, number, read_number, read_string, values};

/// Partial sums that one transaction seals: beside them it holds 72 tables, or more where these are several, of a hundred
/// items in all.
pub const PARTS_SEALED: usize = 10;

impl Store {
    /// Moves what these partial sums of one day hold into the tables: of the first [`PARTS_SEALED`] that are not empty.
    /// `false` when somebody else seals, or counts.
    pub async fn report_seal(
        &self,
        company: &CompanyId,
        day: Date,
        parts: &[ReportPart],
        rules: &ReportRules,
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
        let mut spans = Vec::with_capacity(Span::ALL.len());
        for period in Span::ALL.map(|span| span.key(day)) {
            let (mut whole, pieces) = self.report_tables_of(company, &period).await?;
            whole.merge(&sums);
            spans.push((period, whole, pieces));
        }
        // The longest has what all others have.
        let longest = spans.first().map_or(&sums, |(_, whole, _)| whole);
        let named = self.report_name(company, day, longest, rules, now).await?;
        for (period, whole, pieces) in &spans {
            let whole = named.fold(whole);
            for ((table, moved), (_, of_it)) in tables(&sums).into_iter().zip(tables(&whole)) {
                if moved.is_empty() {
                    continue;
                }
                let before = pieces.get(&table).copied().unwrap_or(1);
                for item in table_items(company, &table, period, &of_it, before) {
                    writes.push(self.put(item, "", values([]))?);
                }
            }
        }
        Ok(matches!(self.transact(writes).await?, Commit::Done))
    }

    /// All tables of a day, or of what it is in; and how many items each of them is, where it is several.
    async fn report_tables_of(
        &self,
        company: &CompanyId,
        period: &str,
    ) -> Result<(Sums, BTreeMap<String, usize>), StoreError> {
        let names: Vec<String> = Dimension::ALL.iter().flat_map(|dimension| names(*dimension)).collect();
        let keys: Vec<Key<'_>> =
            names.iter().map(|table| Key::ReportTable { company, table, period }).collect();
        let mut items = self.get_many(&keys).await?;
        let table = |item: &Item| {
            let pk = read_string(item, "pk").unwrap_or_default();
            pk.splitn(3, '#').nth(2).unwrap_or_default().to_owned()
        };
        let several = |item: &Item| Some((table(item), read_number::<usize>(item, "c")?));
        let several: BTreeMap<String, usize> = items.iter().filter_map(several).collect();
        let further: Vec<(&String, String)> = several
            .iter()
            .flat_map(|(table, many)| (1..*many).map(move |at| (table, format!("{period}#{at}"))))
            .collect();
        let keys: Vec<Key<'_>> =
            further.iter().map(|(table, period)| Key::ReportTable { company, table, period }).collect();
        items.extend(self.get_many(&keys).await?);
        let mut sums = Sums::default();
        for item in &items {
            sums.merge(&read_sums(item)?);
        }
        Ok((sums, several))
    }

    /// Whether a day is sealed.
    pub async fn report_is_sealed(&self, company: &CompanyId, day: Date) -> Result<bool, StoreError> {
        let table = Dimension::All.as_str();
        Ok(self.get(&Key::ReportTable { company, table, period: &Span::Day.key(day) }).await?.is_some())
    }
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

/// The items of a table that has been so many before: those that it does not need any more are empty.
fn table_items(company: &CompanyId, table: &str, period: &str, sums: &Sums, before: usize) -> Vec<Item> {
    let pieces = sums.pieces(limits::REPORT_TABLE_BYTES);
    let many = pieces.len().max(before);
    let piece = |at: usize| {
        let period = if at == 0 { period.to_owned() } else { format!("{period}#{at}") };
        let mut item = key_item(&Key::ReportTable { company, table, period: &period });
        if let Some(sums) = pieces.get(at) {
            item.insert("b".to_owned(), blob(sums));
        }
        if at == 0 && many > 1 {
            item.insert("c".to_owned(), number(many));
        }
        item
    };
    (0..many).map(piece).collect()
}
