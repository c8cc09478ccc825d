//! Servers as child processes, gone with their files when dropped.

use crate::endpoint::Endpoint;
use anyhow::{Context, bail, ensure};
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

const START_PATIENCE: Duration = Duration::from_secs(30);
const USER: &str = "admin";
const PASSWORD: &str = "bench-password";

/// A server in a process of its own.
pub struct ChildServer {
    process: Child,
    /// Kept open, as a server may print more.
    _output: Option<BufReader<ChildStdout>>,
    /// Where it listens.
    pub endpoint: Endpoint,
}

impl ChildServer {
    /// Starts a reference server on a root folder: durable, on a free port of the loopback interface.
    ///
    /// # Errors
    /// When it does not become ready.
    pub async fn reference(binary: &Path, root: &Path) -> anyhow::Result<ChildServer> {
        let mut command = Command::new(binary);
        for name in std::env::vars_os().map(|(name, _)| name) {
            // Settings of the caller's environment are not for this server.
            let text = name.to_string_lossy();
            if ["OPERATIONSAPI_", "AUTHENTICATION_", "LOGGING_", "STORAGE_", "TLS_", "HTTP_"]
                .iter()
                .any(|start| text.starts_with(start))
            {
                command.env_remove(&name);
            }
        }
        command
            .env("ROOTPATH", root)
            .env("OPERATIONSAPI_NETWORK_HOST", "127.0.0.1")
            .env("OPERATIONSAPI_NETWORK_PORT", "0")
            .env("OPERATIONSAPI_NETWORK_DOMAINSOCKET", "null")
            .env("HDB_ADMIN_USERNAME", USER)
            .env("HDB_ADMIN_PASSWORD", PASSWORD);
        ChildServer::start(command).await
    }

    /// Starts a command that prints `ready http://…` once it listens.
    ///
    /// # Errors
    /// When it does not.
    pub async fn start(mut command: Command) -> anyhow::Result<ChildServer> {
        // A group of its own: Ctrl-C is for the driver, which then ends its servers.
        command.stdin(Stdio::null()).stdout(Stdio::piped()).process_group(0);
        let process = command.spawn().with_context(|| format!("cannot start {:?}", command.get_program()))?;
        let mut server =
            ChildServer { process, _output: None, endpoint: Endpoint::new("http://127.0.0.1:0", ":")? };
        let output = server.process.stdout.take().context("the server has no output")?;
        let waiting = tokio::task::spawn_blocking(move || wait_until_ready(BufReader::new(output)));
        let ready = tokio::time::timeout(START_PATIENCE, waiting).await;
        let (addresses, output) = ready.context("the server did not become ready in time")???;
        server._output = Some(output);
        let url = addresses.split_whitespace().find(|url| url.starts_with("http://"));
        let url = url.context("the server has no HTTP port")?;
        server.endpoint = Endpoint::new(url, &format!("{USER}:{PASSWORD}"))?;
        Ok(server)
    }

    /// Its process's id.
    pub fn id(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for ChildServer {
    fn drop(&mut self) {
        // It may be gone already; either way nothing is left to do.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Reads up to the line that says where the server listens.
fn wait_until_ready(mut output: BufReader<ChildStdout>) -> anyhow::Result<(String, BufReader<ChildStdout>)> {
    let mut line = String::new();
    loop {
        line.clear();
        if output.read_line(&mut line)? == 0 {
            bail!("the server ended before it was ready");
        }
        if let Some(addresses) = line.strip_prefix("ready") {
            return Ok((addresses.to_owned(), output));
        }
    }
}

/// The reference server's program: the one named, else the one built from this workspace with the driver's profile.
///
/// # Errors
/// When there is none.
pub fn reference_server(named: Option<&Path>) -> anyhow::Result<PathBuf> {
    if let Some(path) = named {
        ensure!(path.is_file(), "{} is not a program", path.display());
        return Ok(path.to_owned());
    }
    // Under `cargo run` the program is built first, so that it is never an old one.
    if let Some(cargo) = std::env::var_os("CARGO") {
        let mut build = Command::new(cargo);
        build
            .args(["build", "--quiet", "--package", "reference-server"])
            .current_dir(env!("CARGO_MANIFEST_DIR"));
        if !cfg!(debug_assertions) {
            build.arg("--release");
        }
        ensure!(build.status().context("cannot run cargo")?.success(), "the reference server does not build");
    }
    let beside = std::env::current_exe()?.with_file_name("reference-server");
    ensure!(beside.is_file(), "{} is missing: build it, or name one with --server", beside.display());
    Ok(beside)
}
