//! Reading the drawn QR code as a phone's camera would: from its dark and light squares.

/// A drawing as squares: `true` is dark.
pub(crate) struct Drawing {
    /// Squares on a side, the quiet zone included.
    pub(crate) side: usize,
    squares: Vec<bool>,
}

impl Drawing {
    /// Reads the site's SVG: a `viewBox` in squares, a light background, and one path of dark runs.
    pub(crate) fn of_svg(svg: &str) -> Self {
        let side = between(svg, "viewBox=\"0 0 ", " ")
            .parse()
            .expect("a number");
        let background = format!("<path fill=\"#fff\" d=\"M0 0h{side}v{side}H0z\"/>");
        assert!(svg.contains(&background), "a light background: {svg}");
        let mut squares = vec![false; side * side];
        let path = svg.rsplit("<path d=\"").next().expect("a path");
        for run in path.split('M').skip(1) {
            let (x, rest) = run.split_once(' ').expect("M<x> <y>");
            let (y, rest) = rest.split_once('h').expect("h<length>");
            let (length, _) = rest.split_once('v').expect("v1");
            let [x, y, length] =
                [x, y, length].map(|text| text.parse::<usize>().expect("a number"));
            squares[y * side + x..][..length].fill(true);
        }
        Self { side, squares }
    }

    /// How many squares at every edge are light.
    pub(crate) fn quiet_zone(&self) -> usize {
        let is_light = |x: usize, y: usize| !self.squares[y * self.side + x];
        (0..self.side / 2)
            .find(|ring| {
                let far = self.side - 1 - ring;
                !(*ring..=far).all(|at| {
                    is_light(at, *ring)
                        && is_light(at, far)
                        && is_light(*ring, at)
                        && is_light(far, at)
                })
            })
            .expect("something is dark")
    }

    /// What it says.
    pub(crate) fn read(&self) -> String {
        const PIXELS: usize = 4;
        let pixels = self.side * PIXELS;
        let mut picture = rqrr::PreparedImage::prepare_from_greyscale(pixels, pixels, |x, y| {
            let is_dark = self.squares[y / PIXELS * self.side + x / PIXELS];
            if is_dark { 0 } else { 255 }
        });
        let grids = picture.detect_grids();
        assert_eq!(grids.len(), 1, "one QR code");
        grids[0].decode().expect("the code can be read").1
    }
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = text.split_once(before).expect("it is there");
    rest.split_once(after).expect("it ends").0
}
