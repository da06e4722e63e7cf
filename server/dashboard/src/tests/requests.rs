//! Requests for accounts: few letters, nothing that stays, and no merchant before a mailbox was opened.

use bitpro_config::Signup;

use super::*;

const OPERATOR: &str = "op@host.example";

fn form(n: u32) -> String {
    format!("name=Ada&email=ada{n}@tea.example&company=Tea{n}")
}

#[tokio::test]
async fn many_requests_from_many_places_make_few_letters_and_one_to_the_operator() {
    let world = World {
        app: app(Setup {
            operator: Some(OPERATOR),
            ..Setup::default()
        })
        .await,
    };
    let mut taken = 0;
    for n in 0..60 {
        let answer = world.browser().post("/signup", &form(n)).await;
        match answer.status.as_u16() {
            200 => taken += 1,
            status => {
                assert_eq!(status, 429, "{}", answer.body);
                assert!(!answer.header("retry-after").is_empty());
            }
        }
    }
    assert_eq!(taken, 30, "the ceiling of the instance");
    assert_eq!(
        world.subjects(OPERATOR).await,
        [letters::operator_asked("", 1, &[]).subject]
    );
    assert_eq!(world.letters().await.len(), 31);
    // The others stand together in the next letter, an hour later.
    world.accounts().tell_of_requests().await.unwrap();
    assert_eq!(world.subjects(OPERATOR).await.len(), 1);
    world.app.clock.advance_secs(60 * 60);
    world.accounts().tell_of_requests().await.unwrap();
    world.accounts().tell_of_requests().await.unwrap();
    assert_eq!(
        world.subjects(OPERATOR).await,
        [1, 29].map(|count| letters::operator_asked("", count, &[]).subject)
    );
    let letter = world.letters().await.pop().unwrap();
    let named = (0..30).filter(|n| letter.text.contains(&format!("ada{n}@tea.example")));
    assert_eq!(named.count(), 20, "{}", letter.text);
    assert!(letter.text.contains("bitpro account reject"));
}

#[tokio::test]
async fn a_request_that_nobody_approves_is_forgotten() {
    let world = World::new().await;
    assert_eq!(world.browser().post("/signup", &form(1)).await.status, 200);
    let (ada, _) = world.person("ada@tea.example").await;
    let listed = async || world.accounts().list().await.unwrap().len();
    world.app.clock.advance_secs(30 * 24 * 60 * 60 - 1);
    world.accounts().tidy().await.unwrap();
    assert_eq!(listed().await, 2);
    world.app.clock.advance_secs(1);
    world.accounts().tidy().await.unwrap();
    assert_eq!(listed().await, 1, "that of somebody who was let in stays");
    drop(ada);
}

#[tokio::test]
async fn where_everybody_may_come_the_merchant_is_made_with_the_password() {
    let world = World {
        app: app(Setup {
            signup: Signup::Open,
            ..Setup::default()
        })
        .await,
    };
    let merchants = || world.app.charges.merchants().len();
    let before = merchants();
    for n in 0..10 {
        assert_eq!(world.browser().post("/signup", &form(n)).await.status, 200);
    }
    assert_eq!(merchants(), before, "nobody has opened a mailbox yet");
    let link = world.link_to("ada3@tea.example").await;
    let token = link.split_once("token=").unwrap().1;
    let browser = world.browser();
    let chosen = format!("token={token}&password={}", PASSWORD.replace(' ', "+"));
    assert_leads_to(&browser.post("/password", &chosen).await, "/dashboard");
    assert_eq!(merchants(), before + 1);
    let page = browser.get("/dashboard").await;
    let id: MerchantId = page.header("location").rsplit('/').next().unwrap().parse().unwrap();
    assert_eq!(world.app.charges.merchant(id).unwrap().settings.name, "Tea3");
    // Another password makes no other merchant.
    let changed = browser
        .post("/account/password", "password=eight+blue+kettles+hum")
        .await;
    assert_leads_to(&changed, "/account?done=password");
    assert_eq!(merchants(), before + 1);
    // What nobody opens goes, links and all.
    world.app.clock.advance_secs(7 * 24 * 60 * 60);
    world.accounts().tidy().await.unwrap();
    let listed = world.accounts().list().await.unwrap();
    let emails: Vec<&str> = listed.iter().map(|account| account.email.as_str()).collect();
    assert_eq!(emails, ["ada3@tea.example"]);
}

#[tokio::test]
async fn so_many_requests_wait_and_no_more_whoever_asks() {
    let world = World::new().await;
    world.person("ada@tea.example").await;
    let now = world.app.charges.now();
    world
        .app
        .charges
        .store()
        .write(move |tx| {
            Box::pin(async move {
                for n in 0..2_000_u16 {
                    let mut id = [0; 16];
                    id[..2].copy_from_slice(&n.to_be_bytes());
                    let row = bitpro_store::people::AccountRow::new(id, format!("{n}@many.example"), now);
                    tx.people().await?.add_account(&row).await?;
                }
                Ok::<_, bitpro_store::StoreError>(())
            })
        })
        .await
        .unwrap();
    // The same for an address that has an account: the answer tells nothing of it.
    for email in ["eve@tea.example", "ada@tea.example"] {
        let form = format!("name=A&email={email}&company=C");
        let answer = world.browser().post("/signup", &form).await;
        assert_eq!(answer.status, 429, "{email}");
        assert_eq!(answer.header("retry-after"), "3600");
    }
}
