//! Finds the form of a page and fills it in: enough HTML for pages that a person would press a
//! button on.

use std::collections::HashMap;

use url::form_urlencoded;

use super::open_error::OpenError;

/// The only form of a page.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Form {
    /// Where it goes, relative to the page; empty is the page itself.
    pub(super) action: String,
    /// Whether it is sent with POST.
    pub(super) post: bool,
    fields: Vec<Field>,
}

#[derive(Debug, PartialEq, Eq)]
struct Field {
    name: String,
    value: String,
    kind: Kind,
}

#[derive(Debug, PartialEq, Eq)]
enum Kind {
    /// Sent as it stands.
    Hidden,
    /// Sent with what the person typed.
    Typed,
    /// Sent when the person presses or chooses it.
    Pressed,
}

struct Tag<'page> {
    name: String,
    attributes: HashMap<String, String>,
    rest: &'page str,
}

impl Form {
    /// The form of the page; none without one.
    pub(super) fn of_page(page: &str) -> Result<Option<Self>, OpenError> {
        let mut forms: Vec<Self> = Vec::new();
        let mut inside = false;
        let mut rest = page;
        while let Some(tag) = next_tag(rest) {
            rest = tag.rest;
            match tag.name.as_str() {
                "form" => {
                    inside = true;
                    forms.push(Self::opened(&tag.attributes));
                }
                "/form" => inside = false,
                name => {
                    if let Some(form) = forms.last_mut().filter(|_| inside)
                        && let Some(field) = Field::of_tag(name, &tag.attributes)
                    {
                        form.fields.push(field);
                    }
                }
            }
        }
        if forms.len() > 1 {
            return Err(OpenError::SeveralForms);
        }
        Ok(forms.pop())
    }

    /// The body that is sent when these fields have these values, in the order of the page.
    pub(super) fn filled(&self, values: &HashMap<String, String>) -> Result<String, OpenError> {
        let known = |(name, value): (&String, &String)| {
            self.fields.iter().any(|field| {
                field.name == *name && (field.kind == Kind::Typed || field.value == *value)
            })
        };
        if !values.iter().all(known) {
            return Err(OpenError::NoSuchButton);
        }
        let mut body = form_urlencoded::Serializer::new(String::new());
        for field in &self.fields {
            let given = values.get(&field.name);
            let value = match field.kind {
                Kind::Hidden => Some(&field.value),
                Kind::Typed => Some(given.unwrap_or(&field.value)),
                Kind::Pressed => given.filter(|value| **value == field.value),
            };
            if let Some(value) = value {
                body.append_pair(&field.name, value);
            }
        }
        Ok(body.finish())
    }

    fn opened(attributes: &HashMap<String, String>) -> Self {
        let method = attributes.get("method").map(String::as_str);
        Self {
            action: attributes.get("action").cloned().unwrap_or_default(),
            post: method.is_some_and(|method| method.eq_ignore_ascii_case("post")),
            fields: Vec::new(),
        }
    }
}

impl Field {
    fn of_tag(tag: &str, attributes: &HashMap<String, String>) -> Option<Self> {
        let kind = match (tag, attributes.get("type").map(String::as_str)) {
            ("button", None | Some("submit"))
            | ("input", Some("submit" | "checkbox" | "radio")) => Kind::Pressed,
            ("input", Some("hidden")) => Kind::Hidden,
            ("input", Some("button" | "reset" | "image" | "file")) => return None,
            ("input", _) => Kind::Typed,
            _ => return None,
        };
        if attributes.contains_key("disabled") {
            return None;
        }
        Some(Self {
            name: attributes.get("name")?.clone(),
            value: attributes.get("value").cloned().unwrap_or_default(),
            kind,
        })
    }
}

/// The next tag of the text, comments left out.
fn next_tag(text: &str) -> Option<Tag<'_>> {
    let mut rest = text;
    loop {
        rest = &rest[rest.find('<')? + 1..];
        if let Some(comment) = rest.strip_prefix("!--") {
            rest = &comment[comment.find("-->")? + 3..];
            continue;
        }
        let start = usize::from(rest.starts_with('/'));
        let end =
            start + rest[start..].find(|character: char| !character.is_ascii_alphanumeric())?;
        if end > start {
            let name = rest[..end].to_ascii_lowercase();
            let (attributes, rest) = attributes(&rest[end..])?;
            return Some(Tag {
                name,
                attributes,
                rest,
            });
        }
    }
}

/// Reads attributes up to the end of the tag, and what follows it.
fn attributes(text: &str) -> Option<(HashMap<String, String>, &str)> {
    let mut attributes = HashMap::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(|character: char| {
            character.is_ascii_whitespace() || character == '/'
        });
        if let Some(after) = rest.strip_prefix('>') {
            return Some((attributes, after));
        }
        let end = rest.find(|character: char| {
            character.is_ascii_whitespace() || matches!(character, '=' | '>' | '/')
        })?;
        let name = rest[..end].to_ascii_lowercase();
        rest = rest[end..].trim_start();
        let mut value = String::new();
        if let Some(after) = rest.strip_prefix('=') {
            let after = after.trim_start();
            let quote = after
                .chars()
                .next()
                .filter(|first| matches!(first, '"' | '\''));
            let (start, end, skip) = if let Some(quote) = quote {
                (1, after[1..].find(quote)? + 1, 1)
            } else {
                let end = |character: char| character.is_ascii_whitespace() || character == '>';
                (0, after.find(end)?, 0)
            };
            value = unescaped(&after[start..end]);
            rest = &after[end + skip..];
        } else if name.is_empty() {
            return None;
        }
        attributes.entry(name).or_insert(value);
    }
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&#x27;", "'")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = r#"<!doctype html><!-- <form> --><html><body><p>1 < 2</p>
        <form method="post" action="decide?a=1&amp;b=2">
        <input type=hidden name="ticket" value="T&quot;1"><input name=note>
        <button name="decision" value="confirm">确认</button>
        <button name='decision' value='deny' class="quiet">拒绝</button></form>
        <input name="outside" value="1"></body></html>"#;

    fn values(pairs: &[(&str, &str)]) -> HashMap<String, String> {
        let pairs = pairs.iter();
        pairs
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn hidden_fields_and_the_pressed_button_are_sent() {
        let form = Form::of_page(PAGE).unwrap().unwrap();
        assert_eq!((form.action.as_str(), form.post), ("decide?a=1&b=2", true));
        let body = form.filled(&values(&[("decision", "confirm")])).unwrap();
        assert_eq!(body, "ticket=T%221&note=&decision=confirm");
        for wrong in [("decision", "other"), ("outside", "1"), ("ticket", "T2")] {
            let filled = form.filled(&values(&[wrong]));
            assert_eq!(filled, Err(OpenError::NoSuchButton));
        }
    }

    #[test]
    fn a_page_has_one_form_or_none() {
        assert_eq!(Form::of_page("<p>text</p>"), Ok(None));
        let two = Form::of_page("<form></form><form></form>");
        assert_eq!(two, Err(OpenError::SeveralForms));
        // A page may break off anywhere.
        for end in 0..PAGE.len() {
            if let Some(part) = PAGE.get(..end) {
                let _form = Form::of_page(part);
            }
        }
    }
}
