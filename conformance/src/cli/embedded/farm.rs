//! Reference servers for the self-test, each set up for what scenarios need.

use conformance::farm::{Farm, Instance};
use conformance::services::Services;
use conformance::spawn::{Order, Spawned};
use conformance::{Credentials, Reach, Target};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use reference_server::TestServer;
use reference_server::config::{CertificateUser, Config, Lists, Mtls, SecurePort, Verification};
use reference_server::replication::has_nats_server;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// Starts reference servers.
#[derive(Debug)]
pub struct Servers;

/// How often measurements become rows where stories should not have to wait for them; not what a new instance has.
pub const ANALYTICS_PERIOD: Duration = Duration::from_secs(1);

/// What servers can be set up for.
const NEEDS: &[&str] = &[
    "node",
    "before-4-4",
    "tcp",
    "unix-socket",
    "tls",
    "http2",
    "cors-off",
    "cors-list",
    "authorize-local",
    "quick-analytics",
    "sessions-off",
    "brief-refresh-tokens",
    "fresh",
    "csv-files",
    "s3",
    "licences",
    "local-off-by-variable",
    "long-log",
    "mtls",
    "mtls-required",
    "mtls-of-nobody",
    "mtls-verified",
    "mtls-verified-if-possible",
];

/// The half of the key that licences of scenarios are signed with (conformance/scenarios/FORMAT.md).
const LICENCE_KEY: &str = "Q+rQDYYxDkurg5jD6qDLAeWz4+fZIrjsiYlOx2qHSDg=";

/// More entries than a log that is read without limit shows.
const LONG: usize = 1500;

struct Running {
    target: Target,
    server: Mutex<TestServer>,
    root: String,
    services: Arc<Services>,
    node_url: Option<String>,
    secure_url: Option<String>,
}

impl Instance for Running {
    fn target(&self) -> &Target {
        &self.target
    }

    fn root(&self) -> String {
        self.root.clone()
    }

    fn stop(&self) -> BoxFuture<'_, bool> {
        async move {
            self.server.lock().await.stop().await;
            true
        }
        .boxed()
    }

    fn start_again(&self) -> BoxFuture<'_, bool> {
        async move { self.server.lock().await.start_again().await.is_ok() }.boxed()
    }

    fn node_url(&self) -> Option<String> {
        self.node_url.clone()
    }

    fn secure_url(&self) -> Option<String> {
        self.secure_url.clone()
    }

    fn services(&self) -> Option<Arc<Services>> {
        Some(Arc::clone(&self.services))
    }
}

impl Farm for Servers {
    fn start<'a>(&'a self, need: &'a str) -> BoxFuture<'a, Option<Box<dyn Instance>>> {
        async move {
            const SOCKET: &str = "operations.sock";
            if !NEEDS.contains(&need) || (need == "node" && !has_nats_server()) {
                return None;
            }
            let services = Arc::new(Services::here(0).await.ok()?);
            let port = if need == "node" { Some(free_port()?) } else { None };
            let variables: &[(&str, &str)] = match need {
                "local-off-by-variable" => &[("AUTHENTICATION_AUTHORIZELOCAL", "false")],
                _ => &[],
            };
            let server = TestServer::start_in(variables, |config| {
                if let Some(port) = port {
                    config.replication.secure_port = SecurePort::Given(port);
                    config.replication.hostname = Some(format!("node-{port}"));
                    keep_key(config);
                }
                config.bulk.s3_endpoint = Some(services.store());
                match need {
                    "unix-socket" => config.network.domain_socket = Some(config.root_path.join(SOCKET)),
                    "before-4-4" => {
                        config.clustering.enabled = true;
                        config.replication.secure_port = SecurePort::Off;
                    }
                    "tls" => config.network.secure_port = Some(0),
                    "http2" => config.network.http2 = true,
                    "cors-off" => config.network.cors = false,
                    "cors-list" => {
                        config.network.cors_access_list = vec!["https://allowed.example".to_owned()];
                    }
                    "quick-analytics" => config.analytics_period = Some(ANALYTICS_PERIOD),
                    "authorize-local" | "local-off-by-variable" => {
                        config.authentication.authorize_local = true
                    }
                    "sessions-off" => config.authentication.enable_sessions = false,
                    "brief-refresh-tokens" => {
                        config.authentication.refresh_token_timeout = Duration::from_secs(1);
                    }
                    "licences" => config.licence_key = Some(LICENCE_KEY.to_owned()),
                    "long-log" => fill_log(config),
                    _ => {}
                }
                if let Some(mtls) = mtls(need) {
                    config.network.secure_port = Some(0);
                    config.network.mtls = Some(mtls);
                    keep_key(config);
                }
            });
            // A fault may keep a server from starting: then there is none to be judged.
            let server = server.await.ok()?;
            let address = match need {
                "unix-socket" => format!("unix:{}", server.root().join(SOCKET).display()),
                "tls" => format!("https://{}", server.secure_address()?),
                _ => server.url(),
            };
            let (username, password) = (server.username().to_owned(), server.password().to_owned());
            let admin = Credentials { username, password };
            let target = Target::new(&address, admin, Reach { insecure: true }).ok()?;
            let node_url = port.map(|port| format!("wss://127.0.0.1:{port}"));
            let secure_url = server.secure_address().map(|address| format!("https://{address}"));
            let root = server.root().display().to_string();
            let server = Mutex::new(server);
            let running: Box<dyn Instance> =
                Box::new(Running { target, server, root, services, node_url, secure_url });
            Some(running)
        }
        .boxed()
    }

    fn spawn(&self, admin: Credentials) -> BoxFuture<'_, Option<Spawned>> {
        async move {
            // Tests are programs of their own; they know where the one with the server is.
            let program = match option_env!("CARGO_BIN_EXE_conformance") {
                Some(program) => program.into(),
                None => std::env::current_exe().ok()?,
            };
            let command = format!(
                "exec '{}' built-in-server --ROOTPATH '{{root}}' --OPERATIONSAPI_NETWORK_PORT {{port}}",
                program.display()
            );
            let order = Order { command, url: None, kill: None, patience: Duration::from_mins(1) };
            Spawned::start(&order, admin, Reach::default()).await.ok()
        }
        .boxed()
    }
}

/// How clients prove who they are, where they are to.
fn mtls(need: &str) -> Option<Mtls> {
    let verified = |fail_open: bool| {
        let crl = Lists { fail_open, timeout: Duration::from_secs(20), ..Lists::default() };
        Some(Verification { crl, ..Verification::default() })
    };
    match need {
        "mtls" => Some(Mtls::default()),
        "mtls-required" => Some(Mtls { required: true, ..Mtls::default() }),
        "mtls-of-nobody" => Some(Mtls { user: CertificateUser::Nobody, ..Mtls::default() }),
        "mtls-verified" => Some(Mtls { verification: verified(false), ..Mtls::default() }),
        "mtls-verified-if-possible" => Some(Mtls { verification: verified(true), ..Mtls::default() }),
        _ => None,
    }
}

/// A key for the server's own certificates, because making one takes a while.
fn keep_key(config: &Config) {
    let keys = config.root_path.join("keys");
    if let (Ok(key), Ok(())) = (rcgen::KeyPair::generate(), std::fs::create_dir_all(&keys)) {
        // Without it the server makes its own.
        let _ = std::fs::write(keys.join("privateKey.pem"), key.serialize_pem());
    }
}

/// A log that was written to before.
fn fill_log(config: &Config) {
    let folder = &config.logging.root;
    let line = |n: usize| format!("2026-01-01T00:00:00.{:03}Z [main/0] [info]: entry {n}\n", n % 1000);
    let text: String = (0..LONG).map(line).collect();
    // Whether it is there is seen by who reads it.
    let _ = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(folder.join("hdb.log"), text));
}

/// A port that is free now. Nodes say where they are before they listen there.
fn free_port() -> Option<u16> {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).ok()?;
    listener.local_addr().ok().map(|address| address.port())
}
