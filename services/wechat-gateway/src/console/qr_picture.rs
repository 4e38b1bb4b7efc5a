//! A QR code as SVG, dark on light in either theme, because not every phone reads the reverse.

use std::fmt::Write as _;

use qrcodegen::{QrCode, QrCodeEcc};

/// How much stays empty around it, in modules: what the standard asks for.
const QUIET: i32 = 4;

/// The code of a content. The name is for those who can't see it, and isn't escaped.
pub(super) fn draw(content: &str, name: &str) -> String {
    let Ok(code) = QrCode::encode_text(content, QrCodeEcc::Medium) else {
        return String::new();
    };
    let side = code.size() + 2 * QUIET;
    let mut modules = String::new();
    for y in 0..code.size() {
        for x in (0..code.size()).filter(|x| code.get_module(*x, y)) {
            // Writing to a text doesn't fail.
            let _ = write!(modules, "M{},{}h1v1h-1z", x + QUIET, y + QUIET);
        }
    }
    format!(
        r##"<svg role="img" aria-label="{name}" viewBox="0 0 {side} {side}" shape-rendering="crispEdges"><rect width="{side}" height="{side}" fill="#fff"/><path d="{modules}" fill="#000"/></svg>"##
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_its_corners_and_its_margin() {
        let drawn = draw("http://weixin.qq.com/q/02abcdefghijklmnopqrst", "二维码");
        // Version 4 has 33 modules a side.
        assert!(drawn.contains(r#"viewBox="0 0 41 41""#), "{drawn}");
        assert!(drawn.contains("M4,4h1v1h-1z") && drawn.contains("M36,4h1v1h-1z"));
        assert!(!drawn.contains("M3,") && !drawn.contains("M37,"));
        assert_eq!(draw(&"x".repeat(5000), ""), "");
    }
}
