//! The merchant's wallet, as far as the server knows it: public keys, and the addresses that follow from them.
