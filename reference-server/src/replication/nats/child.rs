//! The child process: started, watched, started again when it ends, stopped with the server.
//!
//! A thread of its own looks after it, since the system ends the child of a thread that ends (where `setpriv` can ask
//! for that), and so takes the child away when this program is killed, at whatever moment. Where it could not, the next
//! start does.

use super::config;
use parking_lot::Mutex;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// How often the child is looked after.
const GLANCE: Duration = Duration::from_millis(20);
/// How long the child may take until it can be reached.
const START_PATIENCE: Duration = Duration::from_secs(20);
/// How long it may take to end by itself.
const STOP_PATIENCE: Duration = Duration::from_secs(3);
/// The pause before it is started again; doubled while it does not stay, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// A child that has lived so long stays.
const STAYS: Duration = Duration::from_secs(10);
/// Where the program may be, besides the places of `PATH`.
const USUAL_PLACES: [&str; 4] = ["/usr/sbin", "/usr/local/sbin", "/usr/local/bin", "/usr/bin"];

/// The child and the thread that looks after it.
pub(super) struct Supervisor {
    orders: Sender<Order>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// What the thread is told to do.
enum Order {
    Stop,
    /// To have the child work by this configuration from now on.
    Configure(String),
}

/// What the thread works with.
struct Keeper {
    program: PathBuf,
    folder: PathBuf,
    configuration: String,
    address: watch::Sender<Option<SocketAddr>>,
    orders: Receiver<Order>,
}

/// The end of a watch over a child.
enum Ending {
    Stopped,
    Ended(String),
}

impl Supervisor {
    /// Starts the child and waits until it can be reached; its address is told from then on, and `None` while it is
    /// down. Blocks.
    pub(super) fn start(
        folder: &Path,
        configuration: String,
        address: watch::Sender<Option<SocketAddr>>,
    ) -> anyhow::Result<Supervisor> {
        let program = program()?;
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let (orders, given) = channel();
        let (tell, told) = channel();
        let keeper = Keeper { program, folder: folder.to_owned(), configuration, address, orders: given };
        let events = tracing::dispatcher::get_default(Clone::clone);
        let work = move || tracing::dispatcher::with_default(&events, || keeper.work(&tell));
        let thread = std::thread::Builder::new().name("nats-server".to_owned()).spawn(work)?;
        let supervisor = Supervisor { orders, thread: Mutex::new(Some(thread)) };
        match told.recv() {
            Ok(Ok(())) => Ok(supervisor),
            Ok(Err(error)) => Err(anyhow::anyhow!("nats-server does not start: {error}")),
            Err(_) => Err(anyhow::anyhow!("nats-server does not start")),
        }
    }

    /// Has the child work by another configuration, soon.
    pub(super) fn configure(&self, configuration: String) {
        // The thread may have ended by itself.
        let _ = self.orders.send(Order::Configure(configuration));
    }

    /// Ends the child. Blocks until it has ended.
    pub(super) fn stop(&self) {
        // The thread may have ended by itself.
        let _ = self.orders.send(Order::Stop);
        if let Some(thread) = self.thread.lock().take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Keeper {
    /// Tells once whether the child can be reached, then keeps it.
    fn work(mut self, tell: &Sender<Result<(), String>>) {
        let mut pause = FIRST_PAUSE;
        let mut first = true;
        loop {
            let began = Instant::now();
            let ending = match self.begin() {
                Err(error) => Ending::Ended(error),
                Ok((child, address)) => {
                    if std::mem::take(&mut first) {
                        let _ = tell.send(Ok(()));
                    }
                    tracing::info!(%address, "nats-server runs");
                    self.address.send_replace(Some(address));
                    let ending = self.watch(child);
                    self.address.send_replace(None);
                    ending
                }
            };
            let why = match ending {
                Ending::Stopped => return,
                Ending::Ended(why) => why,
            };
            if first {
                let _ = tell.send(Err(why));
                return;
            }
            tracing::warn!("nats-server ended and is started again: {why}");
            pause = if began.elapsed() > STAYS { FIRST_PAUSE } else { (pause * 2).min(LONGEST_PAUSE) };
            if self.is_told_to_stop(pause) {
                return;
            }
        }
    }

    fn begin(&self) -> Result<(Child, SocketAddr), String> {
        self.end_stale();
        let text = |error: io::Error| error.to_string();
        let file = config::file(&self.folder);
        write_private(&file, &self.configuration).map_err(text)?;
        let mut child = self.command(&file).spawn().map_err(text)?;
        match self.wait_for_port(&mut child) {
            Ok(address) => Ok((child, address)),
            Err(error) => {
                end(&mut child);
                Err(error)
            }
        }
    }

    fn command(&self, file: &Path) -> Command {
        let mut command = tied_to(std::process::id(), &self.program);
        command.arg("-c").arg(file);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("HDB_ADMIN_") {
                command.env_remove(name);
            }
        }
        command
    }

    fn wait_for_port(&self, child: &mut Child) -> Result<SocketAddr, String> {
        let ending = format!("nats-server_{}.ports", child.id());
        let deadline = Instant::now() + START_PATIENCE;
        while Instant::now() < deadline {
            if let Some(address) = self.ports_file(&ending) {
                return Ok(address);
            }
            if let Ok(Some(status)) = child.try_wait() {
                let log = self.folder.join("nats-server.log");
                return Err(format!("it ended with {status}; {} says why", log.display()));
            }
            std::thread::sleep(GLANCE);
        }
        Err(format!("it could not be reached within {START_PATIENCE:?}"))
    }

    /// The address in the file of ports whose name has this ending.
    fn ports_file(&self, ending: &str) -> Option<SocketAddr> {
        let entries = fs::read_dir(&self.folder).ok()?.filter_map(Result::ok);
        let file = entries
            .map(|entry| entry.path())
            .find(|path| path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(ending)))?;
        // It may be half written.
        let ports: serde_json::Value = serde_json::from_slice(&fs::read(file).ok()?).ok()?;
        let url = ports.get("nats")?.get(0)?.as_str()?;
        url.split_once("://")?.1.parse().ok()
    }

    /// Waits for the time of a pause, or until it is to stop. A configuration is kept for the next start.
    fn is_told_to_stop(&mut self, pause: Duration) -> bool {
        let until = Instant::now() + pause;
        loop {
            match self.orders.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(Order::Configure(configuration)) => self.configuration = configuration,
                Err(RecvTimeoutError::Timeout) => return false,
                Ok(Order::Stop) | Err(RecvTimeoutError::Disconnected) => return true,
            }
        }
    }

    fn watch(&mut self, mut child: Child) -> Ending {
        loop {
            match child.try_wait() {
                Ok(Some(status)) => {
                    self.tidy(child.id());
                    return Ending::Ended(status.to_string());
                }
                Ok(None) => {}
                Err(error) => return Ending::Ended(error.to_string()),
            }
            match self.orders.recv_timeout(GLANCE) {
                Err(RecvTimeoutError::Timeout) => {}
                Ok(Order::Configure(configuration)) => {
                    self.configuration = configuration;
                    match write_private(&config::file(&self.folder), &self.configuration) {
                        Ok(()) => signal("HUP", child.id()),
                        Err(error) => tracing::error!(%error, "nats-server cannot be configured anew"),
                    }
                }
                Ok(Order::Stop) | Err(RecvTimeoutError::Disconnected) => {
                    let id = child.id();
                    end(&mut child);
                    self.tidy(id);
                    let _ = fs::remove_file(config::pid_file(&self.folder));
                    return Ending::Stopped;
                }
            }
        }
    }

    /// Removes what a killed child leaves behind.
    fn tidy(&self, id: u32) {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().filter_map(Result::ok);
        for entry in
            entries.filter(|entry| entry.file_name().to_string_lossy().ends_with(&format!("_{id}.ports")))
        {
            let _ = fs::remove_file(entry.path());
        }
    }

    /// Ends a child that a killed program left behind. It is ours when it runs with our configuration.
    fn end_stale(&self) {
        let id = fs::read_to_string(config::pid_file(&self.folder)).ok();
        let Some(id) = id.and_then(|text| text.trim().parse::<u32>().ok()) else { return };
        let runs = || {
            let line = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
            let file = config::file(&self.folder);
            line.split(|byte| *byte == 0).any(|word| Path::new(&*String::from_utf8_lossy(word)) == file)
        };
        if runs() {
            tracing::warn!(id, "a nats-server was left behind and is ended");
            signal("KILL", id);
            let deadline = Instant::now() + STOP_PATIENCE;
            while runs() && Instant::now() < deadline {
                std::thread::sleep(GLANCE);
            }
        }
        self.tidy(id);
    }
}

/// A program that ends when the thread that starts it does, however that comes about. Who has ended before the system
/// was asked for that is not the parent `starter` any more, and then nothing runs.
fn tied_to(starter: u32, program: &Path) -> Command {
    const ASK_THEN_LOOK: &str = r#"[ "$PPID" = "$1" ] || exit 1; shift; exec "$@""#;
    let Some(setpriv) = find("setpriv") else { return Command::new(program) };
    let mut command = Command::new(setpriv);
    command.args(["--pdeathsig", "KILL", "--", "/bin/sh", "-c", ASK_THEN_LOOK, "sh"]);
    command.arg(starter.to_string()).arg(program);
    command
}

/// Asks a child to end, and ends it when it does not.
fn end(child: &mut Child) {
    if matches!(child.try_wait(), Ok(None)) {
        signal("TERM", child.id());
    }
    let deadline = Instant::now() + STOP_PATIENCE;
    while Instant::now() < deadline {
        if !matches!(child.try_wait(), Ok(None)) {
            return;
        }
        std::thread::sleep(GLANCE / 4);
    }
    let _ = child.kill();
    let _ = child.wait();
}

/// Sends a signal. The shell does it, since its `kill` is always there.
fn signal(name: &str, id: u32) {
    let mut kill = Command::new("/bin/sh");
    kill.arg("-c").arg(format!("kill -s {name} {id}"));
    kill.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if let Err(error) = kill.status() {
        tracing::warn!(%error, "cannot signal nats-server");
    }
}

/// The program of the child.
///
/// # Errors
/// When it is not there.
pub(in crate::replication) fn program() -> anyhow::Result<PathBuf> {
    let installed = find("nats-server");
    installed.ok_or_else(|| anyhow::anyhow!("nats-server is not installed, and replication needs it"))
}

/// A program of this machine.
fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places: Vec<PathBuf> = std::env::split_paths(&path).chain(USUAL_PLACES.map(PathBuf::from)).collect();
    places.into_iter().map(|place| place.join(program)).find(|file| file.is_file())
}

/// Writes a file that only this user may read.
fn write_private(file: &Path, text: &str) -> io::Result<()> {
    use std::io::Write;
    let mut options = fs::OpenOptions::new();
    let mut out = options.create(true).truncate(true).write(true).mode(0o600).open(file)?;
    out.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_started_by_one_who_has_ended_does_not_run() {
        if find("setpriv").is_none() {
            return;
        }
        let echo = find("echo").unwrap();
        let said = |starter: u32| {
            let output = tied_to(starter, &echo).arg("it runs").output().unwrap();
            (output.status.success(), String::from_utf8(output.stdout).unwrap())
        };
        assert_eq!(said(std::process::id()), (true, "it runs\n".to_owned()));
        assert_eq!(said(u32::MAX), (false, String::new()));
    }
}
