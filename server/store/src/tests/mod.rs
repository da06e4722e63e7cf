//! What holds on every engine, told through the public face of the crate alone.

mod ground;
mod story;
