//! Which rows may go side by side. Rows that share an e-mail or a phone may be one person's, and are sent one
//! after another, the oldest first; nobody else waits for them.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use csv::{ByteRecord, Position};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use leadyard_domain::history;

use super::table::Table;

/// Requests in flight at most.
const LANES: usize = 8;

/// In which order the rows of one person go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// As they stand in the file.
    OfTheFile,
    /// By `received_at`, the oldest first.
    OfTheDates,
}

/// Rows that go one after another.
pub(super) struct Lane {
    /// Where each stands.
    pub(super) rows: Vec<Position>,
}

/// In which order a file is sent.
pub(super) struct Plan {
    pub(super) lanes: Vec<Lane>,
    /// Rows that share an e-mail or a phone with one before them: their lines, and the first's.
    pub(super) shared: HashMap<u64, u64>,
}

/// Reads a file once, and says in which order to send it. Some 60 bytes are kept of a row.
pub(super) fn plan(table: &Table, order: Order) -> anyhow::Result<Plan> {
    let has = |words: &'static [&'static str]| {
        move |name: &str| {
            let name = name.to_ascii_lowercase();
            words.iter().any(|word| name.contains(word))
        }
    };
    let phones = table.columns(has(&["phone", "tel", "mobile", "cell", "value"]));
    let dates = table.columns(|name| {
        let letters: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
        letters.eq_ignore_ascii_case("receivedat")
    });
    let mut people = People::with_capacity(table.bytes()? as usize / 200);
    let mut rows: Vec<(Timestamp, Position)> = Vec::new();
    let mut cursor = table.cursor()?;
    while let Some((position, record)) = cursor.next()? {
        people.add(record, &phones);
        let at = match order {
            Order::OfTheFile => None,
            Order::OfTheDates => dates.iter().find_map(|&at| instant(record.get(at)?)),
        };
        rows.push((at.unwrap_or(Timestamp::MIN), position));
    }
    let mut lanes: Vec<Vec<(Timestamp, Position)>> =
        vec![Vec::new(); LANES.min(rows.len().div_ceil(100)).max(1)];
    let count = lanes.len();
    let lines: Vec<u64> = rows.iter().map(|(_, position)| table.line(position)).collect();
    let mut shared = HashMap::new();
    for (number, row) in rows.into_iter().enumerate() {
        // The first row of each person says which.
        let first = people.first(number);
        if first != number
            && let (Some(line), Some(of)) = (lines.get(number), lines.get(first))
        {
            shared.insert(*line, *of);
        }
        if let Some(lane) = lanes.get_mut(first % count) {
            lane.push(row);
        }
    }
    for lane in &mut lanes {
        lane.sort_by_key(|(at, position)| (*at, position.byte()));
    }
    let rows = |lane: Vec<(Timestamp, Position)>| lane.into_iter().map(|(_, position)| position).collect();
    Ok(Plan { lanes: lanes.into_iter().map(|lane| Lane { rows: rows(lane) }).collect(), shared })
}

/// Only the order is asked here; the company's zone is the system's to know.
fn instant(cell: &[u8]) -> Option<Timestamp> {
    history::instant(std::str::from_utf8(cell).ok()?, &TimeZone::UTC).ok()
}

/// Who may be one person: rows joined by what they share.
struct People {
    /// Each row's elder; itself, for the first of its person.
    elder: Vec<u32>,
    /// Who was seen first with an e-mail or a phone, by its hash.
    seen: HashMap<u64, u32>,
}

impl People {
    fn with_capacity(rows: usize) -> Self {
        Self { elder: Vec::with_capacity(rows), seen: HashMap::with_capacity(rows) }
    }

    fn add(&mut self, record: &ByteRecord, phones: &[usize]) {
        let row = self.elder.len() as u32;
        self.elder.push(row);
        let emails = record
            .iter()
            .filter(|cell| cell.contains(&b'@'))
            .map(|cell| cell.trim_ascii().to_ascii_lowercase());
        let phones = phones.iter().filter_map(|&at| {
            let digits: Vec<u8> = record.get(at)?.iter().copied().filter(u8::is_ascii_digit).collect();
            let last = digits.len().checked_sub(10)?;
            digits.get(last..).map(<[u8]>::to_vec)
        });
        for key in emails.chain(phones) {
            let mut hasher = DefaultHasher::new();
            key.hash(&mut hasher);
            let other = *self.seen.entry(hasher.finish()).or_insert(row);
            self.join(row, other);
        }
    }

    fn join(&mut self, one: u32, other: u32) {
        let (one, other) = (self.first_of(one), self.first_of(other));
        if let Some(elder) = self.elder.get_mut(one.max(other) as usize) {
            *elder = one.min(other);
        }
    }

    fn first_of(&mut self, row: u32) -> u32 {
        let mut at = row;
        while let Some(&elder) = self.elder.get(at as usize)
            && elder != at
        {
            // Halves the way for who asks next.
            let grand = self.elder.get(elder as usize).copied().unwrap_or(elder);
            if let Some(shorter) = self.elder.get_mut(at as usize) {
                *shorter = grand;
            }
            at = grand;
        }
        at
    }

    fn first(&mut self, row: usize) -> usize {
        self.first_of(row as u32) as usize
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::super::table::Cells;
    use super::*;

    fn planned(text: &str, order: Order) -> Vec<Vec<u64>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("export.csv");
        std::fs::write(&path, text).unwrap();
        let table = Table::open(&path, Cells::default()).unwrap();
        let lanes = plan(&table, order).unwrap().lanes;
        lanes.into_iter().map(|lane| lane.rows.iter().map(Position::line).collect()).collect()
    }

    #[test]
    fn the_newest_first_is_turned_round() {
        let text =
            "received_at,email\n2026-03-01,a@x.example\n2026-02-01,b@x.example\n2026-01-01,c@x.example\n";
        assert_eq!(planned(text, Order::OfTheDates), [[4, 3, 2]]);
        assert_eq!(planned(text, Order::OfTheFile), [[2, 3, 4]]);
    }

    #[test]
    fn one_person_stays_in_one_lane_by_whatever_joins_them() {
        let mut text = "received_at,email,phone\n".to_owned();
        for n in 0..999 {
            // Three rows each: an e-mail, a phone, and the two together.
            let (email, phone) = match n % 3 {
                0 => (format!("p{}@x.example", n / 3), String::new()),
                1 => (String::new(), format!("(305) 555-{:04}", n / 3)),
                _ => (format!("P{}@X.example ", n / 3), format!("+1305555{:04}", n / 3)),
            };
            let _ = writeln!(text, "2026-01-01,{email},{phone}");
        }
        let lanes = planned(&text, Order::OfTheDates);
        assert_eq!((lanes.len(), lanes.iter().map(Vec::len).sum::<usize>()), (8, 999));
        let lane_of = |line: u64| lanes.iter().position(|lane| lane.contains(&line));
        for person in 0..333 {
            let lines = [2, 3, 4].map(|line| line + 3 * person);
            assert!(lines.iter().all(|line| lane_of(*line) == lane_of(lines[0])), "{person}");
        }
        assert!(lanes.iter().all(|lane| lane.len() > 50 && lane.is_sorted()));
    }
}
