//! Finding functions by name.

use super::{Family, Function, arrays, dates, geo, json, logical, math, string};
use std::collections::HashMap;
use std::sync::LazyLock;

/// The families with their functions, in the order of the documentation.
pub static FAMILIES: [(Family, &[Function]); 7] = [
    (Family::String, string::FUNCTIONS),
    (Family::Math, math::FUNCTIONS),
    (Family::Logical, logical::FUNCTIONS),
    (Family::Date, dates::FUNCTIONS),
    (Family::Array, arrays::FUNCTIONS),
    (Family::Json, json::FUNCTIONS),
    (Family::Geo, geo::FUNCTIONS),
];

static BY_NAME: LazyLock<HashMap<&'static str, &'static Function>> = LazyLock::new(|| {
    let names = |function: &'static Function| {
        std::iter::once(function.name)
            .chain(function.aliases.iter().copied())
            .map(move |name| (name, function))
    };
    all().flat_map(names).collect()
});

/// All functions, family by family.
pub fn all() -> impl Iterator<Item = &'static Function> {
    FAMILIES.iter().flat_map(|(_, functions)| functions.iter())
}

/// The function of a name, in any case.
pub fn find(name: &str) -> Option<&'static Function> {
    BY_NAME.get(name.to_ascii_uppercase().as_str()).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found_once_and_documented() {
        let names = all().map(|function| 1 + function.aliases.len()).sum::<usize>();
        assert_eq!(names, BY_NAME.len(), "a name is given twice");
        for function in all() {
            assert_eq!(function.name, function.name.to_ascii_uppercase());
            assert!(function.doc.ends_with('.'), "{}", function.name);
            assert!(function.arity.0 <= function.arity.1, "{}", function.name);
        }
        assert!(find("coalesce").is_some());
        assert!(find("nothing").is_none());
    }
}
