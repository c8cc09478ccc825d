//! The life of an instance: its start, its end, and the step from one to the next at a restart.

use super::job;
use crate::config::Config;
use crate::http::{self, Listeners, Running};
use crate::replication::link::Link;
use crate::server::Server;
use anyhow::Context;
use std::sync::Arc;
use std::time::Duration;

/// How long requests in flight may take to finish at a restart, however long their own limit is.
const MOST_PATIENCE: Duration = Duration::from_secs(60);
/// How long what goes on in the background may take to let go of the data.
const CLOSING: Duration = Duration::from_secs(30);

/// An instance at work.
pub struct Instance {
    /// What it works with.
    pub server: Arc<Server>,
    /// What it listens on.
    pub running: Running,
}

/// What an instance leaves to the next.
#[derive(Debug, Default)]
pub struct Legacy {
    /// The open sockets.
    pub listeners: Listeners,
    /// The jobs that end when the next instance has begun.
    pub jobs: Vec<String>,
}

impl Instance {
    /// Starts an instance, on the sockets left to it where they fit.
    ///
    /// # Errors
    /// When the data cannot be opened or an address cannot be used.
    pub async fn start(config: Config, legacy: Legacy) -> anyhow::Result<Instance> {
        // Counted from here.
        super::uptime();
        let listeners = Listeners::open(&config, &legacy.listeners).context("cannot listen")?;
        drop(legacy.listeners);
        let server = Server::open_after(config, legacy.jobs).await?;
        Link::begin(&server, &listeners).context("cannot listen for other nodes")?;
        let running = http::start_on(server.clone(), listeners).context("cannot listen")?;
        Ok(Instance { server, running })
    }

    /// Waits until somebody asks for a restart.
    pub async fn restart_wished(&self) {
        self.server.restarts.wished().await;
    }

    /// Opens what the next instance is to listen on, so that a configuration that cannot be served is found out
    /// while this one still serves. Says so in the jobs that waited for it.
    pub async fn prepare(&self, next: anyhow::Result<Config>) -> Option<(Config, Listeners)> {
        let prepared = next.and_then(|config| {
            let listeners = Listeners::open(&config, self.running.listeners()).context("cannot listen")?;
            Ok((config, listeners))
        });
        match prepared {
            Ok(prepared) => Some(prepared),
            Err(error) => {
                tracing::error!("no restart: {error:#}");
                let jobs = self.server.restarts.take_jobs();
                job::end(&self.server.store, jobs, Some(format!("The restart failed: {error:#}"))).await;
                None
            }
        }
    }

    /// Lets requests in flight finish, closes the data and leaves the rest to the next instance, which has `listeners`.
    pub async fn hand_over(self, listeners: Listeners) -> Legacy {
        self.server.replication.end_waiting();
        let patience = self.server.config.network.timeout.min(MOST_PATIENCE);
        let old = self.running.hand_over(patience).await;
        let jobs = self.server.restarts.take_jobs();
        close(self.server).await;
        if let Some(path) = old.socket_path().filter(|path| listeners.socket_path() != Some(*path)) {
            let _ = std::fs::remove_file(path);
        }
        Legacy { listeners, jobs }
    }

    /// Lets requests in flight finish and closes everything.
    pub async fn stop(self) {
        self.server.replication.end_waiting();
        self.running.shutdown().await;
        close(self.server).await;
    }
}

/// Waits until nobody uses the data any more and closes it.
async fn close(server: Arc<Server>) {
    server.jobs.stop();
    server.replication.stop().await;
    let deadline = tokio::time::Instant::now() + CLOSING;
    let mut server = server;
    loop {
        match Arc::try_unwrap(server) {
            Ok(last) => {
                // Waits for the writers.
                let _ = tokio::task::spawn_blocking(move || drop(last)).await;
                return;
            }
            Err(shared) if tokio::time::Instant::now() < deadline => {
                server = shared;
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            Err(_) => {
                tracing::warn!("the data is still in use after {CLOSING:?}");
                return;
            }
        }
    }
}
