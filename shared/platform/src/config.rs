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

/// Where variables are read from: the environment, and in tests what they say.
type Given<'a> = &'a dyn Fn(&'static str) -> Option<String>;

/// A variable of the environment. One that is no text is malformed, and not absent.
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
pub(crate) fn environment(name: &'static str) -> Option<String> {
    let value = std::env::var_os(name)?;
    Some(value.to_string_lossy().into_owned()).filter(|value| !value.is_empty())
}

/// A variable that must be there and keep its rule.
fn needed(given: Given<'_>, name: &'static str, rule: Rule) -> Result<String, ConfigError> {
    let unset = || ConfigError { variable: name, rule: "is not set".to_owned() };
    rule.holds(name, given(name).ok_or_else(unset)?)
}

/// A variable that may be absent.
fn optional(given: Given<'_>, name: &'static str, rule: Rule) -> Result<Option<String>, ConfigError> {
    given(name).map(|value| rule.holds(name, value)).transpose()
}

/// What a variable must be. What it is instead is not repeated: it may be a secret that stands in the wrong place.
#[derive(Clone, Copy)]
enum Rule {
    /// A table of DynamoDB.
    Table,
    /// A queue of SQS, as SQS names it.
    QueueUrl,
    /// An address of HTTP.
    Url,
    /// The same, or that the console is there and knows its address from each request.
    ConsoleUrl,
    /// A secret's name or ARN.
    Secret,
    /// A configuration set of SES.
    ConfigurationSet,
    /// Any text without blanks.
    Word,
}

/// What the console is told in place of its own address.
const ITSELF: &str = "itself";

impl Rule {
    fn holds(self, variable: &'static str, value: String) -> Result<String, ConfigError> {
        let (holds, rule) = match self {
            Self::Table => (
                (3..=255).contains(&value.len()) && is_of(&value, "_-."),
                "must be a table's name: 3 to 255 letters, digits, '_', '-' and '.'",
            ),
            Self::QueueUrl => {
                (is_queue(&value), "must be a queue's URL: https://sqs.REGION.amazonaws.com/ACCOUNT/NAME")
            }
            Self::Url => (url(&value).is_some(), "must be a URL: https://HOST/PATH"),
            Self::ConsoleUrl => {
                (value == ITSELF || url(&value).is_some(), "must be a URL: https://HOST/, or the word itself")
            }
            Self::Secret => (
                value.len() <= 2_048 && is_of(&value, "/_+=.@!:-"),
                "must be a secret's name or ARN: at most 2048 letters, digits and any of /_+=.@!:-",
            ),
            Self::ConfigurationSet => (
                value.len() <= 64 && is_of(&value, "_-"),
                "must be a configuration set's name: at most 64 letters, digits, '_' and '-'",
            ),
            Self::Word => {
                (!value.chars().any(|c| c.is_whitespace() || c.is_control()), "must have no blanks")
            }
        };
        if holds { Ok(value) } else { Err(ConfigError { variable, rule: rule.to_owned() }) }
    }
}

/// Letters and digits of ASCII, and these.
fn is_of(value: &str, signs: &str) -> bool {
    value.chars().all(|c| c.is_ascii_alphanumeric() || signs.contains(c))
}

/// An address with a host, over HTTP or HTTPS: an emulator has no certificate.
fn url(value: &str) -> Option<http::Uri> {
    let url: http::Uri = value.parse().ok()?;
    let there = matches!(url.scheme_str(), Some("http" | "https")) && !url.host()?.is_empty();
    (there && !value.contains('#')).then_some(url)
}

/// An account and a name stand behind the host. A queue that keeps an order is none of ours.
fn is_queue(value: &str) -> bool {
    let Some(url) = url(value).filter(|url| url.query().is_none()) else { return false };
    let Some((account, name)) = url.path().trim_start_matches('/').split_once('/') else { return false };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits(account) && (1..=80).contains(&name.len()) && is_of(name, "_-")
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
    /// When a variable is missing or malformed.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::of(&environment)
    }

    fn of(given: Given<'_>) -> Result<Self, ConfigError> {
        let queue = |name| needed(given, name, Rule::QueueUrl);
        let console_url = optional(given, "LEADYARD_CONSOLE_URL", Rule::ConsoleUrl)?;
        let issuer = optional(given, "LEADYARD_OIDC_ISSUER", Rule::Url)?;
        Ok(Self {
            table: needed(given, "LEADYARD_TABLE", Rule::Table)?,
            queues: QueueUrls {
                interactions: queue("LEADYARD_INTERACTIONS_QUEUE_URL")?,
                distribution: queue("LEADYARD_DISTRIBUTION_QUEUE_URL")?,
                delivery: queue("LEADYARD_DELIVERY_QUEUE_URL")?,
                spill: queue("LEADYARD_SPILL_QUEUE_URL")?,
            },
            mail: MailConfig {
                configuration_set: optional(
                    given,
                    "LEADYARD_MAIL_CONFIGURATION_SET",
                    Rule::ConfigurationSet,
                )?,
                console_url: console_url.map(|url| url.trim_end_matches('/').to_owned()),
            },
            master: needed(given, MASTER, Rule::Secret)?,
            meta: optional(given, META_SECRET, Rule::Secret)?,
            oidc: match issuer {
                None => None,
                Some(issuer) => Some(NamedProvider {
                    issuer,
                    metadata_url: optional(given, "LEADYARD_OIDC_METADATA_URL", Rule::Url)?,
                    client_id: needed(given, "LEADYARD_OIDC_CLIENT_ID", Rule::Word)?,
                    secret: optional(given, OIDC_SECRET, Rule::Secret)?,
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
        environment(META).map(|json| read_meta(META, &json)).transpose()
    }

    /// `LEADYARD_OIDC`, which may be absent: on one machine, the provider as [`OidcAccess::read`] reads it.
    pub fn oidc() -> Result<Option<OidcAccess>, ConfigError> {
        const OIDC: &str = "LEADYARD_OIDC";
        const RULE: &str = r#"is {"issuer": "https://…", "client_id": "…", "client_secret": "…"}"#;
        let read = |json: String| {
            OidcAccess::read(&json).ok_or_else(|| ConfigError { variable: OIDC, rule: RULE.to_owned() })
        };
        environment(OIDC).map(read).transpose()
    }

    /// The function's name, as Lambda tells it; nothing elsewhere.
    pub fn function() -> Option<String> {
        environment("AWS_LAMBDA_FUNCTION_NAME")
    }

    /// `LEADYARD_SYNTHETIC_URL`, which may be absent: where the synthetic lead is posted to, the URL of leads.
    ///
    /// # Errors
    /// When it is no URL.
    pub fn synthetic_url() -> Result<Option<String>, ConfigError> {
        optional(&environment, "LEADYARD_SYNTHETIC_URL", Rule::Url)
    }

    /// `LEADYARD_ROLE`: which of its deployments a binary is, where it has several.
    ///
    /// # Errors
    /// When it is missing. Which there are, each binary says.
    pub fn role() -> Result<String, ConfigError> {
        needed(&environment, "LEADYARD_ROLE", Rule::Word)
    }
}

fn read_meta(variable: &'static str, json: &str) -> Result<MetaAccess, ConfigError> {
    const RULE: &str = r#"is {"app_secret": "…", "tokens": {"company": "…"}}"#;
    MetaAccess::read(json).ok_or_else(|| ConfigError { variable, rule: RULE.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the template gives a function that has everything.
    const GIVEN: [(&str, &str); 14] = [
        ("LEADYARD_TABLE", "leadyard-prod"),
        (
            "LEADYARD_INTERACTIONS_QUEUE_URL",
            "https://sqs.us-east-1.amazonaws.com/123456789012/leadyard-prod-interactions",
        ),
        (
            "LEADYARD_DISTRIBUTION_QUEUE_URL",
            "https://sqs.us-east-1.amazonaws.com/123456789012/leadyard-prod-distribution",
        ),
        ("LEADYARD_DELIVERY_QUEUE_URL", "http://127.0.0.1:4566/000000000000/leadyard-prod-delivery"),
        ("LEADYARD_SPILL_QUEUE_URL", "https://queues.example/1/spill"),
        (
            "LEADYARD_MASTER_KEY_SECRET",
            "arn:aws:secretsmanager:us-east-1:123456789012:secret:leadyard-prod/key-a1B2c3",
        ),
        ("LEADYARD_META_SECRET", "leadyard/meta"),
        ("LEADYARD_MAIL_CONFIGURATION_SET", "leadyard-prod"),
        ("LEADYARD_CONSOLE_URL", "https://abc.lambda-url.us-east-1.on.aws/"),
        ("LEADYARD_OIDC_ISSUER", "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Ab1"),
        (
            "LEADYARD_OIDC_METADATA_URL",
            "https://directory.example/v2.0/.well-known/openid-configuration?app=1",
        ),
        ("LEADYARD_OIDC_CLIENT_ID", "4f2a"),
        ("LEADYARD_OIDC_SECRET", "leadyard/oidc"),
        ("LEADYARD_ROLE", "leads"),
    ];

    /// What is read where one variable says something else, or nothing.
    fn with(changed: &str, says: Option<&str>) -> Result<Named, ConfigError> {
        Named::of(&|name: &'static str| {
            let known = GIVEN.iter().find(|(known, _)| *known == name);
            let said = if name == changed { says } else { known.map(|(_, value)| *value) };
            said.filter(|said| !said.is_empty()).map(str::to_owned)
        })
    }

    #[test]
    fn what_is_missing_is_named_and_what_may_be_absent_is() {
        let whole = with("nothing", None).unwrap();
        assert_eq!((whole.table.as_str(), whole.queues.spill.as_str()), (GIVEN[0].1, GIVEN[4].1));
        assert_eq!(whole.mail.console_url.as_deref(), Some("https://abc.lambda-url.us-east-1.on.aws"));
        assert!(whole.oidc.is_some_and(|oidc| oidc.metadata_url.as_deref() == Some(GIVEN[10].1)));
        for (name, _) in &GIVEN[..6] {
            for nothing in [None, Some("")] {
                assert_eq!(with(name, nothing).unwrap_err().to_string(), format!("{name}: is not set"));
            }
        }
        for name in
            ["LEADYARD_META_SECRET", "LEADYARD_CONSOLE_URL", "LEADYARD_OIDC_ISSUER", "LEADYARD_OIDC_SECRET"]
        {
            assert!(with(name, None).is_ok(), "{name} may be absent");
        }
        // Who signs in by a provider must be somebody to it.
        let nobody = with("LEADYARD_OIDC_CLIENT_ID", None).unwrap_err();
        assert_eq!(nobody.to_string(), "LEADYARD_OIDC_CLIENT_ID: is not set");
        assert_eq!(
            with("LEADYARD_CONSOLE_URL", Some("itself")).unwrap().mail.console_url.as_deref(),
            Some("itself")
        );
    }

    #[test]
    fn what_is_malformed_is_named_in_one_line_that_does_not_repeat_it() {
        let long = "n".repeat(2_049);
        let no_queue: &[&str] = &[
            "delivery",
            "sqs.us-east-1.amazonaws.com/1/delivery",
            "https://sqs.us-east-1.amazonaws.com/delivery",
            "https://sqs.us-east-1.amazonaws.com/account/delivery",
            "https://sqs.us-east-1.amazonaws.com/1/delivery/more",
            "https://sqs.us-east-1.amazonaws.com/1/delivery.fifo",
            "https://sqs.us-east-1.amazonaws.com/1/",
            "https://sqs.us-east-1.amazonaws.com/1/delivery?x=1",
            "arn:aws:sqs:us-east-1:123456789012:delivery",
            "ftp://sqs.us-east-1.amazonaws.com/1/delivery",
            "https:///1/delivery",
            "https://sqs .example/1/delivery",
            "\u{fffd}",
        ];
        let no_url: &[&str] =
            &["console", "//host/", "https://", "file:///etc/passwd", "https://ho st/", "https://host/#part"];
        let cases: &[(&str, &[&str])] = &[
            ("LEADYARD_TABLE", &["t", "a table", "table/one", "t\u{e4}ble", &long]),
            ("LEADYARD_INTERACTIONS_QUEUE_URL", no_queue),
            ("LEADYARD_DISTRIBUTION_QUEUE_URL", no_queue),
            ("LEADYARD_DELIVERY_QUEUE_URL", no_queue),
            ("LEADYARD_SPILL_QUEUE_URL", no_queue),
            ("LEADYARD_MASTER_KEY_SECRET", &["a key", "key\n", "{\"a\":1}", &long]),
            ("LEADYARD_META_SECRET", &["{\"app_secret\":\"x\"}", "a b"]),
            ("LEADYARD_MAIL_CONFIGURATION_SET", &["a.b", "a b", &long]),
            ("LEADYARD_CONSOLE_URL", no_url),
            ("LEADYARD_OIDC_ISSUER", no_url),
            ("LEADYARD_OIDC_METADATA_URL", no_url),
            ("LEADYARD_OIDC_CLIENT_ID", &["a b", "a\n"]),
            ("LEADYARD_OIDC_SECRET", &["a b"]),
        ];
        for (name, wrong) in cases {
            for value in *wrong {
                let error = with(name, Some(value)).expect_err(value);
                let said = error.to_string();
                assert!(said.starts_with(&format!("{name}: ")), "{value:?}: {said}");
                // It may be a secret that stands in the wrong place.
                let repeated = value.len() > "https://".len() && said.contains(value);
                assert!(!said.contains('\n') && !repeated, "{value:?}: {said}");
            }
        }
    }
}
