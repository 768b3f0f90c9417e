//! That every world comes to rest: from each state, with no further fault and nobody asking for
//! anything new, a state at rest can be reached.
//!
//! What may happen there goes on happening (a message that is there is received, what is due is swept, a
//! process makes its next step), and no step can be taken for ever without leaving what needs it; so
//! what can come to rest does. Stateright's own `eventually` does not see cycles, and the sweep makes
//! some: hence this pass, from the states at rest backwards.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use stateright::Model;

use crate::properties::is_at_rest;
use crate::state::State;
use crate::{Action, Protocol};

/// What the pass saw.
#[derive(Debug)]
pub struct Rested {
    /// How many states there are.
    pub states: usize,
    /// How many of them are at rest.
    pub at_rest: usize,
    /// One from which none at rest can be reached.
    pub stuck: Option<State>,
}

/// Looks at every state of a world.
pub fn comes_to_rest(protocol: &Protocol) -> Rested {
    let mut known: HashMap<u64, u32> = HashMap::new();
    let mut before: Vec<Vec<u32>> = Vec::new();
    let mut rests: Vec<u32> = Vec::new();
    let mut next: Vec<(u32, State)> = Vec::new();
    for state in protocol.init_states() {
        known.insert(print(&state), 0);
        before.push(Vec::new());
        next.push((0, state));
    }
    let mut actions = Vec::new();
    while let Some((at, state)) = next.pop() {
        if is_at_rest(&state) {
            rests.push(at);
        }
        protocol.actions(&state, &mut actions);
        for action in actions.drain(..) {
            let Some(then) = protocol.next_state(&state, action) else { continue };
            let new = before.len() as u32;
            let id = *known.entry(print(&then)).or_insert(new);
            if id == new {
                before.push(Vec::new());
                next.push((id, then));
            }
            if happens_by_itself(action)
                && let Some(before) = before.get_mut(id as usize)
            {
                before.push(at);
            }
        }
    }
    let at_rest = rests.len();
    let mut reaches = vec![false; before.len()];
    while let Some(id) = rests.pop() {
        if !std::mem::replace(&mut reaches[id as usize], true) {
            rests.extend(before[id as usize].iter().copied());
        }
    }
    let stuck = reaches.iter().position(|reaches| !reaches);
    let stuck = stuck.and_then(|at| find(protocol, &known, at as u32));
    Rested { states: before.len(), at_rest, stuck }
}

/// Faults, the clock's longer turns and people's wishes need not happen; all else does.
const fn happens_by_itself(action: Action) -> bool {
    match action {
        Action::Receive(_)
        | Action::Step(_)
        | Action::Post(_, _)
        | Action::Withdraw(_, _)
        | Action::Sweep(_)
        | Action::ClaimEnds(_) => true,
        Action::PeriodTurns
        | Action::WindowEnds(_)
        | Action::AsksAgain(_)
        | Action::Want(_, _)
        | Action::Duplicate(_)
        | Action::Lose(_)
        | Action::Crash(_)
        | Action::CrashAfter(_, _) => false,
    }
}

fn print(state: &State) -> u64 {
    let mut hasher = DefaultHasher::new();
    state.hash(&mut hasher);
    hasher.finish()
}

/// The state of that number: states are not kept, so it is looked for again.
fn find(protocol: &Protocol, known: &HashMap<u64, u32>, wanted: u32) -> Option<State> {
    let mut seen = vec![false; known.len()];
    let mut next = protocol.init_states();
    while let Some(state) = next.pop() {
        let Some(&at) = known.get(&print(&state)) else { continue };
        if at == wanted {
            return Some(state);
        }
        if std::mem::replace(&mut seen[at as usize], true) {
            continue;
        }
        next.extend(protocol.next_states(&state));
    }
    None
}
