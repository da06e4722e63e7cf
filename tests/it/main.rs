//! Integration tests: the real binary, real nodes, real HTTP. Names are sentences.

mod harness_nodes;
