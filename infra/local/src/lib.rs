//! Every function of Leadyard on one machine, in one process.
//!
//! | module | holds |
//! |---|---|
//! | [`aws`] | DynamoDB and SQS under the real SDK, without a socket |
//! | [`system`] | the queues and who works them: the template, written in Rust |
//! | [`gateway`] | one port in front of the HTTP functions |
//! | [`poller`] | Lambda's event source mappings and schedule |
//! | [`serve`] | all of it together, with the demo |
//! | [`keys`] | what a master key lets in: the desk, dealers, sources |
//! | [`rules`] | rulebooks as folders: read, checked, published |
//! | [`folder`] | the data folder |
//! | [`demo`], [`pages`], [`demo_dealer`] | a rulebook, a landing page and dealers to try it with; a year of trade |
//! | [`backtest`] | history under another rulebook |
//! | [`leads`] | a list of leads as a table |
//! | [`api`] | a running system or a data folder, asked by the command line |
//! | [`import`] | another system's CSV, moved in |
//! | [`redrive`] | dead letters on AWS, sent back |
//! | [`rebuild`] | the reports' counters, counted anew |

pub mod aws;
pub mod system;
pub mod gateway;
pub mod poller;
pub mod keys;
pub mod serve;
pub mod rules;
pub mod folder;
pub mod demo;
pub mod pages;
pub mod demo_dealer;
pub mod api;
pub mod backtest;
pub mod leads;
pub mod import;
pub mod redrive;
pub mod rebuild;
