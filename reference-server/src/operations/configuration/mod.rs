//! The configuration file: shown and changed.

use super::{Call, Handler, Outcome, Reply};
use crate::config;
use crate::error::OperationError;
use crate::value::{Object, Value};

/// The handlers of this category.
pub const HANDLERS: &[(&str, Handler)] = &[
    ("get_configuration", |call| Box::pin(get_configuration(call))),
    ("set_configuration", |call| Box::pin(set_configuration(call))),
];

const SET: &str =
    "Configuration successfully set. You must restart HarperDB for new config settings to take effect.";

/// Shows the file as it is now, changes included that wait for a restart (CONF-GET-CONFIGURATION-001).
async fn get_configuration(call: Call) -> Outcome {
    let document = tokio::task::spawn_blocking(move || call.server.config_file.read());
    let document = document.await.map_err(OperationError::internal)??;
    Ok(Reply::Value(Value::Object(without_secrets(document.tree()))))
}

/// Changes values of the file (CONF-SET-CONFIGURATION-001).
async fn set_configuration(call: Call) -> Outcome {
    if fault!("configuration-not-written") {
        return Ok(Reply::Message(SET.to_owned()));
    }
    let changed = tokio::task::spawn_blocking(move || {
        let server = &call.server;
        config::set(&server.config_file, &server.config, &call.body)
    });
    changed.await.map_err(OperationError::internal)??;
    Ok(Reply::Message(SET.to_owned()))
}

/// Names of members that components keep secrets under.
const SECRETS: [&str; 4] = ["password", "secret", "token", "apikey"];

/// The tree with stars in place of private keys and of what is called a secret.
fn without_secrets(tree: &Object) -> Object {
    let shown = tree.iter().skip(usize::from(fault!("configuration-sections-lost"))).map(|(name, value)| {
        let secret = SECRETS.contains(&name.to_ascii_lowercase().as_str()) && value.as_str().is_some();
        (name.clone(), if secret { hidden() } else { shown(value) })
    });
    shown.collect()
}

fn shown(value: &Value) -> Value {
    match value {
        Value::String(text) if text.contains("PRIVATE KEY-----") => hidden(),
        Value::Array(items) => Value::Array(items.iter().map(shown).collect()),
        Value::Object(members) => Value::Object(without_secrets(members)),
        other => other.clone(),
    }
}

fn hidden() -> Value {
    Value::from("*****")
}

#[cfg(test)]
mod tests {
    use crate::operations::testing::Instance;
    use serde_json::Value as Json;

    async fn shown(instance: &Instance) -> Json {
        let answer = instance.admin(r#"{"operation":"get_configuration"}"#).await;
        serde_json::from_str(&answer).unwrap()
    }

    #[tokio::test]
    async fn the_tree_of_a_new_instance_is_that_of_the_contract() {
        let instance = Instance::new().await;
        let tree = shown(&instance).await;
        let example = spec::registry().operation("get_configuration").unwrap();
        let example = example.examples[0].response.clone().unwrap();
        assert_eq!(keys(&tree), keys(&example));
        assert_eq!(tree["rootPath"], *instance.server.config.root_path.to_string_lossy());
    }

    /// The paths of all values, in order.
    fn keys(tree: &Json) -> Vec<String> {
        let Json::Object(members) = tree else { return vec![String::new()] };
        members
            .iter()
            .flat_map(|(name, value)| keys(value).into_iter().map(move |rest| format!("{name}/{rest}")))
            .collect()
    }

    #[tokio::test]
    async fn changes_show_at_once_and_faults_change_nothing() {
        let instance = Instance::new().await;
        let set = r#"{"operation":"set_configuration","logging_auditRetention":"9d","app_package":"x"}"#;
        assert_eq!(
            instance.admin(set).await,
            r#"{"message":"Configuration successfully set. You must restart HarperDB for new config settings to take effect."}"#
        );
        let tree = shown(&instance).await;
        assert_eq!(
            (&tree["logging"]["auditRetention"], &tree["app"]["package"]),
            (&"9d".into(), &"x".into())
        );
        assert_eq!(
            instance.admin(r#"{"operation":"set_configuration","http_cors":"maybe"}"#).await,
            r#"{"error":"HarperDB config file validation error: 'http.cors' must be a boolean"}"#
        );
        assert_eq!(shown(&instance).await, tree);
    }

    #[tokio::test]
    async fn secrets_are_not_shown() {
        let instance = Instance::new().await;
        let file = instance.server.config_file.path();
        let text = std::fs::read_to_string(file).unwrap();
        let secrets = "app:\n  password: hush-1\n  deep:\n    - apiKey: hush-2\n    - \"-----BEGIN PRIVATE KEY-----hush-3\"\n";
        std::fs::write(file, text + secrets).unwrap();
        let tree = shown(&instance).await;
        assert_eq!(tree["app"]["deep"][0]["apiKey"], "*****");
        assert!(!tree.to_string().contains("hush"));
        assert!(std::fs::read_to_string(file).unwrap().contains("hush-1"));
    }
}
