//! Manual pages and shell completions, made of a service's command line.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use clap::{Arg, ArgMatches, Command, value_parser};
use clap_complete::{generate, shells};

/// The subcommand that writes them. Who builds a package runs it, so help doesn't list it.
pub(crate) const SUBCOMMAND: &str = "package-files";

const FOLDER: &str = "folder";
const NAME: &str = "name";

pub(crate) fn subcommand() -> Command {
    Command::new(SUBCOMMAND)
        .about("Write manual pages and shell completions, as they lie below /usr/share")
        .hide(true)
        .arg(
            Arg::new(FOLDER)
                .required(true)
                .value_parser(value_parser!(PathBuf))
                .help("The folder that becomes /usr/share"),
        )
        .arg(
            Arg::new(NAME)
                .long(NAME)
                .value_name("NAME")
                .help("What the package calls this program, if not by its own name"),
        )
}

/// Writes the files of `command` that `given` asks for.
///
/// # Errors
/// If a file can't be written.
pub(crate) fn write(command: Command, given: &ArgMatches) -> io::Result<()> {
    let Some(folder) = given.get_one::<PathBuf>(FOLDER) else {
        return Ok(());
    };
    // Clap's names are static, and this process ends when the files are written.
    let name: Option<&'static str> = given
        .get_one::<String>(NAME)
        .map(|name| &*name.clone().leak());
    let command = match name {
        Some(name) => command.name(name).bin_name(name),
        None => command,
    };
    let name = command.get_name().to_owned();
    let manual = folder.join("man/man1");
    fs::create_dir_all(&manual)?;
    clap_mangen::generate_to(command.clone(), &manual)?;
    let write = |path: &str, shell: fn(&mut Command, &str, &mut Vec<u8>)| {
        let mut text = Vec::new();
        shell(&mut command.clone(), &name, &mut text);
        put(&folder.join(path), &text)
    };
    write(
        &format!("bash-completion/completions/{name}"),
        |command, name, text| generate(shells::Bash, command, name, text),
    )?;
    write(
        &format!("zsh/vendor-completions/_{name}"),
        |command, name, text| generate(shells::Zsh, command, name, text),
    )?;
    write(
        &format!("fish/vendor_completions.d/{name}.fish"),
        |command, name, text| generate(shells::Fish, command, name, text),
    )
}

fn put(path: &Path, text: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text)
}
