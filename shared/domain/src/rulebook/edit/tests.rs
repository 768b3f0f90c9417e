//! Edits as the desk makes them.
