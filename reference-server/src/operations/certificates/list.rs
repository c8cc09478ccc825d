//! list_certificates.

use crate::certificates::records;
use crate::operations::{Call, Outcome, Reply};
use crate::store::CREATED_TIME;
use crate::value::Value;

pub(super) async fn list_certificates(call: Call) -> Outcome {
    let server = &call.server;
    server.certificates.make_own(&server.store).await?;
    let shown = records::read_all(&server.store)?.into_iter().map(|mut record| {
        record.shift_remove(CREATED_TIME);
        if fault!("certificates-without-details") {
            record.shift_remove("details");
        }
        Value::Object(record)
    });
    Ok(Reply::Value(Value::Array(shown.collect())))
}
