//! The command line: the settings as flags, and what to do with them.

use crate::config::{Config, SETTINGS, load};
use crate::http::{self, Running};
use crate::server::Server;
use anyhow::Context;
use clap::{Arg, ArgAction, ArgMatches, Command};
use std::path::PathBuf;

/// The command line's definition.
pub fn command() -> Command {
    let flags = SETTINGS.iter().map(|setting| {
        let alias = setting.name.to_ascii_lowercase();
        let arg =
            Arg::new(setting.name).long(setting.name).alias(alias).value_name("VALUE").help(setting.help);
        // The values of secrets and of unset variables are of no use in a help text.
        arg.env(setting.name).hide_env_values(true)
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
        .args(flags)
}

/// Runs the server until it is told to stop.
///
/// # Errors
/// When it cannot start.
pub async fn run(matches: &ArgMatches) -> anyhow::Result<()> {
    // Kept until the end: dropping it removes a throw-away instance's files.
    let folder = matches.get_flag("ephemeral").then(tempfile::tempdir).transpose()?;
    let config = match &folder {
        Some(folder) => Config::ephemeral(folder.path()),
        None => Config::new(root_path(matches)?),
    };
    let config = load(config, |name| matches.get_one::<String>(name).cloned())?;
    let server = Server::open(config).await?;
    let running = http::start(server).await.context("cannot listen")?;
    announce(&running);
    stop_signal().await?;
    running.shutdown().await;
    Ok(())
}

fn root_path(matches: &ArgMatches) -> anyhow::Result<PathBuf> {
    match matches.get_one::<String>("ROOTPATH") {
        Some(folder) => Ok(PathBuf::from(folder)),
        None => Ok(std::env::home_dir().context("there is no home folder: set ROOTPATH")?.join("hdb")),
    }
}

/// The line scripts wait for.
fn announce(running: &Running) {
    let plain = running.plain.map(|address| format!(" http://{address}"));
    let secure = running.secure.map(|address| format!(" https://{address}"));
    let socket = running.socket.as_ref().map(|path| format!(" unix:{}", path.display()));
    println!("ready{}", [plain, secure, socket].into_iter().flatten().collect::<String>());
}

async fn stop_signal() -> std::io::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        result = tokio::signal::ctrl_c() => result,
    }
}
