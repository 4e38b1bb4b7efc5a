//! Rules for the text of every setting, wherever it comes from: files, editors, consoles and chat
//! programs leave whitespace and quotation marks around what is copied, and nobody notices.

/// Marks around a value that a shell or a file format would have taken away.
const QUOTATION_MARKS: &[char] = &[
    '"', '\'', '`', '\u{2018}', '\u{2019}', '\u{201c}', '\u{201d}', '\u{300c}', '\u{300d}',
    '\u{ff02}', '\u{ff07}',
];

/// A value without what can't be seen at its ends: blanks of every width, line ends, byte order
/// marks.
pub(super) fn trimmed(value: &str) -> &str {
    value.trim_matches(|character| is_invisible(character) || character.is_whitespace())
}

/// What is wrong with a trimmed value that isn't a text for people. The value isn't repeated, since
/// it may be a secret.
pub(super) fn complaint(value: &str, is_secret: bool) -> Option<String> {
    let is_quoted = value.starts_with(QUOTATION_MARKS) || value.ends_with(QUOTATION_MARKS);
    if is_quoted {
        return Some(
            "begins or ends with a quotation mark, which would become part of the value".to_owned(),
        );
    }
    // Lists may have blanks and line ends between their items.
    let is_out_of_place = |character: char| {
        if character.is_whitespace() {
            is_secret
        } else {
            is_invisible(character)
        }
    };
    let (index, character) = value
        .chars()
        .enumerate()
        .find(|(_, character)| is_out_of_place(*character))?;
    let what = if character.is_whitespace() {
        "a space or line break"
    } else {
        "an invisible character"
    };
    Some(format!(
        "contains {what} (U+{:04X}, character {})",
        u32::from(character),
        index + 1
    ))
}

/// Control characters, and what has no width of its own: soft hyphen, zero-width characters, marks
/// of direction, byte order mark, tags and the like.
const fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\0'..='\u{1f}'
            | '\u{7f}'..='\u{9f}'
            | '\u{ad}'
            | '\u{61c}'
            | '\u{115f}'
            | '\u{1160}'
            | '\u{17b4}'
            | '\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_at_the_ends_goes() {
        for around in [
            " ", "\t", "\r\n", "\n", "\0", "\u{a0}", "\u{3000}", "\u{2003}", "\u{feff}",
            "\u{200b}", "\u{200e}", "\u{2028}", "\u{85}",
        ] {
            assert_eq!(trimmed(&format!("{around}a b{around}{around}")), "a b");
        }
        assert_eq!(trimmed(" \u{feff}\r\n"), "");
    }

    #[test]
    fn quotation_marks_at_the_ends_are_named() {
        for quoted in [
            "\"hunter2\"",
            "'hunter2'",
            "\"hunter2",
            "hunter2'",
            "\u{201c}hunter2\u{201d}",
            "`hunter2`",
            "\"",
        ] {
            let wrong = complaint(quoted, true).unwrap();
            assert!(wrong.contains("quotation mark"), "{wrong}");
            assert!(!wrong.contains("hunter2"), "{wrong}");
        }
        assert_eq!(complaint("hunt\"er2", true), None);
        assert_eq!(complaint("", true), None);
    }

    #[test]
    fn what_cannot_be_seen_inside_is_named_with_its_place() {
        for (text, place) in [
            ("hunt er2", "a space or line break (U+0020, character 5)"),
            ("hunt\ner2", "a space or line break (U+000A, character 5)"),
            (
                "hunt\u{200b}er2",
                "an invisible character (U+200B, character 5)",
            ),
            (
                "公\u{feff}2",
                "an invisible character (U+FEFF, character 2)",
            ),
            ("h\u{7f}", "an invisible character (U+007F, character 2)"),
        ] {
            let wrong = complaint(text, true).unwrap();
            assert!(wrong.contains(place), "{wrong}");
            assert!(!wrong.contains("hunt"), "{wrong}");
        }
        assert_eq!(complaint("10.0.0.0/8,\n192.168.0.0/16", false), None);
        assert!(complaint("wx\u{200b}1", false).is_some());
    }
}
