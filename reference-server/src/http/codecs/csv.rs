//! text/csv: a header line of quoted names, then one line per record; strings quoted, numbers and booleans bare,
//! null and absent empty, arrays and objects as quoted JSON text.

use super::super::body::Body;
use super::{records, value_of};
use crate::operations::Reply;
use crate::value::{Object, Value, push_csv_cell, push_csv_text};
use indexmap::IndexSet;

/// Values that are no objects stand in a column of this name.
const SOLE_COLUMN: &str = "value";

/// An answer as a table.
pub(super) fn encode(reply: Reply) -> Body {
    match reply {
        Reply::Rows(rows) => {
            let columns = rows.columns;
            Body::Streamed(table(columns, &records(rows.content)).into())
        }
        other => match value_of(other) {
            Value::Array(rows) => table(None, &rows).into(),
            single => table(None, &[single]).into(),
        },
    }
}

fn table(columns: Option<Vec<String>>, rows: &[Value]) -> Vec<u8> {
    let columns = columns.unwrap_or_else(|| names(rows));
    let mut out = String::with_capacity(64 * (rows.len() + 1));
    for (position, name) in columns.iter().enumerate() {
        if position > 0 {
            out.push(',');
        }
        if fault!("csv-columns-bare") {
            out.push_str(name);
        } else {
            push_csv_text(&mut out, name);
        }
    }
    for row in rows {
        out.push('\n');
        for (position, name) in columns.iter().enumerate() {
            if position > 0 {
                out.push(',');
            }
            push_csv_cell(&mut out, cell(row, name));
        }
    }
    if fault!("csv-ends-in-a-line") {
        out.push('\n');
    }
    out.into_bytes()
}

/// The names of all members, in the order in which they first appear.
fn names(rows: &[Value]) -> Vec<String> {
    let mut names = IndexSet::new();
    for row in rows {
        match row {
            Value::Object(members) => names.extend(members.keys().map(String::as_str)),
            _ => drop(names.insert(SOLE_COLUMN)),
        }
    }
    names.into_iter().map(str::to_owned).collect()
}

fn cell<'a>(row: &'a Value, name: &str) -> Option<&'a Value> {
    match row {
        Value::Object(members) => member(members, name),
        other => (name == SOLE_COLUMN).then_some(other),
    }
}

fn member<'a>(members: &'a Object, name: &str) -> Option<&'a Value> {
    members.get(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::parse_json;

    fn csv(columns: Option<&[&str]>, json: &str) -> String {
        let rows = match parse_json(json.as_bytes()) {
            Ok(Value::Array(rows)) => rows,
            Ok(single) => vec![single],
            Err(error) => panic!("{error}"),
        };
        let columns = columns.map(|names| names.iter().map(|&name| name.to_owned()).collect());
        String::from_utf8(table(columns, &rows)).unwrap()
    }

    #[test]
    fn rows_under_the_columns_asked_for() {
        assert_eq!(
            csv(
                Some(&["id", "name", "n", "tags", "o"]),
                r#"[{"id":1,"name":"Ann, \"the Ace\"","n":1.5,"tags":["a","b"],"o":{"k":1}},{"id":2,"name":"Bjørn","n":null}]"#
            ),
            "\"id\",\"name\",\"n\",\"tags\",\"o\"\n1,\"Ann, \"\"the Ace\"\"\",1.5,\"[\"\"a\"\",\"\"b\"\"]\",\"{\"\"k\"\":1}\"\n2,\"Bjørn\",,,"
        );
        assert_eq!(csv(Some(&["id", "x"]), "[]"), "\"id\",\"x\"");
    }

    #[test]
    fn a_single_object_is_one_row() {
        assert_eq!(
            csv(None, r#"{"message":"inserted 1 of 1 records","inserted_hashes":[3],"skipped_hashes":[]}"#),
            "\"message\",\"inserted_hashes\",\"skipped_hashes\"\n\"inserted 1 of 1 records\",\"[3]\",\"[]\""
        );
        assert_eq!(csv(None, r#"{"error":"no"}"#), "\"error\"\n\"no\"");
    }

    #[test]
    fn records_of_different_shape_share_a_header() {
        assert_eq!(csv(None, r#"[{"a":1},{"b":true},7]"#), "\"a\",\"b\",\"value\"\n1,,\n,true,\n,,7");
        assert_eq!(csv(None, "[]"), "");
    }
}
