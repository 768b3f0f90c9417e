//! Services that refuse: a switch in front of the HTTP client that every function is given.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;

/// Which services refuse now.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    table: Arc<AtomicBool>,
    queues: Arc<AtomicBool>,
}

impl Faults {
    /// The table answers everything with 500, or works again.
    pub fn table(&self, refuses: bool) {
        self.table.store(refuses, Ordering::SeqCst);
    }

    /// The queues answer everything with 500, or work again.
    pub fn queues(&self, refuse: bool) {
        self.queues.store(refuse, Ordering::SeqCst);
    }

    /// Puts the switch in front of a client.
    pub fn before(&self, inner: SharedHttpClient) -> SharedHttpClient {
        SharedHttpClient::new(Switched { faults: self.clone(), inner })
    }

    fn refuse(&self, uri: &str) -> bool {
        let of_table = uri.contains("dynamodb.") && self.table.load(Ordering::SeqCst);
        of_table || (uri.contains("sqs.") && self.queues.load(Ordering::SeqCst))
    }
}

#[derive(Clone, Debug)]
struct Switched {
    faults: Faults,
    inner: SharedHttpClient,
}

impl HttpClient for Switched {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(SwitchedConnector { faults: self.faults.clone(), inner })
    }
}

#[derive(Debug)]
struct SwitchedConnector {
    faults: Faults,
    inner: SharedHttpConnector,
}

impl HttpConnector for SwitchedConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        if self.faults.refuse(request.uri()) {
            let body =
                r#"{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError","message":"refused"}"#;
            let status = 500.try_into().expect("a status");
            return HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::from(body))));
        }
        self.inner.call(request)
    }
}
