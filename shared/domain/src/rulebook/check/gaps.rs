//! Offers that nobody takes, places where nobody takes one, and hours in which nobody who does is open; weighed by
//! people.
//!
//! One line an offer for each: a company that serves one city leaves the rest of the country open, and
//! knows it. The states with the most people stand in the line; all of them in its figures.

use super::field::{Fields, Lack};
use super::figures::{Block, Figures, StateFigures};
use super::overlap::grouped;
use super::survey::{Survey, Taken};
use super::warnings::Warnings;
use super::week::{SLOTS, moment};
use crate::place::State;
use crate::rulebook::Offer;
use crate::rulebook::problem::{Position, ProblemCode};

/// Fewer people than this part of the country are no gap, in thousandths.
const LEAST_PEOPLE_PERMILLE: u64 = 1;
/// Less of the week than this is no gap, in thousandths.
const LEAST_WEEK_PERMILLE: u64 = 10;
/// States and stretches of the week that a sentence names.
const NAMED: usize = 3;

impl Survey<'_> {
    /// Notes which offers nobody takes, and where and when nobody takes the others.
    pub(super) fn find_gaps(&self, fields: &mut Fields<'_, '_>, warnings: &mut Warnings) {
        let all = self.standings.iter().any(|standing| matches!(standing.offers, Taken::All));
        let mut taken = vec![all; self.book.offers.len()];
        for standing in &self.standings {
            for offer in standing.offers.numbers(0) {
                if let Some(taken) = taken.get_mut(offer as usize) {
                    *taken = true;
                }
            }
        }
        let offers = self.book.offers.iter().zip(&self.book.positions.offers);
        for ((offer, &at), _) in offers.zip(&taken).filter(|(_, taken)| !**taken) {
            self.say_untaken(offer, at, warnings);
        }
        let mut gaps: Vec<(u64, usize, Lack)> = Vec::new();
        for (number, _) in taken.iter().enumerate().filter(|(_, taken)| **taken) {
            let lack = fields.lack(number);
            gaps.push((lack.states.iter().map(|state| state.1).sum(), number, lack));
        }
        // Those of the most people first, should there be more than there is room for.
        gaps.sort_by_key(|(people, number, _)| (std::cmp::Reverse(*people), *number));
        for (people, number, lack) in &gaps {
            let at = self.book.positions.offers.get(*number).copied();
            let Some((offer, at)) = self.book.offers.get(*number).zip(at) else { continue };
            if people * 1_000 >= self.ground.people * LEAST_PEOPLE_PERMILLE {
                self.say_gap(offer, at, *people, lack, warnings);
            }
            self.say_shut(offer, at, lack, warnings);
        }
    }

    fn say_untaken(&self, offer: &Offer, at: Position, warnings: &mut Warnings) {
        let people = self.ground.people;
        let message = format!(
            "no running contract takes the offer \"{}\", and there are {} people to ask for it",
            offer.id,
            grouped(people)
        );
        let figures = Figures {
            offer: Some(offer.id.to_string()),
            people: Some(people),
            of_people: Some(people),
            ..Figures::default()
        };
        warnings.note_with("offers.toml", at, ProblemCode::Unused, message, figures);
    }

    fn say_gap(&self, offer: &Offer, at: Position, people: u64, lack: &Lack, warnings: &mut Warnings) {
        let mut states: Vec<StateFigures> = State::ALL
            .iter()
            .zip(lack.states.iter().zip(&self.ground.people_of_state))
            .filter(|(_, (lack, _))| lack.0 > 0)
            .map(|(state, (&(zips, people), &of_people))| StateFigures {
                state: state.to_string(),
                zips,
                people,
                of_people,
            })
            .collect();
        states.sort_by_key(|state| std::cmp::Reverse(state.people));
        let zips: u32 = states.iter().map(|state| state.zips).sum();
        let worst: Vec<String> =
            states.iter().filter(|state| state.people > 0).take(NAMED).map(in_state).collect();
        let message = format!(
            "offer \"{}\": no contract covers {} ZIPs, where {} of the people live ({}): {}",
            offer.id,
            grouped(u64::from(zips)),
            percent(people * 1_000 / self.ground.people.max(1)),
            grouped(people),
            worst.join(", ")
        );
        let figures = Figures {
            offer: Some(offer.id.to_string()),
            zip: lack.example.map(|place| place.zip().to_string()),
            zips: Some(zips),
            people: Some(people),
            of_people: Some(self.ground.people),
            states,
            ..Figures::default()
        };
        warnings.note_with("offers.toml", at, ProblemCode::Gap, message, figures);
    }

    fn say_shut(&self, offer: &Offer, at: Position, lack: &Lack, warnings: &mut Warnings) {
        let week = lack.taken.max(1) * SLOTS as u64;
        let week_permille = lack.shut.iter().sum::<u64>() * 1_000 / week;
        if week_permille < LEAST_WEEK_PERMILLE {
            return;
        }
        let blocks = blocks(lack);
        let longest: Vec<String> = blocks.iter().take(NAMED).map(in_words).collect();
        let message = format!(
            "offer \"{}\": where somebody takes it ({} of the people live there), nobody is open {} of the week, \
             weighed by people; the longest: {}",
            offer.id,
            percent(lack.taken * 1_000 / self.ground.people.max(1)),
            percent(week_permille),
            longest.join(", ")
        );
        let figures = Figures {
            offer: Some(offer.id.to_string()),
            people: Some(lack.taken),
            of_people: Some(self.ground.people),
            week_permille: u32::try_from(week_permille).ok(),
            blocks,
            ..Figures::default()
        };
        warnings.note_with("offers.toml", at, ProblemCode::Shut, message, figures);
    }
}

/// The stretches of the week in which nobody is open for at least half as many people as at the worst hour,
/// the longest first.
fn blocks(lack: &Lack) -> Vec<Block> {
    let worst = lack.shut.iter().copied().max().unwrap_or(0);
    let is_shut =
        |slot: usize| lack.shut.get(slot % SLOTS).is_some_and(|&people| people > 0 && people * 2 >= worst);
    let block = |from: usize, slots: usize| {
        let people: u64 = (from..from + slots).filter_map(|slot| lack.shut.get(slot % SLOTS)).sum();
        let permille = people * 1_000 / (lack.taken.max(1) * slots.max(1) as u64);
        (slots, Block { from: moment(from), to: moment(from + slots), people_permille: permille as u32 })
    };
    let starts = (0..SLOTS).filter(|&slot| is_shut(slot) && !is_shut(slot + SLOTS - 1));
    let mut blocks: Vec<(usize, Block)> = starts
        .map(|from| block(from, (from..from + SLOTS).take_while(|&slot| is_shut(slot)).count()))
        .collect();
    if blocks.is_empty() && is_shut(0) {
        blocks.push(block(0, SLOTS));
    }
    blocks.sort_by_key(|block| std::cmp::Reverse(block.0));
    blocks.into_iter().map(|block| block.1).collect()
}

fn in_state(state: &StateFigures) -> String {
    let name = state.state.parse().map_or("", State::name);
    if state.people == state.of_people {
        format!("all of {name}")
    } else {
        format!("{} of {name}", percent(state.people * 1_000 / state.of_people.max(1)))
    }
}

fn in_words(block: &Block) -> String {
    let people = percent(u64::from(block.people_permille));
    format!("{} to {} for {people} of those people", block.from, block.to)
}

/// `31.2 %`
fn percent(permille: u64) -> String {
    format!("{}.{} %", permille / 10, permille % 10)
}
