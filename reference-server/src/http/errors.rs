//! The one table from kinds of failure to statuses.

use crate::error::{ErrorKind, OperationError};
use hyper::StatusCode;

/// The status an error is answered with.
pub(super) fn status(kind: ErrorKind) -> StatusCode {
    match kind {
        ErrorKind::Invalid => StatusCode::BAD_REQUEST,
        ErrorKind::Unauthenticated => StatusCode::UNAUTHORIZED,
        ErrorKind::Forbidden if fault!("forbidden-is-401") => StatusCode::UNAUTHORIZED,
        ErrorKind::Forbidden => StatusCode::FORBIDDEN,
        ErrorKind::NotFound if fault!("missing-is-400") => StatusCode::BAD_REQUEST,
        ErrorKind::NotFound => StatusCode::NOT_FOUND,
        ErrorKind::Conflict if fault!("conflicts-are-400") => StatusCode::BAD_REQUEST,
        ErrorKind::Conflict => StatusCode::CONFLICT,
        ErrorKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorKind::UnsupportedMedia => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ErrorKind::Fault | ErrorKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        ErrorKind::Unconfirmed => StatusCode::GATEWAY_TIMEOUT,
        ErrorKind::NotOffered => StatusCode::NOT_IMPLEMENTED,
    }
}

/// Writes the private cause of an error to the log. Bodies and credentials never get there.
pub(super) fn log_cause(operation: &str, error: &OperationError) {
    if let Some(cause) = &error.cause {
        tracing::error!(operation, "{cause:#}");
    }
}
