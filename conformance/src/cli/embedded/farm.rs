//! Reference servers for the self-test, each set up for what scenarios need.

use conformance::farm::{Farm, Instance};
use conformance::services::Services;
use conformance::{Credentials, Reach, Target};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use reference_server::TestServer;
use std::sync::Arc;
use std::time::Duration;

/// Starts reference servers.
#[derive(Debug)]
pub struct Servers;

/// How often measurements become rows where stories should not have to wait for them; not what a new instance has.
pub const ANALYTICS_PERIOD: Duration = Duration::from_secs(1);

/// What servers can be set up for.
const NEEDS: [&str; 14] = [
    "node",
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
];

struct Running {
    target: Target,
    server: TestServer,
    services: Arc<Services>,
    node_url: Option<String>,
}

impl Instance for Running {
    fn target(&self) -> &Target {
        &self.target
    }

    fn root(&self) -> String {
        self.server.root().display().to_string()
    }

    fn node_url(&self) -> Option<String> {
        self.node_url.clone()
    }

    fn services(&self) -> Option<Arc<Services>> {
        Some(Arc::clone(&self.services))
    }
}

impl Farm for Servers {
    fn start<'a>(&'a self, need: &'a str) -> BoxFuture<'a, Option<Box<dyn Instance>>> {
        async move {
            const SOCKET: &str = "operations.sock";
            if !NEEDS.contains(&need) {
                return None;
            }
            let services = Arc::new(Services::here(0).await.ok()?);
            let port = if need == "node" { Some(free_port()?) } else { None };
            let server = TestServer::start_with(|config| {
                config.replication.port = port;
                config.replication.hostname = port.map(|port| format!("node-{port}"));
                config.bulk.s3_endpoint = Some(services.store());
                match need {
                    "unix-socket" => config.network.domain_socket = Some(config.root_path.join(SOCKET)),
                    "tls" => config.network.secure_port = Some(0),
                    "http2" => config.network.http2 = true,
                    "cors-off" => config.network.cors = false,
                    "cors-list" => {
                        config.network.cors_access_list = vec!["https://allowed.example".to_owned()];
                    }
                    "quick-analytics" => config.analytics_period = Some(ANALYTICS_PERIOD),
                    "authorize-local" => config.authentication.authorize_local = true,
                    "sessions-off" => config.authentication.enable_sessions = false,
                    "brief-refresh-tokens" => {
                        config.authentication.refresh_token_timeout = Duration::from_secs(1);
                    }
                    _ => {}
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
            let node_url = port.map(|port| format!("ws://127.0.0.1:{port}"));
            let running: Box<dyn Instance> = Box::new(Running { target, server, services, node_url });
            Some(running)
        }
        .boxed()
    }
}

/// A port that is free now. Nodes say where they are before they listen there.
fn free_port() -> Option<u16> {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).ok()?;
    listener.local_addr().ok().map(|address| address.port())
}
