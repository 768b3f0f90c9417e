//! What the tests share: a system under test, spoken to in the words of the trade.
//!
//! | module | holds |
//! |---|---|
//! | [`rules`] | small rulebooks, built where a test reads them |
//! | [`people`] | who asks |
//! | [`dealers`] | who receives: their answers are set, what they got is kept and its signature checked |
//! | [`yard`] | a whole system under a clock that the test moves |
//! | [`post`] | how a page and a server post |
//! | [`contract`] | whether what is asked and answered is as the document says |
//! | [`routes`] | what a router routes |
//! | [`browser`] | the desk at its pages, without a script |
//! | [`provider`] | who lets the desk's people sign in, well or badly |
//! | [`story`] | what the desk sees of a lead |
//! | [`between`] | who stands between the SDK and the services |
//! | [`faults`] | services that refuse, and one that hesitates |
//! | [`template`] | the template for AWS, as a test reads it |
//! | [`roles`] | its roles: under each a function works here as there |
//! | [`logs`] | what was logged |
//! | [`live`] | a system over real sockets, and the program itself |

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a harness fails its test")]
#![allow(clippy::missing_panics_doc, reason = "for the same reason")]

pub mod rules;
pub mod people;
pub mod dealers;
pub mod yard;
pub mod post;
pub mod contract;
pub mod routes;
pub mod browser;
pub mod provider;
pub mod story;
pub mod between;
pub mod faults;
pub mod template;
pub mod roles;
pub mod logs;
pub mod live;

pub use browser::Browser;
pub use dealers::{Dealers, Says, Told};
pub use live::Live;
pub use people::Person;
pub use post::{Reply, Sender};
pub use rules::Rules;
pub use story::Story;
pub use yard::{APP_SECRET, Yard};
