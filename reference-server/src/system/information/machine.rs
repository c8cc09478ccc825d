//! The system, its clock and its memory.

use super::{count, text};
use crate::system::usage::{self, Memory};
use crate::value::{Value, object};
use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};
use sysinfo::System;

pub(super) fn system() -> Value {
    let host = System::host_name().unwrap_or_default();
    let full = fs::read_to_string("/proc/sys/kernel/domainname").unwrap_or_default();
    let fqdn = match full.trim() {
        "" | "(none)" => host.clone(),
        domain => format!("{host}.{domain}"),
    };
    object([
        ("platform", text(std::env::consts::OS)),
        ("distro", text(System::name().unwrap_or_default())),
        ("release", text(System::os_version().unwrap_or_default())),
        ("codename", text(codename())),
        ("kernel", text(System::kernel_version().unwrap_or_default())),
        ("arch", text(arch())),
        ("hostname", text(host)),
        ("fqdn", text(fqdn)),
        // There is no JavaScript here.
        ("node_version", text("")),
        ("npm_version", text("")),
    ])
}

/// The processor's name as JavaScript engines have it.
fn arch() -> String {
    match System::cpu_arch().as_str() {
        "x86_64" => "x64".to_owned(),
        "aarch64" => "arm64".to_owned(),
        other => other.to_owned(),
    }
}

fn codename() -> String {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let name = release.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME="));
    name.unwrap_or_default().trim_matches('"').to_owned()
}

pub(super) fn time() -> Value {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let uptime = fs::read_to_string("/proc/uptime").ok();
    let uptime = uptime.and_then(|text| text.split_whitespace().next()?.parse::<f64>().ok());
    let uptime = uptime.unwrap_or_else(|| System::uptime().unwrap_or(0) as f64);
    let zone = chrono::Local::now().format("%z").to_string();
    let name = if zone == "+0000" { "Coordinated Universal Time".to_owned() } else { format!("UTC{zone}") };
    object([
        ("current", Value::Number(now.as_millis() as f64)),
        ("uptime", Value::Number(uptime)),
        ("timezone", text(format!("UTC{zone}"))),
        ("timezoneName", text(name)),
    ])
}

pub(super) fn memory(system: &mut System) -> Value {
    system.refresh_memory();
    let table = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let bytes = |name: &str| Value::Number(usage::number_after(&table, name) * 1024.0);
    let process = Memory::now();
    object([
        ("total", count(system.total_memory())),
        ("free", count(system.free_memory())),
        ("used", count(system.total_memory().saturating_sub(system.free_memory()))),
        ("active", count(system.total_memory().saturating_sub(system.available_memory()))),
        ("available", count(system.available_memory())),
        ("reclaimable", bytes("SReclaimable:")),
        ("swaptotal", count(system.total_swap())),
        ("swapused", count(system.used_swap())),
        ("swapfree", count(system.free_swap())),
        ("writeback", bytes("Writeback:")),
        ("dirty", bytes("Dirty:")),
        ("rss", Value::Number(process.resident)),
        ("heapTotal", Value::Number(process.heap_total)),
        ("heapUsed", Value::Number(process.heap)),
        ("external", Value::Number(process.files)),
        ("arrayBuffers", Value::Number(0.0)),
    ])
}
