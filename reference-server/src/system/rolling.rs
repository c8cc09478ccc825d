//! A restart that goes from node to node: each begins when the one before has ended, so that never more than one is away.
//!
//! This node comes last, as its restart ends the program that leads the way.

use super::job;
use crate::jobs;
use crate::replication::CallError;
use crate::server::Server;
use crate::value::{Object, Value, object};
use std::sync::Arc;
use std::time::Duration;

/// How often a node is asked whether its restart has ended, and how many times.
const PAUSE: Duration = Duration::from_millis(250);
const MOST_QUESTIONS: usize = 2400;

/// Restarts other nodes one after the other, then this one, as the work of a job that has begun. A node that cannot be
/// reached is passed over; one whose restart fails ends the job (SYS-RESTART-SERVICE).
pub fn restart(server: &Arc<Server>, nodes: Vec<String>, service: &str, id: &str) {
    if nodes.is_empty() {
        return server.restarts.wish(Some(id.to_owned()));
    }
    let (server, service, id) = (server.clone(), service.to_owned(), id.to_owned());
    tokio::spawn(async move {
        match others(&server, &nodes, &service).await {
            Ok(result) => {
                if let Err(error) = jobs::note_result(&server.store, &id, result).await {
                    tracing::error!("what job {id} has come to could not be noted: {error}");
                }
                server.restarts.wish(Some(id));
            }
            Err(fault) => job::end(&server.store, vec![id], Some(fault)).await,
        }
    });
}

async fn others(server: &Arc<Server>, nodes: &[String], service: &str) -> Result<Value, String> {
    let mut told = Vec::new();
    for node in nodes {
        let message = match one(server, node, service).await? {
            Ok(message) => message,
            Err(error) => error.to_string(),
        };
        told.push(object([("node", Value::from(node.as_str())), ("message", Value::from(message))]));
    }
    Ok(object([("replicated", Value::Array(told))]))
}

/// Restarts one node and waits for it; the inner failure is that it could not be reached at all.
async fn one(server: &Arc<Server>, node: &str, service: &str) -> Result<Result<String, CallError>, String> {
    let request = [("operation", "restart_service"), ("service", service)];
    let begun = match server.replication.call(node, operation(&request)).await {
        Ok(begun) => begun,
        Err(error) => return Ok(Err(error)),
    };
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let id = text(&begun, "job_id").ok_or_else(|| format!("node '{node}' began no job"))?;
    for _ in 0..MOST_QUESTIONS {
        tokio::time::sleep(PAUSE).await;
        // While it restarts it does not answer.
        let Ok(job) =
            server.replication.call(node, operation(&[("operation", "get_job"), ("id", &id)])).await
        else {
            continue;
        };
        let job = job.as_array().and_then(<[Value]>::first).cloned().unwrap_or(job);
        match text(&job, "status").as_deref() {
            Some("COMPLETE") => return Ok(Ok(text(&job, "message").unwrap_or_default())),
            Some("ERROR") => {
                return Err(format!("node '{node}': {}", text(&job, "message").unwrap_or_default()));
            }
            _ => {}
        }
    }
    Err("Timed out waiting for restart job to complete".to_owned())
}

fn operation(members: &[(&str, &str)]) -> Object {
    members.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect()
}
