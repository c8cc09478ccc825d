//! The contract of the Operations API: its operations, the form of their requests and answers, who may
//! call them, what may go wrong, and the normative sentences.
//!
//! All of it is data under `schemas/`; this crate embeds those files and gives them types. A server
//! checks requests with it, a test harness makes requests from it, and the documents are printed from it.
//!
//! ```
//! let insert = spec::registry().operation("insert").unwrap();
//! let request = serde_json::json!({"operation": "insert", "table": "dog"});
//! assert_eq!(insert.check_text(&request).as_deref(), Some("'records' is required"));
//! ```

mod check;
mod embedded;
pub mod export;
mod file;
pub mod keywords;
pub mod mutate;
mod operation;
mod registry;
pub mod sample;
mod schema;

pub use check::Violation;
pub use file::{
    AREAS, Access, AccessRole, Alias, Basis, CATEGORIES, CheckOrder, Checks, Deprecation, ErrorEntry,
    ErrorKind, Example, FieldAlias, Level, OperationFile, Replicated, Report, Requirement, RequirementsFile,
    TablePermission, ViolationForm, Wins,
};
pub use operation::Operation;
pub use registry::{Registry, registry};
