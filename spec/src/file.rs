//! The shape of the files under `schemas/`.
//!
//! The build script uses the same types, so that a malformed file stops the build and the crate may
//! take the embedded texts for sound.

use indexmap::IndexMap;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// The folders of `schemas/operations/`, in the order of the documents.
pub const CATEGORIES: &[&str] = &[
    "databases-tables",
    "nosql",
    "bulk",
    "sql",
    "users-roles",
    "authentication",
    "components",
    "clustering",
    "replication",
    "configuration",
    "system",
    "jobs",
    "logs",
    "certificates",
    "analytics",
    "licensing",
    "custom-functions",
];

/// The areas requirement ids begin with.
pub const AREAS: &[&str] = &[
    "HTTP", "DB", "NOSQL", "BULK", "SQL", "USER", "AUTH", "COMP", "CLUSTER", "REPL", "CONF", "SYS", "JOB",
    "LOG", "CERT", "STAT", "LIC", "CF",
];

/// One file of `schemas/operations/`: all that is known of one operation.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperationFile {
    /// The value of the request's `operation`.
    pub name: String,
    /// The folder the file lies in.
    pub category: String,
    /// One line on what the operation does.
    pub summary: String,
    /// Other values of `operation` that mean the same.
    pub aliases: Vec<Alias>,
    /// The name printed in refusals; none when it never shows.
    pub internal_name: Option<String>,
    /// The first release that has the operation, where known.
    pub since: Option<String>,
    /// Set when the operation should no longer be used.
    pub deprecated: Option<Deprecation>,
    /// Who may call it.
    pub access: Access,
    /// Whether it answers with a job and works on after the answer.
    pub starts_job: bool,
    /// Whether it changes anything.
    pub mutates: bool,
    /// What `replicated: true` makes of the other nodes of a cluster; none where the field has no effect.
    #[serde(default)]
    pub replicated: Option<Replicated>,
    /// Other spellings of top-level request fields.
    pub field_aliases: Vec<FieldAlias>,
    /// How faults of the request are found and reported.
    pub checks: Checks,
    /// JSON Schema of the request, its properties in the order their faults are reported.
    pub request: Value,
    /// JSON Schema of the answer's body, by status.
    pub responses: IndexMap<String, Value>,
    /// What may go wrong.
    pub errors: Vec<ErrorEntry>,
    /// The normative sentences.
    pub requirements: Vec<Requirement>,
    /// Requests with their answers.
    pub examples: Vec<Example>,
}

/// What `replicated: true` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Replicated {
    /// The other nodes run the operation too; their answers are added to that of this node.
    Answers,
    /// The lines of the other nodes are added to those of this node.
    Lines,
    /// A job has one node after the other do it.
    Rolling,
}

/// Another name of an operation.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alias {
    /// The other value of `operation`.
    pub name: String,
    /// Whether that spelling is an old one.
    #[serde(default)]
    pub deprecated: bool,
}

/// Since when and in favour of what an operation is out of use.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deprecation {
    /// The release that deprecated it, where known.
    #[serde(default)]
    pub since: Option<String>,
    /// The operation to use in its place.
    #[serde(default, rename = "use")]
    pub replacement: Option<String>,
    /// What else should be known.
    #[serde(default)]
    pub note: Option<String>,
}

/// Who may call an operation.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Access {
    /// The role the caller needs.
    pub role: AccessRole,
    /// With [`AccessRole::Table`]: the permissions needed on the table, all of them.
    #[serde(default)]
    pub table_permissions: Vec<TablePermission>,
    /// The request fields whose attributes are checked one by one.
    #[serde(default)]
    pub attributes_from: Vec<String>,
    /// The permissions needed on those attributes.
    #[serde(default, deserialize_with = "one_or_many")]
    pub attribute_permission: Vec<TablePermission>,
    /// Another role that suffices.
    #[serde(default)]
    pub also: Option<AccessRole>,
    /// Special cases, in words.
    #[serde(default)]
    pub note: Option<String>,
}

/// Kinds of callers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AccessRole {
    /// No credentials are needed.
    None,
    /// Any authenticated user.
    Any,
    /// A role with `super_user`.
    SuperUser,
    /// A role with `super_user` or with `structure_user: true`.
    StructureUser,
    /// As before, or one whose `structure_user` list has the database.
    StructureUserDatabase,
    /// A role with the needed permissions on the table.
    Table,
    /// Any user; what is shown depends on the role.
    Describe,
    /// The SQL statement decides.
    Sql,
}

/// What a role may do with a table or an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TablePermission {
    /// Reading records.
    Read,
    /// Adding records.
    Insert,
    /// Changing records.
    Update,
    /// Removing records.
    Delete,
}

/// Another spelling of a top-level request field.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldAlias {
    /// The field's name in the request schema.
    pub field: String,
    /// The other spelling.
    pub alias: String,
    /// Which one is used when both are sent.
    pub wins: Wins,
}

/// Which of two spellings is used when both are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Wins {
    /// The name in the request schema.
    Field,
    /// The other spelling.
    Alias,
}

/// How faults of a request are found and reported.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checks {
    /// What comes first, the request's form or the existence of what it names.
    pub order: CheckOrder,
    /// The status of an answer that reports faults of the request.
    pub violation_status: u16,
    /// The body of such an answer.
    #[serde(default)]
    pub violation_form: ViolationForm,
    /// What stands between two faults.
    #[serde(default = "default_separator")]
    pub separator: String,
    /// Whether all faults are reported or the first alone.
    #[serde(default)]
    pub report: Report,
    /// Field names and root keywords in the order they are checked, when it is not that of the properties.
    #[serde(default)]
    pub order_of_rules: Vec<String>,
    /// Whether the existence of what is named is checked together with the form, and reported in one text.
    #[serde(default)]
    pub existence_joined: bool,
}

/// What is checked first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckOrder {
    /// Permission, then the request's form, then existence.
    ValidationFirst,
    /// The table is looked up before the request's form is checked.
    ExistenceFirst,
}

/// Bodies that report faults of the request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ViolationForm {
    /// `{"error": "..."}`
    #[default]
    Plain,
    /// `{"statusCode": 400, "error": "Bad Request", "message": "..."}`
    BadRequest,
    /// The two lists of a faulty permission object.
    RolePermissions,
}

/// How many faults are reported.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Report {
    /// All of them.
    #[default]
    All,
    /// The first one alone.
    First,
}

/// One thing that may go wrong.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorEntry {
    /// Unique within the operation.
    pub id: String,
    /// The circumstance, in words.
    pub when: String,
    /// The answer's status.
    pub status: u16,
    /// What sort of failure it is.
    pub kind: ErrorKind,
    /// The text; `{name}` stands for a value of the request or the situation.
    pub message: String,
    /// The member of the body that carries the text, when it is not `error`.
    #[serde(default, rename = "in")]
    pub member: Option<String>,
}

/// Sorts of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorKind {
    /// The request's form.
    Validation,
    /// Credentials missing or refused.
    Unauthenticated,
    /// The role does not allow it.
    Forbidden,
    /// Something named does not exist.
    NotFound,
    /// Something stands against it.
    Conflict,
    /// A value does not fit its declared type.
    Type,
    /// A limit is exceeded.
    Limit,
    /// Not available here.
    Unsupported,
    /// Any failure of the server.
    Internal,
}

/// A normative sentence.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    /// `AREA-OPERATION-NNN`.
    pub id: String,
    /// How binding it is.
    pub level: Level,
    /// The sentence.
    pub text: String,
    /// Where the knowledge comes from.
    pub basis: Basis,
    /// The place it was written down first.
    pub source: String,
}

impl Requirement {
    /// The first part of the id.
    pub fn area(&self) -> &str {
        self.id.split('-').next().unwrap_or_default()
    }
}

/// How binding a requirement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
pub enum Level {
    /// Without exception.
    #[serde(rename = "MUST")]
    Must,
    /// Unless there is a good reason.
    #[serde(rename = "SHOULD")]
    Should,
    /// At will.
    #[serde(rename = "MAY")]
    May,
}

impl Level {
    /// The word used in sentences.
    pub fn word(self) -> &'static str {
        match self {
            Level::Must => "MUST",
            Level::Should => "SHOULD",
            Level::May => "MAY",
        }
    }
}

/// How a requirement is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Basis {
    /// Seen in a recorded exchange.
    Observed,
    /// Written in the documentation.
    Documented,
    /// Learned from the program.
    Source,
    /// Meant, though the product answers otherwise by defect.
    Intended,
}

/// A request with its answer.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// What it shows.
    pub summary: String,
    /// The whole body of the request.
    pub request: Value,
    /// The body of the answer with status 200; none when the answer is not JSON.
    #[serde(default)]
    pub response: Option<Value>,
}

/// One file of `schemas/requirements/`: sentences that belong to no single operation.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequirementsFile {
    /// The area all ids of the file begin with.
    pub area: String,
    /// A heading.
    pub title: String,
    /// The sentences.
    pub requirements: Vec<Requirement>,
}

fn default_separator() -> String {
    ". ".to_owned()
}

fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<TablePermission>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMany {
        One(TablePermission),
        Many(Vec<TablePermission>),
    }
    Ok(match OneOrMany::deserialize(deserializer)? {
        OneOrMany::One(one) => vec![one],
        OneOrMany::Many(many) => many,
    })
}
