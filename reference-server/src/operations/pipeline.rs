//! A request's way from its decoded body to its handler. The order of the stages is behaviour:
//! look up the operation, authorise, validate, run; the stage that fails first answers.

use crate::access::{self, Caller};
use crate::error::{ErrorKind, OperationError};
use crate::operations::nosql::names_fault;
use crate::operations::replicated::Forward;
use crate::operations::{Call, Outcome, ReplyForm, table};
use crate::server::Server;
use crate::value::{Object, Value};
use serde_json::Value as Json;
use spec::{CheckOrder, Operation, ViolationForm, Wins};
use std::sync::Arc;

/// Answers one decoded request body.
///
/// # Errors
/// Whatever stage fails first.
pub async fn answer(server: &Arc<Server>, caller: Caller, body: Value, form: ReplyForm) -> Outcome {
    let Value::Object(sent) = body else {
        return Err(OperationError::invalid("Invalid JSON."));
    };
    let call = call_of(server, caller, sent, form)?;
    let operation = call.operation;
    if fault!("validated-before-permission") {
        call.validated()?;
    }
    let is_cluster = matches!(operation.category.as_str(), "clustering" | "replication");
    if !(fault!("not-authorised") || (is_cluster && fault!("cluster-open-to-all"))) {
        access::authorise(&call)?;
    }
    let handler = table::handler(&operation.name).ok_or_else(|| not_offered(operation))?;
    // Faults with a form of their own, or told together with those that no schema can find, are the handler's.
    let plain = operation.checks.violation_form == ViolationForm::Plain && !operation.checks.existence_joined;
    let unchecked = fault!("not-validated") || (is_cluster && fault!("cluster-not-validated"));
    let unchecked = unchecked || left_to_handler(&operation.name);
    if operation.checks.order == CheckOrder::ValidationFirst && plain && !unchecked {
        call.validated()?;
    }
    let forward = Forward::of(&call);
    let reply = handler(call).await?;
    match forward {
        Some(forward) => Ok(forward.tell(reply).await),
        None => Ok(reply),
    }
}

/// True while a fault is chosen that lies in the handler's own checks, of which the contract's are a repetition.
fn left_to_handler(operation: &str) -> bool {
    match operation {
        "add_user" => {
            fault!("system-user-taken") || fault!("active-as-text") || fault!("user-faults-joined-by-stops")
        }
        "alter_user" => fault!("blank-passwords-taken"),
        _ => false,
    }
}

/// A request on its way: its operation is known and its fields have their canonical names; nothing else is judged.
///
/// # Errors
/// When there is no such operation.
pub fn call_of(
    server: &Arc<Server>,
    caller: Caller,
    sent: Object,
    form: ReplyForm,
) -> Result<Call, OperationError> {
    let operation = look_up(&sent)?;
    // Faults are named in the words of the request, so they are found before its fields are renamed; they are told
    // only to callers who may do what they ask for.
    let text = operation.check_text(&schema_view(operation, &sent)).into_iter();
    let text: Vec<String> = text.chain(names_fault(names_of_records(operation, &sent))).collect();
    let fault = (!text.is_empty()).then(|| validation_error(operation, text.join(". ")));
    let fault = fault.map(|(kind, text)| match text.split_once(". ") {
        Some((first, _)) if fault!("first-fault-only") => (kind, first.to_owned()),
        _ => (kind, text),
    });
    Ok(Call { server: server.clone(), caller, operation, body: canonical(operation, sent), fault, form })
}

impl Call {
    /// Fails with the faults of the request, if it has any. Handlers of operations that look at what exists first
    /// call this themselves.
    ///
    /// # Errors
    /// The faults, as one text.
    pub fn validated(&self) -> Result<(), OperationError> {
        match &self.fault {
            None => Ok(()),
            Some((kind, text)) => Err(OperationError::new(*kind, text.clone())),
        }
    }
}

fn look_up(sent: &Object) -> Result<&'static Operation, OperationError> {
    let name = match sent.get("operation") {
        None | Some(Value::Null) => {
            return Err(OperationError::invalid("Request body must include an 'operation' property."));
        }
        Some(Value::String(name)) => name.clone(),
        Some(other) => other.to_json(),
    };
    spec::registry()
        .operation(&name)
        .ok_or_else(|| OperationError::invalid(format!("Operation '{name}' not found")))
}

fn validation_error(operation: &Operation, text: String) -> (ErrorKind, String) {
    let kind = match operation.checks.violation_status {
        500 if !fault!("validation-always-400") => ErrorKind::Fault,
        401 => ErrorKind::Unauthenticated,
        _ => ErrorKind::Invalid,
    };
    (kind, text)
}

fn not_offered(operation: &Operation) -> OperationError {
    OperationError::new(
        ErrorKind::NotOffered,
        format!("Operation '{}' is not offered by this server yet", operation.name),
    )
}

/// The request as the schemas see it. Records are checked one by one when they are written, so that here only their
/// kind counts and they are not copied.
fn schema_view(operation: &Operation, sent: &Object) -> Json {
    let members = sent.iter().map(|(name, value)| {
        let view = match value {
            Value::Array(items) if operation.has_opaque_items(operation.canonical_name(name)) => {
                Json::Array(items.iter().map(kind_of).collect())
            }
            other => other.to_serde(),
        };
        (name.clone(), view)
    });
    Json::Object(members.collect())
}

/// The names of the attributes of the records in a request.
fn names_of_records<'s>(operation: &'s Operation, sent: &'s Object) -> impl Iterator<Item = &'s String> {
    let opaque = sent.iter().filter(|(name, _)| operation.has_opaque_items(operation.canonical_name(name)));
    let items = opaque.filter_map(|(_, value)| value.as_array()).flatten();
    items
        .filter_map(|item| match item {
            Value::Object(record) => Some(record.keys()),
            _ => None,
        })
        .flatten()
}

fn kind_of(item: &Value) -> Json {
    match item {
        Value::Object(_) => Json::Object(serde_json::Map::new()),
        Value::Array(_) => Json::Array(Vec::new()),
        scalar => scalar.to_serde(),
    }
}

/// The request with every field under its canonical name.
fn canonical(operation: &Operation, mut body: Object) -> Object {
    for alias in &operation.field_aliases {
        if let Some(value) = body.shift_remove(alias.alias.as_str()) {
            // A value that JavaScript takes for false leaves the other spelling in its place.
            let decides = fault!("old-spellings-win")
                || alias.wins == Wins::Alias
                || body.get(alias.field.as_str()).is_none_or(Value::is_falsy);
            if decides && !fault!("old-spellings-lost") {
                body.insert(alias.field.clone(), value);
            }
        }
    }
    body
}
