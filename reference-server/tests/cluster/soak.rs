//! Random kills and cuts for a while, and everything that was acknowledged is there in the end, everywhere.

use crate::conflicts::Chance;
use crate::node::{Node, cluster, converge, flowing, link, nats_is_there};
use crate::proxy::Link;
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// How long, in seconds, unless `CLUSTER_SOAK_SECONDS` says otherwise.
const SECONDS: u64 = 600;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes ten minutes"]
async fn random_kills_and_cuts_lose_nothing() {
    if !nats_is_there() {
        return;
    }
    let given = std::env::var("CLUSTER_SOAK_SECONDS").ok().and_then(|text| text.parse().ok());
    let length = Duration::from_secs(given.unwrap_or(SECONDS));
    let mut chance = Chance::new(20);
    let mut nodes = cluster(3, &[]).await;
    nodes[0].create_table("t").await;
    nodes[0].upsert("t", json!([{"id": "first"}])).await;
    converge(&nodes.iter().collect::<Vec<_>>(), "t", 1).await;
    let started = Instant::now();
    let mut acknowledged: BTreeSet<String> = BTreeSet::from(["first".to_owned()]);
    let (mut next, mut rounds, mut refused) = (0, 0, 0);
    while started.elapsed() < length {
        rounds += 1;
        let victim = chance.below(3);
        let (a, b) = (chance.below(3), chance.below(3));
        match chance.below(6) {
            0 => {
                nodes[victim].kill();
                nodes[victim].start_again();
            }
            1 => {
                nodes[victim].stop();
                nodes[victim].start_again();
            }
            2 if nodes[victim].nats_pid().is_some() => {
                crate::node::signal("KILL", nodes[victim].nats_pid().unwrap());
            }
            3 if a != b => nodes[a].link_to(&nodes[b], Link::Cut),
            4 if a != b => nodes[a].link_to(&nodes[b], Link::Frozen),
            _ => open_all(&nodes),
        }
        for _ in 0..5 + chance.below(40) {
            let node = &nodes[chance.below(3)];
            let common = chance.below(50);
            let id = format!("own-{next}");
            next += 1;
            let records = json!([{"id": id}, {"id": format!("common-{common}"), (node.name.as_str()): next}]);
            let request =
                json!({"operation": "upsert", "database": "data", "table": "t", "records": records});
            match node.try_ask(request).await {
                Ok(_) => {
                    acknowledged.insert(id);
                    acknowledged.insert(format!("common-{common}"));
                }
                // A node that has just been started may not know the table yet.
                Err(_) => refused += 1,
            }
            if chance.below(20) == 0 {
                let gone = json!(format!("gone-{}", chance.below(20)));
                node.upsert("t", json!([{"id": gone}])).await;
                node.ask(json!({"operation": "delete", "database": "data", "table": "t", "ids": [gone]}))
                    .await;
            }
        }
    }
    open_all(&nodes);
    eprintln!("{rounds} rounds, {} records acknowledged, {refused} refused", acknowledged.len());
    let (all, healed): (Vec<&Node>, _) = (nodes.iter().collect(), Instant::now());
    converge(&all, "t", acknowledged.len()).await;
    eprintln!("all are the same after {:?}", healed.elapsed());
    let found: BTreeSet<String> = nodes[0].records("t").await.iter().map(id_of).collect();
    assert_eq!(found, acknowledged);
}

/// Says how long it takes: the chains of changes become long, and many come late.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures"]
async fn few_records_written_by_many_at_once() {
    const ROUNDS: usize = 3_000;
    const AT_ONCE: usize = 8;
    if !nats_is_there() {
        return;
    }
    let nodes = cluster(2, &[]).await;
    let all = [&nodes[0], &nodes[1]];
    let marks = flowing(&all, "t").await;
    let write = |node: &'static str, at: usize| {
        let records = stream::iter(0..ROUNDS);
        let nodes = &nodes;
        records.for_each_concurrent(AT_ONCE, move |round| async move {
            let records: Value = (0..3).map(|id| json!({"id": id, (node): round})).collect();
            nodes[at].upsert("t", records).await;
        })
    };
    let began = Instant::now();
    tokio::join!(write("here", 0), write("there", 1));
    eprintln!("written in {:?}", began.elapsed());
    let written = Instant::now();
    converge(&all, "t", marks + 3).await;
    eprintln!("all are the same after {:?}", written.elapsed());
}

fn id_of(record: &Value) -> String {
    record["id"].as_str().unwrap_or_default().to_owned()
}

fn open_all(nodes: &[Node]) {
    for (at, one) in nodes.iter().enumerate() {
        for other in &nodes[at + 1..] {
            link(one, other, Link::Open);
        }
    }
}
