//! Edits of `[[offer]]` and `[[source]]`: comments, order and everything else of the file stay.

use serde_json::{Number, Value as Json};
use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, TableLike, Value};

use super::{EditError, EditTable, Fields, Row, RowChange, RowEdit};
use crate::rulebook::files::RulebookFiles;
use crate::rulebook::keys::one_line;
use crate::rulebook::problem::{ProblemCode, Problems};

/// The entry as it reads.
pub(super) fn read(
    files: &RulebookFiles,
    name: &'static str,
    edit: &RowEdit,
) -> Result<Option<Row>, EditError> {
    let Some(file) = File::open(files, name)? else { return Ok(None) };
    let entry = entries(&file.document, noun(edit.table)).into_iter().find(|entry| is(*entry, &edit.id));
    Ok(entry.map(|entry| entry.iter().map(|(key, item)| (key.to_owned(), json_of(item))).collect()))
}

/// The file's bytes with the edit. The entry has been looked for already.
pub(super) fn edit(files: &RulebookFiles, name: &'static str, edit: &RowEdit) -> Result<Vec<u8>, EditError> {
    let mut file = File::open(files, name)?.unwrap_or_default();
    let noun = noun(edit.table);
    let place = entries(&file.document, noun).into_iter().position(|entry| is(entry, &edit.id));
    match (&edit.change, place) {
        (RowChange::Set(fields), Some(place)) => {
            if let Some(entry) = entry_mut(&mut file.document, noun, place) {
                set(entry, fields);
            }
        }
        (RowChange::Add(fields), _) => add(&mut file.document, noun, &edit.id, fields),
        (RowChange::Remove, Some(place)) => remove(&mut file.document, noun, place),
        (RowChange::Set(_) | RowChange::Remove, None) | (RowChange::Parts(_), _) => {}
    }
    Ok(file.bytes())
}

const fn noun(table: EditTable) -> &'static str {
    match table {
        EditTable::Offers => "offer",
        EditTable::Sources => "source",
        // Of the others nothing is ever looked for here.
        EditTable::People
        | EditTable::Dealers
        | EditTable::Channels
        | EditTable::Areas
        | EditTable::Contracts => "",
    }
}

/// A TOML file to be edited.
#[derive(Default)]
struct File {
    document: DocumentMut,
    has_mark: bool,
    /// Whether every line ends in CRLF; the editor writes LF alone.
    has_crlf: bool,
}

impl File {
    fn open(files: &RulebookFiles, name: &'static str) -> Result<Option<Self>, EditError> {
        let mut problems = Problems::default();
        let Some(bytes) = files.get(name) else { return Ok(None) };
        let Some(body) = files.open(name, &mut problems) else { return Err(problems.into()) };
        let has_mark = bytes.len() > body.text.len();
        let has_crlf = body.text.contains("\r\n")
            && body.text.matches('\n').count() == body.text.matches("\r\n").count();
        let text = if has_crlf { body.text.replace("\r\n", "\n") } else { body.text.to_owned() };
        match text.parse::<DocumentMut>() {
            Ok(document) => Ok(Some(Self { document, has_mark, has_crlf })),
            Err(error) => {
                let offset = error.span().map_or(0, |span| span.start);
                problems.error(&body, offset, ProblemCode::Syntax, one_line(error.message()));
                Err(problems.into())
            }
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let text = self.document.to_string();
        let text = if self.has_crlf { text.replace('\n', "\r\n") } else { text };
        let mark = if self.has_mark { "\u{feff}" } else { "" };
        format!("{mark}{text}").into_bytes()
    }
}

/// All entries, written `[[offer]]` or `offer = [{…}]`.
fn entries<'d>(document: &'d DocumentMut, noun: &str) -> Vec<&'d dyn TableLike> {
    match document.get(noun) {
        Some(Item::ArrayOfTables(tables)) => tables.iter().map(|table| table as &dyn TableLike).collect(),
        Some(Item::Value(Value::Array(items))) => {
            items.iter().filter_map(Value::as_inline_table).map(|table| table as &dyn TableLike).collect()
        }
        Some(Item::None | Item::Value(_) | Item::Table(_)) | None => Vec::new(),
    }
}

fn entry_mut<'d>(document: &'d mut DocumentMut, noun: &str, place: usize) -> Option<&'d mut dyn TableLike> {
    match document.get_mut(noun)? {
        Item::ArrayOfTables(tables) => tables.get_mut(place).map(|table| table as &mut dyn TableLike),
        Item::Value(Value::Array(items)) => {
            items.get_mut(place)?.as_inline_table_mut().map(|table| table as &mut dyn TableLike)
        }
        Item::None | Item::Value(_) | Item::Table(_) => None,
    }
}

fn is(entry: &dyn TableLike, id: &str) -> bool {
    entry.get("id").and_then(Item::as_str) == Some(id)
}

fn set(entry: &mut dyn TableLike, fields: &Fields) {
    for (key, json) in fields {
        let old = entry.get_mut(key);
        if old.as_deref().is_some_and(|old| json_of(old) == *json) {
            continue;
        }
        match (value_of(json), old) {
            (None, _) => drop(entry.remove(key)),
            (Some(value), None) => drop(entry.insert(key, Item::Value(value))),
            (Some(value), Some(old)) => replace(old, value, json),
        }
    }
}

/// A value in the place of another: what stands around it stays, and a table with a header of its own
/// keeps it.
fn replace(old: &mut Item, mut value: Value, json: &Json) {
    if let (Some(table), Json::Object(fields)) = (old.as_table_mut(), json) {
        let gone: Vec<String> =
            table.iter().map(|(key, _)| key.to_owned()).filter(|key| !fields.contains_key(key)).collect();
        for key in gone {
            table.remove(&key);
        }
        let fields: Fields = fields.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
        set(table, &fields);
        return;
    }
    if let Some(old) = old.as_value() {
        if old.is_datetime()
            && let Some(time) = json.as_str().and_then(|text| text.parse::<toml_edit::Datetime>().ok())
        {
            value = Value::from(time);
        }
        *value.decor_mut() = old.decor().clone();
    }
    *old = Item::Value(value);
}

fn add(document: &mut DocumentMut, noun: &str, id: &str, fields: &Fields) {
    let mut table = Table::new();
    table.insert("id", Item::Value(Value::from(id)));
    set(&mut table, fields);
    if let Some(Item::Value(Value::Array(items))) = document.get_mut(noun) {
        items.push(table.into_inline_table());
        return;
    }
    let is_first = document.is_empty();
    table.decor_mut().set_prefix(if is_first { "" } else { "\n" });
    // What stands at the end of the file stays before what is added.
    let trailing = document.trailing().as_str().unwrap_or_default().to_owned();
    if !trailing.is_empty() {
        table.decor_mut().set_prefix(format!("{trailing}\n"));
        document.set_trailing("");
    }
    let tables = document.entry(noun).or_insert_with(|| Item::ArrayOfTables(toml_edit::ArrayOfTables::new()));
    if let Some(tables) = tables.as_array_of_tables_mut() {
        tables.push(table);
    }
}

/// A comment goes with the entry that it stands above; what is parted from it by an empty line stays.
fn remove(document: &mut DocumentMut, noun: &str, place: usize) {
    match document.get_mut(noun) {
        Some(Item::ArrayOfTables(tables)) => {
            let prefix =
                tables.get(place).and_then(|table| table.decor().prefix()?.as_str()).unwrap_or_default();
            let kept = prefix.rfind("\n\n").and_then(|at| prefix.get(..=at)).unwrap_or_default();
            let kept = if kept.trim().is_empty() { String::new() } else { kept.to_owned() };
            tables.remove(place);
            match tables.get_mut(place) {
                Some(next) => {
                    let own = next.decor().prefix().and_then(|prefix| prefix.as_str()).unwrap_or_default();
                    let own = if place == 0 && kept.is_empty() { own.trim_start_matches('\n') } else { own };
                    let joined = format!("{kept}{own}");
                    next.decor_mut().set_prefix(joined);
                }
                None => {
                    let trailing = document.trailing().as_str().unwrap_or_default().to_owned();
                    document.set_trailing(format!("{kept}{trailing}"));
                }
            }
        }
        Some(Item::Value(Value::Array(items))) => drop(items.remove(place)),
        Some(Item::None | Item::Value(_) | Item::Table(_)) | None => {}
    }
}

/// JSON as TOML has it; `None` for null, which TOML has not.
fn value_of(json: &Json) -> Option<Value> {
    Some(match json {
        Json::Null => return None,
        Json::Bool(flag) => Value::from(*flag),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => Value::from(whole),
            None => Value::from(number.as_f64()?),
        },
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => Value::Array(items.iter().filter_map(value_of).collect::<Array>()),
        Json::Object(fields) => {
            let pairs = fields.iter().filter_map(|(key, json)| Some((key.as_str(), value_of(json)?)));
            Value::InlineTable(pairs.collect::<InlineTable>())
        }
    })
}

/// What an item says. A date is its text, as an edit would write it.
fn json_of(item: &Item) -> Json {
    match item {
        Item::None => Json::Null,
        Item::Value(value) => json_of_value(value),
        Item::Table(table) => table.iter().map(|(key, item)| (key.to_owned(), json_of(item))).collect(),
        Item::ArrayOfTables(tables) => tables
            .iter()
            .map(|table| table.iter().map(|(key, item)| (key.to_owned(), json_of(item))).collect::<Json>())
            .collect(),
    }
}

fn json_of_value(value: &Value) -> Json {
    match value {
        Value::String(text) => Json::from(text.value().as_str()),
        Value::Integer(number) => Json::from(*number.value()),
        Value::Float(number) => Number::from_f64(*number.value()).map_or(Json::Null, Json::Number),
        Value::Boolean(flag) => Json::from(*flag.value()),
        Value::Datetime(time) => Json::from(time.value().to_string()),
        Value::Array(items) => items.iter().map(json_of_value).collect(),
        Value::InlineTable(table) => {
            table.iter().map(|(key, value)| (key.to_owned(), json_of_value(value))).collect()
        }
    }
}
