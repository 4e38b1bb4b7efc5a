//! The gateway's binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    wechat_gateway::main()
}
