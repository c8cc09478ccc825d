//! The thread that writes the file.

use super::rotate::Rotator;
use super::{Level, line};
use crate::config::Logging;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::oneshot;

/// How many lines may wait; more are counted and left out.
const MOST_WAITING: usize = 8192;
/// How many bytes are written at once, about.
const LARGEST_WRITE: usize = 256 << 10;
/// How often an idle writer sees whether it is time to rotate.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// How long a reader waits for what was said before it asked.
const PATIENCE: Duration = Duration::from_secs(5);

enum Message {
    Line(Level, String),
    Flush(oneshot::Sender<()>),
}

/// The log of a running instance. Dropping it writes what waits.
pub struct Log {
    settings: Logging,
    sender: Option<SyncSender<Message>>,
    lost: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Log {
    /// Begins to write. A log that goes nowhere needs no thread.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn open(settings: &Logging) -> io::Result<Log> {
        let settings = settings.clone();
        let lost = Arc::new(AtomicU64::new(0));
        if !settings.file && !settings.std_streams {
            return Ok(Log { settings, sender: None, lost, thread: None });
        }
        let (sender, receiver) = sync_channel(MOST_WAITING);
        let sink = Sink {
            file: settings.file.then(|| LogFile::new(settings.file_path())),
            rotator: Rotator::new(&settings),
            std_streams: settings.std_streams,
            lost: lost.clone(),
        };
        let thread =
            std::thread::Builder::new().name("log".to_owned()).spawn(move || sink.work(&receiver))?;
        Ok(Log { settings, sender: Some(sender), lost, thread: Some(thread) })
    }

    /// The least grave level that is written.
    pub fn level(&self) -> Level {
        self.settings.level
    }

    /// The file.
    pub fn path(&self) -> PathBuf {
        self.settings.file_path()
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.settings.root
    }

    /// Writes an entry, soon. Never waits: when too many lines wait already it is left out, which the log tells.
    pub fn write(&self, level: Level, thread: &str, tags: &[&str], message: &str) {
        let Some(sender) = &self.sender else { return };
        let now = chrono::Utc::now().timestamp_millis() as f64;
        let line = line::format(now, thread, level, tags, message);
        if let Err(TrySendError::Full(_)) = sender.try_send(Message::Line(level, line)) {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until everything said so far is in the file.
    pub async fn flush(&self) {
        let Some(sender) = self.sender.clone() else { return };
        let flushed = async move {
            let (done, waiting) = oneshot::channel();
            // The queue may be full, so this may have to wait for room.
            let sent = tokio::task::spawn_blocking(move || sender.send(Message::Flush(done)));
            if matches!(sent.await, Ok(Ok(()))) {
                // An error only says that the writer has ended, and then everything is written.
                let _ = waiting.await;
            }
        };
        // A disk that hangs is no reason to answer nothing.
        let _ = tokio::time::timeout(PATIENCE, flushed).await;
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.sender = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The writing thread's state.
struct Sink {
    file: Option<LogFile>,
    rotator: Option<Rotator>,
    std_streams: bool,
    lost: Arc<AtomicU64>,
}

impl Sink {
    fn work(mut self, messages: &Receiver<Message>) {
        let mut flushed = Vec::new();
        loop {
            let first = match &self.rotator {
                Some(_) => messages.recv_timeout(LOOK_EVERY),
                None => messages.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            let mut text = String::new();
            match first {
                Ok(message) => {
                    self.take(message, &mut text, &mut flushed);
                    while text.len() < LARGEST_WRITE
                        && let Ok(message) = messages.try_recv()
                    {
                        self.take(message, &mut text, &mut flushed);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            self.tell_of_lost_lines(&mut text);
            if let Some(file) = &mut self.file {
                file.write(&text);
            }
            self.rotate();
            for done in flushed.drain(..) {
                // A reader that lost its patience.
                let _ = done.send(());
            }
        }
    }

    fn take(&self, message: Message, text: &mut String, flushed: &mut Vec<oneshot::Sender<()>>) {
        match message {
            Message::Line(level, line) => {
                if self.std_streams {
                    print(level, line::without_time(&line));
                }
                text.push_str(&line);
            }
            Message::Flush(done) => flushed.push(done),
        }
    }

    fn tell_of_lost_lines(&self, text: &mut String) {
        let lost = self.lost.swap(0, Ordering::Relaxed);
        if lost > 0 {
            text.push_str(&own_line(Level::Warn, &format!("{lost} entries came too fast and were left out")));
        }
    }

    fn rotate(&mut self) {
        let (Some(file), Some(rotator)) = (&mut self.file, &mut self.rotator) else { return };
        match rotator.rotate_if_due(file.path(), file.size()) {
            Ok(None) => {}
            Ok(Some(moved)) => {
                file.close();
                let name = file.path().file_name().unwrap_or_default().to_string_lossy().into_owned();
                let told = format!("{name} rotated, old log moved to {}", moved.display());
                file.write(&own_line(Level::Notify, &told));
            }
            Err(error) => {
                file.write(&own_line(Level::Error, &format!("the log could not be rotated: {error}")))
            }
        }
    }
}

/// A line of the writing thread itself.
fn own_line(level: Level, message: &str) -> String {
    line::format(chrono::Utc::now().timestamp_millis() as f64, "main/0", level, &[], message)
}

fn print(level: Level, line: &str) {
    // Whoever closed the stream does not want to read it.
    let _ = match level {
        Level::Error | Level::Fatal => io::stderr().write_all(line.as_bytes()),
        _ => io::stdout().write_all(line.as_bytes()),
    };
}

/// The file, opened when there is something to write.
struct LogFile {
    path: PathBuf,
    open: Option<(File, u64)>,
    complained: bool,
}

impl LogFile {
    fn new(path: PathBuf) -> LogFile {
        LogFile { path, open: None, complained: false }
    }

    fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes in the file; 0 before anything was written.
    fn size(&self) -> u64 {
        self.open.as_ref().map_or(0, |(_, size)| *size)
    }

    fn close(&mut self) {
        self.open = None;
    }

    fn write(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        match self.try_write(text) {
            Ok(()) => self.complained = false,
            Err(error) => {
                self.close();
                // The log cannot say so itself. Once is enough.
                if !std::mem::replace(&mut self.complained, true) {
                    eprintln!("reference-server: cannot write {}: {error}", self.path.display());
                }
            }
        }
    }

    fn try_write(&mut self, text: &str) -> io::Result<()> {
        let (file, size) = match &mut self.open {
            Some(open) => open,
            closed => closed.insert(open_file(&self.path)?),
        };
        file.write_all(text.as_bytes())?;
        *size += text.len() as u64;
        Ok(())
    }
}

fn open_file(path: &Path) -> io::Result<(File, u64)> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let file = File::options().create(true).append(true).open(path)?;
    let size = file.metadata()?.len();
    Ok((file, size))
}
