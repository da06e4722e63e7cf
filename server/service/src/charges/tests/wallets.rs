//! Descriptors and their counters.

use bitcoin::bip32::{ChildNumber, Xpub};
use bitcoin::secp256k1::Secp256k1;
use bitpro_charge::Reason;
use bitpro_merchant::wallet::Receive;

use super::*;

fn wallet(script_type: &str) -> Option<WalletText> {
    Some(WalletText {
        text: TPUB.to_owned(),
        script_type: Some(script_type.to_owned()),
    })
}

fn address_at(script_type: &str, index: u32) -> String {
    let receive = Receive::parse(&wallet(script_type).unwrap(), Network::Regtest).unwrap();
    receive.derive(index).unwrap().address
}

async fn change(shop: &Shop, script_type: &str) {
    let changes = MerchantChanges {
        wallet: wallet(script_type),
        ..MerchantChanges::default()
    };
    shop.charges.change_merchant(shop.merchant, changes).await.unwrap();
    finish_scans(&shop.charges).await;
}

#[tokio::test]
async fn r27_a_new_descriptor_waits_for_a_scan_and_starts_above_what_was_used() {
    let world = World::new();
    let charges = world.open().await;
    let merchant = add_merchant(&charges, &[], "wpkh").await;
    let new = NewCharge::of(merchant, Cents(100));
    let blocked = charges.create(new.clone()).await.unwrap_err();
    assert!(matches!(
        blocked,
        CreateError::IssuanceBlocked(IssuanceBlock::AwaitsScan)
    ));
    let scans = charges.scans_wanted();
    assert_eq!(scans.len(), 1);
    assert!(scans[0].range.descriptor.starts_with("wpkh(tpub"));
    assert_eq!(scans[0].range.highest, 1_000);

    charges.watch_ahead(scans[0].id, Some(41)).await.unwrap();
    charges.finish_scan(scans[0].id).await.unwrap();
    assert!(charges.scans_wanted().is_empty());
    let id = charges.create(new).await.unwrap();
    let made = charges.snapshot(id).await.unwrap().unwrap();
    assert_eq!(made.charge.address, address_at("wpkh", 42));
    let report = charges.merchant_report(merchant).await.unwrap();
    assert_eq!(
        (report.unpaid_run, report.next_index, report.blocked),
        (1, Some(43), None)
    );
    charges.close().await;
}

#[tokio::test]
async fn r27_two_merchants_of_one_descriptor_share_its_counter() {
    let shop = Shop::new().await;
    let other = add_merchant(&shop.charges, &[], "wpkh").await;
    assert!(shop.charges.scans_wanted().is_empty());
    let first = shop.make(100).await;
    let new = NewCharge {
        merchant: other,
        ..shop.new_charge(100)
    };
    let id = shop.charges.create(new).await.unwrap();
    let second = shop.now(id).await;
    assert_eq!((first.index, second.index), (0, 1));
}

#[tokio::test]
async fn r27_a_return_to_an_old_descriptor_goes_on_with_its_counter() {
    let shop = Shop::new().await;
    assert_eq!(shop.make(100).await.index, 0);
    assert_eq!(shop.make(100).await.index, 1);
    change(&shop, "tr").await;
    assert_eq!(shop.make(100).await.charge.address, address_at("tr", 0));
    change(&shop, "wpkh").await;
    assert_eq!(shop.make(100).await.charge.address, address_at("wpkh", 2));
}

#[tokio::test]
async fn r27_a_script_that_another_descriptor_has_is_never_given_out_again() {
    let shop = Shop::new().await;
    let first = shop.make(100).await;
    // The same chain of addresses, written from one step further down: another text, the same scripts.
    let below: Xpub = TPUB.parse().unwrap();
    let below = below
        .ckd_pub(&Secp256k1::verification_only(), ChildNumber::Normal { index: 0 })
        .unwrap();
    let changes = MerchantChanges {
        wallet: Some(WalletText {
            text: format!("wpkh({below}/*)"),
            script_type: None,
        }),
        ..MerchantChanges::default()
    };
    shop.charges.change_merchant(shop.merchant, changes).await.unwrap();
    finish_scans(&shop.charges).await;
    let second = shop.make(100).await;
    assert_ne!(second.descriptor, first.descriptor);
    // The first descriptor's look-ahead holds the first hundred.
    assert!(second.index >= 100, "index {} has the other's script", second.index);
    assert_ne!(second.charge.address, first.charge.address);
}

#[tokio::test]
async fn r27_an_address_that_received_money_before_it_was_given_out_is_skipped() {
    let mut shop = Shop::new().await;
    let early = shop.pay(&[(&address_at("wpkh", 0), 5_000), (&address_at("wpkh", 2), 5_000)]);
    shop.see(&[&early]).await;
    assert_eq!(shop.make(100).await.index, 1);
    let mut shop = shop.restart().await;
    assert_eq!(shop.make(100).await.index, 3);
    // Nobody's money is not followed.
    assert!(shop.charges.known_txs().await.unwrap().is_empty());
    shop.mine(&[&early]).await;
    assert_eq!(shop.make(100).await.index, 4);
}

#[tokio::test]
async fn r28_a_restored_database_jumps_past_the_mark_and_has_a_new_epoch() {
    let shop = Shop::new().await;
    for _ in 0..3 {
        shop.make(100).await;
    }
    let epoch = shop.charges.epoch();
    shop.charges.close().await;
    let backup = shop.world.folder.path().join("backup.db");
    std::fs::copy(shop.world.database(), &backup).unwrap();

    let charges = shop.world.open().await;
    assert_eq!(charges.epoch(), epoch, "an ordinary restart is no restore");
    let mut last = None;
    for _ in 0..4 {
        last = Some(charges.create(shop.new_charge(100)).await.unwrap());
    }
    let last = charges.snapshot(last.unwrap()).await.unwrap().unwrap();
    assert_eq!(last.index, 6);
    charges.close().await;

    std::fs::copy(&backup, shop.world.database()).unwrap();
    let charges = shop.world.open().await;
    assert_ne!(charges.epoch(), epoch);
    let id = charges.create(shop.new_charge(100)).await.unwrap();
    let next = charges.snapshot(id).await.unwrap().unwrap();
    assert_eq!(next.index, 7);
    assert_eq!(next.charge.address, address_at("wpkh", 7));
    charges.close().await;
}

#[tokio::test]
async fn r28_without_the_mark_nothing_is_made_until_a_scan_and_the_index_jumps() {
    let shop = Shop::new().await;
    for _ in 0..3 {
        shop.make(100).await;
    }
    shop.charges.close().await;
    std::fs::remove_file(shop.world.mark()).unwrap();

    // Opening twice without a scan makes no difference.
    for _ in 0..2 {
        let charges = shop.world.open().await;
        let blocked = charges.create(shop.new_charge(100)).await.unwrap_err();
        assert!(matches!(
            blocked,
            CreateError::IssuanceBlocked(IssuanceBlock::AwaitsScan)
        ));
        charges.close().await;
    }
    let charges = shop.world.open().await;
    let scan = charges.scans_wanted().remove(0);
    charges.watch_ahead(scan.id, Some(17)).await.unwrap();
    charges.finish_scan(scan.id).await.unwrap();
    let id = charges.create(shop.new_charge(100)).await.unwrap();
    assert_eq!(charges.snapshot(id).await.unwrap().unwrap().index, 18 + 1_000);
    charges.close().await;
    // The mark is there again.
    let charges = shop.world.open().await;
    let id = charges.create(shop.new_charge(100)).await.unwrap();
    assert_eq!(charges.snapshot(id).await.unwrap().unwrap().index, 19 + 1_000);
    charges.close().await;
}

/// Copies the database, as it is while no server runs; the mark stays where it is.
fn back_up(shop: &Shop) -> PathBuf {
    let backup = shop.world.folder.path().join("backup.db");
    std::fs::copy(shop.world.database(), &backup).unwrap();
    backup
}

#[tokio::test]
async fn r28_a_descriptor_that_is_younger_than_the_backup_starts_above_the_mark() {
    let shop = Shop::new().await;
    shop.make(100).await;
    shop.charges.close().await;
    let backup = back_up(&shop);
    let shop = shop.restart().await;
    let epoch = shop.charges.epoch();
    change(&shop, "tr").await;
    let mut given = Vec::new();
    for _ in 0..5 {
        given.push(shop.make(100).await.charge.address.clone());
    }
    shop.charges.close().await;

    std::fs::copy(&backup, shop.world.database()).unwrap();
    let shop = shop.restart().await;
    let after = shop.charges.epoch();
    assert_ne!(after, epoch, "the cursors of what is lost mean nothing");
    change(&shop, "tr").await;
    let next = shop.make(100).await;
    assert_eq!(next.charge.address, address_at("tr", 5));
    assert!(!given.contains(&next.charge.address));
    // It is a restore once, and an ordinary start from then on.
    let shop = shop.restart().await;
    assert_eq!(shop.charges.epoch(), after);
    assert_eq!(shop.make(100).await.charge.address, address_at("tr", 6));
    shop.charges.close().await;

    // The same backup again, and this time without a mark: nobody knows how far it went, so it jumps.
    std::fs::copy(&backup, shop.world.database()).unwrap();
    std::fs::remove_file(shop.world.mark()).unwrap();
    let shop = shop.restart().await;
    assert_ne!(shop.charges.epoch(), after);
    change(&shop, "tr").await;
    assert_eq!(shop.make(100).await.charge.address, address_at("tr", 1_000));
}

#[tokio::test]
async fn r28_a_descriptor_that_the_command_line_gives_back_starts_above_the_mark() {
    let shop = Shop::new().await;
    shop.charges.close().await;
    let backup = back_up(&shop);
    let shop = shop.restart().await;
    change(&shop, "tr").await;
    for _ in 0..3 {
        shop.make(100).await;
    }
    shop.charges.close().await;
    std::fs::copy(&backup, shop.world.database()).unwrap();

    // Beside a server that runs, as at its start or its end; and before one begins.
    for is_beside in [true, false] {
        let server = match is_beside {
            true => Some(shop.world.open().await),
            false => None,
        };
        let tool = Charges::open(shop.world.opening(Role::Tool)).await.unwrap();
        let changes = MerchantChanges {
            wallet: wallet("tr"),
            ..MerchantChanges::default()
        };
        tool.change_merchant(shop.merchant, changes).await.unwrap();
        tool.close().await;
        let charges = match server {
            Some(server) => server,
            None => shop.world.open().await,
        };
        // The first unit after it reads what the other process wrote.
        charges.merchant_report(shop.merchant).await.unwrap();
        finish_scans(&charges).await;
        let id = charges.create(shop.new_charge(100)).await.unwrap();
        let made = charges.snapshot(id).await.unwrap().unwrap();
        let index = if is_beside { 3 } else { 4 };
        assert_eq!(made.charge.address, address_at("tr", index));
        charges.close().await;
        std::fs::copy(&backup, shop.world.database()).unwrap();
    }
}

#[tokio::test]
async fn r28_a_lost_mark_is_no_first_start_although_nothing_was_given_out_yet() {
    let shop = Shop::new().await;
    shop.charges.close().await;
    let backup = back_up(&shop);
    let shop = shop.restart().await;
    shop.make(100).await;
    shop.charges.close().await;
    // The backup is from before the first charge: by itself it looks like a shop that was just set up.
    std::fs::copy(&backup, shop.world.database()).unwrap();
    std::fs::remove_file(shop.world.mark()).unwrap();
    let shop = shop.restart().await;
    let blocked = shop.charges.create(shop.new_charge(100)).await.unwrap_err();
    assert!(matches!(
        blocked,
        CreateError::IssuanceBlocked(IssuanceBlock::AwaitsScan)
    ));
    finish_scans(&shop.charges).await;
    assert_eq!(shop.make(100).await.charge.address, address_at("wpkh", 1_000));
    // A mark of no length is a missing one.
    shop.charges.close().await;
    std::fs::write(shop.world.mark(), b"").unwrap();
    let shop = shop.restart().await;
    finish_scans(&shop.charges).await;
    assert_eq!(shop.make(100).await.charge.address, address_at("wpkh", 2_001));
}

#[tokio::test]
async fn r28_a_shop_that_the_command_line_set_up_before_the_first_start_begins_at_the_first_address() {
    let world = World::new();
    let tool = Charges::open(world.opening(Role::Tool)).await.unwrap();
    let merchant = add_merchant(&tool, &[], "wpkh").await;
    tool.close().await;
    let charges = world.open().await;
    finish_scans(&charges).await;
    let new = NewCharge::of(merchant, Cents(100));
    let id = charges.create(new).await.unwrap();
    assert_eq!(
        charges.snapshot(id).await.unwrap().unwrap().charge.address,
        address_at("wpkh", 0)
    );
    charges.close().await;
}

#[tokio::test]
async fn r28_one_database_has_one_server() {
    let shop = Shop::new().await;
    let second = Charges::open(shop.world.opening(Role::Server)).await;
    assert!(matches!(second, Err(OpenError::InUse(_))));
}

#[tokio::test]
async fn a_count_of_what_is_no_state_stops_no_start() {
    let shop = Shop::new().await;
    shop.make(100).await;
    shop.charges.close().await;
    let counts = "INSERT INTO state_counts VALUES ('nonsense', 7), (x'ff', 'many')";
    meddle(&shop.world.database(), counts).await;
    let shop = shop.restart().await;
    shop.make(100).await;
    let counts = shop.charges.count_by_state().await.unwrap();
    assert_eq!(counts, [(State::Pending, 2)]);
}

#[tokio::test]
async fn a_row_that_another_hand_has_changed_is_an_error_and_no_payment_to_a_stranger() {
    let shop = Shop::new().await;
    let made = shop.make(100).await;
    shop.charges.close().await;
    let original = std::fs::read(shop.world.database()).unwrap();

    meddle(
        &shop.world.database(),
        "UPDATE descriptors SET text = replace(text, '/0/*', '/1/*')",
    )
    .await;
    assert!(matches!(
        Charges::open(shop.world.opening(Role::Server)).await,
        Err(OpenError::Store(StoreError::Damaged(_)))
    ));
    std::fs::write(shop.world.database(), &original).unwrap();

    meddle(&shop.world.database(), "UPDATE merchants SET descriptor_mac = x'00'").await;
    assert!(matches!(
        Charges::open(shop.world.opening(Role::Server)).await,
        Err(OpenError::Store(StoreError::Damaged(_)))
    ));
    std::fs::write(shop.world.database(), &original).unwrap();

    // The stranger's address in place of the one that was given out.
    meddle(
        &shop.world.database(),
        "UPDATE scripts SET script = x'00140000000000000000000000000000000000000000' WHERE idx = 0",
    )
    .await;
    let charges = shop.world.open().await;
    assert!(matches!(
        charges.snapshot(made.charge.id).await,
        Err(StoreError::Damaged(_))
    ));
    let listed = charges.list(Filter::default(), None, 10).await.unwrap();
    assert_eq!((listed.charges.len(), listed.unreadable), (0, vec![made.charge.id]));
    charges.close().await;
    std::fs::write(shop.world.database(), &original).unwrap();

    // A look-ahead's script of the stranger's would be given out next.
    meddle(
        &shop.world.database(),
        "UPDATE scripts SET script = x'00140000000000000000000000000000000000000000' WHERE idx = 1",
    )
    .await;
    assert!(matches!(
        Charges::open(shop.world.opening(Role::Server)).await,
        Err(OpenError::Store(StoreError::Damaged(_)))
    ));
}

#[tokio::test]
async fn money_to_a_row_that_another_hand_has_changed_is_passed_over_and_nobody_else_notices() {
    let shop = Shop::new().await;
    let (victim, other) = (shop.make(1_000).await, shop.make(1_000).await);
    let stranger = address_at("wpkh", 5_000);
    let changed = format!("UPDATE scripts SET script = x'{:x}' WHERE idx = 0", script(&stranger));
    meddle(&shop.world.database(), changed.leak()).await;
    let mut shop = shop.restart().await;
    let both = shop.pay(&[(&stranger, 20_000), (&other.charge.address, 20_000)]);
    let alone = shop.pay(&[(&stranger, 20_000)]);
    shop.see(&[&both, &alone]).await;
    shop.mine(&[&both, &alone]).await;
    assert_eq!(
        shop.state(other.charge.id).await,
        (State::Confirmed, Some(Reason::Exact))
    );

    let restored = format!(
        "UPDATE scripts SET script = x'{:x}' WHERE idx = 0",
        script(&victim.charge.address)
    );
    meddle(&shop.world.database(), restored.leak()).await;
    let shop = shop.restart().await;
    assert_eq!(shop.state(victim.charge.id).await, (State::Pending, None));
    shop.assert_replay_equals_live(other.charge.id).await;
}

#[tokio::test]
async fn r42_a_database_belongs_to_one_network_and_one_secret() {
    let world = World::new();
    world.open().await.close().await;
    let mainnet = Opening {
        network: Network::Mainnet,
        ..world.opening(Role::Server)
    };
    assert!(matches!(
        Charges::open(mainnet).await,
        Err(OpenError::WrongNetwork { .. })
    ));
    let other = Opening {
        secret: [8; 32],
        ..world.opening(Role::Server)
    };
    assert!(matches!(Charges::open(other).await, Err(OpenError::WrongSecret)));
    world.open().await.close().await;
}

#[tokio::test]
async fn a_wrong_change_of_a_merchant_changes_nothing() {
    let shop = Shop::new().await;
    let before = shop.charges.merchant(shop.merchant).unwrap();
    for changes in [
        MerchantChanges {
            settings: SettingsPatch::read(&[("window_secs", "600"), ("gap_warning", "500")]).unwrap(),
            ..MerchantChanges::default()
        },
        MerchantChanges {
            settings: SettingsPatch::read(&[("window_secs", "600")]).unwrap(),
            wallet: Some(WalletText {
                text: "wpkh(nothing)".to_owned(),
                script_type: None,
            }),
            ..MerchantChanges::default()
        },
    ] {
        assert!(shop.charges.change_merchant(shop.merchant, changes).await.is_err());
    }
    assert_eq!(shop.charges.merchant(shop.merchant).unwrap().settings, before.settings);
    let nameless = shop.charges.add_merchant(MerchantChanges::default()).await.unwrap_err();
    assert!(nameless.to_string().starts_with("name = "));
}

#[tokio::test]
async fn r27_a_shop_that_has_sold_has_no_first_wallet_whatever_its_row_says() {
    use bitpro_config::Signup;

    use crate::accounts::{Accounts, Email, Given};

    let shop = Shop::new().await;
    shop.make(100).await;
    shop.charges.close().await;
    // Another hand, so that a wallet of its own is taken at once.
    let database = shop.world.database();
    meddle(
        &database,
        "UPDATE merchants SET descriptor = NULL, descriptor_mac = NULL",
    )
    .await;
    let shop = shop.restart().await;
    assert_eq!(shop.charges.merchant_report(shop.merchant).await.unwrap().receive, None);
    let accounts = Accounts::new(shop.charges.clone(), Signup::Approval, "https://pay.example", None);
    let ada = Email::read("ada@shop.example").unwrap();
    accounts.adopt(shop.merchant, &ada).await.unwrap();
    let receive = Receive::parse(&wallet("tr").unwrap(), Network::Regtest).unwrap();
    let client = std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    let given = accounts.give_wallet(ada.as_str(), shop.merchant, receive, client).await;
    assert!(matches!(given, Ok(Given::Due(_))), "{given:?}");
    assert!(accounts.has_sold(shop.merchant).await.unwrap());
    assert_eq!(shop.charges.merchant_report(shop.merchant).await.unwrap().receive, None);
}
