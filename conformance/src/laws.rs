//! Checks that are written as code: one thing that must hold, and what a run makes of it.

use crate::event::{Checked, Event, Kind};
use crate::report::curl;
use crate::runner::{Caller, Run};
use crate::scenario::Level;
use crate::target::{Exchange, Target};
use crate::verdict::Verdict;
use std::time::{Duration, Instant};

/// One thing that must hold.
pub(crate) struct Law {
    /// The last part of the check's id.
    pub step: &'static str,
    /// What it shows, in a few words.
    pub title: &'static str,
    /// The operation it bears on.
    pub operation: &'static str,
    /// The requirements it bears on.
    pub requirements: &'static [&'static str],
    /// What the documents promise is MUST; what a careful user expects is SHOULD.
    pub level: Level,
}

/// What shows that a law is broken: a sentence, and an exchange that proves it. None when it holds.
pub(crate) type Fault = Option<(String, Option<Exchange>)>;

/// Why a law could not be tried.
pub(crate) type Refusal = (Verdict, String);

/// What came of trying a law; or why it could not be tried.
pub(crate) type Tried = Result<Fault, Refusal>;

/// Something that has to work first does not.
pub(crate) fn blocked(reason: impl Into<String>) -> Refusal {
    (Verdict::Blocked, reason.into())
}

/// The target does not offer what it takes.
pub(crate) fn unsupported(reason: impl Into<String>) -> Refusal {
    (Verdict::Unsupported, reason.into())
}

/// The run was stopped before.
pub(crate) fn stopped() -> Refusal {
    (Verdict::NotRun, "the run was stopped".to_owned())
}

/// What came of an exchange, in words.
pub(crate) fn told(run: &Run, exchange: &Exchange) -> String {
    match (&exchange.answer, &exchange.fault) {
        (Some(answer), _) => format!("{} {}", answer.status, run.secrets.value(&answer.body)),
        (None, Some(fault)) => fault.to_string(),
        (None, None) => "nothing".to_owned(),
    }
}

/// A law of what every implementation owes.
pub(crate) const fn must(
    step: &'static str,
    title: &'static str,
    operation: &'static str,
    requirements: &'static [&'static str],
) -> Law {
    Law { step, title, operation, requirements, level: Level::Must }
}

/// A law of what a careful user expects.
pub(crate) const fn should(
    step: &'static str,
    title: &'static str,
    operation: &'static str,
    requirements: &'static [&'static str],
) -> Law {
    Law { step, title, operation, requirements, level: Level::Should }
}

impl Law {
    /// The id of its check in a story.
    pub(crate) fn id(&self, story: &str) -> String {
        format!("{story}#{}", self.step)
    }

    /// Tries it, unless the run was stopped, and tells what came of it. The target is where its exchanges were made.
    pub(crate) async fn judge(
        &self,
        run: &Run,
        target: &Target,
        story: &str,
        work: impl Future<Output = Tried>,
    ) {
        let started = Instant::now();
        let tried = match run.stop.stopped() {
            true => Err(stopped()),
            false => work.await,
        };
        self.tell(run, target, story, tried, started.elapsed());
    }

    /// Tells what came of trying it.
    pub(crate) fn tell(&self, run: &Run, target: &Target, story: &str, tried: Tried, took: Duration) {
        let mut check = Checked {
            operation: Some(self.operation.to_owned()),
            requirements: self.requirements.iter().map(|id| (*id).to_owned()).collect(),
            level: self.level,
            millis: took.as_secs_f64() * 1000.0,
            ..Checked::new(Kind::History, self.id(story), self.title)
        };
        match tried {
            Err((verdict, reason)) => (check.verdict, check.reason) = (verdict, Some(reason)),
            Ok(None) => check.verdict = Verdict::Pass,
            Ok(Some((sentence, exchange))) => {
                check.differing(run.context.profile);
                check.reason = Some(sentence);
                let line = |e: &Exchange| curl::line(target, &Caller::Admin, &e.request);
                check.curl = exchange.as_ref().map(line);
                check.exchange = exchange.map(|exchange| run.secrets.exchange(&exchange));
            }
        }
        run.emit(Event::Checked(Box::new(check)));
    }
}
