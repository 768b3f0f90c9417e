//! The pages of the demo: what a visitor and a dealer would see. Templates stand beside the code that
//! fills them; every value is escaped on its way in.

pub mod landing;
pub mod desk;
pub mod mail;

/// Fills `{{name}}` in a template, once, from left to right: a value that looks like a placeholder is
/// text. A name that has no value stays as it is, so that a slip is seen.
pub(crate) fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut page = String::with_capacity(template.len() * 2);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        page.push_str(before);
        let value = after.split_once("}}").and_then(|(name, after)| {
            values.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value, after))
        });
        let (value, after) = value.unwrap_or(("{{", after));
        page.push_str(value);
        rest = after;
    }
    page.push_str(rest);
    page
}

/// Text as HTML, in an element or a quoted attribute.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_never_read_as_a_template() {
        assert_eq!(fill("<{{a}}|{{b}}>", &[("a", "{{b}}"), ("b", "x")]), "<{{b}}|x>");
        assert_eq!(fill("{{unknown}} {{a", &[("a", "x")]), "{{unknown}} {{a");
    }

    #[test]
    fn nothing_escapes_from_text_or_attribute() {
        assert_eq!(escape(r#"<a b='c' d="e">&"#), "&lt;a b=&#39;c&#39; d=&quot;e&quot;&gt;&amp;");
    }
}
