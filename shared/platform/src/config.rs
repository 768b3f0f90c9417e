//! The only reader of the environment. What is missing or malformed stops a function in init, with
//! one line that names the variable.
//!
//! No secret stands in the environment of a function, where whoever may look at its configuration sees it: a variable
//! names the secret, which is read from Secrets Manager, once, in init. A function that cannot read it does not start.

use leadyard_domain::access::MasterKey;

use crate::mail::MailConfig;
use crate::meta::MetaAccess;
use crate::oidc::OidcAccess;
use crate::secrets::Secrets;

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
    /// Access to Meta, where leads come from there.
    pub meta: Option<MetaAccess>,
    /// By which provider people sign in; by tokens alone, where there is none.
    pub oidc: Option<OidcAccess>,
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

/// A variable that may be absent.
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
fn optional(name: &'static str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The secret that a variable names.
async fn secret(secrets: &Secrets, name: &'static str, id: &str) -> Result<String, ConfigError> {
    let told = |error: crate::secrets::SecretError| ConfigError {
        variable: name,
        rule: format!("the secret that it names {error}"),
    };
    secrets.read(id).await.map_err(told)
}

/// What the environment says by itself: names, and none of the secrets.
#[derive(Clone, Debug)]
pub struct Named {
    /// The table's name.
    pub table: String,
    /// The queues' URLs.
    pub queues: QueueUrls,
    mail: MailConfig,
    master: String,
    meta: Option<String>,
    oidc: Option<NamedProvider>,
}

/// A provider as the environment names it: all but the secret.
#[derive(Clone, Debug)]
struct NamedProvider {
    issuer: String,
    metadata_url: Option<String>,
    client_id: String,
    secret: Option<String>,
}

const MASTER: &str = "LEADYARD_MASTER_KEY_SECRET";
const META_SECRET: &str = "LEADYARD_META_SECRET";
const OIDC_SECRET: &str = "LEADYARD_OIDC_SECRET";

impl Named {
    /// Reads `LEADYARD_TABLE`, `LEADYARD_{INTERACTIONS,DISTRIBUTION,DELIVERY,SPILL}_QUEUE_URL` and
    /// `LEADYARD_MASTER_KEY_SECRET`; and, each of which may be absent, `LEADYARD_META_SECRET` and, where letters are
    /// written, `LEADYARD_MAIL_CONFIGURATION_SET` and `LEADYARD_CONSOLE_URL` (the console itself asks of it only whether
    /// there is one, for whom it invites); where people sign in by an OpenID provider,
    /// `LEADYARD_OIDC_ISSUER`, `LEADYARD_OIDC_CLIENT_ID` and perhaps `LEADYARD_OIDC_METADATA_URL` and
    /// `LEADYARD_OIDC_SECRET`.
    ///
    /// # Errors
    /// When a variable is missing.
    pub fn from_env() -> Result<Self, ConfigError> {
        Ok(Self {
            table: variable("LEADYARD_TABLE")?,
            queues: QueueUrls {
                interactions: variable("LEADYARD_INTERACTIONS_QUEUE_URL")?,
                distribution: variable("LEADYARD_DISTRIBUTION_QUEUE_URL")?,
                delivery: variable("LEADYARD_DELIVERY_QUEUE_URL")?,
                spill: variable("LEADYARD_SPILL_QUEUE_URL")?,
            },
            mail: MailConfig {
                configuration_set: optional("LEADYARD_MAIL_CONFIGURATION_SET"),
                console_url: optional("LEADYARD_CONSOLE_URL").map(|url| url.trim_end_matches('/').to_owned()),
            },
            master: variable(MASTER)?,
            meta: optional(META_SECRET),
            oidc: match optional("LEADYARD_OIDC_ISSUER") {
                None => None,
                Some(issuer) => Some(NamedProvider {
                    issuer,
                    metadata_url: optional("LEADYARD_OIDC_METADATA_URL"),
                    client_id: variable("LEADYARD_OIDC_CLIENT_ID")?,
                    secret: optional(OIDC_SECRET),
                }),
            },
        })
    }

    /// The whole, with the secrets that it names: a master key of 64 hexadecimal digits and, where leads come from
    /// Meta, what [`MetaAccess::read`] reads.
    ///
    /// # Errors
    /// When a secret is malformed or cannot be read.
    pub async fn read(self, secrets: &Secrets) -> Result<Config, ConfigError> {
        let master = secret(secrets, MASTER, &self.master).await?;
        let master = MasterKey::from_hex(&master)
            .map_err(|rule| ConfigError { variable: MASTER, rule: rule.to_string() })?;
        let meta = match &self.meta {
            None => None,
            Some(id) => Some(read_meta(META_SECRET, &secret(secrets, META_SECRET, id).await?)?),
        };
        let oidc = match self.oidc {
            None => None,
            Some(NamedProvider { issuer, metadata_url, client_id, secret: named }) => {
                let client_secret = match &named {
                    None => None,
                    Some(id) => Some(secret(secrets, OIDC_SECRET, id).await?.trim().to_owned()),
                };
                Some(OidcAccess { issuer, metadata_url, client_id, client_secret })
            }
        };
        Ok(Config { table: self.table, queues: self.queues, master, mail: self.mail, meta, oidc })
    }
}

impl Config {
    /// `LEADYARD_META`, which may be absent: on one machine, access to Meta as [`MetaAccess::read`] reads it.
    pub fn meta() -> Result<Option<MetaAccess>, ConfigError> {
        const META: &str = "LEADYARD_META";
        optional(META).map(|json| read_meta(META, &json)).transpose()
    }

    /// `LEADYARD_OIDC`, which may be absent: on one machine, the provider as [`OidcAccess::read`] reads it.
    pub fn oidc() -> Result<Option<OidcAccess>, ConfigError> {
        const OIDC: &str = "LEADYARD_OIDC";
        const RULE: &str = r#"is {"issuer": "https://…", "client_id": "…", "client_secret": "…"}"#;
        let read = |json: String| {
            OidcAccess::read(&json).ok_or_else(|| ConfigError { variable: OIDC, rule: RULE.to_owned() })
        };
        optional(OIDC).map(read).transpose()
    }

    /// The function's name, as Lambda tells it; nothing elsewhere.
    pub fn function() -> Option<String> {
        optional("AWS_LAMBDA_FUNCTION_NAME")
    }

    /// `LEADYARD_SYNTHETIC_URL`, which may be absent: where the synthetic lead is posted to, the URL of leads.
    pub fn synthetic_url() -> Option<String> {
        optional("LEADYARD_SYNTHETIC_URL")
    }

    /// `LEADYARD_ROLE`: which of its deployments a binary is, where it has several.
    pub fn role() -> Result<String, ConfigError> {
        variable("LEADYARD_ROLE")
    }
}

fn read_meta(variable: &'static str, json: &str) -> Result<MetaAccess, ConfigError> {
    const RULE: &str = r#"is {"app_secret": "…", "tokens": {"company": "…"}}"#;
    MetaAccess::read(json).ok_or_else(|| ConfigError { variable, rule: RULE.to_owned() })
}
