//! What was received and is kept, how often, and what one message makes of another.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use serde::Serialize;

use super::{Behave, KEPT};

/// A message, as far as the page shows it. Full of a person: never logged, and without `Debug`.
#[derive(Clone, Serialize)]
pub struct Received {
    /// Counts messages, 1 first.
    pub number: u64,
    /// Counts changes of anything: what `received.json?after=` compares.
    pub change: u64,
    /// When it arrived first.
    pub at: Timestamp,
    /// To whose address it was sent.
    pub dealer: String,
    /// The `webhook-id`.
    pub webhook_id: String,
    /// `lead.assigned` and the like; empty if it could not be read.
    pub event: String,
    /// The assignment it is about.
    pub assignment_id: String,
    /// The lead it is about.
    pub lead_id: String,
    /// What the lead signed up for.
    pub offer: String,
    /// The contract.
    pub contract: String,
    /// The price, as it was written.
    pub price: String,
    /// The person's name.
    pub name: String,
    /// The person's ZIP.
    pub zip: String,
    /// The signature was right, and of now.
    pub verified: bool,
    /// How often it came again.
    pub duplicates: u64,
    /// The status that was answered last; 0 while it hangs.
    pub answered: u16,
    /// A withdrawal of its assignment has arrived.
    pub withdrawn: bool,
    /// The person was erased.
    pub erased: bool,
}

/// How many messages of each kind there have been, those no longer kept included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Verified messages, each once.
    pub verified: u64,
    /// Verified messages that came again.
    pub duplicates: u64,
    /// Messages whose signature was wrong, each arrival.
    pub refused: u64,
}

/// What is kept. Entries of `messages` are in the order of their numbers.
#[derive(Default)]
pub(super) struct Book {
    pub(super) messages: VecDeque<Received>,
    pub(super) counts: Counts,
    pub(super) per_dealer: BTreeMap<String, Counts>,
    pub(super) behaves: BTreeMap<String, Behave>,
    last_number: u64,
    pub(super) last_change: u64,
}

impl Book {
    /// Notes a message and what was answered; its number, which is an earlier one's if it came again.
    pub(super) fn note(&mut self, message: Received, answered: u16) -> u64 {
        let change = self.next_change();
        let again = !message.webhook_id.is_empty();
        let known = self.messages.iter_mut().find(|known| {
            again
                && known.webhook_id == message.webhook_id
                && known.dealer == message.dealer
                && known.verified == message.verified
        });
        if let Some(known) = known {
            known.duplicates += 1;
            known.answered = answered;
            known.change = change;
            let number = known.number;
            self.count(&message, true);
            return number;
        }
        self.count(&message, false);
        self.last_number += 1;
        let mut message = Received { number: self.last_number, change, answered, ..message };
        self.follow(&mut message, change);
        self.messages.push_back(message);
        if self.messages.len() > KEPT {
            self.messages.pop_front();
        }
        self.last_number
    }

    /// What this message does to others, and they to it. Only what is verified does anything.
    fn follow(&mut self, message: &mut Received, change: u64) {
        if !message.verified || message.assignment_id.is_empty() {
            return;
        }
        let (withdraws, erases) = (message.event == "lead.withdrawn", message.event == "lead.erased");
        let dealer = message.dealer.clone();
        for other in self.messages.iter_mut().filter(|other| other.verified && other.dealer == dealer) {
            let same = other.assignment_id == message.assignment_id;
            if same && withdraws && other.event != "lead.withdrawn" {
                other.withdrawn = true;
                other.change = change;
            }
            message.withdrawn |= same && other.event == "lead.withdrawn" && !withdraws;
            if other.lead_id == message.lead_id {
                if erases {
                    other.erase();
                    other.change = change;
                }
                message.erased |= other.event == "lead.erased";
            }
        }
        if message.erased {
            message.erase();
        }
    }

    pub(super) fn answered(&mut self, number: u64, answered: u16) {
        let change = self.next_change();
        if let Some(message) = self.messages.iter_mut().find(|message| message.number == number) {
            message.answered = answered;
            message.change = change;
        }
    }

    fn count(&mut self, message: &Received, again: bool) {
        let of_dealer = self.per_dealer.entry(message.dealer.clone()).or_default();
        for counts in [of_dealer, &mut self.counts] {
            match (message.verified, again) {
                (false, _) => counts.refused += 1,
                (true, true) => counts.duplicates += 1,
                (true, false) => counts.verified += 1,
            }
        }
    }

    fn next_change(&mut self) -> u64 {
        self.last_change += 1;
        self.last_change
    }
}

impl Received {
    fn erase(&mut self) {
        self.erased = true;
        self.name.clear();
        self.zip.clear();
    }
}
