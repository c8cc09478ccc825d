//! Records: what is written on one node is found on the others.

use super::group::{Group, TABLE};
use crate::laws::{Fault, Tried};
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Every node in turn inserts, updates, upserts and deletes; every change is waited for on all.
pub(super) async fn writes(group: &Group<'_>) -> Tried {
    for node in 0..group.nodes.len() {
        let key = group.key();
        let seen = |fault: Fault| {
            fault.map(|(sentence, exchange)| {
                (format!("{sentence} (written on '{}')", group.names[node]), exchange)
            })
        };
        group.write(node, "insert", json!([{"id": key, "n": 1, format!("from-{node}"): "x"}])).await?;
        let inserted = |rows: &Value| rows[0]["n"] == 1 && rows[0][format!("from-{node}")] == "x";
        let fault = group.everywhere(&[&key], "an inserted record must reach all nodes", inserted).await;
        if fault.is_some() {
            return Ok(seen(fault));
        }
        group.write(node, "update", json!([{"id": key, "n": 2}])).await?;
        let updated = |rows: &Value| rows[0]["n"] == 2 && rows[0][format!("from-{node}")] == "x";
        let fault = group.everywhere(&[&key], "an update must reach all nodes", updated).await;
        if fault.is_some() {
            return Ok(seen(fault));
        }
        group.write(node, "upsert", json!([{"id": key, "n": 3}])).await?;
        let fault =
            group.everywhere(&[&key], "an upsert must reach all nodes", |rows| rows[0]["n"] == 3).await;
        if fault.is_some() {
            return Ok(seen(fault));
        }
        group.delete(node, &[&key]).await?;
        let is_gone = |rows: &Value| rows.as_array().is_some_and(Vec::is_empty);
        let fault = group.everywhere(&[&key], "a deletion must reach all nodes", is_gone).await;
        if fault.is_some() {
            return Ok(seen(fault));
        }
    }
    Ok(None)
}

/// SQL and a CSV load on the last node.
pub(super) async fn other_writes(group: &Group<'_>) -> Tried {
    group.flows().await?;
    let last = group.last();
    let (by_sql, by_load) = (group.key(), group.key());
    let statement = format!("INSERT INTO {}.{TABLE} (id, n) VALUES ('{by_sql}', 7)", group.database);
    group.accepted(last, json!({"operation": "sql", "sql": statement})).await?;
    let load = json!({"operation": "csv_data_load", "database": group.database, "table": TABLE, "action": "insert",
        "data": format!("id,n\n{by_load},8\n")});
    group.accepted(last, load).await?;
    let are_there = |rows: &Value| rows[0]["n"] == 7 && rows[1]["n"] == 8;
    Ok(group
        .everywhere(&[&by_sql, &by_load], "what SQL and a load write must reach all nodes", are_there)
        .await)
}

/// The times that the first node tells are those of all.
pub(super) async fn times(group: &Group<'_>) -> Tried {
    let key = group.key();
    group.write(0, "insert", json!([{"id": key}])).await?;
    group.write(0, "update", json!([{"id": key, "n": 1}])).await?;
    let told = group.read(0, &[&key]).await;
    let told = told.answer.map(|answer| answer.body[0].clone()).unwrap_or_default();
    let sentence = format!("the times must be {} and {}", told["__createdtime__"], told["__updatedtime__"]);
    let are_equal = |rows: &Value| {
        ["__createdtime__", "__updatedtime__"]
            .iter()
            .all(|name| rows[0][*name] == told[*name] && !told[*name].is_null())
    };
    Ok(group.everywhere(&[&key], &sentence, are_equal).await)
}

/// Two records are kept equal on the first node; no read of another may see them differ.
pub(super) async fn whole_requests(group: &Group<'_>) -> Tried {
    const ROUNDS: usize = 60;
    let (left, right) = (group.key(), group.key());
    let both = |n: usize| json!([{"id": left, "n": n}, {"id": right, "n": n}]);
    group.write(0, "upsert", both(0)).await?;
    // What a new table brings along as a whole says nothing.
    let are_there = |rows: &Value| rows[0]["n"] == 0 && rows[1]["n"] == 0;
    let fault = group.everywhere(&[&left, &right], "both records must reach all nodes", are_there).await;
    if fault.is_some() {
        return Ok(fault);
    }
    let writer = async {
        for n in 1..=ROUNDS {
            group.write(0, "upsert", both(n)).await?;
        }
        Ok(None)
    };
    let last = group.last();
    let reader = async {
        let started = Instant::now();
        while started.elapsed() < group.patience() {
            let exchange = group.read(last, &[&left, &right]).await;
            let rows = exchange.answer.as_ref().map(|answer| answer.body.clone()).unwrap_or_default();
            if rows[0]["n"] != rows[1]["n"] {
                let sentence = format!(
                    "one read saw {} and {} where both were written at once",
                    rows[0]["n"], rows[1]["n"]
                );
                return Some((sentence, Some(exchange)));
            }
            if rows[0]["n"] == ROUNDS {
                break;
            }
        }
        None
    };
    let (written, seen): (Tried, Fault) = tokio::join!(writer, reader);
    written.map(|_| seen)
}

/// All nodes write the same records at once, and then agree.
pub(super) async fn conflicts(group: &Group<'_>) -> Tried {
    group.flows().await?;
    const RECORDS: usize = 20;
    let keys: Vec<String> = (0..RECORDS).map(|_| group.key()).collect();
    // Each record is a race of its own.
    for key in &keys {
        let writes =
            (0..group.nodes.len()).map(|node| group.write(node, "upsert", json!([{"id": key, "by": node}])));
        join_all(writes).await.into_iter().collect::<Result<Vec<_>, _>>()?;
    }
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    Ok(match group.agreement(&keys).await {
        Err(fault) => fault,
        Ok(rows) if rows.as_array().is_some_and(|rows| rows.len() == RECORDS) => None,
        Ok(rows) => Some((format!("{RECORDS} records were written, all nodes agree on {rows}"), None)),
    })
}

/// What is written on one node after another node's write was seen there, stays; a deletion likewise.
pub(super) async fn later_write(group: &Group<'_>) -> Tried {
    group.flows().await?;
    let key = group.key();
    for round in 0..2 * group.nodes.len() {
        let node = round % group.nodes.len();
        group.write(node, "upsert", json!([{"id": key, "round": round}])).await?;
        let is_latest = |rows: &Value| rows[0]["round"] == round;
        let fault = group.everywhere(&[&key], "the later write must stay", is_latest).await;
        if fault.is_some() {
            return Ok(fault);
        }
    }
    group.delete(group.last(), &[&key]).await?;
    let is_gone = |rows: &Value| rows.as_array().is_some_and(Vec::is_empty);
    Ok(group.everywhere(&[&key], "the later deletion must stay", is_gone).await)
}

/// A confirmed insert is on one of the other nodes as soon as it is answered.
pub(super) async fn confirmed(group: &Group<'_>) -> Tried {
    for _ in 0..5 {
        let key = group.key();
        let request = json!({"operation": "insert", "database": group.database, "table": TABLE,
            "records": [{"id": key}], "replicatedConfirmation": group.nodes.len() - 1});
        let exchange = tokio::time::timeout(group.patience(), group.send(0, request)).await;
        let Ok(exchange) = exchange else {
            return Ok(Some(("a confirmed write was not answered in time".to_owned(), None)));
        };
        if exchange.answer.as_ref().is_none_or(|answer| answer.status != 200) {
            return Ok(Some(("a confirmed write must be accepted".to_owned(), Some(exchange))));
        }
        for node in 1..group.nodes.len() {
            let read = group.read(node, &[&key]).await;
            if read.answer.as_ref().is_none_or(|answer| answer.body[0]["id"] != *key) {
                let sentence =
                    format!("'{}' had confirmed a record that it does not hold", group.names[node]);
                return Ok(Some((sentence, Some(read))));
            }
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(None)
}
