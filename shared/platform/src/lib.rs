//! All of Leadyard that touches the world. Everything else is told the time and given its entropy.
//!
//! | module | holds |
//! |---|---|
//! | [`cloud`] | the clients, built once: the seam between AWS, one machine and the simulation |
//! | [`https`] | the SDK over HTTPS: the one TLS provider, the roots that AWS signs under |
//! | [`store`] | the one table: `keys` is the data model, then a file per resource |
//! | [`queues`] | typed messages |
//! | [`hand_on`] | what was committed goes to its queue |
//! | [`rulebooks`] | compiled rulebooks, kept per version |
//! | `watching` | publishes that are watched, and roll themselves back |
//! | [`known`] | counters that one worker has read, and keeps true to what it commits |
//! | [`judging`] | what a lead is worth, who should have it: asked by several functions |
//! | [`arriving`] | an enquiry comes to its lead, when it arrives or is released |
//! | [`postbacks`] | what the sender of an enquiry is to be told |
//! | [`suppression`] | who is on a company's list |
//! | [`following`] | what follows for a lead's follow-up |
//! | [`person`] | all that a company holds of one person |
//! | [`opt_out`] | a person opts out, and their holders are told |
//! | [`erasure`] | a person goes, everywhere, whatever interrupts it |
//! | [`retention`] | and by time |
//! | [`payload`] | what a dealer is shown of a lead |
//! | [`outbound`] | dealers' URLs |
//! | [`mail`], [`sent`] | letters to dealers; how sending through a service of AWS ended |
//! | [`meta`] | access to Meta: notices that it signs, leads that it keeps |
//! | [`oidc`] | the OpenID provider by which people sign in |
//! | [`batch`] | partial failures |
//! | [`stream`] | a batch from the table's stream |
//! | [`reports`] | what an image's change adds to the reports' counters; the recount |
//! | [`now`] | what matters of a company now, counted when something happens |
//! | [`http`] | problems, and what every route does alike |
//! | [`who`] | whose token it is, and what they may see |
//! | [`source_keys`] | what a source's senders are let in by |
//! | [`clock`], [`entropy`], [`config`] | the only readers of time, randomness and environment |
//! | [`secrets`] | what the configuration names and does not hold |
//! | [`telemetry`], [`metrics`] | logs without a person in them; what is counted |

pub mod cloud;
pub mod https;
pub mod store;
pub mod queues;
mod hand_on;
pub mod rulebooks;
mod watching;
pub mod known;
pub mod judging;
pub mod history;
pub mod arriving;
mod postbacks;
pub mod suppression;
pub mod following;
pub mod person;
pub mod opt_out;
pub mod erasure;
pub mod retention;
pub mod payload;
pub mod outbound;
pub mod mail;
pub mod sent;
pub mod meta;
pub mod oidc;
pub mod batch;
pub mod stream;
pub mod reports;
pub mod now;
pub mod http;
pub mod who;
pub mod source_keys;
pub mod clock;
pub mod entropy;
pub mod config;
pub mod scores;
pub mod secrets;
pub mod telemetry;
pub mod metrics;
