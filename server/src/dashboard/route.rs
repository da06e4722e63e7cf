//! What an entry of the table of routes says: who may come, and who answers.

use std::net::IpAddr;
use std::sync::Arc;

use axum::response::Response;
use futures::future::BoxFuture;
use http::HeaderMap;

use super::form::Form;
use crate::accounts::{Permission, Role};
use crate::app::App;
use crate::checkout::refusal::Refusal;
use crate::merchant::{Language, Merchant};
use crate::web::RequestId;
use crate::web::headers::Nonce;

/// The methods in use: browsers' forms have no others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Shows something, and changes nothing.
    Get,
    /// Changes something; it carries the session's token against forgery.
    Post,
}

/// Who may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody, with a session or without.
    Anyone,
    /// Whoever has logged in.
    Person,
    /// Members of the merchant in the path with this permission. To everybody else there is no such merchant.
    Member(Permission),
}

/// What carries out a request that was let in.
pub type Handler = fn(Request) -> BoxFuture<'static, Result<Response, Refusal>>;

/// One entry of the table.
pub struct Route {
    /// The method.
    pub verb: Verb,
    /// As axum writes it; `{merchant}` is there exactly when the access is [`Access::Member`].
    pub path: &'static str,
    /// Who may come.
    pub access: Access,
    /// Who answers.
    pub handler: Handler,
}

/// Who has logged in.
#[derive(Debug, Clone)]
pub struct Person {
    /// The account's id.
    pub account: [u8; 16],
    /// The e-mail address.
    pub email: String,
    /// The name, as given at the request of the account.
    pub name: String,
    /// The session's token against forged requests, as forms carry it.
    pub csrf: String,
    /// The session's id, as it stands in the list of sessions.
    pub session: [u8; 16],
}

/// A person in his part for one merchant.
#[derive(Debug, Clone)]
pub struct Member {
    /// The merchant.
    pub merchant: Arc<Merchant>,
    /// The part.
    pub role: Role,
}

/// A request that was let in.
pub struct Request {
    /// The application.
    pub app: App,
    /// The request's name.
    pub id: RequestId,
    /// The client's address.
    pub client: IpAddr,
    /// The headers.
    pub headers: HeaderMap,
    /// The language of the answer.
    pub language: Language,
    /// For styles and scripts of the answer.
    pub nonce: Nonce,
    /// The path, without the query.
    pub path: String,
    /// The parameters of the path other than the merchant, in order.
    pub params: Vec<String>,
    /// The parameters of the query.
    pub query: Form,
    /// The fields of the body; empty for a `GET`.
    pub form: Form,
    /// Who has logged in: there for [`Access::Person`] and [`Access::Member`].
    pub person: Option<Person>,
    /// Whose member asks: there for [`Access::Member`].
    pub member: Option<Member>,
}
