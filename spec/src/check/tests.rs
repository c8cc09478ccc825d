use serde_json::{Value, json};

use crate::file::OperationFile;
use crate::operation::Operation;

/// An operation with that request schema and those other spellings `(field, alias, wins)`.
fn operation(request: Value, aliases: &[(&str, &str, &str)]) -> Operation {
    operation_with(request, aliases, json!({"order": "validation-first", "violation_status": 400}))
}

fn operation_with(request: Value, aliases: &[(&str, &str, &str)], checks: Value) -> Operation {
    let aliases: Vec<Value> = aliases
        .iter()
        .map(|(field, alias, wins)| json!({"field": field, "alias": alias, "wins": wins}))
        .collect();
    let file: OperationFile = serde_json::from_value(json!({
        "name": "try", "category": "nosql", "summary": "Tried.", "aliases": [], "internal_name": null,
        "since": null, "deprecated": null, "access": {"role": "any"}, "starts_job": false, "mutates": false,
        "field_aliases": aliases, "checks": checks, "request": request,
        "responses": {}, "errors": [], "requirements": [], "examples": []
    }))
    .unwrap();
    Operation::new(file)
}

/// The text for a request of one field `x`.
fn text(field: Value, value: Value) -> Option<String> {
    operation(json!({"type": "object", "properties": {"x": field}}), &[])
        .check_text(&json!({"operation": "try", "x": value}))
}

fn assert_text(field: Value, value: Value, expected: &str) {
    assert_eq!(text(field, value).as_deref(), Some(expected));
}

#[test]
fn templates_have_the_documented_words() {
    assert_text(json!({"type": "string"}), json!(1), "'x' must be a string");
    assert_text(json!({"type": "number"}), json!("1"), "'x' must be a number");
    assert_text(json!({"type": "boolean"}), json!("true"), "'x' must be a boolean");
    assert_text(json!({"type": "array"}), json!({}), "'x' must be an array");
    assert_text(json!({"type": "object"}), json!([]), "'x' must be of type object");
    assert_text(json!({"type": ["string", "number"]}), json!(null), "'x' must be one of [string, number]");
    assert_text(json!({"type": ["string", "null"]}), json!(true), "'x' must be a string");
    assert_text(json!({"type": "integer"}), json!("a"), "'x' must be a number");
    assert_text(json!({"type": "integer"}), json!(1.5), "'x' must be an integer");
    assert_text(json!({"minimum": 1}), json!(0), "'x' must be greater than or equal to 1");
    assert_text(json!({"maximum": 9}), json!(10), "'x' must be less than or equal to 9");
    assert_text(json!({"minLength": 1}), json!(""), "'x' is not allowed to be empty");
    assert_text(
        json!({"maxLength": 2}),
        json!("abc"),
        "'x' length must be less than or equal to 2 characters long",
    );
    assert_text(json!({"minItems": 1}), json!([]), "'x' must contain at least 1 items");
    assert_text(json!({"enum": ["a", 2]}), json!("b"), "'x' must be one of [a, 2]");
    assert_text(
        json!({"anyOf": [{"type": "string"}, {"minimum": 3}]}),
        json!(1),
        "'x' does not match any of the allowed types",
    );
    assert_text(json!(false), json!(1), "'x' is not allowed");
}

#[test]
fn several_faults_of_one_value_come_in_order() {
    let limit = json!({"type": "integer", "minimum": 1});
    assert_text(limit, json!(0.5), "'x' must be an integer. 'x' must be greater than or equal to 1");
    let operator = json!({"type": "string", "enum": ["and", "or"]});
    assert_text(operator, json!(1), "'x' must be one of [and, or]. 'x' must be a string");
    // nothing more is said of an empty text, nor of a wrong type
    assert_text(
        json!({"type": "string", "minLength": 1, "pattern": "^a"}),
        json!(""),
        "'x' is not allowed to be empty",
    );
    assert_text(
        json!({"type": "array", "minItems": 1, "items": {"type": "string"}}),
        json!(1),
        "'x' must be an array",
    );
}

#[test]
fn all_fields_are_reported_in_the_order_of_the_schema() {
    let tried = operation(
        json!({"type": "object", "properties": {"b": {"type": "string"}, "a": {"type": "string"}, "c": {}}, "required": ["c", "b"]}),
        &[],
    );
    assert_eq!(
        tried.check_text(&json!({"a": 1})).unwrap(),
        "'b' is required. 'a' must be a string. 'c' is required"
    );
    let pointers: Vec<String> =
        tried.check(&json!({"a": 1})).into_iter().map(|fault| fault.pointer).collect();
    assert_eq!(pointers, ["/b", "/a", "/c"]);
    assert_eq!(tried.check_text(&json!({"b": "", "c": null, "unknown": 1})), None);
}

#[test]
fn members_and_items_are_named_by_their_path() {
    assert_text(
        json!({"items": {"type": "object"}}),
        json!([{}, 1, {}, "a"]),
        "'x[1]' must be of type object. 'x[3]' must be of type object",
    );
    let sort = json!({"type": "object", "properties": {"descending": {"type": "boolean"}}, "required": ["attribute"]});
    assert_text(
        sort,
        json!({"descending": 1}),
        "'x.descending' must be a boolean. 'x.attribute' is required",
    );
    let nested = json!({"items": {"properties": {"n": {"type": "string"}}}});
    assert_text(nested, json!([{"n": 1}]), "'x[0].n' must be a string");
    let group = json!({"items": {"$ref": "common/condition.json"}});
    let conditions = json!([{"attribute": "a"}, {"operator": "xor", "conditions": [{"attribute": "a"}]}]);
    assert_text(group, conditions, "'x[1]' does not match any of the allowed types");
}

#[test]
fn own_texts_stand_in_for_templates() {
    let field = json!({"type": "string", "pattern": "^a", "x-label": "Name", "x-messages": {
        "type": "{label} is no text: {value}", "pattern": "{text} in {braces}: {value}"}});
    assert_text(field.clone(), json!([1]), "Name is no text: [1]");
    assert_text(field, json!("b"), "b in {braces}: \"b\"");
    let items = json!({"items": {"type": "string"}, "x-messages": {"items": "only texts"}});
    assert_text(items, json!([1, "a", 2]), "only texts");
    let closed = json!({"properties": {"a": {}}, "additionalProperties": false, "x-messages": {
        "additionalProperties": "no {key}", "severalAdditionalProperties": "none of {key}"}});
    assert_text(closed.clone(), json!({"a": 1, "b": 1}), "no b");
    assert_text(closed, json!({"a": 1, "b": 1, "c": 1}), "none of 'b', 'c'");
}

#[test]
fn text_is_taken_for_numbers_and_booleans_where_allowed() {
    let limit = json!({"type": "integer", "minimum": 1, "x-coerce": "number"});
    assert_eq!(text(limit.clone(), json!("10")), None);
    assert_text(limit.clone(), json!("ten"), "'x' must be a number");
    assert_text(limit.clone(), json!("Infinity"), "'x' must be a number");
    assert_text(limit.clone(), json!(""), "'x' must be a number");
    assert_text(limit, json!("0.5"), "'x' must be an integer. 'x' must be greater than or equal to 1");
    let desc = json!({"type": "boolean", "x-coerce": "boolean"});
    assert_eq!(text(desc.clone(), json!("TRUE")), None);
    assert_text(desc, json!("yes"), "'x' must be a boolean");
}

#[test]
fn null_counts_as_absent_where_allowed() {
    let tried = operation(
        json!({"type": "object", "required": ["x"], "properties": {"x": {"x-nullable": true}}}),
        &[],
    );
    assert_eq!(tried.check_text(&json!({"x": null})).unwrap(), "'x' is required");
    assert_eq!(tried.check_text(&json!({"x": 0})), None);
    assert_eq!(text(json!({"type": "string", "x-nullable": true}), json!(null)), None);
    let list = json!({"type": "object", "required": ["x"], "properties": {"x": {"type": "array", "x-falsy-absent": true}}});
    let tried = operation(list, &[]);
    for value in [json!(null), json!(false), json!(0), json!("")] {
        assert_eq!(tried.check_text(&json!({"x": value})).as_deref(), Some("'x' is required"));
    }
    assert_eq!(tried.check_text(&json!({"x": 1})).as_deref(), Some("'x' must be an array"));
}

#[test]
fn words_are_compared_without_case_where_allowed() {
    assert_eq!(text(json!({"enum": ["and"], "x-ignore-case": true}), json!("AND")), None);
    assert_text(json!({"enum": ["and"]}), json!("AND"), "'x' must be one of [and]");
}

#[test]
fn a_field_is_satisfied_by_another_spelling_and_faults_name_what_was_sent() {
    let request = json!({"type": "object", "required": ["ids"], "properties": {
        "database": {"type": "string"},
        "ids": {"type": "array", "x-label": "hash_values", "x-also-report": ["ids"]}}});
    let tried = operation(request, &[("database", "schema", "field"), ("ids", "hash_values", "field")]);
    assert_eq!(tried.check_text(&json!({"hash_values": []})), None);
    assert_eq!(tried.check_text(&json!({})).unwrap(), "'hash_values' is required");
    assert_eq!(tried.check_text(&json!({"hash_values": 1})).unwrap(), "'hash_values' must be an array");
    assert_eq!(
        tried.check_text(&json!({"ids": 1})).unwrap(),
        "'hash_values' must be an array. 'ids' must be an array"
    );
    assert_eq!(
        tried.check_text(&json!({"schema": 1, "database": 2, "ids": []})).unwrap(),
        "'database' must be a string. 'schema' must be a string"
    );
}

#[test]
fn what_javascript_takes_for_false_is_not_put_in_the_place_of_another_spelling() {
    let request = json!({"type": "object", "required": ["ids"], "properties": {
        "database": {"type": "string", "minLength": 1, "x-also-report": ["schema"]},
        "ids": {"type": "array", "x-label": "hash_values", "x-also-report": ["ids"]}}});
    let tried = operation(request, &[("database", "schema", "field"), ("ids", "hash_values", "field")]);
    for (sent, text) in [
        (json!({"ids": null}), "'hash_values' is required. 'ids' must be an array"),
        (json!({"ids": ""}), "'hash_values' is required. 'ids' must be an array"),
        (json!({"ids": 0, "hash_values": []}), "'ids' must be an array"),
        (json!({"ids": [], "database": null}), "'database' must be a string"),
        (json!({"ids": [], "database": ""}), "'database' is not allowed to be empty"),
        (json!({"ids": [], "database": true}), "'database' must be a string. 'schema' must be a string"),
        (
            json!({"ids": [], "database": "", "schema": 5}),
            "'database' is not allowed to be empty. 'schema' must be a string",
        ),
    ] {
        assert_eq!(tried.check_text(&sent).as_deref(), Some(text), "{sent}");
    }
}

#[test]
fn spellings_are_resolved_to_the_winning_one() {
    let request = json!({"type": "object", "properties": {"database": {}, "value": {}}});
    let tried = operation(request, &[("database", "schema", "field"), ("value", "search_value", "alias")]);
    let canonical = |sent: Value| Value::Object(tried.canonical_fields(sent.as_object().unwrap().clone()));
    assert_eq!(canonical(json!({"schema": 1, "x": 2})), json!({"database": 1, "x": 2}));
    assert_eq!(canonical(json!({"schema": 1, "database": 2})), json!({"database": 2}));
    assert_eq!(canonical(json!({"value": 1, "search_value": 2})), json!({"value": 2}));
    assert_eq!(tried.canonical_name("schema"), "database");
    assert_eq!(tried.canonical_name("table"), "table");
}

#[test]
fn rules_of_the_whole_request_are_reported() {
    let either =
        operation(json!({"type": "object", "anyOf": [{"required": ["a"]}, {"required": ["b"]}]}), &[]);
    assert_eq!(either.check_text(&json!({})).unwrap(), "'value' must contain at least one of [a, b]");
    let peers = operation(json!({"type": "object", "dependentRequired": {"a": ["b"]}}), &[]);
    assert_eq!(peers.check_text(&json!({"a": 1})).unwrap(), "'a' missing required peer 'b'");
    let depends =
        operation(json!({"type": "object", "if": {"required": ["a"]}, "then": {"required": ["c"]}}), &[]);
    assert_eq!(depends.check_text(&json!({"a": 1})).unwrap(), "'c' is required");
    assert_eq!(depends.check_text(&json!({})), None);
}

#[test]
fn the_way_of_reporting_is_the_operations_own() {
    let request = json!({"type": "object", "required": ["a", "b"], "properties": {"a": {}, "b": {}},
        "anyOf": [{"required": ["c"]}], "x-messages": {"anyOf": "c!"}});
    let checks = |more: Value| {
        let mut checks = json!({"order": "validation-first", "violation_status": 400});
        checks.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        operation_with(request.clone(), &[], checks).check_text(&json!({})).unwrap()
    };
    assert_eq!(checks(json!({"separator": ","})), "'a' is required,'b' is required,c!");
    assert_eq!(checks(json!({"report": "first"})), "'a' is required");
    assert_eq!(
        checks(json!({"order_of_rules": ["b", "anyOf", "a"]})),
        "'b' is required. c!. 'a' is required"
    );
}

#[test]
fn a_request_that_is_no_object_is_refused() {
    assert_eq!(
        operation(json!({"type": "object"}), &[]).check_text(&json!([])).unwrap(),
        "'value' must be of type object"
    );
}

#[test]
fn the_faults_of_an_arrays_items_are_limited() {
    let tried = operation(json!({"type": "object", "properties": {"x": {"items": {"type": "object"}}}}), &[]);
    assert_eq!(tried.check(&json!({"x": vec![1; 999]})).len(), 999);
    assert_eq!(tried.check(&json!({"x": vec![1; 5000]})).len(), 1000);
}

#[test]
fn the_rarer_keywords_are_known() {
    for (field, right, wrong, message) in [
        (json!({"multipleOf": 2}), json!(4), json!(3), "'x' must be a multiple of 2"),
        (json!({"exclusiveMinimum": 0}), json!(0.1), json!(0), "'x' must be greater than 0"),
        (json!({"exclusiveMaximum": 5}), json!(4), json!(5), "'x' must be less than 5"),
        (json!({"not": {"const": "a"}}), json!("b"), json!("a"), "'x' contains an invalid value"),
        (json!({"const": 1}), json!(1.0), json!(2), "'x' must be [1]"),
        (json!({"maxItems": 1}), json!([1]), json!([1, 2]), "'x' must contain less than or equal to 1 items"),
        (json!({"uniqueItems": true}), json!([1, "1"]), json!([1, 1.0]), "'x' contains a duplicate value"),
        (
            json!({"prefixItems": [{}, {"type": "string"}]}),
            json!([1, "a"]),
            json!([1, 2]),
            "'x[1]' must be a string",
        ),
        (json!({"minProperties": 1}), json!({"a": 1}), json!({}), "'x' must have at least 1 key"),
        (
            json!({"maxProperties": 1}),
            json!({"a": 1}),
            json!({"a": 1, "b": 1}),
            "'x' must have less than or equal to 1 key",
        ),
        (
            json!({"patternProperties": {"^n": {"type": "number"}}}),
            json!({"a": "b"}),
            json!({"n": "b"}),
            "'x.n' must be a number",
        ),
        (
            json!({"additionalProperties": {"type": "number"}}),
            json!({"a": 1}),
            json!({"a": "b"}),
            "'x.a' must be a number",
        ),
        (
            json!({"propertyNames": {"maxLength": 1}}),
            json!({"a": 1}),
            json!({"ab": 1}),
            "'x.ab' length must be less than or equal to 1 characters long",
        ),
        (
            json!({"oneOf": [{"minimum": 3}, {"maximum": 5}]}),
            json!(9),
            json!(4),
            "'x' does not match any of the allowed types",
        ),
        (
            json!({"allOf": [{"minimum": 3}, {"maximum": 5}]}),
            json!(4),
            json!(9),
            "'x' must be less than or equal to 5",
        ),
        (json!({"minLength": 3}), json!("abc"), json!("ab"), "'x' length must be at least 3 characters long"),
        (
            json!({"if": {"type": "string"}, "then": {"minLength": 1}, "else": {"minimum": 0}}),
            json!("a"),
            json!(-1),
            "'x' must be greater than or equal to 0",
        ),
    ] {
        assert_eq!(text(field.clone(), right), None, "{field}");
        assert_text(field, wrong, message);
    }
}

#[test]
fn the_value_of_a_losing_spelling_is_not_looked_at() {
    let request = json!({"type": "object", "properties": {
        "ids": {"type": "array", "x-label": "hash_values"}, "value": {"type": "string"}, "database": {"type": "string"}}});
    let aliases = [
        ("ids", "hash_values", "field"),
        ("value", "search_value", "alias"),
        ("database", "schema", "field"),
    ];
    let tried = operation(request, &aliases);
    let text = |request: Value| tried.check_text(&request);
    assert_eq!(text(json!({"ids": [], "hash_values": 1, "value": 1, "search_value": "a"})), None);
    assert_eq!(text(json!({"ids": 1, "hash_values": []})).as_deref(), Some("'hash_values' must be an array"));
    assert_eq!(
        text(json!({"value": "a", "search_value": 1})).as_deref(),
        Some("'search_value' must be a string")
    );
    // Two names that are reported apart are two fields.
    assert_eq!(text(json!({"database": "a", "schema": 1})).as_deref(), Some("'schema' must be a string"));
}
