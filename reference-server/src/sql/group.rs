//! GROUP BY: rows with the same keys taken together, one at a time.

use super::Engine;
use super::aggregate::Accumulator;
use super::ast::Aggregate;
use super::errors;
use super::functions::FunctionError;
use super::node::{Node, Row};
use super::value::Js;
use super::value::keys::push_group_key;
use crate::error::OperationError;
use crate::store::Record;
use std::collections::HashMap;

/// What is grouped by and computed.
#[derive(Clone, Debug)]
pub struct Grouping {
    /// The keys; none for all rows together.
    pub keys: Vec<Node>,
    /// The functions of many rows.
    pub aggregates: Vec<Aggregate>,
    /// Their arguments; `None` for `*`.
    pub arguments: Vec<Option<Node>>,
}

/// The rows of one group.
pub struct Group<'t> {
    /// The records of its first row; columns that are grouped by are read from it.
    pub records: Vec<Option<Record<'t>>>,
    accumulators: Vec<Accumulator>,
}

impl Group<'_> {
    /// The results of the functions of many rows.
    pub fn results(&mut self, engine: Engine) -> Vec<Js> {
        std::mem::take(&mut self.accumulators)
            .into_iter()
            .map(|accumulator| accumulator.result(engine))
            .collect()
    }
}

/// All groups, in the order of their first rows.
pub struct Groups<'g, 't> {
    grouping: &'g Grouping,
    groups: Vec<Group<'t>>,
    by_key: HashMap<String, usize>,
    /// Groups by the stored texts of their keys, which spares reading them.
    by_stored: HashMap<Vec<u8>, usize>,
    only_columns: bool,
    stored: Vec<u8>,
    empty: Vec<Accumulator>,
}

impl<'g, 't> Groups<'g, 't> {
    /// No groups yet.
    pub fn new(grouping: &'g Grouping) -> Groups<'g, 't> {
        Groups {
            grouping,
            groups: Vec::new(),
            by_key: HashMap::new(),
            by_stored: HashMap::new(),
            only_columns: grouping.keys.iter().all(|key| matches!(key, Node::Column(_))),
            stored: Vec::new(),
            empty: grouping.aggregates.iter().map(Accumulator::new).collect(),
        }
    }

    /// Adds a row.
    ///
    /// # Errors
    /// Those of functions.
    pub fn add(&mut self, records: &[Option<Record<'t>>]) -> Result<(), OperationError> {
        let row = Row { records, aggregates: &[] };
        if fault!("sql-nulls-make-no-group")
            && let Some(key) = self.grouping.keys.first()
            && key.value(&row).map_err(errors::search_failed)?.is_nullish()
        {
            return Ok(());
        }
        let group = self.group_of(&row).map_err(errors::search_failed)?;
        let Some(group) = self.groups.get_mut(group) else { return Ok(()) };
        for (accumulator, argument) in group.accumulators.iter_mut().zip(&self.grouping.arguments) {
            let value = match argument {
                None => Js::Bool(true),
                Some(argument) => argument.value(&row).map_err(errors::search_failed)?,
            };
            accumulator.add(value);
        }
        Ok(())
    }

    fn group_of(&mut self, row: &Row<'_, 't>) -> Result<usize, FunctionError> {
        if self.grouping.keys.is_empty() {
            if self.groups.is_empty() {
                self.begin(row.records);
            }
            return Ok(0);
        }
        if self.only_columns {
            self.stored.clear();
            for key in &self.grouping.keys {
                if let Node::Column(column) = key {
                    self.stored.extend_from_slice(column.raw(row).map_or(b"null", |raw| raw.json()));
                    self.stored.push(0);
                }
            }
            if let Some(group) = self.by_stored.get(self.stored.as_slice()) {
                return Ok(*group);
            }
        }
        let mut text = String::new();
        for key in &self.grouping.keys {
            let value = key.value(row)?;
            push_group_key(&mut text, if value.is_nullish() { &Js::Null } else { &value });
        }
        let group = match self.by_key.get(&text) {
            Some(group) => *group,
            None => {
                let group = self.begin(row.records);
                self.by_key.insert(text, group);
                group
            }
        };
        if self.only_columns {
            self.by_stored.insert(self.stored.clone(), group);
        }
        Ok(group)
    }

    fn begin(&mut self, records: &[Option<Record<'t>>]) -> usize {
        self.groups.push(Group { records: records.to_vec(), accumulators: self.empty.clone() });
        self.groups.len() - 1
    }

    /// The groups. All rows together are a group even when there is none.
    pub fn finish(mut self, sources: usize) -> Vec<Group<'t>> {
        if self.grouping.keys.is_empty() && self.groups.is_empty() && !fault!("sql-nothing-is-no-row") {
            self.begin(&vec![None; sources]);
        }
        self.groups
    }
}
