//! Who was invited and who was not, as the page of people says it: of the desk's people and of the dealers as many as
//! fit.

use std::collections::BTreeSet;

use jiff::Timestamp;
use leadyard_domain::delivery::End;
use leadyard_domain::distribution::Core;
use leadyard_domain::limits;
use leadyard_domain::rulebook::{Invitee, Rulebook};
use leadyard_platform::store::Invitation;

use super::shown;
use crate::invitations::Stand;

/// Names of those left that a page says.
const NAMED: usize = 50;
/// People on one page.
const LISTED: usize = 50;

/// Whom of the desk's people a page has.
#[derive(Default)]
pub(super) struct Sought {
    /// Those behind this id; all, where none is given.
    pub(super) after: String,
    /// Those whose id or address has this in it, in small letters; all, where nothing is given.
    pub(super) named: String,
    /// Who is ticked, of people and dealers: they come first.
    pub(super) ticked: BTreeSet<Invitee>,
}

impl Sought {
    fn has(&self, id: &str, email: &str) -> bool {
        id.contains(&self.named) || email.to_lowercase().contains(&self.named)
    }
}

/// Somebody who may sign in.
pub(super) struct Listed {
    /// What ticks them: `person.ada`.
    pub(super) field: String,
    pub(super) id: String,
    /// Beside it: a role and an address; a firm's name.
    pub(super) more: String,
    /// Whether and how they were invited.
    pub(super) said: String,
    pub(super) ticked: bool,
    /// Whether a mail can be sent to them.
    pub(super) takes_mail: bool,
    /// Nothing was sent to them yet.
    unsent: bool,
    at: Option<Timestamp>,
}

/// The people and dealers of a page.
#[derive(Default)]
pub(super) struct Lists {
    pub(super) people: Vec<Listed>,
    /// How many people there are to be listed, on this page and others.
    pub(super) all: usize,
    /// Behind whom there are more; nothing where nobody is, or where they have no order of their own.
    pub(super) next: Option<String>,
    /// There are people who are not on this page.
    pub(super) some: bool,
    /// Not everybody was asked for in their order.
    pub(super) sought: bool,
    pub(super) dealers: Vec<Listed>,
    /// Dealers that are not listed.
    pub(super) more: usize,
    /// How many were not invited yet, and can be.
    pub(super) people_unsent: usize,
    pub(super) dealers_unsent: usize,
}

impl Lists {
    pub(super) fn of(book: &Rulebook, core: &Core, stand: &Stand, sought: &Sought, now: Timestamp) -> Self {
        let ticks = sought.ticked.iter().any(|one| matches!(one, Invitee::Person(_)));
        let mut lists = Self { sought: ticks || !sought.named.is_empty(), ..Self::default() };
        let signers = book.signers();
        let dealer_name = |id: &str| {
            let known = book.dealers.iter().find(|dealer| dealer.id.as_str() == id);
            known.map(|dealer| dealer.name.clone()).unwrap_or_default()
        };
        let role = |id: &str| book.people.iter().find(|one| one.person.as_str() == id).map(|one| one.role);
        let (mut people, mut dealers) = (Vec::new(), Vec::new());
        for signer in &signers {
            let to = signer.invitee();
            let known = stand.get(&to);
            let takes_mail = signer.takes_mail();
            let listed = Listed {
                field: to.to_string(),
                id: to.id().to_owned(),
                more: String::new(),
                said: if takes_mail {
                    said(core, known, now)
                } else {
                    "no mail can be sent to their address".to_owned()
                },
                ticked: sought.ticked.contains(&to),
                takes_mail,
                unsent: takes_mail && known.is_none_or(|one| one.is_unsent(now)),
                at: known.map(|one| one.at),
            };
            match to {
                Invitee::Person(person) => {
                    lists.people_unsent += usize::from(listed.unsent);
                    if sought.has(person.as_str(), &signer.email) {
                        let role = role(person.as_str()).map(|role| role.to_string()).unwrap_or_default();
                        people.push(Listed { more: format!("{role}, {}", signer.email), ..listed });
                    }
                }
                Invitee::Dealer(_) => dealers.push(listed),
            }
        }
        lists.all = people.len();
        people.sort_by(|one, other| (!one.ticked, &one.id).cmp(&(!other.ticked, &other.id)));
        let mut behind = people.into_iter().filter(|one| one.id > sought.after);
        lists.people = behind.by_ref().take(LISTED).collect();
        lists.some = lists.people.len() < book.people.len();
        let more = behind.next().is_some() && !lists.sought;
        lists.next = lists.people.last().filter(|_| more).map(|last| last.id.clone());
        lists.dealers_unsent = dealers.iter().filter(|one| one.unsent).count();
        // Those that are ticked, those that are to be invited, then the last who were.
        dealers.sort_by_key(|one| (!one.ticked, !one.unsent, std::cmp::Reverse(one.at)));
        let mut shown = [limits::INVITATIONS; 2];
        for mut one in dealers {
            let room = &mut shown[usize::from(!one.unsent)];
            if *room == 0 {
                lists.more += 1;
                continue;
            }
            *room -= 1;
            one.more = dealer_name(&one.id);
            lists.dealers.push(one);
        }
        lists
    }
}

/// Whether and how somebody was invited: by whom, when, and what became of the mail.
fn said(core: &Core, invitation: Option<&Invitation>, now: Timestamp) -> String {
    let Some(one) = invitation else { return "not invited yet".to_owned() };
    let day = one.at.to_zoned(shown::zone(core)).strftime("%b %-d, %Y");
    let invited = format!("invited on {day} by {}", one.by);
    if let Some(how) = &one.came_back {
        return format!("{invited}: the mail came back ({})", shown::word(how));
    }
    match &one.attempt {
        None if one.is_late(now) => format!("{invited}: not sent: delivery did not get to it"),
        None => format!("{invited}: the mail is on its way"),
        Some(attempt) => {
            let what = shown::cut(&shown::word(&attempt.what), 100);
            match attempt.end {
                End::Received => invited,
                End::NotReceived => format!("{invited}: not sent: {what}"),
                End::Unknown => format!("{invited}: whether the mail was sent is not known: {what}"),
            }
        }
    }
}

/// Those left by an act, named.
pub(super) fn named(left: &[Invitee]) -> String {
    let ids: Vec<&str> = left.iter().take(NAMED).map(Invitee::id).collect();
    match left.len().saturating_sub(NAMED) {
        0 => ids.join(", "),
        more => format!("{} and {more} more", ids.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use leadyard_domain::ids::PersonId;

    #[test]
    fn who_is_left_is_named_and_a_long_list_is_counted() {
        let left = |count: usize| -> Vec<Invitee> {
            (0..count).map(|n| Invitee::Person(PersonId::new(&format!("p{n}")).unwrap())).collect()
        };
        assert_eq!(named(&left(2)), "p0, p1");
        assert!(named(&left(NAMED + 3)).ends_with("p49 and 3 more"));
    }
}
