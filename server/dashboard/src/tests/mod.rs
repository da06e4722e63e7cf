//! The dashboard as people use it: by requests through the router, with cookies, forms and letters.

mod account;
mod leaving;
mod login;
mod matrix;
mod operated;
mod origin;
mod passkeys;
mod requests;
mod required;
mod shop;
mod strangers;
mod subjects;
mod team;
mod waiting;

use std::sync::atomic::{AtomicU32, Ordering};

use bitpro_base::seal::Purpose;
use bitpro_charge::MerchantId;
use bitpro_merchant::Role;
use bitpro_merchant::letters::{self, Letter};
use bitpro_merchant::words::Words;
use bitpro_service::accounts::{AccountError, Accounts, Email};
use bitpro_store::documents::letter_from;
use bitpro_web::router::Surfaces;
use bitpro_web::testing::{Answer, Setup, TestApp};
use http::Method;
use parking_lot::Mutex;

use crate::people::said;

/// A password that is taken.
const PASSWORD: &str = "seven green kettles sing";

/// An application with the merchants' surfaces.
async fn app(setup: Setup<'_>) -> TestApp {
    TestApp::set_up(Setup {
        surfaces: |app| Surfaces {
            pages: crate::router(),
            api: bitpro_mapi::router(app),
            not_found: Some(crate::not_found_page),
        },
        ..setup
    })
    .await
}

/// The same, whose merchant has these settings beside their name.
pub(crate) async fn shop(settings: &[(&str, &str)]) -> TestApp {
    app(Setup {
        settings,
        ..Setup::default()
    })
    .await
}

/// Whether a page says this in English.
fn says(page: &str, words: Words) -> bool {
    page.contains(words.en)
}

/// Whether a page says in English why something was refused.
fn says_why(page: &str, error: &AccountError) -> bool {
    page.contains(&error.words().0)
}

/// Whether a page of the audit log has this action.
fn has_action(page: &str, action: &str) -> bool {
    page.contains(crate::audit_words::action_words(action).unwrap().en)
}

/// A server with people.
struct World {
    app: TestApp,
}

impl World {
    async fn new() -> Self {
        Self { app: shop(&[]).await }
    }

    /// Where people go.
    fn origin(&self) -> &str {
        self.app.app.dashboard_url().origin()
    }

    fn accounts(&self) -> &Accounts {
        &self.app.app.accounts
    }

    /// Every letter that waits, the oldest first.
    async fn letters(&self) -> Vec<Letter> {
        let charges = &self.app.charges;
        let rows = charges.store().mails_due(charges.now(), 1_000).await.unwrap();
        rows.iter()
            .map(|row| letter_from(&charges.seal().open(Purpose::Mail, &row.id, &row.sealed).unwrap()).unwrap())
            .collect()
    }

    /// What the letters to `email` are about, the oldest first.
    async fn subjects(&self, email: &str) -> Vec<String> {
        let letters = self.letters().await;
        let theirs = letters.into_iter().filter(|letter| letter.to == email);
        theirs.map(|letter| letter.subject).collect()
    }

    /// A statement by another hand, beside the running server.
    async fn meddle(&self, statement: &'static str) {
        bitpro_store::testing::meddle(&self.app.database(), statement).await;
    }

    /// The path of the link in the newest letter to `email`.
    async fn link_to(&self, email: &str) -> String {
        let letters = self.letters().await;
        let letter = letters.iter().rev().find(|letter| letter.to == email).unwrap();
        let at = letter.text.find(self.origin()).unwrap();
        let url = letter.text[at..].split_whitespace().next().unwrap();
        url.trim_start_matches(self.origin()).to_owned()
    }

    /// A browser without a session, at an address of its own.
    fn browser(&self) -> Browser<'_> {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        Browser {
            world: self,
            cookie: Mutex::default(),
            marks: Mutex::default(),
            address: format!("10.{}.{}.{}", n >> 16 & 255, n >> 8 & 255, n & 255),
        }
    }

    /// Somebody with an account of their own who is logged in; the merchant is the one they asked for.
    async fn person(&self, email: &str) -> (Browser<'_>, MerchantId) {
        let browser = self.browser();
        let form = format!("name=Ada&email={email}&company=Tea&site=tea.example");
        assert_eq!(browser.post("/signup", &form).await.status, 200);
        let merchant = self.accounts().approve(&Email::read(email).unwrap()).await.unwrap();
        let link = self.link_to(email).await;
        let token = link.split_once("token=").unwrap().1;
        let form = format!("token={token}&password={}", PASSWORD.replace(' ', "+"));
        let answer = browser.post("/password", &form).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        (browser, merchant)
    }

    /// A member of a merchant's team who is logged in.
    async fn member(&self, owner: &Browser<'_>, merchant: MerchantId, email: &str, role: Role) -> Browser<'_> {
        let form = format!("email={email}&role={role}");
        let answer = owner.post(&format!("/dashboard/{merchant}/team/invite"), &form).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        let link = self.link_to(email).await;
        let token = link.split_once("token=").unwrap().1;
        let browser = self.browser();
        let form = format!("token={token}&name=Bob&password={}", PASSWORD.replace(' ', "+"));
        let answer = browser.post("/invitation/new", &form).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        browser
    }
}

/// A browser: it keeps the cookies, and sends forms from pages of ours.
struct Browser<'w> {
    world: &'w World,
    /// The session's.
    cookie: Mutex<Option<String>>,
    /// That by which it is known.
    marks: Mutex<Option<String>>,
    address: String,
}

impl Browser<'_> {
    async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let cookie = self.cookie.lock().clone();
        let mut all = vec![("x-forwarded-for", self.address.as_str()), ("accept", "text/html")];
        if !headers.iter().any(|(name, _)| *name == "host") {
            let (_, host) = self.world.origin().split_once("://").unwrap();
            all.push(("host", host));
        }
        let marks = self.marks.lock().clone();
        for cookie in cookie.iter().chain(&marks) {
            all.push(("cookie", cookie));
        }
        all.extend(headers);
        let answer = self.world.app.ask(method, path, &all, body).await;
        for given in answer.headers.get_all("set-cookie") {
            let pair = given.to_str().unwrap().split(';').next().unwrap().to_owned();
            let kept = match pair.contains("bitpro-device=") {
                true => &self.marks,
                false => &self.cookie,
            };
            *kept.lock() = (!pair.ends_with('=')).then_some(pair);
        }
        answer
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], "").await
    }

    /// Sends a form with the session's token, if there is a session.
    async fn post(&self, path: &str, form: &str) -> Answer {
        let csrf = self.csrf();
        let form = format!("{form}&csrf={csrf}");
        self.send(Method::POST, path, &OWN_FORM, &form).await
    }

    fn csrf(&self) -> String {
        let cookie = self.cookie.lock();
        let token = cookie.as_deref().and_then(|cookie| cookie.split_once('='));
        token.map_or(String::new(), |(_, token)| {
            bitpro_service::accounts::Token::from(token).csrf()
        })
    }
}

const OWN_FORM: [(&str, &str); 2] = [
    ("content-type", "application/x-www-form-urlencoded"),
    ("sec-fetch-site", "same-origin"),
];

/// That the answer leads to `path`.
#[track_caller]
fn assert_leads_to(answer: &Answer, path: &str) {
    assert_eq!(answer.status, 303, "{}", answer.body);
    assert_eq!(answer.header("location"), path);
}
