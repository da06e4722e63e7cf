//! The dashboard on an origin of its own: the real binary under two names.

use std::net::TcpListener;

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bitpro_tests::{App, Letters, Setup, eventually};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, Response, StatusCode};

const ADA: &str = "ada@tea.example";
/// One black pixel.
const PICTURE: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII=";

/// A browser at the dashboard's origin.
struct Browser {
    http: Client,
    origin: String,
    cookie: String,
    csrf: String,
}

impl Browser {
    fn at(origin: &str) -> Result<Self> {
        Ok(Self {
            http: Client::builder().redirect(Policy::none()).build()?,
            origin: origin.to_owned(),
            cookie: String::new(),
            csrf: String::new(),
        })
    }

    async fn get(&self, path: &str) -> Result<Response> {
        let request = self.http.get(format!("{}{path}", self.origin));
        let request = request.header("accept", "text/html").header("cookie", &self.cookie);
        Ok(request.send().await?)
    }

    /// Sends a form from a page of `from`, as a browser does that says its origin only.
    async fn post_from(&self, from: &str, path: &str, content_type: &str, body: Vec<u8>) -> Result<Response> {
        let request = self.http.request(Method::POST, format!("{}{path}", self.origin));
        let request = request.header("origin", from).header("content-type", content_type);
        Ok(request.header("cookie", &self.cookie).body(body).send().await?)
    }

    async fn post(&self, path: &str, form: &[(&str, &str)]) -> Result<Response> {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        body.append_pair("csrf", &self.csrf).extend_pairs(form);
        let body = body.finish().into_bytes();
        self.post_from(&self.origin, path, "application/x-www-form-urlencoded", body)
            .await
    }

    /// Keeps the session that an answer gives, and the token that forms carry from then on.
    async fn enter(&mut self, answer: &Response) -> Result<String> {
        let given = answer.headers().get("set-cookie").context("no session was given")?;
        let given = given.to_str()?.to_owned();
        self.cookie = given.split(';').next().unwrap_or_default().to_owned();
        let page = self.get("/account").await?.text().await?;
        self.csrf = between(&page, "name=\"csrf\" value=\"", "\"")?;
        Ok(given)
    }
}

fn between(text: &str, before: &str, after: &str) -> Result<String> {
    let (_, rest) = text
        .split_once(before)
        .with_context(|| format!("no {before} in {text}"))?;
    Ok(rest.split(after).next().unwrap_or_default().to_owned())
}

fn location(answer: &Response) -> Result<String> {
    let location = answer.headers().get("location").context("it leads nowhere")?;
    Ok(location.to_str()?.to_owned())
}

#[tokio::test]
async fn the_dashboard_lives_on_an_origin_of_its_own() -> Result<()> {
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let dashboard = format!("http://127.0.0.1:{port}");
    let setup = Setup {
        port: Some(port),
        ..Setup::without_node()
    };
    let setup = setup
        .with("BITPRO_DASHBOARD_URL", &dashboard)
        .with("BITPRO_SIGNUP", "open");
    let mut app = App::prepare(setup)?;
    app.start().await?;
    let shoppers = Browser::at(&app.url())?;
    let mut ada = Browser::at(&dashboard)?;

    // Whoever comes to the shoppers' address is sent on, and only there can an account be asked for.
    let sent_on = shoppers.get("/signup?lang=fr").await?;
    ensure!(
        location(&sent_on)? == format!("{dashboard}/signup?lang=fr"),
        "{sent_on:?}"
    );
    let asked = [
        ("name", "Ada"),
        ("email", ADA),
        ("company", "Tea"),
        ("site", "tea.example"),
    ];
    ensure!(shoppers.post("/signup", &asked).await?.status() == StatusCode::FORBIDDEN);
    ensure!(ada.post("/signup", &asked).await?.status() == StatusCode::OK);
    let link = Letters::of(app.folder()).link_to(ADA).await?;
    let path = link.strip_prefix(&dashboard).context(link.clone())?;
    let token = between(path, "token=", "&")?;
    let chosen = [("token", token.as_str()), ("password", "seven green kettles sing")];
    let answer = ada.post("/password", &chosen).await?;
    let cookie = ada.enter(&answer).await?;
    ensure!(
        cookie.starts_with("bitpro=") && cookie.ends_with("; Path=/; Max-Age=1209600; HttpOnly; SameSite=Strict"),
        "{cookie}"
    );

    let settings = location(&ada.get("/dashboard/merchant").await?)?;
    let merchant = between(&settings, "/dashboard/", "/")?;
    let page = ada.get(&settings).await?.text().await?;
    ensure!(page.contains(&merchant), "{page}");

    // Each address serves its own pages only.
    let link = format!("/app/checkout/{merchant}");
    for page in [link.as_str(), "/libs/iframeBuilderV1.min.js", "/mapi/charges", "/docs"] {
        let status = ada.get(page).await?.status();
        ensure!(status == StatusCode::MISDIRECTED_REQUEST, "{page}: {status}");
        let status = shoppers.get(page).await?.status();
        ensure!(status != StatusCode::MISDIRECTED_REQUEST, "{page}: {status}");
    }
    ensure!(location(&shoppers.get(&settings).await?)? == format!("{dashboard}{settings}"));

    // A form of a page of the checkout's origin is refused, whatever token it has got hold of.
    let form = format!("name=Eve&csrf={}", ada.csrf).into_bytes();
    let urlencoded = "application/x-www-form-urlencoded";
    let forged = ada.post_from(&app.url(), "/account", urlencoded, form.clone()).await?;
    ensure!(forged.status() == StatusCode::FORBIDDEN, "{forged:?}");
    let own = ada.post_from(&dashboard, "/account", urlencoded, form).await?;
    ensure!(own.status() == StatusCode::SEE_OTHER, "{own:?}");

    // The preview shows the logo from the dashboard's own origin, which is all that its policy lets it load from.
    let look = format!("/dashboard/{merchant}/settings/look");
    let mut upload = format!(
        "--edge\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n{}\r\n--edge\r\nContent-Disposition: form-data; \
         name=\"logo\"; filename=\"tea.png\"\r\nContent-Type: image/png\r\n\r\n",
        ada.csrf
    )
    .into_bytes();
    upload.extend(STANDARD.decode(PICTURE)?);
    upload.extend(b"\r\n--edge--\r\n");
    let multipart = "multipart/form-data; boundary=edge";
    let saved = ada
        .post_from(&dashboard, &format!("{look}/logo"), multipart, upload)
        .await?;
    ensure!(saved.status() == StatusCode::SEE_OTHER, "{}", saved.text().await?);
    let page = ada.get(&look).await?.text().await?;
    let picture = between(&page, "<img src=\"", "\"")?;
    let shown = ada.get(&picture).await?;
    ensure!(
        picture.starts_with("/app/logo/") && shown.status() == StatusCode::OK,
        "{picture}: {shown:?}"
    );
    // What is to be pasted leads shoppers to their own address.
    let page = ada.get(&format!("/dashboard/{merchant}/snippet")).await?.text().await?;
    ensure!(page.contains(&format!("{}{link}", app.url())), "{page}");

    // The operator's commands reach the running server.
    let said = app.run(&["account", "link", ADA]).await?;
    let printed = said.lines().last().context("nothing is printed")?;
    ensure!(printed.starts_with(&format!("{dashboard}/password?token=")), "{said}");
    let letters = Letters::of(app.folder());
    eventually("the e-mail with the link that is printed", || async {
        let link = letters.link_to(ADA).await?;
        ensure!(link == printed, "{link}");
        Ok(())
    })
    .await?;
    let Err(refused) = app.run(&["account", "disable", ADA]).await else {
        anyhow::bail!("the only owner was blocked");
    };
    ensure!(format!("{refused:#}").contains("the only owner of"), "{refused:#}");
    ensure!(ada.get(&settings).await?.status() == StatusCode::OK);
    app.run(&["account", "disable", ADA, "--force"]).await?;
    ensure!(location(&ada.get(&settings).await?)?.starts_with("/login?then="));
    Ok(())
}
