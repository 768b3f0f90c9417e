//! No bytes make the parser panic, and what it finds stands within the files.

use super::*;
use proptest::prelude::*;

/// Every file, mutated: bytes replaced, removed, doubled, or moved from elsewhere.
fn mutated() -> impl Strategy<Value = (&'static str, Vec<u8>)> {
    let edit = (any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0..6_u8, any::<u8>());
    (0..FILES.len(), prop::collection::vec(edit, 1..6)).prop_map(|(file, edits)| {
        let (name, _) = FILES[file];
        let mut bytes = folder().get(name).cloned().unwrap_or_default(); // some files may be absent
        for (at, other, how, byte) in edits {
            if bytes.is_empty() {
                break;
            }
            let (at, other) = (at.index(bytes.len()), other.index(bytes.len()));
            match how {
                0 => bytes[at] = byte,
                1 => drop(bytes.remove(at)),
                2 => bytes.insert(at, b"\",;\n\r={[.#E"[usize::from(byte) % 11]),
                3 => bytes.truncate(at),
                4 => {
                    let copy = bytes[at.min(other)..at.max(other)].to_vec();
                    bytes.splice(at..at, copy);
                }
                _ => bytes.swap(at, other),
            }
        }
        (name, bytes)
    })
}

/// Whatever came in, what comes out is a rulebook or problems within the files.
fn assert_sound(name: &'static str, bytes: &[u8]) {
    match with(name, bytes) {
        Ok(book) => drop(book.check("2026-01-01".parse().unwrap())),
        Err(problems) => {
            assert!(!problems.is_empty());
            for problem in &problems.list {
                assert!(problem.at.line >= 1 && problem.at.column >= 1 && !problem.message.contains('\n'));
            }
            assert!(problems.list.is_sorted_by_key(|problem| (&problem.file, problem.at)));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_bytes_make_the_parser_panic(file in 0..FILES.len(), bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        assert_sound(FILES[file].0, &bytes);
    }

    #[test]
    fn no_change_of_a_good_file_makes_the_parser_panic((name, bytes) in mutated()) {
        assert_sound(name, &bytes);
    }

    #[test]
    fn a_bad_cell_is_found_behind_any_quoting(
        before in prop::collection::vec("[a-z é,;\n\"]{0,8}", 0..4),
        line_end in prop::sample::select(vec!["\n", "\r\n"]),
        mark in prop::sample::select(vec!["", "\u{feff}"]),
    ) {
        // The cells stand under empty names, so each that is not blank is a problem where it begins.
        let quoted: Vec<String> =
            before.iter().map(|cell| format!("\"{}\"", cell.replace('"', "\"\""))).collect();
        let header = format!("area,part{}", ",".repeat(before.len() + 1));
        let row = format!("miami,zip3:331,{}", quoted.join(",") + if quoted.is_empty() { "" } else { "," });
        let mut folder = folder();
        folder.insert("areas.csv", format!("{mark}{header}{line_end}florida,state:FL{line_end}{row}?{line_end}").into_bytes());
        let problems = parse(folder).unwrap_err();
        let first = before.iter().position(|cell| !cell.trim().is_empty()).unwrap_or(before.len());
        let passed = format!("miami,zip3:331,{}", quoted[..first].join(",") + if first == 0 { "" } else { "," });
        let expected = Position {
            line: 3 + passed.matches('\n').count() as u32,
            column: 1 + passed.rsplit('\n').next().unwrap().chars().count() as u32,
        };
        prop_assert_eq!(problems.list[0].at, expected);
    }
}
#[test]
fn depth_and_width_end_in_problems() {
    let deep = [
        format!("{}a = 1", "a.".repeat(100_000)),
        format!("[{}a]", "a.".repeat(100_000)),
        format!("a = {}", "[".repeat(100_000)),
        format!("a = {}", "{a=".repeat(100_000)),
    ];
    for text in deep {
        assert_sound("tests.toml", text.as_bytes());
    }
    let wide = [
        format!("area,part\n{}", ",".repeat(1_000_000)),
        format!("area{}", ",x".repeat(500_000)),
        format!("area,part\n{}", "A,b\n".repeat(300_000)),
        format!("area,part\n\"{}", "\"\"".repeat(500_000)),
    ];
    for text in wide {
        assert_sound("areas.csv", text.as_bytes());
    }
}
