//! The desk's pages: what they show is what the API would, what they do goes through the same acts, and neither a second
//! click, a stale page nor another company's id does harm.

mod quarantine;
mod waiting;
mod follow_up;
mod returns;
mod dealers;
mod contract;
mod row;
mod backtest;
mod rulebook;
mod today;
mod behind;
mod inbox;
mod lead;
mod leads;
mod lists;
mod sought;
mod many;
mod ticked;
mod reports;
mod comfort;
mod lost;
mod looked_at;
mod markup;

use leadyard_tests::Reply;

/// Store reads that a page may take.
const READS: usize = 20;

/// What names and messages are attacked with.
const HOSTILE: &str = "\"><script>alert(1)</script><b onmouseover='x'>";

/// Nothing of [`HOSTILE`] became markup.
fn is_harmless(page: &Reply) {
    for markup in ["<script>", "<b ", "onmouseover='"] {
        assert!(!page.text.contains(markup), "{markup} in {}", page.text);
    }
}

/// Nothing of a person stands in the page.
fn names_nobody(page: &Reply, words: &[&str]) {
    for word in words {
        assert!(!page.text.contains(word), "{word} is shown to who has not asked: {}", page.text);
    }
}
