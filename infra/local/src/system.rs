//! The whole system in one process: the cloud in process, and what AWS would do around the functions.
//!
//! It is the template written in Rust: the same queues with the same redrive, a poller where Lambda has
//! its event source mappings, of queues and of the table's stream, a ticker where it has a schedule. Tests and `serve` build it alike.

use std::sync::Arc;

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use leadyard_domain::access::MasterKey;
use leadyard_platform::clock::Clock;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::config::{Config, QueueUrls};
use leadyard_platform::entropy::Entropy;
use leadyard_platform::mail::MailConfig;
use leadyard_platform::meta::MetaAccess;
use leadyard_platform::oidc::OidcAccess;
use leadyard_platform::outbound::Outbound;
use leadyard_platform::store::StoreError;

use crate::aws::{QueueSpec, queue_url};

/// The table's name.
pub const TABLE: &str = "leadyard";

/// A queue and who works it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Worked {
    /// Its name; its dead letters stand in `NAME-dead`.
    pub name: &'static str,
    /// The function that works it, as the template names it.
    pub function: &'static str,
    /// How long a received message is kept from others, in seconds.
    pub visibility_s: u32,
    /// After how many receipts a message goes to the dead letters.
    pub max_receive_count: u32,
    /// Batches worked side by side (Lambda's maximum concurrency).
    pub concurrency: usize,
    /// Messages of one batch.
    pub batch: usize,
}

/// Interactions on their way to scoring.
pub const INTERACTIONS: Worked = Worked {
    name: "interactions",
    function: "scoring",
    visibility_s: 60,
    max_receive_count: 8,
    concurrency: 2,
    batch: 10,
};
/// Leads on their way to a decision. Contention, not speed, limits it.
pub const DISTRIBUTION: Worked = Worked {
    name: "distribution",
    function: "distribution",
    visibility_s: 60,
    max_receive_count: 8,
    concurrency: 4,
    batch: 10,
};
/// Assignments on their way to a dealer. An attempt takes up to ten seconds, so many run side by side.
pub const DELIVERY: Worked = Worked {
    name: "delivery",
    function: "delivery",
    visibility_s: 90,
    max_receive_count: 8,
    concurrency: 32,
    batch: 10,
};
/// What the table did not take. It is patient: the table may be away for hours.
pub const SPILL: Worked = Worked {
    name: "spill",
    function: "spill",
    visibility_s: 90,
    max_receive_count: 1_000,
    concurrency: 1,
    batch: 10,
};

/// What SES says of mails after it took them: bounces, complaints. On AWS the configuration set of
/// `LEADYARD_MAIL_CONFIGURATION_SET` publishes them to a topic that this queue listens to, and the function is delivery,
/// deployed a second time with `LEADYARD_ROLE=mail-events`; no function sends to it.
pub const MAIL_EVENTS: Worked = Worked {
    name: crate::aws::ses::EVENTS,
    function: "mail-events",
    visibility_s: 90,
    max_receive_count: 8,
    concurrency: 1,
    batch: 10,
};

/// Every queue that a function works.
pub const WORKED: [Worked; 5] = [INTERACTIONS, DISTRIBUTION, DELIVERY, SPILL, MAIL_EVENTS];

impl Worked {
    /// The name of its dead letters.
    pub fn dead(&self) -> String {
        format!("{}-dead", self.name)
    }
}

/// All queues as the local SQS makes them, dead letters first.
pub fn queue_specs() -> Vec<QueueSpec> {
    let dead = WORKED.iter().map(|queue| QueueSpec::new(&queue.dead()));
    let worked = WORKED.iter().map(|queue| {
        QueueSpec::new(queue.name)
            .visibility_s(queue.visibility_s)
            .dead_letters(&queue.dead(), queue.max_receive_count)
    });
    dead.chain(worked).collect()
}

/// What a system is made of besides its services.
pub struct Parts {
    /// The time.
    pub clock: Clock,
    /// Randomness.
    pub entropy: Entropy,
    /// The way to dealers.
    pub outbound: Outbound,
    /// The master key.
    pub master: MasterKey,
    /// Where the console's pages are, without a slash at the end; letters have no links without it.
    pub console_url: Option<String>,
    /// Access to Meta, where leads come from there.
    pub meta: Option<MetaAccess>,
    /// The provider by which people sign in, where there is one.
    pub oidc: Option<OidcAccess>,
}

/// Builds the cloud that every function is given, and the table, over this HTTP client.
pub async fn cloud(http: SharedHttpClient, parts: Parts) -> Result<Cloud, StoreError> {
    let config = Config {
        table: TABLE.to_owned(),
        queues: QueueUrls {
            interactions: queue_url(INTERACTIONS.name),
            distribution: queue_url(DISTRIBUTION.name),
            delivery: queue_url(DELIVERY.name),
            spill: queue_url(SPILL.name),
        },
        master: parts.master,
        mail: MailConfig { configuration_set: Some("leadyard".to_owned()), console_url: parts.console_url },
        meta: parts.meta,
        oidc: parts.oidc,
    };
    let cloud = Cloud::in_process(http, config, parts.outbound, parts.clock, parts.entropy);
    cloud.store.create_table().await?;
    Ok(cloud)
}

/// Our clock as the local services want it.
pub fn millis(clock: &Clock) -> crate::aws::Clock {
    let clock = clock.clone();
    Arc::new(move || clock.now().as_millisecond())
}

/// The cloud of a data folder that no system has open: for what the command line does alone.
pub async fn open(data: &std::path::Path, clock: &Clock) -> anyhow::Result<Cloud> {
    Ok(open_with(data, clock).await?.0)
}

/// The same with its services.
pub async fn open_with(
    data: &std::path::Path,
    clock: &Clock,
) -> anyhow::Result<(Cloud, crate::aws::LocalAws)> {
    let entropy = Entropy::system();
    let master = crate::folder::master_key(data, &entropy)?;
    let calls = crate::aws::Calls::Inline;
    let aws = crate::aws::LocalAws::open(data, millis(clock), entropy.u64(), calls, &queue_specs())?;
    let outbound = Outbound::new(leadyard_platform::outbound::Settings::new(true))?;
    let parts = Parts {
        clock: clock.clone(),
        entropy,
        outbound,
        master,
        console_url: None,
        meta: Config::meta()?,
        oidc: None,
    };
    Ok((cloud(aws.http_client(), parts).await?, aws))
}
