//! Which facts an item states, as it stands.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::fact::{Facets, Fact, Happened};
use crate::assignment::Assignment;
use crate::distribution::Waiting;
use crate::ids::{CategoryId, EnquiryId, LeadId, OfferId, SourceId};
use crate::lead::AssignmentState;
use crate::ledger::Line;
use crate::money::Money;
use crate::place::State;
use crate::scoring::Band;
use crate::screening::Verdict;

/// What an enquiry asked for, kept with it so that whatever becomes of it is counted there. No person in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The offer.
    #[serde(rename = "o", default, skip_serializing_if = "Option::is_none")]
    pub offer: Option<OfferId>,
    /// Its category.
    #[serde(rename = "k", default, skip_serializing_if = "Option::is_none")]
    pub category: Option<CategoryId>,
    /// The campaign that it is credited to.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub campaign: Option<String>,
    /// The state, as well as we know.
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// What its source cost a lead when it arrived: what the rulebook says later changes nothing of the past.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Money>,
    /// When it came in with a file, if another system had taken it in before.
    #[serde(rename = "i", default, skip_serializing_if = "Option::is_none")]
    pub imported_at: Option<Timestamp>,
}

/// An enquiry, as far as it is counted.
#[derive(Clone, Debug)]
pub struct SeenEnquiry<'a> {
    /// Which.
    pub id: EnquiryId,
    /// From where.
    pub source: &'a SourceId,
    /// For what; unknown of what an earlier version kept.
    pub asked: Option<&'a Asked>,
    /// When it arrived.
    pub received_at: Timestamp,
    /// When somebody released it, or its deadline did.
    pub judged_at: Option<Timestamp>,
    /// `received`, `repeat`, `quarantined`, `rejected` or `imported`: nothing else is counted.
    pub status: &'a str,
    /// What screening said when it arrived.
    pub verdict: Verdict,
    /// Why it was quarantined.
    pub reasons: &'a [String],
    /// The lead it belongs to.
    pub lead: Option<LeadId>,
}

impl SeenEnquiry<'_> {
    /// Of what it is counted.
    pub fn facets(&self) -> Facets {
        let asked = self.asked.cloned().unwrap_or_default();
        Facets {
            source: Some(self.source.clone()),
            // Of one that an earlier version kept.
            campaign: asked.campaign.filter(|campaign| !crate::person::is_contact(campaign)),
            offer: asked.offer,
            category: asked.category,
            dealer: None,
            state: asked.state,
            band: None,
        }
    }

    /// What it states.
    pub fn facts(&self) -> Vec<Fact> {
        let belongs = match self.status {
            "received" => self.lead.map(|lead| Happened::Opened {
                new: lead == LeadId::opened_by(self.id),
                cost: self.asked.and_then(|asked| asked.cost),
            }),
            "imported" => {
                let new = self.lead == Some(LeadId::opened_by(self.id));
                let at = self.asked.and_then(|asked| asked.imported_at).filter(|_| new);
                return at.map(|at| Fact { at, what: Happened::Imported }).into_iter().collect();
            }
            "repeat" => Some(Happened::Repeated),
            "quarantined" | "rejected" => None,
            _ => return Vec::new(),
        };
        let arrived = |what| Fact { at: self.received_at, what };
        let mut facts = vec![arrived(Happened::Enquired(self.verdict))];
        if self.verdict != Verdict::Ham {
            facts.extend(self.reasons.iter().cloned().map(Happened::Quarantined).map(arrived));
        }
        facts.extend(belongs.map(|what| Fact { at: self.judged_at.unwrap_or(self.received_at), what }));
        facts
    }
}

/// A decision, as far as it is counted: those that gave seats are counted by them.
#[derive(Clone, Debug)]
pub struct SeenDecision<'a> {
    /// When.
    pub at: Timestamp,
    /// What for.
    pub offer: &'a OfferId,
    /// In which category.
    pub category: &'a CategoryId,
    /// From where.
    pub source: &'a SourceId,
    /// Where it is.
    pub state: Option<State>,
    /// What it was worth.
    pub band: Band,
    /// Why it waits.
    pub waiting: Option<Waiting>,
}

impl SeenDecision<'_> {
    /// Of what it is counted.
    pub fn facets(&self) -> Facets {
        Facets {
            source: Some(self.source.clone()),
            campaign: None,
            offer: Some(self.offer.clone()),
            category: Some(self.category.clone()),
            dealer: None,
            state: self.state,
            band: Some(self.band),
        }
    }

    /// What it states.
    pub fn facts(&self) -> Vec<Fact> {
        self.waiting.into_iter().map(|why| Fact { at: self.at, what: Happened::Waited(why) }).collect()
    }
}

/// Of what a seat is counted: the enquiry that opened its cycle says most of it.
pub fn facets_of(assignment: &Assignment, opening: Option<&Facets>) -> Facets {
    let opening = opening.cloned().unwrap_or_default();
    Facets {
        dealer: Some(assignment.dealer.clone()),
        state: assignment.sold_in.or(opening.state),
        band: assignment.band,
        ..opening
    }
}

/// What a seat states. Times run from `enquired_at`, the arrival of the enquiry that opened the cycle; where the desk lifted
/// the lead into the cycle, from then.
pub fn facts_of(assignment: &Assignment, enquired_at: Option<Timestamp>) -> Vec<Fact> {
    if assignment.imported || assignment.shadow {
        return Vec::new();
    }
    let from = assignment.lifted_at.or(enquired_at);
    let since = |at: Timestamp| from.map(|from| at.duration_since(from).as_secs().max(0));
    let mut facts = vec![Fact { at: assignment.offered_at, what: Happened::Distributed }];
    let mut state = |at: Timestamp, what| facts.push(Fact { at, what });
    if let Some(at) = assignment.delivered_at {
        state(at, Happened::Delivered(since(at)));
    }
    if let Some(at) = assignment.accepted_at {
        state(at, Happened::Accepted(since(at)));
    }
    if let Some(at) = assignment.contacted_at {
        state(at, Happened::Contacted(since(at)));
    }
    if let Some(charge) = Line::charge(assignment) {
        state(charge.at, Happened::Charged(charge.amount));
    }
    let at = assignment.state_at;
    let ended = match assignment.state {
        AssignmentState::Offered | AssignmentState::Accepted | AssignmentState::Contacted => return facts,
        AssignmentState::Won => Happened::Won(assignment.won_value),
        AssignmentState::Lost => Happened::Lost,
        AssignmentState::Declined => Happened::Declined,
        AssignmentState::Lapsed => Happened::Lapsed,
        AssignmentState::Withdrawn => Happened::Withdrawn,
        AssignmentState::Returned => {
            Happened::Returned(assignment.returned.as_ref().map(|asked| asked.reason.clone()))
        }
    };
    let given_back = !matches!(ended, Happened::Won(_) | Happened::Lost);
    state(at, ended);
    // Whatever was charged and came back is credited in the write that says so.
    if let Some(charge) = Line::charge(assignment).filter(|_| given_back) {
        state(at, Happened::Credited(charge.amount));
    }
    facts
}
