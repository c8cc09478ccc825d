//! Operations on databases, tables and records, asked of a running instance over HTTP.

#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "integration/client.rs"]
mod client;
#[path = "integration/logs.rs"]
mod logs;
#[path = "integration/malformed.rs"]
mod malformed;
#[path = "integration/races.rs"]
mod races;
#[path = "integration/records.rs"]
mod records;
#[path = "integration/searches.rs"]
mod searches;
#[path = "integration/spellings.rs"]
mod spellings;
