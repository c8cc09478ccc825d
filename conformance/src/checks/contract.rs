//! Stories generated from the schemas.

use crate::scenario::Scenario;

/// The generated stories.
pub fn scenarios() -> Vec<Scenario> {
    Vec::new()
}
