//! The modal as a product, in a real browser: on pages of other people, in older browsers, and every
//! state of it before a checker of accessibility. Needs Node with the modal's packages, which `cargo
//! xtask test` installs.

mod accessibility;
mod embedding;
mod older_browsers;
mod pieces;
mod proofs;
mod shop;
