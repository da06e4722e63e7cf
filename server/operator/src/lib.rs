//! What an operator does: the commands of the admin socket, backups, and what belongs to one instance.

#![warn(missing_docs)]

pub mod admin;
pub mod backup;
pub mod instance;
