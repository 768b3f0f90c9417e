//! DynamoDB, SQS and SES in process, under the real AWS SDK.
//!
//! The SDK is given an HTTP client that never opens a socket: [`LocalAws::http_client`] hands each
//! request to the service whose host it names. [`dynamo`] is DynamoDB's API over dynoxide (SQLite),
//! [`stream`] reads what it notes of each write; [`queues`] is what SQS does over a SQLite file of ours, and [`sqs`] is how SQS says it on the wire; [`ses`] catches
//! mails.
//! So the store and the queues are one implementation, and what a test runs is what production runs.
//!
//! A data folder holds two files:
//!
//! | file | what | `synchronous` | survives SIGKILL | survives a power cut |
//! |---|---|---|---|---|
//! | `table.sqlite` | the table: the truth | FULL (dynoxide leaves SQLite's default) | every answered write | every answered write, as far as the disk keeps its word on fsync |
//! | `queues.sqlite` | the messages: the fast path | NORMAL | every answered send and delete | a consistent file that may lack the last writes (those after the last checkpoint) |
//!
//! What a power cut takes from the queues, the due index of the table brings back within a minute.
//! `queues.sqlite` is held exclusively while open, so a folder serves one process at a time.
//!
//! Determinations. *No `SqsBackend`*: winterbaume's SQS handlers could have run over a backend of ours,
//! but they hand over a batch one message at a time, fail a whole batch for one bad entry, drop the
//! message group, read a visibility of 0 as "not given", and poll every 100 ms. Only their wire types
//! are used. *No Lambda here*: who drives the functions uses [`LocalQueues`] directly.

mod file;
pub mod dynamo;
pub mod stream;
pub mod queues;
pub mod sqs;
pub mod ses;

use std::path::Path;
use std::sync::Arc;

use aws_credential_types::Credentials;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use winterbaume_core::MockAws;

pub use dynamo::{Calls, DynamoService};
pub use file::FileError;
pub use queues::{Counts, Disorder, LocalQueues, QueueError, QueueSpec, Received};
pub use ses::{Caught, LocalMail, MailSays, Returns};
pub use sqs::SqsService;

/// The time, in milliseconds since the Unix epoch. Nothing in this module reads another clock.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// The region every local resource lives in.
pub const REGION: &str = "us-east-1";
/// The account every local resource belongs to.
pub const ACCOUNT: &str = "000000000000";

const TABLE_FILE: &str = "table.sqlite";
const QUEUES_FILE: &str = "queues.sqlite";

/// Why the local cloud did not open.
#[derive(Debug, thiserror::Error)]
pub enum LocalAwsError {
    /// The data folder could not be made.
    #[error("the data folder could not be made")]
    Folder(#[source] std::io::Error),
    /// A file in the data folder is not what it should be; it was left as it was found.
    #[error(transparent)]
    File(#[from] FileError),
    /// The table's database refused.
    #[error("the table's database did not open")]
    Table(#[source] dynoxide::DynoxideError),
    /// A queue could not be opened or made.
    #[error(transparent)]
    Queues(#[from] QueueError),
}

/// DynamoDB, SQS and SES of one data folder, or of one test.
pub struct LocalAws {
    mock: MockAws,
    dynamo: DynamoService,
    queues: Arc<LocalQueues>,
    mail: Arc<LocalMail>,
}

impl LocalAws {
    /// Opens or makes the data folder and its queues. `entropy` seeds message ids and receipts: give
    /// fresh entropy at each open.
    pub fn open(
        folder: &Path,
        clock: Clock,
        entropy: u64,
        calls: Calls,
        queues: &[QueueSpec],
    ) -> Result<Self, LocalAwsError> {
        std::fs::create_dir_all(folder).map_err(LocalAwsError::Folder)?;
        // The queues first: their file is the lock on the folder.
        let local_queues = LocalQueues::open(&folder.join(QUEUES_FILE), Arc::clone(&clock), entropy)?;
        let dynamo = DynamoService::open(&folder.join(TABLE_FILE), Arc::clone(&clock), calls)?;
        Self::assemble(dynamo, local_queues, queues, clock, entropy)
    }

    /// A cloud in memory, gone when dropped. Every call runs on the calling task, so that a
    /// current-thread runtime with paused time stays deterministic. With a `seed` the queues deliver
    /// late, twice and out of order at times.
    pub fn memory(clock: Clock, seed: Option<u64>, queues: &[QueueSpec]) -> Result<Self, LocalAwsError> {
        let local_queues = LocalQueues::memory(Arc::clone(&clock), seed)?;
        let dynamo = DynamoService::memory(Arc::clone(&clock), Calls::Inline)?;
        Self::assemble(dynamo, local_queues, queues, clock, seed.unwrap_or(1))
    }

    fn assemble(
        dynamo: DynamoService,
        queues: LocalQueues,
        specs: &[QueueSpec],
        clock: Clock,
        entropy: u64,
    ) -> Result<Self, LocalAwsError> {
        let queues = Arc::new(queues);
        for spec in specs {
            queues.ensure(spec)?;
        }
        let mail = Arc::new(LocalMail::new(clock, Arc::clone(&queues), entropy));
        let mock = MockAws::builder()
            .with_service(dynamo.clone())
            .with_service(SqsService::new(Arc::clone(&queues)))
            .with_service(ses::SesService(Arc::clone(&mail)))
            .build();
        Ok(Self { mock, dynamo, queues, mail })
    }

    /// What the SDK's clients are given in place of HTTPS. The simulation wraps it.
    pub fn http_client(&self) -> SharedHttpClient {
        self.mock.http_client()
    }

    /// The queues, for whoever drives the functions.
    pub fn queues(&self) -> &Arc<LocalQueues> {
        &self.queues
    }

    /// Whether each write waits until the disk has it, as it should where anybody is answered. Who fills a new folder, and
    /// begins anew if that breaks off, need not wait; from when it waits again, everything before is on the disk.
    pub fn waits_for_the_disk(&self, waits: bool) -> Result<(), LocalAwsError> {
        self.dynamo.waits_for_the_disk(waits)?;
        Ok(self.queues.waits_for_the_disk(waits)?)
    }

    /// What was mailed.
    pub const fn mail(&self) -> &Arc<LocalMail> {
        &self.mail
    }

    /// The tables, for who looks at them past the SDK.
    pub const fn tables(&self) -> &DynamoService {
        &self.dynamo
    }

    /// A DynamoDB client with the SDK's defaults. It reads no environment and no profile.
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        aws_sdk_dynamodb::Client::from_conf(
            aws_sdk_dynamodb::Config::builder()
                .behavior_version(aws_sdk_dynamodb::config::BehaviorVersion::latest())
                .region(aws_sdk_dynamodb::config::Region::from_static(REGION))
                .credentials_provider(credentials())
                .http_client(self.http_client())
                .build(),
        )
    }

    /// An SQS client with the SDK's defaults. It reads no environment and no profile.
    pub fn sqs(&self) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::from_conf(
            aws_sdk_sqs::Config::builder()
                .behavior_version(aws_sdk_sqs::config::BehaviorVersion::latest())
                .region(aws_sdk_sqs::config::Region::from_static(REGION))
                .credentials_provider(credentials())
                .http_client(self.http_client())
                .build(),
        )
    }
}

/// The identity local clients sign with; nobody checks it.
pub fn credentials() -> Credentials {
    Credentials::new("local", "local", None, None, "leadyard-local")
}

/// The URL of a local queue.
pub fn queue_url(name: &str) -> String {
    format!("https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{name}")
}

/// The ARN of a local queue.
pub fn queue_arn(name: &str) -> String {
    format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{name}")
}
