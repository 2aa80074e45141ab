//! Which paths there are, and what answers at each.
//!
//! Not here: the answers, and listening (`server`).

use axum::Router;
use axum::extract::Request;
use axum::handler::Handler;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::from_fn;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodFilter, MethodRouter, on};

use crate::error::{Answer, Failure};
use crate::media::{self, accepts_text};
use crate::operation::{self, Operation};
use crate::server::Context;
use crate::{
    body, connector, connectors, loggers, logs, meters, metrics, offsets, openapi, plugins, root,
    secrets, upload,
};

/// Methods in the order in which `OPTIONS` lists them, which is that of a hash table in Kafka Connect.
const METHODS: [&str; 7] = ["HEAD", "DELETE", "POST", "GET", "OPTIONS", "PUT", "PATCH"];

/// A path and what can be done there.
struct Route {
    path: &'static str,
    operations: Vec<(&'static str, &'static Operation)>,
    handlers: MethodRouter<Context>,
}

impl Route {
    fn new(path: &'static str) -> Self {
        Self { path, operations: Vec::new(), handlers: MethodRouter::new() }
    }

    /// What reads JSON, if anything, and answers JSON.
    fn on<H, T>(self, method: &'static str, handler: H, operation: &'static Operation) -> Self
    where
        H: Handler<T, Context>,
        T: 'static,
    {
        let handler = on(filter(method), handler).route_layer(from_fn(media::json_both_ways));
        self.with(method, handler, operation)
    }

    /// What reads something else, and answers JSON.
    fn on_any<H, T>(self, method: &'static str, handler: H, operation: &'static Operation) -> Self
    where
        H: Handler<T, Context>,
        T: 'static,
    {
        let handler = on(filter(method), handler).route_layer(from_fn(media::json_answers));
        self.with(method, handler, operation)
    }

    fn with(
        mut self,
        method: &'static str,
        handler: MethodRouter<Context>,
        operation: &'static Operation,
    ) -> Self {
        self.operations.push((method, operation));
        self.handlers = self.handlers.merge(handler);
        self
    }

    /// Its methods, in Kafka Connect's order.
    fn allowed(&self) -> Vec<&'static str> {
        let has = |wanted: &str| self.operations.iter().any(|(method, _)| *method == wanted);
        let is_allowed = |method: &&str| match *method {
            "OPTIONS" => true,
            "HEAD" => has("GET"),
            method => has(method),
        };
        METHODS.into_iter().filter(is_allowed).collect()
    }
}

fn filter(method: &str) -> MethodFilter {
    match method {
        "POST" => MethodFilter::POST,
        "PUT" => MethodFilter::PUT,
        "PATCH" => MethodFilter::PATCH,
        "DELETE" => MethodFilter::DELETE,
        _ => MethodFilter::GET,
    }
}

/// Which of the paths a listener serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// All.
    All,
    /// All but `/admin`.
    WithoutAdmin,
    /// `/admin` alone.
    Admin,
}

impl Part {
    fn has(self, route: &Route) -> bool {
        let is_admin = route.path.starts_with("/admin/");
        match self {
            Self::All => true,
            Self::WithoutAdmin => !is_admin,
            Self::Admin => is_admin,
        }
    }
}

fn routes() -> Vec<Route> {
    let (worker, connectors, plugins) = (of_the_worker(), of_connectors(), of_plugins());
    worker.into_iter().chain(connectors).chain(plugins).chain(of_secrets()).collect()
}

fn of_the_worker() -> Vec<Route> {
    vec![
        Route::new("/").on_any("GET", root::info, &operation::INFO),
        Route::new("/health").on_any("GET", root::health, &operation::HEALTH),
        Route::new("/openapi.json").on_any("GET", openapi::serve, &operation::DOCUMENT),
        // Text, whatever its reader says that it accepts.
        Route::new("/metrics").with(
            "GET",
            on(MethodFilter::GET, metrics::all),
            &operation::METRICS,
        ),
        Route::new("/meters").on("GET", meters::of_all, &operation::ALL_METERS),
        Route::new("/admin/loggers").on("GET", loggers::list, &operation::LOGGERS),
        Route::new("/admin/loggers/{logger}").on("GET", loggers::find, &operation::LOGGER).on(
            "PUT",
            loggers::set,
            &operation::SET_LOGGER,
        ),
    ]
}

fn of_connectors() -> Vec<Route> {
    vec![
        Route::new("/connectors").on("GET", connectors::list, &operation::LIST_CONNECTORS).on(
            "POST",
            connectors::create,
            &operation::CREATE_CONNECTOR,
        ),
        Route::new("/connectors/{name}").on("GET", connector::info, &operation::CONNECTOR).on(
            "DELETE",
            connector::delete,
            &operation::DELETE_CONNECTOR,
        ),
        Route::new("/connectors/{name}/config")
            .on("GET", connector::config, &operation::CONFIG)
            .on("PUT", connector::put_config, &operation::PUT_CONFIG)
            .on("PATCH", connector::patch_config, &operation::PATCH_CONFIG),
        Route::new("/connectors/{name}/status").on("GET", connector::status, &operation::STATUS),
        Route::new("/connectors/{name}/restart").on(
            "POST",
            connector::restart,
            &operation::RESTART,
        ),
        Route::new("/connectors/{name}/pause").on("PUT", connector::pause, &operation::PAUSE),
        Route::new("/connectors/{name}/resume").on("PUT", connector::resume, &operation::RESUME),
        Route::new("/connectors/{name}/stop").on("PUT", connector::stop, &operation::STOP),
        Route::new("/connectors/{name}/tasks").on("GET", connector::tasks, &operation::TASKS),
        Route::new("/connectors/{name}/tasks/{task}/status").on(
            "GET",
            connector::task_status,
            &operation::TASK_STATUS,
        ),
        Route::new("/connectors/{name}/tasks/{task}/restart").on(
            "POST",
            connector::restart_task,
            &operation::RESTART_TASK,
        ),
        Route::new("/connectors/{name}/topics").on("GET", connector::topics, &operation::TOPICS),
        Route::new("/connectors/{name}/topics/reset").on(
            "PUT",
            connector::reset_topics,
            &operation::RESET_TOPICS,
        ),
        Route::new("/connectors/{name}/offsets")
            .on("GET", offsets::list, &operation::OFFSETS)
            .on("PATCH", offsets::alter, &operation::ALTER_OFFSETS)
            .on("DELETE", offsets::reset, &operation::RESET_OFFSETS),
        Route::new("/connectors/{name}/logs").on("GET", logs::of_connector, &operation::LOGS),
        Route::new("/connectors/{name}/meters").on("GET", meters::of_connector, &operation::METERS),
    ]
}

fn of_plugins() -> Vec<Route> {
    vec![
        Route::new("/connector-plugins").on("GET", plugins::list, &operation::PLUGINS).on_any(
            "POST",
            upload::upload,
            &operation::UPLOAD,
        ),
        Route::new("/connector-plugins/{plugin}/config").on(
            "GET",
            plugins::config,
            &operation::PLUGIN_CONFIG,
        ),
        Route::new("/connector-plugins/{plugin}/config/validate").on(
            "PUT",
            plugins::validate,
            &operation::VALIDATE,
        ),
    ]
}

fn of_secrets() -> Vec<Route> {
    vec![
        Route::new("/secrets").on("GET", secrets::list, &operation::SECRETS),
        Route::new("/secrets/{secret}")
            .on("GET", secrets::find, &operation::SECRET)
            .on_any("PUT", secrets::set, &operation::SET_SECRET)
            .on("DELETE", secrets::delete, &operation::DELETE_SECRET),
    ]
}

/// All paths with what can be done at each, in order.
pub(crate) fn described()
-> impl Iterator<Item = (&'static str, Vec<(&'static str, &'static Operation)>)> {
    routes().into_iter().map(|route| (route.path, route.operations))
}

/// The routes of a listener, each with and without a slash at its end.
pub(crate) fn router(context: Context, part: Part) -> Router {
    let mut router = Router::new();
    for route in routes().into_iter().filter(|route| part.has(route)) {
        let allowed = route.allowed();
        let options = on(MethodFilter::OPTIONS, move |headers| options(allowed, headers));
        let handlers = route.handlers.merge(options);
        if route.path != "/" {
            router = router.route(&format!("{}/", route.path), handlers.clone());
        }
        router = router.route(route.path, handlers);
    }
    router
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn(media::sound_path))
        .with_state(context)
}

/// The methods of a path, as Jersey answers where nothing else is defined.
async fn options(allowed: Vec<&'static str>, headers: HeaderMap) -> Response {
    let (media, text) = match accepts_text(&headers) {
        true => ("text/plain", allowed.join(", ")),
        false => ("application/json", String::new()),
    };
    let mut response = text.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    if let Ok(allowed) = HeaderValue::from_str(&allowed.join(",")) {
        response.headers_mut().insert(header::ALLOW, allowed);
    }
    response
}

async fn not_found(request: Request) -> Answer {
    body::at_hand(request).await?;
    Err(Failure::http(StatusCode::NOT_FOUND))
}

async fn method_not_allowed(request: Request) -> Answer {
    body::at_hand(request).await?;
    Err(Failure::http(StatusCode::METHOD_NOT_ALLOWED))
}
