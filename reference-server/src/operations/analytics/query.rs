//! Finding rows.

use crate::access::system_tables::{find, members, system_database};
use crate::analytics::{ANALYTICS, HOSTNAMES};
use crate::error::OperationError;
use crate::query::{Group, Node, Operator, read_conditions, value_satisfies};
use crate::server::Server;
use crate::store::{Database, IndexHit, KeyRange, Record, StoreError, Table, View};
use crate::value::{Object, Value, object};
use std::collections::HashMap;
use std::ops::Bound;
use std::sync::Arc;

const METRIC: &str = "metric";
const ID: &str = "id";
const NODE: &str = "node";

/// The rows of an instance.
pub(super) struct Rows {
    system: Arc<Database>,
    table: Arc<Table>,
}

impl Rows {
    pub(super) fn open(server: &Server) -> Result<Rows, OperationError> {
        let system = system_database(&server.store)?;
        let table = find(system.catalog().table(ANALYTICS), ANALYTICS)?;
        Ok(Rows { system, table })
    }

    /// The names of the metrics that have rows, in order.
    pub(super) fn metrics(&self) -> Result<Vec<String>, OperationError> {
        let Some(attribute) = self.table.attribute_id(METRIC) else { return Ok(Vec::new()) };
        let reader = self.system.read()?;
        let mut names: Vec<String> = Vec::new();
        // From each name to the next greater one.
        loop {
            let after = names.last().map(|name| Value::from(name.as_str()));
            let low = after.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
            let range = KeyRange::new(low, Bound::Unbounded);
            let next = reader.view().index(&self.table, attribute, range, false)?.next().transpose()?;
            match next.and_then(|hit| hit.value()) {
                Some(Value::String(name)) if names.last() != Some(&name) => names.push(name),
                _ => return Ok(names),
            }
        }
    }

    /// The newest row of a metric, as it is stored.
    pub(super) fn newest(&self, metric: &str) -> Result<Option<Object>, OperationError> {
        let Some(attribute) = self.table.attribute_id(METRIC) else { return Ok(None) };
        let reader = self.system.read()?;
        let range = KeyRange::equal(&Value::from(metric));
        let hit = reader.view().index(&self.table, attribute, range, true)?.next().transpose()?;
        match hit {
            Some(hit) => Ok(self.row(reader.view(), &hit)?.map(|row| members(&row, &self.table))),
            None => Ok(None),
        }
    }

    fn row<'r>(&self, view: View<'r>, hit: &IndexHit<'r>) -> Result<Option<Record<'r>>, StoreError> {
        view.get_encoded(&self.table, hit.key)
    }

    /// The rows that a request of get_analytics asks for.
    pub(super) fn select(&self, request: &Object) -> Result<Vec<Object>, OperationError> {
        let conditions = request.get("conditions").and_then(Value::as_array).unwrap_or_default();
        let filter = read_conditions(&self.table, None, conditions)?;
        let Some(metric) = request.get(METRIC).cloned() else { return Ok(Vec::new()) };
        let Some(attribute) = self.table.attribute_id(METRIC).filter(|_| metric.as_str().is_some()) else {
            return Ok(Vec::new());
        };
        let time = |field: &str| request.get(field).and_then(Value::as_number);
        let (start, end) = (time("start_time"), time("end_time"));
        let shown = Shown::of(request);
        let reader = self.system.read()?;
        let names = self.node_names(reader.view())?;
        let mut rows = Vec::new();
        // Rows of one value of an index stand in the order of their keys, which begin with the time.
        for hit in reader.view().index(&self.table, attribute, KeyRange::equal(&metric), false)? {
            let hit = hit?;
            let Some(record) = self.row(reader.view(), &hit)? else { continue };
            let mut row = members(&record, &self.table);
            let Some((time, node)) = split_id(&row) else { continue };
            if start.is_some_and(|start| time < start) {
                continue;
            }
            if end.is_some_and(|end| time >= end) {
                break;
            }
            row.insert(ID.to_owned(), Value::Number(time));
            row.insert(NODE.to_owned(), names.get(&node.to_bits()).cloned().unwrap_or(Value::Null));
            if holds(&filter, &row) {
                rows.push(shown.only(row));
            }
        }
        Ok(rows)
    }

    fn node_names(&self, view: View<'_>) -> Result<HashMap<u64, Value>, OperationError> {
        let table = find(self.system.catalog().table(HOSTNAMES), HOSTNAMES)?;
        let mut names = HashMap::new();
        for record in view.scan(&table, KeyRange::all(), false)? {
            let record = members(&record?, &table);
            if let (Some(Value::Number(id)), Some(name)) = (record.get(ID), record.get("hostname")) {
                names.insert(id.to_bits(), name.clone());
            }
        }
        Ok(names)
    }
}

/// The time and the node in a stored id.
fn split_id(row: &Object) -> Option<(f64, f64)> {
    match row.get(ID)?.as_array()? {
        [Value::Number(time), Value::Number(node)] => Some((*time, *node)),
        _ => None,
    }
}

fn holds(group: &Group, row: &Object) -> bool {
    let one = |node: &Node| match node {
        Node::Group(group) => holds(group, row),
        Node::Leaf(condition) => {
            value_satisfies(condition.comparator, row.get(&condition.attribute), &condition.value)
        }
    };
    match group.operator {
        Operator::And => group.nodes.iter().all(one),
        Operator::Or => group.nodes.iter().any(one),
    }
}

/// Which members a request wants to see.
enum Shown {
    /// All, with the node's name.
    All,
    /// All that are stored.
    Stored,
    /// These.
    Named(Vec<String>),
}

impl Shown {
    fn of(request: &Object) -> Shown {
        let names = request.get("get_attributes").and_then(Value::as_array).unwrap_or_default();
        let names: Vec<String> = names.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        match names.as_slice() {
            [] => Shown::All,
            [star] if star == "*" => Shown::Stored,
            _ => Shown::Named(names),
        }
    }

    fn only(&self, mut row: Object) -> Object {
        match self {
            Shown::All => row,
            Shown::Stored => {
                row.shift_remove(NODE);
                row
            }
            Shown::Named(names) => {
                let id = row.get(ID).cloned().unwrap_or_default();
                let mut shown: Object =
                    names.iter().filter_map(|name| Some((name.clone(), row.get(name)?.clone()))).collect();
                if let Value::Object(id) = object([(ID, id)]) {
                    shown.extend(id);
                }
                shown
            }
        }
    }
}
