//! A CSV file as spreadsheets and hosted products save it: with or without a byte order mark, separated by
//! commas, semicolons or tabs, its lines ended in any way, cells quoted with line breaks in them. A workbook's
//! sheet is read as the CSV it would be saved as, and knows its rows.

use std::fs::File;
use std::io::{Cursor as Bytes, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use csv::{ByteRecord, Position, Reader, ReaderBuilder};
use leadyard_domain::history::{KEY, row_key};
use leadyard_domain::limits;
use leadyard_domain::rulebook::workbook;
use serde_json::Value;

use super::Row;
use super::words::Words;

/// How cells are read.
#[derive(Clone, Debug, Default)]
pub(super) struct Cells {
    pub(super) rename: Vec<(String, String)>,
    pub(super) set: Vec<(String, String)>,
    pub(super) words: Words,
    pub(super) windows_1252: bool,
    /// Of a workbook; the first that holds anything, if none is named.
    pub(super) sheet: Option<String>,
    /// Columns keep the names that a source's field map knows them by, and rows say what they are known by.
    pub(super) of_a_source: bool,
}

/// A file with its header.
pub(super) struct Table {
    text: Text,
    separator: u8,
    /// Lower case, underscores for spaces; as written, of a source.
    header: Vec<String>,
    /// Columns that were found under another name.
    renamed: Vec<String>,
    /// Where the first row begins.
    first: Position,
    /// Lines end in two characters.
    crlf: bool,
    cells: Cells,
}

impl Table {
    pub(super) fn open(path: &Path, cells: Cells) -> anyhow::Result<Self> {
        let mut text = Text::File(path.to_owned());
        let mut head = Vec::new();
        text.open()?.take(64 * 1024).read_to_end(&mut head)?;
        let workbook = head.starts_with(b"PK") || head.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]);
        if workbook {
            text = Text::of_sheet(path, cells.sheet.as_deref())?;
            head.clear();
            text.open()?.take(64 * 1024).read_to_end(&mut head)?;
        } else {
            anyhow::ensure!(cells.sheet.is_none(), "it is no workbook, and has no sheets");
        }
        let utf16 = head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]) || head.contains(&0);
        anyhow::ensure!(!utf16, "it is UTF-16 or no text: save it as CSV UTF-8");
        let start = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&head);
        // A spreadsheet may say so itself, in a line before the header.
        let said = start.strip_prefix(b"sep=").and_then(|rest| rest.first().copied()).filter(|_| !workbook);
        let separator = said.unwrap_or_else(|| if workbook { b',' } else { separator_of(start) });
        let crlf = start.windows(2).find(|pair| pair.ends_with(b"\n")).is_some_and(|pair| pair == b"\r\n");
        let mut table = Self {
            text,
            separator,
            header: Vec::new(),
            renamed: Vec::new(),
            first: Position::new(),
            crlf,
            cells,
        };
        let mut reader = table.reader()?;
        let mut record = ByteRecord::new();
        let mut preamble = said.is_some();
        loop {
            anyhow::ensure!(reader.read_byte_record(&mut record)?, "it has no header");
            let blank = record.iter().all(|cell| cell.trim_ascii().is_empty());
            if !std::mem::take(&mut preamble) && !blank {
                break;
            }
        }
        table.name_columns(&record)?;
        table.first = reader.position().clone();
        Ok(table)
    }

    fn reader(&self) -> anyhow::Result<Reader<Open>> {
        let mut builder = ReaderBuilder::new();
        builder.has_headers(false).flexible(true).delimiter(self.separator);
        Ok(builder.from_reader(self.text.open()?))
    }

    fn name_columns(&mut self, record: &ByteRecord) -> anyhow::Result<()> {
        let (mut names, mut found) = (Vec::new(), Vec::new());
        for (at, cell) in record.iter().enumerate() {
            let name =
                self.text(cell).context("the header is not UTF-8: say --windows-1252 if it is that")?;
            let name = name.trim_start_matches('\u{feff}').trim();
            let renamed = self.cells.rename.iter().find(|(theirs, _)| theirs.eq_ignore_ascii_case(name));
            found.extend(renamed.map(|(theirs, _)| theirs.clone()));
            let name = match renamed {
                None if self.cells.of_a_source => cut(name),
                _ => plain(renamed.map_or(name, |(_, ours)| ours.as_str())),
            };
            names.push(if name.is_empty() { format!("column_{}", at + 1) } else { name });
        }
        (self.header, self.renamed) = (names, found);
        Ok(())
    }

    /// Whether it has this column, by the name it has in the file.
    pub(super) fn renames(&self, theirs: &str) -> bool {
        self.renamed.iter().any(|found| found == theirs)
    }

    fn text<'a>(&self, cell: &'a [u8]) -> Option<std::borrow::Cow<'a, str>> {
        if self.cells.windows_1252 {
            return Some(encoding_rs::WINDOWS_1252.decode_without_bom_handling(cell).0);
        }
        std::str::from_utf8(cell).ok().map(Into::into)
    }

    /// The places of columns whose names say so.
    pub(super) fn columns(&self, wanted: impl Fn(&str) -> bool) -> Vec<usize> {
        let named = self.header.iter().enumerate();
        named.filter(|(_, name)| wanted(name.as_str())).map(|(at, _)| at).collect()
    }

    /// Reads from the first row on.
    pub(super) fn cursor(&self) -> anyhow::Result<Cursor> {
        let mut reader = self.reader()?;
        reader.seek(self.first.clone())?;
        Ok(Cursor { reader, record: ByteRecord::new() })
    }

    /// The line that a row begins in. Where lines end in two characters, a row is found before the second.
    pub(super) fn line(&self, position: &Position) -> u64 {
        match &self.text {
            Text::File(_) => position.line() + u64::from(self.crlf),
            Text::Sheet { rows, .. } => rows.get(position.record() as usize).copied().unwrap_or(0).into(),
        }
    }

    /// Bytes of the file.
    pub(super) fn bytes(&self) -> anyhow::Result<u64> {
        Ok(self.text.open()?.seek(SeekFrom::End(0))?)
    }
}

/// What a table is read from, as often as it is asked for.
enum Text {
    File(PathBuf),
    /// A sheet as CSV, and the row that each of its records stands in.
    Sheet {
        csv: Arc<[u8]>,
        rows: Vec<u32>,
    },
}

impl Text {
    fn of_sheet(path: &Path, sheet: Option<&str>) -> anyhow::Result<Self> {
        let size = std::fs::metadata(path)?.len();
        let most = limits::WORKBOOK_BYTES as u64;
        anyhow::ensure!(size <= most, "a workbook has at most {most} bytes");
        let read = workbook::plain(&std::fs::read(path)?, sheet)?;
        Ok(Self::Sheet { csv: read.text.into_bytes().into(), rows: read.rows })
    }

    fn open(&self) -> std::io::Result<Open> {
        Ok(match self {
            Self::File(path) => Open::File(File::open(path)?),
            Self::Sheet { csv, .. } => Open::Sheet(Bytes::new(Arc::clone(csv))),
        })
    }
}

/// A text that is being read.
enum Open {
    File(File),
    Sheet(Bytes<Arc<[u8]>>),
}

impl Read for Open {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Self::File(file) => file.read(into),
            Self::Sheet(bytes) => bytes.read(into),
        }
    }
}

impl Seek for Open {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        match self {
            Self::File(file) => file.seek(to),
            Self::Sheet(bytes) => bytes.seek(to),
        }
    }
}

/// `Received  At` is `received_at`.
fn plain(name: &str) -> String {
    name.to_lowercase().split_whitespace().collect::<Vec<_>>().join("_")
}

/// A question of a form may be longer than a field's name.
fn cut(name: &str) -> String {
    let most = limits::FIELD_NAME_BYTES;
    let end = (0..=most.min(name.len())).rev().find(|end| name.is_char_boundary(*end)).unwrap_or(0);
    name.get(..end).unwrap_or_default().to_owned()
}

/// Where a file is being read.
pub(super) struct Cursor {
    reader: Reader<Open>,
    record: ByteRecord,
}

impl Cursor {
    /// The next row that is not blank, and where it stands.
    pub(super) fn next(&mut self) -> anyhow::Result<Option<(Position, &ByteRecord)>> {
        while self.reader.read_byte_record(&mut self.record)? {
            if self.record.iter().any(|cell| !cell.trim_ascii().is_empty()) {
                let position = self.record.position().cloned().unwrap_or_else(Position::new);
                return Ok(Some((position, &self.record)));
            }
        }
        Ok(None)
    }

    /// Reads the row that stands there.
    pub(super) fn go_to(&mut self, position: Position) -> anyhow::Result<()> {
        self.reader.seek(position)?;
        self.reader.read_byte_record(&mut self.record)?;
        Ok(())
    }

    /// Bytes of the row that was read.
    pub(super) fn bytes(&self) -> usize {
        self.record.as_slice().len() + 16 * self.record.len()
    }

    /// The row as it is sent, or why it cannot be.
    pub(super) fn row(&self, table: &Table) -> Result<Row, String> {
        let wide = self.record.len();
        if self.record.as_slice().len() > limits::BODY_BYTES {
            return Err(format!("a row has at most {} bytes: is a quote missing?", limits::BODY_BYTES));
        }
        if self.record.iter().skip(table.header.len()).any(|cell| !cell.trim_ascii().is_empty()) {
            let header = table.header.len();
            return Err(format!("it has {wide} cells, the header {header}: is a quote missing?"));
        }
        let mut row = Row::new();
        for (name, cell) in table.header.iter().zip(&self.record) {
            let text = table.text(cell).ok_or_else(|| {
                format!(
                    "{name} is not UTF-8: save the file as CSV UTF-8, or say --windows-1252 if it is that"
                )
            })?;
            let text = table.cells.words.ours(name, text.trim());
            if text.is_empty() {
                continue;
            }
            match row.get_mut(name.as_str()) {
                // Two columns of one name say both.
                Some(Value::String(said)) => *said = format!("{said}, {text}"),
                Some(_) | None => drop(row.insert(name.clone(), Value::String(text.to_owned()))),
            }
        }
        for (name, value) in &table.cells.set {
            let name = plain(name);
            if !row.keys().any(|known| plain(known) == name) {
                row.insert(name, Value::String(value.clone()));
            }
        }
        if table.cells.of_a_source {
            row.insert(KEY.to_owned(), Value::String(row_key(self.record.iter())));
        }
        Ok(row)
    }
}

/// What separates the cells of the first line: whatever of the usual stands there most often, quotes apart.
fn separator_of(text: &[u8]) -> u8 {
    let mut quoted = false;
    let mut counts = [(b',', 0), (b';', 0), (b'\t', 0), (b'|', 0)];
    for byte in text.trim_ascii_start() {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' | b'\r' if !quoted => break,
            byte if !quoted => {
                for (separator, count) in &mut counts {
                    *count += usize::from(separator == byte);
                }
            }
            _ => {}
        }
    }
    // The first of those that are as frequent: a comma.
    counts.iter().rev().max_by_key(|(_, count)| *count).map_or(b',', |(separator, _)| *separator)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(bytes: &[u8], windows_1252: bool) -> anyhow::Result<(tempfile::TempDir, Table)> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("export.csv");
        std::fs::write(&path, bytes).unwrap();
        let set = vec![("source".to_owned(), "web".to_owned())];
        let rename = vec![];
        Table::open(&path, Cells { rename, set, windows_1252, ..Cells::default() })
            .map(|table| (folder, table))
    }

    /// Each row with its line, or its refusal.
    fn rows(bytes: &[u8], windows_1252: bool) -> Vec<(u64, Result<String, String>)> {
        let (_folder, table) = table(bytes, windows_1252).unwrap();
        let mut cursor = table.cursor().unwrap();
        let mut places = Vec::new();
        while let Some((position, _)) = cursor.next().unwrap() {
            places.push(position);
        }
        // Backwards, as if the newest came first.
        let mut rows = Vec::new();
        for place in places.into_iter().rev() {
            let line = table.line(&place);
            cursor.go_to(place).unwrap();
            rows.push((line, cursor.row(&table).map(|row| Value::Object(row).to_string())));
        }
        rows.reverse();
        rows
    }

    fn one(bytes: &[u8]) -> String {
        rows(bytes, false).remove(0).1.unwrap()
    }

    #[test]
    fn a_file_is_read_as_any_spreadsheet_saves_it() {
        let ada = r#"{"e-mail":"ada@mail.example","received_at":"2026-05-01","source":"web"}"#;
        for bytes in [
            b"E-Mail,Received  At\nada@mail.example,2026-05-01\n".as_slice(),
            b"\xef\xbb\xbf\"E-Mail\";\"Received At\"\r\n\"ada@mail.example\";2026-05-01\r\n",
            b"sep=;\r\nE-Mail;Received At\r\nada@mail.example;2026-05-01;;\r\n",
            b"\n\nE-MAIL\treceived_at\n\n \t \nada@mail.example\t 2026-05-01 ",
        ] {
            assert_eq!(one(bytes), ada, "{}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn a_row_knows_its_line_though_cells_have_line_breaks() {
        let found = rows(b"name,source\r\n\"Ada\r\nHill\",b\r\nBen,c\r\n", false);
        let lines: Vec<u64> = found.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [2, 4]);
        assert_eq!(found[0].1.as_ref().unwrap(), r#"{"name":"Ada\r\nHill","source":"b"}"#);
    }

    #[test]
    fn what_cannot_be_read_is_refused_and_says_what_to_do() {
        let found = rows(b"name,city\nJos\xe9,Miami\nAda,\"Key, West\",extra\nBen,Miami\n", false);
        assert!(found[0].1.as_ref().unwrap_err().contains("--windows-1252"));
        assert!(found[1].1.as_ref().unwrap_err().contains("3 cells, the header 2"));
        assert!(found[2].1.is_ok());
        let read = rows(b"name,city\nJos\xe9,Miami\n", true);
        assert!(read[0].1.as_ref().unwrap().contains("José"));
        for bytes in [b"\xff\xfea\0,\0b\0".as_slice(), b"PK\x03\x04", b"", b" , \n"] {
            assert!(table(bytes, false).is_err());
        }
    }
}
