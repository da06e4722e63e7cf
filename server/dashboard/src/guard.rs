//! The only way to a handler: who comes is known, whether they may is checked, and what they change is noted first.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{RawPathParams, State};
use axum::response::Response;
use axum::routing::{MethodFilter, on};
use bitpro_charge::MerchantId;
use bitpro_service::accounts::{Entered, FRESH_SECS, Login, Token, before, language_of};
use bitpro_web::Context;
use bitpro_web::app::{self, App};
use bitpro_web::checkout::language::of_browser;
use bitpro_web::headers::Nonce;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use subtle::ConstantTimeEq as _;

use super::audit::audited;
use super::cookie::{DeviceCookie, SessionCookie};
use super::form::Form;
use super::multipart::File;
use super::people::confirm;
use super::redirect::percent_encoded;
use super::route::{Access, Member, Person, Reply, Request, Route, Verb, see_other};
use super::{form_redirects, layout, multipart, routes};
use crate::refusals::Refusal;

/// The most that a form may be, in bytes: a list of domains is the longest.
const MAX_FORM: usize = 64 * 1_024;
/// The most that an upload may be, in bytes: a logo of 1 MiB and what surrounds it.
const MAX_UPLOAD: usize = 1_280 * 1_024;

/// All pages of the dashboard.
pub fn router() -> Router<App> {
    routes().fold(form_redirects::router(routes()), |router, route| {
        let method = match route.verb {
            Verb::Get => MethodFilter::GET,
            Verb::Post => MethodFilter::POST,
        };
        let handler = move |State(app): State<App>,
                            context: Context,
                            params: RawPathParams,
                            request: axum::extract::Request| async move {
            let given = params.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
            let given: Vec<(String, String)> = given.collect();
            answer(route, app, context, &given, request).await
        };
        router.route(route.path, on(method, handler))
    })
}

async fn answer(
    route: &'static Route,
    app: App,
    context: Context,
    params: &[(String, String)],
    request: axum::extract::Request,
) -> Response {
    let nonce = Nonce::new(app.rng.bytes());
    let browser = of_browser(None, request.headers());
    let mut known = None;
    let answered = let_in(route, &app, context, params, request, &nonce, &mut known).await;
    match answered {
        Ok(reply) => reply.response,
        Err(refusal) => {
            let language = known.unwrap_or(browser);
            layout::refusal(&app, context.id, language, &nonce, &refusal)
        }
    }
}

/// `known` becomes the person's language, once there is one.
async fn let_in(
    route: &'static Route,
    app: &App,
    context: Context,
    params: &[(String, String)],
    request: axum::extract::Request,
    nonce: &Nonce,
    known: &mut Option<bitpro_merchant::Language>,
) -> Result<Reply, Refusal> {
    let (parts, body) = request.into_parts();
    // Where the dashboard has an address of its own, it is at no other.
    if app.dashboard_url.is_some() && !context.is_dashboards {
        return match (route.verb, parts.uri.path_and_query()) {
            (Verb::Get, Some(page)) => Ok(see_other(&format!("{}{page}", app.dashboard_url().origin()))),
            _ => Err(Refusal::ForeignForm),
        };
    }
    let cookie = SessionCookie::at(app.dashboard_url()).ok_or(Refusal::NeedsHttps)?;
    if route.verb == Verb::Post && !is_own(app, &parts.headers) {
        return Err(Refusal::ForeignForm);
    }
    let token = cookie.read(&parts.headers);
    let person = match token {
        Some(token) => app.accounts.session(&token).await?.map(|login| person(token, login)),
        None => None,
    };
    let query = Form::read(parts.uri.query().unwrap_or_default().as_bytes());
    let asked = query.text("lang").parse().ok();
    let language = match &person {
        Some(person) => language_of(&person.login.account.language),
        None => of_browser(asked, &parts.headers),
    };
    *known = Some(language);
    let page = parts.uri.path_and_query().map_or("/dashboard", |page| page.as_str());
    let (person, is_late) = match admitted(route, person, page, &parts.headers, app) {
        Admitted::In(person) => (*person, false),
        Admitted::Late(person) => (Some(*person), true),
        Admitted::Elsewhere(path) => return Ok(see_other(&path)),
    };
    let member = match (route.access.permission(), &person) {
        (Some(permission), Some(person)) => {
            let (member, needs_factor) = member(app, person, params).await?;
            if needs_factor && !person.login.account.has_factor() {
                // Before anything else: their owners require it of them.
                return Ok(see_other(&format!("/account/factor?required={}", member.merchant.id)));
            }
            if !member.role.may(permission) {
                return Err(Refusal::NotAllowed);
            }
            Some(member)
        }
        _ => None,
    };
    let (form, files) = match route.verb {
        Verb::Get => (Form::default(), Vec::new()),
        Verb::Post => read_body(&parts.headers, body, person.is_some()).await?,
    };
    if let (Verb::Post, Some(person)) = (route.verb, &person)
        && !bool::from(form.raw("csrf").as_bytes().ct_eq(person.csrf.as_bytes()))
    {
        return Err(Refusal::StaleForm);
    }
    let others = params.iter().filter(|(name, _)| name != "merchant");
    let mut request = Request {
        app: app.clone(),
        id: context.id,
        client: context.client,
        language,
        nonce: nonce.clone(),
        path: parts.uri.path().to_owned(),
        params: others.map(|(_, value)| value.clone()).collect(),
        query,
        headers: parts.headers,
        form,
        files,
        person,
        member,
        begun: None,
    };
    if is_late {
        if let Some(page) = confirm::before(&request).await? {
            return Ok(page);
        }
        let token = request.person()?.token.clone();
        let login = app.accounts.session(&token).await?.ok_or(Refusal::StaleForm)?;
        request.person = Some(self::person(token, login));
    }
    audited(route, request).await
}

fn person(token: Token, login: Login) -> Person {
    Person {
        account: login.account.id,
        email: login.account.email.clone(),
        name: login.account.name.clone(),
        csrf: token.csrf(),
        session: login.session.id,
        token,
        login,
    }
}

enum Admitted {
    In(Box<Option<Person>>),
    /// They have to show again who they are. What they filled in is not lost: the page that asks keeps it.
    Late(Box<Person>),
    /// They have to go to another page first.
    Elsewhere(String),
}

fn admitted(route: &Route, person: Option<Person>, page: &str, headers: &HeaderMap, app: &App) -> Admitted {
    let back = match route.verb {
        Verb::Get => page.to_owned(),
        Verb::Post => referring_page(headers, app).unwrap_or_else(|| "/dashboard".to_owned()),
    };
    let then = |page: &str| format!("{page}?then={}", percent_encoded(&back));
    let Some(person) = person else {
        return match route.access {
            Access::Anyone => Admitted::In(Box::default()),
            _ => Admitted::Elsewhere(then("/login")),
        };
    };
    let is_half = person.login.account.has_factor() && person.login.session.factor_at.is_none();
    match route.access {
        // A session without its code is nobody's yet, where anybody may come.
        Access::Anyone => return Admitted::In(Box::new(Some(person).filter(|_| !is_half))),
        Access::Half => return Admitted::In(Box::new(Some(person))),
        _ if is_half => return Admitted::Elsewhere(then("/login/code")),
        _ => {}
    }
    if route.access.is_fresh() && !is_fresh(&person.login, app) {
        return match route.verb {
            Verb::Get => Admitted::Elsewhere(then("/confirm")),
            Verb::Post => Admitted::Late(Box::new(person)),
        };
    }
    Admitted::In(Box::new(Some(person)))
}

/// Whether the password, and the code if the account has a second factor, were given lately.
fn is_fresh(login: &Login, app: &App) -> bool {
    let since = before(app.charges.now(), FRESH_SECS);
    let has_factor = !login.account.has_factor() || login.session.factor_at.is_some_and(|at| at > since);
    login.session.confirmed_at > since && has_factor
}

/// The member who asks, and whether the merchant requires a second factor of them.
async fn member(app: &App, person: &Person, params: &[(String, String)]) -> Result<(Member, bool), Refusal> {
    let named = params.iter().find(|(name, _)| name == "merchant");
    let id = named.and_then(|(_, text)| text.parse::<MerchantId>().ok());
    let id = id.ok_or(Refusal::UNKNOWN_MERCHANT)?;
    let memberships = app.accounts.memberships(person.login.account.num).await?;
    let part = memberships.iter().find(|part| part.merchant == id);
    let (Some(part), Some(merchant)) = (part, app.charges.merchant(id)) else {
        return Err(Refusal::UNKNOWN_MERCHANT);
    };
    let member = Member {
        merchant,
        role: part.role,
    };
    Ok((member, part.needs_factor))
}

/// Whether a form comes from a page of ours. Browsers say so in `Sec-Fetch-Site`; older ones in `Origin`. One that says
/// neither is refused, for it would say nothing of a stranger's page either.
fn is_own(app: &App, headers: &HeaderMap) -> bool {
    let said = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    match (said("sec-fetch-site"), said("origin")) {
        (Some(site), _) => site == "same-origin",
        (None, Some(origin)) => origin == app.dashboard_url().origin(),
        (None, None) => false,
    }
}

/// The page that a form was sent from, if it is one of ours.
fn referring_page(headers: &HeaderMap, app: &App) -> Option<String> {
    let referer = headers.get(header::REFERER)?.to_str().ok()?;
    let path = referer.strip_prefix(app.dashboard_url().origin())?;
    path.starts_with('/').then(|| path.to_owned())
}

/// Of somebody who has not logged in, no more is read than the longest of our forms for strangers, and no file.
async fn read_body(headers: &HeaderMap, body: Body, is_known: bool) -> Result<(Form, Vec<File>), Refusal> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let content_type = content_type.unwrap_or_default().to_owned();
    let is_upload = is_known && content_type.starts_with("multipart/form-data");
    let limit = match (is_known, is_upload) {
        (false, _) => app::MAX_FORM,
        (true, false) => MAX_FORM,
        (true, true) => MAX_UPLOAD,
    };
    let bytes = to_bytes(body, limit)
        .await
        .map_err(|_| Refusal::malformed_form(StatusCode::PAYLOAD_TOO_LARGE))?;
    if is_upload {
        return multipart::read(headers.get(header::CONTENT_TYPE), bytes)
            .await
            .map_err(|_| Refusal::malformed_form(StatusCode::BAD_REQUEST));
    }
    if !content_type.starts_with("application/x-www-form-urlencoded") {
        return Err(Refusal::malformed_form(StatusCode::UNSUPPORTED_MEDIA_TYPE));
    }
    Ok((Form::read(&bytes), Vec::new()))
}

/// Gives the browser a session with an answer.
fn with_session(app: &App, mut response: Reply, token: &Token) -> Reply {
    if let Some(cookie) = SessionCookie::at(app.dashboard_url()) {
        response.headers_mut().append(header::SET_COOKIE, cookie.give(token));
    }
    response
}

/// The same after a log-in or another proof of who it is: the browser is known then.
pub(super) fn with_entered(app: &App, response: Reply, entered: &Entered) -> Reply {
    with_marks(
        app,
        with_session(app, response, &entered.token),
        entered.marks.as_deref(),
    )
}

/// Gives the browser what it is known by.
pub(super) fn with_marks(app: &App, mut response: Reply, marks: Option<&str>) -> Reply {
    if let (Some(cookie), Some(marks)) = (DeviceCookie::at(app.dashboard_url()), marks) {
        response.headers_mut().append(header::SET_COOKIE, cookie.give(marks));
    }
    response
}

/// Takes the browser's session with an answer, and what it keeps of the pages.
pub(super) fn without_session(app: &App, mut response: Reply) -> Reply {
    if let Some(cookie) = SessionCookie::at(app.dashboard_url()) {
        response.headers_mut().append(header::SET_COOKIE, cookie.take());
    }
    response
        .headers_mut()
        .insert("clear-site-data", HeaderValue::from_static("\"cache\""));
    response
}
