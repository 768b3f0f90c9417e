//! A sheet of anybody's as CSV: for files that are imported, which no table reader knows.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use calamine::{DataRef, Reader, SheetType, Xlsx};

use super::cell;
use super::read::push_cell;
use super::weigh::weigh;
use crate::error::Invalid;
use crate::limits;
use crate::rulebook::origin::cell_name;
use crate::rulebook::problem::Position;

/// A sheet as a spreadsheet would save it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlainSheet {
    /// CSV with commas. Rows that hold nothing are left out.
    pub text: String,
    /// The row of the sheet that each record stands in, from 1.
    pub rows: Vec<u32>,
}

/// The sheet of this name, or the first that holds anything. A date is `2026-05-09` or `2026-05-09 14:05:00`; a
/// formula is the value it had when the workbook was saved.
///
/// # Errors
/// What is wrong with the workbook, by cell where it is one.
pub fn plain(bytes: &[u8], name: Option<&str>) -> Result<PlainSheet, Invalid> {
    weigh(bytes).map_err(|(_, rule)| Invalid::new(rule))?;
    // A panic in the libraries below must not take the process down: the bytes are somebody else's.
    catch_unwind(AssertUnwindSafe(|| find(bytes, name))).unwrap_or_else(|_| Err(damaged()))
}

fn damaged() -> Invalid {
    Invalid::new("this workbook is damaged: open it in a spreadsheet and save it again")
}

fn find(bytes: &[u8], name: Option<&str>) -> Result<PlainSheet, Invalid> {
    let mut workbook: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(|_| damaged())?;
    let sheets: Vec<String> = workbook
        .sheets_metadata()
        .iter()
        .filter(|sheet| sheet.typ == SheetType::WorkSheet)
        .map(|sheet| sheet.name.clone())
        .collect();
    if let Some(name) = name
        && !sheets.iter().any(|known| known == name)
    {
        return Err(Invalid::new("the workbook has no sheet of that name"));
    }
    for sheet in sheets.iter().filter(|known| name.is_none_or(|name| name == *known)) {
        let read = read(&mut workbook, sheet)?;
        if !read.rows.is_empty() {
            return Ok(read);
        }
    }
    Err(Invalid::new("nothing stands in the workbook"))
}

fn read(workbook: &mut Xlsx<Cursor<&[u8]>>, sheet: &str) -> Result<PlainSheet, Invalid> {
    let mut cells = workbook.worksheet_cells_reader(sheet).map_err(|_| damaged())?;
    let mut lines = Lines::default();
    let mut at = Position::START;
    loop {
        let cell = match cells.next_cell_with_formula_metadata() {
            Ok(Some(cell)) => cell,
            Ok(None) => break,
            Err(_) => {
                let cell = cell_name(sheet, at);
                return Err(Invalid::new(format!("behind {cell} stands a cell that cannot be read")));
            }
        };
        let (row, column) = cell.pos;
        at = Position { line: row.saturating_add(1), column: column.saturating_add(1) };
        let refused = |rule: &str| Invalid::new(format!("{}: {rule}", cell_name(sheet, at)));
        if cell.formula.is_some() && matches!(cell.value, DataRef::Empty) {
            return Err(refused(
                "this formula has no value yet: open the workbook in a spreadsheet and save it",
            ));
        }
        let text = cell::shown(&cell.value);
        if text.trim().is_empty() {
            continue;
        }
        if at.column as usize > limits::ENQUIRY_FIELDS {
            return Err(refused(&format!("a row has at most {} cells", limits::ENQUIRY_FIELDS)));
        }
        if at.line < lines.row {
            return Err(damaged());
        }
        if at.line > lines.row {
            lines.end_row();
            lines.row = at.line;
        }
        lines.cells.resize((at.column as usize).max(lines.cells.len()), String::new());
        if let Some(last) = lines.cells.get_mut(at.column as usize - 1) {
            *last = text;
        }
        if lines.sheet.text.len() > limits::WORKBOOK_BYTES {
            return Err(Invalid::new(format!(
                "a sheet has at most {} bytes of text",
                limits::WORKBOOK_BYTES
            )));
        }
    }
    lines.end_row();
    Ok(lines.sheet)
}

#[derive(Default)]
struct Lines {
    sheet: PlainSheet,
    /// The row that is being filled, from 1; 0 before the first.
    row: u32,
    cells: Vec<String>,
}

impl Lines {
    fn end_row(&mut self) {
        if self.cells.is_empty() {
            return;
        }
        // The commas of the header tell how the text is to be read: no row is of one cell.
        self.cells.resize(self.cells.len().max(2), String::new());
        for (index, cell) in self.cells.drain(..).enumerate() {
            if index > 0 {
                self.sheet.text.push(',');
            }
            push_cell(&mut self.sheet.text, &cell);
        }
        self.sheet.text.push('\n');
        self.sheet.rows.push(self.row);
    }
}

#[cfg(test)]
mod tests {
    use rust_xlsxwriter::{ExcelDateTime, Format, Formula, Workbook};

    use super::*;

    #[test]
    fn a_sheet_is_read_as_a_person_sees_it_and_knows_its_rows() {
        let mut workbook = Workbook::new();
        workbook.add_worksheet();
        let sheet = workbook.add_worksheet();
        sheet.set_name("Leads").unwrap();
        let date = Format::new().set_num_format("yyyy-mm-dd hh:mm");
        sheet.write(2, 0, "Created").unwrap();
        sheet.write(2, 1, "Phone").unwrap();
        sheet.write(2, 2, "Note").unwrap();
        let noon = ExcelDateTime::parse_from_str("2026-05-09 14:05:00").unwrap();
        sheet.write_with_format(5, 0, &noon, &date).unwrap();
        sheet.write(5, 1, 13_055_550_100_i64).unwrap();
        sheet.write(5, 2, "a \"leak\",\nby the stair").unwrap();
        let day = ExcelDateTime::parse_from_str("2026-05-09").unwrap();
        sheet.write_with_format(6, 0, &day, &date).unwrap();
        sheet.write_formula(6, 2, Formula::new("=A1").set_result("x")).unwrap();
        let bytes = workbook.save_to_buffer().unwrap();
        let read = plain(&bytes, None).unwrap();
        assert_eq!(
            read.text,
            "Created,Phone,Note\n2026-05-09 14:05:00,13055550100,\"a \"\"leak\"\",\nby the stair\"\n2026-05-09,,x\n"
        );
        assert_eq!(read.rows, [3, 6, 7]);
        assert_eq!(plain(&bytes, Some("Leads")).unwrap(), read);
        assert!(plain(&bytes, Some("Other")).unwrap_err().to_string().contains("no sheet"));
    }

    #[test]
    fn what_is_no_workbook_or_too_wide_is_refused() {
        for bytes in [b"PK\x03\x04".as_slice(), b"", b"\xd0\xcf\x11\xe0"] {
            assert!(plain(bytes, None).is_err());
        }
        let mut workbook = Workbook::new();
        assert!(
            plain(&workbook.save_to_buffer().unwrap(), None).unwrap_err().to_string().contains("nothing")
        );
        workbook.add_worksheet().write(0, 200, "far").unwrap();
        let refused = plain(&workbook.save_to_buffer().unwrap(), None).unwrap_err().to_string();
        assert!(refused.contains("200 cells"), "{refused}");
    }
}
