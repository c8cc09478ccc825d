//! Which records a statement has to look at: conditions on keys and indexed attributes narrow them. The whole
//! condition is evaluated on what is left, so a path has to hold every record that satisfies it, and may hold more.

use super::deadline::Deadline;
use super::node::Node;
use crate::error::OperationError;
use crate::store::{AttributeId, KeyRange, PRIMARY_KEY, Record, Table, View};
use crate::value::{Value, compare};
use std::cmp::Ordering;
use std::ops::ControlFlow;

/// Up to so many keys are looked up without asking for anything better.
const FEW_KEYS: usize = 32;

/// A way to candidates that some condition opens.
enum Path {
    /// By primary keys.
    Keys(Vec<Value>),
    /// By ranges of primary keys.
    KeyRanges(Vec<KeyRange>),
    /// By ranges of an index.
    Entries(AttributeId, Vec<KeyRange>),
    /// By several of these; one is enough for a record.
    Either(Vec<Path>),
}

/// The records to look at.
pub enum Candidates<'t> {
    /// All of the table.
    All,
    /// Those with these primary keys, in order.
    Keys(Vec<Value>),
    /// Those in these ranges of primary keys, which are in order.
    Ranges(Vec<KeyRange>),
    /// Those with these encoded keys, in order.
    Encoded(Vec<&'t [u8]>),
}

impl Candidates<'_> {
    /// How many there are at most, when that is known.
    pub fn count(&self) -> Option<usize> {
        match self {
            Candidates::Keys(keys) => Some(keys.len()),
            Candidates::Encoded(keys) => Some(keys.len()),
            Candidates::All | Candidates::Ranges(_) => None,
        }
    }
}

/// Chooses the candidates of one table of a statement, from conditions that must all hold.
///
/// # Errors
/// Those of the store.
pub fn candidates<'t>(
    view: View<'t>,
    table: &Table,
    source: usize,
    conditions: &[&Node],
) -> Result<Candidates<'t>, OperationError> {
    let paths: Vec<Path> = conditions.iter().filter_map(|condition| path(table, source, condition)).collect();
    if paths.is_empty() {
        return Ok(Candidates::All);
    }
    let keys = paths.iter().filter_map(|path| match path {
        Path::Keys(keys) => Some(keys),
        _ => None,
    });
    let fewest = keys.min_by_key(|keys| keys.len());
    if let Some(keys) = fewest.filter(|keys| keys.len() <= FEW_KEYS) {
        return Ok(Candidates::Keys(keys.clone()));
    }
    // Beyond a third of the table reading all of it in order is faster.
    let mut limit = view.count(table)? as usize / 3 + 1;
    let mut best = None;
    if let Some(keys) = fewest.filter(|keys| keys.len() < limit) {
        limit = keys.len();
        best = Some(Candidates::Keys(keys.clone()));
    }
    for path in &paths {
        if matches!(path, Path::Keys(_) | Path::KeyRanges(_)) {
            continue;
        }
        let mut found = Vec::new();
        if collect(view, table, path, limit, &mut found)? {
            found.sort_unstable();
            found.dedup();
            limit = found.len();
            best = Some(Candidates::Encoded(found));
        }
    }
    let ranges = paths.into_iter().find_map(|path| match path {
        Path::KeyRanges(ranges) => Some(Candidates::Ranges(ranges)),
        _ => None,
    });
    Ok(best.or(ranges).unwrap_or(Candidates::All))
}

/// Collects the encoded keys of a path unless there are more than `limit`; tells whether there are not.
fn collect<'t>(
    view: View<'t>,
    table: &Table,
    path: &Path,
    limit: usize,
    found: &mut Vec<&'t [u8]>,
) -> Result<bool, OperationError> {
    match path {
        Path::Entries(attribute, ranges) => {
            for range in ranges {
                for hit in view.index(table, *attribute, range.clone(), false)? {
                    found.push(hit?.key);
                    if found.len() > limit {
                        return Ok(false);
                    }
                }
            }
            Ok(true)
        }
        Path::Either(paths) => {
            for path in paths {
                if !collect(view, table, path, limit, found)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        // Keys have no entries to be collected from.
        Path::Keys(_) | Path::KeyRanges(_) => Ok(false),
    }
}

/// The path that a condition opens to a table's records.
fn path(table: &Table, source: usize, condition: &Node) -> Option<Path> {
    match condition {
        Node::Same(column, value, _) if column.column.source == source => {
            lookup(table, column.column.id, std::slice::from_ref(value))
        }
        Node::OneOf { column, values, negated: false, .. } if column.column.source == source => {
            lookup(table, column.column.id, values)
        }
        Node::Ranged(ranged) if ranged.column.column.source == source => {
            let id = ranged.column.column.id;
            if id == PRIMARY_KEY {
                Some(Path::KeyRanges(ranged.ranges.clone()))
            } else {
                table.is_indexed(id).then(|| Path::Entries(id, ranged.ranges.clone()))
            }
        }
        Node::Any(members) => {
            let paths: Option<Vec<Path>> = members
                .iter()
                .take(if fault!("sql-or-narrowed-by-first") { 1 } else { usize::MAX })
                .map(|member| {
                    path(table, source, member)
                        .filter(|path| matches!(path, Path::Entries(..) | Path::Either(_)))
                })
                .collect();
            paths.map(Path::Either)
        }
        Node::All(members) => members.iter().find_map(|member| path(table, source, member)),
        _ => None,
    }
}

fn lookup(table: &Table, id: AttributeId, values: &[Value]) -> Option<Path> {
    if id == PRIMARY_KEY {
        let mut keys = values.to_vec();
        keys.sort_by(compare);
        keys.dedup_by(|a, b| compare(a, b) == Ordering::Equal);
        if fault!("sql-key-list-first-only") {
            keys.truncate(1);
        }
        return Some(Path::Keys(keys));
    }
    table.is_indexed(id).then(|| Path::Entries(id, values.iter().map(KeyRange::equal).collect()))
}

/// What a visitor of records says: go on, or enough.
pub type Visited = Result<ControlFlow<()>, OperationError>;

/// Calls `visit` with each candidate, in the order of primary keys.
///
/// # Errors
/// Those of the store, of `visit`, and of time running out.
pub fn for_each<'t>(
    view: View<'t>,
    table: &Table,
    candidates: &Candidates<'t>,
    deadline: &Deadline,
    visit: &mut dyn FnMut(Record<'t>) -> Visited,
) -> Visited {
    match candidates {
        Candidates::All => scan(view, table, KeyRange::all(), deadline, visit),
        Candidates::Ranges(ranges) => {
            for range in ranges {
                if scan(view, table, range.clone(), deadline, visit)?.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
            Ok(ControlFlow::Continue(()))
        }
        Candidates::Keys(keys) => {
            for key in keys {
                deadline.step()?;
                if let Some(record) = view.get(table, key)?
                    && visit(record)?.is_break()
                {
                    return Ok(ControlFlow::Break(()));
                }
            }
            Ok(ControlFlow::Continue(()))
        }
        Candidates::Encoded(keys) => {
            for key in keys {
                deadline.step()?;
                if let Some(record) = view.get_encoded(table, key)?
                    && visit(record)?.is_break()
                {
                    return Ok(ControlFlow::Break(()));
                }
            }
            Ok(ControlFlow::Continue(()))
        }
    }
}

fn scan<'t>(
    view: View<'t>,
    table: &Table,
    range: KeyRange,
    deadline: &Deadline,
    visit: &mut dyn FnMut(Record<'t>) -> Visited,
) -> Visited {
    for record in view.scan(table, range, false)? {
        deadline.step()?;
        if visit(record?)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}
