//! What was probably meant.

/// Above this many candidates nothing is suggested: it would cost more than it helps.
const CANDIDATES: usize = 1_000;

/// The candidate that is a slip of the pen away from `word`, if there is one.
pub(super) fn nearest<'a>(word: &str, candidates: impl ExactSizeIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let length = word.chars().count();
    if candidates.len() > CANDIDATES || length > crate::limits::FIELD_NAME_BYTES {
        return None;
    }
    let most = (length / 3).clamp(1, 3);
    candidates
        .filter(|candidate| candidate.chars().count().abs_diff(length) <= most)
        .map(|candidate| (distance(&word, candidate), candidate))
        .filter(|&(distance, _)| distance <= most)
        .min()
        .map(|(_, candidate)| candidate)
}

/// `; did you mean "cap_day"?`, or nothing.
pub(super) fn suggestion<'a>(word: &str, candidates: impl ExactSizeIterator<Item = &'a str>) -> String {
    nearest(word, candidates).map(|found| format!("; did you mean \"{found}\"?")).unwrap_or_default()
}

/// Letters changed, added, dropped, or swapped with their neighbour (optimal string alignment), one
/// row at a time.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut above: Vec<usize> = (0..=other.len()).collect();
    let mut two_above = above.clone();
    let mut previous = None;
    for letter in one.chars() {
        let mut row = Vec::with_capacity(above.len());
        row.extend(above.first().map(|first| first + 1));
        for (column, &candidate) in other.iter().enumerate() {
            let at = |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX / 2);
            let changed = at(&above, column) + usize::from(letter != candidate);
            let mut best = changed.min(at(&row, column) + 1).min(at(&above, column + 1) + 1);
            let swapped = column > 0 && previous == Some(candidate) && other.get(column - 1) == Some(&letter);
            if swapped {
                best = best.min(at(&two_above, column - 1) + 1);
            }
            row.push(best);
        }
        two_above = std::mem::replace(&mut above, row);
        previous = Some(letter);
    }
    above.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognised_and_a_stranger_is_not() {
        let columns = ["cap_day", "cap_month", "tier"];
        assert_eq!(nearest("cap day", columns.into_iter()), Some("cap_day"));
        assert_eq!(nearest("cpa_month", columns.into_iter()), Some("cap_month"));
        assert_eq!(nearest("colour", columns.into_iter()), None);
        assert_eq!((distance("kitten", "sitting"), distance("", "abc"), distance("abc", "")), (3, 3, 3));
        assert_eq!((distance("emial", "email"), distance("ab", "ba"), distance("abc", "abc")), (1, 1, 0));
    }
}
