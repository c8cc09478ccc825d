//! The levels of the log.

/// How grave an entry is, from the least to the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Everything that happens inside.
    Trace,
    /// What helps to find a fault.
    Debug,
    /// What goes on.
    Info,
    /// What may become a problem.
    Warn,
    /// What went wrong.
    Error,
    /// What ends the server.
    Fatal,
    /// Milestones, written at every level.
    Notify,
}

impl Level {
    const ALL: [Level; 7] =
        [Level::Trace, Level::Debug, Level::Info, Level::Warn, Level::Error, Level::Fatal, Level::Notify];

    /// The name in the file and in requests.
    pub fn name(self) -> &'static str {
        match self {
            Level::Trace => "trace",
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Warn => "warn",
            Level::Error => "error",
            Level::Fatal => "fatal",
            Level::Notify => "notify",
        }
    }

    /// The level of a name.
    pub fn of(name: &str) -> Option<Level> {
        Level::ALL.into_iter().find(|level| level.name() == name)
    }
}

impl From<tracing::Level> for Level {
    fn from(level: tracing::Level) -> Self {
        match level {
            tracing::Level::TRACE => Level::Trace,
            tracing::Level::DEBUG => Level::Debug,
            tracing::Level::INFO => Level::Info,
            tracing::Level::WARN => Level::Warn,
            tracing::Level::ERROR => Level::Error,
        }
    }
}
