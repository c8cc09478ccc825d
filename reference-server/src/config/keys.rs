//! The settings that are known: their paths in the tree, and the other names by which they may be called.

use std::collections::HashMap;
use std::sync::LazyLock;

/// One setting of the configuration file.
#[derive(Debug)]
pub struct Key {
    /// Its path in the tree, with dots between the levels.
    pub path: &'static str,
    /// What it is for; empty for what this server only keeps.
    pub help: &'static str,
}

impl Key {
    /// Its name as an environment variable and, behind two dashes, as a flag.
    pub fn variable(&self) -> String {
        self.path.replace('.', "_").to_ascii_uppercase()
    }

    /// The keys on the way to its value.
    pub fn levels(&self) -> Vec<&'static str> {
        self.path.split('.').collect()
    }
}

const fn key(path: &'static str, help: &'static str) -> Key {
    Key { path, help }
}

/// A setting whose value is kept and shown, but changes nothing here.
const fn kept(path: &'static str) -> Key {
    Key { path, help: "" }
}

/// All settings of the file.
pub const KEYS: &[Key] = &[
    key("analytics.aggregatePeriod", "seconds between two aggregations of the analytics; 0 for none"),
    kept("analytics.replicate"),
    key(
        "authentication.authorizeLocal",
        "requests from this machine without credentials act as the super user",
    ),
    key("authentication.cacheTTL", "milliseconds verified credentials are remembered"),
    key("authentication.cookie.domains", "the domains that session cookies are for as a whole, a JSON array"),
    key("authentication.cookie.expires", "how long sessions last, such as 7d; null for ever"),
    key("authentication.enableSessions", "allow sessions by cookie"),
    kept("authentication.hashFunction"),
    key("authentication.operationTokenTimeout", "how long operation tokens are good, such as 1d"),
    key("authentication.refreshTokenTimeout", "how long refresh tokens are good, such as 30d"),
    key("bulk.maxSize", "bytes of the largest file that csv_url_load and import_from_s3 fetch"),
    key(
        "bulk.urlAccess",
        "the addresses csv_url_load may fetch from: all, public, none, or networks between commas such as 10.0.0.0/8",
    ),
    key(
        "bulk.urlTimeout",
        "milliseconds a transfer of csv_url_load, import_from_s3 or export_to_s3 may take",
    ),
    kept("cloned"),
    key("componentsRoot", "the folder of the components"),
    kept("customFunctions.network.https"),
    kept("databases"),
    kept("http.compressionThreshold"),
    kept("http.cors"),
    key("http.corsAccessControlAllowHeaders", "the headers other origins may send"),
    kept("http.corsAccessList"),
    key("http.headersTimeout", "as below operationsApi.network, where that has none"),
    kept("http.http2"),
    key("http.keepAliveTimeout", "as below operationsApi.network, where that has none"),
    kept("http.maxHeaderSize"),
    kept("http.maxParamLength"),
    kept("http.maxRequestBodySize"),
    kept("http.mtls"),
    kept("http.mtls.certificateAuthority"),
    kept("http.mtls.certificateVerification"),
    kept("http.mtls.required"),
    kept("http.mtls.user"),
    key("http.port", "port of applications; shown, but nothing listens there"),
    kept("http.requestQueueLimit"),
    kept("http.securePort"),
    kept("http.sessionAffinity"),
    kept("http.threadRange"),
    key("http.timeout", "as below operationsApi.network, where that has none"),
    kept("ignoreScripts"),
    kept("license.mode"),
    key(
        "license.publicKey",
        "the Ed25519 key that usage licences are signed with, as PEM or base64; forms only without",
    ),
    kept("license.region"),
    kept("localStudio.enabled"),
    key("logging.auditAuthEvents.logFailed", "log refused credentials"),
    key("logging.auditAuthEvents.logSuccessful", "log accepted credentials"),
    key("logging.auditLog", "keep a history of tables unless told otherwise"),
    key("logging.auditRetention", "how long histories are kept, such as 3d"),
    kept("logging.colors"),
    kept("logging.console"),
    kept("logging.external.level"),
    kept("logging.external.path"),
    kept("logging.external.tag"),
    key("logging.file", "log to a file"),
    key("logging.level", "least grave level that is logged"),
    key("logging.path", "file of the log"),
    key("logging.root", "folder of the log"),
    key("logging.rotation.compress", "compress logs put aside"),
    key("logging.rotation.enabled", "put large or old logs aside"),
    key("logging.rotation.interval", "how old the log grows, such as 1D, 12H or 30M"),
    key("logging.rotation.maxSize", "how large the log grows, such as 64M"),
    key("logging.rotation.path", "folder of logs put aside"),
    key("logging.rotation.retention", "how long logs put aside are kept, such as 30D"),
    key("logging.stdStreams", "log to the standard streams"),
    kept("mqtt.network.mtls"),
    kept("mqtt.network.mtls.certificateAuthority"),
    kept("mqtt.network.mtls.required"),
    kept("mqtt.network.mtls.user"),
    kept("mqtt.network.port"),
    kept("mqtt.network.securePort"),
    kept("mqtt.requireAuthentication"),
    kept("mqtt.webSocket"),
    key("node.hostname", "the name of this node"),
    kept("node.url"),
    key("operationsApi.network.cors", "answer requests from other origins"),
    key("operationsApi.network.corsAccessList", "the origins allowed, a JSON array; * for all"),
    key("operationsApi.network.domainSocket", "path of the unix domain socket; null switches it off"),
    key("operationsApi.network.headersTimeout", "milliseconds a client may take for the head of a request"),
    key("operationsApi.network.http2", "speak HTTP/2 too"),
    kept("operationsApi.network.https"),
    key("operationsApi.network.keepAliveTimeout", "milliseconds an idle connection is kept"),
    kept("operationsApi.network.maxRequestBodySize"),
    key("operationsApi.network.mtls", "let clients prove who they are by certificates"),
    kept("operationsApi.network.mtls.certificateAuthority"),
    key(
        "operationsApi.network.mtls.required",
        "close connections whose client shows no accepted certificate",
    ),
    key(
        "operationsApi.network.mtls.user",
        "whom a client's certificate stands for: CN, a user, or null for nobody",
    ),
    key("operationsApi.network.port", "port of HTTP; 0 takes a free one, null switches it off"),
    key("operationsApi.network.securePort", "port of HTTPS; 0 takes a free one, null switches it off"),
    key("operationsApi.network.timeout", "milliseconds a request may take"),
    key("operationsApi.sysInfo.disk", "tell of disks in system_information"),
    key("operationsApi.sysInfo.network", "tell of networks in system_information"),
    kept("operationsApi.tls"),
    key("operationsApi.tls.certificate", "PEM file with the certificate for this API"),
    key("operationsApi.tls.certificateAuthority", "PEM file with a certificate authority for this API"),
    key("operationsApi.tls.privateKey", "PEM file with the key of that certificate"),
    kept("replication"),
    kept("replication.blobTimeout"),
    key("replication.databases", "the databases that are replicated, a JSON array; * for all"),
    key("replication.enableRootCAs", "trust the public authorities between nodes"),
    key("replication.failOver", "take the changes of a dead node from others"),
    key("replication.hostname", "the name of this node in its cluster"),
    key("replication.mtls.certificateVerification", "look at lists of revoked certificates of nodes"),
    key("replication.port", "port for other nodes without TLS; 0 takes a free one"),
    key("replication.routes", "the nodes to connect to at the start, a JSON array"),
    key("replication.securePort", "port for other nodes with TLS; 0 takes a free one"),
    key("replication.shard", "the shard of this node"),
    key("replication.url", "how other nodes reach this one, such as wss://host:9933"),
    kept("rootPath"),
    kept("serialization.bigInt"),
    key("sql.engine", "whose answers SQL gives where they differ: legacy (before 5.2) or auto (from 5.2 on)"),
    key("sql.timeout", "milliseconds an SQL statement may take"),
    kept("storage.audit.path"),
    kept("storage.blobCleanupSpeed"),
    kept("storage.blobPaths"),
    kept("storage.caching"),
    kept("storage.compactOnStart"),
    kept("storage.compactOnStartKeepBackup"),
    kept("storage.compression"),
    kept("storage.compression.dictionary"),
    kept("storage.compression.threshold"),
    kept("storage.debugLongTransactions"),
    kept("storage.encryption"),
    kept("storage.maxFreeSpaceToLoad"),
    kept("storage.maxFreeSpaceToRetain"),
    kept("storage.maxTransactionOpenTime"),
    kept("storage.maxTransactionQueueTime"),
    kept("storage.noReadAhead"),
    kept("storage.overlappingSync"),
    kept("storage.pageSize"),
    kept("storage.path"),
    kept("storage.prefetchWrites"),
    kept("storage.reclamation.evictionFactor"),
    kept("storage.reclamation.interval"),
    kept("storage.reclamation.threshold"),
    key("storage.writeAsync", "acknowledge writes before they are on disk"),
    kept("threads"),
    kept("threads.count"),
    kept("threads.debug"),
    kept("threads.debug.host"),
    kept("threads.debug.port"),
    kept("threads.debug.startingPort"),
    kept("threads.debug.waitForDebugger"),
    kept("threads.heapSnapshotNearLimit"),
    kept("threads.maxHeapMemory"),
    kept("tls"),
    key("tls.certificate", "PEM file with the certificate; self-signed without"),
    key("tls.certificateAuthority", "PEM file with the certificate authority"),
    kept("tls.ciphers"),
    key("tls.privateKey", "PEM file with the certificate's key"),
];

/// Names that settings had once, in lower case, and the paths they stand for.
const OLD_NAMES: &[(&str, &str)] = &[
    ("certificate", "tls.certificate"),
    ("cors_accesslist", "operationsApi.network.corsAccessList"),
    ("cors_on", "operationsApi.network.cors"),
    ("cors_whitelist", "operationsApi.network.corsAccessList"),
    ("custom_functions_directory", "componentsRoot"),
    ("custom_functions_port", "http.port"),
    ("customfunctions_network_cors", "http.cors"),
    ("customfunctions_network_corsaccesslist", "http.corsAccessList"),
    ("customfunctions_network_headerstimeout", "http.headersTimeout"),
    ("customfunctions_network_keepalivetimeout", "http.keepAliveTimeout"),
    ("customfunctions_network_port", "http.port"),
    ("customfunctions_network_timeout", "http.timeout"),
    ("customfunctions_processes", "threads.count"),
    ("customfunctions_root", "componentsRoot"),
    ("customfunctions_tls", "tls"),
    ("customfunctions_tls_certificate", "tls.certificate"),
    ("customfunctions_tls_certificateauthority", "tls.certificateAuthority"),
    ("customfunctions_tls_privatekey", "tls.privateKey"),
    ("disable_transaction_log", "logging.auditLog"),
    ("hdb_root", "rootPath"),
    ("http_threads", "threads.count"),
    ("https_on", "operationsApi.network.https"),
    ("local_studio_on", "localStudio.enabled"),
    ("log_level", "logging.level"),
    ("log_path", "logging.root"),
    ("log_to_file", "logging.file"),
    ("log_to_stdstreams", "logging.stdStreams"),
    ("max_custom_function_processes", "threads.count"),
    ("max_hdb_processes", "threads.count"),
    ("max_http_threads", "threads.count"),
    ("operation_token_timeout", "authentication.operationTokenTimeout"),
    ("operationsapi_root", "rootPath"),
    ("private_key", "tls.privateKey"),
    ("refresh_token_timeout", "authentication.refreshTokenTimeout"),
    ("server_headers_timeout", "operationsApi.network.headersTimeout"),
    ("server_keep_alive_timeout", "operationsApi.network.keepAliveTimeout"),
    ("server_port", "operationsApi.network.port"),
    ("server_timeout_ms", "operationsApi.network.timeout"),
];

/// Lower-case name → path.
static NAMES: LazyLock<HashMap<String, &'static str>> = LazyLock::new(|| {
    let old = OLD_NAMES.iter().map(|(name, path)| ((*name).to_owned(), *path));
    let proper = KEYS.iter().map(|key| (key.path.replace('.', "_").to_ascii_lowercase(), key.path));
    old.chain(proper).collect()
});

/// The path that a name stands for, in whatever case it is written.
pub fn path_of(name: &str) -> Option<&'static str> {
    NAMES.get(&name.to_ascii_lowercase()).copied()
}

/// True for a setting, by any of its names, that says something of one node alone: its name, its files, its ports.
pub fn is_of_node(name: &str) -> bool {
    const OF_NODE: [&str; 7] = [
        "rootPath",
        "componentsRoot",
        "node.hostname",
        "replication.hostname",
        "replication.url",
        "replication.routes",
        "operationsApi.network.domainSocket",
    ];
    let Some(path) = path_of(name) else { return name.to_ascii_lowercase().ends_with("_port") };
    let mut levels = path.split('.');
    let last = levels.next_back().unwrap_or_default().to_ascii_lowercase();
    OF_NODE.contains(&path)
        || last.ends_with("port")
        || matches!(last.as_str(), "path" | "root" | "tls")
        || levels.any(|level| level == "tls")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_ports_and_files_are_those_of_one_node() {
        for name in [
            "rootPath",
            "ROOTPATH",
            "http_port",
            "operationsApi_network_securePort",
            "tls_privateKey",
            "logging_root",
            "replication_url",
            "node_hostname",
            "app_port",
        ] {
            assert!(is_of_node(name), "{name}");
        }
        for name in
            ["logging_level", "http_cors", "replication_databases", "authentication_cacheTTL", "nothing"]
        {
            assert!(!is_of_node(name), "{name}");
        }
    }

    #[test]
    fn names_lead_to_known_paths() {
        let paths: HashSet<&str> = KEYS.iter().map(|key| key.path).collect();
        assert_eq!(paths.len(), KEYS.len(), "a path stands twice");
        assert!(OLD_NAMES.iter().all(|(_, path)| paths.contains(path)));
        assert_eq!(path_of("Authentication_CACHEttl"), Some("authentication.cacheTTL"));
        assert_eq!(path_of("log_level"), Some("logging.level"));
        assert_eq!((path_of("logging"), path_of("logging.level"), path_of("")), (None, None, None));
    }

    /// The old names are part of the contract.
    #[test]
    fn old_names_are_those_of_the_contract() {
        let text = include_str!("../../../schemas/common/configuration.json");
        let schema: serde_json::Value = serde_json::from_str(text).unwrap();
        for (name, path) in schema["$defs"]["old_names"]["default"].as_object().unwrap() {
            assert_eq!(path_of(name), path.as_str(), "{name}");
        }
    }
}
