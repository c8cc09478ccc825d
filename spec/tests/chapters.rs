//! The chapters and the requirements belong together: what a chapter cites exists, and a chapter that is
//! about an area has all requirements of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use regex::Regex;
use spec::{Basis, registry};

/// Chapter file name → the ids it cites.
fn cited() -> BTreeMap<String, BTreeSet<String>> {
    let mark = Regex::new(r"\[([A-Z]+(?:-[A-Z0-9]+)*-[0-9]{3})\]").expect("a pattern");
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("chapters");
    let mut chapters = BTreeMap::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        // the first chapter explains the marks and is about no area
        if path.extension().is_some_and(|one| one == "md") && !name.starts_with("00-") {
            let text = std::fs::read_to_string(&path).expect("a readable chapter");
            chapters.insert(name, mark.captures_iter(&text).map(|found| found[1].to_owned()).collect());
        }
    }
    chapters
}

/// The area most of the ids are of.
fn area_of(ids: &BTreeSet<String>) -> Option<&str> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for id in ids {
        *counts.entry(id.split('-').next()?).or_default() += 1;
    }
    counts.into_iter().max_by_key(|(_, count)| *count).map(|(area, _)| area)
}

#[test]
fn chapters_cite_requirements_that_exist() {
    let chapters = cited();
    assert!(!chapters.is_empty(), "no chapter was found");
    for (chapter, ids) in chapters {
        let unknown: Vec<_> = ids.iter().filter(|id| registry().requirement(id).is_none()).collect();
        assert!(unknown.is_empty(), "{chapter} cites what does not exist: {unknown:?}");
    }
}

#[test]
fn a_chapter_has_all_requirements_of_its_area() {
    let chapters = cited();
    let everywhere: BTreeSet<&str> = chapters.values().flatten().map(String::as_str).collect();
    let areas: BTreeSet<&str> = chapters.values().filter_map(area_of).collect();
    let missing: Vec<&str> = registry()
        .requirements()
        .filter(|requirement| {
            areas.contains(requirement.area()) && !everywhere.contains(requirement.id.as_str())
        })
        .map(|requirement| requirement.id.as_str())
        .collect();
    assert!(missing.is_empty(), "in no chapter, though their areas {areas:?} have one: {missing:?}");
}

#[test]
fn requirements_name_their_level() {
    for requirement in registry().requirements() {
        let word = requirement.level.word();
        let named = requirement.text.split(|letter: char| !letter.is_alphabetic()).any(|one| one == word);
        assert!(named, "{} is a {word} without saying so: {}", requirement.id, requirement.text);
    }
}

#[test]
fn requirements_end_as_sentences() {
    for requirement in registry().requirements() {
        let ends = requirement.text.ends_with(['.', '`', '"']);
        assert!(ends, "{}: {}", requirement.id, requirement.text);
        assert!(!requirement.source.is_empty(), "{} has no source", requirement.id);
    }
    assert!(registry().requirements().any(|requirement| requirement.basis == Basis::Observed));
}
