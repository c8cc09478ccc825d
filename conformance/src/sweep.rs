//! Removes what runs that were cut off left behind.

use crate::runner::leftovers::{self, Leftover};
use crate::target::Target;
use regex::Regex;
use std::sync::LazyLock;

#[expect(clippy::expect_used, reason = "the pattern is a constant, tried by the test below")]
static MARKED: LazyLock<Regex> =
    LazyLock::new(|| Regex::new("_([0-9a-z]{4})x[0-9a-z]+$").expect("a valid pattern"));

/// The run whose mark a name bears.
pub fn run_of(name: &str) -> Option<&str> {
    MARKED.captures(name)?.get(1).map(|run| run.as_str())
}

/// What bears the mark of one run, or of any.
pub async fn find(target: &Target, run: Option<&str>) -> Vec<Leftover> {
    let wanted = |name: &str| run_of(name).is_some_and(|mark| run.is_none_or(|run| run == mark));
    leftovers::find(target, &wanted).await
}

/// Removes what was found; what could not be removed comes back.
pub async fn remove(target: &Target, found: Vec<Leftover>) -> Vec<Leftover> {
    let mut kept = Vec::new();
    for leftover in found {
        if !leftovers::remove(target, &leftover).await {
            kept.push(leftover);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::run_of;
    use crate::scenario::Names;

    #[test]
    fn the_mark_of_a_run_is_recognised() {
        let name = format!("shop{}", Names::named("k3x9").suffix(77));
        assert_eq!(run_of(&name), Some("k3x9"));
        assert_eq!(run_of("shop"), None);
        assert_eq!(run_of("shop_2024x"), None);
    }
}
