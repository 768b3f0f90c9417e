//! What stands in Secrets Manager. Each secret is read once, in init.
//!
//! Determinations. *No extension* (AWS's Parameters and Secrets layer): it is a process of its own in every function,
//! and its cache is for secrets that are read with each request. *Not SSM*: `SecureString`s cannot be made by a
//! template, so that the master key would have to be made by hand before the first deployment.

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::ProvideErrorMetadata;

/// The secrets of this installation.
#[derive(Clone, Debug)]
pub struct Secrets {
    client: Client,
}

/// A secret that is not to be had. Its text goes on after "the secret that it names"; nothing of the secret is in it.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// It was refused, or there is none, or nobody answered.
    #[error("could not be read: {code}")]
    Unread {
        /// AWS's word for it.
        code: String,
    },
    /// It holds bytes.
    #[error("is not text")]
    NotText,
}

impl Secrets {
    /// Over this client.
    pub const fn new(client: Client) -> Self {
        Self { client }
    }

    /// Reads a secret by its name or ARN.
    pub async fn read(&self, id: &str) -> Result<String, SecretError> {
        let answer = self.client.get_secret_value().secret_id(id).send().await.map_err(|error| {
            let code = error.code().unwrap_or("Secrets Manager did not answer");
            SecretError::Unread { code: code.to_owned() }
        })?;
        answer.secret_string.ok_or(SecretError::NotText)
    }
}
