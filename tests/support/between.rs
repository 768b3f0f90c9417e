//! What stands between the SDK and the services: it sees each request, and passes it on or answers by itself.

use std::fmt;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

/// Whoever sees each request.
pub trait Between: Clone + fmt::Debug + Send + Sync + 'static {
    /// Answers a request: by what is behind, or otherwise.
    fn call(&self, request: HttpRequest, behind: &SharedHttpConnector) -> HttpConnectorFuture;
}

/// The client with this before it.
pub fn between(before: impl Between, client: SharedHttpClient) -> SharedHttpClient {
    SharedHttpClient::new(Client { before, client })
}

#[derive(Debug)]
struct Client<Before> {
    before: Before,
    client: SharedHttpClient,
}

impl<Before: Between> HttpClient for Client<Before> {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let behind = self.client.http_connector(settings, components);
        SharedHttpConnector::new(Connector { before: self.before.clone(), behind })
    }
}

#[derive(Debug)]
struct Connector<Before> {
    before: Before,
    behind: SharedHttpConnector,
}

impl<Before: Between> HttpConnector for Connector<Before> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        self.before.call(request, &self.behind)
    }
}
