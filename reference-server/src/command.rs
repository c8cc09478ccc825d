//! The command line: the settings as flags, and what to do with them.

use crate::config::{Config, Given, KEYS, from_environment, load};
use crate::system::handover::{Inherited, replace};
use crate::system::job;
use crate::system::lifecycle::Instance;
use anyhow::Context;
use clap::{Arg, ArgAction, ArgMatches, Command};
use futures_util::FutureExt;
use std::io::Write;
use std::path::PathBuf;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What is no setting of the file: the name as a flag and as a variable, and what it is for.
const OUTSIDE: &[(&str, &str)] = &[
    ("OPERATIONSAPI_NETWORK_HOST", "interface to listen on"),
    ("HDB_ADMIN_USERNAME", "name of the super user made at the first start"),
    ("HDB_ADMIN_PASSWORD", "password of the super user made at the first start"),
    ("AWS_ENDPOINT_URL", "where S3 is, instead of at Amazon"),
    ("AWS_ENDPOINT_URL_S3", "the same, before AWS_ENDPOINT_URL"),
    ("AWS_VIRTUAL_HOSTED_STYLE_REQUEST", "true to name S3 buckets in the host name rather than in the path"),
    (
        "CLUSTERING_ENABLED",
        "true to answer about clusters in the form before 4.4 where replication is not set up",
    ),
    ("CLUSTERING_NODENAME", "the name of this node in that form"),
    ("REPLICATION_NATS_URL", "the NATS server to use, instead of one that is started"),
    ("DEFAULTS_MODE", "defaults of a new instance: dev or prod"),
];

/// The command line's definition.
pub fn command() -> Command {
    let outside = OUTSIDE.iter().map(|(name, help)| {
        // The values of secrets and of unset variables are of no use in a help text.
        flag(name, help).env(name).hide_env_values(true)
    });
    let settings = KEYS.iter().filter(|key| key.path != "rootPath").map(|key| {
        let arg = flag(&key.variable(), key.help);
        // Those that are only kept would drown the others.
        arg.hide_short_help(key.help.is_empty())
    });
    Command::new("reference-server")
        .version(env!("CARGO_PKG_VERSION"))
        .about("A small server that speaks the Operations API exactly")
        .after_help("Each setting can also stand in harperdb-config.yaml in the root folder, or in the environment.")
        .arg(Arg::new("ephemeral").long("ephemeral").action(ArgAction::SetTrue).help(
            "a throw-away instance: a folder of its own that is removed at the end, a free port on 127.0.0.1, admin / password",
        ))
        .arg(
            Arg::new("ROOTPATH")
                .long("ROOTPATH")
                .alias("rootpath")
                .value_name("FOLDER")
                .env("ROOTPATH")
                .help("the folder with everything of the instance [default: ~/hdb]"),
        )
        .args(outside)
        .args(settings)
}

fn flag(name: &str, help: &'static str) -> Arg {
    let help = if help.is_empty() { "kept and shown; of no effect here" } else { help };
    let long = name.to_owned();
    Arg::new(long.clone()).long(long).alias(name.to_ascii_lowercase()).value_name("VALUE").help(help)
}

/// Runs the server until it is told to stop. At a restart this program makes way for another one, to which it leaves
/// its sockets.
///
/// # Errors
/// When it cannot start.
pub async fn run(matches: &ArgMatches, inherited: Inherited) -> anyhow::Result<()> {
    crate::faults::choose_from_environment()?;
    // Where the program is now: the file may be replaced by a newer one before a restart.
    let program = std::env::current_exe().context("the program cannot be found")?;
    // Kept until the end: dropping it removes a throw-away instance's files.
    let folder = matches.get_flag("ephemeral").then(|| Folder::new(inherited.folder)).transpose()?;
    let config = || {
        let config = match &folder {
            Some(folder) => Config::ephemeral(&folder.0),
            None => default_config(matches)?,
        };
        anyhow::Ok(load(outside_the_file(config, matches), &given(matches))?)
    };
    let mut stop = StopSignals::new()?;
    let mut instance = Instance::start(config()?, inherited.legacy).await?;
    announce(&instance);
    loop {
        tokio::select! {
            () = stop.received() => return stopped(instance).await,
            () = instance.restart_wished() => {}
        }
        if std::env::var_os("HARPER_EXIT_ON_RESTART").is_some() {
            job::end(&instance.server.store, instance.server.restarts.take_jobs(), None).await;
            return stopped(instance).await;
        }
        let Some((next, listeners)) = instance.prepare(config()).await else { continue };
        let legacy = instance.hand_over(listeners).await;
        if stop.received().now_or_never().is_some() {
            return Ok(());
        }
        let error = replace(&program, &legacy, folder.as_ref().map(|folder| folder.0.as_path()));
        tracing::error!("{} cannot be started: {error}; this program goes on", program.display());
        instance = Instance::start(next, legacy).await?;
        announce(&instance);
    }
}

async fn stopped(instance: Instance) -> anyhow::Result<()> {
    instance.stop().await;
    Ok(())
}

/// The folder of a throw-away instance.
struct Folder(PathBuf);

impl Folder {
    /// A new one, or that of the program before this one.
    fn new(earlier: Option<PathBuf>) -> std::io::Result<Folder> {
        Ok(Folder(match earlier {
            Some(folder) => folder,
            None => tempfile::tempdir()?.keep(),
        }))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn default_config(matches: &ArgMatches) -> anyhow::Result<Config> {
    let root = root_path(matches)?;
    match matches.get_one::<String>("DEFAULTS_MODE").map(String::as_str) {
        None | Some("dev") => Ok(Config::new(root)),
        Some("prod") => Ok(Config::production(root)),
        Some(other) => anyhow::bail!("DEFAULTS_MODE: '{other}' is neither dev nor prod"),
    }
}

fn outside_the_file(mut config: Config, matches: &ArgMatches) -> Config {
    let text = |name: &str| matches.get_one::<String>(name).cloned();
    if let Some(host) = text("OPERATIONSAPI_NETWORK_HOST") {
        config.network.host = host;
    }
    config.bulk.s3_endpoint = text("AWS_ENDPOINT_URL_S3").or_else(|| text("AWS_ENDPOINT_URL"));
    config.bulk.s3_virtual_hosted =
        text("AWS_VIRTUAL_HOSTED_STYLE_REQUEST").is_some_and(|text| text.eq_ignore_ascii_case("true"));
    let enabled = text("CLUSTERING_ENABLED").map(|text| text.eq_ignore_ascii_case("true"));
    config.clustering.enabled = enabled.unwrap_or(config.clustering.enabled);
    config.clustering.node_name = text("CLUSTERING_NODENAME").or(config.clustering.node_name);
    config.replication.nats_url = text("REPLICATION_NATS_URL");
    config.admin_username = text("HDB_ADMIN_USERNAME").or(config.admin_username);
    config.admin_password = text("HDB_ADMIN_PASSWORD").or(config.admin_password);
    config
}

/// The settings from the environment, then those from flags, which win.
fn given(matches: &ArgMatches) -> Given {
    let flags = KEYS.iter().filter(|key| key.path != "rootPath").filter_map(|key| {
        let text = matches.get_one::<String>(&key.variable())?;
        Some((key.path, text.clone()))
    });
    let variables = std::env::vars_os()
        .filter_map(|(name, text)| Some((name.into_string().ok()?, text.into_string().ok()?)));
    let mut given = from_environment(variables);
    given.settings.extend(flags);
    given
}

fn root_path(matches: &ArgMatches) -> anyhow::Result<PathBuf> {
    let folder = match matches.get_one::<String>("ROOTPATH") {
        Some(folder) => PathBuf::from(folder),
        None => std::env::home_dir().context("there is no home folder: set ROOTPATH")?.join("hdb"),
    };
    // The configuration names it, whatever folder the server is started from.
    std::path::absolute(folder).context("the root folder has no place")
}

/// The line scripts wait for.
fn announce(instance: &Instance) {
    let running = &instance.running;
    let plain = running.plain.map(|address| format!(" http://{address}"));
    let secure = running.secure.map(|address| format!(" https://{address}"));
    let socket = running.socket.as_ref().map(|path| format!(" unix:{}", path.display()));
    let (insecure, with_tls) = instance.server.replication.link.addresses();
    let insecure = insecure.map(|address| format!(" replication ws://{address}"));
    let with_tls = with_tls.map(|address| format!(" replication wss://{address}"));
    let all = [plain, secure, socket, insecure, with_tls];
    let line = format!("ready{}\n", all.into_iter().flatten().collect::<String>());
    // Whoever waited for it may be gone by the time of a restart.
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(line.as_bytes()).and_then(|()| out.flush());
}

/// What ends the program.
struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    fn new() -> std::io::Result<StopSignals> {
        Ok(StopSignals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for one; one that came meanwhile counts.
    async fn received(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
