//! What the server's own folder shows.

use super::{Stage, Trial, inept};
use crate::laws::{Fault, Law, Refusal, Tried, blocked, must, unsupported};
use crate::runner::Run;
use crate::target::Exchange;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs::{File, Permissions, read_dir, read_to_string};
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub(super) const LAWS: &[(Law, Trial)] = &[
    (
        must(
            "unreadable-file-is-refused",
            "a file that the server may not read is not loaded",
            "csv_file_load",
            &["BULK-CSV-FILE-LOAD-021"],
        ),
        |stage| Box::pin(unreadable(stage)),
    ),
    (
        must(
            "fetched-file-is-removed",
            "of a file that was fetched to be loaded nothing is left in the folder",
            "csv_url_load",
            &["BULK-CSV-URL-LOAD-026"],
        ),
        |stage| Box::pin(fetched(stage)),
    ),
    (
        must(
            "old-settings-are-kept",
            "before each change the file of settings is copied to the folder of backups",
            "set_configuration",
            &["CONF-SET-CONFIGURATION-010"],
        ),
        |stage| Box::pin(old_settings(stage)),
    ),
];

/// How long a job may take, and what follows it.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) fn never_on_others(_: &Run) -> Result<(), String> {
    Err("it needs to look into the folder of the server: only servers that the run starts itself show it, as for a \
         run without an address"
        .to_owned())
}

/// A table for what is loaded.
async fn make_table(stage: &Stage<'_>, table: &str) -> Result<(), Refusal> {
    let create =
        json!({"operation": "create_table", "database": "suite", "table": table, "primary_key": "id"});
    stage.ask(create).await.map(drop)
}

async fn unreadable(stage: &Stage<'_>) -> Tried {
    make_table(stage, "unreadable").await?;
    let Some(file) = forbidden_file(&stage.folder()?)? else {
        let reason = "whoever runs this may read every file, and so may the server that it starts";
        return Err(unsupported(reason));
    };
    let path = file.display().to_string();
    let exchange = stage
        .target
        .operate(&json!({"operation": "csv_file_load", "database": "suite", "table": "unreadable", "file_path": path}))
        .await;
    let wanted = format!("Permission denied {path}");
    let refused = exchange.answer.as_ref().is_some_and(|a| a.status == 400 && a.error() == Some(&wanted));
    Ok((!refused).then(|| {
        (format!("{path} cannot be read, but the answer was {}", stage.told(&exchange)), Some(exchange))
    }))
}

/// A file that this user cannot open.
fn forbidden_file(folder: &Path) -> Result<Option<PathBuf>, Refusal> {
    let own = folder.join("secret.csv");
    std::fs::write(&own, "id\n1\n").map_err(inept)?;
    std::fs::set_permissions(&own, Permissions::from_mode(0o000)).map_err(inept)?;
    // The super user of a machine may read everything but what the system itself keeps from being read.
    let of_the_system = ["cpu", "platform"].map(|bus| PathBuf::from(format!("/sys/bus/{bus}/drivers_probe")));
    let is_forbidden = |file: &PathBuf| matches!(File::open(file), Err(error) if error.kind() == ErrorKind::PermissionDenied);
    Ok(std::iter::once(own).chain(of_the_system).find(is_forbidden))
}

async fn fetched(stage: &Stage<'_>) -> Tried {
    make_table(stage, "fetched").await?;
    let services = stage.instance.as_ref().and_then(|instance| instance.services());
    let files = services.as_ref().ok_or_else(|| blocked("no files are served to the server"))?.files();
    let folder = stage.folder()?.join("tmp");
    let before = names_in(&folder);
    for (file, status) in [("planets.csv", "COMPLETE"), ("bad-column.csv", "ERROR")] {
        let load = json!({"operation": "csv_url_load", "database": "suite", "table": "fetched",
            "csv_url": format!("{files}/{file}")});
        let begun = stage.ask(load).await?;
        let ended = end_of(stage, &begun["job_id"]).await?;
        if ended != status {
            return Err(blocked(format!("the job that loads {file} ended as {ended}")));
        }
    }
    let started = Instant::now();
    loop {
        let left: Vec<String> = names_in(&folder).difference(&before).cloned().collect();
        if left.is_empty() {
            return Ok(None);
        }
        // A job may be told to be done a little before its file is gone.
        if started.elapsed() > Duration::from_secs(10) {
            let sentence = format!("the jobs have ended, and {} still holds {left:?}", folder.display());
            return Ok(Some((sentence, None)));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// How a job ended.
async fn end_of(stage: &Stage<'_>, job: &Value) -> Result<String, Refusal> {
    let started = Instant::now();
    loop {
        let found = stage.ask(json!({"operation": "get_job", "id": job})).await?;
        match found[0]["status"].as_str() {
            Some(status @ ("COMPLETE" | "ERROR")) => return Ok(status.to_owned()),
            _ if started.elapsed() > PATIENCE => return Err(blocked("the job does not end")),
            _ => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

fn names_in(folder: &Path) -> BTreeSet<String> {
    let entries = read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

async fn old_settings(stage: &Stage<'_>) -> Tried {
    let folder = stage.folder()?;
    let (file, backups) = (folder.join("harperdb-config.yaml"), folder.join("backup"));
    for millis in [31_000, 32_000] {
        let before = names_in(&backups);
        let old = read_to_string(&file).map_err(|error| blocked(format!("{}: {error}", file.display())))?;
        let change = json!({"operation": "set_configuration", "http_keepAliveTimeout": millis});
        let exchange = stage.target.operate(&change).await;
        if exchange.answer.as_ref().is_none_or(|answer| answer.status != 200) {
            return Err(blocked(format!("set_configuration: {}", stage.told(&exchange))));
        }
        if let Some(fault) = unless_kept(&before, &backups, &old, exchange) {
            return Ok(Some(fault));
        }
    }
    Ok(None)
}

fn unless_kept(before: &BTreeSet<String>, backups: &Path, old: &str, exchange: Exchange) -> Fault {
    let new: Vec<String> = names_in(backups).difference(before).cloned().collect();
    let kept = new.iter().any(|name| read_to_string(backups.join(name)).is_ok_and(|text| text == old));
    let sentence =
        || format!("{} has gained {new:?}, none of which is the file as it was", backups.display());
    (!kept).then(|| (sentence(), Some(exchange)))
}
