//! Nodes that exchange some tables only, and what changes that.

use super::group::Group;
use super::terms::answers;
use crate::laws::{Fault, Refusal, Tried};
use serde_json::{Value, json};

/// The table whose changes go from the first node to the last.
pub(super) const OUT: &str = "outward";
/// The table whose changes go from the last node to the first.
pub(super) const IN: &str = "inward";
/// The table that is never named.
const REST: &str = "neither";

/// A subscription as the first node sees it.
fn of(database: &str, table: &str) -> Value {
    json!({"database": database, "table": table, "publish": table != IN, "subscribe": table == IN})
}

/// One of [`OUT`], [`IN`] and [`REST`] in the database of the run.
pub(super) fn subscription(group: &Group<'_>, table: &str) -> Value {
    of(&group.database, table)
}

/// Makes the tables on the first node and on the last.
pub(super) async fn make_tables(group: &Group<'_>) -> Result<(), Refusal> {
    for node in [0, group.last()] {
        for table in [OUT, IN, REST] {
            let describe = json!({"operation": "describe_table", "database": group.database, "table": table});
            if group.accepted(node, describe).await.is_err() {
                group.make_table(node, &group.database, table).await?;
            }
        }
    }
    Ok(())
}

/// Where a record is written, where it is looked for, and in which table.
#[derive(Clone, Copy)]
pub(super) struct Way<'w> {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) database: &'w str,
    pub(super) table: &'w str,
}

impl Way<'_> {
    async fn write(&self, group: &Group<'_>) -> Result<String, Refusal> {
        let key = group.key();
        let request = json!({"operation": "insert", "database": self.database, "table": self.table,
            "records": [{"id": key, "n": 1}]});
        group.accepted(self.from, request).await?;
        Ok(key)
    }

    fn search(&self, key: &str) -> Value {
        json!({"operation": "search_by_id", "database": self.database, "table": self.table, "ids": [key],
            "get_attributes": ["*"]})
    }

    fn words(&self, group: &Group<'_>) -> String {
        format!("written to '{}' of '{}'", self.table, group.names[self.from])
    }

    /// A record that is written must arrive.
    pub(super) async fn is_open(&self, group: &Group<'_>) -> Tried {
        let key = self.write(group).await?;
        let sentence = format!("what was {} must arrive", self.words(group));
        Ok(group.until(self.to, self.search(&key), &sentence, |rows| rows[0]["n"] == 1).await)
    }

    /// A record that is written must not arrive, not even after one that was written later to another table.
    pub(super) async fn is_closed(&self, group: &Group<'_>, later: Way<'_>) -> Tried {
        let key = self.write(group).await?;
        if let Some(fault) = later.is_open(group).await? {
            return Ok(Some(fault));
        }
        let found = group.send(self.to, self.search(&key)).await;
        let arrived =
            found.answer.as_ref().is_some_and(|answer| answer.status == 200 && answer.body[0]["n"] == 1);
        let sentence = format!("what was {} must not arrive: it was not subscribed to", self.words(group));
        Ok(arrived.then_some((sentence, Some(found))))
    }
}

pub(super) fn outward<'w>(group: &'w Group<'_>, table: &'w str) -> Way<'w> {
    Way { from: 0, to: group.last(), database: &group.database, table }
}

fn inward<'w>(group: &'w Group<'_>, table: &'w str) -> Way<'w> {
    Way { from: group.last(), to: 0, database: &group.database, table }
}

/// The first fault of several trials, each made after the one before.
macro_rules! first_fault {
    ($($trial:expr),+ $(,)?) => {{
        $(if let Some(fault) = $trial.await? {
            return Ok(Some(fault));
        })+
        Ok(None)
    }};
}

/// Only what is subscribed to flows, and only the way that it says.
pub(super) async fn limit(group: &Group<'_>) -> Tried {
    make_tables(group).await?;
    let subscriptions = [subscription(group, OUT), subscription(group, IN)];
    if let Some(fault) = group.add(group.last(), json!({"subscriptions": subscriptions})).await? {
        return Ok(Some(fault));
    }
    first_fault!(
        outward(group, REST).is_closed(group, outward(group, OUT)),
        outward(group, IN).is_closed(group, outward(group, OUT)),
        inward(group, REST).is_closed(group, inward(group, IN)),
        inward(group, OUT).is_closed(group, inward(group, IN)),
    )
}

/// Brings about that only [`OUT`] flows.
pub(super) async fn only_outward(group: &Group<'_>) -> Result<(), Refusal> {
    make_tables(group).await?;
    let besides = json!({"subscriptions": [subscription(group, OUT)]});
    group.added(group.last(), besides).await
}

/// A request that adds a subscription to those there are changes nothing else.
pub(super) async fn merge(group: &Group<'_>) -> Tried {
    only_outward(group).await?;
    let request = json!({"operation": "update_node", "hostname": group.names[group.last()],
        "subscriptions": [subscription(group, IN)]});
    group.accepted(0, request).await?;
    merged(group).await
}

/// [`OUT`] and [`IN`] flow, each its way, and nothing else does.
pub(super) async fn merged(group: &Group<'_>) -> Tried {
    first_fault!(
        inward(group, IN).is_open(group),
        outward(group, OUT).is_open(group),
        outward(group, REST).is_closed(group, outward(group, OUT)),
        inward(group, REST).is_closed(group, inward(group, IN)),
    )
}

/// A request with the name alone is accepted; how it is answered.
pub(super) async fn update_nothing(group: &Group<'_>) -> Tried {
    let request = json!({"operation": "update_node", "hostname": group.names[group.last()]});
    let exchange = group.send(0, request).await;
    let said = exchange.answer.as_ref().filter(|answer| answer.status == 200);
    let said = said.and_then(|answer| answer.body["message"].as_str()).unwrap_or_default();
    let holds = said.starts_with("Successfully updated '") && said.ends_with('\'');
    let sentence = "the answer must have a message like \"Successfully updated 'NAME'\"".to_owned();
    Ok((!holds).then_some((sentence, Some(exchange))))
}

/// The answer names the node that was asked for.
pub(super) async fn update_names(group: &Group<'_>) -> Tried {
    let name = &group.names[group.last()];
    let exchange = group.send(0, json!({"operation": "update_node", "hostname": name})).await;
    Ok(answers(exchange, &format!("Successfully updated '{name}'")))
}

/// A node that is not known is added by an update.
pub(super) async fn update_unknown(group: &Group<'_>) -> Tried {
    let last = group.last();
    let exchange = group.send(0, group.about("update_node", last, json!({}))?).await;
    if exchange.answer.as_ref().is_none_or(|answer| answer.status != 200) {
        let sentence = "an update of an unknown node must add it".to_owned();
        return Ok(Some((sentence, Some(exchange))));
    }
    for (one, other) in [(0, last), (last, 0)] {
        if let Some(fault) = group.until_listed(one, other, true).await {
            return Ok(Some(fault));
        }
    }
    Ok(None)
}

/// What was agreed on before goes, what is configured comes, and the records stay.
pub(super) async fn configure(group: &Group<'_>) -> Tried {
    only_outward(group).await?;
    let kept = group.key();
    group.write(0, "insert", json!([{"id": kept, "n": 1}])).await?;
    if let Some(fault) = outward(group, OUT).is_open(group).await? {
        return Ok(Some(fault));
    }
    let mut connection =
        group.about("add_node", group.last(), json!({"subscriptions": [subscription(group, IN)]}))?;
    connection.as_object_mut().map(|members| members.remove("operation"));
    let configured = configure_with(group, json!([connection])).await;
    if configured.is_some() {
        return Ok(configured);
    }
    first_fault!(
        inward(group, IN).is_open(group),
        inward(group, OUT).is_closed(group, inward(group, IN)),
        no_longer_outward(group),
        nobody(group, &kept),
    )
}

/// Sends `configure_cluster`; a fault when it is not answered as documented.
pub(super) async fn configure_with(group: &Group<'_>, connections: Value) -> Fault {
    let request = json!({"operation": "configure_cluster", "connections": connections});
    answers(group.send(0, request).await, "Cluster successfully configured.")
}

/// Nothing flows from the first node to the last any more.
async fn no_longer_outward(group: &Group<'_>) -> Tried {
    let way = outward(group, OUT);
    let key = way.write(group).await?;
    group.silence().await;
    let found = group.send(way.to, way.search(&key)).await;
    let arrived = found.answer.as_ref().is_some_and(|answer| answer.body[0]["n"] == 1);
    let sentence = "what was subscribed to before must not flow any more".to_owned();
    Ok(arrived.then_some((sentence, Some(found))))
}

/// With an empty list no node is known any more, and the records are still there.
async fn nobody(group: &Group<'_>, kept: &str) -> Tried {
    let configured = configure_with(group, json!([])).await;
    if configured.is_some() {
        return Ok(configured);
    }
    if let Some(fault) = group.until_listed(0, group.last(), false).await {
        return Ok(Some(fault));
    }
    let read = group.read(0, &[kept]).await;
    let is_there = read.answer.as_ref().is_some_and(|answer| answer.body[0]["n"] == 1);
    Ok((!is_there).then_some(("no data must be deleted".to_owned(), Some(read))))
}
