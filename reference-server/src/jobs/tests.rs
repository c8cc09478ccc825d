use super::*;
use crate::access::Caller;
use crate::operations::testing::Instance;
use crate::operations::{Call, Reply, ReplyForm};
use crate::server::Server;
use crate::value::{Object, Value};
use tokio::sync::oneshot;

fn call(server: &Arc<Server>, operation: &str) -> Call {
    let mut body = Object::new();
    body.insert("operation".to_owned(), Value::from(operation));
    Call {
        server: server.clone(),
        caller: Caller::of(server.access.user("admin")),
        operation: spec::registry().operation(operation).unwrap(),
        body,
        fault: None,
        form: ReplyForm::Tree,
    }
}

fn id_in(reply: &Reply) -> String {
    match reply {
        Reply::Value(answer) => answer.get("job_id").and_then(Value::as_str).unwrap().to_owned(),
        other => panic!("{other:?}"),
    }
}

fn state(server: &Server, id: &str) -> Value {
    find(&server.store, &Value::from(id)).unwrap().unwrap()
}

/// The job when it has ended.
async fn ended(server: &Server, id: &str) -> Value {
    loop {
        let job = state(server, id);
        if job.get("end_datetime").is_some() {
            return job;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_job_is_told_of_while_it_runs_and_afterwards() {
    let instance = Instance::new().await;
    let server = &instance.server;
    let (finish, finished) = oneshot::channel::<()>();
    let work = async move {
        let _ = finished.await;
        Ok(Done { message: Some("done".to_owned()), result: Some(Value::Object(Object::new())) })
    };
    let reply = start(&call(server, "delete_files_before"), work).await.unwrap();
    let id = id_in(&reply);
    let job = state(server, &id);
    let names: Vec<&String> = job.as_object().unwrap().keys().collect();
    assert_eq!(names, ["id", "status", "type", "start_datetime", "created_datetime", "user"]);
    assert_eq!(job.get("status"), Some(&Value::from("IN_PROGRESS")));
    assert_eq!(job.get("type"), Some(&Value::from("delete_files_before")));
    finish.send(()).unwrap();
    let job = ended(server, &id).await;
    assert_eq!(job.get("status"), Some(&Value::from("COMPLETE")));
    assert_eq!(job.get("message"), Some(&Value::from("done")));
    assert!(job.get("result").is_some());
    let time = |name: &str| job.get(name).and_then(Value::as_number).unwrap();
    assert!(time("created_datetime") <= time("start_datetime"));
    assert!(time("start_datetime") <= time("end_datetime"));
    let start = time("start_datetime");
    let listed = started_between(&server.store, start - 1.0, start + 1.0).unwrap();
    assert_eq!(listed.len(), 1);
    assert!(listed[0].get("result").is_none() && listed[0].get("end_datetime_converted").is_some());
    assert!(started_between(&server.store, start, start + 1.0).unwrap().is_empty());
    assert!(started_between(&server.store, start - 1.0, start).unwrap().is_empty());
}

#[tokio::test]
async fn failures_and_panics_end_the_job_alone() {
    let instance = Instance::new().await;
    let server = &instance.server;
    let call = call(server, "csv_data_load");
    let failed = start(&call, async { Err(OperationError::invalid("no")) }).await.unwrap();
    let job = ended(server, &id_in(&failed)).await;
    assert_eq!(
        (job.get("status"), job.get("message")),
        (Some(&Value::from("ERROR")), Some(&Value::from("no")))
    );
    let refused =
        start(&call, async { Err(crate::access::refusal::system_protected().with_members(Object::new())) });
    let job = ended(server, &id_in(&refused.await.unwrap())).await;
    assert!(matches!(job.get("message"), Some(Value::Object(_))), "{job:?}");
    let broken = start(&call, async { panic!("a job that panics on purpose") }).await.unwrap();
    let job = ended(server, &id_in(&broken)).await;
    assert_eq!(job.get("status"), Some(&Value::from("ERROR")));
    let plain = start(&call, async { Ok(Done::default()) }).await.unwrap();
    let id = id_in(&plain);
    let job = ended(server, &id).await;
    assert_eq!(job.get("message"), Some(&Value::from(format!("Successfully completed job: {id}"))));
}

#[tokio::test]
async fn no_more_than_the_limit_run_at_a_time() {
    let instance = Instance::new().await;
    let server = &instance.server;
    let call = call(server, "csv_data_load");
    let mut stopped = Vec::new();
    let mut ids = Vec::new();
    for _ in 0..AT_A_TIME {
        let (stop, signal) = oneshot::channel::<()>();
        stopped.push(stop);
        let reply = start(&call, async move {
            let _ = signal.await;
            Ok(Done::default())
        });
        ids.push(id_in(&reply.await.unwrap()));
    }
    let last = id_in(&start(&call, async { Ok(Done::default()) }).await.unwrap());
    // Everybody who can run has had the chance to.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(state(server, &last).get("status"), Some(&Value::from("IN_PROGRESS")));
    drop(stopped);
    for id in ids.iter().chain([&last]) {
        assert_eq!(ended(server, id).await.get("status"), Some(&Value::from("COMPLETE")));
    }
}

#[tokio::test]
async fn a_server_that_stops_waits_for_no_job() {
    let instance = Instance::new().await;
    let server = &instance.server;
    let call = call(server, "csv_data_load");
    let mut ids = Vec::new();
    for _ in 0..AT_A_TIME + 1 {
        ids.push(id_in(&start(&call, std::future::pending()).await.unwrap()));
    }
    server.jobs.stop();
    for id in &ids {
        let job = ended(server, id).await;
        assert_eq!(job.get("message"), Some(&Value::from(INTERRUPTED)));
    }
}

#[tokio::test]
async fn what_a_stopped_server_left_is_ended() {
    let instance = Instance::new().await;
    let server = &instance.server;
    record::begin(&server.store, "left", &call(server, "csv_data_load"), 1.0).await.unwrap();
    end_interrupted(&server.store).await.unwrap();
    let job = state(server, "left");
    assert_eq!(job.get("status"), Some(&Value::from("ERROR")));
    assert!(job.get("message").and_then(Value::as_str).unwrap().contains("stopped"));
    assert!(job.get("end_datetime").is_some());
    // Once is enough.
    let before = state(server, "left");
    end_interrupted(&server.store).await.unwrap();
    assert_eq!(state(server, "left"), before);
}

#[tokio::test]
async fn dates_are_taken_in_every_precision() {
    let instance = Instance::new().await;
    let ask = async |from: &str, to: &str| {
        instance
            .admin(&format!(
                r#"{{"operation":"search_jobs_by_start_date","from_date":"{from}","to_date":"{to}"}}"#
            ))
            .await
    };
    for date in [
        "2001",
        "2001-01",
        "2001-01-01",
        "2001-01-01T02:03",
        "2001-01-01T02:03:04Z",
        "2001-01-01T02:03:04.5+0000",
        "2001-01-01T02:03:04+02",
        "2001-01-01 02:03:04.123+02:00",
    ] {
        assert_eq!(ask(date, "2001-12-31").await, "[]", "{date}");
    }
    assert!(ask("2001-02-30", "2002-01-01").await.contains("Invalid 'from' date"));
    assert!(ask("2001-01-01", "soon").await.ends_with(r#"(YYYY-MM-DD)"}"#));
}
