//! Where a table's rows stood before they were text: in a sheet of a workbook.

use crate::rulebook::cells::Cells;
use crate::rulebook::problem::Position;

/// A table that came as a sheet. Its text is CSV with commas, a line a row of the sheet.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Origin {
    /// The workbook's name.
    pub(super) workbook: String,
    /// The sheet's name, as the workbook spells it.
    pub(super) sheet: String,
    /// Where each row begins in the text, and its number in the sheet.
    pub(super) rows: Vec<(usize, u32)>,
}

impl Origin {
    /// Row and column of the sheet that a byte of the text came from.
    pub(super) fn locate(&self, text: &str, offset: usize) -> Position {
        let passed = self.rows.partition_point(|(start, _)| *start <= offset);
        let Some(&(start, line)) = passed.checked_sub(1).and_then(|row| self.rows.get(row)) else {
            return Position::START;
        };
        let mut column = 1;
        let mut at = start;
        while at < offset {
            match Cells::new(text, at, b',').pass_cell() {
                Ok(end) if end < offset => {
                    at = end + 1;
                    column += 1;
                }
                Ok(_) | Err(_) => break,
            }
        }
        Position { line, column }
    }
}

/// A cell as spreadsheets call it: `dealers!H14`.
pub(super) fn cell_name(sheet: &str, at: Position) -> String {
    format!("{sheet}!{}{}", letters(at.column), at.line)
}

/// `A` for 1, `AA` for 27.
fn letters(mut column: u32) -> String {
    let mut letters = Vec::new();
    while column > 0 {
        column -= 1;
        letters.push(char::from(b'A' + (column % 26) as u8));
        column /= 26;
    }
    letters.into_iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_called_as_spreadsheets_call_them() {
        for (column, expected) in [(1, "A"), (26, "Z"), (27, "AA"), (52, "AZ"), (703, "AAA"), (16_384, "XFD")]
        {
            assert_eq!(letters(column), expected);
        }
    }
}
