//! The site's binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    site::main()
}
