//! Real processes die, and logins go on.

mod cluster;
mod sentinel;
