use crate::operations::testing::Instance;

const NO_PROJECT: &str = "Project does not exist. Create one using 'add_custom_function_project'";
const BAD_PROJECT: &str = "Project name can only contain alphanumeric, dash and underscores characters";

async fn instance() -> Instance {
    let instance = Instance::new().await;
    instance
        .admin(r#"{"operation":"set_component_file","project":"cf","file":"README.md","payload":"seed"}"#)
        .await;
    instance
}

#[tokio::test]
async fn functions_are_written_listed_read_and_dropped() {
    let instance = instance().await;
    let set = r#"{"operation":"set_custom_function","project":"x/cf.tar","type":"routes","file":"some/depths.js","function_content":"// d\n"}"#;
    assert_eq!(instance.admin(set).await, r#"{"message":"Successfully updated custom function: depths.js"}"#);
    let list = r#"{"operation":"get_custom_functions"}"#;
    assert_eq!(instance.admin(list).await, r#"{"cf":{"routes":["depths"],"helpers":[]}}"#);
    let get = r#"{"operation":"get_custom_function","project":"cf","type":"routes","file":"depths"}"#;
    assert_eq!(instance.admin(get).await, r#"{"message":"// d\n"}"#);
    let drop = get.replace("get_", "drop_");
    assert_eq!(
        instance.admin(&drop).await,
        r#"{"message":"Successfully deleted custom function: depths.js"}"#
    );
    assert_eq!(instance.admin(&drop).await, r#"{"error":"File does not exist"}"#);
    let drop = r#"{"operation":"drop_custom_function_project","project":"cf"}"#;
    assert_eq!(instance.admin(drop).await, r#"{"message":"Successfully deleted project: cf"}"#);
    assert_eq!(instance.admin(drop).await, format!(r#"{{"error":"{NO_PROJECT}"}}"#));
    assert_eq!(instance.admin(list).await, "{}");
}

#[tokio::test]
async fn all_faults_are_told_in_order() {
    let instance = instance().await;
    let cases = [
        (
            r#""get_custom_function""#,
            "'project' is required. 'type' is required. 'file' is required".to_owned(),
        ),
        (
            r#""get_custom_function","project":"c f","type":"routes","file":"x""#,
            format!("{BAD_PROJECT}. {NO_PROJECT}. File does not exist"),
        ),
        (
            r#""drop_custom_function","project":"no","type":"routes","file":"x""#,
            format!("{NO_PROJECT}. File does not exist"),
        ),
        (
            r#""get_custom_function","project":"cf","type":"static","file":"x""#,
            "'type' must be one of [helpers, routes]. File does not exist".to_owned(),
        ),
        (
            r#""get_custom_function","project":"cf","type":"routes","file":"a b""#,
            "File name can only contain alphanumeric, dash and underscore characters. File does not exist"
                .to_owned(),
        ),
        (r#""get_custom_function","project":"cf","type":"routes""#, "'file' is required".to_owned()),
        (
            r#""get_custom_function","project":"cf","file":"x""#,
            "'type' is required. Error validating request, check the log for more details".to_owned(),
        ),
        (r#""drop_custom_function_project","project":"c f""#, format!("{BAD_PROJECT}. {NO_PROJECT}")),
        (r#""drop_custom_function_project","project":"..""#, format!("{BAD_PROJECT}. {NO_PROJECT}")),
        (
            r#""set_custom_function","project":"c f","type":"x","file":"a""#,
            format!(
                "{BAD_PROJECT}. {NO_PROJECT}. 'type' must be one of [helpers, routes]. 'function_content' is required"
            ),
        ),
        (
            r#""set_custom_function","project":"cf","type":"routes","file":"a..b.js","function_content":"x""#,
            "Invalid file path".to_owned(),
        ),
        (
            r#""set_custom_function","project":"cf","type":"routes","file":"..","function_content":"x""#,
            "Invalid file path".to_owned(),
        ),
        (
            r#""set_custom_function","project":"cf","type":"routes","file":"a\u0000","function_content":"x""#,
            "Invalid file path".to_owned(),
        ),
    ];
    for (fields, text) in cases {
        let answer = instance.admin(&format!(r#"{{"operation":{fields}}}"#)).await;
        assert_eq!(answer, format!(r#"{{"error":"{text}"}}"#), "{fields}");
    }
}

#[tokio::test]
async fn the_status_tells_where_they_live() {
    let instance = instance().await;
    let status = instance.admin(r#"{"operation":"custom_functions_status"}"#).await;
    let folder = instance.server.config.root_path.join("components");
    assert!(
        status.ends_with(&format!(r#""directory":"{}","is_enabled":true}}"#, folder.display())),
        "{status}"
    );
}
