//! Bulk operations from their request to the record of their job.

use crate::operations::testing::Instance;
use crate::value::{Value, object, parse_json};

struct Site {
    instance: Instance,
    folder: tempfile::TempDir,
}

impl Site {
    async fn new() -> Site {
        let site = Site { instance: Instance::new().await, folder: tempfile::tempdir().unwrap() };
        site.admin(r#"{"operation":"create_table","database":"d","table":"t","primary_key":"id"}"#).await;
        site
    }

    async fn admin(&self, request: &str) -> String {
        self.instance.admin(request).await
    }

    fn file(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// How the job ends that a request begins: its status and message.
    async fn job_as(&self, user: &str, request: Value) -> (String, Value) {
        let answer = self.instance.as_user(user, &request.to_json()).await;
        let answer = parse_json(answer.as_bytes()).unwrap();
        let Some(id) = answer.get("job_id").and_then(Value::as_str) else {
            return ("refused".to_owned(), answer);
        };
        loop {
            let job = crate::jobs::find(&self.instance.server.store, &Value::from(id)).unwrap().unwrap();
            if let (Some(status), Some(message)) = (job.get("status"), job.get("message")) {
                return (status.as_str().unwrap().to_owned(), message.clone());
            }
            tokio::task::yield_now().await;
        }
    }

    async fn job(&self, request: Value) -> String {
        let (status, message) = self.job_as("admin", request).await;
        format!("{status} {}", message.as_str().map_or_else(|| message.to_json(), str::to_owned))
    }

    async fn load(&self, action: &str, text: &str) -> String {
        self.job(object([
            ("operation", Value::from("csv_data_load")),
            ("database", Value::from("d")),
            ("table", Value::from("t")),
            ("action", Value::from(action)),
            ("data", Value::from(text)),
        ]))
        .await
    }

    async fn load_file(&self, path: &str) -> String {
        self.job(object([
            ("operation", Value::from("csv_file_load")),
            ("database", Value::from("d")),
            ("table", Value::from("t")),
            ("file_path", Value::from(path)),
        ]))
        .await
    }

    async fn rows(&self, attributes: &str) -> String {
        self.admin(&format!(
            r#"{{"operation":"search_by_value","database":"d","table":"t","attribute":"id","value":"*","get_attributes":{attributes}}}"#
        ))
        .await
    }

    async fn export(&self, search: &str, format: &str, name: &str) -> String {
        self.job(object([
            ("operation", Value::from("export_local")),
            ("format", Value::from(format)),
            ("path", Value::from(self.folder.path().to_str().unwrap())),
            ("filename", Value::from(name)),
            ("search_operation", parse_json(search.as_bytes()).unwrap()),
        ]))
        .await
    }
}

#[tokio::test]
async fn the_three_actions_write_as_their_operations_do() {
    let site = Site::new().await;
    assert_eq!(
        site.load("insert", "id,a,b\n1,x\n1,y,z\n2,,z,surplus\n").await,
        "COMPLETE successfully loaded 2 of 3 records"
    );
    assert_eq!(
        site.rows(r#"["id","a","b"]"#).await,
        r#"[{"id":1,"a":"x","b":null},{"id":2,"a":"","b":"z"}]"#
    );
    assert_eq!(
        site.load("update", "id,a\n1,new\n9,none\n").await,
        "COMPLETE successfully loaded 1 of 2 records"
    );
    assert_eq!(
        site.load("upsert", "id,b\n2,1\n2,2\n3,3\n").await,
        "COMPLETE successfully loaded 3 of 3 records"
    );
    assert_eq!(
        site.rows(r#"["id","a","b"]"#).await,
        r#"[{"id":1,"a":"new","b":null},{"id":2,"a":"","b":2},{"id":3,"a":null,"b":3}]"#
    );
    for empty in ["", "id,a", "id,a\n\n\n", "lonely"] {
        assert_eq!(site.load("insert", empty).await, "COMPLETE No records parsed from csv file.");
    }
}

#[tokio::test]
async fn a_fault_in_any_row_leaves_everything_as_it_was() {
    let site = Site::new().await;
    let long = "x".repeat(2000);
    for (action, text, told) in [
        ("insert", "id,a/b\n1,2\n".to_owned(), "Invalid column name 'a/b', cancelling load operation"),
        ("insert", "id,été\n1,2\n".to_owned(), "Invalid column name 'été', cancelling load operation"),
        ("insert", "id,,x\n1,2,3\n".to_owned(), "Invalid attribute name: ''"),
        ("insert", format!("id,k\n1,a\n{long},b\n"), "Primary key size is too large: 2000"),
        (
            "update",
            "id,k\n1,a\n,b\n".to_owned(),
            "a valid hash attribute must be provided with update record, check log for more info",
        ),
    ] {
        assert_eq!(site.load(action, &text).await, format!("ERROR {told}"));
    }
    let name = "n".repeat(251);
    assert_eq!(
        site.load("insert", &format!("id,{name}\n1,2\n")).await,
        format!(
            "ERROR transaction aborted due to attribute name {name} being too long. Attribute names cannot be longer than 250 bytes."
        )
    );
    let many: String = (0..3000).map(|n| format!("{n},x\n")).collect();
    let path = site.file("late.csv", format!("id,k\n{many}true,x\n"));
    assert_eq!(site.load_file(&path).await, "ERROR Invalid primary key type: boolean");
    assert_eq!(site.rows(r#"["id"]"#).await, "[]");
}

#[tokio::test]
async fn files_are_loaded_in_batches_with_json_in_cells() {
    let site = Site::new().await;
    let rows: String = (0..12_000).map(|n| format!("{n},\"{{\"\"n\"\":{n}}}\",[oops\n")).collect();
    let path = site.file("many.csv", format!("\u{feff}id,o,s,never\n{rows}"));
    assert_eq!(site.load_file(&path).await, "COMPLETE successfully loaded 12000 of 12000 records");
    let found = site
        .admin(r#"{"operation":"search_by_id","database":"d","table":"t","ids":[11999],"get_attributes":["o","s","never"]}"#)
        .await;
    assert_eq!(found, r#"[{"o":{"n":11999},"s":"[oops","never":null}]"#);
    let missing = site.load_file("/no/such.csv").await;
    assert_eq!(missing, r#"refused {"error":"No such file or directory /no/such.csv"}"#);
    assert!(site.load_file(site.folder.path().to_str().unwrap()).await.starts_with("ERROR "));
    let empty = site.file("empty.csv", "");
    assert_eq!(site.load_file(&empty).await, "COMPLETE successfully loaded 0 of 0 records");
}

#[tokio::test]
async fn attribute_rights_are_judged_by_the_columns() {
    let site = Site::new().await;
    site.admin(
        r#"{"operation":"insert","database":"d","table":"t","records":[{"id":1,"name":"a","pay":1}]}"#,
    )
    .await;
    site.admin(
        r#"{"operation":"add_role","role":"r","permission":{"super_user":false,"d":{"tables":{"t":{
        "read":true,"insert":true,"update":true,"delete":false,"attribute_permissions":[
        {"attribute_name":"name","read":true,"insert":true,"update":true},
        {"attribute_name":"pay","read":true,"insert":false,"update":false}]}}}}}"#,
    )
    .await;
    site.admin(r#"{"operation":"add_user","role":"r","username":"u","password":"p","active":true}"#).await;
    let request = |text: &str| {
        object([
            ("operation", Value::from("csv_data_load")),
            ("database", Value::from("d")),
            ("table", Value::from("t")),
            ("data", Value::from(text)),
        ])
    };
    let (status, _) = site.job_as("u", request("id,name\n2,b\n")).await;
    assert_eq!(status, "COMPLETE");
    for (columns, told) in [
        (
            "id,name,pay",
            r#""required_attribute_permissions":[{"attribute_name":"pay","required_permissions":["insert","update"]}]"#,
        ),
        ("id,name,desk", r#""invalid_schema_items":["Attribute 'desk' does not exist on 'd.t'"]"#),
        (
            "id,name,__createdtime__",
            r#""invalid_schema_items":["Attribute '__createdtime__' does not exist on 'd.t'"]"#,
        ),
    ] {
        let (status, message) = site.job_as("u", request(&format!("{columns}\n3,c,4\n"))).await;
        assert_eq!(status, "ERROR");
        assert!(message.to_json().contains(told), "{}", message.to_json());
    }
    let path = site.file("pay.csv", "id,name,pay\n3,c,4\n");
    let (status, message) = site
        .job_as(
            "u",
            object([
                ("operation", Value::from("csv_file_load")),
                ("database", Value::from("d")),
                ("table", Value::from("t")),
                ("action", Value::from("insert")),
                ("file_path", Value::from(path)),
            ]),
        )
        .await;
    assert_eq!(status, "ERROR");
    assert!(message.to_json().contains(r#""required_permissions":["insert"]"#), "{}", message.to_json());
    assert_eq!(site.rows(r#"["id"]"#).await, r#"[{"id":1},{"id":2}]"#);
    // What looks like an export of a statement is none here, so it opens nothing.
    let smuggled = object([
        ("operation", Value::from("csv_data_load")),
        ("database", Value::from("e")),
        ("table", Value::from("t")),
        ("data", Value::from("id\n1")),
        ("search_operation", object([("operation", Value::from("sql"))])),
    ]);
    let (status, answer) = site.job_as("u", smuggled).await;
    assert_eq!(status, "refused");
    assert!(answer.to_json().contains("not authorized"), "{}", answer.to_json());
}

#[tokio::test]
async fn exports_hold_what_the_search_finds() {
    let site = Site::new().await;
    site.load("insert", "id,n,t\n1,1.5,\"a \"\"b\"\"\"\n2,,true\n3,7,x\n").await;
    let all = r#"{"operation":"search_by_value","database":"d","table":"t","attribute":"id","value":"*","get_attributes":["id","n","t"]}"#;
    assert!(site.export(all, "csv", "all").await.starts_with("COMPLETE Successfully completed job: "));
    let read = |name: &str| std::fs::read_to_string(site.folder.path().join(name)).unwrap();
    assert_eq!(read("all.csv"), "\"id\",\"n\",\"t\"\n1,1.5,\"a \"\"b\"\"\"\n2,\"\",true\n3,7,\"x\"");
    let some = r#"{"operation":"search_by_hash","database":"d","table":"t","hash_values":[3,9,1],"get_attributes":["id"]}"#;
    site.export(some, "json", "all").await;
    assert_eq!(read("all.json"), r#"[{"id":3},{"id":1}]"#);
    let conditions = r#"{"operation":"search_by_conditions","database":"d","table":"t","get_attributes":["id"],
        "conditions":[{"attribute":"id","comparator":"greater_than","value":2}]}"#;
    site.export(conditions, "json", "cond").await;
    assert_eq!(read("cond.json"), r#"[{"id":3}]"#);
    let statement = r#"{"operation":"sql","sql":"SELECT id, n FROM d.t WHERE id > 2"}"#;
    site.export(statement, "csv", "cond").await;
    assert_eq!(read("cond.csv"), "\"id\",\"n\"\n3,7");
    assert_eq!(std::fs::read_dir(site.folder.path()).unwrap().count(), 4, "something was left behind");
    for (search, told) in [
        (
            r#"{"operation":"search_by_value","database":"d","table":"x","attribute":"id","value":"*"}"#,
            "Table 'd.x' does not exist",
        ),
        (
            r#"{"operation":"search_by_value","database":"x","table":"t","attribute":"id","value":"*"}"#,
            "database 'x' does not exist",
        ),
        (
            r#"{"operation":"search_by_value","database":"d","table":"t","value":"*"}"#,
            "'attribute' is required",
        ),
        (r#"{"operation":"search_by_hash","database":"d","table":"t"}"#, "'hash_values' is required"),
        ("{}", "search_operation.operation missing"),
    ] {
        let told_now = site.export(search, "json", "x").await;
        assert!(told_now.starts_with("ERROR ") && told_now.contains(told), "{told_now}");
    }
    for (search, told) in [
        (r#"{"operation":"sql"}"#, "The 'sql' parameter is missing from the request body"),
        (r#"{"operation":"sql","sql":"SELEC"}"#, "Invalid SQL at: SELEC"),
        (r#"{"operation":"sql","sql":"DELETE FROM d.t"}"#, "only SELECT can be searched by"),
    ] {
        let told_now = site.export(search, "json", "x").await;
        assert!(told_now.starts_with("refused ") && told_now.contains(told), "{told_now}");
    }
    assert!(!site.folder.path().join("x.json").exists());
    assert_eq!(site.rows(r#"["id"]"#).await, r#"[{"id":1},{"id":2},{"id":3}]"#);
}

#[tokio::test]
async fn old_records_go_and_the_history_tells() {
    let site = Site::new().await;
    site.load("insert", "id\n1\n2\n").await;
    let request = |date: &str| {
        object([
            ("operation", Value::from("delete_files_before")),
            ("schema", Value::from("d")),
            ("table", Value::from("t")),
            ("date", Value::from(date)),
        ])
    };
    assert_eq!(site.job(request("2001-01")).await, "COMPLETE No records found to delete");
    assert_eq!(
        site.job(request("2101-01-01T00:00:00+0000")).await,
        "COMPLETE 2 of 2 records successfully deleted"
    );
    site.load("insert", "id\n3\n").await;
    assert_eq!(site.job(request("2101")).await, "COMPLETE 1 of 1 record successfully deleted");
    assert_eq!(site.rows(r#"["id"]"#).await, "[]");
    assert!(site.job(request("2021-13-45")).await.contains("must be in ISO 8601 date format"));
    assert!(site.job(request("2021-02-30")).await.contains("must be in ISO 8601 date format"));
    site.admin(
        r#"{"operation":"create_table","database":"d","table":"declared","primary_key":"id","attributes":[{"name":"id","is_primary_key":true}]}"#,
    )
    .await;
    let Value::Object(mut other) = request("2101") else { panic!("no object") };
    other.insert("table".to_owned(), Value::from("declared"));
    assert!(site.job(Value::Object(other)).await.contains("must have a '__createdtime__' attribute"));
}
