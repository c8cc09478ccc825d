//! Joins: the first table's records stream through, those of the others are held in memory, found by hash when the
//! condition has an equality.

use super::Engine;
use super::access_path::Visited;
use super::ast::{Expr, Join, JoinKind, Operator};
use super::compile::Compiler;
use super::deadline::Deadline;
use super::errors;
use super::functions::FunctionError;
use super::node::{Node, Row};
use super::value::keys::push_group_key;
use crate::error::OperationError;
use crate::store::Record;
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::rc::Rc;

/// How one table is joined to those before it.
#[derive(Clone, Debug)]
pub struct JoinPlan {
    /// Which rows without a match stay.
    pub kind: JoinKind,
    /// Expressions over the tables before, and over this one, that must be equal.
    keys: Vec<(Node, Node)>,
    /// The whole condition, unless the keys say it all.
    condition: Option<Node>,
    null_matches: bool,
}

impl JoinPlan {
    /// Plans a join to the table at the place `source`.
    ///
    /// # Errors
    /// Those of names in the condition.
    pub fn new(
        compiler: &mut Compiler<'_>,
        join: &Join,
        source: usize,
        engine: Engine,
    ) -> Result<JoinPlan, OperationError> {
        let Some(on) = &join.on else {
            return Ok(JoinPlan { kind: join.kind, keys: Vec::new(), condition: None, null_matches: false });
        };
        let mut unqualified = false;
        on.for_each_column(&mut |column| unqualified |= column.qualifiers.is_empty());
        if unqualified && engine == Engine::Legacy {
            return Err(errors::processing_failed());
        }
        let members = match on {
            Expr::All(members) => members.iter().collect(),
            Expr::Paren(inner) => vec![&**inner],
            other => vec![other],
        };
        let mut keys = Vec::new();
        for member in &members {
            if let Expr::Chain(left, rest) = member
                && let [(Operator::Equal, right)] = rest.as_slice()
                && let (Node::Column(left), Node::Column(right)) =
                    (compiler.node(left)?, compiler.node(right)?)
            {
                match (left.column.source, right.column.source) {
                    (a, b) if a < source && b == source => {
                        keys.push((Node::Column(left), Node::Column(right)))
                    }
                    (a, b) if a == source && b < source => {
                        keys.push((Node::Column(right), Node::Column(left)))
                    }
                    _ => {}
                }
            }
        }
        // A single equality compares the texts of both sides; beside another condition it is strict.
        let says_all = members.len() == 1 && keys.len() == 1;
        let condition = if says_all { None } else { Some(compiler.node(on)?) };
        Ok(JoinPlan { kind: join.kind, keys, condition, null_matches: says_all && engine == Engine::Legacy })
    }

    fn key(&self, row: &Row<'_, '_>, of_this: bool) -> Result<Option<String>, FunctionError> {
        let mut text = String::new();
        for (before, this) in &self.keys {
            let value = if of_this { this.value(row)? } else { before.value(row)? };
            if value.is_nullish() && !self.null_matches {
                return Ok(None);
            }
            push_group_key(&mut text, &value);
        }
        Ok(Some(text))
    }
}

/// A joined table's records.
struct Held<'j, 't> {
    plan: &'j JoinPlan,
    records: Vec<Record<'t>>,
    all: Rc<[usize]>,
    by_key: HashMap<String, Rc<[usize]>>,
    matched: Vec<bool>,
}

/// A join of several tables at work.
pub struct Joining<'j, 't> {
    held: Vec<Held<'j, 't>>,
    deadline: &'j Deadline,
    row: Vec<Option<Record<'t>>>,
}

impl<'j, 't> Joining<'j, 't> {
    /// Takes the records of the tables to be joined, in order.
    ///
    /// # Errors
    /// Those of functions.
    pub fn new(
        plans: &'j [JoinPlan],
        tables: Vec<Vec<Record<'t>>>,
        deadline: &'j Deadline,
    ) -> Result<Joining<'j, 't>, OperationError> {
        let sources = plans.len() + 1;
        let mut held = Vec::with_capacity(plans.len());
        for (at, (plan, records)) in plans.iter().zip(tables).enumerate() {
            let mut by_key: HashMap<String, Vec<usize>> = HashMap::new();
            if !plan.keys.is_empty() {
                let mut row = vec![None; sources];
                for (position, record) in records.iter().enumerate() {
                    deadline.step()?;
                    row[at + 1] = Some(*record);
                    let key = plan.key(&Row { records: &row, aggregates: &[] }, true);
                    if let Some(key) = key.map_err(errors::search_failed)? {
                        by_key.entry(key).or_default().push(position);
                    }
                }
            }
            let matched = vec![false; records.len()];
            let all = if plan.keys.is_empty() { (0..records.len()).collect() } else { Rc::default() };
            let by_key = by_key.into_iter().map(|(key, positions)| (key, positions.into())).collect();
            held.push(Held { plan, records, all, by_key, matched });
        }
        Ok(Joining { held, deadline, row: vec![None; sources] })
    }

    /// Joins a record of the first table.
    ///
    /// # Errors
    /// Those of functions, of `visit`, and of time running out.
    pub fn push(
        &mut self,
        record: Record<'t>,
        visit: &mut dyn FnMut(&[Option<Record<'t>>]) -> Visited,
    ) -> Visited {
        self.row.fill(None);
        if let Some(first) = self.row.first_mut() {
            *first = Some(record);
        }
        self.level(0, visit)
    }

    /// Gives the records of joined tables that matched nothing and stay nevertheless.
    ///
    /// # Errors
    /// As [`Joining::push`].
    pub fn finish(&mut self, visit: &mut dyn FnMut(&[Option<Record<'t>>]) -> Visited) -> Visited {
        for at in 0..self.held.len() {
            let stay = matches!(self.held[at].plan.kind, JoinKind::Right | JoinKind::Full);
            if !stay || fault!("sql-right-rows-lost") {
                continue;
            }
            for position in 0..self.held[at].records.len() {
                if !self.held[at].matched[position] {
                    self.deadline.step()?;
                    self.row.fill(None);
                    self.row[at + 1] = Some(self.held[at].records[position]);
                    if self.level(at + 1, visit)?.is_break() {
                        return Ok(ControlFlow::Break(()));
                    }
                }
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn level(&mut self, at: usize, visit: &mut dyn FnMut(&[Option<Record<'t>>]) -> Visited) -> Visited {
        let Some(held) = self.held.get(at) else { return visit(&self.row) };
        let plan = held.plan;
        let positions = if plan.keys.is_empty() {
            held.all.clone()
        } else {
            self.row[at + 1] = None;
            let key = plan
                .key(&Row { records: &self.row, aggregates: &[] }, false)
                .map_err(errors::search_failed)?;
            key.and_then(|key| held.by_key.get(&key).cloned()).unwrap_or_default()
        };
        let mut any = false;
        let most = if fault!("sql-first-match-only") { 1 } else { usize::MAX };
        for position in positions.iter().copied().take(most) {
            self.deadline.step()?;
            self.row[at + 1] = Some(self.held[at].records[position]);
            if let Some(condition) = plan.condition.as_ref().filter(|_| !fault!("sql-join-condition-ignored"))
            {
                let row = Row { records: &self.row, aggregates: &[] };
                if !condition.holds(&row).map_err(errors::search_failed)? {
                    continue;
                }
            }
            any = true;
            self.held[at].matched[position] = true;
            if self.level(at + 1, visit)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
            // Deeper levels have left their records in the row.
            self.row[at + 2..].fill(None);
        }
        if !any && matches!(plan.kind, JoinKind::Left | JoinKind::Full) && !fault!("sql-left-rows-lost") {
            self.row[at + 1] = None;
            return self.level(at + 1, visit);
        }
        Ok(ControlFlow::Continue(()))
    }
}
