//! Whose an enquiry is: what a person's e-mail and phone lead to, in the scope of the company and in that of
//! a single offer.

use crate::cloud::Cloud;
use crate::judging;
use crate::store::{Identified, IdentityWrite, Known as KnownOf, List, StoreError};
use jiff::{SignedDuration, Timestamp};
use leadyard_domain::distribution::{Conclusion, Core, LeadFacts};
use leadyard_domain::enquiry::Understood;
use leadyard_domain::identity::{Claim, Claims, IdentityHash, IdentityKey, Join, PersonKeys, join};
use leadyard_domain::ids::{CompanyId, LeadId};
use leadyard_domain::lead::{Contactable, Lead, LeadScope, Stage};
use leadyard_domain::person::{Email, Name};
use leadyard_domain::rulebook::{Offer, Scope};

/// Who asks, and when.
#[derive(Clone, Copy)]
pub struct Asking<'a> {
    /// Of which company.
    pub company: &'a CompanyId,
    /// The rules that they ask under.
    pub core: &'a Core,
    /// What they say of themselves.
    pub who: &'a Understood,
    /// When.
    pub at: Timestamp,
}

/// Why what an erased person once sent is not taken in.
pub const WAS_ERASED: &str = "this person was erased after it was sent: it is not kept";

/// How long ago an enquiry was sent that is not taken in by the request that brought it: of the others nobody asks.
const LATE: SignedDuration = SignedDuration::from_secs(60);

/// Whether somebody was erased since they sent this: what was under way brings nobody back. Of an enquiry with an
/// e-mail the e-mail decides; its phone may be others' as well.
pub async fn was_erased(cloud: &Cloud, asking: Asking<'_>, spilled: bool) -> Result<bool, StoreError> {
    let Asking { company, who, at, .. } = asking;
    if !spilled && cloud.clock.now().duration_since(at) < LATE {
        return Ok(false);
    }
    let key = cloud.identity_key();
    let email = who.email.as_ref().map(|email| IdentityHash::of_email(&key, company, email));
    let phone = who.phone.as_ref().map(|phone| IdentityHash::of_phone(&key, company, phone));
    let erased_at = cloud.store.forgotten_at(email.or(phone).as_slice()).await?;
    Ok(erased_at.is_some_and(|erased_at| at <= erased_at))
}

/// The lead that an identity leads to, with what joining must know.
struct Found {
    identified: Identified,
    lead: Lead,
    /// Those that were merged into it: each is known as it was.
    merged: Vec<Lead>,
}

impl Found {
    /// Itself, unless its person was erased; what goes on saying that it identifies nobody does so.
    fn of_somebody(self, hash: Option<IdentityHash>, left: &mut Vec<(IdentityHash, LeadId)>) -> Option<Self> {
        if !self.lead.is_erased() || self.identified.is_worn_out() {
            return Some(self);
        }
        left.extend(hash.map(|hash| (hash, self.identified.lead)));
        None
    }
}

/// What a person's identities lead to within one scope, and what follows for the enquiry.
pub struct Met {
    /// Within which scope.
    pub scope: LeadScope,
    by_email: Option<Found>,
    by_phone: Option<Found>,
    joined: Join,
    /// Identities that an erased person's shell still has: whoever comes next takes them over.
    left: Vec<(IdentityHash, LeadId)>,
}

impl Met {
    /// The lead it repeats, if any.
    fn repeats(&self) -> Option<&Lead> {
        match self.joined {
            Join::Repeat { lead, .. } => self.lead(lead),
            Join::New { .. } => None,
        }
    }

    fn lead(&self, id: LeadId) -> Option<&Lead> {
        [&self.by_email, &self.by_phone]
            .into_iter()
            .flatten()
            .map(|found| &found.lead)
            .find(|lead| lead.id == id)
    }

    const fn claims(&self) -> Claims {
        match self.joined {
            Join::Repeat { claim, .. } | Join::New { claim, .. } => claim,
        }
    }

    /// Another lead that may be the same person's, flagged.
    pub fn duplicate(&self) -> Option<Lead> {
        let (Join::Repeat { possible_duplicate_of, .. } | Join::New { possible_duplicate_of, .. }) =
            self.joined;
        let mut other = self.lead(possible_duplicate_of?).cloned()?;
        other.possible_duplicate = true;
        Some(other)
    }
}

/// A person's identities in every scope.
pub struct Known {
    key: IdentityKey,
    /// What they are known by.
    pub keys: PersonKeys,
    by_email: Vec<Identified>,
    by_phone: Vec<Identified>,
    /// The e-mail or the phone is on the company's suppression list.
    pub suppressed: bool,
    /// The phone is on the company's do-not-call list.
    pub do_not_call: bool,
}

impl Known {
    /// What is known of who asks, in the scopes that an offer may have.
    pub async fn of(cloud: &Cloud, asking: Asking<'_>, offer: &Offer) -> Result<Self, StoreError> {
        let key = cloud.identity_key();
        let Asking { company, who, .. } = asking;
        let scopes = [LeadScope::Offer(offer.id.clone()), LeadScope::Category(offer.category.clone())];
        let keys = PersonKeys::of(&key, company, who.email.as_ref(), who.phone.as_ref(), &who.name);
        // Also of a dummy, which identifies nobody, the list is asked.
        let email = who.email.as_ref().map(|email| IdentityHash::of_email(&key, company, email));
        let phone = who.phone.as_ref().map(|phone| IdentityHash::of_phone(&key, company, phone));
        // A mailbox is on no list of those who are not to be called.
        let (email, phone) = futures::try_join!(
            known(cloud, email, &scopes, &[List::Suppressed]),
            known(cloud, phone, &scopes, &[List::Suppressed, List::DoNotCall]),
        )?;
        let suppressed = email.suppressed || phone.suppressed;
        let do_not_call = phone.do_not_call;
        let by_email = if keys.email.is_some() { email.scopes } else { Vec::new() };
        let by_phone = if keys.phone.is_some() { phone.scopes } else { Vec::new() };
        Ok(Self { key, keys, by_email, by_phone, suppressed, do_not_call })
    }

    /// What they lead to within one scope.
    async fn within(&self, cloud: &Cloud, company: &CompanyId, scope: LeadScope) -> Result<Met, StoreError> {
        let mut left = Vec::new();
        let by_email = found(cloud, &self.by_email, &scope).await?;
        let by_email = by_email.and_then(|found| found.of_somebody(self.keys.email, &mut left));
        let by_phone = found(cloud, &self.by_phone, &scope).await?;
        let by_phone = by_phone.and_then(|found| found.of_somebody(self.keys.phone, &mut left));
        let claim = |found: &Option<Found>| found.as_ref().map(|found| claim_of(&self.key, company, found));
        let joined = join(&self.keys, claim(&by_email).as_ref(), claim(&by_phone).as_ref());
        Ok(Met { scope, by_email, by_phone, joined, left })
    }
}

async fn known(
    cloud: &Cloud,
    hash: Option<IdentityHash>,
    scopes: &[LeadScope],
    lists: &[List],
) -> Result<KnownOf, StoreError> {
    match hash {
        Some(hash) => cloud.store.identity_known(&hash, scopes, lists).await,
        None => Ok(KnownOf::default()),
    }
}

async fn found(cloud: &Cloud, scopes: &[Identified], scope: &LeadScope) -> Result<Option<Found>, StoreError> {
    let Some(identified) = scopes.iter().find(|identified| identified.scope == *scope) else {
        return Ok(None);
    };
    let Some(lead) = cloud.store.lead_surviving(identified.lead).await? else { return Ok(None) };
    let merged =
        if lead.merged.is_empty() { Vec::new() } else { cloud.store.leads_get(&lead.merged).await? };
    Ok(Some(Found { identified: identified.clone(), lead, merged }))
}

/// Whose an enquiry is: the offer's own lead first, where a holder's contract once did not take the
/// offer; else that of the company's scope; else, where its holder does not take this offer, a second
/// lead in the offer's own scope.
pub async fn whose(
    cloud: &Cloud,
    asking: Asking<'_>,
    known: &Known,
    offer: &Offer,
) -> Result<(Met, Option<Lead>), StoreError> {
    let company = asking.company;
    let own = LeadScope::Offer(offer.id.clone());
    let base = match asking.core.company.scope {
        Scope::Category => LeadScope::Category(offer.category.clone()),
        Scope::Offer => own.clone(),
    };
    let in_own = known.within(cloud, company, own).await?;
    if in_own.repeats().is_some() || in_own.scope == base {
        let repeats = in_own.repeats().cloned();
        return Ok((in_own, repeats));
    }
    let in_base = known.within(cloud, company, base).await?;
    match in_base.repeats().cloned() {
        Some(lead) if other_offer(cloud, asking, &lead, offer).await? => Ok((in_own, None)),
        repeats => Ok((in_base, repeats)),
    }
}

fn claim_of(key: &IdentityKey, company: &CompanyId, found: &Found) -> Claim {
    let leads = std::iter::once(&found.lead).chain(&found.merged);
    found.identified.claim(found.lead.id, leads.map(|lead| keys_of(key, company, &lead.person)).collect())
}

/// What joining compares of a lead's person: the e-mail and the surname.
fn keys_of(key: &IdentityKey, company: &CompanyId, person: &Contactable) -> PersonKeys {
    let email = person.email.as_deref().and_then(|email| Email::parse(email).ok());
    let name = Name::new("", person.last_name.as_deref().unwrap_or_default());
    PersonKeys::of(key, company, email.as_ref(), None, &name)
}

/// Whether a repeat is about an offer that no holder's contract takes: it starts a second lead, scoped
/// to that offer. So it does where the lead waits for its own offer, and somebody would have the other now:
/// who asks for what can be had is not to wait with what cannot.
async fn other_offer(
    cloud: &Cloud,
    asking: Asking<'_>,
    lead: &Lead,
    offer: &Offer,
) -> Result<bool, StoreError> {
    let outside = lead.outside_window(asking.at, asking.core.company.window_days);
    if lead.offer == offer.id || outside {
        return Ok(false);
    }
    if lead.holders.is_empty() {
        // What is imported from before says nothing of who would have it now.
        return if asking.at < lead.last_enquiry_at {
            Ok(false)
        } else {
            would_be_had(cloud, lead, offer, asking.at).await
        };
    }
    for holder in &lead.holders {
        let of = lead.cycle_of(holder);
        let seat = cloud.store.assignment_get(of.lead, of.cycle, holder.assignment).await?;
        let state = seat.and_then(|seat| seat.sold_in).or_else(|| lead.location().state());
        let chunks = cloud
            .rulebooks
            .chunks(&cloud.store, asking.core, lead.category_under(asking.core), state)
            .await?;
        if chunks.iter().any(|chunk| chunk.takes_offer(&holder.contract, &offer.id) == Some(true)) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether a lead that waits would go to somebody if it were about this offer.
async fn would_be_had(cloud: &Cloud, lead: &Lead, offer: &Offer, now: Timestamp) -> Result<bool, StoreError> {
    let Some(score) = lead.score.as_ref().filter(|_| lead.stage == Stage::Waiting) else { return Ok(false) };
    let Some(in_force) = judging::in_force(cloud, &lead.company).await? else { return Ok(false) };
    let facts = cloud.on_lists(lead).await?.facts(lead, &in_force.core, score.band);
    let facts = LeadFacts { offer: offer.id.clone(), category: offer.category.clone(), ..facts };
    let preview = judging::consider(cloud, &in_force, &facts, now).await?;
    Ok(matches!(preview.decision.conclusion, Conclusion::Assign(_)))
}

/// New claims in the scope that was met, and the surname on the identities that were found there.
pub fn identity_writes(keys: &PersonKeys, met: &Met) -> Vec<IdentityWrite> {
    let write = |hash: IdentityHash, claim: bool| IdentityWrite {
        hash,
        scope: met.scope.clone(),
        surname: keys.surname,
        claim,
        was: met.left.iter().find(|(left, _)| claim && *left == hash).map(|(_, lead)| *lead),
    };
    let mut writes: Vec<IdentityWrite> = met.claims().iter().map(|hash| write(hash, true)).collect();
    for (hash, found) in [keys.email, keys.phone].into_iter().zip([&met.by_email, &met.by_phone]) {
        if let (Some(hash), Some(found)) = (hash, found)
            // One more than identify a person says that it identifies nobody; the rest would only grow.
            && !found.identified.is_worn_out()
            && keys.surname.is_some_and(|surname| !found.identified.surnames.contains(&surname))
        {
            writes.push(write(hash, false));
        }
    }
    writes
}
