//! Sessions of people at the console: kept here, so that signing out ends one wherever its cookie was copied to, and
//! signing out everywhere all of a person's.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use leadyard_domain::access::{DealerToken, DeskToken};
use leadyard_domain::ids::CompanyId;
use leadyard_domain::limits;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::keys::{Key, SESSION};
use super::{Item, Store, StoreError, key_item, number, read_string, string};

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
    /// Who: by a token as it says. Who came by a mailbox may do what the rules in force say, in the companies that are
    /// named here.
    #[serde(flatten)]
    pub who: SignedIn,
    /// By which mailbox they came; none, where by a token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mailbox: Option<String>,
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
    pub fn begin(who: SignedIn, mailbox: Option<String>, csrf: String, now: Timestamp) -> Self {
        let ttl = now.as_second() + limits::SESSION_HOURS * 3_600;
        Self { who, mailbox, began_at: now, seen_at: now, csrf, ttl }
    }

    /// What stands for whoever signed in: all of their sessions have the same.
    pub fn whose(&self) -> String {
        let said = match &self.who {
            SignedIn::Desk(desk) => {
                let companies = desk.companies.iter().map(CompanyId::as_str);
                companies.chain([desk.staff.as_str()]).collect::<Vec<_>>().join("/")
            }
            SignedIn::Dealer(token) => format!("{}//{}", token.company, token.dealer),
        };
        self.mailbox.clone().unwrap_or_else(|| hash(&said))
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
        let hash = hash(cookie);
        item.extend(key_item(&Key::Session { hash: &hash }));
        // First where it is found to be ended: no session is without.
        let mut mark = key_item(&Key::SessionOf { whose: &session.whose(), hash: &hash });
        mark.insert("ttl".to_owned(), number(session.ttl));
        let put = self.client.put_item().table_name(&self.table).set_item(Some(mark));
        put.send().await.map_err(StoreError::unavailable)?;
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

    /// Whose session a cookie was of, also where it is over, as long as the table has it.
    pub async fn session_whose(&self, cookie: &str) -> Result<Option<String>, StoreError> {
        let Some(item) = self.get(&Key::Session { hash: &hash(cookie) }).await? else { return Ok(None) };
        let session: Session =
            serde_dynamo::from_item(item).map_err(|error| StoreError::damaged("session", error))?;
        Ok(Some(session.whose()))
    }

    /// Ends a session.
    pub async fn session_end(&self, cookie: &str) -> Result<(), StoreError> {
        self.session_gone(key_item(&Key::Session { hash: &hash(cookie) })).await
    }

    /// Ends all sessions of whoever has this one; how many there were.
    pub async fn sessions_end(&self, session: &Session) -> Result<usize, StoreError> {
        let whose = session.whose();
        let partition = Key::SessionOf { whose: &whose, hash: "" }.pk();
        let marks = self.query_prefix(partition, SESSION).await?;
        for mark in &marks {
            let hash = read_string(mark, "sk").and_then(|sk| sk.strip_prefix(SESSION)).unwrap_or_default();
            self.session_gone(key_item(&Key::Session { hash })).await?;
            self.session_gone(key_item(&Key::SessionOf { whose: &whose, hash })).await?;
        }
        Ok(marks.len())
    }

    async fn session_gone(&self, key: Item) -> Result<(), StoreError> {
        let result = self.client.delete_item().table_name(&self.table).set_key(Some(key)).send().await;
        result.map(drop).map_err(StoreError::unavailable)
    }
}
