//! The Dockerfile knows every member of the workspace: without one manifest cargo builds none.

use std::{fs, path::Path};

#[test]
fn every_members_manifest_is_copied() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let dockerfile = fs::read_to_string(root.join("deploy/Dockerfile")).expect("it is there");
    for folder in ["crates", "services"] {
        for entry in fs::read_dir(root.join(folder)).expect("it is a folder") {
            let name = entry.expect("it can be read").file_name();
            let member = format!("{folder}/{}", name.to_str().expect("a plain name"));
            let line = format!("COPY {member}/Cargo.toml {member}/");
            assert!(dockerfile.contains(&line), "missing: {line}");
        }
    }
}
