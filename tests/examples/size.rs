//! An example that nobody reads to its end is no example.

use std::fs;

use crate::shop::examples;

/// How much of its own an owner writes.
const LINES: usize = 40;
const COLUMNS: usize = 150;

#[test]
fn no_shop_has_more_than_forty_lines() {
    for name in [
        "php/shop.php",
        "python/shop.py",
        "java/Shop.java",
        "node/shop.js",
        "html/index.html",
        "react/shop.tsx",
        "vue/Shop.vue",
    ] {
        let source = fs::read_to_string(examples().join(name)).expect("an example");
        let comment = ["//", "#", "\"\"\"", "<!--", "<?php //", "import ", "from "];
        let own = source.lines().map(str::trim).filter(|line| {
            !line.is_empty() && !comment.iter().any(|start| line.starts_with(start))
        });
        let own: Vec<&str> = own.collect();
        assert!(own.len() <= LINES, "{name} has {} lines", own.len());
        let longest = own.iter().map(|line| line.chars().count()).max();
        assert!(
            longest <= Some(COLUMNS),
            "{name} has a line of {longest:?} characters"
        );
    }
}
