//! What the images are made of: every member of the workspace, without one of whose manifests cargo
//! builds none, and others' images, of which a digest says which.

use std::{
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn every_members_manifest_is_copied() {
    let root = root();
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

#[test]
fn every_image_of_others_is_pinned_by_digest() {
    let read = |path: &str| fs::read_to_string(root().join(path)).expect("it is there");
    let dockerfile = read("deploy/Dockerfile");
    let compose = read("docker-compose.yml");
    let arguments = dockerfile
        .lines()
        .filter_map(|line| line.strip_prefix("ARG "))
        .filter(|argument| argument.contains("_IMAGE="));
    let images = compose.lines().filter_map(|line| {
        let (name, image) = line.trim().split_once(": ${")?;
        (name == "image" || name.ends_with("_IMAGE")).then_some(image)
    });
    let pinned: Vec<&str> = arguments.chain(images).collect();
    assert_eq!(pinned.len(), 9, "{pinned:?}");
    for image in pinned {
        let digest = image.split_once("@sha256:").map(|(_, digest)| digest);
        let digest = digest.unwrap_or_else(|| panic!("{image}: no digest"));
        let digits = digest.trim_end_matches('}');
        assert_eq!(digits.len(), 64, "{image}");
        assert!(
            digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
            "{image}"
        );
    }
    // Nothing else names an image.
    let named = |line: &&str| line.trim_start().starts_with("image:") || line.starts_with("FROM ");
    for line in compose.lines().chain(dockerfile.lines()).filter(named) {
        let is_ours = line.starts_with("FROM runtime ") || line.starts_with("FROM scratch ");
        assert!(is_ours || line.contains("${"), "{line}");
    }
    let of = |text: &str, before: &str| {
        let start = text.find(before).expect("it is named") + before.len();
        text[start..].split(['\n', '}']).next().map(str::to_owned)
    };
    assert_eq!(
        of(&dockerfile, "ARG RUST_IMAGE="),
        of(&compose, "${RUST_IMAGE:-"),
    );
}
