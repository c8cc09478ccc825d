//! Records as CSV text: cells, what is stored for each, and how a text is written.

use super::draw::{ATTRIBUTES, Write};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// A text to be loaded.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Load {
    pub(super) how: Write,
    /// Every cell in quotes, also those that need none.
    quoted: bool,
    rows: Vec<Vec<Cell>>,
}

/// What stands in the text, and what is stored.
#[derive(Clone, Debug, PartialEq)]
struct Cell {
    text: &'static str,
    value: Value,
}

/// Loads of few records, whose keys occur once.
pub(super) fn loads(how: impl Strategy<Value = Write>) -> impl Strategy<Value = Load> {
    let row = (
        prop::sample::select(keys()),
        prop::collection::vec(prop::sample::select(cells()), ATTRIBUTES.len()),
    );
    let rows = prop::collection::vec(row, 1..=5).prop_map(|drawn| {
        let mut rows: Vec<Vec<Cell>> = Vec::new();
        for (key, cells) in drawn {
            if !rows.iter().any(|row| row.first().is_some_and(|known| known.value == key.value)) {
                rows.push(std::iter::once(key).chain(cells).collect());
            }
        }
        rows
    });
    (how, any::<bool>(), rows).prop_map(|(how, quoted, rows)| Load { how, quoted, rows })
}

fn same(text: &'static str) -> Cell {
    Cell { text, value: json!(text) }
}

fn read_as(text: &'static str, value: Value) -> Cell {
    Cell { text, value }
}

fn keys() -> Vec<Cell> {
    let numbers =
        [("1", json!(1)), ("2", json!(2)), ("-3", json!(-3)), ("2.5", json!(2.5)), ("+4", json!(4))];
    let texts = ["a", "a/b", "ü", "Z", "0042", "1e5"];
    numbers.into_iter().map(|(text, value)| read_as(text, value)).chain(texts.map(same)).collect()
}

fn cells() -> Vec<Cell> {
    let read = [
        ("1", json!(1)),
        ("-2", json!(-2)),
        ("+4", json!(4)),
        ("12.50", json!(12.5)),
        (".5", json!(0.5)),
        ("3.", json!(3)),
        ("0", json!(0)),
        ("true", json!(true)),
        ("FALSE", json!(false)),
        ("null", Value::Null),
        ("NULL", Value::Null),
        ("undefined", Value::Null),
    ];
    let texts = [
        "",
        "a",
        "ab",
        "Abc",
        "ß",
        "007",
        "1e5",
        "0x1F",
        "1 000",
        "True",
        "Null",
        " sp ",
        "a,b",
        "say \"x\"",
        "two\nlines",
        "{\"k\":1}",
        "[1]",
        "2024-05-06",
    ];
    texts.map(same).into_iter().chain(read.map(|(text, value)| read_as(text, value))).collect()
}

impl Load {
    pub(super) fn action(&self) -> &'static str {
        match self.how {
            Write::Insert => "insert",
            Write::Update => "update",
            Write::Upsert => "upsert",
        }
    }

    /// The text.
    pub(super) fn text(&self) -> String {
        let cell = |text: &str| {
            let needs = text.contains([',', '"', '\n']);
            if needs || self.quoted { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
        };
        let header: Vec<String> = ["id"].into_iter().chain(ATTRIBUTES).map(cell).collect();
        let mut lines = vec![header.join(",")];
        lines.extend(
            self.rows.iter().map(|row| row.iter().map(|c| cell(c.text)).collect::<Vec<_>>().join(",")),
        );
        lines.join("\n") + "\n"
    }

    /// The records that it says.
    pub(super) fn records(&self) -> Vec<Map<String, Value>> {
        let record = |row: &Vec<Cell>| {
            let names = ["id"].into_iter().chain(ATTRIBUTES);
            names.zip(row).map(|(name, cell)| (name.to_owned(), cell.value.clone())).collect()
        };
        self.rows.iter().map(record).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_load_says_its_records() {
        let cell = |text| cells().into_iter().find(|cell| cell.text == text).unwrap();
        let key = keys().into_iter().find(|key| key.text == "+4").unwrap();
        let rows = vec![vec![key, cell("say \"x\""), cell(""), cell("null")]];
        let load = Load { how: Write::Upsert, quoted: false, rows };
        assert_eq!(load.text(), "id,a,b,c\n+4,\"say \"\"x\"\"\",,null\n");
        let records = serde_json::to_value(load.records()).unwrap();
        assert_eq!(records, json!([{"id": 4, "a": "say \"x\"", "b": "", "c": null}]));
        assert!(Load { quoted: true, ..load }.text().starts_with("\"id\",\"a\""));
    }
}
