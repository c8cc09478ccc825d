//! remove_certificate.

use crate::access::system_tables::{all, delete, get, system_database};
use crate::certificates::records::{CERTIFICATES, text};
use crate::error::OperationError;
use crate::operations::{Call, Outcome, Reply};
use crate::store::WriteTxn;
use crate::value::Value;

pub(super) async fn remove_certificate(call: Call) -> Outcome {
    let server = &call.server;
    let name = call.body.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    // Removing one of the server's own certificates is to last, also when they have not been made yet.
    server.certificates.make_own(&server.store).await?;
    let key = Value::from(name.as_str());
    let unused = system_database(&server.store)?
        .write(move |txn: &mut WriteTxn<'_>| -> Result<Option<Option<String>>, OperationError> {
            let Some(record) = get(txn.view()?, CERTIFICATES, &key)? else { return Ok(None) };
            delete(txn, CERTIFICATES, &key)?;
            let used = text(&record, "private_key_name").map(str::to_owned);
            let others = all(txn.view()?, CERTIFICATES)?;
            let is_shared = others.iter().any(|other| text(other, "private_key_name") == used.as_deref());
            Ok(Some(used.filter(|_| !is_shared)))
        })
        .await?;
    let Some(unused) = unused else {
        if fault!("unknown-certificate-removed") {
            return Ok(Reply::Message(format!("Successfully removed {name}")));
        }
        return Err(OperationError::invalid(format!("{name} not found")));
    };
    if let Some(key_name) = unused {
        server.certificates.files().remove(&key_name);
    }
    if !fault!("removed-certificates-stay") {
        server.certificates.changed();
    }
    Ok(Reply::Message(format!("Successfully removed {name}")))
}
