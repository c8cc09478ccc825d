//! Random programs of operations, judged by a plain model of the API. A program is a scenario like any other, except
//! that its steps are drawn from a seed and its expectations come from the model; one that fails is shrunk to the
//! shortest program that still fails.

mod csv;
mod draw;
mod model;
mod shrink;
mod tell;

pub use shrink::{Shortest, shortest};

use crate::scenario::Scenario;

/// The category of the programs.
pub const CATEGORY: &str = "programs";

/// How many programs a run tells when nothing else is said.
pub const DEFAULT: usize = 16;

/// The programs of a seed, numbered from 1.
pub fn scenarios(seed: u64, count: usize) -> Vec<Scenario> {
    (1..=count).map(|number| tell::scenario(&id(number), &draw::program(seed, number))).collect()
}

fn id(number: usize) -> String {
    format!("{CATEGORY}/records-{number}")
}

/// The number of the program that a scenario's id names.
fn number_of(id: &str) -> Option<usize> {
    id.strip_prefix(CATEGORY)?.strip_prefix("/records-")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_always_gives_the_same_programs() {
        let text = |seed| serde_json::to_string(&scenarios(seed, 4)).unwrap_or_default();
        assert_eq!(text(7), text(7));
        assert_ne!(text(7), text(8));
    }

    #[test]
    fn every_program_is_a_sound_scenario() {
        for scenario in scenarios(42, 64) {
            assert_eq!(crate::scenario::check_scenario(&scenario), Ok(()), "{}", scenario.id);
            assert_eq!(number_of(&scenario.id).map(id).as_deref(), Some(scenario.id.as_str()));
        }
    }

    #[test]
    fn programs_say_something() {
        let text = serde_json::to_string(&scenarios(1, 64)).unwrap_or_default();
        for part in [
            "skipped_hashes\":[\"",
            "\"between\"",
            "\"or\"",
            "\"descending\":true",
            "COUNT(*)",
            "a valid hash",
            "csv_data_load",
            "\"action\":\"update\"",
            "SELECT id,",
        ] {
            assert!(text.contains(part), "no program has {part}");
        }
    }
}
