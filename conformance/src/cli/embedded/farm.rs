//! Reference servers for the self-test, each set up for what scenarios need.

use conformance::selftest::{Farm, Instance};
use conformance::{Credentials, Reach, Target};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use reference_server::TestServer;

/// Starts reference servers.
pub struct Servers;

struct Running {
    target: Target,
    server: TestServer,
}

impl Instance for Running {
    fn target(&self) -> &Target {
        &self.target
    }

    fn root(&self) -> String {
        self.server.root().display().to_string()
    }
}

impl Farm for Servers {
    fn start<'a>(&'a self, need: &'a str) -> BoxFuture<'a, Option<Box<dyn Instance>>> {
        async move {
            const SOCKET: &str = "operations.sock";
            if !["tcp", "unix-socket", "tls", "http2", "cors-off", "cors-list", "authorize-local"]
                .contains(&need)
            {
                return None;
            }
            let server = TestServer::start_with(|config| match need {
                "unix-socket" => config.network.domain_socket = Some(config.root_path.join(SOCKET)),
                "tls" => config.network.secure_port = Some(0),
                "http2" => config.network.http2 = true,
                "cors-off" => config.network.cors = false,
                "cors-list" => config.network.cors_access_list = vec!["https://allowed.example".to_owned()],
                "authorize-local" => config.authentication.authorize_local = true,
                _ => {}
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
            let running: Box<dyn Instance> = Box::new(Running { target, server });
            Some(running)
        }
        .boxed()
    }
}
