//! End to end: whole journeys over HTTP, in the order a lead travels.
//!
//! Nearly everything runs on a [`Yard`](leadyard_tests::Yard): the functions, store and queues of
//! `serve` under a clock that the test moves. A handful runs `serve` itself, over real sockets, and the
//! kill test runs the program.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by them")]
#![allow(
    clippy::wildcard_enum_match_arm,
    clippy::match_wildcard_for_single_variants,
    clippy::question_mark,
    reason = "a test names the states it expects; any other fails it"
)]

mod journey;
mod intake;
mod ways;
mod apps;
mod postbacks;
mod persons;
mod merge;
mod screening;
mod scoring;
mod snippet;
mod machines;
mod distribution;
mod waiting_room;
mod by_score;
mod batches;
mod shared;
mod delivery;
mod console;
mod pages;
mod channels;
mod breakers;
mod mail;
mod invitations;
mod redelivery;
mod formats;
mod desk;
mod inbox;
mod acts;
mod deadlines;
mod money;
mod claims;
mod reports;
mod backtest;
mod history;
mod moving_in;
mod moving_out;
mod rulebook;
mod rolled_back;
mod workbook;
mod checked;
mod metrics;
mod synthetic;
mod privacy;
mod erasure;
mod retention;
mod opting_out;
mod followup;
mod contention;
mod trouble;
mod edges;
mod hostile;
mod contract;
mod walls;
mod signing;
mod served;
mod demo;
mod kill;
