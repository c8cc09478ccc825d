//! `list` and `show`.

use anyhow::bail;
use conformance::Options;
use conformance::layout;
use conformance::runner::Plan;
use conformance::sets;
use std::collections::BTreeMap;
use std::io::Write as _;

/// Prints what fits through a pipe that may be closed early.
pub(super) fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

pub(super) fn checks(options: &Options) -> anyhow::Result<u8> {
    let plan = Plan::new(&conformance::suite()?, options);
    let mut out = String::new();
    for check in plan.units.iter().flat_map(|unit| unit.declared(options.profile)) {
        out.push_str(&format!("{}  {}\n", check.id, check.title));
    }
    out.push_str(&format!("{} of {} checks in {} stories\n", plan.chosen, plan.declared, plan.units.len()));
    print(&out);
    Ok(0)
}

pub(super) fn requirements(options: &Options) -> anyhow::Result<u8> {
    let plan = Plan::new(&conformance::suite()?, options);
    let mut cited: BTreeMap<String, usize> = BTreeMap::new();
    for check in plan.units.iter().flat_map(|unit| unit.declared(options.profile)) {
        for id in check.requirements {
            *cited.entry(id).or_default() += 1;
        }
    }
    for id in conformance::checks::requirements_of_rules() {
        *cited.entry(id.to_owned()).or_default() += 1;
    }
    let mut out = String::new();
    for note in conformance::requirement_notes() {
        let count = cited.get(&note.id).copied().unwrap_or(0);
        out.push_str(&format!("{count:>5}  {} {}: {}\n", note.id, note.level.word(), note.text));
    }
    print(&out);
    Ok(0)
}

/// Prints the names of the frozen sets, or what one of them demands.
pub(super) fn set(name: Option<&str>) -> anyhow::Result<u8> {
    let mut out = String::new();
    let Some(name) = name else {
        print(&sets::names().map(|name| format!("{name}\n")).collect::<String>());
        return Ok(0);
    };
    // Not yet published: what a new set would be.
    if name == "today" {
        print(&sets::Set::of_today());
        return Ok(0);
    }
    let set = sets::Set::by_name(name)?;
    for note in set.notes(conformance::requirement_notes()) {
        out.push_str(&format!("{} {}: {}\n", note.id, note.level.word(), note.text));
    }
    print(&out);
    Ok(0)
}

pub(super) fn matrix() -> anyhow::Result<u8> {
    print(&conformance::checks::matrix::to_text());
    Ok(0)
}

pub(super) fn audit(all: bool) -> anyhow::Result<u8> {
    print(&conformance::selftest::tolerance::audit(&conformance::suite()?).to_text(all));
    Ok(0)
}

pub(super) fn show(id: &str) -> anyhow::Result<u8> {
    let suite = conformance::suite()?;
    if let Some(note) = conformance::requirement_notes().into_iter().find(|note| note.id == id) {
        let mut out = format!("{} {}\n{}\n", note.id, note.level.word(), note.text);
        out.extend(note.operation.map(|operation| format!("operation: {operation}\n")));
        out.push_str("checks:\n");
        let options = Options { profile: conformance::Profile::Strict, ..Options::default() };
        for check in Plan::new(&suite, &options).units.iter().flat_map(|unit| unit.declared(options.profile))
        {
            if check.requirements.contains(&note.id) {
                out.push_str(&format!("  {}  {}\n", check.id, check.title));
            }
        }
        print(&out);
        return Ok(0);
    }
    let (story, step) = id.split_once('#').map_or((id, None), |(story, step)| (story, Some(step)));
    let Some(scenario) = suite.scenarios.iter().find(|scenario| scenario.id == story) else {
        bail!("there is no scenario, check or requirement '{id}'; `conformance list` shows the checks");
    };
    let value = match step {
        None => serde_json::to_value(scenario)?,
        Some(step) => match scenario.steps.iter().find(|known| known.id.as_deref() == Some(step)) {
            Some(step) => serde_json::to_value(step)?,
            None => bail!("the scenario '{story}' has no step '{step}'"),
        },
    };
    print(&layout::to_text(&value));
    Ok(0)
}
