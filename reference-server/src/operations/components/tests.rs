use crate::operations::testing::Instance;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

#[tokio::test]
async fn a_file_goes_in_and_comes_out() {
    let instance = Instance::new().await;
    let set = r#"{"operation":"set_component_file","project":"p","file":"/a/b.txt","payload":"4a4B","encoding":"hex"}"#;
    assert_eq!(instance.admin(set).await, r#"{"message":"Successfully set component: /a/b.txt"}"#);
    let get = r#"{"operation":"get_component_file","project":"p","file":"a/b.txt"}"#;
    let read = instance.admin(get).await;
    assert!(read.starts_with(r#"{"message":"JK","size":2,"birthtime":"20"#), "{read}");
    let tree = instance.admin(r#"{"operation":"get_components"}"#).await;
    assert!(tree.starts_with(r#"{"name":"components","entries":[{"name":"p","entries":[{"name":"a","entries":[{"name":"b.txt","mtime":""#), "{tree}");
    assert!(tree.contains(r#""status":{"status":"unknown","message":"The component has not been loaded yet (may need a restart)","lastChecked":{"workers":{}}}"#));
    let drop = r#"{"operation":"drop_component","project":"p","file":"/a/b.txt","restart":true}"#;
    assert_eq!(
        instance.admin(drop).await,
        r#"{"message":"Successfully dropped: p/a/b.txt, restarting HarperDB"}"#
    );
    let drop = r#"{"operation":"drop_component","project":"p","restart":"yes"}"#;
    assert_eq!(instance.admin(drop).await, r#"{"message":"Successfully dropped: p"}"#);
    assert_eq!(
        instance.admin(r#"{"operation":"get_components"}"#).await,
        r#"{"name":"components","entries":[]}"#
    );
}

#[tokio::test]
async fn paths_and_names_that_lead_out_are_refused() {
    let instance = Instance::new().await;
    let names = ["..", ".", "a/b", "/etc", "a\\u0000", "a b", "../p"];
    for name in names {
        for operation in ["get_component_file", "set_component_file", "drop_component"] {
            let request =
                format!(r#"{{"operation":"{operation}","project":"{name}","file":"x","payload":"x"}}"#);
            assert_eq!(
                instance.admin(&request).await,
                r#"{"error":"Project name can only contain alphanumeric, dash and underscores characters"}"#,
                "{operation} {name}"
            );
        }
    }
    let long = "n".repeat(300);
    for file in ["../x", "a/../x", "notes..txt", "a\\u0000b", "/..", long.as_str()] {
        for operation in ["get_component_file", "set_component_file", "drop_component"] {
            let request =
                format!(r#"{{"operation":"{operation}","project":"p","file":"{file}","payload":"x"}}"#);
            assert_eq!(
                instance.admin(&request).await,
                r#"{"error":"Invalid file path"}"#,
                "{operation} {file}"
            );
        }
    }
    assert_eq!(
        instance.admin(r#"{"operation":"get_components"}"#).await,
        r#"{"name":"components","entries":[]}"#
    );
}

#[tokio::test]
async fn overlong_project_names_change_nothing() {
    let instance = Instance::new().await;
    let long = "n".repeat(300);
    for (operation, more) in [
        ("set_component_file", r#","file":"x","payload":"x""#),
        ("get_component_file", r#","file":"x""#),
        ("drop_component", ""),
        ("add_component", ""),
        ("package_component", ""),
        ("deploy_component", r#","payload":"H4sIAAAAAAAC/2NgGAWjYBSMVAAALq+17wAEAAA=""#),
    ] {
        let request = format!(r#"{{"operation":"{operation}","project":"{long}"{more}}}"#);
        let answer = instance.admin(&request).await;
        assert!(answer.starts_with(r#"{"error":"#), "{operation}: {answer}");
    }
}

#[tokio::test]
async fn what_was_packed_is_deployed_elsewhere() {
    let instance = Instance::new().await;
    for file in ["config.yaml", "lib/a.js"] {
        let set =
            format!(r#"{{"operation":"set_component_file","project":"one","file":"{file}","payload":"1"}}"#);
        instance.admin(&set).await;
    }
    let packed = instance.admin(r#"{"operation":"package_component","project":"some/where/one.tar"}"#).await;
    let payload =
        packed.strip_prefix(r#"{"project":"one","payload":""#).unwrap().strip_suffix("\"}").unwrap();
    assert_eq!(STANDARD.decode(payload).unwrap()[..2], [0x1f, 0x8b]);
    for (restart, message) in [
        ("false", r#"{"message":"Successfully deployed: two"}"#),
        (r#""true""#, r#"{"message":"Successfully deployed: two"}"#),
        ("true", r#"{"message":"Successfully deployed: two, restarting HarperDB"}"#),
    ] {
        let deploy = format!(
            r#"{{"operation":"deploy_component","project":"two","payload":"{payload}","restart":{restart}}}"#
        );
        assert_eq!(instance.admin(&deploy).await, message);
    }
    let read =
        instance.admin(r#"{"operation":"get_component_file","project":"two","file":"lib/a.js"}"#).await;
    assert!(read.starts_with(r#"{"message":"1""#), "{read}");
    assert_eq!(
        instance.admin(r#"{"operation":"package_component","project":"none"}"#).await,
        r#"{"error":"Unable to locate project 'none'"}"#
    );
}

#[tokio::test]
async fn existence_is_told_with_the_other_faults() {
    let instance = Instance::new().await;
    assert_eq!(
        instance.admin(r#"{"operation":"add_component","project":"there"}"#).await,
        r#"{"message":"Successfully added project: there"}"#
    );
    assert_eq!(
        instance.admin(r#"{"operation":"add_component","project":"x/there.js","template":4,"install_timeout":"long"}"#).await,
        r#"{"error":"Project already exists. 'template' must be a string. 'install_timeout' must be a number"}"#
    );
    assert_eq!(
        instance
            .admin(r#"{"operation":"add_component","project":"new","template":"file:/no/such/archive.tgz"}"#)
            .await,
        r#"{"error":"Error adding custom function project, check the log for more details"}"#
    );
    let tree = instance.admin(r#"{"operation":"get_components"}"#).await;
    assert!(!tree.contains("\"new\""), "{tree}");
}

#[tokio::test]
async fn packages_do_not_take_the_servers_sections() {
    let instance = Instance::new().await;
    let deploy = r#"{"operation":"deploy_component","project":"http","package":"file:/tmp"}"#;
    assert_eq!(
        instance.admin(deploy).await,
        r#"{"error":"'http' is a section of the server's own configuration, no component's"}"#
    );
    let deploy = r#"{"operation":"deploy_component","package":"file:/no/bad name"}"#;
    assert_eq!(
        instance.admin(deploy).await,
        r#"{"error":"Project name can only contain alphanumeric, dash and underscores characters"}"#
    );
}

#[tokio::test]
async fn keys_are_never_shown() {
    let instance = Instance::new().await;
    let add =
        r#"{"operation":"add_ssh_key","name":"k","key":"sesame\n","host":"h","hostname":"example.com"}"#;
    let requests = [
        (add, r#"{"message":"Added ssh key: k"}"#),
        (add, r#"{"error":"SSH key 'k' already exists"}"#),
        (r#"{"operation":"list_ssh_keys"}"#, r#"[{"name":"k"}]"#),
        (r#"{"operation":"get_ssh_known_hosts"}"#, r#"{"known_hosts":""}"#),
        (
            r#"{"operation":"update_ssh_key","name":"k","key":"sesame 2\n"}"#,
            r#"{"message":"Updated ssh key: k"}"#,
        ),
        (
            r#"{"operation":"set_ssh_known_hosts","known_hosts":"a\nb\n"}"#,
            r#"{"message":"Known hosts successfully set"}"#,
        ),
        (r#"{"operation":"get_ssh_known_hosts"}"#, r#"{"known_hosts":"a\nb\n"}"#),
        (r#"{"operation":"delete_ssh_key","name":"k"}"#, r#"{"message":"Deleted ssh key: k"}"#),
        (r#"{"operation":"delete_ssh_key","name":"k"}"#, r#"{"error":"SSH key 'k' does not exist"}"#),
        (r#"{"operation":"list_ssh_keys"}"#, "[]"),
        (
            r#"{"operation":"add_ssh_key","name":"../k","key":"x","host":"h","hostname":"e"}"#,
            r#"{"error":"SSH key name can only contain alphanumeric, dash and underscore characters"}"#,
        ),
        (
            r#"{"operation":"add_ssh_key","name":"k","key":"x","host":"h\nProxyCommand x","hostname":"e"}"#,
            r#"{"error":"'host' must be the name of a host"}"#,
        ),
        (
            r#"{"operation":"add_ssh_key","key":7}"#,
            r#"{"error":"'name' is required. 'key' must be a string. 'host' is required. 'hostname' is required"}"#,
        ),
    ];
    for (request, answer) in requests {
        assert_eq!(instance.admin(request).await, answer, "{request}");
    }
}

#[tokio::test]
async fn modules_are_installed_without_waiting() {
    let instance = Instance::new().await;
    let answer = instance
        .admin(r#"{"operation":"install_node_modules","projects":["ghost","../x"],"dry_run":"false"}"#)
        .await;
    assert!(answer.starts_with(r#"{"ghost":{"npm_output":null,"npm_error":null},"../x":{"npm_output":null,"npm_error":null},"warning":"install_node_modules is deprecated."#), "{answer}");
}

#[tokio::test]
async fn a_rolling_restart_is_a_job() {
    let instance = Instance::new().await;
    // An archive of two empty blocks.
    let deploy = r#"{"operation":"deploy_component","project":"p","payload":"H4sIAAAAAAAC/2NgGAWjYBSMVAAALq+17wAEAAA=","restart":"rolling"}"#;
    let answer = instance.admin(deploy).await;
    let id =
        answer.strip_prefix(r#"{"message":"Successfully deployed: p, restarting HarperDB","restartJobId":""#);
    let id = id.and_then(|rest| rest.strip_suffix("\"}")).unwrap_or_else(|| panic!("{answer}"));
    let job = instance.admin(&format!(r#"{{"operation":"get_job","id":"{id}"}}"#)).await;
    assert!(job.contains(r#""type":"restart_service""#), "{job}");
}
