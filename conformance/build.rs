//! Builds the scenarios into the program: a table of path and text for every file below `scenarios/`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn main() {
    let folder = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("scenarios");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut files = Vec::new();
    collect(&folder, &mut files);
    files.sort();
    let mut table =
        String::from("/// Path and text of every scenario.\nstatic FILES: &[(&str, &str)] = &[\n");
    for file in files {
        let name = file.strip_prefix(&folder).expect("below the folder").to_string_lossy().replace('\\', "/");
        println!("cargo::rerun-if-changed={}", file.display());
        writeln!(table, "    ({name:?}, include_str!({:?})),", file.display().to_string())
            .expect("to a string");
    }
    let manifest = folder.join("manifest.json").display().to_string();
    write!(table, "];\n\n/// The declared counts.\nstatic MANIFEST: &str = include_str!({manifest:?});\n")
        .expect("to a string");
    let out = PathBuf::from(std::env::var("OUT_DIR").expect("cargo sets it")).join("scenarios.rs");
    std::fs::write(out, table).expect("writes the table");
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            println!("cargo::rerun-if-changed={}", path.display());
            collect(&path, files);
        } else if path.extension().is_some_and(|e| e == "json")
            && path.file_name() != Some("manifest.json".as_ref())
        {
            files.push(path);
        }
    }
}
