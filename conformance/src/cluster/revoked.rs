//! Certificates of nodes that are revoked by their serial numbers.

use super::down;
use super::group::Group;
use crate::laws::{Fault, Refusal, Tried, blocked, unsupported};
use serde_json::{Value, json};

/// Revokes the certificates of the last node at the first, does something, and revokes them no more.
async fn while_revoked(group: &Group<'_>, work: impl Future<Output = Tried>) -> Tried {
    let serials = serials(group).await?;
    revoke(group, &serials).await?;
    let tried = work.await;
    revoke(group, &[]).await?;
    tried
}

async fn revoke(group: &Group<'_>, serials: &[Value]) -> Result<(), Refusal> {
    let name = &group.names[group.last()];
    let request = json!({"operation": "update_node", "hostname": name, "revoked_certificates": serials});
    group.accepted(0, request).await.map(drop)
}

/// The serial numbers of the last node's certificates in its own name.
async fn serials(group: &Group<'_>) -> Result<Vec<Value>, Refusal> {
    let last = group.last();
    if group.nodes[last].url.as_deref().is_none_or(|url| !url.starts_with("wss:")) {
        let reason = "it needs nodes that reach each other by TLS (--node URL,wss://HOST:PORT)";
        return Err(unsupported(reason));
    }
    let listed = group.accepted(last, json!({"operation": "list_certificates"})).await?;
    let is_own = |one: &&Value| {
        let subject = one["details"]["subject"].as_str().unwrap_or_default();
        one["is_authority"] != true && subject.contains(&group.names[last])
    };
    let own = listed.as_array().into_iter().flatten().filter(is_own);
    let serials: Vec<Value> = own.map(|one| one["details"]["serial_number"].clone()).collect();
    match serials.iter().all(Value::is_string) && !serials.is_empty() {
        true => Ok(serials),
        false => Err(blocked("the node does not tell the serial numbers of its certificates")),
    }
}

/// A node that comes again with a certificate that was revoked is not let in.
pub(super) async fn refused(group: &Group<'_>) -> Tried {
    group.flows().await?;
    while_revoked(group, async {
        let key = group.key();
        down::restart(group).await?;
        group.write(group.last(), "insert", json!([{"id": key, "n": 1}])).await?;
        group.silence().await;
        let found = group.read(0, &[&key]).await;
        let arrived = found.answer.as_ref().is_some_and(|answer| answer.body[0]["id"] == *key);
        let sentence = "a node whose certificate was revoked must not be let in".to_owned();
        Ok(arrived.then_some((sentence, Some(found))) as Fault)
    })
    .await
}

/// The connections that use a certificate end when it is revoked.
pub(super) async fn ended(group: &Group<'_>) -> Tried {
    group.flows().await?;
    while_revoked(group, async {
        let sentence = "a connection must end when its certificate is revoked";
        let status = json!({"operation": "cluster_status"});
        let name = &group.names[group.last()];
        let ended = |status: &Value| down::sockets(status, name).is_some_and(|all| !all.contains(&true));
        Ok(group.until(0, status, sentence, ended).await)
    })
    .await
}
