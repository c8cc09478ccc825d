//! The columns of a result: what they hold, what they are called and in which order they come.

use super::Engine;
use super::ast::{Expr, Item, Select};
use super::compile::Compiler;
use super::errors;
use super::node::{Column, Node};
use super::print::{Quotes, text_of};
use super::scope::{ColumnRef, Scope};
use crate::access::Caller;
use crate::error::OperationError;
use crate::value::{integer_like, write_json_string};
use std::collections::HashMap;

/// A column of the result.
#[derive(Clone, Debug)]
pub struct Output {
    /// Its name.
    pub name: String,
    /// Its name as it begins a member of a JSON object.
    pub member: Box<[u8]>,
    /// What it holds.
    pub node: Node,
    /// The attribute it is, when it is nothing but one: missing ones are null.
    pub column: Option<Column>,
}

impl Output {
    fn new(name: String, node: Node) -> Output {
        let column = match &node {
            Node::Column(column) => Some(column.clone()),
            _ => None,
        };
        Output { member: member_name(&name), name, node, column }
    }

    fn rename(&mut self, name: String) {
        self.member = member_name(&name);
        self.name = name;
    }
}

fn member_name(name: &str) -> Box<[u8]> {
    let mut member = Vec::with_capacity(name.len() + 3);
    write_json_string(&mut member, name);
    member.push(b':');
    member.into()
}

/// The columns of a SELECT's result, in the order they are shown.
///
/// # Errors
/// Names that stand for nothing, functions that do not exist.
pub fn outputs(
    compiler: &mut Compiler<'_>,
    scope: &Scope,
    caller: &Caller,
    select: &Select,
    engine: Engine,
) -> Result<Vec<Output>, OperationError> {
    let grouped = !select.group_by.is_empty();
    let aggregated = is_aggregated(select);
    let quotes = if scope.sources.is_empty() { Quotes::Single } else { Quotes::Double };
    let mut named = Vec::new();
    let mut starred = Vec::new();
    for item in &select.items {
        match item {
            // Beside functions of many rows, columns that are not grouped by show nothing.
            Item::Star | Item::TableStar(_) if aggregated && !grouped => {}
            Item::Star => {
                if scope.sources.is_empty() {
                    return Err(OperationError::fault("no from clause"));
                }
                let most = if fault!("sql-star-of-first-table") { 1 } else { usize::MAX };
                for source in (0..scope.sources.len()).take(most) {
                    star(scope, caller, source, &mut starred);
                }
            }
            Item::TableStar(qualifier) => match scope.source(qualifier) {
                Some(source) => star(scope, caller, source, &mut starred),
                None => return Err(errors::unknown_column(&format!("{qualifier}.*"))),
            },
            Item::Expr { text_alias: true, .. } if engine == Engine::Legacy => {
                return Err(errors::search_failed("an alias in quotes"));
            }
            Item::Expr { expr, alias, .. } => {
                let hidden = aggregated && !grouped && !expr.has_aggregate() && has_column(expr);
                let node = compiler.node(expr)?;
                if !hidden {
                    let name = alias.clone().unwrap_or_else(|| default_name(expr, quotes));
                    named.push(Output::new(name, node));
                }
            }
        }
    }
    // The attributes of one table have different names.
    let all_differ = named.is_empty() && select.joins.is_empty() && select.items.len() == 1;
    named.append(&mut starred);
    let mut outputs = if all_differ {
        named
    } else if select.joins.is_empty() {
        without_repetition(named)
    } else {
        numbered(named)
    };
    // JavaScript lists integer-like names first.
    if outputs.iter().any(|output| integer_like(&output.name).is_some()) {
        outputs.sort_by_key(|output| integer_like(&output.name).map_or((1, 0), |index| (0, index)));
    }
    Ok(outputs)
}

/// Whether the rows are taken together.
pub fn is_aggregated(select: &Select) -> bool {
    let has = |item: &Item| matches!(item, Item::Expr { expr, .. } if expr.has_aggregate());
    !select.group_by.is_empty() || select.items.iter().any(has)
}

fn has_column(expr: &Expr) -> bool {
    expr.any(&mut |expr| matches!(expr, Expr::Column(_)))
}

fn star(scope: &Scope, caller: &Caller, source: usize, outputs: &mut Vec<Output>) {
    let of = &scope.sources[source];
    for (name, id) in of.star(caller) {
        let column = Column::new(ColumnRef { source, id });
        let member = of.table.member_name(id).into();
        outputs.push(Output { name, member, node: Node::Column(column.clone()), column: Some(column) });
    }
}

/// What an item without an alias is called.
fn default_name(expr: &Expr, quotes: Quotes) -> String {
    match expr {
        Expr::Column(column) => column.name.clone(),
        other if fault!("sql-functions-named-in-small") => text_of(other, quotes).to_lowercase(),
        other => text_of(other, quotes),
    }
}

/// Of columns of one name the last counts, at the place of the first; a function of many rows that is there again
/// keeps a column of its own.
fn without_repetition(outputs: Vec<Output>) -> Vec<Output> {
    let mut kept: Vec<Output> = Vec::with_capacity(outputs.len());
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut repeated: HashMap<String, usize> = HashMap::new();
    for mut output in outputs {
        if let Some(place) = places.get(&output.name).copied() {
            let same = matches!((&kept[place].node, &output.node), (Node::Aggregate(a), Node::Aggregate(b)) if a == b);
            if !same {
                kept[place] = output;
                continue;
            }
            let times = repeated.entry(output.name.clone()).or_insert(0);
            *times += 1;
            let name = format!("{}:{times}", output.name);
            output.rename(name);
        }
        places.insert(output.name.clone(), kept.len());
        kept.push(output);
    }
    kept
}

/// In a join the second column of a name gets 1 behind it, the third 2.
fn numbered(outputs: Vec<Output>) -> Vec<Output> {
    let mut times: HashMap<String, usize> = HashMap::new();
    let mut numbered = Vec::with_capacity(outputs.len());
    for mut output in outputs {
        let times = times.entry(output.name.clone()).or_insert(0);
        if *times > 0 && !fault!("sql-join-names-clash") {
            let name = format!("{}{times}", output.name);
            output.rename(name);
        }
        *times += 1;
        numbered.push(output);
    }
    without_repetition(numbered)
}
