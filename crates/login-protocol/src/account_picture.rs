//! Pictures of accounts' own QR codes that the owner gave the gateway as files. The site fetches them
//! from the gateway by a name that holds a digest of their content, and shows them to browsers.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use sha2::{Digest as _, Sha256};

/// `GET`: a picture, by its [`PictureName`].
pub const ACCOUNT_PICTURE: &str = "/v1/account-pictures/{name}";

/// The largest picture, in bytes. WeChat's console gives out some tens of kilobytes.
pub const LARGEST: usize = 512 * 1024;

/// How many characters of a name are the digest: 96 bits in base64url.
const DIGEST_CHARACTERS: usize = 16;

/// Formats that every browser shows, and that hold no scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureFormat {
    /// PNG.
    Png,
    /// JPEG.
    Jpeg,
    /// WebP.
    Webp,
    /// GIF.
    Gif,
}

impl PictureFormat {
    /// All of them.
    const ALL: [Self; 4] = [Self::Png, Self::Jpeg, Self::Webp, Self::Gif];

    /// The format of a file with this content, by its first bytes; `None` if it is no picture.
    pub fn of(content: &[u8]) -> Option<Self> {
        match content {
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(Self::Png),
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(Self::Gif),
            [
                b'R',
                b'I',
                b'F',
                b'F',
                _,
                _,
                _,
                _,
                b'W',
                b'E',
                b'B',
                b'P',
                ..,
            ] => Some(Self::Webp),
            _ => None,
        }
    }

    /// Its media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Webp => "image/webp",
            Self::Gif => "image/gif",
        }
    }

    const fn extension(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpg",
            Self::Webp => "webp",
            Self::Gif => "gif",
        }
    }
}

/// A picture's name: a digest of its content and its format, `<digest>.png`. Another picture has
/// another name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PictureName {
    digest: String,
    format: PictureFormat,
}

impl PictureName {
    /// The name of a file with this content; `None` if it is no picture.
    pub fn of(content: &[u8]) -> Option<Self> {
        let digest = Sha256::digest(content);
        Some(Self {
            digest: URL_SAFE_NO_PAD.encode(&digest[..DIGEST_CHARACTERS / 4 * 3]),
            format: PictureFormat::of(content)?,
        })
    }

    /// Reads a name. `None` for what can't be one.
    pub fn parse(text: &str) -> Option<Self> {
        let (digest, extension) = text.split_once('.')?;
        let is_base64url = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let is_digest = digest.len() == DIGEST_CHARACTERS && digest.bytes().all(is_base64url);
        let format = PictureFormat::ALL
            .into_iter()
            .find(|format| format.extension() == extension)?;
        is_digest.then(|| Self {
            digest: digest.to_owned(),
            format,
        })
    }

    /// The picture's format.
    pub const fn format(&self) -> PictureFormat {
        self.format
    }
}

impl fmt::Display for PictureName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.digest, self.format.extension())
    }
}

impl Serialize for PictureName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PictureName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("not the name of a picture"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_known_by_their_first_bytes() {
        for (content, format) in [
            (&b"\x89PNG\r\n\x1a\n...."[..], Some(PictureFormat::Png)),
            (b"\xff\xd8\xff\xe0....", Some(PictureFormat::Jpeg)),
            (b"GIF87a....", Some(PictureFormat::Gif)),
            (b"GIF89a....", Some(PictureFormat::Gif)),
            (b"RIFF\x10\0\0\0WEBPVP8 ", Some(PictureFormat::Webp)),
            (b"RIFF\x10\0\0\0WAVEfmt ", None),
            (b"<svg xmlns='http://www.w3.org/2000/svg'/>", None),
            (b"<!doctype html>", None),
            (b"\x89PNG", None),
            (b"", None),
        ] {
            assert_eq!(PictureFormat::of(content), format, "{content:?}");
        }
    }

    #[test]
    fn a_name_is_one_pictures_and_can_be_read_again() {
        let name = PictureName::of(b"GIF89a one").expect("it is a picture");
        assert_eq!(PictureName::parse(&name.to_string()), Some(name.clone()));
        assert_ne!(PictureName::of(b"GIF89a two"), Some(name));
        for wrong in [
            "",
            "0123456789abcdef",
            "0123456789abcde.png",
            "0123456789abcdef.svg",
            "0123456789abcdef.png.png",
            "0123456789abc/ef.png",
            "0123456789abcdéf.png",
        ] {
            assert_eq!(PictureName::parse(wrong), None, "{wrong}");
        }
    }
}
