//! Running a planned search: drive, filter, sort, cut out the page.

use super::Search;
use super::condition::{Comparator, Condition, Group, Node, Operator, Sort};
use super::filter::{holds, value_satisfies};
use super::index_range::{entry_satisfies, range_of};
use super::order::compare_in_sort;
use super::plan::{Driver, Plan};
use crate::error::OperationError;
use crate::store::{AttributeId, IndexHit, KeyRange, PRIMARY_KEY, RawValue, Record, Table, View};
use crate::value::{Value, compare};
use std::cmp::Ordering;
use std::collections::HashSet;
use std::ops::ControlFlow;

/// What a visitor of records says: go on, or enough.
pub type Found = Result<ControlFlow<()>, OperationError>;

/// Calls `visit` with each record of the search's result, in order.
///
/// # Errors
/// Those of the store and of `visit`.
pub fn run<'r>(
    search: &Search,
    plan: &Plan,
    view: View<'r>,
    visit: &mut dyn FnMut(&Record<'r>) -> Found,
) -> Result<(), OperationError> {
    let limit = search.limit.unwrap_or(usize::MAX);
    if limit == 0 {
        return Ok(());
    }
    let walk = Walk { view, table: &search.table, reverse: plan.reverse };
    match &plan.sort {
        None => {
            let mut position = 0;
            let page_end =
                search.offset.saturating_add(limit).saturating_add(usize::from(fault!("page-one-too-many")));
            let mut page = |record: &Record<'r>| -> Found {
                position += 1;
                if position > search.offset && visit(record)?.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
                Ok(if position >= page_end { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
            };
            let _ = walk.filtered(plan, &mut page)?;
        }
        Some(sort) => {
            let sorted = walk.sorted(plan, sort)?;
            let page = if fault!("sort-after-paging") {
                (0, limit.saturating_sub(1))
            } else {
                (search.offset, limit)
            };
            for entry in sorted.into_iter().skip(page.0).take(page.1) {
                if visit(&entry.record)?.is_break() {
                    break;
                }
            }
        }
    }
    Ok(())
}

struct Sortable<'r> {
    values: Vec<Option<Value>>,
    record: Record<'r>,
}

/// The text of a record's primary key, which tells records of a table apart.
fn key_text<'r>(record: &Record<'r>) -> &'r [u8] {
    record.attribute(PRIMARY_KEY).map_or(&[], |raw| raw.json())
}

struct Walk<'r, 't> {
    view: View<'r>,
    table: &'t Table,
    reverse: bool,
}

impl<'r> Walk<'r, '_> {
    fn filtered(&self, plan: &Plan, visit: &mut dyn FnMut(&Record<'r>) -> Found) -> Found {
        let mut passing = |record: &Record<'r>| -> Found {
            if fault!("filters-ignored") || plan.filters.iter().all(|node| holds(node, record)) {
                visit(record)
            } else {
                Ok(ControlFlow::Continue(()))
            }
        };
        match &plan.driver {
            Driver::All => self.scan(&KeyRange::all(), &mut passing),
            Driver::Node(node) => self.node(node, &mut passing),
        }
    }

    fn sorted(&self, plan: &Plan, sort: &Sort) -> Result<Vec<Sortable<'r>>, OperationError> {
        let order: Vec<&Sort> = std::iter::successors(Some(sort), |sort| {
            sort.next.as_deref().filter(|_| !fault!("sort-ignores-next"))
        })
        .collect();
        let mut entries = Vec::new();
        let _ = self.filtered(plan, &mut |record: &Record<'r>| {
            let values = order
                .iter()
                .map(|sort| Some(record.attribute(sort.id?)?.decode()))
                .collect::<Vec<Option<Value>>>();
            entries.push(Sortable { values, record: *record });
            Ok(ControlFlow::Continue(()))
        })?;
        entries.sort_by(|a, b| {
            for (position, sort) in order.iter().enumerate() {
                let ascending = compare_in_sort(a.values[position].as_ref(), b.values[position].as_ref());
                let wanted = if sort.descending && !fault!("sort-ignores-descending") {
                    ascending.reverse()
                } else {
                    ascending
                };
                if wanted != Ordering::Equal {
                    return wanted;
                }
            }
            Ordering::Equal
        });
        Ok(entries)
    }

    fn node(&self, node: &Node, visit: &mut dyn FnMut(&Record<'r>) -> Found) -> Found {
        match node {
            Node::Leaf(condition) => self.condition(condition, visit),
            Node::Group(group) => match group.operator {
                Operator::And => self.intersection(group, visit),
                Operator::Or => self.union(group, visit),
            },
        }
    }

    /// The first member drives, the others filter.
    fn intersection(&self, group: &Group, visit: &mut dyn FnMut(&Record<'r>) -> Found) -> Found {
        let Some((driver, filters)) = group.nodes.split_first() else {
            return Ok(ControlFlow::Continue(()));
        };
        self.node(driver, &mut |record: &Record<'r>| {
            if fault!("groups-ignore-members") || filters.iter().all(|node| holds(node, record)) {
                visit(record)
            } else {
                Ok(ControlFlow::Continue(()))
            }
        })
    }

    /// The results of each member in turn, a record only once.
    fn union(&self, group: &Group, visit: &mut dyn FnMut(&Record<'r>) -> Found) -> Found {
        let mut seen: HashSet<&'r [u8]> = HashSet::new();
        for node in group.nodes.iter().take(if fault!("or-takes-first-only") { 1 } else { usize::MAX }) {
            let step = self.node(node, &mut |record: &Record<'r>| {
                if seen.insert(key_text(record)) || fault!("or-repeats-records") {
                    visit(record)
                } else {
                    Ok(ControlFlow::Continue(()))
                }
            })?;
            if step.is_break() {
                return Ok(step);
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn condition(&self, condition: &Condition, visit: &mut dyn FnMut(&Record<'r>) -> Found) -> Found {
        if condition.is_primary_key {
            self.by_primary_key(condition, visit)
        } else if condition.is_indexed {
            self.by_index(condition, visit)
        } else {
            self.scan(&KeyRange::all(), &mut |record: &Record<'r>| {
                let value = condition.id.and_then(|id| record.attribute(id)).map(|raw| raw.decode());
                if value_satisfies(condition.comparator, value.as_ref(), &condition.value) {
                    visit(record)
                } else {
                    Ok(ControlFlow::Continue(()))
                }
            })
        }
    }

    fn by_primary_key(&self, condition: &Condition, visit: &mut dyn FnMut(&Record<'r>) -> Found) -> Found {
        if condition.comparator == Comparator::Equals {
            return match self.view.get(self.table, &condition.value)? {
                Some(record) => visit(&record),
                None => Ok(ControlFlow::Continue(())),
            };
        }
        let range = range_of(condition);
        self.scan(&range.range, &mut |record: &Record<'r>| {
            if fault!("key-search-scans-nothing") {
                return Ok(ControlFlow::Continue(()));
            }
            if !range.recheck || value_satisfies(condition.comparator, Some(&record.key()), &condition.value)
            {
                visit(record)
            } else {
                Ok(ControlFlow::Continue(()))
            }
        })
    }

    fn by_index(&self, condition: &Condition, visit: &mut dyn FnMut(&Record<'r>) -> Found) -> Found {
        let Some(attribute) = condition.id else {
            return Ok(ControlFlow::Continue(()));
        };
        let range = range_of(condition);
        // Entries that the range alone does not tell, as they or its ends are too long for the index, and conditions
        // that are more than a range.
        let lies_within = |entry: &Value| range.range.contains(entry);
        let satisfies = |entry: &Value| !range.recheck || entry_satisfies(condition, entry);
        // A record with an array has several entries; it is to come out once.
        let mut seen: HashSet<&'r [u8]> = HashSet::new();
        let mut show = |record: &Record<'r>, raw: RawValue<'r>| -> Found {
            if !fault!("array-elements-repeat")
                && raw.json().first() == Some(&b'[')
                && !seen.insert(key_text(record))
            {
                return Ok(ControlFlow::Continue(()));
            }
            visit(record)
        };
        let mut hits = self.view.index(self.table, attribute, range.range.clone(), self.reverse)?.peekable();
        while let Some(hit) = hits.next() {
            let hit = hit?;
            if let Some(cut) = hit.cut() {
                let mut run = vec![hit];
                while let Some(Ok(next)) = hits.peek()
                    && next.cut() == Some(cut)
                {
                    run.push(*next);
                    hits.next();
                }
                for (entry, record, raw) in self.in_order(attribute, &run)? {
                    if lies_within(&entry) && satisfies(&entry) && show(&record, raw)?.is_break() {
                        return Ok(ControlFlow::Break(()));
                    }
                }
                continue;
            }
            if !hit.exact && hit.value().is_some_and(|entry| !lies_within(&entry)) {
                continue;
            }
            if range.recheck && hit.value().is_some_and(|entry| !satisfies(&entry)) {
                continue;
            }
            let Some(record) = self.view.get_encoded(self.table, hit.key)? else { continue };
            let Some(raw) = record.attribute(attribute) else { continue };
            if show(&record, raw)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// The values and records of entries whose values are too long for the index, in the order of the values.
    fn in_order(
        &self,
        attribute: AttributeId,
        run: &[IndexHit<'r>],
    ) -> Result<Vec<(Value, Record<'r>, RawValue<'r>)>, OperationError> {
        let mut entries = Vec::with_capacity(run.len());
        for hit in run {
            let Some(record) = self.view.get_encoded(self.table, hit.key)? else { continue };
            let Some(raw) = record.attribute(attribute) else { continue };
            let entry = match raw.decode() {
                Value::Array(items) => items.into_iter().find(|item| hit.is_of(item)),
                value => Some(value),
            };
            entries.extend(entry.map(|entry| (entry, record, raw)));
        }
        entries.sort_by(|(a, a_record, _), (b, b_record, _)| {
            let order = compare(a, b).then_with(|| compare(&a_record.key(), &b_record.key()));
            if self.reverse { order.reverse() } else { order }
        });
        Ok(entries)
    }

    fn scan(&self, range: &KeyRange, visit: &mut dyn FnMut(&Record<'r>) -> Found) -> Found {
        for record in self.view.scan(self.table, range.clone(), self.reverse)? {
            if visit(&record?)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}
