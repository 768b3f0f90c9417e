//! Signs in a name. One of its two fields gone wrong is a slip; a name that hides on purpose is a sign.

use super::{Reason, letters, message};
use crate::enquiry::Understood;

/// What is typed into a name to see whether the form works, in lower case.
const TRIALS: [&str; 21] = [
    "test",
    "testing",
    "tester",
    "testtest",
    "test1",
    "test2",
    "test123",
    "dummy",
    "fake",
    "none",
    "undefined",
    "n/a",
    "xxx",
    "noname",
    "abc",
    "xyz",
    "foo",
    "bar",
    "lorem",
    "ipsum",
    "nobody",
];
/// People whom nobody can call, in lower case and without blanks.
const NOBODIES: [&str; 45] = [
    "mickeymouse",
    "minniemouse",
    "donaldduck",
    "daffyduck",
    "bugsbunny",
    "santaclaus",
    "batman",
    "superman",
    "spiderman",
    "darthvader",
    "homersimpson",
    "spongebobsquarepants",
    "firstlast",
    "firstnamelastname",
    "noname",
    "johnqpublic",
    "yourmom",
    "yourname",
    "yomama",
    "joemama",
    "hughjass",
    "nunyabidness",
    "nunyabusiness",
    "nunyabiz",
    "noneofyourbusiness",
    "noneya",
    "noneyabusiness",
    "seymourbutts",
    "mikehunt",
    "bendover",
    "ipfreely",
    "amandahugginkiss",
    "anitabath",
    "philmccracken",
    "heywoodjablome",
    "ivanatinkle",
    "albeback",
    "deeznuts",
    "moelester",
    "dixienormous",
    "haywoodjablowme",
    "yurinator",
    "mindyourbusiness",
    "notyourbusiness",
    "whocares",
];
/// From so many letters on, one word in both fields was made up by a program: Teller Teller is somebody.
const MADE_UP_CHARS: usize = 8;
/// Longer names are sentences.
const LONGEST_CHARS: usize = 90;

pub(super) fn signs(who: &Understood, signs: &mut Vec<Reason>) {
    let (first, last) = (who.name.first(), who.name.last());
    let full = who.name.full();
    if full.is_empty() {
        return;
    }
    let lower = full.to_lowercase();
    let linked = [first, last].into_iter().map(str::to_lowercase).find(|part| message::links(part) > 0);
    if let Some(part) = linked {
        // A link alone is a sign; with words around it, it is bait.
        let bait = part.split_whitespace().count() > 1;
        signs.push(if bait { Reason::Advertising } else { Reason::LinkInName });
        return;
    }
    if message::sells(&lower) || full.chars().count() > LONGEST_CHARS && message::pitches(&lower) {
        signs.push(Reason::Advertising);
    }
    let joined: String = lower.chars().filter(|c| c.is_alphanumeric()).collect();
    let trial = lower.split_whitespace().all(|word| TRIALS.contains(&word));
    let one_letter = first.chars().count() == 1 && first.to_lowercase() == last.to_lowercase();
    if trial || one_letter || NOBODIES.contains(&joined.as_str()) {
        signs.push(Reason::DummyName);
    } else if is_gibberish(first, last) || joined.chars().all(|c| !c.is_alphabetic()) {
        signs.push(Reason::GibberishName);
    } else if first == last && !first.contains(' ') && first.chars().count() >= MADE_UP_CHARS {
        signs.push(Reason::RepeatedName);
    }
}

/// Whether all of it is: one field may be anything.
fn is_gibberish(first: &str, last: &str) -> bool {
    let mut parts = [first, last].into_iter().filter(|part| !part.is_empty());
    parts.all(letters::gibberish)
}
