//! Drawing a QR code as SVG.

use qrcodegen::DataTooLong;

use crate::qr_code::QrCode;

/// The light border that scanners need, in modules (ISO/IEC 18004).
const QUIET_ZONE: usize = 4;

/// The code as an SVG document, dark on white with its quiet zone, one unit a module.
///
/// # Errors
///
/// When the content is too long.
pub fn svg(content: &str) -> Result<String, DataTooLong> {
    let code = QrCode::encode(content)?;
    let side = code.side() + 2 * QUIET_ZONE;
    // A browser that turns the drawing into a picture needs a size in pixels.
    let pixels = side * 8;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{pixels}\" height=\"{pixels}\" viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\">\
         <path fill=\"#fff\" d=\"M0 0h{side}v{side}H0z\"/><path d=\""
    );
    svg.reserve(8 * 1024);
    for (y, row) in (QUIET_ZONE..).zip(code.rows()) {
        push_runs(&mut svg, *row, y);
    }
    svg.push_str("\"/></svg>");
    Ok(svg)
}

/// Appends a rectangle for each run of dark modules.
fn push_runs(path: &mut String, mut row: u128, y: usize) {
    let mut x = QUIET_ZONE;
    while row != 0 {
        let light = row.trailing_zeros();
        row >>= light;
        let dark = row.trailing_ones();
        row >>= dark;
        x += light as usize;
        let run = dark as usize;
        for (command, number) in [("M", x), (" ", y), ("h", run), ("v1h-", run)] {
            path.push_str(command);
            push_number(path, number);
        }
        path.push('z');
        x += run;
    }
}

/// Appends a number in decimal digits. A code has some hundred runs, and formatting them as any
/// value is formatted took a fifth of the whole drawing.
fn push_number(text: &mut String, number: usize) {
    if number > 9 {
        push_number(text, number / 10);
    }
    let digit = u32::try_from(number % 10).unwrap_or_default();
    text.extend(char::from_digit(digit, 10));
}

#[cfg(test)]
mod tests {
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
        let svg = svg(content).unwrap();
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
    fn numbers_are_written_as_people_write_them() {
        for number in [0, 7, 10, 42, 100, 185, 1984] {
            let mut text = "h".to_owned();
            push_number(&mut text, number);
            assert_eq!(text, format!("h{number}"));
        }
    }

    #[test]
    fn too_much_content_is_an_error() {
        assert!(svg(&"x".repeat(5000)).is_err());
    }
}
