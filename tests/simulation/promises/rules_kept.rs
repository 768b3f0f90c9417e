//! Promise 3: by the rulebook that was in force when it was decided, nobody had a lead whom a rule keeps from it, but
//! by the desk's word where the desk may give it, and then by a word for each rule.

use leadyard_domain::assignment::Assignment;
use leadyard_domain::contract::Need;
use leadyard_domain::distribution::{Location, Waiting};
use leadyard_domain::scoring::Band;
use leadyard_domain::time;
use leadyard_platform::store::{DecisionRecord, Story};
use serde_json::Value;

use super::{Check, desk_decided};
use crate::rules::{self, Contract, Edition};

/// The decision by which a seat was given, or beside which the desk gave it.
pub(super) fn decided<'a>(story: &'a Story, one: &Assignment) -> Option<&'a DecisionRecord> {
    story.decisions.iter().find(|record| record.gave_seat(one))
}

/// The contracts that take no lead which is more than so many hours old.
const MAX_AGE_HOURS: [(&str, i64); 3] = [("fir-utah", 72), ("birch-utah", 72), ("elm-florida", 72)];

/// The only dealer that is shut by night: its zone, and from and until which hour it is open.
const SLEEPS: (&str, &str, i8, i8) = ("birch", "America/Denver", 8, 20);

/// The rules that a contract fails, by what was decided on, in their order. All sources are taken; whether somebody is
/// paused, the switches say; and what is used up, who looks at the counters as they are written.
fn failed(contract: &Contract, record: &DecisionRecord) -> Vec<&'static str> {
    let facts = &record.facts;
    let age_ms = record.at.as_millisecond() - facts.opened_at.as_millisecond();
    let too_old = |(id, hours): &(&str, i64)| *id == contract.id && age_ms > hours * 3_600_000;
    let zip = match facts.location {
        Location::Zip(zip) => zip.to_string(),
        Location::State { .. } | Location::Unplaced => String::new(),
    };
    let band = contract.band.and_then(|band| band.parse::<Band>().ok());
    let needs = contract.needs.iter().any(|need| !facts.brings.iter().any(|brought| brought == *need));
    let mut had_it = facts.excluded.iter().chain(&facts.holders);
    let (dealer, zone, opens, shuts) = SLEEPS;
    let hour = time::zone(zone).map(|zone| zone.to_datetime(record.at).hour());
    let is_shut = contract.dealer == dealer && !hour.is_ok_and(|hour| (opens..shuts).contains(&hour));
    [
        ("offer", !contract.offers.contains(&facts.offer.as_str())),
        ("age", MAX_AGE_HOURS.iter().any(too_old)),
        ("area", !contract.zips.iter().any(|begins| zip.starts_with(begins))),
        ("band", band.is_some_and(|least| !facts.band.meets(least))),
        ("needs", needs),
        ("excluded", had_it.any(|dealer| dealer.as_str() == contract.dealer)),
        ("hours", is_shut),
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

/// The rules that a placing passed over, in their order, as its act tells them.
pub(super) fn passed_over(after: &Value) -> Vec<String> {
    let others = after["also_over"].as_array().into_iter().flatten();
    let all = std::iter::once(&after["override"]).chain(others);
    all.filter_map(|miss| Some(miss["rule"].as_str()?.to_owned())).collect()
}

impl Check<'_> {
    /// The edition of the rulebook by which a seat was given.
    fn edition(&self, one: &Assignment) -> Edition {
        self.world.editions.of(one.company.as_str(), one.rulebook)
    }

    /// Nobody was given a lead against a rule; by the desk against just those that its act names. And what is placed by
    /// hand is placed by hand.
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
                    let said = placing(story, one).map(|after| passed_over(&after)).unwrap_or_default();
                    let paused = self.stood.may_be_paused(one, id, contract.dealer);
                    if said.iter().any(|rule| rule == "inactive") && !paused {
                        wrong.push(format!("{id} was given {} as if it were paused", one.id));
                    }
                    let other = |rule: &String| rule != "inactive" && rule != "cap";
                    let said: Vec<String> = said.into_iter().filter(other).collect();
                    if said != failed {
                        wrong.push(format!("{id} was given {} over {said:?} against {failed:?}", one.id));
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
