//! Letters in the transaction of what they tell of: the buyer's receipt, and the end of what is known of them.

use bitpro_base::seal::Purpose;
use bitpro_merchant::letters::Letter;
use bitpro_store::documents::letter_from;

use super::*;

impl Shop {
    /// Everything in the outbox of letters.
    async fn letters(&self) -> Vec<Letter> {
        let rows = self.charges.store().mails_due(self.charges.now(), 100).await.unwrap();
        rows.iter()
            .map(|row| {
                let opened = self.charges.seal().open(Purpose::Mail, &row.id, &row.sealed).unwrap();
                letter_from(&opened).unwrap()
            })
            .collect()
    }

    async fn bought(&self, email: Option<&str>) -> Arc<Snapshot> {
        let new = NewCharge {
            order_id: Some("A-1 <b>".to_owned()),
            buyer_email: email.map(str::to_owned),
            metadata: Some("{\"cart\":7}".to_owned()),
            language: Some(bitpro_merchant::Language::Fr),
            ..self.new_charge(4_200)
        };
        let id = self.charges.create(new).await.unwrap();
        self.now(id).await
    }

    async fn email(&self, charge: &Snapshot) -> Option<String> {
        let [email, ..] = self.charges.store().personal(charge.num).await.unwrap();
        email
    }
}

#[tokio::test]
async fn a_buyer_gets_one_receipt_with_the_first_confirmation() {
    let mut shop = Shop::with(&[("email_receipts", "yes")]).await;
    let charge = shop.bought(Some("anna@buyer.example")).await;
    let silent = shop.bought(None).await;
    let tx = shop.pay(&[(&charge.charge.address, 84_000), (&silent.charge.address, 84_000)]);
    shop.see(&[&tx]).await;
    assert_eq!(shop.letters().await, [], "what is seen is not confirmed");
    shop.mine(&[&tx]).await;
    let letters = shop.letters().await;
    assert_eq!(letters.len(), 1, "{letters:?}");
    let letter = &letters[0];
    assert_eq!(letter.to, "anna@buyer.example");
    assert!(letter.subject.starts_with("Reçu de "), "{}", letter.subject);
    for said in [
        "Commande : A-1b\n",
        "42,00 €",
        "0,00084000 BTC",
        &charge.charge.id.to_string(),
    ] {
        assert!(letter.text.contains(said), "{said:?} in {}", letter.text);
    }
    // The block is replaced by one that holds the payment again: the merchant is told twice, the buyer is not.
    let mut view = shop.quiet();
    shop.work += 1;
    view.fork_height = shop.height - 1;
    view.tip = shop.tip();
    view.connected = vec![view.tip.block.into()];
    view.transactions = shop.paying(&tx, Place::Mempool).into_iter().collect();
    shop.charges.observe(view).await.unwrap();
    shop.mine(&[&tx]).await;
    let told = outbox(&shop.world.database()).await;
    let confirmed = told
        .iter()
        .filter(|(_, announcement)| announcement == "charge:confirmed")
        .count();
    assert_eq!(confirmed, 4, "{told:?}");
    assert_eq!(shop.letters().await.len(), 1);
}

#[tokio::test]
async fn r01_a_receipt_names_no_money_that_is_not_confirmed() {
    let mut shop = Shop::with(&[("email_receipts", "yes")]).await;
    let charge = shop.bought(Some("anna@buyer.example")).await;
    let deep = shop.pay(&[(&charge.charge.address, 84_000)]);
    let replaceable = shop.pay(&[(&charge.charge.address, 300_000_000)]);
    shop.see(&[&deep, &replaceable]).await;
    shop.mine(&[&deep]).await;
    // What all of it is worth asks for six confirmations.
    for _ in 1..6 {
        assert_eq!(shop.letters().await, []);
        shop.mine(&[]).await;
    }
    let letters = shop.letters().await;
    let [letter] = &letters[..] else {
        panic!("{letters:?}");
    };
    assert!(letter.text.contains("0,00084000 BTC"), "{}", letter.text);
    assert!(!letter.text.contains("3,00"), "{}", letter.text);
    let charge = shop.now(charge.charge.id).await.charge.clone();
    assert_eq!(charge.received().to_sat(), 300_084_000);
}

#[tokio::test]
async fn a_merchant_who_wants_no_receipts_sends_none() {
    let mut shop = Shop::new().await;
    let charge = shop.bought(Some("anna@buyer.example")).await;
    let tx = shop.pay(&[(&charge.charge.address, 84_000)]);
    shop.mine(&[&tx]).await;
    assert_eq!(shop.state(charge.charge.id).await.0, State::Confirmed);
    assert_eq!(shop.letters().await, []);
}

#[tokio::test]
async fn a_letter_goes_with_its_unit_and_is_sealed() {
    let shop = Shop::new().await;
    let letter = |secret: &str| Letter {
        to: "anna@shop.example".to_owned(),
        subject: "Hi".to_owned(),
        text: secret.to_owned(),
        html: String::new(),
    };
    let (kept, lost) = (letter("one-use-link"), letter("never"));
    let stored: Result<(), StoreError> = shop
        .charges
        .store()
        .write(move |tx| Box::pin(async move { tx.post(&kept).await }))
        .await;
    stored.unwrap();
    let failed: Result<(), StoreError> = shop
        .charges
        .store()
        .write(move |tx| {
            Box::pin(async move {
                tx.post(&lost).await?;
                Err(StoreError::Closed)
            })
        })
        .await;
    assert!(failed.is_err());
    let letters = shop.letters().await;
    assert_eq!(letters, [letter("one-use-link")]);
    let database = shop.world.database();
    for file in std::fs::read_dir(database.parent().unwrap()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap_or_default();
        let holds = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        assert!(!holds("one-use-link") && !holds("anna@shop.example"));
    }
}

#[tokio::test]
async fn r31_personal_data_is_erased_so_many_days_after_the_end() {
    let mut shop = Shop::with(&[("retention_days", "30")]).await;
    let ended = shop.bought(Some("anna@buyer.example")).await;
    shop.pass(3_000).await;
    assert_eq!(shop.state(ended.charge.id).await.0, State::TimedOut);
    retention::erase_old(&shop.charges).await.unwrap();
    assert!(shop.email(&ended).await.is_some(), "it has just ended");

    shop.world.clock.advance_secs(30 * 24 * 3_600 + 1);
    let young = shop.bought(Some("bert@buyer.example")).await;
    retention::erase_old(&shop.charges).await.unwrap();
    assert_eq!(shop.email(&ended).await, None);
    assert_eq!(shop.now(ended.charge.id).await.email_key, None);
    assert!(shop.email(&young).await.is_some());
    shop.assert_replay_equals_live(ended.charge.id).await;
}

#[tokio::test]
async fn r31_what_has_not_ended_is_kept_however_old_it_is() {
    let shop = Shop::with(&[("retention_days", "1")]).await;
    let open = shop.bought(Some("anna@buyer.example")).await;
    // The node is away: the charge waits.
    shop.world.clock.advance_secs(10 * 24 * 3_600);
    retention::erase_old(&shop.charges).await.unwrap();
    assert!(shop.email(&open).await.is_some());
}

#[tokio::test]
async fn r31_nothing_is_erased_where_no_time_is_set() {
    let mut shop = Shop::new().await;
    let ended = shop.bought(Some("anna@buyer.example")).await;
    shop.pass(3_000).await;
    shop.world.clock.advance_secs(1_000 * 24 * 3_600);
    retention::erase_old(&shop.charges).await.unwrap();
    assert!(shop.email(&ended).await.is_some());
}

#[tokio::test]
async fn a_start_without_the_key_of_a_waiting_letter_is_refused() {
    use bitpro_base::seal::{Seal, SealKeys, Secret};

    let shop = Shop::new().await;
    let letter = bitpro_merchant::letters::test("anna@shop.example");
    let posted: Result<(), StoreError> = shop
        .charges
        .store()
        .write(move |tx| Box::pin(async move { tx.post(&letter).await }))
        .await;
    posted.unwrap();
    shop.charges.close().await;
    let other = Opening {
        seal: Seal::new(&SealKeys::first(Secret([8; 32]))),
        ..shop.world.opening(Role::Server)
    };
    let refused = Charges::open(other).await.err();
    assert!(matches!(refused, Some(OpenError::Sealed(_))), "{refused:?}");
}
