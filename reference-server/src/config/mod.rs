//! The configuration of an instance, under the API's own key names.

mod addresses;
mod cast;
mod change;
mod defaults;
mod document;
mod file;
mod keys;
mod layers;
mod lines;
mod load;
mod logging;
mod replication;
mod rules;
mod schema;
mod settings;
mod span;
#[cfg(test)]
mod tests;

pub use addresses::Addresses;
pub use change::set;
pub use document::{Document, at};
pub use file::{Backup, ConfigFile, FILE_NAME};
pub use keys::{KEYS, Key, is_of_node};
pub use load::{ConfigError, Given, from_environment, load};
pub use logging::{Logging, Rotation};
pub use replication::{
    Clustering, DatabaseRule, Databases, Flow, Replication, Route, SECURE_PORT, SecurePort, host_of, node_url,
};
pub use span::span_milliseconds;

use crate::logs::Level;
use crate::value::{Object, Value};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

const DAY: Duration = Duration::from_hours(24);

/// Everything that can be set from outside.
#[derive(Clone, Debug)]
pub struct Config {
    /// `rootPath`: the folder that holds everything of the instance.
    pub root_path: PathBuf,
    /// `operationsApi.network.*`.
    pub network: Network,
    /// `authentication.*`.
    pub authentication: Authentication,
    /// `tls.*`.
    pub tls: Tls,
    /// `componentsRoot`: the folder whose folders are the components.
    pub components_root: PathBuf,
    /// `http.port`: where applications would answer; `None` switches it off.
    pub http_port: Option<u16>,
    /// The members of `tls` and `operationsApi.tls` where they are lists.
    pub tls_lists: Vec<Tls>,
    /// `operationsApi.tls.*`: the certificate for this API, before that of `tls.*`.
    pub operations_tls: Tls,
    /// `logging.auditLog`: whether tables keep a history unless told otherwise.
    pub audit_log: bool,
    /// The rest of `logging.*`.
    pub logging: Logging,
    /// `bulk.*`, and where S3 is.
    pub bulk: Bulk,
    /// `storage.writeAsync`: acknowledge writes before they are durable.
    pub write_async: bool,
    /// `analytics.aggregatePeriod`: how often measurements become rows; `None` switches them off.
    pub analytics_period: Option<Duration>,
    /// `operationsApi.sysInfo.disk`: whether system_information tells of disks.
    pub disk_information: bool,
    /// `operationsApi.sysInfo.network`: whether system_information tells of networks.
    pub network_information: bool,
    /// `node.hostname`: the name of this node.
    pub hostname: String,
    /// `replication.*`.
    pub replication: Replication,
    /// `clustering.*`.
    pub clustering: Clustering,
    /// `license.publicKey`: the key that licences are checked with; without one only their form is.
    pub licence_key: Option<String>,
    /// The defaults that a new instance's file holds.
    pub mode: Mode,
    /// The whole tree of the configuration file as it was when the server started.
    pub tree: Arc<Object>,
    /// `sql.engine`: which generation of the engine is followed where they answer differently.
    pub sql_engine: crate::sql::Engine,
    /// `sql.timeout`: how long a statement may take.
    pub sql_timeout: Duration,
    /// Nothing is forced to disk: for instances whose data is thrown away.
    pub no_sync: bool,
    /// `HDB_ADMIN_USERNAME`, read at first start only.
    pub admin_username: Option<String>,
    /// `HDB_ADMIN_PASSWORD`, read at first start only.
    pub admin_password: Option<String>,
}

/// Which defaults a new instance has, `DEFAULTS_MODE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Those of a development install.
    Development,
    /// Those of a production install.
    Production,
}

impl Config {
    /// The value in force of any key, with dots between its levels; `None` when it is not set.
    pub fn value(&self, path: &str) -> Option<&Value> {
        at(&self.tree, &path.split('.').collect::<Vec<_>>())
    }

    /// True when the cluster is one as before 4.4: `clustering.enabled` is set, and nothing of `replication`.
    pub fn is_legacy_cluster(&self) -> bool {
        self.clustering.enabled && !self.replication.is_configured()
    }

    /// The defaults of a production install.
    pub fn production(root_path: impl Into<PathBuf>) -> Config {
        let mut config = Config::new(root_path);
        config.mode = Mode::Production;
        config.logging.level = Level::Warn;
        config.http_port = None;
        config.network.port = None;
        config.network.secure_port = Some(9925);
        config
    }

    /// A throw-away instance under `root_path`: loopback only, a free port, no unix domain socket, nothing forced to
    /// disk, and a known administrator.
    pub fn ephemeral(root_path: impl Into<PathBuf>) -> Config {
        let mut config = Config::new(root_path);
        config.network.host = "127.0.0.1".to_owned();
        config.network.port = Some(0);
        config.network.domain_socket = None;
        config.no_sync = true;
        config.admin_username = Some("admin".to_owned());
        config.admin_password = Some("password".to_owned());
        config
    }
}

/// `operationsApi.network.*`.
#[derive(Clone, Debug)]
pub struct Network {
    /// The interface to listen on.
    pub host: String,
    /// `port`: plain HTTP; `None` switches it off, 0 takes a free one.
    pub port: Option<u16>,
    /// `securePort`: HTTPS; `None` switches it off, 0 takes a free one.
    pub secure_port: Option<u16>,
    /// `domainSocket`: path of the unix domain socket; `None` switches it off.
    pub domain_socket: Option<PathBuf>,
    /// `cors`: whether cross-origin requests are answered.
    pub cors: bool,
    /// `corsAccessList`: allowed origins; empty or a first entry `*` allows all.
    pub cors_access_list: Vec<String>,
    /// `http.corsAccessControlAllowHeaders`.
    pub cors_allow_headers: String,
    /// `headersTimeout`.
    pub headers_timeout: Duration,
    /// `keepAliveTimeout`.
    pub keep_alive_timeout: Duration,
    /// `timeout`: the longest a request may take.
    pub timeout: Duration,
    /// `http2`: whether HTTP/2 is spoken.
    pub http2: bool,
    /// `mtls`: whether clients may prove who they are by certificates.
    pub mtls: Option<Mtls>,
}

/// `operationsApi.network.mtls.*`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mtls {
    /// `user`: whom an accepted certificate stands for.
    pub user: CertificateUser,
    /// `required`: connections without an accepted certificate are closed.
    pub required: bool,
    /// `certificateAuthority`: a PEM file with a further authority.
    pub certificate_authority: Option<PathBuf>,
    /// `certificateVerification`: whether certificates may have been revoked.
    pub verification: Option<Verification>,
}

/// `operationsApi.network.mtls.certificateVerification.*`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verification {
    /// `crl`: the lists of revoked certificates.
    pub crl: Lists,
    /// `ocsp`: the responders, which are asked where no list tells.
    pub ocsp: Responders,
}

/// `operationsApi.network.mtls.certificateVerification.crl.*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lists {
    /// `enabled`: whether lists are looked at.
    pub enabled: bool,
    /// `failureMode` `fail-open`: a certificate that cannot be checked is accepted.
    pub fail_open: bool,
    /// `timeout`: how long the fetching of a list may take.
    pub timeout: Duration,
    /// `cacheTtl`: how long a list is used before it is fetched again.
    pub cache_ttl: Duration,
    /// `gracePeriod`: how long a list is good after the time it names itself.
    pub grace_period: Duration,
}

impl Default for Lists {
    fn default() -> Self {
        Lists {
            enabled: true,
            fail_open: false,
            timeout: Duration::from_secs(10),
            cache_ttl: DAY,
            grace_period: DAY,
        }
    }
}

/// `operationsApi.network.mtls.certificateVerification.ocsp.*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Responders {
    /// `enabled`: whether responders are asked.
    pub enabled: bool,
    /// `failureMode` `fail-open`: a certificate that cannot be checked is accepted.
    pub fail_open: bool,
    /// `timeout`: how long an answer may take.
    pub timeout: Duration,
    /// `cacheTtl`: how long an answer is used before the responder is asked again.
    pub cache_ttl: Duration,
    /// `errorCacheTtl`: how long a responder that gave no answer is left alone.
    pub error_cache_ttl: Duration,
}

impl Default for Responders {
    fn default() -> Self {
        Responders {
            enabled: true,
            fail_open: false,
            timeout: Duration::from_secs(5),
            cache_ttl: Duration::from_hours(1),
            error_cache_ttl: Duration::from_mins(5),
        }
    }
}

/// Whom an accepted certificate stands for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum CertificateUser {
    /// The user whose name is the common name of the certificate's subject.
    #[default]
    CommonName,
    /// This user.
    Named(String),
    /// Nobody: other credentials are needed as well.
    Nobody,
}

/// `authentication.*`.
#[derive(Clone, Debug)]
pub struct Authentication {
    /// `authorizeLocal`: anonymous requests from loopback act as the super user.
    pub authorize_local: bool,
    /// `cacheTTL`: how long verified credentials are remembered.
    pub cache_ttl: Duration,
    /// `enableSessions`.
    pub enable_sessions: bool,
    /// `operationTokenTimeout`.
    pub operation_token_timeout: Duration,
    /// `refreshTokenTimeout`.
    pub refresh_token_timeout: Duration,
    /// `cookie.domains`: a session's cookie is for the whole domain when the site is in one of these.
    pub cookie_domains: Vec<String>,
    /// `cookie.expires`: how long sessions last; `None` is for ever.
    pub cookie_expires: Option<Duration>,
}

/// `bulk.*`: limits of what csv_url_load, import_from_s3 and export_to_s3 do on the network.
#[derive(Clone, Debug)]
pub struct Bulk {
    /// `urlAccess`: the addresses that csv_url_load may fetch from.
    pub url_access: Addresses,
    /// `urlTimeout`: the longest a transfer may take.
    pub url_timeout: Duration,
    /// `maxSize`: the largest file fetched, in bytes.
    pub max_size: u64,
    /// `AWS_ENDPOINT_URL_S3`, or else `AWS_ENDPOINT_URL`: where S3 is; `None` is Amazon.
    pub s3_endpoint: Option<String>,
    /// `AWS_VIRTUAL_HOSTED_STYLE_REQUEST`: buckets are named in the host name rather than in the path.
    pub s3_virtual_hosted: bool,
}

impl Default for Bulk {
    fn default() -> Self {
        Bulk {
            url_access: Addresses::All,
            url_timeout: Duration::from_mins(30),
            max_size: 16 << 30,
            s3_endpoint: None,
            s3_virtual_hosted: false,
        }
    }
}

/// `tls.*`: PEM files; without them a self-signed certificate is made.
#[derive(Clone, Debug, Default)]
pub struct Tls {
    /// `certificate`.
    pub certificate: Option<PathBuf>,
    /// `privateKey`.
    pub private_key: Option<PathBuf>,
    /// `certificateAuthority`.
    pub certificate_authority: Option<PathBuf>,
    /// `name`: what the certificate is called in the table; its common name otherwise.
    pub name: Option<String>,
    /// `hosts`: the names it is for, in place of those it names itself.
    pub hosts: Vec<String>,
    /// `uses`: what it is for.
    pub uses: Vec<String>,
}

impl Config {
    /// The defaults of a development install whose files are under `root_path`.
    pub fn new(root_path: impl Into<PathBuf>) -> Config {
        let root_path = root_path.into();
        Config {
            network: Network {
                host: "0.0.0.0".to_owned(),
                port: Some(9925),
                secure_port: None,
                domain_socket: Some(root_path.join("operations-server")),
                cors: true,
                cors_access_list: vec!["*".to_owned()],
                cors_allow_headers: "Accept, Content-Type, Authorization".to_owned(),
                headers_timeout: Duration::from_secs(60),
                keep_alive_timeout: Duration::from_secs(30),
                timeout: Duration::from_secs(120),
                http2: true,
                mtls: None,
            },
            authentication: Authentication {
                authorize_local: false,
                cache_ttl: Duration::from_secs(30),
                enable_sessions: true,
                operation_token_timeout: DAY,
                refresh_token_timeout: 30 * DAY,
                cookie_domains: Vec::new(),
                cookie_expires: None,
            },
            tls: Tls::default(),
            components_root: root_path.join("components"),
            http_port: Some(9926),
            tls_lists: Vec::new(),
            operations_tls: Tls::default(),
            audit_log: true,
            logging: Logging { level: Level::Info, ..Logging::new(&root_path) },
            bulk: Bulk::default(),
            write_async: false,
            analytics_period: Some(Duration::from_secs(60)),
            disk_information: false,
            network_information: false,
            hostname: "localhost".to_owned(),
            replication: Replication::default(),
            clustering: Clustering::default(),
            licence_key: None,
            mode: Mode::Development,
            tree: Arc::default(),
            sql_engine: crate::sql::Engine::Legacy,
            sql_timeout: Duration::from_secs(60),
            no_sync: false,
            admin_username: None,
            admin_password: None,
            root_path,
        }
    }
}
