//! The built-in reference server: what is tested when no endpoint is named.

use conformance::Credentials;

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

#[cfg(feature = "embedded-server")]
pub(super) struct Server(reference_server::TestServer);

#[cfg(feature = "embedded-server")]
impl Server {
    pub(super) async fn start() -> anyhow::Result<Self> {
        Ok(Server(reference_server::TestServer::start().await?))
    }

    pub(super) fn url(&self) -> String {
        self.0.url()
    }

    pub(super) fn credentials(&self) -> Credentials {
        Credentials { username: self.0.username().to_owned(), password: self.0.password().to_owned() }
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

    pub(super) fn credentials(&self) -> Credentials {
        Credentials { username: String::new(), password: String::new() }
    }
}
