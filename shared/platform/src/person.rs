//! A person: all that a company holds of one, wherever it stands. What is exported and what is erased are found
//! here and nowhere else, so that neither forgets what the other finds.
//!
//! # Who is the same person
//!
//! - *An e-mail is its person's*, in every scope, unless it identifies nobody (a dummy, an office's address).
//! - *A phone is its person's* where neither e-mail nor surname contradicts, as when an enquiry is joined to a lead
//!   ([`identity`](leadyard_domain::identity)). Where it is somebody else's as well, theirs are told of (`others`)
//!   and left alone: the desk names them if they are the same after all.
//! - *What was merged* is one person's.
//! - *What has no lead* (quarantined, rejected, a test) is theirs by the same rules. What could not be read as fields
//!   is theirs where their e-mail stands in it, or their phone and nobody else's e-mail.
//! - *A browser* is theirs where it is linked to a lead of theirs, or came with an enquiry of theirs and is linked to
//!   nobody.
//!
//! An enquiry in which neither e-mail nor phone could be understood leads to nobody: the desk names it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use leadyard_domain::access::VisitorToken;
use leadyard_domain::distribution::Core;
use leadyard_domain::enquiry::Understood;
use leadyard_domain::identity::{IdentityHash, IdentityKey};
use leadyard_domain::ids::{CompanyId, EnquiryId, LeadId, VisitorId};
use leadyard_domain::lead::{Contactable, Lead, LeadScope};
use leadyard_domain::limits;
use leadyard_domain::person::{Email, Name, Phone};
use leadyard_domain::time::UtcDay;

use crate::cloud::Cloud;
use crate::judging;
use crate::store::{Erasure, Identified, Item, Shelf, Store, StoreError, StoredEnquiry, Story, keys};

/// What a person is sought by.
#[derive(Clone, Debug, Default)]
pub struct Sought {
    /// Leads of theirs.
    pub leads: BTreeSet<LeadId>,
    /// Enquiries of theirs.
    pub enquiries: BTreeSet<EnquiryId>,
    /// Their e-mail.
    pub email: Option<Email>,
    /// Their phone.
    pub phone: Option<Phone>,
    /// Keyed hashes of e-mails and phones that are theirs.
    pub people: BTreeSet<IdentityHash>,
    /// Phones that are somebody else's as well.
    pub shared: BTreeSet<IdentityHash>,
    /// Keyed hashes of their surnames.
    pub surnames: BTreeSet<IdentityHash>,
    /// Only what they sent until then.
    pub until: Option<Timestamp>,
}

impl Sought {
    /// Whoever an erasure is of.
    pub fn of(erasure: &Erasure) -> Self {
        Self {
            leads: erasure.leads.clone(),
            enquiries: erasure.enquiries.clone(),
            email: None,
            phone: None,
            people: erasure.people.clone(),
            shared: erasure.shared.clone(),
            surnames: erasure.surnames.clone(),
            until: Some(erasure.sent_until()),
        }
    }
}

/// Why nobody could be found.
#[derive(Debug, thiserror::Error)]
pub enum SeekError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The e-mail or phone is of several people, and nothing says which.
    #[error("the e-mail or phone belongs to several people: name a lead of the one who is meant")]
    Ambiguous(BTreeSet<LeadId>),
    /// More than is done at once.
    #[error(
        "this person has more than {} leads or {} e-mails and phones: name their leads in parts",
        limits::LEADS_PER_PERSON,
        limits::IDENTITIES_PER_PERSON
    )]
    TooMany,
}

/// A lead of theirs, with all that stands beside it.
#[derive(Clone, Debug)]
pub struct TheirLead {
    /// Its story.
    pub story: Story,
    /// Its enquiries, oldest first.
    pub enquiries: Vec<StoredEnquiry>,
    /// Its partition, as it stands.
    pub items: Vec<Item>,
    /// What leads to it.
    pub known_by: Vec<(IdentityHash, LeadScope)>,
}

/// All that is held of a person.
#[derive(Clone, Debug, Default)]
pub struct Person {
    /// Their leads, by id.
    pub leads: BTreeMap<LeadId, TheirLead>,
    /// Their enquiries without a lead.
    pub aside: Vec<StoredEnquiry>,
    /// What stands of their browsers.
    pub visits: Vec<Item>,
    /// Keyed hashes of their e-mails and phones.
    pub people: BTreeSet<IdentityHash>,
    /// Those of them that are e-mails.
    pub emails: BTreeSet<IdentityHash>,
    /// Of phones that somebody else has as well.
    pub shared: BTreeSet<IdentityHash>,
    /// Of their surnames.
    pub surnames: BTreeSet<IdentityHash>,
    /// Leads that share a phone with them, and are somebody else's by all that is known.
    pub others: BTreeSet<LeadId>,
}

impl Person {
    /// Whether nothing is held.
    pub fn is_nobody(&self) -> bool {
        self.leads.is_empty() && self.aside.is_empty()
    }

    /// All their enquiries.
    pub fn enquiries(&self) -> impl Iterator<Item = &StoredEnquiry> {
        self.leads.values().flat_map(|lead| &lead.enquiries).chain(&self.aside)
    }
}

/// What one enquiry or lead says of who somebody is.
#[derive(Clone, Debug, Default)]
struct Contacts {
    email: Option<IdentityHash>,
    phone: Option<IdentityHash>,
    surname: Option<IdentityHash>,
}

impl Contacts {
    fn of_lead(key: &IdentityKey, company: &CompanyId, person: &Contactable) -> Self {
        let email = person.email.as_deref().and_then(|email| Email::parse(email).ok());
        let phone = person.phone.as_deref().and_then(|phone| Phone::parse(phone).ok());
        let name = Name::new("", person.last_name.as_deref().unwrap_or_default());
        Self::of(key, company, email.as_ref(), phone.as_ref(), &name)
    }

    fn of_enquiry(key: &IdentityKey, company: &CompanyId, who: &Understood) -> Self {
        Self::of(key, company, who.email.as_ref(), who.phone.as_ref(), &who.name)
    }

    fn of(
        key: &IdentityKey,
        company: &CompanyId,
        email: Option<&Email>,
        phone: Option<&Phone>,
        name: &Name,
    ) -> Self {
        Self {
            email: email
                .filter(|email| !email.is_dummy())
                .map(|email| IdentityHash::of_email(key, company, email)),
            phone: phone
                .filter(|phone| !phone.is_dummy())
                .map(|phone| IdentityHash::of_phone(key, company, phone)),
            surname: IdentityHash::of_surname(key, company, name),
        }
    }
}

/// A search under way.
struct Search<'a> {
    cloud: &'a Cloud,
    company: &'a CompanyId,
    core: Option<Arc<Core>>,
    key: IdentityKey,
    until: Option<Timestamp>,
    /// Leads that are theirs by somebody's word.
    named: BTreeSet<LeadId>,
    found: Person,
    to_read: Vec<LeadId>,
    asked: BTreeSet<IdentityHash>,
    /// Leads that a phone leads to: whose they are is asked when all else is known.
    by_phone: Vec<(IdentityHash, LeadId)>,
}

impl Cloud {
    /// All that is held of a person, as far as it leads to them.
    pub async fn person(&self, company: &CompanyId, sought: &Sought) -> Result<Person, SeekError> {
        if let (Some(email), true) = (&sought.email, sought.leads.is_empty() && sought.enquiries.is_empty()) {
            self.names_somebody(company, email).await?;
        }
        let mut search = self.search(company, sought).await?;
        search.shelves(&sought.enquiries).await?;
        search.browsers().await?;
        Ok(search.found)
    }

    /// An e-mail that identifies nobody, and leads to leads all the same: who asks by it means one of them.
    async fn names_somebody(&self, company: &CompanyId, email: &Email) -> Result<(), SeekError> {
        let scopes =
            self.store.identity_scopes(&IdentityHash::of_email(&self.identity_key(), company, email)).await?;
        let mut leads = BTreeSet::new();
        for scope in scopes.iter().filter(|scope| scope.is_worn_out()) {
            let lead = self.store.lead_surviving(scope.lead).await?;
            leads.extend(lead.filter(|lead| !lead.is_erased()).map(|lead| lead.id));
        }
        if leads.is_empty() { Ok(()) } else { Err(SeekError::Ambiguous(leads)) }
    }

    /// Whether all who have this phone may be one person; or nobody is known to have it.
    pub async fn is_one_persons(
        &self,
        company: &CompanyId,
        phone: &IdentityHash,
    ) -> Result<bool, StoreError> {
        Ok(self.who_has(company, phone).await?.1)
    }

    /// The leads that a phone leads to, and whether they may be one person's.
    async fn who_has(
        &self,
        company: &CompanyId,
        phone: &IdentityHash,
    ) -> Result<(Vec<Lead>, bool), StoreError> {
        let scopes = self.store.identity_scopes(phone).await?;
        let mut all = Vec::new();
        for scope in &scopes {
            all.extend(self.store.lead_surviving(scope.lead).await?);
        }
        let key = self.identity_key();
        let contacts: Vec<_> =
            all.iter().map(|lead| Contacts::of_lead(&key, company, &lead.person)).collect();
        let differ = |one: fn(&Contacts) -> Option<IdentityHash>| {
            contacts.iter().filter_map(one).collect::<BTreeSet<_>>().len() > 1
        };
        let several = differ(|one| one.email) || differ(|one| one.surname);
        Ok((all, !several && !scopes.iter().any(Identified::is_worn_out)))
    }

    /// The same without what has no lead: what an opt-out asks, which is not to walk over all that is kept aside.
    pub async fn person_by_leads(&self, company: &CompanyId, sought: &Sought) -> Result<Person, SeekError> {
        Ok(self.search(company, sought).await?.found)
    }

    async fn search<'a>(&'a self, company: &'a CompanyId, sought: &Sought) -> Result<Search<'a>, SeekError> {
        let mut search = Search {
            cloud: self,
            company,
            core: self.rulebooks.current(&self.store, company).await?,
            key: self.identity_key(),
            until: sought.until,
            named: sought.leads.clone(),
            found: Person {
                shared: sought.shared.clone(),
                surnames: sought.surnames.clone(),
                ..Person::default()
            },
            to_read: sought.leads.iter().copied().collect(),
            asked: BTreeSet::new(),
            by_phone: Vec::new(),
        };
        if let Some(phone) = &sought.phone {
            search.begin_with_phone(phone).await?;
        }
        let email = sought.email.as_ref().filter(|email| !email.is_dummy());
        let email = email.map(|email| IdentityHash::of_email(&search.key, company, email));
        search.found.emails.extend(email);
        for hash in email.into_iter().chain(sought.people.iter().copied()) {
            search.ask(hash).await?;
        }
        search.begin_with_enquiries(&sought.enquiries).await?;
        search.read_all().await?;
        Ok(search)
    }
}

impl Search<'_> {
    fn store(&self) -> &Store {
        &self.cloud.store
    }

    /// Enquiries without a lead that the desk knows to be theirs.
    async fn begin_with_enquiries(&mut self, named: &BTreeSet<EnquiryId>) -> Result<(), SeekError> {
        let named: Vec<EnquiryId> = named.iter().copied().collect();
        let mut named = self.store().enquiries_get(&named).await?;
        named.retain(|enquiry| enquiry.company == *self.company && enquiry.lead.is_none());
        let contacts = named.iter().map(|enquiry| self.contacts(enquiry)).collect();
        self.meet(contacts).await
    }

    /// A phone alone names its person only where all who have it may be one.
    async fn begin_with_phone(&mut self, phone: &Phone) -> Result<(), SeekError> {
        let hash = IdentityHash::of_phone(&self.key, self.company, phone);
        let (all, is_one) = self.cloud.who_has(self.company, &hash).await?;
        if !is_one {
            return Err(SeekError::Ambiguous(all.iter().map(|lead| lead.id).collect()));
        }
        self.found.people.insert(hash);
        self.asked.insert(hash);
        self.to_read.extend(all.iter().map(|lead| lead.id));
        Ok(())
    }

    /// What an e-mail, or what is theirs by word of the ledger, leads to.
    async fn ask(&mut self, hash: IdentityHash) -> Result<(), SeekError> {
        if !self.asked.insert(hash) {
            return Ok(());
        }
        let scopes = self.store().identity_scopes(&hash).await?;
        if scopes.iter().any(Identified::is_worn_out) {
            return Ok(());
        }
        self.found.people.insert(hash);
        if self.found.people.len() > limits::IDENTITIES_PER_PERSON {
            return Err(SeekError::TooMany);
        }
        self.to_read.extend(scopes.iter().map(|scope| scope.lead));
        Ok(())
    }

    /// Reads leads until none leads to another.
    async fn read_all(&mut self) -> Result<(), SeekError> {
        loop {
            while let Some(id) = self.to_read.pop() {
                self.read(id).await?;
            }
            for (hash, lead) in std::mem::take(&mut self.by_phone) {
                self.settle_phone(hash, lead).await?;
            }
            if self.to_read.is_empty() {
                break;
            }
        }
        // A phone that is somebody else's as well is nobody's to be suppressed by.
        let shared = std::mem::take(&mut self.found.shared);
        self.found.people.retain(|hash| !shared.contains(hash));
        self.found.shared = shared;
        self.known_by().await
    }

    async fn read(&mut self, id: LeadId) -> Result<(), SeekError> {
        if self.found.leads.contains_key(&id) {
            return Ok(());
        }
        let items = self.store().lead_items(id).await?;
        let Some(story) = self.store().lead_story_of(items.clone()).await? else { return Ok(()) };
        let lead = story.lead.clone();
        if lead.company != *self.company || self.is_new(&lead) {
            return Ok(());
        }
        if self.found.leads.len() >= limits::LEADS_PER_PERSON {
            return Err(SeekError::TooMany);
        }
        self.to_read.extend(lead.merged_into.into_iter().chain(lead.merged.iter().copied()));
        let enquiries = self.enquiries_of(&lead).await?;
        let mut contacts = vec![Contacts::of_lead(&self.key, self.company, &lead.person)];
        contacts.extend(enquiries.iter().map(|enquiry| self.contacts(enquiry)));
        let theirs = TheirLead { story, enquiries, items, known_by: Vec::new() };
        self.found.leads.insert(id, theirs);
        self.meet(contacts).await
    }

    /// Takes up what they are known by: an e-mail is theirs alone, whose phone it is remains to be settled.
    async fn meet(&mut self, contacts: Vec<Contacts>) -> Result<(), SeekError> {
        for one in contacts {
            self.found.surnames.extend(one.surname);
            if let Some(email) = one.email {
                self.found.emails.insert(email);
                self.ask(email).await?;
            }
            let Some(phone) = one.phone.filter(|phone| self.asked.insert(*phone)) else { continue };
            self.found.people.insert(phone);
            let scopes = self.store().identity_scopes(&phone).await?;
            if scopes.iter().any(Identified::is_worn_out) {
                self.found.shared.insert(phone);
            }
            self.by_phone.extend(scopes.iter().map(|scope| (phone, scope.lead)));
        }
        Ok(())
    }

    /// Whether a lead began after what is sought ended: they asked anew.
    fn is_new(&self, lead: &Lead) -> bool {
        let named = lead.is_erased() || self.named.contains(&lead.id);
        !named && self.until.is_some_and(|until| lead.last_enquiry_at > until)
    }

    /// Whose a lead is that one of their phones leads to.
    async fn settle_phone(&mut self, phone: IdentityHash, id: LeadId) -> Result<(), SeekError> {
        if self.found.leads.contains_key(&id) {
            return Ok(());
        }
        let Some(lead) = self.store().lead_surviving(id).await? else { return Ok(()) };
        if lead.is_erased() || self.found.leads.contains_key(&lead.id) {
            return Ok(());
        }
        let theirs = Contacts::of_lead(&self.key, self.company, &lead.person);
        if self.agrees(&theirs) {
            self.to_read.push(id);
        } else {
            self.found.others.insert(lead.id);
            self.found.shared.insert(phone);
        }
        Ok(())
    }

    /// Whether neither e-mail nor surname says that it is somebody else.
    fn agrees(&self, one: &Contacts) -> bool {
        let email = one.email.is_none_or(|email| self.found.people.contains(&email));
        let named = &self.found.surnames;
        let surname = one.surname.is_none_or(|surname| named.is_empty() || named.contains(&surname));
        email && surname
    }

    /// The identities that lead to their leads.
    async fn known_by(&mut self) -> Result<(), SeekError> {
        let hashes: Vec<_> = self.found.people.union(&self.found.shared).copied().collect();
        for hash in hashes {
            for scope in self.store().identity_scopes(&hash).await? {
                // One that identifies nobody goes on saying so.
                if !scope.is_worn_out()
                    && let Some(lead) = self.found.leads.get_mut(&scope.lead)
                {
                    lead.known_by.push((hash, scope.scope));
                }
            }
        }
        Ok(())
    }

    /// A lead's enquiries: those that it remembers, and what came before.
    async fn enquiries_of(&self, lead: &Lead) -> Result<Vec<StoredEnquiry>, SeekError> {
        let mut found = self.store().enquiries_of(std::iter::once(lead)).await?;
        // Of a lead that took another in, these are that one's own.
        found.retain(|enquiry| enquiry.lead == Some(lead.id));
        let first = lead.forgotten_since.or_else(|| may_be_forgotten_since(lead, &found));
        let (Some(first), Some(oldest)) = (first, lead.enquiries.first()) else {
            return Ok(found);
        };
        let known: BTreeSet<EnquiryId> = found.iter().map(|enquiry| enquiry.id).collect();
        for day in first.0..=oldest.day.0 {
            for shard in 0..keys::SHARDS {
                let mut start = None;
                loop {
                    let (mut ids, next) =
                        self.store().arrivals_page(self.company, UtcDay(day), shard, start).await?;
                    ids.retain(|id| !known.contains(id));
                    let more = self.store().enquiries_get(&ids).await?;
                    found.extend(more.into_iter().filter(|enquiry| enquiry.lead == Some(lead.id)));
                    start = next;
                    if start.is_none() {
                        break;
                    }
                }
            }
        }
        found.sort_by_key(|enquiry| (enquiry.received_at, enquiry.id));
        Ok(found)
    }

    /// Their enquiries without a lead: one walk over all that the company keeps aside.
    async fn shelves(&mut self, named: &BTreeSet<EnquiryId>) -> Result<(), SeekError> {
        let named: Vec<EnquiryId> = named.iter().copied().collect();
        let mut aside: Vec<StoredEnquiry> = self.store().enquiries_get(&named).await?;
        aside.retain(|enquiry| enquiry.company == *self.company && enquiry.lead.is_none());
        for shelf in Shelf::ALL {
            for shard in 0..keys::SHARDS {
                let mut start = None;
                loop {
                    let (ids, next) = self.store().shelf_page(self.company, shelf, shard, start).await?;
                    let page = self.store().enquiries_get(&ids).await?;
                    aside.extend(page.into_iter().filter(|enquiry| self.is_theirs(enquiry)));
                    start = next;
                    if start.is_none() {
                        break;
                    }
                }
            }
        }
        aside.retain(|enquiry| enquiry.lead.is_none_or(|lead| !self.found.leads.contains_key(&lead)));
        aside.sort_by_key(|enquiry| (enquiry.received_at, enquiry.id));
        aside.dedup_by_key(|enquiry| enquiry.id);
        self.found.aside = aside;
        Ok(())
    }

    fn is_theirs(&self, enquiry: &StoredEnquiry) -> bool {
        let too_late = self.until.is_some_and(|until| enquiry.received_at > until);
        if too_late || enquiry.lead.is_some() {
            return false;
        }
        if let Some(raw) = &enquiry.raw {
            return self.stands_in(raw);
        }
        // Also as it was received, before the desk put it right.
        let as_received = StoredEnquiry { quarantine: None, ..enquiry.clone() };
        [enquiry, &as_received].into_iter().any(|enquiry| {
            let one = self.contacts(enquiry);
            let by_email = one.email.is_some_and(|email| self.found.people.contains(&email));
            let has =
                |phone: &IdentityHash| self.found.people.contains(phone) || self.found.shared.contains(phone);
            by_email || (one.phone.as_ref().is_some_and(has) && self.agrees(&one))
        })
    }

    /// Whether what could not be read as fields has their e-mail in it, or their phone and nobody else's e-mail.
    fn stands_in(&self, raw: &str) -> bool {
        let words = raw.replace("%40", "@").replace("%2B", "+");
        let is_end = |c: char| c.is_whitespace() || "\"'<>,;:=&()[]{}".contains(c);
        let emails = words.split(is_end).filter(|word| word.contains('@'));
        let emails: Vec<_> = emails.filter_map(|word| Email::parse(word).ok()).collect();
        let hashes = emails.iter().map(|email| IdentityHash::of_email(&self.key, self.company, email));
        if hashes.clone().any(|hash| self.found.people.contains(&hash)) {
            return true;
        }
        let is_digit = |c: char| c.is_ascii_digit() || "+-. ()".contains(c);
        let phones = words.split(|c: char| !is_digit(c)).filter_map(|run| Phone::parse(run).ok());
        let mut phones = phones.map(|phone| IdentityHash::of_phone(&self.key, self.company, &phone));
        hashes.count() == 0 && phones.any(|hash| self.found.people.contains(&hash))
    }

    /// Their browsers.
    async fn browsers(&mut self) -> Result<(), SeekError> {
        let mut visitors: BTreeSet<VisitorId> =
            self.found.leads.values().flat_map(|lead| lead.story.lead.visitors_to_join.clone()).collect();
        for enquiry in self.found.enquiries() {
            visitors.extend(enquiry.visitor);
            // What came in from the spill and named no browser was given one by its own id.
            visitors.insert(VisitorId::from_bytes(*enquiry.id.bytes()));
            let token = self.understand(enquiry).visitor;
            let token = token.as_deref().and_then(|token| self.cloud.master.verify::<VisitorToken>(token));
            visitors.extend(token.filter(|token| token.company == *self.company).map(|token| token.visitor));
            visitors.extend(enquiry.quarantine.as_ref().and_then(|quarantine| quarantine.visitor));
        }
        for visitor in visitors {
            let linked = self.store().visitor_lead(self.company, visitor).await?;
            if linked.is_none_or(|lead| self.found.leads.contains_key(&lead)) {
                self.found.visits.extend(self.store().visitor_items(self.company, visitor).await?);
            }
        }
        Ok(())
    }

    fn understand(&self, enquiry: &StoredEnquiry) -> Understood {
        let source = self.core.as_ref().and_then(|core| core.source(&enquiry.source));
        judging::understand(enquiry, source)
    }

    fn contacts(&self, enquiry: &StoredEnquiry) -> Contacts {
        Contacts::of_enquiry(&self.key, self.company, &self.understand(enquiry))
    }
}

/// The first day of what a lead may have forgotten that an earlier version stored, which did not say since when: that of
/// its id. The id of what an ad platform opened says nothing of when.
fn may_be_forgotten_since(lead: &Lead, remembered: &[StoredEnquiry]) -> Option<UtcDay> {
    if lead.enquiries.len() < limits::ENQUIRIES_ON_LEAD {
        return None;
    }
    let minted = Timestamp::from_millisecond(lead.id.minted_ms()).ok();
    let known = remembered.iter().map(|enquiry| enquiry.received_at).chain([lead.opened_at]).min();
    minted.filter(|at| *at > Timestamp::UNIX_EPOCH).or(known).map(UtcDay::of)
}
