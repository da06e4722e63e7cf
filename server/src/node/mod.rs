//! The Bitcoin node: reading chain and mempool, and telling the charges what has changed.

pub mod view;
