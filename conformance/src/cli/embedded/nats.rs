//! Nodes need a nats-server.

use std::path::PathBuf;

/// True when nodes can be started on this machine.
pub fn is_there() -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    places.into_iter().any(|place| place.join("nats-server").is_file())
}
