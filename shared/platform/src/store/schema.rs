//! The table and its indexes: the local runner creates them from here, and a template must match.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::operation::create_table::builders::CreateTableFluentBuilder;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType,
};

/// A sparse index. Every one projects keys only: a reader that needs more gets the items it shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Index {
    /// Its name.
    pub name: &'static str,
    /// Its partition attribute, a string with a hash shard at the end.
    pub partition: &'static str,
    /// Its sort attribute.
    pub sort: &'static str,
    /// Whether the sort attribute is a number.
    pub numeric: bool,
}

/// What must be looked at, and when (Unix milliseconds).
pub const DUE: Index = Index { name: "due", partition: "dk", sort: "dt", numeric: true };
/// Leads by company, stage and category, in order of score. Whom to call now is a merge of a few of its lists: an
/// index by engagement alone would be written at every interaction, to say the same again.
pub const STAGE: Index = Index { name: "stage", partition: "gk", sort: "gs", numeric: false };
/// A dealer's assignments by state and time.
pub const INBOX: Index = Index { name: "inbox", partition: "ik", sort: "is", numeric: false };
/// What came in, by time: enquiries and decisions of a company's day, and the leads of a source.
pub const ARRIVALS: Index = Index { name: "arrivals", partition: "ak", sort: "am", numeric: true };

/// All indexes.
pub const INDEXES: [Index; 4] = [DUE, STAGE, INBOX, ARRIVALS];

/// The attribute that DynamoDB expires items by, in Unix seconds. It deletes late: readers compare it.
pub const TTL: &str = "ttl";

/// The request that creates the table.
pub fn create_table(client: &Client, table: &str) -> Result<CreateTableFluentBuilder, BuildError> {
    let key =
        |name: &str, kind: KeyType| KeySchemaElement::builder().attribute_name(name).key_type(kind).build();
    let attribute = |name: &str, numeric: bool| {
        let kind = if numeric { ScalarAttributeType::N } else { ScalarAttributeType::S };
        AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build()
    };
    let mut request = client
        .create_table()
        .table_name(table)
        .billing_mode(BillingMode::PayPerRequest)
        .key_schema(key("pk", KeyType::Hash)?)
        .key_schema(key("sk", KeyType::Range)?)
        .attribute_definitions(attribute("pk", false)?)
        .attribute_definitions(attribute("sk", false)?);
    for index in INDEXES {
        request = request
            .attribute_definitions(attribute(index.partition, false)?)
            .attribute_definitions(attribute(index.sort, index.numeric)?)
            .global_secondary_indexes(
                GlobalSecondaryIndex::builder()
                    .index_name(index.name)
                    .key_schema(key(index.partition, KeyType::Hash)?)
                    .key_schema(key(index.sort, KeyType::Range)?)
                    .projection(Projection::builder().projection_type(ProjectionType::KeysOnly).build())
                    .build()?,
            );
    }
    Ok(request)
}
