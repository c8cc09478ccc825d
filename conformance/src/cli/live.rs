//! `diff` and `sweep`: what talks to live endpoints without judging them.

use conformance::{Options, Reach, Sink, Stop, Target, side_by_side, sweep as sweeping};
use std::sync::Arc;

fn target(url: &str, insecure: bool) -> anyhow::Result<Target> {
    let (address, admin) = conformance::split_credentials(url);
    Ok(Target::new(&address, admin, Reach { insecure })?)
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}

/// Shows where two endpoints answer differently.
pub(super) fn diff(urls: [&str; 2], options: Options, insecure: bool, verbose: bool) -> anyhow::Result<u8> {
    let [first, second] = [target(urls[0], insecure)?, target(urls[1], insecure)?];
    let sink: Sink = Arc::new(|_| ());
    let found = runtime()?.block_on(side_by_side::run(first, second, options, sink, Stop::default()));
    print!("{}", found.to_text(verbose));
    Ok(found.exit_status())
}

/// Lists or removes what earlier runs left behind.
pub(super) fn sweep(url: &str, run: Option<&str>, remove: bool, insecure: bool) -> anyhow::Result<u8> {
    let target = target(url, insecure)?;
    runtime()?.block_on(async {
        let found = sweeping::find(&target, run).await;
        for leftover in &found {
            println!("{} {}", leftover.kind, leftover.name);
        }
        if !remove {
            println!("{} left by runs; --yes removes them", found.len());
            return Ok(u8::from(!found.is_empty()));
        }
        let count = found.len();
        let kept = sweeping::remove(&target, found).await;
        for leftover in &kept {
            eprintln!("could not remove {} {}", leftover.kind, leftover.name);
        }
        println!("{} removed", count - kept.len());
        Ok(u8::from(!kept.is_empty()))
    })
}
