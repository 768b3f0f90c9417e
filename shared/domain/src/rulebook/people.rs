//! `people.csv`: who works at the desk, and what they may do. They sign in by their e-mail, as dealers do by that of
//! `dealers.csv`.

use std::collections::HashSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::access::Role;
use crate::ids::{DealerId, PersonId};
use crate::limits;
use crate::rulebook::Rulebook;
use crate::rulebook::body::Body;
use crate::rulebook::columns::PEOPLE;
use crate::rulebook::problem::{Position, ProblemCode, Problems};
use crate::rulebook::table::Table;
use crate::rulebook::value;

/// Somebody of the desk.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeskPerson {
    /// What they are called wherever it is kept who did something.
    #[serde(rename = "p")]
    pub person: PersonId,
    /// Where they sign in by; in no log.
    #[serde(rename = "e")]
    pub email: String,
    /// What they may do.
    #[serde(rename = "r")]
    pub role: Role,
}

/// Without the address.
impl fmt::Debug for DeskPerson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeskPerson")
            .field("person", &self.person)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

/// As what somebody signs in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SignsInAs {
    /// Somebody of the desk.
    #[serde(rename = "s")]
    Staff(PersonId, Role),
    /// A dealer.
    #[serde(rename = "d")]
    Dealer(DealerId),
}

/// Whoever may sign in, and as what. Several may by one address: a dealer with two places, say.
#[derive(Clone, PartialEq, Eq)]
pub struct Signer {
    /// By which address.
    pub email: String,
    /// As what.
    pub signs_in_as: SignsInAs,
}

/// Who is invited to sign in: somebody of the desk, or a dealer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Invitee {
    /// As `people.csv` has them.
    Person(PersonId),
    /// As `dealers.csv` has them.
    Dealer(DealerId),
}

impl Invitee {
    /// `person` or `dealer`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Person(_) => "person",
            Self::Dealer(_) => "dealer",
        }
    }

    /// What they are called.
    pub fn id(&self) -> &str {
        match self {
            Self::Person(person) => person.as_str(),
            Self::Dealer(dealer) => dealer.as_str(),
        }
    }

    /// Read back of both; `None` of what is neither.
    pub fn of(kind: &str, id: &str) -> Option<Self> {
        match kind {
            "person" => PersonId::new(id).ok().map(Self::Person),
            "dealer" => DealerId::new(id).ok().map(Self::Dealer),
            _ => None,
        }
    }
}

/// `person.ada`.
impl fmt::Display for Invitee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.kind(), self.id())
    }
}

impl Signer {
    /// As whom they are invited.
    pub fn invitee(&self) -> Invitee {
        match &self.signs_in_as {
            SignsInAs::Staff(person, _) => Invitee::Person(person.clone()),
            SignsInAs::Dealer(dealer) => Invitee::Dealer(dealer.clone()),
        }
    }

    /// Whether a mail can be sent to their address: some that a provider knows are none that mail goes to.
    pub fn takes_mail(&self) -> bool {
        value::mailbox(&self.email).is_ok()
    }
}

/// Without the address.
impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("signs_in_as", &self.signs_in_as).finish_non_exhaustive()
    }
}

impl Rulebook {
    /// Who may sign in: the desk's people, and the dealers that have an address.
    pub fn signers(&self) -> Vec<Signer> {
        let staff = self.people.iter().map(|one| Signer {
            email: one.email.clone(),
            signs_in_as: SignsInAs::Staff(one.person.clone(), one.role),
        });
        let dealers = self
            .dealers
            .iter()
            .filter(|one| !one.email.is_empty())
            .map(|one| Signer { email: one.email.clone(), signs_in_as: SignsInAs::Dealer(one.id.clone()) });
        staff.chain(dealers).collect()
    }
}

pub(super) fn read(body: &Body<'_>, problems: &mut Problems) -> Vec<(Position, DeskPerson)> {
    let mut people = Vec::new();
    let (mut ids, mut mailboxes) = (HashSet::new(), HashSet::new());
    let Some(mut table) = Table::open(body, &PEOPLE, problems) else { return people };
    while let Some(row) = table.next_row(problems) {
        let person = row.needed("person", str::parse::<PersonId>, problems);
        let email = row.needed("email", value::email, problems);
        let role = row.needed("role", str::parse::<Role>, problems);
        if let (Ok(person), Ok(email), Ok(role)) = (person, email, role) {
            if !ids.insert(person.clone()) {
                let message = format!("the person \"{person}\" stands here twice");
                let _ = row.refuse::<()>("person", ProblemCode::DuplicateId, message, problems);
            } else if mailboxes.insert(email.to_lowercase()) {
                people.push((body.locate(row.offset()), DeskPerson { person, email, role }));
            } else {
                let message = "another person has this e-mail: whoever signs in by it is one of them";
                let _ = row.refuse::<()>("email", ProblemCode::DuplicateId, message, problems);
            }
        }
        if !table.at_most(limits::PEOPLE, people.len(), "people", problems) {
            break;
        }
    }
    people
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use crate::rulebook::{Rulebook, RulebookFiles};

    fn book(people: &str) -> Result<Rulebook, Vec<String>> {
        let files = [
            ("company.toml", "id = \"acme\"\nname = \"Acme\"\nzone = \"America/New_York\"\n"),
            ("offers.toml", "[[offer]]\nid = \"roof\"\ncategory = \"roofing\"\nname = \"Roof\"\n"),
            ("sources.toml", "[[source]]\nid = \"web\"\nkind = \"form\"\noffer = \"roof\"\n"),
            ("scoring.toml", "half_life_days = 14\n"),
            (
                "dealers.csv",
                "dealer,name,zip,email\nhudson,Hudson,33101,sam@hudson.example\nboca,Boca,33431,\n",
            ),
            ("areas.csv", "area,part\nall,any\n"),
            ("contracts.csv", "contract,dealer,offers,sources,area,price\nhudson,hudson,*,*,all,10.00\n"),
            ("people.csv", people),
        ];
        let files = files.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()));
        Rulebook::parse(&RulebookFiles::new(files).unwrap())
            .map_err(|problems| problems.list.iter().map(ToString::to_string).collect())
    }

    const ROWS: &str = "person,email,role\nmaria,maria@acme.example,manager\nben,ben@acme.example,reader\n";

    #[test]
    fn the_desks_people_and_the_dealers_with_an_address_sign_in() {
        let compiled = book(ROWS).unwrap().compile(1).unwrap();
        let told: Vec<String> =
            compiled.signers.iter().map(|one| format!("{} {:?}", one.email, one.signs_in_as)).collect();
        assert_eq!(
            told,
            [
                "maria@acme.example Staff(maria, Manager)",
                "ben@acme.example Staff(ben, Reader)",
                "sam@hudson.example Dealer(hudson)",
            ]
        );
        assert!(
            !format!("{:?} {compiled:?}", book(ROWS).unwrap().people).contains('@'),
            "no address in a log"
        );
    }

    #[test]
    fn who_is_invited_is_read_back_of_how_they_are_named() {
        use super::{DealerId, Invitee, PersonId, Role, Signer, SignsInAs};
        let ada = Invitee::Person(PersonId::new("ada.b").unwrap());
        let hudson = Invitee::Dealer(DealerId::new("hudson").unwrap());
        for one in [ada, hudson] {
            let named = one.to_string();
            let (kind, id) = named.split_once('.').unwrap();
            assert_eq!(Invitee::of(kind, id), Some(one));
        }
        assert_eq!(Invitee::of("source", "web"), None);
        let as_person = SignsInAs::Staff(PersonId::new("ada").unwrap(), Role::Desk);
        let signer = |email: &str| Signer { email: email.to_owned(), signs_in_as: as_person.clone() };
        assert!(signer("ada@acme.example").takes_mail() && !signer("adä@acme.example").takes_mail());
    }

    #[test]
    fn what_is_wrong_with_a_person_is_named() {
        for (rows, said) in [
            ("maria,,manager", "email may not be empty"),
            ("maria,maria,manager", "an address is written"),
            ("maria,m@a.example,boss", "a role is one of: reader desk manager"),
            ("Maria H,m@a.example,desk", "an id is 1 to 48 characters"),
            ("maria,m@a.example,desk\nmaria,n@a.example,desk", "the person \"maria\" stands here twice"),
            ("maria,m@a.example,desk\nben,M@A.example,desk", "another person has this e-mail"),
        ] {
            let problems = book(&format!("person,email,role\n{rows}\n")).unwrap_err();
            assert!(problems.len() == 1 && problems[0].contains(said), "{rows}: {problems:?}");
            assert!(!problems[0].contains("a.example"), "no address is repeated: {problems:?}");
        }
    }

    #[test]
    fn nobody_who_could_change_the_rules_is_a_warning() {
        let said = |people: &str| -> Vec<String> {
            let list = book(people).unwrap().check(date(2026, 6, 1));
            list.iter().filter(|one| one.file == "people.csv").map(ToString::to_string).collect()
        };
        assert!(said(ROWS).is_empty());
        let alone = said("person,email,role\nben,ben@acme.example,desk\n");
        assert!(alone.len() == 1 && alone[0].contains("nobody is a manager"), "{alone:?}");
    }
}
