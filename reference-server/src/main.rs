//! The program: reads its settings, starts the server, stops when told to.

use std::process::ExitCode;

fn main() -> ExitCode {
    let matches = reference_server::command::command().get_matches();
    reference_server::logs::subscribe();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("reference-server: {error}");
            return ExitCode::from(2);
        }
    };
    match runtime.block_on(reference_server::command::run(&matches)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("reference-server: {error:#}");
            ExitCode::from(2)
        }
    }
}
