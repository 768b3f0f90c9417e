//! What the desk flips holds: nothing is distributed while the company is stopped or only watches, nothing is
//! delivered of what was placed while it watches, and whoever is paused gets nothing.
//!
//! A switch is read before a decision, and the decision written after it: one that was under way when the switch was
//! flipped may still be committed. It was read no longer before than a run of the handler takes, which is less than
//! its messages stay hidden. So a seat is wrong if the switch was on at every moment of that long before the
//! decision's own time.

use jiff::{SignedDuration, Timestamp};
use leadyard::system;
use leadyard_domain::assignment::Assignment;
use leadyard_domain::backtest::history::Switched;
use leadyard_domain::distribution::Switches;
use leadyard_domain::ids::CompanyId;
use leadyard_platform::history;

use super::Check;
use crate::rules;
use crate::world::World;

/// How long before a decision its switches may have been read.
const READ_BEFORE: SignedDuration = SignedDuration::from_secs(system::DISTRIBUTION.visibility_s as i64);

/// How the switches of every company stood.
pub(super) struct Stood(Vec<(&'static str, Vec<Switched>)>);

impl Stood {
    /// From the log of what the desk did.
    pub(super) async fn read(world: &World) -> anyhow::Result<Self> {
        let mut all = Vec::new();
        let now = world.cloud.clock.now();
        for (company, _) in rules::OFFERS {
            let id = CompanyId::new(company)?;
            all.push((*company, history::switches_between(&world.plain, &id, world.began, now).await?));
        }
        Ok(Self(all))
    }

    /// Each way in which they stood at some moment that a decision of this time may have read.
    fn around(&self, company: &str, at: Timestamp) -> Vec<&Switches> {
        let all = self.0.iter().find(|(of, _)| *of == company).map_or(&[][..], |(_, all)| all.as_slice());
        let from = at.saturating_sub(READ_BEFORE).unwrap_or(Timestamp::MIN);
        let ends = all.iter().skip(1).map(|next| next.at).chain([Timestamp::MAX]);
        all.iter()
            .zip(ends)
            .filter(|(one, end)| one.at <= at && *end > from)
            .map(|(one, _)| &one.switches)
            .collect()
    }

    /// Whether a contract or its dealer was paused at some moment that a decision of this time may have read.
    pub(super) fn may_be_paused(&self, one: &Assignment, contract: &str, dealer: &str) -> bool {
        let at = one.offered_at;
        let read = self.around(one.company.as_str(), at);
        let since = at.saturating_sub(READ_BEFORE).unwrap_or(Timestamp::MIN);
        read.iter().any(|switches| is_paused(switches, contract, dealer, since))
    }
}

/// Whether a contract or its dealer is paused by these at an instant.
fn is_paused(switches: &Switches, contract: &str, dealer: &str, at: Timestamp) -> bool {
    let runs = |until: Option<Timestamp>| until.is_none_or(|until| at < until);
    let of_contract = switches.contracts.iter().any(|one| one.id.as_str() == contract && runs(one.until));
    of_contract || switches.dealers.iter().any(|one| one.id.as_str() == dealer && runs(one.until))
}

impl Check<'_> {
    /// Promise 3.
    pub(super) fn switches_hold(&mut self) {
        let mut wrong = Vec::new();
        for story in self.stories {
            for one in &story.assignments {
                let at = one.offered_at;
                let read = self.stood.around(one.company.as_str(), at);
                let always = |is: &dyn Fn(&Switches) -> bool| read.iter().all(|switches| is(switches));
                let shadow = always(&|switches| switches.shadow);
                let (contract, dealer) = (one.contract.as_str(), one.dealer.as_str());
                let what = if one.by_desk {
                    if shadow && !one.shadow {
                        "was placed while its company only watches, and sent"
                    } else if one.shadow && always(&|switches| !switches.shadow) {
                        "was placed as if its company only watched, which it did not"
                    } else {
                        continue;
                    }
                } else if always(&|switches| switches.stop) {
                    "was given while its company was stopped"
                } else if shadow {
                    "was given while its company only watches"
                } else if always(&|switches| is_paused(switches, contract, dealer, at)) {
                    "was given to whom the desk had paused"
                } else {
                    continue;
                };
                wrong.push(format!("assignment {} ({contract}, at {at}) {what}", one.id));
            }
            for one in story.assignments.iter().filter(|one| one.shadow) {
                let id = one.id.to_string();
                if let Some(seen) = self.log.iter().find(|seen| seen.assignment == id) {
                    wrong.push(format!(
                        "assignment {id} of a company that only watches was sent: {}",
                        seen.event
                    ));
                }
                if one.settled_at.is_some() {
                    wrong.push(format!("assignment {id} of a company that only watches was charged"));
                }
            }
            for record in &story.decisions {
                let read = self.stood.around(story.lead.company.as_str(), record.at);
                let Ok(Some(evidence)) = record.evidence() else {
                    wrong.push(format!("decision {} has no evidence", record.id));
                    continue;
                };
                let by = evidence.switches();
                if !read.iter().any(|stood| (stood.stop, stood.shadow) == (by.stop, by.shadow)) {
                    wrong.push(format!("decision {} went by switches that did not stand so", record.id));
                }
            }
        }
        for wrong in wrong {
            self.violated(3, wrong);
        }
    }
}
