//! Domains of throw-away mail: `data/disposable.txt`, sorted, a line each (see `data/ATTRIBUTION.md`).

/// Sorted by bytes, so that it is searched where it stands.
static LIST: &str = include_str!("../../data/disposable.txt");

/// Whether a domain, or one that it is part of, is on the list. The domain is lower-case ASCII.
pub(super) fn is_listed(domain: &str) -> bool {
    parents(domain).any(stands)
}

/// `a.b.example`, `b.example`; never a top-level domain alone.
pub(super) fn parents(domain: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(domain), |domain| domain.split_once('.').map(|(_, parent)| parent))
        .take_while(|domain| domain.contains('.'))
}

fn stands(domain: &str) -> bool {
    let (mut from, mut to) = (0, LIST.len());
    while from < to {
        let middle = LIST.floor_char_boundary(from.midpoint(to));
        let start =
            LIST.get(from..middle).and_then(|before| before.rfind('\n')).map_or(from, |at| from + at + 1);
        let line = LIST.get(start..to).and_then(|rest| rest.split('\n').next()).unwrap_or_default();
        match line.cmp(domain) {
            std::cmp::Ordering::Equal => return !line.is_empty(),
            std::cmp::Ordering::Less => from = (start + line.len() + 1).min(to),
            std::cmp::Ordering::Greater => to = start,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_and_every_line_of_it_is_found() {
        let lines: Vec<&str> = LIST.lines().collect();
        assert!(lines.len() > 8_000 && lines.is_sorted());
        for line in lines {
            assert!(stands(line), "{line}");
            assert!(is_listed(&format!("sub.{line}")), "{line}");
        }
    }

    #[test]
    fn a_domain_beside_the_list_is_not_on_it() {
        for domain in [
            "gmail.com",
            "xmailinator.com",
            "mailinator.co",
            "com",
            "",
            "zzzz.zz",
            "0",
            "privaterelay.appleid.com",
        ] {
            assert!(!is_listed(domain), "{domain}");
        }
    }
}
