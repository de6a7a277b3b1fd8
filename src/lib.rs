//! gatehouse: an identity provider in one binary.
//!
//! The layers, each using only what stands to its right:
//!
//! ```text
//! http → protocol → domain → storage → model      (crypto and outbound: leaves beside model; jobs and cli: callers like http)
//! ```
//!
//! `ARCHITECTURE.md` is the map; `tests/it/tidy.rs` checks the arrows.

pub mod app;
pub mod cli;
pub mod config;
pub mod crypto;
pub mod domain;
pub mod http;
pub mod jobs;
pub mod model;
pub mod outbound;
pub mod protocol;
pub mod storage;
pub mod telemetry;
