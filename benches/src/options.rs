//! The command line.

use crate::baseline::Part;
use crate::workload::Workload;
use clap::Parser;
use std::path::PathBuf;

/// Measures Operations API endpoints, alone or two side by side in turn.
#[derive(Clone, Debug, Parser)]
#[command(
    version,
    about,
    after_help = "Without --target this workspace's reference server is started and measured."
)]
pub struct Options {
    /// The endpoint to measure: http://host:port
    #[arg(long, value_name = "URL")]
    pub target: Option<String>,
    /// A second endpoint to measure in turn with the first
    #[arg(long, value_name = "URL")]
    pub against: Option<String>,
    /// Credentials of a super user of --target and --against
    #[arg(short, long, value_name = "USER:PASSWORD")]
    pub user: Option<String>,
    /// Credentials of --against, where they are others
    #[arg(long, value_name = "USER:PASSWORD")]
    pub against_user: Option<String>,
    /// How many connections at once; each number is measured
    #[arg(long, value_delimiter = ',', default_value = "1,16", value_name = "N,…")]
    pub connections: Vec<usize>,
    /// How long each round of each workload is measured, after a warm-up of a quarter of it
    #[arg(long, default_value_t = 2.0, value_name = "N")]
    pub seconds: f64,
    /// How many rounds
    #[arg(long, default_value_t = 3, value_name = "N")]
    pub rounds: usize,
    /// A workload to measure; may be given several times [default: all]
    #[arg(long = "workload", value_name = "NAME")]
    pub workloads: Vec<Workload>,
    /// How many records the table has
    #[arg(long, default_value_t = 50_000, value_name = "N")]
    pub records: u64,
    /// The seed of the records
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub seed: u64,
    /// Write everything measured as JSON to this file
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Measure the reference server against a bare hyper server and plain LMDB instead; all parts or those named
    #[arg(
        long,
        value_name = "PART,…",
        num_args = 0..,
        value_delimiter = ',',
        conflicts_with_all = ["target", "against", "workloads", "connections"]
    )]
    pub baseline: Option<Vec<Part>>,
    /// The reference server's program, instead of this workspace's
    #[arg(long, value_name = "FILE")]
    pub server: Option<PathBuf>,
    /// Serve recorded answers: the bare server of --baseline
    #[arg(long, value_name = "FILE", hide = true)]
    pub serve_recorded: Option<PathBuf>,
}
