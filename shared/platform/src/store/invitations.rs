//! Invitations to sign in: of each person and dealer the last one, and what became of its mail.
//!
//! Determinations. *One item for each who is invited*, not for each mail: what is asked is who was not invited yet, and
//! whom mail does not reach. Who was invited, by whom and when, for good, stands in the company's changes. *The address
//! stands here only until delivery begins to send the mail*, which need not read a whole rulebook for it.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use leadyard_domain::assignment::Attempt;
use leadyard_domain::delivery::End;
use leadyard_domain::ids::{ActId, CompanyId};
use leadyard_domain::limits;
use leadyard_domain::rulebook::Invitee;
use serde::{Deserialize, Serialize};

use super::acts::Act;
use super::keys::{self, Key};
use super::leads::UNCHANGED;
use super::{Commit, Item, Store, StoreError, number, values};

/// That somebody was invited.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Invitation {
    /// To whose leads.
    pub company: CompanyId,
    /// Who.
    pub to: Invitee,
    /// By which act: within it they are sent one mail.
    pub act: ActId,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
    /// Where the mail goes, until it is being sent. In no log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// It is being sent: nobody else sends it.
    #[serde(default)]
    pub begun: bool,
    /// How that ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<Attempt>,
    /// The mail came back: how, in one word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub came_back: Option<String>,
    /// Counts writes.
    pub v: u64,
}

/// Without the address.
impl fmt::Debug for Invitation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invitation")
            .field("company", &self.company)
            .field("to", &self.to)
            .field("act", &self.act)
            .field("begun", &self.begun)
            .finish_non_exhaustive()
    }
}

impl Invitation {
    /// Whether nothing of it was sent, for all that is known: they are not invited yet.
    pub fn is_unsent(&self, now: Timestamp) -> bool {
        match &self.attempt {
            Some(attempt) => attempt.end == End::NotReceived && self.came_back.is_none(),
            None => self.is_late(now),
        }
    }

    /// Whether it should have been sent by now, and was not.
    pub fn is_late(&self, now: Timestamp) -> bool {
        let late = SignedDuration::from_mins(limits::INVITATION_MINUTES);
        self.attempt.is_none() && self.came_back.is_none() && now.duration_since(self.at) >= late
    }

    fn item(&self) -> Result<Item, StoreError> {
        let mut item: Item =
            serde_dynamo::to_item(self).map_err(|error| StoreError::Malformed(Box::new(error)))?;
        item.extend(super::key_item(&Key::Invitation(&self.company, &self.to)));
        Ok(item)
    }
}

fn read(item: Item) -> Result<Invitation, StoreError> {
    serde_dynamo::from_item(item).map_err(|error| StoreError::damaged("invitation", error))
}

impl Store {
    /// All who were invited to a company's leads.
    pub async fn invitations(&self, company: &CompanyId) -> Result<Vec<Invitation>, StoreError> {
        let items = self.query_prefix(keys::invitations(company), "").await?;
        items.into_iter().map(read).collect()
    }

    /// How somebody was invited last.
    pub async fn invitation_get(
        &self,
        company: &CompanyId,
        to: &Invitee,
    ) -> Result<Option<Invitation>, StoreError> {
        self.get(&Key::Invitation(company, to)).await?.map(read).transpose()
    }

    /// Keeps invitations of one act, each as it is to stand with the version it was seen in (none of a new one), and that
    /// they were made; `false` when somebody else changed one of them.
    pub async fn invitations_make(
        &self,
        company: &CompanyId,
        invitations: &[(Invitation, Option<u64>)],
        act: &Act,
    ) -> Result<bool, StoreError> {
        let mut writes = vec![self.change_write(company, act)?];
        for (invitation, seen) in invitations {
            writes.push(match seen {
                Some(seen) => self.put(invitation.item()?, UNCHANGED, values([(":seen", number(*seen))]))?,
                None => self.put(invitation.item()?, "attribute_not_exists(pk)", values([]))?,
            });
        }
        Ok(matches!(self.transact(writes).await?, Commit::Done))
    }

    /// Keeps how far one has come; `false` when somebody else did.
    pub async fn invitation_save(&self, invitation: &Invitation) -> Result<bool, StoreError> {
        let next = Invitation { v: invitation.v + 1, ..invitation.clone() };
        self.put_if(next.item()?, UNCHANGED, values([(":seen", number(invitation.v))])).await
    }
}

#[cfg(test)]
mod tests {
    use leadyard_domain::ids::DealerId;

    use super::*;

    #[test]
    fn an_address_is_in_no_log() {
        let invitation = Invitation {
            company: CompanyId::new("acme").unwrap(),
            to: Invitee::Dealer(DealerId::new("hudson").unwrap()),
            act: ActId::from_bytes([1; 16]),
            at: Timestamp::UNIX_EPOCH,
            by: "maria".to_owned(),
            address: Some("sam@hudson.example".to_owned()),
            begun: false,
            attempt: None,
            came_back: None,
            v: 0,
        };
        assert!(!format!("{invitation:?}").contains('@'));
        let late = Timestamp::UNIX_EPOCH + SignedDuration::from_mins(limits::INVITATION_MINUTES);
        assert!(!invitation.is_unsent(Timestamp::UNIX_EPOCH) && invitation.is_unsent(late));
    }
}
