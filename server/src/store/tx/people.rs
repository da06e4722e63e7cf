//! People, inside the group's transaction.

use super::Tx;
use crate::store::StoreError;
use crate::store::sqlite::People;

impl Tx {
    /// The rows of people, to be read and written in this unit.
    pub(crate) async fn people(&mut self) -> Result<People<'_>, StoreError> {
        Ok(self.writing().await?.people())
    }
}
