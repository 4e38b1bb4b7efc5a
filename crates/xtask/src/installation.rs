//! Installing what a list in the repository names, below `target/`.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::failure::{During, Failure};

/// Whether a list isn't the one that was installed, of which the installation keeps a copy.
pub(crate) fn is_other(list: &Path, installation: &Path) -> Result<bool, Failure> {
    let wanted = fs::read(list).during("read the list of packages")?;
    let copy = list.file_name().map(|name| installation.join(name));
    Ok(copy.and_then(|copy| fs::read(copy).ok()) != Some(wanted))
}

/// Runs what installs: a program of `PATH`, or one below the folder that it runs in.
pub(crate) fn command(program: &str, arguments: &[&str], folder: &Path) -> Result<(), Failure> {
    // A relative path would be sought from where this process is.
    let path = folder.join(program);
    let program = if path.is_file() { path } else { program.into() };
    let status = Command::new(&program)
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .status()
        .during("run what installs packages")?;
    if status.success() {
        return Ok(());
    }
    let (program, arguments) = (program.display(), arguments.join(" "));
    Err(Failure::new(format!(
        "`{program} {arguments}` failed, see above"
    )))
}
