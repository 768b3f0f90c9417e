//! Counts what the functions write, by index key: a partition that takes most of an index's writes is
//! the one that DynamoDB would throttle first, at 1,000 a second.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::client::http::{
    HttpConnector as _, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use leadyard_platform::store::schema::INDEXES;
use leadyard_tests::between::{Between, between};
use serde_json::Value;

/// Writes by index and key.
#[derive(Clone, Debug, Default)]
pub(crate) struct Writes(Arc<Mutex<BTreeMap<(&'static str, String), u64>>>);

impl Writes {
    /// Counts what passes through this client.
    pub(crate) fn over(&self, inner: SharedHttpClient) -> SharedHttpClient {
        between(self.clone(), inner)
    }

    fn count(&self, body: &[u8]) {
        let Ok(body) = serde_json::from_slice::<Value>(body) else { return };
        let items = body["TransactItems"].as_array().map_or_else(
            || vec![&body],
            |items| items.iter().filter_map(|item| item.as_object()?.values().next()).collect(),
        );
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for item in items {
            for index in INDEXES {
                if let Some(key) = item["Item"][index.partition]["S"].as_str() {
                    *counts.entry((index.name, key.to_owned())).or_default() += 1;
                }
            }
        }
    }

    /// Per index: how many keys, and the share of the busiest.
    pub(crate) fn report(&self, out: &mut impl Write) -> std::io::Result<()> {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        writeln!(out, "  index writes by key")?;
        for index in INDEXES {
            let of_index: Vec<(&String, u64)> = counts
                .iter()
                .filter(|((name, _), _)| *name == index.name)
                .map(|((_, key), count)| (key, *count))
                .collect();
            let all: u64 = of_index.iter().map(|(_, count)| count).sum();
            let busiest = of_index.iter().max_by_key(|(_, count)| *count);
            if let Some((key, most)) = busiest {
                writeln!(
                    out,
                    "    {:<9} {all:>7} writes over {:>4} keys; the busiest takes {:.1} % ({key})",
                    index.name,
                    of_index.len(),
                    *most as f64 * 100.0 / all as f64,
                )?;
            }
        }
        Ok(())
    }
}

impl Between for Writes {
    fn call(&self, request: HttpRequest, behind: &SharedHttpConnector) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        if (target.ends_with("TransactWriteItems") || target.ends_with("PutItem"))
            && let Some(body) = request.body().bytes()
        {
            self.count(body);
        }
        behind.call(request)
    }
}
