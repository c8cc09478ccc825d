//! From a configuration tree to what the server goes by.

use super::document::at;
use super::span::span_milliseconds;
use super::{Addresses, Bulk, CertificateUser, Config, Logging, Mtls, Tls, Verification, logging, rules};
use crate::value::{Object, Value};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What a time limit of zero means: none.
const NO_LIMIT: Duration = Duration::from_hours(24 * 365);

/// Puts a checked tree's values into a configuration. What the API lets pass though it cannot be used leaves the
/// value as it is, with a warning.
pub(super) fn settle(config: &mut Config, tree: Object) {
    let read = Reader { tree: &tree, root: config.root_path.clone() };
    let network = &mut config.network;
    read.port("operationsApi.network.port", &mut network.port);
    read.port("operationsApi.network.securePort", &mut network.secure_port);
    network.domain_socket = read.file("operationsApi.network.domainSocket");
    read.flag("operationsApi.network.cors", &mut network.cors);
    read.texts("operationsApi.network.corsAccessList", &mut network.cors_access_list);
    read.text("http.corsAccessControlAllowHeaders", &mut network.cors_allow_headers);
    for (key, limit) in [
        ("headersTimeout", &mut network.headers_timeout),
        ("keepAliveTimeout", &mut network.keep_alive_timeout),
        ("timeout", &mut network.timeout),
    ] {
        // What the operations API does not set for itself it has from the applications' server.
        read.limit(&format!("http.{key}"), limit);
        read.limit(&format!("operationsApi.network.{key}"), limit);
    }
    read.flag("operationsApi.network.http2", &mut network.http2);
    network.mtls = read.mtls("operationsApi.network.mtls");
    let authentication = &mut config.authentication;
    read.flag("authentication.authorizeLocal", &mut authentication.authorize_local);
    read.milliseconds("authentication.cacheTTL", &mut authentication.cache_ttl);
    read.flag("authentication.enableSessions", &mut authentication.enable_sessions);
    read.span("authentication.operationTokenTimeout", &mut authentication.operation_token_timeout);
    read.span("authentication.refreshTokenTimeout", &mut authentication.refresh_token_timeout);
    read.texts("authentication.cookie.domains", &mut authentication.cookie_domains);
    let mut expires = Duration::ZERO;
    authentication.cookie_expires =
        read.span("authentication.cookie.expires", &mut expires).then_some(expires);
    config.tls.certificate = read.file("tls.certificate");
    // A new file names the place of a key that goes with no certificate yet.
    config.tls.private_key = read.file("tls.privateKey").filter(|_| config.tls.certificate.is_some());
    config.tls.certificate_authority = read.file("tls.certificateAuthority");
    config.operations_tls = Tls {
        certificate: read.file("operationsApi.tls.certificate"),
        private_key: read.file("operationsApi.tls.privateKey"),
        certificate_authority: read.file("operationsApi.tls.certificateAuthority"),
        ..Tls::default()
    };
    config.tls_lists = read.tls_list("tls", &[]);
    config.tls_lists.extend(read.tls_list("operationsApi.tls", &["operations-api"]));
    config.components_root =
        read.file("componentsRoot").unwrap_or_else(|| config.root_path.join("components"));
    read.port("http.port", &mut config.http_port);
    read.flag("logging.auditLog", &mut config.audit_log);
    log_settings(&read, &mut config.logging);
    bulk_settings(&read, &mut config.bulk);
    read.flag("storage.writeAsync", &mut config.write_async);
    read.parsed("sql.engine", crate::sql::Engine::named, &mut config.sql_engine);
    read.limit("sql.timeout", &mut config.sql_timeout);
    if let Some(seconds) = read.number("analytics.aggregatePeriod") {
        config.analytics_period =
            Duration::try_from_secs_f64(seconds).ok().filter(|period| !period.is_zero());
    }
    read.flag("operationsApi.sysInfo.disk", &mut config.disk_information);
    read.flag("operationsApi.sysInfo.network", &mut config.network_information);
    read.text("node.hostname", &mut config.hostname);
    config.replication.settle(&read);
    config.clustering.settle(&read);
    config.licence_key = read.at("license.publicKey").and_then(Value::as_str).map(str::to_owned);
    config.tree = tree.into();
}

/// How it is found out whether certificates were revoked, if it is.
fn verification(value: Option<&Value>) -> Option<Verification> {
    let section = match value {
        Some(Value::Bool(true)) => return Some(Verification::default()),
        Some(Value::Object(section)) => section,
        _ => return None,
    };
    let Verification { mut crl, mut ocsp } = Verification::default();
    let times = [
        ("timeout", &mut crl.timeout),
        ("cacheTtl", &mut crl.cache_ttl),
        ("gracePeriod", &mut crl.grace_period),
    ];
    way_of_checking(section, "crl", &mut crl.enabled, &mut crl.fail_open, times);
    let times = [
        ("timeout", &mut ocsp.timeout),
        ("cacheTtl", &mut ocsp.cache_ttl),
        ("errorCacheTtl", &mut ocsp.error_cache_ttl),
    ];
    way_of_checking(section, "ocsp", &mut ocsp.enabled, &mut ocsp.fail_open, times);
    Some(Verification { crl, ocsp })
}

/// One way of checking certificates: a section of its own, or `false`.
fn way_of_checking(
    section: &Object,
    name: &str,
    enabled: &mut bool,
    fail_open: &mut bool,
    times: [(&str, &mut Duration); 3],
) {
    let own = section.get(name).and_then(Value::as_object);
    let switch = own.map_or(section.get(name), |own| own.get("enabled"));
    *enabled = switch != Some(&Value::Bool(false));
    let mode = own.and_then(|own| own.get("failureMode")).or_else(|| section.get("failureMode"));
    *fail_open = mode.and_then(Value::as_str) == Some("fail-open");
    for (name, limit) in times {
        if let Some(Value::Number(millis)) = own.and_then(|own| own.get(name))
            && let Ok(time) = Duration::try_from_secs_f64(millis / 1000.0)
        {
            *limit = time;
        }
    }
}

fn bulk_settings(read: &Reader<'_>, bulk: &mut Bulk) {
    if let Some(Value::Number(bytes)) = read.at("bulk.maxSize") {
        bulk.max_size = *bytes as u64;
    }
    read.limit("bulk.urlTimeout", &mut bulk.url_timeout);
    match read.at("bulk.urlAccess") {
        None | Some(Value::Null) => {}
        Some(Value::String(rule)) => {
            bulk.url_access = Addresses::parse(rule).unwrap_or_else(|fault| {
                // What was to be restricted is not to be open.
                tracing::warn!("bulk.urlAccess: {fault}; no address is allowed");
                Addresses::Nobody
            });
        }
        Some(other) => unusable("bulk.urlAccess", other),
    }
}

fn log_settings(read: &Reader<'_>, log: &mut Logging) {
    read.parsed("logging.level", logging::level, &mut log.level);
    log.root = read.file("logging.root").unwrap_or_else(|| read.root.join("log"));
    log.path = read.file("logging.path");
    read.flag("logging.file", &mut log.file);
    read.flag("logging.stdStreams", &mut log.std_streams);
    let mut retention = Duration::ZERO;
    log.audit_retention = read.span("logging.auditRetention", &mut retention).then_some(retention);
    read.flag("logging.auditAuthEvents.logFailed", &mut log.log_failed);
    read.flag("logging.auditAuthEvents.logSuccessful", &mut log.log_successful);
    let rotation = &mut log.rotation;
    read.flag("logging.rotation.enabled", &mut rotation.enabled);
    read.flag("logging.rotation.compress", &mut rotation.compress);
    read.optional("logging.rotation.maxSize", logging::size, &mut rotation.max_size);
    read.optional("logging.rotation.interval", logging::interval, &mut rotation.interval);
    read.optional("logging.rotation.retention", logging::interval, &mut rotation.retention);
    rotation.path = read.file("logging.rotation.path").filter(|path| *path != log.root);
}

/// A tree, asked for values of a kind.
pub(super) struct Reader<'t> {
    tree: &'t Object,
    root: PathBuf,
}

impl Reader<'_> {
    pub(super) fn at(&self, path: &str) -> Option<&Value> {
        at(self.tree, &path.split('.').collect::<Vec<_>>())
    }

    pub(super) fn port(&self, path: &str, port: &mut Option<u16>) {
        match self.at(path) {
            None => {}
            Some(Value::Null) => *port = None,
            Some(Value::Number(number)) if number.fract() == 0.0 && (0.0..=65_535.0).contains(number) => {
                *port = Some(*number as u16);
            }
            Some(other) => unusable(path, other),
        }
    }

    pub(super) fn verification(&self, path: &str) -> Option<Verification> {
        verification(self.at(path))
    }

    fn file(&self, path: &str) -> Option<PathBuf> {
        self.file_of(self.at(path))
    }

    fn file_of(&self, value: Option<&Value>) -> Option<PathBuf> {
        let text = value?.as_str().filter(|text| !text.is_empty())?;
        Some(rules::resolved(Path::new(&self.root), text))
    }

    pub(super) fn flag(&self, path: &str, flag: &mut bool) {
        match self.at(path) {
            None | Some(Value::Null) => {}
            Some(Value::Bool(value)) => *flag = *value,
            Some(other) => unusable(path, other),
        }
    }

    fn text(&self, path: &str, text: &mut String) {
        match self.at(path) {
            None | Some(Value::Null) => {}
            Some(Value::String(value)) => text.clone_from(value),
            Some(other) => unusable(path, other),
        }
    }

    fn parsed<T>(&self, path: &str, parse: impl Fn(&str) -> Result<T, String>, value: &mut T) {
        match self.at(path).map(|value| (value, value.as_str().map(&parse))) {
            None => {}
            Some((_, Some(Ok(parsed)))) => *value = parsed,
            Some((_, Some(Err(fault)))) => tracing::warn!("{path}: {fault}; it is left out"),
            Some((other, None)) => unusable(path, other),
        }
    }

    /// As [`Reader::parsed`]; null is none.
    fn optional<T>(&self, path: &str, parse: impl Fn(&str) -> Result<T, String>, value: &mut Option<T>) {
        match self.at(path) {
            Some(Value::Null) => *value = None,
            _ => self.parsed(path, |text| parse(text).map(Some), value),
        }
    }

    fn mtls(&self, path: &str) -> Option<Mtls> {
        match self.at(path) {
            Some(Value::Bool(true)) => Some(Mtls::default()),
            Some(Value::Object(section)) => Some(Mtls {
                user: match section.get("user") {
                    None => CertificateUser::CommonName,
                    Some(Value::String(name)) if matches!(name.as_str(), "CN" | "Common Name") => {
                        CertificateUser::CommonName
                    }
                    Some(Value::String(name)) => CertificateUser::Named(name.clone()),
                    Some(_) => CertificateUser::Nobody,
                },
                required: matches!(section.get("required"), Some(Value::Bool(true))),
                certificate_authority: self.file_of(section.get("certificateAuthority")),
                verification: verification(section.get("certificateVerification")),
            }),
            _ => None,
        }
    }

    /// The members of a list of certificates; those that do not say what they are for are for `uses`.
    fn tls_list(&self, path: &str, uses: &[&str]) -> Vec<Tls> {
        let Some(Value::Array(members)) = self.at(path) else { return Vec::new() };
        let texts = |value: Option<&Value>| match value {
            Some(Value::String(one)) => vec![one.clone()],
            Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            _ => Vec::new(),
        };
        let member = |section: &Object| Tls {
            certificate: self.file_of(section.get("certificate")),
            private_key: self.file_of(section.get("privateKey")),
            certificate_authority: self.file_of(section.get("certificateAuthority")),
            name: section.get("name").and_then(Value::as_str).map(str::to_owned),
            hosts: ["hosts", "host", "hostnames", "hostname"]
                .iter()
                .map(|name| texts(section.get(*name)))
                .find(|hosts| !hosts.is_empty())
                .unwrap_or_default(),
            uses: match section.get("uses") {
                None => uses.iter().map(|one| (*one).to_owned()).collect(),
                given => texts(given),
            },
        };
        members.iter().filter_map(Value::as_object).map(member).collect()
    }

    /// The texts of a list; one text is a list between commas.
    fn texts(&self, path: &str, texts: &mut Vec<String>) {
        match self.at(path) {
            None => {}
            Some(Value::Null) => texts.clear(),
            Some(Value::Array(items)) => {
                *texts = items.iter().filter_map(Value::as_str).map(str::to_owned).collect();
            }
            Some(Value::String(list)) => {
                let entries = list.split(',').map(|entry| entry.trim().to_owned());
                *texts = entries.filter(|entry| !entry.is_empty()).collect();
            }
            Some(other) => unusable(path, other),
        }
    }

    fn number(&self, path: &str) -> Option<f64> {
        match self.at(path)? {
            Value::Number(number) => Some(*number),
            other => {
                unusable(path, other);
                None
            }
        }
    }

    fn milliseconds(&self, path: &str, span: &mut Duration) {
        let Some(milliseconds) = self.number(path) else { return };
        // Nothing is remembered for a negative time.
        *span = Duration::try_from_secs_f64(milliseconds.max(0.0) / 1000.0).unwrap_or(NO_LIMIT);
    }

    pub(super) fn limit(&self, path: &str, limit: &mut Duration) {
        if self.at(path).is_some_and(|value| !value.is_null()) {
            self.milliseconds(path, limit);
            if limit.is_zero() {
                *limit = NO_LIMIT;
            }
        }
    }

    /// A span of time: a text such as `1d`, or a number of seconds. Tells whether there is one.
    fn span(&self, path: &str, span: &mut Duration) -> bool {
        let seconds = match self.at(path) {
            None | Some(Value::Null) => return false,
            Some(Value::Number(seconds)) => Some(*seconds),
            Some(Value::String(text)) => span_milliseconds(text).map(|milliseconds| milliseconds / 1000.0),
            Some(_) => None,
        };
        match seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()) {
            Some(value) => {
                *span = value;
                true
            }
            None => {
                tracing::warn!("{path} is not a span of time; it is left out");
                false
            }
        }
    }
}

fn unusable(path: &str, value: &Value) {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number out of range",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        _ => "a section",
    };
    tracing::warn!("{path} is {kind}, which is of no use; it is left out");
}
