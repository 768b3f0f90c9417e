//! The public contract as a document: OpenAPI 3.1, made of one table of routes.
//!
//! | module | holds |
//! |---|---|
//! | [`route`] | what is said of a route, of its members and answers |
//! | [`shapes`] | what several answers share |
//! | [`sending`] | what senders of leads and of interactions call |
//! | [`moving`] | the quarantine; what is moved in |
//! | [`desk`] | leads, as the desk has them |
//! | [`persons`] | persons: what is held of them, their erasure |
//! | [`numbers`] | who waits, history, reports |
//! | [`dealers`] | how each dealer stands with its leads |
//! | [`dealing`] | dealers: their inbox, returns, money, channels and secrets |
//! | [`ruling`] | the rulebook, its switches and sources; the document itself |
//! | [`render`] | the table as JSON |
//!
//! Determinations:
//!
//! - *A table, not annotations*: who may call is decided by a handler's first argument, and a body is read by a type of
//!   the domain or of its handler; a macro over ninety handlers would repeat all of it beside them. Here it stands in one
//!   place that a person can read, with limits and closed words from where they are parsed.
//! - *True by test*: the table has every route of every router and no other, and the tests end to end hold each of their
//!   requests and answers against the document.
//! - *Answers are open*: members may be added. A program that reads them leaves alone what it does not know.
//! - *The pages of the console* and of the demo are for people, and not in it.

mod route;
mod shapes;
mod sending;
mod moving;
mod desk;
mod persons;
mod numbers;
mod dealers;
mod dealing;
mod ruling;
mod render;

pub use desk::{ACTS, MORE, NEXT};
pub use render::document;
pub use route::{Function, Method, Route};

/// Every route, in the order in which a lead travels.
pub fn routes() -> Vec<Route> {
    [
        sending::routes(),
        moving::routes(),
        desk::routes(),
        persons::routes(),
        numbers::routes(),
        dealers::routes(),
        dealing::routes(),
        ruling::routes(),
    ]
    .concat()
}

#[cfg(test)]
mod tests;
