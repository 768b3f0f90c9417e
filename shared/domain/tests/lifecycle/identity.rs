//! Who is the same person: enquiries in a row, at two companies, and which lead each is of.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;
use leadyard_domain::identity::{Claim, IdentityHash, IdentityKey, Join, PersonKeys, join};
use leadyard_domain::ids::{CompanyId, LeadId};
use leadyard_domain::person::{Email, Name, Phone};

use crate::{holds, one_of};

broken! {
    /// A known e-mail decides nothing where the surname is another.
    EmailDecides,
    /// A phone joins nobody.
    PhoneJoins,
    /// A phone joins though the e-mails contradict.
    EmailsContradict,
    /// An absent e-mail contradicts.
    AbsentEmailAgrees,
    /// A phone joins though the surnames differ.
    SurnamesDiffer,
    /// An absent surname is another.
    AbsentSurnameAgrees,
    /// A new lead beside the phone's is not flagged.
    Flags,
    /// Nor a known e-mail with the phone of another lead.
    FlagsTwoLeads,
    /// The phone of another lead moves to the e-mail's.
    ClaimsStay,
    /// A repeat does not claim the phone that nobody has.
    RepeatClaims,
    /// A dummy identifies.
    Dummies,
    /// Whatever the surnames it was seen with, it identifies.
    ThreeSurnames,
    /// Two surnames are too many.
    TwoSurnames,
    /// A surname counts only where the enquiry joined.
    SurnamesOfRefused,
    /// What identifies nobody contradicts a phone.
    WornIsAbsent,
    /// What identifies nobody flags.
    WornFlagsNobody,
    /// A repeat overwrites who the lead is.
    FirstStands,
    /// Whoever is written otherwise is another.
    Letters,
    /// Companies know of each other.
    Companies,
}

/// What is written, and who is meant by it; nobody by a dummy.
type Written = (&'static str, Option<&'static str>);

const EMAILS: [Written; 6] = [
    ("", None),
    ("a@example.com", Some("a")),
    ("A@Example.com", Some("a")),
    ("b@example.com", Some("b")),
    ("c@example.com", Some("c")),
    ("test@example.com", None),
];
const PHONES: [Written; 5] = [
    ("", None),
    ("305-555-0100", Some("0100")),
    ("+1 (305) 555-0100", Some("0100")),
    ("305-555-0101", Some("0101")),
    ("305-555-1212", None),
];
const SURNAMES: [Written; 5] = [
    ("", None),
    ("Lovelace", Some("lovelace")),
    ("LOVELACE", Some("lovelace")),
    ("King", Some("king")),
    ("Byron", Some("byron")),
];
const COMPANIES: [&str; 2] = ["roofs", "gutters"];

#[derive(Clone, Copy, Debug)]
struct Enquiry {
    company: &'static str,
    email: Written,
    phone: Written,
    surname: Written,
}

fn enquiries(random: &mut Rng) -> Vec<Enquiry> {
    let many = random.usize(2..12);
    let one = |_| Enquiry {
        company: COMPANIES[usize::from(random.u8(..6) == 0)],
        email: one_of(random, &EMAILS),
        phone: one_of(random, &PHONES),
        surname: one_of(random, &SURNAMES),
    };
    (0..many).map(one).collect()
}

/// Of each enquiry: its lead, whether that is new, and which other may be the same person.
type Said = Vec<(usize, bool, Option<usize>)>;

/// As the domain has it, over a store that does what it says.
fn done(enquiries: &[Enquiry]) -> Said {
    let key = IdentityKey::from_bytes([7; 32]);
    let mut claims: BTreeMap<IdentityHash, Claim> = BTreeMap::new();
    let mut leads: Vec<PersonKeys> = Vec::new();
    let id = |number: usize| LeadId::from_bytes([u8::try_from(number).unwrap(); 16]);
    let number = |lead: LeadId| usize::from(lead.bytes()[0]);
    let mut said = Said::new();
    for enquiry in enquiries {
        let company: CompanyId = enquiry.company.parse().unwrap();
        let (email, phone) = (Email::parse(enquiry.email.0).ok(), Phone::parse(enquiry.phone.0).ok());
        let name = Name::new("", enquiry.surname.0);
        let person = PersonKeys::of(&key, &company, email.as_ref(), phone.as_ref(), &name);
        let claim = |of: Option<IdentityHash>| {
            let claim = claims.get(&of?)?;
            Some(Claim { known_as: vec![leads[number(claim.lead)]], ..claim.clone() })
        };
        let (lead, is_new, claimed, duplicate) =
            match join(&person, claim(person.email).as_ref(), claim(person.phone).as_ref()) {
                Join::Repeat { lead, claim, possible_duplicate_of } => {
                    (number(lead), false, claim, possible_duplicate_of)
                }
                Join::New { claim, possible_duplicate_of } => {
                    leads.push(PersonKeys::NONE);
                    (leads.len() - 1, true, claim, possible_duplicate_of)
                }
            };
        for identity in claimed.iter() {
            let claim = Claim { lead: id(lead), surnames: BTreeSet::new(), known_as: Vec::new() };
            assert!(claims.insert(identity, claim).is_none(), "a claim moved");
        }
        for identity in [person.email, person.phone].into_iter().flatten() {
            if let Some(claim) = claims.get_mut(&identity) {
                claim.surnames.extend(person.surname);
            }
        }
        let known = &mut leads[lead];
        known.email = known.email.or(person.email);
        known.phone = known.phone.or(person.phone);
        known.surname = known.surname.or(person.surname);
        said.push((lead, is_new, duplicate.map(number)));
    }
    said
}

/// Whose an e-mail or phone is, and the surnames it was seen with.
#[derive(Default)]
struct Known {
    lead: usize,
    surnames: BTreeSet<&'static str>,
}

/// The rules.
fn plain(enquiries: &[Enquiry], broken: Option<Broken>) -> Said {
    let keeps = |rule| broken != Some(rule);
    let meant = |(text, meant): Written| match meant {
        Some(_) if !keeps(Broken::Letters) => Some(text),
        None if !keeps(Broken::Dummies) && !text.is_empty() => Some(text),
        Some(_) | None => meant,
    };
    let mut known: BTreeMap<(&str, &str, &str), Known> = BTreeMap::new();
    let mut leads: Vec<[Option<&'static str>; 2]> = Vec::new();
    let mut said = Said::new();
    for enquiry in enquiries {
        let company = if keeps(Broken::Companies) { enquiry.company } else { COMPANIES[0] };
        let surname = enquiry.surname.1;
        let email = meant(enquiry.email).map(|email| (company, "email", email));
        let phone = meant(enquiry.phone).map(|phone| (company, "phone", phone));
        // An e-mail or phone seen with three surnames identifies nobody.
        let most = if keeps(Broken::TwoSurnames) { 2 } else { 1 };
        let worn = |identity: &(&str, &str, &str)| {
            let mut surnames = known.get(identity).map_or_else(BTreeSet::new, |of| of.surnames.clone());
            surnames.extend(surname);
            surnames.len() > most && keeps(Broken::ThreeSurnames)
        };
        let [good_email, good_phone] = [email, phone].map(|identity| identity.filter(|of| !worn(of)));
        let lead_of = |identity: Option<(&str, &str, &str)>| known.get(&identity?).map(|of| of.lead);
        let (by_email, by_phone) = (lead_of(good_email), lead_of(good_phone));
        let agree = |one: Option<&str>, other: Option<&str>, absent_agrees: bool| match (one, other) {
            (Some(one), Some(other)) => one == other,
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => absent_agrees,
        };
        let same_surname = |lead: usize| {
            let agree = agree(surname, leads[lead][1], keeps(Broken::AbsentSurnameAgrees));
            agree || !keeps(Broken::SurnamesDiffer)
        };
        // The e-mail decides. A phone joins when the e-mails do not contradict, and the surnames agree.
        let decides = |lead: &usize| keeps(Broken::EmailDecides) || same_surname(*lead);
        let joins = |lead: &usize| {
            let email = if keeps(Broken::WornIsAbsent) { good_email } else { email };
            let email = email.map(|(_, _, email)| email);
            let emails = agree(email, leads[*lead][0], keeps(Broken::AbsentEmailAgrees));
            keeps(Broken::PhoneJoins) && same_surname(*lead) && (emails || !keeps(Broken::EmailsContradict))
        };
        let found = by_email.filter(decides).or_else(|| by_phone.filter(joins));
        let is_new = found.is_none();
        let lead = found.unwrap_or(leads.len());
        // Otherwise it is a new lead, and both are flagged; so are two leads that one enquiry speaks of.
        let flagged = if keeps(Broken::WornFlagsNobody) { by_phone } else { lead_of(phone) };
        let flags = if is_new { keeps(Broken::Flags) } else { keeps(Broken::FlagsTwoLeads) };
        let duplicate = flagged.filter(|other| flags && *other != lead);
        if is_new {
            leads.push([None, None]);
        }
        // What nobody has is this lead's from now on, and what somebody has stays there.
        let claims = is_new || keeps(Broken::RepeatClaims);
        for identity in [good_email, good_phone].into_iter().flatten().filter(|_| claims) {
            known.entry(identity).or_insert_with(|| Known { lead, ..Known::default() });
        }
        if let Some(phone) = good_phone.filter(|_| !keeps(Broken::ClaimsStay) && by_email.is_some()) {
            known.entry(phone).or_default().lead = lead;
        }
        // A surname counts for all that it came with.
        for identity in [email, phone].into_iter().flatten() {
            if let Some(of) = known.get_mut(&identity)
                && (of.lead == lead || keeps(Broken::SurnamesOfRefused))
            {
                of.surnames.extend(surname);
            }
        }
        // Blanks are filled, nothing is overwritten.
        for (stands, says) in leads[lead].iter_mut().zip([email.map(|(_, _, email)| email), surname]) {
            *stands = if keeps(Broken::FirstStands) { stands.or(says) } else { says.or(*stands) };
        }
        said.push((lead, is_new, duplicate));
    }
    said
}

#[test]
fn whose_an_enquiry_is_is_what_the_rules_say_and_each_of_them_counts() {
    holds(ALL, 6_000, enquiries, |case| done(case), |case, broken| plain(case, broken));
}
