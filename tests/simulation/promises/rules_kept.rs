//! Promise 3: by the rulebook that was in force when it was decided, nobody had a lead whom a rule keeps from it, but
//! by the desk's word where the desk may give it.

use leadyard_domain::assignment::Assignment;
use leadyard_domain::contract::Need;
use leadyard_domain::distribution::{Location, Waiting};
use leadyard_domain::scoring::Band;
use leadyard_platform::store::{DecisionRecord, Story};
use serde_json::Value;

use super::{Check, desk_decided};
use crate::rules::{self, Contract, Edition};

/// The decision by which a seat was given, or beside which the desk gave it.
pub(super) fn decided<'a>(story: &'a Story, one: &Assignment) -> Option<&'a DecisionRecord> {
    story.decisions.iter().find(|record| record.gave_seat(one))
}

/// The rules that a contract fails, by what was decided on.
fn failed(contract: &Contract, record: &DecisionRecord) -> Vec<&'static str> {
    let facts = &record.facts;
    let zip = match facts.location {
        Location::Zip(zip) => zip.to_string(),
        Location::State { .. } | Location::Unplaced => String::new(),
    };
    let band = contract.band.and_then(|band| band.parse::<Band>().ok());
    let needs = contract.needs.iter().any(|need| !facts.brings.iter().any(|brought| brought == *need));
    [
        ("area", !contract.zips.iter().any(|begins| zip.starts_with(begins))),
        ("offer", !contract.offers.contains(&facts.offer.as_str())),
        ("band", band.is_some_and(|least| !facts.band.meets(least))),
        ("needs", needs),
    ]
    .into_iter()
    .filter_map(|(rule, fails)| fails.then_some(rule))
    .collect()
}

/// The number of a lead's person.
fn person(story: &Story) -> Option<u64> {
    story.lead.person.last_name.as_deref()?.strip_prefix("Person")?.parse().ok()
}

/// What the desk said when it placed a lead, as its act tells it.
pub(super) fn placing(story: &Story, one: &Assignment) -> Option<Value> {
    if !one.by_desk {
        return None;
    }
    // What the desk did is written down a moment after it looked.
    let moment = |at: jiff::Timestamp| (0..60).contains(&at.duration_since(one.offered_at).as_secs());
    let acts = story.acts.iter().filter(|act| act.act == "place" && moment(act.at));
    acts.filter_map(|act| serde_json::from_str(&act.after).ok())
        .find(|after: &Value| after["contract"] == one.contract.as_str())
}

impl Check<'_> {
    /// The edition of the rulebook by which a seat was given.
    fn edition(&self, one: &Assignment) -> Edition {
        self.world.editions.of(one.company.as_str(), one.rulebook)
    }

    /// Offer, area, band and needs; and what is placed by hand is placed by hand.
    pub(super) fn no_rule_is_passed_over(&mut self) {
        let mut wrong = Vec::new();
        for story in self.stories {
            let company = story.lead.company.as_str();
            for one in &story.assignments {
                let id = one.contract.as_str();
                let Some(record) = decided(story, one) else {
                    wrong.push(format!("assignment {} was given without a decision", one.id));
                    continue;
                };
                let edition = self.world.editions.of(company, record.rulebook);
                let contract = rules::contract(edition, company, id);
                let Some(contract) = contract.filter(|contract| contract.dealer == one.dealer.as_str())
                else {
                    wrong.push(format!("{id} was no contract of {company} and {} then", one.dealer));
                    continue;
                };
                let facts = &record.facts;
                let failed = failed(contract, record);
                if one.by_desk {
                    let said = placing(story, one);
                    if said.is_none_or(|after| after["override"].is_null()) && !failed.is_empty() {
                        wrong.push(format!("{id} was given {} against {failed:?} without a word", one.id));
                    }
                    continue;
                }
                if !failed.is_empty() {
                    wrong.push(format!(
                        "{id} has a lead for {} at {:?} of {} against {failed:?}",
                        facts.offer, facts.location, facts.band
                    ));
                }
                if facts.offer.as_str() == rules::BY_HAND {
                    wrong.push(format!("{id} has a lead for {}, which the desk places", facts.offer));
                }
            }
            // A recommendation stands until the desk places the lead.
            let newest = story.decisions.last();
            if story.lead.waiting == Some(Waiting::Manual)
                && newest.is_none_or(|record| {
                    record.waiting != Some(Waiting::Manual) || record.contracts.is_empty()
                })
            {
                wrong.push(format!("lead {} waits to be placed, and nobody is recommended", story.lead.id));
            }
        }
        for wrong in wrong {
            self.violated(3, wrong);
        }
    }

    /// What a contract needs is what the person said, and what the list says of its phone.
    pub(super) async fn needs_are_met(&mut self) -> anyhow::Result<()> {
        for story in self.stories {
            let lead = &story.lead;
            // What was merged brings what it brings.
            let Some(person) = person(story).filter(|_| lead.merged.is_empty() && lead.merged_into.is_none())
            else {
                continue;
            };
            for one in story.assignments.iter().filter(|one| !one.by_desk) {
                let Some(contract) =
                    rules::contract(self.edition(one), lead.company.as_str(), one.contract.as_str())
                else {
                    continue;
                };
                let needs = |need: Need| contract.needs.contains(&need);
                if needs(Need::Consent) && !rules::consents(person) {
                    self.violated(3, format!("{} has lead {} without its consent", contract.id, lead.id));
                }
                if needs(Need::DncClean)
                    && rules::is_listed(person)
                    && let Some(opening) = one.enquiry
                    && let Some(opening) = self.world.plain.store.enquiry_get(opening).await?
                    && opening.fields.iter().any(|(name, _)| name == "phone")
                {
                    self.violated(3, format!("{} may call lead {}, whom it may not", contract.id, lead.id));
                }
            }
        }
        Ok(())
    }

    /// Nobody had a lead from where somebody else's contract compels. One that was paused, or may have been, does
    /// not.
    pub(super) fn no_territory_is_bypassed(&mut self) {
        let mut wrong = Vec::new();
        for story in self.stories {
            let lead = &story.lead;
            let company = lead.company.as_str();
            let zip = lead.person.zip.map(|zip| zip.to_string()).unwrap_or_default();
            let offer = lead.offer.as_str();
            let whole = self.whole(lead);
            for one in &story.assignments {
                let id = one.contract.as_str();
                let edition = self.edition(one);
                let paused = |id: &str| {
                    let dealer = rules::contract(edition, company, id).map_or("", |contract| contract.dealer);
                    self.stood.may_be_paused(one, id, dealer)
                };
                let only = rules::compelled(company, offer, &zip);
                // Nobody *else* may have it: what its own contract does not take, the desk may give it all the same.
                let only = only.filter(|(whose, _)| *whose != id && !paused(whose));
                // A closed territory shuts out other dealers: what it does not take, the desk may give to another
                // contract of its own dealer's.
                let own = |whose: &str| {
                    let dealer = |id: &str| rules::contract(edition, company, id).map(|known| known.dealer);
                    dealer(whose).is_some() && dealer(whose) == dealer(id)
                };
                let only = only.filter(|(whose, only)| !(only.is_empty() && one.by_desk && own(whose)));
                let only = only.map(|(_, only)| only);
                if only.is_some_and(|only| !only.contains(&id) && !desk_decided(&whole, one, only)) {
                    wrong.push(format!(
                        "{id} has a lead for {offer} from {zip}, which is another's territory"
                    ));
                }
                if let Some(first) = rules::comes_first(company, &zip)
                    && first != id
                    && !paused(first)
                    && !whole.iter().flat_map(|story| &story.assignments).any(|other| {
                        let merged = other.lead != one.lead;
                        // Who comes first here sells alone: a seat that was merged in is not beside it.
                        let had_it = other.contract.as_str() == first && other.cycle == one.cycle;
                        (merged || had_it) && other.offered_at <= one.offered_at
                    })
                {
                    wrong.push(format!("{id} had a lead from {zip} before {first}, who comes first"));
                }
            }
        }
        for wrong in wrong {
            self.violated(3, wrong);
        }
    }
}
