//! A row of a file of enquiries, read into a [`FileRow`].
//!
//! It comes in as if it had been posted. What whoever has the file in hand can put right is refused here, before
//! anything is kept: a row that reaches nobody, an offer that nobody knows, a date that is none.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};

use super::row::{Cells, Reader};
use super::when;
use crate::distribution::Core;
use crate::enquiry::{Enquiry, Fields, Understood, squeezed};
use crate::error::FieldError;
use crate::rulebook::{Offer, Source};
use crate::time;

/// An enquiry that stands in a file.
#[derive(Clone, Debug)]
pub struct FileRow<'a> {
    /// When the person asked, where the file says so; else now.
    pub received_at: Timestamp,
    /// What for.
    pub offer: &'a Offer,
    /// The id it has in the system that the file comes from.
    pub external_id: Option<String>,
    /// What the file's cells were, where the sender says so: see [`row_key`].
    pub key: Option<String>,
    /// What the person said: the row without what only the file says.
    pub fields: Fields,
    /// The same, understood.
    pub understood: Understood,
}

/// What only a file says of an enquiry; everything else is the person's.
const OWN: [&str; 2] = ["received_at", KEY];

/// The column under which a row's key is sent.
pub const KEY: &str = "row_key";

/// What a row without an id of its own is known by: a hash of its cells as they stand in the file, in any order.
/// It stays the same when a column is renamed, a word translated or a blank filled in on the way.
pub fn row_key<'c>(cells: impl Iterator<Item = &'c [u8]>) -> String {
    let mut cells: Vec<&[u8]> = cells.map(<[u8]>::trim_ascii).filter(|cell| !cell.is_empty()).collect();
    cells.sort_unstable();
    let mut hash = Sha256::new();
    for cell in cells {
        hash.update((cell.len() as u64).to_le_bytes());
        hash.update(cell);
    }
    URL_SAFE_NO_PAD.encode(hash.finalize())
}

impl<'a> FileRow<'a> {
    /// Reads a row of this source. Names of columns are compared in any case of letters, with or without spaces.
    ///
    /// # Errors
    /// Every field at fault, with its rule; never a value.
    pub fn read(
        row: &Fields,
        core: &'a Core,
        source: &Source,
        now: Timestamp,
    ) -> Result<Self, Vec<FieldError>> {
        let mut reader = Reader::new(Cells::of(row));
        let zone = time::zone(&core.company.zone).unwrap_or(TimeZone::UTC); // checked with the rulebook
        let received_at = reader.parsed("received_at", |text| when::past(text, &zone, now)).unwrap_or(now);
        let window = core.company.window_days;
        if now.duration_since(received_at) > SignedDuration::from_hours(24 * i64::from(window)) {
            let rule = format!(
                "an enquiry is at most {window} days old, as long as asking again repeats it: what is older is history"
            );
            reader.refuse("received_at", rule);
        }
        let external_id = reader.external_id();
        let key = reader.parsed(KEY, |text| Ok(text.to_owned()));
        let asked = reader.asked(row, core, source, received_at, |name| {
            OWN.iter().any(|own| squeezed(own) == squeezed(name))
        });
        match asked {
            Some((offer, fields, understood)) if reader.errors.is_empty() => {
                Ok(Self { received_at, offer, external_id, key, fields, understood })
            }
            _ => Err(reader.errors),
        }
    }

    /// As it would have been posted.
    pub fn enquiry(&self) -> Enquiry {
        Enquiry {
            fields: self.fields.clone(),
            received_at: self.received_at,
            global_privacy_control: false,
            ip: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rows_key_is_that_of_its_cells_in_any_order_blanks_apart() {
        let key = |cells: &[&str]| row_key(cells.iter().map(|cell| cell.as_bytes()));
        assert_eq!(key(&["Ada", "", "ada@mail.example"]), key(&[" ada@mail.example ", "Ada"]));
        assert_ne!(key(&["Ada", "Hill"]), key(&["AdaHill"]));
        assert_ne!(key(&["Ada", "Hill"]), key(&["Ada", "Hills"]));
    }
}
