//! Which words are links, and how many of them are in a text.

/// Endings by which a word without `http` is a link, in lower case.
pub(super) const ENDINGS: [&str; 25] = [
    ".com", ".net", ".org", ".ru", ".info", ".biz", ".xyz", ".top", ".club", ".online", ".site", ".shop",
    ".store", ".io", ".co", ".cn", ".tk", ".click", ".link", ".live", ".pro", ".icu", ".vip", ".ly",
    ".example",
];
/// What else makes a word a link, in lower case.
pub(super) const SCHEMES: [&str; 4] = ["http://", "https://", "hxxp", "www."];

/// How many links are in a text, in lower case. An e-mail address is none.
pub(in crate::screening) fn links(lower: &str) -> usize {
    let words = lower.split(|c: char| {
        c.is_whitespace() || matches!(c, ',' | ';' | '(' | ')' | '<' | '>' | '"' | '[' | ']')
    });
    words.filter(|word| is_link(word)).count()
}

pub(super) fn is_link(word: &str) -> bool {
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
pub(super) fn is_bare_link(said: &str) -> bool {
    let links = links(said);
    links > 0 && said.split_whitespace().count() <= links + 2
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
}
