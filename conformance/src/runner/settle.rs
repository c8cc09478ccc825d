//! Some products make changes of structure, users and roles visible to all their threads only after a moment. The
//! harness then waits, bounded, for the expected answer instead of accusing falsely, and reports how long it took.

use crate::target::Answer;
use std::time::{Duration, Instant};

/// How long changes may take to be visible.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settle {
    /// The longest wait; zero when every acknowledged change must be visible at once.
    pub longest: Duration,
    /// What the probe measured.
    pub measured: Duration,
}

/// What kind of change an operation makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// None.
    None,
    /// Records, and with them perhaps new attributes.
    Records,
    /// Databases, tables, attributes, users, roles, sessions, settings.
    Structure,
}

impl Change {
    /// The change that an operation makes, by its name.
    pub fn of(operation: &str) -> Self {
        const STRUCTURE: [&str; 11] = [
            "create_",
            "drop_",
            "alter_",
            "add_",
            "remove_",
            "set_",
            "deploy_",
            "configure_",
            "restart",
            "login",
            "logout",
        ];
        const RECORDS: [&str; 7] = ["insert", "update", "upsert", "delete", "sql", "csv_", "import_"];
        if STRUCTURE.iter().any(|prefix| operation.starts_with(prefix)) {
            Change::Structure
        } else if RECORDS.iter().any(|prefix| operation.starts_with(prefix)) {
            Change::Records
        } else {
            Change::None
        }
    }
}

/// The changes of one story that may not be visible yet.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pending {
    structure: Option<Instant>,
    records: Option<Instant>,
}

impl Pending {
    /// Notes a change that was just acknowledged.
    pub fn changed(&mut self, change: Change) {
        match change {
            Change::Structure => self.structure = Some(Instant::now()),
            Change::Records => self.records = Some(Instant::now()),
            Change::None => {}
        }
    }

    /// True when a step that did not go as expected may be repeated, because an earlier change may not be visible
    /// yet and repeating does no harm.
    pub fn may_repeat(&self, settle: Settle, change: Change, answer: Option<&Answer>) -> bool {
        let Some(answer) = answer else {
            return false;
        };
        let open = |since: Option<Instant>| since.is_some_and(|since| since.elapsed() < settle.longest);
        if open(self.structure) {
            // A refused change did nothing; one that was made must not be made twice.
            return change == Change::None || answer.status >= 400;
        }
        // Written records are visible at once everywhere; only the attributes they bring may lag behind.
        open(self.records) && answer.error().is_some_and(|text| text.contains("attribute"))
    }

    /// How long a step that changes something and is expected to be refused should wait first: repeating it would
    /// come too late.
    pub fn head_start(&self, settle: Settle, change: Change, expected: Option<u16>) -> Option<Duration> {
        let refused = expected.is_some_and(|status| status >= 400);
        let since = self.structure.filter(|_| refused && change != Change::None)?;
        (settle.measured * 2).checked_sub(since.elapsed()).filter(|wait| !wait.is_zero())
    }

    /// When the last change of structure was made.
    pub fn since(&self) -> Option<Instant> {
        self.structure
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, text: &str) -> Answer {
        let body = serde_json::json!({"error": text}).to_string();
        Answer::new(status, vec![("content-type".into(), "application/json".into())], body.as_bytes())
    }

    #[test]
    fn a_target_that_is_immediate_gets_no_second_chance() {
        let mut pending = Pending::default();
        pending.changed(Change::Structure);
        assert!(!pending.may_repeat(Settle::default(), Change::None, Some(&answer(404, "x"))));
    }

    #[test]
    fn only_harmless_steps_are_repeated() {
        let settle = Settle { longest: Duration::from_secs(60), measured: Duration::from_millis(100) };
        let mut pending = Pending::default();
        assert!(!pending.may_repeat(settle, Change::None, Some(&answer(404, "x"))));
        pending.changed(Change::Records);
        assert!(!pending.may_repeat(settle, Change::None, Some(&answer(200, "x"))));
        assert!(pending.may_repeat(settle, Change::None, Some(&answer(500, "unknown attribute 'a'"))));
        pending.changed(Change::of("create_table"));
        assert!(pending.may_repeat(settle, Change::None, Some(&answer(200, "x"))));
        assert!(pending.may_repeat(settle, Change::of("insert"), Some(&answer(400, "x"))));
        assert!(!pending.may_repeat(settle, Change::of("insert"), Some(&answer(200, "x"))));
        assert!(pending.head_start(settle, Change::of("insert"), Some(400)).is_some());
        assert!(pending.head_start(settle, Change::None, Some(404)).is_none());
    }
}
