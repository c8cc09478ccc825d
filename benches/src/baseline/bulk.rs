//! Bulk inserts on the reference server against plain heed: the same keys, values and index entries, one durable
//! transaction per request on both sides.

use super::{Figure, Setting};
use crate::child::ChildServer;
use crate::endpoint::Endpoint;
use crate::plain_heed::{self, Order, PlainHeed, Stored};
use crate::template::Template;
use crate::workload::{BULK, Scene};
use anyhow::ensure;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Instant;

/// The one table of a database.
pub(super) const TABLE: &str = "records";
/// How many requests a round has.
const REQUESTS: u64 = 30;

pub(super) async fn figures(setting: &Setting) -> anyhow::Result<Vec<Figure>> {
    let server = ChildServer::reference(&setting.binary, &setting.folder.path().join("bulk")).await?;
    let (mut by_record, mut sorted, mut without_history) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..setting.rounds {
        let rate = load(&server.endpoint, &format!("bulk_{round}"), setting.seed, true).await?;
        let stored = copy(&server.endpoint, &format!("bulk_{round}"), setting.folder.path()).await?;
        drop_database(&server.endpoint, &format!("bulk_{round}")).await?;
        let unlogged = load(&server.endpoint, &format!("plain_{round}"), setting.seed, false).await?;
        drop_database(&server.endpoint, &format!("plain_{round}")).await?;
        let plain = replay(&stored, Order::ByRecord, setting.folder.path())?;
        by_record.push((rate, plain));
        without_history.push((unlogged, plain));
        sorted.push((rate, replay(&stored, Order::Sorted, setting.folder.path())?));
    }
    Ok(vec![
        Figure::ratio("bulk insert / plain heed, record by record", "records/s", &by_record, Some(0.4)),
        Figure::ratio("bulk insert / plain heed, index entries sorted", "records/s", &sorted, None),
        Figure::ratio(
            "bulk insert without history / plain heed, record by record",
            "records/s",
            &without_history,
            None,
        ),
    ])
}

/// Inserts the records of one round over one connection; returns records per second.
async fn load(endpoint: &Endpoint, database: &str, seed: u64, history: bool) -> anyhow::Result<f64> {
    let scene = Scene::new(database, TABLE, seed);
    create_table(endpoint, database, history).await?;
    let taken = insert(endpoint, &scene, REQUESTS).await?;
    Ok((REQUESTS * BULK) as f64 / taken)
}

/// Inserts so many times a thousand records; returns the seconds that took, without the making of requests.
pub(super) async fn insert(endpoint: &Endpoint, scene: &Scene, requests: u64) -> anyhow::Result<f64> {
    let mut connection = endpoint.connect().await?;
    let mut templates: Vec<Template> =
        (0..4).map(|at| Template::insert(endpoint, scene, at * BULK, BULK)).collect();
    let mut taken = 0.0;
    for request in 0..requests {
        let at = request as usize % templates.len();
        templates[at].set_keys(request * BULK);
        let sent = Instant::now();
        let answer = connection.exchange(&templates[at].bytes).await?;
        taken += sent.elapsed().as_secs_f64();
        ensure!(answer.status == 200, "{}", String::from_utf8_lossy(answer.body));
    }
    Ok(taken)
}

/// Makes a database with one dynamic table.
pub(super) async fn create_table(endpoint: &Endpoint, database: &str, history: bool) -> anyhow::Result<()> {
    let mut connection = endpoint.connect().await?;
    let mut create =
        json!({"operation": "create_table", "database": database, "table": TABLE, "primary_key": "id"});
    if !history {
        create["audit"] = Value::Bool(false);
    }
    endpoint.call(&mut connection, &json!({"operation": "create_database", "database": database})).await?;
    endpoint.call(&mut connection, &create).await?;
    Ok(())
}

/// What the server stored.
pub(super) async fn copy(endpoint: &Endpoint, database: &str, folder: &Path) -> anyhow::Result<Vec<Stored>> {
    let mut connection = endpoint.connect().await?;
    let backup = json!({"operation": "get_backup", "database": database});
    let (status, bytes) = endpoint.send(&mut connection, &backup).await?;
    ensure!(status == 200, "{}", String::from_utf8_lossy(&bytes));
    let folder = tempfile::tempdir_in(folder)?;
    let file = folder.path().join("copy.mdb");
    std::fs::write(&file, bytes)?;
    plain_heed::read(&file)
}

/// Removes a database.
pub(super) async fn drop_database(endpoint: &Endpoint, database: &str) -> anyhow::Result<()> {
    let mut connection = endpoint.connect().await?;
    endpoint.call(&mut connection, &json!({"operation": "drop_database", "database": database})).await?;
    Ok(())
}

/// Writes the same with heed; returns records per second.
fn replay(stored: &[Stored], order: Order, folder: &Path) -> anyhow::Result<f64> {
    let folder = tempfile::tempdir_in(folder)?;
    let heed = PlainHeed::create(&folder.path().join("plain.mdb"), true)?;
    let started = Instant::now();
    for request in stored.chunks(BULK as usize) {
        heed.write(request, order)?;
    }
    Ok(stored.len() as f64 / started.elapsed().as_secs_f64())
}
