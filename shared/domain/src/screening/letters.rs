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
/// Rows of a keyboard, a blank between them.
const KEYS: &[u8] = b"qwertyuiop asdfghjkl zxcvbnm";
/// Where each letter stands there, from a to z: keys beside each other are one apart.
const PLACES: [i8; 26] = {
    let mut places = [0; 26];
    let mut at = 0;
    while at < KEYS.len() {
        if KEYS[at] != b' ' {
            places[(KEYS[at] - b'a') as usize] = at as i8;
        }
        at += 1;
    }
    places
};

/// Words that were added up, to be judged together.
#[derive(Default)]
struct Together {
    cost: u32,
    pairs: u32,
    letters: usize,
}

impl Together {
    /// Whether a word was hit upon by chance by itself; else it is added to the others.
    fn add(&mut self, word: &str, plain: &[u8]) -> bool {
        let cost = cost_of(plain);
        let pairs = plain.len() as u32 + 1;
        let long = plain.len() >= FEWEST;
        if long && (cost / pairs > UNUSUAL || is_mute(plain) || is_jumbled(word)) {
            return true;
        }
        if is_stutter(plain) || is_walk(plain) {
            return true;
        }
        self.cost += cost;
        self.pairs += pairs;
        self.letters += plain.len();
        false
    }

    fn by_chance(&self) -> bool {
        self.letters >= 2 * FEWEST && self.cost / self.pairs > UNUSUAL_TOGETHER
    }
}

/// Whether any of these words, or all together, were hit upon by chance.
pub(super) fn gibberish(text: &str) -> bool {
    let mut together = Together::default();
    let mut plain = Vec::new();
    let mut words = text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty());
    words.any(|word| latin(word, &mut plain) && together.add(word, &plain)) || together.by_chance()
}

/// The share of longer words that are gibberish, in percent; `None` when there are none.
pub(super) fn share_of_gibberish(text: &str) -> Option<usize> {
    let (mut all, mut bad) = (0_usize, 0);
    let mut plain = Vec::new();
    for word in text.split(|c: char| !c.is_alphabetic()).filter(|word| word.len() >= FEWEST) {
        if latin(word, &mut plain) {
            let mut alone = Together::default();
            all += 1;
            bad += usize::from(alone.add(word, &plain) || alone.by_chance());
        }
    }
    (all > 0).then(|| bad * 100 / all)
}

/// Puts its letters as a to z; false for what was written in another script.
fn latin(word: &str, plain: &mut Vec<u8>) -> bool {
    plain.clear();
    for c in word.chars() {
        if c.is_ascii_alphabetic() {
            plain.push(c.to_ascii_lowercase() as u8);
        } else if matches!(c, '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}') {
            // A letter with a mark stands for a vowel as often as not, and costs nothing.
            plain.push(b'*');
        } else {
            return false;
        }
    }
    true
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

/// Five keys in a row, or a whole word of at least four.
fn is_walk(plain: &[u8]) -> bool {
    let keys = keys_in_a_row(plain);
    keys >= 5 || (keys >= 4 && keys == plain.len())
}

/// The longest walk from key to key beside it, there or back.
fn keys_in_a_row(plain: &[u8]) -> usize {
    let place = |letter: u8| PLACES.get(usize::from(letter.checked_sub(b'a')?)).copied();
    let (mut longest, mut walked) = (0, 0);
    let mut before: (Option<i8>, Option<i8>) = (None, None);
    for letter in plain {
        let here = place(*letter);
        let step = here.zip(before.0).map(|(here, before)| here - before).filter(|step| step.abs() == 1);
        walked = match step {
            None => 1,
            Some(_) if step == before.1 => walked + 1,
            Some(_) => 2,
        };
        longest = longest.max(walked);
        before = (here, step);
    }
    longest
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
    use proptest::prelude::*;

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

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

        #[test]
        fn a_walk_is_found_in_some_row_there_or_back(
            pieces in prop::collection::vec((0..28_usize, 1..7_usize, any::<bool>()), 0..4),
        ) {
            let there: Vec<u8> = KEYS.iter().copied().map(|key| if key == b' ' { b'*' } else { key }).collect();
            let back: Vec<u8> = there.iter().rev().copied().collect();
            let rows = |keys: &[u8]| {
                let stands = |row: &Vec<u8>| row.windows(keys.len()).any(|some| some == keys);
                !keys.contains(&b'*') && [&there, &back].into_iter().any(stands)
            };
            let mut plain = Vec::new();
            for (at, keys, forth) in pieces {
                plain.extend(if forth { &there } else { &back }.iter().skip(at).take(keys));
            }
            let walk = plain.windows(5).any(rows) || (plain.len() >= 4 && rows(&plain));
            prop_assert_eq!(is_walk(&plain), walk, "{}", String::from_utf8_lossy(&plain));
        }
    }
}
