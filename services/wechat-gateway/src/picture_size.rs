//! How large a picture says that it is, in its header. Whether the rest of the file keeps that
//! promise, browsers find out.

use login_protocol::account_picture::PictureFormat;

/// Width and height in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PictureSize {
    /// From left to right.
    pub(crate) width: u32,
    /// From top to bottom.
    pub(crate) height: u32,
}

impl PictureSize {
    /// What the header of a file of this format says; `None` if it is cut off or broken.
    pub(crate) fn of(format: PictureFormat, content: &[u8]) -> Option<Self> {
        match format {
            PictureFormat::Png => of_png(content),
            PictureFormat::Gif => of_gif(content),
            PictureFormat::Jpeg => of_jpeg(content),
            PictureFormat::Webp => of_webp(content),
        }
    }
}

/// The first chunk, IHDR (PNG, section 11.2.1).
fn of_png(content: &[u8]) -> Option<PictureSize> {
    (content.get(12..16)? == b"IHDR").then_some(())?;
    let side = |at: usize| Some(u32::from_be_bytes(*content.get(at..)?.first_chunk()?));
    Some(PictureSize {
        width: side(16)?,
        height: side(20)?,
    })
}

/// The logical screen (`GIF89a`, section 18).
fn of_gif(content: &[u8]) -> Option<PictureSize> {
    Some(PictureSize {
        width: little_16(content, 6)?.into(),
        height: little_16(content, 8)?.into(),
    })
}

/// The frame header (ITU-T T.81, section B.2.2), behind segments of other kinds.
fn of_jpeg(content: &[u8]) -> Option<PictureSize> {
    let mut rest = content.get(2..)?;
    // Each turn takes at least a byte away.
    loop {
        let (start, behind) = rest.split_first()?;
        (*start == 0xff).then_some(())?;
        let marker = *behind.first()?;
        if marker == 0xff {
            // A byte of filling.
            rest = behind;
            continue;
        }
        let segment = behind.get(1..)?;
        match marker {
            0x01 | 0xd0..=0xd8 => rest = segment,
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => {
                return Some(PictureSize {
                    width: big_16(segment, 5)?.into(),
                    height: big_16(segment, 3)?.into(),
                });
            }
            // The picture itself, or its end.
            0xd9 | 0xda => return None,
            _ => rest = segment.get(usize::from(big_16(segment, 0)?).max(2)..)?,
        }
    }
}

/// The first chunk (RFC 9649, section 2).
fn of_webp(content: &[u8]) -> Option<PictureSize> {
    let chunk = content.get(20..)?;
    let less_one = |bits: u32| PictureSize {
        width: (bits & 0x3fff) + 1,
        height: ((bits >> 14) & 0x3fff) + 1,
    };
    match content.get(12..16)? {
        b"VP8 " => {
            (chunk.get(3..6)? == [0x9d, 0x01, 0x2a]).then_some(())?;
            // The upper two bits tell how it is scaled.
            let side = |at| Some(u32::from(little_16(chunk, at)? & 0x3fff));
            Some(PictureSize {
                width: side(6)?,
                height: side(8)?,
            })
        }
        b"VP8L" => {
            (*chunk.first()? == 0x2f).then_some(())?;
            let bits = u32::from_le_bytes(*chunk.get(1..)?.first_chunk()?);
            Some(less_one(bits))
        }
        b"VP8X" => {
            let side = |at: usize| {
                let &[low, middle, high] = chunk.get(at..)?.first_chunk()?;
                Some(u32::from_le_bytes([low, middle, high, 0]) + 1)
            };
            Some(PictureSize {
                width: side(4)?,
                height: side(7)?,
            })
        }
        _ => None,
    }
}

fn little_16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn big_16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01\xae\0\0\x01\xb0\x08\x06\0\0\0";
    const GIF: &[u8] = b"GIF89a\xae\x01\xb0\x01\xf0\0\0";
    const JPEG: &[u8] =
        b"\xff\xd8\xff\xe0\0\x04ab\xff\xff\xdb\0\x03c\xff\xc2\0\x11\x08\x01\xb0\x01\xae\x03";
    const VP8: &[u8] = b"RIFF\x1a\0\0\0WEBPVP8 \x0e\0\0\0\x10\0\0\x9d\x01\x2a\xae\x41\xb0\x81";
    const VP8L: &[u8] = b"RIFF\x1a\0\0\0WEBPVP8L\x0e\0\0\0\x2f\xad\xc1\x6b\0";
    const VP8X: &[u8] = b"RIFF\x1a\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\xad\x01\0\xaf\x01\0";

    #[test]
    fn each_format_says_its_size() {
        for content in [PNG, GIF, JPEG, VP8, VP8L, VP8X] {
            let format = PictureFormat::of(content).expect("it is a picture");
            let size = PictureSize::of(format, content);
            let expected = PictureSize {
                width: 430,
                height: 432,
            };
            assert_eq!(size, Some(expected), "{format:?}");
        }
    }

    #[test]
    fn what_is_cut_off_says_none() {
        for content in [PNG, GIF, JPEG, VP8, VP8L, VP8X] {
            let format = PictureFormat::of(content).expect("it is a picture");
            let needed = (0..content.len())
                .find(|end| PictureSize::of(format, &content[..*end]).is_some())
                .unwrap_or(content.len());
            assert!(needed >= 10, "{format:?}: {needed}");
        }
        let endless = [&b"\xff\xd8"[..], &[0xff; 1000]].concat();
        assert_eq!(PictureSize::of(PictureFormat::Jpeg, &endless), None);
        let without = b"\xff\xd8\xff\xda\0\x04ab\xff\xc0\0\x11\x08\x01\xb0\x01\xae\x03";
        assert_eq!(PictureSize::of(PictureFormat::Jpeg, without), None);
    }
}
