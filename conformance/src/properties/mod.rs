//! Properties: what must hold for random cases, not only for those that somebody thought of.
//!
//! Each property is a story whose setup makes the fixture; then random cases are tried until one does not hold, which
//! is made as small as it can be. A run tells its seed, and the same seed tries the same cases.

pub mod grants;
mod permissions;
mod probes;

use crate::event::Checked;
use crate::runner::Run;
use crate::scenario::Scenario;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// The category of the stories that are tried with random cases.
pub const PROPERTIES: &str = "properties";

/// How often a failing case is made smaller at most.
const SHRINKS: usize = 200;

/// The stories of all properties; their steps only say what is checked.
pub fn scenarios() -> Vec<Scenario> {
    vec![permissions::scenario()]
}

/// Judges the checks of a property's story, whose setup was done.
pub(crate) async fn judge(run: &Run, suffix: &str, declared: Vec<Checked>) -> Vec<Checked> {
    permissions::judge(run, suffix, declared).await
}

/// A random case: as many choices, each as likely as not, and `false` is the simpler one.
type Choices = Vec<bool>;

/// The tree of a random case and of its simpler variants.
fn case(seed: u64, number: u32, length: usize) -> Option<impl ValueTree<Value = Choices> + Send> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..12].copy_from_slice(&number.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    proptest::collection::vec(any::<bool>(), length).new_tree(&mut runner).ok()
}

/// What a case is tried with.
struct Trial<'a> {
    run: &'a Run,
    /// What marks the names of the story in this run.
    suffix: &'a str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_says_all_cases() {
        let take = |seed, number| case(seed, number, 64).unwrap().current();
        assert_eq!(take(7, 0), take(7, 0));
        assert_ne!(take(7, 0), take(7, 1));
        assert_ne!(take(7, 0), take(8, 0));
    }
}
