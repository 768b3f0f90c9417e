//! `leadyard rebuild-reports`: the reports' counters, counted anew from the table as it stands, for the days that are not
//! sealed. See [`leadyard_platform::reports`].

use std::io::IsTerminal as _;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use indicatif::ProgressBar;
use leadyard_platform::clock::Clock;
use leadyard_platform::entropy::Entropy;
use leadyard_platform::https;
use leadyard_platform::reports::{self, Recounted};
use leadyard_platform::rulebooks::Rulebooks;
use leadyard_platform::store::Store;

use crate::{poller, system};

/// What `rebuild-reports` is asked for.
#[derive(Args)]
pub struct Options {
    /// A data folder that no system has open.
    #[arg(long, value_name = "DIR", default_value = "leadyard-data")]
    pub data: PathBuf,
    /// The table on AWS, as the stack's outputs have it; while nothing counts (see `infra/README.md`).
    #[arg(long, conflicts_with = "data")]
    pub table: Option<String>,
    /// For programs.
    #[arg(long)]
    pub json: bool,
}

/// Recounts; of AWS, credentials, region and endpoint come from the environment, as for every program of AWS.
///
/// # Errors
/// When the table cannot be read, or something counts meanwhile. It is done again then.
pub async fn run(options: &Options) -> anyhow::Result<Recounted> {
    let bar = if std::io::stderr().is_terminal() && !options.json {
        ProgressBar::new_spinner().with_message("items read")
    } else {
        ProgressBar::hidden()
    };
    let looked = |items: u64| bar.set_position(items);
    let clock = Clock::system();
    let counted = if let Some(table) = &options.table {
        let sdk = https::sdk().load().await;
        let store = Store::new(aws_sdk_dynamodb::Client::new(&sdk), table, Entropy::system());
        reports::recount(&store, &Rulebooks::default(), clock.now(), looked).await
    } else {
        anyhow::ensure!(options.data.is_dir(), "{} is no data folder", options.data.display());
        let (cloud, aws) = system::open_with(&options.data, &clock)
            .await
            .context("a folder that a running system has open cannot be recounted: stop it first")?;
        // From now on it is noted what changes; what was noted until now is counted first, or it would be twice.
        aws.tables().stream_begin(system::TABLE)?;
        let mut after = 0;
        while let Some((last, _)) = poller::count(&cloud, aws.tables(), after).await {
            after = last;
        }
        reports::recount(&cloud.store, &cloud.rulebooks, clock.now(), looked).await
    };
    bar.finish_and_clear();
    counted.context("the table was not read to its end, or something counts meanwhile: do it again")
}
