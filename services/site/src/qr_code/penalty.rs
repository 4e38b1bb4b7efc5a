//! How hard a code might be to read, in the standard's penalty points (ISO/IEC 18004:2015,
//! 7.8.3.1).
//!
//! A line of modules is a number, and what is asked of every module in it is asked of all at once.
//! Beyond the code's edge everything is light, as the quiet zone is.

/// A finder pattern's cross section, from the lowest bit.
const FINDER: [bool; 7] = [true, false, true, true, true, false, true];

/// How many light modules on one of its sides make it look like a finder pattern.
const LIGHT_BESIDE: usize = 4;

/// How many neighbours of one colour in a line are worth points.
const RUN: usize = 5;

/// The points of a code, given both as its rows and as its columns.
pub(super) fn points(rows: &[u128], columns: &[u128]) -> u32 {
    let side = rows.len();
    let lines = rows.iter().chain(columns);
    let in_lines: u32 = lines.map(|line| runs(*line, side) + finders(*line)).sum();
    in_lines + blocks(rows) + imbalance(rows)
}

/// Three points for five modules of one colour in a line, and one more for each further one.
fn runs(line: u128, side: usize) -> u32 {
    let like_the_next = alike_in_line(line, side);
    // Where a run's first modules are, all but the last `RUN - 1`.
    let in_runs = (1..RUN - 1).fold(like_the_next, |found, at| found & like_the_next >> at);
    let beginnings = in_runs & !(in_runs << 1);
    in_runs.count_ones() + 2 * beginnings.count_ones()
}

/// Forty points for what looks like a finder pattern beside a light area.
fn finders(line: u128) -> u32 {
    // Room for the quiet zone in front.
    let line = line << LIGHT_BESIDE;
    let looks_alike = FINDER.iter().enumerate().fold(!0, |found, (at, dark)| {
        let module = line >> at;
        found & if *dark { module } else { !module }
    });
    let light = (0..LIGHT_BESIDE).fold(!0, |found, at| found & !(line >> at));
    let beside_light = light << LIGHT_BESIDE | light >> FINDER.len();
    40 * (looks_alike & beside_light).count_ones()
}

/// Three points for two by two modules of one colour.
fn blocks(rows: &[u128]) -> u32 {
    let pairs = rows.windows(2).map(|pair| {
        let alike = alike_in_line(pair[0], rows.len()) & alike_in_line(pair[1], rows.len());
        (alike & !(pair[0] ^ pair[1])).count_ones()
    });
    3 * pairs.sum::<u32>()
}

/// Ten points for every five percent by which the dark modules are more or fewer than half.
fn imbalance(rows: &[u128]) -> u32 {
    let all = rows.len() * rows.len();
    let dark: usize = rows.iter().map(|row| row.count_ones() as usize).sum();
    let steps = (2 * dark).abs_diff(all) * 10 / all;
    u32::try_from(10 * steps).unwrap_or(u32::MAX)
}

/// The modules that have the colour of the next one in their line.
fn alike_in_line(line: u128, side: usize) -> u128 {
    !(line ^ line >> 1) & ((1 << (side - 1)) - 1)
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    /// The standard's words, module by module.
    fn by_the_book(code: &[Vec<bool>]) -> u32 {
        let side = code.len();
        let mut points = 0;
        let columns = (0..side).map(|x| code.iter().map(|row| row[x]).collect::<Vec<_>>());
        for line in code.iter().cloned().chain(columns) {
            for run in line.chunk_by(|left, right| left == right) {
                points += match run.len() {
                    0..5 => 0,
                    length => u32::try_from(length).unwrap() - 2,
                };
            }
            let light = [false; 4];
            let line = [&light[..], &line, &light].concat();
            for at in 0..=line.len() - 7 {
                if line[at..at + 7] == [true, false, true, true, true, false, true] {
                    let before = line[..at].ends_with(&light);
                    let after = line[at + 7..].starts_with(&light);
                    points += if before || after { 40 } else { 0 };
                }
            }
        }
        for (y, x) in (1..side).flat_map(|y| (1..side).map(move |x| (y, x))) {
            let block = [
                code[y][x],
                code[y - 1][x],
                code[y][x - 1],
                code[y - 1][x - 1],
            ];
            if block.iter().all(|module| *module == block[0]) {
                points += 3;
            }
        }
        let dark = code.iter().flatten().filter(|module| **module).count();
        let all = side * side;
        // Percents are hundredths, and fives of them twentieths.
        let fives = (20 * dark).abs_diff(10 * all) / all;
        points + 10 * u32::try_from(fives).unwrap()
    }

    fn line(modules: impl DoubleEndedIterator<Item = bool>) -> u128 {
        modules
            .rev()
            .fold(0, |line, dark| line << 1 | u128::from(dark))
    }

    fn fast(code: &[Vec<bool>]) -> u32 {
        let rows: Vec<u128> = code.iter().map(|row| line(row.iter().copied())).collect();
        let columns: Vec<u128> = (0..code.len())
            .map(|x| line(code.iter().map(|row| row[x])))
            .collect();
        points(&rows, &columns)
    }

    /// Sides of codes and shapes that give points, more often than chance would.
    fn codes() -> impl Strategy<Value = Vec<Vec<bool>>> {
        let shape = prop_oneof![
            Just(vec![true, false, true, true, true, false, true]),
            Just(vec![
                true, false, true, true, true, false, true, false, false, false, false
            ]),
            Just(vec![false; 5]),
            Just(vec![true; 6]),
            vec(any::<bool>(), 1..8),
        ];
        // 117 is the side of the largest version.
        prop_oneof![4 => Just(21_usize), 4 => Just(33), 1 => Just(117)].prop_flat_map(move |side| {
            let row = vec(shape.clone(), side / 4..=side / 2);
            let row = row.prop_map(move |shapes| {
                let mut row = shapes.concat();
                row.resize(side, false);
                row
            });
            vec(row, side..=side)
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn points_are_those_of_the_standard(code in codes()) {
            prop_assert_eq!(fast(&code), by_the_book(&code));
        }
    }

    #[test]
    fn each_rule_has_its_points() {
        let side = 21;
        let chessboard: Vec<Vec<bool>> = (0..side)
            .map(|y| (0..side).map(|x| (x + y) % 2 == 0).collect())
            .collect();
        assert_eq!(fast(&chessboard), 0);

        let mut run = chessboard.clone();
        // Seven dark ones in a row: five points. Half of them were dark; the board stays balanced.
        run[0][..7].fill(true);
        assert_eq!(fast(&run), 5);

        // What looks like a finder pattern, at the edge, in the middle with light on one side, and
        // on both.
        let finder = [true, false, true, true, true, false, true];
        let mut lines = chessboard.clone();
        lines[0][..7].copy_from_slice(&finder);
        let board = [lines[0][7], lines[0][8]];
        assert_eq!(
            board,
            [false, true],
            "dark comes soon, so only the quiet zone is light"
        );
        assert_eq!(finders(line(lines[0].iter().copied())), 40);
        let row = |modules: &[bool]| finders(line(modules.iter().copied()));
        let [dark, light] = [[true; 5], [false; 5]];
        assert_eq!(
            row(&[&dark[..], &[false], &finder, &light, &dark].concat()),
            40
        );
        assert_eq!(
            row(&[&dark[..], &light, &finder, &[false], &dark].concat()),
            40
        );
        assert_eq!(
            row(&[&dark[..], &light, &finder, &light, &dark].concat()),
            40
        );
        assert_eq!(
            row(&[&dark[..], &[false], &finder, &[false], &dark].concat()),
            0
        );

        let light = vec![vec![false; side]; side];
        let lines = 2 * 21 * (21 - 2);
        let blocks = 3 * 20 * 20;
        assert_eq!(fast(&light), lines + blocks + 10 * 10);
    }
}
