//! The program: reads its settings, starts the server, stops when told to.

use reference_server::system::handover::Inherited;
use std::process::ExitCode;

fn main() -> ExitCode {
    // First of all: there are no other threads yet.
    let inherited = Inherited::take();
    let matches = reference_server::command::command().get_matches();
    reference_server::logs::subscribe();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("reference-server: {error}");
            return ExitCode::from(2);
        }
    };
    match runtime.block_on(reference_server::command::run(&matches, inherited)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("reference-server: {error:#}");
            ExitCode::from(2)
        }
    }
}
