//! Journeys through the whole program, a file each.

mod layers;
mod menus_facts;
