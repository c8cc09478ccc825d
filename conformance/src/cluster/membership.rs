//! Joining, parting, and what the nodes say of each other.

use super::group::Group;
use super::terms::{Stand, answers};
use crate::laws::{Refusal, Tried};
use serde_json::{Value, json};
use std::sync::atomic::Ordering;

/// The key of the record that is there before the nodes are joined.
const EARLIER: &str = "earlier";

/// All nodes know all others, once each was added to the first.
pub(super) async fn join(group: &Group<'_>) -> Tried {
    let apart = group.known_to(0).await.is_empty();
    write_earlier(group).await?;
    let fault = group.join_all().await?;
    group.has_earlier.store(apart && fault.is_none(), Ordering::Relaxed);
    Ok(fault)
}

async fn write_earlier(group: &Group<'_>) -> Result<(), Refusal> {
    group.write(0, "upsert", json!([{"id": EARLIER, "n": 1}])).await.map(drop)
}

/// The record that was written before the nodes were joined is on all of them.
pub(super) async fn earlier_records(group: &Group<'_>) -> Tried {
    if !group.has_earlier.load(Ordering::Relaxed) {
        group.bring(Stand::Apart).await?;
        write_earlier(group).await?;
        group.bring(Stand::Joined).await?;
    }
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

/// The last node is removed, and then neither side hears of the other; added again, they catch up.
pub(super) async fn remove_and_return(group: &Group<'_>) -> Tried {
    group.may_be_parted()?;
    let last = group.last();
    let (kept, missed, unheard) = (group.key(), group.key(), group.key());
    group.write(0, "insert", json!([{"id": kept, "n": 1}])).await?;
    let is_there = |rows: &Value| rows[0]["n"] == 1;
    if let Some(fault) = group.everywhere(&[&kept], "the record must be on all nodes", is_there).await {
        return Ok(Some(fault));
    }
    let removing = group.send(0, json!({"operation": "remove_node", "hostname": group.names[last]})).await;
    let message = format!("Successfully removed '{}' from cluster", group.names[last]);
    if let Some(fault) = answers(removing, &message) {
        return Ok(Some(fault));
    }
    for node in 0..last {
        for (one, other) in [(node, last), (last, node)] {
            if let Some(fault) = group.until_listed(one, other, false).await {
                return Ok(Some(fault));
            }
        }
    }
    group.write(0, "insert", json!([{"id": missed, "n": 1}])).await?;
    group.write(last, "insert", json!([{"id": unheard, "n": 1}])).await?;
    group.silence().await;
    for (node, foreign) in [(last, &missed), (0, &unheard)] {
        let read = group.read(node, &[&kept, foreign]).await;
        let rows = read.answer.as_ref().map(|answer| answer.body.clone()).unwrap_or_default();
        if rows[0]["id"] != *kept || rows.get(1).is_some() {
            let sentence = format!(
                "node '{}' must keep what it has and get nothing more once the nodes are parted",
                group.names[node]
            );
            return Ok(Some((sentence, Some(read))));
        }
    }
    if let Some(fault) = group.add(last, json!({})).await? {
        return Ok(Some(fault));
    }
    Ok(group.everywhere(&[&missed], "what a node missed must reach it when it is back", is_there).await)
}
