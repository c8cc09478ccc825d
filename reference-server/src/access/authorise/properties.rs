//! Taking rights away never grants any, and what a star stands for is what may be named.

use super::super::rights::{readable_attributes, visible_attributes};
use super::super::schema::Schema;
use super::super::users::sample::user_with;
use super::tests::{OPERATIONS, outcome, schema};
use super::*;
use proptest::prelude::*;

/// A permission as data, so that a weaker one can be made of it.
#[derive(Clone, Debug)]
struct Rights {
    super_user: bool,
    structure: Option<Option<Vec<bool>>>,
    /// Per table of [`PLACES`]: whether it is listed, its four flags, and per attribute whether listed and its flags.
    tables: Vec<TableRights>,
}

type TableRights = (bool, [bool; 4], Vec<AttributeRights>);
type AttributeRights = (bool, [bool; 3]);

const DATABASES: [&str; 2] = ["shop", "other"];
const PLACES: [(&str, &str, &[&str]); 3] = [
    ("shop", "books", &["isbn", "title", "price", "__updatedtime__"]),
    ("shop", "loans", &["id", "who"]),
    ("other", "books", &["isbn"]),
];

impl Rights {
    fn text(&self) -> String {
        let mut databases: Vec<(&str, Vec<String>)> = DATABASES.map(|name| (name, Vec::new())).to_vec();
        for ((listed, flags, attributes), (database, table, names)) in self.tables.iter().zip(PLACES) {
            if !listed {
                continue;
            }
            let entries: Vec<String> = attributes
                .iter()
                .zip(names)
                .filter(|((listed, _), _)| *listed)
                .map(|((_, [read, insert, update]), name)| {
                    format!(
                        r#"{{"attribute_name":"{name}","read":{read},"insert":{insert},"update":{update}}}"#
                    )
                })
                .collect();
            let [read, insert, update, delete] = flags;
            let entry = format!(
                r#""{table}":{{"read":{read},"insert":{insert},"update":{update},"delete":{delete},"attribute_permissions":[{}]}}"#,
                entries.join(",")
            );
            databases
                .iter_mut()
                .filter(|(name, _)| *name == database)
                .for_each(|(_, all)| all.push(entry.clone()));
        }
        let structure = match &self.structure {
            None => "false".to_owned(),
            Some(None) => "true".to_owned(),
            Some(Some(listed)) => {
                let names = DATABASES.iter().zip(listed).filter(|(_, listed)| **listed);
                format!("[{}]", names.map(|(name, _)| format!("\"{name}\"")).collect::<Vec<_>>().join(","))
            }
        };
        let databases: Vec<String> = databases
            .into_iter()
            .map(|(name, tables)| format!(r#""{name}":{{"tables":{{{}}}}}"#, tables.join(",")))
            .collect();
        format!(
            r#"{{"super_user":{},"structure_user":{structure},{}}}"#,
            self.super_user,
            databases.join(",")
        )
    }

    /// The same with rights taken away wherever `keep` says no. Attributes stay listed: an empty list would lift the
    /// restriction.
    fn without(&self, keep: &[bool]) -> Rights {
        let mut keep = keep.iter().copied().cycle();
        let mut kept = |granted: bool| granted & keep.next().unwrap_or(true);
        let mut weaker = self.clone();
        weaker.super_user = kept(self.super_user);
        weaker.structure = match &self.structure {
            Some(None) if kept(true) => Some(None),
            Some(None) => kept(true).then(|| Some(vec![kept(true), kept(true)])),
            Some(Some(listed)) => kept(true).then(|| Some(listed.iter().map(|one| kept(*one)).collect())),
            None => None,
        };
        for (listed, flags, attributes) in &mut weaker.tables {
            *listed = kept(*listed);
            flags.iter_mut().for_each(|flag| *flag = kept(*flag));
            for (_, flags) in attributes {
                flags.iter_mut().for_each(|flag| *flag = kept(*flag));
            }
        }
        weaker
    }
}

fn any_rights() -> impl Strategy<Value = Rights> {
    let attribute = (any::<bool>(), any::<[bool; 3]>());
    let table = (any::<bool>(), any::<[bool; 4]>(), prop::collection::vec(attribute, 4));
    let structure = prop_oneof![
        3 => Just(None),
        1 => Just(Some(None)),
        1 => prop::collection::vec(any::<bool>(), 2).prop_map(|listed| Some(Some(listed))),
    ];
    (prop::bool::weighted(0.1), structure, prop::collection::vec(table, 3))
        .prop_map(|(super_user, structure, tables)| Rights { super_user, structure, tables })
}

fn any_body() -> impl Strategy<Value = String> {
    let attribute =
        prop::sample::select(vec!["isbn", "id", "title", "price", "who", "__updatedtime__", "new"]);
    let database = prop::sample::select(vec!["shop", "other", "void", "system", "data"]);
    let table = prop::sample::select(vec!["books", "loans", "notes", "hdb_user", "hdb_job", "open"]);
    (database, table, attribute.clone(), attribute).prop_map(|(database, table, one, two)| {
        format!(
            r#"{{"database":"{database}","table":"{table}","records":[{{"{one}":1}},{{"{two}":2}}],"attribute":"{one}",
            "conditions":[{{"conditions":[{{"attribute":"{one}"}}]}}],"get_attributes":["{two}"]}}"#
        )
    })
}

proptest! {
    #[test]
    fn rights_taken_away_never_grant_more(
        rights in any_rights(),
        keep in prop::collection::vec(any::<bool>(), 1..60),
        operation in prop::sample::select(OPERATIONS.to_vec()),
        body in any_body(),
    ) {
        let (strong, weak) = (rights.text(), rights.without(&keep).text());
        if outcome(&weak, operation, &body) == "run" {
            prop_assert_eq!(outcome(&strong, operation, &body), "run", "{} allowed, {} not", weak, strong);
        }
        let schema = schema();
        let (strong, weak) = (user_with(&strong), user_with(&weak));
        for (database, table, _) in PLACES {
            let shape = schema.table(database, table).unwrap();
            for which in [readable_attributes, visible_attributes] {
                let seen = |user: &User| which(user.permission().unwrap(), shape.as_ref(), database, table);
                match (seen(&strong), seen(&weak)) {
                    (None, _) => {}
                    (Some(_), None) => prop_assert!(false, "everything seen in {database}.{table}"),
                    (Some(strong), Some(weak)) => {
                        prop_assert!(weak.iter().all(|name| strong.contains(name)), "{:?} {:?}", weak, strong);
                    }
                }
            }
        }
    }

    /// What may not be read is not let through by any search, and what a star stands for may be asked for by name.
    #[test]
    fn a_star_stands_for_what_may_be_named(rights in any_rights()) {
        let text = rights.text();
        let user = user_with(&text);
        let schema = schema();
        for (database, table, _) in PLACES {
            let shape = schema.table(database, table).unwrap();
            let readable = readable_attributes(user.permission().unwrap(), shape.as_ref(), database, table);
            for name in ["isbn", "id", "title", "price", "who", "__updatedtime__"] {
                let body = format!(r#"{{"database":"{database}","table":"{table}","get_attributes":["{name}"]}}"#);
                let allowed = outcome(&text, "search_by_id", &body) == "run";
                let in_star = readable.as_ref().is_none_or(|names| names.iter().any(|one| one == name));
                prop_assert_eq!(allowed, in_star, "{} of {}.{} by {}", name, database, table, text);
            }
        }
    }
}
