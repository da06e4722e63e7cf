//! Databases that are not opened: of a later version, and cut off. They are told, and left as they are.

use super::*;

/// What a charge costs.
const PRICE: u64 = 1_000;

#[tokio::test]
async fn a_database_of_a_later_version_is_left_as_it_is() {
    let world = World::new();
    world.open().await.close().await;
    meddle(
        &world.database(),
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (9999, 'later', TRUE, x'00', 0)",
    )
    .await;
    let before = [world.database(), world.mark()].map(|path| std::fs::read(path).unwrap());
    for role in [Role::Server, Role::Tool] {
        let error = Charges::open(world.opening(role)).await.err().unwrap();
        assert!(matches!(error, OpenError::Newer { stored: 9_999, .. }), "{error}");
        assert!(error.to_string().contains("later version"), "{error}");
    }
    let after = [world.database(), world.mark()].map(|path| std::fs::read(path).unwrap());
    assert!(before == after, "not a byte was changed");
}

#[tokio::test]
async fn a_database_that_was_cut_off_is_told_and_not_begun_anew() {
    let shop = Shop::new().await;
    shop.make(PRICE).await;
    shop.charges.close().await;
    let whole = std::fs::read(shop.world.database()).unwrap();
    for length in [0, 50, 4_096, whole.len() / 2, whole.len() - 1] {
        std::fs::write(shop.world.database(), &whole[..length]).unwrap();
        let error = Charges::open(shop.world.opening(Role::Server)).await.err().unwrap();
        assert!(matches!(error, OpenError::Unreadable { .. }), "{length} bytes: {error}");
        assert!(error.to_string().contains("restore a backup"), "{error}");
        assert_eq!(std::fs::read(shop.world.database()).unwrap().len(), length);
    }
    std::fs::write(shop.world.database(), &whole).unwrap();
    shop.world.open().await.close().await;
}
