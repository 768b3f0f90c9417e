//! A data folder with so many leads as a year of trade has them, by the same writers as in production: `leadyard demo`
//! plays some, `leadyard import` brings the past and a crowd of today, and a running system sells what is to be sold.
//!
//! | part | of the leads |
//! |---|---|
//! | played by the demo: interactions, answers, returns, calls | a fiftieth, at most 4,000 |
//! | asked in the last two weeks, most of them today, by a file: they wait, are nurtured, quarantined, or offered to a dealer who has not answered | a fiftieth |
//! | the past of another system: sold and unsold over the year | all others |
//! | of those who wait or are nurtured, chosen to be called today | a two-hundredth of all |
//!
//! A second company stands beside it, under the same rules, with a hundredth of the past.

use std::fmt::Write as _;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use fastrand::Rng;
use http::Method;
use jiff::{SignedDuration, Timestamp};
use leadyard::api::{Api, Target};
use leadyard::serve::{self, Running};
use leadyard::{demo, import, rules, system};
use leadyard_domain::access::DeskToken;
use leadyard_domain::ids::CompanyId;
use leadyard_domain::lead::Stage;
use leadyard_domain::limits;
use leadyard_domain::place::{self, Place};
use leadyard_domain::rulebook::{Rulebook, SourceKind};
use serde_json::{Value, json};
use tokio::time::Instant;

/// The company with a hundredth of the past.
pub(super) const SMALL: &str = "harbor";
/// Written when all is there: with how many leads, and until when.
const FILLED: &str = "filled.json";
/// Rows of one file.
const ROWS: usize = 100_000;
/// Leads of the demo at most: it plays some hundred a second.
const PLAYED: usize = 4_000;
/// The queues are waited for at most so long.
const DRAINED: Duration = Duration::from_mins(30);

/// What a folder was filled with.
pub(super) struct Filled {
    /// When that was: the clock goes on from there, however old the folder is.
    pub(super) at: Timestamp,
    /// The rules of its first company.
    pub(super) book: Rulebook,
}

/// Fills a folder, unless it was filled with so many leads before.
pub(super) async fn fill(data: &Path, leads: usize) -> anyhow::Result<Filled> {
    if let Ok(text) = std::fs::read_to_string(data.join(FILLED)) {
        let filled: Value = serde_json::from_str(&text)?;
        let holds = filled["leads"].as_u64().unwrap_or_default();
        anyhow::ensure!(holds == leads as u64, "{} holds {holds} leads: name another", data.display());
        let at = filled["at"].as_str().context("the folder does not say when it was filled")?.parse()?;
        return Ok(Filled { at, book: book(data)? });
    }
    let played = (leads / 50).clamp(1, PLAYED);
    let mut steps = Steps { began: Instant::now(), out: std::io::stdout() };
    let options = demo::Options {
        leads: played as u32,
        data: data.to_owned(),
        rules: None,
        seed: 1,
        until: None,
        json: false,
    };
    Box::pin(demo::run(&options)).await.with_context(|| format!("{} is not filled", data.display()))?;
    steps.say(&format!("{played} leads were played"))?;

    let book = book(data)?;
    let serving = serve::Options { data: Some(data.to_owned()), port: 0, rules: None };
    let running = Box::pin(serve::start(&serving)).await?;
    // A fill that broke off is begun anew.
    running.aws.waits_for_the_disk(false)?;
    let now = running.cloud.clock.now();
    let crowd = (leads / 50).max(100);
    let past = leads.saturating_sub(played + crowd);
    let large = Desk::of(&running, &book.company.id).await?;
    let small = Desk::of(&running, &SMALL.parse()?).await?;
    small.publish(data, &running.ready.url).await?;
    let rows = Rows { book: &book, places: places(), now };
    for (desk, many) in [(&small, past / 100), (&large, past)] {
        for from in (0..many).step_by(ROWS) {
            let upto = many.min(from + ROWS);
            let text = rows.past((from, upto), many);
            desk.import(&text, None, upto - from).await?;
            steps.say(&format!("{}: {upto} of {many} past leads", desk.company))?;
        }
    }
    let list = book.sources.iter().find(|source| source.kind == SourceKind::File);
    let list = list.context("the demo has a source of kind file")?.id.to_string();
    for (desk, many) in [(&small, (crowd / 100).max(20)), (&large, crowd)] {
        desk.import(&rows.crowd(many), Some(&list), many).await?;
        steps.say(&format!("{}: {many} ask now", desk.company))?;
    }
    steps.drained(&running).await?;
    for (desk, many) in [(&small, leads / 20_000), (&large, leads / 200)] {
        let chosen = desk.choose(many).await?;
        steps.say(&format!("{}: {chosen} of {many} are to be called today", desk.company))?;
    }
    steps.drained(&running).await?;
    let at = running.cloud.clock.now();
    running.aws.waits_for_the_disk(true)?;
    running.stop().await;
    std::fs::write(data.join(FILLED), json!({ "leads": leads, "at": at }).to_string())?;
    steps.say("filled")?;
    Ok(Filled { at, book })
}

fn book(data: &Path) -> anyhow::Result<Rulebook> {
    let files = demo::files_of(Some(data), demo::PLACEHOLDER)?;
    let (checked, _) = rules::check(files, Timestamp::UNIX_EPOCH);
    Ok(checked.rulebook.context("the demo's rulebook has errors")?.0)
}

/// Says how far it is, and how long it took.
struct Steps {
    began: Instant,
    out: std::io::Stdout,
}

impl Steps {
    fn say(&mut self, what: &str) -> anyhow::Result<()> {
        Ok(writeln!(self.out, "  {:>6.0} s  {what}", self.began.elapsed().as_secs_f64())?)
    }

    /// Until the queues are worked off, and the stream is counted.
    async fn drained(&mut self, running: &Running) -> anyhow::Result<()> {
        let until = Instant::now() + DRAINED;
        for round in 0.. {
            let mut left = 0;
            for queue in &system::WORKED {
                let counts = running.aws.queues().counts(queue.name)?;
                left += counts.visible + counts.in_flight;
                // A file's leads are held back for less than a minute.
                let soon = running.cloud.clock.now().as_millisecond() + 60_000;
                let next = running.aws.queues().next_visible_ms(queue.name)?;
                left += u64::from(next.is_some_and(|at| at < soon));
            }
            // The last note is kept, so that the next has its number.
            let noted = running.aws.tables().stream_after(system::TABLE, 0, 2)?.len();
            if left == 0 && noted <= 1 {
                return Ok(());
            }
            if Instant::now() >= until {
                return self.say(&format!("{left} messages are left to the sweep"));
            }
            if round % 30 == 29 {
                self.say(&format!("{left} messages are to be worked"))?;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        Ok(())
    }
}

/// The desk of one company, over HTTP.
struct Desk {
    company: CompanyId,
    target: Target,
    api: Api,
}

impl Desk {
    async fn of(running: &Running, company: &CompanyId) -> anyhow::Result<Self> {
        let token = DeskToken { staff: "load".to_owned(), companies: vec![company.clone()] };
        let token = Some(running.cloud.master.mint(&token));
        let url = Some(running.ready.url.clone());
        let target = Target { url, token, data: std::path::PathBuf::new() };
        let api = Api::of(&target, company).await?;
        Ok(Self { company: company.clone(), target, api })
    }

    /// The demo's rules as this company's own.
    async fn publish(&self, data: &Path, url: &str) -> anyhow::Result<()> {
        let mut files = demo::files_of(Some(data), &format!("{url}/"))?;
        for (_, bytes) in files.iter_mut().filter(|(name, _)| name == "company.toml") {
            let text = String::from_utf8_lossy(bytes).into_owned();
            let own = format!("id = \"{}\"", self.company);
            let line = |line: &str| if line.starts_with("id = ") { own.clone() } else { line.to_owned() };
            *bytes = text.lines().map(line).collect::<Vec<_>>().join("\n").into_bytes();
        }
        let (checked, files) = rules::check(files, Timestamp::UNIX_EPOCH);
        anyhow::ensure!(checked.errors.is_empty(), "the second company's rulebook has errors");
        self.api.publish(&files.context("there are files")?, None).await?;
        Ok(())
    }

    /// Past leads; or, of a source, enquiries.
    async fn import(&self, text: &str, source: Option<&str>, rows: usize) -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("leads.csv");
        std::fs::write(&file, text)?;
        let options = import::Options {
            enquiries: source.is_some().then(|| file.clone()),
            source: source.map(str::parse).transpose()?,
            history: source.is_none().then(|| file.clone()),
            counts: None,
            suppressed: None,
            do_not_call: None,
            company: self.company.clone(),
            target: self.target.clone(),
            dry_run: false,
            rename: Vec::new(),
            set: Vec::new(),
            map: Vec::new(),
            map_file: None,
            sheet: None,
            windows_1252: false,
            json: true,
        };
        let told = import::run(&options).await?;
        let part = told.parts.first().context("one file")?;
        anyhow::ensure!(part.imported == rows as u64, "{} of {rows} rows came in", part.imported);
        Ok(())
    }

    /// Of those who wait or are nurtured, so many are to be called now; who may not be is passed over.
    async fn choose(&self, many: usize) -> anyhow::Result<usize> {
        let mut chosen = 0;
        for stage in [Stage::Nurturing, Stage::Waiting] {
            let mut after = Value::Null;
            while chosen < many {
                let search = json!({
                    "company": self.company, "stage": stage, "limit": limits::LEADS_PER_ACT, "after": after,
                });
                let found = self.asks("/v1/leads/search", &search).await?;
                let leads = found["leads"].as_array().context("a search has leads")?;
                let ids: Vec<&Value> = leads.iter().map(|lead| &lead["lead"]).take(many - chosen).collect();
                if !ids.is_empty() {
                    let told = self.asks("/v1/leads/follow_up", &json!({ "leads": ids })).await?;
                    let done = told["results"].as_array().into_iter().flatten();
                    chosen += done.filter(|one| one["done"] == true).count();
                }
                after = found["next"].clone();
                if after.is_null() {
                    break;
                }
            }
        }
        Ok(chosen)
    }

    async fn asks(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.api.ask(Method::POST, path, Some(body)).await?.json().with_context(|| path.to_owned())
    }
}

/// Where most people live.
fn places() -> Vec<Place> {
    let mut places: Vec<Place> = place::all().collect();
    places.sort_by_key(|place| std::cmp::Reverse(place.population()));
    places.truncate(5_000);
    places
}

/// What came of a hundred past leads; whom nobody bought first.
const OUTCOMES: [(u32, &str); 8] = [
    (18, "expired"),
    (22, "rejected"),
    (52, "lost"),
    (74, "won"),
    (84, "contacted"),
    (92, "accepted"),
    (96, "returned"),
    (100, "declined"),
];
const MESSAGES: [&str; 4] = [
    "The roof leaks over the garage since the storm.",
    "Please call in the evening.",
    "How soon could somebody come? We want to compare two offers before the summer.",
    "",
];

/// The rows of the files.
struct Rows<'a> {
    book: &'a Rulebook,
    places: Vec<Place>,
    now: Timestamp,
}

impl Rows<'_> {
    /// Who somebody is: name, e-mail, phone, ZIP, message. Mailboxes and phones are each one's own.
    fn person(&self, text: &mut String, n: usize, mailbox: &str, rng: &mut Rng) {
        const FIRST: [&str; 6] = ["Ann", "James", "Maria", "Luis", "Priya", "Tom"];
        const LAST: [&str; 6] = ["Hill", "Berg", "Ortiz", "Young", "Patel", "Weber"];
        let (first, last) = (rng.choice(FIRST).unwrap_or("Ann"), rng.choice(LAST).unwrap_or("Hill"));
        let zip = rng.choice(&self.places).map(|place| place.zip().to_string()).unwrap_or_default();
        let message = rng.choice(MESSAGES).unwrap_or_default();
        let _ = write!(text, "{first},{last},{first}.{last}{n}@{mailbox},305{:07},{zip},", 2_000_000 + n);
        let _ = write!(text, "{message:?},");
    }

    /// Past leads `from..upto` of `many`, over the year.
    fn past(&self, (from, upto): (usize, usize), many: usize) -> String {
        let mut text = "first_name,last_name,email,phone,zip,message,source,offer,utm_campaign,received_at,\
                        dealer,contract,assigned_at,price,outcome,outcome_at,won_value\n"
            .to_owned();
        let mut rng = Rng::with_seed(from as u64 ^ 7);
        let sources: Vec<_> = self.book.sources.iter().filter(|source| !source.test).collect();
        let year_ms = 364 * 24 * 3_600_000_u64;
        for n in from..upto {
            self.person(&mut text, n, "past.example", &mut rng);
            let (Some(source), Some(contract)) = (rng.choice(&sources), rng.choice(&self.book.contracts))
            else {
                continue;
            };
            let taken: Vec<_> =
                self.book.offers.iter().filter(|offer| contract.offers.takes(&offer.id)).collect();
            let offer = rng.choice(&taken).map(|offer| offer.id.to_string()).unwrap_or_default();
            let ago_ms = year_ms * (many - n) as u64 / many as u64 + rng.u64(..3_600_000);
            let received = self.now - SignedDuration::from_millis(ago_ms as i64);
            let campaign = rng.u32(..60);
            let _ = write!(text, "{},{offer},", source.id);
            let _ = if campaign < 40 { write!(text, "campaign-{campaign}") } else { Ok(()) };
            let _ = write!(text, ",{received},");
            let chance = rng.u32(..100);
            let (_, outcome) = OUTCOMES.iter().find(|(upto, _)| chance < *upto).unwrap_or(&OUTCOMES[0]);
            let sold = received + SignedDuration::from_secs(rng.i64(2..3_600));
            let closed = sold + SignedDuration::from_secs(rng.i64(60..3_000_000));
            let (sold, closed) = (sold.min(self.now), closed.min(self.now));
            if chance < 22 {
                let _ = writeln!(text, ",,,,{outcome},{closed},");
                continue;
            }
            let (dealer, contract) = (&contract.dealer, &contract.id);
            let won = if *outcome == "won" { rng.u32(900..18_000).to_string() } else { String::new() };
            let price = rng.u32(8..120);
            let _ = writeln!(text, "{dealer},{contract},{sold},{price}.00,{outcome},{closed},{won}");
        }
        text
    }

    /// Who asked in the last two weeks, most of them today: half for what is placed by hand; one in twenty from a mailbox that is thrown away.
    fn crowd(&self, many: usize) -> String {
        let mut text = "first_name,last_name,email,phone,zip,message,offer,received_at\n".to_owned();
        let mut rng = Rng::with_seed(many as u64);
        let offers = &self.book.offers;
        let by_hand = offers.iter().find(|offer| offer.mode == leadyard_domain::rulebook::Mode::Manual);
        for n in 0..many {
            let mailbox = if n % 20 == 0 { "mailinator.com" } else { "crowd.example" };
            self.person(&mut text, 2_000_000 + n, mailbox, &mut rng);
            let offer = by_hand.filter(|_| n % 2 == 0).or_else(|| rng.choice(offers));
            let most_s = if n % 4 == 3 { 14 * 86_400 } else { 6 * 3_600 };
            let received = self.now - SignedDuration::from_secs(rng.i64(60..most_s));
            let offer = offer.map(|offer| offer.id.to_string()).unwrap_or_default();
            let _ = writeln!(text, "{offer},{received}");
        }
        text
    }
}
