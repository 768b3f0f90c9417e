//! Hostile input: bytes in, and nothing may panic.
//!
//! Every target is a function over bytes, so that what drives it does not matter: `cargo test -p
//! leadyard-fuzz` draws them from a seed, on a stable compiler, and libFuzzer (in `libfuzzer/`, a workspace
//! of its own, by `bash tests/run fuzz`, or longer by `bash tests/run libfuzzer`) looks for those that reach
//! new code. Both count what is allocated.
//!
//! | module | holds |
//! |---|---|
//! | [`bytes`] | bytes, read as choices |
//! | [`memory`] | how much may be allocated for an input |
//! | [`draft`] | a rulebook as text, made of what is right and of what is nasty |
//! | [`moment`] | a lead, its time, switches and counters |
//! | [`decision`] | rulebook to decision, and what must hold of every one |
//! | [`parsers`] | everything else that reads what strangers wrote |
//! | [`files`] | a partner's file, as it is imported; a platform's signature |
//! | `forms` | of that: what the desk writes in TOML, what a template makes of a lead, what is answered |

pub mod bytes;
pub mod memory;
pub mod draft;
pub mod moment;
pub mod decision;
pub mod parsers;
mod forms;
#[cfg(feature = "files")]
pub mod files;
