//! Every setting: its key in the configuration file, its name as an environment variable and flag, and how its text
//! becomes part of the [`Config`].

use super::span::span;
use super::{CertificateUser, Config, Mtls, logging};
use std::path::PathBuf;
use std::time::Duration;

/// One setting.
pub struct Setting {
    /// The key in the configuration file, with dots between the levels.
    pub key: &'static str,
    /// The name as an environment variable and, behind two dashes, as a flag.
    pub name: &'static str,
    /// What it is for.
    pub help: &'static str,
    /// Whether it can stand in the configuration file; the others are for the first start only.
    pub in_file: bool,
    apply: fn(&mut Config, &str) -> Result<(), String>,
}

impl Setting {
    /// Puts the setting's text into a configuration.
    ///
    /// # Errors
    /// Why the text is no value of the setting.
    pub fn apply(&self, config: &mut Config, text: &str) -> Result<(), String> {
        (self.apply)(config, text)
    }
}

const fn setting(
    key: &'static str,
    name: &'static str,
    help: &'static str,
    apply: fn(&mut Config, &str) -> Result<(), String>,
) -> Setting {
    Setting { key, name, help, in_file: true, apply }
}

/// All settings, the root path apart, which says where the file is.
pub const SETTINGS: &[Setting] = &[
    setting(
        "operationsApi.network.host",
        "OPERATIONSAPI_NETWORK_HOST",
        "interface to listen on",
        |config, text| {
            config.network.host = text.to_owned();
            Ok(())
        },
    ),
    setting(
        "operationsApi.network.port",
        "OPERATIONSAPI_NETWORK_PORT",
        "port of HTTP; 0 takes a free one, null switches it off",
        |config, text| {
            config.network.port = port(text)?;
            Ok(())
        },
    ),
    setting(
        "operationsApi.network.securePort",
        "OPERATIONSAPI_NETWORK_SECUREPORT",
        "port of HTTPS; 0 takes a free one, null switches it off",
        |config, text| {
            config.network.secure_port = port(text)?;
            Ok(())
        },
    ),
    setting(
        "operationsApi.network.domainSocket",
        "OPERATIONSAPI_NETWORK_DOMAINSOCKET",
        "path of the unix domain socket; null switches it off",
        |config, text| {
            config.network.domain_socket = optional(text).map(PathBuf::from);
            Ok(())
        },
    ),
    setting(
        "operationsApi.network.cors",
        "OPERATIONSAPI_NETWORK_CORS",
        "answer requests from other origins",
        |config, text| {
            config.network.cors = flag(text)?;
            Ok(())
        },
    ),
    setting(
        "operationsApi.network.corsAccessList",
        "OPERATIONSAPI_NETWORK_CORSACCESSLIST",
        "the origins allowed, between commas; * for all",
        |config, text| {
            config.network.cors_access_list = list(text);
            Ok(())
        },
    ),
    setting(
        "operationsApi.network.headersTimeout",
        "OPERATIONSAPI_NETWORK_HEADERSTIMEOUT",
        "milliseconds a client may take for the head of a request",
        |config, text| {
            config.network.headers_timeout = milliseconds(text)?;
            Ok(())
        },
    ),
    setting(
        "operationsApi.network.keepAliveTimeout",
        "OPERATIONSAPI_NETWORK_KEEPALIVETIMEOUT",
        "milliseconds an idle connection is kept",
        |config, text| {
            config.network.keep_alive_timeout = milliseconds(text)?;
            Ok(())
        },
    ),
    setting(
        "operationsApi.network.timeout",
        "OPERATIONSAPI_NETWORK_TIMEOUT",
        "milliseconds a request may take",
        |config, text| {
            config.network.timeout = milliseconds(text)?;
            Ok(())
        },
    ),
    setting(
        "operationsApi.network.http2",
        "OPERATIONSAPI_NETWORK_HTTP2",
        "speak HTTP/2 too",
        |config, text| {
            config.network.http2 = flag(text)?;
            Ok(())
        },
    ),
    setting(
        "operationsApi.network.mtls",
        "OPERATIONSAPI_NETWORK_MTLS",
        "let clients prove who they are by certificates",
        |config, text| {
            let wanted = optional(text).map(flag).transpose()?.unwrap_or(false);
            config.network.mtls = wanted.then(Mtls::default);
            Ok(())
        },
    ),
    setting(
        "operationsApi.network.mtls.user",
        "OPERATIONSAPI_NETWORK_MTLS_USER",
        "whom a client's certificate stands for: CN, the name of a user, or null for nobody",
        |config, text| {
            config.network.mtls.get_or_insert_default().user = match text {
                "CN" | "Common Name" => CertificateUser::CommonName,
                "null" => CertificateUser::Nobody,
                name => CertificateUser::Named(name.to_owned()),
            };
            Ok(())
        },
    ),
    setting(
        "operationsApi.network.mtls.required",
        "OPERATIONSAPI_NETWORK_MTLS_REQUIRED",
        "close connections whose client shows no accepted certificate",
        |config, text| {
            config.network.mtls.get_or_insert_default().required = flag(text)?;
            Ok(())
        },
    ),
    setting(
        "http.corsAccessControlAllowHeaders",
        "HTTP_CORSACCESSCONTROLALLOWHEADERS",
        "the headers other origins may send",
        |config, text| {
            config.network.cors_allow_headers = text.to_owned();
            Ok(())
        },
    ),
    setting(
        "authentication.authorizeLocal",
        "AUTHENTICATION_AUTHORIZELOCAL",
        "requests from this machine without credentials act as the super user",
        |config, text| {
            config.authentication.authorize_local = flag(text)?;
            Ok(())
        },
    ),
    setting(
        "authentication.cacheTTL",
        "AUTHENTICATION_CACHETTL",
        "milliseconds verified credentials are remembered",
        |config, text| {
            config.authentication.cache_ttl = milliseconds(text)?;
            Ok(())
        },
    ),
    setting(
        "authentication.enableSessions",
        "AUTHENTICATION_ENABLESESSIONS",
        "allow sessions by cookie",
        |config, text| {
            config.authentication.enable_sessions = flag(text)?;
            Ok(())
        },
    ),
    setting(
        "authentication.operationTokenTimeout",
        "AUTHENTICATION_OPERATIONTOKENTIMEOUT",
        "how long operation tokens are good, such as 1d",
        |config, text| {
            config.authentication.operation_token_timeout = span(text)?;
            Ok(())
        },
    ),
    setting(
        "authentication.refreshTokenTimeout",
        "AUTHENTICATION_REFRESHTOKENTIMEOUT",
        "how long refresh tokens are good, such as 30d",
        |config, text| {
            config.authentication.refresh_token_timeout = span(text)?;
            Ok(())
        },
    ),
    setting(
        "authentication.cookie.domains",
        "AUTHENTICATION_COOKIE_DOMAINS",
        "the domains that session cookies are for as a whole, between commas",
        |config, text| {
            config.authentication.cookie_domains = list(text);
            Ok(())
        },
    ),
    setting(
        "authentication.cookie.expires",
        "AUTHENTICATION_COOKIE_EXPIRES",
        "how long sessions last, such as 7d; null for ever",
        |config, text| {
            config.authentication.cookie_expires = optional(text).map(span).transpose()?;
            Ok(())
        },
    ),
    setting(
        "tls.certificate",
        "TLS_CERTIFICATE",
        "PEM file with the certificate; self-signed without",
        |config, text| {
            config.tls.certificate = optional(text).map(PathBuf::from);
            Ok(())
        },
    ),
    setting("tls.privateKey", "TLS_PRIVATEKEY", "PEM file with the certificate's key", |config, text| {
        config.tls.private_key = optional(text).map(PathBuf::from);
        Ok(())
    }),
    setting(
        "tls.certificateAuthority",
        "TLS_CERTIFICATEAUTHORITY",
        "PEM file with the certificate authority",
        |config, text| {
            config.tls.certificate_authority = optional(text).map(PathBuf::from);
            Ok(())
        },
    ),
    setting("componentsRoot", "COMPONENTSROOT", "the folder of the components", |config, text| {
        config.components_root = PathBuf::from(text);
        Ok(())
    }),
    setting("http.port", "HTTP_PORT", "port of applications; null switches it off", |config, text| {
        config.http_port = port(text)?;
        Ok(())
    }),
    setting(
        "operationsApi.tls.certificate",
        "OPERATIONSAPI_TLS_CERTIFICATE",
        "PEM file with the certificate for this API",
        |config, text| {
            config.operations_tls.certificate = optional(text).map(PathBuf::from);
            Ok(())
        },
    ),
    setting(
        "operationsApi.tls.privateKey",
        "OPERATIONSAPI_TLS_PRIVATEKEY",
        "PEM file with the key of that certificate",
        |config, text| {
            config.operations_tls.private_key = optional(text).map(PathBuf::from);
            Ok(())
        },
    ),
    setting(
        "operationsApi.tls.certificateAuthority",
        "OPERATIONSAPI_TLS_CERTIFICATEAUTHORITY",
        "PEM file with a certificate authority for this API",
        |config, text| {
            config.operations_tls.certificate_authority = optional(text).map(PathBuf::from);
            Ok(())
        },
    ),
    setting(
        "logging.auditLog",
        "LOGGING_AUDITLOG",
        "keep a history of tables unless told otherwise",
        |config, text| {
            config.audit_log = flag(text)?;
            Ok(())
        },
    ),
    setting(
        "logging.auditRetention",
        "LOGGING_AUDITRETENTION",
        "how long histories are kept, such as 3d; null for ever",
        |config, text| {
            config.logging.audit_retention = optional(text).map(span).transpose()?;
            Ok(())
        },
    ),
    setting("logging.level", "LOGGING_LEVEL", "least grave level that is logged", |config, text| {
        config.logging.level = logging::level(text)?;
        Ok(())
    }),
    setting("logging.root", "LOGGING_ROOT", "folder of the log", |config, text| {
        config.logging.root = PathBuf::from(text);
        Ok(())
    }),
    setting("logging.path", "LOGGING_PATH", "file of the log", |config, text| {
        config.logging.path = optional(text).map(PathBuf::from);
        Ok(())
    }),
    setting("logging.file", "LOGGING_FILE", "log to a file", |config, text| {
        config.logging.file = flag(text)?;
        Ok(())
    }),
    setting("logging.stdStreams", "LOGGING_STDSTREAMS", "log to the standard streams", |config, text| {
        config.logging.std_streams = flag(text)?;
        Ok(())
    }),
    setting(
        "logging.rotation.enabled",
        "LOGGING_ROTATION_ENABLED",
        "put large or old logs aside",
        |config, text| {
            config.logging.rotation.enabled = flag(text)?;
            Ok(())
        },
    ),
    setting(
        "logging.rotation.maxSize",
        "LOGGING_ROTATION_MAXSIZE",
        "how large the log grows, such as 64M",
        |config, text| {
            config.logging.rotation.max_size = optional(text).map(logging::size).transpose()?;
            Ok(())
        },
    ),
    setting(
        "logging.rotation.interval",
        "LOGGING_ROTATION_INTERVAL",
        "how old the log grows, such as 1D, 12H or 30M",
        |config, text| {
            config.logging.rotation.interval = optional(text).map(logging::interval).transpose()?;
            Ok(())
        },
    ),
    setting(
        "logging.rotation.retention",
        "LOGGING_ROTATION_RETENTION",
        "how long logs put aside are kept, such as 30D",
        |config, text| {
            config.logging.rotation.retention = optional(text).map(logging::interval).transpose()?;
            Ok(())
        },
    ),
    setting(
        "logging.rotation.compress",
        "LOGGING_ROTATION_COMPRESS",
        "compress logs put aside",
        |config, text| {
            config.logging.rotation.compress = flag(text)?;
            Ok(())
        },
    ),
    setting("logging.rotation.path", "LOGGING_ROTATION_PATH", "folder of logs put aside", |config, text| {
        config.logging.rotation.path = optional(text).map(PathBuf::from);
        Ok(())
    }),
    setting(
        "logging.auditAuthEvents.logFailed",
        "LOGGING_AUDITAUTHEVENTS_LOGFAILED",
        "log refused credentials",
        |config, text| {
            config.logging.log_failed = flag(text)?;
            Ok(())
        },
    ),
    setting(
        "logging.auditAuthEvents.logSuccessful",
        "LOGGING_AUDITAUTHEVENTS_LOGSUCCESSFUL",
        "log accepted credentials",
        |config, text| {
            config.logging.log_successful = flag(text)?;
            Ok(())
        },
    ),
    setting(
        "storage.writeAsync",
        "STORAGE_WRITEASYNC",
        "acknowledge writes before they are on disk",
        |config, text| {
            config.write_async = flag(text)?;
            Ok(())
        },
    ),
    Setting {
        key: "",
        name: "HDB_ADMIN_USERNAME",
        help: "name of the super user made at the first start",
        in_file: false,
        apply: |config, text| {
            config.admin_username = Some(text.to_owned());
            Ok(())
        },
    },
    Setting {
        key: "",
        name: "HDB_ADMIN_PASSWORD",
        help: "password of the super user made at the first start",
        in_file: false,
        apply: |config, text| {
            config.admin_password = Some(text.to_owned());
            Ok(())
        },
    },
];

fn optional(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty() && *text != "null")
}

fn port(text: &str) -> Result<Option<u16>, String> {
    optional(text)
        .map(|text| text.parse().map_err(|_| format!("'{text}' is not a port (0 to 65535, or null)")))
        .transpose()
}

fn flag(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(format!("'{text}' is neither true nor false")),
    }
}

fn milliseconds(text: &str) -> Result<Duration, String> {
    text.parse().map(Duration::from_millis).map_err(|_| format!("'{text}' is not a number of milliseconds"))
}

fn list(text: &str) -> Vec<String> {
    let text = text.trim_start_matches('[').trim_end_matches(']');
    let entries = text.split(',').map(|entry| entry.trim().trim_matches('"').to_owned());
    entries.filter(|entry| !entry.is_empty() && entry != "null").collect()
}
