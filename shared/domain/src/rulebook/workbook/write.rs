//! Workbooks out: an empty one to fill in, or a rulebook's own tables.

use jiff::civil::DateTime;
use rust_xlsxwriter::{
    DataValidation, DocProperties, ExcelDateTime, Format, IgnoreError, Note, Workbook, Worksheet, XlsxError,
};

use crate::error::Invalid;
use crate::rulebook::Rulebook;
use crate::rulebook::columns::{Column, Presence, TABLES, TableColumns};
use crate::rulebook::rows::{self, RowText};

/// The last row of a sheet, from 0.
const LAST_ROW: u32 = 1_048_575;
/// The format that leaves text alone, `@` (ECMA-376, 18.8.30).
const TEXT_FORMAT: u8 = 49;
/// As wide as the widest of usual values, in characters.
const COLUMN_WIDTH: u16 = 18;

/// A workbook with the columns of every table and no rows. `created` stands in its properties; the bytes
/// are the same for the same `created`.
pub fn template(created: DateTime) -> Result<Vec<u8>, Invalid> {
    workbook(created, |_| Vec::new())
}

/// A workbook of a rulebook's dealers, channels, areas and contracts, defaults spelled out. Read again
/// beside the same TOML files it is the same rulebook. Refused where a cell would have more than the
/// 32,767 characters that a spreadsheet takes.
pub fn export(book: &Rulebook, created: DateTime) -> Result<Vec<u8>, Invalid> {
    workbook(created, |table| match table {
        "people" => book.people.iter().map(rows::person).collect(),
        "dealers" => book.dealers.iter().map(rows::dealer).collect(),
        "channels" => book.channels.iter().map(rows::channel).collect(),
        "areas" => {
            let parts =
                book.areas.iter().flat_map(|(area, parts)| parts.iter().map(move |part| (area, part)));
            parts.map(|(area, part)| rows::area(area, *part)).collect()
        }
        "contracts" => book.contracts.iter().map(rows::contract).collect(),
        _ => Vec::new(),
    })
}

fn workbook(created: DateTime, rows: impl Fn(&str) -> Vec<RowText>) -> Result<Vec<u8>, Invalid> {
    let write = || -> Result<Vec<u8>, XlsxError> {
        let mut workbook = Workbook::new();
        workbook.set_properties(&DocProperties::new().set_creation_datetime(&moment(created)?));
        for table in TABLES {
            fill(workbook.add_worksheet(), table, &rows(table.table))?;
        }
        workbook.save_to_buffer()
    };
    write().map_err(|error| {
        // The library's errors name what was written, which is not ours to repeat.
        Invalid::new(if matches!(error, XlsxError::MaxStringLengthExceeded) {
            "a cell would have more than 32767 characters, which no spreadsheet takes"
        } else {
            "this does not fit into a workbook"
        })
    })
}

fn moment(at: DateTime) -> Result<ExcelDateTime, XlsxError> {
    let date = ExcelDateTime::from_ymd(
        at.year().unsigned_abs(),
        at.month().unsigned_abs(),
        at.day().unsigned_abs(),
    )?;
    date.and_hms(u16::from(at.hour().unsigned_abs()), at.minute().unsigned_abs(), at.second().unsigned_abs())
}

fn fill(sheet: &mut Worksheet, table: TableColumns, rows: &[RowText]) -> Result<(), XlsxError> {
    let columns: Vec<(u16, &Column)> =
        (0..).zip(table.columns.iter().filter(|column| column.presence != Presence::Later)).collect();
    let last = columns.last().map_or(0, |(place, _)| *place);
    // Text, or a spreadsheet makes dates of hours and numbers of ZIPs.
    let text = Format::new().set_num_format_index(TEXT_FORMAT);
    let header = Format::new().set_num_format_index(TEXT_FORMAT).set_bold();
    let needed = Format::new()
        .set_num_format_index(TEXT_FORMAT)
        .set_bold()
        .set_underline(rust_xlsxwriter::FormatUnderline::Single);
    sheet.set_name(table.table)?;
    sheet.set_freeze_panes(1, 0)?;
    sheet.set_column_range_format(0, last, &text)?;
    sheet.ignore_error_range(0, 0, LAST_ROW, last, IgnoreError::NumberStoredAsText)?;
    for &(place, column) in &columns {
        let format = if column.presence == Presence::Needed { &needed } else { &header };
        sheet.set_column_width(place, COLUMN_WIDTH)?;
        sheet.write_string_with_format(0, place, column.name, format)?;
        sheet.insert_note(0, place, &Note::new(note(column)).add_author_prefix(false))?;
        if !column.words.is_empty() {
            let words = DataValidation::new().allow_list_strings(column.words)?;
            sheet.add_data_validation(1, place, LAST_ROW, place, &words)?;
        }
    }
    for (line, row) in (1..).zip(rows) {
        for (name, cell) in row {
            if let Some(&(place, _)) = columns.iter().find(|(_, column)| column.name == *name) {
                sheet.write_string_with_format(line, place, cell.as_str(), &text)?;
            }
        }
    }
    Ok(())
}

/// What a person must know to fill in a column.
fn note(column: &Column) -> String {
    match column.presence {
        Presence::Needed => format!("{}\nMay not be empty.", column.rule),
        Presence::Usual | Presence::Later => format!("{}\nEmpty means: {}.", column.rule, column.empty),
    }
}
