//! How far a year is: a bar on a terminal, a line for every tenth elsewhere, nothing for programs.

use std::io::{IsTerminal as _, Write as _};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Timestamp;

pub(super) struct Progress {
    bar: ProgressBar,
    plain: bool,
}

impl Progress {
    pub(super) fn new(enquiries: u64, json: bool) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let target =
            if terminal && !json { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(enquiries), target);
        let style = ProgressStyle::with_template(
            "demo {wide_bar} {msg}, {human_pos} of {human_len} enquiries, {eta} left",
        );
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self { bar, plain: !terminal && !json }
    }

    /// One enquiry more, and when it is by now.
    pub(super) fn one_more(&self, now: Timestamp) {
        self.bar.set_message(now.strftime("%Y-%m-%d").to_string());
        self.bar.inc(1);
        if let Some(line) = self.line(now) {
            let _ = writeln!(std::io::stderr(), "{line}");
        }
    }

    fn line(&self, now: Timestamp) -> Option<String> {
        let (done, of) = (self.bar.position(), self.bar.length().unwrap_or_default().max(1));
        let tenth = |done: u64| done * 10 / of;
        let is_new = done > 0 && tenth(done) > tenth(done - 1);
        (self.plain && is_new)
            .then(|| format!("demo: {done} of {of} enquiries, {}", now.strftime("%Y-%m-%d")))
    }

    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elsewhere_there_are_ten_lines_and_for_programs_none() {
        for (plain, lines) in [(true, 10), (false, 0)] {
            let bar = ProgressBar::with_draw_target(Some(37), ProgressDrawTarget::hidden());
            let progress = Progress { bar, plain };
            let said = (0..37).filter_map(|_| {
                progress.bar.inc(1);
                progress.line(Timestamp::UNIX_EPOCH)
            });
            assert_eq!(said.count(), lines);
        }
    }
}
