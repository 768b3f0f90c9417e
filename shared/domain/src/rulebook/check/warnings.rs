//! The list of warnings: bounded, and fair to every kind.

use std::collections::BTreeMap;

use super::figures::Figures;
use crate::limits;
use crate::rulebook::problem::{Position, Problem, ProblemCode, Severity};

/// Warnings by kind, in the order they were noted.
#[derive(Default)]
pub(super) struct Warnings(BTreeMap<ProblemCode, Kind>);

#[derive(Default)]
struct Kind {
    kept: Vec<Problem>,
    seen: usize,
}

impl Warnings {
    pub(super) fn note(&mut self, file: &str, at: Position, code: ProblemCode, message: impl Into<String>) {
        self.note_lazily(file, at, code, || (message.into(), None));
    }

    pub(super) fn note_with(
        &mut self,
        file: &str,
        at: Position,
        code: ProblemCode,
        message: String,
        figures: Figures,
    ) {
        self.note_lazily(file, at, code, || (message, Some(Box::new(figures))));
    }

    /// Makes the message only if there is room for it.
    pub(super) fn note_lazily(
        &mut self,
        file: &str,
        at: Position,
        code: ProblemCode,
        say: impl FnOnce() -> (String, Option<Box<Figures>>),
    ) {
        let kind = self.0.entry(code).or_default();
        kind.seen += 1;
        if kind.kept.len() < limits::PROBLEMS {
            let (message, figures) = say();
            let severity = Severity::Warning;
            kind.kept.push(Problem {
                file: file.to_owned(),
                at,
                cell: None,
                severity,
                code,
                message,
                figures,
            });
        }
    }

    /// By file, line and column. The room is shared out: a kind with few warnings leaves its part to the
    /// others; one with more than its part keeps those noted first, and counts the rest.
    pub(super) fn into_list(self) -> Vec<Problem> {
        let mut kinds: Vec<Kind> = self.0.into_values().collect();
        kinds.sort_by_key(|kind| kind.seen);
        let mut list = Vec::new();
        let mut left = kinds.len();
        for mut kind in kinds {
            let room = (limits::PROBLEMS - list.len()) / left.max(1);
            left -= 1;
            if kind.seen > room {
                kind.kept.truncate(room.saturating_sub(1));
                let more = kind.seen - kind.kept.len();
                list.extend(kind.kept.last().map(|last| rest(last, more)));
            }
            list.extend(kind.kept);
        }
        list.sort_by(|one, other| {
            let counts = |problem: &Problem| problem.figures.as_ref().is_some_and(|it| it.more.is_some());
            let key = |problem: &Problem| (problem.at, counts(problem));
            (&one.file, key(one)).cmp(&(&other.file, key(other)))
        });
        list
    }
}

/// The row that counts those that are not listed, behind the last that is.
fn rest(last: &Problem, more: usize) -> Problem {
    let figures = Figures { more: u32::try_from(more).ok(), ..Figures::default() };
    Problem {
        message: format!("and {more} more warnings of the kind \"{}\" that are not listed", last.code),
        figures: Some(Box::new(figures)),
        ..last.clone()
    }
}
