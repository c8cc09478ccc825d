//! purge_stream: dropping what the other nodes may not have read yet.

use crate::error::{ErrorKind, OperationError};
use crate::operations::{Call, Outcome, Reply};
use crate::replication::Keep;
use crate::value::Value;

pub(super) async fn purge_stream(call: Call) -> Outcome {
    let (database, table) = call.table(ErrorKind::NotFound)?;
    let option = |name: &str| call.body.get("options")?.get(name).and_then(Value::as_number);
    let keep = match (option("keep"), option("seq")) {
        (Some(count), _) => Keep::Newest(count as u64),
        (None, Some(number)) => Keep::From(number as u64),
        (None, None) => Keep::Nothing,
    };
    if fault!("purge-refuses-options") && call.body.contains_key("options") {
        return Err(OperationError::invalid("'options' is not allowed"));
    }
    if fault!("purge-drops-records") {
        let node = crate::replication::identity::node_name(&call.server);
        let (database, table) = (database.clone(), table.clone());
        crate::bulk::delete_before(database, table, f64::INFINITY, call.username(), &node).await?;
    }
    let purged = call.server.replication.purge(database.name(), &table.name, keep).await;
    let purged = purged.map_err(OperationError::internal)?;
    Ok(Reply::Message(format!("Dropped {purged} messages of table '{}.{}'", database.name(), table.name)))
}
