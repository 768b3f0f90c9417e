//! Values that stand in tables and TOML alike.

use std::ops::RangeInclusive;

use jiff::civil::Date;

use crate::error::Invalid;
use crate::limits;
use crate::money::Money;
use crate::time;

/// A broken rule with the name of the column or key before it, unless the rule says it itself.
pub(super) fn named(name: &str, invalid: &Invalid) -> String {
    let rule = invalid.to_string();
    let bare = rule.strip_prefix("a ").or_else(|| rule.strip_prefix("an ")).unwrap_or(&rule);
    let says_it = bare.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', ':']));
    if says_it { rule } else { format!("{name}: {rule}") }
}

/// Digits only, within the range.
pub(super) fn whole_number(name: &str, text: &str, range: RangeInclusive<u32>) -> Result<u32, Invalid> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse::<u32>() {
        Ok(number) if digits && range.contains(&number) => Ok(number),
        _ => Err(whole_number_rule(name, &range)),
    }
}

pub(super) fn whole_number_rule(name: &str, range: &RangeInclusive<u32>) -> Invalid {
    Invalid::new(format!("{name} is a whole number from {} to {}", range.start(), range.end()))
}

/// `2026-05-09` and nothing looser.
pub(super) fn date(text: &str) -> Result<Date, Invalid> {
    let shape = text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let date = if shape { text.parse().ok() } else { None };
    date.ok_or_else(|| Invalid::new("a date is written 2026-05-09"))
}

/// An amount; a comma in it came from the spreadsheet's language.
pub(super) fn price(text: &str) -> Result<Money, Invalid> {
    text.parse().map_err(|invalid: Invalid| {
        if text.contains(',') {
            Invalid::new(
                "price: an amount has a point, no comma: 45.00; set the spreadsheet's language to English, or format the column as text",
            )
        } else {
            invalid
        }
    })
}

/// The same for an amount that is not nothing.
pub(super) fn budget(text: &str) -> Result<Money, Invalid> {
    match price(text)? {
        Money::ZERO => Err(Invalid::new("a budget is more than 0; leave the cell empty for none")),
        amount => Ok(amount),
    }
}

/// `10` or `10%`, 1 to 100.
pub(super) fn percent(text: &str) -> Result<u32, Invalid> {
    let digits = text.strip_suffix('%').unwrap_or(text).trim_end();
    whole_number("percent", digits, 1..=100)
        .map_err(|_| Invalid::new("a quota is a whole percentage from 1 to 100: 10%"))
}

/// `yes` or `no`.
pub(super) fn yes(text: &str) -> Result<bool, Invalid> {
    match text {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err(Invalid::new("this is yes or no")),
    }
}

/// A zone's name as the time zone database spells it.
pub(super) fn zone(text: &str) -> Result<String, Invalid> {
    let zone = time::zone(text)?;
    Ok(zone.iana_name().unwrap_or(text).to_owned())
}

/// Text for people.
pub(super) fn prose(name: &str, text: &str, chars: usize) -> Result<String, Invalid> {
    let length = text.chars().count();
    if (1..=chars).contains(&length) && !text.chars().any(char::is_control) {
        Ok(text.to_owned())
    } else {
        Err(Invalid::new(format!("{name} is 1 to {chars} characters on one line")))
    }
}

/// An e-mail address, without a display name.
pub(super) fn email(text: &str) -> Result<String, Invalid> {
    let options = email_address::Options::default().without_display_text().without_domain_literal();
    let valid = email_address::EmailAddress::parse_with_options(text, options).is_ok();
    if valid && text.len() <= limits::EMAIL_BYTES {
        Ok(text.to_owned())
    } else {
        Err(Invalid::new("an address is written leads@example.com, in at most 254 bytes"))
    }
}

/// An address that mail goes to or comes from: in ASCII, as every mail server takes it.
pub(super) fn mailbox(text: &str) -> Result<String, Invalid> {
    let plain = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"');
    email(text).ok().filter(|_| plain).ok_or_else(|| {
        Invalid::new(
            "an address of mail is written leads@example.com, in at most 254 ASCII characters: other letters of a domain as xn--…",
        )
    })
}

/// A telephone number as people write it.
pub(super) fn phone(text: &str) -> Result<String, Invalid> {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let allowed = |byte: u8| byte.is_ascii_digit() || b" +-().x/".contains(&byte);
    if text.len() <= limits::PHONE_BYTES && (7..=20).contains(&digits) && text.bytes().all(allowed) {
        Ok(text.to_owned())
    } else {
        Err(Invalid::new("a telephone number is written +1 305 555 0100"))
    }
}

/// ISO 4217.
pub(super) fn currency(text: &str) -> Result<String, Invalid> {
    if text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase()) {
        Ok(text.to_owned())
    } else {
        Err(Invalid::new("currency is three capital letters, such as USD"))
    }
}

/// The standard name of a field: `email`, `utm_source`.
pub(super) fn field_name(text: &str) -> Result<String, Invalid> {
    let first = text.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
    let rest = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if first && rest && text.len() <= limits::FIELD_NAME_BYTES {
        Ok(text.to_owned())
    } else {
        Err(Invalid::new(
            "a standard field is 1 to 64 characters: lower-case letters, digits and '_', a letter first",
        ))
    }
}

/// `scheme://host[:port]` as a browser sends it: lower case, no default port.
pub(super) fn origin(text: &str) -> Result<String, Invalid> {
    let rule = || {
        Invalid::new("an origin is https://host or https://host:8443, with nothing after it, not even '/'")
    };
    let address = Address::parse(text).filter(|address| address.rest.is_empty()).ok_or_else(rule)?;
    let (scheme, host) = (address.scheme, address.host.to_ascii_lowercase());
    Ok(match address.port {
        Some(port) if port != scheme.default_port() => format!("{}://{host}:{port}", scheme.as_str()),
        _ => format!("{}://{host}", scheme.as_str()),
    })
}

/// A page that a browser is sent to.
pub(super) fn page(text: &str) -> Result<String, Invalid> {
    match Address::parse(text) {
        Some(_) => Ok(text.to_owned()),
        None => Err(Invalid::new("a page is an http:// or https:// URL of at most 2048 ASCII characters")),
    }
}

/// Where leads are posted to: HTTPS. Plain HTTP is for loopback, which only one machine allows.
pub(super) fn webhook(text: &str) -> Result<String, Invalid> {
    let allowed = Address::parse(text)
        .is_some_and(|address| address.scheme == Scheme::Https || is_loopback(address.host));
    if allowed {
        Ok(text.to_owned())
    } else {
        Err(Invalid::new("a webhook's address is an https:// URL of at most 2048 ASCII characters"))
    }
}

/// A queue of our own account: its name, or its whole URL.
pub(super) fn queue(text: &str) -> Result<String, Invalid> {
    let name = match text.strip_prefix("https://sqs.") {
        Some(rest) => match rest.split('/').collect::<Vec<_>>()[..] {
            [host, account, name] if is_sqs(host) && account.len() == 12 && is_digits(account) => Some(name),
            _ => None,
        },
        None => Some(text),
    };
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if name
        .is_some_and(|name| (1..=limits::QUEUE_NAME_BYTES).contains(&name.len()) && name.bytes().all(allowed))
    {
        return Ok(text.to_owned());
    }
    if text.rsplit_once('.').is_some_and(|(_, kind)| kind == "fifo") {
        return Err(Invalid::new("a queue is a standard one: a FIFO queue is not supported"));
    }
    Err(Invalid::new(
        "a queue is its name, 1 to 80 letters, digits, '-' and '_', or https://sqs.us-east-1.amazonaws.com/123456789012/name",
    ))
}

/// `us-east-1.amazonaws.com`, and China's.
fn is_sqs(host: &str) -> bool {
    let region = host.strip_suffix(".amazonaws.com").or_else(|| host.strip_suffix(".amazonaws.com.cn"));
    region.is_some_and(|region| !region.is_empty() && is_host(region))
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Http,
    Https,
}

impl Scheme {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// The parts of a URL that matter here. Names and passwords in it are refused: they would be logged.
struct Address<'a> {
    scheme: Scheme,
    host: &'a str,
    port: Option<u16>,
    rest: &'a str,
}

impl<'a> Address<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        if text.len() > limits::PAGE_URL_BYTES || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        let (scheme, rest) = match text.split_once("://")? {
            ("https", rest) => (Scheme::Https, rest),
            ("http", rest) => (Scheme::Http, rest),
            _ => return None,
        };
        let (authority, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => {
                let number = port.parse().ok().filter(|&number| number != 0 && !port.starts_with('+'))?;
                (host, Some(number))
            }
            _ => (authority, None),
        };
        is_host(host).then_some(Self { scheme, host, port, rest })
    }
}

fn is_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return address.parse::<std::net::Ipv6Addr>().is_ok();
    }
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    host.len() <= 253 && host.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_what_a_browser_sends() {
        assert_eq!(origin("https://Roofs.Example").unwrap(), "https://roofs.example");
        assert_eq!(origin("https://roofs.example:443").unwrap(), "https://roofs.example");
        assert_eq!(origin("http://localhost:8080").unwrap(), "http://localhost:8080");
        assert_eq!(origin("http://[::1]:8080").unwrap(), "http://[::1]:8080");
        for bad in [
            "*",
            "null",
            "https://a.example/",
            "roofs.example",
            "ftp://a.example",
            "https://",
            "https://a..b",
        ] {
            assert!(origin(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn leads_are_posted_over_https_or_on_this_machine() {
        for good in
            ["https://a.example/leads?x=1", "http://127.0.0.1:9000/", "http://localhost/x", "http://[::1]/"]
        {
            assert!(webhook(good).is_ok(), "{good}");
        }
        for bad in
            ["http://a.example/", "https://user:secret@a.example/", "https://a.example:0/", "https://a b/"]
        {
            assert!(webhook(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_date_has_one_spelling() {
        assert!(date("2026-05-09").is_ok());
        for bad in ["20260509", "2026-5-9", "2026-02-30", "2026-05-09T10:00", "5/9/2026"] {
            assert!(date(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_price_with_a_comma_is_refused_with_advice() {
        assert!(price("45,00").unwrap_err().to_string().contains("a point, no comma"));
        assert_eq!(price("45.00").unwrap().minor(), 4_500);
    }
}
