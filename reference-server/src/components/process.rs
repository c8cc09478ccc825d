//! Running the machine's own `npm`, `git` and install commands: with a time limit, with nothing to ask anybody, and
//! without the instance's secrets in their environment.

use parking_lot::Mutex;
use std::ffi::OsString;
use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

/// How much of a command's output is kept.
const LARGEST_OUTPUT: usize = 64 * 1024;
/// How long the output of a command that has ended is waited for.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// The programs used. Tests put others in their place.
#[derive(Clone, Debug)]
pub(super) struct Tools {
    pub(super) npm: OsString,
    pub(super) git: OsString,
}

impl Default for Tools {
    fn default() -> Self {
        Tools { npm: "npm".into(), git: "git".into() }
    }
}

/// A command that ended.
#[derive(Debug)]
pub(super) struct Ended {
    /// Its exit code; `None` when a signal ended it.
    pub(super) code: Option<i32>,
    /// The beginning of what it wrote to standard error.
    pub(super) stderr: String,
}

/// Why a command did not end by itself.
#[derive(Debug, thiserror::Error)]
pub(super) enum RunError {
    /// There is no such program.
    #[error("it is not installed")]
    Missing,
    /// It took too long and was stopped, with all it had started.
    #[error("it took too long")]
    TimedOut,
    /// It could not be started.
    #[error(transparent)]
    Failed(#[from] io::Error),
}

/// Runs a command to its end. Blocks.
pub(super) fn run(mut command: Command, limit: Duration) -> Result<Ended, RunError> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    command.envs([("CI", "1"), ("GIT_TERMINAL_PROMPT", "0"), ("npm_config_yes", "true")]);
    for secret in ["HDB_ADMIN_USERNAME", "HDB_ADMIN_PASSWORD"] {
        command.env_remove(secret);
    }
    let mut child = command.spawn().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => RunError::Missing,
        _ => RunError::Failed(error),
    })?;
    let group = child.id();
    let output = Gathering::begin(child.stdout.take())?;
    let errors = Gathering::begin(child.stderr.take())?;
    let (tell, ended) = mpsc::channel();
    thread::Builder::new().spawn(move || tell.send(child.wait()))?;
    let status = match ended.recv_timeout(limit) {
        Ok(status) => status,
        Err(RecvTimeoutError::Timeout) => {
            stop_group(group);
            // The end of the child itself is near now.
            let _ = ended.recv_timeout(LAST_WORDS);
            return Err(RunError::TimedOut);
        }
        Err(RecvTimeoutError::Disconnected) => return Err(io::Error::other("the command was lost").into()),
    };
    // What it left running would keep the output open.
    stop_group(group);
    output.finish();
    Ok(Ended { code: status?.code(), stderr: errors.finish() })
}

/// Ends all processes of a group. The shell does it, since its `kill` knows groups and is always there.
fn stop_group(group: u32) {
    let mut kill = Command::new("/bin/sh");
    kill.arg("-c").arg(format!("kill -s KILL -- -{group}"));
    kill.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if let Err(error) = kill.status() {
        tracing::warn!(%error, "cannot stop the processes of a command");
    }
}

/// What a command writes, gathered by a thread so that the command never waits.
struct Gathering {
    text: Arc<Mutex<Vec<u8>>>,
    done: mpsc::Receiver<()>,
}

impl Gathering {
    fn begin(source: Option<impl Read + Send + 'static>) -> io::Result<Gathering> {
        let text = Arc::new(Mutex::new(Vec::new()));
        let (tell, done) = mpsc::channel();
        let kept = text.clone();
        thread::Builder::new().spawn(move || {
            let Some(mut source) = source else { return };
            let mut buffer = [0; 4096];
            while let Ok(read @ 1..) = source.read(&mut buffer) {
                let mut kept = kept.lock();
                let room = LARGEST_OUTPUT.saturating_sub(kept.len());
                kept.extend(buffer.iter().take(read.min(room)));
            }
            let _ = tell.send(());
        })?;
        Ok(Gathering { text, done })
    }

    fn finish(self) -> String {
        // Ended or not: what is there is what there is.
        let _ = self.done.recv_timeout(LAST_WORDS);
        String::from_utf8_lossy(&self.text.lock()).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(text: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.arg("-c").arg(text);
        command
    }

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn the_code_and_the_errors_are_told() {
        let ended = run(shell("echo out; echo wrong >&2; exit 3"), LONG).unwrap();
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(3), "wrong\n"));
    }

    #[test]
    fn a_program_that_is_not_there_is_missing() {
        assert!(matches!(run(Command::new("/no/such/program"), LONG), Err(RunError::Missing)));
    }

    #[test]
    fn what_takes_too_long_is_stopped_with_its_children() {
        let folder = tempfile::tempdir().unwrap();
        let mark = folder.path().join("mark");
        let text = format!("(sleep 600; touch '{}') & wait", mark.display());
        assert!(matches!(run(shell(&text), Duration::from_millis(50)), Err(RunError::TimedOut)));
        assert!(!mark.exists());
    }

    #[test]
    fn much_output_and_processes_left_behind_do_not_hold_it_up() {
        let ended = run(shell("sleep 600 & yes | head -c 300000 >&2"), LONG).unwrap();
        assert_eq!((ended.code, ended.stderr.len()), (Some(0), LARGEST_OUTPUT));
    }
}
