//! What is run: stories that stand on their own, each with the checks it declares beforehand.

use super::Options;
use crate::event::{Checked, Kind};
use crate::scenario::{Level, Profile, Scenario, Suite};
use crate::verdict::Verdict;
use std::sync::Arc;

/// The category of the generated stories.
pub const CONTRACT: &str = "contract";

/// The category of the stories of who may call what.
pub const MATRIX: &str = "matrix";

/// A story as a part of a run.
#[derive(Clone, Debug)]
pub struct Unit {
    /// The story.
    pub scenario: Arc<Scenario>,
}

impl Unit {
    /// Its id, without steps.
    pub fn id(&self) -> &str {
        &self.scenario.id
    }

    /// What kind of checks it makes.
    pub fn kind(&self) -> Kind {
        match self.scenario.category() {
            CONTRACT | MATRIX => Kind::Contract,
            crate::programs::CATEGORY => Kind::Program,
            _ => Kind::Scenario,
        }
    }

    /// True when nothing else may run meanwhile.
    pub fn is_serial(&self) -> bool {
        self.scenario.serial || self.scenario.disruptive || !self.scenario.takes.is_empty()
    }

    /// True when it comes after everything else.
    pub fn is_disruptive(&self) -> bool {
        self.scenario.disruptive
    }

    /// Its checks, not yet run.
    pub fn declared(&self, profile: Profile) -> Vec<Checked> {
        let least = self.scenario.profile;
        self.scenario
            .checks()
            .filter(|(step, _)| step.profile.unwrap_or(least).max(least) <= profile)
            .map(|(step, id)| Checked {
                operation: step
                    .operation()
                    .map(std::borrow::Cow::into_owned)
                    .or_else(|| self.scenario.only_operation().map(str::to_owned)),
                requirements: self.scenario.requirements_of(step).cloned().collect(),
                level: step.level,
                ..Checked::new(self.kind(), id, step.title())
            })
            .collect()
    }

    /// True when it belongs to a category: its own, or, for a generated story, that of its operation.
    pub fn is_in(&self, category: &str) -> bool {
        let of_operation = || {
            let operation = spec::registry().operation(self.scenario.only_operation()?)?;
            Some(operation.category.as_str())
        };
        self.scenario.category() == category
            || (self.kind() == Kind::Contract && of_operation() == Some(category))
    }

    /// True when a text occurs in an id, or is an operation or a requirement of it.
    pub fn mentions(&self, text: &str) -> bool {
        self.id().contains(text)
            || self.scenario.operations.iter().any(|operation| operation == text)
            || self.declared(Profile::Strict).iter().any(|check| {
                check.id.contains(text)
                    || check.operation.as_deref() == Some(text)
                    || check.requirements.iter().any(|id| id == text)
            })
    }
}

/// All units of a run.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The chosen units.
    pub units: Vec<Unit>,
    /// How many checks there are in all.
    pub declared: usize,
    /// How many were chosen.
    pub chosen: usize,
}

impl Plan {
    /// Chooses from everything there is.
    pub fn new(suite: &Suite, options: &Options) -> Self {
        let everything: Vec<Unit> =
            suite.scenarios.iter().map(|scenario| Unit { scenario: Arc::new(scenario.clone()) }).collect();
        let in_set = |check: &&Checked| options.set.as_ref().is_none_or(|set| set.wants(check));
        let told = |unit: &Unit| unit.declared(options.profile).iter().filter(in_set).count();
        let count = |units: &[Unit]| units.iter().map(told).sum();
        let declared = count(&everything);
        let wanted =
            |list: &[String], test: &dyn Fn(&String) -> bool| list.is_empty() || list.iter().any(test);
        let units: Vec<Unit> = everything
            .into_iter()
            .filter(|unit| wanted(&options.categories, &|category| unit.is_in(category)))
            .filter(|unit| wanted(&options.only, &|text| unit.mentions(text)))
            .filter(|unit| told(unit) > 0)
            .collect();
        let chosen = count(&units);
        Plan { units, declared, chosen }
    }
}

impl Checked {
    /// Judges by the level: what is recommended only warns, unless everything is demanded.
    pub(crate) fn differing(&mut self, profile: Profile) {
        self.verdict = match self.level {
            Level::Must => Verdict::Fail,
            Level::Should if profile == Profile::Strict => Verdict::Fail,
            Level::Should | Level::May => Verdict::Warn,
        };
    }
}
