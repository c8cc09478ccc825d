//! How nodes are named in requests, and what is told of the credentials for them.

use super::group::Group;
use crate::laws::{Fault, Tried};
use crate::target::Exchange;
use serde_json::{Value, json};

/// A node is removed by its name in either member, and by its URL.
pub(super) async fn removed_by_any(group: &Group<'_>) -> Tried {
    let last = group.last();
    for member in ["hostname", "name", "url"] {
        group.added(last, json!({})).await?;
        if let Some(fault) = group.until_listed(0, last, true).await {
            return Ok(Some(fault));
        }
        let value = match member {
            "url" => group.nodes[last].url.as_deref().unwrap_or_default(),
            _ => &group.names[last],
        };
        let exchange = group.send(0, json!({"operation": "remove_node", member: value})).await;
        if exchange.answer.as_ref().is_none_or(|answer| answer.status != 200) {
            return Ok(Some((format!("'{member}' must name the node to be removed"), Some(exchange))));
        }
        if let Some(fault) = group.until_listed(0, last, false).await {
            return Ok(Some(fault));
        }
    }
    Ok(None)
}

/// Credentials that were given to add a node stand neither in the status nor in the table of nodes.
pub(super) async fn forgotten(group: &Group<'_>) -> Tried {
    group.added(group.last(), json!({})).await?;
    let nodes = json!({"operation": "search_by_value", "database": "system", "table": "hdb_nodes",
        "attribute": "name", "value": "*", "get_attributes": ["*"]});
    let status = json!({"operation": "cluster_status"});
    for request in [status, nodes] {
        if let Some(fault) = told(group, group.send(0, request).await) {
            return Ok(Some(fault));
        }
    }
    Ok(None)
}

/// Credentials that are kept are not in the status.
pub(super) async fn kept_hidden(group: &Group<'_>) -> Tried {
    group.added(group.last(), json!({"retain_authorization": true})).await?;
    let status = group.send(0, json!({"operation": "cluster_status"})).await;
    Ok(told(group, status))
}

/// A fault when an answer tells the credentials of the last node.
fn told(group: &Group<'_>, exchange: Exchange) -> Fault {
    let admin = &group.nodes[group.last()].target.admin;
    let header = admin.basic();
    let pair = header.trim_start_matches("Basic ");
    let body = exchange.answer.as_ref().map(|answer| answer.body.clone()).unwrap_or_default();
    let sentence = "the credentials for a node must not be shown".to_owned();
    (holds(&body, &admin.password) || body.to_string().contains(pair)).then_some((sentence, Some(exchange)))
}

/// True when a text is a value, or credentials stand, somewhere in an answer.
fn holds(value: &Value, password: &str) -> bool {
    match value {
        Value::String(text) => text == password,
        Value::Array(items) => items.iter().any(|item| holds(item, password)),
        Value::Object(members) => members.iter().any(|(name, value)| {
            let is_secret = ["authorization", "password"].contains(&name.as_str());
            (is_secret && !value.is_null()) || holds(value, password)
        }),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_found_wherever_they_stand() {
        for body in [
            json!({"connections": [{"name": "b", "authorization": "Basic x"}]}),
            json!([{"a": {"b": ["hush"]}}]),
            json!({"password": "other"}),
        ] {
            assert!(holds(&body, "hush"), "{body}");
        }
        assert!(!holds(&json!({"connections": [{"name": "hush-hush", "authorization": null}]}), "hush"));
    }
}
