//! `update hand-over`: root's part of an update. The configuration says whose signature counts besides the built-in keys'.

use crate::base::fault::{Fault, Kind};
use crate::cli::args::UpdateCommand;
use crate::config::{self, Inputs};
use crate::store;
use crate::update::manifest::Here;
use crate::update::root;
use crate::update::signature::Keys;
use crate::update::swap::Layout;

/// Runs one subcommand.
pub fn run(inputs: &Inputs, command: UpdateCommand) -> Result<(), Fault> {
    let UpdateCommand::HandOver { versions, requests } = command;
    let settings = config::load(inputs)?.config.update;
    let keys = Keys::built_in()?.with(&settings.public_keys)?;
    if keys.is_empty() {
        return Err(Fault::new(Kind::Config, "nobody's signature counts: this build has no key, and update.public_keys names none"));
    }
    let here = Here {
        version: env!("CARGO_PKG_VERSION").into(),
        target: self_update::get_target().into(),
        channel: settings.channel,
        store_schema: store::SCHEMA,
    };
    Ok(root::answer(&Layout { root: versions }, &requests, &keys, &here)?)
}
