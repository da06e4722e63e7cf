//! Where to go next: after logging in, to the page that was asked for, if it is one of ours.

/// A page to go on to after logging in: a path of the dashboard, and nothing that a browser could take for another host.
pub(super) fn next_page(then: &str) -> String {
    let is_ours = ["/dashboard", "/account", "/invitation"]
        .iter()
        .any(|page| then == *page || then.strip_prefix(page).is_some_and(|rest| rest.starts_with(['/', '?'])));
    let is_plain = then.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if is_ours && is_plain {
        then.to_owned()
    } else {
        "/dashboard".to_owned()
    }
}

pub(super) fn percent_encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_after_the_login_stays_on_this_server() {
        for page in [
            "/dashboard",
            "/dashboard/x/charges?state=seen",
            "/account",
            "/invitation?token=ab",
        ] {
            assert_eq!(next_page(page), page);
        }
        for foreign in [
            "",
            "//evil.example",
            "https://evil.example",
            "/\\evil.example",
            "/dashboard\\@evil.example",
            "/dashboardevil",
            "/dashboard\r\nx: y",
            "/logout",
            "javascript:alert(1)",
        ] {
            assert_eq!(next_page(foreign), "/dashboard", "{foreign:?}");
        }
    }
}
