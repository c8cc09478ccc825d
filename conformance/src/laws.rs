//! Checks that are written as code: one thing that must hold, and what a run makes of it.

use crate::event::{Checked, Event, Kind};
use crate::report::curl;
use crate::runner::{Caller, Run};
use crate::scenario::Level;
use crate::target::{Exchange, Target};
use crate::verdict::Verdict;
use std::time::Instant;

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

/// What came of trying a law; or why it could not be tried.
pub(crate) type Tried = Result<Fault, (Verdict, String)>;

impl Law {
    /// The check of this law, which has not been tried.
    pub(crate) fn check(&self, kind: Kind, story: &str) -> Checked {
        Checked {
            operation: Some(self.operation.to_owned()),
            requirements: self.requirements.iter().map(|id| (*id).to_owned()).collect(),
            level: self.level,
            reason: Some("the run was stopped".to_owned()),
            ..Checked::new(kind, format!("{story}#{}", self.step), self.title)
        }
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
        let mut check = self.check(Kind::History, story);
        if !run.stop.stopped() {
            match work.await {
                Err((verdict, reason)) => (check.verdict, check.reason) = (verdict, Some(reason)),
                Ok(None) => (check.verdict, check.reason) = (Verdict::Pass, None),
                Ok(Some((sentence, exchange))) => {
                    check.differing(run.context.profile);
                    check.reason = Some(sentence);
                    let line = |e: &Exchange| curl::line(target, &Caller::Admin, &e.request);
                    check.curl = exchange.as_ref().map(line);
                    check.exchange = exchange.map(|exchange| run.secrets.exchange(&exchange));
                }
            }
        }
        check.millis = started.elapsed().as_secs_f64() * 1000.0;
        run.emit(Event::Checked(Box::new(check)));
    }
}
