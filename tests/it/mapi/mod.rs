//! The merchant API: the real server, asked by clients of several makes.

mod clients;
mod replay;
mod wire;
