//! The picture of a QR code, as SVG for the phone page and as JPEG for `showqrcode`.

use std::fmt::Write as _;

use qrcodegen::{QrCode, QrCodeEcc};

use super::jpeg;

/// The quiet zone around a code, in modules.
const QUIET: i32 = 4;

/// Draws the content as a JPEG; `None` when it is too long for a QR code.
pub(crate) fn jpeg(content: &str) -> Option<Vec<u8>> {
    let code = encode(content)?;
    let modules = -QUIET..code.size() + QUIET;
    let places = modules
        .clone()
        .flat_map(|y| modules.clone().map(move |x| (x, y)));
    // Outside of the code everything is light.
    let dark: Vec<bool> = places.map(|(x, y)| code.get_module(x, y)).collect();
    Some(jpeg::encode(modules.len(), &dark))
}

/// Draws the content as an SVG without colours of its own: dark on whatever is behind it.
pub(crate) fn svg(content: &str) -> Option<String> {
    let code = encode(content)?;
    let size = code.size();
    let mut path = String::new();
    for (x, y) in (0..size).flat_map(|y| (0..size).map(move |x| (x, y))) {
        if code.get_module(x, y) {
            let _infallible = write!(path, "M{x} {y}h1v1h-1z");
        }
    }
    Some(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {size} {size}\" \
         shape-rendering=\"crispEdges\"><path d=\"{path}\"/></svg>"
    ))
}

fn encode(content: &str) -> Option<QrCode> {
    QrCode::encode_text(content, QrCodeEcc::Medium).ok()
}
