//! The program: reads the command line, measures, prints, and leaves nothing behind.

use anyhow::Context;
use benches::baseline;
use benches::child::{ChildServer, reference_server};
use benches::compare::{self, Contestant, Plan};
use benches::endpoint::Endpoint;
use benches::measure::Pace;
use benches::options::Options;
use benches::report;
use benches::table::number;
use benches::workload::Workload;
use clap::Parser;
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

fn main() -> ExitCode {
    let options = Options::parse();
    if let Some(recorded) = &options.serve_recorded {
        return finish(baseline::bare::serve(recorded));
    }
    // One thread: the client must leave the processors to the servers.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    finish(runtime.context("no runtime").and_then(|runtime| runtime.block_on(drive(&options))))
}

fn finish(result: anyhow::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("benches: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn drive(options: &Options) -> anyhow::Result<()> {
    if cfg!(debug_assertions) {
        eprintln!("This is a debug build; its figures mean nothing. Use cargo run --release.");
    }
    if let Some(parts) = &options.baseline {
        return tokio::select! {
            result = baseline::run(options, parts) => result,
            result = interrupted() => result,
        };
    }
    // Its server and its folder go when these are dropped.
    let folder = tempfile::Builder::new().prefix("operations-bench-").tempdir()?;
    let mut own = None;
    let mut contestants = Vec::new();
    let database = format!("bench_{:08x}", rand::random::<u32>());
    let mut add = |label: &str, endpoint: Endpoint| {
        contestants.push(Contestant::new(label, endpoint, &database, options.seed, options.records));
    };
    match &options.target {
        Some(url) => add(url, Endpoint::new(url, user(options.user.as_deref())?)?),
        None => {
            let binary = reference_server(options.server.as_deref())?;
            let server = own.insert(ChildServer::reference(&binary, folder.path()).await?);
            add("the reference server", server.endpoint.clone());
        }
    }
    if let Some(url) = &options.against {
        add(url, Endpoint::new(url, user(options.against_user.as_deref().or(options.user.as_deref()))?)?);
    }
    let result = tokio::select! {
        result = measure(options, &contestants) => result,
        result = interrupted() => result,
    };
    for contestant in &contestants {
        if let Err(error) = contestant.clean_up().await {
            eprintln!("{}: {error:#}", contestant.label);
        }
    }
    result
}

fn user(given: Option<&str>) -> anyhow::Result<&str> {
    given.context("credentials are missing: -u user:password")
}

async fn interrupted() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        result = tokio::signal::ctrl_c() => result?,
        _ = terminate.recv() => {}
    }
    anyhow::bail!("interrupted")
}

async fn measure(options: &Options, contestants: &[Contestant]) -> anyhow::Result<()> {
    let workloads =
        if options.workloads.is_empty() { Workload::ALL.to_vec() } else { options.workloads.clone() };
    let mut loading = Vec::new();
    for (contestant, name) in contestants.iter().zip(["A", "B"]) {
        let rate = contestant.prepare().await.with_context(|| contestant.label.clone())?;
        println!(
            "{name}: {}, {} records loaded at {} a second",
            contestant.label,
            options.records,
            number(rate)
        );
        loading.push(rate);
    }
    let plan = Plan {
        workloads,
        connections: options.connections.clone(),
        rounds: options.rounds,
        pace: Pace::seconds(options.seconds),
    };
    let lines = compare::run(contestants, &plan, |line| {
        eprintln!("measured {} with {} connections", line.workload, line.connections);
    })
    .await?;
    println!("\n{}\n{}", report::text(contestants, &lines), report::NOTE);
    if let Some(file) = &options.json {
        let text = serde_json::to_string_pretty(&report::json(contestants, &loading, &lines))?;
        std::fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}
