//! What the driver prints and writes.

use crate::compare::{Contestant, Line};
use crate::table::{Table, number};
use serde_json::{Value, json};

/// Said under every table: figures of one machine mean nothing on another.
pub const NOTE: &str =
    "Figures are of this machine, with the client on it; only ratios can be carried elsewhere.";

/// The results as a plain text table.
pub fn text(contestants: &[Contestant], lines: &[Line]) -> String {
    let mut table = match contestants {
        [_, _] => Table::new([
            "workload",
            "conns",
            "A req/s",
            "records/s",
            "median ms",
            "p99 ms",
            "B req/s",
            "records/s",
            "median ms",
            "p99 ms",
            "A/B",
            "of rounds",
        ]),
        _ => Table::new(["workload", "conns", "req/s", "records/s", "median ms", "p99 ms", "of rounds"]),
    };
    for line in lines {
        let mut cells = vec![line.workload.to_owned(), line.connections.to_string()];
        for measured in &line.measured {
            cells.push(number(measured.requests_per_second));
            cells.push(measured.records_per_second.map_or_else(|| "-".to_owned(), number));
            cells.push(format!("{:.3}", measured.median_ms));
            cells.push(format!("{:.3}", measured.p99_ms));
        }
        match (&line.ratio, line.measured.as_slice()) {
            (Some([median, least, greatest]), _) => {
                cells.push(format!("{median:.2}"));
                cells.push(format!("{least:.2}..{greatest:.2}"));
            }
            (None, [only]) => {
                let (_, least, greatest) = crate::table::spread(&only.rounds);
                cells.push(format!("{}..{}", number(least), number(greatest)));
            }
            _ => {}
        }
        table.row(cells);
    }
    table.text()
}

/// The results as JSON.
pub fn json(contestants: &[Contestant], loading: &[f64], lines: &[Line]) -> Value {
    let endpoints: Vec<Value> = contestants
        .iter()
        .zip(loading)
        .map(|(contestant, rate)| {
            json!({"endpoint": contestant.label, "records": contestant.scene().records, "loaded_records_per_second": rate})
        })
        .collect();
    json!({"endpoints": endpoints, "results": lines, "note": NOTE})
}
