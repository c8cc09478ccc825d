//! Telling one story: setup, compared steps, and teardown whatever happened.

use super::settle::{Change, Pending};
use super::{MATRIX, Run, Sight, Taken, Unit, all};
use crate::diff::Difference;
use crate::event::Checked;
use crate::matcher::{self, Context};
use crate::pointer;
use crate::properties::{self, PROPERTIES};
use crate::report::curl;
use crate::scenario::{Expected, Missing, Scenario, Step, Vars, rename};
use crate::target::{Answer, Fault};
use crate::verdict::Verdict;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a step with `until` may take when it does not say.
const UNTIL: Duration = Duration::from_secs(15);

/// Why the rest of a story says nothing.
#[derive(Clone, Debug)]
enum Halt {
    /// The target does not offer an operation that the rest needs.
    Declined(String),
    /// Something that had to come first went wrong.
    Broken(String),
    /// The run was stopped.
    Stopped,
}

impl Halt {
    fn verdict(&self) -> Verdict {
        match self {
            Halt::Declined(_) => Verdict::Unsupported,
            Halt::Broken(_) => Verdict::Blocked,
            Halt::Stopped => Verdict::NotRun,
        }
    }

    fn reason(&self) -> &str {
        match self {
            Halt::Declined(reason) | Halt::Broken(reason) => reason,
            Halt::Stopped => "the run was stopped",
        }
    }
}

struct Telling<'a> {
    run: &'a Run,
    /// What marks the names of this story.
    suffix: String,
    scenario: Scenario,
    vars: Vars,
    pending: Mutex<Pending>,
    /// Earlier answers, for steps that must be answered alike.
    answers: HashMap<String, Answer>,
}

/// Tells a story under names of its own and judges every check it declares.
pub async fn tell(run: &Run, unit: &Unit, number: usize) -> Vec<Checked> {
    let scenario = &unit.scenario;
    let profile = run.context.profile;
    if let Some(need) = run.lacks(scenario) {
        let reason = run.why_not(need);
        return all(unit, profile, Verdict::Unsupported, &reason);
    }
    if let Some(taken) = scenario.takes.iter().find(|name| run.foreign.contains(name)) {
        let reason =
            format!("the database '{taken}' holds tables that are not the harness's (--take-data uses it)");
        return all(unit, profile, Verdict::Blocked, &reason);
    }
    let suffix = run.names.suffix(number);
    let mut vars = run.vars();
    // Parts a name from what follows it, so that it is still seen as a name: `shop${empty}_table`.
    vars.set("empty", serde_json::Value::from(""));
    let mut telling = Telling {
        run,
        scenario: rename(scenario, &suffix),
        suffix,
        vars,
        pending: Mutex::default(),
        answers: HashMap::new(),
    };
    let checks = telling.tell(unit.declared(profile)).await;
    telling.teardown().await;
    checks
}

impl Telling<'_> {
    async fn tell(&mut self, declared: Vec<Checked>) -> Vec<Checked> {
        let mut halt = self.setup().await.err();
        if halt.is_none() && self.scenario.category() == PROPERTIES {
            return properties::judge(self.run, &self.suffix, declared).await;
        }
        let mut declared = declared.into_iter().peekable();
        let mut done = Vec::new();
        let steps = self.scenario.steps.clone();
        for step in &steps {
            if self.run.stop.stopped() {
                halt.get_or_insert(Halt::Stopped);
            }
            let id = self.scenario.check_id(step);
            let check = declared.next_if(|check| check.id == id);
            if let Some(halt) = &halt {
                done.extend(check.map(|mut check| {
                    check.verdict = halt.verdict();
                    check.reason = Some(halt.reason().to_owned());
                    check
                }));
                continue;
            }
            match check {
                Some(mut check) => {
                    halt = self.check(step, &mut check).await;
                    done.push(check);
                }
                None => halt = self.pass_through(step).await,
            }
        }
        done.extend(declared);
        done
    }

    async fn setup(&mut self) -> Result<(), Halt> {
        let steps = self.scenario.setup.clone();
        for step in &steps {
            if self.run.stop.stopped() {
                return Err(Halt::Stopped);
            }
            if let Some(seconds) = step.sleep {
                self.pause(seconds).await;
                continue;
            }
            let wanted = step.response.as_ref().map(|expected| expected.status);
            let fine = |answer: &Answer| {
                step.may_fail || wanted.map_or(answer.status < 400, |status| status == answer.status)
            };
            let title = step.title();
            let started = Instant::now();
            let taken = loop {
                let taken = self.repeat(step, &|taken| taken.answer().is_some_and(fine)).await;
                // What is being started again may not be there for a moment.
                let is_away = self.scenario.disruptive
                    && taken.as_ref().is_ok_and(|t| matches!(t.exchange.fault, Some(Fault::Connect(_))));
                if !is_away || self.run.stop.stopped() || started.elapsed() > UNTIL {
                    break taken;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            };
            let taken = taken.map_err(|missing| Halt::Broken(format!("setup '{title}': {missing}")))?;
            let Some(answer) = taken.answer() else {
                let fault = taken.exchange.fault.map(|fault| fault.to_string()).unwrap_or_default();
                return Err(Halt::Broken(format!("setup '{title}': {fault}")));
            };
            if let Some(operation) =
                step.operation().filter(|operation| declines(answer, operation) && !step.may_fail)
            {
                return Err(Halt::Declined(format!("the target does not offer '{operation}'")));
            }
            if !fine(answer) {
                let body = self.run.secrets.value(&answer.body);
                return Err(Halt::Broken(format!("setup '{title}' was answered {} {body}", answer.status)));
            }
            self.save(step, answer).map_err(|text| Halt::Broken(format!("setup '{title}': {text}")))?;
        }
        Ok(())
    }

    /// Takes a step that is compared. What comes back is why the rest of the story cannot be told.
    async fn check(&mut self, step: &Step, check: &mut Checked) -> Option<Halt> {
        let started = Instant::now();
        let expected = match self.expected(step, &check.id) {
            Ok(expected) => expected,
            Err(missing) => {
                check.verdict = Verdict::Blocked;
                check.reason = Some(format!("an earlier step failed: {missing}"));
                return None;
            }
        };
        if step.who.as_deref() == Some("nobody") && expected.status == 401 && self.run.trusts_anybody() {
            check.verdict = Verdict::Unsupported;
            check.reason = Some("here a request without credentials acts as the super user".to_owned());
            return None;
        }
        let taken = self
            .repeat(step, &|taken| differences(&expected, step, taken, &self.run.context).is_empty())
            .await;
        check.millis = started.elapsed().as_secs_f64() * 1000.0;
        let taken = match taken {
            Ok(taken) => taken,
            Err(missing) => {
                check.verdict = Verdict::Blocked;
                check.reason = Some(format!("an earlier step failed: {missing}"));
                return None;
            }
        };
        // Where nobody listens, nothing is learnt of what would be answered, unless being there again is the point.
        if let (Some(Fault::Connect(_)), false) = (&taken.exchange.fault, self.scenario.disruptive) {
            check.verdict = Verdict::Blocked;
            check.reason = taken.exchange.fault.as_ref().map(ToString::to_string);
            return None;
        }
        let declined = step.operation().filter(|operation| {
            let expects_it = expected.status == 501
                || expected
                    .body
                    .as_ref()
                    .is_some_and(|body| body["error"] == format!("Operation '{operation}' not found"));
            !expects_it && taken.answer().is_some_and(|answer| declines(answer, operation))
        });
        if let Some(operation) = declined {
            check.verdict = Verdict::Unsupported;
            check.reason = Some(format!("the target does not offer '{operation}'"));
            return self.without(step, &operation);
        }
        let differences = differences(&expected, step, &taken, &self.run.context);
        if let Some(witness) = &self.run.witness {
            witness(&Sight {
                check: &check.id,
                step,
                expected: &expected,
                taken: &taken,
                context: &self.run.context,
            });
        }
        if differences.is_empty() {
            check.verdict = Verdict::Pass;
        } else {
            check.differing(self.run.context.profile);
            check.reason = taken.exchange.fault.as_ref().map(ToString::to_string);
            check.differences = differences.iter().map(|d| self.run.secrets.difference(d)).collect();
            check.curl = Some(curl::line(&self.run.target, &taken.caller, &taken.exchange.request));
            check.exchange = Some(self.run.secrets.exchange(&taken.exchange));
        }
        if let Some(answer) = taken.answer() {
            self.run.answered(&check.id, answer);
            self.answers.extend(step.id.clone().map(|id| (id, answer.clone())));
            // A value that is not there is missed by the steps that use it; they say so. In an answer that is right,
            // nothing is what belongs there.
            let absent = self.save(step, answer).is_err() && check.verdict == Verdict::Pass;
            if absent {
                step.save.keys().for_each(|name| self.vars.set_absent(name));
            }
        }
        None
    }

    /// Takes a step that is not compared in this run.
    async fn pass_through(&mut self, step: &Step) -> Option<Halt> {
        if let Some(seconds) = step.sleep {
            self.pause(seconds).await;
            return None;
        }
        let taken = self.repeat(step, &|_| true).await.ok()?;
        let answer = taken.answer()?;
        if let Some(operation) = step.operation().filter(|operation| declines(answer, operation)) {
            return self.without(step, &operation);
        }
        self.answers.extend(step.id.clone().map(|id| (id, answer.clone())));
        let _ = self.save(step, answer);
        None
    }

    /// What follows from an operation that is not offered: nothing, when it only reads.
    fn without(&self, step: &Step, operation: &str) -> Option<Halt> {
        // In the matrix no step builds on another one.
        if self.scenario.category() == MATRIX {
            return None;
        }
        let reads = match operation {
            "sql" => step.request.as_ref().and_then(|request| request["sql"].as_str()).is_some_and(is_select),
            _ => Change::of(operation) == Change::None && step.save.is_empty(),
        };
        (!reads)
            .then(|| Halt::Declined(format!("the target does not offer '{operation}', which came before")))
    }

    /// Takes a step, again and again while it waits for something (`until`) or while an earlier change may not be
    /// visible yet.
    async fn repeat(&self, step: &Step, good: &(dyn Fn(&Taken) -> bool + Sync)) -> Result<Taken, Missing> {
        let run = self.run;
        let change = step.operation().map_or(Change::None, |operation| Change::of(&operation));
        let expected = step.response.as_ref().map(|expected| expected.status);
        if let Some(wait) = self.pending().head_start(run.settle, change, expected) {
            tokio::time::sleep(wait).await;
        }
        let started = Instant::now();
        let patience = step.within.map_or(UNTIL, Duration::from_secs_f64).min(run.patience);
        let mut interval = Duration::from_millis(10);
        let mut again = false;
        loop {
            let taken = run.take(step, &self.scenario, &self.vars).await?;
            let ready = step.until.is_empty()
                || taken.answer().is_none_or(|answer| reached(step, answer) || answer.status == 501)
                || started.elapsed() > patience;
            if ready
                && (good(&taken)
                    || step.immediate
                    || !self.pending().may_repeat(run.settle, change, taken.answer()))
            {
                if taken.answer().is_some_and(|answer| answer.status < 400) {
                    self.pending.lock().unwrap_or_else(PoisonError::into_inner).changed(change);
                }
                if let (true, Some(since)) = (again && good(&taken), self.pending().since()) {
                    let millis = since.elapsed().as_millis();
                    let text = format!("an earlier change was visible only after about {millis} ms");
                    run.observe(&self.scenario.check_id(step), text);
                }
                return Ok(taken);
            }
            again = ready;
            if run.stop.stopped() {
                return Ok(taken);
            }
            tokio::time::sleep(interval).await;
            interval = (interval * 3 / 2).min(Duration::from_millis(250));
        }
    }

    /// The changes so far that may not be visible yet.
    fn pending(&self) -> Pending {
        *self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The expectation with the saved values in it.
    fn expected(&self, step: &Step, id: &str) -> Result<Expected, Missing> {
        if let Some(model) = &self.run.model {
            let answer = model.get(id).ok_or_else(|| Missing("what the other target answers".to_owned()))?;
            let mut expected = self.like(answer);
            if let (true, Some(asked)) =
                (step.compare.subset, step.response.as_ref().and_then(|r| r.body.as_ref()))
            {
                expected.body = expected.body.map(|body| within(body, asked));
            }
            return Ok(expected);
        }
        if let Some(id) = &step.same_as {
            return Ok(self.like(self.answers.get(id).ok_or_else(|| Missing(id.clone()))?));
        }
        let Some(mut expected) = step.response.clone() else {
            return Err(Missing("response".to_owned()));
        };
        if let Some(body) = &expected.body {
            // Saved values are compared as what is left of them once volatile values are masked.
            let body = self.vars.value(body)?;
            let masked = crate::tokens::mask(&body, &self.run.context.roots);
            expected.body = Some(pointer::restored(masked, &body, &step.compare.exact));
        }
        if let Some(text) = &expected.text {
            expected.text = Some(self.vars.text(text)?);
        }
        for value in expected.headers.values_mut().flatten() {
            *value = self.vars.text(value)?;
        }
        Ok(expected)
    }

    /// The expectation of an answer like another one.
    fn like(&self, answer: &Answer) -> Expected {
        Expected {
            content_type: Some(answer.content_type()),
            body: Some(crate::tokens::mask(&answer.body, &self.run.context.roots)),
            form: answer.form,
            ..Expected::status(answer.status)
        }
    }

    fn save(&mut self, step: &Step, answer: &Answer) -> Result<(), String> {
        let mut absent = None;
        for (name, path) in &step.save {
            let saved = match path.strip_prefix("header:") {
                Some(header) => match answer.header(header).and_then(|value| value.split(';').next()) {
                    Some(value) => self.vars.save(name, &serde_json::Value::from(value), ""),
                    None => false,
                },
                None => self.vars.save(name, &answer.body, path),
            };
            if !saved {
                absent
                    .get_or_insert_with(|| format!("the answer has nothing at '{path}' to save as '{name}'"));
            }
        }
        absent.map_or(Ok(()), Err)
    }

    /// Waits as a step says; for restarts only briefly where they are known to be quick.
    async fn pause(&self, seconds: f64) {
        const LONGEST: f64 = 60.0;
        const BRIEF: f64 = 3.0;
        let quick = self.scenario.disruptive && self.run.offers("quick-restart");
        let longest = if quick { BRIEF } else { LONGEST };
        const TICK: Duration = Duration::from_millis(100);
        let mut left = Duration::from_secs_f64(seconds.clamp(0.0, longest));
        while !left.is_zero() && !self.run.stop.stopped() {
            tokio::time::sleep(left.min(TICK)).await;
            left = left.saturating_sub(TICK);
        }
    }

    /// Drops what was made. What cannot be dropped is found when the run ends.
    async fn teardown(&mut self) {
        let steps = self.scenario.teardown.clone();
        for step in &steps {
            if let Some(seconds) = step.sleep {
                self.pause(seconds).await;
                continue;
            }
            let gone = |taken: &Taken| taken.answer().is_some_and(|a| a.status < 400 || a.status == 404);
            let _ = self.repeat(step, &gone).await;
        }
    }
}

/// Of a value only the members that another one has.
fn within(value: Value, outline: &Value) -> Value {
    match (value, outline) {
        (Value::Object(members), Value::Object(outline)) => members
            .into_iter()
            .filter_map(|(name, member)| Some((name.clone(), within(member, outline.get(&name)?))))
            .collect(),
        (value, _) => value,
    }
}

/// Where what came is not what was expected.
pub fn differences(expected: &Expected, step: &Step, taken: &Taken, context: &Context) -> Vec<Difference> {
    let mut found = Vec::new();
    if let Some(closed) = expected.closed.filter(|closed| Some(*closed) != taken.closed) {
        found.push(Difference::new("closed", closed, taken.closed.unwrap_or_default()));
    }
    if let Some(wire) = step.wire.as_ref().filter(|wire| wire.answers != taken.answers) {
        found.push(Difference::new("answers", wire.answers, taken.answers));
    }
    match taken.answer() {
        Some(answer) => found.extend(matcher::compare(expected, answer, &step.compare, context)),
        None => found.push(Difference {
            place: "status".to_owned(),
            expected: Some(expected.status.into()),
            actual: None,
        }),
    }
    found
}

/// True when the target says that it does not offer an operation of the contract.
fn declines(answer: &Answer, operation: &str) -> bool {
    answer.declines(operation) && spec::registry().index_of(operation).is_some()
}

fn reached(step: &Step, answer: &Answer) -> bool {
    step.until
        .iter()
        .all(|(path, values)| pointer::get(&answer.body, path).is_some_and(|value| values.contains(value)))
}

fn is_select(statement: &str) -> bool {
    statement.trim_start().get(..6).is_some_and(|verb| verb.eq_ignore_ascii_case("select"))
}
