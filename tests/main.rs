//! Journeys through the whole program, a file each.

mod config_files;
mod layers;
