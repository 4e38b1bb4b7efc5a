//! The picture of a QR code, as SVG for the phone page and as JPEG for `showqrcode`.

use std::fmt::Write as _;

use fast_qr::ECL;
use fast_qr::qr::{QRBuilder, QRCode};

use super::jpeg;

/// The quiet zone around a code, in modules.
const QUIET: usize = 4;

/// Draws the content as a JPEG; `None` when it is too long for a QR code.
pub(crate) fn jpeg(content: &str) -> Option<Vec<u8>> {
    let code = encode(content)?;
    let side = code.size + 2 * QUIET;
    let mut modules = vec![false; side * side];
    for (row, column) in dark_modules(&code) {
        modules[(row + QUIET) * side + column + QUIET] = true;
    }
    Some(jpeg::encode(side, &modules))
}

/// Draws the content as an SVG without colours of its own: dark on whatever is behind it.
pub(crate) fn svg(content: &str) -> Option<String> {
    let code = encode(content)?;
    let mut path = String::new();
    for (row, column) in dark_modules(&code) {
        let _infallible = write!(path, "M{column} {row}h1v1h-1z");
    }
    let size = code.size;
    Some(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {size} {size}\" \
         shape-rendering=\"crispEdges\"><path d=\"{path}\"/></svg>"
    ))
}

fn encode(content: &str) -> Option<QRCode> {
    QRBuilder::new(content).ecl(ECL::M).build().ok()
}

fn dark_modules(code: &QRCode) -> impl Iterator<Item = (usize, usize)> {
    let places = (0..code.size).flat_map(|row| (0..code.size).map(move |column| (row, column)));
    places.filter(|&(row, column)| code[row][column].value())
}
