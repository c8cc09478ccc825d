//! `diff` and `sweep`: what talks to live endpoints without judging them.

use super::list::print;
use anyhow::Context as _;
use conformance::report::terminal;
use conformance::{Options, Reach, Sink, Stop, Target, identify, probe, side_by_side, sweep as sweeping};
use std::path::Path;
use std::sync::Arc;

pub(super) fn target(url: &str, insecure: bool) -> anyhow::Result<Target> {
    let (address, admin) = conformance::split_credentials(url);
    Ok(Target::new(&address, admin, Reach { insecure })?)
}

pub(super) fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
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

/// Tells one scenario file to an endpoint.
pub(super) fn replay(file: &Path, url: &str, insecure: bool) -> anyhow::Result<u8> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let scenario =
        serde_json::from_str(&text).with_context(|| format!("{} is no scenario", file.display()))?;
    conformance::scenario::check_scenario(&scenario).map_err(anyhow::Error::msg)?;
    let options = Options { scenarios: Some(vec![scenario]), ..Options::default() };
    let sink: Sink = Arc::new(|_| ());
    let report =
        runtime()?.block_on(conformance::run_with(target(url, insecure)?, options, sink, Stop::default()));
    let look = terminal::Look { detail: terminal::Detail::Verbose, color: false };
    print!("{}", terminal::render(&report.events, look));
    Ok(report.exit_status())
}

/// Says which product an endpoint behaves like.
pub(super) fn identify(url: &str, insecure: bool, as_json: bool) -> anyhow::Result<u8> {
    let target = target(url, insecure)?;
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
pub(super) fn sweep(url: &str, run: Option<&str>, remove: bool, insecure: bool) -> anyhow::Result<u8> {
    let target = target(url, insecure)?;
    runtime()?.block_on(async {
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
