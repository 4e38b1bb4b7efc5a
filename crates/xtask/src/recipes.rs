//! `cargo xtask recipes`: the pages of `docs/integrations`, followed with the real software.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::failure::{During, Failure};
use crate::{console, packages, repository};

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
    cargo(&[&tests[..], &["--"], &filter, &["--test-threads=2"]].concat())?;
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
    if is_other(&named, "package-lock.json", &node)? {
        for name in ["package.json", "package-lock.json"] {
            fs::copy(named.join(name), node.join(name)).during("copy the list of packages")?;
        }
        // No package of these has to run anything to be installed.
        let options = ["--ignore-scripts", "--no-audit", "--no-fund"];
        command("npm", &[&["ci"][..], &options].concat(), &node)
            .inspect_err(|_| drop(fs::remove_file(node.join("package-lock.json"))))?;
    }
    let python = folder.join("python");
    if is_other(&named, "requirements.txt", &python)? {
        let _ = fs::remove_dir_all(&python);
        command("/usr/bin/python3", &["-m", "venv", "python"], folder)?;
        let list = named.join("requirements.txt");
        let list = list.display().to_string();
        command(
            "python/bin/pip",
            &["install", "--quiet", "-r", &list],
            folder,
        )?;
        fs::copy(&list, python.join("requirements.txt")).during("copy the list of packages")?;
    }
    Ok(())
}

/// Whether a list isn't the one that was installed.
fn is_other(named: &Path, list: &str, installed: &Path) -> Result<bool, Failure> {
    let wanted = fs::read(named.join(list)).during("read the list of packages")?;
    Ok(fs::read(installed.join(list)).ok() != Some(wanted))
}

fn command(program: &str, arguments: &[&str], folder: &Path) -> Result<(), Failure> {
    // A relative path would be sought from where this process is.
    let path = folder.join(program);
    let program = if path.is_file() { path } else { program.into() };
    let status = Command::new(&program)
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .status()
        .during("run what installs packages")?;
    succeed(status.success(), &program.display().to_string(), arguments)
}

fn cargo(arguments: &[&str]) -> Result<(), Failure> {
    let status = repository::cargo()
        .args(arguments)
        .stdin(Stdio::null())
        .status()
        .during("run cargo")?;
    succeed(status.success(), "cargo", arguments)
}

fn succeed(success: bool, program: &str, arguments: &[&str]) -> Result<(), Failure> {
    if success {
        return Ok(());
    }
    let arguments = arguments.join(" ");
    Err(Failure::new(format!(
        "`{program} {arguments}` failed, see above"
    )))
}
