//! Generated avatars: a flat portrait, always the same for the same seed.

/// Soft backgrounds, each as the two ends of a gradient.
const BACKGROUNDS: [[&str; 2]; 8] = [
    ["#ffd9a8", "#ff9f7a"],
    ["#b9e3ff", "#6fb4f0"],
    ["#c9f0d2", "#6cc5a1"],
    ["#e4d4ff", "#a68ce6"],
    ["#ffd3df", "#f58fae"],
    ["#fff0b3", "#f3c550"],
    ["#c6f1ef", "#5cbcc4"],
    ["#dfe5ee", "#93a4bd"],
];

/// Skin, lightest first.
const SKINS: [&str; 5] = ["#ffe0c7", "#f8cfae", "#e9b48c", "#c98a5f", "#8d5a3b"];

/// Hair.
const HAIRS: [&str; 6] = [
    "#2b2430", "#3d2b23", "#5b3a26", "#8a4f2a", "#1f2a3a", "#6b4a6b",
];

/// Clothes.
const CLOTHES: [&str; 8] = [
    "#3b6fd4", "#f4f1ea", "#e2574c", "#2f8f6b", "#394053", "#f2a541", "#7a5cc7", "#2aa5a0",
];

/// Hair as the shape behind the head and the shape in front of it.
const HAIR_STYLES: [[&str; 2]; 6] = [
    // Short, parted at the side.
    [
        "",
        "M28 46c-2-20 10-30 24-30 13 0 22 9 20 30-2-8-5-12-10-15-8 4-20 5-28 3-3 3-5 7-6 12z",
    ],
    // A bob with a fringe.
    [
        "M24 70c-4-34 4-56 26-56s30 22 26 56c-6 5-10 4-14 2H38c-4 2-8 3-14-2z",
        "M29 44c0-16 9-25 21-25s21 9 21 25c-3-5-7-8-11-9-7 2-16 2-22-1-4 2-7 5-9 10z",
    ],
    // Long, falling over the shoulders.
    [
        "M22 92c-2-20 0-34 2-46 2-20 12-32 26-32s24 12 26 32c2 12 4 26 2 46z",
        "M29 46c0-17 8-27 21-27s21 10 21 27c-4-8-11-12-19-14-6 5-15 7-23 14z",
    ],
    // A bun on top.
    [
        "M50 3c6 0 10 4 10 9s-4 9-10 9-10-4-10-9 4-9 10-9z",
        "M29 45c-1-18 8-28 21-28s22 10 21 28c-4-9-11-13-21-13s-17 4-21 13z",
    ],
    // Curls.
    [
        "",
        "M27 46c-5-5-4-13 1-16 0-8 8-14 14-12 5-5 15-5 19 1 7-1 13 6 12 13 4 4 3 11-1 14-1-7-5-11-9-12-7 3-19 3-26 0-5 2-8 6-10 12z",
    ],
    // Cropped.
    [
        "",
        "M29 43c-1-17 8-26 21-26s22 9 21 26c-2-6-5-9-9-10-8-2-16-2-24 0-4 1-7 4-9 10z",
    ],
];

/// Draws the avatar of this seed as an SVG of 100 × 100 units.
pub(crate) fn svg(seed: u64) -> String {
    let look = Look::of(seed);
    let Look {
        background,
        skin,
        hair,
        clothes,
        style,
        ..
    } = look;
    let glasses = if look.glasses {
        "<g fill=\"none\" stroke=\"#3a3540\" stroke-width=\"1.6\"><circle cx=\"41.500\" cy=\"49\" r=\"6\"/>\
         <circle cx=\"58.500\" cy=\"49\" r=\"6\"/><path d=\"M47.500 49h5\"/></g>"
    } else {
        ""
    };
    let [start, end] = background;
    let [behind, front] = style;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 100 100\">\
         <defs><linearGradient id=\"b\" x2=\".4\" y2=\"1\"><stop stop-color=\"{start}\"/>\
         <stop offset=\"1\" stop-color=\"{end}\"/></linearGradient></defs>\
         <path fill=\"url(#b)\" d=\"M0 0h100v100H0z\"/>\
         <g transform=\"translate(0 6)\"><path fill=\"{hair}\" d=\"{behind}\"/>\
         <path fill=\"{clothes}\" d=\"M12 100c2-17 16-24 38-24s36 7 38 24z\"/>\
         <path fill=\"{skin}\" d=\"M41 62h18v13c0 5-4 8-9 8s-9-3-9-8z\"/>\
         <path d=\"M41 68c5 4 13 4 18 0v-4H41z\" opacity=\".12\"/>\
         <path fill=\"{skin}\" d=\"M30 44c0-15 8-23 20-23s20 8 20 23c0 4 0 7-1 10-2 10-10 16-19 16s-17-6-19-16c-1-3-1-6-1-10z\"/>\
         <circle cx=\"30\" cy=\"50\" r=\"4\" fill=\"{skin}\"/><circle cx=\"70\" cy=\"50\" r=\"4\" fill=\"{skin}\"/>\
         <circle cx=\"41.500\" cy=\"49\" r=\"2.300\" fill=\"#2c2530\"/><circle cx=\"58.500\" cy=\"49\" r=\"2.300\" fill=\"#2c2530\"/>\
         <g fill=\"#f0735f\" opacity=\".28\"><circle cx=\"37\" cy=\"56\" r=\"4\"/><circle cx=\"63\" cy=\"56\" r=\"4\"/></g>\
         <path d=\"M44 59c3 4 9 4 12 0\" fill=\"none\" stroke=\"#a8483c\" stroke-width=\"2\" stroke-linecap=\"round\"/>\
         <path fill=\"{hair}\" d=\"{front}\"/>{glasses}</g></svg>"
    )
}

struct Look {
    background: [&'static str; 2],
    skin: &'static str,
    hair: &'static str,
    clothes: &'static str,
    style: [&'static str; 2],
    glasses: bool,
}

impl Look {
    /// The seeds 1 to 3 belong to the people who are there from the start and are chosen by hand.
    fn of(seed: u64) -> Self {
        let by_hand =
            |background: usize, skin: usize, hair: usize, clothes: usize, style: usize| Self {
                background: BACKGROUNDS[background],
                skin: SKINS[skin],
                hair: HAIRS[hair],
                clothes: CLOTHES[clothes],
                style: HAIR_STYLES[style],
                glasses: false,
            };
        match seed {
            1 => by_hand(1, 1, 0, 1, 0),
            2 => by_hand(4, 0, 1, 3, 1),
            3 => Self {
                glasses: true,
                ..by_hand(5, 2, 3, 4, 4)
            },
            _ => Self::drawn(seed),
        }
    }

    fn drawn(seed: u64) -> Self {
        let mut state = seed;
        Self {
            background: *pick(&mut state, &BACKGROUNDS),
            skin: *pick(&mut state, &SKINS),
            hair: *pick(&mut state, &HAIRS),
            clothes: *pick(&mut state, &CLOTHES),
            style: *pick(&mut state, &HAIR_STYLES),
            glasses: next(&mut state).is_multiple_of(4),
        }
    }
}

fn pick<'a, T>(state: &mut u64, choices: &'a [T]) -> &'a T {
    let count = choices.len() as u64;
    let index = usize::try_from(next(state) % count).unwrap_or_default();
    &choices[index]
}

/// One step of `SplitMix64`: neighbouring seeds give unlike portraits.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
