//! `config …`: what is configured, where it came from, and what is wrong with it.

use crate::base::fault::{Fault, Kind};
use crate::base::tier::Environment;
use crate::cli::args::ConfigCommand;
use crate::cli::output;
use crate::config;

/// Runs one subcommand.
pub fn run(inputs: config::Inputs, command: &ConfigCommand, as_json: bool) -> Result<(), Fault> {
    match command {
        ConfigCommand::Default { environment } => {
            let environment: Environment = environment.parse().map_err(Fault::bad_input)?;
            output::text(&config::default_file(environment));
        }
        ConfigCommand::Show => output::text(&config::show(&config::load(&inputs)?.view, as_json)),
        ConfigCommand::Check { strict } => {
            let loaded = config::load(&inputs)?;
            for warning in &loaded.warnings {
                eprintln!("warning: {warning}");
            }
            if *strict && !loaded.warnings.is_empty() {
                return Err(Fault::new(Kind::Config, format!("{} warnings, and --strict was asked", loaded.warnings.len())));
            }
            output::text("configuration is sound");
        }
    }
    Ok(())
}
