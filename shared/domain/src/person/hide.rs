//! Free text without what leads to the person: for whoever may read the request before the person is shown.

use std::borrow::Cow;

/// What stands where something was hidden.
const HIDDEN: &str = "***";
/// The fewest digits of a telephone number: one without its area code.
const PHONE_DIGITS: usize = 7;
/// How many characters of those that people write between the digits of one number may follow each other:
/// `) - `.
const GAP_CHARS: usize = 3;

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
    let mut shown = text.to_owned();
    for word in words.iter().map(|word| word.trim()).filter(|word| !word.is_empty()) {
        let (mut rest, mut next) = (shown.as_str(), String::with_capacity(shown.len()));
        while let Some((before, found, behind)) = split_at_word(rest, word) {
            let ends = next.chars().chain(before.chars()).next_back().is_none_or(|c| !c.is_alphanumeric());
            let begins = behind.chars().next().is_none_or(|c| !c.is_alphanumeric());
            next.push_str(before);
            next.push_str(if ends && begins { HIDDEN } else { found });
            rest = behind;
        }
        next.push_str(rest);
        shown = next;
    }
    shown
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
        }
    }
}
