//! Every setting of the operator: its name, its default, what may be written, what it does.
//!
//! One table feeds the parser, the error messages, `bitpro help` and the test that compares `docs/configuration.md` with it.

/// One setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// Its name in the file; the environment has it in upper case behind `BITPRO_`.
    pub name: &'static str,
    /// Its default as it would be written; `None` when there is none.
    pub default: Option<&'static str>,
    /// What may be written.
    pub wanted: &'static str,
    /// What it does.
    pub meaning: &'static str,
    /// Whether its value must never be printed.
    pub secret: bool,
}

impl Setting {
    /// The environment variable that sets it.
    #[must_use]
    pub fn variable(&self) -> String {
        format!("{PREFIX}{}", self.name.to_ascii_uppercase())
    }

    /// The setting called `name`.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        SETTINGS.iter().find(|setting| setting.name == name)
    }
}

/// What every environment variable of ours begins with.
pub const PREFIX: &str = "BITPRO_";

const fn optional(name: &'static str, wanted: &'static str, meaning: &'static str) -> Setting {
    Setting {
        name,
        default: None,
        wanted,
        meaning,
        secret: false,
    }
}

const fn with_default(
    name: &'static str,
    default: &'static str,
    wanted: &'static str,
    meaning: &'static str,
) -> Setting {
    Setting {
        name,
        default: Some(default),
        wanted,
        meaning,
        secret: false,
    }
}

const fn secret(name: &'static str, wanted: &'static str, meaning: &'static str) -> Setting {
    Setting {
        name,
        default: None,
        wanted,
        meaning,
        secret: true,
    }
}

/// Every setting, in the order of the documentation.
pub const SETTINGS: [Setting; 66] = [
    optional(
        "network",
        "one of mainnet, testnet4, signet, regtest",
        "The chain this instance serves. A database belongs to one network. Required.",
    ),
    optional(
        "data_dir",
        "a folder",
        "Where the database, the issuance mark and the admin socket are kept. Created if it is missing. Required.",
    ),
    optional(
        "database",
        "a file",
        "The SQLite database, if not bitpro.db in data_dir. The issuance mark is kept next to it.",
    ),
    secret(
        "secret_key",
        "64 hexadecimal digits, as `openssl rand -hex 32` makes them",
        "The key under which stored descriptors are authenticated, if not in a file.",
    ),
    optional(
        "secret_key_file",
        "a file with 64 hexadecimal digits",
        "Where secret_key is read from instead. Default: secret.key in data_dir, created at the first start.",
    ),
    secret(
        "seal_keys",
        "keys separated by commas, each a version from 1 up, a colon and 64 hexadecimal digits",
        "The keys under which API keys and other secrets are encrypted in the database. The highest version encrypts; the others only decrypt.",
    ),
    optional(
        "seal_keys_file",
        "a file with such keys, one a line",
        "Where seal_keys is read from instead. Default: seal.keys in data_dir, created at the first start.",
    ),
    with_default(
        "listen",
        "127.0.0.1:8080",
        "an address with a port, such as 127.0.0.1:8080 or [::1]:8080; port 0 takes a free one",
        "Where HTTP/1.1 and HTTP/2 (without TLS) are served.",
    ),
    optional(
        "public_url",
        "an http or https address without a path, such as https://pay.example",
        "The address shoppers see; requests for another host are refused. Default: http://localhost with the port of listen, if that listens on this machine only.",
    ),
    optional(
        "trusted_proxies",
        "addresses or networks separated by commas, such as 127.0.0.1, 10.0.0.0/8",
        "Reverse proxies whose X-Forwarded-For is believed. Without one in front, leave it empty.",
    ),
    optional(
        "metrics_listen",
        "an address with a port, such as 127.0.0.1:9464 or [::1]:9464, other than listen",
        "Where /metrics and the details of /readyz are served, and nothing else. Empty: nowhere.",
    ),
    with_default(
        "metrics_allow",
        "127.0.0.0/8, ::1/128",
        "addresses or networks separated by commas",
        "Who may connect to metrics_listen.",
    ),
    optional(
        "metrics_hosts",
        "host names separated by commas, without ports, such as bitpro, metrics.internal",
        "Host names that metrics_listen answers to, besides localhost and IP addresses. Other names are refused, because a browser could be tricked into using them.",
    ),
    optional(
        "node_rpc_url",
        "an http address, such as http://127.0.0.1:18443",
        "Bitcoin Core's RPC. Default: 127.0.0.1 with the network's own port.",
    ),
    optional(
        "node_cookie_file",
        "a file",
        "The node's cookie file. Default: Bitcoin Core's own place for the network in ~/.bitcoin.",
    ),
    optional(
        "node_rpc_user",
        "a user name",
        "The node's RPC user, instead of the cookie. Needs node_rpc_password or node_rpc_password_file.",
    ),
    secret("node_rpc_password", "a password", "The password of node_rpc_user."),
    optional(
        "node_rpc_password_file",
        "a file with a password",
        "Where node_rpc_password is read from instead.",
    ),
    with_default(
        "node_zmq",
        "auto",
        "auto, off, or the addresses of rawtx and sequence separated by a comma, such as tcp://127.0.0.1:28332, tcp://127.0.0.1:28333",
        "Where the node's notifications come from; auto asks the node.",
    ),
    with_default(
        "node_poll_ms",
        "1000",
        "milliseconds from 50 to 60000",
        "How often the node is asked for news, whether ZMQ works or not.",
    ),
    optional(
        "node_requires_peers",
        "true or false",
        "Whether the node must have peers for a charge to time out or fail: without peers, it hears of no payments. A tip older than two hours is then reported, too. Default: true, and false on regtest.",
    ),
    with_default(
        "reorg_limit",
        "10",
        "blocks from 1 to 100",
        "The deepest reorg to follow without asking the operator.",
    ),
    optional(
        "accept_block",
        "a block hash of 64 hexadecimal digits",
        "A block of the node's chain that the operator vouches for after a held reorg. Remove it afterwards.",
    ),
    with_default(
        "dropped_after_secs",
        "1800",
        "seconds from 60 to 1209600",
        "How long a transaction must be absent and refused by the node before it counts as dropped.",
    ),
    with_default(
        "reconcile_every_secs",
        "86400",
        "seconds from 0 to 2592000; 0 for never",
        "How often everything that is stored is compared with itself and with chain and mempool.",
    ),
    with_default(
        "rate_source",
        "fixed",
        "fixed or live",
        "Where exchange rates come from: a number that you set, for test money only, or exchanges. A fixed rate is refused on mainnet.",
    ),
    with_default(
        "rate_fixed_cents_per_btc",
        "5000000",
        "euro cents from 1 to 100000000000000",
        "The price of one bitcoin when rate_source is fixed.",
    ),
    with_default(
        "rate_exchanges",
        "kraken, coinbase, bitstamp, bitfinex, binance",
        "two or more of kraken, coinbase, bitstamp, bitfinex, binance, separated by commas; each may be followed by = and an https address to ask instead",
        "The exchanges to ask when rate_source is live.",
    ),
    with_default(
        "rate_least_cents_per_btc",
        "100000",
        "euro cents from 1 to 100000000000000",
        "A lower price of one bitcoin is treated as a mistake, wherever it comes from.",
    ),
    with_default(
        "rate_most_cents_per_btc",
        "1000000000",
        "euro cents from 1 to 100000000000000",
        "A higher price of one bitcoin is treated as a mistake, wherever it comes from.",
    ),
    with_default(
        "rate_refresh_secs",
        "15",
        "seconds from 5 to 60",
        "How often each exchange is asked.",
    ),
    with_default(
        "create_per_minute",
        "10",
        "a number from 1 to 1000000",
        "Charges one shopper's address (IPv6: /64) may make in a minute by unsigned links, and as many by signed ones.",
    ),
    with_default(
        "create_burst",
        "20",
        "a number from 1 to 1000000",
        "Charges one shopper's address may make at once by unsigned links, and as many by signed ones.",
    ),
    with_default(
        "merchant_create_per_minute",
        "300",
        "a number from 1 to 1000000",
        "Charges that unsigned links may make for one merchant in a minute, and as many signed ones; beyond, shoppers press a button that works after a few seconds.",
    ),
    with_default(
        "merchant_press_per_minute",
        "120",
        "a number from 1 to 1000000",
        "Charges that such presses may make for one merchant in a minute, on top, and as many for signed links; beyond that, shoppers are told when to try again.",
    ),
    with_default(
        "instance_create_per_minute",
        "1200",
        "a number from 1 to 10000000",
        "Charges that unsigned links may make in a minute for all merchants together; beyond that, shoppers are told when to try again. Signed links and the API do not count.",
    ),
    with_default(
        "api_per_minute",
        "600",
        "a number from 1 to 10000000",
        "Requests of the merchant API that one key may make in a minute.",
    ),
    with_default(
        "api_burst",
        "120",
        "a number from 1 to 10000000",
        "Requests of the merchant API that one key may make at once.",
    ),
    with_default(
        "streams_per_address",
        "20",
        "a number from 1 to 100000",
        "Live streams one address (IPv6: /64) may hold open.",
    ),
    with_default(
        "streams_per_charge",
        "10",
        "a number from 1 to 100000",
        "Live streams one charge may have.",
    ),
    with_default(
        "max_streams",
        "12000",
        "a number from 1 to 1000000",
        "All live streams together, and never more than seven eighths of max_connections, so that some are left for pages.",
    ),
    with_default(
        "stranger_logins_per_minute",
        "300",
        "a number from 1 to 100000",
        "Logins of all strangers together in a minute, and at once. Known browsers and sessions do not count.",
    ),
    with_default(
        "signups_per_hour",
        "30",
        "a number from 1 to 100000",
        "Account requests of all strangers together in an hour, and at once. Each sends an e-mail.",
    ),
    with_default(
        "invitations_per_hour",
        "200",
        "a number from 1 to 100000",
        "Invitations to teams that all members of all merchants together may send in an hour, and at once.",
    ),
    with_default(
        "audit_lines",
        "100000",
        "a number from 1000 to 10000000",
        "Lines to keep in each merchant's audit log; the oldest are deleted.",
    ),
    with_default(
        "merchants_per_account",
        "20",
        "a number from 1 to 10000",
        "How many merchants a person may belong to and still add one in the dashboard. The command line can add more.",
    ),
    with_default(
        "webhook_allow_http",
        "false",
        "true or false",
        "Whether webhooks may use plain http and any port. Refused on mainnet.",
    ),
    optional(
        "webhook_allow_private",
        "addresses or networks separated by commas, such as 127.0.0.1, 10.0.0.0/8",
        "Networks that webhooks may reach although they are not public, for demos and tests. Refused on mainnet.",
    ),
    optional(
        "mail_from",
        "an e-mail address, with or without a name, such as Shop <pay@shop.example>",
        "The sender of e-mails. Default: bitpro at the host of public_url.",
    ),
    secret(
        "smtp_url",
        "an address such as smtps://user:password@mail.example (TLS) or smtp://user:password@mail.example (STARTTLS), user and password percent-encoded; smtp without TLS to this machine only",
        "The mail server that sends e-mails. Without one, each e-mail is written as a file to the folder mail of data_dir.",
    ),
    optional(
        "smtp_url_file",
        "a file with such an address",
        "Where smtp_url is read from instead.",
    ),
    optional(
        "operator_email",
        "an e-mail address without a name",
        "Who is notified of new account requests, at most once an hour.",
    ),
    with_default(
        "signup",
        "approval",
        "approval, open or closed",
        "Who gets an account: people you approve, everyone who asks, or nobody new.",
    ),
    optional(
        "dashboard_url",
        "an http or https address without a path, such as https://dashboard.example, with another host than public_url",
        "A separate address for the dashboard, which must also lead to this server. Recommended on mainnet.",
    ),
    with_default(
        "wallet_changes",
        "dashboard",
        "dashboard or command-line",
        "Where a merchant's wallet may be changed once it has been set.",
    ),
    with_default(
        "max_connections",
        "16000",
        "a number from 10 to 1000000",
        "Connections held open at once; more wait. Keep it below the process's limit of open files. A sixteenth is reserved for trusted_proxies.",
    ),
    with_default(
        "connections_per_address",
        "256",
        "a number from 1 to 1000000",
        "Connections one address (IPv6: /64) may hold open, and never more than a quarter of max_connections; more are closed at once. trusted_proxies are exempt.",
    ),
    with_default(
        "header_timeout_secs",
        "10",
        "seconds from 1 to 120",
        "How long a client may take to send the head of a request, and how long a connection may be idle.",
    ),
    with_default(
        "write_timeout_secs",
        "20",
        "seconds from 1 to 300",
        "How long a client may read almost nothing of an answer before its connection is closed.",
    ),
    with_default(
        "request_timeout_secs",
        "15",
        "seconds from 1 to 300",
        "How long an answer may take before 503; live streams are exempt.",
    ),
    optional(
        "explorer_url",
        "an https address with {txid} in it, such as https://mempool.space/tx/{txid}",
        "The block explorer that the page links transactions to. Empty: no link.",
    ),
    optional(
        "admin_socket",
        "a file of at most 100 bytes",
        "The socket by which the command line talks to the running server, if not admin.sock in data_dir.",
    ),
    with_default(
        "log",
        "info",
        "a level (error, warn, info, debug, trace), or directives such as info,bitpro_node=debug",
        "What is logged, to standard error.",
    ),
    with_default(
        "access_log",
        "false",
        "true or false",
        "Whether each request gets a line in the log, at the level info: client's address, method, route, status and time, without path and query.",
    ),
    with_default("log_format", "text", "text or json", "The format of log lines."),
    with_default(
        "shutdown_grace_secs",
        "10",
        "seconds from 0 to 300",
        "How long running requests may take to finish after SIGTERM or SIGINT.",
    ),
];
