//! A file of every shape that a database ever had: it opens, with nothing lost, or it is left as it was.

use std::io::Write as _;
use std::path::Path;

use bitpro_store::testing::{break_step, mend_step, reshape, steps};

use super::earlier::{CHARGES, NINE};
use super::*;
use crate::reconcile::{Reconciler, Request};

/// Names the folder that the files go to.
const FOLDER: &str = "BITPRO_FIXTURE_DIR";

/// The files by the number of their last step. The ninth, the thirteenth and the fourteenth were left behind by the programs of their time (see
/// `earlier/make.rs`); the others hold the rows of the ninth, as far as they had a place, or went on from it.
const FILES: [(i64, &[u8]); 14] = [
    (1, include_bytes!("fixtures/0001.db.br")),
    (2, include_bytes!("fixtures/0002.db.br")),
    (3, include_bytes!("fixtures/0003.db.br")),
    (4, include_bytes!("fixtures/0004.db.br")),
    (5, include_bytes!("fixtures/0005.db.br")),
    (6, include_bytes!("fixtures/0006.db.br")),
    (7, include_bytes!("fixtures/0007.db.br")),
    (8, include_bytes!("fixtures/0008.db.br")),
    (9, NINE[0]),
    (10, include_bytes!("fixtures/0010.db.br")),
    (11, include_bytes!("fixtures/0011.db.br")),
    (12, include_bytes!("fixtures/0012.db.br")),
    (13, include_bytes!("fixtures/0013.db.br")),
    (14, include_bytes!("fixtures/0014.db.br")),
];
/// The marks beside the thirteenth and the fourteenth.
const LATER_MARKS: [&[u8]; 2] = [
    include_bytes!("fixtures/0013.db.issued.br"),
    include_bytes!("fixtures/0014.db.issued.br"),
];

fn left_by(shape: i64, file: &'static [u8]) -> World {
    let mark = match shape {
        13 => LATER_MARKS[0],
        14 => LATER_MARKS[1],
        _ => NINE[1],
    };
    World::left_by([file, mark])
}

/// Makes those of the files that no program has left behind: `BITPRO_FIXTURE_DIR=... cargo test -p bitpro-service --lib
/// makes_a_database_of_each -- --ignored`.
#[tokio::test]
#[ignore = "it makes files that are kept; the tests that open them are beside it"]
async fn makes_a_database_of_each_earlier_shape() {
    let folder = std::env::var_os(FOLDER).expect("BITPRO_FIXTURE_DIR names a folder");
    let nine = World::left_by(NINE);
    for shape in [1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12] {
        let made = nine.database().with_file_name(format!("{shape:04}.db"));
        reshape(&nine.database(), &made, shape).await;
        let kept = std::fs::File::create(Path::new(&folder).join(format!("{shape:04}.db.br"))).unwrap();
        let mut packed = brotli::CompressorWriter::new(kept, 4_096, 11, 24);
        packed.write_all(&std::fs::read(&made).unwrap()).unwrap();
        packed.flush().unwrap();
    }
}

#[test]
fn every_earlier_shape_has_a_file_that_is_kept() {
    let kept: Vec<i64> = FILES.iter().map(|(shape, _)| *shape).collect();
    for shape in steps() {
        let is_the_last = steps().iter().all(|step| *step <= shape);
        assert!(
            is_the_last || kept.contains(&shape),
            "keep a database of the shape {shape} before another step follows it: see earlier/make.rs"
        );
    }
}

#[tokio::test]
async fn a_database_of_every_earlier_shape_opens_and_folds_to_what_it_was() {
    for (shape, file) in FILES {
        let world = left_by(shape, file);
        let charges = world.open().await;
        let reconciler = Reconciler::new(charges.clone(), bitpro_node::testing::nowhere(), &world.database());
        let report = reconciler.run(Request::default()).await.unwrap();
        assert_eq!(report.differences, [], "shape {shape}");
        let shop = Shop::found_in(world, charges);
        for (order_id, state, reason) in CHARGES {
            let found = shop.found(order_id).await;
            shop.assert_replay_equals_live(found.charge.id).await;
            // The later ones are of a shop that came to some other ends, by later rules.
            if shape < 13 {
                let stored = (found.charge.state, found.charge.reason);
                assert_eq!(stored, (*state, *reason), "{order_id} in shape {shape}");
            }
        }
        let shop = shop.restart().await;
        let all = shop.charges.list(Filter::default(), None, 100).await.unwrap();
        assert_eq!(all.charges.len(), CHARGES.len(), "shape {shape}");
        shop.charges.close().await;
    }
}

#[tokio::test]
async fn a_step_that_fails_leaves_the_file_as_it_was() {
    for (shape, file) in FILES {
        for step in steps().into_iter().filter(|step| *step > shape) {
            let world = left_by(shape, file);
            break_step(&world.database(), step).await;
            let before = std::fs::read(world.database()).unwrap();
            let error = Charges::open(world.opening(Role::Server)).await.err().unwrap();
            assert!(matches!(error, OpenError::Migration { .. }), "{error}");
            assert!(error.to_string().contains("nothing was changed"), "{error}");
            let after = std::fs::read(world.database()).unwrap();
            assert!(before == after, "step {step} changed a database of shape {shape}");
            // Once the fault is gone, nothing hinders it.
            mend_step(&world.database()).await;
            let charges = world.open().await;
            let page = charges.list(Filter::default(), None, 100).await.unwrap();
            assert_eq!(page.charges.len(), CHARGES.len());
            charges.close().await;
        }
    }
}
