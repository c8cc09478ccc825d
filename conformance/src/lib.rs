//! Says, requirement by requirement, whether an endpoint speaks the Operations API.
//!
//! A run probes the target, tells it stories (scenarios, which are data, and contract checks, which are generated
//! from the schemas), each under names of its own, removes what it made, and reports. Nothing here knows how any
//! server works inside.
//!
//! ```no_run
//! # async fn example() {
//! let report = conformance::run("http://admin:password@127.0.0.1:9925").await;
//! report.assert_conforms();
//! # }
//! ```

pub mod baseline;
pub mod checks;
pub mod cluster;
pub mod compare;
pub mod diff;
pub mod durability;
pub mod event;
pub mod farm;
pub mod histories;
pub mod identify;
pub mod import;
mod laws;
pub mod layout;
mod listener;
pub mod matcher;
pub mod pointer;
pub mod probe;
pub mod programs;
pub mod properties;
pub mod record;
pub mod report;
pub mod runner;
pub mod scenario;
pub mod secrets;
pub mod selftest;
pub mod services;
pub mod sets;
pub mod setups;
pub mod side_by_side;
pub mod spawn;
pub mod sweep;
pub mod target;
pub mod tokens;
pub mod verdict;

pub use runner::{Options, Sink, Stop};
pub use scenario::Profile;
pub use target::{Credentials, Reach, Target};

use event::{Event, Finished, Planned, RequirementNote, Started};
use report::{Summary, terminal};
use runner::{Plan, Run, Settle};
use scenario::{Errors, Level, LoadError, Names, Suite};
use services::Services;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Everything that a run brought to light.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The events in the order they happened.
    pub events: Vec<Event>,
    /// The answers to compared requests.
    pub answers: runner::Answers,
}

impl Report {
    /// 0: everything required passed and something ran; 1: something failed; 2: the run could not be done.
    pub fn exit_status(&self) -> u8 {
        Summary::new(&self.events).exit_status()
    }

    /// The report as a person reads it.
    pub fn to_text(&self) -> String {
        terminal::render(&self.events, terminal::Look::default())
    }

    /// Panics with the report unless the target conforms: for tests.
    ///
    /// # Panics
    /// When it does not.
    pub fn assert_conforms(&self) {
        assert!(self.exit_status() == 0, "{}", self.to_text());
    }
}

/// All stories: the recorded and written ones, and those generated from the schemas.
///
/// # Errors
/// [`LoadError`] when one is malformed or their number is not the declared one.
pub fn suite() -> Result<Suite, LoadError> {
    let mut suite = scenario::embedded()?;
    let generated = checks::contract::scenarios(&suite.scenarios);
    suite.scenarios.extend(generated);
    suite.scenarios.extend(checks::matrix::scenarios());
    suite.scenarios.extend(properties::scenarios());
    suite.scenarios.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(suite)
}

/// Runs the whole suite against an endpoint, with the super user's name and password in its address
/// (`http://user:password@host:port`), or `admin` and `password`.
pub async fn run(url: &str) -> Report {
    let (address, admin) = split_credentials(url);
    match Target::new(&address, admin, Reach::default()) {
        Ok(target) => run_with(target, Options::default(), Arc::new(|_| ()), Stop::default()).await,
        Err(error) => could_not(Vec::new(), error.to_string(), Instant::now()),
    }
}

/// Takes name and password out of an address; without them they are `admin` and `password`.
pub fn split_credentials(url: &str) -> (String, Credentials) {
    let (address, admin) = take_credentials(url);
    (address, admin.unwrap_or_else(Credentials::usual))
}

/// Takes name and password out of an address, when they are there.
pub fn take_credentials(url: &str) -> (String, Option<Credentials>) {
    let inside = url.split_once("://").and_then(|(scheme, rest)| {
        let (pair, place) = rest.rsplit_once('@')?;
        Some((format!("{scheme}://{place}"), Some(Credentials::parse(pair)?)))
    });
    inside.unwrap_or_else(|| (url.to_owned(), None))
}

/// Runs what the options choose; every event goes to the sink as it happens.
pub async fn run_with(target: Target, options: Options, sink: Sink, stop: Stop) -> Report {
    let started = Instant::now();
    let names = options.names.clone().unwrap_or_else(Names::random);
    let mut run = Run::new(target, names, sink, stop);
    run.context.profile = options.profile;
    run.context.errors = options.errors.unwrap_or(options.profile.errors());
    run.set.clone_from(&options.set);
    run.with.clone_from(&options.with);
    run.with.extend(options.store_port.map(|_| services::STORE.to_owned()));
    run.cases = options.cases;
    run.seed = options.seed;
    run.baseline = Arc::clone(&options.baseline);
    run.model.clone_from(&options.model);
    run.context.others = options.model.is_some();
    run.farm.clone_from(&options.farm);
    run.spawned = options.spawned.clone().filter(|_| options.tells_durability());
    run.kills = options.kills;
    for node in &options.nodes {
        run.secrets.learn(&node.target.admin);
    }
    run.emit(Event::Started(Started {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        target: run.target.address(),
        run: run.names.run().to_owned(),
        profile: options.profile,
        errors: options.errors,
        set: options.set.as_ref().map(|set| set.name.clone()),
        seed: options.seed,
        at: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
    }));
    let suite = match told(&options) {
        Ok(suite) => suite,
        Err(error) => return finish(&run, Some(error.to_string()), started),
    };
    let findings = match probe::probe(&run.target, &run.names, options.settle).await {
        Ok(findings) => findings,
        Err(error) => return finish(&run, Some(error.to_string()), started),
    };
    run.settle = Settle {
        longest: Duration::from_millis(findings.probed.settle_ms),
        measured: Duration::from_secs_f64(findings.probed.visibility_ms / 1000.0),
    };
    run.context.roots.clone_from(&findings.roots);
    run.services = services(&run, &options).await;
    if !options.take_data {
        run.foreign.clone_from(&findings.probed.foreign);
    }
    run.had_data = findings.has_data;
    run.emit(Event::Probed(findings.probed));
    let plan = Plan::new(&suite, &options);
    run.emit(Event::Planned(Planned {
        declared: plan.declared,
        chosen: plan.chosen,
        requirements: match &options.set {
            Some(set) => set.notes(requirement_notes()),
            None => requirement_notes(),
        },
    }));
    let run = Arc::new(run);
    if options.tells_histories() {
        histories::run(&run).await;
    }
    // Before the rest, so that what it leaves is noticed.
    if !options.nodes.is_empty() {
        cluster::run(&run, &options.nodes, &options.only).await;
    }
    let beside = tokio::spawn(setups::run(Arc::clone(&run), options.clone()));
    let own_nodes = async {
        if options.nodes.is_empty() && options.tells_cluster() {
            cluster::run_own(&run, &options.only).await;
        }
    };
    tokio::join!(runner::execute(&run, &plan, options.jobs), own_nodes);
    if let Err(error) = beside.await {
        run.observe(setups::CATEGORY, format!("these could not be tried: {error}"));
    }
    shrink(&run, &options).await;
    // What is listed may differ in its wording only: where that does not count, passing says nothing.
    if run.context.errors == Errors::Wording {
        for check in run.baseline.stale() {
            run.emit(Event::Checked(Box::new(check)));
        }
    }
    let judged: HashSet<String> =
        run.checks().into_iter().filter(|check| check.kind.is_declared()).map(|check| check.id).collect();
    let error = (judged.len() != plan.chosen)
        .then(|| format!("{} checks were chosen, but {} were judged", plan.chosen, judged.len()));
    let mut report = finish(&run, error, started);
    report.answers =
        std::mem::take(&mut *run.answers.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
    report
}

/// What the harness serves to this target: what it was given, or what it starts because the target can reach it.
async fn services(run: &Run, options: &Options) -> Option<Arc<Services>> {
    if options.services.is_some() {
        return options.services.clone();
    }
    let started = match &options.reachable {
        Some(host) => Services::start(host, options.store_port.unwrap_or(0)).await,
        None if run.target.is_here() => Services::here(options.store_port.unwrap_or(0)).await,
        None => return None,
    };
    match started {
        Ok(services) => Some(Arc::new(services)),
        Err(error) => {
            run.observe("services", format!("files and objects cannot be served to the target: {error}"));
            None
        }
    }
}

/// The stories that a run may tell: those it is given, or all there are and the programs of its seed.
fn told(options: &Options) -> Result<Suite, LoadError> {
    if let Some(scenarios) = &options.scenarios {
        let mut suite = Suite::default();
        suite.scenarios.clone_from(scenarios);
        return Ok(suite);
    }
    let mut suite = suite()?;
    suite.scenarios.extend(programs::scenarios(options.seed, options.programs));
    Ok(suite)
}

/// Makes the programs that failed as short as possible, tells them and keeps them.
async fn shrink(run: &Run, options: &Options) {
    const SHRUNK: usize = 3;
    let failed: BTreeSet<String> = run
        .events()
        .into_iter()
        .filter_map(|event| match event {
            Event::Checked(check)
                if check.kind == event::Kind::Program && check.verdict == verdict::Verdict::Fail =>
            {
                Some(check.id.split('#').next().unwrap_or_default().to_owned())
            }
            _ => None,
        })
        .collect();
    for id in failed.into_iter().take(SHRUNK) {
        let Some(found) = programs::shortest(run, options.seed, &id).await else { continue };
        let kept = options.failures.as_ref().map(|folder| {
            let file = folder.join(format!("{}-seed-{}.json", id.replace('/', "-"), options.seed));
            let text = serde_json::to_value(&found.scenario)
                .map(|value| layout::to_text(&value))
                .unwrap_or_default();
            match std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&file, text)) {
                Ok(()) => format!(" kept in {},", file.display()),
                Err(error) => format!(" could not be kept in {} ({error}),", file.display()),
            }
        });
        let text = format!(
            "the shortest failing program has {} steps,{} and is\n{}",
            found.scenario.steps.len(),
            kept.unwrap_or_default(),
            found.script
        );
        run.observe(&id, text);
    }
}

fn finish(run: &Run, error: Option<String>, started: Instant) -> Report {
    let events = run.events();
    let mut verdicts: BTreeMap<String, usize> = BTreeMap::new();
    for event in &events {
        if let Event::Checked(check) = event {
            *verdicts.entry(check.verdict.word().to_owned()).or_default() += 1;
        }
    }
    run.emit(Event::Finished(Finished {
        verdicts,
        millis: started.elapsed().as_secs_f64() * 1000.0,
        interrupted: run.stop.stopped(),
        error,
    }));
    Report { events: run.events(), ..Report::default() }
}

fn could_not(mut events: Vec<Event>, error: String, started: Instant) -> Report {
    let millis = started.elapsed().as_secs_f64() * 1000.0;
    events.push(Event::Finished(Finished { millis, error: Some(error), ..Finished::default() }));
    Report { events, ..Report::default() }
}

/// Every requirement of the contract, as reports show it.
pub fn requirement_notes() -> Vec<RequirementNote> {
    let registry = spec::registry();
    let owners: BTreeMap<&str, &str> = registry
        .operations()
        .iter()
        .flat_map(|operation| operation.requirements.iter().map(|r| (r.id.as_str(), operation.name.as_str())))
        .collect();
    registry
        .requirements()
        .map(|requirement| RequirementNote {
            id: requirement.id.clone(),
            level: match requirement.level {
                spec::Level::Must => Level::Must,
                spec::Level::Should => Level::Should,
                spec::Level::May => Level::May,
            },
            text: requirement.text.clone(),
            operation: owners.get(requirement.id.as_str()).map(|name| (*name).to_owned()),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_may_stand_in_the_address() {
        let (address, admin) = split_credentials("http://kim:a@b:c@127.0.0.1:9925");
        assert_eq!(address, "http://127.0.0.1:9925");
        assert_eq!((admin.username.as_str(), admin.password.as_str()), ("kim", "a@b:c"));
        assert_eq!(split_credentials("http://127.0.0.1:9925").1.username, "admin");
    }
}
