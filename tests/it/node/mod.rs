//! The watcher on real nodes, with charges that only remember what they were told.

mod broken;
mod catching_up;
mod chain;
mod conditions;
mod descriptors;
mod forbidden;
mod hearing;
mod mempool;
mod notifications;
mod port;
mod proxy;
mod pruned;
mod slow_scan;
mod watched;
