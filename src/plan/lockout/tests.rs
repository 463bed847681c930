//! Four sites, edits that cut us off, edits that do not, and claims about single cases.

mod aside;
mod bench;
mod cases;
mod corpus;
mod gateways;
mod reading;
mod six;
