//! Integration tests: the real binary, real nodes, real HTTP. Names are sentences.

mod backup;
mod cli;
mod clock;
mod dashboard;
mod demo;
mod doors;
mod harness_nodes;
mod late;
mod link;
mod litestream;
mod load;
mod mail;
mod mapi;
mod node;
mod outage;
mod pay;
mod rates;
mod reconcile;
mod reorg;
mod replace;
mod sdk;
mod signed_links;
mod stream;
mod webhook_guide;
mod webhooks;
