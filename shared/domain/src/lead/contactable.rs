//! The person of a lead, as far as we know them, and who they were in the cycles before.

use serde::{Deserialize, Serialize};

use super::{CycleOf, Lead};
use crate::distribution::Location;
use crate::limits;
use crate::place::{State, Zip};

/// A person as far as we know them: blanks are filled by repeats, nothing is overwritten until the next cycle opens. Redacted
/// in `Debug`.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contactable {
    /// First name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// Last name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// E-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Telephone, E.164.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Employer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    /// Street and number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub street: Option<String>,
    /// City.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// State.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// ZIP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zip: Option<Zip>,
}

impl std::fmt::Debug for Contactable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Contactable(…)")
    }
}

impl Contactable {
    /// Where they are, as well as we know.
    pub fn location(&self) -> Location {
        Location::of(self.zip, self.state, self.phone.as_deref().and_then(area_code))
    }

    /// Takes from `other` what is blank here.
    pub fn fill_blanks(&mut self, other: &Self) {
        fn fill<T: Clone>(blank: &mut Option<T>, other: Option<&T>) {
            if blank.is_none() {
                *blank = other.cloned();
            }
        }
        fill(&mut self.first_name, other.first_name.as_ref());
        fill(&mut self.last_name, other.last_name.as_ref());
        fill(&mut self.email, other.email.as_ref());
        fill(&mut self.phone, other.phone.as_ref());
        fill(&mut self.organization, other.organization.as_ref());
        fill(&mut self.street, other.street.as_ref());
        fill(&mut self.city, other.city.as_ref());
        fill(&mut self.state, other.state.as_ref());
        fill(&mut self.zip, other.zip.as_ref());
    }

    /// The person as news of another sale cycle describes them: what they leave blank is as it was. A place is one thing: who
    /// names another street, city, state or ZIP is nowhere else any more.
    #[must_use]
    pub fn renewed(&self, news: &Self) -> Self {
        let mut person = news.clone();
        person.fill_blanks(self);
        if news.street.is_some() || news.city.is_some() || news.state.is_some() || news.zip.is_some() {
            person.street.clone_from(&news.street);
            person.city.clone_from(&news.city);
            (person.state, person.zip) = (news.state, news.zip);
        }
        person
    }
}

/// Who a person was in the cycles before they described themselves otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Former {
    /// The last cycle of which it holds.
    #[serde(rename = "c")]
    pub cycle: u32,
    /// The person.
    #[serde(rename = "p")]
    pub person: Contactable,
}

impl Lead {
    /// Where it is, as well as we know.
    pub fn location(&self) -> Location {
        self.person.location()
    }

    /// The person as a cycle sold them.
    pub fn person_in(&self, of: CycleOf) -> &Contactable {
        let before = |former: &&Former| of.lead == self.id && of.cycle <= former.cycle;
        self.former.iter().find(before).map_or(&self.person, |former| &former.person)
    }

    /// The person as news of the next cycle describe them, before it has begun. Who they were stays with the cycles before.
    pub(super) fn renew_person(&mut self, news: &Contactable) {
        let person = self.person.renewed(news);
        if person == self.person {
            return;
        }
        let person = std::mem::replace(&mut self.person, person);
        self.former.push(Former { cycle: self.cycle, person });
        let surplus = self.former.len().saturating_sub(limits::FORMER_PERSONS);
        self.former.drain(..surplus);
    }
}

/// The area code of an E.164 number of the North American plan.
fn area_code(phone: &str) -> Option<u16> {
    phone.strip_prefix("+1")?.get(..3)?.parse().ok()
}
