//! What is due, as the keys of the due index say it.

use leadyard_domain::ids::{AssignmentId, CategoryId, CompanyId, EnquiryId, ErasureId, LeadId};
use leadyard_domain::rulebook::PostbackStatus;

/// What a due item is, read back from its keys alone: the due index projects nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DueKey {
    /// A lead to distribute or to expire.
    Lead(LeadId),
    /// An assignment to deliver.
    Assignment(LeadId, u32, AssignmentId),
    /// A message to deliver.
    Delivery {
        /// The lead.
        lead: LeadId,
        /// To whom.
        assignment: AssignmentId,
        /// Which event.
        event: String,
        /// Which of them.
        number: String,
    },
    /// Leads to wake.
    Wake(CompanyId, CategoryId),
    /// Leads that wait for this instant, Unix milliseconds. An earlier version reads it as [`DueKey::Wake`], finds
    /// nobody, and leaves it due.
    WakeAt(CompanyId, CategoryId, i64),
    /// A quarantined enquiry whose deadline is there, or one that is to be fetched.
    Enquiry(EnquiryId),
    /// A sender that is to be told.
    Postback(EnquiryId, PostbackStatus),
    /// An erasure that is not done.
    Erasure(CompanyId, ErasureId),
    /// A lead that is to be called, or whose place in the day's list is to be looked at. An earlier version leaves it due.
    FollowUp(LeadId),
    /// A company's publish that is watched. An earlier version leaves it due.
    Watch(CompanyId),
    /// What matters of a company now, which is to be counted. An earlier version leaves it due.
    Now(CompanyId),
}

impl DueKey {
    /// Reads the keys of an item of the due index; `None` for what was never put there.
    pub fn read(pk: &str, sk: &str) -> Option<Self> {
        let (kind, owner) = pk.split_once('#')?;
        let mut parts = sk.split('#');
        match (kind, parts.next()?) {
            ("L", "L") => Some(Self::Lead(owner.parse().ok()?)),
            ("L", "F") => Some(Self::FollowUp(owner.parse().ok()?)),
            ("L", "A") => Some(Self::Assignment(
                owner.parse().ok()?,
                parts.next()?.parse().ok()?,
                parts.next()?.parse().ok()?,
            )),
            ("L", "M") => Some(Self::Delivery {
                lead: owner.parse().ok()?,
                assignment: parts.next()?.parse().ok()?,
                event: parts.next()?.to_owned(),
                number: parts.next()?.to_owned(),
            }),
            ("E", "P") => Some(Self::Postback(owner.parse().ok()?, parts.next()?.parse().ok()?)),
            ("E", "E") => Some(Self::Enquiry(owner.parse().ok()?)),
            ("R", "watch") => Some(Self::Watch(owner.parse().ok()?)),
            ("T", "N") => Some(Self::Now(owner.parse().ok()?)),
            ("X", "E") => Some(Self::Erasure(owner.parse().ok()?, parts.next()?.parse().ok()?)),
            ("W", "W") => {
                let (company, category) = (owner.parse().ok()?, parts.next()?.parse().ok()?);
                match parts.next() {
                    None => Some(Self::Wake(company, category)),
                    Some(at_ms) => Some(Self::WakeAt(company, category, at_ms.parse().ok()?)),
                }
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::keys::Key;

    #[test]
    fn a_due_item_is_known_by_its_keys_alone() {
        let lead = LeadId::from_bytes([1; 16]);
        let assignment = AssignmentId::from_bytes([2; 16]);
        let company = CompanyId::new("acme").unwrap();
        let category = CategoryId::new("roofing").unwrap();
        let read = |key: Key<'_>| DueKey::read(&key.pk(), &key.sk());
        assert_eq!(read(Key::Lead(lead)), Some(DueKey::Lead(lead)));
        assert_eq!(read(Key::FollowUp(lead)), Some(DueKey::FollowUp(lead)));
        assert_eq!(
            read(Key::Assignment { lead, cycle: 3, assignment }),
            Some(DueKey::Assignment(lead, 3, assignment))
        );
        assert_eq!(
            read(Key::Delivery { lead, assignment, event: "lead.withdrawn", number: "1" }),
            Some(DueKey::Delivery { lead, assignment, event: "lead.withdrawn".into(), number: "1".into() })
        );
        assert_eq!(
            read(Key::Wake(&company, &category)),
            Some(DueKey::Wake(company.clone(), category.clone()))
        );
        assert_eq!(
            read(Key::WakeAt { company: &company, category: &category, at_ms: 7 }),
            Some(DueKey::WakeAt(company.clone(), category.clone(), 7))
        );
        let enquiry = EnquiryId::from_bytes([3; 16]);
        assert_eq!(read(Key::Enquiry(enquiry)), Some(DueKey::Enquiry(enquiry)));
        let erasure = ErasureId::from_bytes([4; 16]);
        assert_eq!(read(Key::Erasure(&company, erasure)), Some(DueKey::Erasure(company.clone(), erasure)));
        assert_eq!(
            read(Key::Postback(enquiry, PostbackStatus::Sold)),
            Some(DueKey::Postback(enquiry, PostbackStatus::Sold))
        );
        assert_eq!(read(Key::RulebookWatch(&company)), Some(DueKey::Watch(company.clone())));
        assert_eq!(read(Key::Now(&company)), Some(DueKey::Now(company.clone())));
        assert_eq!(read(Key::RulebookPointer(&company)), None);
        assert_eq!(read(Key::Switches(&company)), None);
    }
}
