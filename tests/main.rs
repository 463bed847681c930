//! Journeys through the whole program, a file each.

mod layers;
mod menus_facts;
mod rest_client;
