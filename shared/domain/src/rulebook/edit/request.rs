//! What can be asked: tables, columns, ids.

use serde_json::Value;

use super::{EditError, EditTable, Fields, RowChange, RowEdit};
use crate::limits;
use crate::rulebook::columns::{Column, OFFER_KEYS, SOURCE_KEYS, TABLES};
use crate::rulebook::nearest::suggestion;

impl RowEdit {
    /// Reads an edit: `{"set": {"cap_day": "12"}}`, `{"add": {…}}`, `{"remove": true}`, and of an area
    /// `{"parts": ["zip:33101", …]}`. A channel's id is `dealer:order`.
    pub fn from_json(table: &str, id: &str, body: &Value) -> Result<Self, EditError> {
        let table: EditTable = table.parse().map_err(EditError::UnknownTable)?;
        let malformed = || {
            EditError::Malformed(match table {
                EditTable::Areas => "an edit of an area is {\"parts\": [\"zip:33101\", …]} or {\"remove\": true}",
                EditTable::People
                | EditTable::Dealers
                | EditTable::Channels
                | EditTable::Contracts
                | EditTable::Offers
                | EditTable::Sources => {
                    "an edit is one of: {\"set\": {\"column\": \"value\"}}, {\"add\": {…}}, {\"remove\": true}"
                }
            }.to_owned())
        };
        let (verb, value) = match body.as_object().map(|body| (body.len(), body.iter().next())) {
            Some((1, Some((verb, value)))) => (verb.as_str(), value),
            _ => return Err(malformed()),
        };
        let is_area = table == EditTable::Areas;
        let change = match (verb, value) {
            ("set", Value::Object(fields)) if !is_area => RowChange::Set(table.fields(id, fields)?),
            ("add", Value::Object(fields)) if !is_area => RowChange::Add(table.fields(id, fields)?),
            ("parts", Value::Array(parts)) if is_area && !parts.is_empty() => {
                let parts: Option<Vec<String>> =
                    parts.iter().map(|part| Some(part.as_str()?.trim().to_owned())).collect();
                let parts = parts.filter(|parts| parts.iter().all(|part| !part.is_empty()));
                RowChange::Parts(parts.ok_or_else(malformed)?)
            }
            ("remove", Value::Bool(true)) => RowChange::Remove,
            _ => return Err(malformed()),
        };
        // A channel that cannot be named is found before anything is looked for.
        table.key_of(id)?;
        Ok(Self { table, id: id.to_owned(), change })
    }
}

impl EditTable {
    pub(super) const fn file(self) -> &'static str {
        match self {
            Self::People => "people.csv",
            Self::Dealers => "dealers.csv",
            Self::Channels => "channels.csv",
            Self::Areas => "areas.csv",
            Self::Contracts => "contracts.csv",
            Self::Offers => "offers.toml",
            Self::Sources => "sources.toml",
        }
    }

    /// The columns or keys that an edit may name.
    pub(super) fn known(self) -> Vec<&'static str> {
        match self {
            Self::People | Self::Dealers | Self::Channels | Self::Areas | Self::Contracts => {
                self.columns().iter().map(|column| column.name).collect()
            }
            Self::Offers => OFFER_KEYS.to_vec(),
            Self::Sources => SOURCE_KEYS.to_vec(),
        }
    }

    pub(super) fn columns(self) -> &'static [Column] {
        TABLES.iter().find(|known| known.table == self.as_str()).map_or(&[], |known| known.columns)
    }

    /// The columns that make up the id.
    pub(super) const fn keys(self) -> &'static [&'static str] {
        match self {
            Self::People => &["person"],
            Self::Dealers => &["dealer"],
            Self::Channels => &["dealer", "order"],
            Self::Areas => &["area"],
            Self::Contracts => &["contract"],
            Self::Offers | Self::Sources => &["id"],
        }
    }

    pub(super) const fn is_toml(self) -> bool {
        match self {
            Self::Offers | Self::Sources => true,
            Self::People | Self::Dealers | Self::Channels | Self::Areas | Self::Contracts => false,
        }
    }

    /// The fields of a request, if the table has them all.
    pub(super) fn fields(
        self,
        id: &str,
        fields: &serde_json::Map<String, Value>,
    ) -> Result<Fields, EditError> {
        let known = self.known();
        let mut read = Fields::new();
        for (column, value) in fields {
            if !known.contains(&column.as_str()) {
                let shown: String = column.chars().take(limits::FIELD_NAME_BYTES).collect();
                let meant = suggestion(column, known.iter().copied());
                return Err(EditError::UnknownColumn { table: self, column: shown, meant, known });
            }
            let value = if self.is_toml() { value.clone() } else { Value::from(cell_of(column, value)?) };
            let key = self.key_of(id)?.into_iter().find(|(key, _)| key == column);
            if key.is_some_and(|(_, text)| value != text) {
                let message = format!("{column} is what the row is called by: add a new one and remove this");
                return Err(EditError::Malformed(message));
            }
            read.insert(column.clone(), value);
        }
        Ok(read)
    }

    /// What the id's columns say.
    pub(super) fn key_of(self, id: &str) -> Result<Vec<(&'static str, String)>, EditError> {
        let texts = match self {
            Self::Channels => {
                let (dealer, order) = id.split_once(':').ok_or_else(|| {
                    EditError::Malformed("a channel is called by dealer and order: hudson:1".to_owned())
                })?;
                vec![dealer.to_owned(), order.to_owned()]
            }
            Self::People | Self::Dealers | Self::Areas | Self::Contracts | Self::Offers | Self::Sources => {
                vec![id.to_owned()]
            }
        };
        Ok(self.keys().iter().copied().zip(texts).collect())
    }
}

/// What a cell shall say. A number is taken for its digits: programs forget the quotes.
fn cell_of(column: &str, value: &Value) -> Result<String, EditError> {
    match value {
        Value::Null => Ok(String::new()),
        Value::String(text) => Ok(text.trim().to_owned()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
            Err(EditError::Malformed(format!("{column} is text, in quotes, as the cell shall say it")))
        }
    }
}
