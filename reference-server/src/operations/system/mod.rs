//! Restarts, information on the system, status values.

use super::replicated::wanted_nodes;
use super::{Call, Handler, Outcome, Reply};
use crate::error::OperationError;
use crate::system::information::information;
use crate::system::{job, rolling};
use crate::value::{Object, Value};

/// The handlers of this category.
pub const HANDLERS: &[(&str, Handler)] = &[
    ("restart", |call| Box::pin(restart(call))),
    ("restart_service", |call| Box::pin(restart_service(call))),
    ("system_information", |call| Box::pin(system_information(call))),
    ("set_status", |call| Box::pin(set_status(call))),
    ("get_status", |call| Box::pin(get_status(call))),
    ("clear_status", |call| Box::pin(clear_status(call))),
];

/// The status that is meant when a request names none.
const PRIMARY: &str = "primary";

/// Asks for a restart, which waits for this answer (SYS-RESTART-001).
async fn restart(call: Call) -> Outcome {
    call.server.restarts.wish(None);
    Ok(Reply::Message(
        if fault!("restart-message") {
            "Restarting"
        } else {
            "Restarting HarperDB. This may take up to 60 seconds."
        }
        .to_owned(),
    ))
}

/// Services of the time before 4.4: only servers that are set up as then know them.
const OLD_SERVICES: [&str; 2] = ["clustering", "clustering_config"];

/// The same as a job: all services are one here. It ends when the next instance has begun (SYS-RESTART-SERVICE-002).
async fn restart_service(call: Call) -> Outcome {
    let service = call.body.get("service").and_then(Value::as_str).unwrap_or_default();
    if OLD_SERVICES.contains(&service) && !call.server.config.clustering.enabled {
        return Err(OperationError::invalid("Invalid service"));
    }
    let id = job::begin(&call).await?;
    let nodes = wanted_nodes(&call);
    rolling::restart(&call.server, nodes, service, &id);
    Ok(Reply::Value(Value::Object(Object::from_iter([
        ("message".to_owned(), Value::from(format!("Restarting {service}"))),
        ("job_id".to_owned(), Value::from(id)),
    ]))))
}

/// Tells of the machine and the server; of what is asked for, or of everything (SYS-SYSTEM-INFORMATION-001).
async fn system_information(call: Call) -> Outcome {
    let asked = match call.body.get("attributes") {
        Some(Value::Array(names)) if !names.is_empty() => {
            Some(names.iter().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>())
        }
        _ => None,
    };
    let told = tokio::task::spawn_blocking(move || information(&call.server, asked.as_deref()));
    Ok(Reply::Value(Value::Object(told.await.map_err(OperationError::internal)?)))
}

async fn set_status(call: Call) -> Outcome {
    let text = |field: &str| call.body.get(field).and_then(Value::as_str);
    let record = call.server.statuses.set(text("id").unwrap_or(PRIMARY), text("status").unwrap_or_default());
    Ok(Reply::Value(record))
}

async fn get_status(call: Call) -> Outcome {
    let statuses = &call.server.statuses;
    let shown = match call.body.get("id") {
        None | Some(Value::Null | Value::Bool(false)) => Value::Array(statuses.all()),
        Some(Value::String(id)) if id.is_empty() => Value::Array(statuses.all()),
        Some(id) => id.as_str().and_then(|id| statuses.get(id)).unwrap_or(if fault!("unknown-status-null") {
            Value::Null
        } else {
            Value::Object(Object::new())
        }),
    };
    Ok(Reply::Value(shown))
}

async fn clear_status(call: Call) -> Outcome {
    if fault!("status-not-cleared") {
        return Ok(Reply::Message("Status successfully cleared".to_owned()));
    }
    call.server.statuses.clear(call.body.get("id").and_then(Value::as_str).unwrap_or(PRIMARY));
    Ok(Reply::Message("Status successfully cleared".to_owned()))
}

#[cfg(test)]
mod tests {
    use crate::operations::testing::Instance;
    use serde_json::Value as Json;

    async fn ask(instance: &Instance, operation: &str, more: &str) -> Json {
        let answer = instance.admin(&format!(r#"{{"operation":"{operation}"{more}}}"#)).await;
        serde_json::from_str(&answer).unwrap()
    }

    #[tokio::test]
    async fn a_status_is_set_shown_and_cleared() {
        let instance = Instance::new().await;
        let first = ask(&instance, "set_status", r#","status":"moored""#).await;
        assert_eq!((&first["id"], &first["status"]), (&"primary".into(), &"moored".into()));
        assert_eq!(first["__createdtime__"], first["__updatedtime__"]);
        assert_eq!(ask(&instance, "get_status", r#","id":"primary""#).await, first);
        let second = ask(&instance, "set_status", r#","id":"primary","status":"under way""#).await;
        assert_eq!(second["__createdtime__"], first["__createdtime__"]);
        let other = ask(&instance, "set_status", r#","id":"availability","status":"Available""#).await;
        for all in ["", r#","id":"""#, r#","id":null"#] {
            assert_eq!(
                ask(&instance, "get_status", all).await,
                Json::from(vec![other.clone(), second.clone()])
            );
        }
        for unknown in [r#","id":"maintenance""#, r#","id":"weather""#, r#","id":5"#] {
            assert_eq!(ask(&instance, "get_status", unknown).await, serde_json::json!({}));
        }
        for cleared in ["", r#","id":"availability""#, r#","id":"weather""#] {
            let answer = ask(&instance, "clear_status", cleared).await;
            assert_eq!(answer["message"], "Status successfully cleared");
        }
        assert_eq!(ask(&instance, "get_status", "").await, serde_json::json!([]));
    }

    fn names(answer: &Json) -> Vec<&str> {
        answer.as_object().unwrap().keys().map(String::as_str).collect()
    }

    #[tokio::test]
    async fn what_is_asked_for_is_told_in_its_order() {
        let instance = Instance::new().await;
        instance.admin(r#"{"operation":"create_table","database":"d","table":"t","primary_key":"id"}"#).await;
        instance
            .admin(r#"{"operation":"insert","database":"d","table":"t","records":[{"id":1},{"id":2}]}"#)
            .await;
        let all = [
            "system",
            "time",
            "cpu",
            "memory",
            "disk",
            "network",
            "harperdb_processes",
            "table_size",
            "metrics",
            "threads",
        ];
        for everything in ["", r#","attributes":[]"#, r#","attributes":"time""#, r#","attributes":null"#] {
            assert_eq!(names(&ask(&instance, "system_information", everything).await), all, "{everything}");
        }
        for (attributes, members) in [
            (r#"["time"]"#, vec!["time"]),
            (
                r#"["threads","memory","database_metrics","system","nothing",5]"#,
                vec!["system", "memory", "threads", "metrics"],
            ),
            (r#"["TIME"]"#, vec![]),
        ] {
            let answer =
                ask(&instance, "system_information", &format!(r#","attributes":{attributes}"#)).await;
            assert_eq!(names(&answer), members, "{attributes}");
        }
        let told = ask(&instance, "system_information", "").await;
        let schema = spec::registry().operation("system_information").unwrap();
        assert_eq!(schema.name, "system_information");
        assert_eq!(
            (&told["disk"], &told["network"]["interfaces"]),
            (&serde_json::json!({}), &serde_json::json!([]))
        );
        let processes = told["harperdb_processes"]["core"].as_array().unwrap();
        assert_eq!((processes.len(), &processes[0]["pid"]), (1, &std::process::id().into()));
        assert_eq!(
            (&told["table_size"][0]["table"], &told["table_size"][0]["record_count"]),
            (&"t".into(), &2.into())
        );
        assert_eq!(told["metrics"]["d"]["tables"]["t"]["entryCount"], 2);
        assert!(
            told["cpu"]["cores"].as_f64().unwrap() >= 1.0 && told["memory"]["rss"].as_f64().unwrap() > 0.0
        );
    }

    #[tokio::test]
    async fn devices_are_told_where_the_configuration_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let mut config = crate::config::Config::ephemeral(folder.path());
        (config.disk_information, config.network_information) = (true, true);
        let server = crate::server::Server::open(config).await.unwrap();
        let told = crate::system::information::information(&server, None);
        let disk = told["disk"].as_object().unwrap();
        assert_eq!(disk.keys().collect::<Vec<_>>(), ["io", "read_write", "size"]);
        assert!(!told["network"].get("stats").unwrap().as_array().unwrap().is_empty());
    }

    #[tokio::test]
    async fn services_are_restarted_by_name() {
        let instance = Instance::new().await;
        for service in ["http_workers", "http", "custom_functions", "custom functions", "harperdb"] {
            let answer = ask(&instance, "restart_service", &format!(r#","service":"{service}""#)).await;
            assert_eq!(answer["message"], format!("Restarting {service}"));
            let id = answer["job_id"].as_str().unwrap();
            let job =
                format!(r#","database":"system","table":"hdb_job","ids":["{id}"],"get_attributes":["*"]"#);
            let job = ask(&instance, "search_by_id", &job).await;
            assert_eq!(
                (&job[0]["type"], &job[0]["status"]),
                (&"restart_service".into(), &"IN_PROGRESS".into())
            );
        }
        for service in [
            "",
            r#","service":"engine room""#,
            r#","service":"HTTP""#,
            r#","service":"clustering""#,
            r#","service":null"#,
            r#","service":3"#,
        ] {
            assert_eq!(ask(&instance, "restart_service", service).await["error"], "Invalid service");
        }
        assert_eq!(instance.server.restarts.take_jobs().len(), 5);
    }
}
