//! Link keys: made, exchanged, kept over restarts, and never readable in the database.

use bitpro_base::links::{Claim, ClaimError, Covered, Expiry};
use bitpro_base::rng::SystemRng;
use bitpro_base::seal::Purpose;

use super::*;

fn expires() -> Expiry {
    Expiry::from_secs(9_000_000_000).unwrap()
}

fn covered() -> Covered {
    Covered {
        price: Some("4200".to_owned()),
        ..Covered::default()
    }
}

/// A link signed with the newest key.
fn signed(shop: &Shop) -> Claim {
    Claim {
        covered: covered(),
        expires: expires(),
        signature: shop.charges.sign_link(shop.merchant, &covered(), expires()).unwrap(),
    }
}

fn check(shop: &Shop, claim: &Claim) -> Result<(), ClaimError> {
    let merchant = shop.charges.merchant(shop.merchant).unwrap();
    shop.charges.check_claim(&merchant, claim).unwrap()
}

#[tokio::test]
async fn a_key_signs_also_after_a_restart_and_a_change_of_settings() {
    let shop = Shop::new().await;
    assert!(matches!(
        shop.charges.sign_link(shop.merchant, &covered(), expires()),
        Err(LinkKeyError::NoKey)
    ));
    let made = shop
        .charges
        .rotate_link_key(shop.merchant, 0, CommitHook::none())
        .await
        .unwrap();
    assert_eq!(made.previous_until, None);
    let claim = signed(&shop);
    assert_eq!(check(&shop, &claim), Ok(()));
    // What the merchant was shown is the key that signs.
    let message = bitpro_base::links::message(shop.merchant, &covered(), expires());
    assert_eq!(made.key.sign(&message), claim.signature);
    let changes = MerchantChanges {
        settings: SettingsPatch::read(&[("require_signed_links", "yes")]).unwrap(),
        ..MerchantChanges::default()
    };
    shop.charges.change_merchant(shop.merchant, changes).await.unwrap();
    assert_eq!(check(&shop, &claim), Ok(()));
    let shop = shop.restart().await;
    assert_eq!(check(&shop, &claim), Ok(()));
    let listed = shop.charges.link_keys(shop.merchant).unwrap();
    assert_eq!(listed.len(), 1);
    assert!(!contains(&listed[0].sealed, made.key.bytes()));
    let database = std::fs::read(shop.world.database()).unwrap();
    assert!(!contains(&database, made.key.bytes()));
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[tokio::test]
async fn the_old_key_counts_for_the_overlap_and_a_third_ends_the_first() {
    let shop = Shop::new().await;
    shop.charges
        .rotate_link_key(shop.merchant, 0, CommitHook::none())
        .await
        .unwrap();
    let first = signed(&shop);
    let made = shop
        .charges
        .rotate_link_key(shop.merchant, 60, CommitHook::none())
        .await
        .unwrap();
    assert_eq!(made.previous_until, Some(shop.charges.now().plus_secs(60)));
    let second = signed(&shop);
    assert_ne!(first.signature, second.signature);
    assert_eq!((check(&shop, &first), check(&shop, &second)), (Ok(()), Ok(())));
    shop.world.clock.advance_secs(59);
    assert_eq!(check(&shop, &first), Ok(()));
    shop.world.clock.advance_secs(1);
    let wrong = Err(ClaimError::WrongSignature);
    assert_eq!((check(&shop, &first), check(&shop, &second)), (wrong, Ok(())));
    assert_eq!(shop.charges.link_keys(shop.merchant).unwrap().len(), 1);

    shop.charges
        .rotate_link_key(shop.merchant, 60, CommitHook::none())
        .await
        .unwrap();
    let third = signed(&shop);
    shop.charges
        .rotate_link_key(shop.merchant, 60, CommitHook::none())
        .await
        .unwrap();
    assert_eq!((check(&shop, &second), check(&shop, &third)), (wrong, Ok(())));
    assert_eq!(shop.charges.link_keys(shop.merchant).unwrap().len(), 2);
    // Without an overlap the one before ends at once.
    shop.charges
        .rotate_link_key(shop.merchant, 0, CommitHook::none())
        .await
        .unwrap();
    assert_eq!((check(&shop, &third), check(&shop, &signed(&shop))), (wrong, Ok(())));
}

#[tokio::test]
async fn what_was_sealed_anew_is_not_overwritten_by_a_rotation() {
    let shop = Shop::new().await;
    let made = shop
        .charges
        .rotate_link_key(shop.merchant, 0, CommitHook::none())
        .await
        .unwrap();
    let first = signed(&shop);
    // As `bitpro rekey` does it, but without the memory being read again.
    let anew = bitpro_base::testing::seal().seal(&SystemRng, Purpose::LinkKey, &made.id, made.key.bytes());
    let statement = format!("UPDATE link_keys SET sealed = x'{}'", hex::encode(&anew));
    let statement: &'static str = Box::leak(statement.into_boxed_str());
    let writing = shop
        .charges
        .inner
        .store
        .write(move |tx| Box::pin(tx.execute(statement)));
    writing.await.unwrap();
    shop.charges
        .rotate_link_key(shop.merchant, 60, CommitHook::none())
        .await
        .unwrap();
    let shop = shop.restart().await;
    let listed = shop.charges.link_keys(shop.merchant).unwrap();
    assert_eq!((listed.len(), &listed[0].sealed), (2, &anew));
    assert_eq!(check(&shop, &first), Ok(()));
}

#[tokio::test]
async fn a_revoked_key_ends_at_once_and_an_unknown_one_is_told() {
    let shop = Shop::new().await;
    let made = shop
        .charges
        .rotate_link_key(shop.merchant, 0, CommitHook::none())
        .await
        .unwrap();
    let claim = signed(&shop);
    let unknown = shop
        .charges
        .revoke_link_key(shop.merchant, [0xee; 16], CommitHook::none())
        .await;
    assert!(matches!(unknown, Err(LinkKeyError::UnknownKey)), "{unknown:?}");
    shop.charges
        .revoke_link_key(shop.merchant, made.id, CommitHook::none())
        .await
        .unwrap();
    assert_eq!(check(&shop, &claim), Err(ClaimError::WrongSignature));
    let shop = shop.restart().await;
    assert_eq!(check(&shop, &claim), Err(ClaimError::WrongSignature));
    let nobody = shop
        .charges
        .rotate_link_key(MerchantId([0xee; 16]), 0, CommitHook::none())
        .await;
    assert!(matches!(nobody, Err(LinkKeyError::UnknownMerchant)), "{nobody:?}");
}

#[tokio::test]
async fn r32_a_link_that_a_right_clock_signed_counts_after_a_wrong_moment_of_ours() {
    let shop = Shop::new().await;
    shop.charges
        .rotate_link_key(shop.merchant, 0, CommitHook::none())
        .await
        .unwrap();
    shop.world.clock.turn_to(START.plus_secs(7_200));
    assert_eq!(shop.charges.now(), START.plus_secs(7_200));
    shop.world.clock.turn_to(START);
    let expires = Expiry::from_secs(u64::try_from(START.as_secs()).unwrap() + 60).unwrap();
    let claim = Claim {
        covered: covered(),
        expires,
        signature: shop.charges.sign_link(shop.merchant, &covered(), expires).unwrap(),
    };
    assert_eq!(check(&shop, &claim), Ok(()));
    shop.world.clock.advance_secs(61);
    assert_eq!(check(&shop, &claim), Err(ClaimError::Expired));
}

#[tokio::test]
async fn r32_a_link_that_ran_out_stays_so_when_the_clock_steps_back() {
    let shop = Shop::new().await;
    shop.charges
        .rotate_link_key(shop.merchant, 0, CommitHook::none())
        .await
        .unwrap();
    let now = u64::try_from(shop.charges.now().as_secs()).unwrap();
    let expires = Expiry::from_secs(now + 60).unwrap();
    let claim = Claim {
        covered: covered(),
        expires,
        signature: shop.charges.sign_link(shop.merchant, &covered(), expires).unwrap(),
    };
    assert_eq!(check(&shop, &claim), Ok(()));
    shop.world.clock.advance_secs(600);
    assert_eq!(check(&shop, &claim), Err(ClaimError::Expired));
    shop.world.clock.turn_to(Timestamp(shop.charges.now().0 - 3_600_000));
    assert_eq!(check(&shop, &claim), Err(ClaimError::Expired));
}
