//! Addresses of every kind: where webhooks lead, who may frame a page, which host is ours, who a client is.

use std::net::{IpAddr, Ipv4Addr};

use bitpro_base::client::{Client, client_of};
use bitpro_base::fuzzing::{Target, assert_fit_to_show, header_values, text};
use bitpro_base::policy::Policy;
use bitpro_config::PublicUrl;
use bitpro_merchant::{AllowedOrigin, frame_ancestors};
use http::{HeaderMap, HeaderValue, Uri};
use ipnet::IpNet;
use url::Url;

pub(super) const TARGETS: &[Target] = &[
    Target::new(
        "webhook-url",
        2_100,
        &[
            "https://",
            "http://",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "127.0.0.1",
            "0x7f.1",
            "2130706433",
            "localhost",
            "@",
            "#",
            ":443",
            ":8443",
            "xn--",
            "％",
            "。",
            "①",
            "{",
            "|",
            "\\",
            "\t",
            "%00",
        ],
        webhook_url,
    ),
    Target::new(
        "allowed-origin",
        400,
        &[
            "https://",
            "http://",
            "*.",
            "localhost",
            "127.0.0.1",
            "[::1]",
            "；",
            "，",
            "＇",
            "ﾠ",
            ":8443",
            "xn--",
            "co.uk",
            "shop.example",
            "/",
            "＠",
            "？",
            "ａ",
        ],
        allowed_origin,
    ),
    Target::new(
        "host",
        300,
        &["pay.example", ":443", ":+443", "[::1]", ":8080", "%", "@", "PAY"],
        host,
    ),
    Target::new(
        "forwarded",
        1_000,
        &[
            "10.0.0.1",
            "127.0.0.1",
            "::1",
            "[2001:db8::1]:443",
            "203.0.113.9:80",
            ", ",
            "::ffff:10.0.0.1",
            "\n",
            "%eth0",
        ],
        forwarded,
    ),
];

/// Nothing that is taken leads to an address that is not public, neither as we read it nor as the client that connects does.
fn webhook_url(input: &[u8]) {
    let Some(text) = text(input) else { return };
    let strict = Policy::default();
    let taken = match strict.target(text) {
        Ok(taken) => taken,
        Err(error) => {
            assert!(error.code().starts_with("url-"));
            return assert_fit_to_show(&error.to_string());
        }
    };
    assert_eq!(
        strict.target(&taken.url).as_ref(),
        Ok(&taken),
        "a stored URL is read again"
    );
    let url = Url::parse(&taken.url).expect("it was parsed before");
    let uri: Uri = taken.url.parse().expect("the client reads what was taken");
    assert_eq!(uri.scheme_str(), Some("https"));
    assert_eq!(uri.host(), url.host_str(), "both readers go to the same host");
    assert_eq!(
        uri.port_u16().unwrap_or(443),
        url.port_or_known_default().unwrap_or_default()
    );
    assert!(matches!(uri.port_u16(), None | Some(443 | 8443)));
    assert!(
        uri.authority()
            .is_some_and(|authority| !authority.as_str().contains('@'))
    );
    // The connector asks no resolver for what reads as an address.
    let host = uri.host().unwrap_or_default();
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    if let Ok(ip) = bare.parse::<IpAddr>() {
        assert!(strict.allows(ip), "{ip}");
    }
    assert!(bare.trim_end_matches('.').parse::<Ipv4Addr>().is_err() || bare.parse::<Ipv4Addr>().is_ok());
}

/// What stands in a header of each page is an origin, and nothing else of that header's language.
fn allowed_origin(input: &[u8]) {
    let Some(text) = text(input) else { return };
    let Ok(origin) = text.parse::<AllowedOrigin>() else {
        return;
    };
    let shown = origin.to_string();
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-_:/*[]".contains(&byte);
    assert!(shown.bytes().all(is_plain), "{shown:?}");
    assert_eq!(
        shown.matches('*').count(),
        usize::from(shown.contains("://*.")),
        "{shown}"
    );
    assert_eq!(shown.parse::<AllowedOrigin>().as_ref(), Ok(&origin), "{shown}");
    if shown.contains('*') {
        let inside = shown.replace("*.", "a.");
        assert!(origin.allows(&inside), "{shown}");
        assert!(!origin.allows(&shown.replace("*.", "")), "{shown}");
    } else {
        assert!(origin.allows(&shown), "{shown}");
        assert!(!origin.allows(&shown.replace("://", "://a.")), "{shown}");
    }
    assert!(!origin.allows(&format!("{shown}.evil.example")), "{shown}");
    if let Some(sibling) = origin.sibling() {
        assert_eq!(sibling.to_string().parse::<AllowedOrigin>().as_ref(), Ok(&sibling));
    }
    HeaderValue::try_from(frame_ancestors(&[origin])).expect("it stands in a header");
}

/// Only what every reader of URLs takes for our host is ours.
fn host(input: &[u8]) {
    let Some(text) = text(input) else { return };
    for ours in ["https://pay.example", "http://[::1]:8080", "http://localhost"] {
        let url: PublicUrl = ours.parse().expect("a test's own address");
        if url.is_authority(text) {
            let scheme = if url.is_https() { "https" } else { "http" };
            let read = Url::parse(&format!("{scheme}://{text}/")).map(|url| url.origin().ascii_serialization());
            assert_eq!(read.as_deref(), Ok(url.origin()), "{text:?}");
            assert!(text.parse::<http::uri::Authority>().is_ok(), "{text:?}");
        }
        if url.is_named_by(text) {
            assert!(text.to_ascii_lowercase().starts_with(url.host()));
        }
    }
}

/// A stranger is never anybody but the peer, and never a proxy of ours.
fn forwarded(input: &[u8]) {
    let mut headers = HeaderMap::new();
    for value in header_values(input).take(20) {
        headers.append("x-forwarded-for", value);
    }
    let trusted: Vec<IpNet> = ["10.0.0.0/8", "127.0.0.1/32"]
        .map(|network| network.parse().expect("a test's own network"))
        .to_vec();
    let stranger: IpAddr = Ipv4Addr::new(198, 51, 100, 7).into();
    assert_eq!(
        client_of(stranger, &headers, &trusted),
        stranger,
        "a stranger's word counts for nothing"
    );
    let peer: IpAddr = Ipv4Addr::LOCALHOST.into();
    assert_eq!(client_of(peer, &headers, &[]), peer);
    let client = client_of(peer, &headers, &trusted);
    assert_eq!(client, client.to_canonical());
    let last = headers
        .get_all("x-forwarded-for")
        .iter()
        .next_back()
        .and_then(|value| value.to_str().ok()?.rsplit(',').next()?.trim().parse::<IpAddr>().ok());
    if let Some(last) = last.map(|last| last.to_canonical())
        && !trusted.iter().any(|network| network.contains(&last))
    {
        assert_eq!(client, last, "what our proxy wrote counts");
    }
    let _ = Client::from(client);
}
