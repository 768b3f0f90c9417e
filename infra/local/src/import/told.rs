//! What is said of an import: for people, or for programs.

use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::time::Duration;

use serde_json::{Value, json};

use super::words::Unknown;
use super::{News, RowNews};

/// What became of all files.
#[derive(Debug)]
pub struct Told {
    /// Nothing was written.
    pub dry_run: bool,
    /// Each file, in the order in which they were sent.
    pub parts: Vec<Part>,
}

/// What became of one file.
#[derive(Debug, Default)]
pub struct Part {
    /// `history`, `counts`, `suppressed` or `enquiries`.
    pub what: &'static str,
    /// Rows of the file.
    pub rows: u64,
    /// Rows that are there now and were not before.
    pub imported: u64,
    /// The same by what they became, as the system says it: `received`, `repeat`, `quarantined` …
    pub became: BTreeMap<String, u64>,
    /// Leads that a suppression list rejected, or opened again.
    pub moved: BTreeMap<&'static str, u64>,
    /// Rows that were there before.
    pub already: u64,
    /// Rows that were refused, by their lines: the fields at fault with their rules.
    pub refused: BTreeMap<u64, Vec<(String, String)>>,
    /// Rows of which something was not understood, and is kept as it came.
    pub noted: BTreeMap<u64, Vec<(String, String)>>,
    /// Words that no list of ours has.
    unknown: Unknown,
    /// Each row by its line, where each is told.
    each: Option<BTreeMap<u64, Value>>,
    /// How long it took.
    pub took: Duration,
}

impl Part {
    pub(super) fn new(what: &'static str, rows: u64, each: bool) -> Self {
        Self { what, rows, each: each.then(BTreeMap::new), ..Self::default() }
    }

    /// Rows that are there.
    pub(super) const fn done(&self) -> u64 {
        self.imported + self.already
    }

    /// One more row. `shared` are the lines that share an e-mail or a phone with one before them.
    pub(super) fn row(&mut self, row: RowNews, shared: &HashMap<u64, u64>) {
        let line = row.line;
        let mut told = json!({ "line": line, "status": "already" });
        match row.news {
            News::Already => self.already += 1,
            News::Imported(became) => {
                self.imported += 1;
                if let Some(how) = became["as"].as_str() {
                    *self.became.entry(how.to_owned()).or_default() += 1;
                }
                for moved in ["rejected", "reopened"] {
                    let leads = became[moved].as_array().map_or(0, Vec::len) as u64;
                    if leads > 0 {
                        *self.moved.entry(moved).or_default() += leads;
                    }
                }
                if self.each.is_some() {
                    told = became;
                    told["line"] = json!(line);
                    if let Some(members) = told.as_object_mut() {
                        members.remove("row");
                        members.remove("notes");
                        members
                            .extend(shared.get(&line).map(|of| ("shares_with_line".to_owned(), json!(of))));
                    }
                }
            }
            News::Refused(errors) => {
                for (column, word) in &row.words {
                    self.unknown.add(column, word.as_deref());
                }
                told = json!({ "line": line, "status": "refused" });
                self.refused.insert(line, errors);
            }
        }
        if let Some(each) = &mut self.each {
            each.insert(line, told);
        }
        if !row.notes.is_empty() {
            self.noted.insert(line, row.notes);
        }
    }

    fn print_each(&self, out: &mut impl Write, each: &BTreeMap<u64, Value>) -> std::io::Result<()> {
        for (line, row) in each.iter().filter(|(_, row)| row["status"] != "refused") {
            let words = |name: &str| -> String {
                let list = row[name].as_array().into_iter().flatten().filter_map(Value::as_str);
                list.collect::<Vec<_>>().join(", ")
            };
            let mut told = match row["as"].as_str() {
                Some("quarantined") => format!("would be quarantined: {}", words("reasons")),
                Some("repeat") => "would repeat a lead".to_owned(),
                Some("test") => "would be a test".to_owned(),
                Some(_) => "would be a new lead".to_owned(),
                None => "is there already".to_owned(),
            };
            let going = words("would_go_to");
            if let Some(reason) = row["would_wait"].as_str() {
                let _ = std::fmt::Write::write_fmt(&mut told, format_args!(", and wait: {reason}"));
            } else if !going.is_empty() {
                let _ = std::fmt::Write::write_fmt(&mut told, format_args!(", and go to {going}"));
            }
            if let Some(of) = row["shares_with_line"].as_u64() {
                let shares = format_args!(
                    "; it shares its e-mail or phone with line {of}, and repeats that unless the two differ"
                );
                let _ = std::fmt::Write::write_fmt(&mut told, shares);
            }
            writeln!(out, "{} line {line}: {told}", self.what)?;
        }
        Ok(())
    }

    fn print_words(&self, out: &mut impl Write) -> std::io::Result<()> {
        if self.unknown.is_empty() {
            return Ok(());
        }
        writeln!(
            out,
            "words that are none of ours, to be mapped with --map 'outcome:Sold=won' or --map-file:"
        )?;
        for (column, word, rows) in self.unknown.list() {
            writeln!(out, "    {column}: {word} ({rows} rows)")?;
        }
        Ok(())
    }
}

/// Refused rows that are shown; `--json` has them all.
const SHOWN: usize = 100;

impl Told {
    /// Whether every row was taken.
    pub fn whole(&self) -> bool {
        self.parts.iter().all(|part| part.refused.is_empty())
    }

    /// For people.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn print(&self, out: &mut impl Write) -> std::io::Result<()> {
        for part in &self.parts {
            if let Some(each) = &part.each {
                part.print_each(out, each)?;
            }
            for (line, errors) in part.refused.iter().take(SHOWN) {
                for (field, rule) in errors {
                    let field = if field.is_empty() { String::new() } else { format!("{field}: ") };
                    writeln!(out, "{} line {line}: {field}{rule}", part.what)?;
                }
            }
            if part.refused.len() > SHOWN {
                writeln!(out, "and {} more rows; --json has them all", part.refused.len() - SHOWN)?;
            }
            writeln!(
                out,
                "{}: {} rows: {} imported, {} already there, {} refused, in {:.1} s",
                part.what,
                part.rows,
                part.imported,
                part.already,
                part.refused.len(),
                part.took.as_secs_f64(),
            )?;
            let counts: Vec<String> = part.became.iter().map(|(how, rows)| format!("{rows} {how}")).collect();
            if part.what == "enquiries" && !counts.is_empty() {
                writeln!(out, "    of the imported: {}", counts.join(", "))?;
            }
            for (moved, leads) in &part.moved {
                writeln!(out, "    {leads} leads that nobody holds were {moved}")?;
            }
            part.print_words(out)?;
            if !part.noted.is_empty() {
                writeln!(
                    out,
                    "    of {} rows something was kept and not understood: --json says what",
                    part.noted.len()
                )?;
            }
        }
        if self.dry_run {
            writeln!(out, "nothing was written: this was a dry run")?;
        }
        Ok(())
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let list = |lines: &BTreeMap<u64, Vec<(String, String)>>| -> Vec<Value> {
            let error = |(field, rule): &(String, String)| json!({ "field": field, "rule": rule });
            lines
                .iter()
                .map(|(line, errors)| json!({ "line": line, "errors": errors.iter().map(error).collect::<Vec<_>>() }))
                .collect()
        };
        let word =
            |(column, word, rows): (&str, &str, u64)| json!({ "column": column, "word": word, "rows": rows });
        let part = |part: &Part| {
            let mut told = json!({
                "what": part.what, "rows": part.rows, "imported": part.imported, "became": part.became,
                "already": part.already, "refused": list(&part.refused), "noted": list(&part.noted),
                "leads": part.moved, "unknown": part.unknown.list().into_iter().map(word).collect::<Vec<_>>(),
                "ms": part.took.as_millis() as u64,
            });
            if let Some(each) = &part.each {
                told["each"] = each.values().cloned().collect();
            }
            told
        };
        json!({ "dry_run": self.dry_run, "files": self.parts.iter().map(part).collect::<Vec<_>>() })
    }
}
