//! Signs in a name.

use super::{Reason, letters, message};
use crate::enquiry::Understood;

/// What is typed into a name to see whether the form works, in lower case.
const TRIALS: [&str; 16] = [
    "test", "testing", "tester", "testtest", "test1", "test2", "test123", "dummy", "fake", "none", "null", "undefined",
    "n/a", "xxx", "noname", "abc",
];
/// People whom nobody can call, in lower case.
const NOBODIES: [&str; 14] = [
    "mickey mouse", "minnie mouse", "donald duck", "daffy duck", "bugs bunny", "santa claus", "homer simpson",
    "bart simpson", "harry potter", "darth vader", "james bond", "no name", "your mom", "first last",
];
/// Longer names are sentences.
const LONGEST_CHARS: usize = 70;

pub(super) fn signs(who: &Understood, signs: &mut Vec<Reason>) {
    let (first, last) = (who.name.first(), who.name.last());
    let full = who.name.full();
    if full.is_empty() {
        return;
    }
    let lower = full.to_lowercase();
    if message::links(&lower) > 0 || lower.contains('@') && lower.contains('.') {
        signs.push(Reason::LinkInName);
        return;
    }
    if message::sells(&lower) > 0 || full.chars().count() > LONGEST_CHARS {
        signs.push(Reason::Advertising);
    }
    if is_trial(&lower) || NOBODIES.contains(&lower.as_str()) {
        signs.push(Reason::DummyName);
    } else if letters::gibberish(&full) || !full.chars().any(char::is_alphabetic) {
        signs.push(Reason::GibberishName);
    } else if first.chars().count() > 3 && first.to_lowercase() == last.to_lowercase() {
        signs.push(Reason::RepeatedName);
    }
}

/// Every word of it is a trial's, or the first is.
fn is_trial(lower: &str) -> bool {
    let mut words = lower.split_whitespace();
    words.next().is_some_and(|first| TRIALS.contains(&first))
}
