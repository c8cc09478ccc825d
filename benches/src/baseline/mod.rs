//! The reference server against what cannot be beaten: a bare hyper server for reading, plain LMDB for writing, and
//! plain limits for start and memory. Both sides of a ratio are measured in turn, in one run.

pub mod bare;
mod bulk;
mod search;
mod single;
mod start;

use crate::child::reference_server;
use crate::options::Options;
use crate::report::NOTE;
use crate::table::{Table, number, spread};
use anyhow::Context;
use serde::Serialize;
use std::path::PathBuf;

/// A part of the baselines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Part {
    /// The first answer after a start; memory.
    Start,
    /// search_by_id against bare hyper.
    Search,
    /// Bulk inserts against plain heed.
    Bulk,
    /// Single inserts against one sync per record.
    Single,
}

/// One figure and what it must be.
#[derive(Debug, Serialize)]
pub struct Figure {
    /// What was measured.
    pub what: String,
    /// The reference server's figure.
    pub server: f64,
    /// What it is held against, where that was measured too.
    pub baseline: Option<f64>,
    /// The figure itself or its ratio to the baseline, over the rounds.
    pub values: Vec<f64>,
    /// The bar; none where the figure is for information.
    pub bar: Option<Bar>,
    /// The unit of `server` and `baseline`.
    pub unit: &'static str,
}

/// What a figure must be.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bar {
    /// No less than this.
    AtLeast(f64),
    /// Below this.
    Below(f64),
}

impl Figure {
    /// A ratio of rates measured in turn.
    fn ratio(what: impl Into<String>, unit: &'static str, rounds: &[(f64, f64)], bar: Option<f64>) -> Figure {
        let server: Vec<f64> = rounds.iter().map(|(server, _)| *server).collect();
        let baseline: Vec<f64> = rounds.iter().map(|(_, baseline)| *baseline).collect();
        Figure {
            what: what.into(),
            server: spread(&server).0,
            baseline: Some(spread(&baseline).0),
            values: rounds.iter().map(|(server, baseline)| server / baseline).collect(),
            bar: bar.map(Bar::AtLeast),
            unit,
        }
    }

    /// Figures that stand for themselves.
    fn plain(what: impl Into<String>, unit: &'static str, values: Vec<f64>, bar: Option<f64>) -> Figure {
        let server = spread(&values).0;
        Figure { what: what.into(), server, baseline: None, values, bar: bar.map(Bar::Below), unit }
    }

    fn verdict(&self) -> &'static str {
        let median = spread(&self.values).0;
        match self.bar {
            None => "",
            Some(Bar::AtLeast(bar)) if median >= bar => "holds",
            Some(Bar::Below(bar)) if median < bar => "holds",
            Some(_) => "MISSED",
        }
    }
}

/// What the baselines need.
pub(crate) struct Setting {
    pub(crate) binary: PathBuf,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) seed: u64,
    pub(crate) records: u64,
    pub(crate) rounds: usize,
    pub(crate) seconds: f64,
}

/// Measures some parts, or all when none is named, and prints the figures.
///
/// # Errors
/// When something cannot be measured.
pub async fn run(options: &Options, parts: &[Part]) -> anyhow::Result<()> {
    let setting = Setting {
        binary: reference_server(options.server.as_deref())?,
        // Everything durable happens here: the system's folder for temporary files must be on a disk.
        folder: tempfile::Builder::new().prefix("operations-bench-").tempdir()?,
        seed: options.seed,
        records: options.records,
        rounds: options.rounds.max(1),
        seconds: options.seconds,
    };
    println!(
        "The reference server against its baselines; everything durable is under {}.",
        setting.folder.path().display()
    );
    let mut figures = Vec::new();
    for part in [Part::Start, Part::Search, Part::Bulk, Part::Single] {
        if parts.is_empty() || parts.contains(&part) {
            let measured = match part {
                Part::Start => start::figures(&setting).await,
                Part::Search => search::figures(&setting).await,
                Part::Bulk => bulk::figures(&setting).await,
                Part::Single => single::figures(&setting).await,
            };
            figures.extend(measured.with_context(|| format!("{part:?}"))?);
        }
    }
    println!("\n{}\n{NOTE}", text(&figures));
    if let Some(file) = &options.json {
        std::fs::write(file, serde_json::to_string_pretty(&figures)?)
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}

fn text(figures: &[Figure]) -> String {
    let mut table = Table::new(["", "server", "baseline", "unit", "ratio", "of rounds", "bar", ""]);
    for figure in figures {
        let (median, least, greatest) = spread(&figure.values);
        let ratio = figure.baseline.is_some();
        let shown = |value: f64| if ratio { format!("{value:.2}") } else { number(value) };
        table.row(vec![
            figure.what.clone(),
            number(figure.server),
            figure.baseline.map(number).unwrap_or_default(),
            figure.unit.to_owned(),
            if ratio { shown(median) } else { String::new() },
            format!("{}..{}", shown(least), shown(greatest)),
            match figure.bar {
                Some(Bar::AtLeast(bar)) => format!(">= {bar}"),
                Some(Bar::Below(bar)) => format!("< {bar}"),
                None => String::new(),
            },
            figure.verdict().to_owned(),
        ]);
    }
    table.text()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts() {
        let figure = |bar| Figure::ratio("x", "req/s", &[(1.0, 2.0), (3.0, 4.0), (1.0, 1.0)], bar);
        assert_eq!(figure(Some(0.75)).verdict(), "holds");
        assert_eq!(figure(Some(0.8)).verdict(), "MISSED");
        assert_eq!(figure(None).verdict(), "");
        assert_eq!(Figure::plain("y", "MB", vec![20.0], Some(30.0)).verdict(), "holds");
    }
}
