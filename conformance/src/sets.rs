//! Frozen sets of requirements: what a run with `--requirements NAME` demands, now and for ever. What the contract
//! gains later is left out of such a run, and a level that changes later counts as it was.

use crate::event::{Checked, RequirementNote};
use crate::scenario::{Level, Profile};
use crate::verdict::Verdict;
use std::collections::BTreeMap;

/// The sets that come with the program: name and text.
const SHIPPED: &[(&str, &str)] = &[("2026-11", include_str!("../requirements/2026-11.txt"))];

/// Why a set cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetError {
    /// There is none of that name.
    #[error("there is no set of requirements '{0}'; the program comes with {known}", known = names().collect::<Vec<_>>().join(", "))]
    Unknown(String),
    /// A line that is no requirement.
    #[error("'{0}' is no line of a set: give the id and MUST, SHOULD or MAY")]
    Line(String),
    /// A requirement that the contract does not have any more.
    #[error("the set names {0}, which the contract does not have")]
    Vanished(String),
}

/// A frozen set: ids, and how binding each was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Set {
    /// Its name.
    pub name: String,
    levels: BTreeMap<String, Level>,
}

/// The names of the sets.
pub fn names() -> impl Iterator<Item = &'static str> {
    SHIPPED.iter().map(|(name, _)| *name)
}

impl Set {
    /// A set that comes with the program.
    ///
    /// # Errors
    /// [`SetError`] when there is none of that name, or it does not fit the contract.
    pub fn by_name(name: &str) -> Result<Set, SetError> {
        let found = SHIPPED.iter().find(|(known, _)| *known == name);
        let (name, text) = found.ok_or_else(|| SetError::Unknown(name.to_owned()))?;
        Set::parse(name, text)
    }

    /// Reads a set: a requirement's id and level on each line, `#` before remarks.
    ///
    /// # Errors
    /// [`SetError`] when a line is malformed or names what the contract does not have.
    pub fn parse(name: &str, text: &str) -> Result<Set, SetError> {
        let mut levels = BTreeMap::new();
        for line in text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()) {
            let malformed = || SetError::Line(line.to_owned());
            let (id, word) = line.trim().split_once(' ').ok_or_else(malformed)?;
            let level = Level::ALL.into_iter().find(|level| level.word() == word).ok_or_else(malformed)?;
            if spec::registry().requirement(id).is_none() {
                return Err(SetError::Vanished(id.to_owned()));
            }
            if levels.insert(id.to_owned(), level).is_some() {
                return Err(malformed());
            }
        }
        Ok(Set { name: name.to_owned(), levels })
    }

    /// The text of a set of everything that the contract demands now.
    pub fn of_today() -> String {
        let mut lines: Vec<String> = crate::requirement_notes()
            .iter()
            .map(|note| format!("{} {}\n", note.id, note.level.word()))
            .collect();
        lines.sort();
        lines.concat()
    }

    /// Every id with its level, in the order of ids.
    pub fn levels(&self) -> impl Iterator<Item = (&str, Level)> {
        self.levels.iter().map(|(id, level)| (id.as_str(), *level))
    }

    /// True when a check bears on the set, or on nothing that could be in it.
    pub fn wants(&self, check: &Checked) -> bool {
        check.requirements.is_empty() || check.requirements.iter().any(|id| self.levels.contains_key(id))
    }

    /// Judges a check by what the set has of its requirements.
    pub(crate) fn judge(&self, check: &mut Checked, profile: Profile) {
        check.requirements.retain(|id| self.levels.contains_key(id));
        let strictest = check.requirements.iter().filter_map(|id| self.levels.get(id)).min().copied();
        let Some(level) = strictest.filter(|level| *level > check.level) else { return };
        check.level = level;
        if check.verdict == Verdict::Fail {
            check.differing(profile);
        }
    }

    /// Of all requirements those of the set, at its levels.
    pub fn notes(&self, all: Vec<RequirementNote>) -> Vec<RequirementNote> {
        let of_set = |note: RequirementNote| {
            let level = *self.levels.get(&note.id)?;
            Some(RequirementNote { level, ..note })
        };
        all.into_iter().filter_map(of_set).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Kind;

    /// A sum of a text that the same text always has.
    fn seal(text: &str) -> u64 {
        text.bytes()
            .fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    }

    /// What was published stays as it was: a new set is a new file, and a new line here.
    const SEALS: &[(&str, u64)] = &[("2026-11", 0xd1a0_5360_c0c6_5158)];

    #[test]
    fn no_set_ever_changes() {
        let sums: Vec<(&str, u64)> = SHIPPED.iter().map(|(name, text)| (*name, seal(text))).collect();
        assert_eq!(sums, SEALS, "a published set was changed");
    }

    #[test]
    fn every_set_fits_the_contract() {
        for name in names() {
            let set = Set::by_name(name).unwrap();
            assert!(set.levels().count() > 100, "{name}");
        }
        assert!(Set::by_name("1999-01").unwrap_err().to_string().contains("2026-11"));
    }

    #[test]
    fn what_vanished_or_is_malformed_is_an_error() {
        let error = |text: &str| Set::parse("x", text).unwrap_err();
        assert_eq!(error("NOSQL-INSERT-999 MUST"), SetError::Vanished("NOSQL-INSERT-999".into()));
        assert_eq!(error("NOSQL-INSERT-001 WILL"), SetError::Line("NOSQL-INSERT-001 WILL".into()));
        assert_eq!(error("NOSQL-INSERT-001"), SetError::Line("NOSQL-INSERT-001".into()));
        assert!(matches!(error("NOSQL-INSERT-001 MUST\nNOSQL-INSERT-001 MAY"), SetError::Line(_)));
    }

    #[test]
    fn checks_are_judged_by_the_set_alone() {
        let set = Set::parse("x", "# remark\nNOSQL-INSERT-001 SHOULD\n").unwrap();
        let failed = |ids: &[&str]| Checked {
            requirements: ids.iter().map(|id| (*id).to_owned()).collect(),
            verdict: Verdict::Fail,
            ..Checked::new(Kind::Scenario, "a/b#c", "")
        };
        assert!(!set.wants(&failed(&["NOSQL-INSERT-002"])));
        assert!(set.wants(&failed(&[])) && set.wants(&failed(&["NOSQL-INSERT-002", "NOSQL-INSERT-001"])));
        let mut check = failed(&["NOSQL-INSERT-002", "NOSQL-INSERT-001"]);
        set.judge(&mut check, Profile::Full);
        assert_eq!(check.requirements, ["NOSQL-INSERT-001"]);
        assert_eq!((check.level, check.verdict), (Level::Should, Verdict::Warn));
        let mut check = failed(&["NOSQL-INSERT-001"]);
        set.judge(&mut check, Profile::Strict);
        assert_eq!(check.verdict, Verdict::Fail);
    }
}
