//! Finding and trying again, for every requirement, a check that fails when the behaviour is broken.

use super::between::Wrong;
use super::relevance::{self, SPECIFIC};
use super::spoil::spoil;
use super::{Breakage, Farm, Row, Table};
use crate::checks;
use crate::event::{Checked, Kind};
use crate::runner::{self, FRESH, Plan, Run, Sight, Unit};
use crate::scenario::{Names, Profile, Suite};
use crate::verdict::Verdict;
use crate::{Options, Stop};
use futures_util::StreamExt as _;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Stories told at once to one server.
const AT_ONCE: usize = 4;

/// Workers that tell stories to wrong servers, each with a pair of servers of its own.
const WORKERS: usize = 8;

/// So many stories are told to one pair of servers.
const PER_PAIR: usize = 40;

/// So many breakages between the suite and its target are tried for one requirement.
const TRIES: usize = 4;

/// What a wrong server has not done by then it never does.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// The ids of the rules for all answers begin like this.
const RULES: &str = "answers/";

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// The table.
    pub table: Table,
    /// Requirement → how many passing checks cite it, for those without a row.
    pub unseen: BTreeMap<String, usize>,
    /// Requirements whose row breaks just anything, not what the sentence speaks of.
    pub unspecific: Vec<String>,
}

/// A candidate for a row.
#[derive(Clone, Debug)]
struct Candidate {
    score: u8,
    /// How many requirements the check cites: the fewer, the more it says of each.
    cites: usize,
    check: String,
    breakage: Breakage,
}

impl Candidate {
    fn rank(&self) -> (std::cmp::Reverse<u8>, usize, &str, &Breakage) {
        (std::cmp::Reverse(self.score), self.cites, &self.check, &self.breakage)
    }

    fn beats(&self, other: &Candidate) -> bool {
        self.rank() < other.rank()
    }
}

/// The stories of a suite by id, and what its checks cite.
pub(super) struct Stories {
    pub(super) units: BTreeMap<String, Unit>,
    pub(super) cited: HashMap<String, Vec<String>>,
    /// The operations that checks are about, in their newest spelling.
    pub(super) operations: HashMap<String, &'static str>,
}

impl Stories {
    pub(super) fn new(suite: &Suite) -> Self {
        let options = Options { profile: Profile::Strict, ..Options::default() };
        let plan = Plan::new(suite, &options);
        let (mut cited, mut operations) = (HashMap::new(), HashMap::new());
        for check in plan.units.iter().flat_map(|unit| unit.declared(Profile::Strict)) {
            let operation = check.operation.and_then(|name| spec::registry().operation(&name));
            operations.extend(operation.map(|operation| (check.id.clone(), operation.name.as_str())));
            cited.insert(check.id, check.requirements);
        }
        for (id, requirements) in checks::rules() {
            cited.insert(id, requirements.iter().map(|requirement| (*requirement).to_owned()).collect());
        }
        let units = plan.units.into_iter().map(|unit| (unit.id().to_owned(), unit)).collect();
        Stories { units, cited, operations }
    }

    pub(super) fn unit_of(&self, check: &str) -> Option<&Unit> {
        self.units.get(check.split('#').next()?)
    }

    /// The story up to a check.
    pub(super) fn up_to(&self, check: &str) -> Option<Unit> {
        let unit = self.unit_of(check)?;
        let mut scenario = (*unit.scenario).clone();
        let at = scenario.steps.iter().position(|step| scenario.check_id(step) == check)?;
        scenario.steps.truncate(at + 1);
        Some(Unit { scenario: Arc::new(scenario) })
    }
}

pub(super) fn need(unit: &Unit) -> String {
    let fresh = unit.is_disruptive().then(|| FRESH.to_owned());
    fresh.or_else(|| unit.scenario.needs.first().cloned()).unwrap_or_else(|| "tcp".to_owned())
}

fn sentence(requirement: &str) -> Option<&'static str> {
    spec::registry().requirement(requirement).map(|requirement| requirement.text.as_str())
}

/// The operation that a requirement belongs to, if to one.
pub(super) fn owner(requirement: &str) -> Option<&'static str> {
    let operations = spec::registry().operations().iter();
    operations
        .filter(|operation| operation.requirements.iter().any(|own| own.id == requirement))
        .map(|operation| operation.name.as_str())
        .next()
}

/// Tells stories to right servers; the witness sees every comparison. The verdicts.
///
/// What a story that disturbs its server leaves behind would be another one's beginning: each has a server of its own.
pub(super) async fn tell_rightly(
    farm: &dyn Farm,
    units: Vec<Unit>,
    witness: runner::Witness,
) -> Vec<Checked> {
    let (alone, together): (Vec<Unit>, Vec<Unit>) = units.into_iter().partition(Unit::is_disruptive);
    let mut by_need: BTreeMap<String, Vec<Unit>> = BTreeMap::new();
    for unit in together {
        by_need.entry(need(&unit)).or_default().push(unit);
    }
    let shared = by_need.into_iter();
    let own = alone.into_iter().map(|unit| (need(&unit), vec![unit]));
    let told = futures_util::stream::iter(shared.chain(own)).map(|(need, units)| {
        let witness = Arc::clone(&witness);
        async move {
            let Some(instance) = farm.start(&need).await else { return Vec::new() };
            let mut run = prepare(instance.target().clone(), &need, &*instance, "even");
            run.witness = Some(witness);
            let run = Arc::new(run);
            runner::execute(&run, &Plan { declared: 0, chosen: 0, units }, AT_ONCE).await;
            run.checks().into_iter().filter(|check| check.kind != Kind::Cleanup).collect()
        }
    });
    told.buffer_unordered(AT_ONCE).collect::<Vec<Vec<Checked>>>().await.concat()
}

pub(super) fn prepare(target: crate::Target, need: &str, instance: &dyn super::Instance, name: &str) -> Run {
    let mut run = Run::new(target, Names::named(name), Arc::new(|_| ()), Stop::default());
    run.context.profile = Profile::Strict;
    run.context.roots = vec![instance.root()];
    run.services = instance.services();
    run.had_data = false;
    run.with = vec![need.to_owned(), "quick-restart".to_owned()];
    run
}

/// A story to be told to a wrong server, and what it is told for.
#[derive(Clone, Debug)]
struct Trial {
    unit: Unit,
    check: String,
    breakage: Breakage,
}

/// Tells stories to wrong servers; for each trial whether its check failed.
async fn tell_wrongly(farm: &Arc<dyn Farm>, trials: Vec<Trial>) -> Vec<bool> {
    let mut queue: Vec<(usize, Trial)> = trials.into_iter().enumerate().collect();
    let count = queue.len();
    queue.sort_by_key(|(_, trial)| need(&trial.unit));
    queue.reverse();
    let queue = Arc::new(Mutex::new(queue));
    let failed = Arc::new(Mutex::new(vec![false; count]));
    let workers: Vec<_> = (0..WORKERS)
        .map(|worker| {
            let (farm, queue, failed) = (Arc::clone(farm), Arc::clone(&queue), Arc::clone(&failed));
            tokio::spawn(async move { work(&*farm, worker, &queue, &failed).await })
        })
        .collect();
    for worker in workers {
        let _ = worker.await;
    }
    let failed = failed.lock().unwrap_or_else(PoisonError::into_inner);
    failed.clone()
}

/// Two servers that are set up alike: one is judged, the other believes everything.
struct Pair {
    need: String,
    told: usize,
    instances: [Box<dyn super::Instance>; 2],
}

async fn work(farm: &dyn Farm, worker: usize, queue: &Mutex<Vec<(usize, Trial)>>, failed: &Mutex<Vec<bool>>) {
    let mut pair: Option<Pair> = None;
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let Some((number, trial)) = next else { return };
        let need = need(&trial.unit);
        let current = match pair.take().filter(|pair| pair.need == need && pair.told < PER_PAIR) {
            Some(pair) => pair,
            None => match (farm.start(&need).await, farm.start(&need).await) {
                (Some(one), Some(two)) => Pair { need, told: 0, instances: [one, two] },
                _ => continue,
            },
        };
        let [server, believer] = &current.instances;
        let wrong = Wrong::new(trial.breakage.clone(), Some(believer.target().clone()));
        let target = server.target().clone().with_between(Arc::new(wrong));
        let mut run = prepare(target, &current.need, &**server, &format!("odd{worker}"));
        run.patience = PATIENCE;
        let checks = runner::tell(&run, &trial.unit, number).await;
        let seen = checks.iter().any(|check| check.id == trial.check && check.objects());
        if let Some(slot) = failed.lock().unwrap_or_else(PoisonError::into_inner).get_mut(number) {
            *slot = seen;
        }
        // What is shared by all stories may be spoilt now.
        if !trial.unit.is_serial() {
            pair = Some(Pair { told: current.told + 1, ..current });
        }
    }
}

/// True when a step's check fails once what came is broken.
fn notices(sight: &Sight<'_>, breakage: &Breakage) -> bool {
    spoil(sight.taken, breakage).is_some_and(|broken| {
        !runner::differences(sight.expected, sight.step, &broken, sight.context).is_empty()
    })
}

/// The rules for all answers that an answer keeps and that are seen to be broken once it is spoilt.
fn rules_that_notice(sight: &Sight<'_>, breakage: &Breakage) -> Vec<(String, &'static [&'static str])> {
    let Some(broken) = spoil(sight.taken, breakage) else { return Vec::new() };
    let kept: BTreeSet<String> =
        checks::judge(sight.taken).into_iter().filter(|(_, _, kept)| *kept).map(|(id, _, _)| id).collect();
    let judged = checks::judge(&broken).into_iter();
    judged.filter(|(id, _, still)| !still && kept.contains(id)).map(|(id, cited, _)| (id, cited)).collect()
}

/// True when what came is what was expected.
fn is_right(sight: &Sight<'_>) -> bool {
    runner::differences(sight.expected, sight.step, sight.taken, sight.context).is_empty()
}

/// Tries the rows of a table again: those that do not hold, each with the reason.
pub async fn try_again(farm: &Arc<dyn Farm>, suite: &Suite, table: &Table) -> BTreeMap<String, String> {
    let stories = Stories::new(suite);
    let mut faults = BTreeMap::new();
    let mut wanted: HashMap<String, Vec<Breakage>> = HashMap::new();
    let mut units = BTreeSet::new();
    let mut rules = BTreeSet::new();
    for (requirement, row) in &table.rows {
        if row.check.starts_with(RULES) {
            rules.insert(row.breakage.clone());
            continue;
        }
        let cites = stories.cited.get(&row.check).is_some_and(|cited| cited.contains(requirement));
        match stories.unit_of(&row.check).filter(|_| cites) {
            Some(unit) => {
                units.insert(unit.id().to_owned());
                wanted.entry(row.check.clone()).or_default().push(row.breakage.clone());
            }
            None => {
                faults.insert(requirement.clone(), format!("{} does not cite it", row.check));
            }
        }
    }
    let seen: Arc<Mutex<BTreeSet<(String, Breakage)>>> = Arc::default();
    let witness: runner::Witness = {
        let seen = Arc::clone(&seen);
        Arc::new(move |sight| {
            for breakage in &rules {
                for (rule, _) in rules_that_notice(sight, breakage) {
                    seen.lock().unwrap_or_else(PoisonError::into_inner).insert((rule, breakage.clone()));
                }
            }
            for breakage in wanted.get(sight.check).into_iter().flatten().filter(|b| !b.is_between()) {
                if is_right(sight) && notices(sight, breakage) {
                    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
                    seen.insert((sight.check.to_owned(), breakage.clone()));
                }
            }
        })
    };
    let units = units.iter().filter_map(|id| stories.units.get(id).cloned()).collect();
    let passing = passing(tell_rightly(&**farm, units, witness).await);
    let between: BTreeSet<(String, Breakage)> = table
        .rows
        .values()
        .filter(|row| row.breakage.is_between())
        .map(|row| (row.check.clone(), row.breakage.clone()))
        .collect();
    let trials = trials(&stories, between.iter());
    let results = tell_wrongly(farm, trials.clone()).await;
    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
    for (trial, _) in trials.into_iter().zip(results).filter(|(_, failed)| *failed) {
        seen.insert((trial.check, trial.breakage));
    }
    for (requirement, row) in &table.rows {
        if !passing.contains(&row.check) {
            faults.entry(requirement.clone()).or_insert(format!("{} does not pass", row.check));
        } else if !seen.contains(&(row.check.clone(), row.breakage.clone())) {
            let text = format!("{} does not notice '{}'", row.check, row.breakage);
            faults.entry(requirement.clone()).or_insert(text);
        }
    }
    faults
}

pub(super) fn passing(checks: Vec<Checked>) -> BTreeSet<String> {
    checks.into_iter().filter(|check| check.verdict == Verdict::Pass).map(|check| check.id).collect()
}

fn trials<'a>(stories: &Stories, wanted: impl Iterator<Item = &'a (String, Breakage)>) -> Vec<Trial> {
    wanted
        .filter_map(|(check, breakage)| {
            Some(Trial { unit: stories.up_to(check)?, check: check.clone(), breakage: breakage.clone() })
        })
        .collect()
}

/// Finds a row for every requirement of the given ones; rows of `known` that hold are kept.
pub async fn find(
    farm: &Arc<dyn Farm>,
    suite: &Suite,
    known: &Table,
    requirements: &BTreeSet<String>,
) -> Found {
    let stories = Stories::new(suite);
    let mut table = known.clone();
    for requirement in try_again(farm, suite, known).await.keys() {
        table.rows.remove(requirement);
    }
    table.rows.retain(|requirement, _| requirements.contains(requirement));
    let wanted: BTreeSet<String> =
        requirements.iter().filter(|id| !table.rows.contains_key(*id)).cloned().collect();
    let units: Vec<Unit> = stories
        .units
        .values()
        .filter(|unit| {
            let scenario = &unit.scenario;
            scenario.checks().any(|(step, _)| scenario.requirements_of(step).any(|id| wanted.contains(id)))
        })
        .cloned()
        .collect();
    let best: Arc<Mutex<BTreeMap<String, Candidate>>> = Arc::default();
    let statuses: Arc<Mutex<HashMap<String, u16>>> = Arc::default();
    let witness: runner::Witness = {
        let (best, statuses, wanted) = (Arc::clone(&best), Arc::clone(&statuses), wanted.clone());
        let cited = stories.cited.clone();
        Arc::new(move |sight| {
            let offer = |requirement: &str, candidate: Candidate| {
                let mut best = best.lock().unwrap_or_else(PoisonError::into_inner);
                if best.get(requirement).is_none_or(|known| candidate.beats(known)) {
                    best.insert(requirement.to_owned(), candidate);
                }
            };
            for (check, requirements, _) in
                checks::judge(sight.taken).into_iter().filter(|(_, _, kept)| *kept)
            {
                for requirement in requirements.iter().filter(|id| wanted.contains(**id)) {
                    let known =
                        best.lock().unwrap_or_else(PoisonError::into_inner).get(*requirement).cloned();
                    let candidate =
                        best_of(requirement, (&check, requirements.len()), sight, known.as_ref(), &|b| {
                            rules_that_notice(sight, b).iter().any(|(id, _)| *id == check)
                        });
                    candidate.into_iter().for_each(|candidate| offer(requirement, candidate));
                }
            }
            let cites = cited.get(sight.check).map(Vec::as_slice).unwrap_or_default();
            if !cites.iter().any(|id| wanted.contains(id)) || !is_right(sight) {
                return;
            }
            let status = sight.taken.answer().map_or(0, |answer| answer.status);
            statuses.lock().unwrap_or_else(PoisonError::into_inner).insert(sight.check.to_owned(), status);
            for requirement in cites.iter().filter(|id| wanted.contains(*id)) {
                let known = best.lock().unwrap_or_else(PoisonError::into_inner).get(requirement).cloned();
                let candidate =
                    best_of(requirement, (sight.check, cites.len()), sight, known.as_ref(), &|b| {
                        notices(sight, b)
                    });
                candidate.into_iter().for_each(|candidate| offer(requirement, candidate));
            }
        })
    };
    let passing = passing(tell_rightly(&**farm, units, witness).await);
    let mut best = best.lock().unwrap_or_else(PoisonError::into_inner).clone();
    best.retain(|_, candidate| passing.contains(&candidate.check));
    let statuses = statuses.lock().unwrap_or_else(PoisonError::into_inner).clone();
    between(farm, &stories, &wanted, &passing, &statuses, &mut best).await;

    let mut found = Found { table, ..Found::default() };
    for requirement in wanted {
        match best.remove(&requirement) {
            Some(candidate) => {
                if candidate.score < SPECIFIC {
                    found.unspecific.push(requirement.clone());
                }
                let row = Row { check: candidate.check, breakage: candidate.breakage };
                found.table.rows.insert(requirement, row);
            }
            None => {
                let cites = |check: &&String| {
                    stories.cited.get(*check).is_some_and(|cited| cited.contains(&requirement))
                };
                let count = passing.iter().filter(cites).count();
                found.unseen.insert(requirement, count);
            }
        }
    }
    let rows = &found.table.rows;
    found.table.beyond.retain(|requirement, _| !rows.contains_key(requirement));
    found
}

/// The most relevant breakage of what came that a check notices, if it beats what is known. A check comes with the
/// number of requirements that it cites.
fn best_of(
    requirement: &str,
    (check, cites): (&str, usize),
    sight: &Sight<'_>,
    known: Option<&Candidate>,
    notices: &dyn Fn(&Breakage) -> bool,
) -> Option<Candidate> {
    let mut all = relevance::of_answers(sentence(requirement)?, sight);
    all.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    all.into_iter()
        .map(|(score, breakage)| Candidate { score, cites, check: check.to_owned(), breakage })
        .take_while(|candidate| known.is_none_or(|known| candidate.beats(known)))
        .find(|candidate| notices(&candidate.breakage))
}

/// Tries breakages between the suite and the target where they say more than what was found by then.
async fn between(
    farm: &Arc<dyn Farm>,
    stories: &Stories,
    wanted: &BTreeSet<String>,
    passing: &BTreeSet<String>,
    statuses: &HashMap<String, u16>,
    best: &mut BTreeMap<String, Candidate>,
) {
    let mut candidates: BTreeMap<String, Vec<Candidate>> = BTreeMap::new();
    for check in passing {
        let (Some(unit), Some(cited)) = (stories.unit_of(check), stories.cited.get(check)) else { continue };
        let status = statuses.get(check).copied().unwrap_or(0);
        for requirement in cited.iter().filter(|id| wanted.contains(*id)) {
            let Some(text) = sentence(requirement) else { continue };
            for (score, breakage) in relevance::of_stories(text, owner(requirement), &unit.scenario, status) {
                let candidate = Candidate { score, cites: cited.len(), check: check.clone(), breakage };
                if best.get(requirement).is_none_or(|known| candidate.beats(known)) {
                    candidates.entry(requirement.clone()).or_default().push(candidate);
                }
            }
        }
    }
    let mut open: Vec<(String, Candidate)> = Vec::new();
    for (requirement, mut list) in candidates {
        list.sort_by(|a, b| a.rank().cmp(&b.rank()));
        // Where something telling is known by now, only what tells most is worth a trial.
        let telling = best.get(&requirement).is_some_and(|known| known.score >= SPECIFIC);
        let tries = if telling { 1 } else { TRIES };
        open.extend(list.into_iter().take(tries).map(|candidate| (requirement.clone(), candidate)));
    }
    let pairs: Vec<(String, Breakage)> =
        open.iter().map(|(_, candidate)| (candidate.check.clone(), candidate.breakage.clone())).collect();
    let failed = tell_wrongly(farm, trials(stories, pairs.iter())).await;
    for ((requirement, candidate), _) in open.into_iter().zip(failed).filter(|(_, failed)| *failed) {
        if best.get(&requirement).is_none_or(|known| candidate.beats(known)) {
            best.insert(requirement, candidate);
        }
    }
}
