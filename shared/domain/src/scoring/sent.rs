//! Interactions as they are sent: one, or a list of them.

use std::fmt;

use jiff::Timestamp;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::limits;

/// One interaction as sent, its text not looked at yet. Unknown fields are ignored: a page may say more than is
/// scored. It may name a person, so it has no `Debug`.
#[derive(Deserialize)]
pub struct SentInteraction {
    /// The same on a retry.
    pub id: String,
    /// What the lead did.
    pub kind: String,
    /// When.
    pub at: Timestamp,
    /// For which offer; the latest open lead's, if none.
    pub offer: Option<String>,
    /// Who: a signed visitor token,
    pub visitor: Option<String>,
    /// or the lead's id,
    pub lead: Option<String>,
    /// or an e-mail address,
    pub email: Option<String>,
    /// or a telephone number.
    pub phone: Option<String>,
    /// The message that brought it about (a mail, a text), by the id its sender gives it,
    pub message: Option<String>,
    /// when that was sent,
    pub sent_at: Option<Timestamp>,
    /// which of its links this was,
    pub link: Option<String>,
    /// and how many links it has.
    pub links: Option<u64>,
    /// What did it, as it named itself to the sender. A page's is seen by intake.
    pub user_agent: Option<String>,
}

/// Why a post of interactions cannot be read. Says the rule and the limit, never the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SentError {
    /// Not UTF-8.
    #[error("the body is not UTF-8")]
    NotUtf8,
    /// Not JSON, or of another shape.
    #[error("the body is an interaction, or a list of them, each with id, kind and at (RFC 3339)")]
    Malformed,
    /// More than [`limits::INTERACTIONS_PER_POST`].
    #[error("one post has at most {limit} interactions")]
    TooMany {
        /// In interactions.
        limit: usize,
    },
}

impl SentInteraction {
    /// Reads a body. What is one too many is not read any further, and nothing is buffered on the way: memory stays
    /// within a small multiple of the body.
    pub fn read(body: &[u8]) -> Result<Vec<Self>, SentError> {
        let text = std::str::from_utf8(body).map_err(|_| SentError::NotUtf8)?;
        // serde_json stops at a depth of 128 by itself; a flat list of objects never comes near it.
        match serde_json::from_str(text) {
            Ok(Sent::These(sent)) => Ok(sent),
            Ok(Sent::TooMany) => Err(SentError::TooMany { limit: limits::INTERACTIONS_PER_POST }),
            Err(_) => Err(SentError::Malformed),
        }
    }
}

enum Sent {
    These(Vec<SentInteraction>),
    TooMany,
}

impl<'de> Deserialize<'de> for Sent {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(OneOrMany)
    }
}

struct OneOrMany;

impl<'de> Visitor<'de> for OneOrMany {
    type Value = Sent;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an interaction, or a list of them")
    }

    fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Sent, M::Error> {
        let one = SentInteraction::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Sent::These(vec![one]))
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut list: S) -> Result<Sent, S::Error> {
        let mut sent = Vec::new();
        while sent.len() < limits::INTERACTIONS_PER_POST {
            match list.next_element()? {
                Some(one) => sent.push(one),
                None => return Ok(Sent::These(sent)),
            }
        }
        let mut more = false;
        while list.next_element::<serde::de::IgnoredAny>()?.is_some() {
            more = true;
        }
        Ok(if more { Sent::TooMany } else { Sent::These(sent) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = r#"{"id":"a","kind":"page_view","at":"2026-06-01T16:00:00Z","more":[{"x":1}]}"#;

    fn count(body: &str) -> Result<usize, SentError> {
        SentInteraction::read(body.as_bytes()).map(|sent| sent.len())
    }

    #[test]
    fn one_or_a_list_is_read_and_nothing_else() {
        assert_eq!([count(ONE), count(&format!(" [{ONE},{ONE}] ")), count("[]")], [Ok(1), Ok(2), Ok(0)]);
        for body in ["", "null", "1", "\"x\"", "{}", "[{}]", "[1]", "[[]]", &ONE[1..], &format!("{ONE}{ONE}")]
        {
            assert_eq!(count(body), Err(SentError::Malformed), "{body}");
        }
        let body = ONE.replace("2026-06-01T16:00:00Z", "yesterday");
        assert_eq!(count(&body), Err(SentError::Malformed));
        assert!(matches!(SentInteraction::read(&[0xff]), Err(SentError::NotUtf8)));
    }

    #[test]
    fn a_hundred_are_taken_and_of_more_none() {
        let list = |many: usize| format!("[{}]", vec![ONE; many].join(","));
        assert_eq!((count(&list(100)), count(&list(101))), (Ok(100), Err(SentError::TooMany { limit: 100 })));
        let deep = format!("[{}", "[".repeat(60_000));
        assert_eq!(count(&deep), Err(SentError::Malformed));
    }
}
