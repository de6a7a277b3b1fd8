//! Everything that names actix: the list of what is served, what every request passes through,
//! and the surfaces.
//!
//! A handler is four lines of work: who, parse, call, shape. Rules live in `domain`.

mod bearer;
mod body;
mod browser;
mod call;
mod caller;
mod cors;
mod documents;
mod edge;
mod faces;
mod fallback;
mod fields;
mod health;
mod limit;
mod locale;
pub mod mount;
mod oauth;
mod openapi;
mod origin;
mod pages;
mod path;
mod query;
mod server;
mod shape;
mod statics;
mod trace;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::dev::{Service as _, ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::{App, web};

use crate::domain::Core;

pub use openapi::openapi;
pub use server::{Server, serve};

/// What every handler can reach. One per process, shared by the workers.
pub struct AppState {
    /// What the verbs run on.
    pub core: Arc<Core>,
    /// How often one address may try.
    limits: limit::Limits,
    /// Set once the process has been told to stop.
    draining: AtomicBool,
    /// Makes request ids.
    request_ids: trace::RequestIds,
    /// What is rendered once.
    documents: documents::Documents,
}

impl AppState {
    /// The state of one application.
    #[must_use]
    pub fn new(core: Arc<Core>) -> Self {
        Self {
            limits: limit::Limits::new(&core.config.limits, Arc::clone(&core.metrics)),
            draining: AtomicBool::new(false),
            request_ids: trace::RequestIds::new(&*core.entropy),
            documents: documents::Documents::default(),
            core,
        }
    }

    /// From now on `/readyz` says no, and connections end with the answer under way.
    pub fn begin_draining(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Whether the process has been told to stop.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}

/// What an application of ours serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Everything; `/metrics` only where it has no address of its own.
    Everything,
    /// `/metrics` alone.
    Metrics,
}

/// The application, as one worker runs it.
pub fn app(
    state: web::Data<AppState>,
    part: Part,
) -> App<
    impl ServiceFactory<ServiceRequest, Config = (), Response = ServiceResponse, Error = actix_web::Error, InitError = ()>,
> {
    let edge = state.clone();
    let endpoints = match part {
        Part::Everything if state.core.config.http.metrics_bind.is_none() => mount::routes(),
        Part::Everything => mount::routes_without_metrics(),
        Part::Metrics => health::metrics_endpoints(),
    };
    App::new()
        .app_data(state)
        .configure(move |cfg| mount::mount(cfg, endpoints))
        .wrap_fn(move |request, next| edge::answer(&edge, request, |request| next.call(request)))
}
