use super::archive::{PackOptions, pack};
use super::{Components, Host, Install, Source};
use crate::config::{ConfigFile, FILE_NAME};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use tempfile::TempDir;

struct Instance {
    components: Components,
    root: PathBuf,
    _folder: TempDir,
}

impl Instance {
    fn new() -> Instance {
        Instance::with_tools(None, None)
    }

    /// An instance whose `npm` and `git` are these; those that are absent are not installed.
    fn with_tools(npm: Option<&Path>, git: Option<&Path>) -> Instance {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap().join("root");
        let mut components = open(&root);
        components.tools.npm = npm.unwrap_or(Path::new("/no/npm")).into();
        components.tools.git = git.unwrap_or(Path::new("/no/git")).into();
        Instance { components, root, _folder: folder }
    }

    fn write(&self, project: &str, file: &str, content: &str) {
        self.components.write_file(project, file, Some(content.as_bytes())).unwrap();
    }

    fn read(&self, project: &str, file: &str) -> String {
        match self.components.read_file(project, file) {
            Ok(read) => String::from_utf8(read.content).unwrap(),
            Err(error) => error.message,
        }
    }

    fn deploy(&self, project: &str, source: &Source, install: &Install) -> Result<(), String> {
        self.components.deploy(project, source, install).map_err(|error| error.message)
    }

    fn deploy_package(&self, project: &str, package: &str) -> Result<(), String> {
        self.deploy(project, &Source::Package(package.to_owned()), &Install::default())
    }

    fn configuration(&self) -> String {
        fs::read_to_string(self.root.join(FILE_NAME)).unwrap_or_default()
    }

    /// Everything in the root folder, for comparisons.
    fn everything(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        let mut folders = vec![self.root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let content = if path.is_symlink() {
                    format!("-> {}", fs::read_link(&path).unwrap().display())
                } else if path.is_dir() {
                    folders.push(path.clone());
                    String::new()
                } else {
                    fs::read_to_string(&path).unwrap()
                };
                found.push((path.display().to_string(), content));
            }
        }
        found.sort_unstable();
        found
    }
}

fn open(root: &Path) -> Components {
    Components::open(&root.join("components"), root, Arc::new(ConfigFile::of(root))).unwrap()
}

/// An archive of these files.
fn archive(files: &[(&str, &str)]) -> Source {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    Source::Archive(pack(folder.path(), PackOptions::default(), &|_| false, 1 << 20).unwrap())
}

/// A program that is a shell script.
fn program(folder: &Path, name: &str, script: &str) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[test]
fn no_path_leaves_a_project() {
    let instance = Instance::new();
    instance.write("p", "in.txt", "in");
    fs::write(instance.root.join("secret"), "secret").unwrap();
    let outside = instance.root.parent().unwrap().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("file"), "outside").unwrap();
    let place = instance.root.join("components/p");
    symlink(&outside, place.join("door")).unwrap();
    symlink(outside.join("file"), place.join("window")).unwrap();
    symlink(outside.join("new"), place.join("crack")).unwrap();
    symlink("../../secret", place.join("relative")).unwrap();
    let before = instance.everything();
    let too_long = "n".repeat(256);
    let too_deep = "d/".repeat(65) + "n";
    let paths = [
        "../../secret",
        "a/../../../secret",
        "..",
        "door/file",
        "door/new",
        "door/sub/new",
        "window",
        "crack",
        "relative",
        "nul\0l",
        &too_long,
        &too_deep,
    ];
    for path in paths {
        let components = &instance.components;
        let expected =
            if path == "crack" { "Component file not found 'p/crack'" } else { "Invalid file path" };
        assert_eq!(instance.read("p", path), expected, "{path:?}");
        let error = components.write_file("p", path, Some(b"x")).unwrap_err();
        assert_eq!(error.message, "Invalid file path", "{path:?}");
        assert!(components.write_file("p", path, None).is_err(), "{path:?}");
        if !["window", "crack", "relative"].contains(&path) {
            assert_eq!(components.remove("p", Some(path)).unwrap_err().message, "Invalid file path");
        }
    }
    assert_eq!(instance.everything(), before);
    assert_eq!(fs::read_to_string(outside.join("file")).unwrap(), "outside");
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);
    // A link itself is removed, and what it leads to stays.
    for link in ["door", "window", "crack", "relative"] {
        instance.components.remove("p", Some(link)).unwrap();
    }
    assert!(outside.join("file").exists() && instance.root.join("secret").exists());
    assert_eq!(fs::read_dir(&place).unwrap().count(), 1);
}

#[test]
fn absolute_paths_lie_below_the_project() {
    let instance = Instance::new();
    instance.write("p", "/etc/passwd", "mine");
    assert_eq!(instance.read("p", "/etc//./passwd"), "mine");
    assert!(instance.root.join("components/p/etc/passwd").is_file());
}

#[test]
fn projects_that_are_foreign_links_are_shut() {
    let instance = Instance::new();
    let outside = instance.root.parent().unwrap().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("file"), "outside").unwrap();
    symlink(&outside, instance.root.join("components/foreign")).unwrap();
    symlink("/no/such/folder", instance.root.join("components/nowhere")).unwrap();
    assert_eq!(instance.read("foreign", "file"), "Invalid file path");
    assert!(instance.components.write_file("foreign", "new", Some(b"x")).is_err());
    assert!(instance.components.write_file("nowhere", "new", Some(b"x")).is_err());
    assert!(instance.components.remove("foreign", Some("file")).is_err());
    assert!(instance.components.package("foreign", false, false).is_err());
    assert!(instance.components.tree().to_json().contains(r#"{"name":"foreign","entries":[]"#));
    assert!(instance.components.functions("foreign", super::FunctionKind::Routes).is_empty());
    instance.components.remove("foreign", None).unwrap();
    assert!(outside.join("file").exists());
    // Deployed, it is open.
    instance.deploy_package("foreign", &format!("file:{}", outside.display())).unwrap();
    assert_eq!(instance.read("foreign", "file"), "outside");
    instance.deploy_package("foreign", &outside.display().to_string()).unwrap();
    assert_eq!(instance.read("foreign", "file"), "outside");
    instance.components.drop_component("foreign", None).unwrap();
    assert!(outside.join("file").exists());
    assert!(!instance.configuration().contains("foreign"));
}

#[test]
fn what_the_file_system_refuses_is_told_in_its_words() {
    let instance = Instance::new();
    instance.write("p", "docs/a.txt", "a");
    let place = instance.root.join("components/p");
    let write = |file: &str, content| {
        let error = instance.components.write_file("p", file, content).unwrap_err();
        error.message.replace(&place.display().to_string(), "P")
    };
    assert_eq!(write("docs", Some(b"x")), "EISDIR: illegal operation on a directory, open 'P/docs'");
    assert_eq!(write("docs/a.txt/b", Some(b"x")), "ENOTDIR: not a directory, scandir 'P/docs/a.txt'");
    assert_eq!(write("docs/a.txt", None), "EEXIST: file already exists, mkdir 'P/docs/a.txt'");
    assert_eq!(instance.read("p", "docs"), "EISDIR: illegal operation on a directory, read");
    assert_eq!(instance.read("p", "ghost"), "Component file not found 'p/ghost'");
    assert_eq!(instance.read("ghost", "/x"), "Component file not found 'ghost/x'");
}

#[test]
fn deploying_replaces_all_and_unwraps_one_folder() {
    let instance = Instance::new();
    instance.write("p", "old.txt", "old");
    instance
        .deploy("p", &archive(&[("package/a.txt", "a"), ("package/b/c.txt", "c")]), &Install::default())
        .unwrap();
    assert_eq!(instance.read("p", "a.txt"), "a");
    assert_eq!(instance.read("p", "b/c.txt"), "c");
    assert_eq!(instance.read("p", "old.txt"), "Component file not found 'p/old.txt'");
    instance.deploy("p", &archive(&[("one/a.txt", "1"), ("two/a.txt", "2")]), &Install::default()).unwrap();
    assert_eq!(instance.read("p", "one/a.txt"), "1");
    instance.deploy("p", &archive(&[("only.txt", "o")]), &Install::default()).unwrap();
    assert_eq!(instance.read("p", "only.txt"), "o");
    let names: Vec<_> = fs::read_dir(instance.root.join("components"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["p"], "stages stay behind");
}

#[test]
fn a_refused_archive_changes_nothing() {
    let instance = Instance::new();
    instance.write("p", "kept.txt", "kept");
    let before = instance.everything();
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(1);
    builder.append_data(&mut header, "fine.txt", &b"x"[..]).unwrap();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_size(0);
    builder.append_link(&mut header, "evil", "/etc").unwrap();
    let evil = Source::Archive(builder.into_inner().unwrap());
    for (source, text) in [
        (evil, "The archive is refused: 'evil' is a link out of it"),
        (Source::Archive(b"no archive".to_vec()), "Unexpected end of data"),
    ] {
        assert_eq!(instance.deploy("p", &source, &Install::default()).unwrap_err(), text);
        assert_eq!(instance.deploy("new", &source, &Install::default()).unwrap_err(), text);
    }
    assert_eq!(instance.everything(), before);
}

#[test]
fn missing_and_unfit_packages_change_nothing() {
    let instance = Instance::new();
    instance.write("p", "kept.txt", "kept");
    let before = instance.everything();
    let path = instance.root.join("nothing");
    assert_eq!(
        instance.deploy_package("p", &format!("file:{}", path.display())).unwrap_err(),
        format!("File path specified in package identifier does not exist: {}", path.display())
    );
    for folder in [instance.root.clone(), "/".into(), instance.root.join("components")] {
        let error = instance.deploy_package("p", &format!("file:{}", folder.display())).unwrap_err();
        assert!(error.contains("holds the components folder"), "{error}");
    }
    assert!(
        instance.deploy_package("p", "file:/dev/null").unwrap_err().contains("is not a file or directory")
    );
    assert_eq!(
        instance.deploy_package("p", "acme-shop").unwrap_err(),
        "Failed to download package npm:acme-shop: npm is not installed"
    );
    assert_eq!(
        instance.deploy_package("p", "acme/shop").unwrap_err(),
        "Failed to download package github:acme/shop: neither npm nor git is installed"
    );
    assert_eq!(instance.everything(), before);
}

#[test]
fn packages_come_through_npm() {
    let tools = tempfile::tempdir().unwrap();
    let Source::Archive(packed) =
        archive(&[("package/index.js", "1"), ("package/config.yaml", "rest: true\n")])
    else {
        unreachable!()
    };
    fs::write(tools.path().join("shop.tgz"), packed).unwrap();
    let script = format!(
        "echo \"$@\" > {0}/asked\n[ \"$4\" = npm:shop ] || {{ echo 'no such package' >&2; exit 1; }}\ncp {0}/shop.tgz shop-1.0.0.tgz\necho shop-1.0.0.tgz",
        tools.path().display()
    );
    let npm = program(tools.path(), "npm", &script);
    let instance = Instance::with_tools(Some(&npm), None);
    let install = Install { command: None, timeout: Some(1000.0) };
    instance.deploy("shop", &Source::Package("shop".to_owned()), &install).unwrap();
    assert_eq!(instance.read("shop", "index.js"), "1");
    assert_eq!(
        fs::read_to_string(tools.path().join("asked")).unwrap(),
        "pack --ignore-scripts -- npm:shop\n"
    );
    assert_eq!(instance.configuration(), "shop:\n  package: shop\n  install:\n    timeout: 1000\n");
    assert_eq!(
        instance.deploy_package("other", "--evil:x").unwrap_err(),
        "Failed to download package --evil:x: no such package\n"
    );
    assert!(!instance.configuration().contains("evil"));
}

#[test]
fn packages_come_through_git_where_there_is_no_npm() {
    let git = |folder: &Path, arguments: &[&str]| {
        let mut command = Command::new("git");
        command.current_dir(folder).args(["-c", "user.name=a", "-c", "user.email=a@b.c"]).args(arguments);
        assert!(command.status().unwrap().success());
    };
    let repository = tempfile::tempdir().unwrap();
    git(repository.path(), &["init", "--quiet"]);
    fs::write(repository.path().join("config.yaml"), "rest: true\n").unwrap();
    symlink("/etc/passwd", repository.path().join("link")).unwrap();
    git(repository.path(), &["add", "."]);
    git(repository.path(), &["commit", "--quiet", "-m", "first"]);
    git(repository.path(), &["tag", "v1"]);
    fs::write(repository.path().join("config.yaml"), "rest: false\n").unwrap();
    git(repository.path(), &["commit", "--quiet", "-am", "second"]);
    let instance = Instance::with_tools(None, Some(Path::new("git")));
    let url = format!("git+file://{}", repository.path().display());
    instance.deploy_package("now", &url).unwrap();
    assert_eq!(instance.read("now", "config.yaml"), "rest: false\n");
    instance.deploy_package("then", &format!("{url}#v1")).unwrap();
    assert_eq!(instance.read("then", "config.yaml"), "rest: true\n");
    // Links arrive as plain files.
    assert_eq!(instance.read("then", "link"), "/etc/passwd");
    assert!(!instance.root.join("components/then/.git").exists());
    let error = instance.deploy_package("never", &format!("{url}#v9")).unwrap_err();
    assert!(error.starts_with(&format!("Failed to download package {url}#v9: ")), "{error}");
    let error = instance.deploy_package("never", "git+ext::sh -c true").unwrap_err();
    assert!(error.contains("ext"), "{error}");
    assert!(!instance.components.exists("never"));
}

#[test]
fn dependencies_are_installed_by_command_or_by_npm() {
    let tools = tempfile::tempdir().unwrap();
    let npm = program(tools.path(), "npm", "echo \"$@\" > npm-was-here; [ ! -e fail ]");
    let instance = Instance::with_tools(Some(&npm), None);
    let with = |command: &str| Install { command: Some(command.to_owned()), timeout: Some(60_000.0) };
    let source = archive(&[("package.json", "{}"), ("a", "")]);
    instance.deploy("p", &source, &with("echo done > by-command")).unwrap();
    assert_eq!(instance.read("p", "by-command"), "done\n");
    assert_eq!(
        instance.deploy("p", &source, &with("exit 3")).unwrap_err(),
        "Failed to install dependencies for p using custom install command: exit 3. Exit code: 3"
    );
    assert_eq!(instance.read("p", "package.json"), "{}");
    assert_eq!(
        instance.deploy("p", &source, &Install { timeout: Some(50.0), ..with("sleep 600") }).unwrap_err(),
        "Command`sleep 600` timed out after 50ms"
    );
    instance.deploy("p", &source, &Install::default()).unwrap();
    assert!(instance.read("p", "npm-was-here").starts_with("install --force --ignore-scripts"));
    let failing = archive(&[("package.json", "{}"), ("fail", "")]);
    assert_eq!(
        instance.deploy("p", &failing, &Install::default()).unwrap_err(),
        "Failed to install dependencies for p using npm default. Exit code: 1"
    );
    // Nothing to do: no package.json, or modules that came along.
    instance.deploy("p", &archive(&[("a", "")]), &with("exit 1")).unwrap();
    let modules = archive(&[("package.json", "{}"), ("node_modules/x/y", "")]);
    instance.deploy("p", &modules, &with("exit 1")).unwrap();
    let none = Instance::new();
    assert_eq!(
        none.deploy("p", &source, &Install::default()).unwrap_err(),
        "Failed to install dependencies for p using npm default. Exit code: 127"
    );
}

#[test]
fn projects_are_added_from_templates() {
    let instance = Instance::new();
    instance.components.add("fresh", None, &Install::default()).unwrap();
    assert!(instance.read("fresh", "README.md").starts_with("# fresh\n"));
    assert!(instance.read("fresh", "web/index.html").contains("fresh"));
    let again = instance.components.add("fresh", None, &Install::default()).unwrap_err();
    assert_eq!(again.message, "Project already exists");
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.txt"), "a").unwrap();
    let template = format!("file:{}", folder.path().display());
    instance.components.add("copy", Some(&template), &Install::default()).unwrap();
    assert_eq!(instance.read("copy", "a.txt"), "a");
    assert!(!instance.root.join("components/copy").is_symlink());
    assert!(instance.components.add("none", Some("file:/no/such"), &Install::default()).is_err());
    fs::write(folder.path().join("package.json"), "{}").unwrap();
    let failing = Install { command: Some("false".to_owned()), timeout: None };
    assert!(instance.components.add("none", Some(&template), &failing).is_err());
    assert!(!instance.components.exists("none"));
    assert_eq!(instance.configuration(), "");
}

#[test]
fn core_sections_are_spared() {
    let instance = Instance::new();
    let text = "http:\n  port: 9926 # kept\nshop:\n  package: a/b\n";
    fs::write(instance.root.join(FILE_NAME), text).unwrap();
    instance.components.drop_component("http", None).unwrap();
    assert_eq!(instance.configuration(), text);
    instance.components.drop_component("shop", Some("some.txt")).unwrap();
    assert_eq!(instance.configuration(), "http:\n  port: 9926 # kept\n");
}

#[test]
fn dropping_forgets_what_was_installed() {
    let instance = Instance::new();
    fs::create_dir_all(instance.root.join("node_modules/shop")).unwrap();
    fs::write(instance.root.join("package.json"), r#"{"dependencies":{"shop":"1","other":"2"}}"#).unwrap();
    assert!(instance.components.package("shop", false, false).is_ok());
    assert_eq!(instance.components.drop_component("shop", None).unwrap(), "shop");
    assert!(!instance.root.join("node_modules/shop").exists());
    let package = fs::read_to_string(instance.root.join("package.json")).unwrap();
    assert!(package.contains("other") && !package.contains("shop"));
}

#[test]
fn the_rests_of_deployments_are_removed_at_a_start() {
    let instance = Instance::new();
    let rest = instance.root.join("components/.deploying-x1");
    fs::create_dir(&rest).unwrap();
    instance.write("p", "a", "");
    let again = open(&instance.root);
    assert!(!rest.exists());
    assert!(again.tree().to_json().contains(r#""status":"healthy""#));
}

#[test]
fn a_start_fetches_what_is_configured_and_not_there() {
    let instance = Instance::new();
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        "http:\n  package: file:{0}\nshop:\n  package: file:{0}\ngone:\n  package: file:{0}/none\n",
        folder.path().display()
    );
    fs::write(instance.root.join(FILE_NAME), &text).unwrap();
    let components = Arc::new(instance.components);
    components.restore().unwrap();
    // The thread that fetches holds the components until it is done.
    while Arc::strong_count(&components) > 1 {
        std::thread::yield_now();
    }
    assert!(components.exists("shop") && !components.exists("http") && !components.exists("gone"));
    assert_eq!(fs::read_to_string(instance.root.join(FILE_NAME)).unwrap(), text);
}

#[test]
fn pipes_hold_nothing_up() {
    let instance = Instance::new();
    instance.write("p", "a", "");
    let pipe = instance.root.join("components/p/pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    assert_eq!(instance.read("p", "pipe"), "EISDIR: illegal operation on a directory, read");
    assert!(instance.components.write_file("p", "pipe", Some(b"x")).is_err());
    assert!(instance.components.package("p", false, false).is_ok());
}

#[test]
fn large_files_are_not_read() {
    let mut instance = Instance::new();
    instance.components.largest_file = 3;
    instance.write("p", "three", "abc");
    instance.write("p", "four", "abcd");
    assert_eq!(instance.read("p", "three"), "abc");
    assert_eq!(instance.read("p", "four"), "Component file 'p/four' is too large");
}

const KEY: &str =
    "-----BEGIN OPENSSH PRIVATE KEY-----\nnot\na\nreal\none\n-----END OPENSSH PRIVATE KEY-----\n";

#[test]
fn keys_are_files_for_their_owner_only() {
    let instance = Instance::new();
    let keys = &instance.components.ssh;
    let host = Host { host: "deploy.example", hostname: "git.example" };
    assert_eq!((keys.names().unwrap().len(), keys.known_hosts().unwrap(), keys.command()), (0, None, None));
    keys.add("deploy", KEY, host, Some("git.example ssh-ed25519 AAAA\n")).unwrap();
    assert_eq!(keys.add("deploy", "x", host, None).unwrap_err().message, "SSH key 'deploy' already exists");
    let file = |name: &str| instance.root.join("ssh").join(name);
    assert_eq!(fs::read_to_string(file("deploy.key")).unwrap(), KEY);
    for name in ["deploy.key", "config", "known_hosts"] {
        assert_eq!(fs::metadata(file(name)).unwrap().permissions().mode() & 0o777, 0o600, "{name}");
    }
    assert!(keys.command().unwrap().contains("known_hosts"));
    keys.update("deploy", "new\n", None, Some("git2.example"), Some("more\n")).unwrap();
    assert_eq!(fs::read_to_string(file("deploy.key")).unwrap(), "new\n");
    assert_eq!(fs::metadata(file("deploy.key")).unwrap().permissions().mode() & 0o777, 0o600);
    let config = fs::read_to_string(file("config")).unwrap();
    assert!(config.starts_with("#deploy\nHost deploy.example\n        HostName git2.example\n"), "{config}");
    assert_eq!(keys.known_hosts().unwrap().unwrap(), "git.example ssh-ed25519 AAAA\nmore\n");
    keys.add("second", KEY, Host { host: "github.com", hostname: "github.com" }, None).unwrap();
    assert!(keys.known_hosts().unwrap().unwrap().contains("\ngithub.com ssh-ed25519 "));
    assert_eq!(keys.names().unwrap(), ["deploy", "second"]);
    keys.delete("deploy").unwrap();
    assert_eq!(keys.delete("deploy").unwrap_err().message, "SSH key 'deploy' does not exist");
    assert_eq!(
        keys.update("deploy", "x", None, None, None).unwrap_err().message,
        "SSH key 'deploy' does not exist"
    );
    assert_eq!(keys.names().unwrap(), ["second"]);
    assert!(fs::read_to_string(file("config")).unwrap().starts_with("#second\nHost github.com\n"));
    keys.set_known_hosts("only\n").unwrap();
    assert_eq!(keys.known_hosts().unwrap().unwrap(), "only\n");
}
