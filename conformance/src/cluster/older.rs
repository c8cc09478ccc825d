//! The form before 4.4: nodes are `node_name`, and nothing flows but what is subscribed to.
//!
//! Whether a server takes it depends on its version and settings, so one that refuses such a request does not offer it.

use super::group::Group;
use super::subscriptions::{self, IN, OUT, Way, outward};
use super::terms::answers;
use crate::laws::{Refusal, Tried, unsupported};
use crate::target::Exchange;
use serde_json::{Value, json};

/// A table of the database that is meant when none is named.
const DEFAULT: &str = "data";

/// Sends a request in the form before 4.4; one that is refused is not offered.
async fn ask(group: &Group<'_>, request: Value) -> Result<Exchange, Refusal> {
    let exchange = group.send(0, request).await;
    match &exchange.answer {
        Some(answer) if (400..500).contains(&answer.status) => {
            Err(unsupported("the target does not take requests in the form before 4.4"))
        }
        _ => Ok(exchange),
    }
}

/// A subscription in the words of that form.
fn subscription(group: &Group<'_>, table: &str) -> Value {
    json!({"schema": group.database, "table": table, "publish": true, "subscribe": false})
}

/// `add_node` is answered in the words of that form.
pub(super) async fn add(group: &Group<'_>) -> Tried {
    subscriptions::only_outward(group).await?;
    let name = &group.names[group.last()];
    let request =
        json!({"operation": "add_node", "node_name": name, "subscriptions": [subscription(group, OUT)]});
    let exchange = ask(group, request).await?;
    Ok(answers(exchange, &format!("Successfully added '{name}' to manifest")))
}

/// `remove_node` is answered in the words of that form, and removes the node.
pub(super) async fn remove(group: &Group<'_>) -> Tried {
    subscriptions::only_outward(group).await?;
    let (last, name) = (group.last(), &group.names[group.last()]);
    let exchange = ask(group, json!({"operation": "remove_node", "node_name": name})).await?;
    if let Some(fault) = answers(exchange, &format!("Successfully removed '{name}' from manifest")) {
        return Ok(Some(fault));
    }
    Ok(group.until_listed(0, last, false).await)
}

/// `configure_cluster` takes connections of that form, and what they subscribe to flows.
pub(super) async fn configure(group: &Group<'_>) -> Tried {
    subscriptions::only_outward(group).await?;
    let name = &group.names[group.last()];
    let connections = json!([{"node_name": name, "subscriptions": [subscription(group, OUT)]}]);
    let exchange = ask(group, json!({"operation": "configure_cluster", "connections": connections})).await?;
    if let Some(fault) = answers(exchange, "Cluster successfully configured.") {
        return Ok(Some(fault));
    }
    outward(group, OUT).is_open(group).await
}

/// `set_node_replication` answers as documented, and changes nothing but what it names.
pub(super) async fn set_replication(group: &Group<'_>) -> Tried {
    subscriptions::only_outward(group).await?;
    let name = &group.names[group.last()];
    let request = json!({"operation": "set_node_replication", "node_name": name,
        "subscriptions": [subscriptions::subscription(group, IN)]});
    let exchange = ask(group, request).await?;
    match answers(exchange, &format!("Successfully updated '{name}'")) {
        None => subscriptions::merged(group).await,
        fault => Ok(fault),
    }
}

/// A subscription that names no database is about `data`.
pub(super) async fn default_database(group: &Group<'_>) -> Tried {
    let last = group.last();
    let mut made = Vec::new();
    for node in [0, last] {
        let describe = json!({"operation": "describe_database", "database": DEFAULT});
        made.push(group.accepted(node, describe).await.is_err());
    }
    let tried = async {
        subscriptions::only_outward(group).await?;
        for node in [0, last] {
            group.make_table(node, DEFAULT, &group.database).await?;
        }
        let subscription = json!({"table": group.database, "publish": true, "subscribe": false});
        let request = json!({"operation": "set_node_replication", "node_name": group.names[last],
            "subscriptions": [subscription]});
        if let Some(fault) = refused(ask(group, request).await?) {
            return Ok(Some(fault));
        }
        Way { from: 0, to: last, database: DEFAULT, table: &group.database }.is_open(group).await
    };
    let tried: Tried = tried.await;
    for (node, made) in [0, last].into_iter().zip(made) {
        let drop = match made {
            true => json!({"operation": "drop_database", "database": DEFAULT}),
            false => json!({"operation": "drop_table", "database": DEFAULT, "table": group.database}),
        };
        group.send(node, drop).await;
    }
    tried
}

fn refused(exchange: Exchange) -> crate::laws::Fault {
    let accepted = exchange.answer.as_ref().is_some_and(|answer| answer.status == 200);
    let sentence = "a subscription without database must be accepted".to_owned();
    (!accepted).then_some((sentence, Some(exchange)))
}
