//! People whom nobody is: names as they are borne, mailboxes of domains that are set aside for examples (RFC 2606),
//! phones that are set aside for fiction (555-0100 to 555-0199 of an area code that exists), and ZIPs as people live.
//!
//! Of those phones there are some forty thousand. They are given once each, by the state; who comes after the last has
//! none, and is written to. Who somebody is, their e-mail says.

use std::collections::{BTreeMap, HashMap};

use fastrand::Rng;
use leadyard_domain::place::{self, Place, State};

const FIRST: [&str; 72] = [
    "James",
    "Maria",
    "Robert",
    "Linda",
    "Michael",
    "Patricia",
    "David",
    "Jennifer",
    "William",
    "Elizabeth",
    "Carlos",
    "Susan",
    "Joseph",
    "Jessica",
    "Thomas",
    "Sarah",
    "Luis",
    "Karen",
    "Daniel",
    "Nancy",
    "Anthony",
    "Lisa",
    "Mark",
    "Betty",
    "Steven",
    "Sandra",
    "Andre",
    "Ashley",
    "Kenneth",
    "Kimberly",
    "Joshua",
    "Emily",
    "Kevin",
    "Donna",
    "Brian",
    "Michelle",
    "Jorge",
    "Carol",
    "Edward",
    "Amanda",
    "Ronald",
    "Melissa",
    "Timothy",
    "Deborah",
    "Jason",
    "Stephanie",
    "Jeffrey",
    "Rebecca",
    "Ryan",
    "Laura",
    "Jamal",
    "Cynthia",
    "Gary",
    "Dorothy",
    "Nicholas",
    "Amy",
    "Eric",
    "Angela",
    "Hiroshi",
    "Brenda",
    "Stephen",
    "Pamela",
    "Larry",
    "Nicole",
    "Priya",
    "Ruth",
    "Scott",
    "Katherine",
    "Brandon",
    "Samantha",
    "Wei",
    "Christine",
];
const LAST: [&str; 96] = [
    "Smith",
    "Johnson",
    "Williams",
    "Brown",
    "Jones",
    "Garcia",
    "Miller",
    "Davis",
    "Rodriguez",
    "Martinez",
    "Hernandez",
    "Lopez",
    "Gonzalez",
    "Wilson",
    "Anderson",
    "Thomas",
    "Taylor",
    "Moore",
    "Jackson",
    "Martin",
    "Lee",
    "Perez",
    "Thompson",
    "White",
    "Harris",
    "Sanchez",
    "Clark",
    "Ramirez",
    "Lewis",
    "Robinson",
    "Walker",
    "Young",
    "Allen",
    "King",
    "Wright",
    "Scott",
    "Torres",
    "Nguyen",
    "Hill",
    "Flores",
    "Green",
    "Adams",
    "Nelson",
    "Baker",
    "Hall",
    "Rivera",
    "Campbell",
    "Mitchell",
    "Carter",
    "Roberts",
    "Gomez",
    "Phillips",
    "Evans",
    "Turner",
    "Diaz",
    "Parker",
    "Cruz",
    "Edwards",
    "Collins",
    "Reyes",
    "Stewart",
    "Morris",
    "Morales",
    "Murphy",
    "Cook",
    "Rogers",
    "Gutierrez",
    "Ortiz",
    "Morgan",
    "Cooper",
    "Peterson",
    "Bailey",
    "Reed",
    "Kelly",
    "Howard",
    "Ramos",
    "Kim",
    "Cox",
    "Ward",
    "Richardson",
    "Watson",
    "Brooks",
    "Chavez",
    "Wood",
    "Bennett",
    "Gray",
    "Mendoza",
    "Ruiz",
    "Hughes",
    "Price",
    "Alvarez",
    "Castillo",
    "Sanders",
    "Patel",
    "Myers",
    "Foster",
];
const DOMAINS: [&str; 6] =
    ["example.com", "example.com", "example.com", "example.net", "example.org", "mail.example.com"];
const STREETS: [&str; 12] = [
    "Oak St",
    "Maple Ave",
    "Main St",
    "Cedar Ln",
    "Park Ave",
    "Elm St",
    "Lake Dr",
    "Hillcrest Rd",
    "Washington St",
    "Sunset Blvd",
    "Ridge Rd",
    "Willow Ct",
];
/// Phones of an area code that are nobody's: 555-0100 and on.
const PER_AREA_CODE: u32 = 100;

/// Somebody who asks.
#[derive(Clone)]
pub(super) struct Person {
    pub(super) first: &'static str,
    pub(super) last: &'static str,
    pub(super) email: String,
    pub(super) phone: Option<String>,
    pub(super) street: String,
    /// Where they live.
    pub(super) place: Place,
}

/// Who may ask.
pub(super) struct People {
    /// Places, and how many live in them and in all before them.
    lived: Vec<(u64, Place)>,
    /// Area codes of each state, and how many phones of them are given.
    phones: BTreeMap<&'static str, (Vec<u16>, u32)>,
    /// How many have this name.
    named: HashMap<(usize, usize), u32>,
}

impl People {
    pub(super) fn new() -> Self {
        let mut all = 0;
        let lived = place::all().filter(|place| place.population() > 0).map(|place| {
            all += u64::from(place.population());
            (all, place)
        });
        let mut phones: BTreeMap<&'static str, (Vec<u16>, u32)> = BTreeMap::new();
        for code in 201..=989 {
            if let Some(state) = place::state_of_area_code(code) {
                phones.entry(state.as_str()).or_default().0.push(code);
            }
        }
        Self { lived: lived.collect(), phones, named: HashMap::new() }
    }

    /// A place, each as often as people live there.
    pub(super) fn place(&self, rng: &mut Rng) -> Option<Place> {
        let all = self.lived.last()?.0;
        let nth = rng.u64(0..all);
        let at = self.lived.partition_point(|(upto, _)| *upto <= nth);
        self.lived.get(at).map(|(_, place)| *place)
    }

    /// Somebody who lives there and never asked before.
    pub(super) fn person(&mut self, rng: &mut Rng, place: Place) -> Person {
        let (first_at, last_at) = (rng.usize(..FIRST.len()), rng.usize(..LAST.len()));
        let (first, last) = (FIRST.get(first_at), LAST.get(last_at));
        let (first, last) = (first.copied().unwrap_or("Ada"), last.copied().unwrap_or("Hill"));
        let nth = self.named.entry((first_at, last_at)).or_default();
        *nth += 1;
        let (given, family) = (first.to_lowercase(), last.to_lowercase());
        let number = if *nth == 1 { String::new() } else { nth.to_string() };
        let domain = pick(rng, &DOMAINS);
        let email = format!("{given}.{family}{number}@{domain}");
        let has_phone = rng.u32(..100) < 84;
        Person {
            first,
            last,
            email,
            phone: has_phone.then(|| self.phone(rng, place.state())).flatten(),
            street: format!("{} {}", rng.u32(100..9_900), pick(rng, &STREETS)),
            place,
        }
    }

    /// The next phone of a state that nobody has; none where all are given.
    fn phone(&mut self, rng: &mut Rng, state: State) -> Option<String> {
        let (codes, given) = self.phones.get_mut(state.as_str())?;
        let code = codes.get(*given as usize % codes.len())?;
        let number = *given / codes.len() as u32;
        if number >= PER_AREA_CODE {
            return None;
        }
        *given += 1;
        Some(match rng.u32(..3) {
            0 => format!("({code}) 555-01{number:02}"),
            1 => format!("{code}-555-01{number:02}"),
            _ => format!("{code}55501{number:02}"),
        })
    }
}

/// One of a list.
pub(super) fn pick<'a>(rng: &mut Rng, of: &[&'a str]) -> &'a str {
    rng.choice(of).copied().unwrap_or_default()
}

/// What people write who want this trade; short, as they do.
pub(super) fn message(rng: &mut Rng, category: &str) -> Option<String> {
    const ROOF: [&str; 10] = [
        "Hail last week, some shingles are gone.",
        "Water stain on the bedroom ceiling.",
        "Roof is 22 years old, time for a new one.",
        "Two story colonial, asphalt shingles.",
        "We are selling in spring and need it looked at.",
        "The insurance adjuster was here already.",
        "Metal roof, about 1,800 sq ft.",
        "Lost shingles in the storm, please call.",
        "Flat roof over the garage leaks.",
        "How soon could somebody come out?",
    ];
    const SUN: [&str; 8] = [
        "Electric bill runs around $190 a month.",
        "South facing roof, no shade.",
        "Interested in panels and a battery.",
        "What would 8 kW cost?",
        "We just bought an EV.",
        "Is there still a tax credit?",
        "Roof was replaced two years ago.",
        "Net metering here? Please explain.",
    ];
    const COVER: [&str; 8] = [
        "My premium went up 30 percent.",
        "Two cars, one teen driver.",
        "Renewal is due next month.",
        "Bought a used truck yesterday.",
        "Clean record for nine years.",
        "Need cover from Monday on.",
        "Comparing three offers.",
        "Liability only, please.",
    ];
    const OTHER: [&str; 4] =
        ["Please call me.", "I would like a quote.", "When could somebody come?", "Evenings are best."];
    if rng.u32(..100) >= 55 {
        return None;
    }
    let of: &[&str] = if category.contains("roof") {
        &ROOF
    } else if category.contains("solar") {
        &SUN
    } else if category.contains("insurance") {
        &COVER
    } else {
        &OTHER
    };
    Some(pick(rng, of).to_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn nobody_is_anybody() {
        let mut rng = Rng::with_seed(1);
        let mut people = People::new();
        let (mut emails, mut phones) = (BTreeSet::new(), BTreeSet::new());
        for _ in 0..3_000 {
            let place = people.place(&mut rng).unwrap();
            let person = people.person(&mut rng, place);
            let domain = person.email.rsplit('@').next().unwrap();
            assert!(["example.com", "example.net", "example.org", "mail.example.com"].contains(&domain));
            assert!(emails.insert(person.email), "each has a mailbox of their own");
            if let Some(phone) = person.phone {
                let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
                assert!(digits.len() == 10 && &digits[3..8] == "55501", "{phone} is set aside for fiction");
                assert!(phones.insert(digits), "each has a phone of their own");
            }
        }
        assert!(phones.len() > 2_000);
    }
}
