//! Whether a word could be one: how its letters follow each other.
//!
//! Measured against the names of the United States census (`data/letters.bin`), which are those of a whole
//! world: Nguyen, Krzysztof and Hrdlicka are no surprise to it. Of 93,000 names one in ten thousand is taken
//! for gibberish, of random letters five in six. Words in other scripts are never judged.

/// -16 · log2 of the probability that a letter follows another; 27 rows, the edge of a word last.
static COSTS: &[u8; 27 * 27] = include_bytes!("../../data/letters.bin");
const EDGE: usize = 26;
/// The mean cost of a pair above which a word is none: 6 bits.
const UNUSUAL: u32 = 6 * 16;
/// The same for several words together.
const UNUSUAL_TOGETHER: u32 = 11 * 16 / 2;
/// Shorter words are never judged by their letters: any two may be a name.
const FEWEST: usize = 5;
/// Rows of a keyboard, there and back.
const ROWS: [&[u8]; 6] = [b"qwertyuiop", b"asdfghjkl", b"zxcvbnm", b"poiuytrewq", b"lkjhgfdsa", b"mnbvcxz"];

/// Whether any of these words, or all together, were hit upon by chance.
pub(super) fn gibberish(text: &str) -> bool {
    let (mut cost, mut pairs, mut letters) = (0, 0, 0);
    for word in text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty()) {
        let Some(plain) = latin(word) else { continue };
        let of_word = cost_of(&plain);
        let mean = of_word / (plain.len() as u32 + 1);
        if plain.len() >= FEWEST && (mean > UNUSUAL || is_walk(&plain) || is_mute(&plain) || is_jumbled(word))
        {
            return true;
        }
        if is_stutter(&plain) || is_short_walk(&plain) {
            return true;
        }
        cost += of_word;
        pairs += plain.len() as u32 + 1;
        letters += plain.len();
    }
    letters >= 2 * FEWEST && cost / pairs > UNUSUAL_TOGETHER
}

/// The share of longer words that are gibberish, in percent; `None` when there are none.
pub(super) fn share_of_gibberish(text: &str) -> Option<usize> {
    let words = text.split(|c: char| !c.is_alphabetic());
    let (mut all, mut bad) = (0_usize, 0);
    for word in words.filter(|word| word.len() >= FEWEST && latin(word).is_some()) {
        all += 1;
        bad += usize::from(gibberish(word));
    }
    (all > 0).then(|| bad * 100 / all)
}

/// Its letters as a to z; nothing of what was written in another script.
fn latin(word: &str) -> Option<Vec<u8>> {
    let mut plain = Vec::with_capacity(word.len());
    for c in word.chars() {
        if c.is_ascii_alphabetic() {
            plain.push(c.to_ascii_lowercase() as u8);
        } else if matches!(c, '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}') {
            // A letter with a mark stands for a vowel as often as not, and costs nothing.
            plain.push(b'*');
        } else {
            return None;
        }
    }
    Some(plain)
}

fn cost_of(plain: &[u8]) -> u32 {
    let place = |letter: &u8| letter.is_ascii_lowercase().then(|| usize::from(letter - b'a'));
    let edged = std::iter::once(Some(EDGE)).chain(plain.iter().map(place)).chain([Some(EDGE)]);
    let mut before = None;
    let mut cost = 0;
    for letter in edged {
        if let (Some(one), Some(next)) = (before, letter) {
            let one: usize = one;
            cost += COSTS.get(one * 27 + next).map_or(0, |cost| u32::from(*cost));
        }
        before = letter;
    }
    cost
}

/// Five keys in a row.
fn is_walk(plain: &[u8]) -> bool {
    const KEYS: usize = 5;
    plain.windows(KEYS).any(|keys| ROWS.iter().any(|row| row.windows(KEYS).any(|some| some == keys)))
}

/// A whole word of at least four keys in a row.
fn is_short_walk(plain: &[u8]) -> bool {
    plain.len() >= 4 && ROWS.iter().any(|row| row.windows(plain.len()).any(|some| some == plain))
}

/// Five letters or more, and none to sing.
fn is_mute(plain: &[u8]) -> bool {
    !plain.iter().any(|letter| matches!(letter, b'a' | b'e' | b'i' | b'o' | b'u' | b'y' | b'*'))
}

/// `aaaa`, `xxx`, `hahaha`, `asdasdasd`, `asdf`.
fn is_stutter(plain: &[u8]) -> bool {
    let one = plain.first();
    let all_one = plain.len() >= 3 && plain.iter().all(|letter| Some(letter) == one);
    let four = plain.windows(4).any(|four| four.iter().all(|letter| Some(letter) == four.first()));
    let units = |length: usize| {
        plain.len() >= 3 * length && plain.chunks_exact(length).all(|unit| plain.starts_with(unit))
    };
    let first_keys = matches!(plain, b"asd" | b"qwe" | b"zxc" | b"jkl" | b"dsa" | b"sdf" | b"dfg" | b"fgh");
    all_one || four || first_keys || [2, 3].into_iter().any(units)
}

/// Capitals where nobody puts them: `WbPQhKTLyr`. A name may have one or two within (`McDonald`, `LaToya`).
fn is_jumbled(word: &str) -> bool {
    let rises = word.chars().zip(word.chars().skip(1)).filter(|(a, b)| a.is_lowercase() && b.is_uppercase());
    rises.count() >= 3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_a_whole_world_are_names() {
        for name in [
            "Krzysztof Brzęczyszczykiewicz",
            "Nguyễn Thị Hương",
            "Ng",
            "O",
            "Li Xu",
            "Hrdlička",
            "Iqbal",
            "Siddiqui",
            "Qureshi",
            "Mxolisi",
            "Nkrumah",
            "Mbappé",
            "Xóchitl Quetzalcóatl",
            "Srivastava",
            "Schwarzschild",
            "Przybylski",
            "Mkrtchyan",
            "Tsvetkov",
            "Djoković",
            "Szczęsny",
            "Llwyd",
            "Þórður",
            "Sjöqvist",
            "McDonald",
            "DeShawn LaToya",
            "O'Shaughnessy",
            "Wright-Knightley",
            "李小龍",
            "Мария Иванова",
            "محمد",
            "Smrž",
            "Vlk",
            "Phrommas",
            "Hmong Vang",
            "Barbara",
            "Mimi",
            "Lulu",
            "Coco",
            "Anna",
            "Aaron",
            "Bob",
            "Lindsey",
            "Dwyer",
            "Lynch",
        ] {
            assert!(!gibberish(name), "{name}");
        }
    }

    #[test]
    fn what_fingers_hit_upon_is_not() {
        for text in [
            "sdfsdf",
            "asdfgh",
            "qwerty",
            "xcvbnm",
            "dfgdfg",
            "kjhgkjh",
            "hjgjhg fghfgh",
            "aaaa",
            "xxx",
            "hahaha",
            "asd asd",
            "WbPQhKTLyrEsJ",
            "bcdfgh",
            "tyuiop",
            "gfdhgf",
            "zxqvbnk",
            "lkjlkj",
            "Asdf Qwer",
            "VzTqLbXkRw",
        ] {
            assert!(gibberish(text), "{text}");
        }
    }

    #[test]
    fn a_message_is_gibberish_by_most_of_its_words() {
        assert_eq!(share_of_gibberish("the roof leaks since Friday, please call"), Some(0));
        assert_eq!(share_of_gibberish("ok"), None);
        assert!(share_of_gibberish("kjhkjh gfdgfd sdfsdfsdf").is_some_and(|share| share > 60));
        assert_eq!(share_of_gibberish("крыша течёт"), None);
    }
}
