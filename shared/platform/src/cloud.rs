//! The clients, built once, and everything else a handler may touch: the seam.
//!
//! On AWS the SDK talks HTTPS; on one machine and in the simulation it is given another HTTP client,
//! and nothing else changes.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::config::retry::{RetryConfig, RetryPartition};
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use leadyard_domain::access::MasterKey;

use crate::clock::Clock;
use crate::config::{Config, ConfigError, Named};
use crate::entropy::Entropy;
use crate::mail::Mailer;
use crate::meta::MetaAccess;
use crate::metrics::Metrics;
use crate::oidc::Provider;
use crate::outbound::Outbound;
use crate::queues::Queues;
use crate::rulebooks::Rulebooks;
use crate::secrets::Secrets;
use crate::store::Store;

/// All that a handler touches.
#[derive(Clone, Debug)]
pub struct Cloud {
    /// The table.
    pub store: Store,
    /// The queues.
    pub queues: Queues,
    /// Rulebooks read so far.
    pub rulebooks: Arc<Rulebooks>,
    /// Dealers' URLs.
    pub outbound: Outbound,
    /// Dealers' mailboxes.
    pub mail: Mailer,
    /// The time.
    pub clock: Clock,
    /// Randomness.
    pub entropy: Entropy,
    /// The master key.
    pub master: MasterKey,
    /// Access to Meta, where leads come from there.
    pub meta: Option<Arc<MetaAccess>>,
    /// The provider by which people sign in; by tokens alone, where there is none.
    pub oidc: Option<Arc<Provider>>,
    /// Whether the page to sign in offers the people of the rulebooks, to be chosen and not signed in. Whoever runs
    /// everything on one machine says so, for loopback; nothing that is sent can, and on AWS nobody does.
    pub offers_people: bool,
    /// What is counted.
    pub metrics: Metrics,
}

/// A function that could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The environment lacks something.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// No client for dealers' URLs.
    #[error("the outbound client could not be built")]
    Outbound(#[source] crate::outbound::BuildError),
}

/// One attempt at DynamoDB or SQS. Both answer in milliseconds; what takes longer than this has lost
/// its way, and the next attempt is likelier to come back than this one.
const ATTEMPT: Duration = Duration::from_millis(1_500);
/// All attempts together: within intake's own ten seconds, with room to spill.
const OPERATION: Duration = Duration::from_secs(4);
const CONNECT: Duration = Duration::from_secs(1);
/// Attempts of reads, single writes and sends. Transactions have a layer of their own, in the store.
const ATTEMPTS: u32 = 3;

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_attempt_timeout(ATTEMPT)
        .operation_timeout(OPERATION)
        .build()
}

fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(ATTEMPTS).with_initial_backoff(Duration::from_millis(30))
}

/// What a client may spend on trying again, of its own. The SDK keeps one budget a service and region for the whole process:
/// on AWS that is one function's. In one process there are many clouds, and worlds of a simulation side by side: what
/// one of them met would be what another may no longer try.
fn own_budget() -> RetryPartition {
    RetryPartition::custom("a cloud in process").build()
}

/// Whom a function talks to in nearly every invocation. Those connections are made in init, beside the reading of the
/// secrets: there nobody waits for them, and Lambda gives init a whole processor, where an invocation has a part of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// DynamoDB.
    Table,
    /// SQS, by the queue to distribution.
    Distribution,
    /// SQS, by the queue of interactions: all that their intake may send to.
    Interactions,
}

/// How long init waits for a connection. Without it a function starts as well: intake is there for a table that is not.
const WARMING: Duration = Duration::from_millis(500);

async fn warm(peers: &[Peer], store: &Store, queues: &Queues) {
    let table = async {
        if peers.contains(&Peer::Table) {
            store.warm().await;
        }
    };
    let queue = async {
        let urls = queues.urls();
        if peers.contains(&Peer::Distribution) {
            queues.warm(&urls.distribution).await;
        } else if peers.contains(&Peer::Interactions) {
            queues.warm(&urls.interactions).await;
        }
    };
    // Whoever does not answer in time is asked again by the first who needs it.
    let _ = tokio::time::timeout(WARMING, futures::future::join(table, queue)).await;
}

impl Cloud {
    /// On AWS: everything from the environment, with the connections to these peers made.
    ///
    /// # Errors
    /// When a variable is missing, or what it names is malformed or cannot be read.
    pub async fn from_env(peers: &[Peer]) -> Result<Self, StartError> {
        // What costs no call is looked at first.
        let named = Named::from_env()?;
        let sdk = crate::https::of_a_function(timeouts(), retries());
        let entropy = Entropy::system();
        let store = Store::new(aws_sdk_dynamodb::Client::new(&sdk), named.table.clone(), entropy.clone());
        let queues = Queues::new(aws_sdk_sqs::Client::new(&sdk), named.queues.clone());
        let secrets = Secrets::new(aws_sdk_secretsmanager::Client::new(&sdk));
        let both = futures::future::join(named.read(&secrets), warm(peers, &store, &queues));
        let (config, ()) = Box::pin(both).await;
        let config = config?;
        let ses = aws_sdk_sesv2::config::Builder::from(&sdk)
            .timeout_config(Mailer::timeouts())
            .retry_config(RetryConfig::disabled())
            .build();
        Ok(Self {
            store,
            queues,
            rulebooks: Arc::default(),
            outbound: Outbound::new(crate::outbound::Settings::beside(sdk.endpoint_url()))
                .map_err(StartError::Outbound)?,
            mail: Mailer::new(aws_sdk_sesv2::Client::from_conf(ses), config.mail),
            clock: Clock::system(),
            entropy,
            master: config.master,
            meta: config.meta.map(Arc::new),
            oidc: config.oidc.map(|access| Arc::new(Provider::new(access))),
            offers_people: false,
            metrics: Config::function().map(Metrics::to_stdout).unwrap_or_default(),
        })
    }

    /// In process: the same SDK over another HTTP client.
    pub fn in_process(
        http: SharedHttpClient,
        config: Config,
        outbound: Outbound,
        clock: Clock,
        entropy: Entropy,
    ) -> Self {
        let credentials = Credentials::new("local", "local", None, None, "local");
        let region = Region::from_static(LOCAL_REGION);
        let sleep = aws_smithy_async::rt::sleep::SharedAsyncSleep::new(
            aws_smithy_async::rt::sleep::TokioSleep::new(),
        );
        let dynamodb = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(region.clone())
            .credentials_provider(credentials.clone())
            .http_client(http.clone())
            .sleep_impl(sleep.clone())
            .timeout_config(timeouts())
            .retry_config(retries())
            .retry_partition(own_budget())
            .build();
        let sqs = aws_sdk_sqs::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(region.clone())
            .credentials_provider(credentials.clone())
            .http_client(http.clone())
            .sleep_impl(sleep.clone())
            .timeout_config(timeouts())
            .retry_config(retries())
            .retry_partition(own_budget())
            .build();
        let ses = aws_sdk_sesv2::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(region)
            .credentials_provider(credentials)
            .http_client(http)
            .sleep_impl(sleep)
            .timeout_config(Mailer::timeouts())
            .retry_config(RetryConfig::disabled())
            .build();
        Self {
            store: Store::new(aws_sdk_dynamodb::Client::from_conf(dynamodb), config.table, entropy.clone()),
            queues: Queues::new(aws_sdk_sqs::Client::from_conf(sqs), config.queues),
            rulebooks: Arc::default(),
            outbound,
            mail: Mailer::new(aws_sdk_sesv2::Client::from_conf(ses), config.mail),
            clock,
            entropy,
            master: config.master,
            meta: config.meta.map(Arc::new),
            oidc: config.oidc.map(|access| Arc::new(Provider::new(access))),
            offers_people: false,
            metrics: Metrics::default(),
        }
    }
}

impl Cloud {
    /// The same for many who work side by side for one request: their reads, commits and messages are gathered
    /// into few calls. Whoever has it calls [`Cloud::send_held`] before it answers.
    #[must_use]
    pub fn abreast(&self) -> Self {
        Self { store: self.store.abreast(), queues: self.queues.abreast(), ..self.clone() }
    }
}

/// The region of services in process.
pub const LOCAL_REGION: &str = "us-east-1";

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use aws_smithy_runtime_api::client::http::{
        HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
    };
    use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
    use aws_smithy_types::body::SdkBody;
    use leadyard_domain::ids::CompanyId;

    use super::*;
    use crate::config::QueueUrls;
    use crate::mail::MailConfig;
    use crate::outbound::Settings;

    /// A table that refuses so many calls, and has nothing.
    #[derive(Debug)]
    struct Refuses(AtomicUsize);

    impl HttpConnector for Refuses {
        fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
            let refuses = self.0.try_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
            let status = if refuses.is_ok() { 500_u16 } else { 200 };
            let response = HttpResponse::new(status.try_into().unwrap(), SdkBody::from("{}"));
            HttpConnectorFuture::ready(Ok(response))
        }
    }

    /// Services that take a call and say nothing.
    #[derive(Debug)]
    struct Hangs;

    impl HttpConnector for Hangs {
        fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
            HttpConnectorFuture::new(std::future::pending())
        }
    }

    fn over_a_table_that_refuses(calls: usize) -> Cloud {
        over(SharedHttpConnector::new(Refuses(AtomicUsize::new(calls))))
    }

    fn over(connector: SharedHttpConnector) -> Cloud {
        let config = Config {
            table: "t".to_owned(),
            queues: QueueUrls::default(),
            master: MasterKey::new([7; 32]),
            mail: MailConfig { configuration_set: None, console_url: None },
            meta: None,
            oidc: None,
        };
        Cloud::in_process(
            http_client_fn(move |_, _| connector.clone()),
            config,
            Outbound::new(Settings::new(true)).unwrap(),
            Clock::given(|| jiff::Timestamp::UNIX_EPOCH),
            Entropy::seeded(1),
        )
    }

    #[tokio::test(start_paused = true)]
    async fn a_function_starts_though_its_table_and_queues_refuse_or_say_nothing() {
        let away = [over_a_table_that_refuses(usize::MAX), over(SharedHttpConnector::new(Hangs))];
        for cloud in away {
            let peers = [Peer::Table, Peer::Distribution];
            let warmed = tokio::time::timeout(WARMING * 2, warm(&peers, &cloud.store, &cloud.queues));
            assert!(warmed.await.is_ok(), "init waits for nobody for longer than {WARMING:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_one_cloud_met_another_may_still_try_again() {
        let company = CompanyId::new("acme").unwrap();
        let unlucky = over_a_table_that_refuses(usize::MAX);
        for _ in 0..200 {
            assert!(unlucky.store.rulebook_pointer(&company).await.is_err());
        }
        let other = over_a_table_that_refuses(1);
        assert!(other.store.rulebook_pointer(&company).await.unwrap().is_none());
    }
}
