//! Redirects from addresses that only take forms, for those who reload them or type them into the address bar: to the page above,
//! which has the form.

use axum::Router;
use axum::routing::get;
use bitpro_web::app::App;
use http::Uri;

use super::route::{Route, Verb, see_other};

/// A way back for each of `routes` that takes forms and shows nothing by itself.
pub(super) fn router(routes: impl Iterator<Item = &'static Route> + Clone) -> Router<App> {
    let is_page = |path: &str| {
        routes
            .clone()
            .any(|route| route.verb == Verb::Get && route.path == path)
    };
    let forms = routes.clone().filter(|route| !is_page(route.path));
    forms.fold(Router::new(), |router, route| {
        let steps = (1..).find(|steps| *steps > MOST_STEPS || is_page(above(route.path, *steps)));
        let steps = steps.unwrap_or(MOST_STEPS);
        let back = move |uri: Uri| async move { see_other(above(uri.path(), steps)) };
        router.route(route.path, get(back))
    })
}

/// More than any path has: what has no page above it leads to the front.
const MOST_STEPS: usize = 16;

/// The path without its last `steps` parts.
fn above(path: &str, steps: usize) -> &str {
    let above = (0..steps).fold(path, |path, _| path.rsplit_once('/').map_or("", |(above, _)| above));
    if above.is_empty() { "/" } else { above }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_is_up() {
        assert_eq!(above("/a/b/c", 1), "/a/b");
        assert_eq!(above("/a/b/c", 2), "/a");
        assert_eq!(above("/logout", 1), "/");
        assert_eq!(above("/a", MOST_STEPS), "/");
    }
}
