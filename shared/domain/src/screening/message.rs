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

/// A list of phrases, sought in one pass over a text.
type Phrases = (&'static [&'static str], LazyLock<Option<AhoCorasick>>);

static OF_SELLERS: Phrases = (&SELLS, LazyLock::new(|| AhoCorasick::new(SELLS).ok()));
static OF_PITCHES: Phrases = (&PITCHES, LazyLock::new(|| AhoCorasick::new(PITCHES).ok()));
static OF_WARES: Phrases = (&WARES, LazyLock::new(|| AhoCorasick::new(WARES).ok()));
static OF_ATTACKS: Phrases = (&ATTACKS, LazyLock::new(|| AhoCorasick::new(ATTACKS).ok()));
static OF_NO_ENQUIRY: Phrases = (&NO_ENQUIRY, LazyLock::new(|| AhoCorasick::new(NO_ENQUIRY).ok()));

/// Whether any of the phrases stands in a text.
fn says(phrases: &Phrases, lower: &str) -> bool {
    let (all, machine) = phrases;
    // Of lists as ours it can always be made.
    let by_hand = || all.iter().any(|phrase| lower.contains(phrase));
    machine.as_ref().map_or_else(by_hand, |machine| machine.is_match(lower))
}

pub(super) fn signs(who: &Understood, signs: &mut Vec<Reason>) {
    let other = [&who.street, &who.city, &who.organization];
    let message = who.message.as_deref().unwrap_or_default();
    let said = message.to_lowercase();
    let texts = other.into_iter().flatten().map(|text| text.to_lowercase());
    let texts: Vec<String> = std::iter::once(said.clone()).chain(texts).collect();
    let names = [who.name.first(), who.name.last()];
    let values = names.into_iter().chain(who.extra.values().map(String::as_str));
    if texts.iter().any(|text| attacks(text)) || values.map(str::to_lowercase).any(|value| attacks(&value)) {
        signs.push(Reason::Attack);
    }
    let marked: usize = MARKUP.iter().map(|mark| said.matches(mark).count()).sum();
    if marked > 0 {
        signs.push(Reason::Markup);
    }
    if marked > 1 || texts.iter().any(|text| sells(text)) || is_disguised(message) || is_template(message) {
        signs.push(Reason::Advertising);
    }
    if is_bare_link(&said) {
        signs.push(Reason::BareLink);
    }
    if letters::share_of_gibberish(message).is_some_and(|share| share >= MOSTLY) || is_filler(&said) {
        signs.push(Reason::GibberishMessage);
    }
    if says(&OF_NO_ENQUIRY, &said) {
        signs.push(Reason::NoEnquiry);
    }
    if SWINDLE.iter().any(|phrase| said.contains(phrase))
        && SWINDLER.iter().any(|phrase| said.contains(phrase))
    {
        signs.push(Reason::Swindle);
    }
}

/// Whether something is tried on us. In lower case.
pub(super) fn attacks(lower: &str) -> bool {
    says(&OF_ATTACKS, lower)
}

/// Whether somebody sells something to us. In lower case.
pub(super) fn sells(lower: &str) -> bool {
    says(&OF_SELLERS, lower)
        || (pitches(lower) && says(&OF_WARES, lower) && WARES.iter().any(|ware| has_word(lower, ware)))
}

/// Whether it is said as sellers do. In lower case.
pub(super) fn pitches(lower: &str) -> bool {
    says(&OF_PITCHES, lower)
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
    let label = |host: &str, ending: &str| host.strip_suffix(ending).is_some_and(|before| before.len() > 1);
    ENDINGS.iter().any(|ending| label(host, ending))
}

/// Links, and no more than a word or two beside them.
fn is_bare_link(said: &str) -> bool {
    let links = links(said);
    let words = said.split_whitespace().count();
    links > 0 && words <= links + 2
}

/// `lorem ipsum`, or `test` and nothing else.
fn is_filler(said: &str) -> bool {
    let mut words = said.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).peekable();
    let trial = |word: &str| {
        matches!(
            word,
            "test" | "testing" | "tester" | "asdf" | "asd" | "xxx" | "blah" | "abc" | "foo" | "bar"
        )
    };
    said.contains("lorem ipsum")
        || said.contains("dolor sit amet")
        || (words.peek().is_some() && words.all(trial))
}

/// Words that no filter is to read: letters of two alphabets in one, digits for letters, letters set apart.
fn is_disguised(message: &str) -> bool {
    const FEW: usize = 2;
    let mixed = |word: &str| {
        let latin = word.chars().any(|c| c.is_ascii_alphabetic());
        latin && word.chars().any(|c| matches!(c, '\u{0370}'..='\u{03ff}' | '\u{0400}'..='\u{04ff}'))
    };
    let digits = |word: &str| {
        let letters: Vec<char> = word.chars().collect();
        letters.windows(3).any(|three| matches!(three, [a, '0' | '1' | '3', b] if a.is_ascii_lowercase() && b.is_ascii_lowercase()))
    };
    let apart = |word: &str| {
        let mut letters = word.split('.');
        word.len() >= 7 && letters.all(|letter| letter.len() == 1 && letter.chars().all(char::is_alphabetic))
    };
    let words = || message.split_whitespace();
    let disguised = words().filter(|word| digits(word) || apart(word)).count();
    words().filter(|word| mixed(word)).count() >= FEW || disguised >= FEW
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
        for phrases in [&OF_SELLERS, &OF_PITCHES, &OF_WARES, &OF_ATTACKS, &OF_NO_ENQUIRY] {
            assert!(phrases.1.is_some());
            for phrase in phrases.0 {
                assert!(says(phrases, phrase) && says(phrases, &format!("größer {phrase}!")), "{phrase}");
                let cut = &phrase[..phrase.char_indices().next_back().unwrap().0];
                let by_hand = phrases.0.iter().any(|phrase| cut.contains(phrase));
                assert_eq!(says(phrases, cut), by_hand, "{cut}");
            }
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
