//! The rulebook: all the rules of one company, as text.
//!
//! A folder of files. TOML for what is written by hand, CSV for what is a table in anyone's
//! spreadsheet. [`Rulebook::parse`] reads it as a whole: either every value and every reference is
//! good, or the answer is the [`Problems`], each with file, line and column. [`Rulebook::check`]
//! warns of what is allowed and hardly meant. [`RowEdit`] changes one row of a published rulebook,
//! [`Rulebook::diff`] tells what is different between two.
//!
//! # Files
//!
//! An id is a slug: 1 to 48 lower-case letters, digits, `-`, `_`, `.`. A date is `2026-05-09`. All files
//! together have at most 16 MiB, a TOML file at most 4 MiB. Names that begin with `.` or `README` are
//! passed over; any other file is an error.
//!
//! **`company.toml`**
//!
//! | key | default | rule |
//! |---|---|---|
//! | `id`, `name` | needed | an id; 1 to 200 characters |
//! | `zone` | needed | IANA name |
//! | `currency` | `USD` | three capital letters |
//! | `scope` | `category` | `category` `offer` |
//! | `window_days` | 30 | 1 to 365 |
//! | `week_starts` | `monday` | `monday` `sunday` |
//! | `mode` | `automatic` | `automatic` `manual` |
//! | `ranking` | `["tier", "distance:10mi", "share", "longest_ago"]` | 1 to 8 steps; also `price`, `performance:90d:20` |
//! | `attribution` | `last` | `first` `last`: the touch that an enquiry is credited to |
//! | `deadline_minutes`, `deadline_clock` | none, `open` | 1 to 20,160; `open` `wall`; of contracts that say nothing |
//! | `mail` | none | `{ from = "leads@example.com", name = "…" }`: who writes to dealers; needed where a channel is `mail`; the name is the company's |
//! | `retention_days` | none | 30 to 3,650, at least `window_days`: how long the person of a lead that is over is kept |
//! | `certificate_days` | 90 | 1 to 1,826: for how long a consent certificate can be claimed |
//! | `call_hours` | `08:00-21:00` | narrower hours in which people may be called, where they are |
//! | `rollback` | never | `{ unmatched_points = 20, after_leads = 50, within_hours = 2 }`: when a publish rolls itself back; see [`Rollback`] |
//!
//! Of `rollback`: `unmatched_points`, needed, 5 to 100; `after_leads`, 20 to 200, 50 unless it is said; `within_hours`, 1 to
//! 48, 2 unless it is said.
//!
//! **`offers.toml`**: `[[offer]]`, 1 to 1,000
//!
//! | key | default | rule |
//! |---|---|---|
//! | `id`, `category`, `name` | needed | ids; 1 to 200 characters |
//! | `mode`, `ranking` | the company's | as there |
//! | `band` | `C3` | `A1` … `C3` |
//! | `incentive` | `false` | |
//!
//! **`sources.toml`**: `[[source]]`, 1 to 10,000
//!
//! | key | default | rule |
//! |---|---|---|
//! | `id` | needed | an id |
//! | `kind` | needed | `form` `google` `meta` `adf` `file` |
//! | `offer` | none | the offer of an enquiry that names none |
//! | `offers` | none | `{ "what the page says" = "offer" }`, names to 200 bytes |
//! | `fields` | none | `{ "their name" = "standard_name" }`, at most 200, names to 64 bytes |
//! | `values` | none | `{ consent = { "Yes, call me" = "yes" } }`: by our name of a field, what they say in it and what that means; at most 500 values of 512 bytes |
//! | `origins` | none | at most 8, `https://host[:port]` |
//! | `thank_you`, `error_page` | none | `http(s)` URLs to 2,048 bytes |
//! | `test` | `false` | |
//! | `ends` | none | its last day |
//! | `key_generation` | 1 | 1 to 1,000,000 |
//! | `earlier_key_until` | none | the last day of the keys of the generation before; without it they end at once |
//! | `cost_per_lead` | none | an amount in quotes: `"12.50"` |
//! | `caps` | none | `{ hour = 50, day = 400 }`, either or both, 1 to 1,000,000, in the company's zone: new leads |
//! | `form_token` | `false` | whether its pages send a form token with every enquiry |
//! | `postback` | none | `{ url = "https://…?id={reference}&is={status}", method = "post", on = ["sold"] }`: the URL to 512 bytes, with `{reference}` `{enquiry}` `{status}` `{reason}`; `post` `get`; `received` `repeat` `quarantined` `rejected` `sold` `returned`, all of them if none is named |
//!
//! **`scoring.toml`**: see [`ScoringModel`].
//!
//! **`screening.toml`** (may be absent): see [`crate::screening`] for what the reasons mean
//!
//! | key | default | rule |
//! |---|---|---|
//! | `doubtful`, `spam` | 50, 110 | from which weight on; 1 to 10,000 |
//! | `deadline_hours` | 72 | 1 to 8,760: how long the desk has time |
//! | `at_deadline` | `release` | `release` `keep`: what is doubtful goes its way then, or stays, overdue |
//! | `honeypot` | usual names | list of fields that no person sees, to 20 |
//! | `weights` | of each reason its own | `{ disposable_email = 80 }`, 0 to 1,000; 0 passes over it |
//! | `form` | `{ fast_seconds = 1, old_hours = 168 }` | 0 to 600; 1 to 720 |
//! | `velocity` | `{ source = 3000, address = 10, identity = 20 }` | in ten minutes from a source's pages, people of one address in ten minutes, of one person in an hour |
//! | `interactions` | `{ soon_seconds = 5, burst_links = 3, burst_seconds = 3 }` | which clicks of a message are a machine's: so soon after its sending, so many links of it within so long; 0 seconds pass over the sign |
//! | `disposable`, `not_disposable` | none | lists of domains, to 1,000 |
//!
//! **`followup.toml`** (may be absent): see [`crate::followup`] for what follows
//!
//! | key | default | rule |
//! |---|---|---|
//! | `not_ready` | `["1d", "3d", "1w", "3w"]` | the wait before each call to who is nurtured, to 20; `[]` calls nobody |
//! | `not_reached` | `["4h", "1d", "3d", "1w"]` | the same before each further call where nobody was reached |
//! | `lost` | `["45d", "90d"]` | the same where a cycle ended unsold, the first since then |
//! | `most_calls` | 8 | 1 to 50: in all, until they do something |
//! | `enquiry_days` | 89 | 1 to 92: no call later than so long after they asked last, where they did not agree to be called |
//! | `consent_days` | 365 | 1 to 1,826, at least `enquiry_days`: the same where they agreed |
//!
//! **`people.csv`** (may be absent), to 500 rows: who works at the desk
//!
//! | column | empty means | rule |
//! |---|---|---|
//! | `person` | needed | an id, as the log of changes names them |
//! | `email` | needed | an address, each once; they sign in by it |
//! | `role` | needed | `reader` `desk` `manager` |
//!
//! **`dealers.csv`**, to 100,000 rows
//!
//! | column | empty means | rule |
//! |---|---|---|
//! | `dealer`, `name` | needed | an id; 1 to 200 characters |
//! | `zip` | needed | `33101`; `2134` is mended to `02134` |
//! | `kind` | `outside` | `outside` `own` |
//! | `contact`, `email`, `phone`, `billing_email` | none | to 200 characters; addresses; a number |
//! | `zone` | the company's | IANA name |
//! | `hours` | `24/7` | `Mo-Fr 08:00-18:00; Sa 09:00-12:00` |
//! | `after_hours` | `hold` | `hold` `deliver` |
//! | `holidays` | none | days and vacations, `2026-12-25 2026-07-01..2026-07-14`, to 400 days |
//! | `cap_day`, `cap_month` | none | 1 to 1,000,000 |
//! | `prepaid` | `no` | `yes` `no`: leads only as far as what was paid in advance goes |
//!
//! **`channels.csv`** (may be absent)
//!
//! | column | empty means | rule |
//! |---|---|---|
//! | `dealer` | needed | of `dealers.csv` |
//! | `order` | needed | 1 to 8, each once a dealer |
//! | `kind` | needed | `webhook` `inbox` `mail` `sqs` |
//! | `address` | an inbox has none | webhook: `https://`, on loopback `http://` too; mail: `leads@example.com`; sqs: a queue's name or URL |
//! | `when` | `fallback` | `fallback`: when those before it have failed; `always`: side by side with them |
//! | `format` | `standard` | `standard` `adf`, or a template of `templates.toml`; of webhooks |
//! | `vendor_id` | none | what the dealer is called in its own system, to 64 characters |
//!
//! **`templates.toml`** (may be absent): `[[template]]`, to 50, at most 32 KiB; see [`Template`] for what follows
//!
//! | key | default | rule |
//! |---|---|---|
//! | `id`, `kind` | needed | an id that is no format already; `json` `form` `xml` |
//! | `method` | `POST` | `POST` `PUT` `PATCH` |
//! | `headers` | none | `{ Authorization = "Bearer {secret.api_key}" }`, to 20; nothing of the person |
//! | `omit_empty` | `false` | leaves out what says nothing, instead of `null` or an empty text |
//! | `assigned` | needed | the body: names, and texts with fields in braces, numbers, `true`, `false`, lists, tables |
//! | `repeated`, `warned`, `withdrawn`, `erased`, `opted_out` | not sent | likewise |
//! | `success` | any 2xx | `{ status = [200], json = "$.status", is = ["ok"] }`, or `text = "OK"` in place of `json` and `is` |
//! | `reference` | none | where the answer has the dealer's own id of the lead: `"$.lead.id"` |
//! | `decline` | none | as `success`, of 2xx and 4xx; `reason = "$.message"` |
//!
//! In XML `@name` is an attribute and `#text` an element's own text. A form has no tables within it; a list is the
//! same name several times. Every body has at most 200 fields and is at most 8 deep.
//!
//! **`areas.csv`**, to 500,000 rows
//!
//! | column | empty means | rule |
//! |---|---|---|
//! | `area` | needed | an id, the same in every row of the area |
//! | `part` | needed | `zip:33101`, `zip3:331`, `county:12086`, `radius_mi:25` (1 to 500), `state:FL` or `any` |
//!
//! **`contracts.csv`**, to 100,000 rows
//!
//! | column | empty means | rule |
//! |---|---|---|
//! | `contract` | needed | an id |
//! | `dealer`, `area` | needed | of their files |
//! | `offers`, `sources` | needed | ids separated by spaces, or `*` for all |
//! | `price` | needed | `45.00`, 0 to 10,000,000 |
//! | `territory` | `open` | `open` `first` `protected` `closed` |
//! | `sale` | `exclusive` | `exclusive` `shared:2` … `shared:10` |
//! | `when_unavailable` | `next` | `wait` `next` |
//! | `min_band` | `C3` | `A1` … `C3` |
//! | `needs` | none | `consent` `certificate` `dnc_clean`, or `*` |
//! | `max_age_hours` | no limit | 1 to 87,600 |
//! | `tier`, `weight` | 1 | 1 to 99; 1 to 1,000 |
//! | `cap_hour` `cap_day` `cap_week` `cap_month` `cap_total` | none | 1 to 1,000,000 |
//! | `budget_month` | none | an amount above 0, for a calendar month |
//! | `deadline_minutes` | the company's | 0 (none) to 20,160 |
//! | `deadline_clock` | the company's, else `open` | `open` `wall` |
//! | `after_hours` | the dealer's | `hold` `deliver` |
//! | `return_days` | nothing may be returned | 1 to 90, from the charge on |
//! | `return_reasons` | | ids separated by spaces, to 20; needed with `return_days` |
//! | `return_quota` | no limit | `10%` of the leads charged in a month, though always one |
//! | `return_approval` | `desk` | `desk` `trusted` |
//! | `again` | `yes` | `yes` `no`: whether it may have a lead again that comes back in a later cycle |
//! | `starts`, `ends` | open | first and last day |
//!
//! **`tests.toml`** (may be absent): `[[test]]`, to 10,000
//!
//! | key | default | rule |
//! |---|---|---|
//! | `name`, `at` | needed | 1 to 200 characters; RFC 3339 |
//! | `lead` | needed | `offer` and `source`, needed; `zip`, `state`; `band` (`A1`), `brings` (list of needs), `age_hours` (0), `excluded` (list of dealers) |
//! | `used` | none | `{ "contract" = { hour, day, week, month, total } }`, 0 to 1,000,000 |
//! | `holds` | none | list of dealers |
//! | `paused` | none | list of contracts and dealers |
//! | `assigned` | | list of contracts, in order |
//! | `waiting` | | a reason; not with `assigned` |
//! | `until` | | RFC 3339, with `waiting` |
//! | `excluded` | | `{ "contract" = "rule" }` |
//!
//! **`spend.csv`** (may be absent), to 2,000 rows: what reports set against what came of it
//!
//! | column | empty means | rule |
//! |---|---|---|
//! | `month`, `source` | needed | `2026-06`; of its file |
//! | `campaign` | none in particular | as UTM parameters name it |
//! | `amount` | needed | `1200.00`, 0 to 10,000,000; each month, source and campaign once |
//!
//! # Tables
//!
//! The first row names the columns, in any order and either case. A byte order mark, CRLF, empty rows,
//! a first line `sep=;`, and cells parted by semicolons or tabs are mended. Windows-1252 and UTF-16 are
//! refused. What a spreadsheet rewrote is refused by name: a date (`9-May`), a rounded number
//! (`1.5E+07`), `TRUE`, `#REF!`, a comma in a price.
//!
//! # Workbooks
//!
//! With the feature `xlsx` a folder may have one workbook (any name that ends in `.xlsx`) in place of CSV
//! files: a sheet `people`, `dealers`, `channels`, `areas`, `contracts` each. See the module `workbook`.
//!
//! # Not yet
//!
//! Known and refused unless empty: `branding` of the company. Never silently passed over: a rule that is written and
//! not kept is worse than none.

mod problem;
mod files;
mod company;
mod rollback;
mod offers;
mod postback;
mod sources;
mod screening;
mod followup;
mod people;
mod columns;
mod templates;
mod dealers;
mod areas;
mod spend;
mod contracts;
mod examples;
mod check;
mod compile;
mod served;
mod examine;
mod dry_run;
mod edit;
mod diff;
mod rows;
mod origin;
#[cfg(feature = "xlsx")]
pub mod workbook;
#[cfg(feature = "xlsx")]
pub mod packed;
mod table;
mod keys;
mod value;
mod index;
mod cells;
mod body;
pub(crate) mod damage;
mod nearest;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

use crate::contract::{AreaPart, Contract};
use crate::dealer::{Channel, Dealer};
use crate::delivery::Template;
use crate::followup::FollowUpPlan;
use crate::ids::AreaId;
use crate::scoring::ScoringModel;
use crate::screening::ScreeningRules;

pub use check::{Block, Figures, StateFigures};
pub use columns::{Column, Presence, TABLES, TableColumns};
pub use company::{Company, MailSender, Mode, Scope};
pub use diff::{ColumnDiff, Diff, RowDiff, RowFate, TableDiff};
pub use edit::{Conflict, ConflictColumn, EditError, EditTable, Fields, Merged, RowChange, RowEdit};
pub use examine::Examined;
pub use examples::{Expect, RulebookTest, TestLead, Used};
pub use files::{FILES, RulebookFiles};
pub use offers::Offer;
pub use people::{DeskPerson, Invitee, Signer, SignsInAs};
pub use postback::{PostbackMethod, PostbackRule, PostbackSays, PostbackStatus};
pub use problem::{Position, Problem, ProblemCode, Problems, Severity};
pub use rollback::{Decided, NewLeads, Rollback, Verdict};
pub use served::{Served, States};
pub use sources::{Source, SourceKind};
pub use spend::Spend;

use body::Body;
use index::Index;

/// All the rules of one company. Every reference in it leads somewhere.
#[derive(Clone, PartialEq)]
pub struct Rulebook {
    /// Whose rules these are, and their defaults.
    pub company: Company,
    /// In the order of the file.
    pub offers: Vec<Offer>,
    /// In the order of the file.
    pub sources: Vec<Source>,
    /// How leads are scored.
    pub scoring: ScoringModel,
    /// What is doubtful, and what is spam.
    pub screening: ScreeningRules,
    /// Who is called again, when, and how often.
    pub follow_up: FollowUpPlan,
    /// Who works at the desk, in the order of the file.
    pub people: Vec<DeskPerson>,
    /// In the order of the file.
    pub dealers: Vec<Dealer>,
    /// In the order of the file.
    pub templates: Vec<Template>,
    /// By dealer, then in the order they are tried.
    pub channels: Vec<Channel>,
    /// Each has at least one part.
    pub areas: BTreeMap<AreaId, Vec<AreaPart>>,
    /// In the order of the file.
    pub contracts: Vec<Contract>,
    /// In the order of the file.
    pub tests: Vec<RulebookTest>,
    /// In the order of the file.
    pub spend: Vec<Spend>,
    /// Where things stand, for warnings.
    positions: Positions,
}

/// Where each thing stands, in the order of the rulebook's lists.
#[derive(Clone, Default)]
struct Positions {
    offers: Vec<Position>,
    sources: Vec<Position>,
    people: Vec<Position>,
    dealers: Vec<Position>,
    templates: Vec<Position>,
    areas: Vec<Position>,
    contracts: Vec<Position>,
    has_channels: bool,
    /// Of the tables that came as sheets of a workbook: file, workbook, sheet.
    sheets: Vec<(&'static str, String, String)>,
}

/// Where a rule stands is no part of what it says.
impl PartialEq for Positions {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// Counts only: dealers' people are in it.
impl fmt::Debug for Rulebook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rulebook")
            .field("company", &self.company.id)
            .field("offers", &self.offers.len())
            .field("sources", &self.sources.len())
            .field("dealers", &self.dealers.len())
            .field("areas", &self.areas.len())
            .field("contracts", &self.contracts.len())
            .field("tests", &self.tests.len())
            .finish_non_exhaustive()
    }
}

impl Rulebook {
    /// Reads a rulebook: all its files, rows, cells and references.
    ///
    /// The error has everything that is wrong, at most [`crate::limits::PROBLEMS`] of it; all are of
    /// severity error. A fault is reported once: what refers to a row that has a fault is not at fault.
    pub fn parse(files: &RulebookFiles) -> Result<Self, Problems> {
        #[cfg(feature = "xlsx")]
        let files = &files.unpacked()?;
        let mut problems = Problems::default();
        files.check_names(&mut problems);
        let rulebook = read(files, &mut problems);
        match rulebook {
            Some(rulebook) if problems.is_empty() => Ok(rulebook),
            Some(_) | None => Err(problems.sorted()),
        }
    }
}

/// File by file, in the order in which they refer to each other.
fn read(files: &RulebookFiles, problems: &mut Problems) -> Option<Rulebook> {
    let mut offer_ids = Index::new("offer", "offers.toml");
    let mut source_ids = Index::new("source", "sources.toml");
    let mut template_ids = Index::new("template", "templates.toml");
    let mut dealer_ids = Index::new("dealer", "dealers.csv");
    let mut area_ids = Index::new("area", "areas.csv");
    let mut contract_ids = Index::new("contract", "contracts.csv");

    let company = files.open("company.toml", problems).map(|body| company::read(&body, problems));
    let (company, defaults) = company.unwrap_or_default();
    let offers = match files.open("offers.toml", problems) {
        Some(body) => offers::read(&body, &defaults, &mut offer_ids, problems),
        None => absent(&mut offer_ids),
    };
    let sources = match files.open("sources.toml", problems) {
        Some(body) => sources::read(&body, &offer_ids, &mut source_ids, problems),
        None => absent(&mut source_ids),
    };
    let scoring = files.open("scoring.toml", problems).and_then(|body| scoring(&body, problems));
    let screening = match files.open("screening.toml", problems) {
        Some(body) => screening::read(&body, problems),
        None => Some(ScreeningRules::default()),
    };
    let follow_up = match files.open("followup.toml", problems) {
        Some(body) => followup::read(&body, problems),
        None => Some(FollowUpPlan::default()),
    };
    let people = match files.open("people.csv", problems) {
        Some(body) => people::read(&body, problems),
        None => Vec::new(),
    };
    let dealers = match files.open("dealers.csv", problems) {
        Some(body) => dealers::read(&body, &defaults, &mut dealer_ids, problems),
        None => absent(&mut dealer_ids),
    };
    let templates = match files.open("templates.toml", problems) {
        Some(body) => templates::read(&body, &mut template_ids, problems),
        None => Vec::new(),
    };
    let channels = match files.open("channels.csv", problems) {
        Some(body) => dealers::read_channels(&body, &defaults, &dealer_ids, &template_ids, problems),
        None => Vec::new(),
    };
    let areas = match files.open("areas.csv", problems) {
        Some(body) => areas::read(&body, &mut area_ids, problems),
        None => absent(&mut area_ids),
    };
    let known = contracts::Known {
        dealers: &dealer_ids,
        offers: &offer_ids,
        sources: &source_ids,
        areas: &area_ids,
        deadline: defaults.deadline,
    };
    let contracts = match files.open("contracts.csv", problems) {
        Some(body) => contracts::read(&body, &known, &mut contract_ids, problems),
        None => absent(&mut contract_ids),
    };
    let known = examples::Known {
        dealers: &dealer_ids,
        offers: &offer_ids,
        sources: &source_ids,
        contracts: &contract_ids,
    };
    let tests = match files.open("tests.toml", problems) {
        Some(body) => examples::read(&body, &known, problems),
        None => Vec::new(),
    };
    let spend = match files.open("spend.csv", problems) {
        Some(body) => spend::read(&body, &source_ids, problems),
        None => Vec::new(),
    };

    let (area_positions, areas) = areas.into_iter().map(|(id, (at, parts))| (at, (id, parts))).unzip();
    let (offer_positions, offers) = offers.into_iter().unzip();
    let (source_positions, sources) = sources.into_iter().unzip();
    let (people_positions, people) = people.into_iter().unzip();
    let (dealer_positions, dealers) = dealers.into_iter().unzip();
    let (template_positions, templates) = templates.into_iter().unzip();
    let (contract_positions, contracts) = contracts.into_iter().unzip();
    let positions = Positions {
        offers: offer_positions,
        sources: source_positions,
        people: people_positions,
        dealers: dealer_positions,
        templates: template_positions,
        areas: area_positions,
        contracts: contract_positions,
        has_channels: files.has("channels.csv"),
        sheets: sheets(files),
    };
    let (company, scoring, screening, follow_up) = (company?, scoring?, screening?, follow_up?);
    Some(Rulebook {
        company,
        offers,
        sources,
        scoring,
        screening,
        follow_up,
        people,
        dealers,
        templates,
        channels,
        areas,
        contracts,
        tests,
        spend,
        positions,
    })
}

/// The tables that came as sheets.
fn sheets(files: &RulebookFiles) -> Vec<(&'static str, String, String)> {
    let origin =
        |name| files.origin(name).map(|origin| (name, origin.workbook.clone(), origin.sheet.clone()));
    FILES.into_iter().filter_map(|(name, _)| origin(name)).collect()
}

/// Nothing is known of a file that is not there, so nothing that refers to it is refused.
fn absent<Id: index::Id, List: Default>(index: &mut Index<Id>) -> List {
    index.broke_off();
    List::default()
}

fn scoring(body: &Body<'_>, problems: &mut Problems) -> Option<ScoringModel> {
    match toml::from_str::<ScoringModel>(body.text) {
        Ok(model) => {
            let broken: Vec<_> = ScoringModel::check(&model).err().into_iter().flatten().collect();
            for field in &broken {
                let message = format!("{}: {}", field.pointer, field.detail);
                problems.error(body, 0, ProblemCode::InvalidValue, message);
            }
            broken.is_empty().then_some(model)
        }
        Err(error) => {
            let offset = error.span().map_or(0, |span| span.start);
            problems.error(body, offset, ProblemCode::Syntax, keys::one_line(error.message()));
            None
        }
    }
}
