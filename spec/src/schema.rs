//! JSON Schema: references, and the one place that names the validating crate.

use std::borrow::Cow;
use std::sync::OnceLock;

use jsonschema::Validator;
use serde_json::{Map, Value};

use crate::registry::registry;

/// What references to shared schemas begin with once they are absolute.
pub(crate) const BASE: &str = "ops:///schemas/";

/// Makes every `$ref` absolute. `common/x.json#/..` is taken from [`BASE`], `#/..` from the shared schema
/// `home` the value is.
pub(crate) fn with_absolute_references(mut schema: Value, home: &str) -> Value {
    rewrite_references(&mut schema, &|target| match target.strip_prefix('#') {
        Some(inside) => format!("{BASE}common/{home}.json#{inside}"),
        None if target.starts_with("common/") => format!("{BASE}{target}"),
        None => target.to_owned(),
    });
    schema
}

/// Replaces the target of every `$ref` below `schema`.
pub(crate) fn rewrite_references(schema: &mut Value, rewrite: &dyn Fn(&str) -> String) {
    match schema {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(target) if name == "$ref" => *target = rewrite(target),
                    _ => rewrite_references(member, rewrite),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| rewrite_references(item, rewrite)),
        _ => {}
    }
}

/// The schema an absolute reference points at.
pub(crate) fn target(reference: &str) -> Option<&'static Value> {
    let (file, pointer) = reference.split_once('#').unwrap_or((reference, ""));
    let name = file.strip_prefix(BASE)?.strip_prefix("common/")?.strip_suffix(".json")?;
    registry().common(name)?.pointer(pointer)
}

/// A schema object with its `$ref` replaced by what it points at; members beside the `$ref` stand above
/// the target's, those of `properties` and `x-messages` one by one.
pub(crate) fn resolved(schema: &Map<String, Value>) -> Cow<'_, Map<String, Value>> {
    let Some(Value::String(reference)) = schema.get("$ref") else { return Cow::Borrowed(schema) };
    let Some(Value::Object(found)) = target(reference) else { return Cow::Borrowed(schema) };
    let mut merged = resolved(found).into_owned();
    for (name, member) in schema {
        match (name.as_str(), merged.get_mut(name), member) {
            ("$ref", ..) => {}
            ("properties" | "x-messages", Some(Value::Object(below)), Value::Object(above)) => {
                below.extend(above.iter().map(|(name, member)| (name.clone(), member.clone())));
            }
            ("required", Some(Value::Array(below)), Value::Array(above)) => {
                for name in above {
                    if !below.contains(name) {
                        below.push(name.clone());
                    }
                }
            }
            (_, Some(below), _) => *below = member.clone(),
            (_, None, _) => {
                merged.insert(name.clone(), member.clone());
            }
        }
    }
    Cow::Owned(merged)
}

/// Compiles a schema whose references are absolute.
pub(crate) fn compile(schema: &Value) -> Result<Validator, String> {
    static SHARED: OnceLock<Option<jsonschema::Registry<'static>>> = OnceLock::new();
    let shared = SHARED.get_or_init(|| {
        let mut builder = jsonschema::Registry::new();
        for (name, schema) in registry().common_schemas() {
            builder = builder.add(format!("{BASE}common/{name}.json"), schema).ok()?;
        }
        builder.prepare().ok()
    });
    let shared = shared.as_ref().ok_or("the shared schemas do not fit together")?;
    jsonschema::options()
        .with_draft(jsonschema::Draft::Draft202012)
        .with_base_uri(BASE)
        .with_registry(shared)
        .build(schema)
        .map_err(|error| error.to_string())
}
