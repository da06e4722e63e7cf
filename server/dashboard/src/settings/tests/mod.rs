//! The pages of the settings, asked for as the guard lets requests through: whole, on a real database.

mod connecting;
mod shopping;
mod wallet;

use std::net::Ipv4Addr;

use bitpro_charge::MerchantId;
use bitpro_merchant::{Language, Merchant, Role};
use bitpro_web::RequestId;
use bitpro_web::headers::Nonce;
use bitpro_web::testing::TestApp;
use bytes::Bytes;
use http::{HeaderMap, header};
use http_body_util::BodyExt as _;

use super::super::form::Form;
use super::super::multipart::File;
use super::super::route::{Member, Outcome, Person, Reply, Request, Verb};
use super::super::{shop, snippet};
use super::ROUTES;
use crate::refusals::Refusal;

/// What an attacker writes into everything that they can.
const PROBE: &str = "\"><script>alert(1)</script>";
/// The same in a form.
const PROBE_SENT: &str = "%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E";

/// A team member at their desk.
struct Desk {
    app: TestApp,
    role: Role,
    language: Language,
    has_factor: bool,
}

/// An answer, read to its end.
struct Answer {
    status: u16,
    location: String,
    changed: Option<String>,
    is_unchanged: bool,
    body: String,
}

impl Answer {
    async fn of(reply: Reply) -> Self {
        let (parts, body) = reply.response.into_parts();
        let location = parts.headers.get(header::LOCATION);
        Self {
            status: parts.status.as_u16(),
            location: location.map_or("", |value| value.to_str().unwrap()).to_owned(),
            is_unchanged: reply.outcome == Outcome::Unchanged,
            changed: match reply.outcome {
                Outcome::Changed(what) => Some(what),
                Outcome::AsAnswered | Outcome::Unchanged => None,
            },
            body: String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap(),
        }
    }

    fn has(&self, text: &str) -> bool {
        self.body.contains(text)
    }

    /// What stands in the first element with this id, up to the next tag.
    fn text_of(&self, id: &str) -> &str {
        let from = self.body.find(&format!("id=\"{id}\"")).unwrap();
        let (_, rest) = self.body[from..].split_once('>').unwrap();
        rest.split('<').next().unwrap().trim()
    }
}

impl Desk {
    async fn new() -> Self {
        Self::with(&[]).await
    }

    async fn with(settings: &[(&str, &str)]) -> Self {
        Self {
            app: crate::tests::shop(settings).await,
            role: Role::Owner,
            language: Language::En,
            has_factor: true,
        }
    }

    fn merchant(&self) -> std::sync::Arc<Merchant> {
        self.app.charges.merchant(self.app.merchant).unwrap()
    }

    fn person(&self) -> Person {
        let mut person = Person::sample("owner@shop.example");
        if self.has_factor {
            person.login.account.totp = Some(vec![1]);
        }
        person
    }

    fn request(&self, merchant: MerchantId, params: Vec<String>, path: &str, query: &str) -> Request {
        Request {
            app: self.app.app.clone(),
            id: RequestId(1),
            client: Ipv4Addr::LOCALHOST.into(),
            headers: HeaderMap::new(),
            language: self.language,
            nonce: Nonce::new([1; 16]),
            path: format!("/dashboard/{merchant}/{path}"),
            params,
            query: Form::read(query.as_bytes()),
            form: Form::default(),
            files: Vec::new(),
            person: Some(self.person()),
            member: Some(Member {
                merchant: self.app.charges.merchant(merchant).unwrap(),
                role: self.role,
            }),
            begun: None,
        }
    }

    /// What the handler at `path`, below the merchant's, answers.
    async fn respond(&self, verb: Verb, path: &str, fill: impl FnOnce(&mut Request) + Send) -> Result<Reply, Refusal> {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let routes = ROUTES.iter().chain(snippet::ROUTES).chain(shop::ROUTES);
        for route in routes {
            let pattern: Vec<&str> = route.path.split('/').skip(3).collect();
            let fits = |(pattern, part): (&&str, &&str)| pattern == part || pattern.starts_with('{');
            if route.verb == verb && pattern.len() == parts.len() && pattern.iter().zip(&parts).all(fits) {
                let permission = route.access.permission().unwrap();
                assert!(self.role.may(permission), "{} may not {}", self.role, route.path);
                let named = pattern
                    .iter()
                    .zip(&parts)
                    .filter(|(pattern, _)| pattern.starts_with('{'));
                let params = named.map(|(_, part)| (*part).to_owned()).collect();
                let mut request = self.request(self.app.merchant, params, path, query);
                fill(&mut request);
                return (route.handler)(request).await;
            }
        }
        panic!("there is no {verb:?} {path}");
    }

    async fn get(&self, path: &str) -> Answer {
        Answer::of(self.respond(Verb::Get, path, |_| {}).await.unwrap()).await
    }

    async fn post(&self, path: &str, form: &str) -> Answer {
        let fill = |request: &mut Request| request.form = Form::read(form.as_bytes());
        Answer::of(self.respond(Verb::Post, path, fill).await.unwrap()).await
    }

    /// What a path is refused for.
    async fn refused(&self, verb: Verb, path: &str) -> Refusal {
        self.respond(verb, path, |_| {}).await.err().unwrap()
    }

    /// Uploads `file` as the logo.
    async fn upload(&self, file: &[u8]) -> Answer {
        let fill = |request: &mut Request| {
            request.files.push(File {
                field: "logo".to_owned(),
                name: "a.png".to_owned(),
                bytes: Bytes::copy_from_slice(file),
            });
        };
        Answer::of(self.respond(Verb::Post, "settings/look/logo", fill).await.unwrap()).await
    }
}

#[tokio::test]
async fn every_page_is_whole_in_both_languages_and_for_every_role() {
    let mut desk = Desk::with(&[("name", "A & B")]).await;
    for role in Role::ALL {
        for language in Language::ALL {
            (desk.role, desk.language) = (role, language);
            for tab in ["", "/look", "/domains", "/webhooks", "/keys", "/links", "/wallet"] {
                let page = desk.get(&format!("settings{tab}")).await;
                assert_eq!(page.status, 200, "{tab}");
                assert!(page.has(&format!("lang=\"{language}\"")), "{tab}");
                // The tab is the page itself; the settings above it are where it belongs.
                let marks = ["page", "true"].map(|mark| page.body.matches(&format!("aria-current=\"{mark}\"")).count());
                assert_eq!(marks, if tab.is_empty() { [2, 0] } else { [1, 1] }, "{tab}");
                for unsafe_code in [" style=", " onclick=", "javascript:"] {
                    assert!(!page.has(unsafe_code), "{tab} {unsafe_code}");
                }
                let mut ids: Vec<&str> = page
                    .body
                    .split(" id=\"")
                    .skip(1)
                    .map(|rest| rest.split('"').next().unwrap())
                    .collect();
                let count = ids.len();
                ids.sort_unstable();
                ids.dedup();
                assert_eq!(ids.len(), count, "an id stands twice on {tab}");
            }
            for path in ["snippet", ""] {
                assert_eq!(desk.get(path).await.status, 200, "{path}");
            }
        }
    }
}

#[tokio::test]
async fn who_may_change_nothing_is_offered_no_form() {
    let mut desk = Desk::new().await;
    desk.role = Role::Accountant;
    for tab in ["", "/look", "/domains", "/webhooks", "/keys", "/links", "/wallet"] {
        let page = desk.get(&format!("settings{tab}")).await;
        let forms = page.body.matches("<form").count();
        let submits = page.body.matches("type=\"submit\"").count();
        // One logs out; the tester of domains changes nothing.
        assert_eq!(submits, 1 + usize::from(tab == "/domains"), "{tab}: {forms} forms");
    }
}
