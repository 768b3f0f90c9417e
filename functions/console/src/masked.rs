//! A person as somebody sees them who has not asked who they are, or may not: enough to tell two apart.

use leadyard_domain::lead::Contactable;

/// The first name and the initial of the last; where they are, without the street; how they are reached, masked.
pub(crate) fn person(person: &Contactable) -> Contactable {
    Contactable {
        first_name: person.first_name.clone(),
        last_name: person.last_name.as_deref().and_then(initial),
        email: person.email.as_deref().map(email),
        phone: person.phone.as_deref().map(phone),
        organization: None,
        street: None,
        city: person.city.clone(),
        state: person.state,
        zip: person.zip,
    }
}

/// `H.` of Hill.
pub(crate) fn initial(last: &str) -> Option<String> {
    last.chars().next().map(|letter| format!("{letter}."))
}

/// A phone number of which the last two digits are shown.
pub(crate) fn phone(phone: &str) -> String {
    let shown = phone.len().saturating_sub(2);
    phone
        .char_indices()
        .map(|(at, digit)| if at < shown && digit.is_ascii_digit() { '•' } else { digit })
        .collect()
}

/// An e-mail of which the first letter and the domain are shown.
pub(crate) fn email(email: &str) -> String {
    let Some((local, domain)) = email.split_once('@') else { return "•••".to_owned() };
    format!("{}•••@{domain}", local.chars().next().unwrap_or('•'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_masked_tells_nobody_apart_but_who_knows_them() {
        assert_eq!(phone("+13055550100"), "+•••••••••00");
        assert_eq!(email("ada.hill@mail.example"), "a•••@mail.example");
        let ada = Contactable {
            first_name: Some("Ada".to_owned()),
            last_name: Some("Hill".to_owned()),
            street: Some("1 Main St".to_owned()),
            organization: Some("Hill & Sons".to_owned()),
            city: Some("Miami".to_owned()),
            ..Contactable::default()
        };
        let told = serde_json::to_string(&person(&ada)).unwrap();
        assert_eq!(told, r#"{"first_name":"Ada","last_name":"H.","city":"Miami"}"#);
    }
}
