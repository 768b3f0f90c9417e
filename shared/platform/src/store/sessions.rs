//! Sessions of people at the console: kept here, so that signing out ends one wherever its cookie was copied to.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use leadyard_domain::access::{DealerToken, DeskToken};
use leadyard_domain::limits;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::keys::Key;
use super::{Item, Store, StoreError, key_item, string};

/// Who signed in, as the attribute that says it is named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignedIn {
    /// Staff, with the companies that they were given.
    Desk(DeskToken),
    /// Somebody of a dealer.
    Dealer(DealerToken),
}

/// Somebody who signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Who.
    #[serde(flatten)]
    pub who: SignedIn,
    /// When they signed in.
    pub began_at: Timestamp,
    /// When they were last seen, to five minutes.
    pub seen_at: Timestamp,
    /// What every form of theirs carries, so that no other page can send one for them.
    pub csrf: String,
    /// When the table lets it go, in Unix seconds.
    pub ttl: i64,
}

/// How late `seen_at` may be: a page that is looked at costs no write.
const SEEN: SignedDuration = SignedDuration::from_mins(5);

impl Session {
    /// One that begins now.
    pub fn begin(who: SignedIn, csrf: String, now: Timestamp) -> Self {
        Self { who, began_at: now, seen_at: now, csrf, ttl: now.as_second() + limits::SESSION_HOURS * 3_600 }
    }

    /// Whether it is over: it ends a while after nobody used it, and some time after it began, used or not.
    pub fn is_over(&self, now: Timestamp) -> bool {
        let since = |at: Timestamp| now.duration_since(at);
        since(self.began_at) >= SignedDuration::from_hours(limits::SESSION_HOURS)
            || since(self.seen_at) >= SignedDuration::from_hours(limits::SESSION_IDLE_HOURS)
    }
}

/// What stands for a cookie in the table: whoever reads the table can sign in by none of them.
fn hash(cookie: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(cookie.as_bytes()))
}

impl Store {
    /// Keeps a session under its cookie.
    pub async fn session_begin(&self, cookie: &str, session: &Session) -> Result<(), StoreError> {
        let mut item: Item =
            serde_dynamo::to_item(session).map_err(|error| StoreError::Malformed(Box::new(error)))?;
        item.extend(key_item(&Key::Session { hash: &hash(cookie) }));
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        put.send().await.map(drop).map_err(StoreError::unavailable)
    }

    /// The session of a cookie, if it is not over; that it was used is noted now and then.
    pub async fn session_get(&self, cookie: &str, now: Timestamp) -> Result<Option<Session>, StoreError> {
        let hash = hash(cookie);
        let key = Key::Session { hash: &hash };
        let Some(item) = self.get(&key).await? else { return Ok(None) };
        let session: Session =
            serde_dynamo::from_item(item).map_err(|error| StoreError::damaged("session", error))?;
        if session.is_over(now) {
            return Ok(None);
        }
        if now.duration_since(session.seen_at) >= SEEN {
            let seen = string(now.to_string());
            let result = self
                .client
                .update_item()
                .table_name(&self.table)
                .set_key(Some(key_item(&key)))
                .update_expression("SET seen_at = :now")
                .condition_expression("attribute_exists(pk)")
                .expression_attribute_values(":now", seen)
                .send()
                .await;
            // Whoever signed out meanwhile, did.
            super::stands(result)?;
        }
        Ok(Some(session))
    }

    /// Ends a session.
    pub async fn session_end(&self, cookie: &str) -> Result<(), StoreError> {
        let key = key_item(&Key::Session { hash: &hash(cookie) });
        let result = self.client.delete_item().table_name(&self.table).set_key(Some(key)).send().await;
        result.map(drop).map_err(StoreError::unavailable)
    }
}
