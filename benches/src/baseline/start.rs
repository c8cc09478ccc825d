//! How soon a server answers after its start, and how much memory it takes when it has nothing to do.

use super::{Figure, Setting};
use crate::child::ChildServer;
use anyhow::Context;
use serde_json::json;
use std::time::{Duration, Instant};

/// How many starts of each kind.
const STARTS: usize = 5;
/// How long a server is left alone before its memory is read.
const IDLE: Duration = Duration::from_millis(500);

/// Resident memory in megabytes.
pub(super) struct Resident {
    /// All of it, mapped files included.
    pub(super) whole: f64,
    /// Without mapped files.
    pub(super) own: f64,
}

pub(super) async fn figures(setting: &Setting) -> anyhow::Result<Vec<Figure>> {
    let (mut first, mut later, mut ready, mut memory, mut own) = (vec![], vec![], vec![], vec![], vec![]);
    for start in 0..STARTS {
        let root = setting.folder.path().join(format!("start_{start}"));
        first.push(first_answer(setting, &root).await?.1);
        let (until_ready, until_answer, resident) = {
            let (until_ready, until_answer, server) = start_once(setting, &root).await?;
            tokio::time::sleep(IDLE).await;
            (until_ready, until_answer, resident(server.id())?)
        };
        later.push(until_answer);
        ready.push(until_ready);
        memory.push(resident.whole);
        own.push(resident.own);
    }
    Ok(vec![
        Figure::plain("first answer to a user after a later start", "ms", later, Some(100.0)),
        Figure::plain("first answer to a user after the very first start", "ms", first, Some(100.0)),
        Figure::plain("listening after a later start", "ms", ready, None),
        Figure::plain("resident memory of an idle server", "MB", memory, Some(30.0)),
        Figure::plain("resident memory of an idle server, own", "MB", own, None),
    ])
}

async fn first_answer(setting: &Setting, root: &std::path::Path) -> anyhow::Result<(f64, f64)> {
    let (ready, answer, _server) = start_once(setting, root).await?;
    Ok((ready, answer))
}

/// Starts a server; milliseconds until it listens, and until it has answered a request with credentials.
async fn start_once(setting: &Setting, root: &std::path::Path) -> anyhow::Result<(f64, f64, ChildServer)> {
    let started = Instant::now();
    let server = ChildServer::reference(&setting.binary, root).await?;
    let ready = started.elapsed();
    let mut connection = server.endpoint.connect().await?;
    server.endpoint.call(&mut connection, &json!({"operation": "user_info"})).await?;
    Ok((ready.as_secs_f64() * 1e3, started.elapsed().as_secs_f64() * 1e3, server))
}

/// The resident memory of a process.
pub(super) fn resident(process: u32) -> anyhow::Result<Resident> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).context("there is no /proc")?;
    let megabytes = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        line.split_whitespace().nth(1).and_then(|number| number.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
    };
    Ok(Resident { whole: megabytes("VmRSS"), own: megabytes("RssAnon") })
}
