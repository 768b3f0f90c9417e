//! Who is the same person: which lead an enquiry belongs to.
//!
//! An **identity** is a keyed hash of a company and an e-mail or phone. In the store one item per scope
//! (category or offer) and identity says which lead has it; it is written on condition that it is not
//! there, so that two enquiries of one person at one moment are one lead: the slower one finds the claim,
//! and [`join`] is asked again. A claim never moves.
//!
//! The rules (`join` carries them out):
//!
//! 1. The e-mail decides. Whose lead it is, that lead is repeated, whatever phone or surname comes with it.
//! 2. A phone joins only when the e-mails do not contradict (one absent, or equal) and the surnames agree
//!    (equal, or one absent).
//! 3. Otherwise it is a new lead, and both carry `possible_duplicate`.
//! 4. Two existing leads are never merged but by the desk: when the e-mail says one and the phone another, the e-mail's
//!    lead is repeated, and both are flagged.
//! 5. An e-mail or phone seen with more than [`limits::SURNAMES_PER_IDENTITY`] surnames, this enquiry's
//!    included, or a dummy, *identifies nobody*: it neither matches nor is claimed.
//!
//! # Determinations
//!
//! - *What identifies nobody is as good as absent*, also in rule 2: an office's shared address does not
//!   contradict anyone's phone. It flags no duplicates either, or everyone at that office would be flagged.
//! - *Surnames in rule 2 are the enquiry's and the lead's*, which is the first the lead was given (blanks
//!   are filled, nothing is overwritten). That a phone was seen with another surname before decides only
//!   rule 5.
//! - *No surname is no surname*: an enquiry without one adds nothing to the surnames an identity was seen
//!   with.
//! - *A surname counts for every identity of the enquiry*, whether it joined by it or not: else a phone that
//!   is refused again and again would never wear out.
//! - *A repeat by e-mail claims the phone* when nobody has it, whatever the surname: the two came in one
//!   enquiry. A phone that another lead has stays there.
//! - *A new lead claims what is free.* One that was refused by its only phone claims nothing, and the same
//!   person asking again by phone alone is again a new lead, flagged: the rule knows no better, and a wrong
//!   join would show one person's request to another's dealer.
//! - *A lead's own e-mail that has worn out since* still contradicts another: the phone's claim does not say
//!   that it has. It costs a possible duplicate.
//! - *What the desk merged is known as either*: a phone joins when it agrees with one of the persons as they stood
//!   before, for the desk has said that they are one.
//! - A **test** enquiry has no keys: use [`PersonKeys::NONE`].

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::digest::KeyInit;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;

use crate::error::Invalid;
use crate::ids::{CompanyId, LeadId};
use crate::limits;
use crate::person::{Email, Name, Phone};

/// The key that identities are hashed with, derived from the deployment's master secret (HKDF, by the
/// platform). Changing it forgets who is who.
#[derive(Clone)]
pub struct IdentityKey([u8; 32]);

impl IdentityKey {
    /// From the derived bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for IdentityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdentityKey(…)")
    }
}

words! {
    /// What an identity is made of.
    pub enum IdentityKind as "an identity's kind" {
        /// An e-mail's dedupe key.
        Email = "email",
        /// A phone in E.164.
        Phone = "phone",
        /// A surname's key: compared, never claimed.
        Surname = "surname",
    }
}

/// The first sixteen bytes of HMAC-SHA256 (RFC 2104) over company, kind and normalised value, each but the
/// last closed by a zero byte. Of one company only; the same in all its scopes, so that an erased person
/// stays suppressed. Written in base64url, 22 characters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IdentityHash([u8; 16]);

impl TryFrom<String> for IdentityHash {
    type Error = Invalid;
    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl From<IdentityHash> for String {
    fn from(hash: IdentityHash) -> Self {
        hash.to_string()
    }
}

impl IdentityHash {
    /// The identity of an e-mail, by its dedupe key. Dummies hash as well: suppression may ask.
    pub fn of_email(key: &IdentityKey, company: &CompanyId, email: &Email) -> Self {
        Self::of(key, company, IdentityKind::Email, &email.dedupe_key())
    }

    /// The identity of a phone.
    pub fn of_phone(key: &IdentityKey, company: &CompanyId, phone: &Phone) -> Self {
        Self::of(key, company, IdentityKind::Phone, phone.as_str())
    }

    /// The hash of a surname; `None` without one.
    pub fn of_surname(key: &IdentityKey, company: &CompanyId, name: &Name) -> Option<Self> {
        Some(Self::of(key, company, IdentityKind::Surname, name.surname_key()?.as_str()))
    }

    /// Its first eight bytes: enough to tell a few people apart.
    pub fn short(self) -> [u8; 8] {
        self.0.first_chunk().copied().unwrap_or_default()
    }

    fn of(key: &IdentityKey, company: &CompanyId, kind: IdentityKind, value: &str) -> Self {
        // A key shorter than the hash's block is padded with zeros (RFC 2104, section 2): doing it here leaves
        // no length to be refused.
        let mut block = [0; 64];
        for (padded, byte) in block.iter_mut().zip(key.0) {
            *padded = byte;
        }
        let mut mac = <Hmac<Sha256> as KeyInit>::new(&block.into());
        for part in [company.as_str(), kind.as_str()] {
            mac.update(part.as_bytes());
            mac.update(&[0]); // neither a slug nor a kind holds one
        }
        mac.update(value.as_bytes());
        let whole: [u8; 32] = mac.finalize().into_bytes().into();
        Self(whole.first_chunk().copied().unwrap_or_default())
    }

    /// The sixteen bytes.
    pub const fn bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for IdentityHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for IdentityHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdentityHash(…)") // pseudonymous, still personal
    }
}

impl FromStr for IdentityHash {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(|| Invalid::new("an identity is 22 characters of base64url"))
    }
}

/// What an enquiry can be joined by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PersonKeys {
    /// The e-mail, unless there is none or it is a dummy.
    pub email: Option<IdentityHash>,
    /// The phone, unless there is none or it is a dummy.
    pub phone: Option<IdentityHash>,
    /// The surname, if any.
    pub surname: Option<IdentityHash>,
}

impl PersonKeys {
    /// Nobody: a test enquiry.
    pub const NONE: Self = Self { email: None, phone: None, surname: None };

    /// The keys of a person.
    pub fn of(
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

/// What the store knows of an identity in a scope, with what `join` must know of its lead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Whose it is.
    pub lead: LeadId,
    /// The surnames it was seen with; more than [`limits::SURNAMES_PER_IDENTITY`] need not be kept apart.
    pub surnames: BTreeSet<IdentityHash>,
    /// Who that lead is, dummies left out; of one that others were merged into, who each of them is.
    pub known_as: Vec<PersonKeys>,
}

impl Claim {
    /// Whether this still identifies somebody, this surname included.
    fn identifies(&self, surname: Option<IdentityHash>) -> bool {
        let one_more = surname.is_some_and(|surname| !self.surnames.contains(&surname));
        self.surnames.len() + usize::from(one_more) <= limits::SURNAMES_PER_IDENTITY
    }
}

/// Which lead an enquiry belongs to, and what the store does about it. The surname is to be added to the
/// claims of *all* the enquiry's identities, old and new (an `ADD` to a set: idempotent), whatever came of
/// them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Join {
    /// It repeats a lead.
    Repeat {
        /// That lead.
        lead: LeadId,
        /// Identities nobody has: claimed for it.
        claim: Claims,
        /// Another lead that may be the same person: both are flagged.
        possible_duplicate_of: Option<LeadId>,
    },
    /// It opens a lead.
    New {
        /// Identities nobody has: claimed for it.
        claim: Claims,
        /// A lead that may be the same person: both are flagged.
        possible_duplicate_of: Option<LeadId>,
    },
}

/// Identities to be claimed, each on condition that nobody has it yet; when somebody has, [`join`] is asked
/// again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    /// The e-mail.
    pub email: Option<IdentityHash>,
    /// The phone.
    pub phone: Option<IdentityHash>,
}

impl Claims {
    /// Both, as far as there are any.
    pub fn iter(self) -> impl Iterator<Item = IdentityHash> {
        [self.email, self.phone].into_iter().flatten()
    }
}

/// Which lead an enquiry belongs to, given whose its identities are. See the module for the rules.
pub fn join(person: &PersonKeys, email_claim: Option<&Claim>, phone_claim: Option<&Claim>) -> Join {
    let email = Standing::of(person.email, email_claim, person.surname);
    let phone = Standing::of(person.phone, phone_claim, person.surname);
    let claim = Claims { email: email.free(), phone: phone.free() };
    match (email, phone) {
        // Rule 1; and rule 4 when the phone is another's.
        (Standing::Known(_, by_email), phone) => Join::Repeat {
            lead: by_email.lead,
            claim,
            possible_duplicate_of: phone.lead().filter(|&other| other != by_email.lead),
        },
        // Rule 2.
        (email, Standing::Known(_, by_phone))
            if may_join_by_phone(email.hash(), person.surname, by_phone) =>
        {
            Join::Repeat { lead: by_phone.lead, claim, possible_duplicate_of: None }
        }
        // Rule 3; and nobody known at all.
        (_, phone) => Join::New { claim, possible_duplicate_of: phone.lead() },
    }
}

/// Rule 2. `email` is the enquiry's, if it identifies anybody.
fn may_join_by_phone(email: Option<IdentityHash>, surname: Option<IdentityHash>, claim: &Claim) -> bool {
    let agree = |one: Option<IdentityHash>, other: Option<IdentityHash>| {
        one.zip(other).is_none_or(|(one, other)| one == other)
    };
    claim.known_as.iter().any(|known| agree(email, known.email) && agree(surname, known.surname))
}

/// What one identity of an enquiry is worth.
#[derive(Clone, Copy)]
enum Standing<'a> {
    /// There is none, or it identifies nobody.
    Nobody,
    /// Nobody has it yet.
    Free(IdentityHash),
    /// A lead has it.
    Known(IdentityHash, &'a Claim),
}

impl<'a> Standing<'a> {
    fn of(hash: Option<IdentityHash>, claim: Option<&'a Claim>, surname: Option<IdentityHash>) -> Self {
        match (hash, claim) {
            (Some(hash), None) => Self::Free(hash),
            (Some(hash), Some(claim)) if claim.identifies(surname) => Self::Known(hash, claim),
            (Some(_), Some(_)) | (None, _) => Self::Nobody, // rule 5
        }
    }

    fn hash(self) -> Option<IdentityHash> {
        match self {
            Self::Nobody => None,
            Self::Free(hash) | Self::Known(hash, _) => Some(hash),
        }
    }

    fn free(self) -> Option<IdentityHash> {
        match self {
            Self::Free(hash) => Some(hash),
            Self::Nobody | Self::Known(..) => None,
        }
    }

    fn lead(self) -> Option<LeadId> {
        match self {
            Self::Known(_, claim) => Some(claim.lead),
            Self::Nobody | Self::Free(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    const KEY: IdentityKey = IdentityKey::from_bytes([7; 32]);

    fn company() -> CompanyId {
        CompanyId::new("roofs").unwrap()
    }

    /// The keys of a person; an empty text is an absent value.
    fn person(email: &str, phone: &str, surname: &str) -> PersonKeys {
        let (email, phone) = (Email::parse(email).ok(), Phone::parse(phone).ok());
        PersonKeys::of(&KEY, &company(), email.as_ref(), phone.as_ref(), &Name::new("", surname))
    }

    fn lead(number: u8) -> LeadId {
        LeadId::from_bytes([number; 16])
    }

    /// A store of one scope.
    #[derive(Default)]
    struct Desk {
        owners: BTreeMap<IdentityHash, (LeadId, BTreeSet<IdentityHash>)>,
        leads: BTreeMap<LeadId, PersonKeys>,
        opened: u8,
    }

    impl Desk {
        fn claim(&self, identity: Option<IdentityHash>) -> Option<Claim> {
            let (lead, surnames) = self.owners.get(&identity?)?.clone();
            let of_lead = self.leads.get(&lead).copied().unwrap_or_default();
            Some(Claim { lead, surnames, known_as: vec![of_lead] })
        }

        /// Takes an enquiry and applies what was decided, as a store would.
        fn takes(&mut self, person: PersonKeys) -> (Join, LeadId) {
            let decided = join(&person, self.claim(person.email).as_ref(), self.claim(person.phone).as_ref());
            let (lead, claim) = match decided {
                Join::Repeat { lead, claim, .. } => (lead, claim),
                Join::New { claim, .. } => {
                    self.opened += 1;
                    (lead(self.opened), claim)
                }
            };
            for identity in claim.iter() {
                let taken = self.owners.insert(identity, (lead, BTreeSet::new()));
                assert!(taken.is_none(), "an identity moved");
            }
            for identity in [person.email, person.phone].into_iter().flatten() {
                self.owners.entry(identity).and_modify(|(_, surnames)| surnames.extend(person.surname));
            }
            let known = self.leads.entry(lead).or_default();
            known.email = known.email.or(person.email);
            known.phone = known.phone.or(person.phone);
            known.surname = known.surname.or(person.surname);
            (decided, lead)
        }

        fn sees(&mut self, email: &str, phone: &str, surname: &str) -> Join {
            self.takes(person(email, phone, surname)).0
        }
    }

    fn repeat(number: u8) -> Join {
        Join::Repeat { lead: lead(number), claim: Claims::default(), possible_duplicate_of: None }
    }

    fn is_new(decided: &Join) -> bool {
        matches!(decided, Join::New { .. })
    }

    fn duplicate_of(decided: &Join) -> Option<LeadId> {
        match decided {
            Join::Repeat { possible_duplicate_of, .. } | Join::New { possible_duplicate_of, .. } => {
                *possible_duplicate_of
            }
        }
    }

    const ADA: (&str, &str, &str) = ("ada@example.com", "305-555-0100", "Lovelace");

    fn desk_with_ada() -> Desk {
        let mut desk = Desk::default();
        let claim = Claims { email: person(ADA.0, "", "").email, phone: person("", ADA.1, "").phone };
        assert_eq!(desk.sees(ADA.0, ADA.1, ADA.2), Join::New { claim, possible_duplicate_of: None });
        desk
    }

    #[test]
    fn the_e_mail_decides() {
        let mut desk = desk_with_ada();
        assert_eq!(desk.sees("Ada+roof@EXAMPLE.com", "", ""), repeat(1));
        assert_eq!(desk.sees(ADA.0, ADA.1, "King"), repeat(1)); // a second surname
        let Join::Repeat { lead: joined, claim, .. } = desk.sees(ADA.0, "305-555-0101", ADA.2) else {
            panic!("the e-mail did not decide")
        };
        assert_eq!((joined, claim.phone), (lead(1), person("", "305-555-0101", "").phone)); // a second phone is its own
    }

    #[test]
    fn a_phone_joins_when_e_mails_do_not_contradict_and_surnames_agree() {
        assert_eq!(desk_with_ada().sees("", ADA.1, "LOVELACE"), repeat(1)); // e-mail absent, surname equal
        assert_eq!(desk_with_ada().sees("", ADA.1, ""), repeat(1)); // both absent
        let mut desk = Desk::default();
        desk.sees("", ADA.1, "");
        // The lead had neither e-mail nor surname: both are filled, and the e-mail is its own from now on.
        let claim = Claims { email: person(ADA.0, "", "").email, phone: None };
        let joined = Join::Repeat { lead: lead(1), claim, possible_duplicate_of: None };
        assert_eq!(desk.sees(ADA.0, ADA.1, ADA.2), joined);
        assert_eq!(desk.sees(ADA.0, "", ""), repeat(1));
    }

    #[test]
    fn a_phone_with_another_e_mail_is_a_new_lead_and_both_are_flagged() {
        let mut desk = desk_with_ada();
        let decided = desk.sees("bob@example.com", ADA.1, ADA.2);
        let claim = Claims { email: person("bob@example.com", "", "").email, phone: None };
        assert_eq!(decided, Join::New { claim, possible_duplicate_of: Some(lead(1)) });
        assert_eq!(desk.sees("bob@example.com", "", ""), repeat(2));
        assert_eq!(desk.sees("", ADA.1, ""), repeat(1)); // the phone stayed
    }

    #[test]
    fn a_phone_with_another_surname_is_a_new_lead_and_both_are_flagged() {
        let mut desk = desk_with_ada();
        let decided = desk.sees("", ADA.1, "King");
        assert_eq!(decided, Join::New { claim: Claims::default(), possible_duplicate_of: Some(lead(1)) });
    }

    #[test]
    fn two_leads_are_never_merged() {
        let mut desk = desk_with_ada();
        desk.sees("bob@example.com", "305-555-0101", "Babbage");
        let decided = desk.sees(ADA.0, "305-555-0101", ADA.2);
        let flagged =
            Join::Repeat { lead: lead(1), claim: Claims::default(), possible_duplicate_of: Some(lead(2)) };
        assert_eq!(decided, flagged);
        assert_eq!(desk.sees("", "305-555-0101", "Babbage"), repeat(2));
    }

    #[test]
    fn what_the_desk_merged_is_known_as_either() {
        let ada = person(ADA.0, "", ADA.2);
        let countess = person("countess@example.com", ADA.1, "King");
        let claim = Claim { lead: lead(1), surnames: BTreeSet::new(), known_as: vec![ada, countess] };
        let asks = |email, surname| join(&person(email, ADA.1, surname), None, Some(&claim));
        for surname in ["", "King", ADA.2] {
            assert_eq!(asks("", surname), repeat(1), "{surname}");
        }
        assert_eq!(duplicate_of(&asks("", "Byron")), Some(lead(1)));
        assert_eq!(duplicate_of(&asks("byron@example.com", "King")), Some(lead(1)));
        // One person's e-mail does not go with the other's name: who writes so was never seen.
        assert_eq!(duplicate_of(&asks("countess@example.com", ADA.2)), Some(lead(1)));
    }

    #[test]
    fn an_identity_with_three_surnames_identifies_nobody() {
        let mut desk = desk_with_ada();
        assert_eq!(desk.sees(ADA.0, "", "King"), repeat(1)); // two still do
        let third = desk.sees(ADA.0, "", "Byron");
        assert_eq!(third, Join::New { claim: Claims::default(), possible_duplicate_of: None });
        // And from now on for everyone, the first surname included.
        assert!(is_new(&desk.sees(ADA.0, "", ADA.2)));
        assert!(is_new(&desk.sees(ADA.0, "", "")));
        // As absent it contradicts no phone.
        assert_eq!(desk.sees(ADA.0, ADA.1, ADA.2), repeat(1));
    }

    #[test]
    fn a_phone_wears_out_even_where_it_never_joined() {
        let mut desk = desk_with_ada();
        assert_eq!(duplicate_of(&desk.sees("b@example.com", ADA.1, "Babbage")), Some(lead(1)));
        // The third surname: the phone is an office's, and flags nobody.
        assert_eq!(duplicate_of(&desk.sees("c@example.com", ADA.1, "Clarke")), None);
        assert!(is_new(&desk.sees("", ADA.1, ADA.2)));
    }

    #[test]
    fn a_dummy_identifies_nobody() {
        let mut desk = Desk::default();
        for _ in 0..2 {
            let decided = desk.sees("test@example.com", "305-555-1212", "Lovelace");
            assert_eq!(decided, Join::New { claim: Claims::default(), possible_duplicate_of: None });
        }
        desk.sees("", ADA.1, ADA.2);
        assert_eq!(desk.sees("test@example.com", ADA.1, ADA.2), repeat(3));
    }

    #[test]
    fn a_test_enquiry_is_nobody() {
        let decided = join(&PersonKeys::NONE, None, None);
        assert_eq!(decided, Join::New { claim: Claims::default(), possible_duplicate_of: None });
    }

    #[test]
    fn companies_know_nothing_of_each_other() {
        let email = Email::parse(ADA.0).unwrap();
        let other = CompanyId::new("gutters").unwrap();
        let here = IdentityHash::of_email(&KEY, &company(), &email);
        assert_ne!(here, IdentityHash::of_email(&KEY, &other, &email));
        assert_ne!(here, IdentityHash::of_email(&IdentityKey::from_bytes([8; 32]), &company(), &email));
    }

    #[test]
    fn an_identity_is_the_same_in_every_version() {
        // Stored as keys: a change here forgets who is who.
        let hash = person("ada@example.com", "", "").email.unwrap();
        assert_eq!(hash.to_string(), "tG5NChCLusmURCp_E1YCAQ");
        assert_eq!(hash.to_string().parse::<IdentityHash>().unwrap(), hash);
        assert!("short".parse::<IdentityHash>().is_err());
        assert_eq!(format!("{hash:?} {KEY:?}"), "IdentityHash(…) IdentityKey(…)");
    }

    fn anyone() -> impl Strategy<Value = PersonKeys> {
        let emails =
            prop::sample::select(vec!["", "a@example.com", "b@example.com", "c@example.com", "test@x.test"]);
        let phones =
            prop::sample::select(vec!["", "305-555-0100", "305-555-0101", "305-555-0102", "305-555-1212"]);
        let surnames = prop::sample::select(vec!["", "Lovelace", "King", "Byron"]);
        (emails, phones, surnames).prop_map(|(email, phone, surname)| person(email, phone, surname))
    }

    proptest! {
        #[test]
        fn no_identity_ever_moves_and_a_known_e_mail_always_finds_its_lead(
            enquiries in prop::collection::vec(anyone(), 0..40)
        ) {
            let mut desk = Desk::default();
            for person in enquiries {
                let before: BTreeMap<IdentityHash, LeadId> =
                    desk.owners.iter().map(|(&identity, &(lead, _))| (identity, lead)).collect();
                let by_email = desk.claim(person.email);
                let (decided, lead) = desk.takes(person);
                if let Some(claim) = by_email {
                    let lands = !claim.identifies(person.surname) || lead == claim.lead;
                    prop_assert!(lands, "a known e-mail landed elsewhere");
                }
                for (identity, owner) in before {
                    prop_assert_eq!(desk.owners.get(&identity).map(|&(lead, _)| lead), Some(owner));
                }
                prop_assert_ne!(duplicate_of(&decided), Some(lead), "a lead is no duplicate of itself");
            }
        }
    }
}
