//! A person's name, and what of it is compared.

use std::fmt;

use super::{cut_chars, tidy};
use crate::limits;

/// First and last name, each tidy and at most [`limits::TEXT_CHARS`] characters; either may be empty.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Name {
    first: String,
    last: String,
}

const HONORIFICS: [&str; 12] =
    ["mr", "mrs", "ms", "miss", "mx", "dr", "prof", "sir", "rev", "fr", "hon", "madam"];
const SUFFIXES: [&str; 12] = ["jr", "sr", "ii", "iii", "iv", "v", "md", "phd", "dds", "esq", "cpa", "rn"];
/// Words that begin a surname of several words.
const PARTICLES: [&str; 31] = [
    "al", "ap", "bin", "ibn", "bint", "da", "das", "de", "del", "della", "den", "der", "des", "di", "do",
    "dos", "du", "el", "la", "las", "le", "los", "mac", "san", "santa", "st", "ten", "ter", "van", "von",
    "zu",
];

impl Name {
    /// From first and last name as given. Cut at the limit.
    pub fn new(first: &str, last: &str) -> Self {
        let part = |text: &str| cut_chars(&tidy(text), limits::TEXT_CHARS).0.trim_end().to_owned();
        Self { first: part(first), last: part(last) }
    }

    /// From a full name, as far as it can be told apart:
    ///
    /// - `Smith, John` is turned round; a comma before `Jr` and the like is not such a comma.
    /// - A leading `Mr`, `Dr` … is left out, a trailing `Jr`, `III`, `PhD` … stays with the last name.
    /// - The last name is the last word, with the particles before it (`van der Berg`, `de la Cruz`);
    ///   a single word is a first name.
    ///
    /// Names whose family name comes first without a comma cannot be told, and are read as the rest.
    /// What is longer than both may be together is read as far as that.
    pub fn from_full(full: &str) -> Self {
        let full = tidy(full);
        let full = cut_chars(&full, 2 * limits::TEXT_CHARS).0;
        if let Some((before, after)) = full.split_once(',')
            && !after.split_whitespace().all(|word| listed(&SUFFIXES, word))
        {
            return Self::new(without_honorifics(after), before);
        }
        let full = full.replace(',', " ");
        let words: Vec<&str> = without_honorifics(&full).split_whitespace().collect();
        // Suffixes count only behind two words: nobody is called just "Jr", but somebody is called "V Li".
        let suffixes = words.iter().skip(2).rev().take_while(|word| listed(&SUFFIXES, word)).count();
        let core = words.len() - suffixes;
        let mut split = core.saturating_sub(1).max(1);
        while split > 1 && words.get(split - 1).is_some_and(|word| listed(&PARTICLES, word)) {
            split -= 1;
        }
        let (first, last) = words.split_at_checked(split).unwrap_or((&words, &[]));
        Self::new(&first.join(" "), &last.join(" "))
    }

    /// This, with what is blank taken from `other`.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let pick = |one: String, other: String| if one.is_empty() { other } else { one };
        Self { first: pick(self.first, other.first), last: pick(self.last, other.last) }
    }

    /// The first name; empty when not known.
    pub fn first(&self) -> &str {
        &self.first
    }

    /// The last name; empty when not known.
    pub fn last(&self) -> &str {
        &self.last
    }

    /// First and last name, as people write them.
    pub fn full(&self) -> String {
        format!("{} {}", self.first, self.last).trim().to_owned()
    }

    /// Whether nothing is known.
    pub const fn is_empty(&self) -> bool {
        self.first.is_empty() && self.last.is_empty()
    }

    /// What two surnames are compared by; `None` when there is no surname, or none of its characters is a
    /// letter or digit.
    ///
    /// Lower-case, with Latin letters stripped of their marks (U+00C0 to U+017F, and combining marks
    /// behind any letter), and without everything that is neither letter nor digit; without `Jr`, `III`
    /// and the like. So `O'Brien` is `OBRIEN` and `Núñez-Groß` is `nunez gross`.
    ///
    /// It does not know that `ü` may be written `ue`, nor other scripts' ways to write one name; those
    /// compare as different, which costs a possible duplicate, never a wrong join.
    pub fn surname_key(&self) -> Option<SurnameKey> {
        let words: Vec<&str> = self.last.split_whitespace().collect();
        let suffixes = words.iter().skip(1).rev().take_while(|word| listed(&SUFFIXES, word)).count();
        let key: String =
            words.iter().take(words.len() - suffixes).flat_map(|word| word.chars()).flat_map(fold).collect();
        if key.is_empty() { None } else { Some(SurnameKey(key)) }
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Name(…)")
    }
}

/// A surname folded for comparison: see [`Name::surname_key`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SurnameKey(String);

impl SurnameKey {
    /// The folded text. Personal.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SurnameKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SurnameKey(…)")
    }
}

fn listed(words: &[&str], word: &str) -> bool {
    let word: String = word.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    words.contains(&word.as_str())
}

fn without_honorifics(full: &str) -> &str {
    let mut rest = full.trim_start();
    while let Some((word, after)) = rest.split_once(' ')
        && listed(&HONORIFICS, word)
    {
        rest = after.trim_start();
    }
    rest
}

/// The letters that stand for this character when surnames are compared.
fn fold(c: char) -> impl Iterator<Item = char> {
    let lower = c.to_lowercase();
    lower.flat_map(|c| {
        let plain = match c {
            'à'..='å' | 'ā' | 'ă' | 'ą' => "a",
            'æ' => "ae",
            'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' => "c",
            'ð' | 'ď' | 'đ' => "d",
            'è'..='ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' => "e",
            'ĝ' | 'ğ' | 'ġ' | 'ģ' => "g",
            'ĥ' | 'ħ' => "h",
            'ì'..='ï' | 'ĩ' | 'ī' | 'ĭ' | 'į' | 'ı' => "i",
            'ĵ' => "j",
            'ķ' | 'ĸ' => "k",
            'ĺ' | 'ļ' | 'ľ' | 'ŀ' | 'ł' => "l",
            'ñ' | 'ń' | 'ņ' | 'ň' | 'ŋ' => "n",
            'ò'..='ö' | 'ø' | 'ō' | 'ŏ' | 'ő' => "o",
            'œ' => "oe",
            'ŕ' | 'ŗ' | 'ř' => "r",
            'ś' | 'ŝ' | 'ş' | 'š' | 'ș' => "s",
            'ß' => "ss",
            'ţ' | 'ť' | 'ŧ' | 'ț' => "t",
            'þ' => "th",
            'ù'..='ü' | 'ũ' | 'ū' | 'ŭ' | 'ů' | 'ű' | 'ų' => "u",
            'ŵ' => "w",
            'ý' | 'ÿ' | 'ŷ' => "y",
            'ź' | 'ż' | 'ž' => "z",
            _ => "",
        };
        let as_is = (plain.is_empty() && c.is_alphanumeric()).then_some(c);
        plain.chars().chain(as_is)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_full_name_is_split_where_people_would() {
        for (full, first, last) in [
            ("Ada Lovelace", "Ada", "Lovelace"),
            ("  Ada \t King  Lovelace ", "Ada King", "Lovelace"),
            ("Lovelace, Ada", "Ada", "Lovelace"),
            ("Dr. Martin Luther King, Jr.", "Martin Luther", "King Jr."),
            ("Mr John Smith III", "John", "Smith III"),
            ("Ludwig van der Rohe", "Ludwig", "van der Rohe"),
            ("Maria de la Cruz", "Maria", "de la Cruz"),
            ("Van Morrison", "Van", "Morrison"),
            ("V Li", "V", "Li"),
            ("Ada", "Ada", ""),
            ("Dr", "Dr", ""),
            ("", "", ""),
            (",", "", ""),
            ("Ada\u{202e} Love\u{0}lace", "Ada", "Lovelace"),
        ] {
            let name = Name::from_full(full);
            assert_eq!((name.first(), name.last()), (first, last), "{full}");
        }
    }

    #[test]
    fn surnames_are_compared_without_case_accents_and_punctuation() {
        let key = |last: &str| Name::new("", last).surname_key().map(|key| key.0);
        assert_eq!(key("O'Brien"), key("OBRIEN"));
        assert_eq!(key("Núñez-Groß"), key("nunez gross"));
        assert_eq!(key("Nu\u{301}n\u{303}ez"), key("Nunez")); // combining marks
        assert_eq!(key("Smith Jr."), key("smith"));
        assert_eq!(key("Łukasiewicz"), key("Lukasiewicz"));
        assert_eq!(key("Müller"), key("Muller"));
        assert_ne!(key("Müller"), key("Mueller"));
        assert_eq!(key("李").as_deref(), Some("李"));
        assert_eq!(key("Jr").as_deref(), Some("jr"));
        assert_eq!((key(""), key("-")), (None, None));
    }

    #[test]
    fn a_name_is_never_printed() {
        let name = Name::new("Ada", "Lovelace");
        assert_eq!(format!("{name:?} {:?}", name.surname_key()), "Name(…) Some(SurnameKey(…))");
    }

    proptest! {
        #[test]
        fn any_text_is_some_name(text in any::<String>()) {
            let name = Name::from_full(&text);
            prop_assert!(name.full().chars().count() <= 2 * limits::TEXT_CHARS + 1);
            prop_assert!(!name.full().chars().any(char::is_control));
            let again = Name::new(name.first(), name.last());
            prop_assert!(again == name);
        }
    }
}
