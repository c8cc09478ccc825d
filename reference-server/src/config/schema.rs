//! The rules of the configuration tree, in the order in which faults are told.

use super::rules::Rule::{
    Any, Array, Boolean, Either, ExistingPath, Interval, ListOf, MaxSize, Number, OneOf, OrNull, Path,
    Section, Text, TextOf,
};
use super::rules::{Member, Rule, check};
use crate::value::{Object, Value};

const LEVELS: &[&str] = &["notify", "fatal", "error", "warn", "info", "debug", "trace"];

const fn may(key: &'static str, rule: Rule) -> Member {
    Member { key, rule, required: false }
}

const fn must(key: &'static str, rule: Rule) -> Member {
    Member { key, rule, required: true }
}

const NUMBER: Rule = Number { min: f64::NEG_INFINITY, max: f64::INFINITY };
const fn at_least(min: f64) -> Rule {
    Number { min, max: f64::INFINITY }
}

const PORT: Rule = OrNull(&Either(&[at_least(0.0), Text]));
const FILE: Rule = OrNull(&Text);
const FOLDER: Rule = OrNull(&Path);
const CERTIFICATES: Rule =
    Section(&[may("certificate", FILE), may("certificateAuthority", FILE), may("privateKey", FILE)]);
const TLS: Rule = Either(&[ListOf(&CERTIFICATES), CERTIFICATES]);
const MTLS: Rule = Either(&[
    Boolean,
    Section(&[may("user", FILE), may("certificateAuthority", FILE), may("required", Boolean)]),
]);
const COUNT: Rule = OrNull(&Number { min: 0.0, max: 1000.0 });

static TREE: &[Member] = &[
    may(
        "authentication",
        Section(&[
            may("authorizeLocal", Boolean),
            must("cacheTTL", NUMBER),
            may("cookie", Section(&[may("domains", ListOf(&Text)), may("expires", OrNull(&Text))])),
            may("enableSessions", Boolean),
            may("hashFunction", OrNull(&TextOf(&["md5", "sha256", "argon2id"]))),
        ]),
    ),
    may(
        "bulk",
        Section(&[
            may("maxSize", OrNull(&at_least(0.0))),
            may("urlAccess", OrNull(&Text)),
            may("urlTimeout", OrNull(&at_least(0.0))),
        ]),
    ),
    may("analytics", Section(&[may("aggregatePeriod", NUMBER), may("replicate", Boolean)])),
    may(
        "replication",
        Section(&[
            may("hostname", OrNull(&Either(&[Text, NUMBER]))),
            may("url", FILE),
            may("port", PORT),
            may("securePort", PORT),
            may("routes", OrNull(&Array)),
            may("databases", Either(&[Text, Array])),
            may("enableRootCAs", Boolean),
            may("copyTablesToCatchUp", Boolean),
        ]),
    ),
    may("componentsRoot", FOLDER),
    must("localStudio", Section(&[may("enabled", Boolean)])),
    must(
        "logging",
        Section(&[
            may("auditAuthEvents", Section(&[may("logFailed", Boolean), may("logSuccessful", Boolean)])),
            must("file", Boolean),
            may("level", OneOf(LEVELS)),
            must(
                "rotation",
                Section(&[
                    may("enabled", Boolean),
                    may("compress", Boolean),
                    may("interval", OrNull(&Interval)),
                    may("maxSize", OrNull(&MaxSize)),
                    may("path", FILE),
                ]),
            ),
            may("root", FOLDER),
            must("stdStreams", Boolean),
            must("auditLog", Boolean),
        ]),
    ),
    must(
        "operationsApi",
        Section(&[
            may(
                "network",
                Section(&[
                    may("cors", Boolean),
                    may("corsAccessList", Array),
                    may("headersTimeout", at_least(1.0)),
                    may("keepAliveTimeout", at_least(1.0)),
                    may("port", PORT),
                    may("domainSocket", Any),
                    may("securePort", PORT),
                    may("timeout", at_least(1.0)),
                ]),
            ),
            may("tls", TLS),
        ]),
    ),
    must("rootPath", Path),
    may(
        "mqtt",
        Section(&[
            must("network", Section(&[may("port", PORT), may("securePort", PORT), may("mtls", MTLS)])),
            may("webSocket", Boolean),
            may("requireAuthentication", Boolean),
        ]),
    ),
    must(
        "http",
        Section(&[
            may("compressionThreshold", NUMBER),
            may("cors", Boolean),
            may("corsAccessList", Array),
            may("headersTimeout", at_least(1.0)),
            may("port", PORT),
            may("securePort", PORT),
            may("maxHeaderSize", NUMBER),
            may("mtls", MTLS),
            may("threadRange", Either(&[Array, Text])),
        ]),
    ),
    may(
        "threads",
        Either(&[
            COUNT,
            Section(&[
                may("count", COUNT),
                may(
                    "debug",
                    Either(&[
                        Boolean,
                        Section(&[
                            may("startingPort", at_least(1.0)),
                            may("host", Text),
                            may("waitForDebugger", Boolean),
                        ]),
                    ]),
                ),
                may("maxHeapMemory", at_least(0.0)),
            ]),
        ]),
    ),
    must(
        "storage",
        Section(&[
            must("writeAsync", Boolean),
            may("overlappingSync", Boolean),
            may("caching", Boolean),
            may(
                "compression",
                Either(&[Boolean, Section(&[may("dictionary", Text), may("threshold", NUMBER)])]),
            ),
            may("compactOnStart", Boolean),
            may("compactOnStartKeepBackup", Boolean),
            may("noReadAhead", Boolean),
            may("path", OrNull(&ExistingPath)),
            may("prefetchWrites", Boolean),
            may("maxFreeSpaceToLoad", NUMBER),
            may("maxFreeSpaceToRetain", NUMBER),
        ]),
    ),
    may("ignoreScripts", Boolean),
    may("tls", TLS),
];

/// Before the faults of a tree.
const PREFIX: &str = "HarperDB config file validation error: ";

/// Checks a whole configuration tree.
///
/// # Errors
/// All its faults as one text, as set_configuration tells them (CONF-SET-CONFIGURATION-005).
pub fn validate(tree: &Object) -> Result<(), String> {
    let root = match tree.get("rootPath") {
        None | Some(Value::Null) => return Err("rootPath config parameter is undefined".to_owned()),
        Some(root) => root.as_str().unwrap_or_default(),
    };
    for (section, name) in [("http", "http"), ("operationsApi.network", "operationsApi.network")] {
        let at = |key| super::document::at(tree, &section.split('.').chain([key]).collect::<Vec<_>>());
        if let (Some(port), Some(secure)) = (at("port"), at("securePort"))
            && port == secure
            && !is_off(port)
        {
            return Err(format!("{PREFIX}{name}.port and {name}.securePort cannot be the same value"));
        }
    }
    check(TREE, tree, std::path::Path::new(root)).map_err(|faults| format!("{PREFIX}{faults}"))
}

/// Ports that two services may share: none, and whichever is free.
fn is_off(port: &Value) -> bool {
    match port {
        Value::Null | Value::Bool(false) => true,
        Value::Number(number) => *number == 0.0,
        Value::String(text) => text.is_empty(),
        _ => false,
    }
}
