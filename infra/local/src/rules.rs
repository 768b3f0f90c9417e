//! Rulebooks as folders: read, checked, published.

use std::path::Path;

use anyhow::Context as _;
use jiff::Timestamp;
use leadyard_domain::delivery::TemplateExample;
use leadyard_domain::distribution::Compiled;
use leadyard_domain::limits;
use leadyard_domain::rulebook::{Examined, Problem, Problems, Rulebook, RulebookFiles};
use leadyard_platform::cloud::Cloud;
use leadyard_platform::store::Published;

/// What checking a folder found.
pub struct Checked {
    /// The rulebook with its compiled form, if it has no error.
    pub rulebook: Option<(Rulebook, Compiled)>,
    /// Errors.
    pub errors: Vec<Problem>,
    /// Warnings.
    pub warnings: Vec<Problem>,
    /// The rulebook's own tests.
    pub tests: Vec<Examined>,
    /// Problems beyond the most that are listed.
    pub omitted: usize,
}

impl Checked {
    /// Whether it may be published.
    pub fn passed(&self) -> bool {
        self.rulebook.is_some() && self.failed_tests() == 0
    }

    /// What its templates make of a lead that nobody is; nothing of a rulebook that has errors.
    pub fn template_examples(&self, now: Timestamp) -> Vec<TemplateExample> {
        self.rulebook.as_ref().map_or_else(Vec::new, |(book, _)| book.template_examples(now))
    }

    /// How many of its tests fail.
    pub fn failed_tests(&self) -> usize {
        self.tests.iter().filter(|test| !test.differences.is_empty()).count()
    }
}

/// Reads a folder's files. Folders within it are passed over.
pub fn read(folder: &Path) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let mut files = Vec::new();
    let mut total = 0;
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("{} could not be read", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        let kind = entry.file_type()?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_rules = matches!(
            Path::new(&name).extension().and_then(|end| end.to_str()),
            Some("toml" | "csv" | "xlsx")
        );
        // A generator script or a note beside the rules is none of them.
        if !kind.is_file() || !is_rules {
            continue;
        }
        total += entry.metadata()?.len();
        anyhow::ensure!(
            total <= limits::RULEBOOK_BYTES as u64,
            "a rulebook is at most {} bytes with all its files",
            limits::RULEBOOK_BYTES
        );
        files.push((name, std::fs::read(entry.path())?));
    }
    files.sort();
    Ok(files)
}

/// Checks files: parses, compiles, runs their tests.
pub fn check(files: Vec<(String, Vec<u8>)>, now: Timestamp) -> (Checked, Option<RulebookFiles>) {
    let refused = |problems: Problems| Checked {
        rulebook: None,
        omitted: problems.omitted,
        errors: problems.list,
        warnings: Vec::new(),
        tests: Vec::new(),
    };
    let files = match RulebookFiles::new(files) {
        Ok(files) => files,
        Err(problems) => return (refused(problems), None),
    };
    let book = match Rulebook::parse(&files) {
        Ok(book) => book,
        Err(problems) => return (refused(problems), None),
    };
    let warnings = book.check(now.to_zoned(jiff::tz::TimeZone::UTC).date());
    let Ok(compiled) = book.compile(0) else {
        // What parses compiles; a part of an area beyond every limit is the one exception.
        return (refused(Problems::default()), None);
    };
    // What is kept is text: a workbook's sheets as the tables they are.
    let files = files.unpacked().unwrap_or(files);
    let tests = book.tests.iter().map(|test| compiled.examine(test)).collect();
    let checked =
        Checked { rulebook: Some((book, compiled)), errors: Vec::new(), warnings, tests, omitted: 0 };
    (checked, Some(files))
}

/// Publishes a checked rulebook unless the very same is in force. The version in force.
pub async fn publish(
    cloud: &Cloud,
    compiled: &Compiled,
    files: &RulebookFiles,
    by: &str,
    now: Timestamp,
) -> anyhow::Result<u64> {
    let (store, company) = (&cloud.store, compiled.core.company_id());
    let in_force = store.rulebook_pointer(company).await?.map_or(0, |pointer| pointer.version);
    if in_force > 0
        && store.rulebook_text(company, in_force).await?.is_some_and(|text| text == as_text(files))
    {
        return Ok(in_force);
    }
    match store
        .rulebook_publish(compiled, files, in_force, (by, "whole"), &cloud.master.mailboxes(), now)
        .await?
    {
        Published::Version(version) => Ok(version),
        Published::Behind(version) => {
            anyhow::bail!("version {version} was published meanwhile; look at it first")
        }
    }
}

fn as_text(files: &RulebookFiles) -> std::collections::BTreeMap<String, String> {
    files.iter().map(|(name, bytes)| (name.to_owned(), String::from_utf8_lossy(bytes).into_owned())).collect()
}
