//! The built-in reference server: what is tested when no endpoint is named.

#[cfg(feature = "embedded-server")]
use conformance::services::{self, Services};
use conformance::{Credentials, Options};
#[cfg(feature = "embedded-server")]
use std::sync::Arc;

#[cfg(feature = "embedded-server")]
mod farm;
#[cfg(feature = "embedded-server")]
mod wrong;

#[cfg(feature = "embedded-server")]
pub(super) use wrong::self_test;

/// Tries the suite on servers that are wrong on purpose.
#[cfg(not(feature = "embedded-server"))]
pub(super) async fn self_test(_: &[String], _: bool) -> anyhow::Result<u8> {
    anyhow::bail!("this program was built without the reference server")
}

/// Is the built-in server until it is ended.
#[cfg(feature = "embedded-server")]
pub(super) async fn serve(flags: &[String]) -> anyhow::Result<u8> {
    end_with_the_suite();
    let given = std::iter::once("reference-server").chain(flags.iter().map(String::as_str));
    let matches = reference_server::command::command().get_matches_from(given);
    reference_server::command::run(&matches, reference_server::system::handover::Inherited::take()).await?;
    Ok(0)
}

/// Ends this program when nobody listens to it any more: whoever started it is gone, however abruptly.
#[cfg(feature = "embedded-server")]
fn end_with_the_suite() {
    use rustix::event::{PollFd, PollFlags, poll};
    use rustix::io::Errno;
    std::thread::spawn(|| {
        let output = std::io::stderr();
        let mut watched = [PollFd::new(&output, PollFlags::empty())];
        while poll(&mut watched, None) == Err(Errno::INTR) {}
        std::process::exit(i32::from(super::COULD_NOT));
    });
}

/// Is the built-in server until it is ended.
#[cfg(not(feature = "embedded-server"))]
pub(super) async fn serve(_: &[String]) -> anyhow::Result<u8> {
    anyhow::bail!("this program was built without the reference server")
}

#[cfg(feature = "embedded-server")]
pub(super) struct Server {
    server: reference_server::TestServer,
    services: Arc<Services>,
}

#[cfg(feature = "embedded-server")]
impl Server {
    pub(super) async fn start() -> anyhow::Result<Self> {
        let services = Arc::new(Services::here(0).await?);
        let endpoint = services.store();
        let adjust = |config: &mut reference_server::config::Config| {
            config.bulk.s3_endpoint = Some(endpoint);
            config.analytics_period = Some(farm::ANALYTICS_PERIOD);
        };
        let server = reference_server::TestServer::start_with(adjust).await?;
        Ok(Server { server, services })
    }

    pub(super) fn url(&self) -> String {
        self.server.url()
    }

    /// Says to the suite what can be done with this server.
    pub(super) fn offer(&self, options: &mut Options) {
        options.with.extend(["quick-restart", services::STORE].map(str::to_owned));
        options.services = Some(Arc::clone(&self.services));
        options.farm = Some(Arc::new(farm::Servers));
    }

    pub(super) fn credentials(&self) -> Credentials {
        Credentials {
            username: self.server.username().to_owned(),
            password: self.server.password().to_owned(),
        }
    }
}

#[cfg(not(feature = "embedded-server"))]
pub(super) struct Server;

#[cfg(not(feature = "embedded-server"))]
impl Server {
    pub(super) async fn start() -> anyhow::Result<Self> {
        anyhow::bail!("this program was built without the reference server: name an endpoint")
    }

    pub(super) fn url(&self) -> String {
        String::new()
    }

    pub(super) fn offer(&self, _: &mut Options) {}

    pub(super) fn credentials(&self) -> Credentials {
        Credentials { username: String::new(), password: String::new() }
    }
}
