//! The operation `sql`.

use super::{Call, Handler, Outcome};
use crate::value::Value;

/// The handlers of this category.
pub const HANDLERS: &[(&str, Handler)] = &[("sql", |call| Box::pin(sql(call)))];

async fn sql(call: Call) -> Outcome {
    let text = call.body.get("sql").and_then(Value::as_str).unwrap_or_default();
    crate::sql::run(&call.server, &call.caller, text, call.form).await
}
