//! add_certificate, remove_certificate, list_certificates.

mod add;
mod list;
mod remove;
#[cfg(test)]
mod tests;

use super::Handler;

/// The handlers of this category.
pub const HANDLERS: &[(&str, Handler)] = &[
    ("add_certificate", |call| Box::pin(add::add_certificate(call))),
    ("remove_certificate", |call| Box::pin(remove::remove_certificate(call))),
    ("list_certificates", |call| Box::pin(list::list_certificates(call))),
];
