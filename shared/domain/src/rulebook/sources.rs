//! `sources.toml`: who sends leads.

use std::collections::{BTreeMap, HashSet};

use jiff::civil::Date;

use crate::contract::Caps;
use crate::enquiry::FieldMap;
use crate::error::Invalid;
use crate::ids::{OfferId, SourceId};
use crate::limits;
use crate::money::Money;
use crate::rulebook::body::Body;
use crate::rulebook::index::{Index, Read, Refused};
use crate::rulebook::keys::{Keys, document, text, text_or_time};
use crate::rulebook::postback::{self, PostbackRule, PostbackStatus};
use crate::rulebook::problem::{Position, ProblemCode, Problems};
use crate::rulebook::{screening, value};

words! {
    /// What kind of sender a source is.
    pub enum SourceKind as "a source's kind" {
        /// A form on a page.
        Form = "form",
        /// Google Ads lead forms.
        Google = "google",
        /// Meta lead ads.
        Meta = "meta",
        /// ADF/XML.
        Adf = "adf",
        /// A file that is imported.
        File = "file",
    }
}

/// One `[[source]]`.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Source {
    /// Its id.
    pub id: SourceId,
    /// What kind of sender.
    pub kind: SourceKind,
    /// The offer of an enquiry that names none.
    pub offer: Option<OfferId>,
    /// What the sender says → the offer it means.
    pub offers: BTreeMap<String, OfferId>,
    /// The sender's name of a field → the standard name.
    pub fields: BTreeMap<String, String>,
    /// Our name of a field → what the sender says in it → what that means.
    #[serde(default)]
    pub values: BTreeMap<String, BTreeMap<String, String>>,
    /// Pages that may post, as `scheme://host[:port]`, at most [`limits::ORIGINS_PER_SOURCE`].
    pub origins: Vec<String>,
    /// Where a plain form goes on to, an `http(s)` URL.
    pub thank_you: Option<String>,
    /// Where a plain form goes when the enquiry cannot be kept, an `http(s)` URL.
    pub error_page: Option<String>,
    /// All its leads are test leads.
    pub test: bool,
    /// Its last day, in the company's zone.
    pub ends: Option<Date>,
    /// Raising it makes the source's earlier page key and secret void, at once or after [`Source::earlier_key_until`].
    pub key_generation: u32,
    /// The last day on which the keys of the generation before let in, in the company's zone.
    #[serde(default)]
    pub earlier_key_until: Option<Date>,
    /// What one of its leads costs us: what a returned one is claimed back with.
    #[serde(default)]
    pub cost_per_lead: Option<Money>,
    /// How many new leads an hour and a day may bring, in the company's zone.
    #[serde(default)]
    pub caps: Caps,
    /// Whether its pages send a form token with every enquiry.
    #[serde(default)]
    pub form_token: bool,
    /// Where its sender is told what became of its enquiries.
    #[serde(default)]
    pub postback: Option<PostbackRule>,
}

impl Source {
    /// Whether keys of this generation let in on this day of the company's zone: those in force, and for a while
    /// those just before, so that a sender can change them without a gap.
    pub fn lets_in(&self, generation: u32, today: Date) -> bool {
        let before = || self.earlier_key_until.is_some_and(|until| today <= until);
        generation == self.key_generation
            || (generation.checked_add(1) == Some(self.key_generation) && before())
    }

    /// Whether its sender is to be told of this.
    pub fn asks_for(&self, status: PostbackStatus) -> bool {
        self.postback.as_ref().is_some_and(|rule| rule.asks_for(status))
    }

    /// How its enquiries are read. Both maps were checked with the rulebook.
    pub fn map(&self) -> FieldMap {
        let names = FieldMap::new(self.fields.clone()).unwrap_or_default();
        names.clone().with_values(self.values.clone()).unwrap_or(names)
    }
}

pub(super) fn read(
    body: &Body<'_>,
    offers: &Index<OfferId>,
    index: &mut Index<SourceId>,
    problems: &mut Problems,
) -> Vec<(Position, Source)> {
    let Some(table) = document(body, problems) else {
        index.broke_off();
        return Vec::new();
    };
    let mut file = Keys::new(body, &table, 0);
    let tables = file.tables("source", problems);
    file.finish(problems);
    let Ok(tables) = tables else {
        index.broke_off();
        return Vec::new();
    };
    if tables.is_empty() {
        problems.error(body, 0, ProblemCode::MissingKey, "a rulebook has at least one [[source]]");
        index.broke_off();
    }
    let mut sources = Vec::new();
    for (count, keys) in tables.into_iter().enumerate() {
        if count == limits::SOURCES {
            let message = format!("a rulebook has at most {} sources", limits::SOURCES);
            problems.error(body, keys.offset, ProblemCode::TooMany, message);
            index.broke_off();
            break;
        }
        let at = body.locate(keys.offset);
        sources.extend(source(keys, body, offers, index, problems).map(|source| (at, source)));
    }
    sources
}

fn source(
    mut keys: Keys<'_, '_>,
    body: &Body<'_>,
    offers: &Index<OfferId>,
    index: &mut Index<SourceId>,
    problems: &mut Problems,
) -> Read<Source> {
    let id = keys.needed("id", text(str::parse::<SourceId>), problems);
    let unique = id.as_ref().map_or(Ok(()), |id| index.insert(id, keys.offset_of("id"), body, problems));
    let kind = keys.needed("kind", text(str::parse), problems);
    let offer = keys.reference("offer", offers, problems);
    let offer_map = offer_map(&mut keys, offers, problems);
    let fields = field_map(&mut keys, problems);
    let values = value_map(&mut keys, problems);
    let origins = origins(&mut keys, problems);
    let thank_you = keys.optional("thank_you", text(value::page), problems);
    let error_page = keys.optional("error_page", text(value::page), problems);
    let test = keys.flag("test", problems);
    let ends = keys.optional("ends", text_or_time(value::date), problems);
    let key_generation = keys.whole("key_generation", 1..=limits::KEY_GENERATIONS, problems);
    let earlier_key_until = keys.optional("earlier_key_until", text_or_time(value::date), problems);
    let cost_per_lead = keys.optional("cost_per_lead", text(value::price), problems);
    let caps = screening::caps(&mut keys, problems);
    let form_token = keys.flag("form_token", problems);
    let postback = postback::read(&mut keys, problems);
    keys.finish(problems);
    unique?;
    Ok(Source {
        id: id?,
        kind: kind?,
        offer: offer?,
        offers: offer_map?,
        fields: fields?,
        values: values?,
        origins: origins?,
        thank_you: thank_you?,
        error_page: error_page?,
        test: test?,
        ends: ends?,
        key_generation: key_generation?.unwrap_or(1),
        earlier_key_until: earlier_key_until?,
        cost_per_lead: cost_per_lead?,
        caps: caps?,
        form_token: form_token?,
        postback: postback?,
    })
}

/// `offers = { "New roof" = "roof-replacement" }`
fn offer_map(
    keys: &mut Keys<'_, '_>,
    offers: &Index<OfferId>,
    problems: &mut Problems,
) -> Read<BTreeMap<String, OfferId>> {
    let mut map = BTreeMap::new();
    let mut whole = Ok(());
    for pair in keys.pairs("offers", problems)? {
        let said = theirs(keys, pair.name, pair.name_offset, limits::TEXT_CHARS, problems);
        let meant = keys.part("offers", pair.value, |text| Ok(text.to_owned()), problems);
        let meant =
            meant.and_then(|name| keys.find("offers", &name, pair.value.span().start, offers, problems));
        match (said, meant) {
            (Ok(said), Ok(meant)) => drop(map.insert(said, meant)),
            (Err(Refused), _) | (_, Err(Refused)) => whole = Err(Refused),
        }
    }
    whole.map(|()| map)
}

/// `fields = { "Your e-mail" = "email" }`
fn field_map(keys: &mut Keys<'_, '_>, problems: &mut Problems) -> Read<BTreeMap<String, String>> {
    let pairs = keys.pairs("fields", problems)?;
    if pairs.len() > limits::ENQUIRY_FIELDS {
        let message = format!("fields has at most {} names", limits::ENQUIRY_FIELDS);
        return keys.refuse("fields", ProblemCode::TooMany, message, problems);
    }
    let mut map = BTreeMap::new();
    let mut whole = Ok(());
    for pair in pairs {
        let name = theirs(keys, pair.name, pair.name_offset, limits::FIELD_NAME_BYTES, problems);
        let standard = keys.part("fields", pair.value, value::field_name, problems);
        match (name, standard) {
            (Ok(name), Ok(standard)) => drop(map.insert(name, standard)),
            (Err(Refused), _) | (_, Err(Refused)) => whole = Err(Refused),
        }
    }
    whole?;
    match FieldMap::new(map.clone()) {
        Ok(_) => Ok(map),
        Err(rule) => keys.refuse("fields", ProblemCode::InvalidValue, format!("fields: {rule}"), problems),
    }
}

/// `values = { consent = { "Yes, call me" = "yes" } }`
fn value_map(
    keys: &mut Keys<'_, '_>,
    problems: &mut Problems,
) -> Read<BTreeMap<String, BTreeMap<String, String>>> {
    let mut map = BTreeMap::new();
    let mut whole = Ok(());
    for pair in keys.pairs("values", problems)? {
        let Ok(field) = value::field_name(pair.name) else {
            let rule =
                "values: a field is named as we name it: lower-case letters, digits and '_', a letter first";
            whole = keys.refuse_at(pair.name_offset, ProblemCode::InvalidValue, rule, problems);
            continue;
        };
        let of_field = keys.nested("values", &pair, problems)?;
        for said in of_field.rest() {
            let theirs = theirs(keys, said.name, said.name_offset, limits::EXTRA_BYTES, problems);
            let ours = keys.part("values", said.value, |text| Ok(text.to_owned()), problems);
            match (theirs, ours) {
                (Ok(theirs), Ok(ours)) => {
                    drop(map.entry(field.clone()).or_insert_with(BTreeMap::new).insert(theirs, ours));
                }
                (Err(Refused), _) | (_, Err(Refused)) => whole = Err(Refused),
            }
        }
    }
    whole?;
    match FieldMap::default().with_values(map.clone()) {
        Ok(_) => Ok(map),
        Err(rule) => keys.refuse("values", ProblemCode::InvalidValue, format!("values: {rule}"), problems),
    }
}

/// What a sender writes: not ours to choose, but bounded.
fn theirs(
    keys: &Keys<'_, '_>,
    name: &str,
    offset: usize,
    bytes: usize,
    problems: &mut Problems,
) -> Read<String> {
    if (1..=bytes).contains(&name.len()) {
        return Ok(name.to_owned());
    }
    let message = format!("what the sender writes is 1 to {bytes} bytes");
    keys.refuse_at(offset, ProblemCode::InvalidValue, message, problems)
}

fn origins(keys: &mut Keys<'_, '_>, problems: &mut Problems) -> Read<Vec<String>> {
    let mut origins = keys.list("origins", value::origin, problems)?.unwrap_or_default();
    let mut seen = HashSet::new();
    origins.retain(|origin| seen.insert(origin.clone()));
    if origins.len() > limits::ORIGINS_PER_SOURCE {
        let rule = Invalid::new(format!("origins has at most {} of them", limits::ORIGINS_PER_SOURCE));
        return keys.refuse("origins", ProblemCode::TooMany, rule.to_string(), problems);
    }
    Ok(origins)
}
