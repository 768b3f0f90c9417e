//! What somebody saw of a lead when they asked for an act on it, and whether that still is so; and whether it was done by
//! the same form before.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use leadyard_domain::ids::{ActId, AssignmentId, LeadId};
use leadyard_domain::lead::{Hold, Lead, Stage};
use leadyard_domain::scoring::Priority;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::store::{Act, StoreError};
use serde::{Deserialize, Serialize};

use super::{Asked, Kind};

impl Asked {
    /// The act under the id that its form gives it.
    pub(crate) fn named(&self, act: Act) -> Act {
        Act { id: self.id_of(&act.act).unwrap_or(act.id), ..act }
    }

    /// The id that a form gives an act: its page's, and in the last seven bytes what is asked for. So the same form again
    /// is the same act, and other words in it, or another form of the page, are another.
    fn id_of(&self, act: &str) -> Option<ActId> {
        let text = |text: &Option<String>| text.as_deref().unwrap_or_default().trim().to_owned();
        let mut bytes = *self.once?.bytes();
        let mut hasher = DefaultHasher::new();
        (bytes, act, text(&self.reason), text(&self.text), &self.contract, self.assignment).hash(&mut hasher);
        (self.priority, self.hold, self.until).hash(&mut hasher);
        (self.result, self.callback_at, text(&self.note)).hash(&mut hasher);
        let [_, hash @ ..] = hasher.finish().to_be_bytes();
        for (byte, hashed) in bytes.iter_mut().skip(9).zip(hash) {
            *byte = hashed;
        }
        Some(ActId::from_bytes(bytes))
    }
}

/// Whether a form's act on a lead was done already.
pub(crate) async fn is_done(
    cloud: &Cloud,
    lead: LeadId,
    act: &str,
    asked: &Asked,
) -> Result<bool, StoreError> {
    match asked.id_of(act) {
        Some(id) => cloud.store.act_stands(lead, id).await,
        None => Ok(false),
    }
}

/// What somebody saw of a lead, as far as an act stands on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Seen {
    stage: Stage,
    cycle: u32,
    hold: Option<Hold>,
    seats: Vec<AssignmentId>,
    priority: Option<Priority>,
}

impl Seen {
    pub(crate) fn of(lead: &Lead) -> Self {
        Self {
            stage: lead.stage,
            cycle: lead.cycle,
            hold: lead.hold.clone(),
            seats: lead.holders.iter().map(|holder| holder.assignment).collect(),
            priority: lead.priority_set,
        }
    }

    /// What an act stands on that is otherwise now; `None` where nothing is.
    pub(super) fn gone(&self, kind: Kind, lead: &Lead) -> Option<String> {
        let now = Self::of(lead);
        match kind {
            Kind::Place | Kind::TakeBack | Kind::Hold | Kind::Resume | Kind::Reject | Kind::Reopen => {}
            Kind::Priority => {
                let says = now.priority.map_or("as the score says".to_owned(), |word| word.to_string());
                return (self.priority != now.priority).then(|| format!("its priority is {says} now"));
            }
            // The rest stand on nothing that is shown.
            Kind::Merge | Kind::Note | Kind::Redeliver | Kind::OfFollowUp(_) => return None,
        }
        if self.cycle != now.cycle {
            return Some("its person asked anew, and another sale cycle began".to_owned());
        }
        if self.seats != now.seats {
            let dealers: Vec<&str> = lead.holders.iter().map(|holder| holder.dealer.as_str()).collect();
            return Some(match dealers.as_slice() {
                [] => "no dealer has it any more".to_owned(),
                dealers => format!("{} has it now", dealers.join(" and ")),
            });
        }
        // What somebody has is held by who takes back a seat of it, and each seat by itself.
        if kind != Kind::TakeBack && self.hold != now.hold {
            return Some(match now.hold {
                None => "the desk does not hold it any more".to_owned(),
                // Until when stands beside it, by the company's clock.
                Some(Hold { .. }) => "the desk holds it now".to_owned(),
            });
        }
        // Which of those that nobody has it is among moves with what it does.
        let same = self.stage == now.stage || self.stage.in_nobodys_hands() && now.stage.in_nobodys_hands();
        (!same).then(|| format!("it is {} now", now.stage))
    }
}
