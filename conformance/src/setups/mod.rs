//! What only servers show that are set up for it, or that one can look into: the handshakes of TLS, certificates of
//! clients, the folder of the server, what a backup holds, what outlives a kill. Each story has a server of its own,
//! and is told beside everything else.

mod authority;
mod backup;
mod door;
mod folder;
mod kills;
mod licences;
mod metrics;
mod mtls;
mod shown;

use crate::farm::{Farm, Instance};
use crate::laws::{Law, Refusal, Tried, blocked, stopped, told, unsupported};
use crate::runner::{FRESH, Options, Run};
use crate::target::{Exchange, Target};
use crate::verdict::Verdict;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, StreamExt as _};
use serde_json::Value;
use std::fmt::Display;
use std::path::PathBuf;
use std::sync::Arc;

/// The category of these checks.
pub const CATEGORY: &str = "setups";

/// How many stories are told at once.
const AT_ONCE: usize = 2;

/// What a law is tried by.
type Trial = for<'a> fn(&'a Stage<'a>) -> std::pin::Pin<Box<dyn Future<Output = Tried> + Send + 'a>>;

/// Laws that are tried one after the other on a server.
struct Story {
    name: &'static str,
    /// What the server is set up for.
    need: &'static str,
    /// Where there is no farm: whether the run's own target does.
    own_target: fn(&Run) -> Result<(), String>,
    laws: &'static [(Law, Trial)],
}

const STORIES: &[Story] = &[
    Story { name: "certificates", need: "tls", own_target: shown::may_be_tried, laws: shown::LAWS },
    Story { name: "mtls", need: "mtls", own_target: mtls::never_on_others, laws: mtls::LAWS },
    Story {
        name: "mtls-required",
        need: "mtls-required",
        own_target: mtls::never_on_others,
        laws: mtls::LAWS_WHEN_REQUIRED,
    },
    Story {
        name: "mtls-of-nobody",
        need: "mtls-of-nobody",
        own_target: mtls::never_on_others,
        laws: mtls::LAWS_OF_NOBODY,
    },
    Story {
        name: "mtls-verified",
        need: "mtls-verified",
        own_target: mtls::never_on_others,
        laws: mtls::LAWS_OF_VERIFICATION,
    },
    Story { name: "folder", need: FRESH, own_target: folder::never_on_others, laws: folder::LAWS },
    Story { name: "backup", need: FRESH, own_target: folder::never_on_others, laws: backup::LAWS },
    Story { name: "metrics", need: "quick-analytics", own_target: |_| Ok(()), laws: metrics::LAWS },
    Story { name: "licences", need: "licences", own_target: licences::may_be_tried, laws: licences::LAWS },
];

/// The requirements that these laws bear on.
pub fn requirements() -> impl Iterator<Item = &'static str> {
    let laws = STORIES.iter().flat_map(|story| story.laws).flat_map(|(law, _)| law.requirements);
    laws.chain(kills::REQUIREMENTS).copied()
}

/// Tries what is wanted: all, unless categories or texts are given that ids must hold, or operations or requirements be.
pub(crate) async fn run(run: Arc<Run>, options: Options) {
    let is_wanted = |id: &str, law: &Law| {
        let fits = |text: &String| {
            id.contains(text.as_str()) || law.operation == text || law.requirements.contains(&text.as_str())
        };
        options.only.is_empty() || options.only.iter().any(fits)
    };
    if options.tells_laws(CATEGORY) {
        try_some(&run, run.farm.as_deref(), &is_wanted).await;
    }
    if options.tells_durability() && run.spawned.is_none() {
        kills::run(&run).await;
    }
}

/// Tries the laws that are wanted.
pub(crate) async fn try_some(
    run: &Run,
    farm: Option<&dyn Farm>,
    is_wanted: &(dyn Fn(&str, &Law) -> bool + Sync),
) {
    let stories: Vec<BoxFuture<'_, ()>> =
        STORIES.iter().map(|story| tell(run, farm, story, is_wanted).boxed()).collect();
    futures_util::stream::iter(stories).buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
}

async fn tell(
    run: &Run,
    farm: Option<&dyn Farm>,
    story: &Story,
    is_wanted: &(dyn Fn(&str, &Law) -> bool + Sync),
) {
    let name = format!("{CATEGORY}/{}", story.name);
    let laws: Vec<_> = story.laws.iter().filter(|(law, _)| is_wanted(&law.id(&name), law)).collect();
    if laws.is_empty() {
        return;
    }
    let stage = if run.stop.stopped() { Err(stopped()) } else { Stage::set(run, farm, story).await };
    for (law, trial) in laws {
        let target = stage.as_ref().map_or(&run.target, |stage| &stage.target);
        let tried = async {
            match &stage {
                Ok(stage) => trial(stage).await,
                Err(refusal) => Err(refusal.clone()),
            }
        };
        law.judge(run, target, &name, tried).await;
    }
}

/// Where a story is told.
struct Stage<'a> {
    run: &'a Run,
    farm: Option<&'a dyn Farm>,
    /// The server started for the story; the run's own target otherwise.
    instance: Option<Box<dyn Instance>>,
    target: Target,
}

impl<'a> Stage<'a> {
    async fn set(run: &'a Run, farm: Option<&'a dyn Farm>, story: &Story) -> Result<Stage<'a>, Refusal> {
        let Some(farm) = farm else {
            (story.own_target)(run).map_err(unsupported)?;
            return Ok(Stage { run, farm: None, instance: None, target: run.target.clone() });
        };
        let instance = started(farm, story.need).await?;
        let target = instance.target().clone();
        Ok(Stage { run, farm: Some(farm), instance: Some(instance), target })
    }

    /// A further server.
    async fn another(&self, need: &str) -> Result<Box<dyn Instance>, Refusal> {
        match self.farm {
            Some(farm) => started(farm, need).await,
            None => Err(unsupported(self.run.why_not(need))),
        }
    }

    /// The folder of the story's server.
    fn folder(&self) -> Result<PathBuf, Refusal> {
        let instance = self.instance.as_ref();
        instance
            .map(|instance| PathBuf::from(instance.root()))
            .ok_or_else(|| blocked("the folder is unknown"))
    }

    /// Runs an operation as the super user that has to succeed for the law to be tried.
    async fn ask(&self, body: Value) -> Result<Value, Refusal> {
        ask(self.run, &self.target, body).await
    }

    /// What came of an exchange, in words.
    fn told(&self, exchange: &Exchange) -> String {
        told(self.run, exchange)
    }
}

async fn started(farm: &dyn Farm, need: &str) -> Result<Box<dyn Instance>, Refusal> {
    let started = farm.start(need).await;
    started.ok_or_else(|| unsupported(format!("no server could be started that is set up for {need}")))
}

/// Runs an operation as the super user that has to succeed for a law to be tried.
async fn ask(run: &Run, target: &Target, body: Value) -> Result<Value, Refusal> {
    let exchange = target.operate(&body).await;
    let operation = body["operation"].as_str().unwrap_or_default();
    match &exchange.answer {
        Some(answer) if answer.status == 200 => Ok(answer.body.clone()),
        Some(answer) if answer.declines(operation) => {
            Err(unsupported(format!("the target does not offer '{operation}'")))
        }
        _ => Err(blocked(format!("{operation}: {}", told(run, &exchange)))),
    }
}

/// The harness could not do its part.
fn inept(error: impl Display) -> Refusal {
    (Verdict::HarnessError, error.to_string())
}
