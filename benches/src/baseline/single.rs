//! Sixteen clients that insert single records durably, against plain heed with one sync per record.

use super::bulk::{copy, create_table, drop_database};
use super::{Figure, Setting};
use crate::child::ChildServer;
use crate::measure::{self, Pace};
use crate::plain_heed::{Order, PlainHeed, Stored};
use crate::workload::{Scene, Source, Workload};
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

const CLIENTS: usize = 16;

pub(super) async fn figures(setting: &Setting) -> anyhow::Result<Vec<Figure>> {
    let server = ChildServer::reference(&setting.binary, &setting.folder.path().join("single")).await?;
    let endpoint = &server.endpoint;
    let (mut rounds, mut alone) = (Vec::new(), Vec::new());
    for round in 0..setting.rounds {
        let database = format!("single_{round}");
        create_table(endpoint, &database, true).await?;
        let scene =
            Scene { database: database.clone(), table: "records".to_owned(), seed: setting.seed, records: 0 };
        let source = Arc::new(Source::new(Workload::Insert, endpoint, &scene, Arc::new(AtomicU64::new(0))));
        let visible = json!({"operation": "describe_table", "database": database, "table": "records"});
        let pace = Pace::seconds(setting.seconds);
        let together = measure::run(endpoint, &source, &visible, CLIENTS, pace).await?;
        let one = measure::run(endpoint, &source, &visible, 1, pace).await?;
        let stored = copy(endpoint, &database, setting.folder.path()).await?;
        drop_database(endpoint, &database).await?;
        let plain = replay(&stored, setting.folder.path(), pace.measured)?;
        rounds.push((together.rate, plain));
        alone.push((one.rate, plain));
    }
    Ok(vec![
        Figure::ratio("16 clients inserting / one sync per record", "records/s", &rounds, Some(5.0)),
        Figure::ratio("1 client inserting / one sync per record", "records/s", &alone, None),
    ])
}

/// Writes record after record, each in a transaction of its own; returns records per second.
fn replay(stored: &[Stored], folder: &Path, time: Duration) -> anyhow::Result<f64> {
    let folder = tempfile::tempdir_in(folder)?;
    let heed = PlainHeed::create(&folder.path().join("plain.mdb"), true)?;
    let started = Instant::now();
    let mut written = 0;
    for record in stored.chunks(1) {
        heed.write(record, Order::ByRecord)?;
        written += 1;
        if started.elapsed() >= time {
            break;
        }
    }
    Ok(f64::from(written) / started.elapsed().as_secs_f64())
}
