//! All paths together.

use bitpro_web::app::App;
use bitpro_web::router::Surfaces;

/// The merchants' surfaces: the dashboard and the API.
#[must_use]
pub fn surfaces(app: &App) -> Surfaces {
    Surfaces {
        pages: bitpro_dashboard::router(),
        api: bitpro_mapi::router(app),
        not_found: Some(bitpro_dashboard::not_found_page),
    }
}
