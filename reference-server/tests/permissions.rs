//! What a role may not read never appears in any answer of a running instance, whatever is asked and in whatever form.

#![allow(clippy::unwrap_used, reason = "a test")]

use proptest::prelude::*;
use reference_server::access::Caller;
use reference_server::config::Config;
use reference_server::error::ErrorKind;
use reference_server::operations::{Outcome, Reply, ReplyForm, RowContent};
use reference_server::server::Server;
use reference_server::value::{Value, parse_json};
use std::sync::Arc;
use tokio::runtime::Runtime;

const ATTRIBUTES: [&str; 4] = ["isbn", "alpha", "beta", "gamma"];

struct Instance {
    runtime: Runtime,
    server: Arc<Server>,
    _folder: tempfile::TempDir,
}

impl Instance {
    fn start() -> Instance {
        let folder = tempfile::tempdir().unwrap();
        let runtime = Runtime::new().unwrap();
        let mut config = Config::ephemeral(folder.path());
        config.no_sync = true;
        let server = runtime.block_on(Server::open(config)).unwrap();
        let instance = Instance { runtime, server, _folder: folder };
        for request in [
            r#"{"operation":"create_table","database":"vault","table":"books","primary_key":"isbn"}"#,
            r#"{"operation":"create_table","database":"vault","table":"other","primary_key":"id"}"#,
            r#"{"operation":"insert","database":"vault","table":"books","records":[
                {"isbn":"isbn-value-1","alpha":"alpha-value-1","beta":"beta-value-1","gamma":"gamma-value-1"},
                {"isbn":"isbn-value-2","alpha":"alpha-value-2","beta":"beta-value-2"}]}"#,
            r#"{"operation":"insert","database":"vault","table":"other","records":[{"id":"other-value"}]}"#,
            r#"{"operation":"add_role","role":"reader","permission":{}}"#,
            r#"{"operation":"add_user","username":"kim","password":"pw","role":"reader","active":true}"#,
        ] {
            instance.ask(&instance.admin(), request, ReplyForm::Tree).unwrap();
        }
        instance
    }

    fn admin(&self) -> Caller {
        Caller::of(self.server.access.any_super_user())
    }

    fn kim(&self) -> Caller {
        Caller::of(self.server.access.user("kim"))
    }

    fn ask(&self, caller: &Caller, request: &str, form: ReplyForm) -> Outcome {
        let body = parse_json(request.as_bytes()).unwrap();
        self.runtime.block_on(self.server.answer(caller.clone(), body, form))
    }

    /// The answer as text, refusals included.
    fn text(&self, caller: &Caller, request: &str, form: ReplyForm) -> String {
        match self.ask(caller, request, form) {
            Err(error) => error.to_value().to_json(),
            Ok(Reply::Message(text)) => text,
            Ok(Reply::Value(value)) => value.to_json(),
            Ok(Reply::Rows(rows)) => match rows.content {
                RowContent::Text(text) => String::from_utf8(text).unwrap(),
                RowContent::Tree(rows) => Value::Array(rows).to_json(),
            },
            Ok(other) => panic!("{request}: {other:?}"),
        }
    }
}

/// Requests that name no attribute: whatever they show, it must be readable.
const OPEN: [&str; 10] = [
    r#"{"operation":"search_by_id","database":"vault","table":"books","ids":["isbn-value-1"],"get_attributes":["*"]}"#,
    r#"{"operation":"search_by_hash","schema":"vault","table":"books","hash_values":["isbn-value-1"],"get_attributes":["*"]}"#,
    r#"{"operation":"search_by_id","database":"vault","table":"books","ids":["isbn-value-1"],"get_attributes":["*","alpha"]}"#,
    r#"{"operation":"search_by_value","database":"vault","table":"books","attribute":"isbn","value":"*"}"#,
    r#"{"operation":"search_by_value","database":"vault","table":"books","attribute":"isbn","value":"*","get_attributes":["*"]}"#,
    r#"{"operation":"search_by_conditions","database":"vault","table":"books","conditions":[{"attribute":"isbn","comparator":"not_equal","value":"x"}]}"#,
    r#"{"operation":"search_by_conditions","database":"vault","table":"books","conditions":[{"attribute":"isbn","comparator":"not_equal","value":"x"}],"get_attributes":["*"]}"#,
    r#"{"operation":"search_by_id","database":"vault","schema":"data","table":"other","ids":["other-value"],"get_attributes":["*"]}"#,
    r#"{"operation":"search_by_id","schema":"vault","database":"data","table":"books","ids":["isbn-value-1"],"get_attributes":["*"]}"#,
    r#"{"operation":"search_by_id","database":"system","table":"hdb_user","ids":["admin"],"get_attributes":["*"]}"#,
];

/// Requests that use one attribute, in every place there is for one.
fn naming(attribute: &str) -> Vec<String> {
    let on = |rest: String| format!(r#"{{"database":"vault","table":"books",{rest}}}"#);
    let conditions = |conditions: &str, rest: &str| {
        on(format!(r#""operation":"search_by_conditions","conditions":{conditions}{rest}"#))
    };
    let one = format!(r#"{{"attribute":"{attribute}","comparator":"not_equal","value":"x"}}"#);
    let key = r#"{"attribute":"isbn","comparator":"not_equal","value":"x"}"#;
    vec![
        on(format!(r#""operation":"search_by_id","ids":["isbn-value-1"],"get_attributes":["{attribute}"]"#)),
        on(format!(r#""operation":"search_by_value","attribute":"{attribute}","value":"*"#)
            + r#"","get_attributes":["isbn"]"#),
        on(format!(
            r#""operation":"search_by_value","search_attribute":"{attribute}","search_value":"*value*","attribute":"isbn""#
        )),
        on(format!(r#""operation":"search_by_value","attribute":["{attribute}"],"value":"*value*""#)),
        on(format!(r#""operation":"search_by_value","attribute":[5,"{attribute}"],"value":"*value*""#)),
        on(format!(
            r#""operation":"search_by_value","attribute":"isbn","value":"*","get_attributes":[{{"name":"{attribute}","select":["x"]}}]"#
        )),
        on(format!(
            r#""operation":"search_by_value","attribute":"isbn","value":"*","sort":{{"attribute":"{attribute}"}},"get_attributes":["isbn"]"#
        )),
        conditions(&format!("[{one}]"), ""),
        conditions(
            &format!(
                r#"[{{"search_attribute":"{attribute}","search_type":"contains","search_value":"value"}}]"#
            ),
            "",
        ),
        conditions(
            &format!(r#"[{{"operator":"or","conditions":[{key},{{"conditions":[{one}]}}]}}]"#),
            r#","get_attributes":["isbn"]"#,
        ),
        conditions(
            &format!("[{key}]"),
            &format!(r#","sort":{{"attribute":"isbn","next":{{"attribute":"{attribute}"}}}}"#),
        ),
        conditions(&format!("[{key}]"), &format!(r#","get_attributes":["isbn","{attribute}"]"#)),
    ]
}

/// Which attributes are listed, and with read, insert and update.
type Listed = [(bool, [bool; 3]); 4];

fn permission(table: [bool; 4], listed: &Listed) -> String {
    let [read, insert, update, delete] = table;
    let entries: Vec<String> = ATTRIBUTES
        .iter()
        .zip(listed)
        .filter(|(_, (listed, _))| *listed)
        .map(|(name, (_, [r, i, u]))| {
            // The API refuses attribute rights that the table lacks.
            let (r, i, u) = (*r && read, *i && insert, *u && update);
            format!(r#"{{"attribute_name":"{name}","read":{r},"insert":{i},"update":{u}}}"#)
        })
        .collect();
    format!(
        r#"{{"vault":{{"tables":{{"books":{{"read":{read},"insert":{insert},"update":{update},"delete":{delete},"attribute_permissions":[{}]}}}}}}}}"#,
        entries.join(",")
    )
}

/// Whether the role may read an attribute, worked out anew.
fn may_read(table: [bool; 4], listed: &Listed, attribute: &str) -> bool {
    let read = |at: usize| listed[at].0 && listed[at].1[0];
    let at = ATTRIBUTES.iter().position(|name| *name == attribute).unwrap();
    let restricted = listed.iter().any(|(listed, _)| *listed);
    let implied_key = at == 0 && !listed[0].0 && (1..4).any(read);
    table[0] && (!restricted || read(at) || implied_key)
}

#[test]
fn what_may_not_be_read_never_appears() {
    let instance = Instance::start();
    let given = (any::<[bool; 4]>(), prop::array::uniform4((any::<bool>(), any::<[bool; 3]>())));
    let config = ProptestConfig { cases: 48, ..ProptestConfig::default() };
    proptest!(config, |((table, listed) in given)| {
        let permission = permission(table, &listed);
        let alter = format!(r#"{{"operation":"alter_role","id":"reader","permission":{permission}}}"#);
        instance.ask(&instance.admin(), &alter, ReplyForm::Tree).unwrap();
        let kim = instance.kim();
        let hidden: Vec<&str> = ATTRIBUTES.into_iter().filter(|name| !may_read(table, &listed, name)).collect();
        for form in [ReplyForm::Text, ReplyForm::Tree] {
            let all = OPEN.iter().map(|request| (*request).to_owned());
            for request in all.chain(ATTRIBUTES.iter().flat_map(|attribute| naming(attribute))) {
                let answer = instance.text(&kim, &request, form);
                for name in hidden.iter().chain(&["other"]) {
                    prop_assert!(!answer.contains(&format!("{name}-value")), "{permission}\n{request}\n{answer}");
                }
                prop_assert!(!answer.contains("argon2"), "{request}\n{answer}");
            }
        }
        for name in &hidden {
            for request in naming(name) {
                let refused = instance.ask(&kim, &request, ReplyForm::Tree).err().map(|error| error.kind);
                prop_assert_eq!(refused, Some(ErrorKind::Forbidden), "{}\n{}", permission, request);
            }
        }
        for request in [
            r#"{"operation":"describe_all"}"#,
            r#"{"operation":"describe_database","database":"vault"}"#,
            r#"{"operation":"describe_table","database":"vault","table":"books"}"#,
        ] {
            let answer = instance.text(&kim, request, ReplyForm::Tree);
            let restricted = listed.iter().any(|(listed, _)| *listed);
            for (name, (named, [r, i, u])) in ATTRIBUTES.iter().zip(&listed).skip(1) {
                let any = (*r && table[0]) || (*i && table[1]) || (*u && table[2]);
                let known = table.contains(&true) && (!restricted || (*named && any));
                prop_assert_eq!(answer.contains(name), known, "{} in {}\n{}", name, answer, permission);
            }
            prop_assert!(!answer.contains("other"), "{answer}");
        }
    });
}

#[test]
fn plain_writes_of_users_and_roles_act_at_once_and_break_nothing() {
    let instance = Instance::start();
    let admin = instance.admin();
    let ask = |request: &str| instance.text(&admin, request, ReplyForm::Tree);
    ask(r#"{"operation":"insert","database":"system","table":"hdb_role","records":[
        {"id":"odd","role":"odd","permission":"super_user"},{"id":7},{"id":"nothing"}]}"#);
    ask(r#"{"operation":"insert","database":"system","table":"hdb_user","records":[
        {"username":"odd","password":"plain text","role":"odd","active":true},{"username":12},{"username":"bare"}]}"#);
    let odd = Caller::of(instance.server.access.user("odd"));
    assert!(odd.user.is_some());
    assert!(
        instance
            .text(&odd, r#"{"operation":"user_info"}"#, ReplyForm::Tree)
            .contains("has no role or permissions")
    );
    assert!(instance.runtime.block_on(instance.server.access.verify_password("odd", "plain text")).is_err());
    assert!(ask(r#"{"operation":"list_users"}"#).contains("\"username\":\"kim\""));
    ask(
        r#"{"operation":"update","database":"system","table":"hdb_user","records":[{"username":"kim","active":false}]}"#,
    );
    assert!(!instance.server.access.user("kim").unwrap().active);
    ask(r#"{"operation":"delete","database":"system","table":"hdb_user","ids":["kim"]}"#);
    assert!(instance.server.access.user("kim").is_none());
}
