//! The way to an SQS that is not ours: the SDK over plain HTTP, to where `SERVICES_ENDPOINT` says.

use aws_sdk_sqs::config::{BehaviorVersion, Region};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use leadyard::aws::{REGION, credentials};

/// A client of the SQS at the endpoint.
pub(super) fn client_at_the_endpoint() -> aws_sdk_sqs::Client {
    #[expect(clippy::disallowed_methods, reason = "a test's own knob")]
    let endpoint = std::env::var("SERVICES_ENDPOINT").expect("SERVICES_ENDPOINT names an SQS");
    // A local endpoint speaks plain HTTP, but the client wants a TLS library all the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = PlainHttp(reqwest::Client::builder().no_proxy().build().unwrap());
    aws_sdk_sqs::Client::from_conf(
        aws_sdk_sqs::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static(REGION))
            .credentials_provider(credentials())
            .endpoint_url(endpoint)
            .http_client(SharedHttpClient::new(http))
            .build(),
    )
}

#[derive(Clone, Debug)]
struct PlainHttp(reqwest::Client);

impl HttpClient for PlainHttp {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for PlainHttp {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let http = self.0.clone();
        HttpConnectorFuture::new(async move {
            let (head, body) = request.try_into_http1x().unwrap().into_parts();
            let body = body.bytes().expect("a body in memory").to_vec();
            let request = http.request(head.method, head.uri.to_string()).headers(head.headers).body(body);
            let answer = request.send().await.map_err(|error| ConnectorError::io(error.into()))?;
            let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
            let body = answer.bytes().await.map_err(|error| ConnectorError::io(error.into()))?;
            let mut response = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body));
            for (name, value) in &headers {
                response.headers_mut().insert(name.as_str().to_owned(), value.to_str().unwrap().to_owned());
            }
            Ok(response)
        })
    }
}
