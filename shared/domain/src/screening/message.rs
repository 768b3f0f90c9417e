//! Signs in what is written: links, markup, advertising, attacks, and letters that are no enquiry.
//!
//! A word says nothing: the casino has a roof as well, and life insurers are asked about Viagra. A phrase
//! that only a seller writes says all; a pitch and its wares together say it too.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use super::{Reason, letters};
use crate::enquiry::Understood;

/// From this share of its longer words on, in percent, a message is gibberish.
const MOSTLY: usize = 60;

/// What only somebody writes who sells by the thousand, or baits, in lower case.
const SELLS: [&str; 117] = [
    "guest post",
    "dofollow",
    "do-follow",
    "backlink",
    "link building",
    "first page of google",
    "page one of google",
    "page 1 of google",
    "first page guaranteed",
    "top of google",
    "seo error",
    "seo service",
    "seo audit",
    "seo agency",
    "seo expert",
    "seo package",
    "rank your website",
    "rank your site",
    "ranking on google",
    "search engine ranking",
    "targeted visitors",
    "targeted traffic",
    "visitors to your site",
    "visitors to your website",
    "visitors from your site",
    "traffic to your",
    "website traffic",
    "redesign your website",
    "real followers",
    "instagram likes",
    "instagram followers",
    "youtube views",
    "real reviews",
    "buy reviews",
    "google reviews for",
    "e-mail contacts",
    "email contacts",
    "mailing list of",
    "verified list",
    "million emails",
    "appointments per month",
    "exclusive leads",
    "lead alert",
    "via their contact form",
    "contact form blast",
    "contact form submission",
    "explainer video",
    "virtual assistants",
    "crypto trading",
    "trading bot",
    "trading signals",
    "forex signals",
    "double your bitcoin",
    "eth back",
    "btc back",
    "bitcoin investment",
    "crypto investment",
    "no prescription",
    "without prescription",
    "buy cialis",
    "buy viagra",
    "cheap viagra",
    "cheap pills",
    "online pharmacy",
    "canadian pharmacy",
    "online slots",
    "online casino",
    "casino bonus",
    "free spins",
    "百家乐",
    "娱乐城",
    "彩票",
    "nhà cái",
    "казино",
    "ставки на спорт",
    "продвижение сайт",
    "aaa quality",
    "replica watch",
    "without collateral",
    "loans at",
    "loan offer",
    "unsecured loan",
    "merchant cash advance",
    "business funding up to",
    "lbs in",
    "weird trick",
    "doctors hate",
    "miracle cure",
    "passive income",
    "/day from home",
    "per day from home",
    "per week from home",
    "make money online",
    "work from home and earn",
    "earn from home",
    "paypal accounts",
    "verified accounts",
    "saw your profile",
    "my photos here",
    "lonely",
    "hot girls",
    "single women",
    "late client",
    "next of kin",
    "honest cooperation",
    "unclaimed funds",
    "inheritance fund",
    "domain expires",
    "your domain is",
    "failure to renew",
    "exclusive opportunity",
    "professional manufacturer",
    "leading manufacturer",
    "claim your $",
    "you have been selected",
    "you have won",
    "gold ira",
];
/// How one sells, in lower case.
const PITCHES: [&str; 46] = [
    "we offer",
    "we provide",
    "we sell",
    "we can put",
    "we help business",
    "we help compan",
    "we specialize in",
    "our agency",
    "our chatbot",
    "our team of",
    "reply yes",
    "just reply",
    "reply to unsubscribe",
    "reply sample",
    "reply stop",
    "click here",
    "visit our",
    "see demo",
    "ask for pricing",
    "ask me how",
    "price list",
    "free audit",
    "free trial",
    "free count",
    "% off",
    "free shipping",
    "buy now",
    "order now",
    "act now",
    "apply now",
    "limited time",
    "earn $",
    "earn up to",
    "make $",
    "business owner",
    "dear sir",
    "dear manager",
    "dear friend",
    "hi dear",
    "hello dear",
    "i found your site",
    "looking at your website",
    "noticed your website",
    "your website and noticed",
    "nous pouvons",
    "ofrecemos",
];
/// What is sold so, in lower case.
const WARES: [&str; 42] = [
    "seo",
    "search engine",
    "ranking",
    "keywords",
    "google rating",
    "followers",
    "likes",
    "traffic",
    "email list",
    "e-mail list",
    "mailing list",
    "contact form",
    "chatbot",
    "mobile app",
    "social media",
    "digital marketing",
    "crypto",
    "bitcoin",
    "btc",
    "forex",
    "casino",
    "betting",
    "slots",
    "viagra",
    "cialis",
    "tramadol",
    "pharmacy",
    "rolex",
    "replica",
    "interest rate",
    "loans",
    "collateral",
    "weight loss",
    "keto",
    "giveaway",
    "from home",
    "dating",
    "usd ",
    "moq",
    "fob ",
    "référencement",
    "posicionamiento",
];
/// What nobody who wants something done writes, in lower case.
const ATTACKS: [&str; 30] = [
    "<script",
    "<iframe",
    "<svg",
    "javascript:",
    "onerror=",
    "onload=",
    "' or '1'='1",
    "' or 1=1",
    "\" or \"\"=\"",
    "or 1=1--",
    "union select",
    "union all select",
    "drop table",
    "insert into",
    "sleep(",
    "benchmark(",
    "waitfor delay",
    "${jndi:",
    "../../",
    "..\\..\\",
    "/etc/passwd",
    "/bin/bash",
    "/bin/sh",
    "() { :",
    "<?php",
    "{{7*7}}",
    "${7*7}",
    "<%=",
    "=cmd|",
    "\nbcc:",
];
const MARKUP: [&str; 4] = ["[url", "[link", "<a href", "[img"];
/// Letters that ask for nothing a dealer has, in lower case.
const NO_ENQUIRY: [&str; 42] = [
    "stop calling",
    "stop texting",
    "take me off",
    "remove me from",
    "remove my number",
    "unsubscribe me",
    "never asked for",
    "are you hiring",
    "job opening",
    "my resume",
    "my cv",
    "looking for a job",
    "apply for the position",
    "looking for work as",
    "internship",
    "conducting a study",
    "conducting a survey",
    "a survey",
    "research project",
    "school project",
    "for my thesis",
    "minute interview",
    "really like your website",
    "love your website",
    "great website",
    "nice website",
    "great site",
    "keep it up",
    "good information",
    "handles purchasing",
    "drop off samples",
    "who handles your",
    "your supplier",
    "become a supplier",
    "partner with you",
    "partnership opportunity",
    "press inquiry",
    "permit violation",
    "code enforcement",
    "without permit",
    "wrong number",
    "do you accept applications",
];
/// The overpayment swindle: a stranger with a budget who pays by card for others, in lower case.
const SWINDLE: [&str; 3] = ["accept credit card", "take credit card", "accept major credit"];
const SWINDLER: [&str; 9] = [
    "reliable contractor",
    "budget is not a problem",
    "subcontractor",
    "hearing impaired",
    "hearing problem",
    "out of town",
    "soonest reply",
    "private mover",
    "handle the job",
];
/// Endings by which a word without `http` is a link, in lower case.
const ENDINGS: [&str; 25] = [
    ".com", ".net", ".org", ".ru", ".info", ".biz", ".xyz", ".top", ".club", ".online", ".site", ".shop",
    ".store", ".io", ".co", ".cn", ".tk", ".click", ".link", ".live", ".pro", ".icu", ".vip", ".ly",
    ".example",
];
/// What else makes a word a link, in lower case.
const SCHEMES: [&str; 4] = ["http://", "https://", "hxxp", "www."];
/// What is typed where something has to stand, in lower case.
const FILLERS: [&str; 2] = ["lorem ipsum", "dolor sit amet"];

/// The lists of phrases.
#[derive(Clone, Copy)]
enum List {
    Sellers,
    Pitches,
    Wares,
    Attacks,
    Markup,
    NoEnquiry,
    Swindle,
    Swindler,
    Fillers,
    Links,
}

const LISTS: [(List, &[&str]); 11] = [
    (List::Sellers, &SELLS),
    (List::Pitches, &PITCHES),
    (List::Wares, &WARES),
    (List::Attacks, &ATTACKS),
    (List::Markup, &MARKUP),
    (List::NoEnquiry, &NO_ENQUIRY),
    (List::Swindle, &SWINDLE),
    (List::Swindler, &SWINDLER),
    (List::Fillers, &FILLERS),
    (List::Links, &ENDINGS),
    (List::Links, &SCHEMES),
];

/// The phrases of all lists, and the list of each.
fn phrases() -> impl Iterator<Item = (List, &'static str)> {
    LISTS.into_iter().flat_map(|(list, phrases)| phrases.iter().map(move |phrase| (list, *phrase)))
}

/// What seeks them all in one pass over a text, and the list of each phrase by its number there. A table of all its
/// steps (`AhoCorasickKind::DFA`) would read a long message a tenth faster, and cost a start 1.6 ms more.
static SEEKER: LazyLock<Option<(AhoCorasick, Vec<List>)>> = LazyLock::new(|| {
    let machine = AhoCorasick::new(phrases().map(|(_, phrase)| phrase)).ok()?;
    Some((machine, phrases().map(|(list, _)| list).collect()))
});

/// The lists of which some phrase stands in a text.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
struct Heard(u16);

impl Heard {
    /// In a text in lower case.
    fn of(lower: &str) -> Self {
        match &*SEEKER {
            Some((machine, lists)) => {
                let found = machine.find_overlapping_iter(lower);
                Self::default().all(found.filter_map(|found| lists.get(found.pattern().as_usize()).copied()))
            }
            // Of lists as ours it can always be made.
            None => Self::by_hand(lower),
        }
    }

    fn by_hand(lower: &str) -> Self {
        Self::default().all(phrases().filter(|(_, phrase)| lower.contains(phrase)).map(|(list, _)| list))
    }

    fn all(self, lists: impl Iterator<Item = List>) -> Self {
        lists.fold(self, |heard, list| Self(heard.0 | 1 << list as u16))
    }

    const fn has(self, list: List) -> bool {
        self.0 & 1 << list as u16 != 0
    }

    /// Whether somebody sells something to us, in the text of which this was heard.
    fn sells(self, lower: &str) -> bool {
        self.has(List::Sellers)
            || (self.has(List::Pitches)
                && self.has(List::Wares)
                && WARES.iter().any(|ware| has_word(lower, ware)))
    }
}

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

/// Whether something is tried on us. In lower case.
pub(super) fn attacks(lower: &str) -> bool {
    Heard::of(lower).has(List::Attacks)
}

/// Whether somebody sells something to us. In lower case.
pub(super) fn sells(lower: &str) -> bool {
    Heard::of(lower).sells(lower)
}

/// Whether it is said as sellers do. In lower case.
pub(super) fn pitches(lower: &str) -> bool {
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

/// How many links are in a text, in lower case. An e-mail address is none.
pub(super) fn links(lower: &str) -> usize {
    let words = lower.split(|c: char| {
        c.is_whitespace() || matches!(c, ',' | ';' | '(' | ')' | '<' | '>' | '"' | '[' | ']')
    });
    words.filter(|word| is_link(word)).count()
}

fn is_link(word: &str) -> bool {
    // Most words are told by this alone.
    if !word.contains(['.', ':', 'x']) {
        return false;
    }
    if word.contains("http://")
        || word.contains("https://")
        || word.starts_with("www.")
        || word.contains("hxxp")
    {
        return true;
    }
    if word.contains('@') {
        return false;
    }
    let host = word.split(['/', '?', '#', ':']).next().unwrap_or_default().trim_end_matches('.');
    let Some((before, ending)) = host.rfind('.').and_then(|dot| host.split_at_checked(dot)) else {
        return false;
    };
    before.len() > 1 && ENDINGS.contains(&ending)
}

/// Links, and no more than a word or two beside them.
fn is_bare_link(said: &str) -> bool {
    let links = links(said);
    links > 0 && said.split_whitespace().count() <= links + 2
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

/// Words that no filter is to read: letters of two alphabets in one, digits for letters, letters set apart.
fn is_disguised(message: &str) -> bool {
    const FEW: usize = 2;
    // Most messages are told by this alone: nothing of the kind between two letters.
    let between = |three: &[u8]| matches!(three, [a, b'0' | b'1' | b'3' | b'.', b] if a.is_ascii_alphabetic() && b.is_ascii_alphabetic());
    if message.is_ascii() && !message.as_bytes().windows(3).any(between) {
        return false;
    }
    let mixed = |word: &str| {
        let latin = || word.bytes().any(|b| b.is_ascii_alphabetic());
        let other = |c: char| matches!(c, '\u{0370}'..='\u{03ff}' | '\u{0400}'..='\u{04ff}');
        word.chars().any(other) && latin()
    };
    let digits = |word: &str| {
        let mut threes = word.as_bytes().windows(3);
        threes.any(|three| matches!(three, [a, b'0' | b'1' | b'3', b] if a.is_ascii_lowercase() && b.is_ascii_lowercase()))
    };
    let apart = |word: &str| {
        let mut letters = word.split('.');
        word.len() >= 7 && letters.all(|letter| letter.len() == 1 && letter.chars().all(char::is_alphabetic))
    };
    let (mut of_two, mut disguised) = (0, 0);
    for word in message.split_whitespace() {
        of_two += usize::from(mixed(word));
        disguised += usize::from(digits(word) || apart(word));
    }
    of_two >= FEW || disguised >= FEW
}

/// A mailing's fields that nobody filled in: `{FirstName}`, `{Hello|Hi}`.
fn is_template(message: &str) -> bool {
    message.split('{').skip(1).filter_map(|rest| rest.split_once('}')).any(|(field, _)| {
        let chosen = field.contains('|');
        let named = field.to_lowercase().replace([' ', '_'], "");
        chosen
            || matches!(
                named.as_str(),
                "firstname"
                    | "lastname"
                    | "name"
                    | "companyname"
                    | "company"
                    | "industry"
                    | "city"
                    | "website"
                    | "domain"
            )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use proptest::sample::select;

    #[test]
    fn a_link_is_known_with_or_without_http() {
        for text in [
            "see https://x.example/y",
            "www.best-deals.example",
            "buy at best-deals.ru now",
            "t.co/abc? no: cheap.shop/x",
        ] {
            assert!(links(text) > 0, "{text}");
        }
        for text in [
            "st. john",
            "j.r. smith",
            "call me at noon.thanks",
            "ada@mail.com",
            "no.",
            "12.5 sq ft",
            "mr.smith",
            "u.s.",
        ] {
            assert_eq!(links(text), 0, "{text}");
        }
    }

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

    #[test]
    fn what_is_disguised_hides_from_filters_and_a_slip_does_not() {
        for text in ["Vіаgrа and Cіаlіs", "d0uble your m0ney", "f.r.e.e m.o.n.e.y now"] {
            assert!(is_disguised(text), "{text}");
        }
        for text in [
            "2014 f150 5.0 what you give",
            "Привет, call me",
            "6x3x2 and 3x5",
            "a r0of",
            "c.o.d. is fine, e.g. today",
        ] {
            assert!(!is_disguised(text), "{text}");
        }
        assert!(is_template("{Hello|Hi}, we provide") && is_template("Dear {FirstName}"));
        assert!(!is_template("room {living} 12 x 14"));
    }
}
