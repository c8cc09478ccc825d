//! Who this node is.

use super::nodes::book::{self, Book};
use crate::certificates::Certificate;
use crate::config::{Config, host_of, node_url};
use crate::error::OperationError;
use crate::server::Server;
use crate::store::Store;
use crate::value::Value;
use arc_swap::ArcSwapOption;
use std::net::SocketAddr;

/// What this node is called until somebody gives it a name.
const UNNAMED: &str = "localhost";

/// The identity of this node.
pub struct Identity {
    /// A number that tells it from others of the same name.
    pub(super) instance: String,
    /// The name given to it by the configuration.
    configured: Option<String>,
    /// The name another node gave it when they met, as long as the configuration gives none.
    adopted: ArcSwapOption<String>,
}

impl Identity {
    pub(super) async fn open(store: &Store, config: &Config) -> Result<Identity, OperationError> {
        let book = Book::read(store)?;
        let instance = match book.instance {
            Some(instance) => instance,
            None => book::edit(store, |book| book.instance_or_new()).await?,
        };
        Ok(Identity {
            instance,
            configured: configured_name(config),
            adopted: ArcSwapOption::from_pointee(book.adopted_name),
        })
    }

    /// The name of this node.
    pub(super) fn name(&self) -> String {
        let adopted = || self.adopted.load().as_deref().cloned();
        self.configured.clone().or_else(adopted).unwrap_or_else(|| UNNAMED.to_owned())
    }

    /// Whether another node may still give it a name.
    pub(super) fn is_unnamed(&self) -> bool {
        self.configured.is_none() && self.adopted.load().is_none()
    }

    pub(super) fn adopt(&self, name: &str) {
        self.adopted.store(Some(name.to_owned().into()));
    }
}

/// The name of this node.
pub fn node_name(server: &Server) -> String {
    server.replication.link.identity.name()
}

/// The name that the configuration gives (dossier of clustering, 6.2); `None` when it gives none.
pub fn configured_name(config: &Config) -> Option<String> {
    let legacy = || config.clustering.node_name.clone().filter(|_| config.clustering.enabled);
    let node = || Some(config.hostname.clone()).filter(|name| !name.is_empty() && name != UNNAMED);
    let certificate = || {
        let path = config.operations_tls.certificate.as_deref()?;
        Certificate::read(&std::fs::read_to_string(path).ok()?)?.common_name
    };
    let host = |port: &str| {
        let text = config.value(&format!("operationsApi.network.{port}")).and_then(Value::as_str)?;
        text.contains(':').then(|| node_url(&format!("ws://{text}")).map(|url| host_of(&url))).flatten()
    };
    let replication = config.replication.hostname.clone();
    replication
        .or_else(legacy)
        .or_else(node)
        .or_else(certificate)
        .or_else(|| host("securePort"))
        .or_else(|| host("port"))
        .filter(|name| !name.is_empty() && name.parse::<SocketAddr>().is_err())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_setting_that_names_the_node_counts() {
        let mut config = Config::new("/nowhere");
        assert_eq!(configured_name(&config), None);
        config.hostname = "node".to_owned();
        assert_eq!(configured_name(&config).as_deref(), Some("node"));
        config.clustering.node_name = Some("old".to_owned());
        assert_eq!(configured_name(&config).as_deref(), Some("node"));
        config.clustering.enabled = true;
        assert_eq!(configured_name(&config).as_deref(), Some("old"));
        config.replication.hostname = Some("peer".to_owned());
        assert_eq!(configured_name(&config).as_deref(), Some("peer"));
    }
}
