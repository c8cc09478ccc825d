//! The refusals of the API, word by word.

use super::super::rights::readable_attributes;
use super::super::schema::{Schema, sample::SampleSchema};
use super::super::users::sample::{user_with, user_without_role};
use super::*;
use crate::value::parse_json;

pub(super) const OPERATIONS: [&str; 17] = [
    "describe_all",
    "describe_database",
    "describe_table",
    "create_database",
    "drop_database",
    "create_table",
    "drop_table",
    "drop_attribute",
    "create_attribute",
    "insert",
    "update",
    "upsert",
    "delete",
    "search_by_id",
    "search_by_conditions",
    "csv_data_load",
    "list_users",
];

fn rule(operation: &'static str) -> Rule<'static> {
    use Right::{Delete, Insert, Read, Update};
    use RoleNeeded::{Any, Describe, None, StructureUser, StructureUserDatabase, SuperUser, Table};
    let (function, role, rights, fields): (_, _, &[Right], &[&'static str]) = match operation {
        "login" => ("login", None, &[], &[]),
        "user_info" => ("userInfo", Any, &[], &[]),
        "describe_all" | "describe_database" | "describe_table" => ("describe", Describe, &[], &[]),
        "create_database" => ("createSchema", StructureUser, &[], &[]),
        "drop_database" => ("dropSchema", StructureUser, &[], &[]),
        "create_table" => ("createTable", StructureUserDatabase, &[], &[]),
        "drop_table" => ("dropTable", StructureUserDatabase, &[], &[]),
        "drop_attribute" => ("dropAttribute", StructureUserDatabase, &[], &[]),
        "create_attribute" => ("createAttribute", Table, &[Insert], &["attribute"]),
        "insert" => ("insert", Table, &[Insert], &["records"]),
        "update" => ("update", Table, &[Update], &["records"]),
        "upsert" => ("upsert", Table, &[Insert, Update], &["records"]),
        "delete" => ("delete", Table, &[Delete], &[]),
        "search_by_id" => ("searchByHash", Table, &[Read], &["get_attributes"]),
        "search_by_conditions" => {
            ("searchByConditions", Table, &[Read], &["conditions", "get_attributes", "sort"])
        }
        "csv_data_load" => ("csvDataLoad", Table, &[Insert, Update], &[]),
        "list_users" => ("listUsersExternal", SuperUser, &[], &[]),
        other => panic!("{other}"),
    };
    Rule {
        operation,
        function: function.into(),
        role,
        rights: rights.to_vec(),
        attribute_fields: fields.to_vec(),
        structure_users_too: operation == "create_attribute",
        action_decides: operation == "csv_data_load",
    }
}

pub(super) fn schema() -> SampleSchema {
    SampleSchema::new(&[
        ("shop", "books", &["isbn", "__createdtime__", "__updatedtime__", "title", "price", "stock"]),
        ("shop", "loans", &["id", "who"]),
        ("shop", "notes", &["id"]),
        ("other", "books", &["isbn"]),
        ("data", "open", &["id"]),
        ("system", "hdb_user", &["username"]),
        ("system", "hdb_job", &["id"]),
        ("system", "hdb_session", &["id"]),
    ])
}

const NOTHING: &str = r#"{"super_user":false}"#;
const SUPER: &str = r#"{"super_user":true}"#;
const STRUCTURE: &str = r#"{"structure_user":true}"#;
const LISTED: &str = r#"{"structure_user":["shop"]}"#;
const TABLES: &str = r#"{"shop":{"tables":{"books":{"read":true,"insert":true,"update":true,"delete":true,"attribute_permissions":[]},
    "loans":{"read":true,"insert":false,"update":false,"delete":false,"attribute_permissions":[]},
    "notes":{"read":false,"insert":false,"update":false,"delete":false,"attribute_permissions":[]}}}}"#;
const ATTRIBUTES: &str = r#"{"shop":{"tables":{"books":{"read":true,"insert":true,"update":true,"delete":false,"attribute_permissions":[
    {"attribute_name":"title","read":true,"insert":true,"update":false},{"attribute_name":"price","read":true,"insert":false,"update":false},
    {"attribute_name":"__updatedtime__","read":true,"insert":true,"update":true}]}}}}"#;

/// The outcome: `run`, or what is refused, the common text left out.
pub(super) fn outcome(permission: &str, operation: &'static str, body: &str) -> String {
    judge(Some(&user_with(permission)), operation, body)
}

fn judge(user: Option<&User>, operation: &'static str, body: &str) -> String {
    let body = parse_json(body.as_bytes()).unwrap();
    match check(&rule(operation), user, body.as_object().unwrap(), &schema()) {
        Ok(()) => "run".to_owned(),
        Err(error) => {
            let answer = error.to_value();
            match (answer.get("unauthorized_access"), answer.get("invalid_schema_items")) {
                (Some(refused), Some(missing)) => format!("{} {}", refused.to_json(), missing.to_json()),
                _ => error.message,
            }
        }
    }
}

fn lacking(database: &str, table: &str, rights: &str, attributes: &str) -> String {
    format!(
        r#"[{{"schema":"{database}","table":"{table}","required_table_permissions":[{rights}],"required_attribute_permissions":[{attributes}]}}]"#
    )
}

#[test]
fn nobody_and_users_without_a_role() {
    assert_eq!(judge(None, "user_info", "{}"), "Must login");
    assert_eq!(judge(None, "login", "{}"), "run");
    let roleless = user_without_role();
    assert_eq!(
        judge(Some(&roleless), "user_info", "{}"),
        r#"["User kim has no role or permissions.  Please assign the user a valid role."] []"#
    );
    assert_eq!(judge(Some(&roleless), "login", "{}"), "run");
    assert_eq!(outcome(NOTHING, "user_info", "{}"), "run");
}

#[test]
fn super_user_operations_show_the_internal_name() {
    for permission in [NOTHING, TABLES, ATTRIBUTES, STRUCTURE, LISTED] {
        assert_eq!(
            outcome(permission, "list_users", "{}"),
            r#"["Operation 'listUsersExternal' is restricted to 'super_user' roles"] []"#
        );
    }
    assert_eq!(outcome(SUPER, "list_users", "{}"), "run");
}

#[test]
fn structure_users() {
    let refused = r#"["Operation 'createSchema' is restricted to 'super_user' roles"] []"#;
    assert_eq!(outcome(STRUCTURE, "create_database", r#"{"database":"new"}"#), "run");
    assert_eq!(outcome(LISTED, "create_database", r#"{"database":"shop"}"#), refused);
    assert_eq!(outcome(TABLES, "create_database", r#"{"database":"new"}"#), refused);
    assert_eq!(outcome(LISTED, "create_table", r#"{"database":"shop","table":"x"}"#), "run");
    assert_eq!(
        outcome(LISTED, "create_table", r#"{"database":"other","table":"x"}"#),
        r#"["User does not have access to perform 'create_table' against schema 'other'"] []"#
    );
    assert_eq!(
        outcome(LISTED, "create_table", r#"{"table":"x"}"#),
        r#"["User does not have access to perform 'create_table' against schema 'data'"] []"#
    );
    assert_eq!(
        outcome(LISTED, "create_attribute", r#"{"database":"other","table":"books","attribute":"a"}"#),
        r#"["User does not have access to perform 'create_attribute' against schema 'other'"] []"#
    );
    assert_eq!(
        outcome(TABLES, "drop_table", r#"{"database":"shop","table":"books"}"#),
        r#"["Operation 'dropTable' is restricted to 'super_user' roles"] []"#
    );
    // Data of their databases, tables made later included.
    assert_eq!(
        outcome(LISTED, "insert", r#"{"database":"shop","table":"notes","records":[{"a":1}]}"#),
        "run"
    );
    assert_eq!(
        outcome(LISTED, "insert", r#"{"database":"other","table":"books","records":[]}"#),
        r#"[] ["database 'other' does not exist"]"#
    );
}

#[test]
fn tables() {
    let search = |database: &str, table: &str| {
        format!(r#"{{"database":"{database}","table":"{table}","ids":[1],"get_attributes":["*"]}}"#)
    };
    assert_eq!(outcome(TABLES, "search_by_id", &search("shop", "loans")), "run");
    assert_eq!(
        outcome(TABLES, "search_by_id", &search("shop", "notes")),
        r#"[] ["Table 'shop.notes' does not exist"]"#
    );
    assert_eq!(
        outcome(TABLES, "search_by_id", &search("shop", "ghost")),
        r#"[] ["Table 'shop.ghost' does not exist"]"#
    );
    assert_eq!(
        outcome(TABLES, "search_by_id", &search("void", "books")),
        r#"[] ["database 'void' does not exist"]"#
    );
    assert_eq!(
        outcome(NOTHING, "search_by_id", &search("shop", "books")),
        r#"[] ["database 'shop' does not exist"]"#
    );
    assert_eq!(
        outcome(TABLES, "upsert", r#"{"database":"shop","table":"loans","records":[{"id":1}]}"#),
        format!("{} []", lacking("shop", "loans", r#""insert","update""#, ""))
    );
    assert_eq!(
        outcome(TABLES, "create_attribute", r#"{"database":"shop","table":"loans","attribute":"x"}"#),
        format!("{} []", lacking("shop", "loans", r#""insert""#, ""))
    );
    assert_eq!(
        outcome(TABLES, "create_attribute", r#"{"database":"shop","table":"books","attribute":"x"}"#),
        "run"
    );
}

#[test]
fn the_database_left_out_is_data() {
    for body in [
        r#"{"table":"open"}"#,
        r#"{"database":null,"table":"open"}"#,
        r#"{"database":"data","table":"open"}"#,
    ] {
        for operation in ["insert", "update", "upsert", "delete", "search_by_id", "search_by_conditions"] {
            assert_eq!(
                outcome(TABLES, operation, body),
                r#"[] ["database 'data' does not exist"]"#,
                "{operation} {body}"
            );
        }
    }
}

#[test]
fn without_a_table_validation_speaks() {
    for body in [
        "{}",
        r#"{"database":"shop"}"#,
        r#"{"database":"shop","table":""}"#,
        r#"{"database":7,"table":null}"#,
    ] {
        assert_eq!(outcome(NOTHING, "insert", body), "run", "{body}");
    }
    assert_eq!(
        outcome(NOTHING, "insert", r#"{"database":"shop","table":5}"#),
        r#"[] ["database 'shop' does not exist"]"#
    );
}

#[test]
fn attributes() {
    let lacks = |operation, records: &str| {
        outcome(
            ATTRIBUTES,
            operation,
            &format!(r#"{{"database":"shop","table":"books","records":{records}}}"#),
        )
    };
    let entry = |name: &str, rights: &str| {
        format!(r#"{{"attribute_name":"{name}","required_permissions":[{rights}]}}"#)
    };
    assert_eq!(lacks("insert", r#"[{"isbn":1,"title":"x"}]"#), "run");
    assert_eq!(
        lacks("insert", r#"[{"isbn":1,"price":1,"stock":2},{"price":3,"fresh":1}]"#),
        format!(
            r#"{} ["Attribute 'stock' does not exist on 'shop.books'","Attribute 'fresh' does not exist on 'shop.books'"]"#,
            lacking("shop", "books", "", &entry("price", r#""insert""#))
        )
    );
    assert_eq!(
        lacks("upsert", r#"[{"isbn":1,"price":5}]"#),
        format!(
            "{} []",
            lacking(
                "shop",
                "books",
                "",
                &format!("{},{}", entry("isbn", r#""update""#), entry("price", r#""insert","update""#))
            )
        )
    );
    assert_eq!(
        lacks("insert", r#"[{"isbn":1,"__updatedtime__":5}]"#),
        "Internal timestamp attributes - '__createdtime_' and '__updatedtime__' - cannot be inserted to or updated by HDB users."
    );
    assert_eq!(
        lacks("insert", r#"[{"isbn":1,"__createdtime__":5}]"#),
        r#"[] ["Attribute '__createdtime__' does not exist on 'shop.books'"]"#
    );
    assert_eq!(lacks("delete", "[]"), format!("{} []", lacking("shop", "books", r#""delete""#, "")));
}

#[test]
fn attributes_of_searches() {
    let search = |rest: &str| {
        outcome(
            ATTRIBUTES,
            "search_by_conditions",
            &format!(r#"{{"database":"shop","table":"books",{rest}}}"#),
        )
    };
    assert_eq!(search(r#""conditions":[{"attribute":"isbn"}],"get_attributes":["*"]"#), "run");
    assert_eq!(
        search(r#""conditions":[{"search_attribute":"stock"}],"get_attributes":["isbn","ghost"]"#),
        r#"[] ["Attribute 'stock' does not exist on 'shop.books'","Attribute 'ghost' does not exist on 'shop.books'"]"#
    );
    assert_eq!(
        search(
            r#""conditions":[{"operator":"or","conditions":[{"attribute":"stock"},{"attribute":"title"}]}]"#
        ),
        r#"[] ["Attribute 'stock' does not exist on 'shop.books'"]"#
    );
    assert_eq!(
        search(
            r#""conditions":[{"attribute":"title"}],"sort":{"attribute":"title","next":{"attribute":"stock"}}"#
        ),
        r#"[] ["Attribute 'stock' does not exist on 'shop.books'"]"#
    );
}

#[test]
fn loading_data_needs_what_its_action_does() {
    let load = |action: &str| {
        outcome(TABLES, "csv_data_load", &format!(r#"{{"database":"shop","table":"loans"{action}}}"#))
    };
    let both = format!("{} []", lacking("shop", "loans", r#""insert","update""#, ""));
    assert_eq!(load(""), both);
    assert_eq!(load(r#","action":"upsert""#), both);
    assert_eq!(load(r#","action":"delete""#), both);
    assert_eq!(load(r#","action":"insert""#), format!("{} []", lacking("shop", "loans", r#""insert""#, "")));
    assert_eq!(load(r#","action":"update""#), format!("{} []", lacking("shop", "loans", r#""update""#, "")));
}

#[test]
fn describing() {
    assert_eq!(outcome(NOTHING, "describe_all", "{}"), "run");
    assert_eq!(
        outcome(NOTHING, "describe_database", r#"{"database":"shop"}"#),
        r#"[] ["database 'shop' does not exist"]"#
    );
    assert_eq!(
        outcome(NOTHING, "describe_table", r#"{"database":"shop","table":"books"}"#),
        r#"[] ["Table 'shop.books' does not exist"]"#
    );
    assert_eq!(outcome(TABLES, "describe_database", r#"{"database":"shop"}"#), "run");
    assert_eq!(outcome(TABLES, "describe_table", r#"{"database":"shop","table":"loans"}"#), "run");
    assert_eq!(
        outcome(TABLES, "describe_table", r#"{"table":"open"}"#),
        r#"[] ["Table 'data.open' does not exist"]"#
    );
    assert_eq!(
        outcome(STRUCTURE, "describe_table", r#"{"database":"system","table":"hdb_user"}"#),
        r#"["Your role does not have permission to view database metadata for 'system'"] []"#
    );
}

#[test]
fn the_system_database() {
    let protected = "The 'system' database, tables and records are used internally by HarperDB and cannot be updated or removed.";
    let on = |table: &str| {
        format!(r#"{{"database":"system","table":"{table}","records":[{{"id":1}}],"attribute":"a"}}"#)
    };
    for permission in [SUPER, STRUCTURE, LISTED, TABLES, NOTHING] {
        for operation in ["update", "upsert", "delete", "drop_table", "drop_attribute", "drop_database"] {
            assert_eq!(outcome(permission, operation, &on("hdb_job")), protected, "{operation}");
        }
        for operation in ["insert", "create_attribute"] {
            let refused = format!("{} []", lacking("system", "hdb_job", r#""insert""#, ""));
            assert_eq!(outcome(permission, operation, &on("hdb_job")), refused, "{operation}");
        }
        assert_ne!(outcome(permission, "create_table", &on("new")), "run");
    }
    let reading = |permission| outcome(permission, "search_by_id", &on("hdb_user"));
    assert_eq!(reading(SUPER), "run");
    for permission in [STRUCTURE, r#"{"system":{"tables":{"hdb_user":{"read":true}}}}"#, NOTHING] {
        assert_eq!(reading(permission), format!("{} []", lacking("system", "hdb_user", r#""read""#, "")));
    }
    assert_eq!(
        outcome(SUPER, "search_by_id", &on("hdb_session")),
        r#"[] ["Table 'system.hdb_session' does not exist"]"#
    );
    assert_eq!(outcome(SUPER, "upsert", &on("hdb_user")), "run");
    assert_eq!(outcome(SUPER, "insert", &on("hdb_role")), "run");
    assert_eq!(
        outcome(SUPER, "csv_data_load", &on("hdb_user")),
        format!("{} []", lacking("system", "hdb_user", r#""insert","update""#, ""))
    );
    assert_eq!(outcome(SUPER, "describe_database", r#"{"database":"system"}"#), "run");
    assert_eq!(
        outcome(NOTHING, "create_table", &on("new")),
        r#"["Operation 'createTable' is restricted to 'super_user' roles"] []"#
    );
}

#[test]
fn statements_report_tables_before_attributes() {
    let user = user_with(ATTRIBUTES);
    let read = [Right::Read];
    let attributes = [Cow::Borrowed("stock"), Cow::Borrowed("title")];
    let on = |database, table| TableUse {
        database,
        table,
        rights: &read,
        attributes: &attributes,
        attribute_rights: &read,
    };
    let judge = |uses: &[TableUse<'_>]| {
        check_tables(&user, &schema(), uses)
            .map_err(|error| error.to_value().get("invalid_schema_items").unwrap().to_json())
    };
    assert_eq!(
        judge(&[on("shop", "books")]),
        Err(r#"["Attribute 'stock' does not exist on 'shop.books'"]"#.to_owned())
    );
    assert_eq!(
        judge(&[on("shop", "books"), on("shop", "loans")]),
        Err(r#"["Table 'shop.loans' does not exist"]"#.to_owned())
    );
    assert_eq!(judge(&[]), Ok(()));
}

#[test]
fn an_attribute_named_like_the_star_opens_nothing() {
    let listed = r#"{"shop":{"tables":{"books":{"read":true,"attribute_permissions":[{"attribute_name":"*","read":true}]}}}}"#;
    let schema = SampleSchema::new(&[("shop", "books", &["isbn", "*", "stock"])]);
    let user = user_with(listed);
    let shape = schema.table("shop", "books").unwrap();
    let readable = readable_attributes(user.permission().unwrap(), shape.as_ref(), "shop", "books");
    assert_eq!(readable, Some(vec![]));
    let body = parse_json(br#"{"database":"shop","table":"books","get_attributes":["isbn","*"]}"#).unwrap();
    assert!(check(&rule("search_by_id"), Some(&user), body.as_object().unwrap(), &schema).is_err());
}

#[test]
fn what_a_star_stands_for() {
    let schema = schema();
    let readable = |permission: &str, table: &str| {
        let user = user_with(permission);
        let shape = schema.table("shop", table).unwrap();
        readable_attributes(user.permission().unwrap(), shape.as_ref(), "shop", table)
    };
    assert_eq!(readable(SUPER, "books"), None);
    assert_eq!(readable(TABLES, "books"), None);
    assert_eq!(readable(LISTED, "notes"), None);
    assert_eq!(readable(NOTHING, "books"), Some(vec![]));
    assert_eq!(
        readable(ATTRIBUTES, "books"),
        Some(["title", "price", "__updatedtime__", "isbn"].map(str::to_owned).to_vec())
    );
}
