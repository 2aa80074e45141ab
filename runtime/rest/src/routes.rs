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
use crate::server::Context;
use crate::{
    body, connector, connectors, loggers, meters, metrics, offsets, plugins, root, upload,
};

/// Methods in the order in which `OPTIONS` lists them, which is that of a hash table in Kafka Connect.
const METHODS: [&str; 7] = ["HEAD", "DELETE", "POST", "GET", "OPTIONS", "PUT", "PATCH"];

/// A path and what can be done there.
struct Route {
    path: &'static str,
    methods: Vec<&'static str>,
    handlers: MethodRouter<Context>,
}

impl Route {
    fn new(path: &'static str) -> Self {
        Self { path, methods: vec!["OPTIONS"], handlers: MethodRouter::new() }
    }

    /// What reads JSON, if anything, and answers JSON.
    fn on<H, T>(self, method: &'static str, handler: H) -> Self
    where
        H: Handler<T, Context>,
        T: 'static,
    {
        let handler = on(filter(method), handler).route_layer(from_fn(media::json_both_ways));
        self.with(method, handler)
    }

    /// What reads something else, and answers JSON.
    fn on_any<H, T>(self, method: &'static str, handler: H) -> Self
    where
        H: Handler<T, Context>,
        T: 'static,
    {
        let handler = on(filter(method), handler).route_layer(from_fn(media::json_answers));
        self.with(method, handler)
    }

    fn with(mut self, method: &'static str, handler: MethodRouter<Context>) -> Self {
        self.methods.push(method);
        if method == "GET" {
            self.methods.push("HEAD");
        }
        self.handlers = self.handlers.merge(handler);
        self
    }

    /// Its methods, in Kafka Connect's order.
    fn allowed(&self) -> Vec<&'static str> {
        METHODS.into_iter().filter(|method| self.methods.contains(method)).collect()
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
    vec![
        Route::new("/").on_any("GET", root::info),
        Route::new("/health").on_any("GET", root::health),
        Route::new("/connectors").on("GET", connectors::list).on("POST", connectors::create),
        Route::new("/connectors/{name}").on("GET", connector::info).on("DELETE", connector::delete),
        Route::new("/connectors/{name}/config")
            .on("GET", connector::config)
            .on("PUT", connector::put_config)
            .on("PATCH", connector::patch_config),
        Route::new("/connectors/{name}/status").on("GET", connector::status),
        Route::new("/connectors/{name}/restart").on("POST", connector::restart),
        Route::new("/connectors/{name}/pause").on("PUT", connector::pause),
        Route::new("/connectors/{name}/resume").on("PUT", connector::resume),
        Route::new("/connectors/{name}/stop").on("PUT", connector::stop),
        Route::new("/connectors/{name}/tasks").on("GET", connector::tasks),
        Route::new("/connectors/{name}/tasks/{task}/status").on("GET", connector::task_status),
        Route::new("/connectors/{name}/tasks/{task}/restart").on("POST", connector::restart_task),
        Route::new("/connectors/{name}/topics").on("GET", connector::topics),
        Route::new("/connectors/{name}/topics/reset").on("PUT", connector::reset_topics),
        Route::new("/connectors/{name}/offsets")
            .on("GET", offsets::list)
            .on("PATCH", offsets::alter)
            .on("DELETE", offsets::reset),
        Route::new("/connectors/{name}/meters").on("GET", meters::of_connector),
        Route::new("/connector-plugins").on("GET", plugins::list).on_any("POST", upload::upload),
        Route::new("/connector-plugins/{plugin}/config").on("GET", plugins::config),
        Route::new("/connector-plugins/{plugin}/config/validate").on("PUT", plugins::validate),
        Route::new("/admin/loggers").on("GET", loggers::list),
        Route::new("/admin/loggers/{logger}").on("GET", loggers::find).on("PUT", loggers::set),
        // Text, whatever its reader says that it accepts.
        Route::new("/metrics").with("GET", on(MethodFilter::GET, metrics::all)),
    ]
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
