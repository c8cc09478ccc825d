//! SELECT: from a statement to a plan, and from the plan to rows.

use super::Engine;
use super::access_path::{Candidates, Visited, candidates, for_each};
use super::ast::{Expr, Item, JoinKind, OrderKey, Select, Unsupported};
use super::compile::Compiler;
use super::deadline::Deadline;
use super::errors;
use super::group::{Grouping, Groups};
use super::join::{JoinPlan, Joining};
use super::node::{Node, Row};
use super::outputs::{Output, is_aggregated, outputs};
use super::page::{Page, wanted};
use super::print::{Quotes, text_of};
use super::scope::{ColumnRef, Meaning, Scope};
use super::sink::Sink;
use super::sorting::{compare_keys, sort, sort_and_keep};
use super::value::Js;
use super::value::keys::push_distinct_key;
use crate::access::Caller;
use crate::error::OperationError;
use crate::operations::{ReplyForm, Rows};
use crate::store::{Record, View};
use indexmap::IndexMap;
use std::ops::ControlFlow;

/// More candidates than this are not read on the threads that serve connections.
const SMALL: usize = 100;

/// Rows kept beyond the wanted ones before the surplus is sorted out.
const SURPLUS: usize = 1024;

/// A SELECT made ready to run.
pub struct Plan {
    scope: Scope,
    engine: Engine,
    outputs: Vec<Output>,
    conditions: Vec<Node>,
    joins: Vec<JoinPlan>,
    grouping: Option<Grouping>,
    having: Option<Node>,
    order: Vec<Node>,
    descending: Vec<bool>,
    distinct: bool,
    percent: Option<u64>,
    page: Page,
    outer: bool,
    /// True when nothing in the statement can take long for a single row.
    simple: bool,
}

/// A row that waits for its place.
struct Entry<'t> {
    records: Vec<Option<Record<'t>>>,
    aggregates: Vec<Js>,
    keys: Vec<Js>,
}

impl Plan {
    /// Plans a statement over the tables in `scope`.
    ///
    /// # Errors
    /// What is wrong with the names in it, in the documented order: columns, GROUP BY, ORDER BY.
    pub fn new(
        select: &Select,
        scope: Scope,
        caller: &Caller,
        engine: Engine,
    ) -> Result<Plan, OperationError> {
        if let Some(Unsupported::NullsOrder(first)) = select.unsupported {
            return Err(errors::unknown_column(if first { "first" } else { "last" }));
        }
        check_columns(select, &scope)?;
        check_grouping(select, &scope)?;
        check_order(select)?;
        let mut compiler = Compiler::new(&scope, engine);
        let conditions = select.filter.as_ref().map(|filter| compiler.conditions(filter)).transpose()?;
        let joins = select
            .joins
            .iter()
            .enumerate()
            .map(|(at, join)| JoinPlan::new(&mut compiler, join, at + 1, engine))
            .collect::<Result<Vec<_>, _>>()?;
        let aggregated = is_aggregated(select);
        compiler.allow_aggregates = aggregated;
        let outputs = outputs(&mut compiler, &scope, caller, select, engine)?;
        for item in &select.items {
            if let Item::Expr { expr, alias: Some(alias), .. } = item {
                compiler.aliases.insert(alias.clone(), expr.clone());
            }
        }
        let having = select.having.as_ref().map(|having| compiler.node(having)).transpose()?;
        let order = select
            .order_by
            .iter()
            .map(|key| order_node(&mut compiler, select, key))
            .collect::<Result<Vec<_>, _>>()?;
        compiler.aliases.clear();
        let grouping = aggregated.then(|| grouping(&mut compiler, select)).transpose()?;
        let (page, percent) = wanted(select);
        Ok(Plan {
            engine,
            outputs,
            conditions: conditions.unwrap_or_default(),
            joins,
            grouping,
            having,
            order,
            descending: select.order_by.iter().map(|key| key.descending).collect(),
            distinct: select.distinct && !fault!("sql-distinct-ignored"),
            percent,
            page,
            outer: select.joins.iter().any(|join| join.kind != JoinKind::Inner),
            simple: select.joins.is_empty() && !calls_functions(select),
            scope,
        })
    }

    /// Runs the plan on a view of each table's database. `None` when it is to be `small` and is not.
    ///
    /// # Errors
    /// Those of the store, of functions, and of time running out.
    pub fn run(
        &self,
        views: &[View<'_>],
        form: ReplyForm,
        small: bool,
        deadline: &Deadline,
    ) -> Result<Option<Rows>, OperationError> {
        if small && !self.simple {
            return Ok(None);
        }
        let first = match views.first() {
            Some(view) => self.candidates(*view, 0)?,
            None => Candidates::Keys(Vec::new()),
        };
        if small && first.count().is_none_or(|count| count > SMALL) {
            return Ok(None);
        }
        let mut sink = Sink::new(&self.outputs, form, self.engine, self.outer);
        // A role that may read nothing of `*` is shown no rows.
        if self.outputs.is_empty() || self.page.limit == 0 {
            return Ok(Some(sink.finish()));
        }
        match &self.grouping {
            Some(grouping) => self.run_grouped(grouping, views, &first, deadline, &mut sink)?,
            None => self.run_plain(views, &first, deadline, &mut sink)?,
        }
        Ok(Some(sink.finish()))
    }

    fn run_grouped(
        &self,
        grouping: &Grouping,
        views: &[View<'_>],
        first: &Candidates<'_>,
        deadline: &Deadline,
        sink: &mut Sink<'_>,
    ) -> Result<(), OperationError> {
        let mut groups = Groups::new(grouping);
        let _ = self.for_each_row(views, first, deadline, &mut |records| {
            groups.add(records)?;
            Ok(ControlFlow::Continue(()))
        })?;
        let mut entries = Entries::new(self);
        for mut group in groups.finish(self.scope.sources.len()) {
            deadline.step()?;
            let aggregates = group.results(self.engine);
            let row = Row { records: &group.records, aggregates: &aggregates };
            if let Some(having) = self.having.as_ref().filter(|_| !fault!("sql-having-ignored"))
                && !having.holds(&row).map_err(errors::search_failed)?
            {
                continue;
            }
            entries.add(&group.records, aggregates)?;
        }
        entries.write(sink)
    }

    fn run_plain(
        &self,
        views: &[View<'_>],
        first: &Candidates<'_>,
        deadline: &Deadline,
        sink: &mut Sink<'_>,
    ) -> Result<(), OperationError> {
        if !self.order.is_empty() || self.distinct || self.percent.is_some() {
            let mut entries = Entries::new(self);
            let _ = self.for_each_row(views, first, deadline, &mut |records| {
                entries.add(records, Vec::new())?;
                Ok(ControlFlow::Continue(()))
            })?;
            return entries.write(sink);
        }
        let rows = self.write_page(views, first, deadline, sink, self.page)?;
        if self.misses_everything(rows) {
            self.write_page(views, first, deadline, sink, Page::EVERYTHING)?;
        }
        Ok(())
    }

    /// Writes the rows of a page as they come; how many were met on the way.
    fn write_page(
        &self,
        views: &[View<'_>],
        first: &Candidates<'_>,
        deadline: &Deadline,
        sink: &mut Sink<'_>,
        page: Page,
    ) -> Result<usize, OperationError> {
        let mut met = 0;
        let _ = self.for_each_row(views, first, deadline, &mut |records| {
            met += 1;
            if met <= page.offset {
                return Ok(ControlFlow::Continue(()));
            }
            sink.push(&Row { records, aggregates: &[] }).map_err(errors::search_failed)?;
            Ok(if sink.rows() >= page.limit { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
        Ok(met)
    }

    /// Whether the page lies behind all of the `rows` there are, which the earlier engine answers with every row.
    fn misses_everything(&self, rows: usize) -> bool {
        let plain = self.grouping.is_none() && !self.distinct;
        self.engine == Engine::Legacy && plain && self.page.offset > 0 && rows <= self.page.offset
    }

    /// Calls `visit` with each joined row that satisfies WHERE.
    fn for_each_row<'t>(
        &self,
        views: &[View<'t>],
        first: &Candidates<'t>,
        deadline: &Deadline,
        visit: &mut dyn FnMut(&[Option<Record<'t>>]) -> Visited,
    ) -> Visited {
        let mut filtered = |records: &[Option<Record<'t>>]| -> Visited {
            let row = Row { records, aggregates: &[] };
            let most = if fault!("sql-where-first-condition-only") { 1 } else { usize::MAX };
            for condition in self.conditions.iter().take(most) {
                if !condition.holds(&row).map_err(errors::search_failed)? {
                    return Ok(ControlFlow::Continue(()));
                }
            }
            visit(records)
        };
        let (Some(view), Some(source)) = (views.first(), self.scope.sources.first()) else {
            return filtered(&[]);
        };
        if self.joins.is_empty() {
            return for_each(*view, &source.table, first, deadline, &mut |record| filtered(&[Some(record)]));
        }
        let mut tables = Vec::with_capacity(self.joins.len());
        for (at, view) in views.iter().enumerate().skip(1) {
            let candidates = self.candidates(*view, at)?;
            let mut records = Vec::new();
            let _ = for_each(*view, &self.scope.sources[at].table, &candidates, deadline, &mut |record| {
                records.push(record);
                Ok(ControlFlow::Continue(()))
            })?;
            tables.push(records);
        }
        let mut joining = Joining::new(&self.joins, tables, deadline)?;
        let result = for_each(*view, &source.table, first, deadline, &mut |record| {
            joining.push(record, &mut filtered)
        })?;
        if result.is_break() {
            return Ok(result);
        }
        joining.finish(&mut filtered)
    }

    /// The records of one table to look at. What WHERE says of one side of a join narrows it only when rows of that
    /// side that have no match do not stay.
    fn candidates<'t>(&self, view: View<'t>, source: usize) -> Result<Candidates<'t>, OperationError> {
        let narrowed = if source == 0 {
            self.joins.iter().all(|join| matches!(join.kind, JoinKind::Inner | JoinKind::Left))
        } else {
            self.joins.iter().all(|join| join.kind == JoinKind::Inner)
        };
        if !narrowed {
            return Ok(Candidates::All);
        }
        let conditions: Vec<&Node> = self.conditions.iter().collect();
        candidates(view, &self.scope.sources[source].table, source, &conditions)
    }
}

/// Rows that are sorted, told apart or counted before they are shown.
struct Entries<'p, 't> {
    plan: &'p Plan,
    list: Vec<Entry<'t>>,
    distinct: IndexMap<String, Entry<'t>>,
}

impl<'p, 't> Entries<'p, 't> {
    fn new(plan: &'p Plan) -> Entries<'p, 't> {
        Entries { plan, list: Vec::new(), distinct: IndexMap::new() }
    }

    fn add(&mut self, records: &[Option<Record<'t>>], aggregates: Vec<Js>) -> Result<(), OperationError> {
        let row = Row { records, aggregates: &aggregates };
        let keys = self.plan.order.iter().map(|node| node.value(&row));
        let keys = keys.collect::<Result<Vec<_>, _>>().map_err(errors::search_failed)?;
        let mut text = String::new();
        if self.plan.distinct {
            let most = if fault!("sql-distinct-by-first-column") { 1 } else { usize::MAX };
            for output in self.plan.outputs.iter().take(most) {
                push_distinct_key(&mut text, &output.node.value(&row).map_err(errors::search_failed)?);
            }
        }
        let entry = Entry { records: records.to_vec(), aggregates, keys };
        if self.plan.distinct {
            // Of equal rows the last is shown, at the place of the first.
            self.distinct.insert(text, entry);
            return Ok(());
        }
        self.list.push(entry);
        if self.plan.percent.is_none() && !self.plan.order.is_empty() {
            let wanted = self.plan.page.end();
            if self.list.len() >= wanted.saturating_mul(2).saturating_add(SURPLUS) {
                self.sort(Some(wanted));
            }
        }
        Ok(())
    }

    fn sort(&mut self, keep: Option<usize>) {
        let descending = &self.plan.descending;
        let compare = |a: &Entry<'t>, b: &Entry<'t>| compare_keys(&a.keys, &b.keys, descending);
        match keep {
            Some(count) => sort_and_keep(&mut self.list, count, &compare),
            None => sort(&mut self.list, &compare),
        }
    }

    fn write(mut self, sink: &mut Sink<'_>) -> Result<(), OperationError> {
        if self.plan.distinct {
            self.list = std::mem::take(&mut self.distinct).into_values().collect();
        }
        if fault!("sql-order-after-limit") {
            self.list.truncate(self.plan.page.end());
        }
        if !self.plan.order.is_empty() && !fault!("sql-order-ignored") {
            self.sort(None);
        }
        let total = self.list.len();
        let page = match self.plan.percent {
            Some(percent) => self.plan.page.with_share(total, percent),
            None if self.plan.misses_everything(total) => Page::EVERYTHING,
            None => self.plan.page,
        };
        for entry in self.list.iter().skip(page.offset).take(page.limit) {
            let row = Row { records: &entry.records, aggregates: &entry.aggregates };
            sink.push(&row).map_err(errors::search_failed)?;
        }
        Ok(())
    }
}

/// Whether something in the statement may take long for a single row.
fn calls_functions(select: &Select) -> bool {
    let items = select.items.iter().filter_map(|item| match item {
        Item::Expr { expr, .. } => Some(expr),
        _ => None,
    });
    let rest = select.filter.iter().chain(&select.group_by).chain(&select.having);
    let order = select.order_by.iter().map(|key| &key.expr);
    let slow = |expr: &Expr| matches!(expr, Expr::Function { .. } | Expr::Match { .. } | Expr::Cast { .. });
    items.chain(rest).chain(order).any(|expr| expr.any(&mut |expr| slow(expr)))
}

/// Looks up every column, in the order of the statement.
fn check_columns(select: &Select, scope: &Scope) -> Result<(), OperationError> {
    let mut fault = None;
    let mut look_up = |expr: &Expr| {
        expr.for_each_column(&mut |column| {
            if fault.is_none() {
                fault = scope.resolve(column).err();
            }
        });
    };
    for item in &select.items {
        if let Item::Expr { expr, .. } = item {
            look_up(expr);
        }
    }
    select.joins.iter().filter_map(|join| join.on.as_ref()).for_each(&mut look_up);
    select.filter.iter().for_each(&mut look_up);
    fault.map_or(Ok(()), Err)
}

fn check_grouping(select: &Select, scope: &Scope) -> Result<(), OperationError> {
    if select.group_by.is_empty() {
        return Ok(());
    }
    let mut columns: Vec<ColumnRef> = Vec::new();
    let mut texts: Vec<String> = Vec::new();
    for key in &select.group_by {
        if let Expr::Column(column) = key {
            match scope.meaning(column) {
                Meaning::Column(column) => columns.push(column),
                Meaning::Unknown => {
                    return Err(OperationError::fault(format!(
                        "unknown column '{}' in group by",
                        column.written()
                    )));
                }
                Meaning::Ambiguous => {
                    let text = format!("ambiguously defined column '{}' in group by", column.written());
                    return Err(OperationError::fault(text));
                }
            }
        } else {
            texts.push(text_of(key, Quotes::Double));
        }
    }
    let mut selected_columns = Vec::new();
    let mut selected_texts = Vec::new();
    for item in &select.items {
        let refused =
            |text: &str| OperationError::fault(format!("select column '{text}' must be in group by"));
        match item {
            Item::Star | Item::TableStar(_) => return Err(refused("*")),
            Item::Expr { expr, .. } if expr.has_aggregate() => {}
            Item::Expr { expr: Expr::Column(column), .. } => match scope.meaning(column) {
                Meaning::Column(found) if columns.contains(&found) || fault!("sql-select-outside-groups") => {
                    selected_columns.push(found);
                }
                _ => return Err(refused(&column.written())),
            },
            Item::Expr { expr, .. } => {
                let text = text_of(expr, Quotes::Double);
                if !texts.contains(&text) {
                    return Err(refused(&text));
                }
                selected_texts.push(text);
            }
        }
    }
    for key in &select.group_by {
        let selected = match key {
            Expr::Column(column) => match scope.meaning(column) {
                Meaning::Column(column) => selected_columns.contains(&column),
                _ => false,
            },
            other => selected_texts.contains(&text_of(other, Quotes::Double)),
        };
        if !selected {
            let text = text_of(key, Quotes::Double);
            return Err(OperationError::fault(format!("group by column '{text}' must be in select")));
        }
    }
    Ok(())
}

fn check_order(select: &Select) -> Result<(), OperationError> {
    for key in &select.order_by {
        if let Expr::Column(column) = &key.expr
            && column.qualifiers.is_empty()
        {
            let same =
                |item: &&Item| matches!(item, Item::Expr { alias: Some(alias), .. } if *alias == column.name);
            if select.items.iter().filter(same).count() > 1 {
                return Err(OperationError::fault(format!(
                    "ambiguous column reference {} in order by",
                    column.name
                )));
            }
        }
    }
    Ok(())
}

/// What a key of ORDER BY stands for: an alias, the place of an item, or an expression.
fn order_node(compiler: &mut Compiler<'_>, select: &Select, key: &OrderKey) -> Result<Node, OperationError> {
    let item = |place: usize| match select.items.get(place) {
        Some(Item::Expr { expr, .. }) => Some(expr),
        _ => None,
    };
    let meant = match &key.expr {
        Expr::Number(number) => {
            let place = (number.fract() == 0.0 && *number >= 1.0).then_some(*number as usize);
            place
                .and_then(|place| item(if fault!("sql-positions-sort-nothing") { 0 } else { place - 1 }))
                .ok_or_else(|| errors::search_failed("no such item to order by"))?
        }
        Expr::Column(column) if column.qualifiers.is_empty() => {
            let same =
                |item: &Item| matches!(item, Item::Expr { alias: Some(alias), .. } if *alias == column.name);
            select.items.iter().position(same).and_then(item).unwrap_or(&key.expr)
        }
        other => other,
    };
    compiler.node(meant)
}

fn grouping(compiler: &mut Compiler<'_>, select: &Select) -> Result<Grouping, OperationError> {
    let aggregates = std::mem::take(&mut compiler.aggregates);
    compiler.allow_aggregates = false;
    let keys = select.group_by.iter().map(|key| compiler.node(key)).collect::<Result<_, _>>()?;
    let arguments = aggregates
        .iter()
        .map(|aggregate| aggregate.argument.as_ref().map(|argument| compiler.node(argument)).transpose())
        .collect::<Result<_, _>>()?;
    Ok(Grouping { keys, aggregates, arguments })
}
