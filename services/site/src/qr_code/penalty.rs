//! How hard a code might be to read, in the standard's penalty points (ISO/IEC 18004:2015,
//! 7.8.3.1).
//!
//! A row of modules is a number, and what is asked of every module is asked of a whole row at once,
//! along it as down the columns. Beyond the code's edge everything is light, as the quiet zone is.

use std::array;

/// How many modules a finder pattern's cross section has.
const FINDER: usize = 7;

/// How many light modules on one of its sides make a line look like a finder pattern.
const LIGHT_BESIDE: usize = 4;

/// Both, with those on either side.
const SURROUNDED: usize = LIGHT_BESIDE + FINDER + LIGHT_BESIDE;

/// How many neighbours of one colour in a line are worth points.
const RUN: usize = 5;

/// The most modules on a side, with room for the light ones on both sides.
const LARGEST_SIDE: usize = 64 - 2 * LIGHT_BESIDE;

/// The points of a code, given as its rows. The lowest bit is the module on the left, and a one is
/// dark.
///
/// # Panics
///
/// When it has more than 56 modules on a side.
pub(super) fn points(rows: &[u64]) -> u32 {
    let side = rows.len();
    let mut padded = [0; LARGEST_SIDE + 2 * LIGHT_BESIDE];
    padded[LIGHT_BESIDE..][..side].copy_from_slice(rows);
    let padded = &padded[..side + 2 * LIGHT_BESIDE];

    // Three points for five modules of one colour in a line, and one more for each further one: a
    // run has that many modules in which, or one or two modules before which, five alike begin.
    let mut points = 0;
    for row in rows {
        let alike = alike(array::from_fn(|at| row >> at)) & ones(side - (RUN - 1));
        points += (alike | alike << 1 | alike << 2).count_ones();
        let row = row << LIGHT_BESIDE;
        points += finders(&array::from_fn(|at| row >> at));
    }
    let [mut before, mut before_that] = [0; 2];
    for rows in rows.array_windows() {
        let alike = alike(*rows) & ones(side);
        points += (alike | before | before_that).count_ones();
        [before, before_that] = [alike, before];
    }
    points += (before | before_that).count_ones() + before.count_ones();
    for rows in padded.array_windows() {
        points += finders(rows);
    }
    points + blocks(rows) + imbalance(rows)
}

/// Where the first of five modules of one colour is.
const fn alike([one, two, three, four, five]: [u64; RUN]) -> u64 {
    (one & two & three & four & five) | !(one | two | three | four | five)
}

/// Forty points for what looks like a finder pattern beside a light area.
fn finders(line: &[u64; SURROUNDED]) -> u32 {
    let [_, _, _, _, one, two, three, four, five, six, seven, ..] = line;
    let looks_alike = one & !two & three & four & five & !six & seven;
    // Almost always.
    if looks_alike == 0 {
        return 0;
    }
    let light = |beside: &[u64]| !beside.iter().fold(0, |dark, modules| dark | modules);
    let light = light(&line[..LIGHT_BESIDE]) | light(&line[SURROUNDED - LIGHT_BESIDE..]);
    40 * (looks_alike & light).count_ones()
}

/// Three points for two by two modules of one colour.
fn blocks(rows: &[u64]) -> u32 {
    let side = rows.len();
    let blocks = rows.array_windows().map(|[row, next]| {
        let (dark, light) = (row & next, !(row | next));
        let alike = (dark & dark >> 1 | light & light >> 1) & ones(side - 1);
        alike.count_ones()
    });
    3 * blocks.sum::<u32>()
}

/// Ten points for every five percent by which the dark modules are more or fewer than half.
fn imbalance(rows: &[u64]) -> u32 {
    let all = rows.len() * rows.len();
    let dark: usize = rows.iter().map(|row| row.count_ones() as usize).sum();
    let steps = (2 * dark).abs_diff(all) * 10 / all;
    u32::try_from(10 * steps).unwrap_or(u32::MAX)
}

/// So many modules.
const fn ones(count: usize) -> u64 {
    (1 << count) - 1
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

    fn line(modules: &[bool]) -> u64 {
        let modules = modules.iter().rev();
        modules.fold(0, |line, dark| line << 1 | u64::from(*dark))
    }

    fn fast(code: &[Vec<bool>]) -> u32 {
        let rows: Vec<u64> = code.iter().map(|row| line(row)).collect();
        points(&rows)
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
        // 53 is the side of the largest version that has room.
        prop_oneof![4 => Just(21_usize), 4 => Just(33), 1 => Just(53)].prop_flat_map(move |side| {
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
        let row = |modules: &[bool]| {
            let row = line(modules) << LIGHT_BESIDE;
            finders(&array::from_fn(|at| row >> at))
        };
        assert_eq!(row(&lines[0]), 40);
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
