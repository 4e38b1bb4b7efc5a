//! Drawing a QR code as SVG.

use std::{array, io::Write as _, sync::LazyLock};

use qrcodegen::DataTooLong;

use crate::qr_code::QrCode;

/// The light border that scanners need, in modules (ISO/IEC 18004).
const QUIET_ZONE: usize = 4;

/// How many modules a side has at most, with the quiet zone.
const LARGEST_SIDE: usize = 128;

/// The texts that a drawing is made of, by number: the left edge of a run of dark modules, its row,
/// and its length as a rectangle.
///
/// A code has some hundred runs, and formatting their numbers took 116,000 instructions, of the
/// site's 650,000 for `POST /api/login`. Copying takes a fifth of that.
static EDGES: LazyLock<[Piece<5>; LARGEST_SIDE]> = LazyLock::new(|| pieces(|x| format!("M{x} ")));
static ROWS: LazyLock<[Piece<3>; LARGEST_SIDE]> = LazyLock::new(|| pieces(|y| format!("{y}")));
static RUNS: LazyLock<[Piece<12>; LARGEST_SIDE]> =
    LazyLock::new(|| pieces(|run| format!("h{run}v1h-{run}z")));

/// The most that a run takes.
const RUN: usize = 5 + 3 + 12;

/// A text of so many bytes at most. It is copied with all of them, which takes an instruction or
/// two, and what follows overwrites what is too much.
#[derive(Clone, Copy)]
struct Piece<const LONGEST: usize> {
    bytes: [u8; LONGEST],
    length: usize,
}

fn pieces<const LONGEST: usize>(text: impl Fn(usize) -> String) -> [Piece<LONGEST>; LARGEST_SIDE] {
    array::from_fn(|number| {
        let text = text(number);
        let mut bytes = [0; LONGEST];
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        let length = text.len();
        Piece { bytes, length }
    })
}

/// Appends the code as an SVG document, dark on white with its quiet zone, one unit a module; as it
/// stands inside a JSON string, with its quotes escaped.
///
/// `serde_json` looks at each byte for what has to be escaped, which took 44,000 instructions for a
/// drawing of five kilobytes, and more copies of them.
///
/// # Errors
///
/// When the content is too long.
pub fn draw_in_json(json: &mut Vec<u8>, content: &str) -> Result<(), DataTooLong> {
    let code = QrCode::encode(content)?;
    let side = code.side() + 2 * QUIET_ZONE;
    // A browser that turns the drawing into a picture needs a size in pixels.
    let pixels = side * 8;
    // Writing into a vector doesn't fail.
    let _ = write!(
        json,
        r##"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{pixels}\" height=\"{pixels}\" viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\"><path fill=\"#fff\" d=\"M0 0h{side}v{side}H0z\"/><path d=\""##
    );
    draw_path(json, &code);
    json.extend_from_slice(br#"\"/></svg>"#);
    Ok(())
}

/// Appends a rectangle for each run of dark modules.
fn draw_path(text: &mut Vec<u8>, code: &QrCode) {
    let beginnings = code.rows().iter().map(|row| row & !(row << 1));
    let runs: u32 = beginnings.map(u128::count_ones).sum();
    let mut end = text.len();
    text.resize(end + runs as usize * RUN, 0);
    let (edge_texts, row_texts, run_texts) = (&*EDGES, &*ROWS, &*RUNS);
    for (y, row) in code.rows().iter().enumerate() {
        let row = *row << QUIET_ZONE;
        // Where the colour changes.
        let mut edges = row ^ row << 1;
        while edges != 0 {
            let [left, right] = [(); 2].map(|()| {
                let edge = edges.trailing_zeros() as usize;
                edges &= edges - 1;
                edge
            });
            put(text, &mut end, &edge_texts[left]);
            put(text, &mut end, &row_texts[y + QUIET_ZONE]);
            put(text, &mut end, &run_texts[right - left]);
        }
    }
    text.truncate(end);
}

fn put<const LONGEST: usize>(text: &mut [u8], end: &mut usize, piece: &Piece<LONGEST>) {
    text[*end..][..LONGEST].copy_from_slice(&piece.bytes);
    *end += piece.length;
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    #[test]
    fn the_drawing_has_as_many_dark_modules_as_the_code() {
        let content = "http://weixin.qq.com/q/02abcdefghijklmnopqrst";
        let code = QrCode::encode(content).unwrap();
        let dark: usize = code
            .rows()
            .iter()
            .map(|row| row.count_ones() as usize)
            .sum();
        let mut json = b"\"".to_vec();
        draw_in_json(&mut json, content).unwrap();
        json.push(b'"');
        let json = String::from_utf8(json).unwrap();
        let svg: String = serde_json::from_str(&json).unwrap();
        assert_eq!(serde_json::to_string(&svg).unwrap(), json);
        let drawn: usize = svg
            .split('M')
            .filter_map(|path| {
                path.split_once('h')?
                    .1
                    .split_once("v1")?
                    .0
                    .parse::<usize>()
                    .ok()
            })
            .sum();
        assert_eq!(drawn, dark);
        assert!(svg.contains(&format!("viewBox=\"0 0 {0} {0}\"", code.side() + 8)));
    }

    #[test]
    fn any_side_is_drawn_as_its_numbers_are_formatted() {
        for length in [0, 45, 300, 997] {
            let code = QrCode::encode(&"x".repeat(length)).unwrap();
            let mut expected = String::new();
            for (y, row) in code.rows().iter().enumerate() {
                let modules: Vec<bool> = (0..code.side()).map(|x| row >> x & 1 == 1).collect();
                let mut x = QUIET_ZONE;
                for run in modules.chunk_by(|left, right| left == right) {
                    if run[0] {
                        let (y, run) = (y + QUIET_ZONE, run.len());
                        write!(expected, "M{x} {y}h{run}v1h-{run}z").unwrap();
                    }
                    x += run.len();
                }
            }
            let mut path = Vec::new();
            draw_path(&mut path, &code);
            assert_eq!(String::from_utf8(path).unwrap(), expected);
        }
    }

    #[test]
    fn too_much_content_is_an_error() {
        assert!(draw_in_json(&mut Vec::new(), &"x".repeat(5000)).is_err());
    }
}
