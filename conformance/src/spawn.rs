//! A target that the harness starts itself, so that it can end it at any moment and start it again.
//!
//! The command is run by `sh` in a process group of its own. In it, and in the address, `{port}` stands for a free
//! port and `{root}` for an empty folder; both stay the same at every start and are gone in the end. The target finds
//! the super user's name and password in `HDB_ADMIN_USERNAME` and `HDB_ADMIN_PASSWORD`. It is ready when it answers
//! `user_info` to that user.

use crate::secrets::Secrets;
use crate::target::{Credentials, Reach, Target, TargetError};
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::json;
use std::io::{PipeReader, Read as _};
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How a target is started.
#[derive(Clone, Debug)]
pub struct Order {
    /// The command.
    pub command: String,
    /// Where the target then is; `http://127.0.0.1:{port}` unless told.
    pub url: Option<String>,
    /// Ends the target at once, where killing the command does not: that of a container, say.
    pub kill: Option<String>,
    /// How long the target may take to be ready.
    pub patience: Duration,
}

/// Why a target is not there.
#[derive(Debug, thiserror::Error)]
pub enum SpawnError {
    /// No port, folder or process.
    #[error("the target cannot be started: {0}")]
    Start(#[from] std::io::Error),
    /// Its address.
    #[error(transparent)]
    Address(#[from] TargetError),
    /// It ended by itself.
    #[error("the target ended ({status}) before it was ready{output}")]
    Ended {
        /// How.
        status: ExitStatus,
        /// The last it said.
        output: String,
    },
    /// It never was ready.
    #[error("the target was not ready within {} s{output}", .patience.as_secs())]
    NotReady {
        /// How long was waited.
        patience: Duration,
        /// The last it said.
        output: String,
    },
}

/// A target that the harness started. It ends when this is dropped.
#[derive(Debug)]
pub struct Spawned {
    command: String,
    kill: Option<String>,
    patience: Duration,
    target: Target,
    folder: TempDir,
    running: Mutex<Option<Running>>,
    output: Output,
}

/// What a target wrote last.
type Output = Arc<Mutex<Vec<u8>>>;

/// The first process of a target, and word that all that it started are gone.
#[derive(Debug)]
struct Running {
    child: Child,
    gone: Receiver<()>,
}

impl Spawned {
    /// Starts a target and waits until it is ready.
    ///
    /// # Errors
    /// [`SpawnError`] when it is not.
    pub async fn start(order: &Order, admin: Credentials, reach: Reach) -> Result<Self, SpawnError> {
        let folder = tempfile::Builder::new().prefix("conformance-").tempdir()?;
        let root = folder.path().join("root");
        std::fs::create_dir(&root)?;
        let port = free_port()?.to_string();
        let fill = |text: &str| text.replace("{port}", &port).replace("{root}", &root.display().to_string());
        let url = order.url.as_deref().unwrap_or("http://127.0.0.1:{port}");
        let spawned = Spawned {
            command: fill(&order.command),
            kill: order.kill.as_deref().map(fill),
            patience: order.patience,
            target: Target::new(&fill(url), admin, reach)?,
            folder,
            running: Mutex::default(),
            output: Output::default(),
        };
        spawned.start_again().await?;
        Ok(spawned)
    }

    /// How to reach it.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Starts it, on the same port and folder as before, and waits until it is ready.
    ///
    /// # Errors
    /// [`SpawnError`] when it is not.
    pub async fn start_again(&self) -> Result<(), SpawnError> {
        let (reader, writer) = std::io::pipe()?;
        let child = self.shell(&self.command).stdout(writer.try_clone()?).stderr(writer).spawn()?;
        let gone = listen(reader, Arc::clone(&self.output));
        *self.lock() = Some(Running { child, gone });
        let started = Instant::now();
        while !self.is_ready().await {
            // What starts a container may be done while that runs.
            let ended = self.ended()?.filter(|status| self.kill.is_none() || !status.success());
            if let Some(status) = ended {
                return Err(SpawnError::Ended { status, output: self.last_words() });
            }
            if started.elapsed() > self.patience {
                return Err(SpawnError::NotReady { patience: self.patience, output: self.last_words() });
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// Ends it at once, by SIGKILL or the command for it, and waits until it is gone.
    pub async fn kill(&self) {
        let running = self.lock().take();
        let kill = self.kill.as_deref().map(|command| self.shell(command));
        let ended = tokio::task::spawn_blocking(move || end(running, kill)).await;
        debug_assert!(ended.is_ok(), "ending does not panic");
    }

    /// Ends it at once and removes its folder, for a program that is about to end itself.
    pub fn end_now(&self) {
        end(self.lock().take(), self.kill.as_deref().map(|command| self.shell(command)));
        // What cannot be removed stays in the folder for such things.
        let _ = std::fs::remove_dir_all(self.folder.path());
    }

    fn shell(&self, command: &str) -> Command {
        let mut shell = Command::new("sh");
        shell.args(["-c", command]).process_group(0).stdin(Stdio::null()).stdout(Stdio::null());
        shell.stderr(Stdio::null());
        shell.env("HDB_ADMIN_USERNAME", &self.target.admin.username);
        shell.env("HDB_ADMIN_PASSWORD", &self.target.admin.password);
        shell
    }

    async fn is_ready(&self) -> bool {
        let answer = self.target.operate(&json!({"operation": "user_info"})).await.answer;
        answer.is_some_and(|answer| matches!(answer.status, 200 | 501))
    }

    fn ended(&self) -> std::io::Result<Option<ExitStatus>> {
        self.lock().as_mut().map_or(Ok(None), |running| running.child.try_wait())
    }

    /// The last lines that the target wrote, without secrets.
    fn last_words(&self) -> String {
        const LINES: usize = 10;
        let text = String::from_utf8_lossy(&locked(&self.output)).into_owned();
        let lines: Vec<&str> = text.lines().collect();
        let last = lines[lines.len().saturating_sub(LINES)..].join("\n    ");
        let secrets = Secrets::of(&self.target.admin);
        if last.is_empty() { String::new() } else { format!("; it said\n    {}", secrets.text(&last)) }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Running>> {
        locked(&self.running)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps the last of what is written until nobody is left who could write.
fn listen(mut reader: PipeReader, output: Output) -> Receiver<()> {
    const KEPT: usize = 16 * 1024;
    let (tell, gone) = channel();
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = reader.read(&mut buffer) {
            let mut kept = locked(&output);
            kept.extend_from_slice(&buffer[..count]);
            let surplus = kept.len().saturating_sub(KEPT);
            kept.drain(..surplus);
        }
        // Nobody may care any more.
        let _ = tell.send(());
    });
    gone
}

impl Drop for Spawned {
    fn drop(&mut self) {
        self.end_now();
    }
}

/// Kills all of a process group and waits until all are gone.
fn end(running: Option<Running>, kill: Option<Command>) {
    const PATIENCE: Duration = Duration::from_secs(5);
    let Some(Running { mut child, gone }) = running else { return };
    if let Some(mut kill) = kill {
        // Whether it worked is seen below: what still runs is killed.
        let _ = kill.status();
    }
    // Until it is waited for, the number is nobody else's.
    if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        let _ = kill_process_group(group, Signal::KILL);
    }
    let _ = child.wait();
    // The shell may be gone before the program that it started.
    let _ = gone.recv_timeout(PATIENCE);
}

/// A port that is free now, and that the system does not hand out by itself while the target is away.
fn free_port() -> std::io::Result<u16> {
    const TRIES: usize = 200;
    let mut last = None;
    for _ in 0..TRIES {
        let port = rand::random_range(20_000..30_000);
        match TcpListener::bind(("127.0.0.1", port)) {
            Ok(_) => return Ok(port),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| std::io::Error::other("no port is free")))
}
