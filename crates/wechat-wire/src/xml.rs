//! The small XML that WeChat speaks: one `<xml>` element whose children hold text.
//!
//! Parsing is bounded and trusts nothing: no document type, no entity but the predefined five, a
//! fixed depth, no quoting of the body in an error. Nested elements are skipped, because no field
//! that this crate models is nested.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, Event};

/// The deepest element that WeChat documents lies at level 5 (`PicMd5Sum` of a picture event).
const DEEPEST: usize = 16;

/// Why a document was refused. Nothing of the document is quoted: it names people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum XmlError {
    /// The bytes aren't UTF-8.
    #[error("the document is not UTF-8")]
    NotUtf8,
    /// U+0000, written out or as a reference, which XML excludes.
    #[error("the document contains U+0000")]
    Nul,
    /// Not well-formed.
    #[error("the document is not well-formed XML near byte {offset}")]
    Malformed {
        /// Where the reader gave up, in bytes from the start.
        offset: u64,
    },
    /// A document type declaration, the door to entity bombs and external entities.
    #[error("the document has a document type declaration")]
    DocumentType,
    /// A reference to an entity other than `lt`, `gt`, `amp`, `apos` and `quot`.
    #[error("the document refers to an unknown entity")]
    UnknownEntity,
    /// Elements nested more than 16 deep.
    #[error("the document is nested too deeply")]
    TooDeep,
    /// Something else than exactly one `<xml>` element.
    #[error("the document is not one <xml> element")]
    Root,
    /// A required element is absent or empty.
    #[error("<{element}> is missing or empty")]
    Missing {
        /// The element's name.
        element: &'static str,
    },
    /// An element that may occur once occurs again, so that two readers could disagree.
    #[error("<{element}> occurs more than once")]
    Duplicate {
        /// The element's name.
        element: &'static str,
    },
    /// An element that holds an integer holds something else.
    #[error("<{element}> is not an integer")]
    Integer {
        /// The element's name.
        element: &'static str,
    },
}

/// The text of one child element, borrowed from the document wherever that is possible.
pub(crate) type Text<'document> = Cow<'document, str>;

/// Reads `document` and returns the text of those children of `<xml>` that `names` lists, in the
/// order of `names`.
pub(crate) fn read_children<'document, const COUNT: usize>(
    document: &'document [u8],
    names: [&'static str; COUNT],
) -> Result<[Option<Text<'document>>; COUNT], XmlError> {
    let document = std::str::from_utf8(document).map_err(|_| XmlError::NotUtf8)?;
    let document = document.strip_prefix('\u{feff}').unwrap_or(document);
    if document.as_bytes().contains(&0) {
        return Err(XmlError::Nul);
    }
    let mut reader = Reader::from_str(document);
    reader.config_mut().expand_empty_elements = true;

    let mut found = [const { None }; COUNT];
    let mut depth = 0_usize;
    let mut root_seen = false;
    let mut current: Option<(usize, ElementText<'document>)> = None;
    loop {
        let event = reader.read_event().map_err(|_| XmlError::Malformed {
            offset: reader.error_position(),
        })?;
        match event {
            Event::Start(start) => {
                depth += 1;
                match depth {
                    1 if root_seen || start.name().as_ref() != "xml" => return Err(XmlError::Root),
                    1 => root_seen = true,
                    2 => {
                        let name = start.name();
                        let index = names.iter().position(|known| *known == name.as_ref());
                        current = index.map(|index| (index, ElementText::default()));
                    }
                    3..=DEEPEST => {}
                    _ => return Err(XmlError::TooDeep),
                }
            }
            Event::End(_) => {
                if depth == 2
                    && let Some((index, text)) = current.take()
                    && found[index].replace(text.finish()).is_some()
                {
                    let element = names[index];
                    return Err(XmlError::Duplicate { element });
                }
                depth = depth.saturating_sub(1);
            }
            Event::Text(text) if depth == 0 => {
                if !text.trim_ascii().is_empty() {
                    return Err(XmlError::Root);
                }
            }
            Event::CData(_) | Event::GeneralRef(_) if depth == 0 => return Err(XmlError::Root),
            Event::Text(text) => {
                if depth == 2
                    && let Some((_, collected)) = &mut current
                {
                    collected.push_bare(text.into_inner());
                }
            }
            Event::CData(data) => {
                if depth == 2
                    && let Some((_, collected)) = &mut current
                {
                    collected.push_exact(data.into_inner());
                }
            }
            Event::GeneralRef(reference) => {
                let replacement = resolve(&reference)?;
                if depth == 2
                    && let Some((_, collected)) = &mut current
                {
                    collected.push_exact(replacement);
                }
            }
            Event::DocType(_) => return Err(XmlError::DocumentType),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof if root_seen && depth == 0 => return Ok(found),
            Event::Eof => return Err(XmlError::Root),
            Event::Empty(_) => unreachable!("expand_empty_elements turns these into start and end"),
        }
    }
}

/// The value of a required element: present and not empty.
pub(crate) fn required<'document>(
    element: &'static str,
    text: Option<Text<'document>>,
) -> Result<Text<'document>, XmlError> {
    text.filter(|text| !text.is_empty())
        .ok_or(XmlError::Missing { element })
}

/// The value of a required element that holds an integer.
pub(crate) fn required_integer(
    element: &'static str,
    text: Option<Text<'_>>,
) -> Result<i64, XmlError> {
    required(element, text)?
        .parse()
        .map_err(|_| XmlError::Integer { element })
}

/// Writes `<name><![CDATA[text]]></name>`; a `]]>` inside is split over two CDATA sections.
pub(crate) fn write_text(xml: &mut String, name: &str, text: &str) {
    let _ = write!(xml, "<{name}><![CDATA[");
    let mut pieces = text.split("]]>");
    xml.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        xml.push_str("]]]]><![CDATA[>");
        xml.push_str(piece);
    }
    let _ = write!(xml, "]]></{name}>");
}

/// Writes `<name>value</name>`, as WeChat writes its integers.
pub(crate) fn write_bare(xml: &mut String, name: &str, value: impl fmt::Display) {
    let _ = write!(xml, "<{name}>{value}</{name}>");
}

/// The text of an element as it is read: white space that surrounds CDATA or bare text is layout
/// and dropped, white space inside CDATA is content and kept.
#[derive(Default)]
struct ElementText<'document> {
    text: Text<'document>,
    /// How many bytes at the start of `text` must survive trimming.
    exact: usize,
}

impl<'document> ElementText<'document> {
    fn push_bare(&mut self, piece: Text<'document>) {
        if self.text.is_empty() && self.exact == 0 {
            self.push(trim_start(piece));
        } else {
            self.push(piece);
        }
    }

    fn push_exact(&mut self, piece: Text<'document>) {
        self.push(piece);
        self.exact = self.text.len();
    }

    fn push(&mut self, piece: Text<'document>) {
        if self.text.is_empty() {
            self.text = piece;
        } else {
            self.text.to_mut().push_str(&piece);
        }
    }

    fn finish(self) -> Text<'document> {
        let kept = self.text[self.exact..].trim_ascii_end().len() + self.exact;
        match self.text {
            Cow::Borrowed(text) => Cow::Borrowed(&text[..kept]),
            Cow::Owned(mut text) => {
                text.truncate(kept);
                Cow::Owned(text)
            }
        }
    }
}

fn trim_start(text: Text<'_>) -> Text<'_> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim_ascii_start()),
        Cow::Owned(text) => Cow::Owned(text.trim_ascii_start().to_owned()),
    }
}

fn resolve(reference: &BytesRef<'_>) -> Result<Text<'static>, XmlError> {
    if reference.is_char_ref() {
        let character = reference.resolve_char_ref().ok().flatten();
        return match character {
            Some('\0') | None => Err(XmlError::Nul),
            Some(character) => Ok(Cow::Owned(character.to_string())),
        };
    }
    resolve_predefined_entity(reference)
        .map(Cow::Borrowed)
        .ok_or(XmlError::UnknownEntity)
}
