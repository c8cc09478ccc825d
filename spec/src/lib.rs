//! The contract of the Operations API.

/// What the contract says of one operation.
pub struct Operation;
