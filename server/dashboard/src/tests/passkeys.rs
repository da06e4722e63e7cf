//! Passkeys, by an authenticator made of a key and a counter.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::*;

const LOGIN: &str = "email=ada@tea.example&password=seven+green+kettles+sing";
const BEGIN: &str = "/login/passkey/begin";
const ORIGIN: &str = "http://localhost:8080";

/// What a phone keeps of a passkey.
struct Authenticator {
    key: EcdsaKeyPair,
    id: Vec<u8>,
    count: u32,
    origin: String,
    rp: String,
    /// Whether it recognises its person, by a finger or a number.
    verifies: bool,
}

impl Authenticator {
    fn new(id: &str) -> Self {
        let (algorithm, random) = (&ECDSA_P256_SHA256_ASN1_SIGNING, SystemRandom::new());
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        Self {
            key: EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).unwrap(),
            id: id.as_bytes().to_vec(),
            count: 0,
            origin: ORIGIN.to_owned(),
            rp: "localhost".to_owned(),
            verifies: true,
        }
    }

    /// The flags of an answer (WebAuthn, section 6.1): a person is there, and was recognised.
    fn flags(&self) -> u8 {
        if self.verifies { 0x05 } else { 0x01 }
    }

    fn client_data(&self, kind: &str, options: &Value) -> Vec<u8> {
        let challenge = &options["publicKey"]["challenge"];
        let data = json!({"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": false});
        data.to_string().into_bytes()
    }

    /// The hash of the address, what was done to prove presence, and the counter (WebAuthn, section 6.1).
    fn data(&mut self, flags: u8) -> Vec<u8> {
        self.count += 1;
        let mut data = Sha256::digest(self.rp.as_bytes()).to_vec();
        data.push(flags);
        data.extend(self.count.to_be_bytes());
        data
    }

    fn field(&self, name: &str, response: Value) -> String {
        let id = BASE64.encode(&self.id);
        let credential = json!({"id": id, "rawId": id, "type": "public-key", "response": response}).to_string();
        let encoded: String = url::form_urlencoded::byte_serialize(credential.as_bytes()).collect();
        format!("{name}={encoded}")
    }

    /// Answers the request for a new passkey.
    fn create(&mut self, options: &Value) -> String {
        let client_data = self.client_data("webauthn.create", options);
        let mut data = self.data(0x40 | self.flags());
        data.extend([0; 16]);
        data.extend(u16::try_from(self.id.len()).unwrap().to_be_bytes());
        data.extend(&self.id);
        let point = self.key.public_key().as_ref();
        data.extend([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20]);
        data.extend(&point[1..33]);
        data.extend([0x22, 0x58, 0x20]);
        data.extend(&point[33..]);
        let mut object = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58".to_vec();
        object.push(u8::try_from(data.len()).unwrap());
        object.extend(data);
        self.field("credential", json!({
            "attestationObject": BASE64.encode(object), "clientDataJSON": BASE64.encode(client_data), "transports": []
        }))
    }

    /// Answers the request for a signature.
    fn sign(&mut self, options: &Value) -> String {
        let client_data = self.client_data("webauthn.get", options);
        let data = self.data(self.flags());
        let mut signed = data.clone();
        signed.extend(Sha256::digest(&client_data));
        let signature = self.key.sign(&SystemRandom::new(), &signed).unwrap();
        self.field(
            "own_credential",
            json!({
                "authenticatorData": BASE64.encode(data), "clientDataJSON": BASE64.encode(client_data),
                "signature": BASE64.encode(signature), "userHandle": null
            }),
        )
    }
}

async fn options(browser: &Browser<'_>, path: &str) -> Value {
    let answer = browser.post(path, "").await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    serde_json::from_str(&answer.body).unwrap()
}

/// Gives somebody a passkey; the answer.
async fn add(browser: &Browser<'_>, authenticator: &mut Authenticator, name: &str) -> Answer {
    let asked = options(browser, "/account/factor/passkeys/begin").await;
    assert_eq!(asked["publicKey"]["rp"]["id"], "localhost");
    assert_eq!(asked["publicKey"]["attestation"], "none");
    let form = format!("{}&name={name}", authenticator.create(&asked));
    browser.post("/account/factor/passkeys", &form).await
}

fn codes(page: &str) -> Vec<String> {
    let parts = page.split("<li><code>").skip(1);
    parts.map(|part| part.split('<').next().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_passkey_is_a_second_factor() {
    let world = World::new().await;
    let (ada, merchant) = world.person("ada@tea.example").await;
    let mut phone = Authenticator::new("phone-of-ada-0001");
    let added = add(&ada, &mut phone, "Phone").await;
    let codes = codes(&added.body);
    assert_eq!((added.status.as_u16(), codes.len()), (200, 10), "{}", added.body);
    let told = world.letters().await;
    assert!(
        told.iter()
            .any(|letter| letter.text.contains("second factor was added"))
    );
    let page = ada.get("/account/factor").await;
    assert!(
        page.body.contains("Phone") && page.body.contains("/passkeys.js"),
        "{}",
        page.body
    );
    assert_eq!(ada.get("/passkeys.js").await.status, 200);
    assert!(
        ada.get(&format!("/dashboard/{merchant}/team"))
            .await
            .body
            .contains("econd factor")
    );

    // The password alone opens nothing.
    let other = world.browser();
    assert_leads_to(&other.post("/login", LOGIN).await, "/login/code?then=%2Fdashboard");
    assert!(
        other
            .get("/account")
            .await
            .header("location")
            .starts_with("/login/code?")
    );
    assert!(says(&other.get("/login/code").await.body, said::USE_A_PASSKEY));
    let half = other.cookie.lock().clone();
    let asked = options(&other, BEGIN).await;
    let answer = phone.sign(&asked);
    assert_leads_to(
        &other.post("/login/passkey", &format!("{answer}&then=%2Faccount")).await,
        "/account",
    );
    assert_ne!(*other.cookie.lock(), half, "the session is another one after each step");
    assert!(other.get("/account").await.body.contains("1 passkey. "));
    // Once is once.
    assert_eq!(other.post("/confirm", &answer).await.status, 422);

    // It stands for the password where something sensitive is done.
    world.app.clock.advance_secs(15 * 60);
    assert!(
        other
            .get("/account/factor")
            .await
            .header("location")
            .starts_with("/confirm?")
    );
    assert!(says(&other.get("/confirm").await.body, said::USE_A_PASSKEY));
    let asked = options(&other, BEGIN).await;
    let form = format!("{}&then=%2Faccount", phone.sign(&asked));
    assert_leads_to(&other.post("/confirm", &form).await, "/account");
    assert_eq!(other.get("/account/factor").await.status, 200);
    // A form that was sent too late goes on with it.
    world.app.clock.advance_secs(15 * 60);
    let late = other.post("/account/email", "email=ada@tea.example").await;
    assert!(
        late.status == 422 && says(&late.body, said::USE_A_PASSKEY) && late.body.contains("value=\"ada@tea.example\"")
    );
    let asked = options(&other, BEGIN).await;
    let form = format!("{}&email=ada@books.example", phone.sign(&asked));
    assert_leads_to(&other.post("/account/email", &form).await, "/account?done=asked");

    // A recovery code lets in without it, once.
    let third = world.browser();
    third.post("/login", LOGIN).await;
    let form = format!("code={}", codes[0]);
    assert_leads_to(&third.post("/login/code", &form).await, "/dashboard");

    // A second one gives no codes; with the last one they go.
    let mut key = Authenticator::new("key-of-ada-000002");
    assert_leads_to(&add(&other, &mut key, "Key").await, "/account/factor");
    assert_eq!(third.get("/account").await.status, 303, "ends all your other sessions");
    for left in [&*format!("9 {}", said::CODES_LEFT.en), said::FACTOR_OFF.en] {
        let page = other.get("/account/factor").await.body;
        let path = page.split("action=\"/account/factor/passkeys/").nth(1).unwrap();
        let path = format!("/account/factor/passkeys/{}", path.split('"').next().unwrap());
        let (eve, _) = world.person(&format!("eve{}@tea.example", left.len())).await;
        assert_eq!(eve.post(&path, "").await.status, 404, "nobody removes somebody else's");
        assert_leads_to(&other.post(&path, "").await, "/account/factor");
        assert!(other.get("/account").await.body.contains(left), "{left}");
    }
    assert_leads_to(&world.browser().post("/login", LOGIN).await, "/dashboard");
}

#[tokio::test]
async fn what_was_not_signed_for_this_login_is_refused() {
    let world = World::new().await;
    let (ada, _) = world.person("ada@tea.example").await;
    let mut phone = Authenticator::new("phone-of-ada-0001");
    assert_eq!(add(&ada, &mut phone, "Phone").await.status, 200);
    let thief = world.browser();
    thief.post("/login", LOGIN).await;
    let enter = async |form: String| {
        let status = thief.post("/login/passkey", &form).await.status.as_u16();
        // Who is wrong again and again has to wait.
        world.app.clock.advance_secs(64);
        status
    };

    // Of a page elsewhere, which hands the challenge on.
    let asked = options(&thief, BEGIN).await;
    for origin in [
        "https://evil.example",
        "http://localhost:8081",
        "https://localhost:8080",
    ] {
        phone.origin = origin.to_owned();
        assert_eq!(enter(phone.sign(&options(&thief, BEGIN).await)).await, 422, "{origin}");
    }
    phone.origin = ORIGIN.to_owned();
    phone.rp = "evil.example".to_owned();
    assert_eq!(enter(phone.sign(&options(&thief, BEGIN).await)).await, 422);
    phone.rp = "localhost".to_owned();
    // Of an earlier challenge, of none, and of another session's.
    options(&thief, BEGIN).await;
    assert_eq!(enter(phone.sign(&asked)).await, 422);
    let other = world.browser();
    other.post("/login", LOGIN).await;
    let others = options(&other, BEGIN).await;
    assert_eq!(enter(phone.sign(&others)).await, 422);
    options(&thief, BEGIN).await;
    assert_eq!(enter(phone.sign(&others)).await, 422);
    world.app.clock.advance_secs(20 * 60);
    // Too late.
    let asked = options(&thief, BEGIN).await;
    world.app.clock.advance_secs(5 * 60);
    assert_eq!(enter(phone.sign(&asked)).await, 422);
    // Of a key that is not the account's, under the name of one that is.
    let mut forged = Authenticator::new("phone-of-ada-0001");
    forged.count = 1_000;
    assert_eq!(enter(forged.sign(&options(&thief, BEGIN).await)).await, 422);
    let (eve, _) = world.person("eve@tea.example").await;
    let mut own = Authenticator::new("phone-of-eve-0001");
    assert_eq!(add(&eve, &mut own, "Phone").await.status, 200);
    assert_eq!(enter(own.sign(&options(&thief, BEGIN).await)).await, 422);
    let told = world.letters().await;
    assert!(
        told.iter()
            .any(|letter| letter.to == "ada@tea.example" && letter.text.contains("several wrong codes"))
    );
    // Of a copy, which has counted less.
    let count = phone.count;
    assert_eq!(enter(phone.sign(&options(&thief, BEGIN).await)).await, 303);
    let copy = world.browser();
    copy.post("/login", LOGIN).await;
    phone.count = count;
    let form = phone.sign(&options(&copy, BEGIN).await);
    assert_eq!(copy.post("/login/passkey", &form).await.status, 422);
    assert_eq!(copy.post("/login/passkey", "own_credential=nonsense").await.status, 422);
}

#[tokio::test]
async fn a_passkey_is_added_once_and_by_its_own_session() {
    let world = World::new().await;
    let (ada, _) = world.person("ada@tea.example").await;
    let (eve, _) = world.person("eve@tea.example").await;
    let begin = "/account/factor/passkeys/begin";
    let mut phone = Authenticator::new("phone-of-ada-0001");
    let asked = options(&ada, begin).await;
    let form = format!("{}&name=Phone", phone.create(&asked));
    assert_eq!(eve.post("/account/factor/passkeys", &form).await.status, 422);
    assert_eq!(ada.post("/account/factor/passkeys", &form).await.status, 200);
    assert_eq!(ada.post("/account/factor/passkeys", &form).await.status, 422, "once");
    // The same one for somebody else, and a signature in the place of a new one.
    assert_eq!(add(&eve, &mut phone, "Phone").await.status, 422);
    let asked = options(&ada, BEGIN).await;
    let form = format!("{}&name=Phone", phone.create(&asked));
    assert_eq!(ada.post("/account/factor/passkeys", &form).await.status, 422);
    assert_eq!(
        ada.post("/account/factor/passkeys", "name=&credential=").await.status,
        422
    );
    // Without one there is nothing to sign.
    assert_eq!(eve.post(BEGIN, "").await.status, 422);
    assert!(!says(&eve.get("/confirm").await.body, said::USE_A_PASSKEY));
    assert!(
        ada.get("/account")
            .await
            .body
            .contains(&format!("10 {}", said::CODES_LEFT.en))
    );
    assert!(says(&eve.get("/account").await.body, said::FACTOR_OFF));
}

#[tokio::test]
async fn a_passkey_that_recognises_nobody_does_not_stand_for_the_password() {
    let world = World::new().await;
    let (ada, _) = world.person("ada@tea.example").await;
    let mut phone = Authenticator::new("phone-of-ada-0001");
    // It has to recognise its person from the start.
    phone.verifies = false;
    let asked = options(&ada, "/account/factor/passkeys/begin").await;
    assert_eq!(
        asked["publicKey"]["authenticatorSelection"]["userVerification"],
        "required"
    );
    let form = format!("{}&name=Phone", phone.create(&asked));
    assert_eq!(ada.post("/account/factor/passkeys", &form).await.status, 422);
    phone.verifies = true;
    assert_eq!(add(&ada, &mut phone, "Phone").await.status, 200);

    world.app.clock.advance_secs(15 * 60);
    phone.verifies = false;
    let asked = options(&ada, BEGIN).await;
    assert_eq!(asked["publicKey"]["userVerification"], "required");
    let form = format!("{}&then=%2Faccount", phone.sign(&asked));
    assert_eq!(ada.post("/confirm", &form).await.status, 422);
    assert!(
        ada.get("/account/factor")
            .await
            .header("location")
            .starts_with("/confirm?")
    );
    phone.verifies = true;
    let form = format!("{}&then=%2Faccount", phone.sign(&options(&ada, BEGIN).await));
    assert_leads_to(&ada.post("/confirm", &form).await, "/account");
}

#[tokio::test]
async fn a_key_from_before_lets_in_beside_the_password_but_confirms_nothing_unrecognised() {
    let world = World::new().await;
    let (ada, _) = world.person("ada@tea.example").await;
    let mut key = Authenticator::new("key-of-ada-000001");
    assert_eq!(add(&ada, &mut key, "Key").await.status, 200);
    // As it was stored when nobody asked it to recognise anybody.
    world
        .app
        .charges
        .store()
        .write(|tx| {
            Box::pin(async move {
                let mut people = tx.people().await?;
                let account = people.account_of("ada@tea.example").await?.unwrap();
                let mut row = people.passkeys(account.num).await?.remove(0);
                people.drop_passkey(account.num, row.id).await?;
                let mut stored: Value = serde_json::from_str(&row.credential).unwrap();
                stored["registration_policy"] = json!("preferred");
                stored["user_verified"] = json!(false);
                row.credential = stored.to_string();
                people.add_passkey(&row).await?;
                Ok::<_, bitpro_store::StoreError>(())
            })
        })
        .await
        .unwrap();
    key.verifies = false;
    let other = world.browser();
    other.post("/login", LOGIN).await;
    let form = format!("{}&then=%2Faccount", key.sign(&options(&other, BEGIN).await));
    assert_leads_to(&other.post("/login/passkey", &form).await, "/account");
    let form = format!("{}&then=%2Faccount", key.sign(&options(&other, BEGIN).await));
    assert_eq!(other.post("/confirm", &form).await.status, 422);
}

#[tokio::test]
async fn an_account_has_ten_passkeys_at_most() {
    let world = World::new().await;
    let (ada, _) = world.person("ada@tea.example").await;
    for n in 0..10 {
        let mut phone = Authenticator::new(&format!("phone-of-ada-{n:04}"));
        let added = add(&ada, &mut phone, &format!("Phone+{n}")).await;
        assert!(added.status.as_u16() < 400, "{n}: {}", added.body);
    }
    let answer = ada.post("/account/factor/passkeys/begin", "").await;
    assert_eq!(answer.status, 422, "{}", answer.body);
}
