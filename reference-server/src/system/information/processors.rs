//! The processors and their load since it was last asked for; since the system began, the first time.

use super::{count, text};
use crate::value::{Object, Value, object};
use parking_lot::Mutex;
use std::fs;
use sysinfo::{CpuRefreshKind, System};

/// Ticks of a processor by what they went to, in the order of the system's table.
type Ticks = [f64; 10];
const USER: usize = 0;
const NICE: usize = 1;
const SYSTEM: usize = 2;
const IDLE: usize = 3;
const WAITING: usize = 4;
const IRQ: usize = 5;
const SOFT_IRQ: usize = 6;
const STEAL: usize = 7;
const GUEST: usize = 8;
const GUEST_NICE: usize = 9;

/// What was counted when it was last asked for: of all processors, then of each.
static LAST: Mutex<Vec<Ticks>> = Mutex::new(Vec::new());

pub(super) fn cpu(system: &mut System) -> Value {
    system.refresh_cpu_specifics(CpuRefreshKind::nothing().with_frequency());
    let table = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let flags = table.lines().find_map(|line| Some(line.strip_prefix("flags")?.split_once(':')?.1.trim()));
    let flags = flags.unwrap_or_default();
    let speeds: Vec<f64> = system.cpus().iter().map(|cpu| gigahertz(cpu.frequency())).collect();
    let extreme = |pick: fn(f64, f64) -> f64| speeds.iter().copied().reduce(pick);
    let average = (!speeds.is_empty()).then(|| speeds.iter().sum::<f64>() / speeds.len() as f64);
    let number =
        |number: Option<f64>| number.map_or(Value::Null, |n| Value::Number((n * 100.0).round() / 100.0));
    let first = system.cpus().first();
    let vendor = first.map(|cpu| cpu.vendor_id().to_owned()).unwrap_or_default();
    let cores = system.cpus().len();
    let physical = System::physical_core_count().unwrap_or(cores);
    object([
        ("manufacturer", text(maker(&vendor))),
        ("brand", text(first.map(|cpu| cpu.brand().trim().to_owned()).unwrap_or_default())),
        ("vendor", text(vendor)),
        ("speed", number(average)),
        ("speedMin", number(limit("min"))),
        ("speedMax", number(limit("max"))),
        ("cores", count(cores)),
        ("physicalCores", count(physical)),
        ("performanceCores", count(cores)),
        ("efficiencyCores", count(0_u64)),
        ("processors", count(sockets(&table))),
        ("flags", text(flags)),
        ("virtualization", Value::Bool(flags.split(' ').any(|flag| matches!(flag, "vmx" | "svm")))),
        (
            "cpu_speed",
            object([
                ("min", number(extreme(f64::min))),
                ("max", number(extreme(f64::max))),
                ("avg", number(average)),
                ("cores", Value::Array(speeds.iter().map(|speed| number(Some(*speed))).collect())),
            ]),
        ),
        ("current_load", current_load()),
    ])
}

fn gigahertz(megahertz: u64) -> f64 {
    megahertz as f64 / 1000.0
}

fn maker(vendor: &str) -> String {
    match vendor {
        "GenuineIntel" => "Intel".to_owned(),
        "AuthenticAMD" => "AMD".to_owned(),
        other => other.to_owned(),
    }
}

/// The lowest or highest speed in GHz, where the system tells.
fn limit(end: &str) -> Option<f64> {
    let file = format!("/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_{end}_freq");
    Some(fs::read_to_string(file).ok()?.trim().parse::<f64>().ok()? / 1e6)
}

fn sockets(table: &str) -> usize {
    let mut ids: Vec<&str> = table.lines().filter(|line| line.starts_with("physical id")).collect();
    ids.sort_unstable();
    ids.dedup();
    ids.len().max(1)
}

fn current_load() -> Value {
    let table = fs::read_to_string("/proc/stat").unwrap_or_default();
    let now: Vec<Ticks> = table.lines().take_while(|line| line.starts_with("cpu")).map(ticks).collect();
    let last = std::mem::replace(&mut *LAST.lock(), now.clone());
    let spent: Vec<Ticks> = now
        .iter()
        .enumerate()
        .map(|(number, now)| {
            let last = last.get(number).copied().unwrap_or_default();
            std::array::from_fn(|kind| (now[kind] - last[kind]).max(0.0))
        })
        .collect();
    let averages = System::load_average().map(|load| load.one).unwrap_or(0.0);
    let mut load = Object::new();
    let all = spent.first().copied().unwrap_or_default();
    load.insert(
        "avgLoad".to_owned(),
        Value::Number((averages / now.len().saturating_sub(1).max(1) as f64 * 100.0).round() / 100.0),
    );
    for (name, share) in shares(&all) {
        load.insert(format!("currentLoad{name}"), Value::Number(share));
    }
    load.insert("rawCurrentLoad".to_owned(), Value::Number(total(&all) - idle(&all)));
    for (name, kind) in KINDS {
        load.insert(format!("rawCurrentLoad{name}"), Value::Number(kind.iter().map(|kind| all[*kind]).sum()));
    }
    let cpus = spent.iter().skip(1).map(|ticks| {
        let mut cpu = Object::new();
        for (name, share) in shares(ticks) {
            cpu.insert(format!("load{name}"), Value::Number(share));
        }
        for (name, kind) in KINDS.iter().filter(|(name, _)| matches!(*name, "Steal" | "Guest")) {
            cpu.insert(format!("rawLoad{name}"), Value::Number(kind.iter().map(|kind| ticks[*kind]).sum()));
        }
        Value::Object(cpu)
    });
    load.insert("cpus".to_owned(), Value::Array(cpus.collect()));
    Value::Object(load)
}

/// The kinds that are told apart, with what counts to each.
const KINDS: [(&str, &[usize]); 7] = [
    ("User", &[USER]),
    ("System", &[SYSTEM]),
    ("Nice", &[NICE]),
    ("Idle", &[IDLE, WAITING]),
    ("Irq", &[IRQ, SOFT_IRQ]),
    ("Steal", &[STEAL]),
    ("Guest", &[GUEST, GUEST_NICE]),
];

/// What percentage went to anything at all, under an empty name, and to each kind.
fn shares(ticks: &Ticks) -> Vec<(&'static str, f64)> {
    let total = total(ticks).max(1.0);
    let busy = ("", 100.0 * (total - idle(ticks)) / total);
    let kinds = KINDS
        .iter()
        .map(|(name, kinds)| (*name, 100.0 * kinds.iter().map(|kind| ticks[*kind]).sum::<f64>() / total));
    std::iter::once(busy).chain(kinds).collect()
}

/// The times of guests are in those of users, too.
fn total(ticks: &Ticks) -> f64 {
    ticks[..GUEST].iter().sum()
}

fn idle(ticks: &Ticks) -> f64 {
    ticks[IDLE] + ticks[WAITING]
}

fn ticks(line: &str) -> Ticks {
    let mut numbers = line.split_whitespace().skip(1).map(|text| text.parse().unwrap_or(0.0));
    std::array::from_fn(|_| numbers.next().unwrap_or(0.0))
}
