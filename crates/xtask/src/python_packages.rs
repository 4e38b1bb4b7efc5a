//! Packages from `PyPI`.

use std::fs;
use std::path::Path;

use crate::failure::{During, Failure};
use crate::installation::{command, is_other};

/// Installs what a list names, with the versions that it names, as a virtual environment, unless it
/// is there.
pub(crate) fn install(list: &Path, environment: &Path) -> Result<(), Failure> {
    if !is_other(list, environment)? {
        return Ok(());
    }
    let _ = fs::remove_dir_all(environment);
    fs::create_dir_all(environment).during("create a folder below target")?;
    command("/usr/bin/python3", &["-m", "venv", "."], environment)?;
    let named = list.display().to_string();
    command(
        "bin/pip",
        &["install", "--quiet", "-r", &named],
        environment,
    )?;
    let copy = environment.join(list.file_name().unwrap_or_default());
    fs::copy(list, copy).during("copy the list of packages")?;
    Ok(())
}
