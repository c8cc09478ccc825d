//! Leaving everything to the next program: the same binary, started in place of this one with the sockets open.

use super::lifecycle::Legacy;
use crate::http::{Address, Listeners};
use listenfd::ListenFd;
use rustix::io::{FdFlags, fcntl_dupfd_cloexec, fcntl_setfd};
use serde::{Deserialize, Serialize};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the next program reads what is left to it.
const VARIABLE: &str = "REFERENCE_SERVER_LEGACY";
/// The lowest number a socket is passed under: within the smallest usual limit.
const FIRST: i32 = 100;

/// What is passed besides the sockets.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Passed {
    plain: Option<Address>,
    secure: Option<Address>,
    replication: Option<Address>,
    replication_secure: Option<Address>,
    socket: Option<PathBuf>,
    jobs: Vec<String>,
    folder: Option<PathBuf>,
}

/// What the program before this one left.
#[derive(Debug, Default)]
pub struct Inherited {
    /// Its sockets and jobs.
    pub legacy: Legacy,
    /// The folder of its throw-away instance.
    pub folder: Option<PathBuf>,
}

impl Inherited {
    /// Takes what was left; nothing at an ordinary start. To be called while the program has no other threads: it
    /// changes the environment.
    pub fn take() -> Inherited {
        let mut sockets = ListenFd::from_env();
        let Some(passed) =
            std::env::var(VARIABLE).ok().and_then(|text| serde_json::from_str::<Passed>(&text).ok())
        else {
            return Inherited::default();
        };
        // The variable outlives the program that was meant; without its sockets it says nothing.
        if sockets.len() == 0 {
            return Inherited::default();
        }
        let mut number = 0;
        let mut next = || {
            number += 1;
            number - 1
        };
        let mut listeners = Listeners::default();
        for (asked, place) in [
            (passed.plain, &mut listeners.plain),
            (passed.secure, &mut listeners.secure),
            (passed.replication, &mut listeners.replication),
            (passed.replication_secure, &mut listeners.replication_secure),
        ] {
            if let Some(asked) = asked {
                *place = sockets.take_tcp_listener(next()).ok().flatten().map(|listener| (asked, listener));
            }
        }
        if let Some(path) = passed.socket {
            listeners.socket = sockets.take_unix_listener(next()).ok().flatten().map(|socket| (path, socket));
        }
        Inherited { legacy: Legacy { listeners, jobs: passed.jobs }, folder: passed.folder }
    }
}

/// Replaces this program by `program`, with the same arguments and environment. Returns only when that fails.
pub fn replace(program: &Path, legacy: &Legacy, folder: Option<&Path>) -> io::Error {
    let listeners = &legacy.listeners;
    let asked = |listener: &Option<(Address, _)>| listener.as_ref().map(|(asked, _)| asked.clone());
    let passed = Passed {
        plain: asked(&listeners.plain),
        secure: asked(&listeners.secure),
        replication: asked(&listeners.replication),
        replication_secure: asked(&listeners.replication_secure),
        socket: listeners.socket_path().map(Path::to_owned),
        jobs: legacy.jobs.clone(),
        folder: folder.map(Path::to_owned),
    };
    let text = match serde_json::to_string(&passed) {
        Ok(text) => text,
        Err(error) => return error.into(),
    };
    let sockets = match in_a_row(listeners) {
        Ok(sockets) => sockets,
        Err(error) => return error,
    };
    let first = sockets.first().map_or(FIRST, AsRawFd::as_raw_fd);
    let mut command = Command::new(program);
    command
        .args(std::env::args_os().skip(1))
        .env(VARIABLE, text)
        .env("LISTEN_PID", std::process::id().to_string())
        .env("LISTEN_FDS", sockets.len().to_string())
        .env("LISTEN_FDS_FIRST_FD", first.to_string());
    let failed = command.exec();
    drop(sockets);
    failed
}

/// Copies of the sockets that outlive this program, with numbers that follow each other.
fn in_a_row(listeners: &Listeners) -> io::Result<Vec<OwnedFd>> {
    let wanted = listeners.descriptors();
    let mut first = FIRST;
    'attempt: loop {
        let mut copies: Vec<OwnedFd> = Vec::with_capacity(wanted.len());
        for (offset, socket) in (0..).zip(&wanted) {
            let copy = fcntl_dupfd_cloexec(socket, first + offset)?;
            let number = copy.as_raw_fd();
            copies.push(copy);
            if number != first + offset {
                // Somebody else has a number in between.
                first = number + 1;
                continue 'attempt;
            }
        }
        for copy in &copies {
            fcntl_setfd(copy, FdFlags::empty())?;
        }
        return Ok(copies);
    }
}
