//! What an entry of the table of routes says: who may come, and who answers.

use std::net::IpAddr;
use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use bitpro_merchant::{Language, Merchant, Permission, Role};
use bitpro_service::accounts::{Begun, Login, Token, Visitor};
use bitpro_web::RequestId;
use bitpro_web::app::App;
use bitpro_web::headers::Nonce;
use futures::future::BoxFuture;
use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::cookie::DeviceCookie;
use super::form::Form;
use super::multipart::File;
use crate::refusals::Refusal;

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
    /// Whoever gave the password, also when a code is still to come.
    Half,
    /// Whoever has logged in.
    Person,
    /// Whoever has logged in and gave the password, and the code if there is one, within the last quarter of an hour.
    FreshPerson,
    /// Members of the merchant in the path with this permission. To everybody else there is no such merchant.
    Member(Permission),
    /// The same, who gave the password within the last quarter of an hour.
    FreshMember(Permission),
}

impl Access {
    /// What a member must be allowed to do.
    #[must_use]
    pub const fn permission(self) -> Option<Permission> {
        match self {
            Self::Member(permission) | Self::FreshMember(permission) => Some(permission),
            Self::Anyone | Self::Half | Self::Person | Self::FreshPerson => None,
        }
    }

    /// Whether the password must have been given lately.
    #[must_use]
    pub const fn is_fresh(self) -> bool {
        matches!(self, Self::FreshPerson | Self::FreshMember(_))
    }
}

/// What carries out a request that was let in.
pub type Handler = fn(Request) -> BoxFuture<'static, Result<Reply, Refusal>>;

/// One entry of the table.
pub struct Route {
    /// The method.
    pub verb: Verb,
    /// As axum writes it; `{merchant}` is there exactly when the access is that of members.
    pub path: &'static str,
    /// Who may come.
    pub access: Access,
    /// Whether it stands in the merchant's audit log.
    pub is_noted: bool,
    /// Who answers.
    pub handler: Handler,
}

/// A page to look at.
#[must_use]
pub const fn get(path: &'static str, access: Access, handler: Handler) -> Route {
    Route {
        verb: Verb::Get,
        path,
        access,
        is_noted: false,
        handler,
    }
}

/// A file with what the merchant knows of their buyers. It changes nothing, but who took it away is worth a line of the log.
#[must_use]
pub const fn export(path: &'static str, access: Access, handler: Handler) -> Route {
    Route {
        is_noted: true,
        ..get(path, access, handler)
    }
}

/// A form to be sent.
#[must_use]
pub const fn post(path: &'static str, access: Access, handler: Handler) -> Route {
    Route {
        verb: Verb::Post,
        path,
        access,
        is_noted: true,
        handler,
    }
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
    /// What the cookie holds.
    pub token: Token,
    /// Session and account as they are stored.
    pub login: Login,
}

#[cfg(test)]
impl Person {
    /// Somebody, for handlers that are asked without the guard.
    pub fn sample(email: &str) -> Self {
        use bitpro_charge::Timestamp;
        use bitpro_store::people::{AccountRow, SessionRow};

        let at = Timestamp(1_800_000_000_000);
        let token = Token::from("0a");
        let account = AccountRow {
            num: 1,
            name: "Olga".to_owned(),
            company: "Tea".to_owned(),
            approved_at: Some(at),
            ..AccountRow::new([7; 16], email.to_owned(), at)
        };
        let session = SessionRow {
            hash: token.hash(),
            id: [8; 16],
            account: 1,
            created_at: at,
            seen_at: at,
            confirmed_at: at,
            factor_at: None,
            client: String::new(),
            agent: String::new(),
        };
        Self {
            account: account.id,
            email: account.email.clone(),
            name: account.name.clone(),
            csrf: token.csrf(),
            session: session.id,
            token,
            login: Login { session, account },
        }
    }
}

/// A person in their part for one merchant.
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
    /// The files of the body.
    pub files: Vec<File>,
    /// Who has logged in: always there but for [`Access::Anyone`].
    pub person: Option<Person>,
    /// Whose member asks: there for [`Access::Member`] and [`Access::FreshMember`].
    pub member: Option<Member>,
    /// The line in the audit log that waits for what becomes of this.
    pub begun: Option<Begun>,
}

impl Request {
    /// Who has logged in.
    ///
    /// # Errors
    /// A refusal where the route lets in anybody, and nobody has.
    pub fn person(&self) -> Result<&Person, Refusal> {
        self.person.as_ref().ok_or(Refusal::UNKNOWN_PAGE)
    }

    /// Whose member asks.
    ///
    /// # Errors
    /// A refusal where the route is for no members.
    pub fn member(&self) -> Result<&Member, Refusal> {
        self.member.as_ref().ok_or(Refusal::UNKNOWN_MERCHANT)
    }

    /// The address of a guide: they are served beside the checkout, which may be another origin than the dashboard's.
    #[must_use]
    pub fn guide(&self, path: &str) -> String {
        format!("{}{path}", self.app.public_url.origin())
    }

    /// Where the request comes from, for the list of sessions.
    #[must_use]
    pub fn visitor(&self) -> Visitor {
        let agent = self.headers.get(header::USER_AGENT);
        let cookie = DeviceCookie::at(self.app.dashboard_url());
        Visitor {
            client: self.client,
            marks: cookie.and_then(|cookie| cookie.read(&self.headers)).unwrap_or_default(),
            agent: agent
                .map(|agent| String::from_utf8_lossy(agent.as_bytes()).into_owned())
                .unwrap_or_default(),
        }
    }
}

/// What a handler answers, and what became of what was asked.
#[derive(Debug)]
pub struct Reply {
    /// For the browser.
    pub response: Response,
    /// For the audit log.
    pub outcome: Outcome,
}

/// What became of what was asked, as the audit log has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// What the status says: it was carried out unless that is an error.
    AsAnswered,
    /// This was changed, or taken away.
    Changed(String),
    /// Nothing was changed, though nothing was wrong.
    Unchanged,
}

impl Reply {
    /// The same, where nothing was changed.
    #[must_use]
    pub fn unchanged(mut self) -> Self {
        self.outcome = Outcome::Unchanged;
        self
    }

    /// The same, with what was changed.
    #[must_use]
    pub fn changed(mut self, what: impl Into<String>) -> Self {
        self.outcome = Outcome::Changed(what.into());
        self
    }

    /// The headers of the response.
    pub fn headers_mut(&mut self) -> &mut HeaderMap {
        self.response.headers_mut()
    }
}

impl From<Response> for Reply {
    fn from(response: Response) -> Self {
        Self {
            response,
            outcome: Outcome::AsAnswered,
        }
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        self.response
    }
}

/// The answer to a form that was carried out: the page at `path`, on this server.
#[must_use]
pub fn see_other(path: &str) -> Reply {
    let location = HeaderValue::try_from(path).unwrap_or(HeaderValue::from_static("/"));
    let response = (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response();
    response.into()
}

/// The same, with what was changed.
#[must_use]
pub fn changed(path: &str, what: impl Into<String>) -> Reply {
    see_other(path).changed(what)
}
