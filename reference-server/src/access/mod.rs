//! Users, roles and what they may do.
//!
//! Users and roles are records of the `system` database. In memory there is a snapshot of them, replaced after every
//! change and before the change is acknowledged, so that authentication and authorisation never wait for anything.

pub mod attributes;
pub mod authorise;
mod basic;
mod cache;
mod contract;
mod credentials;
mod identity;
pub mod passwords;
pub mod permission;
pub mod refusal;
pub mod rights;
pub mod schema;
pub mod sessions;
pub mod system_tables;
pub mod tokens;
pub mod users;
pub mod validate_role;

pub use basic::{BasicHeader, read_basic};
pub use contract::{Visibility, authorise, readable_attributes, sees_database, visible_attributes};
pub use credentials::Access;
pub use identity::{AuthError, Caller};
pub use permission::{Permission, Right, StructureUser};
pub use system_tables::USERS;
pub use users::{Directory, Role, User};

/// The server's own database.
pub const SYSTEM: &str = "system";

/// The database meant when a request names none.
pub const DEFAULT_DATABASE: &str = "data";

/// The tables of the server's own database that super users may read.
pub const INTERNAL_TABLES: [&str; 16] = [
    "hdb_user",
    "hdb_role",
    "hdb_job",
    "hdb_license",
    "hdb_info",
    "hdb_nodes",
    "hdb_certificate",
    "hdb_analytics_hostname",
    "hdb_analytics",
    "hdb_raw_analytics",
    "hdb_temp",
    "hdb_durable_session",
    "hdb_session_will",
    "hdb_certificate_cache",
    "hdb_crl_cache",
    "hdb_revoked_certificates",
];

/// The internal tables that super users may write to as to any other table.
pub const WRITABLE_INTERNAL_TABLES: [&str; 3] = ["hdb_user", "hdb_role", "hdb_nodes"];
