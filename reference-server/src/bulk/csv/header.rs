//! The names of columns.

use std::collections::{HashMap, HashSet};

/// The names that the cells of a header give: as they are, a repeated one with `_1`, `_2` and so on behind it.
pub(super) fn names<'c>(cells: impl Iterator<Item = &'c [u8]>) -> Vec<String> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut taken: HashSet<String> = HashSet::new();
    let mut names = Vec::new();
    for cell in cells {
        let cell = String::from_utf8_lossy(cell).into_owned();
        let count = seen.entry(cell.clone()).or_default();
        let first = *count == 0 || fault!("load-repeated-columns-clash");
        let mut name = if first { cell } else { format!("{cell}_{count}") };
        if fault!("load-repeated-columns-clash") {
            taken.clear();
        }
        // A later column may have been given that very name.
        while taken.contains(&name) {
            name = format!("{name}_{count}");
        }
        *count += 1;
        taken.insert(name.clone());
        names.push(name);
    }
    names
}

#[cfg(test)]
mod tests {
    fn names(line: &str) -> Vec<String> {
        super::names(line.split(',').map(str::as_bytes))
    }

    #[test]
    fn repeated_names_are_numbered() {
        assert_eq!(names("id,leg,leg,leg"), ["id", "leg", "leg_1", "leg_2"]);
        assert_eq!(names("a,a_1,a"), ["a", "a_1", "a_1_1"]);
        assert_eq!(names("a_0,a, a "), ["a_0", "a", " a "]);
    }
}
