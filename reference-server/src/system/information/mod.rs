//! What system_information tells of the machine, the process and the databases.

mod databases;
mod devices;
mod machine;
mod process;
mod processors;

use crate::server::Server;
use crate::value::{Object, Value};
use sysinfo::System;

/// The members in the order of the answer when all are asked for. The first seven stand first whatever was asked.
pub const MEMBERS: [&str; 10] = [
    "system",
    "time",
    "cpu",
    "memory",
    "disk",
    "network",
    "harperdb_processes",
    "table_size",
    "metrics",
    "threads",
];
const IN_FIXED_ORDER: usize = 7;

/// The members asked for; `None` asks for all of them. Names that are not known are left out. Blocks a while.
pub fn information(server: &Server, asked: Option<&[String]>) -> Object {
    let names = match asked {
        None => MEMBERS.to_vec(),
        Some(asked) => {
            let canonical = |name: &String| match name.as_str() {
                "database_metrics" => Some("metrics"),
                name => MEMBERS.into_iter().find(|member| *member == name),
            };
            let wanted: Vec<&str> = asked.iter().filter_map(canonical).collect();
            let (fixed, free) = MEMBERS.split_at(IN_FIXED_ORDER);
            let first = fixed.iter().copied().filter(|member| wanted.contains(member));
            first.chain(wanted.iter().copied().filter(|member| free.contains(member))).collect()
        }
    };
    let mut system = System::new().ok();
    names.into_iter().map(|name| (name.to_owned(), member(server, system.as_mut(), name))).collect()
}

fn member(server: &Server, system: Option<&mut System>, name: &str) -> Value {
    match (name, system) {
        ("system", _) => machine::system(),
        ("time", _) => machine::time(),
        ("disk", _) => match server.config.disk_information {
            true => devices::disk(),
            false => Value::Object(Object::new()),
        },
        ("network", _) => devices::network(server.config.network_information),
        ("table_size", _) => databases::table_size(&server.store),
        ("metrics", _) => databases::metrics(&server.store),
        ("threads", _) => process::threads(),
        ("cpu", Some(system)) => processors::cpu(system),
        ("memory", Some(system)) => machine::memory(system),
        ("harperdb_processes", Some(system)) => process::processes(system),
        _ => Value::Object(Object::new()),
    }
}

fn text(text: impl Into<String>) -> Value {
    Value::String(text.into())
}

fn count(count: impl TryInto<u64>) -> Value {
    Value::Number(count.try_into().unwrap_or(0) as f64)
}
