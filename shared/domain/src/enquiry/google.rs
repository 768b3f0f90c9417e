//! What Google Ads posts when somebody sends a lead form.
//!
//! It is read as any JSON is, so that numbers stay exact, whether they come as numbers or strings, and what Google
//! adds is kept; then each column becomes a field of its own. Standard columns get our names. Any other is known
//! by its id, or by the question as the form asks it, whichever the source's field map has; by its id if neither.
//!
//! The campaign is a campaign, the creative its content: `utm_source` `google`, `utm_medium` `cpc`, `utm_campaign`
//! and `utm_id` the campaign's id, `utm_content` the creative's, `gclid` the click's. A source's value map gives
//! campaigns their names. What the form itself sends of these counts before that.

use super::fields::{BodyError, Fields};
use super::names::FieldMap;

/// A lead form as posted, its columns not yet named.
pub struct GoogleLead {
    /// Google's id of the lead: the same lead has the same, however often it is sent.
    pub lead_id: String,
    /// What proves that Google sent it. Never kept.
    pub google_key: String,
    /// Somebody pressed "Send test data".
    pub is_test: bool,
    columns: Vec<Column>,
    rest: Vec<(String, String)>,
}

#[derive(Default)]
struct Column {
    id: String,
    name: String,
    value: String,
}

/// Standard columns, and our names or aliases of them. The private address and number come before those at work.
const COLUMNS: [(&str, &str); 13] = [
    ("FULL_NAME", "name"),
    ("FIRST_NAME", "first_name"),
    ("LAST_NAME", "last_name"),
    ("EMAIL", "email"),
    ("PHONE_NUMBER", "phone"),
    ("POSTAL_CODE", "zip"),
    ("CITY", "city"),
    ("REGION", "state"),
    ("COUNTRY", "country"),
    ("COMPANY_NAME", "organization"),
    ("JOB_TITLE", "job_title"),
    ("WORK_EMAIL", "work_email"),
    ("WORK_PHONE", "work_phone"),
];

/// What stands beside the columns, and what attribution calls it.
const ATTRIBUTION: [(&str, &str); 4] = [
    ("gcl_id", "gclid"),
    ("campaign_id", "utm_campaign"),
    ("campaign_id", "utm_id"),
    ("creative_id", "utm_content"),
];

impl std::fmt::Debug for GoogleLead {
    /// Without the key and what the person said.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GoogleLead").field("is_test", &self.is_test).finish_non_exhaustive()
    }
}

impl GoogleLead {
    /// Reads a post.
    pub fn read(body: &[u8]) -> Result<Self, BodyError> {
        let mut read = Self {
            lead_id: String::new(),
            google_key: String::new(),
            is_test: false,
            columns: Vec::new(),
            rest: Vec::new(),
        };
        let mut at = None;
        for (name, value) in Vec::from(Fields::from_json(body)?) {
            let column = name.strip_prefix("user_column_data.").and_then(|rest| rest.split_once('.'));
            match (column, name.as_str()) {
                (Some((index, part)), _) => {
                    if at.as_deref() != Some(index) {
                        at = Some(index.to_owned());
                        read.columns.push(Column::default());
                    }
                    let Some(column) = read.columns.last_mut() else { continue };
                    match part {
                        "column_id" => column.id = value,
                        "column_name" => column.name = value,
                        "string_value" => column.value = value,
                        _ => read.rest.push((name, value)),
                    }
                }
                (None, "lead_id") => read.lead_id = value,
                (None, "google_key") => read.google_key = value,
                (None, "is_test") => read.is_test = value == "true" || value == "1",
                (None, _) => read.rest.push((name, value)),
            }
        }
        if read.lead_id.trim().is_empty() {
            return Err(BodyError::NoLeadId);
        }
        Ok(read)
    }

    /// The fields, as a source calls them.
    pub fn fields(self, map: &FieldMap) -> Result<Fields, BodyError> {
        let mut fields = Fields::default();
        for Column { id, name, value } in self.columns {
            let standard = COLUMNS.iter().find(|(theirs, _)| *theirs == id).map(|(_, ours)| *ours);
            let called = match standard {
                Some(ours) if !map.knows(&id) => ours,
                _ if map.knows(&name) && !map.knows(&id) => &name,
                _ if id.is_empty() => &name,
                _ => &id,
            };
            fields.push(if called.is_empty() { "column" } else { called }, value)?;
        }
        let tagged: Vec<(&str, String)> = ATTRIBUTION
            .iter()
            .filter_map(|(theirs, tag)| {
                let (_, value) = self.rest.iter().find(|(name, _)| name == theirs)?;
                Some((*tag, value.clone()))
            })
            .chain([("utm_source", "google".to_owned()), ("utm_medium", "cpc".to_owned())])
            .filter(|(tag, value)| !value.is_empty() && fields.get(tag).is_none())
            .collect();
        for (tag, value) in tagged {
            fields.push(tag, value)?;
        }
        fields.push("google_lead_id", self.lead_id)?;
        for (name, value) in self.rest {
            fields.push(&name, value)?;
        }
        Ok(fields)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// As Google's documentation of the webhook shows it.
    const SAMPLE: &str = r#"{"lead_id":"lead_id1","user_column_data":[{"string_value":"FirstName LastName","column_id":"FULL_NAME"},{"column_name":"User Phone","string_value":"1-650-555-0123","column_id":"PHONE_NUMBER"},{"column_name":"User Email","string_value":"test@example.com","column_id":"EMAIL"}],"api_version":"1.0","form_id":40000000000,"campaign_id":123456789012345678,"google_key":"secret","is_test":true,"gcl_id":"CjwK","adgroup_id":20000000000,"creative_id":30000000000}"#;

    fn fields(body: &str, map: &[(&str, &str)]) -> Fields {
        let map: BTreeMap<String, String> =
            map.iter().map(|(theirs, ours)| ((*theirs).to_owned(), (*ours).to_owned())).collect();
        GoogleLead::read(body.as_bytes()).unwrap().fields(&FieldMap::new(map).unwrap()).unwrap()
    }

    #[test]
    fn the_published_sample_is_read() {
        let lead = GoogleLead::read(SAMPLE.as_bytes()).unwrap();
        assert_eq!(
            (lead.lead_id.as_str(), lead.google_key.as_str(), lead.is_test),
            ("lead_id1", "secret", true)
        );
        let fields = fields(SAMPLE, &[]);
        for (name, value) in [
            ("name", "FirstName LastName"),
            ("phone", "1-650-555-0123"),
            ("email", "test@example.com"),
            ("gclid", "CjwK"),
            ("utm_source", "google"),
            ("utm_campaign", "123456789012345678"),
            ("campaign_id", "123456789012345678"),
            ("form_id", "40000000000"),
            ("adgroup_id", "20000000000"),
            ("utm_content", "30000000000"),
        ] {
            assert_eq!(fields.get(name), Some(value), "{name}");
        }
        assert_eq!(fields.get("google_key"), None, "a secret is not kept");
    }

    #[test]
    fn numbers_are_exact_whether_they_come_as_numbers_or_strings() {
        for form in ["18446744073709551615", "\"18446744073709551615\""] {
            let body = format!(r#"{{"lead_id":"a","form_id":{form}}}"#);
            assert_eq!(fields(&body, &[]).get("form_id"), Some("18446744073709551615"));
        }
    }

    #[test]
    fn a_custom_column_is_known_by_its_id_or_its_question() {
        let body = r#"{"lead_id":"a","user_column_data":[{"column_id":"q_17","column_name":"Which roof?","string_value":"metal"},{"column_id":"WORK_EMAIL","string_value":"w@example.com"},{"column_id":"EMAIL","string_value":"e@example.com"}]}"#;
        assert_eq!(fields(body, &[("q_17", "roof")]).get("q_17"), Some("metal"));
        assert_eq!(fields(body, &[("Which roof?", "roof")]).get("Which roof?"), Some("metal"));
        assert_eq!(fields(body, &[]).get("q_17"), Some("metal"));
        assert_eq!(fields(body, &[]).get("email"), Some("e@example.com"));
        assert_eq!(fields(body, &[]).get("work_email"), Some("w@example.com"));
    }

    #[test]
    fn each_standard_column_is_the_field_of_ours_that_means_it() {
        let columns = [
            ("FULL_NAME", "name", "Ada Hill"),
            ("FIRST_NAME", "first_name", "Ada"),
            ("LAST_NAME", "last_name", "Hill"),
            ("EMAIL", "email", "ada@mail.example"),
            ("PHONE_NUMBER", "phone", "305-555-0100"),
            ("POSTAL_CODE", "zip", "33101"),
            ("CITY", "city", "Miami"),
            ("REGION", "state", "Florida"),
            ("COUNTRY", "country", "US"),
            ("COMPANY_NAME", "organization", "Engines"),
            ("JOB_TITLE", "job_title", "Owner"),
            ("WORK_EMAIL", "work_email", "ada@work.example"),
            ("WORK_PHONE", "work_phone", "305-555-0101"),
        ];
        assert_eq!(columns.len(), COLUMNS.len());
        let sent =
            columns.map(|(id, _, value)| format!(r#"{{"column_id":"{id}","string_value":"{value}"}}"#));
        let body = format!(r#"{{"lead_id":"a","user_column_data":[{}]}}"#, sent.join(","));
        let fields = fields(&body, &[]);
        for (id, ours, value) in columns {
            assert_eq!(fields.get(ours), Some(value), "{id}");
        }
    }

    #[test]
    fn without_an_id_it_is_refused() {
        let error = GoogleLead::read(br#"{"google_key":"x"}"#).unwrap_err();
        assert!(error.to_string().contains("lead_id"));
    }
}
