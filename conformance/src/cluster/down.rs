//! Nodes that go down: only those that the run has started can be stopped.

use super::group::Group;
use super::local;
use super::terms::answers;
use crate::farm::Instance;
use crate::laws::{Fault, Refusal, Tried, blocked, unsupported};
use serde_json::{Value, json};

/// The last node, when it may be stopped.
fn instance<'g>(group: &'g Group<'_>) -> Result<&'g dyn Instance, Refusal> {
    group.nodes[group.last()].instance.as_deref().ok_or_else(|| {
        let reason = "it needs a node that the run may stop: one of the built-in server's own (no URL)";
        unsupported(reason)
    })
}

/// Stops the last node, does something, and starts it again in any case.
async fn while_down(group: &Group<'_>, work: impl Future<Output = Tried>) -> Tried {
    let instance = instance(group)?;
    if !instance.stop().await {
        return Err(blocked("the node could not be stopped"));
    }
    let tried = work.await;
    match instance.start_again().await {
        true => tried,
        false => Err(blocked("the node could not be started again")),
    }
}

/// Stops the last node and starts it again.
pub(super) async fn restart(group: &Group<'_>) -> Result<(), Refusal> {
    while_down(group, async { Ok(None) }).await.map(drop)
}

/// The connections to a node that is down are not connected, and are again when it is back.
pub(super) async fn status(group: &Group<'_>) -> Tried {
    let last = group.last();
    let ask = || json!({"operation": "cluster_status"});
    let name = &group.names[last];
    let is_up = |status: &Value| sockets(status, name).is_some_and(|all| all.contains(&true));
    let is_down = |status: &Value| sockets(status, name).is_some_and(|all| !all.contains(&true));
    if group.until(0, ask(), "", is_up).await.is_some() {
        return Err(blocked("no database of the node is connected"));
    }
    let tried = while_down(group, async {
        Ok(group.until(0, ask(), "a node that is down must be listed as not connected", is_down).await)
    });
    if let Some(fault) = tried.await? {
        return Ok(Some(fault));
    }
    Ok(group.until(0, ask(), "a node that is back must be connected", is_up).await)
}

/// Whether each database of a node that is listed is connected.
pub(super) fn sockets(status: &Value, name: &str) -> Option<Vec<bool>> {
    let connection = status["connections"].as_array()?.iter().find(|one| one["name"] == name)?;
    let sockets = connection["database_sockets"].as_array().map(Vec::as_slice).unwrap_or_default();
    Some(sockets.iter().map(|socket| socket["connected"] == true).collect())
}

/// What was written while a node was down reaches it when it is back.
pub(super) async fn catch_up(group: &Group<'_>) -> Tried {
    let missed = group.key();
    let tried = while_down(group, async {
        group.write(0, "insert", json!([{"id": missed, "n": 1}])).await?;
        Ok(None)
    });
    tried.await?;
    let is_there = |rows: &Value| rows[0]["n"] == 1;
    Ok(group.everywhere(&[&missed], "what a node missed while it was down must reach it", is_there).await)
}

/// A node that is down stands in the logs of all nodes with one entry that says so.
pub(super) async fn logs(group: &Group<'_>) -> Tried {
    while_down(group, async {
        let exchange = group.send(0, local::all_logs()).await;
        let answered = exchange.answer.as_ref().filter(|answer| answer.status == 200);
        let lines = answered.and_then(|answer| answer.body.as_array().cloned()).unwrap_or_default();
        let of_it: Vec<&Value> =
            lines.iter().filter(|line| line["node"] == *group.names[group.last()]).collect();
        let says_so = |line: &Value| {
            let message = line["message"].as_str().unwrap_or_default();
            line["level"] == "error" && message.starts_with("Error retrieving logs: ")
        };
        let holds = matches!(of_it.as_slice(), [line] if says_so(line));
        let sentence = "a node that is down must contribute one entry of level error".to_owned();
        Ok((!holds).then_some((sentence, Some(exchange))))
    })
    .await
}

/// Removes the last node while it is down; a fault when that is not answered, or has no effect.
async fn removed_down(group: &Group<'_>) -> Fault {
    let name = &group.names[group.last()];
    let exchange = group.send(0, json!({"operation": "remove_node", "hostname": name})).await;
    match answers(exchange, &format!("Successfully removed '{name}' from cluster")) {
        None => group.until_listed(0, group.last(), false).await,
        fault => fault,
    }
}

/// A node that is down is removed all the same.
pub(super) async fn removed(group: &Group<'_>) -> Tried {
    while_down(group, async { Ok(removed_down(group).await) }).await
}

/// A node that was removed while it was down, and still has the record of the others, does not come back.
pub(super) async fn stays_removed(group: &Group<'_>) -> Tried {
    let tried = while_down(group, async {
        match removed_down(group).await {
            None => Ok(None),
            Some((sentence, _)) => Err(blocked(sentence)),
        }
    });
    tried.await?;
    group.silence().await;
    let status = group.send(0, json!({"operation": "cluster_status"})).await;
    let body = status.answer.as_ref().map(|answer| answer.body.clone()).unwrap_or_default();
    let is_back = sockets(&body, &group.names[group.last()]).is_some();
    let sentence = "a node that was removed must not come back by its own older record".to_owned();
    Ok(is_back.then_some((sentence, Some(status))))
}
