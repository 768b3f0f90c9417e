//! Who asks.

use serde_json::{Map, Value, json};

/// A person as a form would send them.
#[derive(Clone)]
pub struct Person(Map<String, Value>);

impl Person {
    /// Lives in Miami, with an e-mail of their own name and no phone.
    pub fn named(first: &str, last: &str) -> Self {
        let email = format!("{}.{}@mail.example", first.to_lowercase(), last.to_lowercase());
        Self(Map::new())
            .with("first_name", first)
            .with("last_name", last)
            .with("email", &email)
            .with("zip", "33101")
    }

    /// One of many: no two share a name, an e-mail or a phone.
    pub fn number(n: usize) -> Self {
        let phone = format!("+1305{:07}", 2_740_000 + n);
        Self::named(&format!("Ann{n}"), &format!("Hill{n}")).with("phone", &phone)
    }

    /// Says something, or something else.
    #[must_use]
    pub fn with(mut self, field: &str, value: &str) -> Self {
        self.0.insert(field.to_owned(), json!(value));
        self
    }

    /// Does not say something.
    #[must_use]
    pub fn without(mut self, field: &str) -> Self {
        self.0.remove(field);
        self
    }

    /// As JSON.
    pub fn json(&self) -> Value {
        Value::Object(self.0.clone())
    }

    /// As a form's body.
    pub fn form(&self) -> String {
        let pairs = self.0.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap_or_default()));
        let url = reqwest::Url::parse_with_params("http://form.example/", pairs).expect("a form is a query");
        url.query().unwrap_or_default().to_owned()
    }
}
