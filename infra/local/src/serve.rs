//! `leadyard serve`: everything on this machine, until it is told to stop.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use axum::Router;
use leadyard_domain::dealer::ChannelKind;
use leadyard_domain::delivery::derive_secret;
use leadyard_domain::ids::DealerId;
use leadyard_domain::rulebook::{Offer, Rulebook, SourceKind};
use leadyard_platform::clock::Clock;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::config::Config;
use leadyard_platform::entropy::Entropy;
use leadyard_platform::outbound::{Outbound, Settings};
use leadyard_platform::source_keys::SourceKeys;
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::aws::{Calls, LocalAws, QueueSpec};
use crate::demo_dealer::{self, DemoDealers};
use crate::keys::{DealerKeys, Keys};
use crate::pages::landing;
use crate::system::{self, Parts};
use crate::{demo, folder, gateway, poller, rules};

/// What `serve` is asked for.
#[derive(Clone, Debug)]
pub struct Options {
    /// The data folder; `None` keeps nothing.
    pub data: Option<PathBuf>,
    /// The port; 0 picks one.
    pub port: u16,
    /// The rulebook's folder; the demo, if `None`.
    pub rules: Option<PathBuf>,
}

/// What a script needs to use a running system.
#[derive(Clone, Debug, Serialize)]
pub struct Ready {
    /// Where it is.
    pub url: String,
    /// A page that posts leads.
    pub landing_page: String,
    /// The desk's API.
    pub console: String,
    /// A page that shows what dealers received.
    pub demo_dealer: String,
    /// A page that shows what was mailed.
    pub mail: String,
    /// The desk's bearer token.
    pub desk_token: String,
    /// The rulebook's version.
    pub rulebook: u64,
    /// Every dealer's bearer token.
    pub dealers: Vec<DealerKeys>,
    /// Every source's key and secret.
    pub sources: Vec<SourceKeys>,
}

/// A running system.
pub struct Running {
    /// How to use it.
    pub ready: Ready,
    /// The cloud that its functions share.
    pub cloud: Cloud,
    /// Its services.
    pub aws: Arc<LocalAws>,
    /// What its demo dealers received.
    pub demo_dealers: DemoDealers,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Running {
    /// Stops taking requests and messages, and lets what runs finish.
    pub async fn stop(self) {
        let _ = self.stop.send(true);
        for task in self.tasks {
            let _ = task.await;
        }
    }
}

/// Starts everything. Errors say what kept it from starting, and change nothing.
pub async fn start(options: &Options) -> anyhow::Result<Running> {
    Box::pin(start_over(options, |http| http)).await
}

/// The same with the SDK's HTTP client wrapped: to count or to disturb what the functions ask for.
pub async fn start_over(
    options: &Options,
    wrap: impl FnOnce(SharedHttpClient) -> SharedHttpClient,
) -> anyhow::Result<Running> {
    let clock = Clock::system();
    let entropy = Entropy::system();
    let specs = system::queue_specs();
    let millis = system::millis(&clock);
    let (aws, master) = match &options.data {
        Some(data) => {
            let master = folder::master_key(data, &entropy)?;
            let aws = LocalAws::open(data, millis, entropy.u64(), Calls::Inline, &specs)
                .with_context(|| format!("the data folder {} did not open", data.display()))?;
            (aws, master)
        }
        None => {
            let master = leadyard_domain::access::MasterKey::new(entropy.bytes());
            (LocalAws::memory(millis, None, &specs)?, master)
        }
    };
    let aws = Arc::new(aws);
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, options.port)))
        .await
        .with_context(|| format!("port {} could not be opened on loopback", options.port))?;
    let base = format!("http://{}/", listener.local_addr()?);
    let outbound = Outbound::new(Settings::new(true))?;
    let parts = Parts {
        clock: clock.clone(),
        entropy,
        outbound,
        master,
        console_url: Some(base.trim_end_matches('/').to_owned()),
        meta: Config::meta()?,
        oidc: Config::oidc()?,
    };
    let mut cloud = system::cloud(wrap(aws.http_client()), parts).await?;
    // Everything above is bound to loopback: whoever comes is on this machine.
    cloud.offers_people = true;
    aws.tables().stream_begin(system::TABLE)?;

    let files = match &options.rules {
        Some(folder) => rules::read(folder)?,
        None => demo::files_of(options.data.as_deref(), &base)?,
    };
    let (checked, files) = rules::check(files, clock.now());
    let (Some((book, compiled)), Some(files)) = (&checked.rulebook, &files) else {
        let errors: Vec<String> = checked.errors.iter().map(ToString::to_string).collect();
        anyhow::bail!("the rulebook has errors; nothing was published\n{}", errors.join("\n"));
    };
    let rulebook = rules::publish(&cloud, compiled, files, "serve", clock.now()).await?;
    let ready = introduce(&cloud, book, &base, rulebook);

    let demo_dealers = receivers(&cloud, book);
    let mails = crate::pages::mail::router(Arc::clone(aws.mail()), cloud.clone());
    let desk = crate::pages::desk::router(&ready.desk_token);
    let pages = pages(book, &ready, &demo_dealers).merge(mails).merge(desk);
    dealers_queues(&aws, book)?;
    let (stop, stopped) = watch::channel(false);
    let app = gateway::router(&cloud, pages);
    let tasks = vec![
        tokio::spawn(serve(listener, app, stopped.clone())),
        tokio::spawn(poller::run(cloud.clone(), Arc::clone(aws.queues()), stopped.clone())),
        tokio::spawn(poller::report(cloud.clone(), aws.tables().clone(), stopped.clone())),
        tokio::spawn(poller::tick(cloud.clone(), stopped)),
    ];
    Ok(Running { ready, cloud, aws, demo_dealers, stop, tasks })
}

/// Queues that dealers are reached by, as this rulebook names them: on AWS they are the dealers' own.
fn dealers_queues(aws: &LocalAws, book: &Rulebook) -> anyhow::Result<()> {
    for channel in book.channels.iter().filter(|channel| channel.kind == ChannelKind::Sqs) {
        let name = channel.address.rsplit('/').next().unwrap_or(&channel.address);
        if !aws.queues().exists(name) {
            aws.queues().ensure(&QueueSpec::new(name))?;
        }
    }
    Ok(())
}

async fn serve(listener: TcpListener, app: Router, mut stopped: watch::Receiver<bool>) {
    let until = async move {
        let _ = stopped.wait_for(|stopped| *stopped).await;
    };
    if let Err(error) = axum::serve(listener, app).with_graceful_shutdown(until).await {
        tracing::error!(error = &error as &dyn std::error::Error, "the gateway stopped");
    }
}

/// Where it is, and every way in.
fn introduce(cloud: &Cloud, book: &Rulebook, base: &str, rulebook: u64) -> Ready {
    let keys = Keys::mint(&cloud.master, book, "desk@localhost");
    Ready {
        url: base.trim_end_matches('/').to_owned(),
        landing_page: base.to_owned(),
        console: format!("{base}console/"),
        demo_dealer: format!("{base}demo/dealer"),
        mail: format!("{base}mail"),
        desk_token: keys.desk_token,
        rulebook,
        dealers: keys.dealers,
        sources: keys.sources,
    }
}

fn receivers(cloud: &Cloud, book: &Rulebook) -> DemoDealers {
    let company = book.company.id.clone();
    let master = cloud.master.clone();
    let secrets = move |dealer: &str| {
        let dealer = DealerId::new(dealer).ok();
        let secret = dealer.and_then(|dealer| derive_secret(master.bytes(), &company, &dealer, 1).ok());
        secret.map(|secret| secret.reveal()).into_iter().collect()
    };
    let clock = cloud.clock.clone();
    DemoDealers::new(Arc::new(secrets), Arc::new(move || clock.now()))
}

/// The demo's pages: a landing page for the first form, and the dealers.
fn pages(book: &Rulebook, ready: &Ready, dealers: &DemoDealers) -> Router {
    let source =
        book.sources.iter().position(|source| source.kind == SourceKind::Form && !source.test).unwrap_or(0);
    let key = ready.sources.get(source).map(|source| source.key.clone()).unwrap_or_default();
    // What the page offers is one trade: that of its source's own offer.
    let own = book.sources.get(source).and_then(|source| source.offer.as_ref());
    let category =
        book.offers.iter().find(|offer| own.is_none_or(|own| *own == offer.id)).map(|offer| &offer.category);
    let mut offers: Vec<&Offer> =
        book.offers.iter().filter(|offer| Some(&offer.category) == category).collect();
    offers.sort_by_key(|offer| Some(&offer.id) != own);
    let offers: Vec<(String, String)> =
        offers.into_iter().map(|offer| (offer.id.to_string(), offer.name.clone())).collect();
    Router::new().merge(landing::router(&key, &offers)).merge(demo_dealer::router(dealers.clone()))
}
