//! A row of a suppression list: whom the company must not take in.

use crate::enquiry::{FieldMap, Fields, Meaning, Standard, squeezed};
use crate::error::FieldError;
use crate::history::mend;
use crate::history::row::{Cells, at_fault};
use crate::limits;
use crate::person::{Email, Phone};

/// Somebody to be suppressed, or to be taken off the list again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// By e-mail.
    pub email: Option<Email>,
    /// By phone.
    pub phone: Option<Phone>,
    /// One word for why, such as `unsubscribed`: a text might name the person.
    pub reason: Option<String>,
    /// Taken off the list.
    pub remove: bool,
}

impl Listed {
    /// Reads a row of `email` and `phone` (either, under any of their usual names), or `value` for one of the
    /// two; `reason` and `remove` may follow.
    ///
    /// # Errors
    /// Every field at fault. What is there and cannot be understood is refused: whoever is on the list is
    /// meant.
    pub fn read(row: &Fields) -> Result<Self, Vec<FieldError>> {
        let cells = Cells::of(row);
        let map = FieldMap::default();
        let mut errors = Vec::new();
        let (mut email, mut phone) = (None, None);
        for (name, value) in cells.iter() {
            let meaning = map.meaning(name).1;
            let both = squeezed(name) == "value";
            let is_email = meaning == Meaning::Standard(Standard::Email) || (both && value.contains('@'));
            let is_phone = meaning == Meaning::Standard(Standard::Phone) || (both && !value.contains('@'));
            if is_email {
                match Email::parse(value) {
                    Ok(parsed) => email = Some(parsed),
                    Err(rule) => errors.push(at_fault(name, &rule)),
                }
            } else if is_phone {
                match Phone::parse(mend::whole(value)) {
                    Ok(parsed) => phone = Some(parsed),
                    Err(rule) => errors.push(at_fault(name, &rule)),
                }
            }
        }
        let reason = cells.get("reason").map(word).transpose().unwrap_or_else(|rule| {
            errors.push(rule);
            None
        });
        let remove = match cells.get("remove").map(str::to_lowercase).as_deref() {
            None | Some("no" | "false" | "0") => false,
            Some("yes" | "true" | "1" | "x") => true,
            Some(_) => {
                errors.push(FieldError {
                    pointer: "/remove".to_owned(),
                    detail: "remove is yes or no".to_owned(),
                });
                false
            }
        };
        if errors.is_empty() && email.is_none() && phone.is_none() {
            let detail = "a row names an e-mail address or a phone number: email, phone or value";
            errors.push(FieldError { pointer: "/email".to_owned(), detail: detail.to_owned() });
        }
        if errors.is_empty() { Ok(Self { email, phone, reason, remove }) } else { Err(errors) }
    }
}

fn word(text: &str) -> Result<String, FieldError> {
    let word = text.trim().to_lowercase().replace(' ', "-");
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
    let begins = word.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
    if begins && word.len() <= limits::SLUG_BYTES && word.bytes().all(plain) {
        Ok(word)
    } else {
        let detail = "a reason is a word or two such as unsubscribed, at most 48 letters, digits and '-', a letter first";
        Err(FieldError { pointer: "/reason".to_owned(), detail: detail.to_owned() })
    }
}
