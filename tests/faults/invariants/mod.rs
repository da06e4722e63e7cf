//! What holds after every fault, computed by the suite from the chain, the file and what arrived: never by the server's own functions.

mod book;
mod kept;
mod live;
mod log;
mod sums;
mod told;

use anyhow::{Context as _, Result, ensure};

pub use book::Book;
pub use kept::{Kept, connect};
pub use log::folds_to_rows;
pub use told::Told;

use crate::world::World;

impl World {
    /// Checks everything, in a world that is at rest.
    ///
    /// # Errors
    /// What is broken.
    pub async fn check_invariants(&mut self) -> Result<()> {
        self.book.read(&self.pair.shopper).await?;
        let kept = sums::equal_the_chain(self).await.context("sums and chain")?;
        folds_to_rows(&kept).context("log and rows")?;
        self.promises_are_kept(&kept)?;
        live::equals_rows(self, &kept).await.context("the API and the rows")?;
        told::is_told(self).await.context("what the merchant was told")?;
        // Last, for the server's own comparison must find no more than ours.
        self.app
            .run(&["reconcile"])
            .await
            .context("the server's own comparison")?;
        Ok(())
    }

    /// Every charge that a shopper was promised is there, with its address.
    fn promises_are_kept(&self, kept: &Kept) -> Result<()> {
        for order in &self.promised {
            let charge = kept.charges.get(&order.charge.id);
            let charge = charge.with_context(|| format!("{order:?} was promised, and is not kept"))?;
            ensure!(
                charge.address()? == order.address,
                "the address of {order:?} is {charge:?} now"
            );
        }
        Ok(())
    }
}
