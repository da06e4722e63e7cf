//! What an entry of the table of routes says, and how it becomes a handler.

use axum::extract::{Extension, RawPathParams, Request, State};
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter, on};
use bitpro_merchant::keys::Scope;
use bitpro_web::Context;
use bitpro_web::app::App;
use futures::future::BoxFuture;
use http::{HeaderValue, StatusCode, header};
use serde_json::json;

use super::authenticate::{Caller, ReadBody};
use super::call::{Call, Reply};
use super::problem::Problem;

/// What carries out a call.
pub(super) type Handler = fn(Call) -> BoxFuture<'static, Result<Reply, Problem>>;

/// The methods in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Get,
    Post,
    Delete,
}

impl Verb {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }

    const fn filter(self) -> MethodFilter {
        match self {
            Self::Get => MethodFilter::GET,
            Self::Post => MethodFilter::POST,
            Self::Delete => MethodFilter::DELETE,
        }
    }
}

/// A parameter of the query, or a field of the body.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field {
    pub(super) name: &'static str,
    /// The JSON Schema of its value.
    pub(super) schema: &'static str,
    pub(super) is_required: bool,
    pub(super) meaning: &'static str,
}

/// An optional one.
pub(super) const fn optional(name: &'static str, schema: &'static str, meaning: &'static str) -> Field {
    Field {
        name,
        schema,
        is_required: false,
        meaning,
    }
}

/// One that must be there.
pub(super) const fn required(name: &'static str, schema: &'static str, meaning: &'static str) -> Field {
    Field {
        is_required: true,
        ..optional(name, schema, meaning)
    }
}

/// One entry of the table.
pub(super) struct Route {
    pub(super) verb: Verb,
    /// As axum and OpenAPI both write it; the only parameter is `{id}`.
    pub(super) path: &'static str,
    /// The operation's name, in camel case.
    pub(super) name: &'static str,
    pub(super) scope: Scope,
    pub(super) summary: &'static str,
    pub(super) description: &'static str,
    pub(super) query: &'static [Field],
    /// `None` when the call takes no body.
    pub(super) body: Option<&'static [Field]>,
    /// The status of success, and the name of its schema in the OpenAPI document.
    pub(super) success: (u16, &'static str),
    /// Codes of problems that are peculiar to it.
    pub(super) problems: &'static [(u16, &'static str)],
    /// A body as an example, for the documentation.
    pub(super) example: Option<&'static str>,
    pub(super) handler: Handler,
}

impl Route {
    /// The entry as a handler of axum.
    pub(super) fn method_router(&'static self) -> MethodRouter<App> {
        on(
            self.verb.filter(),
            move |state, context, caller, body, params, request| {
                self.handle(state, context, caller, body, params, request)
            },
        )
    }

    async fn handle(
        &self,
        State(app): State<App>,
        context: Context,
        Extension(caller): Extension<Caller>,
        Extension(ReadBody(body)): Extension<ReadBody>,
        params: RawPathParams,
        request: Request,
    ) -> Response {
        let content_type = caller.content_type.clone();
        if !caller.key.scopes.has(self.scope) {
            return missing_scope(self.scope).response(context.id);
        }
        let (parts, _) = request.into_parts();
        let call = Call {
            app,
            caller,
            method: parts.method,
            uri: parts.uri,
            headers: parts.headers,
            id: params.iter().next().map(|(_, value)| value.to_owned()),
            body,
            request: context.id,
        };
        match (self.handler)(call).await {
            Ok(reply) => reply.response(content_type),
            Err(problem) => problem.response(context.id),
        }
    }
}

fn missing_scope(scope: Scope) -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "missing-scope",
        format!("The key lacks the scope {}.", scope.as_str()),
    )
    .with("scope", json!(scope.as_str()))
}

/// Nothing is at this path.
pub(super) async fn unknown(context: Context) -> Response {
    Problem::new(StatusCode::NOT_FOUND, "unknown-path", "This path does not exist.").response(context.id)
}

/// The path is there, but not for this method.
pub(super) async fn wrong_method(context: Context, request: Request) -> Response {
    let path = request.uri().path();
    let allowed = super::routes::ROUTES.iter().filter(|route| fits(route.path, path));
    let mut verbs: Vec<&str> = allowed.map(|route| route.verb.as_str()).collect();
    if verbs.contains(&"GET") {
        verbs.push("HEAD");
    }
    let problem = Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method-not-allowed",
        "This path does not allow the method.",
    );
    let mut response = problem.response(context.id);
    if let Ok(verbs) = HeaderValue::try_from(verbs.join(", ")) {
        response.headers_mut().insert(header::ALLOW, verbs);
    }
    response
}

/// Whether a path is one of the route's.
fn fits(route: &str, path: &str) -> bool {
    let (mut wanted, mut given) = (route.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some(part), Some(text)) if part == text || part.starts_with('{') && !text.is_empty() => {}
            _ => return false,
        }
    }
}
