//! The domain of Leadyard: what a lead is, what it is worth, and who should have it.
//!
//! This crate is pure. It reads no clock, draws no randomness, knows no network, no table and no
//! queue: time and entropy are arguments of every function that needs them, so that a decision can
//! be repeated years later and a simulation can run a year in a minute.
//!
//! Read it in the order a lead travels:
//!
//! | module | holds |
//! |---|---|
//! | [`ids`] | what everything is called |
//! | [`time`] | instants, days, the calendar periods caps are counted in |
//! | [`money`] | amounts in minor units |
//! | [`person`] | name, e-mail, phone: parsed once, never printed |
//! | [`place`] | ZIP → coordinates, county, state, zone |
//! | [`limits`] | every maximum in the system |
//! | [`lead`] | a lead, its sale cycles and stages |
//! | [`enquiry`] | one arrival, as received and as understood |
//! | [`identity`] | whether an enquiry belongs to a lead we know |
//! | [`screening`] | ham, doubtful or spam, and why |
//! | [`scoring`] | fit, engagement, band, priority, next step |
//! | [`dealer`], [`contract`] | who receives leads, and on what terms |
//! | [`rulebook`] | a company's rules as text: parse, check, compile |
//! | [`distribution`] | the decision |
//! | [`assignment`] | a seat, from offered to closed |
//! | [`backtest`] | history under another rulebook |
//! | [`ledger`] | charges, credits, deposits; a dealer's statement |
//! | [`report`] | what happened, folded into counters |
//! | [`delivery`] | what dealers are sent, what an attempt means, when to try again |
//! | [`history`] | what another system knew, moved in |
//! | [`calling`] | when a person may be called
//! | [`followup`] | who is called again, when, and how often
//! | [`erasure`] | why a person was erased
//! | [`access`] | page keys, secrets, tokens: minted and checked without a store |
//! | [`error`] | one closed code decides status, retry and wording |
//! | [`openapi`] | the public contract as a document |

#[macro_use]
mod text;

pub mod ids;
pub mod time;
pub mod money;
pub mod person;
pub mod place;
pub mod limits;
pub mod lead;
pub mod enquiry;
pub mod identity;
pub mod screening;
pub mod scoring;
pub mod dealer;
pub mod contract;
pub mod rulebook;
pub mod distribution;
pub mod assignment;
pub mod backtest;
pub mod ledger;
pub mod report;
pub mod delivery;
pub mod history;
pub mod calling;
pub mod followup;
pub mod erasure;
pub mod access;
pub mod error;
pub mod openapi;
