//! The API in a few lines: a table as a list of records, and what operations do to it and answer. It knows nothing of
//! indexes, pages or transactions, which is what makes it worth comparing with.

use super::draw::{ATTRIBUTES, Condition, Op, Write};
use serde_json::{Map, Value, json};
use std::cmp::Ordering;

/// A record: its attributes by name, the key under `id`.
type Record = Map<String, Value>;

/// What an operation must answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Value,
}

/// One table.
#[derive(Clone, Debug, Default)]
pub(super) struct Model {
    /// In key order.
    records: Vec<Record>,
}

impl Model {
    /// Does what an operation does and says what it must answer.
    pub(super) fn run(&mut self, op: &Op) -> Answer {
        let body = match op {
            Op::Write { how, records } => self.write(*how, records).told(*how, records.len()),
            Op::Load(load) => {
                let records = load.records();
                let written = self.write(load.how, &records).done.len();
                json!(format!("successfully loaded {written} of {} records", records.len()))
            }
            Op::BadUpdate(_) => {
                let text =
                    "a valid hash attribute must be provided with update record, check log for more info";
                return Answer { status: 400, body: json!({"error": text}) };
            }
            Op::Delete(keys) => {
                self.records.retain(|record| !keys.contains(key_of(record)));
                let word = if keys.len() == 1 { "record" } else { "records" };
                let message = format!("{0} of {0} {word} successfully deleted", keys.len());
                json!({"message": message, "deleted_hashes": keys, "skipped_hashes": []})
            }
            Op::ById(keys) => keys.iter().filter_map(|key| self.find(key)).map(shown).collect(),
            Op::ByValue { attribute, value } => self.which(|record| fits(record, attribute, value)),
            Op::Select { attribute, value } => {
                self.which(|record| record.get(*attribute).is_some_and(|stored| same(stored, value)))
            }
            Op::Page { descending, offset, limit } => {
                let mut all: Vec<Value> = self.records.iter().map(shown).collect();
                if *descending {
                    all.reverse();
                }
                all.into_iter().skip(*offset).take(*limit).collect()
            }
            Op::ByConditions { any, conditions } => self.which(|record| match any {
                true => conditions.iter().any(|condition| holds(record, condition)),
                false => conditions.iter().all(|condition| holds(record, condition)),
            }),
            Op::Count { sql: true } => json!([{"n": self.records.len()}]),
            Op::Count { sql: false } => json!({"record_count": self.records.len()}),
        };
        Answer { status: 200, body }
    }

    /// All records as a search shows them.
    pub(super) fn all(&self) -> Value {
        self.which(|_| true)
    }

    fn write(&mut self, how: Write, records: &[Record]) -> Written {
        let (mut done, mut skipped) = (Vec::new(), Vec::new());
        for record in records {
            let key = key_of(record).clone();
            let place = self.records.iter().position(|known| *key_of(known) == key);
            match (place, how) {
                (Some(at), Write::Update | Write::Upsert) => {
                    // Attributes that are named are replaced, the others kept.
                    self.records[at].extend(record.clone());
                    done.push(key);
                }
                (None, Write::Insert | Write::Upsert) => {
                    self.records.push(record.clone());
                    done.push(key);
                }
                (Some(_), Write::Insert) | (None, Write::Update) => skipped.push(key),
            }
        }
        self.records.sort_by(|a, b| compare(key_of(a), key_of(b)));
        Written { done, skipped }
    }

    fn find(&self, key: &Value) -> Option<&Record> {
        self.records.iter().find(|record| key_of(record) == key)
    }

    fn which(&self, wanted: impl Fn(&Record) -> bool) -> Value {
        self.records.iter().filter(|record| wanted(record)).map(shown).collect()
    }
}

/// The keys of what was written, and of what was not.
struct Written {
    done: Vec<Value>,
    skipped: Vec<Value>,
}

impl Written {
    fn told(self, how: Write, asked: usize) -> Value {
        let Written { done, skipped } = self;
        let (verb, list) = match how {
            Write::Insert => ("inserted", "inserted_hashes"),
            Write::Update => ("updated", "update_hashes"),
            Write::Upsert => ("upserted", "upserted_hashes"),
        };
        let message = format!("{verb} {} of {} records", done.len(), asked);
        match how {
            Write::Upsert => json!({"message": message, list: done}),
            _ => json!({"message": message, list: done, "skipped_hashes": skipped}),
        }
    }
}

fn key_of(record: &Record) -> &Value {
    record.get("id").unwrap_or(&Value::Null)
}

/// A record as a search shows it that names all attributes: null for those it lacks.
fn shown(record: &Record) -> Value {
    let names = ["id"].into_iter().chain(ATTRIBUTES);
    names.map(|name| (name.to_owned(), record.get(name).cloned().unwrap_or(Value::Null))).collect()
}

/// Equal, type and all; with a star at the end, strings that start with the rest.
fn fits(record: &Record, attribute: &str, value: &Value) -> bool {
    let stored = record.get(attribute);
    match value.as_str().and_then(|text| text.strip_suffix('*')) {
        Some(start) => stored.and_then(Value::as_str).is_some_and(|text| text.starts_with(start)),
        None => stored.is_some_and(|stored| same(stored, value)),
    }
}

fn holds(record: &Record, condition: &Condition) -> bool {
    // Objects are in no order.
    let Some(stored) = record.get(condition.attribute).filter(|value| !value.is_object()) else {
        return false;
    };
    let order = |value: &Value| compare(stored, value);
    match (condition.comparator, &condition.value) {
        ("equals", value) => same(stored, value),
        ("greater_than", value) => order(value).is_gt(),
        ("greater_than_equal", value) => order(value).is_ge(),
        ("between", Value::Array(ends)) => match ends.as_slice() {
            [low, high] => order(low).is_ge() && order(high).is_le(),
            _ => false,
        },
        ("starts_with", Value::String(start)) => stored.as_str().is_some_and(|text| text.starts_with(start)),
        _ => false,
    }
}

fn same(a: &Value, b: &Value) -> bool {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => a == b,
        _ => a == b,
    }
}

/// null < false < true < numbers < strings, strings by UTF-16 code units.
fn compare(a: &Value, b: &Value) -> Ordering {
    let rank = |value: &Value| match value {
        Value::Null => 0,
        Value::Bool(false) => 1,
        Value::Bool(true) => 2,
        Value::Number(_) => 3,
        _ => 4,
    };
    match (a, b) {
        (Value::Number(_), Value::Number(_)) => {
            a.as_f64().unwrap_or(0.0).total_cmp(&b.as_f64().unwrap_or(0.0))
        }
        (Value::String(a), Value::String(b)) => a.encode_utf16().cmp(b.encode_utf16()),
        _ => rank(a).cmp(&rank(b)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_examples_hold() {
        let mut model = Model::default();
        let record = |text: &str| serde_json::from_str::<Record>(text).unwrap_or_default();
        let insert = |records: Vec<Record>| Op::Write { how: Write::Insert, records };
        let first = model.run(&insert(vec![record(r#"{"id":1,"a":"x"}"#), record(r#"{"id":"1"}"#)]));
        assert_eq!(
            first.body,
            json!({"message": "inserted 2 of 2 records", "inserted_hashes": [1, "1"], "skipped_hashes": []})
        );
        let again = model.run(&insert(vec![record(r#"{"id":1,"a":"y"}"#)]));
        assert_eq!(
            again.body,
            json!({"message": "inserted 0 of 1 records", "inserted_hashes": [], "skipped_hashes": [1]})
        );
        assert_eq!(
            model.run(&Op::ById(vec![json!(1)])).body,
            json!([{"id": 1, "a": "x", "b": null, "c": null}])
        );
        let delete = model.run(&Op::Delete(vec![json!(9)]));
        assert_eq!(delete.body["message"], "1 of 1 record successfully deleted");
        assert_eq!(model.run(&Op::Count { sql: true }).body, json!([{"n": 2}]));
    }

    #[test]
    fn ranges_include_higher_types_and_never_null() {
        let stored = |value: Value| Record::from_iter([("a".to_owned(), value)]);
        let above = Condition { attribute: "a", comparator: "greater_than", value: json!(5) };
        assert!(holds(&stored(json!("")), &above) && holds(&stored(json!(6)), &above));
        for value in [json!(5), json!(null), json!(true), json!({"in": 7})] {
            assert!(!holds(&stored(value), &above));
        }
        assert!(!holds(&Record::new(), &above));
    }
}
