//! The server's process and its threads.

use super::{count, text};
use crate::system::usage::{Memory, Usage, number_after};
use crate::value::{Value, object};
use std::fs;
use std::time::{Duration, UNIX_EPOCH};
use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System, UpdateKind, get_current_pid};

/// The one process of the server.
pub(super) fn processes(system: &mut System) -> Value {
    let core = process(system).into_iter().collect();
    object([("core", Value::Array(core))])
}

fn process(system: &mut System) -> Option<Value> {
    let pid = get_current_pid().ok()?;
    let wanted = ProcessRefreshKind::nothing().with_memory().with_cpu().with_exe(UpdateKind::Always);
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), false, wanted);
    system.refresh_memory();
    let process = system.process(pid)?;
    let usage = Usage::now();
    let run = (process.run_time() as f64).max(1.0) * 1000.0;
    let share = |milliseconds: f64| Value::Number((milliseconds / run * 10_000.0).round() / 100.0);
    let memory = process.memory() as f64;
    let total = (system.total_memory() as f64).max(1.0);
    let path = process.exe().map(|path| path.display().to_string()).unwrap_or_default();
    let started: chrono::DateTime<chrono::Local> =
        chrono::DateTime::from(UNIX_EPOCH + Duration::from_secs(process.start_time()));
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let field = |number: usize| fields.get(number).and_then(|text| text.parse().ok()).unwrap_or(0.0);
    Some(object([
        ("pid", count(pid.as_u32())),
        ("parentPid", count(process.parent().map_or(0, |parent| parent.as_u32()))),
        ("name", text(process.name().to_string_lossy())),
        ("cpu", share(usage.processor())),
        ("cpuu", share(usage.user)),
        ("cpus", share(usage.system)),
        ("mem", Value::Number((memory / total * 10_000.0).round() / 100.0)),
        ("priority", Value::Number(field(15))),
        ("memVsz", Value::Number((process.virtual_memory() as f64 / 1024.0).round())),
        ("memRss", Value::Number((memory / 1024.0).round())),
        ("nice", Value::Number(field(16))),
        ("started", text(started.format("%Y-%m-%d %H:%M:%S").to_string())),
        ("state", text(process.status().to_string().to_lowercase())),
        ("tty", text("")),
        ("user", text(user())),
        // Arguments may hold passwords.
        ("command", text(process.name().to_string_lossy())),
        ("params", text("")),
        ("path", text(path)),
    ]))
}

/// The name of the user that the process belongs to.
fn user() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let id = number_after(&status, "\nUid:").to_string();
    let accounts = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let account = accounts.lines().find(|line| line.split(':').nth(2) == Some(&id));
    account.and_then(|line| line.split(':').next()).unwrap_or_default().to_owned()
}

/// The threads that serve requests. Memory is the whole process's.
pub(super) fn threads() -> Value {
    let Ok(runtime) = tokio::runtime::Handle::try_current() else { return Value::Array(Vec::new()) };
    let metrics = runtime.metrics();
    let memory = Memory::now();
    let run = crate::system::uptime().as_secs_f64() * 1000.0;
    let threads = (0..metrics.num_workers()).map(|worker| {
        let active = (metrics.worker_total_busy_duration(worker).as_secs_f64() * 1000.0).min(run);
        object([
            ("threadId", count(worker as u64 + 1)),
            ("name", text("http")),
            ("heapTotal", Value::Number(memory.heap_total)),
            ("heapUsed", Value::Number(memory.heap)),
            ("externalMemory", Value::Number(memory.files)),
            ("arrayBuffers", Value::Number(0.0)),
            ("sinceLastUpdate", Value::Number(0.0)),
            ("idle", Value::Number(run - active)),
            ("active", Value::Number(active)),
            ("utilization", Value::Number(if run > 0.0 { active / run } else { 0.0 })),
        ])
    });
    Value::Array(threads.collect())
}
