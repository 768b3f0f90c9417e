//! When the retention of a lead that is over is looked at.

use super::*;
use crate::contract::Needs;
use crate::ids::{CategoryId, CompanyId, EnquiryId, OfferId, SourceId};
use crate::lead::{Arrival, Contactable, LeadScope, Stage};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn lead(random: u8) -> Lead {
    let opened = at("2026-06-01T12:00:00Z");
    let arrival = Arrival {
        enquiry: EnquiryId::mint(opened, [random; 10]),
        at: opened,
        person: Contactable::default(),
        offer: OfferId::new("roof").unwrap(),
        category: CategoryId::new("roofing").unwrap(),
        source: SourceId::new("web").unwrap(),
        campaign: None,
        brings: Needs::NONE,
        certificate_warning: None,
        visitor: None,
    };
    let scope = LeadScope::Category(CategoryId::new("roofing").unwrap());
    Lead::open(CompanyId::new("acme").unwrap(), scope, &arrival)
}

#[test]
fn what_is_over_is_looked_at_within_the_month_and_not_all_at_once() {
    let now = at("2026-06-03T00:00:00Z");
    let mut looks = Vec::new();
    for random in [0, 1, 255] {
        let mut lead = lead(random);
        assert!(!lead.is_kept() && lead.over_since().is_none(), "it is open");
        lead.close(Stage::Lost, now);
        assert!(lead.is_kept());
        assert_eq!(lead.over_since(), Some(now));
        looks.push(lead.due.unwrap());
    }
    let month = at("2026-07-03T00:00:00Z");
    assert!(looks.iter().all(|look| *look <= month && *look > at("2026-07-02T00:00:00Z")), "{looks:?}");
    assert!(looks[0] != looks[1] && looks[1] != looks[2]);
}

#[test]
fn looks_are_counted_from_the_closing_whenever_it_became_known() {
    let mut lead = lead(1);
    lead.close(Stage::Lost, at("2026-06-03T00:00:00Z"));
    let first = lead.due.unwrap();
    for (now, looks_later) in [
        (at("2026-06-20T00:00:00Z"), 0),
        (first, 1),
        (at("2026-07-20T00:00:00Z"), 1),
        (at("2027-06-20T00:00:00Z"), 12),
    ] {
        lead.rest_closed(now);
        let look = first + SignedDuration::from_hours(24 * 30 * looks_later);
        assert_eq!(lead.due, Some(look), "{now}");
        assert!(look > now);
    }
}

#[test]
fn the_end_of_retention_is_due_where_it_comes_sooner() {
    let now = at("2026-06-03T00:00:00Z");
    let mut lead = lead(1);
    lead.close(Stage::Won, now);
    lead.rest_kept_until(at("2026-06-10T00:00:00Z"), now);
    assert_eq!(lead.due, Some(at("2026-06-10T00:00:00Z")));
    lead.rest_kept_until(at("2027-06-10T00:00:00Z"), now);
    assert!(lead.due.unwrap() <= at("2026-07-03T00:00:00Z"));
    // What cannot be done now is not due now again.
    lead.rest_kept_until(at("2026-06-01T00:00:00Z"), now);
    assert!(lead.due.unwrap() > now);
}

#[test]
fn a_later_enquiry_counts_from_its_own_time_and_a_shell_is_looked_at_no_more() {
    let mut lead = lead(1);
    lead.close(Stage::Rejected, at("2026-06-03T00:00:00Z"));
    lead.last_enquiry_at = at("2026-06-20T00:00:00Z");
    assert_eq!(lead.over_since(), Some(at("2026-06-20T00:00:00Z")));
    lead.erase(at("2026-09-01T00:00:00Z"));
    assert!(!lead.is_kept());
    assert_eq!(lead.due, None);
}
