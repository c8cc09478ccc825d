//! What the harness itself serves to its targets while a run lasts: CSV files to be fetched, and a store of objects.

mod files;
mod store;

use crate::listener::Listener;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// The name of the variable with the address of the CSV files: `${csv_files}/planets.csv`.
pub const FILES: &str = "csv_files";

/// What scenarios need that have files fetched.
pub const NEEDS_FILES: &str = "csv-files";

/// What scenarios need that use the store; also said of a target that was set up for it.
pub const STORE: &str = "s3";

/// Both services, each on a port of its own; they end when this is dropped.
#[derive(Debug)]
pub struct Services {
    host: String,
    files: Listener,
    store: Listener,
}

impl Services {
    /// Serves targets on this machine; the store gets a given port, or any when 0.
    ///
    /// # Errors
    /// When a port cannot be bound.
    pub async fn here(store_port: u16) -> io::Result<Services> {
        Services::start(&Ipv4Addr::LOCALHOST.to_string(), store_port).await
    }

    /// Serves targets that reach this machine by a name or an address; the store gets a given port, or any when 0.
    ///
    /// # Errors
    /// When a port cannot be bound.
    pub async fn start(host: &str, store_port: u16) -> io::Result<Services> {
        let own = if is_loopback(host) { Ipv4Addr::LOCALHOST } else { Ipv4Addr::UNSPECIFIED };
        let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        let held = Arc::new(files::Held::default());
        let answer = move |request| files::answer(request, Arc::clone(&held));
        let files = Listener::start((own, 0), hyper::service::service_fn(answer)).await?;
        let store = Listener::start((own, store_port), store::service()).await?;
        Ok(Services { host, files, store })
    }

    /// Where the CSV files are, without a slash at the end.
    pub fn files(&self) -> String {
        format!("http://{}:{}", self.host, self.files.port())
    }

    /// What `AWS_ENDPOINT_URL_S3` must say to the target.
    pub fn store(&self) -> String {
        format!("http://{}:{}", self.host, self.store.port())
    }
}

/// True for the names and addresses by which a machine reaches itself.
pub(crate) fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn get(address: String) -> reqwest::Response {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        client.build().unwrap().get(address).send().await.unwrap()
    }

    #[tokio::test]
    async fn files_are_there_as_long_as_the_services_live() {
        let services = Services::here(0).await.unwrap();
        let (files, store) = (services.files(), services.store());
        let found = get(format!("{files}/planets.csv?cache=no")).await;
        assert_eq!(found.headers()["content-type"], "text/csv");
        let found_status = found.status();
        assert!(found.text().await.unwrap().starts_with("id,planet,moons\n"));
        assert_eq!(get(format!("{files}/moved")).await.status(), 302);
        assert!(!get(format!("{files}/no-content-type")).await.headers().contains_key("content-type"));
        assert_eq!(get(format!("{files}/guarded.csv")).await.status(), 401);
        let held = get(format!("{files}/held.csv?a"));
        let (held, released) = tokio::join!(held, get(format!("{files}/release.csv?a")));
        assert_eq!((held.status(), released.status()), (found_status, found_status));
        assert_eq!(get(format!("{store}/bjl-orchard/in/apples.csv")).await.status(), 403, "no signature");
        drop(services);
        let address = files.trim_start_matches("http://").to_owned();
        for _ in 0..1000 {
            if tokio::net::TcpStream::connect(&address).await.is_err() {
                return;
            }
            tokio::task::yield_now().await;
        }
        unreachable!("the port is still served");
    }

    #[tokio::test]
    async fn other_machines_are_told_the_name_they_know() {
        let services = Services::start("suite.example", 0).await.unwrap();
        assert!(services.files().starts_with("http://suite.example:"));
        assert!(is_loopback("127.0.0.2") && is_loopback("localhost") && is_loopback("[::1]"));
        assert!(!is_loopback("192.0.2.1") && !is_loopback("suite.example"));
    }
}
