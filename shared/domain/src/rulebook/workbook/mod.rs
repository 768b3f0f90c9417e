//! The tables of a rulebook as a workbook (XLSX), in and out.
//!
//! A workbook has a sheet for each of [`TABLES`], in place of the CSV file of that name; a sheet without
//! anything in it, or whose name begins with `README`, is passed over, any other is refused. What stands
//! in a cell is read as the table reader reads text:
//!
//! | cell | is read as |
//! |---|---|
//! | text | itself |
//! | number | its digits, at most 15 of them, as a spreadsheet shows it: `45`, `0.5`; of 1E15 and more digits are lost: refused |
//! | date | in a column of dates `2026-05-09`; anywhere else, or with a time of day, refused |
//! | time, duration | refused |
//! | `TRUE`, `#REF!` and their like | refused |
//! | formula | the value it had when the workbook was saved; one without a value is refused |
//!
//! # Bounds
//!
//! A few kilobytes can unfold to gigabytes. Before anything is parsed, every part is inflated and thrown
//! away, up to [`limits::WORKBOOK_BYTES`]; then cells are read one by one, never as a rectangle, and the
//! text that is made of them is at most [`limits::RULEBOOK_BYTES`].
//!
//! Determination: sheets become CSV text that the one table reader reads, with a map back to the cells.
//! A second reader would have to know every rule twice. And what is published is that text: an edit of
//! one row needs bytes that stay what they are, and the functions that read a published rulebook need no
//! spreadsheet.
//!
//! [`TABLES`]: crate::rulebook::TABLES
//! [`limits::WORKBOOK_BYTES`]: crate::limits::WORKBOOK_BYTES
//! [`limits::RULEBOOK_BYTES`]: crate::limits::RULEBOOK_BYTES

mod read;
mod weigh;
mod cell;
mod write;
mod plain;
#[cfg(test)]
mod tests;

pub use plain::{PlainSheet, plain};
pub(super) use read::read;
pub use write::{export, template};
