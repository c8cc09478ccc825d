//! A small server that speaks the Operations API exactly: every operation really works, on LMDB.
//!
//! A request's way: `http` (listener, media types, credentials) → `operations::pipeline` (look up, normalise,
//! authorise, validate) → a handler under `operations` → `query` and `store`. Arrows point one way; only `http` knows
//! of statuses and hyper, only `store` knows of LMDB.

#[macro_use]
pub mod faults;

pub mod access;
pub mod analytics;
pub mod bulk;
pub mod certificates;
pub mod command;
pub mod components;
pub mod config;
pub mod error;
pub mod http;
pub mod jobs;
pub mod licensing;
pub mod logs;
pub mod operations;
pub mod query;
pub mod replication;
pub mod server;
pub mod sql;
pub mod store;
pub mod system;
pub mod test_server;
pub mod value;

pub use test_server::TestServer;
