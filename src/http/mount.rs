//! The one list of what is served, in order, as data. Routes, the OpenAPI document, the route
//! snapshot and the tests with bad input all come from it.

use actix_web::http::Method;
use actix_web::{Route, web};
use utoipa::openapi::path::{HttpMethod, Operation};
use utoipa::openapi::{RefOr, Schema};

pub use super::cors::{Cors, OriginCheck};
use super::{cors, faces, fallback, health, oauth, pages, statics};
use crate::telemetry::Surface;

/// The schemas that an operation names, to be collected.
type Schemas = Vec<(String, RefOr<Schema>)>;

/// One method of one path.
#[derive(Clone)]
pub struct Endpoint {
    /// The method; `HEAD` goes with `GET` unasked.
    pub method: Method,
    /// The path, as actix and OpenAPI both write it: `/v1/users/{id}`.
    pub path: String,
    /// Which part of the whole it belongs to.
    pub surface: Surface,
    /// `file.handler`, unique in its surface.
    pub name: &'static str,
    /// Whether it exists under `/t/{tenant_id}` too.
    pub per_tenant: bool,
    /// Whether it stands in the OpenAPI document.
    pub documented: bool,
    /// Who may read its answers from another origin.
    pub cors: Cors,
    /// Its description for OpenAPI.
    pub operation: fn() -> Operation,
    pub(super) schemas: fn(&mut Schemas),
    route: fn() -> Route,
}

impl Endpoint {
    /// What a handler with `#[utoipa::path]` serves: one endpoint for each of its methods.
    pub fn of<P>(surface: Surface, name: &'static str, route: fn() -> Route) -> Vec<Self>
    where
        P: utoipa::Path + utoipa::__dev::SchemaReferences,
    {
        let endpoint = |http_method: HttpMethod| Self {
            method: method(&http_method),
            path: P::path(),
            surface,
            name,
            per_tenant: false,
            documented: true,
            cors: Cors::Nobody,
            operation: P::operation,
            schemas: P::schemas,
            route,
        };
        P::methods().into_iter().map(endpoint).collect()
    }

    /// It exists under `/t/{tenant_id}` too.
    #[must_use]
    pub fn per_tenant(mut self) -> Self {
        self.per_tenant = true;
        self
    }

    /// It is no part of the OpenAPI document.
    #[must_use]
    pub fn undocumented(mut self) -> Self {
        self.documented = false;
        self
    }

    /// Who may read its answers from another origin.
    #[must_use]
    pub fn cors(mut self, cors: Cors) -> Self {
        self.cors = cors;
        self
    }
}

fn method(method: &HttpMethod) -> Method {
    match method {
        HttpMethod::Get => Method::GET,
        HttpMethod::Post => Method::POST,
        HttpMethod::Put => Method::PUT,
        HttpMethod::Delete => Method::DELETE,
        HttpMethod::Options => Method::OPTIONS,
        HttpMethod::Head => Method::HEAD,
        HttpMethod::Patch => Method::PATCH,
        HttpMethod::Trace => Method::TRACE,
    }
}

/// `endpoints![Surface::Idaas; users::register, users::login]`: the endpoints of handlers that carry
/// `#[utoipa::path]`, in this order. With `Surface::Rbac, around;` each runs inside `around(call, handler)`.
macro_rules! endpoints {
    ($surface:expr; $($file:ident::$handler:ident),+ $(,)?) => {
        $crate::http::mount::endpoints!(@all $surface; $($file::$handler, actix_web::web::to($file::$handler));+)
    };
    ($surface:expr, $around:ident; $($file:ident::$handler:ident),+ $(,)?) => {
        $crate::http::mount::endpoints!(@all $surface; $(
            $file::$handler,
            actix_web::web::to(|call: $crate::http::call::Call| $around(call, $file::$handler))
        );+)
    };
    (@all $surface:expr; $($file:ident::$handler:ident, $route:expr);+) => {
        pastey::paste! {
            [$($crate::http::mount::Endpoint::of::<$file::[<__path_ $handler>]>(
                $surface,
                concat!(stringify!($file), ".", stringify!($handler)),
                || $route,
            )),+]
            .into_iter()
            .flatten()
            .collect::<Vec<$crate::http::mount::Endpoint>>()
        }
    };
}
pub(crate) use endpoints;

/// Everything that is served, in order: the first that matches answers.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    let mut all = routes_without_metrics();
    all.extend(health::metrics_endpoints());
    all
}

/// The same without `/metrics`, which may have an address of its own.
pub(super) fn routes_without_metrics() -> Vec<Endpoint> {
    [
        oauth::endpoints(),
        faces::idaas::endpoints(),
        faces::control::endpoints(),
        faces::admin::endpoints(),
        faces::rbac::endpoints(),
        faces::workspace::endpoints(),
        faces::member::endpoints(),
        faces::handoff::endpoints(),
        health::endpoints(),
        pages::endpoints(),
        statics::endpoints(),
    ]
    .concat()
}

/// Mounts endpoints: one resource for each path, below `/t/{tenant_id}` too where they want it.
pub(super) fn mount(cfg: &mut web::ServiceConfig, endpoints: Vec<Endpoint>) {
    mount_paths(cfg, &endpoints);
    let per_tenant: Vec<Endpoint> = endpoints.into_iter().filter(|endpoint| endpoint.per_tenant).collect();
    if !per_tenant.is_empty() {
        cfg.service(
            web::scope("/t/{tenant_id}")
                .configure(|cfg| mount_paths(cfg, &per_tenant))
                .default_service(web::to(fallback::not_found)),
        );
    }
    cfg.default_service(web::to(fallback::not_found));
}

fn mount_paths(cfg: &mut web::ServiceConfig, endpoints: &[Endpoint]) {
    let mut done: Vec<&str> = Vec::new();
    for endpoint in endpoints {
        if !done.contains(&endpoint.path.as_str()) {
            done.push(&endpoint.path);
            let same: Vec<&Endpoint> = endpoints.iter().filter(|other| other.path == endpoint.path).collect();
            mount_path(cfg, endpoint, &same);
        }
    }
}

/// One path with a route for each of its methods; any other method is 405 with `Allow`.
fn mount_path(cfg: &mut web::ServiceConfig, first: &Endpoint, endpoints: &[&Endpoint]) {
    let (surface, cors) = (first.surface, first.cors);
    let mut resource = web::resource(first.path.clone());
    let mut methods = Vec::new();
    let mut add = |resource: actix_web::Resource, method: Method, route: fn() -> Route| {
        methods.push(method.clone());
        resource.route(route().method(method))
    };
    for endpoint in endpoints {
        resource = add(resource, endpoint.method.clone(), endpoint.route);
    }
    // RFC 9110 §9.3.2: what GET would have said, without the body.
    if let Some(get) = endpoints.iter().find(|endpoint| endpoint.method == Method::GET) {
        resource = add(resource, Method::HEAD, get.route);
    }
    if cors.is_any() {
        methods.push(Method::OPTIONS);
    }
    let allow = cors::allow(&methods);
    let refused = allow.clone();
    let resource =
        resource.default_service(web::to(move |call| fallback::method_not_allowed(call, surface, refused.clone())));
    if cors.is_any() {
        let preflight = web::route().method(Method::OPTIONS).to(move || cors::preflight(allow.clone()));
        cfg.service(resource.route(preflight).wrap_fn(move |request, next| {
            use actix_web::dev::Service as _;
            cors::around(cors, request, |request| next.call(request))
        }));
    } else {
        cfg.service(resource);
    }
}

/// Which part of the whole a path belongs to, known or not.
#[must_use]
pub fn surface_of(path: &str) -> Surface {
    let (first, rest) = head(path);
    match first {
        "oauth" | ".well-known" => Surface::OAuth,
        "v1" => Surface::Idaas,
        "health" | "readyz" | "metrics" | "openapi.json" => Surface::Operator,
        "t" => match head(rest).1 {
            "" => Surface::Pages,
            of_tenant => surface_of(of_tenant),
        },
        "api" => match head(rest).0 {
            "internal" => Surface::Control,
            "admin" => Surface::Admin,
            "auth" | "sso" | "external" => Surface::Workspace,
            "v1" => Surface::Rbac,
            _ => Surface::Other,
        },
        "auth" | "me" | "admin" | "healthz" => Surface::Member,
        "internal" => Surface::Handoff,
        "console" => Surface::Console,
        "" | "docs" | "static" | "brand.css" | "login" | "register" | "verify-email" | "forgot-password"
        | "reset-password" | "consent" | "device" | "logout" | "invitation" | "account" => Surface::Pages,
        _ => Surface::Other,
    }
}

/// The first segment and what stands after it, slash and all.
fn head(path: &str) -> (&str, &str) {
    let path = path.strip_prefix('/').unwrap_or(path);
    path.find('/').map_or((path, ""), |end| path.split_at(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_endpoint_is_served_once_and_counted_where_it_belongs() {
        let mut seen = std::collections::HashSet::new();
        for endpoint in routes() {
            assert!(seen.insert((endpoint.method.clone(), endpoint.path.clone())), "{} twice", endpoint.path);
            assert_eq!(surface_of(&endpoint.path), endpoint.surface, "{}", endpoint.path);
            assert!(endpoint.path == "/" || !endpoint.path.ends_with('/'), "{}", endpoint.path);
        }
    }

    #[test]
    fn one_path_has_one_policy_for_other_origins() {
        let all = routes();
        for endpoint in &all {
            for other in all.iter().filter(|other| other.path == endpoint.path) {
                assert_eq!(endpoint.cors.is_any(), other.cors.is_any(), "{}", endpoint.path);
                assert_eq!(endpoint.surface, other.surface, "{}", endpoint.path);
                assert_eq!(endpoint.per_tenant, other.per_tenant, "{}", endpoint.path);
            }
        }
    }

    #[test]
    fn a_fixed_path_stands_before_the_pattern_that_would_swallow_it() {
        let all = routes();
        for (n, endpoint) in all.iter().enumerate() {
            let fixed = actix_web::dev::ResourceDef::new(endpoint.path.as_str());
            for later in all.iter().skip(n).filter(|later| later.path != endpoint.path && !later.path.contains('{')) {
                assert!(!fixed.is_match(&later.path), "{} hides {}", endpoint.path, later.path);
            }
        }
    }

    #[test]
    fn paths_of_tenants_count_like_those_of_the_default_one() {
        assert_eq!(surface_of("/t/tnt_1/oauth/token"), Surface::OAuth);
        assert_eq!(surface_of("/t/tnt_1"), Surface::Pages);
        assert_eq!(surface_of("/v10/users"), Surface::Other);
        assert_eq!(surface_of("/api/internalx"), Surface::Other);
    }
}
