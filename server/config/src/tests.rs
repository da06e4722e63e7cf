use super::*;

const KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

fn least() -> Vec<(String, String)> {
    [("BITPRO_NETWORK", "regtest"), ("BITPRO_DATA_DIR", "/var/lib/bitpro")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

fn with(changes: &[(&str, &str)]) -> Result<Config, ConfigErrors> {
    let mut environment = least();
    for (name, value) in changes {
        environment.push(((*name).to_owned(), (*value).to_owned()));
    }
    Config::from_sources(environment, None, Some(Path::new("/home/op")))
}

fn refusal(changes: &[(&str, &str)]) -> String {
    with(changes).unwrap_err().to_string()
}

#[test]
fn two_settings_suffice_and_the_rest_has_defaults() {
    let config = with(&[]).unwrap();
    assert_eq!(config.database, Path::new("/var/lib/bitpro/bitpro.db"));
    assert_eq!(config.admin_socket, Path::new("/var/lib/bitpro/admin.sock"));
    assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.limits.create_per_minute, 10);
    assert_eq!(config.limits.create_burst, 20);
    assert_eq!(config.limits.streams_per_address, 20);
    assert_eq!(config.limits.streams_per_charge, 10);
    assert_eq!(config.secret, SecretSource::Kept("/var/lib/bitpro/secret.key".into()));
    assert_eq!(config.node.rpc_url.as_str(), "http://127.0.0.1:18443/");
}

#[test]
fn files_of_keys_may_be_missing_where_they_are_to_be_made() {
    let folder = tempfile::tempdir().unwrap();
    let named = ["secret.key", "seal.keys"].map(|name| folder.path().join(name));
    let text = format!(
        "network = \"regtest\"\ndata_dir = \"/var/lib/bitpro\"\nsecret_key_file = {:?}\nseal_keys_file = {:?}\n",
        named[0], named[1]
    );
    let read = |may_lack_keys| {
        let (mut written, mut errors) = (source::Written::new(), Vec::new());
        source::from_text(&text, "bitpro.toml", &mut written, &mut errors);
        Config::from_written(written, errors, Some(Path::new("/home/shop")), may_lack_keys)
    };
    let refused = read(false).unwrap_err().to_string();
    assert!(
        refused.contains("secret_key_file") && refused.contains("seal_keys_file"),
        "{refused}"
    );
    let config = read(true).unwrap();
    assert_eq!(config.secret, SecretSource::Kept(named[0].clone()));
    assert_eq!(config.seal_keys, SealSource::Kept(named[1].clone()));
    // What is there is read as ever.
    std::fs::write(&named[0], "nonsense").unwrap();
    assert!(read(true).unwrap_err().to_string().contains("secret_key"));
}

#[test]
fn everything_that_is_missing_is_told_at_once() {
    let errors = Config::from_sources(Vec::new(), None, None).unwrap_err().to_string();
    for name in ["network", "data_dir"] {
        assert!(errors.contains(&format!("{name} is not set")), "{errors}");
    }
}

#[test]
fn a_wrong_value_names_the_setting_the_value_and_what_would_be_right() {
    assert_eq!(
        refusal(&[("BITPRO_LISTEN", "8080")]),
        "listen = \"8080\" (environment variable BITPRO_LISTEN): wanted an address with a port, such as \
         127.0.0.1:8080 or [::1]:8080; port 0 takes a free one"
    );
    for (variable, value) in [
        ("BITPRO_NETWORK", "testnet3"),
        ("BITPRO_PUBLIC_URL", "pay.example"),
        ("BITPRO_TRUSTED_PROXIES", "10.0.0.0/99"),
        ("BITPRO_METRICS_ALLOW", "everybody"),
        ("BITPRO_METRICS_HOSTS", "bitpro:9464"),
        ("BITPRO_NODE_RPC_URL", "ftp://x"),
        ("BITPRO_NODE_ZMQ", "tcp://127.0.0.1:1"),
        ("BITPRO_NODE_POLL_MS", "5"),
        ("BITPRO_NODE_REQUIRES_PEERS", "sometimes"),
        ("BITPRO_REORG_LIMIT", "0"),
        ("BITPRO_ACCEPT_BLOCK", "12"),
        ("BITPRO_RATE_SOURCE", "oracle"),
        ("BITPRO_RATE_FIXED_CENTS_PER_BTC", "0"),
        ("BITPRO_RATE_EXCHANGES", "kraken"),
        ("BITPRO_RATE_LEAST_CENTS_PER_BTC", "-1"),
        ("BITPRO_RATE_MOST_CENTS_PER_BTC", "100000000000001"),
        ("BITPRO_RATE_REFRESH_SECS", "1"),
        ("BITPRO_CREATE_BURST", "-1"),
        ("BITPRO_MAIL_FROM", "nobody"),
        ("BITPRO_OPERATOR_EMAIL", "Op <op@shop.example>"),
        ("BITPRO_SIGNUP", "maybe"),
        ("BITPRO_DASHBOARD_URL", "dashboard.example"),
        ("BITPRO_WALLET_CHANGES", "nowhere"),
        ("BITPRO_EXPLORER_URL", "https://explorer.example"),
        ("BITPRO_LOG", "info,="),
        ("BITPRO_LOG", "info,bitpro_server::node=debug"),
        ("BITPRO_LOG_FORMAT", "xml"),
        ("BITPRO_SHUTDOWN_GRACE_SECS", "1h"),
    ] {
        let text = refusal(&[(variable, value)]);
        let name = variable[PREFIX.len()..].to_lowercase();
        assert!(text.starts_with(&format!("{name} = {value:?}")), "{text}");
        assert!(text.contains("wanted "), "{text}");
    }
}

#[test]
fn r42_the_rate_is_fixed_unless_the_market_is_asked_for() {
    let fixed = with(&[]).unwrap().rates;
    assert!(fixed.is_fixed);
    assert_eq!(fixed.fixed.cents_per_btc(), 5_000_000);
    let live = with(&[("BITPRO_RATE_SOURCE", "live")]).unwrap().rates;
    assert!(!live.is_fixed);
    assert_eq!(live.live.questions.len(), 5);
    assert_eq!(live.live.refresh, Duration::from_secs(15));
    let impossible = refusal(&[
        ("BITPRO_RATE_LEAST_CENTS_PER_BTC", "2"),
        ("BITPRO_RATE_MOST_CENTS_PER_BTC", "2"),
    ]);
    assert!(impossible.contains("no price would be possible"), "{impossible}");
}

#[test]
fn a_secret_is_never_in_a_message_or_a_debug_print() {
    let text = refusal(&[("BITPRO_SECRET_KEY", "hunter2")]);
    assert!(!text.contains("hunter2"), "{text}");
    assert!(text.starts_with("secret_key (environment variable"), "{text}");
    let config = with(&[
        ("BITPRO_SECRET_KEY", KEY),
        ("BITPRO_NODE_RPC_USER", "u"),
        ("BITPRO_NODE_RPC_PASSWORD", "hunter2"),
    ])
    .unwrap();
    let printed = format!("{config:?}");
    assert!(!printed.contains("hunter2") && !printed.contains(KEY), "{printed}");
}

#[test]
fn letters_are_files_until_a_mail_server_is_named() {
    let config = with(&[("BITPRO_PUBLIC_URL", "https://pay.example")]).unwrap();
    assert_eq!(config.mail.from.to_string(), "bitpro@pay.example");
    assert_eq!(
        config.mail.transport,
        MailTransport::Files("/var/lib/bitpro/mail".into())
    );
    let config = with(&[("BITPRO_SMTP_URL", "smtps://u:hunter2@mail.example")]).unwrap();
    assert!(matches!(&config.mail.transport, MailTransport::Smtp(smtp) if smtp.port == 465));
    assert!(!format!("{config:?}").contains("hunter2"));
    let refused = refusal(&[("BITPRO_SMTP_URL", "http://u:hunter2@mail.example")]);
    assert!(
        refused.starts_with("smtp_url (environment variable BITPRO_SMTP_URL; the value is secret)"),
        "{refused}"
    );
    assert!(!refused.contains("hunter2"), "{refused}");
}

#[test]
fn the_dashboard_has_an_origin_of_its_own_or_none() {
    let config = with(&[]).unwrap();
    assert_eq!(
        (config.signup, config.wallet_changes, config.dashboard_url),
        (Signup::Approval, WalletChanges::Dashboard, None)
    );
    let public = ("BITPRO_PUBLIC_URL", "https://pay.example");
    let config = with(&[public, ("BITPRO_DASHBOARD_URL", "https://admin.example")]).unwrap();
    assert_eq!(config.dashboard_url.unwrap().origin(), "https://admin.example");
    // Cookies know no ports: another port of the same host is no other origin to them.
    let same = refusal(&[public, ("BITPRO_DASHBOARD_URL", "https://pay.example:8443")]);
    assert!(same.contains("another host than public_url"), "{same}");
}

#[test]
fn a_secret_may_stand_in_a_file_but_not_in_two_places() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("{KEY}\n")).unwrap();
    let path = file.path().display().to_string();
    let both = refusal(&[("BITPRO_SECRET_KEY", KEY), ("BITPRO_SECRET_KEY_FILE", &path)]);
    assert!(both.contains("both set"), "{both}");
    let from_file = with(&[("BITPRO_SECRET_KEY_FILE", &path)]).unwrap();
    assert_eq!(from_file.secret, with(&[("BITPRO_SECRET_KEY", KEY)]).unwrap().secret);
    let gone = refusal(&[("BITPRO_SECRET_KEY_FILE", "/nowhere/key")]);
    assert!(gone.starts_with("secret_key_file = \"/nowhere/key\""), "{gone}");
}

#[test]
fn a_public_address_is_wanted_when_others_can_reach_us() {
    let text = refusal(&[("BITPRO_LISTEN", "0.0.0.0:8080")]);
    assert!(
        text.starts_with("public_url is not set, which is needed when listen"),
        "{text}"
    );
}

#[test]
fn a_socket_path_that_no_system_takes_is_refused() {
    let long = format!("/{}", "x".repeat(120));
    let text = refusal(&[("BITPRO_DATA_DIR", &long)]);
    assert!(text.contains("set admin_socket"), "{text}");
    assert!(with(&[("BITPRO_DATA_DIR", &long), ("BITPRO_ADMIN_SOCKET", "/run/b.sock")]).is_ok());
}

#[test]
fn every_setting_is_documented_with_its_variable_and_default() {
    let document = include_str!("../../../docs/configuration.md");
    for setting in SETTINGS {
        let row = document
            .lines()
            .find(|line| line.starts_with(&format!("| `{}` |", setting.name)))
            .unwrap_or_else(|| panic!("{} is not in docs/configuration.md", setting.name));
        assert!(row.contains(setting.meaning), "{row}\nshould say: {}", setting.meaning);
        assert!(row.contains(setting.wanted), "{row}\nshould say: {}", setting.wanted);
        if let Some(default) = setting.default {
            assert!(row.contains(&format!("`{default}`")), "{row}\nshould say: {default}");
        }
    }
    let rows = document.lines().filter(|line| line.starts_with("| `")).count();
    assert_eq!(rows, SETTINGS.len(), "the document has rows for settings that are none");
}
