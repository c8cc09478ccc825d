//! The configuration file of a new instance, and what an older one lacks.

use super::document::{Document, at};
use super::{CertificateUser, Config, Mode, Mtls, Verification};
use crate::value::{Object, Value, number_text, object};
use std::path::Path;
use std::time::Duration;

/// What the file of a new instance begins with.
const HEAD: &str = "\
# The configuration of this instance. Changes count after a restart. Environment variables and flags that are named
# after a setting, such as LOGGING_LEVEL for logging.level, are written here at every start.
";

/// What stands above the sections.
const NOTES: &[(&str, &str)] = &[
    (
        "http",
        "Applications: kept and shown; the timeouts hold for the operations API too, where it has none of its own.",
    ),
    ("authentication", "Times are milliseconds, or texts such as 1d."),
    ("analytics", "aggregatePeriod is in seconds; 0 switches the analytics off."),
    ("componentsRoot", "The folder of the components."),
    ("logging", "Levels are trace, debug, info, warn, error, fatal, notify."),
    ("operationsApi", "Where the operations API is served. A port of null switches it off."),
    ("storage", "Where and how the databases are kept."),
];

/// The tree of a new instance. Members stand in the order in which get_configuration shows them.
pub(super) fn tree(config: &Config) -> Object {
    let dev = config.mode == Mode::Development;
    let root = config.root_path.as_path();
    let network = &config.network;
    let number = Value::Number;
    let (yes, no) = (Value::Bool(true), Value::Bool(false));
    let Value::Object(mut tree) = object([
        (
            "http",
            object([
                ("compressionThreshold", number(0.0)),
                ("cors", Value::Bool(dev)),
                ("corsAccessList", Value::Array(vec![if dev { Value::from("*") } else { Value::Null }])),
                ("keepAliveTimeout", number(30_000.0)),
                ("port", port(config.http_port)),
                ("securePort", if dev { Value::Null } else { number(9926.0) }),
                ("mtls", no.clone()),
                ("http2", no.clone()),
                ("timeout", number(120_000.0)),
            ]),
        ),
        ("threads", object([("count", number(thread_count(config.mode))), ("debug", no.clone())])),
        (
            "authentication",
            object([
                ("authorizeLocal", Value::Bool(config.authentication.authorize_local)),
                ("cacheTTL", milliseconds(config.authentication.cache_ttl)),
                ("enableSessions", Value::Bool(config.authentication.enable_sessions)),
                ("operationTokenTimeout", span(config.authentication.operation_token_timeout)),
                ("refreshTokenTimeout", span(config.authentication.refresh_token_timeout)),
            ]),
        ),
        (
            "analytics",
            object([
                (
                    "aggregatePeriod",
                    number(config.analytics_period.map_or(0.0, |period| period.as_secs_f64())),
                ),
                ("replicate", no.clone()),
            ]),
        ),
        ("componentsRoot", path(&config.components_root)),
        ("localStudio", object([("enabled", yes.clone())])),
        ("logging", log_tree(config)),
        (
            "mqtt",
            object([
                (
                    "network",
                    object([("port", number(1883.0)), ("securePort", number(8883.0)), ("mtls", no.clone())]),
                ),
                ("webSocket", yes.clone()),
                ("requireAuthentication", yes.clone()),
            ]),
        ),
        (
            "operationsApi",
            object([(
                "network",
                object([
                    ("cors", Value::Bool(network.cors)),
                    (
                        "corsAccessList",
                        Value::Array(
                            network
                                .cors_access_list
                                .iter()
                                .map(|origin| Value::from(origin.as_str()))
                                .collect(),
                        ),
                    ),
                    ("domainSocket", network.domain_socket.as_deref().map_or(Value::Null, path)),
                    ("port", port(network.port)),
                    ("securePort", port(network.secure_port)),
                ]),
            )]),
        ),
        ("rootPath", path(root)),
        (
            "storage",
            object([
                ("writeAsync", Value::Bool(config.write_async)),
                ("caching", yes.clone()),
                ("compression", yes.clone()),
                ("noReadAhead", no),
                ("path", path(&root.join("database"))),
                ("prefetchWrites", yes),
            ]),
        ),
        ("tls", object([("privateKey", path(&root.join("keys").join("privateKey.pem")))])),
        ("node", object([("hostname", Value::from(config.hostname.as_str()))])),
    ]) else {
        return Object::new();
    };
    for (path, value) in unusual(config) {
        super::document::put(&mut tree, &path.split('.').collect::<Vec<_>>(), value);
    }
    tree
}

fn log_tree(config: &Config) -> Value {
    let log = &config.logging;
    let rotation = &log.rotation;
    object([
        (
            "auditAuthEvents",
            object([("logFailed", log.log_failed.into()), ("logSuccessful", log.log_successful.into())]),
        ),
        ("auditLog", config.audit_log.into()),
        ("auditRetention", log.audit_retention.map_or(Value::Null, span)),
        ("file", log.file.into()),
        ("level", log.level.name().into()),
        ("root", path(&log.root)),
        (
            "rotation",
            object([
                ("enabled", rotation.enabled.into()),
                ("compress", rotation.compress.into()),
                ("interval", rotation.interval.map_or(Value::Null, interval)),
                ("maxSize", rotation.max_size.map_or(Value::Null, size)),
                ("path", path(rotation.path.as_deref().unwrap_or(&log.root))),
            ]),
        ),
        ("stdStreams", log.std_streams.into()),
    ])
}

/// Values of a [`Config`] that a new file shows only when they are not the usual ones.
fn unusual(config: &Config) -> Vec<(&'static str, Value)> {
    let usual = Config::new(&config.root_path);
    let mut values = Vec::new();
    let mut note = |path, differs: bool, value: Value| {
        if differs {
            values.push((path, value));
        }
    };
    let (network, usual_network) = (&config.network, &usual.network);
    let limits =
        |network: &super::Network| [network.headers_timeout, network.keep_alive_timeout, network.timeout];
    let names = [
        "operationsApi.network.headersTimeout",
        "operationsApi.network.keepAliveTimeout",
        "operationsApi.network.timeout",
    ];
    for ((path, limit), usual) in names.into_iter().zip(limits(network)).zip(limits(usual_network)) {
        note(path, limit != usual, milliseconds(limit));
    }
    note("operationsApi.network.http2", network.http2 != usual_network.http2, Value::Bool(network.http2));
    note(
        "operationsApi.network.mtls",
        network.mtls.is_some(),
        network.mtls.as_ref().map_or(Value::Null, mtls),
    );
    let headers = &network.cors_allow_headers;
    note(
        "http.corsAccessControlAllowHeaders",
        *headers != usual_network.cors_allow_headers,
        Value::from(headers.as_str()),
    );
    let domains = &config.authentication.cookie_domains;
    let domain_list = domains.iter().map(|domain| Value::from(domain.as_str())).collect();
    note("authentication.cookie.domains", !domains.is_empty(), Value::Array(domain_list));
    let expires = config.authentication.cookie_expires;
    note("authentication.cookie.expires", expires.is_some(), expires.map_or(Value::Null, span));
    let files = [
        ("tls.certificate", &config.tls.certificate),
        ("tls.privateKey", &config.tls.private_key),
        ("tls.certificateAuthority", &config.tls.certificate_authority),
        ("operationsApi.tls.certificate", &config.operations_tls.certificate),
        ("operationsApi.tls.privateKey", &config.operations_tls.private_key),
        ("operationsApi.tls.certificateAuthority", &config.operations_tls.certificate_authority),
    ];
    for (name, file) in files {
        note(name, file.is_some(), file.as_deref().map_or(Value::Null, path));
    }
    let log = &config.logging;
    note("logging.path", log.path.is_some(), log.path.as_deref().map_or(Value::Null, path));
    let retention = log.rotation.retention;
    note("logging.rotation.retention", retention.is_some(), retention.map_or(Value::Null, interval));
    values.extend(config.replication.unusual());
    let mut note = |path, differs: bool, value: Value| {
        if differs {
            values.push((path, value));
        }
    };
    let key = config.licence_key.as_deref();
    note("license.publicKey", key.is_some(), Value::from(key.unwrap_or_default()));
    values
}

fn mtls(mtls: &Mtls) -> Value {
    let user = match &mtls.user {
        CertificateUser::CommonName => Value::from("CN"),
        CertificateUser::Named(name) => Value::from(name.as_str()),
        CertificateUser::Nobody => Value::Null,
    };
    let mut section =
        Object::from_iter([("user".to_owned(), user), ("required".to_owned(), mtls.required.into())]);
    if let Some(path) = &mtls.certificate_authority {
        let path = Value::from(&*path.to_string_lossy());
        section.insert("certificateAuthority".to_owned(), path);
    }
    if let Some(verification) = &mtls.verification {
        let millis = |time: std::time::Duration| Value::Number(time.as_secs_f64() * 1000.0);
        let mode = |open: bool| Value::from(if open { "fail-open" } else { "fail-closed" });
        let Verification { crl, ocsp } = verification;
        let crl = object([
            ("enabled", crl.enabled.into()),
            ("failureMode", mode(crl.fail_open)),
            ("timeout", millis(crl.timeout)),
            ("cacheTtl", millis(crl.cache_ttl)),
            ("gracePeriod", millis(crl.grace_period)),
        ]);
        let ocsp = object([
            ("enabled", ocsp.enabled.into()),
            ("failureMode", mode(ocsp.fail_open)),
            ("timeout", millis(ocsp.timeout)),
            ("cacheTtl", millis(ocsp.cache_ttl)),
            ("errorCacheTtl", millis(ocsp.error_cache_ttl)),
        ]);
        let verification = object([("crl", crl), ("ocsp", ocsp)]);
        section.insert("certificateVerification".to_owned(), verification);
    }
    Value::Object(section)
}

/// Adds to a document what a new instance's has. A new document gets the notes too.
pub(super) fn complete(document: &mut Document, config: &Config) -> Result<(), String> {
    let defaults = tree(config);
    if document.tree().is_empty() {
        *document = Document::parse(&text(&defaults))?;
        return Ok(());
    }
    for (section, value) in &defaults {
        match (document.get(&[section]).cloned(), value) {
            (None, value) => document.set(&[section], value.clone()),
            (Some(Value::Object(there)), Value::Object(members)) => {
                add_missing(document, &mut vec![section], &there, members);
            }
            _ => {}
        }
    }
    Ok(())
}

fn add_missing<'k>(document: &mut Document, path: &mut Vec<&'k str>, there: &Object, defaults: &'k Object) {
    for (key, value) in defaults {
        path.push(key);
        match (there.get(key), value) {
            (None, value) => document.set(path, value.clone()),
            (Some(Value::Object(there)), Value::Object(members)) => {
                add_missing(document, path, there, members)
            }
            _ => {}
        }
        path.pop();
    }
}

fn text(tree: &Object) -> String {
    let mut text = HEAD.to_owned();
    for (section, value) in tree {
        if let Some((_, note)) = NOTES.iter().find(|(name, _)| name == section) {
            text.push_str(&format!("\n# {note}\n"));
        }
        let one = Object::from_iter([(section.clone(), value.clone())]);
        text.push_str(&super::lines::whole("", &one));
    }
    text
}

/// What null becomes where the API has a default for it.
pub(super) fn fill_nulls(document: &mut Document, config: &Config) {
    let root = config.root_path.as_path();
    let defaults = [
        (vec!["componentsRoot"], path(&root.join("components"))),
        (vec!["logging", "root"], path(&root.join("log"))),
        (vec!["logging", "rotation", "path"], path(&root.join("log"))),
        (vec!["storage", "path"], path(&root.join("database"))),
        (vec!["threads"], Value::Number(thread_count(config.mode))),
        (vec!["threads", "count"], Value::Number(thread_count(config.mode))),
    ];
    for (path, value) in defaults {
        if at(document.tree(), &path).is_some_and(Value::is_null) {
            document.set(&path, value);
        }
    }
}

/// One in development; otherwise what the processors and the memory allow.
fn thread_count(mode: Mode) -> f64 {
    if mode == Mode::Development {
        return 1.0;
    }
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let wanted = if processors <= 3 { 2 } else { processors - 1 };
    let Ok(mut system) = sysinfo::System::new() else { return wanted as f64 };
    system.refresh_memory();
    let memory = (system.total_memory() as f64 / 1e6).round();
    (wanted as f64).min(((memory - 750.0) / 300.0).round()).max(1.0)
}

fn port(port: Option<u16>) -> Value {
    port.map_or(Value::Null, |port| Value::Number(f64::from(port)))
}

fn path(path: &Path) -> Value {
    Value::from(path.to_string_lossy().into_owned())
}

fn milliseconds(span: Duration) -> Value {
    Value::Number(span.as_secs_f64() * 1000.0)
}

/// A span as the API writes it: whole days where it can.
fn span(span: Duration) -> Value {
    const DAY: u64 = 86_400;
    let seconds = span.as_secs();
    Value::from(match seconds {
        0 => format!("{}ms", span.as_millis()),
        seconds if seconds.is_multiple_of(DAY) => format!("{}d", seconds / DAY),
        seconds => format!("{seconds}s"),
    })
}

/// A number of bytes as the API writes it.
fn size(bytes: u64) -> Value {
    let bytes = bytes as f64;
    let units = [("G", 1e9), ("M", 1e6)];
    let (unit, scale) = units.into_iter().find(|(_, scale)| bytes % scale == 0.0).unwrap_or(("K", 1e3));
    Value::from(format!("{}{unit}", number_text(bytes / scale)))
}

/// A time between rotations as the API writes it; `M` are minutes.
fn interval(span: Duration) -> Value {
    let seconds = span.as_secs_f64();
    let units = [("D", 86_400.0), ("H", 3600.0)];
    let (unit, scale) = units.into_iter().find(|(_, scale)| seconds % scale == 0.0).unwrap_or(("M", 60.0));
    Value::from(format!("{}{unit}", number_text(seconds / scale)))
}
