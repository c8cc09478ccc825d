//! The workloads: what is sent, and what must come back.

use crate::endpoint::{Endpoint, shorten};
use crate::records::{Numbers, Shape, TEAM_SIZE, key, record, team};
use crate::template::{Template, find};
use anyhow::{bail, ensure};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// How many different requests a reading workload has.
const POOL: u64 = 512;
/// How many records a bulk insert brings.
pub const BULK: u64 = 1000;

/// What a connection does over and over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Workload {
    /// Who am I: the least an operation can be.
    UserInfo,
    /// One record by its primary key, all attributes.
    SearchById,
    /// Twenty records by an indexed attribute.
    SearchByValue,
    /// Two conditions, three attributes.
    SearchByConditions,
    /// One new record.
    Insert,
    /// Two attributes of one record.
    Update,
    /// The definition and size of the table.
    DescribeTable,
    /// A thousand new records into a new table.
    BulkInsert,
}

impl Workload {
    /// All of them, in the order of measuring.
    pub const ALL: [Workload; 8] = [
        Workload::UserInfo,
        Workload::SearchById,
        Workload::SearchByValue,
        Workload::SearchByConditions,
        Workload::Insert,
        Workload::Update,
        Workload::DescribeTable,
        Workload::BulkInsert,
    ];

    /// Its name on the command line and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Workload::UserInfo => "user_info",
            Workload::SearchById => "search_by_id",
            Workload::SearchByValue => "search_by_value",
            Workload::SearchByConditions => "search_by_conditions",
            Workload::Insert => "insert",
            Workload::Update => "update",
            Workload::DescribeTable => "describe_table",
            Workload::BulkInsert => "bulk_insert",
        }
    }

    /// How many records one request reads or writes, where all have as many.
    pub fn records(self) -> Option<u64> {
        match self {
            Workload::UserInfo | Workload::DescribeTable | Workload::SearchByConditions => None,
            Workload::SearchById | Workload::Insert | Workload::Update => Some(1),
            Workload::SearchByValue => Some(TEAM_SIZE),
            Workload::BulkInsert => Some(BULK),
        }
    }
}

/// The table a workload runs on.
#[derive(Clone, Debug)]
pub struct Scene {
    /// The database.
    pub database: String,
    /// The table.
    pub table: String,
    /// The seed of its records.
    pub seed: u64,
    /// How many records were loaded into it.
    pub records: u64,
    /// What they look like.
    pub shape: Shape,
}

impl Scene {
    /// An empty table for varied records.
    pub fn new(database: &str, table: &str, seed: u64) -> Scene {
        let (database, table) = (database.to_owned(), table.to_owned());
        Scene { database, table, seed, records: 0, shape: Shape::Varied }
    }
}

/// What an answer must be.
#[derive(Clone, Debug)]
enum Expected {
    /// It has this text.
    Text(String),
    /// It is a list of so many records.
    Records(usize),
}

impl Expected {
    fn holds(&self, body: &[u8]) -> bool {
        match self {
            Expected::Text(text) => find(body, text.as_bytes()).is_some(),
            Expected::Records(count) => match serde_json::from_slice::<Value>(body) {
                Ok(Value::Array(records)) => {
                    records.len() == *count && records.iter().all(|record| record["id"].is_string())
                }
                _ => false,
            },
        }
    }
}

/// A request of a pool.
struct Prepared {
    request: Vec<u8>,
    expected: Expected,
    /// The length of an answer that was found right; an answer of that length need not be read again.
    right_length: AtomicUsize,
}

/// Where a workload's requests come from; shared by all connections.
pub enum Source {
    /// Requests that can be sent again and again.
    Pool(Pool),
    /// Requests with new keys every time.
    Fresh(Fresh),
}

/// Requests that can be sent again and again.
pub struct Pool(Vec<Prepared>);

/// Requests that bring new records.
pub struct Fresh {
    templates: Vec<Template>,
    next_key: Arc<AtomicU64>,
}

impl Source {
    /// The requests of a workload. `next_key` gives new records their keys.
    pub fn new(workload: Workload, endpoint: &Endpoint, scene: &Scene, next_key: Arc<AtomicU64>) -> Source {
        let Scene { database, table, seed, records, .. } = scene;
        let mut numbers = Numbers::new(seed.wrapping_add(workload as u64));
        let mut prepared = |count: u64, make: &mut dyn FnMut(u64) -> (Value, Expected)| {
            let requests = (0..count).map(|_| {
                let (body, expected) = make(numbers.below(*records));
                let request = endpoint.request(body.to_string().as_bytes());
                Prepared { request, expected, right_length: AtomicUsize::new(usize::MAX) }
            });
            Source::Pool(Pool(requests.collect()))
        };
        let fresh = |templates: u64, size: u64| {
            let make = |at: u64| Template::insert(endpoint, scene, at * size, size);
            Source::Fresh(Fresh { templates: (0..templates).map(make).collect(), next_key: next_key.clone() })
        };
        match workload {
            Workload::UserInfo => prepared(1, &mut |_| {
                (json!({"operation": "user_info"}), Expected::Text("\"username\"".to_owned()))
            }),
            Workload::DescribeTable => prepared(1, &mut |_| {
                let body = json!({"operation": "describe_table", "database": database, "table": table});
                (body, Expected::Text("\"attributes\"".to_owned()))
            }),
            Workload::SearchById => {
                prepared(POOL, &mut |number| (search_by_id(scene, number), Expected::Records(1)))
            }
            Workload::SearchByValue => prepared(POOL, &mut |number| {
                let body = json!({"operation": "search_by_value", "database": database, "table": table,
                    "attribute": "team", "value": team(number), "get_attributes": ["*"]});
                (body, Expected::Records(members(scene, number).count()))
            }),
            Workload::SearchByConditions => prepared(POOL, &mut |number| {
                let body = json!({"operation": "search_by_conditions", "database": database, "table": table,
                    "operator": "and", "get_attributes": ["id", "name", "age"], "conditions": [
                        {"attribute": "team", "comparator": "equals", "value": team(number)},
                        {"attribute": "age", "comparator": "greater_than", "value": 40}]});
                let matching =
                    members(scene, number).filter(|member| record(*seed, *member)["age"].as_u64() > Some(40));
                (body, Expected::Records(matching.count()))
            }),
            Workload::Update => prepared(4 * POOL, &mut |number| {
                let record = json!({"id": key(number), "visits": number.wrapping_mul(31) % 10_000, "score": number as f64 / 8.0});
                let body =
                    json!({"operation": "update", "database": database, "table": table, "records": [record]});
                (body, Expected::Text("updated 1 of 1 records".to_owned()))
            }),
            Workload::Insert => fresh(64, 1),
            Workload::BulkInsert => fresh(2, BULK),
        }
    }

    /// One connection's way through the requests; `at` tells the connections apart.
    pub fn turn(self: &Arc<Self>, at: usize) -> Turn {
        let (template, at) = match &**self {
            Source::Pool(Pool(requests)) => (None, at * 37 % requests.len()),
            Source::Fresh(fresh) => (Some(fresh.templates[at % fresh.templates.len()].clone()), at),
        };
        Turn { source: self.clone(), template, at }
    }
}

/// The body of a search for one record with all its attributes.
pub fn search_by_id(scene: &Scene, number: u64) -> Value {
    json!({"operation": "search_by_id", "database": scene.database, "table": scene.table,
        "ids": [key(number)], "get_attributes": ["*"]})
}

/// The records of the team of a record.
fn members(scene: &Scene, number: u64) -> std::ops::Range<u64> {
    let first = number - number % TEAM_SIZE;
    first..(first + TEAM_SIZE).min(scene.records)
}

/// One connection's way through the requests.
pub struct Turn {
    source: Arc<Source>,
    template: Option<Template>,
    at: usize,
}

impl Turn {
    /// Makes the next request ready.
    pub fn advance(&mut self) {
        match &*self.source {
            Source::Pool(Pool(requests)) => self.at = (self.at + 1) % requests.len(),
            Source::Fresh(fresh) => {
                let template = self.template.get_or_insert_with(|| fresh.templates[0].clone());
                let first = fresh.next_key.fetch_add(template.records(), Ordering::Relaxed);
                template.set_keys(first);
            }
        }
    }

    /// The request.
    pub fn request(&self) -> &[u8] {
        match (&*self.source, &self.template) {
            (Source::Pool(Pool(requests)), _) => &requests[self.at].request,
            (_, Some(template)) => &template.bytes,
            (_, None) => &[],
        }
    }

    /// Checks the answer to the request.
    ///
    /// # Errors
    /// What was answered, when it is not what it must be.
    pub fn check(&self, status: u16, body: &[u8]) -> anyhow::Result<()> {
        ensure!(status == 200, "the answer was {status}: {}", shown(body));
        let right = match (&*self.source, &self.template) {
            (Source::Pool(Pool(requests)), _) => {
                let prepared = &requests[self.at];
                if prepared.right_length.load(Ordering::Relaxed) == body.len() {
                    return Ok(());
                }
                let right = prepared.expected.holds(body);
                if right {
                    prepared.right_length.store(body.len(), Ordering::Relaxed);
                }
                right
            }
            (_, Some(template)) => {
                let count = template.records();
                body.starts_with(format!("{{\"message\":\"inserted {count} of {count} records\"").as_bytes())
            }
            (_, None) => false,
        };
        if !right {
            bail!("not the expected answer: {}\nto {}", shown(body), shown(self.request()));
        }
        Ok(())
    }
}

fn shown(bytes: &[u8]) -> String {
    shorten(&String::from_utf8_lossy(bytes), 400)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(workload: Workload) -> Arc<Source> {
        let scene = Scene { records: 100, ..Scene::new("d", "t", 1) };
        let endpoint = Endpoint::new("http://h:1", "a:b").unwrap();
        Arc::new(Source::new(workload, &endpoint, &scene, Arc::new(AtomicU64::new(500))))
    }

    #[test]
    fn wrong_answers_are_noticed() {
        let mut turn = source(Workload::SearchById).turn(3);
        turn.advance();
        assert!(turn.check(200, br#"[{"id":"r00000001"}]"#).is_ok());
        assert!(turn.check(200, b"[]").is_err());
        assert!(turn.check(200, br#"[{"id":"r00000001"},{"id":"r00000002"}]"#).is_err());
        assert!(turn.check(500, br#"[{"id":"r00000001"}]"#).is_err());
    }

    #[test]
    fn inserts_never_repeat_a_key() {
        let source = source(Workload::Insert);
        let (mut one, mut two) = (source.turn(0), source.turn(1));
        one.advance();
        two.advance();
        assert!(find(one.request(), b"r00000500").is_some());
        assert!(find(two.request(), b"r00000501").is_some());
        assert!(one.check(200, br#"{"message":"inserted 1 of 1 records","inserted_hashes":[]}"#).is_ok());
        assert!(one.check(200, br#"{"message":"inserted 0 of 1 records"}"#).is_err());
    }
}
