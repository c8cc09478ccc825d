//! Requests whose keys are changed in place: making new ones while measuring would measure their making.

use crate::endpoint::Endpoint;
use crate::records::key;
use crate::workload::Scene;
use serde_json::{Value, json};

/// A request that inserts new records each time it is sent.
#[derive(Clone)]
pub struct Template {
    /// The whole request.
    pub bytes: Vec<u8>,
    /// Where the digits of the keys stand.
    keys: Vec<usize>,
}

impl Template {
    /// An insert into a table of `count` records like those from `first` on.
    pub fn insert(endpoint: &Endpoint, scene: &Scene, first: u64, count: u64) -> Template {
        let Scene { database, table, seed, shape, .. } = scene;
        let records: Vec<Value> = (first..first + count).map(|number| shape.record(*seed, number)).collect();
        let body = json!({"operation": "insert", "database": database, "table": table, "records": records});
        let bytes = endpoint.request(body.to_string().as_bytes());
        let mut keys = Vec::with_capacity(records.len());
        let mut from = 0;
        for number in first..first + count {
            // Keys come in order, and nothing else looks like `"id":"r00000000"`.
            let wanted = format!("\"id\":\"{}\"", key(number));
            let at = find(&bytes[from..], wanted.as_bytes()).map_or(from, |at| from + at);
            keys.push(at + 7);
            from = at;
        }
        Template { bytes, keys }
    }

    /// How many records it has.
    pub fn records(&self) -> u64 {
        self.keys.len() as u64
    }

    /// Gives the records the keys from `first` on.
    pub fn set_keys(&mut self, first: u64) {
        for (number, at) in (first..).zip(&self.keys) {
            let mut rest = number;
            for digit in self.bytes[*at..*at + 8].iter_mut().rev() {
                *digit = b'0' + (rest % 10) as u8;
                rest /= 10;
            }
        }
    }
}

/// Where `wanted` stands in `bytes`.
pub fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_replaced() {
        let endpoint = Endpoint::new("http://h:1", "a:b").unwrap();
        let scene = Scene::new("d", "t", 1);
        let mut template = Template::insert(&endpoint, &scene, 10, 3);
        template.set_keys(12_345_678);
        let text = String::from_utf8(template.bytes.clone()).unwrap();
        let body: Value = serde_json::from_str(text.split("\r\n\r\n").nth(1).unwrap()).unwrap();
        assert_eq!(body["records"][0]["id"], "r12345678");
        assert_eq!(body["records"][2]["id"], "r12345680");
        assert_eq!(body["records"][2]["bio"], crate::records::record(1, 12)["bio"]);
        assert_eq!(template.records(), 3);
    }
}
