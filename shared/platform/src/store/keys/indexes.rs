//! Where an item stands in the indexes: in which partition of how many, and in what order.

use jiff::Timestamp;
use leadyard_domain::ids::{CategoryId, CompanyId, DealerId, EnquiryId, LeadId, SourceId};
use leadyard_domain::scoring::FitLetter;
use leadyard_domain::time::UtcDay;

use super::sort_time;

/// Shards of every index partition: a single one takes at most 1,000 writes a second, and an index that
/// is throttled throttles the table behind it.
pub const SHARDS: u8 = 8;

/// Shards of the leads of one stage and category in the *stage* index. Fewer, since whoever asks for the hottest reads all
/// of them at each look, and no company moves two thousand leads of a category within a second.
pub const STAGE_SHARDS: u8 = 2;

/// Shards of a company's decisions of a day in the *arrivals* index. Whoever asks of a day of theirs reads all of them, of
/// up to two days of UTC.
pub const DECISION_SHARDS: u8 = 4;

/// The shard of an id: its last byte is random.
pub fn shard(id: &[u8; 16]) -> u8 {
    id[15] % SHARDS
}

/// The shard of what goes by a name.
pub fn shard_of_name(name: &str) -> u8 {
    name.bytes().fold(0, u8::wrapping_add) % SHARDS
}

/// The partition of the *due* index.
pub fn due_shard(shard: u8) -> String {
    format!("due#{shard}")
}

/// The partition of the *stage* index.
pub fn stage_shard(company: &CompanyId, stage: &str, category: &CategoryId, shard: u8) -> String {
    format!("{company}#{stage}#{category}#{shard}")
}

/// How the sort keys of a fit letter begin in the *stage* index: read backwards, A stands first.
pub fn stage_letter(letter: FitLetter) -> String {
    let place = match letter {
        FitLetter::A => 3,
        FitLetter::B => 2,
        FitLetter::C => 1,
    };
    format!("{place}")
}

/// How the sort keys of each fit letter begin, and those of who was never scored, the best first.
pub fn stage_groups() -> Vec<String> {
    FitLetter::ALL.iter().map(|letter| stage_letter(*letter)).chain(["0".to_owned()]).collect()
}

/// The engagement key of a sort key of the *stage* index: see [`leadyard_domain::scoring::HeatKey`].
pub fn heat_of_stage(sort: &str) -> Option<i64> {
    let heat: u64 = sort.split('#').nth(1)?.parse().ok()?;
    Some((heat ^ (1 << 63)) as i64)
}

/// Before everybody of a group whose engagement key is this or greater, and behind the others.
pub fn stage_before(group: &str, heat: i64) -> String {
    format!("{group}#{:020}", (heat as u64) ^ (1 << 63))
}

/// When the cycle began of who stands at a sort key of the *stage* index, as [`sort_time`] writes it.
pub fn opened_of_stage(sort: &str) -> Option<&str> {
    sort.split('#').nth(2)
}

/// The fit letter of a sort key of the *stage* index; none, where it was never scored.
pub fn letter_of_stage(sort: &str) -> Option<FitLetter> {
    FitLetter::ALL.iter().find(|letter| sort.starts_with(&stage_letter(**letter))).copied()
}

/// The partition of the *stage* index in which a company's leads that are to be called now stand. No stage is called so.
pub fn follow_ups_shard(company: &CompanyId, shard: u8) -> String {
    format!("{company}#follow_up#due#{shard}")
}

/// That in which those stand who were promised a call and whose time has come: people promise them one by one, and no
/// shards are needed.
pub fn promised_calls(company: &CompanyId) -> String {
    format!("{company}#follow_up#promised#0")
}

/// The partition of the *stage* index in which quarantined enquiries stand: those that are open, or those
/// that were decided.
pub fn quarantine_shard(company: &CompanyId, open: bool, shard: u8) -> String {
    format!("{company}#quarantine#{}#{shard}", if open { "open" } else { "done" })
}

/// The partition of the *stage* index in which a company's test enquiries stand.
pub fn tests_shard(company: &CompanyId, shard: u8) -> String {
    format!("{company}#tests#{shard}")
}

/// The sort key there: in order of arrival.
pub fn quarantine_sort(received_at: Timestamp, enquiry: EnquiryId) -> String {
    format!("{}#{enquiry}", sort_time(received_at.as_millisecond()))
}

/// The partition of the *inbox* index.
pub fn inbox(company: &CompanyId, dealer: &DealerId) -> String {
    format!("{company}#{dealer}")
}

/// The partition of the *arrivals* index in which decisions stand.
pub fn decisions_shard(company: &CompanyId, day: UtcDay, shard: u8) -> String {
    format!("{company}#decided#{}#{shard}", day.0)
}

/// The partition of the *arrivals* index in which the leads of a source stand, by when each asked last.
pub fn source_shard(company: &CompanyId, source: &SourceId, shard: u8) -> String {
    format!("{company}#source#{source}#{shard}")
}

/// Its sort key there: the millisecond in which its person asked last, and six digits of its id, since the rows of a file
/// may all be of one millisecond.
pub fn source_sort(asked_at: Timestamp, lead: LeadId) -> i64 {
    const WITHIN: u32 = 1_000_000;
    let [.., a, b, c, d] = *lead.bytes();
    let within = u32::from_be_bytes([a, b, c, d]) % WITHIN;
    asked_at.as_millisecond().max(0) * i64::from(WITHIN) + i64::from(within)
}

/// The partition of the *arrivals* index in which a day's enquiries stand.
pub fn arrivals_shard(company: &CompanyId, day: UtcDay, shard: u8) -> String {
    format!("{company}#{}#{shard}", day.0)
}
