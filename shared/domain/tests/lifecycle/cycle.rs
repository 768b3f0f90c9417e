//! A repeat, or the next sale cycle: what one lead is after each thing that happens to it.

use fastrand::Rng;
use jiff::Timestamp;
use leadyard_domain::contract::{Need, Needs};
use leadyard_domain::ids::{AssignmentId, DealerId, EnquiryId};
use leadyard_domain::lead::{Arrival, Contactable, Holder, Lead, LeadScope, Met, Stage};

use crate::{at, holds, one_of};

broken! {
    /// The window runs from when the cycle opened.
    WindowFromLastEnquiry,
    /// Who asks just as the window ends asks anew.
    ToTheHour,
    /// Of two machines' clocks the one behind moves the window back.
    NeverBack,
    /// What is over is asked for anew within the window.
    ClosedRepeats,
    /// What somebody holds is repeated however late.
    LateWhileHeld,
    /// What expired in nobody's hands is repeated within a window that has grown.
    ExpiredIsOver,
    /// A repeat overwrites.
    NothingOverwritten,
    /// A repeat fills no blanks.
    BlanksFilled,
    /// A repeat makes the lead young again.
    RepeatKeepsAge,
    /// A repeat changes what is sold.
    RepeatKeepsOffer,
    /// A repeat brings its own consent to what is sold.
    RepeatBringsNothing,
    /// The next cycle is of the person as they were.
    NewsDescribe,
    /// What the next cycle leaves blank is forgotten.
    NewsLeaveBlanks,
    /// Who names another street stays in the ZIP where they were.
    OnePlace,
    /// The next cycle is of the offer before.
    NextOffer,
    /// Who held the lead holds it on.
    HoldersGo,
    /// Who held it before is not eligible again.
    HoldersAgain,
    /// Whatever its contract says, the last one has it again.
    ContractsWord,
    /// Who gave it back in the cycle before is not eligible again.
    ExclusionEnds,
    /// Who gave it back is eligible in the same cycle.
    GiveBackExcludes,
    /// What nobody has stays open beyond the window.
    NobodysExpires,
    /// What is held expires with the window.
    HeldStays,
    /// The 90 days of who was given it late run from the last enquiry.
    GivenLate,
    /// What is held never expires.
    HeldExpires,
}

/// Surname, phone, street and ZIP, as somebody describes themselves.
type Person = [Option<&'static str>; 4];

const PEOPLE: [Person; 4] = [
    [None; 4],
    [Some("King"), None, Some("1 Main St"), Some("33130")],
    [None, Some("+13055550100"), None, Some("33125")],
    [Some("Byron"), Some("+13055550101"), Some("2 Oak St"), None],
];
const OFFERS: [&str; 2] = ["roof", "gutter"];
const DEALERS: [&str; 3] = ["hudson", "gulf", "keys"];

#[derive(Clone, Copy, Debug)]
enum Step {
    /// Another enquiry, by a clock that may be an hour behind.
    Asks { person: usize, offer: usize, consent: bool, behind: bool },
    /// A dealer is given the lead, and may have it in a later cycle.
    Given { dealer: usize, again: bool },
    /// The first who holds it gives it back.
    GivesBack,
    /// The cycle is won or lost, where somebody holds it, or rejected.
    Closes(Stage),
    /// The sweep looks whether it has expired.
    Looked,
    /// The company has another window, in days.
    Window(u16),
}

#[derive(Clone, Debug)]
struct Case {
    window: u16,
    person: usize,
    /// Hours since the one before, and what happens.
    steps: Vec<(i64, Step)>,
}

const WINDOWS: [u16; 4] = [7, 30, 60, 120];

fn cases(random: &mut Rng) -> Case {
    let many = random.usize(2..14);
    let steps = (0..many).map(|_| {
        let days = one_of(random, &[0, 0, 1, 7, 20, 29, 30, 30, 31, 60, 89, 90]);
        let hours = 24 * days + one_of(random, &[0, 0, 0, 1]);
        let step = match random.u8(..12) {
            0..=4 => Step::Asks {
                person: random.usize(..PEOPLE.len()),
                offer: random.usize(..OFFERS.len()),
                consent: random.bool(),
                behind: random.u8(..4) == 0,
            },
            5..=6 => Step::Given { dealer: random.usize(..DEALERS.len()), again: random.bool() },
            7 => Step::GivesBack,
            8 => Step::Closes(one_of(random, &[Stage::Won, Stage::Lost, Stage::Rejected])),
            9..=10 => Step::Looked,
            _ => Step::Window(one_of(random, &WINDOWS)),
        };
        (hours, step)
    });
    let steps: Vec<(i64, Step)> = steps.collect();
    Case { window: one_of(random, &WINDOWS), person: random.usize(..PEOPLE.len()), steps }
}

/// How a lead stands; hours since it first asked.
#[derive(Clone, Debug, PartialEq)]
struct Stands {
    cycle: u32,
    stage: Stage,
    opened: i64,
    asked: i64,
    person: Person,
    offer: usize,
    consent: bool,
    /// Who holds it, whether they may have it again, and since when.
    holders: Vec<(usize, bool, i64)>,
    excluded: Vec<usize>,
}

fn hour(hours: i64) -> Timestamp {
    at(hours * 3_600)
}

fn arrival(number: usize, person: usize, offer: usize, consent: bool, at: Timestamp) -> Arrival {
    let [last_name, phone, street, zip] = PEOPLE[person];
    Arrival {
        enquiry: EnquiryId::from_bytes([u8::try_from(number + 1).unwrap(); 16]),
        at,
        person: Contactable {
            last_name: last_name.map(str::to_owned),
            phone: phone.map(str::to_owned),
            street: street.map(str::to_owned),
            zip: zip.map(|zip| zip.parse().unwrap()),
            ..Contactable::default()
        },
        offer: OFFERS[offer].parse().unwrap(),
        category: "roofing".parse().unwrap(),
        source: "page".parse().unwrap(),
        campaign: None,
        brings: if consent { Needs::NONE.with(Need::Consent) } else { Needs::NONE },
        certificate_warning: None,
        visitor: None,
    }
}

/// The lead of the domain, after each step.
fn done(case: &Case) -> Vec<(Option<bool>, Stands)> {
    let scope = LeadScope::Category("roofing".parse().unwrap());
    let mut lead = Lead::open("c".parse().unwrap(), scope, &arrival(0, case.person, 0, false, hour(0)));
    let (mut now, mut window, mut said) = (0, case.window, Vec::new());
    for (number, (gap, step)) in case.steps.iter().enumerate() {
        now += gap;
        let mut repeat = None;
        match *step {
            Step::Asks { person, offer, consent, behind } => {
                let at = hour(now - i64::from(behind));
                let met = lead.take(&arrival(number + 1, person, offer, consent, at), window);
                repeat = Some(met == Met::Repeat);
            }
            Step::Given { dealer, again } => {
                let dealer: DealerId = DEALERS[dealer].parse().unwrap();
                let holds = lead.holders.iter().any(|holder| holder.dealer == dealer);
                if !lead.stage.closed() && !holds && !lead.excluded.contains(&dealer) {
                    let assignment = AssignmentId::mint(hour(now), [u8::try_from(number).unwrap(); 10]);
                    let contract = dealer.as_str().parse().unwrap();
                    lead.holders.push(Holder { dealer, contract, assignment, again, came_from: None });
                    lead.rest_assigned();
                }
            }
            Step::GivesBack => {
                let first = lead.holders.first().map(|holder| holder.assignment);
                if let Some(first) = first.filter(|_| !lead.stage.closed()) {
                    lead.give_back(first, hour(now));
                }
            }
            Step::Closes(stage) => {
                if !lead.stage.closed() && lead.holders.is_empty() == (stage == Stage::Rejected) {
                    lead.close(stage, hour(now));
                }
            }
            Step::Looked => {
                if lead.has_expired(window, hour(now)) {
                    lead.close(Stage::Expired, hour(now));
                }
            }
            Step::Window(days) => window = days,
        }
        said.push((repeat, stands(&lead)));
    }
    said
}

fn stands(lead: &Lead) -> Stands {
    let hours = |of: Timestamp| of.duration_since(hour(0)).as_secs().div_euclid(3_600);
    let number = |dealer: &DealerId| DEALERS.iter().position(|id| *id == dealer.as_str()).unwrap();
    let zip = lead.person.zip.map(|zip| zip.to_string());
    let says = [
        lead.person.last_name.as_deref(),
        lead.person.phone.as_deref(),
        lead.person.street.as_deref(),
        zip.as_deref(),
    ];
    let known = |text: &str| PEOPLE.iter().flatten().flatten().find(|known| **known == text).copied();
    let holders = lead.holders.iter().map(|holder| {
        let given = Timestamp::from_millisecond(holder.assignment.minted_ms()).unwrap();
        (number(&holder.dealer), holder.again, hours(given))
    });
    Stands {
        cycle: lead.cycle,
        stage: lead.stage,
        opened: hours(lead.opened_at),
        asked: hours(lead.last_enquiry_at),
        person: says.map(|text| text.and_then(known)),
        offer: OFFERS.iter().position(|offer| *offer == lead.offer.as_str()).unwrap(),
        consent: lead.brings.meets(Needs::NONE.with(Need::Consent)),
        holders: holders.collect(),
        excluded: lead.excluded.iter().map(number).collect(),
    }
}

/// Blanks are filled.
fn filled(person: Person, other: Person) -> Person {
    [0, 1, 2, 3].map(|field| person[field].or(other[field]))
}

/// The person as their news describe them: blanks are as they were, and a place is one thing.
fn renewed(person: Person, news: Person, one_place: bool) -> Person {
    let [last_name, phone, street, zip] = filled(news, person);
    if one_place && (news[2].is_some() || news[3].is_some()) {
        [last_name, phone, news[2], news[3]]
    } else {
        [last_name, phone, street, zip]
    }
}

/// The rules.
fn plain(case: &Case, broken: Option<Broken>) -> Vec<(Option<bool>, Stands)> {
    let keeps = |rule| broken != Some(rule);
    let (mut now, mut window, mut said) = (0, case.window, Vec::new());
    let mut lead = Stands {
        cycle: 1,
        stage: Stage::Received,
        opened: 0,
        asked: 0,
        person: PEOPLE[case.person],
        offer: 0,
        consent: false,
        holders: Vec::new(),
        excluded: Vec::new(),
    };
    for (gap, step) in &case.steps {
        now += gap;
        let open = !lead.stage.closed();
        let mut repeat = None;
        match *step {
            Step::Asks { person, offer, consent, behind } => {
                let at = now - i64::from(behind);
                let since = if keeps(Broken::WindowFromLastEnquiry) { lead.asked } else { lead.opened };
                let window = 24 * i64::from(window);
                let late = at - since > window || !keeps(Broken::ToTheHour) && at - since == window;
                let nobodys = lead.stage == Stage::Expired && lead.holders.is_empty();
                let anew =
                    late || nobodys && keeps(Broken::ExpiredIsOver) || !open && !keeps(Broken::ClosedRepeats);
                let held = open && !lead.holders.is_empty() && !keeps(Broken::LateWhileHeld);
                repeat = Some(!anew || held);
                lead.asked = if keeps(Broken::NeverBack) { lead.asked.max(at) } else { at };
                if anew && !held {
                    next_cycle(&mut lead, PEOPLE[person], keeps);
                    (lead.opened, lead.consent) = (at, consent);
                    lead.offer = if keeps(Broken::NextOffer) { offer } else { lead.offer };
                } else {
                    let (stands, says) = (lead.person, PEOPLE[person]);
                    lead.person = match (keeps(Broken::NothingOverwritten), keeps(Broken::BlanksFilled)) {
                        (true, true) => filled(stands, says),
                        (false, _) => filled(says, stands),
                        (true, false) => stands,
                    };
                    lead.opened = if keeps(Broken::RepeatKeepsAge) { lead.opened } else { at };
                    lead.offer = if keeps(Broken::RepeatKeepsOffer) { lead.offer } else { offer };
                    lead.consent |= consent && !keeps(Broken::RepeatBringsNothing);
                }
            }
            Step::Given { dealer, again } => {
                let holds = lead.holders.iter().any(|holder| holder.0 == dealer);
                if open && !holds && !lead.excluded.contains(&dealer) {
                    lead.holders.push((dealer, again, now));
                    lead.stage = Stage::Assigned;
                }
            }
            Step::GivesBack => {
                if open && !lead.holders.is_empty() {
                    let (dealer, ..) = lead.holders.remove(0);
                    lead.excluded.extend(Some(dealer).filter(|_| keeps(Broken::GiveBackExcludes)));
                    lead.stage = Stage::Received;
                }
            }
            Step::Closes(stage) => {
                if open && lead.holders.is_empty() == (stage == Stage::Rejected) {
                    lead.stage = stage;
                }
            }
            Step::Looked => {
                if open && now >= expires(&lead, 24 * i64::from(window), keeps) {
                    lead.stage = Stage::Expired;
                }
            }
            Step::Window(days) => window = days,
        }
        said.push((repeat, lead.clone()));
    }
    said
}

fn next_cycle(lead: &mut Stands, news: Person, keeps: impl Fn(Broken) -> bool) {
    lead.cycle += 1;
    lead.stage = Stage::Received;
    lead.person = match (keeps(Broken::NewsDescribe), keeps(Broken::NewsLeaveBlanks)) {
        (true, true) => renewed(lead.person, news, keeps(Broken::OnePlace)),
        (false, _) => lead.person,
        (true, false) => news,
    };
    // Earlier holders are eligible again, unless the contract of the last one says otherwise.
    let eligible = |again: bool| (again || !keeps(Broken::ContractsWord)) && keeps(Broken::HoldersAgain);
    let shut_out = lead.holders.iter().filter(|(_, again, _)| !eligible(*again)).map(|holder| holder.0);
    let before = lead.excluded.iter().copied().filter(|_| !keeps(Broken::ExclusionEnds));
    lead.excluded = shut_out.chain(before).collect();
    if keeps(Broken::HoldersGo) {
        lead.holders.clear();
    }
}

/// At the window's end without a holder; held, after 90 days without an outcome.
fn expires(lead: &Stands, window: i64, keeps: impl Fn(Broken) -> bool) -> i64 {
    let given = lead.holders.iter().map(|holder| holder.2).max();
    match given {
        None if keeps(Broken::NobodysExpires) => lead.asked + window,
        None => i64::MAX,
        Some(_) if !keeps(Broken::HeldExpires) => i64::MAX,
        Some(_) if !keeps(Broken::HeldStays) => lead.asked + window,
        Some(given) if keeps(Broken::GivenLate) => given.max(lead.asked) + 90 * 24,
        Some(_) => lead.asked + 90 * 24,
    }
}

#[test]
fn an_enquiry_repeats_or_opens_the_next_cycle_as_the_rules_say_and_each_of_them_counts() {
    holds(ALL, 6_000, cases, done, plain);
}
