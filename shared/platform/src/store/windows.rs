//! Windows: how many come from one place. One update counts an enquiry and says what stands.

use std::collections::HashMap;

use aws_sdk_dynamodb::error::ProvideErrorMetadata as _;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use leadyard_domain::ids::{CompanyId, SourceId};
use leadyard_domain::screening::velocity::WINDOW_S;
use leadyard_domain::screening::{AddressHash, Tally, Window};

use super::keys::Key;
use super::{Item, Store, StoreError, number, read_number};

/// What is counted of one enquiry: nothing but keyed hashes.
#[derive(Clone, Copy, Debug)]
pub struct Passing {
    /// Who.
    pub person: [u8; 8],
    /// Where from.
    pub address: Option<AddressHash>,
    /// With which form token.
    pub token: Option<[u8; 8]>,
    /// What they say.
    pub said: Option<[u8; 8]>,
}

/// People noted of a token that is sent in a later window than it was opened in: that two used it says all there is to say,
/// and whoever sends it a thousand times makes nothing grow.
const PEOPLE_OF_TOKEN: u32 = 2;

/// How long a window is kept after the last of its form tokens is good, in seconds.
const KEPT_S: i64 = 3_600;

impl Store {
    /// Counts an enquiry in its window. The sets of people are free of order and repetition; how many came
    /// in all may count one twice whose reply was lost. It is kept for as long as a token that was opened in it is good.
    pub async fn window_count(
        &self,
        company: &CompanyId,
        source: &SourceId,
        window: Window,
        passing: &Passing,
        until: Timestamp,
    ) -> Result<Tally, StoreError> {
        let key = Key::Window { company, source, number: window.number, shard: window.shard };
        let named = [
            ("#a", passing.address.map(|address| attribute("a", address.bytes()))),
            ("#t", passing.token.map(|token| attribute("t", token))),
            ("#s", passing.said.map(|said| attribute("s", said))),
        ];
        let mut request = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(super::key_item(&key)))
            .condition_expression("attribute_not_exists(n) OR n < :most")
            .expression_attribute_values(":most", number(window.most))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":ttl", number(until.as_second() + WINDOW_S + KEPT_S))
            .expression_attribute_names("#ttl", super::schema::TTL)
            .return_values(ReturnValue::UpdatedNew);
        let mut add = "ADD n :one".to_owned();
        let mut names = HashMap::new();
        for (name, attribute) in named {
            let Some(attribute) = attribute else { continue };
            add.extend([", ", name, " :who"]);
            request = request.expression_attribute_names(name, attribute.clone());
            names.insert(name, attribute);
        }
        if !names.is_empty() {
            let who = AttributeValue::Bs(vec![Blob::new(passing.person)]);
            request = request.expression_attribute_values(":who", who);
        }
        let counted = match request.update_expression(format!("SET #ttl = :ttl {add}")).send().await {
            Ok(answer) => answer.attributes.unwrap_or_default(),
            Err(error) if error.code() == Some("ConditionalCheckFailedException") => {
                // A flood: the shard takes no more.
                return Ok(Tally { in_shard: window.most, shards: window.shards, ..Tally::default() });
            }
            Err(error) => return Err(StoreError::unavailable(error)),
        };
        let people = |name: &str| names.get(name).map_or(0, |attribute| people(&counted, attribute));
        Ok(Tally {
            in_shard: read_number(&counted, "n").unwrap_or(0),
            shards: window.shards,
            people_at_address: people("#a"),
            people_of_token: people("#t"),
            people_who_said_so: people("#s"),
        })
    }
}

impl Store {
    /// Notes who sent a form with a token that was opened in an earlier window, where its first use stands; how many
    /// people did so far, counted up to two. It is kept for as long as the token is good for.
    pub async fn window_token(
        &self,
        company: &CompanyId,
        source: &SourceId,
        opened: Window,
        (token, person): ([u8; 8], [u8; 8]),
        until: Timestamp,
    ) -> Result<u32, StoreError> {
        let key = Key::Window { company, source, number: opened.number, shard: opened.shard };
        let name = attribute("t", token);
        let result = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(super::key_item(&key)))
            .update_expression("SET #ttl = :ttl ADD #t :who")
            .condition_expression("attribute_not_exists(#t) OR size(#t) < :most")
            .expression_attribute_names("#ttl", super::schema::TTL)
            .expression_attribute_names("#t", name.clone())
            .expression_attribute_values(":ttl", number(until.as_second() + WINDOW_S + KEPT_S))
            .expression_attribute_values(":who", AttributeValue::Bs(vec![Blob::new(person)]))
            .expression_attribute_values(":most", number(PEOPLE_OF_TOKEN))
            .return_values(ReturnValue::UpdatedNew)
            .send()
            .await;
        let Some(answer) = super::stood(result)? else { return Ok(PEOPLE_OF_TOKEN) };
        Ok(people(&answer.attributes.unwrap_or_default(), &name))
    }
}

fn attribute(kind: &str, hash: [u8; 8]) -> String {
    format!("{kind}{}", URL_SAFE_NO_PAD.encode(hash))
}

fn people(item: &Item, attribute: &str) -> u32 {
    item.get(attribute).and_then(|set| set.as_bs().ok()).map_or(0, |set| set.len() as u32)
}
