//! Free text without what leads to the person: for whoever may read the request before the person is shown. And the
//! answer of a dealer's server without what it repeats.

use std::borrow::Cow;

use super::phone::is_assignable;

/// What stands where something was hidden.
const HIDDEN: &str = "***";
/// The fewest digits of a telephone number: one without its area code.
const PHONE_DIGITS: usize = 7;
/// How many characters of those that people write between the digits of one number may follow each other:
/// `) - `.
const GAP_CHARS: usize = 3;
/// The digits of a number of North America.
const AREA_AND_NUMBER: usize = 10;
/// The fewest characters of a secret that is found within other words.
const GLUED_CHARS: usize = 4;
/// How often what is written in other characters is read again: what was escaped twice, and once more.
const ESCAPES: usize = 3;
/// The longest name or number of a character in HTML: `#x10ffff;`.
const ENTITY_BYTES: usize = 10;

/// The text with telephone numbers and e-mail addresses hidden. Hides too much rather than too little: any
/// seven digits with nothing but spaces, signs of arithmetic, dots, slashes or brackets between them (so also a
/// date, or a ZIP of nine digits), and any word with an `@` in it. What is spelt out in words is not found.
pub fn without_contact(text: &str) -> Cow<'_, str> {
    if !text.contains(is_at) && text.chars().filter(|c| c.is_numeric()).count() < PHONE_DIGITS {
        return Cow::Borrowed(text);
    }
    let mut chars = Vec::with_capacity(text.chars().count());
    chars.extend(text.chars());
    let mut hidden = vec![false; chars.len()];
    hide_addresses(&chars, &mut hidden);
    hide_numbers(&chars, &mut hidden);
    if !hidden.contains(&true) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut was_hidden = false;
    for (c, hidden) in chars.into_iter().zip(hidden) {
        match (hidden, was_hidden) {
            (false, _) => shown.push(c),
            (true, false) => shown.push_str(HIDDEN),
            (true, true) => {}
        }
        was_hidden = hidden;
    }
    Cow::Owned(shown)
}

/// The text with these words hidden wherever they stand by themselves, in any case of letters: what a dealer's
/// server repeats of a person.
pub fn without_words(text: &str, words: &[&str]) -> String {
    without(text, words, |_| false)
}

/// The text with these secrets hidden wherever they stand, also as a part of a longer word, in any case of letters. One of
/// fewer than four characters would be found in anything, and is hidden where it stands by itself.
pub fn without_secrets(text: &str, secrets: &[&str]) -> String {
    without(text, secrets, |secret| secret.chars().count() >= GLUED_CHARS)
}

fn without(text: &str, words: &[&str], within_others: impl Fn(&str) -> bool) -> String {
    let mut shown = text.to_owned();
    for word in words.iter().map(|word| word.trim()).filter(|word| !word.is_empty()) {
        let anywhere = within_others(word);
        let (mut rest, mut next) = (shown.as_str(), String::with_capacity(shown.len()));
        while let Some((before, found, behind)) = split_at_word(rest, word) {
            let ends = next.chars().chain(before.chars()).next_back().is_none_or(|c| !c.is_alphanumeric());
            let begins = behind.chars().next().is_none_or(|c| !c.is_alphanumeric());
            next.push_str(before);
            next.push_str(if anywhere || (ends && begins) { HIDDEN } else { found });
            rest = behind;
        }
        next.push_str(rest);
        shown = next;
    }
    shown
}

/// The text as it reads without what JSON (`\/`, `\u00e9`), a URL (`%2F`) or HTML (`&amp;`, `&#39;`) write in other
/// characters, also where one of them was written in another. White space that JSON escapes is a space.
pub fn unescaped(text: &str) -> String {
    let mut read = text.to_owned();
    for _ in 0..ESCAPES {
        let again = unescaped_once(&read);
        if again == read {
            break;
        }
        read = again;
    }
    read
}

fn unescaped_once(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, from)) = rest.find(['\\', '%', '&']).and_then(|at| rest.split_at_checked(at)) {
        bytes.extend_from_slice(before.as_bytes());
        rest = if let Some((byte, behind)) = of_url(from) {
            // A character may be several of them.
            bytes.push(byte);
            behind
        } else if let Some((c, behind)) = of_json(from).or_else(|| of_html(from)) {
            bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            behind
        } else {
            let (sign, behind) = from.split_at_checked(1).unwrap_or((from, ""));
            bytes.extend_from_slice(sign.as_bytes());
            behind
        };
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The byte that `%2F` stands for.
fn of_url(from: &str) -> Option<(u8, &str)> {
    let (digits, behind) = from.strip_prefix('%')?.split_at_checked(2)?;
    Some((hex(digits)? as u8, behind))
}

/// The character that `\/`, `\n`, `\u00e9` or `\ud83d\ude00` stands for (RFC 8259, section 7).
fn of_json(from: &str) -> Option<(char, &str)> {
    if let Some((first, behind)) = utf16_of_json(from) {
        if let Some(c) = char::from_u32(first.into()) {
            return Some((c, behind));
        }
        let (second, behind) = utf16_of_json(behind)?;
        return Some((char::decode_utf16([first, second]).next()?.ok()?, behind));
    }
    let mut chars = from.strip_prefix('\\')?.chars();
    let c = match chars.next()? {
        'n' | 'r' | 't' | 'b' | 'f' => ' ',
        c @ ('/' | '\\' | '"' | '\'') => c,
        _ => return None,
    };
    Some((c, chars.as_str()))
}

fn utf16_of_json(from: &str) -> Option<(u16, &str)> {
    let (digits, behind) = from.strip_prefix("\\u")?.split_at_checked(4)?;
    Some((hex(digits)? as u16, behind))
}

/// The character that `&amp;`, `&#39;` or `&#x27;` stands for.
fn of_html(from: &str) -> Option<(char, &str)> {
    let name = from.strip_prefix('&')?;
    let end = name.bytes().take(ENTITY_BYTES).position(|byte| byte == b';')?;
    let (name, behind) = name.split_at_checked(end)?;
    let c = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = number.strip_prefix(['x', 'X']).map_or_else(|| number.parse().ok(), hex)?;
            char::from_u32(code)?
        }
    };
    Some((c, behind.strip_prefix(';')?))
}

fn hex(digits: &str) -> Option<u32> {
    let plain = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    u32::from_str_radix(digits, 16).ok().filter(|_| plain)
}

/// Whether a name that a URL gives, as of a campaign, says how to reach somebody: an e-mail address, or a telephone
/// number with its area code, as people write one; however it is escaped. Digits with nothing between them are the id of a
/// campaign, which ad platforms give ten and more.
pub fn is_contact(name: &str) -> bool {
    let digits = name.bytes().filter(u8::is_ascii_digit).count();
    if digits < AREA_AND_NUMBER && !name.contains(|c: char| is_at(c) || matches!(c, '%' | '&' | '\\')) {
        return false;
    }
    let name = unescaped(name);
    has_address(&name) || has_number(&name)
}

/// An `@` between something and a name with a dot.
fn has_address(text: &str) -> bool {
    text.match_indices(is_at).any(|(at, sign)| {
        let (before, from) = text.split_at_checked(at).unwrap_or_default();
        let behind = from.strip_prefix(sign).unwrap_or_default();
        let named = before.chars().next_back().is_some_and(|c| !c.is_whitespace());
        let domain = behind.split(char::is_whitespace).next().unwrap_or_default();
        named && domain.split(is_dot).filter(|label| !label.is_empty()).count() > 1
    })
}

/// A number of North America in groups of its digits, or any number behind a plus.
fn has_number(text: &str) -> bool {
    let is_digit = |c: char| c.is_ascii_digit();
    text.split(|c: char| !is_digit(c) && !is_between(c)).any(|run| {
        let groups: Vec<&str> = run.split(|c: char| !is_digit(c)).filter(|group| !group.is_empty()).collect();
        let digits: usize = groups.iter().map(|group| group.len()).sum();
        let behind_plus = run.split_once(is_digit).is_some_and(|(before, _)| before.ends_with('+'));
        let grouped = |sizes: &[usize]| {
            groups.windows(sizes.len()).any(|some| {
                some.iter().map(|group| group.len()).eq(sizes.iter().copied())
                    && is_assignable(&some.concat())
            })
        };
        (behind_plus && (AREA_AND_NUMBER + 1..=15).contains(&digits))
            || grouped(&[3, 3, 4])
            || grouped(&[3, 7])
            || grouped(&[6, 4])
    })
}

/// Around the first place where a word stands, in any case of letters.
fn split_at_word<'t>(text: &'t str, word: &str) -> Option<(&'t str, &'t str, &'t str)> {
    text.char_indices().find_map(|(at, _)| {
        let (before, from) = text.split_at_checked(at)?;
        let mut end = 0;
        let mut chars = from.char_indices();
        for wanted in word.chars() {
            let (found_at, found) = chars.next()?;
            if !found.to_lowercase().eq(wanted.to_lowercase()) {
                return None;
            }
            end = found_at + found.len_utf8();
        }
        let (found, behind) = from.split_at_checked(end)?;
        Some((before, found, behind))
    })
}

fn hide(hidden: &mut [bool], range: std::ops::Range<usize>) {
    if let Some(hidden) = hidden.get_mut(range) {
        hidden.fill(true);
    }
}

/// Words with an `@`, of its usual width or as wide as a CJK character; with one space on either side of it,
/// where a dot follows behind.
fn hide_addresses(chars: &[char], hidden: &mut [bool]) {
    let char_at = |at: usize| chars.get(at).copied();
    let is_space = |at: usize| char_at(at).is_none_or(char::is_whitespace);
    let word = |from: usize| {
        let start = (0..from).rev().find(|at| is_space(*at)).map_or(0, |space| space + 1);
        let end = (from..chars.len()).find(|at| is_space(*at)).unwrap_or(chars.len());
        start..end
    };
    for at in 0..chars.len() {
        if !char_at(at).is_some_and(is_at) || hidden.get(at) == Some(&true) {
            continue;
        }
        let mut range = word(at);
        let behind = if range.end == at + 1 { Some(word(at + 2)) } else { None };
        let domain = behind.filter(|behind| behind.clone().any(|at| char_at(at).is_some_and(is_dot)));
        if let Some(domain) = domain {
            range.end = domain.end;
        }
        let dots_behind = (at..range.end).any(|at| char_at(at).is_some_and(is_dot));
        if range.start == at && at >= 2 && dots_behind {
            range.start = word(at - 2).start;
        }
        // An @ that stands alone, as in `3 @ 200`, leads to nobody.
        if range.len() > 1 {
            hide(hidden, range);
        }
    }
}

/// Digits enough for a telephone number, with what people write between them.
fn hide_numbers(chars: &[char], hidden: &mut [bool]) {
    let mut run: Option<(std::ops::Range<usize>, usize)> = None;
    let mut take = |run: Option<(std::ops::Range<usize>, usize)>| {
        if let Some((range, _)) = run.filter(|(_, digits)| *digits >= PHONE_DIGITS) {
            hide(hidden, range);
        }
    };
    for (at, c) in chars.iter().enumerate() {
        if c.is_numeric() {
            let (range, digits) = run.get_or_insert((at..at, 0));
            (range.end, *digits) = (at + 1, *digits + 1);
        } else if let Some((range, _)) = &run
            && (!is_between(*c) || at - range.end >= GAP_CHARS)
        {
            take(run.take());
        }
    }
    take(run);
}

const fn is_at(c: char) -> bool {
    matches!(c, '@' | '\u{ff20}' | '\u{fe6b}')
}

const fn is_dot(c: char) -> bool {
    matches!(c, '.' | '\u{ff0e}' | '\u{3002}')
}

/// Whether people write it between the digits of a number.
fn is_between(c: char) -> bool {
    c.is_whitespace()
        || super::is_invisible(c)
        || matches!(
            c,
            '-' | '.' | '(' | ')' | '[' | ']' | '/' | '+' | '_' | '*' | '\u{2010}'
                ..='\u{2015}' | '\u{2212}' | '\u{b7}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_and_addresses_are_hidden_and_the_request_stays() {
        for (text, shown) in [
            ("Call me at (305) 274-5678 after five.", "Call me at (*** after five."),
            ("ring 305.274.5678", "ring ***"),
            ("+1 305 274 5678, the roof leaks", "+***, the roof leaks"),
            ("274-5678", "***"),
            ("3052745678", "***"),
            ("3 0 5 2 7 4 5 6 7 8", "***"),
            ("٣٠٥٢٧٤٥٦٧٨", "***"),
            ("３０５ー２７４５６７８", "３０５ー***"),
            ("write to ada.hill+roof@mail.example please", "write to *** please"),
            ("<ada@mail.example>, or ada@x", "*** or ***"),
            ("ada @ mail.example", "***"),
            ("ada@ mail.example now", "*** now"),
            ("ada @mail.example now", "*** now"),
            ("ada＠mail.example", "***"),
            ("I am on it as @ada", "I am on it as ***"),
            ("both: ada@mail.example 305-274-5678", "both: *** ***"),
            ("ada3052745678@mail.example", "***"),
            // What leads to nobody stays.
            (
                "The roof leaks, 2 stories, 1500 sq ft, built 1998.",
                "The roof leaks, 2 stories, 1500 sq ft, built 1998.",
            ),
            ("Budget $12,500; need it by 6/15", "Budget $12,500; need it by 6/15"),
            ("3 windows @ 200", "3 windows @ 200"),
            ("in 33101 or 33102: soon", "in 33101 or 33102: soon"),
            ("", ""),
            ("@", "@"),
        ] {
            assert_eq!(without_contact(text), shown, "{text}");
        }
    }

    #[test]
    fn words_of_a_person_are_hidden_in_an_answer_and_parts_of_other_words_are_not() {
        for (text, shown) in [
            (r#"{"name":"ADA Hill","id":7}"#, r#"{"name":"*** ***","id":7}"#),
            ("Adamant hillside", "Adamant hillside"),
            ("ada,ada;ada", "***,***;***"),
            ("", ""),
            ("Éadaß", "Éadaß"),
        ] {
            assert_eq!(without_words(text, &["Ada", "", "hill "]), shown, "{text}");
        }
    }

    #[test]
    fn a_secret_is_hidden_within_other_words_as_well() {
        for (text, shown) in [
            ("key k3y!x is unknown", "key *** is unknown"),
            ("keyk3y!xof you, K3Y!X", "key***of you, ***"),
            ("a7b and a7", "a7b and ***"),
        ] {
            assert_eq!(without_secrets(text, &["k3y!x", "a7", ""]), shown, "{text}");
        }
    }

    #[test]
    fn what_is_written_in_other_characters_is_read() {
        for (text, read) in [
            (r#"ab\/cd\u002bef \"x\" \ud83d\ude00\n"#, "ab/cd+ef \"x\" 😀 "),
            ("ab%2Fcd%2bef Zo%C3%AB", "ab/cd+ef Zoë"),
            ("a&amp;b &lt;&gt; &quot;&apos;&#39;&#x27;&#235;", "a&b <> \"'''ë"),
            // As often as it was done.
            ("%2540 %26amp;", "@ &"),
            (r"Zo\\u00eb", "Zoë"),
            // What is no escape stands for itself.
            (
                r"50 % off & more; 5%; \x \u12 \ud83d &#xffffff; &#; %+1",
                r"50 % off & more; 5%; \x \u12 \ud83d &#xffffff; &#; %+1",
            ),
            ("", ""),
        ] {
            assert_eq!(unescaped(text), read, "{text}");
        }
    }

    #[test]
    fn a_campaign_that_says_how_to_reach_somebody_is_told_from_its_name_or_id() {
        for contact in [
            "ada.hill@mail.example",
            "for ada.hill+roof@mail.example",
            "ada.hill%40mail.example",
            "ada.hill%2540mail%2Eexample",
            "ada&#64;mail.example",
            "ada＠mail.example",
            "305-274-5678",
            "(305) 274-5678",
            "roof_305.274.5678_june",
            "call+1+305+274+5678",
            "+13052745678",
            "%2B1 (305) 274-5678",
            "305 2745678",
            "+44 20 7183 8750",
        ] {
            assert!(is_contact(contact), "{contact}");
        }
        for campaign in [
            "",
            "summer-2025",
            "20250601",
            "2025-06-01",
            "2025-06-01-2025-06-30",
            "123456789012345678",
            "17234567890",
            "3052745678",
            "brand | 3052745678 | search",
            "100-200-3000",
            "roof @ home",
            "@home",
            "3 windows @ 200.00",
            "50%25 off & more",
            "zip 33101-1234",
        ] {
            assert!(!is_contact(campaign), "{campaign}");
        }
    }

    proptest! {
        #[test]
        fn a_number_or_an_address_is_hidden_wherever_it_stands(
            before in "[a-z .,\u{e9}\u{1F600}]{0,20}",
            after in "[a-z .,!\u{e9}]{0,20}",
            between in "[-. ()/]{0,3}",
            digits in "[2-9][0-9]{9}",
            local in "[a-z]{3,8}",
        ) {
            let (area, number) = digits.split_at(3);
            let text = format!("{before} {area}{between}{number} {after} {local}@mail.example {after}");
            let shown = without_contact(&text);
            prop_assert!(!shown.contains(number) && !shown.contains("mail.example"), "{}", shown);
            prop_assert!(shown.starts_with(before.as_str()), "{}", shown);
        }

        #[test]
        fn any_text_is_taken(text in "\\PC{0,200}") {
            let shown = without_contact(&text);
            // What is hidden once needs not be hidden again.
            prop_assert_eq!(without_contact(&shown), shown.as_ref());
            prop_assert!(unescaped(&text).chars().count() <= text.chars().count());
            let _ = is_contact(&text);
        }
    }
}
