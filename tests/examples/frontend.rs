//! The pages in React and Vue, built as their owner would: with the packed npm package.

use std::{
    fs, io,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use harness::folder::TemporaryFolder;

use crate::shop::examples;

const MODAL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../services/site/modal");

/// A page of `examples/`, in a project of its own.
pub(crate) struct Frontend {
    project: TemporaryFolder,
    name: &'static str,
}

impl Frontend {
    /// Installs the package from the tarball that `npm pack` makes, and copies the page beside it.
    pub(crate) fn new(name: &'static str) -> Self {
        let project = TemporaryFolder::create("frontend").expect("a folder can be made");
        let folder = project.path();
        let text = folder.to_str().expect("its path is text");
        let packed = run(
            "npm",
            &["pack", "--silent", "--pack-destination", text],
            MODAL.as_ref(),
        );
        fs::write(folder.join("package.json"), "{ \"private\": true }").expect("it is written");
        let packed = format!("./{}", packed.trim());
        run(
            "npm",
            &["install", "--offline", "--no-save", &packed],
            folder,
        );
        link_the_others(folder).expect("`npm ci` was run in examples/");
        copy(&examples().join(name), &folder.join(name)).expect("a page is copied");
        Self { project, name }
    }

    /// Runs a compiler that complains about types.
    pub(crate) fn check_types(&self, compiler: &str) {
        run(
            &self.program(compiler),
            &["-p", self.name],
            self.project.path(),
        );
    }

    /// Builds it, and says where.
    pub(crate) fn build(&self) -> PathBuf {
        let arguments = ["build", "--logLevel", "warn", self.name];
        run(&self.program("vite"), &arguments, self.project.path());
        self.project.path().join(self.name).join("dist")
    }

    fn program(&self, name: &str) -> String {
        let path = self.project.path().join("node_modules/.bin").join(name);
        path.to_str().expect("its path is text").to_owned()
    }
}

/// Makes a project's other dependencies those of `examples/`.
fn link_the_others(project: &Path) -> io::Result<()> {
    let installed = examples().canonicalize()?.join("node_modules");
    for entry in fs::read_dir(installed)? {
        let entry = entry?;
        let link = project.join("node_modules").join(entry.file_name());
        if !link.exists() {
            symlink(entry.path(), link)?;
        }
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        fs::copy(entry.path(), to.join(entry.file_name()))?;
    }
    Ok(())
}

fn run(program: &str, arguments: &[&str], folder: &Path) -> String {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap_or_else(|failure| panic!("{program}: {failure}"));
    let [printed, complaints] =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {printed}{complaints}"
    );
    printed
}
