//! Options, subcommands, progress, and where reports go.

mod baselines;
mod embedded;
mod list;
mod live;
mod reach;
mod record;
mod signals;
mod spawn;
mod tested;

use anyhow::{Context as _, bail};
use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};
use conformance::cluster::Node;
use conformance::event::Event;
use conformance::report::{badge, html, json, junit, markdown, terminal};
use conformance::scenario::Errors;
use conformance::sets::Set;
use conformance::{Options, Profile, Sink, Stop};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use reach::ReachArgs;
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// Says, requirement by requirement, whether an endpoint speaks the Operations API.
#[derive(Debug, Parser)]
#[command(name = "conformance", version, args_conflicts_with_subcommands = true)]
#[command(
    after_help = "Exit status: 0 everything required passed; 1 something failed; 2 the run could not be done, or was cut off before anything failed."
)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: RunArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the checks.
    List {
        #[command(flatten)]
        choice: ChoiceArgs,
        /// List requirements and how many checks bear on each.
        #[arg(long)]
        requirements: bool,
    },
    /// Show a scenario, a check or a requirement.
    Show {
        /// Its id.
        id: String,
    },
    /// Show who may call what: every operation by every kind of role.
    Matrix,
    /// Compare two reports (json=FILE or events=FILE of two runs): what got worse, better, or is no longer checked.
    Compare {
        /// The report of the earlier run.
        before: PathBuf,
        /// The report of the later run.
        after: PathBuf,
    },
    /// Tell one scenario file, such as a kept failing program, to an endpoint.
    Replay {
        /// The file.
        file: PathBuf,
        /// The endpoint.
        url: String,
        #[command(flatten)]
        reach: ReachArgs,
    },
    /// Run the checks' requests on two live endpoints and show where the second answers otherwise than the first.
    Diff {
        /// The first endpoint.
        first: String,
        /// The second.
        second: String,
        #[command(flatten)]
        choice: ChoiceArgs,
        #[command(flatten)]
        reach: ReachArgs,
        /// Show requests and answers.
        #[arg(short, long)]
        verbose: bool,
    },
    /// Say which product, and which version of it, an endpoint behaves like, and why. Nothing is changed there.
    /// Exit status: 0 one fits best; 1 none does; 2 it does not answer.
    Identify {
        /// The endpoint.
        url: String,
        /// As JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        reach: ReachArgs,
    },
    /// Stand between a client and an endpoint until interrupted, and write what was asked and answered as a scenario
    /// for `replay`: values of the one run as tokens, and no secrets.
    Record(record::RecordArgs),
    /// List the frozen sets of requirements, or what one of them demands.
    Requirements {
        /// The set.
        set: Option<String>,
    },
    /// Remove what runs that were cut off left on an endpoint: databases, users, roles and components whose names bear
    /// the mark of a run. Without --yes they are only listed.
    Sweep {
        /// The endpoint.
        url: String,
        /// Only what this run left: the four characters in its names.
        #[arg(long, value_name = "RUN")]
        run: Option<String>,
        /// Remove them.
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        reach: ReachArgs,
    },
    /// Print the completions of a shell.
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
    /// Print the manual page.
    Man,
    /// Count what comparisons leave out, by kind, with the reasons that the scenarios give.
    Audit {
        /// Show every reason, and every step without one.
        #[arg(short, long)]
        verbose: bool,
    },
    /// Try the suite on servers that are wrong on purpose: does it notice?
    SelfTest {
        /// Only this fault.
        #[arg(long, value_name = "NAME")]
        fault: Vec<String>,
        /// List the faults.
        #[arg(long)]
        list: bool,
    },
    /// The built-in server as a program of its own, with its own flags: what a run kills.
    #[command(hide = true)]
    BuiltInServer {
        /// The server's flags.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        flags: Vec<String>,
    },
    /// Turn recorded exchanges into scenarios.
    #[command(hide = true)]
    Import {
        /// The folder of recordings, with a folder per category.
        from: PathBuf,
        /// The folder of scenarios.
        to: PathBuf,
    },
    /// Count the scenarios in a folder and write its manifest.
    #[command(hide = true)]
    Seal {
        /// The folder of scenarios.
        folder: PathBuf,
    },
}

#[derive(Debug, Args)]
struct ChoiceArgs {
    /// Only checks whose id contains TEXT, or whose operation or requirement is TEXT.
    #[arg(long, value_name = "TEXT")]
    only: Vec<String>,
    /// Only checks of this category.
    #[arg(long, value_name = "NAME")]
    category: Vec<String>,
    /// How much is demanded: statuses and shapes; exact texts; also what was never documented.
    #[arg(long, value_enum, default_value_t = Profile::Full)]
    profile: Profile,
}

#[derive(Debug, Args)]
struct RunArgs {
    /// The endpoint: http://host:port, https://host:port or unix:/path. Without it the built-in server is tested.
    url: Option<String>,
    #[command(flatten)]
    reach: ReachArgs,
    #[command(flatten)]
    spawn: spawn::SpawnArgs,
    #[command(flatten)]
    choice: ChoiceArgs,
    /// How strictly the answers to refused requests are compared: by status, also by media type and shape (kind), also
    /// by their texts (wording). By default kind in the profile core, wording in full and strict.
    #[arg(long, value_enum, value_name = "LEVEL")]
    errors: Option<Errors>,
    /// Demand a frozen set of requirements (`requirements` lists them) in place of all there are now: what the contract
    /// gained since then is not tried, and each counts as binding as it was then.
    #[arg(long, value_name = "SET")]
    requirements: Option<String>,
    /// How many stories are told at once.
    #[arg(long, default_value_t = 8, value_name = "N")]
    jobs: usize,
    /// How long, in milliseconds, to wait for changes of structure, users and roles to become visible.
    #[arg(long, value_name = "MS")]
    settle: Option<u64>,
    /// What the random programs are drawn from; a report names it.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// How many random programs to run.
    #[arg(long, value_name = "N", default_value_t = conformance::programs::DEFAULT)]
    programs: usize,
    /// Where programs that fail are kept, for `replay`.
    #[arg(long, value_name = "FOLDER", default_value = "conformance-failures")]
    failures: PathBuf,
    /// Say what the endpoint is set up for, so that scenarios that need it are told: fresh (a throw-away
    /// instance as it was installed: it may be restarted and reconfigured), quick-restart (no request is refused meanwhile:
    /// restarts are not waited for), http2, cors-off, cors-list, authorize-local, sessions-off, brief-refresh-tokens (they
    /// live one second), before-4-4 (clustering in the form before 4.4 is enabled).
    #[arg(long, value_name = "NAME")]
    with: Vec<String>,
    /// The name or address by which the endpoint reaches this machine: CSV files are served there. Not needed for an
    /// endpoint on this machine.
    #[arg(long, value_name = "HOST")]
    reachable: Option<String>,
    /// Serve a store of objects on this port. The endpoint was started with AWS_ENDPOINT_URL_S3=http://HOST:PORT.
    #[arg(long, value_name = "PORT")]
    s3: Option<u16>,
    /// Another node of the endpoint's cluster (repeatable), http://host:port. Behind a comma, where nodes reach it
    /// (wss://host:port): the nodes are then joined and parted as the checks need it, and left as they were found.
    /// Without a URL of the endpoint, nodes of the built-in server are started instead.
    #[arg(long, value_name = "URL[,URL]")]
    node: Vec<String>,
    /// Use the shared database 'data' even when it holds tables.
    #[arg(long)]
    take_data: bool,
    /// How many random cases of each property are tried.
    #[arg(long, value_name = "N", default_value_t = conformance::runner::CASES)]
    cases: u32,
    /// Known divergences of a product: a file, or the name of a list that comes with this program. What is listed may
    /// fail; what is listed and passes is reported as stale.
    #[arg(long, value_name = "NAME|FILE")]
    baseline: Option<String>,
    /// Write the smallest list of known divergences with which this run would have succeeded.
    #[arg(long, value_name = "FILE")]
    write_baseline: Option<PathBuf>,
    /// Write a report: html=FILE, markdown=FILE, badge=FILE, json=FILE, junit=FILE or events=FILE.
    #[arg(long, value_name = "KIND=FILE")]
    report: Vec<String>,
    /// Colours in the report.
    #[arg(long, value_enum, default_value_t = Color::Auto)]
    color: Color,
    /// Say only how it ended.
    #[arg(short, long, conflicts_with = "verbose")]
    quiet: bool,
    /// Say everything.
    #[arg(short, long)]
    verbose: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Color {
    Auto,
    Always,
    Never,
}

/// The status of a run that could not be done.
const COULD_NOT: u8 = 2;

pub(crate) fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match cli.command {
        Some(Command::List { choice, requirements: false }) => list::checks(&options(&choice)),
        Some(Command::List { choice, requirements: true }) => list::requirements(&options(&choice)),
        Some(Command::Show { id }) => list::show(&id),
        Some(Command::Matrix) => list::matrix(),
        Some(Command::Audit { verbose }) => list::audit(verbose),
        Some(Command::SelfTest { fault, list }) => live::wait_for(embedded::self_test(&fault, list)),
        Some(Command::BuiltInServer { flags }) => live::wait_for(embedded::serve(&flags)),
        Some(Command::Import { from, to }) => conformance::import::run(&from, &to).map(|text| {
            println!("{text}");
            0
        }),
        Some(Command::Seal { folder }) => conformance::import::seal(&folder).map(|text| {
            println!("{text}");
            0
        }),
        Some(Command::Compare { before, after }) => baselines::compare(&before, &after),
        Some(Command::Replay { file, url, reach }) => live::replay(&file, &url, &reach),
        Some(Command::Diff { first, second, choice, reach, verbose }) => {
            live::diff([&first, &second], options(&choice), &reach, verbose)
        }
        Some(Command::Identify { url, json, reach }) => live::identify(&url, &reach, json),
        Some(Command::Record(args)) => live::wait_for(record::record(&args)),
        Some(Command::Requirements { set }) => list::set(set.as_deref()),
        Some(Command::Sweep { url, run, yes, reach }) => live::sweep(&url, run.as_deref(), yes, &reach),
        Some(Command::Completions { shell }) => {
            clap_complete::generate(shell, &mut Cli::command(), "conformance", &mut std::io::stdout());
            Ok(0)
        }
        Some(Command::Man) => clap_mangen::Man::new(Cli::command())
            .render(&mut std::io::stdout())
            .map(|()| 0)
            .map_err(anyhow::Error::from),
        None => run(&cli.run),
    };
    match outcome {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            eprintln!("conformance: {error:#}");
            ExitCode::from(COULD_NOT)
        }
    }
}

fn options(choice: &ChoiceArgs) -> Options {
    Options {
        profile: choice.profile,
        only: choice.only.clone(),
        categories: choice.category.clone(),
        ..Options::default()
    }
}

/// A report to write: what kind, and where.
fn report_of(text: &str) -> anyhow::Result<(&str, PathBuf)> {
    match text.split_once('=') {
        Some((kind @ ("html" | "markdown" | "badge" | "json" | "junit" | "events"), file))
            if !file.is_empty() =>
        {
            Ok((kind, PathBuf::from(file)))
        }
        _ => {
            bail!("--report takes KIND=FILE with html, markdown, badge, json, junit or events, not '{text}'")
        }
    }
}

fn run(args: &RunArgs) -> anyhow::Result<u8> {
    let reports = args.report.iter().map(|text| report_of(text)).collect::<anyhow::Result<Vec<_>>>()?;
    let runtime = live::runtime()?;
    let report = runtime.block_on(start(args))?;
    for (kind, file) in reports {
        let text = match kind {
            "html" => html::document(&report.events),
            "markdown" => markdown::document(&report.events),
            "badge" => badge::document(&report.events),
            "json" => json::document(&report.events)?,
            "junit" => junit::document(&report.events)?,
            _ => json::lines(&report.events)?,
        };
        std::fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    if let Some(file) = &args.write_baseline {
        let text = conformance::baseline::write(&report.events)?;
        std::fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    let color = match args.color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none(),
    };
    let detail = match (args.quiet, args.verbose) {
        (true, _) => terminal::Detail::Quiet,
        (_, true) => terminal::Detail::Verbose,
        _ => terminal::Detail::Normal,
    };
    print!("{}", terminal::render(&report.events, terminal::Look { detail, color }));
    Ok(report.exit_status())
}

fn node(text: &str, reach: &ReachArgs) -> anyhow::Result<Node> {
    let (address, url) = match text.split_once(',') {
        Some((address, url)) => (address, Some(url.to_owned())),
        None => (text, None),
    };
    Ok(Node { target: reach.target(address)?, url, instance: None })
}

async fn start(args: &RunArgs) -> anyhow::Result<conformance::Report> {
    let mut options = Options {
        jobs: args.jobs,
        cases: args.cases,
        settle: args.settle.map(Duration::from_millis),
        with: args.with.clone(),
        reachable: args.reachable.clone(),
        store_port: args.s3,
        take_data: args.take_data,
        nodes: args.node.iter().map(|text| node(text, &args.reach)).collect::<anyhow::Result<_>>()?,
        seed: args.seed.unwrap_or_else(|| Options::default().seed),
        programs: args.programs,
        failures: Some(args.failures.clone()),
        baseline: baselines::read(args.baseline.as_deref())?,
        errors: args.errors,
        set: args.requirements.as_deref().map(Set::by_name).transpose()?.map(Arc::new),
        kills: args.spawn.kills,
        ..options(&args.choice)
    };
    let (stop, spawned) = (Stop::default(), signals::Slot::default());
    signals::watch(stop.clone(), Arc::clone(&spawned))?;
    // Its server, if it has one of its own, lives as long as this value.
    let tested = tokio::select! {
        tested = tested::Tested::start(args, &mut options) => tested?,
        () = signals::stopped(&stop) => bail!("it was interrupted before the target was ready"),
    };
    if let Some(target) = &options.spawned {
        let _ = spawned.set(Arc::clone(target));
    }
    let (bar, sink) = progress(args.quiet);
    let report = conformance::run_with(tested.target.clone(), options, sink, stop).await;
    bar.finish_and_clear();
    Ok(report)
}

/// A progress bar on a terminal, nothing elsewhere.
fn progress(quiet: bool) -> (ProgressBar, Sink) {
    let shown = std::io::stderr().is_terminal() && !quiet;
    let bar = if shown {
        ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr())
    } else {
        ProgressBar::hidden()
    };
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} checks  {elapsed}  {msg}") {
        bar.set_style(style);
    }
    let sink_bar = bar.clone();
    let sink: Sink = Arc::new(move |event: &Event| match event {
        Event::Planned(planned) => sink_bar.set_length(planned.chosen as u64),
        Event::Checked(check) => {
            sink_bar.inc(1);
            if check.verdict.spoils() {
                sink_bar.set_message(format!("{} {}", check.verdict.word(), check.id));
            }
        }
        _ => {}
    });
    (bar, sink)
}
