//! The merchant API: the real server, asked by clients of several makes.

mod clients;
mod fuzz;
mod replay;
mod wire;
