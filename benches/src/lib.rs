//! Measuring: a load driver for any Operations API endpoint, alone or two side by side, and the baselines that the
//! reference server is held against.
//!
//! The driver's client is deliberately small ([`client`]): on a machine where client and server share the processors,
//! whatever the client spends blurs the comparison. Every answer is checked, so a broken endpoint is never a fast one.

pub mod baseline;
pub mod child;
pub mod client;
pub mod compare;
pub mod endpoint;
pub mod measure;
pub mod options;
pub mod plain_heed;
pub mod records;
pub mod report;
pub mod table;
pub mod template;
pub mod workload;
