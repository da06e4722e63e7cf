//! Shapes that leave the process. Domain types never serialize themselves: each shape here is a counterpart, made at the
//! boundary, so that a change of the domain cannot silently change the wire.

mod view;

pub use view::{ChargeView, GoneView, NodeView, PaymentView, ProgressView, QuoteView, Surroundings};
