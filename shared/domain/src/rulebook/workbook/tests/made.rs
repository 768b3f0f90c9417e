//! A workbook written by hand, part by part: what no library would write can be written.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Cursor, Write as _};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// Number formats by place: general, a date, a time, five digits, text.
const STYLES: &str = r#"<?xml version="1.0" encoding="UTF-8"?><styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><numFmts count="2"><numFmt numFmtId="164" formatCode="00000"/><numFmt numFmtId="165" formatCode="d\-mmm"/></numFmts><fonts count="1"><font/></fonts><fills count="1"><fill/></fills><borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="6"><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="20"/><xf numFmtId="164"/><xf numFmtId="49"/><xf numFmtId="165"/></cellXfs></styleSheet>"#;

/// What stands between `<sheetData>` and its end, by sheet name.
pub(super) type Sheets = Vec<(String, String)>;

/// Sheets of text.
pub(super) fn sheets(tables: &BTreeMap<&'static str, Vec<Vec<String>>>) -> Sheets {
    tables.iter().map(|(name, rows)| ((*name).to_owned(), rows_of(rows))).collect()
}

fn rows_of(rows: &[Vec<String>]) -> String {
    let row = |(line, cells): (usize, &Vec<String>)| {
        let cells: String =
            cells.iter().enumerate().map(|(place, cell)| text_cell(&name(place, line + 1), cell)).collect();
        format!("<row r=\"{}\">{cells}</row>", line + 1)
    };
    rows.iter().enumerate().map(row).collect()
}

/// `B3` for the second cell of line 3.
pub(super) fn name(place: usize, line: usize) -> String {
    let letter = |place: usize| char::from(b'A' + place as u8);
    match place.checked_sub(26) {
        None => format!("{}{line}", letter(place)),
        Some(place) => format!("A{}{line}", letter(place)),
    }
}

pub(super) fn text_cell(name: &str, text: &str) -> String {
    if text.is_empty() {
        // As spreadsheets leave a cell that was formatted and never filled.
        return format!("<c r=\"{name}\" s=\"4\"/>");
    }
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    format!("<c r=\"{name}\" s=\"4\" t=\"inlineStr\"><is><t>{text}</t></is></c>")
}

/// A workbook of these sheets.
pub(super) fn workbook(sheets: &Sheets) -> Vec<u8> {
    packed(&parts(sheets))
}

pub(super) fn parts(sheets: &Sheets) -> Vec<(String, Vec<u8>)> {
    const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006/relationships";
    let mut listed = String::new();
    let mut related = format!("<Relationship Id=\"rIdS\" Type=\"{OFFICE}/styles\" Target=\"styles.xml\"/>");
    let mut parts = Vec::new();
    for (index, (name, data)) in sheets.iter().enumerate() {
        let id = index + 1;
        let _ = write!(listed, "<sheet name=\"{name}\" sheetId=\"{id}\" r:id=\"rId{id}\"/>");
        let _ = write!(
            related,
            "<Relationship Id=\"rId{id}\" Type=\"{OFFICE}/worksheet\" Target=\"worksheets/sheet{id}.xml\"/>"
        );
        parts.push((
            format!("xl/worksheets/sheet{id}.xml"),
            format!("<worksheet xmlns=\"{MAIN}\"><sheetData>{data}</sheetData></worksheet>"),
        ));
    }
    let types = "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"><Default Extension=\"xml\" ContentType=\"application/xml\"/><Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/></Types>";
    parts.extend([
        ("[Content_Types].xml".to_owned(), types.to_owned()),
        ("_rels/.rels".to_owned(), format!("<Relationships xmlns=\"{PACKAGE}\"><Relationship Id=\"rId1\" Type=\"{OFFICE}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>")),
        ("xl/workbook.xml".to_owned(), format!("<workbook xmlns=\"{MAIN}\" xmlns:r=\"{OFFICE}\"><sheets>{listed}</sheets></workbook>")),
        ("xl/_rels/workbook.xml.rels".to_owned(), format!("<Relationships xmlns=\"{PACKAGE}\">{related}</Relationships>")),
        ("xl/styles.xml".to_owned(), STYLES.to_owned()),
    ]);
    parts.into_iter().map(|(name, text)| (name, text.into_bytes())).collect()
}

pub(super) fn packed(parts: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (name, bytes) in parts {
        writer.start_file(name.as_str(), options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}
