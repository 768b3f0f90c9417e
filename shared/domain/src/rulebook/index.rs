//! Which ids exist, so that a reference is checked in constant time.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::str::FromStr;

use crate::error::Invalid;
use crate::rulebook::body::Body;
use crate::rulebook::nearest::suggestion;
use crate::rulebook::problem::{Position, ProblemCode, Problems};

/// A cell or value that was refused; the problem is noted already.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refused;

/// What reading one cell or value gives.
pub(super) type Read<T> = Result<T, Refused>;

/// What an index can hold.
pub(super) trait Id: Clone + Eq + Hash + Borrow<str> + FromStr<Err = Invalid> {}

impl<T: Clone + Eq + Hash + Borrow<str> + FromStr<Err = Invalid>> Id for T {}

/// The ids of one kind.
pub(super) struct Index<I> {
    /// `dealer`, as messages say it.
    noun: &'static str,
    /// Where they stand.
    file: &'static str,
    ids: HashMap<I, usize>,
    /// False when the file could not be read to its end: then a missing id proves nothing.
    complete: bool,
}

impl<I: Id> Index<I> {
    pub(super) fn new(noun: &'static str, file: &'static str) -> Self {
        Self { noun, file, ids: HashMap::new(), complete: true }
    }

    /// One more, or the second of its name. A row with other faults is indexed all the same, so that
    /// one fault is one problem.
    pub(super) fn insert(
        &mut self,
        id: &I,
        offset: usize,
        body: &Body<'_>,
        problems: &mut Problems,
    ) -> Read<()> {
        let name: &str = id.borrow();
        if let Some(&first) = self.ids.get(name) {
            let Position { line, .. } = body.locate(first);
            let message = format!("{} \"{name}\" is here twice: it stands in line {line} already", self.noun);
            problems.error(body, offset, ProblemCode::DuplicateId, message);
            return Err(Refused);
        }
        self.ids.insert(id.clone(), offset);
        Ok(())
    }

    /// One more of something that may stand in several rows.
    pub(super) fn insert_again(&mut self, id: &I, offset: usize) {
        let name: &str = id.borrow();
        if !self.ids.contains_key(name) {
            self.ids.insert(id.clone(), offset);
        }
    }

    /// The file was not read to its end.
    pub(super) fn broke_off(&mut self) {
        self.complete = false;
    }

    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    pub(super) fn has(&self, id: &str) -> bool {
        self.ids.contains_key(id)
    }

    /// All that there are.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.ids.keys().map(Borrow::borrow)
    }

    /// Whether all there is was indexed.
    pub(super) fn is_complete(&self) -> bool {
        self.complete
    }

    /// The id of this name if it is known, sharing its text.
    pub(super) fn find_known(&self, text: &str) -> Option<I> {
        self.ids.get_key_value(text).map(|(id, _)| id.clone())
    }

    /// The id of this name, sharing its text.
    pub(super) fn find(&self, text: &str) -> Result<I, NotFound> {
        if let Some(id) = self.find_known(text) {
            return Ok(id);
        }
        let id = text.parse().map_err(NotFound::Invalid)?;
        if self.complete { Err(NotFound::Unknown) } else { Ok(id) }
    }

    /// `there is no dealer "hudso" in dealers.csv; did you mean "hudson"?` Only for what parsed as an
    /// id: anything else may be a person's name in the wrong column.
    pub(super) fn unknown(&self, id: &str) -> String {
        let meant = suggestion(id, self.ids.keys().map(Borrow::borrow));
        format!("there is no {} \"{id}\" in {}{meant}", self.noun, self.file)
    }
}

/// Why a reference leads nowhere.
pub(super) enum NotFound {
    /// It is no id at all.
    Invalid(Invalid),
    /// It is an id of nothing.
    Unknown,
}
