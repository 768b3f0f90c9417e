//! What Meta posts when somebody sends a lead form, and what its Graph API then says of that lead.
//!
//! A notice names leads and nothing of the people. Ids may be larger than any number that JSON's readers keep exact,
//! so they stay text, however they are sent.
//!
//! Of a lead each answer becomes a field under Meta's own name, which our aliases know (`full_name`,
//! `phone_number`, `post_code` …) or the source's field map does. `utm_source` is `facebook` and `utm_medium`
//! `paid_social`, `utm_content` the ad's id, unless the form says otherwise. What Meta's testing tool fills a form
//! with says so of itself, and makes a test lead.

use std::collections::BTreeMap;

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::fields::{BodyError, Fields, check_depth};
use crate::limits;

/// One lead that Meta tells of. Nothing personal is in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetaNotice {
    /// Meta's id of the lead.
    #[serde(default, deserialize_with = "text")]
    pub leadgen_id: String,
    /// The page whose form it is.
    #[serde(default, deserialize_with = "text")]
    pub page_id: String,
    /// The form.
    #[serde(default, deserialize_with = "text")]
    pub form_id: String,
    /// The ad.
    #[serde(default, deserialize_with = "text")]
    pub ad_id: String,
    /// The ad set.
    #[serde(default, deserialize_with = "text")]
    pub adgroup_id: String,
    /// When the form was sent, as Meta writes it.
    #[serde(default, deserialize_with = "text")]
    pub created_time: String,
}

impl MetaNotice {
    /// Reads a post: the leads it tells of, at most [`limits::NOTICES`]. What else a page may tell of is passed over.
    pub fn read(body: &[u8]) -> Result<Vec<Self>, BodyError> {
        if body.len() > limits::NOTICES_BYTES {
            return Err(BodyError::TooLarge { limit: limits::NOTICES_BYTES });
        }
        let json = std::str::from_utf8(body).map_err(|_| BodyError::NotUtf8)?;
        check_depth(json)?;
        let mut notices = Vec::new();
        let mut reader = serde_json::Deserializer::from_str(json);
        let within = Within { level: Level::Body, notices: &mut notices };
        within.deserialize(&mut reader).and_then(|()| reader.end()).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            if error.is_data() { BodyError::NoNotice } else { BodyError::BadJson { line, column } }
        })?;
        Ok(notices)
    }

    /// As kept until the lead is fetched.
    pub fn fields(&self) -> Fields {
        let mut fields = Fields::default();
        for (name, value) in [
            ("meta_lead_id", &self.leadgen_id),
            ("page_id", &self.page_id),
            ("form_id", &self.form_id),
            ("ad_id", &self.ad_id),
            ("adgroup_id", &self.adgroup_id),
            ("created_time", &self.created_time),
        ] {
            if !value.is_empty() {
                let _ = fields.push(name, value.clone()); // a handful
            }
        }
        fields
    }
}

/// A lead as the Graph API gives it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct MetaLead {
    /// What the person answered, and the ids.
    pub fields: Fields,
    /// It is what Meta's testing tool fills a form with.
    pub is_test: bool,
}

impl fmt::Debug for MetaLead {
    /// Without what the person said.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetaLead").field("is_test", &self.is_test).finish_non_exhaustive()
    }
}

impl MetaLead {
    /// Reads the answer to the request for a lead, and adds what its notice said.
    pub fn read(body: &[u8], notice: &Fields) -> Result<Self, BodyError> {
        let mut fields = Fields::default();
        let mut rest = Vec::new();
        let told = Vec::from(Fields::from_json(body)?);
        // Whatever order its members have.
        let of = |name: &str| {
            let (index, member) = name.strip_prefix("field_data.")?.split_once('.')?;
            Some((index.to_owned(), member == "name"))
        };
        let questions = told.iter().filter_map(|(name, value)| match of(name)? {
            (index, true) => Some((index, value.clone())),
            (_, false) => None,
        });
        let questions: BTreeMap<String, String> = questions.collect();
        for (name, value) in told {
            match (of(&name), name.as_str()) {
                (Some((_, true)), _) => {}
                (Some((index, false)), _) => match questions.get(&index) {
                    Some(question) => fields.push(question, value)?,
                    None => rest.push((name, value)),
                },
                (None, "id") => rest.push(("meta_lead_id".to_owned(), value)),
                (None, _) => rest.push((name, value)),
            }
        }
        if fields.is_empty() {
            return Err(BodyError::NoFieldData);
        }
        let is_test = fields.iter().any(|(_, value)| value.starts_with("<test lead: dummy data"));
        let ad = rest
            .iter()
            .find(|(name, _)| name == "ad_id")
            .map(|(_, ad)| ("utm_content".to_owned(), ad.clone()));
        let ours = [("utm_source", "facebook"), ("utm_medium", "paid_social")];
        let ours = ours.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter().chain(ad);
        let told = notice.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        for (name, value) in rest.into_iter().chain(ours).chain(told) {
            if fields.get(&name).is_none() {
                fields.push(&name, value)?;
            }
        }
        Ok(Self { fields, is_test })
    }
}

/// Text, or a number as it is written; nothing of anything else.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    struct Text;
    impl Visitor<'_> for Text {
        type Value = String;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("text or a number")
        }
        fn visit_str<E>(self, text: &str) -> Result<String, E> {
            Ok(text.get(..text.len().min(128)).unwrap_or_default().to_owned())
        }
        fn visit_u64<E>(self, number: u64) -> Result<String, E> {
            Ok(number.to_string())
        }
        fn visit_i64<E>(self, number: i64) -> Result<String, E> {
            Ok(number.to_string())
        }
        fn visit_unit<E>(self) -> Result<String, E> {
            Ok(String::new())
        }
    }
    deserializer.deserialize_any(Text)
}

/// It is to stand in a URL.
fn plain(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Where in a post the reader is.
#[derive(Clone, Copy)]
enum Level {
    Body,
    Entries,
    Entry,
    Changes,
}

/// Reads one level and what is within it, and keeps notices alone: memory is bounded by them.
struct Within<'a> {
    level: Level,
    notices: &'a mut Vec<MetaNotice>,
}

#[derive(Deserialize)]
struct Change {
    #[serde(default)]
    field: String,
    #[serde(default, deserialize_with = "notice")]
    value: Option<MetaNotice>,
}

/// A notice, or whatever else a page may tell of: that is passed over.
fn notice<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<MetaNotice>, D::Error> {
    struct Notice;
    impl<'de> Visitor<'de> for Notice {
        type Value = Option<MetaNotice>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("what happened")
        }
        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
            MetaNotice::deserialize(MapAccessDeserializer::new(map)).map(Some)
        }
        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            while seq.next_element::<IgnoredAny>()?.is_some() {}
            Ok(None)
        }
        fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
            Ok(None)
        }
        fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
            Ok(None)
        }
        fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
            Ok(None)
        }
        fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
            Ok(None)
        }
        fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
            Ok(None)
        }
        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }
    }
    deserializer.deserialize_any(Notice)
}

impl<'de> DeserializeSeed<'de> for Within<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.level {
            Level::Body | Level::Entry => deserializer.deserialize_map(self),
            Level::Entries | Level::Changes => deserializer.deserialize_seq(self),
        }
    }
}

impl<'de> Visitor<'de> for Within<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a page's webhook")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let (wanted, level) = match self.level {
            Level::Body => ("entry", Level::Entries),
            Level::Entries | Level::Entry | Level::Changes => ("changes", Level::Changes),
        };
        while let Some(key) = map.next_key::<String>()? {
            if key == wanted {
                map.next_value_seed(Within { level, notices: &mut *self.notices })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        if matches!(self.level, Level::Entries) {
            while seq
                .next_element_seed(Within { level: Level::Entry, notices: &mut *self.notices })?
                .is_some()
            {}
            return Ok(());
        }
        while let Some(change) = seq.next_element::<Change>()? {
            let Some(notice) = change.value.filter(|_| change.field == "leadgen") else { continue };
            // It could not be asked for; those beside it can.
            if !plain(&notice.leadgen_id) {
                continue;
            }
            if self.notices.len() == limits::NOTICES {
                return Err(serde::de::Error::custom("too many"));
            }
            self.notices.push(notice);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Meta's documentation of the leadgen webhook shows it.
    const NOTICE: &str = r#"{"object":"page","entry":[{"id":153125381133,"time":1438292065,"changes":[{"field":"leadgen","value":{"leadgen_id":123123123123,"page_id":123123123,"form_id":12312312312,"adgroup_id":12312312312,"ad_id":12312312312,"created_time":1440120384}},{"field":"leadgen","value":{"leadgen_id":"18446744073709551617","page_id":123123123,"form_id":12312312312,"created_time":1440120384}}]}]}"#;
    /// As its documentation shows the answer of the Graph API.
    const LEAD: &str = r#"{"created_time":"2015-02-28T08:49:14+0000","id":"123123123123","ad_id":"12312","form_id":"1234","field_data":[{"name":"car_make","values":["Honda"]},{"name":"full_name","values":["Joe Example"]},{"name":"email","values":["joe@example.com"]},{"name":"extras","values":["roof","rack"]}]}"#;

    #[test]
    fn the_published_notice_is_read_and_ids_stay_text() {
        let notices = MetaNotice::read(NOTICE.as_bytes()).unwrap();
        assert_eq!(notices.len(), 2);
        assert_eq!(
            (notices[0].leadgen_id.as_str(), notices[0].page_id.as_str()),
            ("123123123123", "123123123")
        );
        assert_eq!(notices[1].leadgen_id, "18446744073709551617");
    }

    #[test]
    fn what_else_a_page_tells_of_keeps_no_lead_from_being_read() {
        let changes = r#"{"field":"name","value":"New name"},{"field":"feed","value":["a",{"b":1}]},{"field":"leadgen","value":{"leadgen_id":"no id"}},{"field":"leadgen","value":{"leadgen_id":7}},{"field":"open","value":true}"#;
        let body = format!(r#"{{"object":"page","entry":[{{"id":1,"changes":[{changes}]}}]}}"#);
        let notices = MetaNotice::read(body.as_bytes()).unwrap();
        assert_eq!(notices.iter().map(|notice| notice.leadgen_id.as_str()).collect::<Vec<_>>(), ["7"]);
    }

    #[test]
    fn the_published_lead_is_read() {
        let notice = MetaNotice::read(NOTICE.as_bytes()).unwrap()[0].fields();
        let lead = MetaLead::read(LEAD.as_bytes(), &notice).unwrap();
        for (name, value) in [
            ("full_name", "Joe Example"),
            ("email", "joe@example.com"),
            ("car_make", "Honda"),
            ("extras", "roof, rack"),
            ("meta_lead_id", "123123123123"),
            ("page_id", "123123123"),
            ("form_id", "1234"),
            ("utm_source", "facebook"),
            ("utm_content", "12312"),
        ] {
            assert_eq!(lead.fields.get(name), Some(value), "{name}");
        }
        assert!(!lead.is_test);
        let turned = LEAD.replace(
            r#"{"name":"email","values":["joe@example.com"]}"#,
            r#"{"values":["joe@example.com"],"name":"email"}"#,
        );
        assert_eq!(
            MetaLead::read(turned.as_bytes(), &notice).unwrap().fields.get("email"),
            Some("joe@example.com")
        );
        let test = LEAD.replace("Honda", "<test lead: dummy data for car_make>");
        assert!(MetaLead::read(test.as_bytes(), &notice).unwrap().is_test);
    }

    #[test]
    fn what_is_no_notice_or_no_lead_is_refused() {
        let notice = |body: &str| MetaNotice::read(body.as_bytes());
        assert_eq!(notice("[]"), Err(BodyError::NoNotice));
        assert!(matches!(notice("{"), Err(BodyError::BadJson { .. })));
        // What cannot be asked for is passed over, and nothing beside it.
        assert_eq!(notice(&NOTICE.replace("123123123123", "\"../x\"")).unwrap().len(), 1);
        assert_eq!(notice("{}"), Ok(Vec::new()), "nothing is told");
        assert_eq!(notice(&NOTICE.replace("\"leadgen\"", "\"feed\"")), Ok(Vec::new()));
        let many = NOTICE.replace(
            "\"changes\":[",
            &format!(
                "\"changes\":[{}",
                r#"{"field":"leadgen","value":{"leadgen_id":1}},"#.repeat(limits::NOTICES)
            ),
        );
        assert_eq!(notice(&many), Err(BodyError::NoNotice));
        assert!(matches!(notice(&" ".repeat(limits::NOTICES_BYTES + 1)), Err(BodyError::TooLarge { .. })));
        assert_eq!(
            MetaLead::read(b"{\"id\":\"1\"}", &Fields::default()).unwrap_err(),
            BodyError::NoFieldData
        );
    }
}
