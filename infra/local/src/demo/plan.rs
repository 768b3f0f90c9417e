//! The year as it is to be: who asks, when, for what, by whom sent. What becomes of it, the handlers decide.

use std::collections::BTreeMap;

use fastrand::Rng;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use leadyard_domain::rulebook::{Mode, Offer, Rulebook};

use super::book::Spent;
use super::curve::Calendar;
use super::people::{People, Person, message};
use super::senders::{self, Sender};

/// What there is to an enquiry besides itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Nothing.
    Plain,
    /// Asks again within days.
    AsksAgain,
    /// Asks again when the sale cycle is over.
    ComesBack,
    /// Does not say where.
    Nowhere,
    /// The same, of the last days: the desk keeps the lead until they are reached.
    Kept,
    /// A person whom screening doubts: the desk lets them go on, or the deadline does.
    Doubted,
    /// Wants to be forgotten, weeks later.
    Forgotten,
    /// Wants no more mail.
    NoMail,
    /// Wants to be left alone.
    LeftAlone,
    /// The desk writes a note.
    Noted,
    /// The desk holds the lead for some days.
    Held,
    /// Nobody: the desk rejects it.
    Nobody,
    /// Somebody who sells something.
    Spam,
}

impl Part {
    /// Whether they say where they are.
    pub(super) const fn is_somewhere(self) -> bool {
        !matches!(self, Self::Nowhere | Self::Kept)
    }

    /// Whether it becomes a lead.
    pub(super) const fn is_lead(self) -> bool {
        !matches!(self, Self::Nobody | Self::Spam)
    }
}

/// An enquiry to come.
pub(super) struct Asking {
    pub(super) at: Timestamp,
    pub(super) person: Person,
    /// By its place among the senders.
    pub(super) sender: usize,
    pub(super) campaign: Option<String>,
    /// By which of the sender's campaigns it comes.
    chance: usize,
    /// By its place among the rulebook's.
    pub(super) offer: usize,
    pub(super) message: Option<String>,
    pub(super) part: Part,
    /// Of the last two days.
    pub(super) fresh: bool,
    /// For whatever else is left to chance.
    pub(super) seed: u64,
}

/// A year.
pub(super) struct Plan {
    pub(super) senders: Vec<Sender>,
    /// In the order of their time.
    pub(super) askings: Vec<Asking>,
    pub(super) spent: Spent,
}

/// Of how many leads those of the last two days are at least so many.
const FRESH: u32 = 14;
/// Who comes back does so within this.
const BACK: SignedDuration = SignedDuration::from_hours(160 * 24);
/// Chances of a campaign: far more than a sender has of them.
const CAMPAIGNS: usize = 1_000_000;
/// Nobody is doubted in the last days: who is not decided is no lead yet.
const DECIDED: SignedDuration = SignedDuration::from_hours(5 * 24);

struct Drawer<'a> {
    book: &'a Rulebook,
    senders: &'a [Sender],
    calendars: BTreeMap<&'a str, Calendar>,
    people: People,
    rng: Rng,
    /// The company's.
    zone: TimeZone,
    until: Timestamp,
}

/// A year of so many leads, until an instant.
pub(super) fn plan(book: &Rulebook, leads: u32, seed: u64, from: Timestamp, until: Timestamp) -> Plan {
    let senders = senders::of(book);
    let zone = &super::zone(&book.company.zone);
    let calendars = book
        .offers
        .iter()
        .map(|offer| (offer.category.as_str(), Calendar::new(offer.category.as_str(), from, until, zone)));
    let mut drawer = Drawer {
        book,
        senders: &senders,
        calendars: calendars.collect(),
        people: People::new(),
        rng: Rng::with_seed(seed),
        zone: zone.clone(),
        until,
    };
    let fresh = FRESH.min(leads / 4).max(leads.min(3));
    let mut askings: Vec<Asking> = (0..leads).filter_map(|nth| drawer.asks(nth, nth < fresh)).collect();
    // What is nobody's comes besides; some of it is still undecided at the end.
    let nobody = 3 + leads / 50;
    let spam: u32 = 4 + leads / 16;
    askings.extend((0..nobody).filter_map(|nth| drawer.besides(Part::Nobody, nth < 3)));
    askings.extend((0..spam).filter_map(|nth| drawer.besides(Part::Spam, nth < 2)));
    // Whoever sends it in the end does so by a campaign of its own, and of that season.
    for asking in &mut askings {
        asking.campaign = drawer.campaign(asking);
    }
    askings.sort_by(|a, b| (a.at, &a.person.email).cmp(&(b.at, &b.person.email)));
    let spent = spent(&drawer.calendars, book, &senders, &askings, zone);
    Plan { senders, askings, spent }
}

impl Drawer<'_> {
    fn asks(&mut self, nth: u32, fresh: bool) -> Option<Asking> {
        let part = part(nth, fresh);
        let mut asking = self.draws(fresh, part)?;
        if part == Part::Doubted {
            // Only a page shows what screening doubts here.
            asking.sender = self.page().unwrap_or(asking.sender);
        }
        // Whoever comes back has to have come in time for that.
        if part == Part::ComesBack && self.until.duration_since(asking.at) < BACK {
            asking.at = asking.at.checked_sub(BACK).unwrap_or(asking.at);
        }
        if part == Part::Doubted && self.until.duration_since(asking.at) < DECIDED {
            asking.part = Part::Plain;
        }
        // Some were offered just now.
        if fresh && (5..9).contains(&nth) {
            let minutes = SignedDuration::from_mins(self.rng.u64(6..80) as i64);
            asking.at = self.until.checked_sub(minutes).unwrap_or(asking.at);
        }
        // Something to place by hand, of today.
        let by_hand = self.book.offers.iter().position(|offer| offer.mode == Mode::Manual);
        if let (true, 1 | 2, Some(offer)) = (fresh, nth, by_hand) {
            asking.offer = offer;
            asking.sender = self.sender(offer);
        }
        Some(asking)
    }

    fn besides(&mut self, part: Part, fresh: bool) -> Option<Asking> {
        let mut asking = self.draws(fresh, part)?;
        // Who sends much of it, sends the more of this.
        let of_page = |sender: &Sender| if says_its_offer(sender) { sender.share * sender.spam } else { 0 };
        let weights: Vec<u32> = self.senders.iter().map(of_page).collect();
        // Nobody looks at what an ad platform or a file sends: it would be leads, of whom nobody asked for so many.
        if weights.iter().all(|weight| *weight == 0) {
            return None;
        }
        asking.sender = weighted(&mut self.rng, &weights);
        asking.chance = self.rng.usize(..CAMPAIGNS);
        Some(asking)
    }

    fn draws(&mut self, fresh: bool, part: Part) -> Option<Asking> {
        let weights: Vec<u32> = self.book.offers.iter().map(|offer| wanted(self.book, offer)).collect();
        let offer = weighted(&mut self.rng, &weights);
        let category = self.book.offers.get(offer)?.category.as_str();
        let place = self.people.place(&mut self.rng)?;
        let zone = super::zone(place.zone());
        let calendar = self.calendars.get(category)?;
        let at = if fresh {
            calendar.lately(&mut self.rng, &zone)
        } else {
            calendar.instant(&mut self.rng, &zone)
        };
        let person = self.people.person(&mut self.rng, place);
        let message = message(&mut self.rng, category);
        let sender = self.sender(offer);
        let chance = self.rng.usize(..CAMPAIGNS);
        let seed = self.rng.u64(..);
        Some(Asking { at, person, sender, campaign: None, chance, offer, message, part, fresh, seed })
    }

    /// One that can send this offer.
    fn sender(&mut self, offer: usize) -> usize {
        let id = self.book.offers.get(offer).map(|offer| &offer.id);
        let sends = |sender: &Sender| {
            let takes = says_its_offer(sender) || sender.source.offer.as_ref() == id;
            if takes { sender.share } else { 0 }
        };
        let weights: Vec<u32> = self.senders.iter().map(sends).collect();
        weighted(&mut self.rng, &weights)
    }

    /// A page that nobody vouches for.
    fn page(&mut self) -> Option<usize> {
        let of_page = |sender: &Sender| says_its_offer(sender) && !sender.is_server();
        let weights: Vec<u32> =
            self.senders.iter().map(|sender| if of_page(sender) { sender.share } else { 0 }).collect();
        weights.iter().any(|weight| *weight > 0).then(|| weighted(&mut self.rng, &weights))
    }

    fn campaign(&self, asking: &Asking) -> Option<String> {
        let category = self.book.offers.get(asking.offer)?.category.as_str();
        let month = self.zone.to_datetime(asking.at).month();
        self.senders.get(asking.sender)?.campaign(category, month, asking.chance)
    }
}

/// Whether an enquiry of it says by itself which offer it is about.
fn says_its_offer(sender: &Sender) -> bool {
    use leadyard_domain::rulebook::SourceKind;
    match sender.source.kind {
        SourceKind::Form => true,
        SourceKind::Google | SourceKind::Meta | SourceKind::Adf | SourceKind::File => false,
    }
}

/// What of forty people each is to be, and how often of that.
fn part(nth: u32, fresh: bool) -> Part {
    if fresh {
        return match nth {
            0 => Part::Nowhere,
            4 => Part::Kept,
            _ => Part::Plain,
        };
    }
    let (of, round) = (nth % 40, nth / 40);
    match of {
        3 | 19 | 33 => Part::AsksAgain,
        17 => Part::ComesBack,
        24 if round.is_multiple_of(2) => Part::Nowhere,
        21 | 38 => Part::Doubted,
        26 if round.is_multiple_of(5) => Part::Forgotten,
        31 if round.is_multiple_of(3) => Part::NoMail,
        36 if round.is_multiple_of(4) => Part::LeftAlone,
        15 | 27 => Part::Noted,
        29 if round.is_multiple_of(2) => Part::Held,
        _ => Part::Plain,
    }
}

/// How often an offer is asked for: each trade alike, and in it the usual ones most.
fn wanted(book: &Rulebook, offer: &Offer) -> u32 {
    let trade = if offer.category.as_str().contains("roof") { 45 } else { 28 };
    let usual = |offer: &Offer| match (offer.mode, offer.incentive) {
        (Mode::Manual, _) => 8,
        (Mode::Automatic, true) => 22,
        (Mode::Automatic, false) => 100,
    };
    let all: u32 = book.offers.iter().filter(|of| of.category == offer.category).map(usual).sum();
    trade * 100 * usual(offer) / all.max(1)
}

fn weighted(rng: &mut Rng, weights: &[u32]) -> usize {
    let all: u32 = weights.iter().sum();
    let mut left = rng.u32(0..all.max(1));
    for (at, weight) in weights.iter().enumerate() {
        if left < *weight {
            return at;
        }
        left -= weight;
    }
    0
}

/// What was spent follows who came: an enquiry has its price, dearer where everybody advertises.
fn spent(
    calendars: &BTreeMap<&str, Calendar>,
    book: &Rulebook,
    senders: &[Sender],
    askings: &[Asking],
    zone: &TimeZone,
) -> Spent {
    let mut spent = Spent::new();
    for asking in askings {
        let Some(sender) = senders.get(asking.sender).filter(|sender| sender.cents > 0) else { continue };
        let day = zone.to_datetime(asking.at).date();
        let offer = book.offers.get(asking.offer);
        let calendar = offer.and_then(|offer| calendars.get(offer.category.as_str()));
        let usual = calendar.map_or(100, |calendar| calendar.month(day.month()));
        let month = format!("{:04}-{:02}", day.year(), day.month());
        let campaign = asking.campaign.as_deref().map(|campaign| sender.called(campaign)).unwrap_or_default();
        let cents = u64::from(sender.cents) * u64::from(150 + usual) / 250;
        *spent.entry((month, sender.id().to_string(), campaign)).or_default() += cents;
    }
    spent
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::book;
    use crate::rules;

    const LEADS: u32 = 400;

    /// The built-in demo's rulebook, with other sources if any are given; and its year.
    fn year(sources: Option<&str>) -> (Rulebook, Plan) {
        let mut files = book::built_in(LEADS).unwrap();
        if let Some(text) = sources {
            let known = files.iter_mut().find(|(name, _)| name == "sources.toml").unwrap();
            known.1 = text.as_bytes().to_vec();
            // Its own tests name the sources that are gone.
            files.retain(|(name, _)| name != "tests.toml");
        }
        let until: Timestamp = "2026-05-28T21:30:00Z".parse().unwrap();
        let from = until.checked_sub(SignedDuration::from_hours(365 * 24)).unwrap();
        let (book, _) = rules::check(files, from).0.rulebook.unwrap();
        let plan = plan(&book, LEADS, 7, from, until);
        (book, plan)
    }

    #[test]
    fn whoever_sends_an_enquiry_sends_it_by_a_campaign_of_its_own() {
        let (book, plan) = year(None);
        let zone = super::super::zone(&book.company.zone);
        for asking in &plan.askings {
            let sender = &plan.senders[asking.sender];
            let category = book.offers[asking.offer].category.as_str();
            let month = zone.to_datetime(asking.at).month();
            let mut own = (0..sender.campaigns.len()).map(|nth| sender.campaign(category, month, nth));
            let campaign = &asking.campaign;
            assert!(own.any(|own| own == *campaign), "{campaign:?} of {}, {:?}", sender.id(), asking.part);
        }
    }

    #[test]
    fn where_only_an_ad_platform_sends_there_are_as_many_leads_as_were_asked_for() {
        let google = "[[source]]\nid = \"google-ads\"\nkind = \"google\"\noffer = \"roof-inspection\"\n";
        let (_, plan) = year(Some(google));
        assert_eq!(plan.askings.len(), LEADS as usize);
        assert!(plan.askings.iter().all(|asking| asking.part.is_lead()));
    }
}
