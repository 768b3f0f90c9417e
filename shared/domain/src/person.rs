//! Who it is: name, e-mail, phone. Parsed once, where they arrive; redacted wherever they are printed.
//!
//! None of these types has `Display` or serde: whoever shows or stores one says so with `as_str`, and
//! reads it back through the same door it first came in by.

mod name;
mod email;
mod phone;
mod hide;

pub use email::Email;
pub use hide::{is_contact, unescaped, without_contact, without_secrets, without_words};
pub use name::{Name, SurnameKey};
pub use phone::Phone;

/// Text as people mean it: control characters gone, white space of any kind one space, none at the
/// ends. Unicode's invisible directional and zero-width characters count as control characters.
pub(crate) fn tidy(text: &str) -> String {
    // Most text is tidy as it comes.
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) && !text.contains("  ") {
        return text.trim_matches(' ').to_owned();
    }
    let mut tidy = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_whitespace() {
            if !tidy.is_empty() && !tidy.ends_with(' ') {
                tidy.push(' ');
            }
        } else if !is_invisible(c) {
            tidy.push(c);
        }
    }
    tidy.truncate(tidy.trim_end().len());
    tidy
}

/// Control characters, and the format characters that make one text look like another.
pub(crate) fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// The first `most` characters, and whether anything was cut.
pub(crate) fn cut_chars(text: &str, most: usize) -> (&str, bool) {
    if text.len() <= most {
        return (text, false);
    }
    match text.char_indices().nth(most) {
        Some((end, _)) => (text.get(..end).unwrap_or(text), true),
        None => (text, false),
    }
}

/// At most the first `most` bytes, whole characters only, and whether anything was cut.
pub(crate) fn cut_bytes(text: &str, most: usize) -> (&str, bool) {
    let cut = text.get(..text.floor_char_boundary(most)).unwrap_or(text);
    (cut, cut.len() < text.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn tidy_text_is_its_words_with_a_blank_between(text in "[ a-c~\t\n\u{7f}\u{a0}\u{ad}\u{200b}é]{0,12}|[ a-c~]{0,12}") {
            let visible = |word: &str| word.chars().filter(|c| !is_invisible(*c)).collect::<String>();
            let words: Vec<String> = text.split_whitespace().map(visible).filter(|word| !word.is_empty()).collect();
            prop_assert_eq!(tidy(&text), words.join(" "));
        }
    }
}
