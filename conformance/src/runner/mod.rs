//! One run: what is shared by all its checks, and the order in which they go.

mod cleanup;
pub mod leftovers;
mod plan;
mod schedule;
mod settle;
mod story;
mod take;

pub use plan::{CONTRACT, MATRIX, Plan, Unit};
pub use schedule::execute;
pub use settle::Settle;
pub use story::{differences, tell};
pub use take::{Caller, Taken};

use crate::baseline::Baseline;
use crate::checks::Seen;
use crate::cluster::Node;
use crate::event::{Checked, Event, Observed};
use crate::farm::{Farm, Instance};
use crate::matcher::Context;
use crate::scenario::{Errors, Expected, Names, Profile, Scenario, Step};
use crate::secrets::Secrets;
use crate::services::{self, Services};
use crate::sets::Set;
use crate::spawn::Spawned;
use crate::target::{Answer, Fault, Place, Target};
use crate::verdict::Verdict;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What a user may choose about a run.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many stories are told at once.
    pub jobs: usize,
    /// How long to wait for changes of structure to be visible; by default the probe decides.
    pub settle: Option<Duration>,
    /// How much is demanded.
    pub profile: Profile,
    /// Only checks whose id, operation or requirement holds one of these texts.
    pub only: Vec<String>,
    /// Only checks of these categories.
    pub categories: Vec<String>,
    /// What the target is known to be set up for: scenarios that need it are told.
    pub with: Vec<String>,
    /// The name or address by which the target reaches this machine; not needed when it is on it.
    pub reachable: Option<String>,
    /// The port on which a store of objects is served to a target that was set up for it.
    pub store_port: Option<u16>,
    /// What is served to the target; started when the target can reach it.
    pub services: Option<Arc<Services>>,
    /// Starts further instances of the target for scenarios that need it set up otherwise, or disturb it.
    pub farm: Option<Arc<dyn Farm>>,
    /// Use the shared database `data` even when it holds tables of others.
    pub take_data: bool,
    /// How many random cases of each property are tried.
    pub cases: u32,
    /// What marks the names of this run; random by default.
    pub names: Option<Names>,
    /// Divergences that are known.
    pub baseline: Arc<Baseline>,
    /// What random programs are drawn from.
    pub seed: u64,
    /// How many random programs are told.
    pub programs: usize,
    /// Told in place of the suite.
    pub scenarios: Option<Vec<Scenario>>,
    /// Where programs that fail are kept.
    pub failures: Option<PathBuf>,
    /// What another target answered, by check: expected in place of what the scenarios say.
    pub model: Option<Arc<Answers>>,
    /// How strictly errors are compared; by default the profile decides.
    pub errors: Option<Errors>,
    /// The frozen set of requirements that is demanded, in place of all.
    pub set: Option<Arc<Set>>,
    /// The target, when the harness started it: it may be killed.
    pub spawned: Option<Arc<Spawned>>,
    /// How often such a target is killed.
    pub kills: usize,
    /// The other nodes of a cluster that the target is, or is to be, a node of.
    pub nodes: Vec<Node>,
}

/// How many random cases of each property are tried unless told otherwise: enough to notice, few enough for every run.
pub const CASES: u32 = 3;

impl Default for Options {
    fn default() -> Self {
        Options {
            jobs: 8,
            settle: None,
            profile: Profile::Full,
            only: Vec::new(),
            categories: Vec::new(),
            with: Vec::new(),
            reachable: None,
            store_port: None,
            services: None,
            farm: None,
            take_data: false,
            cases: CASES,
            names: None,
            baseline: Arc::default(),
            seed: rand::random(),
            programs: crate::programs::DEFAULT,
            scenarios: None,
            failures: None,
            model: None,
            errors: None,
            set: None,
            spawned: None,
            kills: crate::durability::KILLS,
            nodes: Vec::new(),
        }
    }
}

impl Options {
    /// True when histories of several writers belong to the run: the whole suite, or what was asked for by name.
    pub fn tells_histories(&self) -> bool {
        self.tells(crate::histories::CATEGORY)
    }

    /// True when laws among several nodes belong to the run.
    pub fn tells_cluster(&self) -> bool {
        let named = self.only.is_empty() || crate::cluster::laws().any(|law| law.is_meant(&self.only));
        named && self.tells_laws(crate::cluster::CATEGORY)
    }

    /// True when a target that the harness started is to be killed.
    pub fn tells_durability(&self) -> bool {
        self.tells(crate::durability::CATEGORY)
    }

    fn tells(&self, category: &str) -> bool {
        let named = self.only.is_empty() || self.only.iter().any(|text| category.contains(text.as_str()));
        named && self.tells_laws(category)
    }

    /// True when laws of a category belong to the run, unless it asks for others by name.
    pub(crate) fn tells_laws(&self, category: &str) -> bool {
        let chosen = self.categories.is_empty() || self.categories.iter().any(|name| name == category);
        chosen && self.profile > Profile::Core && self.scenarios.is_none() && self.model.is_none()
    }
}

/// The last answer to each check's request, by the check's id.
pub type Answers = HashMap<String, Answer>;

/// Receives every event as it happens.
pub type Sink = Arc<dyn Fn(&Event) + Send + Sync>;

/// One comparison as it is made: what was expected of a step, and what came.
#[derive(Clone, Copy, Debug)]
pub struct Sight<'a> {
    /// `category/name#step`.
    pub check: &'a str,
    /// The step, with the names of this run.
    pub step: &'a Step,
    /// What was expected.
    pub expected: &'a Expected,
    /// What came.
    pub taken: &'a Taken,
    /// What the comparison depends on.
    pub context: &'a Context,
}

/// Sees every comparison as it is made.
pub type Witness = Arc<dyn Fn(&Sight<'_>) + Send + Sync>;

/// Stops a run early; what was made is still removed.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Asks the run to end.
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// True once the run should end.
    pub fn stopped(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// What scenarios need that restart or reconfigure the target, or look at all of its components and settings.
pub(crate) const FRESH: &str = "fresh";

/// After so many exchanges in a row that brought nothing the target counts as gone.
const GONE_AFTER: usize = 20;

/// An answer that was waited for in vain counts as so many: each costs a minute.
const IN_VAIN: usize = 5;

/// What all checks of one run share.
pub struct Run {
    /// The endpoint.
    pub target: Target,
    /// The run's own names.
    pub names: Names,
    /// What comparisons depend on.
    pub context: Context,
    /// How long changes of structure may take to be visible.
    pub settle: Settle,
    /// What reports must not show.
    pub secrets: Secrets,
    /// Shared databases that hold tables of others.
    pub foreign: Vec<String>,
    /// What the target is known to be set up for.
    pub with: Vec<String>,
    /// What is served to the target.
    pub services: Option<Arc<Services>>,
    /// Starts further instances of the target.
    pub farm: Option<Arc<dyn Farm>>,
    /// No step is repeated for longer, whatever it says.
    pub patience: Duration,
    /// How many random cases of each property are tried.
    pub cases: u32,
    /// What the random cases are made of.
    pub seed: u64,
    /// True when the shared database `data` was there beforehand.
    pub had_data: bool,
    /// Every answer seen, for the checks that look at all of them.
    pub seen: Arc<Seen>,
    /// Divergences that are known.
    pub baseline: Arc<Baseline>,
    /// What is expected in place of what the scenarios say.
    pub model: Option<Arc<Answers>>,
    /// The answers to compared requests, for a later run to be held against.
    pub answers: Arc<Mutex<Answers>>,
    /// The frozen set of requirements that is demanded, in place of all.
    pub set: Option<Arc<Set>>,
    /// The target, when it may be killed.
    pub spawned: Option<Arc<Spawned>>,
    /// How often it is.
    pub kills: usize,
    /// Sees every comparison.
    pub witness: Option<Witness>,
    /// Ends the run early.
    pub stop: Stop,
    unreachable: AtomicUsize,
    events: Mutex<Vec<Event>>,
    sink: Sink,
}

impl Run {
    /// A run that has not begun.
    pub fn new(target: Target, names: Names, sink: Sink, stop: Stop) -> Self {
        let secrets = Secrets::of(&target.admin);
        Run {
            target,
            names,
            context: Context::default(),
            settle: Settle::default(),
            secrets,
            foreign: Vec::new(),
            with: Vec::new(),
            services: None,
            farm: None,
            patience: Duration::MAX,
            cases: CASES,
            seed: 0,
            had_data: true,
            seen: Arc::default(),
            baseline: Arc::default(),
            model: None,
            answers: Arc::default(),
            set: None,
            spawned: None,
            kills: 0,
            witness: None,
            stop,
            unreachable: AtomicUsize::new(0),
            events: Mutex::new(Vec::new()),
            sink,
        }
    }

    /// The same run on another instance, set up for what a scenario needs: what is judged and seen there belongs to
    /// this run.
    pub(crate) fn on(self: &Arc<Self>, instance: &dyn Instance, need: &str) -> Run {
        let main = Arc::clone(self);
        let sink: Sink = Arc::new(move |event| {
            if matches!(event, Event::Observed(_) | Event::Checked(_)) {
                main.emit(event.clone());
            }
        });
        let mut run = Run::new(instance.target().clone(), self.names.clone(), sink, self.stop.clone());
        run.context = self.context.clone();
        run.context.roots = vec![instance.root()];
        run.settle = self.settle;
        run.with = vec![need.to_owned(), "fresh".to_owned(), "quick-restart".to_owned()];
        run.services = instance.services();
        run.with.extend(run.services.as_ref().map(|_| services::STORE.to_owned()));
        run.cases = self.cases;
        run.seed = self.seed;
        run.had_data = false;
        run.seen = Arc::clone(&self.seen);
        run.model.clone_from(&self.model);
        run.answers = Arc::clone(&self.answers);
        run.witness.clone_from(&self.witness);
        run
    }

    /// Adds to the stream of events. Exchanges have lost their secrets before; texts lose them here.
    pub fn emit(&self, mut event: Event) {
        match &mut event {
            Event::Checked(check) => {
                if let Some(set) = &self.set {
                    if !set.wants(check) {
                        return;
                    }
                    set.judge(check, self.context.profile);
                }
                self.baseline.judge(check);
                check.reason = check.reason.as_deref().map(|text| self.secrets.text(text));
            }
            Event::Observed(observed) => observed.text = self.secrets.text(&observed.text),
            _ => {}
        }
        (self.sink)(&event);
        self.lock().push(event);
    }

    /// Adds an observation to the stream of events.
    pub fn observe(&self, place: &str, text: impl Into<String>) {
        self.emit(Event::Observed(Observed { place: place.to_owned(), text: text.into() }));
    }

    /// Keeps what was answered to a check's request.
    pub(crate) fn answered(&self, id: &str, answer: &Answer) {
        let mut answers = self.answers.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        answers.insert(id.to_owned(), answer.clone());
    }

    /// All events so far.
    pub fn events(&self) -> Vec<Event> {
        self.lock().clone()
    }

    /// The checks judged so far.
    pub(crate) fn checks(&self) -> Vec<Checked> {
        let checks = self.events().into_iter().filter_map(|event| match event {
            Event::Checked(check) => Some(*check),
            _ => None,
        });
        checks.collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Event>> {
        self.events.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// True when the run has what a scenario needs: a way to reach the target, or a service of the harness.
    pub fn offers(&self, need: &str) -> bool {
        match need {
            "unix-socket" => matches!(self.target.place, Place::Unix(_)),
            "tcp" => matches!(self.target.place, Place::Tcp { tls: false, .. }),
            "tls" => matches!(self.target.place, Place::Tcp { tls: true, .. }),
            services::NEEDS_FILES => self.services.is_some(),
            other => self.with.iter().any(|with| with == other),
        }
    }

    /// The first thing that a scenario needs and the run does not have.
    pub(crate) fn lacks<'a>(&self, scenario: &'a Scenario) -> Option<&'a str> {
        let fresh = scenario.disruptive.then_some(FRESH);
        fresh.into_iter().chain(scenario.needs.iter().map(String::as_str)).find(|need| !self.offers(need))
    }

    /// Why scenarios that need this are not told.
    pub(crate) fn why_not(&self, need: &str) -> String {
        let how = match need {
            FRESH => "the target must be a throw-away instance that may be restarted (--with fresh)".to_owned(),
            "tcp" | "tls" | "unix-socket" => format!("this run does not reach the target by {need}"),
            services::NEEDS_FILES => {
                "the target must reach files that this program serves (--reachable HOST)".to_owned()
            }
            services::STORE => {
                "the target must be started with AWS_ENDPOINT_URL_S3=http://HOST:PORT and the run with --s3 PORT"
                    .to_owned()
            }
            "licences" => "the target must be a throw-away instance that believes licences signed with the suite's key, \
                 of which the format of scenarios tells the public half (--with licences)"
                .to_owned(),
            "local-off-by-variable" => "the target must have authentication.authorizeLocal in its file and be started \
                 with AUTHENTICATION_AUTHORIZELOCAL=false (--with local-off-by-variable)"
                .to_owned(),
            "long-log" => "the log of the target must have more than 1000 entries (--with long-log)".to_owned(),
            other => format!("the target must be set up for it (--with {other})"),
        };
        format!("it needs {need}: {how}")
    }

    /// True when a request without credentials acts as the super user there, so that none is refused for lack of them.
    pub fn trusts_anybody(&self) -> bool {
        self.offers("unix-socket") || self.offers("authorize-local")
    }

    /// Keeps count of exchanges that brought nothing; a target that is gone, or hangs, ends the run.
    fn reached(&self, fault: Option<&Fault>) {
        let weight = match fault {
            None => {
                self.unreachable.store(0, Ordering::Relaxed);
                return;
            }
            Some(Fault::Timeout(_)) => IN_VAIN,
            Some(_) => 1,
        };
        let before = self.unreachable.fetch_add(weight, Ordering::Relaxed);
        if before < GONE_AFTER && before + weight >= GONE_AFTER {
            self.observe("target", "the target no longer answers; the run ends here");
            self.stop.stop();
        }
    }
}

/// A verdict on every check of a unit, for a reason they share.
pub(crate) fn all(unit: &Unit, profile: Profile, verdict: Verdict, reason: &str) -> Vec<Checked> {
    unit.declared(profile)
        .into_iter()
        .map(|mut checked| {
            checked.verdict = verdict;
            checked.reason = Some(reason.to_owned());
            checked
        })
        .collect()
}
