//! HTTPS to AWS: the one TLS provider of this system, and the roots that AWS's endpoints are signed under, built in.
//!
//! Determinations. *ring*: what our outbound client links already, and no second provider beside it; with aws-lc, without its
//! jitter entropy, the least function starts and shakes hands no faster and is a tenth larger. *Amazon's own
//! roots* (<https://www.amazontrust.com/repository/>): a function parses five certificates in init and not a
//! system's hundred and forty; whoever else may sign for a name of AWS is not believed.

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_sdk_dynamodb::config::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::SharedHttpClient;

use crate::config::environment;

/// Certificates in PEM.
const ROOTS: &str = include_str!("../data/amazon_roots.pem");

/// The SDK's configuration on a person's machine, as every program of AWS reads it: environment, profiles, whoever may be
/// assumed from there.
pub fn sdk() -> ConfigLoader {
    aws_config::defaults(BehaviorVersion::latest()).http_client(client())
}

/// The SDK's configuration in a function. Lambda names its region and hands its role's credentials in the environment, and
/// nowhere else need be looked: half a megabyte of profiles and roles to be assumed is not loaded at each start.
/// `AWS_ENDPOINT_URL` is an emulator's.
///
/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html>
pub fn of_a_function(timeouts: TimeoutConfig, retries: RetryConfig) -> SdkConfig {
    let mut sdk = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(client())
        .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
        .credentials_provider(SharedCredentialsProvider::new(EnvironmentVariableCredentialsProvider::new()))
        .timeout_config(timeouts)
        .retry_config(retries);
    sdk.set_region(environment("AWS_REGION").map(Region::new));
    sdk.set_endpoint_url(environment("AWS_ENDPOINT_URL"));
    sdk.build()
}

/// The client under the SDK, wherever it talks to AWS itself. Plain HTTP goes through it too: an emulator's.
fn client() -> SharedHttpClient {
    let tls = TlsContext::builder().with_trust_store(TrustStore::empty().with_pem_certificate(ROOTS)).build();
    let builder = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring));
    match tls {
        Ok(tls) => builder.tls_context(tls).build_https(),
        // What is given to it is no trust store that could not be built.
        Err(_) => builder.build_https(),
    }
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject as _;

    use super::ROOTS;

    #[test]
    fn our_roots_are_amazon_s_and_trusted_by_mozilla() {
        let ours: Vec<_> = CertificateDer::pem_slice_iter(ROOTS.as_bytes()).map(Result::unwrap).collect();
        assert_eq!(ours.len(), 5);
        for root in &ours {
            assert!(webpki_root_certs::TLS_SERVER_ROOT_CERTS.contains(root));
            let named = |name: &[u8]| root.windows(name.len()).any(|part| part == name);
            assert!(named(b"Amazon Root CA ") || named(b"Starfield Services Root"));
        }
        let mut store = rustls::RootCertStore::empty();
        for root in ours {
            store.add(root).unwrap();
        }
        assert_eq!(store.len(), 5);
    }
}
