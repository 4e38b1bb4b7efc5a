//! Texts with named placeholders, such as `欢迎，{nickname}！`, which the owner can replace.

use std::fmt;

/// A text that was checked when the gateway started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Placeholder(Placeholder),
}

/// What a text can refer to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placeholder {
    /// The person's nickname; empty while it isn't known.
    Nickname,
    /// The site's name, from `reply.site_name`.
    Site,
    /// The link that this text is about.
    Link,
}

impl Placeholder {
    const ALL: [Self; 3] = [Self::Nickname, Self::Site, Self::Link];

    const fn name(self) -> &'static str {
        match self {
            Self::Nickname => "nickname",
            Self::Site => "site",
            Self::Link => "link",
        }
    }
}

impl fmt::Display for Placeholder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{{{}}}", self.name())
    }
}

/// What the placeholders stand for in one reply.
#[derive(Debug, Clone, Copy, Default)]
pub struct Values<'a> {
    /// See [`Placeholder::Nickname`].
    pub nickname: &'a str,
    /// See [`Placeholder::Site`].
    pub site: &'a str,
    /// See [`Placeholder::Link`].
    pub link: &'a str,
}

impl Template {
    /// Reads a text. WeChat shows the person a fault notice for an empty reply, so an empty text is
    /// refused.
    ///
    /// # Errors
    ///
    /// An empty text, an unknown placeholder, or one that isn't closed.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Err("is empty, and WeChat shows a fault notice for an empty reply".to_owned());
        }
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, behind) = after
                .split_once('}')
                .ok_or_else(|| "has a { that no } closes".to_owned())?;
            let placeholder = Placeholder::ALL
                .into_iter()
                .find(|placeholder| placeholder.name() == name);
            let placeholder = placeholder.ok_or_else(|| {
                let known = Placeholder::ALL
                    .map(|placeholder| placeholder.to_string())
                    .join(", ");
                format!("has the unknown placeholder {{{name}}}; known are {known}")
            })?;
            parts.extend([
                Part::Text(before.to_owned()),
                Part::Placeholder(placeholder),
            ]);
            rest = behind;
        }
        parts.push(Part::Text(rest.to_owned()));
        Ok(Self(parts))
    }

    /// Whether the text contains this placeholder.
    pub fn mentions(&self, placeholder: Placeholder) -> bool {
        self.0.contains(&Part::Placeholder(placeholder))
    }

    /// The text with its placeholders filled in.
    pub fn fill(&self, values: Values<'_>) -> String {
        let parts = self.0.iter().map(|part| match part {
            Part::Text(text) => text.as_str(),
            Part::Placeholder(Placeholder::Nickname) => values.nickname,
            Part::Placeholder(Placeholder::Site) => values.site,
            Part::Placeholder(Placeholder::Link) => values.link,
        });
        parts.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_in_where_they_stand() {
        let template =
            Template::parse("{nickname}，欢迎来到{site}！<a href=\"{link}\">继续</a>").unwrap();
        let values = Values {
            nickname: "小林{site}",
            site: "花店",
            link: "https://x",
        };
        assert_eq!(
            template.fill(values),
            "小林{site}，欢迎来到花店！<a href=\"https://x\">继续</a>"
        );
    }

    #[test]
    fn what_cannot_be_filled_in_is_refused() {
        assert!(
            Template::parse("{name}")
                .unwrap_err()
                .contains("{nickname}, {site}, {link}")
        );
        assert!(Template::parse("欢迎{").is_err());
        assert!(Template::parse("  ").is_err());
    }
}
