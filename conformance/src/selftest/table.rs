//! The checked-in table: requirement, check, breakage.

use super::Breakage;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// How a requirement was seen to be checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The check that cites it: it passes, and fails with the breakage.
    pub check: String,
    /// What was broken.
    pub breakage: Breakage,
}

/// Requirement → row, and requirement → why there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// What was seen.
    pub rows: BTreeMap<String, Row>,
    /// What cannot be seen, with the reason.
    pub beyond: BTreeMap<String, String>,
}

impl Table {
    /// Reads a table. Lines are `requirement | check | breakage`, or `requirement | reason`.
    ///
    /// # Errors
    /// A sentence about the first line that is none of this.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut table = Table::default();
        for line in text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()) {
            let cells: Vec<&str> = line.split(" | ").map(str::trim).collect();
            match cells.as_slice() {
                [requirement, check, breakage] => {
                    let row = Row { check: (*check).to_owned(), breakage: breakage.parse()? };
                    table.rows.insert((*requirement).to_owned(), row);
                }
                [requirement, reason] => {
                    table.beyond.insert((*requirement).to_owned(), (*reason).to_owned());
                }
                _ => return Err(format!("'{line}' is no row")),
            }
        }
        Ok(table)
    }

    /// Writes the table, with a legend.
    pub fn to_text(&self) -> String {
        let mut out = String::from(
            "# For every requirement: a check that cites it, and a breakage with which that check failed; or, in two\n\
             # cells, why there is none. Made by `cargo test -p conformance --test evidence` with EVIDENCE=write, which\n\
             # keeps the rows that hold. The breakages:\n#\n",
        );
        for (word, meaning) in Breakage::WORDS {
            let _ = writeln!(out, "#   {word:<24}{}", meaning.trim());
        }
        out.push('\n');
        for (requirement, row) in &self.rows {
            let _ = writeln!(out, "{requirement} | {} | {}", row.check, row.breakage);
        }
        if !self.beyond.is_empty() {
            out.push_str("\n# Beyond what requests can show:\n\n");
            for (requirement, reason) in &self.beyond {
                let _ = writeln!(out, "{requirement} | {reason}");
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_read_as_it_is_written() {
        let mut table = Table::default();
        let row = Row { check: "a/b#c".into(), breakage: Breakage::Ignored("insert.table".into()) };
        table.rows.insert("NOSQL-INSERT-001".into(), row);
        table.beyond.insert("HTTP-AUTH-012".into(), "about the server's process".into());
        assert_eq!(Table::parse(&table.to_text()), Ok(table));
        assert!(Table::parse("a").is_err());
    }
}
