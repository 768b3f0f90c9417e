//! Signs in what is written: links, markup, advertising, attacks.

use super::{Reason, letters};
use crate::enquiry::Understood;

/// From this many on, links are more than somebody's own house.
const MANY_LINKS: usize = 3;
/// From this share of its longer words on, in percent, a message is gibberish.
const MOSTLY: usize = 60;

/// What people who sell something to the owner of a page say, in lower case. One says enough.
const SELLS: [&str; 62] = [
    "seo service", "seo agency", "seo expert", "seo audit", "search engine optimi", "backlink", "guest post", "link building",
    "first page of google", "page one of google", "page 1 of google", "top of google", "google ranking", "rank your website",
    "rank higher", "rank on google", "domain authority", "web design service", "website design service", "redesign your website",
    "web development service", "website traffic", "traffic to your website", "traffic to your site", "visitors to your website",
    "your website's", "mobile app development", "social media marketing", "digital marketing", "explainer video",
    "lead generation service", "email list", "b2b leads", "targeted leads", "virtual assistant", "outsourc",
    "business loan", "business funding", "working capital", "merchant cash", "payday loan", "unsecured loan",
    "crypto", "bitcoin", "forex", "binary option", "passive income", "make money online", "work from home", "earn $",
    "casino", "viagra", "cialis", "online pharmacy", "weight loss pill", "porn", "escort", "sexy girl", "dating site", "replica watch",
    "unsubscribe from", "contact form marketing",
];
/// What nobody who wants something done writes, in lower case.
const ATTACKS: [&str; 18] = [
    "<script", "javascript:", "onerror=", "onload=", "' or '1'='1", "' or 1=1", "\" or \"\"=\"", "union select", "union all select",
    "drop table", "sleep(", "${jndi:", "../../", "..\\..\\", "/etc/passwd", "<?php", "{{7*7}}", "waitfor delay",
];
const MARKUP: [&str; 6] = ["[url", "[/url]", "[link", "<a href", "</a>", "[img"];
/// Endings by which a word without `http` is a link, in lower case.
const ENDINGS: [&str; 24] = [
    ".com", ".net", ".org", ".ru", ".info", ".biz", ".xyz", ".top", ".club", ".online", ".site", ".shop", ".store", ".io",
    ".co", ".cn", ".tk", ".click", ".link", ".live", ".pro", ".icu", ".vip", ".us",
];

pub(super) fn signs(who: &Understood, signs: &mut Vec<Reason>) {
    let other = [&who.street, &who.city, &who.organization];
    let texts = who.message.iter().chain(other.into_iter().flatten());
    let own_words = [who.name.first(), who.name.last()];
    let said: Vec<String> = texts.map(|text| text.to_lowercase()).collect();
    let has = |phrases: &[&str]| said.iter().any(|text| phrases.iter().any(|phrase| text.contains(phrase)));
    if has(&ATTACKS) || own_words.iter().any(|name| attacks(name)) || who.extra.values().any(|value| attacks(value)) {
        signs.push(Reason::Attack);
    }
    if has(&MARKUP) {
        signs.push(Reason::Markup);
    }
    let found: usize = said.iter().map(|text| links(text)).sum();
    match found {
        0 => {}
        1..MANY_LINKS => signs.push(Reason::LinkInMessage),
        _ => signs.push(Reason::ManyLinks),
    }
    if said.iter().any(|text| sells(text) > 0) {
        signs.push(Reason::Advertising);
    }
    let message = who.message.as_deref().unwrap_or_default();
    if letters::share_of_gibberish(message).is_some_and(|share| share >= MOSTLY) {
        signs.push(Reason::GibberishMessage);
    }
}

fn attacks(text: &str) -> bool {
    let lower = text.to_lowercase();
    ATTACKS.iter().any(|attack| lower.contains(attack))
}

/// How many things are praised to somebody who has a page. In lower case.
pub(super) fn sells(lower: &str) -> usize {
    SELLS.iter().filter(|phrase| lower.contains(*phrase)).count()
}

/// How many links are in a text, in lower case. An e-mail address is none.
pub(super) fn links(lower: &str) -> usize {
    let words = lower.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '(' | ')' | '<' | '>' | '"' | '[' | ']'));
    words.filter(|word| is_link(word)).count()
}

fn is_link(word: &str) -> bool {
    if word.contains("http://") || word.contains("https://") || word.starts_with("www.") || word.contains("hxxp") {
        return true;
    }
    if word.contains('@') {
        return false;
    }
    let host = word.split(['/', '?', '#', ':']).next().unwrap_or_default().trim_end_matches('.');
    let label = |host: &str, ending: &str| host.strip_suffix(ending).is_some_and(|before| before.len() > 1);
    ENDINGS.iter().any(|ending| label(host, ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_known_with_or_without_http() {
        for text in ["see https://x.example/y", "www.best-deals.example", "buy at best-deals.ru now", "t.co/abc? no: cheap.shop/x"] {
            assert!(links(text) > 0, "{text}");
        }
        for text in ["st. john", "j.r. smith", "call me at noon.thanks", "ada@mail.com", "no.", "12.5 sq ft", "mr.smith", "u.s."] {
            assert_eq!(links(text), 0, "{text}");
        }
    }

    #[test]
    fn who_needs_a_roof_sells_nothing() {
        for text in [
            "we found you on google and would like a quote", "i work from 9 to 5, call after", "my website is down, but my roof too",
            "need financing for a new roof", "the insurance company wants photos",
        ] {
            assert_eq!(sells(text), 0, "{text}");
        }
    }
}
