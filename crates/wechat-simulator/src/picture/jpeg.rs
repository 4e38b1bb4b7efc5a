//! A JPEG encoder for pictures made of black and white squares.
//!
//! `showqrcode` answers `image/jpg`, and a QR code is made of squares. When each square covers
//! whole 8×8 blocks, every block is uniform, so all that a baseline JPEG has to store of it is the
//! mean: no cosine transform, no loss, and an alternating-current table of one code.

/// The blocks along one side of a square.
const BLOCKS: usize = 2;

/// The standard's lengths of direct-current codes (ITU-T T.81, table K.3), by length from 1 to 16.
const DIRECT_CODES: [u8; 16] = [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0];

/// Encodes a square picture of `side` × `side` modules, row by row; true is black.
pub(crate) fn encode(side: usize, modules: &[bool]) -> Vec<u8> {
    let mut file = header(side);
    let mut bits = Bits::default();
    let mut previous = 0;
    for row in modules.chunks(side) {
        for _ in 0..BLOCKS {
            for &black in row {
                for _ in 0..BLOCKS {
                    // The table of quantisers holds 8, so the mean itself is what is stored.
                    let mean = if black { -128 } else { 127 };
                    bits.push_difference(mean - previous);
                    previous = mean;
                    bits.push(0, 1);
                }
            }
        }
    }
    file.extend(bits.finish());
    file.extend([0xff, 0xd9]);
    file
}

fn header(side: usize) -> Vec<u8> {
    let pixels = u16::try_from(side * BLOCKS * 8)
        .unwrap_or(u16::MAX)
        .to_be_bytes();
    let mut file = vec![0xff, 0xd8];
    segment(&mut file, 0xe0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0");
    let mut quantisers = [8; 65];
    quantisers[0] = 0;
    segment(&mut file, 0xdb, &quantisers);
    let frame = [8, pixels[0], pixels[1], pixels[0], pixels[1], 1, 1, 0x11, 0];
    segment(&mut file, 0xc0, &frame);
    let mut direct = vec![0];
    direct.extend(DIRECT_CODES);
    direct.extend(0..12);
    segment(&mut file, 0xc4, &direct);
    let mut alternating = vec![0x10, 1];
    alternating.extend([0; 15]);
    alternating.push(0);
    segment(&mut file, 0xc4, &alternating);
    segment(&mut file, 0xda, &[1, 1, 0, 0, 63, 0]);
    file
}

fn segment(file: &mut Vec<u8>, marker: u8, content: &[u8]) {
    let length = u16::try_from(content.len() + 2).unwrap_or(u16::MAX);
    file.extend([0xff, marker]);
    file.extend(length.to_be_bytes());
    file.extend(content);
}

/// Bits on their way into the entropy-coded segment.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    pending: u32,
    length: u32,
}

impl Bits {
    /// Stores how much the mean differs from the one of the block before: the category's code,
    /// then the difference in as many bits, a negative one minus 1.
    fn push_difference(&mut self, difference: i32) {
        let category = 32 - difference.unsigned_abs().leading_zeros();
        let (code, length) = direct_code(category);
        self.push(code, length);
        let value = if difference < 0 {
            difference - 1
        } else {
            difference
        };
        self.push(value.cast_unsigned() & ((1 << category) - 1), category);
    }

    fn push(&mut self, value: u32, length: u32) {
        self.pending = (self.pending << length) | value;
        self.length += length;
        while self.length >= 8 {
            self.length -= 8;
            let byte = u8::try_from((self.pending >> self.length) & 0xff).unwrap_or_default();
            self.bytes.push(byte);
            if byte == 0xff {
                self.bytes.push(0);
            }
        }
        self.pending &= (1 << self.length) - 1;
    }

    fn finish(mut self) -> Vec<u8> {
        if self.length > 0 {
            let padding = 8 - self.length;
            self.push((1 << padding) - 1, padding);
        }
        self.bytes
    }
}

/// The canonical code of a category and its length, from [`DIRECT_CODES`].
fn direct_code(category: u32) -> (u32, u32) {
    let mut code = 0;
    let mut first = 0;
    for (length, &count) in (1..).zip(&DIRECT_CODES) {
        let count = u32::from(count);
        if category < first + count {
            return (code + category - first, length);
        }
        code = (code + count) << 1;
        first += count;
    }
    unreachable!("a difference of two bytes has at most nine bits")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_are_the_standard_ones() {
        assert_eq!(direct_code(0), (0b00, 2));
        assert_eq!(direct_code(1), (0b010, 3));
        assert_eq!(direct_code(8), (0b11_1110, 6));
        assert_eq!(direct_code(11), (0b1_1111_1110, 9));
    }
}
