//! Charts as SVG. Their colours and sizes are the style sheet's.

use std::fmt::Write as _;

/// The height of a chart's drawing area, in units of its own.
const HEIGHT: u64 = 100;

/// The width of a bar's place.
const PLACE: usize = 10;

/// One place of a bar chart: what was begun, and what of it came to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bar {
    /// What stands below, and is read out.
    pub(crate) label: String,
    /// The taller part.
    pub(crate) begun: u64,
    /// The part of it in colour.
    pub(crate) completed: u64,
}

/// The tallest bar.
pub(crate) fn highest(bars: &[Bar]) -> u64 {
    let heights = bars.iter().map(|bar| bar.begun.max(bar.completed));
    heights.max().unwrap_or_default()
}

/// The bars beside each other, as tall as the tallest allows. Each says its numbers to who points at it.
pub(crate) fn bars(bars: &[Bar]) -> String {
    let highest = highest(bars).max(1);
    let mut drawing = String::new();
    for (place, bar) in bars.iter().enumerate() {
        let left = place * PLACE + 1;
        let title = format!("{}: {} / {}", bar.label, bar.completed, bar.begun);
        let width = PLACE - 2;
        drawing.push_str("<g>");
        // Writing to a text doesn't fail.
        let _ = write!(drawing, "<title>{}</title>", escaped(&title));
        for (class, count) in [
            ("begun", bar.begun.max(bar.completed)),
            ("done", bar.completed),
        ] {
            let height = tall(count, highest);
            let top = HEIGHT - height;
            let _ = write!(
                drawing,
                r#"<rect class="{class}" x="{left}" y="{top}" width="{width}" height="{height}" rx="1"/>"#
            );
        }
        drawing.push_str("</g>");
    }
    drawing
}

/// The `viewBox` of so many bars.
pub(crate) fn view_box(bars: usize) -> String {
    format!("0 0 {} {HEIGHT}", bars * PLACE)
}

/// How tall a bar is. What is more than nothing can be seen.
fn tall(count: u64, highest: u64) -> u64 {
    match count {
        0 => 0,
        count => (count.saturating_mul(HEIGHT) / highest).clamp(2, HEIGHT),
    }
}

/// So many of so many, in per cent.
pub(crate) fn per_cent(part: u64, whole: u64) -> u64 {
    if whole == 0 {
        return 0;
    }
    (part.saturating_mul(100).saturating_add(whole / 2) / whole).min(100)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_tall_as_their_numbers() {
        let drawn = bars(&[
            Bar {
                label: "9".to_owned(),
                begun: 200,
                completed: 100,
            },
            Bar {
                label: "<10".to_owned(),
                begun: 1,
                completed: 0,
            },
        ]);
        assert!(
            drawn.contains(r#"class="begun" x="1" y="0" width="8" height="100""#),
            "{drawn}"
        );
        assert!(
            drawn.contains(r#"class="done" x="1" y="50" width="8" height="50""#),
            "{drawn}"
        );
        assert!(
            drawn.contains(r#"class="begun" x="11" y="98" width="8" height="2""#),
            "{drawn}"
        );
        assert!(drawn.contains("<title>&lt;10: 0 / 1</title>"), "{drawn}");
        assert_eq!(view_box(24), "0 0 240 100");
    }

    #[test]
    fn shares_are_rounded_and_never_of_nothing() {
        assert_eq!(per_cent(1, 3), 33);
        assert_eq!(per_cent(2, 3), 67);
        assert_eq!(per_cent(5, 0), 0);
        assert_eq!(per_cent(7, 3), 100);
    }
}
