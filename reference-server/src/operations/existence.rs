//! Operations that report what does or does not exist together with the other faults of a field, in one text.

use super::Call;
use crate::error::{ErrorKind, OperationError};
use crate::value::Value;

/// What was found out about what a field names.
pub(super) struct Existence {
    /// The field.
    pub(super) field: &'static str,
    /// What is wrong with the existence of what it names.
    pub(super) fault: Option<&'static str>,
}

/// Fails with the faults of the request, those of existence behind the others of the same field.
///
/// # Errors
/// The faults, as one text.
pub(super) fn joined(call: &Call, existence: &[Existence]) -> Result<(), OperationError> {
    if call.fault.is_none() && existence.iter().all(|one| one.fault.is_none()) {
        return Ok(());
    }
    let operation = call.operation;
    let mut violations = match call.fault {
        Some(_) => operation.check(&Value::Object(call.body.clone()).to_serde()),
        None => Vec::new(),
    };
    let mut messages = Vec::new();
    for field in
        operation.request.pointer("/properties").and_then(|fields| fields.as_object()).into_iter().flatten()
    {
        let pointer = format!("/{}", field.0);
        let belongs = |place: &str| place == pointer || place.starts_with(&format!("{pointer}/"));
        messages.extend(
            violations
                .extract_if(.., |violation| belongs(&violation.pointer))
                .map(|violation| violation.message),
        );
        let found = existence.iter().filter(|one| one.field == field.0).filter_map(|one| one.fault);
        messages.extend(found.map(str::to_owned));
    }
    messages.extend(violations.into_iter().map(|violation| violation.message));
    Err(OperationError::new(ErrorKind::Invalid, messages.join(&operation.checks.separator)))
}
