//! Of which lists some phrase stands in a text, and what that says of it.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use super::phrases::{List, WARES, phrases};

/// What seeks them all in one pass over a text, and the list of each phrase by its number there. A table of all its
/// steps (`AhoCorasickKind::DFA`) would read a long message a tenth faster, and cost a start 1.6 ms more.
static SEEKER: LazyLock<Option<(AhoCorasick, Vec<List>)>> = LazyLock::new(|| {
    let machine = AhoCorasick::new(phrases().map(|(_, phrase)| phrase)).ok()?;
    Some((machine, phrases().map(|(list, _)| list).collect()))
});

/// The lists of which some phrase stands in a text.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub(super) struct Heard(u16);

impl Heard {
    /// In a text in lower case.
    pub(super) fn of(lower: &str) -> Self {
        match &*SEEKER {
            Some((machine, lists)) => {
                let found = machine.find_overlapping_iter(lower);
                Self::default().all(found.filter_map(|found| lists.get(found.pattern().as_usize()).copied()))
            }
            // Of lists as ours it can always be made.
            None => Self::by_hand(lower),
        }
    }

    pub(super) fn by_hand(lower: &str) -> Self {
        Self::default().all(phrases().filter(|(_, phrase)| lower.contains(phrase)).map(|(list, _)| list))
    }

    fn all(self, lists: impl Iterator<Item = List>) -> Self {
        lists.fold(self, |heard, list| Self(heard.0 | 1 << list as u16))
    }

    pub(super) const fn has(self, list: List) -> bool {
        self.0 & 1 << list as u16 != 0
    }

    /// Whether somebody sells something to us, in the text of which this was heard.
    pub(super) fn sells(self, lower: &str) -> bool {
        self.has(List::Sellers)
            || (self.has(List::Pitches)
                && self.has(List::Wares)
                && WARES.iter().any(|ware| has_word(lower, ware)))
    }
}

/// Whether something is tried on us. In lower case.
pub(in crate::screening) fn attacks(lower: &str) -> bool {
    Heard::of(lower).has(List::Attacks)
}

/// Whether somebody sells something to us. In lower case.
pub(in crate::screening) fn sells(lower: &str) -> bool {
    Heard::of(lower).sells(lower)
}

/// Whether it is said as sellers do. In lower case.
pub(in crate::screening) fn pitches(lower: &str) -> bool {
    Heard::of(lower).has(List::Pitches)
}

/// Whether a phrase stands there as words of its own, at its beginning at least.
fn has_word(lower: &str, phrase: &str) -> bool {
    lower.match_indices(phrase).any(|(at, _)| {
        let before = lower.get(..at).and_then(|text| text.chars().next_back());
        let after = lower.get(at + phrase.len()..).and_then(|text| text.chars().next());
        let ends = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
        ends(before) && (ends(after) || phrase.len() > 4)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_found_in_one_pass_is_what_each_phrase_finds() {
        assert!(SEEKER.is_some());
        for (_, phrase) in phrases() {
            let cut = &phrase[..phrase.char_indices().next_back().unwrap().0];
            for text in [phrase, &format!("größer {phrase}!"), &format!("{phrase}{phrase}"), cut] {
                assert_eq!(Heard::of(text), Heard::by_hand(text), "{text}");
            }
            assert_ne!(Heard::of(phrase), Heard::default(), "{phrase}");
        }
    }

    #[test]
    fn who_needs_a_roof_sells_nothing() {
        for text in [
            "we found you on google and would like a quote",
            "i work from home, call any time",
            "my website is down, but my roof too",
            "need financing for a new roof",
            "the insurance company wants photos",
            "i take viagra, does that change the rate?",
            "the casino we run needs rooftop units serviced",
            "do you take bitcoin for the solar system?",
            "your reviews are great, saw your site",
            "weight loss clinic moving in, need a ramp",
            "what would you offer for a used camry",
        ] {
            assert!(!sells(text), "{text}");
        }
    }

    #[test]
    fn a_pitch_and_its_wares_sell() {
        for text in [
            "we offer seo for roofers",
            "dear manager, our team of social media experts",
            "backlinks from 500 sites",
            "we sell betting tips, reply yes",
        ] {
            assert!(sells(text), "{text}");
        }
    }
}
