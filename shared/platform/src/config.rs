//! The only reader of the environment. What is missing or malformed stops a function in init, with
//! one line that names the variable.

use leadyard_domain::access::MasterKey;

use crate::mail::MailConfig;

/// A variable that is missing or malformed.
#[derive(Debug, thiserror::Error)]
#[error("{variable}: {rule}")]
pub struct ConfigError {
    /// The environment variable.
    pub variable: &'static str,
    /// What it must be.
    pub rule: String,
}

/// What a function needs to know of where it runs.
#[derive(Clone, Debug)]
pub struct Config {
    /// The table's name.
    pub table: String,
    /// The queues' URLs.
    pub queues: QueueUrls,
    /// The master key of this installation.
    pub master: MasterKey,
    /// Letters to dealers.
    pub mail: MailConfig,
}

/// Where the queues are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueueUrls {
    /// Interactions on their way to scoring.
    pub interactions: String,
    /// Leads on their way to a decision.
    pub distribution: String,
    /// Assignments on their way to a dealer.
    pub delivery: String,
    /// Raw enquiries that the table did not take.
    pub spill: String,
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
fn variable(name: &'static str) -> Result<String, ConfigError> {
    match std::env::var(name) {
        Ok(value) if !value.is_empty() => Ok(value),
        Ok(_) | Err(_) => Err(ConfigError { variable: name, rule: "is not set".to_owned() }),
    }
}

impl Config {
    /// Reads `LEADYARD_TABLE`, `LEADYARD_{INTERACTIONS,DISTRIBUTION,DELIVERY,SPILL}_QUEUE_URL` and
    /// `LEADYARD_MASTER_KEY` (64 hexadecimal digits); and where letters are written, `LEADYARD_MAIL_CONFIGURATION_SET`
    /// and `LEADYARD_CONSOLE_URL`, both of which may be absent.
    pub fn from_env() -> Result<Self, ConfigError> {
        let master = variable("LEADYARD_MASTER_KEY")?;
        Ok(Self {
            table: variable("LEADYARD_TABLE")?,
            queues: QueueUrls {
                interactions: variable("LEADYARD_INTERACTIONS_QUEUE_URL")?,
                distribution: variable("LEADYARD_DISTRIBUTION_QUEUE_URL")?,
                delivery: variable("LEADYARD_DELIVERY_QUEUE_URL")?,
                spill: variable("LEADYARD_SPILL_QUEUE_URL")?,
            },
            master: MasterKey::from_hex(&master)
                .map_err(|rule| ConfigError { variable: "LEADYARD_MASTER_KEY", rule: rule.to_string() })?,
            mail: MailConfig {
                configuration_set: variable("LEADYARD_MAIL_CONFIGURATION_SET").ok(),
                console_url: variable("LEADYARD_CONSOLE_URL")
                    .ok()
                    .map(|url| url.trim_end_matches('/').to_owned()),
            },
        })
    }

    /// `LEADYARD_ROLE`: which of its deployments a binary is, where it has several.
    pub fn role() -> Result<String, ConfigError> {
        variable("LEADYARD_ROLE")
    }
}
