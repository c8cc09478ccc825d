//! `replay`, `diff`, `identify` and `sweep`: what talks to live endpoints without a run of the suite.

use super::list::print;
use super::reach::ReachArgs;
use anyhow::Context as _;
use conformance::report::terminal;
use conformance::{Options, Sink, Stop, identify, probe, side_by_side, sweep as sweeping};
use std::path::Path;
use std::sync::Arc;

/// Does what takes a runtime.
pub(super) fn wait_for<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    runtime()?.block_on(work)
}

pub(super) fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}

/// Shows where two endpoints answer differently.
pub(super) fn diff(
    urls: [&str; 2],
    options: Options,
    reach: &ReachArgs,
    verbose: bool,
) -> anyhow::Result<u8> {
    let [first, second] = [reach.target(urls[0])?, reach.target(urls[1])?];
    let sink: Sink = Arc::new(|_| ());
    let found = runtime()?.block_on(side_by_side::run(first, second, options, sink, Stop::default()));
    print!("{}", found.to_text(verbose));
    Ok(found.exit_status())
}

/// Tells one scenario file to an endpoint.
pub(super) fn replay(file: &Path, url: &str, reach: &ReachArgs) -> anyhow::Result<u8> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let scenario =
        serde_json::from_str(&text).with_context(|| format!("{} is no scenario", file.display()))?;
    conformance::scenario::check_scenario(&scenario).map_err(anyhow::Error::msg)?;
    let options = Options { scenarios: Some(vec![scenario]), ..Options::default() };
    let sink: Sink = Arc::new(|_| ());
    let report =
        runtime()?.block_on(conformance::run_with(reach.target(url)?, options, sink, Stop::default()));
    let look = terminal::Look { detail: terminal::Detail::Verbose, color: false };
    print!("{}", terminal::render(&report.events, look));
    Ok(report.exit_status())
}

/// Says which product an endpoint behaves like.
pub(super) fn identify(url: &str, reach: &ReachArgs, as_json: bool) -> anyhow::Result<u8> {
    let target = reach.target(url)?;
    let book = identify::book()?;
    let answers = runtime()?
        .block_on(identify::ask(&target, &book))
        .with_context(|| format!("{} does not answer", target.address()))?;
    let identity = identify::judge(&book, &answers);
    if as_json {
        print(&format!("{:#}\n", identity.to_json()));
    } else {
        print(&identity.to_text());
    }
    Ok(identity.exit_status())
}

/// Lists or removes what earlier runs left behind.
pub(super) fn sweep(url: &str, run: Option<&str>, remove: bool, reach: &ReachArgs) -> anyhow::Result<u8> {
    let target = reach.target(url)?;
    wait_for(async {
        probe::speaks(&target, probe::FIRST_ANSWER).await?;
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
