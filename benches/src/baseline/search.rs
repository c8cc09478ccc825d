//! search_by_id on the reference server against a bare hyper server that returns the same bytes.

use super::bare::{self, Exchange};
use super::{Figure, Setting};
use crate::child::ChildServer;
use crate::compare::Contestant;
use crate::endpoint::Endpoint;
use crate::measure::{self, Pace};
use crate::template::find;
use crate::workload::{Source, Workload};
use anyhow::{Context, ensure};
use serde_json::json;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

pub(super) async fn figures(setting: &Setting) -> anyhow::Result<Vec<Figure>> {
    let root = setting.folder.path().join("search");
    let server = ChildServer::reference(&setting.binary, &root).await?;
    let contestant =
        Contestant::new("server", server.endpoint.clone(), "bench", setting.seed, setting.records);
    contestant.prepare().await?;
    let loaded = super::start::resident(server.id())?;
    let source = |endpoint: &Endpoint| {
        Arc::new(Source::new(Workload::SearchById, endpoint, contestant.scene(), Arc::new(AtomicU64::new(0))))
    };
    let recorded = setting.folder.path().join("recorded");
    bare::record(&recorded, &exchanges(&server.endpoint, &source(&server.endpoint)).await?)?;
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("--serve-recorded").arg(&recorded);
    let bare = ChildServer::start(command).await?;
    // Credentials are the same, so that requests are byte for byte the same but for the port.
    let (ours, theirs) = (source(&server.endpoint), source(&bare.endpoint));
    let visible = json!({"operation": "user_info"});
    let mut figures = Vec::new();
    let pace = Pace::seconds(setting.seconds);
    for connections in [1, 16] {
        let mut rounds = Vec::new();
        for _ in 0..setting.rounds {
            let server = measure::run(&server.endpoint, &ours, &visible, connections, pace).await?;
            let bare = measure::run(&bare.endpoint, &theirs, &visible, connections, pace)
                .await
                .context("bare hyper")?;
            rounds.push((server.rate, bare.rate));
        }
        let what = format!("search_by_id / bare hyper, {connections} connections");
        figures.push(Figure::ratio(what, "req/s", &rounds, Some(0.5)));
    }
    figures.push(Figure::plain("memory after loading and searching, own", "MB", vec![loaded.own], None));
    Ok(figures)
}

/// Asks everything once.
async fn exchanges(endpoint: &Endpoint, source: &Arc<Source>) -> anyhow::Result<Vec<Exchange>> {
    let mut connection = endpoint.connect().await?;
    let mut turn = source.turn(0);
    let mut exchanges: Vec<Exchange> = Vec::new();
    loop {
        turn.advance();
        let request = turn.request();
        let body_at = find(request, b"\r\n\r\n").context("a request without an end of its head")? + 4;
        let request_body = request[body_at..].to_vec();
        if exchanges.first().is_some_and(|first| first.request == request_body) {
            break;
        }
        let answer = connection.exchange(request).await?;
        turn.check(answer.status, answer.body)?;
        exchanges.push(Exchange {
            request: request_body,
            head: answer.head.to_vec(),
            body: answer.body.to_vec(),
        });
    }
    // What connections are tried with before they are measured.
    let (status, body) = endpoint.send(&mut connection, &json!({"operation": "user_info"})).await?;
    ensure!(status == 200, "user_info answered {status}");
    let request = json!({"operation": "user_info"}).to_string().into_bytes();
    let head = exchanges.first().map(|first| first.head.clone()).unwrap_or_default();
    exchanges.push(Exchange { request, head, body });
    Ok(exchanges)
}
