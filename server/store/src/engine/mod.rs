//! What an engine has to be able to do: the one list of it, which a second engine fills by a folder of its own and a variant of
//! [`Engine`]. Nothing above knows which engine it is, and no type of one stands in a signature outside its folder.

mod people;
mod reading;
mod session;

use std::path::Path;

use crate::secret::Identity;
use crate::{OpenError, sqlite};

pub use people::People;
pub(crate) use session::Session;

/// The part of an engine that does one thing: the connection that writes, those that read, or people's rows on either.
pub(crate) enum Engine<S> {
    /// SQLite.
    Sqlite(S),
}

/// The connections that read.
pub(crate) type Readers = Engine<sqlite::Readers>;

/// Looks at what lies at `path` before anything is opened or made beside it.
///
/// # Errors
/// [`OpenError`] where it is no whole database.
pub(crate) fn check(path: &Path) -> Result<(), OpenError> {
    sqlite::refuse_cut_off(path)
}

/// Opens the database at `path`, making it if it is not there, and brings it to the current shape. Who `serves` has it to
/// themselves, but for processes that look in.
///
/// # Errors
/// [`OpenError`].
pub(crate) async fn connect(path: &Path, identity: &Identity, serves: bool) -> Result<(Session, Readers), OpenError> {
    sqlite::refuse_second_name(path, serves)?;
    let (session, readers) = sqlite::connect(path, identity).await?;
    Ok((Session::of(Engine::Sqlite(session)), Engine::Sqlite(readers)))
}

/// Declares operations of every engine. A call costs a comparison: no table of functions, and no allocation of what they return.
macro_rules! operations {
    ($($(#[$about:meta])* $vis:vis async fn $name:ident(&mut self $(, $argument:ident: $type:ty)* $(,)?) -> $answer:ty;)*) => {$(
        $(#[$about])*
        $vis async fn $name(&mut self $(, $argument: $type)*) -> $answer {
            match &mut self.engine {
                crate::engine::Engine::Sqlite(engine) => engine.$name($($argument),*).await,
            }
        }
    )*};
    ($($(#[$about:meta])* $vis:vis async fn $name:ident(&self $(, $argument:ident: $type:ty)* $(,)?) -> $answer:ty;)*) => {$(
        $(#[$about])*
        $vis async fn $name(&self $(, $argument: $type)*) -> $answer {
            match &self.readers {
                crate::engine::Engine::Sqlite(engine) => engine.$name($($argument),*).await,
            }
        }
    )*};
}
pub(crate) use operations;
