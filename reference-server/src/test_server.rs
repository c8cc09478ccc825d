//! An instance for one test: its own folder, its own port, gone when dropped.

use crate::config::{Config, Given, from_environment, load};
use crate::system::lifecycle::{Instance, Legacy};
use anyhow::Context;
use std::net::SocketAddr;
use std::thread::JoinHandle;
use tokio::sync::oneshot;

/// A server that lives as long as this value. It runs on threads of its own, so that a test may block.
///
/// ```no_run
/// # async fn example() -> anyhow::Result<()> {
/// let server = reference_server::TestServer::start().await?;
/// println!("{} {} {}", server.url(), server.username(), server.password());
/// # Ok(())
/// # }
/// ```
pub struct TestServer {
    address: SocketAddr,
    secure: Option<SocketAddr>,
    username: String,
    password: String,
    folder: tempfile::TempDir,
    config: Config,
    given: Given,
    running: Option<Serving>,
}

/// The thread that serves, and how it is told to end.
struct Serving {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Serving {
    /// Ends it. Blocks until it has ended.
    fn end(self) {
        // The server may have ended by itself already.
        let _ = self.stop.send(());
        let _ = self.thread.join();
    }
}

impl TestServer {
    /// Starts a throw-away instance on a free port of the loopback interface.
    ///
    /// # Errors
    /// When no folder can be made or no port be bound.
    pub async fn start() -> anyhow::Result<TestServer> {
        TestServer::start_with(|_| {}).await
    }

    /// Starts a throw-away instance whose configuration `adjust` may change before.
    ///
    /// # Errors
    /// When no folder can be made, or the configuration cannot be used.
    pub async fn start_with(adjust: impl FnOnce(&mut Config)) -> anyhow::Result<TestServer> {
        TestServer::start_in(&[], adjust).await
    }

    /// The same as if variables of the environment were set.
    ///
    /// # Errors
    /// When no folder can be made, or the configuration cannot be used.
    pub async fn start_in(
        variables: &[(&str, &str)],
        adjust: impl FnOnce(&mut Config),
    ) -> anyhow::Result<TestServer> {
        let given = from_environment(variables.iter().map(|(name, text)| ((*name).into(), (*text).into())));
        let folder = tempfile::tempdir().context("cannot make a folder for the test server")?;
        let mut config = Config::ephemeral(folder.path());
        adjust(&mut config);
        let username = config.admin_username.clone().unwrap_or_default();
        let password = config.admin_password.clone().unwrap_or_default();
        let (running, (address, secure)) = spawn(config.clone(), given.clone()).await?;
        Ok(TestServer { address, secure, username, password, folder, config, given, running: Some(running) })
    }

    /// Ends it. What it has stored stays, and so do its places: see [`TestServer::start_again`].
    pub async fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            // It cannot fail but by a panic, which has been told.
            let _ = tokio::task::spawn_blocking(|| running.end()).await;
        }
    }

    /// Starts it where it was, with what it had stored, after [`TestServer::stop`].
    ///
    /// # Errors
    /// When it cannot be started, such as when somebody has taken its ports.
    pub async fn start_again(&mut self) -> anyhow::Result<()> {
        if self.running.is_none() {
            let port = ("operationsApi.network.port", self.address.port().to_string());
            let secure =
                self.secure.map(|secure| ("operationsApi.network.securePort", secure.port().to_string()));
            let mut given = self.given.clone();
            given.settings.extend(std::iter::once(port).chain(secure));
            self.running = Some(spawn(self.config.clone(), given).await?.0);
        }
        Ok(())
    }

    /// Where it listens, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it listens for HTTP.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it listens for HTTPS, when it was configured to.
    pub fn secure_address(&self) -> Option<SocketAddr> {
        self.secure
    }

    /// The super user's name.
    pub fn username(&self) -> &str {
        &self.username
    }

    /// The super user's password.
    pub fn password(&self) -> &str {
        &self.password
    }

    /// The folder with its files, removed with it.
    pub fn root(&self) -> &std::path::Path {
        self.folder.path()
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.end();
        }
    }
}

type Addresses = (SocketAddr, Option<SocketAddr>);

type Ready = oneshot::Sender<anyhow::Result<Addresses>>;

async fn spawn(config: Config, given: Given) -> anyhow::Result<(Serving, Addresses)> {
    let (ready, started) = oneshot::channel();
    let (stop, stopped) = oneshot::channel();
    let thread = std::thread::Builder::new()
        .name("test-server".to_owned())
        .spawn(move || serve(config, &given, ready, stopped))?;
    let addresses = started.await.context("the test server ended before it was ready")??;
    Ok((Serving { stop, thread }, addresses))
}

fn serve(config: Config, given: &Given, ready: Ready, stopped: oneshot::Receiver<()>) {
    // Whoever embeds the server may have a use of its own for events.
    let own_events = crate::logs::is_unheard().then(crate::logs::dispatch);
    let _own_events = own_events.as_ref().map(tracing::dispatcher::set_default);
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_all();
    builder.on_thread_start(move || {
        if let Some(events) = &own_events {
            // For as long as the thread lives.
            std::mem::forget(tracing::dispatcher::set_default(events));
        }
    });
    let runtime = match builder.build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let _ = ready.send(Err(error.into()));
            return;
        }
    };
    runtime.block_on(async {
        match start(config.clone(), given).await {
            Ok((instance, address)) => {
                let _ = ready.send(Ok((address, instance.running.secure)));
                if let Err(error) = go_on(config, given, instance, stopped).await {
                    tracing::error!("the test server could not be restarted: {error:#}");
                }
            }
            Err(error) => {
                let _ = ready.send(Err(error));
            }
        }
    });
}

async fn start(config: Config, given: &Given) -> anyhow::Result<(Instance, SocketAddr)> {
    let instance = Instance::start(load(config, given)?, Legacy::default()).await?;
    let address = instance.running.plain.context("the test server has no HTTP port")?;
    Ok((instance, address))
}

/// Serves until told to stop; a restart takes place within this process.
async fn go_on(
    config: Config,
    given: &Given,
    mut instance: Instance,
    mut stopped: oneshot::Receiver<()>,
) -> anyhow::Result<()> {
    loop {
        tokio::select! {
            _ = &mut stopped => {
                instance.stop().await;
                return Ok(());
            }
            () = instance.restart_wished() => {}
        }
        let next = load(config.clone(), given).map_err(Into::into);
        let Some((next, listeners)) = instance.prepare(next).await else { continue };
        let legacy = instance.hand_over(listeners).await;
        instance = Instance::start(next, legacy).await?;
    }
}
