//! `leadyard leads`: a list of leads as a table, however long it is.

use std::collections::HashSet;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use http::Method;
use indicatif::{ProgressBar, ProgressStyle};
use leadyard_domain::ids::{CompanyId, DealerId, LeadId, OfferId, SourceId};
use leadyard_domain::lead::Stage;
use leadyard_domain::place::State;
use serde_json::{Value, json};

use crate::api::{Api, Target};

/// What `leadyard leads` is asked.
#[derive(Args)]
pub struct Options {
    /// Whose leads.
    #[arg(long)]
    company: CompanyId,
    #[command(flatten)]
    list: List,
    /// Of a dealer's leads: those that are over.
    #[arg(long, requires = "dealer")]
    past: bool,
    /// Of this offer alone.
    #[arg(long)]
    offer: Option<OfferId>,
    /// Of this US state alone, such as FL.
    #[arg(long)]
    state: Option<State>,
    /// In a dealer's hands, or in nobody's.
    #[arg(long, value_name = "true|false")]
    held: Option<bool>,
    /// With who they are: name, e-mail, phone, address.
    #[arg(long)]
    who: bool,
    /// Goes on behind a place, as one says that broke off; in the file that it wrote.
    #[arg(long, value_name = "PLACE")]
    after: Option<String>,
    /// Where to write, which is not there yet; standard output, if not said.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    target: Target,
}

/// Which leads.
#[derive(Args)]
#[group(required = true, multiple = false)]
struct List {
    /// Those at a stage, the highest score first: waiting, assigned, nurturing, won, lost, expired, rejected …
    #[arg(long)]
    stage: Option<Stage>,
    /// Those that count as a source's, who asked last first.
    #[arg(long)]
    source: Option<SourceId>,
    /// Those that a dealer has, the last that it was given first.
    #[arg(long)]
    dealer: Option<DealerId>,
}

impl Options {
    /// The list as the API is asked for it, from behind a place on.
    fn asked(&self, after: Option<&str>) -> Value {
        let List { stage, source, dealer } = &self.list;
        let only = [("offer", json!(self.offer)), ("state", json!(self.state)), ("held", json!(self.held))];
        let list = [
            ("company", json!(self.company)),
            ("stage", json!(stage)),
            ("source", json!(source)),
            ("dealer", json!(dealer)),
            ("shut", json!(self.past)),
            ("only", named(only)),
            ("after", json!(after)),
        ];
        json!({ "list": named(list), "who": self.who })
    }
}

/// What is not null, by its name.
fn named<'a>(members: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    let members = members.into_iter().filter(|(_, value)| !value.is_null());
    Value::Object(members.map(|(name, value)| (name.to_owned(), value)).collect())
}

/// Writes a list of leads, part after part; each lead once, where it stands first.
///
/// # Errors
/// When the system does not answer, or the file cannot be written: it says how far it came, and where to go on.
pub async fn run(options: &Options) -> anyhow::Result<ExitCode> {
    // Before anybody is asked: what was given would stand among the changes.
    if let (Some(path), None) = (&options.out, &options.after) {
        anyhow::ensure!(!path.exists(), "{} could not be written: it is there already", path.display());
    }
    let api = Api::of(&options.target, &options.company).await?;
    let style = ProgressStyle::with_template("{spinner} {human_pos} leads written");
    let bar =
        ProgressBar::new_spinner().with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    let mut after = options.after.clone();
    let mut file = File { out: None, seen: written_before(options)? };
    let mut parts = 0;
    loop {
        let part = file.part(&api, options, after.as_deref()).await;
        bar.set_position(file.seen.len() as u64);
        let next = match part {
            Ok(next) => next,
            // Whoever reads has enough.
            Err(error) if options.out.is_none() && is_closed(&error) => return Ok(ExitCode::SUCCESS),
            Err(error) => {
                bar.finish_and_clear();
                return Err(error.context(match &after {
                    Some(after) => {
                        format!("{} leads are written; for the rest say --after '{after}'", file.seen.len())
                    }
                    None => "no lead is written".to_owned(),
                }));
            }
        };
        parts += 1;
        let Some(next) = next else { break };
        after = Some(next);
    }
    bar.finish_and_clear();
    let mut err = std::io::stderr();
    let leads = file.seen.len();
    writeln!(err, "{leads} {}", if leads == 1 { "lead" } else { "leads" })?;
    if parts > 1 || options.after.is_some() {
        writeln!(
            err,
            "Who moved to the front of the list while it was written may be missing: of a source, whoever asked again."
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

fn is_closed(error: &anyhow::Error) -> bool {
    let io = error.downcast_ref::<std::io::Error>();
    io.is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}

/// The leads that stand in the file that one goes on with.
fn written_before(options: &Options) -> anyhow::Result<HashSet<LeadId>> {
    let (Some(path), Some(_)) = (&options.out, &options.after) else { return Ok(HashSet::new()) };
    if !path.exists() {
        return Ok(HashSet::new());
    }
    let no_table = || format!("{} is no table of leads to go on with", path.display());
    let mut rows = csv::Reader::from_path(path).with_context(no_table)?;
    rows.byte_records().map(|row| lead_of(&row?)).collect::<anyhow::Result<_>>().with_context(no_table)
}

fn lead_of(row: &csv::ByteRecord) -> anyhow::Result<LeadId> {
    let lead = row.get(0).and_then(|id| std::str::from_utf8(id).ok()?.parse().ok());
    lead.context("a row does not begin with a lead")
}

/// The file, as far as it is written.
struct File {
    /// Once there is something to write.
    out: Option<Box<dyn Write>>,
    seen: HashSet<LeadId>,
}

impl File {
    /// Writes what one answer has, all of it or nothing; what leads on to the next.
    async fn part(
        &mut self,
        api: &Api,
        options: &Options,
        after: Option<&str>,
    ) -> anyhow::Result<Option<String>> {
        let mut answer = api.ask_again(Method::POST, "/v1/leads/export", Some(&options.asked(after))).await?;
        let next = answer.next.take();
        let rows = answer.success()?;
        let mut rows = csv::Reader::from_reader(rows.as_slice());
        let mut part = csv::Writer::from_writer(Vec::new());
        let goes_on = options.after.is_some() && options.out.as_ref().is_none_or(|path| path.exists());
        if self.out.is_none() && !goes_on {
            part.write_byte_record(rows.byte_headers()?)?;
        }
        let mut leads = Vec::new();
        for row in rows.byte_records() {
            let row = row?;
            let lead = lead_of(&row).context("the system did not send a table of leads")?;
            // A dealer's that was given again stands once more, as one whose score fell.
            if !self.seen.contains(&lead) {
                part.write_byte_record(&row)?;
                leads.push(lead);
            }
        }
        let out = match &mut self.out {
            Some(out) => out,
            None => self.out.insert(opened(options)?),
        };
        out.write_all(&part.into_inner().map_err(|error| error.into_error())?)?;
        out.flush()?;
        self.seen.extend(leads);
        Ok(next)
    }
}

/// Where to write: what is there already is added to by who goes on, and by nobody else.
fn opened(options: &Options) -> anyhow::Result<Box<dyn Write>> {
    let Some(path) = &options.out else { return Ok(Box::new(std::io::stdout())) };
    let mut file = std::fs::OpenOptions::new();
    let goes_on = options.after.is_some();
    let file = file.append(goes_on).create(goes_on).write(true).create_new(!goes_on).open(path);
    Ok(Box::new(file.with_context(|| format!("{} could not be written", path.display()))?))
}
