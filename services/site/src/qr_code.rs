//! QR codes (ISO/IEC 18004). qrcodegen encodes; this chooses the mask.
//!
//! The standard wants each code tried under all eight masks, and the one taken that has the fewest
//! penalty points. Done module by module that was more than half of what it costs to start a login.
//! Two facts make it cheap: the difference between a code under one mask and the same code under
//! another depends on the code's version alone, and a whole line of modules fits into one number.

use std::sync::OnceLock;

use qrcodegen::{DataTooLong, Mask, QrCode as Encoded, QrCodeEcc, QrSegment, Version};

mod penalty;

/// The largest version whose lines fit, with room for the quiet zone on both sides: 117 modules,
/// which hold 997 bytes. WeChat's contents have about 45.
const LARGEST: u8 = 25;

/// 15 % of the code may be unreadable, and more where the version has room for it.
const CORRECTION: QrCodeEcc = QrCodeEcc::Medium;

/// How many masks the standard has.
const MASKS: u8 = 8;

/// By version: how codes under each mask differ from the same codes under the first.
static DIFFERENCES: [OnceLock<Vec<Modules>>; LARGEST as usize] =
    [const { OnceLock::new() }; LARGEST as usize];

/// A code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct QrCode {
    side: usize,
    rows: Vec<u128>,
}

/// All modules, twice: a dark one is a one in its row and in its column, and the first is the
/// lowest bit.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Modules {
    rows: Vec<u128>,
    columns: Vec<u128>,
}

impl QrCode {
    /// The code of this content, in the smallest version, with as much error correction as fits
    /// into that, and at least the level M (15 %).
    ///
    /// # Errors
    ///
    /// When the content has more than about a thousand bytes.
    pub(crate) fn encode(content: &str) -> Result<Self, DataTooLong> {
        let segments = QrSegment::make_segments(content);
        let versions = [Version::MIN, Version::new(LARGEST)];
        let code = under(Mask::new(0), &segments, versions)?;
        let version = code.version();
        let differences =
            DIFFERENCES[usize::from(version.value() - 1)].get_or_init(|| differences(version));
        let first = Modules::of(&code);
        let tried = differences.iter().map(|difference| first.xor(difference));
        let best = tried.min_by_key(|modules| penalty::points(&modules.rows, &modules.columns));
        let rows = best.unwrap_or(first).rows;
        Ok(Self {
            side: rows.len(),
            rows,
        })
    }

    /// How many modules it has on a side, without the quiet zone.
    pub(crate) const fn side(&self) -> usize {
        self.side
    }

    /// Its rows from the top: the lowest bit is the module on the left, and a one is dark.
    pub(crate) fn rows(&self) -> &[u128] {
        &self.rows
    }
}

fn under(
    mask: Mask,
    segments: &[QrSegment],
    [smallest, largest]: [Version; 2],
) -> Result<Encoded, DataTooLong> {
    Encoded::encode_segments_advanced(segments, CORRECTION, smallest, largest, Some(mask), true)
}

/// Determined by encoding nothing under each mask. A mask inverts the same modules whatever they
/// contain, and what names the mask in the code is linear in its number.
fn differences(version: Version) -> Vec<Modules> {
    let nothing = |mask| {
        let code = under(Mask::new(mask), &[], [version, version]);
        Modules::of(&code.expect("nothing fits into every version"))
    };
    let first = nothing(0);
    (0..MASKS).map(|mask| nothing(mask).xor(&first)).collect()
}

impl Modules {
    fn of(code: &Encoded) -> Self {
        let line = |is_dark: &dyn Fn(i32) -> bool| {
            let modules = (0..code.size()).rev();
            modules.fold(0, |line, at| line << 1 | u128::from(is_dark(at)))
        };
        let row = |y| line(&|x| code.get_module(x, y));
        let column = |x| line(&|y| code.get_module(x, y));
        Self {
            rows: (0..code.size()).map(row).collect(),
            columns: (0..code.size()).map(column).collect(),
        }
    }

    fn xor(&self, other: &Self) -> Self {
        let xor = |left: &[u128], right: &[u128]| {
            let pairs = left.iter().zip(right);
            pairs.map(|(left, right)| left ^ right).collect()
        };
        Self {
            rows: xor(&self.rows, &other.rows),
            columns: xor(&self.columns, &other.columns),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTENT: &str = "http://weixin.qq.com/q/02abcdefghijklmnopqrst";

    #[test]
    fn a_difference_turns_any_code_into_the_same_under_another_mask() {
        for content in ["", "1", CONTENT, &"长内容".repeat(60), &"x".repeat(990)] {
            let segments = QrSegment::make_segments(content);
            let any = [Version::MIN, Version::new(LARGEST)];
            let code = under(Mask::new(0), &segments, any).unwrap();
            for (mask, difference) in (0..MASKS).zip(differences(code.version())) {
                let masked = under(Mask::new(mask), &segments, any).unwrap();
                let expected = Modules::of(&masked);
                assert_eq!(Modules::of(&code).xor(&difference), expected, "mask {mask}");
            }
        }
    }

    #[test]
    fn the_mask_with_the_fewest_points_is_taken() {
        let long = (0..6).map(|times| format!("{times}{}", CONTENT.repeat(4 * times)));
        for content in (0..30)
            .map(|number| format!("{CONTENT}{number}"))
            .chain(long)
        {
            let segments = QrSegment::make_segments(&content);
            let any = [Version::MIN, Version::new(LARGEST)];
            let tried = (0..MASKS).map(|mask| {
                let modules = Modules::of(&under(Mask::new(mask), &segments, any).unwrap());
                penalty::points(&modules.rows, &modules.columns)
            });
            let code = QrCode::encode(&content).unwrap();
            let columns: Vec<u128> = (0..code.side())
                .map(|x| {
                    let rows = code.rows().iter().rev();
                    rows.fold(0, |column, row| column << 1 | (row >> x & 1))
                })
                .collect();
            assert_eq!(Some(penalty::points(code.rows(), &columns)), tried.min());
        }
    }

    #[test]
    fn a_content_fits_or_is_an_error() {
        let most = QrCode::encode(&"x".repeat(997)).unwrap();
        assert_eq!(most.side(), 117);
        assert!(QrCode::encode(&"x".repeat(998)).is_err());
    }
}
