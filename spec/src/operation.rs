//! One operation: its file, and what is derived from it at the first need.

use std::collections::HashMap;
use std::fmt;
use std::ops::Deref;
use std::sync::OnceLock;

use jsonschema::Validator;
use serde_json::{Map, Value};

use crate::check::{self, Violation};
use crate::file::{FieldAlias, OperationFile, Report, Wins};
use crate::registry::BUILD_CHECKED;
use crate::schema;

/// An operation of the contract. The members of its file are its fields.
pub struct Operation {
    file: OperationFile,
    request_validator: OnceLock<Option<Validator>>,
    response_validators: OnceLock<HashMap<u16, Validator>>,
    opaque_fields: OnceLock<Vec<String>>,
}

impl Deref for Operation {
    type Target = OperationFile;

    fn deref(&self) -> &OperationFile {
        &self.file
    }
}

impl fmt::Debug for Operation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Operation").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Operation {
    pub(crate) fn parse(text: &str) -> Operation {
        let file: OperationFile = serde_json::from_str(text).expect(BUILD_CHECKED);
        Operation::new(file)
    }

    /// An operation by a file of one's own, as tests need it.
    pub fn new(mut file: OperationFile) -> Operation {
        file.request = schema::with_absolute_references(file.request, "");
        for response in file.responses.values_mut() {
            *response = schema::with_absolute_references(response.take(), "");
        }
        Operation {
            file,
            request_validator: OnceLock::new(),
            response_validators: OnceLock::new(),
            opaque_fields: OnceLock::new(),
        }
    }

    /// The faults of a request as it was sent, in the order they are reported; none when it is valid.
    /// The members of records are not looked at, so stubs do for them.
    pub fn check(&self, request: &Value) -> Vec<Violation> {
        if self.request_validator().is_some_and(|validator| validator.is_valid(request)) {
            return Vec::new();
        }
        // What the strict schema refuses may still be right: numbers sent as text, null for absent.
        let mut violations = check::request(self, request);
        if self.checks.report == Report::First {
            violations.truncate(1);
        }
        violations
    }

    /// The compiled [`Operation::strict_request_schema`]; none if it does not compile, which a test rules out.
    pub fn request_validator(&self) -> Option<&Validator> {
        let compile = || schema::compile(&self.strict_request_schema()).ok();
        self.request_validator.get_or_init(compile).as_ref()
    }

    /// The faults of a request as one text; none when it is valid.
    pub fn check_text(&self, request: &Value) -> Option<String> {
        let messages: Vec<String> =
            self.check(request).into_iter().map(|violation| violation.message).collect();
        (!messages.is_empty()).then(|| messages.join(&self.checks.separator))
    }

    /// The request schema as plain JSON Schema over all spellings of the fields. What it accepts is valid;
    /// coercions and null for absent, which [`Operation::check`] also allows, are beyond it.
    pub fn strict_request_schema(&self) -> Value {
        check::strict_schema(self)
    }

    /// The compiled schema of the bodies with that status, when the contract has one.
    pub fn response_validator(&self, status: u16) -> Option<&Validator> {
        let validators = self.response_validators.get_or_init(|| {
            let compile = |(status, schema): (&String, &Value)| {
                Some((status.parse().ok()?, schema::compile(schema).ok()?))
            };
            self.responses.iter().filter_map(compile).collect()
        });
        validators.get(&status)
    }

    /// The name in the request schema of a top-level field, whichever spelling was sent.
    pub fn canonical_name<'n>(&'n self, field: &'n str) -> &'n str {
        self.alias(field).map_or(field, |alias| &alias.field)
    }

    /// The other spellings of a field of the request schema.
    pub fn aliases_of(&self, field: &str) -> impl Iterator<Item = &FieldAlias> {
        self.field_aliases.iter().filter(move |alias| alias.field == field)
    }

    /// The entry of a spelling that is not the one in the request schema.
    pub fn alias(&self, spelling: &str) -> Option<&FieldAlias> {
        self.field_aliases.iter().find(|alias| alias.alias == spelling)
    }

    /// Whether a top-level field, in any spelling, is an array whose items [`Operation::check`] asks nothing but
    /// their type. A server may pass stubs for them.
    pub fn has_opaque_items(&self, field: &str) -> bool {
        let opaque = self.opaque_fields.get_or_init(|| self.marked_fields("x-opaque-items"));
        opaque.iter().any(|one| one == field)
    }

    /// The top-level fields, under all spellings, whose values must never be printed.
    pub fn secret_fields(&self) -> Vec<String> {
        self.marked_fields("x-secret")
    }

    /// The top-level fields, under all spellings, that have a keyword set.
    fn marked_fields(&self, keyword: &str) -> Vec<String> {
        let properties = self.request.get("properties").and_then(Value::as_object);
        let is_marked = |field: &Value| {
            let field = field.as_object().map(schema::resolved);
            field.is_some_and(|field| field.get(keyword) == Some(&Value::Bool(true)))
        };
        let marked = properties.into_iter().flatten().filter(|(_, field)| is_marked(field));
        marked
            .flat_map(|(name, _)| {
                std::iter::once(name.clone()).chain(self.aliases_of(name).map(|alias| alias.alias.clone()))
            })
            .collect()
    }

    /// Renames the top-level fields of a request to those of the request schema; where several spellings
    /// were sent, the winning one stays. The order of the fields is kept.
    pub fn canonical_fields(&self, request: Map<String, Value>) -> Map<String, Value> {
        if !request.keys().any(|name| self.alias(name).is_some()) {
            return request;
        }
        let loses = |name: &str| match self.alias(name) {
            Some(alias) => alias.wins == Wins::Field && request.contains_key(&alias.field),
            None => self
                .aliases_of(name)
                .any(|alias| alias.wins == Wins::Alias && request.contains_key(&alias.alias)),
        };
        let lost: Vec<bool> = request.keys().map(|name| loses(name)).collect();
        let kept = request.into_iter().zip(lost).filter(|(_, lost)| !lost);
        kept.map(|((name, value), _)| (self.canonical_name(&name).to_owned(), value)).collect()
    }
}
