//! Sixteen clients that insert single records durably, against plain heed with one sync per record: the same keys,
//! values and index entries, into tables of the same size.

use super::bulk::{TABLE, copy, create_table, drop_database, insert};
use super::{Figure, Setting};
use crate::child::ChildServer;
use crate::measure::{self, Pace};
use crate::plain_heed::{Order, PlainHeed, Stored};
use crate::records::Shape;
use crate::workload::{BULK, Scene, Source, Workload};
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

const CLIENTS: usize = 16;
/// How many times a thousand records a table has at the beginning.
const LOADED: u64 = 10;

pub(super) async fn figures(setting: &Setting) -> anyhow::Result<Vec<Figure>> {
    let server = ChildServer::reference(&setting.binary, &setting.folder.path().join("single")).await?;
    let mut figures = Vec::new();
    for (shape, name) in [(Shape::Narrow, "of two attributes"), (Shape::Varied, "of a dozen attributes")] {
        let (mut together, mut alone) = (Vec::new(), Vec::new());
        for round in 0..setting.rounds {
            let scene = Scene { shape, ..Scene::new(&format!("{shape:?}_{round}"), TABLE, setting.seed) };
            let rates = round_of(&server, &scene, setting).await?;
            together.push((rates.together, rates.plain));
            alone.push((rates.alone, rates.plain));
        }
        let what = format!("16 clients inserting records {name} / one sync per record");
        figures.push(Figure::ratio(what, "records/s", &together, Some(5.0)));
        figures.push(Figure::ratio(
            format!("1 client inserting records {name} / the same"),
            "records/s",
            &alone,
            None,
        ));
    }
    Ok(figures)
}

struct Rates {
    together: f64,
    alone: f64,
    plain: f64,
}

async fn round_of(server: &ChildServer, scene: &Scene, setting: &Setting) -> anyhow::Result<Rates> {
    let endpoint = &server.endpoint;
    let database = scene.database.as_str();
    create_table(endpoint, database, true).await?;
    insert(endpoint, scene, LOADED).await?;
    let next_key = Arc::new(AtomicU64::new(LOADED * BULK));
    let source = Arc::new(Source::new(Workload::Insert, endpoint, scene, next_key));
    let visible = json!({"operation": "describe_table", "database": database, "table": TABLE});
    let pace = Pace::seconds(setting.seconds);
    let together = measure::run(endpoint, &source, &visible, CLIENTS, pace).await?.rate;
    let alone = measure::run(endpoint, &source, &visible, 1, pace).await?.rate;
    let stored = copy(endpoint, database, setting.folder.path()).await?;
    drop_database(endpoint, database).await?;
    let plain = replay(&stored, setting.folder.path(), pace.measured)?;
    Ok(Rates { together, alone, plain })
}

/// Loads what the table began with, then writes record after record, each in a transaction of its own; returns
/// records per second.
fn replay(stored: &[Stored], folder: &Path, time: Duration) -> anyhow::Result<f64> {
    let folder = tempfile::tempdir_in(folder)?;
    let heed = PlainHeed::create(&folder.path().join("plain.mdb"), true)?;
    let (loaded, single) = stored.split_at(stored.len().min((LOADED * BULK) as usize));
    for request in loaded.chunks(BULK as usize) {
        heed.write(request, Order::Sorted)?;
    }
    let started = Instant::now();
    let mut written = 0;
    for record in single.chunks(1) {
        heed.write(record, Order::ByRecord)?;
        written += 1;
        if started.elapsed() >= time {
            break;
        }
    }
    Ok(f64::from(written) / started.elapsed().as_secs_f64())
}
