//! An enquiry meets a lead: it opens one, repeats within the open or last sale cycle, or opens the next.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Contactable, EnquiryRef, Lead, LeadScope, Stage, soon};
use crate::contract::Needs;
use crate::ids::{CategoryId, CompanyId, EnquiryId, LeadId, OfferId, SourceId, VisitorId};
use crate::limits;
use crate::time::UtcDay;

/// A sale cycle of a lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CycleOf {
    /// The lead.
    pub lead: LeadId,
    /// Its cycle.
    pub cycle: u32,
}

/// What an enquiry brings to a lead.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// The enquiry.
    pub enquiry: EnquiryId,
    /// When.
    pub at: Timestamp,
    /// The person as it describes them.
    pub person: Contactable,
    /// What for.
    pub offer: OfferId,
    /// In which category.
    pub category: CategoryId,
    /// From where.
    pub source: SourceId,
    /// Its campaign.
    pub campaign: Option<String>,
    /// What it brings.
    pub brings: Needs,
    /// From when on to warn that its certificate expires, if one comes with it.
    pub certificate_warning: Option<Timestamp>,
    /// The visitor that sent it, where tracking is allowed.
    pub visitor: Option<VisitorId>,
}

/// How an enquiry met a lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Met {
    /// A repeat within the open or last cycle.
    Repeat,
    /// It opened the next cycle.
    NewCycle,
}

impl Lead {
    /// The lead that this enquiry opens.
    pub fn open(company: CompanyId, scope: LeadScope, arrival: &Arrival) -> Self {
        Self {
            id: LeadId::opened_by(arrival.enquiry),
            company,
            scope,
            version: 0,
            person: arrival.person.clone(),
            former: Vec::new(),
            offer: arrival.offer.clone(),
            category: arrival.category.clone(),
            source: arrival.source.clone(),
            campaign: arrival.campaign.clone(),
            brings: arrival.brings,
            cycle: 1,
            opened_at: arrival.at,
            lifted_at: None,
            last_enquiry_at: arrival.at,
            stage: Stage::Received,
            waiting: None,
            closed_at: None,
            enquiries: vec![EnquiryRef { id: arrival.enquiry, day: UtcDay::of(arrival.at) }],
            forgotten_since: None,
            opening: arrival.enquiry,
            visitors_to_join: arrival.visitor.into_iter().collect(),
            holders: Vec::new(),
            excluded: Vec::new(),
            seats: None,
            lost_seats: 0,
            possible_duplicate: false,
            merged_into: None,
            merged: Vec::new(),
            score: None,
            crossed: false,
            last_conclusion: None,
            hold: None,
            priority_set: None,
            certificate_warning: arrival.certificate_warning,
            erased_at: None,
            due: Some(soon(arrival.at)),
        }
    }

    /// Whether nobody has written it since its first enquiry opened it.
    pub const fn is_as_opened(&self) -> bool {
        self.version == 0
    }

    /// Whether the window of repeats is over.
    pub fn outside_window(&self, at: Timestamp, window_days: u16) -> bool {
        at.duration_since(self.last_enquiry_at) > SignedDuration::from_hours(24 * i64::from(window_days))
    }

    /// Whether another enquiry of the same person would open the next cycle, and not repeat this one.
    pub fn opens_next_cycle(&self, at: Timestamp, window_days: u16) -> bool {
        // One that expired without a holder is nobody's, whatever the window says by now.
        let nobodys = self.stage == Stage::Expired && self.holders.is_empty();
        nobodys || self.outside_window(at, window_days)
    }

    /// Takes in another enquiry of the same person: a repeat, or the opening of the next cycle.
    pub fn take(&mut self, arrival: &Arrival, window_days: u16) -> Met {
        let new_cycle = self.opens_next_cycle(arrival.at, window_days);
        if new_cycle {
            self.renew_person(&arrival.person);
        } else {
            self.person.fill_blanks(&arrival.person);
        }
        self.remember([EnquiryRef { id: arrival.enquiry, day: UtcDay::of(arrival.at) }]);
        if let Some(visitor) = arrival.visitor
            && !self.visitors_to_join.contains(&visitor)
            && self.visitors_to_join.len() < limits::VISITORS_PER_LEAD
        {
            self.visitors_to_join.push(visitor);
        }
        // Two machines' clocks may disagree; the window never moves back.
        self.last_enquiry_at = self.last_enquiry_at.max(arrival.at);
        if new_cycle {
            self.next_cycle(arrival);
            return Met::NewCycle;
        }
        // What completes the form, and nothing else: what a step brings is sold with what it says.
        if self.form_steps().any(|step| step == arrival.enquiry) && arrival.source == self.source {
            // Consent may stand on the last page of a form whose first asked for the e-mail.
            self.brings = self.brings.and(arrival.brings);
            self.certificate_warning = self.certificate_warning.or(arrival.certificate_warning);
        }
        // A repeat is worth points: distribution scores it again. One that is assigned stays so, and so does one that was
        // lost, which is followed up at once.
        let lost = self.stage == Stage::Lost && self.is_kept();
        if lost || !self.stage.closed() && self.stage != Stage::Quarantined {
            self.due = Some(self.due.map_or(soon(arrival.at), |due| due.min(soon(arrival.at))));
        }
        Met::Repeat
    }

    fn next_cycle(&mut self, arrival: &Arrival) {
        self.offer = arrival.offer.clone();
        self.category = arrival.category.clone();
        self.source = arrival.source.clone();
        self.campaign = arrival.campaign.clone();
        self.brings = arrival.brings;
        self.opened_at = arrival.at;
        self.opening = arrival.enquiry;
        self.begin_again(arrival.at);
        self.certificate_warning = arrival.certificate_warning;
    }

    /// The next cycle begins, of which nobody knows anything yet.
    pub(super) fn begin_again(&mut self, at: Timestamp) {
        self.cycle += 1;
        self.stage = Stage::Received;
        self.waiting = None;
        self.closed_at = None;
        self.lifted_at = None;
        self.excluded = self.holders.drain(..).filter(|last| !last.again).map(|last| last.dealer).collect();
        self.seats = None;
        self.lost_seats = 0;
        self.crossed = false;
        self.last_conclusion = None;
        self.hold = None;
        self.priority_set = None;
        self.certificate_warning = None;
        self.due = Some(soon(at));
    }
}
