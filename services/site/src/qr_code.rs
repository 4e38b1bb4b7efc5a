//! QR codes (ISO/IEC 18004). qrcodegen encodes; this makes it cheap for the contents that WeChat
//! gives.
//!
//! Contents of the same length have the same version and level. Each bit of the content turns over
//! the same modules, its own and those of the error correction, whatever the other bits are
//! (Reed-Solomon codes and masks are linear). So a code is an example of its length with the
//! modules turned over of those bits in which it differs, which are found out once for each length,
//! by encoding each bit. WeChat's contents begin alike, so few differ. A row of modules is a
//! number. Encoding, the choice of the mask among all eight, and drawing took 414,000 instructions
//! of the site's 650,000 for `POST /api/login`, and take 75,000.

use std::sync::OnceLock;

use qrcodegen::{DataTooLong, Mask, QrCode as Encoded, QrCodeEcc, QrSegment, Version};

mod penalty;

/// The longest content that is encoded in the cheap way, in bytes: 37 modules on a side. WeChat's
/// have about 45, and those of one length take 95 KB and, the first time, the hundredth of a
/// second.
const SHORT: usize = 64;

/// The largest version whose rows fit, with room for the quiet zone on both sides: 117 modules,
/// which hold 997 bytes.
const LARGEST: u8 = 25;

/// 15 % of the code may be unreadable, and more where the version has room for it.
const CORRECTION: QrCodeEcc = QrCodeEcc::Medium;

/// How many masks the standard has.
const MASKS: u8 = 8;

/// By the content's length in bytes.
static LENGTHS: [OnceLock<Length>; SHORT + 1] = [const { OnceLock::new() }; SHORT + 1];

/// A code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct QrCode {
    rows: Vec<u128>,
}

/// What the codes of one length are made of. The lowest bit of a row is the module on the left, and
/// a one is dark.
struct Length {
    /// The first content that had it.
    example: Vec<u8>,
    /// By mask: its code.
    codes: Vec<Vec<u64>>,
    /// The modules that each bit of the content turns over, the first one's rows first.
    bits: Vec<u64>,
}

impl QrCode {
    /// The code of this content, in the smallest version, with as much error correction as fits
    /// into that, and at least the level M (15 %).
    ///
    /// # Errors
    ///
    /// When the content has more than about a thousand bytes.
    pub(crate) fn encode(content: &str) -> Result<Self, DataTooLong> {
        let Some(length) = LENGTHS.get(content.len()) else {
            let segments = QrSegment::make_segments(content);
            return Ok(Self {
                rows: rows_of(&encoded(&segments, None)?),
            });
        };
        let length = length.get_or_init(|| Length::of(content.as_bytes()));
        let rows = length.rows(content.as_bytes());
        Ok(Self {
            rows: rows.into_iter().map(u128::from).collect(),
        })
    }

    /// How many modules it has on a side, without the quiet zone.
    pub(crate) const fn side(&self) -> usize {
        self.rows.len()
    }

    /// Its rows from the top: the lowest bit is the module on the left, and a one is dark.
    pub(crate) fn rows(&self) -> &[u128] {
        &self.rows
    }
}

impl Length {
    fn of(example: &[u8]) -> Self {
        let codes: Vec<_> = (0..MASKS).map(|mask| under(mask, example)).collect();
        let mut bits = Vec::with_capacity(example.len() * 8 * codes[0].len());
        let mut content = example.to_vec();
        for byte in 0..content.len() {
            for bit in 0..8 {
                content[byte] ^= 0x80 >> bit;
                let code = under(0, &content);
                bits.extend(code.iter().zip(&codes[0]).map(|(row, other)| row ^ other));
                content[byte] = example[byte];
            }
        }
        Self {
            example: content,
            codes,
            bits,
        }
    }

    /// The code of this content, which has the length, under the mask with the fewest penalty
    /// points.
    fn rows(&self, content: &[u8]) -> Vec<u64> {
        let side = self.codes[0].len();
        let mut turned_over = vec![0; side];
        let bytes = content.iter().zip(&self.example);
        for ((byte, other), bits) in bytes.zip(self.bits.chunks_exact(8 * side)) {
            let differing = byte ^ other;
            for (bit, modules) in bits.chunks_exact(side).enumerate() {
                if differing & 0x80 >> bit != 0 {
                    turn_over(&mut turned_over, modules);
                }
            }
        }
        let tried = self.codes.iter().map(|code| {
            let mut rows = turned_over.clone();
            turn_over(&mut rows, code);
            rows
        });
        let best = tried.min_by_key(|rows| penalty::points(rows));
        best.unwrap_or(turned_over)
    }
}

fn turn_over(rows: &mut [u64], modules: &[u64]) {
    for (row, modules) in rows.iter_mut().zip(modules) {
        *row ^= modules;
    }
}

/// The rows of a short content under a mask.
fn under(mask: u8, content: &[u8]) -> Vec<u64> {
    let segments = [QrSegment::make_bytes(content)];
    let code = encoded(&segments, Some(Mask::new(mask))).expect("a short content fits");
    let rows = rows_of(&code).into_iter().map(u64::try_from);
    rows.collect::<Result<_, _>>()
        .expect("a short content's code is small")
}

fn encoded(segments: &[QrSegment], mask: Option<Mask>) -> Result<Encoded, DataTooLong> {
    let largest = Version::new(LARGEST);
    Encoded::encode_segments_advanced(segments, CORRECTION, Version::MIN, largest, mask, true)
}

fn rows_of(code: &Encoded) -> Vec<u128> {
    let row = |y| {
        let modules = (0..code.size()).rev();
        modules.fold(0, |row, x| row << 1 | u128::from(code.get_module(x, y)))
    };
    (0..code.size()).map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTENT: &str = "http://weixin.qq.com/q/02abcdefghijklmnopqrst";

    #[test]
    fn a_short_code_is_the_one_that_would_be_encoded_under_the_mask_with_the_fewest_points() {
        let lengths = [0, 1, 13, 14, 26, 27, 42, 43, 45, 62, 63, SHORT];
        let contents = lengths.map(|length| CONTENT.repeat(2)[..length].to_owned());
        let more = (0..30).map(|number| format!("{CONTENT}{number}"));
        for content in contents.into_iter().chain(more) {
            let tried: Vec<_> = (0..MASKS)
                .map(|mask| under(mask, content.as_bytes()))
                .collect();
            let best = tried.iter().min_by_key(|rows| penalty::points(rows));
            let rows: Vec<_> = best.unwrap().iter().copied().map(u128::from).collect();
            assert_eq!(QrCode::encode(&content).unwrap().rows(), rows, "{content}");
        }
    }

    #[test]
    fn any_byte_is_encoded_as_itself() {
        let bytes = "ÿ\u{7f}\u{80}\0ß长内容".repeat(3);
        let tried: Vec<_> = (0..MASKS)
            .map(|mask| under(mask, bytes.as_bytes()))
            .collect();
        let code = QrCode::encode(&bytes).unwrap();
        let rows = code.rows().iter().copied().map(u64::try_from);
        assert!(tried.contains(&rows.collect::<Result<_, _>>().unwrap()));
    }

    #[test]
    fn a_content_fits_or_is_an_error() {
        let most = QrCode::encode(&"x".repeat(997)).unwrap();
        assert_eq!(most.side(), 117);
        assert!(QrCode::encode(&"x".repeat(998)).is_err());
    }
}
