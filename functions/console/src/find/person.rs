//! Whoever has an e-mail or a phone, in one company or in several.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use futures::future::try_join_all;
use leadyard_domain::identity::IdentityHash;
use leadyard_domain::ids::{CompanyId, LeadId};
use leadyard_domain::lead::Lead;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::Problem;

use super::{Asked, Contact, List, of};

/// The leads of whoever is asked for by e-mail or phone, in each of these companies; `None`, where something else is asked
/// for.
pub(crate) async fn known_in(
    cloud: &Cloud,
    companies: &[CompanyId],
    asked: &Asked,
) -> Result<Option<Vec<Lead>>, Problem> {
    match of(asked)? {
        List::Person(contact) => Ok(Some(leads_in(cloud, companies, &contact).await?)),
        List::Lead(_)
        | List::Hottest
        | List::Stage(_)
        | List::Dealer(_)
        | List::Source(_)
        | List::Lapsing
        | List::Day(_) => Ok(None),
    }
}

/// The leads of a person, company by company in this order, of each who asked last first. A read for each company, one for
/// the leads of all, and one for each that was merged: nobody is known by the same hash in two companies.
pub(super) async fn leads_in(
    cloud: &Cloud,
    companies: &[CompanyId],
    contact: &Contact,
) -> Result<Vec<Lead>, Problem> {
    let key = cloud.identity_key();
    let hashes: Vec<IdentityHash> = companies
        .iter()
        .map(|company| match contact {
            Contact::Email(email) => IdentityHash::of_email(&key, company, email),
            Contact::Phone(phone) => IdentityHash::of_phone(&key, company, phone),
        })
        .collect();
    let scopes = try_join_all(hashes.iter().map(|hash| cloud.store.identity_scopes(hash))).await?;
    let ids: Vec<LeadId> = scopes.into_iter().flatten().map(|identified| identified.lead).collect();
    let mut leads = Vec::with_capacity(ids.len());
    for lead in cloud.store.leads_get(&ids).await? {
        if lead.merged_into.is_some() {
            leads.extend(cloud.store.lead_surviving(lead.id).await?);
        } else {
            leads.push(lead);
        }
    }
    let place: HashMap<&CompanyId, usize> =
        companies.iter().enumerate().map(|(nth, company)| (company, nth)).collect();
    let mut seen = HashSet::new();
    leads.retain(|lead| place.contains_key(&lead.company) && seen.insert(lead.id));
    leads.sort_by_key(|lead| (place.get(&lead.company).copied(), Reverse(lead.last_enquiry_at), lead.id));
    Ok(leads)
}
