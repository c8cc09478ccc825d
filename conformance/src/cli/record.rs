//! `record`: a proxy whose traffic becomes a scenario.

use super::reach::ReachArgs;
use anyhow::{Context as _, bail};
use clap::Args;
use conformance::record::{Recorder, scenario};
use conformance::{layout, probe};
use std::io::Write as _;
use std::net::SocketAddrV4;
use std::path::PathBuf;
use tokio::signal::unix::{SignalKind, signal};

#[derive(Debug, Args)]
pub(super) struct RecordArgs {
    /// The endpoint.
    url: String,
    /// Where clients find the proxy; port 0 is any.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0")]
    listen: SocketAddrV4,
    /// The folder that the scenario is written to.
    #[arg(long, value_name = "FOLDER", default_value = "recorded")]
    to: PathBuf,
    /// The scenario's name.
    #[arg(long, default_value = "session")]
    name: String,
    #[command(flatten)]
    reach: ReachArgs,
}

/// Passes traffic on until it is interrupted, and writes what was seen. 2: nothing was.
pub(super) async fn record(args: &RecordArgs) -> anyhow::Result<u8> {
    let target = args.reach.target(&args.url)?;
    let roots = probe::roots(&target).await;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let recorder = Recorder::start(target.clone(), args.listen)
        .await
        .with_context(|| format!("cannot listen on {}", args.listen))?;
    println!("ready {}", recorder.url());
    std::io::stdout().flush()?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    let seen = recorder.seen();
    if seen.is_empty() {
        bail!("no client asked anything");
    }
    let recorded = scenario(&seen, &target.admin, roots, &args.name)?;
    std::fs::create_dir_all(&args.to).with_context(|| format!("cannot make {}", args.to.display()))?;
    let file = args.to.join(format!("{}.json", args.name));
    std::fs::write(&file, layout::to_text(&recorded.scenario))
        .with_context(|| format!("cannot write {}", file.display()))?;
    for reason in &recorded.left_out {
        println!("left out: {reason}");
    }
    println!("{} requests, {} left out, in {}", seen.len(), recorded.left_out.len(), file.display());
    Ok(0)
}
