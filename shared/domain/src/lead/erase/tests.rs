//! What stays of a lead whose person is erased, and what never happens to it again.

use super::*;
use crate::contract::Needs;
use crate::ids::{AssignmentId, CategoryId, CompanyId, ContractId, DealerId, EnquiryId, OfferId, SourceId};
use crate::lead::merge::Unmergeable;
use crate::lead::{Arrival, Holder, LeadScope};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn lead() -> Lead {
    let opened = at("2026-06-01T12:00:00Z");
    let person = Contactable { last_name: Some("Hill".to_owned()), ..Contactable::default() };
    let arrival = Arrival {
        enquiry: EnquiryId::mint(opened, [1; 10]),
        at: opened,
        person,
        offer: OfferId::new("roof").unwrap(),
        category: CategoryId::new("roofing").unwrap(),
        source: SourceId::new("web").unwrap(),
        campaign: Some("for-ada-hill".to_owned()),
        brings: Needs::NONE,
        certificate_warning: None,
        visitor: None,
    };
    let scope = LeadScope::Category(CategoryId::new("roofing").unwrap());
    Lead::open(CompanyId::new("acme").unwrap(), scope, &arrival)
}

fn held() -> Lead {
    let mut lead = lead();
    lead.holders.push(Holder {
        dealer: DealerId::new("hudson").unwrap(),
        contract: ContractId::new("hudson").unwrap(),
        assignment: AssignmentId::from_bytes([1; 16]),
        again: true,
        came_from: None,
    });
    lead.rest_assigned();
    lead
}

const NOW: &str = "2026-06-02T12:00:00Z";

#[test]
fn the_person_goes_and_what_nobody_holds_is_over() {
    let mut lead = lead();
    lead.erase(at(NOW));
    assert_eq!((lead.person.clone(), lead.campaign.clone()), (Contactable::default(), None));
    assert_eq!((lead.stage, lead.due, lead.erased_at), (Stage::Rejected, None, Some(at(NOW))));
    assert!(!lead.wants_distribution());
    assert_eq!(lead.enquiries.len(), 1, "how many there were still counts");
    // Once more, later, changes nothing.
    let once = lead.clone();
    lead.erase(at("2026-07-01T12:00:00Z"));
    assert_eq!(lead, once);
}

#[test]
fn what_somebody_accepted_stays_theirs_and_is_never_sold_again() {
    let mut lead = held();
    lead.erase(at(NOW));
    assert_eq!((lead.stage, lead.holders.len()), (Stage::Assigned, 1));
    lead.give_back(AssignmentId::from_bytes([1; 16]), at(NOW));
    assert_eq!((lead.stage, lead.wants_distribution()), (Stage::Rejected, false));
}

#[test]
fn a_win_is_a_win() {
    let mut lead = held();
    lead.close(Stage::Won, at("2026-06-01T18:00:00Z"));
    lead.erase(at(NOW));
    assert_eq!((lead.stage, lead.closed_at), (Stage::Won, Some(at("2026-06-01T18:00:00Z"))));
}

#[test]
fn a_shell_is_merged_with_nothing() {
    let mut shell = lead();
    shell.id = crate::ids::LeadId::from_bytes([9; 16]);
    shell.erase(at(NOW));
    assert_eq!(lead().merge(&shell, 30, at(NOW)).unwrap_err(), Unmergeable::Erased);
    assert_eq!(shell.merge(&lead(), 30, at(NOW)).unwrap_err(), Unmergeable::Erased);
}
