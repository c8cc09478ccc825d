//! Joining, parting, and what the nodes say of each other.

use super::blocked;
use super::group::{Group, TABLE};
use crate::laws::Tried;
use serde_json::{Value, json};
use std::sync::atomic::Ordering;
use std::time::Instant;

/// The key of the record that is there before the nodes are joined.
const EARLIER: &str = "earlier";

/// Adds every other node to the first, unless they know each other, and waits until all know all.
pub(super) async fn join(group: &Group<'_>) -> Tried {
    group.write(0, "upsert", json!([{"id": EARLIER, "n": 1}])).await?;
    let known = group.known_to(0).await;
    for node in 1..group.nodes.len() {
        if known.contains(&group.names[node]) {
            continue;
        }
        if let Some(fault) = add(group, 0, node).await? {
            return Ok(Some(fault));
        }
        group.joined_here.store(true, Ordering::Relaxed);
    }
    let started = Instant::now();
    for node in 0..group.nodes.len() {
        let others = group.names.iter().enumerate().filter(|(other, _)| *other != node);
        let others: Vec<&String> = others.map(|(_, name)| name).collect();
        loop {
            let listed = group.known_to(node).await;
            if others.iter().all(|name| listed.contains(name)) && !listed.contains(&group.names[node]) {
                break;
            }
            if started.elapsed() > group.patience() {
                let sentence = format!("node '{}' lists {listed:?} instead of {others:?}", group.names[node]);
                let status = group.send(node, json!({"operation": "cluster_status"})).await;
                return Ok(Some((sentence, Some(status))));
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }
    Ok(None)
}

/// Adds a node at another; a fault when the answer is not the documented one.
async fn add(group: &Group<'_>, at: usize, node: usize) -> Tried {
    let added = &group.nodes[node];
    let Some(url) = &added.url else {
        return Err(blocked(format!(
            "where other nodes reach '{}' is not known: --node {},wss://HOST:PORT",
            group.names[node],
            added.target.address()
        )));
    };
    let admin = &added.target.admin;
    let request = json!({"operation": "add_node", "hostname": group.names[node], "url": url, "verify_tls": false,
        "authorization": {"username": admin.username, "password": admin.password}});
    let exchange = group.send(at, request).await;
    let wanted = json!({"message": format!("Successfully added '{}' to cluster", group.names[node])});
    Ok(match &exchange.answer {
        Some(answer) if answer.status == 200 && answer.body == wanted => None,
        _ => Some((format!("add_node must be answered {wanted}"), Some(exchange))),
    })
}

/// The record that was written before the nodes were joined is on all of them.
pub(super) async fn earlier_records(group: &Group<'_>) -> Tried {
    let is_there = |rows: &Value| rows[0]["n"] == 1;
    Ok(group.everywhere(&[EARLIER], "a record that was there before must be copied", is_there).await)
}

/// Every node says of every other that its databases are connected, with times that can be read.
pub(super) async fn status(group: &Group<'_>) -> Tried {
    for node in 0..group.nodes.len() {
        let is_fine = |status: &Value| {
            let connections = status["connections"].as_array().map(Vec::as_slice).unwrap_or_default();
            status["type"] == "cluster-status"
                && status["is_enabled"] == true
                && status["node_name"] == *group.names[node]
                && !connections.is_empty()
                && connections.iter().all(|connection| {
                    let sockets = connection["database_sockets"].as_array();
                    let ours = sockets
                        .and_then(|all| all.iter().find(|socket| socket["database"] == *group.database));
                    ours.is_some_and(|socket| socket["connected"] == true && has_readable_times(socket))
                })
        };
        let sentence = "the status must list every node with a connected socket of the database";
        let fault = group.until(node, json!({"operation": "cluster_status"}), sentence, is_fine).await;
        if fault.is_some() {
            return Ok(fault);
        }
    }
    Ok(None)
}

fn has_readable_times(socket: &Value) -> bool {
    ["lastCommitConfirmed", "lastReceivedRemoteTime", "lastReceivedLocalTime", "lastSendTime"].iter().all(
        |name| {
            let text = socket.get(*name).map(|value| value.as_str().unwrap_or("?"));
            text.is_none_or(|text| {
                chrono::DateTime::parse_from_rfc2822(text).is_ok() && text.ends_with(" GMT")
            })
        },
    )
}

/// The last node is removed, hears nothing, is added again and has all.
pub(super) async fn remove_and_return(group: &Group<'_>) -> Tried {
    let last = group.nodes.len() - 1;
    let Some(_) = &group.nodes[last].url else {
        return Err(blocked(format!(
            "'{}' could not be added again: --node {},wss://HOST:PORT",
            group.names[last],
            group.nodes[last].target.address()
        )));
    };
    let (kept, missed) = (group.key(), group.key());
    group.write(0, "insert", json!([{"id": kept, "n": 1}])).await?;
    let is_there = |rows: &Value| rows[0]["n"] == 1;
    if let Some(fault) = group.everywhere(&[&kept], "the record must be on all nodes", is_there).await {
        return Ok(Some(fault));
    }
    let removing = group.send(0, json!({"operation": "remove_node", "hostname": group.names[last]})).await;
    let wanted = json!({"message": format!("Successfully removed '{}' from cluster", group.names[last])});
    if removing.answer.as_ref().is_none_or(|answer| answer.status != 200 || answer.body != wanted) {
        return Ok(Some((format!("remove_node must be answered {wanted}"), Some(removing))));
    }
    let started = Instant::now();
    while group.known_to(last).await.iter().any(|name| group.names[..last].contains(name)) {
        if started.elapsed() > group.patience() {
            let status = group.send(last, json!({"operation": "cluster_status"})).await;
            return Ok(Some(("a removed node must not list the others any more".to_owned(), Some(status))));
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    group.write(0, "insert", json!([{"id": missed, "n": 1}])).await?;
    group.silence().await;
    let unheard = group.read(last, &[&kept, &missed]).await;
    let rows = unheard.answer.as_ref().map(|answer| answer.body.clone()).unwrap_or_default();
    if rows[0]["id"] != *kept || rows.get(1).is_some() {
        let sentence = "a removed node must keep what it has and get nothing more";
        return Ok(Some((sentence.to_owned(), Some(unheard))));
    }
    if let Some(fault) = add(group, 0, last).await? {
        return Ok(Some(fault));
    }
    group.joined_here.store(true, Ordering::Relaxed);
    let search = json!({"operation": "search_by_id", "database": group.database, "table": TABLE, "ids": [missed],
        "get_attributes": ["*"]});
    Ok(group.until(last, search, "what a node missed must reach it when it is back", is_there).await)
}
