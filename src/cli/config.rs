//! `config …`: what is configured, where it came from, and what is wrong with it.

use crate::base::fault::Fault;
use crate::base::tier::Environment;
use crate::cli::args::ConfigCommand;
use crate::cli::{check, output};
use crate::config;

/// Runs one subcommand.
pub fn run(inputs: config::Inputs, command: &ConfigCommand, as_json: bool) -> Result<(), Fault> {
    match command {
        ConfigCommand::Default { environment } => {
            let environment: Environment = environment.parse().map_err(Fault::bad_input)?;
            if as_json {
                output::json(&config::defaults(environment));
            } else {
                output::text(&config::default_file(environment));
            }
        }
        ConfigCommand::Show => output::text(&config::show(&config::load(&inputs)?.view, as_json)),
        ConfigCommand::Check { strict } => {
            let loaded = config::load(&inputs)?;
            check::known_tools(&loaded)?;
            let warnings: Vec<String> = loaded.warnings.iter().map(ToString::to_string).collect();
            check::report(&warnings, *strict, as_json)?;
        }
    }
    Ok(())
}
