//! The contract as an OpenAPI 3.1 document.
//!
//! All operations are one path, `POST /`; which one a request is for stands in its `operation`, the
//! discriminator.

use serde_json::{Map, Value, json};

use super::{request_schema, shared_reference};
use crate::file::CATEGORIES;
use crate::operation::Operation;
use crate::registry::registry;
use crate::schema::rewrite_references;

/// Keywords that only matter to whoever words messages.
const INTERNAL_KEYWORDS: &[&str] = &["x-messages", "x-label", "x-also-report"];

/// The whole document.
pub fn document() -> Value {
    let operations = registry().operations();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Operations API",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "Databases, tables, records, SQL, users, jobs and everything else of a node, by JSON objects sent to one address.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}
        },
        "servers": [{"url": "http://localhost:9925", "description": "A node on its usual port"}],
        "security": [{"basic": []}, {"bearer": []}],
        "tags": CATEGORIES.iter().map(|name| json!({"name": name})).collect::<Vec<_>>(),
        "paths": {"/": {"post": post(operations)}, "/health": {"get": health()}},
        "components": {
            "schemas": schemas(operations),
            "securitySchemes": {
                "basic": {"type": "http", "scheme": "basic", "description": "Name and password of a user."},
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "An operation token from create_authentication_tokens."}
            }
        }
    })
}

fn post(operations: &[&'static Operation]) -> Value {
    let requests: Vec<Value> =
        operations.iter().map(|operation| reference(&request_name(operation))).collect();
    let mut mapping = Map::new();
    let mut examples = Map::new();
    for operation in operations {
        let names = std::iter::once(&operation.name).chain(operation.aliases.iter().map(|alias| &alias.name));
        for name in names {
            mapping.insert(name.clone(), json!(format!("#/components/schemas/{}", request_name(operation))));
        }
        for (number, example) in operation.examples.iter().enumerate() {
            let name = format!("{}-{}", operation.name, number + 1);
            examples.insert(name, json!({"summary": example.summary, "value": example.request}));
        }
    }
    json!({
        "operationId": "operate",
        "summary": "Carries out one operation.",
        "tags": CATEGORIES,
        "requestBody": {
            "required": true,
            "content": {"application/json": {
                "schema": {"oneOf": requests, "discriminator": {"propertyName": "operation", "mapping": mapping}},
                "examples": examples
            }}
        },
        "responses": responses(operations)
    })
}

/// The answers by status: those of the operations, and the bodies every operation may answer with.
fn responses(operations: &[&'static Operation]) -> Value {
    let common = [
        ("200", "The operation's own answer.", None),
        ("400", "Something is wrong with the request.", Some("error")),
        ("401", "Credentials are missing or refused.", Some("error")),
        ("403", "The role does not allow it.", Some("error/$defs/forbidden")),
        ("404", "What is named does not exist.", Some("error")),
        ("406", "No form of the answer is acceptable to the client.", Some("error/$defs/not_acceptable")),
        ("409", "Something stands against it.", Some("error")),
        ("413", "The body is too large.", Some("error")),
        ("415", "The body has an unknown media type.", Some("error")),
        ("500", "The server failed; some searches also answer faults of the request so.", Some("error")),
    ];
    let mut found = Map::new();
    for (status, description, body) in common {
        let own = operations.iter().filter(|operation| operation.responses.contains_key(status));
        let mut bodies: Vec<Value> =
            own.map(|operation| reference(&response_name(operation, status))).collect();
        bodies.extend(body.map(reference));
        if status == "403" {
            bodies.push(reference("error"));
        }
        found.insert(
            status.to_owned(),
            json!({"description": description, "content": {"application/json": {"schema": {"anyOf": bodies}}}}),
        );
    }
    Value::Object(found)
}

fn health() -> Value {
    json!({
        "operationId": "health",
        "summary": "Tells whether the node runs.",
        "security": [],
        "responses": {"200": {
            "description": "It does.",
            "content": {"text/plain": {"schema": {"type": "string"}}}
        }}
    })
}

fn schemas(operations: &[&'static Operation]) -> Value {
    let mut found = Map::new();
    for (name, schema) in registry().common_schemas() {
        found.insert((*name).to_owned(), public(schema.clone()));
    }
    for operation in operations {
        let mut request = public(request_schema(operation));
        if let Value::Object(request) = &mut request {
            request.insert("title".to_owned(), json!(operation.name));
            request.insert("description".to_owned(), json!(operation.summary));
            request.insert("x-category".to_owned(), json!(operation.category));
            request.insert("x-access".to_owned(), json!(operation.access.role));
            if operation.deprecated.is_some() {
                request.insert("deprecated".to_owned(), json!(true));
            }
        }
        found.insert(request_name(operation), request);
        for (status, schema) in &operation.responses {
            found.insert(response_name(operation, status), public(schema.clone()));
        }
    }
    Value::Object(found)
}

fn request_name(operation: &Operation) -> String {
    format!("{}.request", operation.name)
}

fn response_name(operation: &Operation, status: &str) -> String {
    match status {
        "200" => format!("{}.response", operation.name),
        _ => format!("{}.response.{status}", operation.name),
    }
}

fn reference(component: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{component}")})
}

/// A schema as it stands in the document: references to components, without what is internal.
fn public(mut schema: Value) -> Value {
    rewrite_references(&mut schema, &|target| match shared_reference(target) {
        Some((name, pointer)) => format!("#/components/schemas/{name}{pointer}"),
        None => target.to_owned(),
    });
    strip(&mut schema);
    schema
}

fn strip(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            members.retain(|name, _| !INTERNAL_KEYWORDS.contains(&name.as_str()));
            members.values_mut().for_each(strip);
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        _ => {}
    }
}
