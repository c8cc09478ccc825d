//! set_configuration's rules, on a file.

use super::{Config, ConfigFile, Given, load, set};
use crate::value::{Object, Value, parse_json};
use std::fs;

struct Instance {
    config: Config,
    file: ConfigFile,
    _folder: tempfile::TempDir,
}

impl Instance {
    fn new() -> Instance {
        let folder = tempfile::tempdir().unwrap();
        let config = load(Config::new(folder.path()), &Given::default()).unwrap();
        Instance { file: ConfigFile::of(folder.path()), config, _folder: folder }
    }

    /// The fault of a request, empty when there is none.
    fn set(&self, request: &str) -> String {
        let request: Object = parse_json(request.as_bytes()).unwrap().as_object().unwrap().clone();
        set(&self.file, &self.config, &request).map_or_else(|error| error.to_string(), |()| String::new())
    }

    fn shown(&self, path: &str) -> String {
        let path: Vec<&str> = path.split('.').collect();
        self.file.read().unwrap().get(&path).map_or_else(String::new, Value::to_json)
    }

    fn text(&self) -> String {
        fs::read_to_string(self.file.path()).unwrap()
    }
}

#[test]
fn keys_are_taken_in_any_case_and_values_are_cast() {
    let instance = Instance::new();
    for (request, path, value) in [
        (r#"{"LOGGING_LEVEL":"debug"}"#, "logging.level", r#""debug""#),
        (r#"{"Authentication_cachettl":"25000"}"#, "authentication.cacheTTL", "25000"),
        (r#"{"http_cors":"FALSE"}"#, "http.cors", "false"),
        (
            r#"{"http_corsAccessList":"[\"https://a.example\"]"}"#,
            "http.corsAccessList",
            r#"["https://a.example"]"#,
        ),
        (r#"{"http_timeout":95000.5}"#, "http.timeout", "95000.5"),
        (r#"{"http_keepAliveTimeout":"a while"}"#, "http.keepAliveTimeout", r#""a while""#),
        (r#"{"log_level":"error"}"#, "logging.level", r#""error""#),
        (r#"{"customFunctions_network_port":1}"#, "http.port", "1"),
        (r#"{"threads":4}"#, "threads", "4"),
        (r#"{"threads_debug":true}"#, "threads", r#"{"count":4,"debug":true}"#),
        (r#"{"threads_count":null}"#, "threads.count", "1"),
        (r#"{"operationsApi_sysInfo_disk":"true"}"#, "operationsApi.sysInfo.disk", "true"),
        (
            r#"{"my-app_package":"acme/my-app","my-app_port":4471}"#,
            "my-app",
            r#"{"package":"acme/my-app","port":4471}"#,
        ),
        (r#"{"componentsRoot":null}"#, "componentsRoot", &format!("{:?}", instance.config.components_root)),
        (
            r#"{"databases":[{"a":{"path":"/x"}},{"b":{"tables":{"t":{"path":"/y"}}}}]}"#,
            "databases",
            r#"{"a":{"path":"/x"},"b":{"tables":{"t":{"path":"/y"}}}}"#,
        ),
        (r#"{"http_securePort":"9926"}"#, "http.port", "null"),
    ] {
        assert_eq!(instance.set(request), "", "{request}");
        if !request.contains("securePort") {
            assert_eq!(instance.shown(path), value, "{request}");
        }
    }
}

#[test]
fn a_secure_port_given_as_text_takes_the_place_of_the_plain_one() {
    let instance = Instance::new();
    let same =
        "HarperDB config file validation error: http.port and http.securePort cannot be the same value";
    assert_eq!(instance.set(r#"{"http_securePort":9926}"#), same);
    assert_eq!(instance.set(r#"{"http_securePort":"9926"}"#), "");
    assert_eq!(
        (instance.shown("http.port"), instance.shown("http.securePort")),
        ("null".into(), "9926".into())
    );
    assert_eq!(
        instance.set(r#"{"operationsApi_network_securePort":9925}"#),
        "HarperDB config file validation error: operationsApi.network.port and operationsApi.network.securePort cannot be the same value"
    );
    assert_eq!(instance.set(r#"{"operationsApi_network_securePort":0,"operationsApi_network_port":0}"#), "");
}

#[test]
fn what_is_not_known_is_ignored() {
    let instance = Instance::new();
    let before = instance.text();
    for request in [
        "{}",
        r#"{"operation":"set_configuration"}"#,
        r#"{"plat_unknown_setting":5,"logging":{"level":"trace"},"logging.level":"trace","replicated":true}"#,
        r#"{"_port":1,"a__port":1,"a_b_c_d_e_f_g_h_i_port":1,"_package":"x"}"#,
        r#"{"logging_level":"info"}"#,
    ] {
        assert_eq!(instance.set(request), "", "{request}");
    }
    assert_eq!(instance.text(), before);
    assert!(!instance.config.root_path.join("backup").exists());
}

#[test]
fn faults_are_told_together_and_change_nothing() {
    let instance = Instance::new();
    let before = instance.text();
    for (request, faults) in [
        (
            r#"{"logging_level":"loud"}"#,
            "'logging.level' must be one of [notify, fatal, error, warn, info, debug, trace]",
        ),
        (
            r#"{"logging_level":5}"#,
            "'logging.level' must be one of [notify, fatal, error, warn, info, debug, trace]",
        ),
        (r#"{"http_port":-4}"#, "'http.port' must be greater than or equal to 0"),
        (r#"{"http_port":[]}"#, "'http.port' must be one of [number, string]"),
        (r#"{"http_port":true}"#, "'http.port' must be one of [number, string]"),
        (r#"{"http_port":""}"#, "'http.port' is not allowed to be empty"),
        (r#"{"http_cors":"maybe"}"#, "'http.cors' must be a boolean"),
        (r#"{"http_cors":null}"#, "'http.cors' must be a boolean"),
        (r#"{"http_corsAccessList":"https://one.example"}"#, "'http.corsAccessList' must be an array"),
        (r#"{"http_compressionThreshold":"lots"}"#, "'http.compressionThreshold' must be a number"),
        (r#"{"http_compressionThreshold":1e300}"#, "'http.compressionThreshold' must be a safe number"),
        (
            r#"{"storage_caching":false,"mqtt_webSocket":"y","analytics_replicate":"x","http_cors":1}"#,
            "'analytics.replicate' must be a boolean. 'mqtt.webSocket' must be a boolean. 'http.cors' must be a boolean",
        ),
        (r#"{"threads_count":-1}"#, "'threads.count' must be greater than or equal to 0"),
        (r#"{"threads_count":1001}"#, "'threads.count' must be less than or equal to 1000"),
        (r#"{"threads_count":"x"}"#, "'threads.count' must be a number"),
        (r#"{"threads":"x"}"#, "'threads' must be one of [number, object]"),
        (r#"{"threads":-1}"#, "'threads' must be greater than or equal to 0"),
        (
            r#"{"threads_count":-1,"threads_maxHeapMemory":-1}"#,
            "'threads' does not match any of the allowed types",
        ),
        (r#"{"authentication_cacheTTL":"often"}"#, "'authentication.cacheTTL' must be a number"),
        (
            r#"{"authentication_hashFunction":5}"#,
            "'authentication.hashFunction' must be one of [md5, sha256, argon2id]. 'authentication.hashFunction' must be a string",
        ),
        (r#"{"logging_rotation_maxSize":"64"}"#, "'logging.rotation.maxSize' must be a string"),
        (
            r#"{"logging_rotation_maxSize":"64B"}"#,
            "Invalid logging.rotation.maxSize unit. Available units are G, M or K",
        ),
        (
            r#"{"logging_rotation_maxSize":"xM"}"#,
            "Invalid logging.rotation.maxSize value. Value should be a number followed by unit e.g. '10M'",
        ),
        (
            r#"{"logging_rotation_interval":"10W"}"#,
            "Invalid logging.rotation.interval unit. Available units are D, H or M (minutes)",
        ),
        (
            r#"{"logging_rotation_interval":"D"}"#,
            "Invalid logging.rotation.interval value. Value should be a number followed by unit e.g. '10D'",
        ),
        (r#"{"storage_path":"/no/such/folder"}"#, "Specified path /no/such/folder does not exist."),
        (r#"{"componentsRoot":5}"#, "'componentsRoot' must be a string"),
        (
            r#"{"componentsRoot":"/a b."}"#,
            "'componentsRoot' with value '/a b.' fails to match the directory path pattern",
        ),
        (r#"{"componentsRoot_port":5}"#, "'componentsRoot' must be a string"),
        (r#"{"http_mtls":5}"#, "'http.mtls' must be one of [boolean, object]"),
        (r#"{"http_mtls":{"required":5}}"#, "'http.mtls.required' must be a boolean"),
        (r#"{"tls":[{"certificate":5}]}"#, "'tls[0].certificate' must be a string"),
        (
            r#"{"operationsApi_network_timeout":0}"#,
            "'operationsApi.network.timeout' must be greater than or equal to 1",
        ),
    ] {
        assert_eq!(
            instance.set(request),
            format!("HarperDB config file validation error: {faults}"),
            "{request}"
        );
    }
    assert_eq!(instance.set(r#"{"rootPath":null}"#), "rootPath config parameter is undefined");
    let nested = format!(r#"{{"node_url":{}1{}}}"#, "[".repeat(100), "]".repeat(100));
    assert_eq!(instance.set(&nested), "The value of 'node.url' is nested too deeply");
    assert_eq!(instance.text(), before);
}

#[test]
fn changes_keep_comments_and_the_old_file() {
    let instance = Instance::new();
    let before = instance.text();
    assert_eq!(instance.set(r#"{"logging_level":"warn"}"#), "");
    assert_eq!(instance.text(), before.replace("level: info", "level: warn"));
    let backups = fs::read_dir(instance.config.root_path.join("backup")).unwrap();
    let kept: Vec<String> = backups.map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap()).collect();
    assert_eq!(kept, [before]);
}
