//! The pages of a merchant's transactions, asked for as the guard lets requests through: whole, on a real database.

mod acting;
mod exporting;
mod finding;
mod following;

use std::net::Ipv4Addr;

use bitpro_charge::{Cents, ChargeId, MerchantId};
use bitpro_merchant::{Language, Role};
use bitpro_service::charges::NewCharge;
use bitpro_web::RequestId;
use bitpro_web::headers::Nonce;
use bitpro_web::testing::TestApp;
use http::HeaderMap;
use http_body_util::BodyExt as _;

use super::super::form::Form;
use super::super::route::{Access, Member, Person, Reply, Request, Verb};
use super::ROUTES;
use crate::refusals::Refusal;

/// What an attacker writes into everything that they can.
const PROBE: &str = "\"><script>alert(1)</script>";

/// A team member at their desk.
struct Desk {
    app: TestApp,
    role: Role,
    language: Language,
}

/// An answer, read to its end.
struct Answer {
    status: u16,
    location: String,
    body: String,
}

impl Desk {
    async fn new() -> Self {
        Self {
            app: crate::tests::shop(&[("time_zone", "Europe/Paris")]).await,
            role: Role::Owner,
            language: Language::En,
        }
    }

    fn request(&self, merchant: MerchantId, params: &[&str], path: &str, query: &str, form: &str) -> Request {
        let merchant = self.app.charges.merchant(merchant).unwrap();
        Request {
            app: self.app.app.clone(),
            id: RequestId(1),
            client: Ipv4Addr::LOCALHOST.into(),
            headers: HeaderMap::new(),
            language: self.language,
            nonce: Nonce::new([1; 16]),
            path: format!("/dashboard/{}/{path}", merchant.id),
            params: params.iter().map(|&param| param.to_owned()).collect(),
            query: Form::read(query.as_bytes()),
            form: Form::read(form.as_bytes()),
            files: Vec::new(),
            person: Some(Person::sample("owner@shop.example")),
            member: Some(Member {
                merchant,
                role: self.role,
            }),
            begun: None,
        }
    }

    /// What the handler at `path`, below the merchant's, answers.
    async fn respond(&self, verb: Verb, path: &str, form: &str) -> Result<Reply, Refusal> {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let parts: Vec<&str> = path.split('/').collect();
        for route in ROUTES {
            let pattern: Vec<&str> = route.path.split('/').skip(3).collect();
            let fits = |(pattern, part): (&&str, &&str)| pattern == part || pattern.starts_with('{');
            // As in a router, what is written out comes before what stands for anything.
            let is_literal = path == "charges/live" && route.path.contains("{charge}");
            if route.verb == verb && pattern.len() == parts.len() && pattern.iter().zip(&parts).all(fits) && !is_literal
            {
                let Access::Member(permission) = route.access else {
                    panic!("{} is not only for members", route.path);
                };
                assert!(self.role.may(permission), "{} may not {}", self.role, route.path);
                let params: Vec<&str> = pattern
                    .iter()
                    .zip(&parts)
                    .filter(|(pattern, _)| pattern.starts_with('{'))
                    .map(|(_, part)| *part)
                    .collect();
                let request = self.request(self.app.merchant, &params, path, query, form);
                return (route.handler)(request).await;
            }
        }
        panic!("there is no {verb:?} {path}");
    }

    /// Gives the person who asks an account, and the session that the requests carry.
    async fn log_in(&self) {
        let Person { email, login, .. } = Person::sample("owner@shop.example");
        let email = bitpro_service::accounts::Email::read(&email).unwrap();
        let accounts = &self.app.app.accounts;
        accounts.adopt(self.app.merchant, &email).await.unwrap();
        let mut session = login.session;
        session.created_at = self.app.charges.now();
        session.seen_at = session.created_at;
        let begun = self
            .app
            .charges
            .store()
            .write(move |tx| Box::pin(async move { tx.people().await?.add_session(&session).await }));
        let begun: Result<(), bitpro_store::StoreError> = begun.await;
        begun.unwrap();
    }

    async fn get(&self, path: &str) -> Answer {
        Answer::of(self.respond(Verb::Get, path, "").await.unwrap()).await
    }

    async fn post(&self, path: &str, form: &str) -> Answer {
        Answer::of(self.respond(Verb::Post, path, form).await.unwrap()).await
    }

    async fn refused(&self, verb: Verb, path: &str, form: &str) -> Refusal {
        self.respond(verb, path, form).await.unwrap_err()
    }

    async fn make(&self, order_id: &str, email: &str) -> ChargeId {
        self.make_for(self.app.merchant, order_id, email).await
    }

    async fn make_for(&self, merchant: MerchantId, order_id: &str, email: &str) -> ChargeId {
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let new = NewCharge {
            order_id: text(order_id),
            buyer_email: text(email),
            ..NewCharge::of(merchant, Cents(4_200))
        };
        let id = self.app.charges.create(new).await.unwrap();
        // Each at an instant of its own, as in life.
        self.app.clock.advance_secs(1);
        id
    }

    async fn pay(&self, id: ChargeId) {
        self.app.pay(&format!("/{id}")).await;
    }

    async fn sequence(&self, id: ChargeId) -> u64 {
        self.app.charges.snapshot(id).await.unwrap().unwrap().charge.sequence
    }
}

impl Answer {
    async fn of(reply: Reply) -> Self {
        let (parts, body) = reply.response.into_parts();
        let location = parts.headers.get("location");
        let location = location.map_or("", |location| location.to_str().unwrap()).to_owned();
        let body = body.collect().await.unwrap().to_bytes();
        Self {
            status: parts.status.as_u16(),
            location,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    fn has(&self, text: &str) -> bool {
        self.body.contains(text)
    }
}

#[test]
fn every_path_is_below_a_merchant_and_what_changes_something_asks_for_more_than_reading() {
    for route in ROUTES {
        assert!(route.path.starts_with("/dashboard/{merchant}/"), "{}", route.path);
        let Access::Member(permission) = route.access else {
            panic!("{} is not only for members", route.path);
        };
        if route.verb == Verb::Post {
            assert!(!Role::Viewer.may(permission), "{}", route.path);
            assert!(!Role::Accountant.may(permission), "{}", route.path);
        }
    }
}
