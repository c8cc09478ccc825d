//! Disks and networks; told only where the configuration says so.

use super::{count, text};
use crate::value::{Object, Value, object};
use std::fs;
use sysinfo::{Disk, Disks, Networks};

pub(super) fn disk() -> Value {
    let disks = Disks::new_with_refreshed_list();
    let disks: &[Disk] = disks.as_deref().unwrap_or_default();
    let sizes = disks.iter().map(|disk| {
        let (size, available) = (disk.total_space(), disk.available_space());
        let used = size.saturating_sub(available);
        let share = if size == 0 { 0.0 } else { used as f64 / size as f64 * 10_000.0 };
        object([
            ("fs", text(disk.name().to_string_lossy())),
            ("type", text(disk.file_system().to_string_lossy())),
            ("size", count(size)),
            ("used", count(used)),
            ("available", count(available)),
            ("use", Value::Number(share.round() / 100.0)),
            ("mount", text(disk.mount_point().to_string_lossy())),
            ("rw", Value::Bool(!disk.is_read_only())),
        ])
    });
    let sizes = sizes.collect();
    // Since the system began: reads, writes, their bytes and milliseconds.
    let totals = totals();
    let number = Value::Number;
    object([
        (
            "io",
            object([
                ("rIO", number(totals.reads)),
                ("wIO", number(totals.writes)),
                ("tIO", number(totals.reads + totals.writes)),
                ("rWaitTime", number(totals.read_time)),
                ("wWaitTime", number(totals.write_time)),
                ("tWaitTime", number(totals.read_time + totals.write_time)),
                ("rWaitPercent", Value::Null),
                ("wWaitPercent", Value::Null),
                ("tWaitPercent", Value::Null),
            ]),
        ),
        (
            "read_write",
            object([
                ("rx", number(totals.read_bytes)),
                ("wx", number(totals.written_bytes)),
                ("tx", number(totals.read_bytes + totals.written_bytes)),
                ("rx_sec", Value::Null),
                ("wx_sec", Value::Null),
                ("tx_sec", Value::Null),
                ("ms", number(0.0)),
            ]),
        ),
        ("size", Value::Array(sizes)),
    ])
}

#[derive(Default)]
struct Totals {
    reads: f64,
    writes: f64,
    read_bytes: f64,
    written_bytes: f64,
    read_time: f64,
    write_time: f64,
}

/// What all whole disks have done.
fn totals() -> Totals {
    const SECTOR: f64 = 512.0;
    let mut totals = Totals::default();
    let table = fs::read_to_string("/proc/diskstats").unwrap_or_default();
    for line in table.lines() {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let Some(name) = fields.get(2) else { continue };
        let whole = fs::metadata(format!("/sys/block/{name}")).is_ok();
        if !whole || name.starts_with("loop") || name.starts_with("ram") {
            continue;
        }
        let field = |number: usize| fields.get(number).and_then(|text| text.parse().ok()).unwrap_or(0.0);
        totals.reads += field(3);
        totals.read_bytes += field(5) * SECTOR;
        totals.read_time += field(6);
        totals.writes += field(7);
        totals.written_bytes += field(9) * SECTOR;
        totals.write_time += field(10);
    }
    totals
}

/// The networks' interfaces and traffic; no other host is asked anything.
pub(super) fn network(told: bool) -> Value {
    let networks = if told { Networks::new_with_refreshed_list().ok() } else { None };
    let default = if told { default_interface().map_or(Value::Null, Value::from) } else { Value::Null };
    let (mut interfaces, mut stats) = (Vec::new(), Vec::new());
    let mut named: Vec<_> = networks.iter().flat_map(|networks| networks.iter()).collect();
    named.sort_by_key(|(name, _)| *name);
    for (name, data) in named {
        let name = name.to_string_lossy();
        let of_family = |v4: bool| {
            let address =
                data.ip_networks().iter().map(|network| network.addr).find(|addr| addr.is_ipv4() == v4);
            text(address.map(|address| address.to_string()).unwrap_or_default())
        };
        interfaces.push(object([
            ("iface", text(name.as_ref())),
            ("ifaceName", text(name.as_ref())),
            ("default", Value::Bool(default.as_str() == Some(name.as_ref()))),
            ("ip4", of_family(true)),
            ("ip6", of_family(false)),
            ("mac", text(data.mac_address().to_string())),
            ("mtu", count(data.mtu())),
        ]));
        stats.push(object([
            ("iface", text(name.as_ref())),
            ("rx_bytes", count(data.total_received())),
            ("rx_errors", count(data.total_errors_on_received())),
            ("tx_bytes", count(data.total_transmitted())),
            ("tx_errors", count(data.total_errors_on_transmitted())),
        ]));
    }
    object([
        ("default_interface", default),
        ("latency", Value::Object(Object::new())),
        ("interfaces", Value::Array(interfaces)),
        ("stats", Value::Array(stats)),
        ("connections", Value::Array(Vec::new())),
    ])
}

/// The interface of the default route.
fn default_interface() -> Option<String> {
    let routes = fs::read_to_string("/proc/net/route").ok()?;
    let default = routes.lines().skip(1).find(|line| line.split_whitespace().nth(1) == Some("00000000"))?;
    Some(default.split_whitespace().next()?.to_owned())
}
