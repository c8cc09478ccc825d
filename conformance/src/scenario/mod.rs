//! Scenarios: short stories told to a target, as data. The format is described in `scenarios/FORMAT.md`.

mod load;
mod names;
mod vars;

pub use load::{LoadError, Manifest, Suite, check_scenario, embedded, manifest_of, parse};
pub use names::{Names, rename};
pub use vars::{Missing, Vars};

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::borrow::Cow;

/// The newest version of the format that this program reads.
pub const FORMAT: &str = "1.0.0";

/// How much of an answer a run demands.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// Statuses and shapes: what every client relies on.
    Core,
    /// Also the exact texts and the rarer operations.
    #[default]
    Full,
    /// Also what was only observed and never documented.
    Strict,
}

impl Profile {
    /// The word that texts use, as it is given on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Profile::Core => "core",
            Profile::Full => "full",
            Profile::Strict => "strict",
        }
    }
}

/// How strictly the answers to refused requests are compared.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Errors {
    /// By the status alone.
    Status,
    /// Also by what kind of answer it is: its media type, and a text that tells the error.
    Kind,
    /// Also by the wording.
    #[default]
    Wording,
}

/// How binding an expectation is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Level {
    /// A difference is a failure.
    #[default]
    Must,
    /// A difference is a warning.
    Should,
    /// A difference is only noted.
    May,
}

impl Errors {
    /// The word that reports use.
    pub fn word(self) -> &'static str {
        match self {
            Errors::Status => "status",
            Errors::Kind => "kind",
            Errors::Wording => "wording",
        }
    }
}

impl Profile {
    /// How strictly errors are compared unless told otherwise.
    pub fn errors(self) -> Errors {
        match self {
            Profile::Core => Errors::Kind,
            Profile::Full | Profile::Strict => Errors::Wording,
        }
    }
}

impl Level {
    /// Every level, the most binding first.
    pub const ALL: [Level; 3] = [Level::Must, Level::Should, Level::May];

    /// The word that texts use.
    pub fn word(self) -> &'static str {
        match self {
            Level::Must => "MUST",
            Level::Should => "SHOULD",
            Level::May => "MAY",
        }
    }
}

/// One story.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// The version of the format that the file is written in.
    pub format: String,
    /// `category/what-it-shows`; never reused.
    pub id: String,
    /// The behaviour it pins down, in one line.
    pub summary: String,
    /// The least profile in which it is told.
    #[serde(default, skip_serializing_if = "is_default")]
    pub profile: Profile,
    /// The requirements that every compared step bears on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requirements: Vec<String>,
    /// The operations it exercises.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub operations: Vec<String>,
    /// Names of databases, users, roles … that get a suffix of their own in every run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// Users that the steps create and act as.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub users: IndexMap<String, User>,
    /// Told while nothing else runs, because it looks at or changes what all share.
    #[serde(default, skip_serializing_if = "is_default")]
    pub serial: bool,
    /// Shared databases that it empties: told only when they do not exist beforehand.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub takes: Vec<String>,
    /// Restarts or reconfigures the target: told last.
    #[serde(default, skip_serializing_if = "is_default")]
    pub disruptive: bool,
    /// Services that the harness must offer for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<String>,
    /// What a reader should know besides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// What comes before; it must succeed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub setup: Vec<Step>,
    /// What is compared.
    pub steps: Vec<Step>,
    /// What is dropped afterwards, whatever happened.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub teardown: Vec<Step>,
}

/// A user that a scenario makes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// Who.
    pub username: String,
    /// The secret.
    pub password: String,
}

/// One request and what is expected of its answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Unique among the compared steps of its scenario; never reused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// A few words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `admin` (default), `nobody`, an alias of `users`, or `bearer:NAME` with a saved token.
    #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
    /// An operation, sent as `POST /` in JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Value>,
    /// A request spelt out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<Http>,
    /// Bytes sent as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wire: Option<Wire>,
    /// Seconds to wait, instead of a request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sleep: Option<f64>,
    /// Name → pointer into the answer, for `${name}` later on.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub save: IndexMap<String, String>,
    /// Pointer → values; the step is repeated until one of them is there.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub until: IndexMap<String, Vec<Value>>,
    /// How many seconds `until` may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<f64>,
    /// The answer must be right at once, however long changes may take to settle.
    #[serde(default, skip_serializing_if = "is_default")]
    pub immediate: bool,
    /// In setup: it does no harm when this is refused.
    #[serde(default, skip_serializing_if = "is_default")]
    pub may_fail: bool,
    /// What the answer must be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<Expected>,
    /// An earlier step that must have been answered alike.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same_as: Option<String>,
    /// What is left out of the comparison.
    #[serde(default, skip_serializing_if = "is_default")]
    pub compare: Compare,
    /// The requirements that this step bears on, besides the scenario's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requirements: Vec<String>,
    /// How binding the expectation is.
    #[serde(default, skip_serializing_if = "is_default")]
    pub level: Level,
    /// The least profile in which the answer is compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<Profile>,
    /// What a reader should know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A request spelt out: method, path, headers, body.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Http {
    /// The method.
    #[serde(default = "post")]
    pub method: String,
    /// The path with its query.
    #[serde(default = "root")]
    pub path: String,
    /// Over HTTP/2.
    #[serde(default, skip_serializing_if = "is_default")]
    pub http2: bool,
    /// The headers; one set to null is left out even where the harness would send it.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub headers: IndexMap<String, Option<String>>,
    /// The body as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// The body as base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_base64: Option<String>,
    /// The body as a value, encoded by the media type in `headers`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_value: Option<Value>,
}

/// Bytes sent as they are on a connection of their own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wire {
    /// The bytes, as text.
    pub send: String,
    /// How many answers to wait for.
    #[serde(default = "one")]
    pub answers: usize,
}

/// What an answer must be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// The status code; with `wire`, of the last answer.
    pub status: u16,
    /// Other statuses that do as well; the body is then not compared.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub or_status: Vec<u16>,
    /// The media type without parameters; empty when there must be none; left out when it does not matter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// Headers that must have these values; null: must be absent; `~PATTERN`: must match the regular expression.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub headers: IndexMap<String, Option<String>>,
    /// The decoded body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// The body, byte for byte.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The layout of a binary body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<crate::target::Form>,
    /// With `wire`: whether the target closes the connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<bool>,
}

/// What is left out of a comparison, each with its reason in the step's note.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Compare {
    /// Pointers whose values do not matter (they must still be there on both sides, or on neither).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignore: Vec<String>,
    /// Pointers of arrays whose order does not matter.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unordered: Vec<String>,
    /// Only the names of the body's members matter.
    #[serde(default, skip_serializing_if = "is_default")]
    pub keys_only: bool,
    /// Only the status, media type and headers matter.
    #[serde(default, skip_serializing_if = "is_default")]
    pub status_only: bool,
    /// The members named here must be as given; others may be there as well.
    #[serde(default, skip_serializing_if = "is_default")]
    pub subset: bool,
    /// Pointers at which there must be nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub absent: Vec<String>,
    /// Pointers whose values are compared as they are, not as what is left of volatile ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exact: Vec<String>,
    /// Nothing matters: the step is only taken.
    #[serde(default, skip_serializing_if = "is_default")]
    pub skip: bool,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn post() -> String {
    "POST".to_owned()
}

fn root() -> String {
    "/".to_owned()
}

fn one() -> usize {
    1
}

impl Scenario {
    /// A story without steps, told in every profile.
    pub fn new(id: impl Into<String>, summary: impl Into<String>) -> Scenario {
        Scenario {
            format: FORMAT.to_owned(),
            id: id.into(),
            summary: summary.into(),
            profile: Profile::Core,
            requirements: Vec::new(),
            operations: Vec::new(),
            names: Vec::new(),
            users: IndexMap::new(),
            serial: false,
            takes: Vec::new(),
            disruptive: false,
            needs: Vec::new(),
            note: None,
            setup: Vec::new(),
            steps: Vec::new(),
            teardown: Vec::new(),
        }
    }

    /// The category: the first part of the id.
    pub fn category(&self) -> &str {
        self.id.split('/').next().unwrap_or_default()
    }

    /// True when a step saves a value under this name.
    pub fn saves(&self, name: &str) -> bool {
        self.setup.iter().chain(&self.steps).any(|step| step.save.contains_key(name))
    }

    /// The operation it is about, when it is about one.
    pub fn only_operation(&self) -> Option<&str> {
        match self.operations.as_slice() {
            [one] => Some(one),
            _ => None,
        }
    }

    /// The steps whose answers are compared, each a check of its own.
    pub fn checks(&self) -> impl Iterator<Item = (&Step, String)> {
        self.steps.iter().filter(|step| step.is_check()).map(|step| (step, self.check_id(step)))
    }

    /// `category/name#step`.
    pub fn check_id(&self, step: &Step) -> String {
        format!("{}#{}", self.id, step.id.as_deref().unwrap_or("?"))
    }

    /// The requirements that a step bears on.
    pub fn requirements_of<'a>(&'a self, step: &'a Step) -> impl Iterator<Item = &'a String> {
        let own = step.requirements.iter().filter(|id| !self.requirements.contains(id));
        self.requirements.iter().chain(own)
    }
}

impl Expected {
    /// Any answer with a status.
    pub fn status(status: u16) -> Expected {
        Expected {
            status,
            or_status: Vec::new(),
            content_type: None,
            headers: IndexMap::new(),
            body: None,
            text: None,
            form: None,
            closed: None,
        }
    }
}

impl Step {
    /// A step that only runs an operation.
    pub fn running(request: Value) -> Step {
        Step { request: Some(request), ..Step::default() }
    }

    /// True when the answer is compared with something.
    pub fn is_check(&self) -> bool {
        (self.response.is_some() || self.same_as.is_some()) && !self.compare.skip
    }

    /// What to call the step in a sentence.
    pub fn title(&self) -> String {
        match (&self.name, self.operation()) {
            (Some(name), _) => name.clone(),
            (None, Some(operation)) => operation.into_owned(),
            (None, None) => self.id.clone().unwrap_or_else(|| "request".to_owned()),
        }
    }

    /// The operation that the step runs, as far as its body can be read.
    pub fn operation(&self) -> Option<Cow<'_, str>> {
        if let Some(request) = &self.request {
            return request.get("operation")?.as_str().map(Cow::Borrowed);
        }
        let http = self.http.as_ref()?;
        let body: Value = match (&http.body, &http.body_value) {
            (Some(text), _) => serde_json::from_str(text).ok()?,
            (_, Some(value)) => value.clone(),
            _ => return None,
        };
        body.get("operation")?.as_str().map(|name| Cow::Owned(name.to_owned()))
    }
}
