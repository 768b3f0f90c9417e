//! Words that no filter is to read, and fields of a mailing that nobody filled in.

/// Words that no filter is to read: letters of two alphabets in one, digits for letters, letters set apart.
pub(super) fn is_disguised(message: &str) -> bool {
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
pub(super) fn is_template(message: &str) -> bool {
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
