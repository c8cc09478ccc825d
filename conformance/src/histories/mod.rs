//! Histories of several writers at once, and what must hold of them whatever the order: nothing acknowledged is lost,
//! a key is inserted once, merges keep each other's attributes, and no reader sees half of a request.

mod shop;

use crate::laws::{Fault, Law, Tried, must, should};
use crate::runner::Run;
use futures_util::future::join_all;
use serde_json::json;
use shop::Shop;

/// The category of these checks.
pub const CATEGORY: &str = "histories";

/// How many writers write at once.
const WRITERS: usize = 8;

const LAWS: [Law; 4] = [
    must(
        "nothing-is-lost",
        "every record whose insert was acknowledged is there, whoever wrote meanwhile",
        "insert",
        &["NOSQL-INSERT-001"],
    ),
    should(
        "one-insert-wins",
        "of inserts of one key at once, one stores its record and the others are told that it was skipped",
        "insert",
        &["NOSQL-INSERT-002"],
    ),
    should(
        "merges-keep-each-other",
        "of updates of different attributes of one record at once, none undoes another",
        "update",
        &["NOSQL-UPDATE-001"],
    ),
    should(
        "no-half-requests",
        "two records written by one request are never seen at different states",
        "upsert",
        &["NOSQL-UPSERT-001"],
    ),
];

/// Writes from many connections at once and judges what came of it.
pub async fn run(run: &Run) {
    for (number, law) in LAWS.iter().enumerate() {
        law.judge(run, &run.target, &format!("{CATEGORY}/writers"), tried(run, number)).await;
    }
}

async fn tried(run: &Run, number: usize) -> Tried {
    let shop = Shop::open(run, number).await?;
    let found = match number {
        0 => nothing_is_lost(&shop).await,
        1 => one_insert_wins(&shop).await,
        2 => merges_keep_each_other(&shop).await,
        _ => no_half_requests(&shop).await,
    };
    shop.close().await;
    Ok(found)
}

/// Every writer inserts records of its own; all that were acknowledged must be there, and nothing else.
async fn nothing_is_lost(shop: &Shop<'_>) -> Fault {
    const EACH: usize = 12;
    let writers = (0..WRITERS).map(|writer| async move {
        let mut acknowledged = Vec::new();
        for n in 0..EACH {
            let key = format!("{writer}-{n}");
            let records = json!([{"id": key, "writer": writer}]);
            let exchange = shop.write("insert", records).await;
            if exchange.answer.as_ref().is_some_and(|answer| answer.body["inserted_hashes"] == json!([key])) {
                acknowledged.push(key);
            }
        }
        acknowledged
    });
    let mut acknowledged: Vec<String> = join_all(writers).await.into_iter().flatten().collect();
    let (mut found, exchange) = shop.keys().await;
    acknowledged.sort();
    found.sort();
    let lost: Vec<&String> = acknowledged.iter().filter(|key| !found.contains(key)).collect();
    let extra: Vec<&String> = found.iter().filter(|key| !acknowledged.contains(key)).collect();
    if acknowledged.len() < WRITERS * EACH {
        let refused = WRITERS * EACH - acknowledged.len();
        return Some((
            format!("{refused} of {} inserts of new keys were not acknowledged", WRITERS * EACH),
            None,
        ));
    }
    (!lost.is_empty() || !extra.is_empty()).then(|| {
        (
            format!("acknowledged but not there: {lost:?}; there but not acknowledged: {extra:?}"),
            Some(exchange),
        )
    })
}

/// All insert the same keys; each key must be told inserted once, and hold what that writer wrote.
async fn one_insert_wins(shop: &Shop<'_>) -> Fault {
    for round in 0..10 {
        let key = format!("race-{round}");
        let racers = (0..WRITERS).map(|writer| {
            let records = json!([{"id": key, "writer": writer}]);
            async move { (writer, shop.write("insert", records).await) }
        });
        let told = join_all(racers).await;
        let winners: Vec<usize> = told
            .iter()
            .filter(|(_, exchange)| {
                exchange.answer.as_ref().is_some_and(|answer| answer.body["skipped_hashes"] == json!([]))
            })
            .map(|(writer, _)| *writer)
            .collect();
        let (stored, exchange) = shop.record(&key).await;
        match winners.as_slice() {
            [winner] if stored["writer"] == json!(winner) => {}
            [winner] => {
                let sentence = format!(
                    "writer {winner} alone was told that '{key}' was inserted, but writer {}'s record is there",
                    stored["writer"]
                );
                return Some((sentence, Some(exchange)));
            }
            _ => {
                let sentence = format!("'{key}' was told inserted to {} of {WRITERS} writers", winners.len());
                return Some((sentence, Some(exchange)));
            }
        }
    }
    None
}

/// Every writer updates an attribute of its own; in the end all must be there.
async fn merges_keep_each_other(shop: &Shop<'_>) -> Fault {
    for round in 0..10 {
        let key = format!("merged-{round}");
        shop.write("insert", json!([{"id": key}])).await;
        let writers = (0..WRITERS).map(|writer| {
            let mut record = serde_json::Map::from_iter([("id".to_owned(), json!(key))]);
            record.insert(format!("w{writer}"), json!(round));
            async move { shop.write("update", json!([record])).await }
        });
        join_all(writers).await;
        let (stored, exchange) = shop.record(&key).await;
        let lost: Vec<usize> =
            (0..WRITERS).filter(|writer| stored[format!("w{writer}")] != json!(round)).collect();
        if !lost.is_empty() {
            return Some((format!("the updates of writers {lost:?} to '{key}' are gone"), Some(exchange)));
        }
    }
    None
}

/// A writer keeps two records equal; no reader may see them differ.
async fn no_half_requests(shop: &Shop<'_>) -> Fault {
    let both = |n: usize| json!([{"id": "left", "n": n}, {"id": "right", "n": n}]);
    shop.write("upsert", both(0)).await;
    let writer = async {
        for n in 1..60 {
            shop.write("upsert", both(n)).await;
        }
        None
    };
    let reader = async {
        for _ in 0..60 {
            let exchange = shop.read(&["left", "right"], &["id", "n"]).await;
            let rows = exchange.answer.as_ref().map(|answer| answer.body.clone()).unwrap_or_default();
            let (left, right) = (&rows[0]["n"], &rows[1]["n"]);
            if left != right {
                return Some((
                    format!("one read saw {left} on the left and {right} on the right"),
                    Some(exchange),
                ));
            }
        }
        None
    };
    let (_, found): (Fault, Fault) = tokio::join!(writer, reader);
    found
}
