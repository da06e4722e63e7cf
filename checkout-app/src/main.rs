//! What Trunk builds for the browser.

fn main() {
    bitpro_checkout_app::hydrate::start();
}
