//! Which part of the project may use which: `schemas → spec → {reference-server, conformance} → benches`. A library
//! that knew the server it judges would prove nothing.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on may panic")]

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// Lines of code below a folder that hold a word, comments left out.
fn uses(folder: &str, word: &str, allowed: &[&str]) -> Vec<String> {
    let folder = root().join(folder);
    let mut found = Vec::new();
    for file in sources(&folder) {
        let name = file.strip_prefix(&folder).unwrap().to_string_lossy().into_owned();
        if allowed.iter().any(|allowed| name.starts_with(allowed)) {
            continue;
        }
        let text = std::fs::read_to_string(&file).unwrap();
        let lines = text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"));
        found.extend(lines.filter(|(_, line)| line.contains(word)).map(|(n, _)| format!("{name}:{}", n + 1)));
    }
    found
}

#[test]
fn the_contract_knows_neither_server_nor_harness() {
    for word in ["reference_server", "conformance::"] {
        assert_eq!(uses("spec/src", word, &[]), [""; 0], "spec uses {word}");
    }
}

#[test]
fn the_server_does_not_know_the_harness() {
    assert_eq!(uses("reference-server/src", "conformance", &[]), [""; 0]);
}

#[test]
fn the_harness_does_not_know_the_server() {
    // Only the command line starts it.
    assert_eq!(uses("conformance/src", "reference_server", &["cli/embedded"]), [""; 0]);
}

#[test]
fn the_harness_depends_on_the_server_only_by_a_feature() {
    let manifest = std::fs::read_to_string(root().join("conformance/Cargo.toml")).unwrap();
    let line = manifest.lines().find(|line| line.starts_with("reference-server")).unwrap();
    assert!(line.contains("optional = true"), "{line}");
}
