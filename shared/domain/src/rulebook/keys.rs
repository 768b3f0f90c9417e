//! TOML: a table's keys, each with its place in the file.
//!
//! Determination: the tables are read key by key from the spanned tree, not through serde, which
//! stops at the first fault and forgets where values stood.

use std::ops::RangeInclusive;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::error::Invalid;
use crate::rulebook::body::Body;
use crate::rulebook::index::{Id, Index, NotFound, Read, Refused};
use crate::rulebook::nearest::suggestion;
use crate::rulebook::problem::{ProblemCode, Problems};
use crate::rulebook::value::{named, whole_number_rule};

/// A whole TOML file; `None` when it is not TOML.
pub(super) fn document<'a>(body: &Body<'a>, problems: &mut Problems) -> Option<DeTable<'a>> {
    match DeTable::parse(body.text) {
        Ok(table) => Some(table.into_inner()),
        Err(error) => {
            let offset = error.span().map_or(0, |span| span.start);
            problems.error(body, offset, ProblemCode::Syntax, one_line(error.message()));
            None
        }
    }
}

/// A parser's message on one line.
pub(super) fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// One table being read. Every key asked for is known from then on; [`Keys::finish`] notes the rest.
pub(super) struct Keys<'t, 'a> {
    body: &'t Body<'a>,
    table: &'t DeTable<'a>,
    /// Where a key is missed.
    pub(super) offset: usize,
    known: Vec<&'static str>,
}

impl<'t, 'a> Keys<'t, 'a> {
    pub(super) fn new(body: &'t Body<'a>, table: &'t DeTable<'a>, offset: usize) -> Self {
        Self { body, table, offset, known: Vec::new() }
    }

    fn get(&mut self, key: &'static str) -> Option<&'t Spanned<DeValue<'a>>> {
        self.known.push(key);
        self.table.get(key)
    }

    /// The byte at which a key's value begins; where the table begins, without that key.
    pub(super) fn offset_of(&self, key: &str) -> usize {
        self.table.get(key).map_or(self.offset, |value| value.span().start)
    }

    /// Notes a problem with a key's value.
    pub(super) fn refuse<T>(
        &self,
        key: &str,
        code: ProblemCode,
        message: impl Into<String>,
        problems: &mut Problems,
    ) -> Read<T> {
        problems.error(self.body, self.offset_of(key), code, message);
        Err(Refused)
    }

    /// Notes a problem with anything in this file.
    pub(super) fn refuse_at<T>(
        &self,
        offset: usize,
        code: ProblemCode,
        message: impl Into<String>,
        problems: &mut Problems,
    ) -> Read<T> {
        problems.error(self.body, offset, code, message);
        Err(Refused)
    }

    /// Notes a key that is not there.
    pub(super) fn missing<T>(&self, key: &str, problems: &mut Problems) -> Read<T> {
        let message = format!("the key {key} is missing here");
        self.refuse_at(self.offset, ProblemCode::MissingKey, message, problems)
    }

    /// A key's value, by a rule.
    pub(super) fn optional<T>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&DeValue<'a>) -> Result<T, Invalid>,
        problems: &mut Problems,
    ) -> Read<Option<T>> {
        let Some(value) = self.get(key) else { return Ok(None) };
        parse(value.get_ref())
            .map(Some)
            .or_else(|invalid| self.refuse(key, ProblemCode::InvalidValue, named(key, &invalid), problems))
    }

    /// The value of a key that must be there.
    pub(super) fn needed<T>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&DeValue<'a>) -> Result<T, Invalid>,
        problems: &mut Problems,
    ) -> Read<T> {
        match self.optional(key, parse, problems)? {
            Some(value) => Ok(value),
            None => self.missing(key, problems),
        }
    }

    /// A whole number within a range.
    pub(super) fn whole(
        &mut self,
        key: &'static str,
        range: RangeInclusive<u32>,
        problems: &mut Problems,
    ) -> Read<Option<u32>> {
        let parse = |value: &DeValue<'_>| {
            let number = value.as_integer();
            let number = number.and_then(|number| u32::from_str_radix(number.as_str(), number.radix()).ok());
            number.filter(|number| range.contains(number)).ok_or_else(|| whole_number_rule(key, &range))
        };
        self.optional(key, parse, problems)
    }

    /// `true` or `false`; false when it is not there.
    pub(super) fn flag(&mut self, key: &'static str, problems: &mut Problems) -> Read<bool> {
        let parse = |value: &DeValue<'_>| {
            value.as_bool().ok_or_else(|| Invalid::new(format!("{key} is true or false, without quotes")))
        };
        Ok(self.optional(key, parse, problems)?.unwrap_or(false))
    }

    /// A list of words. Each is read for itself.
    pub(super) fn list<T>(
        &mut self,
        key: &'static str,
        parse: impl Fn(&str) -> Result<T, Invalid>,
        problems: &mut Problems,
    ) -> Read<Option<Vec<T>>> {
        let Some(items) = self.items(key, problems)? else { return Ok(None) };
        let parsed: Vec<Read<T>> = items.iter().map(|item| self.part(key, item, &parse, problems)).collect();
        parsed.into_iter().collect::<Read<Vec<T>>>().map(Some)
    }

    /// A list of the ids of things that exist.
    pub(super) fn references<I: Id>(
        &mut self,
        key: &'static str,
        index: &Index<I>,
        problems: &mut Problems,
    ) -> Read<Option<Vec<I>>> {
        let Some(items) = self.items(key, problems)? else { return Ok(None) };
        let found: Vec<Read<I>> = items
            .iter()
            .map(|item| {
                let name = self.part(key, item, |text| Ok(text.to_owned()), problems)?;
                self.find(key, &name, item.span().start, index, problems)
            })
            .collect();
        found.into_iter().collect::<Read<Vec<I>>>().map(Some)
    }

    /// The id of something that exists.
    pub(super) fn reference<I: Id>(
        &mut self,
        key: &'static str,
        index: &Index<I>,
        problems: &mut Problems,
    ) -> Read<Option<I>> {
        match self.optional(key, text(|text| Ok(text.to_owned())), problems)? {
            Some(name) => self.find(key, &name, self.offset_of(key), index, problems).map(Some),
            None => Ok(None),
        }
    }

    /// The id of this name.
    pub(super) fn find<I: Id>(
        &self,
        key: &str,
        name: &str,
        offset: usize,
        index: &Index<I>,
        problems: &mut Problems,
    ) -> Read<I> {
        index.find(name).or_else(|error| {
            let (code, message) = match error {
                NotFound::Invalid(invalid) => (ProblemCode::InvalidValue, named(key, &invalid)),
                NotFound::Unknown if problems.has_room() => {
                    (ProblemCode::UnknownReference, index.unknown(name))
                }
                NotFound::Unknown => (ProblemCode::UnknownReference, String::new()),
            };
            self.refuse_at(offset, code, message, problems)
        })
    }

    /// The pairs of a table within this one, `{ "theirs" = "ours" }`, values by a rule, with the
    /// places of key and value.
    pub(super) fn pairs(&mut self, key: &'static str, problems: &mut Problems) -> Read<Vec<Pair<'t, 'a>>> {
        let Some(value) = self.get(key) else { return Ok(Vec::new()) };
        let Some(table) = value.get_ref().as_table() else {
            let message = format!("{key} is a table: {{ \"this\" = \"that\" }}");
            return self.refuse(key, ProblemCode::InvalidValue, message, problems);
        };
        Ok(table
            .iter()
            .map(|(name, value)| Pair { name: name.get_ref(), name_offset: name.span().start, value })
            .collect())
    }

    /// All pairs of this table, where it holds nothing else.
    pub(super) fn rest(self) -> Vec<Pair<'t, 'a>> {
        let pair = |name: &'t str, offset, value| Pair { name, name_offset: offset, value };
        self.table.iter().map(|(name, value)| pair(name.get_ref(), name.span().start, value)).collect()
    }

    /// One string of a list or table of strings.
    pub(super) fn part<T>(
        &self,
        key: &str,
        item: &Spanned<DeValue<'a>>,
        parse: impl FnOnce(&str) -> Result<T, Invalid>,
        problems: &mut Problems,
    ) -> Read<T> {
        text(parse)(item.get_ref()).or_else(|invalid| {
            let message = named(key, &invalid);
            self.refuse_at(item.span().start, ProblemCode::InvalidValue, message, problems)
        })
    }

    /// A table within this one.
    pub(super) fn table(&mut self, key: &'static str, problems: &mut Problems) -> Read<Option<Keys<'t, 'a>>> {
        let Some(value) = self.get(key) else { return Ok(None) };
        match value.get_ref().as_table() {
            Some(table) => Ok(Some(Keys::new(self.body, table, value.span().start))),
            None => self.refuse(key, ProblemCode::InvalidValue, format!("{key} is a table"), problems),
        }
    }

    /// The table that a pair of this one holds.
    pub(super) fn nested(
        &self,
        key: &str,
        pair: &Pair<'t, 'a>,
        problems: &mut Problems,
    ) -> Read<Keys<'t, 'a>> {
        let offset = pair.value.span().start;
        let Some(table) = pair.value.get_ref().as_table() else {
            let message = format!("{key}: this is a table: {{ … }}");
            return self.refuse_at(offset, ProblemCode::InvalidValue, message, problems);
        };
        Ok(Keys::new(self.body, table, offset))
    }

    /// The tables `[[key]]`.
    pub(super) fn tables(&mut self, key: &'static str, problems: &mut Problems) -> Read<Vec<Keys<'t, 'a>>> {
        let Some(items) = self.items(key, problems)? else { return Ok(Vec::new()) };
        let tables: Vec<Read<Keys<'t, 'a>>> = items
            .iter()
            .map(|item| {
                let offset = item.span().start;
                let Some(table) = item.get_ref().as_table() else {
                    let message = format!("each {key} is a table: [[{key}]]");
                    return self.refuse_at(offset, ProblemCode::InvalidValue, message, problems);
                };
                Ok(Keys::new(self.body, table, offset))
            })
            .collect();
        tables.into_iter().collect()
    }

    fn items(
        &mut self,
        key: &'static str,
        problems: &mut Problems,
    ) -> Read<Option<&'t [Spanned<DeValue<'a>>]>> {
        let Some(value) = self.get(key) else { return Ok(None) };
        match value.get_ref().as_array() {
            Some(items) => Ok(Some(items)),
            None => self.refuse(key, ProblemCode::InvalidValue, format!("{key} is a list: [ … ]"), problems),
        }
    }

    /// Notes keys of the format that this version does not implement.
    pub(super) fn later(&mut self, keys: &[&'static str], problems: &mut Problems) {
        for &key in keys {
            if self.get(key).is_some() {
                let message = format!("{key} is not supported yet: leave it out");
                let _noted: Read<()> = self.refuse(key, ProblemCode::Unsupported, message, problems);
            }
        }
    }

    /// Notes the keys that nobody asked for.
    pub(super) fn finish(self, problems: &mut Problems) {
        for (key, _) in self.table.iter().filter(|(key, _)| !self.known.contains(&key.get_ref().as_ref())) {
            if !problems.has_room() {
                problems.omitted += 1;
                continue;
            }
            let name = key.get_ref();
            let shown: String = name.chars().take(crate::limits::FIELD_NAME_BYTES).collect();
            let message =
                format!("there is no key {shown:?} here{}", suggestion(name, self.known.iter().copied()));
            problems.error(self.body, key.span().start, ProblemCode::UnknownKey, message);
        }
    }
}

/// One line of a table of strings.
pub(super) struct Pair<'t, 'a> {
    pub(super) name: &'t str,
    pub(super) name_offset: usize,
    pub(super) value: &'t Spanned<DeValue<'a>>,
}

/// Reads a string by a rule.
pub(super) fn text<'a, T>(
    parse: impl FnOnce(&str) -> Result<T, Invalid>,
) -> impl FnOnce(&DeValue<'a>) -> Result<T, Invalid> {
    |value| match value.as_str() {
        Some(text) => parse(text),
        None => Err(Invalid::new("this is text, in quotes")),
    }
}

/// Reads a string, or a date or time that TOML knows as such, by a rule.
pub(super) fn text_or_time<'a, T>(
    parse: impl FnOnce(&str) -> Result<T, Invalid>,
) -> impl FnOnce(&DeValue<'a>) -> Result<T, Invalid> {
    |value| match value.as_datetime() {
        Some(time) => parse(&time.to_string()),
        None => text(parse)(value),
    }
}
