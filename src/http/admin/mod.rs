//! What the operator uses: the admin API, and the pages over it.

pub mod api;
pub mod events;
pub mod openapi;
pub mod pages;
pub mod routes;
pub mod session;
pub mod signed;
