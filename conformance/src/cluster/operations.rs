//! Operations whose effect goes, or does not go, beyond the node they are asked of.

use super::group::{Group, TABLE};
use crate::laws::{Tried, unsupported};
use crate::target::{Credentials, Target};
use serde_json::{Value, json};

/// A user added on the first node logs in on the last.
pub(super) async fn users(group: &Group<'_>) -> Tried {
    let name = group.database.clone();
    group
        .accepted(0, json!({"operation": "add_role", "role": name, "permission": {"super_user": true}}))
        .await?;
    let user =
        json!({"operation": "add_user", "username": name, "password": name, "role": name, "active": true});
    group.accepted(0, user).await?;
    let last = group.last();
    let admin = Credentials { username: name.clone(), password: name.clone() };
    let mut target = group.nodes[last].target.clone();
    target.admin = admin;
    let found = logs_in(group, &target, &name).await;
    for node in 0..group.nodes.len() {
        group.send(node, json!({"operation": "drop_user", "username": name})).await;
        group.send(node, json!({"operation": "drop_role", "id": name})).await;
    }
    Ok(found)
}

async fn logs_in(group: &Group<'_>, target: &Target, name: &str) -> crate::laws::Fault {
    let started = std::time::Instant::now();
    loop {
        let exchange = target.operate(&json!({"operation": "user_info"})).await;
        if exchange.answer.as_ref().is_some_and(|answer| answer.body["username"] == *name) {
            return None;
        }
        if started.elapsed() > group.patience() || group.run.stop.stopped() {
            let sentence = "a user added on one node must be known on the others";
            return Some((sentence.to_owned(), Some(exchange)));
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

/// A table is dropped on the first node alone, and then another one on all.
pub(super) async fn drops(group: &Group<'_>) -> Tried {
    let last = group.last();
    let describe =
        |table: &str| json!({"operation": "describe_table", "database": group.database, "table": table});
    for table in ["dropped-here", "dropped-everywhere"] {
        let create = json!({"operation": "create_table", "database": group.database, "table": table, "primary_key": "id"});
        group.accepted(0, create).await?;
        let is_there = |described: &Value| described["name"] == table;
        let fault =
            group.until(last, describe(table), "a new table must be made on all nodes", is_there).await;
        if fault.is_some() {
            return Ok(fault);
        }
    }
    let drop = |table: &str| json!({"operation": "drop_table", "database": group.database, "table": table});
    let exchange = group.send(0, drop("dropped-here")).await;
    if exchange
        .answer
        .as_ref()
        .is_none_or(|answer| answer.status != 200 || answer.body.get("replicated").is_some())
    {
        return Ok(Some((
            "an answer without the flag must not have 'replicated'".to_owned(),
            Some(exchange),
        )));
    }
    group.silence().await;
    let still = group.send(last, describe("dropped-here")).await;
    if still.answer.as_ref().is_none_or(|answer| answer.status != 200) {
        return Ok(Some(("a drop must stay on its node".to_owned(), Some(still))));
    }
    let mut request = drop("dropped-everywhere");
    request["replicated"] = Value::Bool(true);
    let exchange = group.send(0, request).await;
    let answered = exchange.answer.as_ref().filter(|answer| answer.status == 200);
    let told = answered.and_then(|answer| answer.body["replicated"].as_array().cloned()).unwrap_or_default();
    let names: Vec<&str> = told.iter().filter_map(|one| one["node"].as_str()).collect();
    if !group.names[1..].iter().all(|name| names.contains(&name.as_str())) {
        return Ok(Some((
            "'replicated' must have the answer of every other node".to_owned(),
            Some(exchange),
        )));
    }
    let message = format!("successfully deleted table '{}.dropped-everywhere'", group.database);
    if answered.is_none_or(|answer| answer.body["message"] != message) {
        return Ok(Some(("the message must be that of the node that was asked".to_owned(), Some(exchange))));
    }
    let gone = group.send(last, describe("dropped-everywhere")).await;
    Ok(match &gone.answer {
        Some(answer) if answer.status != 200 => None,
        _ => Some(("a replicated drop must drop the table everywhere".to_owned(), Some(gone))),
    })
}

/// Every node is in the network; what is to be left out is.
pub(super) async fn network(group: &Group<'_>) -> Tried {
    let all = |nodes: &Value| {
        let nodes = nodes["nodes"].as_array().cloned().unwrap_or_default();
        let has =
            |name: &String| nodes.iter().any(|node| node["name"] == **name && node["response_time"].is_u64());
        group.names.iter().all(has)
            && nodes.iter().all(|node| node["connected_nodes"].is_array() && node["routes"].is_array())
    };
    let ask = json!({"operation": "cluster_network", "timeout": 10_000});
    let fault = group.until(0, ask, "the network must have every node", all).await;
    if fault.is_some() {
        return Ok(fault);
    }
    let bare =
        json!({"operation": "cluster_network", "timeout": 10_000, "connected_nodes": true, "routes": true});
    let exchange = group.send(0, bare).await;
    let nodes = exchange
        .answer
        .as_ref()
        .and_then(|answer| answer.body["nodes"].as_array().cloned())
        .unwrap_or_default();
    let is_bare = |node: &Value| node.get("connected_nodes").is_none() && node.get("routes").is_none();
    Ok(match !nodes.is_empty() && nodes.iter().all(is_bare) {
        true => None,
        false => Some(("the switches must leave out what they name".to_owned(), Some(exchange))),
    })
}

/// The records of a table whose stream was purged are still on all nodes.
pub(super) async fn purged(group: &Group<'_>) -> Tried {
    let key = group.key();
    group.write(0, "insert", json!([{"id": key, "n": 1}])).await?;
    let is_there = |rows: &Value| rows[0]["n"] == 1;
    let fault = group.everywhere(&[&key], "the record must be on all nodes", is_there).await;
    if fault.is_some() {
        return Ok(fault);
    }
    let purge = json!({"operation": "purge_stream", "database": group.database, "table": TABLE});
    let exchange = group.send(0, purge).await;
    match &exchange.answer {
        Some(answer) if answer.status == 200 && answer.body["message"].is_string() => {}
        Some(answer) if answer.declines("purge_stream") => {
            let reason = "the target does not offer 'purge_stream'".to_owned();
            return Err(unsupported(reason));
        }
        _ => return Ok(Some(("purge_stream must be answered with a message".to_owned(), Some(exchange)))),
    }
    Ok(group.everywhere(&[&key], "records must stay when a stream is purged", is_there).await)
}
