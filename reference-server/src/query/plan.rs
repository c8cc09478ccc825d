//! Which condition drives a search and which only filter: the narrowest first, ties by position.

use super::Search;
use super::condition::{Comparator, Condition, Group, Node, Operator, Sort};
use crate::error::OperationError;
use crate::store::{StoreError, Table, View};
use crate::value::Value;

/// The shares of a table that range comparators are taken to match.
const OPEN_RANGE: f64 = 0.3;
const BETWEEN: f64 = 0.1;
const STARTS_WITH: f64 = 0.05;

/// How a search is going to run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where records come from.
    pub driver: Driver,
    /// What they must satisfy besides.
    pub filters: Vec<Node>,
    /// The order the driver does not provide.
    pub sort: Option<Sort>,
    /// Whether the driver runs backwards.
    pub reverse: bool,
    /// About how many records the driver yields.
    pub estimate: f64,
}

/// Where the records of a search come from.
#[derive(Clone, Debug)]
pub enum Driver {
    /// Every record, in key order.
    All,
    /// A condition or a group, through its indexes.
    Node(Node),
}

impl Plan {
    /// Plans a search.
    ///
    /// # Errors
    /// The faults of conditions that cannot drive (null as the primary key), and those of the store.
    pub fn new(search: &Search, view: View<'_>) -> Result<Plan, OperationError> {
        let estimator = Estimator { view, table: &search.table, total: view.count(&search.table)? as f64 };
        let mut plan = match &search.filter {
            None => Plan {
                driver: Driver::All,
                filters: Vec::new(),
                sort: search.sort.clone(),
                reverse: search.reverse,
                estimate: estimator.total,
            },
            Some(group) if group.operator == Operator::Or && group.nodes.len() > 1 => {
                let group = estimator.ordered_group(group)?;
                let estimate = estimator.of_group(&group)?;
                Plan {
                    driver: Driver::Node(Node::Group(group)),
                    filters: Vec::new(),
                    sort: search.sort.clone(),
                    reverse: search.reverse,
                    estimate,
                }
            }
            Some(group) => plan_intersection(search, group, &estimator)?,
        };
        if let Driver::Node(node) = &plan.driver {
            check_drivable(node)?;
        }
        // A reversed walk leaves records of equal rank reversed too, so a later sort starts from key order.
        plan.reverse &= plan.sort.is_none();
        Ok(plan)
    }
}

impl Plan {
    /// What ends the search before its first record: the driver looks for an object in an index.
    pub fn key_fault(&self) -> Option<String> {
        match &self.driver {
            Driver::Node(Node::Leaf(condition)) => condition.key_fault(),
            _ => None,
        }
    }
}

/// What a candidate for driving stands for.
enum Candidate {
    /// The node at this position of the group.
    Node(usize),
    /// The index of the attribute sorted by.
    SortIndex,
}

fn plan_intersection(
    search: &Search,
    group: &Group,
    estimator: &Estimator<'_>,
) -> Result<Plan, OperationError> {
    let nodes =
        group.nodes.iter().map(|node| estimator.ordered(node)).collect::<Result<Vec<Node>, StoreError>>()?;
    // The first condition on the attribute sorted by may provide the order by itself.
    let aligned =
        search.sort.as_ref().and_then(|sort| nodes.iter().position(|node| is_on(node, &sort.attribute)));
    let sort_is_indexed = search.sort.as_ref().is_some_and(|sort| {
        search
            .table
            .attribute(&sort.attribute)
            .is_some_and(|attribute| attribute.indexed && !attribute.is_primary_key)
    });
    let mut candidates = Vec::with_capacity(nodes.len() + 1);
    for (position, node) in nodes.iter().enumerate() {
        let weight = if aligned == Some(position) { 0.5 } else { 1.0 };
        candidates.push((Candidate::Node(position), estimator.of(node)? * weight));
    }
    if aligned.is_none() && sort_is_indexed {
        candidates.push((Candidate::SortIndex, (estimator.total + 1.0) / 2.0));
    }
    // Entries are counted only where there is a choice, and an object has none that could be.
    if candidates.len() > 1
        && let Some(text) = nodes.iter().find_map(uncountable)
    {
        return Err(OperationError::fault(text));
    }
    if !fault!("plan-first-condition-drives") {
        candidates.sort_by(|a, b| a.1.total_cmp(&b.1));
    }
    let estimate = candidates.first().map_or(0.0, |(_, estimate)| *estimate);
    let mut slots: Vec<Option<Node>> = nodes.into_iter().map(Some).collect();
    let mut taken = candidates.into_iter();
    let (driver, sorted_by_driver) = match taken.next() {
        Some((Candidate::Node(position), _)) => {
            let driver = slots[position].take().map_or(Driver::All, Driver::Node);
            (driver, aligned == Some(position))
        }
        // An index lacks the records without a value, so the order is made from all records instead.
        Some((Candidate::SortIndex, _)) | None => (Driver::All, false),
    };
    if !sorted_by_driver {
        // A condition on the attribute sorted by that does not drive is not applied: the real product drops it
        // together with the hint it doubles as.
        if let Some(position) = aligned {
            slots[position] = None;
        }
    }
    let filters = taken
        .filter_map(|(candidate, _)| match candidate {
            Candidate::Node(position) => slots[position].take(),
            Candidate::SortIndex => None,
        })
        .collect();
    let descending = search.sort.as_ref().is_some_and(|sort| sort.descending);
    Ok(Plan {
        driver,
        filters,
        sort: search.sort.clone(),
        reverse: if sorted_by_driver { descending } else { search.reverse },
        estimate,
    })
}

fn is_on(node: &Node, attribute: &str) -> bool {
    matches!(node, Node::Leaf(condition) if condition.attribute == attribute)
}

fn uncountable(node: &Node) -> Option<String> {
    match node {
        Node::Leaf(condition) if condition.is_indexed && condition.comparator == Comparator::Equals => {
            condition.key_fault()
        }
        _ => None,
    }
}

/// The primary key has no entry for null, so a search for it there cannot run.
fn check_drivable(node: &Node) -> Result<(), OperationError> {
    match node {
        Node::Leaf(condition)
            if condition.is_primary_key && condition.value.is_null() && !fault!("null-key-may-drive") =>
        {
            Err(OperationError::invalid(format!(
                "\"{}\" is not indexed for nulls, index needs to be rebuilt to search for nulls, can not search for this attribute",
                condition.attribute
            )))
        }
        Node::Leaf(_) => Ok(()),
        Node::Group(group) if group.operator == Operator::And => {
            group.nodes.first().map_or(Ok(()), check_drivable)
        }
        Node::Group(group) => group.nodes.iter().try_for_each(check_drivable),
    }
}

struct Estimator<'r> {
    view: View<'r>,
    table: &'r Table,
    total: f64,
}

impl Estimator<'_> {
    /// The node with the members of its `and` groups ordered, narrowest first.
    fn ordered(&self, node: &Node) -> Result<Node, StoreError> {
        match node {
            Node::Leaf(_) => Ok(node.clone()),
            Node::Group(group) => Ok(Node::Group(self.ordered_group(group)?)),
        }
    }

    fn ordered_group(&self, group: &Group) -> Result<Group, StoreError> {
        let mut nodes = Vec::with_capacity(group.nodes.len());
        for node in &group.nodes {
            let node = self.ordered(node)?;
            let estimate = self.of(&node)?;
            nodes.push((node, estimate));
        }
        if group.operator == Operator::And {
            nodes.sort_by(|a, b| a.1.total_cmp(&b.1));
        }
        Ok(Group { operator: group.operator, nodes: nodes.into_iter().map(|(node, _)| node).collect() })
    }

    fn of(&self, node: &Node) -> Result<f64, StoreError> {
        match node {
            Node::Leaf(condition) => self.of_condition(condition),
            Node::Group(group) => self.of_group(group),
        }
    }

    fn of_group(&self, group: &Group) -> Result<f64, StoreError> {
        let mut total = match group.operator {
            Operator::Or => 0.0,
            Operator::And => f64::INFINITY,
        };
        for node in &group.nodes {
            let estimate = self.of(node)?;
            total = match group.operator {
                Operator::Or => total + estimate,
                Operator::And if total.is_finite() => total * estimate / self.total,
                Operator::And => estimate,
            };
        }
        // An empty table makes the quotient meaningless.
        Ok(if total.is_nan() { f64::INFINITY } else { total })
    }

    fn of_condition(&self, condition: &Condition) -> Result<f64, StoreError> {
        // Counting costs a step for each entry; past the share of an open range it decides nothing more.
        let enough = (OPEN_RANGE * self.total) as u64 + 2;
        let entries = |value: &Value| match condition.id {
            Some(id) if condition.is_indexed => {
                self.view.index_count_up_to(self.table, id, value, enough).map(|count| count as f64)
            }
            _ => Ok(0.0),
        };
        match condition.comparator {
            Comparator::Equals if condition.is_primary_key => Ok(1.0),
            Comparator::Equals if condition.is_indexed => entries(&condition.value),
            Comparator::Equals => Ok(f64::INFINITY),
            Comparator::NotEqual if condition.value.is_null() => Ok(self.total - entries(&Value::Null)?),
            Comparator::NotEqual | Comparator::Contains | Comparator::EndsWith => Ok(f64::INFINITY),
            Comparator::StartsWith => Ok(STARTS_WITH * self.total + 1.0),
            Comparator::Between => Ok(BETWEEN * self.total + 1.0),
            _ => Ok(OPEN_RANGE * self.total + 1.0),
        }
    }
}
