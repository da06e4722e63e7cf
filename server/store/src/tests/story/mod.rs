//! The life of one shop, from an empty database to a restore, with what has to be so after each chapter. It knows nothing of an
//! engine: what an engine has to bring is a [`Ground`].

mod later;
mod opening;
mod payment;
mod people;
mod world;

use crate::Listing;
use crate::tests::ground::{Ground, Sqlite};
use later::{a_copy_is_put_back, charges_are_looked_for, the_machine_dies, what_is_old_is_erased};
use opening::{a_merchant_comes, charges_are_made, one_unit_of_a_group_fails, the_shop_is_connected};
use payment::{a_block_confirms, a_payment_is_seen, letters_are_sent, webhooks_are_delivered};
use people::{assert_people, people_come};
use world::{START, World, assert_whole, ids};

/// One story on any engine: each chapter begins with what the ones before it left.
async fn the_story<G: Ground>() {
    let world = World::<G>::fresh();
    let mut server = world.open(START).await;
    assert_eq!(server.epoch.len(), 32);
    assert_eq!(
        ids(
            &server.store,
            &Listing {
                limit: 100,
                ..Listing::default()
            }
        )
        .await,
        []
    );
    a_merchant_comes(&server).await;
    let [paid, ..] = charges_are_made(&world, &server).await;
    one_unit_of_a_group_fails(&world, &server).await;
    let webhook = the_shop_is_connected(&world, &server).await;
    a_payment_is_seen(&server, paid, webhook).await;
    a_block_confirms(&server, paid).await;
    webhooks_are_delivered(&server, webhook).await;
    letters_are_sent(&server).await;
    let account = people_come(&server).await;
    let open;
    (server, open) = the_machine_dies(&world, server).await;
    assert_whole(&server.store, paid).await;
    assert_people(&server, account).await;
    charges_are_looked_for(&server, paid).await;
    what_is_old_is_erased(&server, paid).await;
    a_copy_is_put_back(&world, server, paid, open).await;
}

#[tokio::test]
async fn a_shop_lives_on_sqlite() {
    the_story::<Sqlite>().await;
}
