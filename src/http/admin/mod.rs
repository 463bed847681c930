//! What the operator uses: the admin API, and the pages over it.

pub mod api;
pub mod openapi;
pub mod routes;
pub mod session;
pub mod signed;
