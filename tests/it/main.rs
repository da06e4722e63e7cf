//! Integration tests: the real binary, real nodes, real HTTP. Names are sentences.

mod harness_nodes;
mod late;
mod load;
mod outage;
mod pay;
mod reorg;
mod replace;
mod stream;
