//! The decision against an oracle that is plain, slow and written from the rules alone, on small
//! rulebooks in which everything meets everything; and the rules by name.
//!
//! | module | holds |
//! |---|---|
//! | [`world`] | small rulebooks, leads and counters, as text and as what a decision reads |
//! | [`worlds`] | such worlds at random |
//! | [`oracle`] | the rules, over the rulebook as parsed |
//! | [`agreement`] | the decision is what the oracle says |
//! | [`many`] | so it is in as many worlds as are asked for |
//! | [`broken`] | an oracle that has one rule wrong, whichever, is found out |
//! | [`properties`] | what must hold of every decision, and of many in a row |
//! | [`rules`] | one example for each rule |
//! | [`limits`] | one for each cap, budget and seat |
//! | [`placing`] | what the desk may do by hand |
//! | [`checker`] | who is said to be given nothing is given nothing |
//! | [`kept`] | what is kept of a decision makes it again |
//! | [`situations`] | the worlds bring about whatever the rules speak of |

#![allow(
    clippy::items_after_statements,
    clippy::inconsistent_struct_constructor,
    reason = "a test keeps its helpers beside their use"
)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says so when it fails")]

mod world;
mod worlds;
mod oracle;
mod agreement;
mod many;
mod broken;
mod properties;
mod rules;
mod limits;
mod placing;
mod checker;
mod kept;
mod situations;
