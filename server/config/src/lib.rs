//! The operator's configuration: read from the environment and a file, checked as a whole, then never changed.

#![warn(missing_docs)]

mod accounts;
mod error;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzz;
mod log;
mod mail;
mod node;
mod rates;
mod reader;
mod settings;
mod source;
mod values;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use bitpro_charge::Network;
use ipnet::IpNet;

pub use accounts::{Ceilings, Signup, WalletChanges};
pub use error::{ConfigError, ConfigErrors, Origin};
pub use mail::{MailConfig, MailTransport, Protection, Smtp};
pub use settings::{PREFIX, SETTINGS, Setting};
pub use values::{LogFormat, PublicUrl, host_of};

use bitpro_base::policy::Policy;
use bitpro_base::private::real_path;
use bitpro_base::seal::{SealKeys, Secret};
use bitpro_node::NodeConfig;
use bitpro_rates::RatesConfig;
use reader::Reader;

/// The variable that names the configuration file.
pub const FILE_VARIABLE: &str = "BITPRO_CONFIG";

/// The file that is read where none is named; a package puts it there.
pub const SYSTEM_FILE: &str = "/etc/bitpro/bitpro.toml";

/// The file to read: `named`, else the one that the environment names, else the system's, if there is one.
#[must_use]
pub fn file_to_read(named: Option<&Path>) -> Option<PathBuf> {
    let by_environment = || std::env::var_os(FILE_VARIABLE).filter(|path| !path.is_empty());
    named
        .map(Path::to_path_buf)
        .or_else(|| by_environment().map(PathBuf::from))
        .or_else(|| existing(Path::new(SYSTEM_FILE)))
}

/// The file, unless it is certain that there is none: one that may not be looked at is tried, so that the reason is told.
fn existing(file: &Path) -> Option<PathBuf> {
    match file.try_exists() {
        Ok(false) => None,
        Ok(true) | Err(_) => Some(file.to_path_buf()),
    }
}
/// How the name of `admin_socket` ends while the socket is made. Whatever has that name is removed first.
pub const UNREADY_SOCKET: &str = "new";

/// Everything the operator decides.
#[derive(Debug, Clone)]
pub struct Config {
    /// The instance's network.
    pub network: Network,
    /// Database, issuance mark and admin socket live here.
    pub data_dir: PathBuf,
    /// The database file, links followed: two names of one file are one database.
    pub database: PathBuf,
    /// The name by which it was configured, where that leads elsewhere.
    pub database_link: Option<PathBuf>,
    /// The socket of the command line.
    pub admin_socket: PathBuf,
    /// Authenticates stored descriptors.
    pub secret: SecretSource,
    /// Seals secrets at rest.
    pub seal_keys: SealSource,
    /// Where HTTP is served.
    pub listen: SocketAddr,
    /// What shoppers see; `None` is `http://localhost` with the port that was bound.
    pub public_url: Option<PublicUrl>,
    /// Proxies whose word on the client's address is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Where metrics and the details of readiness are served.
    pub metrics_listen: Option<SocketAddr>,
    /// Who may read them.
    pub metrics_allow: Vec<IpNet>,
    /// By which names, besides localhost and addresses.
    pub metrics_hosts: Vec<String>,
    /// The node.
    pub node: NodeConfig,
    /// How often everything is compared; `None` for never.
    pub reconcile_every: Option<Duration>,
    /// Where exchange rates come from.
    pub rates: RatesConfig,
    /// Where webhooks may lead.
    pub webhooks: Policy,
    /// How letters leave.
    pub mail: MailConfig,
    /// Who is told of requests for accounts.
    pub operator_email: Option<String>,
    /// Who may have an account.
    pub signup: Signup,
    /// Where the dashboard lives when it has an origin of its own.
    pub dashboard_url: Option<PublicUrl>,
    /// Where a merchant's wallet can be changed.
    pub wallet_changes: WalletChanges,
    /// What anonymous clients may do.
    pub limits: Limits,
    /// What people may do, and strangers who would be some.
    pub ceilings: Ceilings,
    /// The explorer's address with `{txid}` in it.
    pub explorer: Option<String>,
    /// What is logged, as directives.
    pub log: String,
    /// Whether each request gets a line.
    pub access_log: bool,
    /// How it looks.
    pub log_format: LogFormat,
    /// How long running requests may take to finish at the end.
    pub shutdown_grace: Duration,
}

/// Where a key, or keys, come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource<T> {
    /// It was configured.
    Given(T),
    /// It lies in this file, which is made at the first start.
    Kept(PathBuf),
}

/// Where the secret key comes from.
pub type SecretSource = KeySource<Secret>;
/// Where the keys come from that secrets are sealed under.
pub type SealSource = KeySource<SealKeys>;

/// What anonymous clients may do (R25).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Charges by links in a minute, per client.
    pub create_per_minute: u32,
    /// Charges by links at once, per client.
    pub create_burst: u32,
    /// Charges by unsigned links in a minute, per merchant.
    pub merchant_create_per_minute: u32,
    /// Charges by presses of the button in a minute, per merchant.
    pub merchant_press_per_minute: u32,
    /// Charges by unsigned links in a minute, for everybody.
    pub instance_create_per_minute: u32,
    /// Requests of one key of the merchant API in a minute.
    pub api_per_minute: u32,
    /// Requests of one key at once.
    pub api_burst: u32,
    /// Open streams per client.
    pub streams_per_address: u32,
    /// Open streams per charge.
    pub streams_per_charge: u32,
    /// Open streams of everybody.
    pub max_streams: usize,
    /// Open connections.
    pub max_connections: usize,
    /// Open connections per client.
    pub connections_per_address: u32,
    /// For the head of a request to come in.
    pub header_timeout: Duration,
    /// For a client to take what is written.
    pub write_timeout: Duration,
    /// For an answer to begin.
    pub request_timeout: Duration,
}

impl Config {
    /// Where the dashboard is, as far as the configuration says: without a public address on this machine.
    #[must_use]
    pub fn dashboard_origin(&self) -> String {
        match &self.dashboard_url {
            Some(url) => url.origin().to_owned(),
            None => self.public_origin(),
        }
    }

    /// Where the checkout is, as far as the configuration says: without a public address on this machine, as the server has it.
    #[must_use]
    pub fn public_origin(&self) -> String {
        match &self.public_url {
            Some(url) => url.origin().to_owned(),
            None => format!("http://localhost:{}", self.listen.port()),
        }
    }

    /// Reads the process's environment and the file that [`file_to_read`] gives.
    ///
    /// # Errors
    /// [`ConfigErrors`], with everything that is wrong.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigErrors> {
        Self::loaded(file, false)
    }

    /// The same for a command that makes the files of keys where they are missing: it has them from a backup.
    ///
    /// # Errors
    /// [`ConfigErrors`], with everything that is wrong.
    pub fn load_without_keys(file: Option<&Path>) -> Result<Self, ConfigErrors> {
        Self::loaded(file, true)
    }

    fn loaded(file: Option<&Path>, may_lack_keys: bool) -> Result<Self, ConfigErrors> {
        let environment = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.to_string_lossy().into_owned())));
        let file = file_to_read(file);
        let home = std::env::var_os("HOME").map(PathBuf::from);
        let mut errors = Vec::new();
        let written = source::collect(environment, file.as_deref(), &mut errors);
        Self::from_written(written, errors, home.as_deref(), may_lack_keys)
    }

    /// Reads `environment` over `file`. `home` is where Bitcoin Core's folder is looked for.
    ///
    /// # Errors
    /// [`ConfigErrors`], with everything that is wrong.
    pub fn from_sources(
        environment: impl IntoIterator<Item = (String, String)>,
        file: Option<&Path>,
        home: Option<&Path>,
    ) -> Result<Self, ConfigErrors> {
        let mut errors = Vec::new();
        let written = source::collect(environment, file, &mut errors);
        Self::from_written(written, errors, home, false)
    }

    fn from_written(
        written: source::Written,
        errors: Vec<ConfigError>,
        home: Option<&Path>,
        may_lack_keys: bool,
    ) -> Result<Self, ConfigErrors> {
        let mut reader = Reader::new(written, errors);
        reader.may_lack_keys = may_lack_keys;
        let config = assembled(&mut reader, home);
        match config {
            Some(config) if reader.errors.is_empty() => Ok(config),
            _ => Err(ConfigErrors(reader.errors)),
        }
    }
}

/// The configuration; `None` only together with an error in the reader.
fn assembled(reader: &mut Reader, home: Option<&Path>) -> Option<Config> {
    let network = reader.parsed("network", |text| text.parse::<Network>().ok());
    if !reader.is_written("network") {
        reader.missing("network", "");
    }
    let data_dir = reader.path("data_dir");
    if data_dir.is_none() {
        reader.missing("data_dir", "");
    }
    let secret = key(reader, "secret_key", "secret.key", data_dir.as_deref());
    let seal_keys = key(reader, "seal_keys", "seal.keys", data_dir.as_deref());
    let listen = reader.parsed("listen", |text| text.parse::<SocketAddr>().ok());
    let public_url = reader.parsed("public_url", |text| text.parse::<PublicUrl>().ok());
    if !reader.is_written("public_url") && listen.is_some_and(|listen| !listen.ip().is_loopback()) {
        reader.missing("public_url", "when listen is open to other machines");
    }
    let trusted_proxies = reader.parsed("trusted_proxies", values::networks).unwrap_or_default();
    let metrics_listen = reader.parsed("metrics_listen", |text| {
        let address = text.parse::<SocketAddr>().ok();
        address.filter(|address| address.port() == 0 || Some(*address) != listen)
    });
    let metrics_allow = reader.parsed("metrics_allow", values::networks).unwrap_or_default();
    let metrics_hosts = reader.parsed("metrics_hosts", values::hosts).unwrap_or_default();
    let rates = rates::rates(reader);
    let limits = limits(reader);
    let ceilings = accounts::ceilings(reader);
    let webhooks = webhooks(reader, network);
    let mail = mail::mail(reader, data_dir.as_deref(), public_url.as_ref());
    let operator_email = reader.parsed("operator_email", mail::address);
    let signup = reader.parsed("signup", |text| text.parse().ok());
    let dashboard_url = accounts::dashboard_url(reader, public_url.as_ref());
    let wallet_changes = reader.parsed("wallet_changes", |text| text.parse().ok());
    let explorer = reader.parsed("explorer_url", values::explorer);
    let log = log::directives(reader);
    let access_log = reader.parsed("access_log", |text| text.parse().ok());
    let log_format = reader.parsed("log_format", |text| match text {
        "text" => Some(LogFormat::Text),
        "json" => Some(LogFormat::Json),
        _ => None,
    });
    let shutdown_grace = Duration::from_secs(reader.number("shutdown_grace_secs", 0..=300));
    let reconcile_every = Duration::from_secs(reader.number("reconcile_every_secs", 0..=2_592_000));
    let database = reader.path("database");
    let admin_socket = admin_socket(reader, data_dir.as_deref());
    let node = node::node(reader, network, home);
    let data_dir = data_dir?;
    let named = database.unwrap_or_else(|| data_dir.join("bitpro.db"));
    let database = real_path(&named);
    Some(Config {
        network: network?,
        database_link: Some(named).filter(|named| *named != database),
        database,
        admin_socket: admin_socket?,
        data_dir,
        secret: secret?,
        seal_keys: seal_keys?,
        listen: listen?,
        public_url,
        trusted_proxies,
        metrics_listen,
        metrics_allow,
        metrics_hosts,
        node: node?,
        reconcile_every: Some(reconcile_every).filter(|every| !every.is_zero()),
        rates: rates?,
        limits,
        ceilings,
        webhooks,
        mail: mail?,
        operator_email,
        signup: signup?,
        dashboard_url,
        wallet_changes: wallet_changes?,
        explorer,
        log: log?,
        access_log: access_log?,
        log_format: log_format?,
        shutdown_grace,
    })
}

/// A key that is configured in its setting or in the file that is named there; without either, in `file` of the data folder.
fn key<T: FromStr>(reader: &mut Reader, name: &str, file: &str, data_dir: Option<&Path>) -> Option<KeySource<T>> {
    if let Some(to_make) = reader.file_to_make(name) {
        return Some(KeySource::Kept(to_make));
    }
    let errors_before = reader.errors.len();
    let Some((text, origin)) = reader.secret_text(name) else {
        let nothing_wrong = reader.errors.len() == errors_before;
        return data_dir
            .filter(|_| nothing_wrong)
            .map(|folder| KeySource::Kept(folder.join(file)));
    };
    let key = text.parse().ok();
    if key.is_none() {
        reader.wrong(name, String::new(), origin, None);
    }
    key.map(KeySource::Given)
}

/// Where webhooks may lead. What opens a door into the operator's own network is for play money only.
fn webhooks(reader: &mut Reader, network: Option<Network>) -> Policy {
    let allow_private = reader
        .parsed("webhook_allow_private", values::networks)
        .unwrap_or_default();
    let allow_http = reader
        .parsed("webhook_allow_http", |text| text.parse().ok())
        .unwrap_or(false);
    let is_sandbox = network.is_none_or(Network::is_sandbox);
    for (name, is_open) in [
        ("webhook_allow_private", !allow_private.is_empty()),
        ("webhook_allow_http", allow_http),
    ] {
        if is_open && !is_sandbox {
            reader.errors.push(ConfigError::Contradiction(format!(
                "{name} is for demos and tests only: with network = \"mainnet\", webhooks go to public servers over https"
            )));
        }
    }
    Policy {
        allow_http,
        allow_private,
    }
}

fn limits(reader: &mut Reader) -> Limits {
    Limits {
        create_per_minute: reader.number("create_per_minute", 1..=1_000_000),
        create_burst: reader.number("create_burst", 1..=1_000_000),
        merchant_create_per_minute: reader.number("merchant_create_per_minute", 1..=1_000_000),
        merchant_press_per_minute: reader.number("merchant_press_per_minute", 1..=1_000_000),
        instance_create_per_minute: reader.number("instance_create_per_minute", 1..=10_000_000),
        api_per_minute: reader.number("api_per_minute", 1..=10_000_000),
        api_burst: reader.number("api_burst", 1..=10_000_000),
        streams_per_address: reader.number("streams_per_address", 1..=100_000),
        streams_per_charge: reader.number("streams_per_charge", 1..=100_000),
        max_streams: reader.number("max_streams", 1..=1_000_000),
        max_connections: reader.number("max_connections", 10..=1_000_000),
        connections_per_address: reader.number("connections_per_address", 1..=1_000_000),
        header_timeout: Duration::from_secs(reader.number("header_timeout_secs", 1..=120)),
        write_timeout: Duration::from_secs(reader.number("write_timeout_secs", 1..=300)),
        request_timeout: Duration::from_secs(reader.number("request_timeout_secs", 1..=300)),
    }
}

/// The longest path of a Unix socket is 107 bytes on Linux and 103 elsewhere; some are kept for a temporary name.
const LONGEST_SOCKET_PATH: usize = 100;

fn admin_socket(reader: &mut Reader, data_dir: Option<&Path>) -> Option<PathBuf> {
    let path = match reader.path("admin_socket") {
        Some(path) => path,
        None => data_dir?.join("admin.sock"),
    };
    if path.as_os_str().len() > LONGEST_SOCKET_PATH {
        let origin = reader
            .text("admin_socket")
            .map_or(Origin::Default, |(_, origin)| origin);
        let because = "data_dir is too long for it: set admin_socket to a shorter path".to_owned();
        reader.wrong("admin_socket", path.display().to_string(), origin, Some(because));
        return None;
    }
    Some(path)
}

#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(test)]
mod tests;
