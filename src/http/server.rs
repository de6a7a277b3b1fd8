//! The server itself: sockets, workers, time limits, and the way it stops.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;

use actix_web::dev::ServerHandle;
use actix_web::{HttpServer, web};

use super::{AppState, Part, app};
use crate::domain::Core;

/// A server that answers.
pub struct Server {
    state: web::Data<AppState>,
    listening: Vec<Listening>,
}

struct Listening {
    handle: ServerHandle,
    running: tokio::task::JoinHandle<io::Result<()>>,
}

/// Serves on a socket that listens already, and metrics on their own address where they have one.
///
/// # Errors
/// A socket can't be used.
pub fn serve(core: Arc<Core>, listener: TcpListener, metrics: Option<TcpListener>) -> io::Result<Server> {
    let workers = core.config.http.worker_threads();
    let state = web::Data::new(AppState::new(core));
    let mut listening = Vec::new();
    if let Some(metrics) = metrics {
        listening.push(listen(&state, Part::Metrics, metrics, 1)?);
    }
    listening.push(listen(&state, Part::Everything, listener, workers)?);
    Ok(Server { state, listening })
}

fn listen(state: &web::Data<AppState>, part: Part, listener: TcpListener, workers: usize) -> io::Result<Listening> {
    let config = &state.core.config.http;
    let shared = state.clone();
    let server = HttpServer::new(move || app(shared.clone(), part))
        .workers(workers)
        .keep_alive(config.keep_alive)
        .client_request_timeout(config.head_timeout)
        .max_connections(usize::try_from(config.max_connections).unwrap_or(usize::MAX))
        .shutdown_timeout(config.drain_timeout.as_secs().max(1))
        .tcp_nodelay(true)
        .disable_signals()
        .listen(listener)?
        .run();
    Ok(Listening { handle: server.handle(), running: tokio::spawn(server) })
}

impl Server {
    /// From now on `/readyz` says no, while requests are still answered.
    pub fn begin_draining(&self) {
        self.state.begin_draining();
    }

    /// Takes no more connections and waits for what is under way, `http.drain_timeout` at most.
    pub async fn stop(self) {
        self.state.begin_draining();
        for Listening { handle, running } in self.listening {
            handle.stop(true).await;
            if let Ok(Err(why)) = running.await {
                tracing::warn!(%why, "the server stopped with an error");
            }
        }
    }
}
