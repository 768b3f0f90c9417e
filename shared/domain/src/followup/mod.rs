//! Follow-up: no old lead is left to rot.
//!
//! Whoever is not ready to be sold, was not reached, or was lost for now is called again by the company's plan
//! (`followup.toml`, [`FollowUpPlan`]): after so long, so often; then they rest until they do something, and whatever
//! they do wakes them at once. A person on the desk claims a lead for [`CLAIM_MINUTES`](crate::limits::CLAIM_MINUTES),
//! calls, and says how that went; the result decides what follows.
//!
//! # Determinations
//!
//! - *Who is followed up by itself* has a phone, and nobody has them now: who is nurtured and not to be discarded, whose
//!   cycle was lost, and whose cycle ended in nobody's hands. Who waits in the waiting room is ready to be sold; the desk
//!   follows one up by hand.
//! - *An attempt is a call.* Each reason has its own list of waits, one for each attempt. A call that nobody answers begins
//!   the list of `not_reached`; one that reached them who are not ready yet goes on with the list on which it began. Beyond
//!   the list, or after `most_calls` in all, the lead rests.
//! - *What wakes* is an enquiry, or an interaction that is worth something: what a scanner of mail did, or what was revoked,
//!   wakes nobody. Whoever is woken begins to be counted anew. A call that was promised for a time keeps its time.
//! - *A wrong number* is followed up no more until they ask again, whatever they look at and though their cycle closes:
//!   nobody can be reached by it. *Not interested* rests, and is woken as any that rests. *Do not call* is an opt-out of
//!   everything.
//! - *Who was somebody's, and is nobody's again*, because the desk let go of them or reopened them, begins anew; who wanted
//!   nothing before rests still.
//! - *A cycle that closes in nobody's hands* ends the plan of who is not ready, wherever that stood, and the one of who was
//!   lost begins. Whoever is in the day's list, or was promised a call, is called first.
//! - *How old a consent may be*: who asked may be called for some days ([`FollowUpPlan::enquiry_days`]), who agreed to be
//!   called for longer ([`FollowUpPlan::consent_days`]), counted from what opened the cycle. Beyond that they rest.
//! - *A claim that has run out* keeps nobody: whoever claimed last has it. What a call came to may be said after it has run
//!   out, while nobody else claimed it. One that has not is let go of by who has it, or by a manager for them: nothing else
//!   of the follow-up changes.
//! - *Interested* lifts the lead to distribution, as a lead that the desk places is lifted: see
//!   [`Lead::lift`](crate::lead::Lead::lift).
//!
//! | file | holds |
//! |---|---|
//! | `plan` | `followup.toml` |
//! | `state` | one lead's follow-up, and what moves it |
//! | `look` | what follows from how its lead stands |

mod plan;
mod state;
mod look;

pub use look::{Followed, followed, is_followed, look, may_call_until};
pub use plan::{FollowUpPlan, Wait};
pub use state::{CallResult, Claim, Ended, FollowUp, LastCall, Plan, Reason, Refused, Rests, Step};

#[cfg(test)]
mod tests;
