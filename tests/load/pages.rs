//! Pages: what each page of the console reads, how long the server takes and how heavy it is, where a table holds so many
//! leads; beside the same pages of a company with a hundredth of them. Both stand in one folder, which is filled once.
//!
//! | module | holds |
//! |---|---|
//! | [`fill`] | the folder |
//! | [`walk`] | somebody who goes from link to link |
//! | [`reads`] | what is read |
//!
//! Each page is asked for over HTTP on loopback, by one connection, two hundred times over what addresses of its kind were
//! found (`--times`). Reads are counted in a round before, since counting takes time. What nothing leads to is said at the end.

mod fill;
mod walk;
mod reads;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use hdrhistogram::Histogram;
use http::Method;
use jiff::SignedDuration;
use leadyard::aws::{Calls, LocalAws};
use leadyard::{folder, gateway, system};
use leadyard_domain::access::{DealerToken, DeskToken};
use leadyard_domain::ids::CompanyId;
use leadyard_domain::lead::Stage;
use leadyard_domain::report::Dimension;
use leadyard_domain::rulebook::Rulebook;
use leadyard_platform::clock::Clock;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::entropy::Entropy;
use leadyard_platform::meta::MetaAccess;
use leadyard_platform::now;
use leadyard_platform::outbound::{Outbound, Settings};
use leadyard_tests::routes::{is_page, routes_of};
use tokio::time::Instant;

use fill::Filled;
use reads::{Read, Reads};
use walk::{Routes, TOOK, Visitor, YEAR};

/// Or for so long, where it takes seconds.
const LONGEST: Duration = Duration::from_secs(20);
/// Dealers whose inbox is looked at.
const DEALERS: usize = 5;
/// Store reads of a page, and of Today for each company beside the session.
const READS: usize = 20;
const READS_TODAY: usize = 12 + 1;
const TODAY: &str = "/console/today";
const TODAY_OF_BOTH: &str = "Today of both";
const AFTER_A_QUIET_TIME: &str = "Today of both, after a quiet time";
/// Read units of a year's report.
const UNITS: f64 = 40.0;
const P99_MS: f64 = 50.0;
const KB: f64 = 100.0;

/// Fills the folder, if it is not yet, and measures: all pages, or those whose kind has these words alone.
pub(crate) async fn measure(
    leads: usize,
    times: usize,
    only: Option<&str>,
    data: Option<&Path>,
) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    let temporary = data.is_none().then(tempfile::tempdir).transpose()?;
    let data = data.map(Path::to_owned).or_else(|| Some(temporary.as_ref()?.path().join("data")));
    let data: PathBuf = data.context("a folder")?;
    writeln!(out, "{leads} leads in {}", data.display())?;
    let filled = Box::pin(fill::fill(&data, leads)).await?;
    let companies = [filled.book.company.id.clone(), fill::SMALL.parse()?];
    let system = System::open(&data, &filled, times, &companies).await?;
    let mut measured = Vec::new();
    for company in &companies {
        let mut asks = system.asks_of(company, &filled.book).await?;
        asks.retain(|kind, _| only.is_none_or(|only| kind.contains(only)));
        writeln!(out, "  {company}: {} addresses of {} kinds", count(&asks), asks.len())?;
        measured.push(system.measure(asks).await?);
    }
    let small = measured.pop().unwrap_or_default();
    let large = measured.pop().unwrap_or_default();
    if only.is_some() {
        return table(&mut out, &companies, (&large, &small), &BTreeMap::new());
    }
    let both = system.desk(&companies).await?;
    let today = |visitor: &Visitor| vec![Ask::get(visitor, TODAY)];
    let mut of_both = BTreeMap::from([(TODAY_OF_BOTH.to_owned(), today(&both))]);
    let mut figures = system.measure(std::mem::take(&mut of_both)).await?;
    // Nothing happens for a quarter of an hour and more: what was counted is old, until the sweep counts.
    system.later_ms.store(20 * 60_000, Ordering::Relaxed);
    leadyard_sweep::sweep(&system.cloud).await?;
    of_both.insert(AFTER_A_QUIET_TIME.to_owned(), today(&both));
    figures.append(&mut system.measure(of_both).await?);
    let verdict = table(&mut out, &companies, (&large, &small), &figures);
    let unseen = system.routes.unseen(large.values().map(|of| of.at.as_str()));
    writeln!(out, "\nnot measured, since nothing led there: {unseen:?}")?;
    verdict
}

fn count(asks: &BTreeMap<String, Vec<Ask>>) -> usize {
    asks.values().map(Vec::len).sum()
}

/// What is asked for, and by whom.
#[derive(Clone)]
struct Ask {
    by: Visitor,
    at: String,
    /// What a form sends.
    form: Option<String>,
}

impl Ask {
    fn get(by: &Visitor, at: &str) -> Self {
        Self { by: by.clone(), at: at.to_owned(), form: None }
    }

    fn post(by: &Visitor, at: &str, form: &[(&str, &str)]) -> Self {
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        Self { form: Some(form), ..Self::get(by, at) }
    }

    async fn asked(&self) -> anyhow::Result<walk::Page> {
        let method = if self.form.is_some() { Method::POST } else { Method::GET };
        let page = self.by.asks(method, &self.at, self.form.as_deref()).await?;
        anyhow::ensure!(page.is_there(), "{}: {}", self.at, page.status);
        Ok(page)
    }
}

/// What a kind of page took.
struct Figures {
    /// One of its addresses: that which read most.
    at: String,
    addresses: usize,
    most: Read,
    kb: f64,
    took_us: Histogram<u64>,
}

impl Figures {
    fn ms(&self, quantile: f64) -> f64 {
        self.took_us.value_at_quantile(quantile) as f64 / 1_000.0
    }
}

/// The functions over the folder, under a clock that goes on from when it was filled; and nothing else runs.
struct System {
    cloud: Cloud,
    reads: Reads,
    routes: Routes,
    client: reqwest::Client,
    base: String,
    /// Each kind of page is asked for so often.
    times: usize,
    /// By so much the clock is ahead.
    later_ms: Arc<AtomicI64>,
    companies: Vec<CompanyId>,
}

impl System {
    async fn open(
        data: &Path,
        filled: &Filled,
        times: usize,
        companies: &[CompanyId],
    ) -> anyhow::Result<Self> {
        let (at, began, later_ms) = (filled.at, Instant::now(), Arc::new(AtomicI64::new(0)));
        let later = Arc::clone(&later_ms);
        let clock = Clock::given(move || {
            let passed = SignedDuration::try_from(began.elapsed()).unwrap_or_default();
            at + passed + SignedDuration::from_millis(later.load(Ordering::Relaxed))
        });
        let entropy = Entropy::system();
        let master = folder::master_key(data, &entropy)?;
        let millis = system::millis(&clock);
        let aws = LocalAws::open(data, millis, entropy.u64(), Calls::Inline, &system::queue_specs())?;
        let reads = Reads::default();
        let parts = system::Parts {
            clock,
            entropy,
            outbound: Outbound::new(Settings::new(true))?,
            master,
            console_url: None,
            meta: MetaAccess::read("{}"),
            oidc: None,
        };
        let cloud = system::cloud(reads.over(aws.http_client()), parts).await?;
        let app = gateway::router(&cloud, Router::new()).layer(from_fn(timed));
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let base = format!("http://{}", listener.local_addr()?);
        tokio::spawn(async move { axum::serve(listener, app).await });
        let routed = routes_of(&leadyard_console::router(cloud.clone())).into_iter();
        let pages = routed.filter(|(method, path)| method == "get" && is_page(path));
        let routes = Routes::of(pages.map(|(_, path)| path));
        Ok(Self {
            cloud,
            reads,
            routes,
            client: client()?,
            base,
            times,
            later_ms,
            companies: companies.to_vec(),
        })
    }

    /// Somebody who answers for these companies.
    async fn desk(&self, companies: &[CompanyId]) -> anyhow::Result<Visitor> {
        let token = DeskToken { staff: "load".to_owned(), companies: companies.to_vec() };
        Visitor::signs_in(&self.client, &self.base, &self.cloud.master.mint(&token)).await
    }

    /// All that is asked for of a company, by kind.
    async fn asks_of(
        &self,
        company: &CompanyId,
        book: &Rulebook,
    ) -> anyhow::Result<BTreeMap<String, Vec<Ask>>> {
        let desk = self.desk(std::slice::from_ref(company)).await?;
        let mut asks = BTreeMap::<String, Vec<Ask>>::new();
        let mut walks = vec![(desk.clone(), from(company, book))];
        for dealer in book.dealers.iter().step_by(book.dealers.len().div_ceil(DEALERS).max(1)) {
            let token = DealerToken { company: company.clone(), dealer: dealer.id.clone(), generation: 1 };
            let token = self.cloud.master.mint(&token);
            let inbox = Visitor::signs_in(&self.client, &self.base, &token).await?;
            walks.push((inbox, vec!["/console/inbox".to_owned()]));
        }
        for (visitor, from) in walks {
            for (kind, addresses) in walk::walk(&visitor, &self.routes, from).await? {
                let of_kind = addresses.iter().map(|at| Ask::get(&visitor, at));
                asks.entry(kind).or_default().extend(of_kind);
            }
        }
        // What a report is by is chosen in a form; of a year it is the dearest.
        let years = asks.iter().filter(|(kind, _)| kind.ends_with(YEAR) && !kind.contains(".csv"));
        let years: Vec<Ask> = years.filter_map(|(_, asks)| asks.first().cloned()).collect();
        let dearest = [Dimension::All, Dimension::Campaign];
        for (year, by) in years.iter().flat_map(|year| dearest.map(|by| (year, by))) {
            let at = format!("{}&by={by}", year.at);
            if let (true, Some(kind)) = (desk.opens(&at).await?.is_there(), self.routes.kind(&at)) {
                asks.insert(kind, vec![Ask::get(&desk, &at)]);
            }
        }
        let id = company.as_str();
        let who = (0..self.times).map(|n| format!("nobody{n}@past.example"));
        let sought = who.map(|who| Ask::post(&desk, "/console/leads", &[("company", id), ("who", &who)]));
        asks.insert("form: who is sought by e-mail".to_owned(), sought.collect());
        let files = ["hottest", "waiting", "assigned", "won"].map(|list| {
            let list = format!("company={id}&list={list}");
            Ask::post(&desk, "/console/leads/export", &[("list", &list)])
        });
        asks.insert("form: a list as a file".to_owned(), files.to_vec());
        Ok(asks)
    }

    async fn measure(&self, asks: BTreeMap<String, Vec<Ask>>) -> anyhow::Result<BTreeMap<String, Figures>> {
        let mut measured = BTreeMap::new();
        for (kind, asks) in asks {
            if kind != AFTER_A_QUIET_TIME {
                // As reporting and the sweep do, which do not run here: what was counted serves no page for long.
                for company in &self.companies {
                    now::keep(&self.cloud, company, None).await?;
                }
            }
            measured.insert(kind, self.figures(&asks).await?);
        }
        Ok(measured)
    }

    async fn figures(&self, asks: &[Ask]) -> anyhow::Result<Figures> {
        let mut most = Read::default();
        let (mut at, mut bytes) = (String::new(), 0);
        self.reads.count(true);
        for ask in asks {
            let _ = self.reads.take();
            bytes = ask.asked().await?.bytes.max(bytes);
            let read = self.reads.take();
            if at.is_empty() || read.calls > most.calls {
                at.clone_from(&ask.at);
            }
            most = Read { calls: most.calls.max(read.calls), units: most.units.max(read.units) };
        }
        self.reads.count(false);
        let (mut took_us, began) = (Histogram::new(3)?, Instant::now());
        for ask in asks.iter().cycle().take(self.times) {
            took_us.record(ask.asked().await?.took.as_micros() as u64)?;
            if began.elapsed() >= LONGEST {
                break;
            }
        }
        Ok(Figures { at, addresses: asks.len(), most, kb: bytes as f64 / 1_000.0, took_us })
    }
}

/// Says how long the functions took.
async fn timed(request: Request, next: Next) -> Response {
    let began = Instant::now();
    let mut response = next.run(request).await;
    response.headers_mut().insert(TOOK, (began.elapsed().as_micros() as u64).into());
    response
}

/// One connection, and no page that another leads to.
fn client() -> anyhow::Result<reqwest::Client> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    let client = reqwest::Client::builder().use_preconfigured_tls(tls).no_proxy();
    Ok(client.redirect(reqwest::redirect::Policy::none()).pool_max_idle_per_host(1).build()?)
}

/// Where somebody begins: what is chosen from a list in a form, no link leads to.
fn from(company: &CompanyId, book: &Rulebook) -> Vec<String> {
    let mut from = vec!["/console/".to_owned(), TODAY.to_owned()];
    let mut at = |path: &str, more: &str| from.push(format!("/console/{path}?company={company}{more}"));
    for path in ["quarantine", "quarantine/reasons", "waiting", "follow-up", "returns", "dealers"] {
        at(path, "");
    }
    for path in ["rulebook", "rulebook/changes", "people", "reports", "leads/export"] {
        at(path, "");
    }
    at("rulebook/diff", "&from=1&to=1");
    let list = format!("company={company}&list=waiting");
    let list: String = form_urlencoded::byte_serialize(list.as_bytes()).collect();
    for act in ["hold", "take_back"] {
        at("leads/many", &format!("&act={act}&list={list}"));
    }
    for show in ["paused", "failing", "full"] {
        at("dealers", &format!("&show={show}"));
    }
    let stages = Stage::ALL.iter().map(ToString::to_string);
    for list in stages.chain(["hottest".to_owned()]) {
        at("leads", &format!("&list={list}"));
        // Few live in the first; whom the last asks for there is nobody.
        for only in ["state=WY", "held=yes", "held=no", "state=VT&held=yes&offer=commercial-roof"] {
            at("leads", &format!("&list={list}&{only}"));
        }
    }
    for source in &book.sources {
        let list = format!("&list=source:{}", source.id);
        for more in ["", "&state=WY", "&order=score", "&order=score&state=WY"] {
            at("leads", &format!("{list}{more}"));
        }
    }
    for dealer in book.dealers.iter().step_by(7) {
        for list in ["dealer", "past"] {
            at("leads", &format!("&list={list}:{}", dealer.id));
            at("leads", &format!("&list={list}:{}&offer=commercial-roof&state=WY", dealer.id));
        }
    }
    from
}

type Measured = BTreeMap<String, Figures>;

/// The table, and behind it what is beyond its bars.
fn table(
    out: &mut impl std::io::Write,
    [large, small]: &[CompanyId; 2],
    (of_large, of_small): (&Measured, &Measured),
    of_both: &Measured,
) -> anyhow::Result<()> {
    writeln!(
        out,
        "\nbars: {READS} reads (Today {READS_TODAY}, of each company 12), {UNITS} units of a year's report,"
    )?;
    writeln!(out, "p99 {P99_MS} ms, {KB} kB; an * is beyond its bar. The most of all addresses of a kind.")?;
    writeln!(
        out,
        "\n{:<62} {:>5} {:>6} {:>8} {:>8} {:>8} {:>7}   {small}: reads, units, p50 ms, times {large}'s",
        large.as_str(),
        "of",
        "reads",
        "units",
        "p50 ms",
        "p99 ms",
        "kB",
    )?;
    // How long a page takes is the machine's as well: a figure. What it reads and weighs is ours: a verdict.
    let (mut beyond, mut failed) = (Vec::new(), false);
    for (kind, of) in of_large.iter().chain(of_both) {
        let mut over = false;
        let mut star = |is: bool| {
            over |= is;
            if is { "*" } else { " " }
        };
        let reads = star(of.most.calls > reads_bar(kind));
        let units = star(kind.contains(YEAR) && of.most.units > UNITS);
        let kb = star(of.kb > KB);
        failed |= [reads, units, kb].contains(&"*");
        let p99 = star(of.ms(0.99) > P99_MS);
        write!(
            out,
            "{kind:<62} {:>5} {:>5}{reads} {:>7.1}{units} {:>8.1} {:>7.1}{p99} {:>6.1}{kb}",
            of.addresses,
            of.most.calls,
            of.most.units,
            of.ms(0.5),
            of.ms(0.99),
            of.kb,
        )?;
        match of_small.get(kind) {
            Some(few) => writeln!(
                out,
                "   {:>3} {:>7.1} {:>7.1} {:>6.1}",
                few.most.calls,
                few.most.units,
                few.ms(0.5),
                of.ms(0.5) / few.ms(0.5).max(0.001),
            )?,
            None => writeln!(out)?,
        }
        if over {
            beyond.push((kind, &of.at));
        }
    }
    writeln!(out, "\nbeyond a bar, the address that reads most:")?;
    for (kind, at) in beyond {
        writeln!(out, "  {kind}: {at}")?;
    }
    anyhow::ensure!(!failed, "a page reads or weighs more than its bar");
    Ok(())
}

/// Today of two companies may read as much of each.
fn reads_bar(kind: &str) -> usize {
    match kind {
        TODAY => READS_TODAY,
        kind if kind.starts_with(TODAY_OF_BOTH) => 2 * READS_TODAY - 1,
        _ => READS,
    }
}
