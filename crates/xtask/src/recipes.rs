//! `cargo xtask recipes`: the pages of `docs/integrations`, followed with the real software.

use std::fs;
use std::path::Path;
use std::time::Instant;

use crate::failure::{During, Failure};
use crate::{console, installation, packages, python_packages, repository};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only pages whose tests' names contain this
    filter: Option<String>,
}

pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let started = Instant::now();
    packages::for_tests(true)?;
    packages::for_recipes()?;
    let folder = repository::target().join("recipes");
    console::step("software from PyPI and npm");
    install(&folder)?;
    console::done(&format!(
        "installed after {}",
        console::duration(started.elapsed())
    ));
    console::step("recipes");
    // Each has a browser and software of its own: more at once than cores only wait for each other.
    let tests = [
        "test",
        "--locked",
        "-p",
        "system-tests",
        "--test",
        "recipes",
    ];
    let filter: Vec<&str> = options.filter.as_deref().into_iter().collect();
    repository::run_cargo(&[&tests[..], &["--"], &filter, &["--test-threads=2"]].concat())?;
    console::done(&format!(
        "all passed in {}",
        console::duration(started.elapsed())
    ));
    Ok(())
}

/// Installs what `tests/recipes` names, with the versions that it names, unless that is there.
fn install(folder: &Path) -> Result<(), Failure> {
    let named = repository::root().join("tests/recipes");
    let node = folder.join("node");
    fs::create_dir_all(&node).during("create target/recipes/node")?;
    if installation::is_other(&named.join("package-lock.json"), &node)? {
        for name in ["package.json", "package-lock.json"] {
            fs::copy(named.join(name), node.join(name)).during("copy the list of packages")?;
        }
        // No package of these has to run anything to be installed.
        let options = ["--ignore-scripts", "--no-audit", "--no-fund"];
        installation::command("npm", &[&["ci"][..], &options].concat(), &node)
            .inspect_err(|_| drop(fs::remove_file(node.join("package-lock.json"))))?;
    }
    python_packages::install(&named.join("requirements.txt"), &folder.join("python"))?;
    Ok(())
}
