//! Signs in what is written: links, markup, advertising, attacks, and letters that are no enquiry.
//!
//! A word says nothing: the casino has a roof as well, and life insurers are asked about Viagra. A phrase
//! that only a seller writes says all; a pitch and its wares together say it too.
//!
//! | module | holds |
//! |---|---|
//! | `phrases` | what is listened for, in lists |
//! | `heard` | the lists of which a phrase stands in a text, found in one pass |
//! | `links` | which words are links |
//! | `disguise` | words that no filter is to read, and fields of a mailing that nobody filled in |

mod phrases;
mod heard;
mod links;
mod disguise;

pub(super) use heard::{attacks, pitches, sells};
pub(super) use links::links;

use disguise::{is_disguised, is_template};
use heard::Heard;
use links::is_bare_link;
use phrases::{List, MARKUP};

use super::{Reason, letters};
use crate::enquiry::Understood;

/// From this share of its longer words on, in percent, a message is gibberish.
const MOSTLY: usize = 60;

pub(super) fn signs(who: &Understood, signs: &mut Vec<Reason>) {
    let message = who.message.as_deref().unwrap_or_default();
    let said = message.to_lowercase();
    let heard = Heard::of(&said);
    let other = [&who.street, &who.city, &who.organization];
    let other: Vec<String> = other.into_iter().flatten().map(|text| text.to_lowercase()).collect();
    let beside: Vec<(&str, Heard)> = other.iter().map(|text| (text.as_str(), Heard::of(text))).collect();
    let names = [who.name.first(), who.name.last()];
    let values = names.into_iter().chain(who.extra.values().map(String::as_str));
    if heard.has(List::Attacks)
        || beside.iter().any(|(_, heard)| heard.has(List::Attacks))
        || values.map(str::to_lowercase).any(|value| attacks(&value))
    {
        signs.push(Reason::Attack);
    }
    let marked: usize =
        if heard.has(List::Markup) { MARKUP.iter().map(|mark| said.matches(mark).count()).sum() } else { 0 };
    if marked > 0 {
        signs.push(Reason::Markup);
    }
    if marked > 1
        || heard.sells(&said)
        || beside.iter().any(|(text, heard)| heard.sells(text))
        || is_disguised(message)
        || is_template(message)
    {
        signs.push(Reason::Advertising);
    }
    if heard.has(List::Links) && is_bare_link(&said) {
        signs.push(Reason::BareLink);
    }
    if letters::share_of_gibberish(message).is_some_and(|share| share >= MOSTLY)
        || heard.has(List::Fillers)
        || is_trial(&said)
    {
        signs.push(Reason::GibberishMessage);
    }
    if heard.has(List::NoEnquiry) {
        signs.push(Reason::NoEnquiry);
    }
    if heard.has(List::Swindle) && heard.has(List::Swindler) {
        signs.push(Reason::Swindle);
    }
}

/// `test`, and nothing else.
fn is_trial(said: &str) -> bool {
    let mut words = said.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).peekable();
    let trial = |word: &str| {
        matches!(
            word,
            "test" | "testing" | "tester" | "asdf" | "asd" | "xxx" | "blah" | "abc" | "foo" | "bar"
        )
    };
    words.peek().is_some() && words.all(trial)
}

#[cfg(test)]
mod tests {
    use super::links::{ENDINGS, is_link};
    use super::phrases::phrases;
    use super::*;
    use proptest::prelude::*;
    use proptest::sample::select;

    /// A link, asked of each ending in turn.
    fn is_link_by_hand(word: &str) -> bool {
        let host = word.split(['/', '?', '#', ':']).next().unwrap().trim_end_matches('.');
        let ends = |ending: &str| host.strip_suffix(ending).is_some_and(|before| before.len() > 1);
        word.contains("http://")
            || word.contains("https://")
            || word.starts_with("www.")
            || word.contains("hxxp")
            || (!word.contains('@') && ENDINGS.iter().any(|ending| ends(ending)))
    }

    /// Disguised words, each looked at letter by letter.
    fn is_disguised_by_hand(message: &str) -> bool {
        let of_two = |word: &&str| {
            word.chars().any(|c| c.is_ascii_alphabetic())
                && word.chars().any(|c| matches!(c, '\u{0370}'..='\u{03ff}' | '\u{0400}'..='\u{04ff}'))
        };
        let hidden = |word: &&str| {
            let letters: Vec<char> = word.chars().collect();
            let digit = |three: &[char]| {
                three[0].is_ascii_lowercase() && "013".contains(three[1]) && three[2].is_ascii_lowercase()
            };
            let single = |letter: &str| letter.len() == 1 && letter.chars().all(char::is_alphabetic);
            letters.windows(3).any(digit) || (word.len() >= 7 && word.split('.').all(single))
        };
        let words = || message.split_whitespace();
        words().filter(of_two).count() >= 2 || words().filter(hidden).count() >= 2
    }

    /// What disguises a word, parts it from the next, or makes a link of it.
    const ODD: [&str; 19] = [
        " ", ".", ":", "/", "@", "a", "ab", "x", "0", "1", "3", "m0n", "f.r.e.e", "F", "Vіа", "ж", "é",
        "com", "\u{a0}",
    ];

    /// Texts that come close to what is sought.
    fn pieces() -> impl Strategy<Value = String> {
        let phrases = phrases().map(|(_, phrase)| phrase).collect::<Vec<_>>();
        let piece = prop_oneof![
            3 => select(phrases).prop_map(str::to_owned),
            9 => select(&ODD[..]).prop_map(str::to_owned),
            1 => "\\PC{0,4}",
        ];
        prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

        #[test]
        fn what_is_found_the_short_way_is_what_is_found_by_hand(text in pieces()) {
            let lower = text.to_lowercase();
            prop_assert_eq!(Heard::of(&lower), Heard::by_hand(&lower));
            for word in lower.split_whitespace() {
                prop_assert_eq!(is_link(word), is_link_by_hand(word), "{}", word);
            }
            prop_assert!(links(&lower) == 0 || Heard::of(&lower).has(List::Links));
            prop_assert_eq!(is_disguised(&text), is_disguised_by_hand(&text));
        }
    }
}
