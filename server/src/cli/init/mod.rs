//! `bitpro init`: from nothing to a server that can be started. It finds and tests the node, writes the configuration, has the keys made,
//! and adds a first merchant with its owner if that is wanted. What is there already stays as it is.

mod account;
mod ask;
mod file;
mod local_node;
mod owner;
mod wishes;

use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bitpro_charge::Network;
use bitpro_config::{FILE_VARIABLE, SYSTEM_FILE};
use clap::Args;
use serde_json::Value;

use super::print::out;
use super::{FAILED, INVALID, fail};
use account::Account;
use ask::Asker;
use file::{Candidate, ConfigurationFile};
use owner::Owner;
use wishes::Wishes;

#[derive(Debug, Default, Args)]
pub(super) struct InitArguments {
    /// The chain: mainnet, testnet4, signet or regtest.
    #[arg(long, value_name = "NETWORK")]
    network: Option<String>,
    /// The address that shoppers will see, such as `https://pay.example`.
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// The folder for database and keys.
    #[arg(long, value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
    /// Where to listen for the proxy. Default: 127.0.0.1:8080.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// The proxies whose X-Forwarded-For is believed. Default with an https address: this machine.
    #[arg(long, value_name = "NETWORKS")]
    trusted_proxies: Option<String>,
    /// The node's RPC address. Default: that of a node on this machine.
    #[arg(long, value_name = "URL")]
    node_url: Option<String>,
    /// The node's cookie file. Default: that of a node on this machine.
    #[arg(long, value_name = "FILE", conflicts_with = "node_user")]
    node_cookie: Option<PathBuf>,
    /// The node's RPC user, in place of the cookie.
    #[arg(long, value_name = "NAME", requires = "node_password_file")]
    node_user: Option<String>,
    /// A file with the password of that user.
    #[arg(long, value_name = "FILE", requires = "node_user")]
    node_password_file: Option<PathBuf>,
    /// Write the configuration without testing the node, which is not running yet.
    #[arg(long)]
    without_node: bool,
    /// The e-mail address of the first merchant's owner, who gets an account.
    #[arg(long, value_name = "EMAIL", requires = "merchant")]
    owner: Option<String>,
    /// The first merchant's name.
    #[arg(long, value_name = "NAME", requires = "owner")]
    merchant: Option<String>,
    /// Ask nothing: take the defaults for what is not given.
    #[arg(long)]
    yes: bool,
}

/// Why nothing, or not everything, was done.
pub(super) struct Trouble {
    code: u8,
    text: String,
}

impl Trouble {
    /// A value cannot be taken.
    fn invalid(text: impl Into<String>) -> Self {
        Self {
            code: INVALID,
            text: text.into(),
        }
    }

    /// The machine or the node does not play along.
    fn failed(text: impl Into<String>) -> Self {
        Self {
            code: FAILED,
            text: text.into(),
        }
    }
}

/// Does it, and says what was done and what is next.
pub(super) fn run(named: Option<&Path>, arguments: InitArguments) -> ExitCode {
    let (mut answers, mut questions) = (io::stdin().lock(), io::stderr());
    let is_asked = !arguments.yes && io::stdin().is_terminal();
    let mut asker = match is_asked {
        true => Asker::at(&mut answers, &mut questions),
        false => Asker::nobody(),
    };
    match initialized(named, arguments, &mut asker) {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => fail(trouble.code, &trouble.text),
    }
}

fn initialized(named: Option<&Path>, arguments: InitArguments, asker: &mut Asker<'_>) -> Result<(), Trouble> {
    let file = ConfigurationFile::open(&place_of(named)).map_err(Trouble::failed)?;
    let is_tested = !arguments.without_node;
    let wishes = Wishes::gathered(&file, &arguments, asker)?;
    let account = Account::gathered(&arguments, asker)?;
    let owner = Owner::of(&wishes.data_dir)?;
    let candidate = file.candidate(&wishes.set, owner.group()).map_err(Trouble::failed)?;
    let checked = owner.check(&candidate.path);
    let checked = checked.map_err(|text| Trouble::failed(candidate.named(&text)))?;
    judge(&candidate, &checked, is_tested, asker)?;

    let said = wrote(&file, &wishes);
    owner.make_folder(&wishes.data_dir)?;
    match wishes.set.is_empty() {
        true => drop(candidate),
        false => candidate.put_in_place().map_err(Trouble::failed)?,
    }
    for line in &said {
        out(line);
    }
    for line in nodes_lines(&checked).filter(|_| is_tested) {
        out(&line);
    }
    let keys = Keys::look(&wishes.data_dir);
    let merchants = owner.merchants(&file.path)?;
    keys.tell();
    let account = account
        .map(|account| account.added(&owner, &file.path, merchants))
        .transpose()?;
    for line in account.into_iter().flatten() {
        out(&line);
    }
    for line in next_steps(&file.path, &wishes, &owner) {
        out(&line);
    }
    Ok(())
}

/// The file that is written: the one that was named, else the system's for root, else one in this folder.
fn place_of(named: Option<&Path>) -> PathBuf {
    let by_environment = || {
        std::env::var_os(FILE_VARIABLE)
            .filter(|path| !path.is_empty())
            .map(PathBuf::from)
    };
    let by_default = || match rustix::process::geteuid().is_root() {
        true => PathBuf::from(SYSTEM_FILE),
        false => PathBuf::from("bitpro.toml"),
    };
    let path = named
        .map(Path::to_path_buf)
        .or_else(by_environment)
        .unwrap_or_else(by_default);
    std::path::absolute(&path).unwrap_or(path)
}

/// Whether the configuration holds and the node is the right one. A node that is away may be waited for.
fn judge(candidate: &Candidate, checked: &[Value], is_tested: bool, asker: &mut Asker<'_>) -> Result<(), Trouble> {
    let failures = checked.iter().filter(|line| line["level"] == "failure");
    let (configured, of_node): (Vec<&Value>, Vec<&Value>) =
        failures.partition(|line| line["subject"] == "configuration");
    let says = |lines: &[&Value], code: &str| {
        let texts = lines.iter().filter_map(|line| line["says"].as_str());
        let texts: Vec<String> = texts.map(|text| format!("{code}: {}", candidate.named(text))).collect();
        texts.join("\n")
    };
    if !configured.is_empty() {
        let text = says(&configured, "configuration-wrong");
        return Err(Trouble::invalid(format!("{text}\nnothing was changed")));
    }
    if of_node.is_empty() || !is_tested {
        return Ok(());
    }
    let text = says(&of_node, "node-not-usable");
    let is_stranger = text.contains("another network");
    if !is_stranger && asker.is_heard() {
        out(&text);
        if asker.agrees("Write the configuration all the same")? {
            return Ok(());
        }
        return Err(Trouble::failed("nothing was changed"));
    }
    let hint = match is_stranger {
        true => "name the right network or node",
        false => "start the node or mend this, or add --without-node",
    };
    Err(Trouble::failed(format!("{text}\nnothing was changed: {hint}")))
}

impl From<String> for Trouble {
    fn from(text: String) -> Self {
        Self::invalid(text)
    }
}

fn wrote(file: &ConfigurationFile, wishes: &Wishes) -> Vec<String> {
    let shown = file.path.display();
    let names = |names: &[&'static str]| names.join(", ");
    let set: Vec<&'static str> = wishes.set.iter().map(|(name, _)| *name).collect();
    let mut said = vec![match (set.is_empty(), file.exists()) {
        (true, _) => format!("found  {shown}: nothing to add"),
        (false, true) => format!("added  {shown}: {}", names(&set)),
        (false, false) => format!("wrote  {shown}: {}", names(&set)),
    }];
    if !wishes.left.is_empty() {
        said.push(format!("left   as they were there: {}", names(&wishes.left)));
    }
    said
}

/// What the check said of the node, without what says nothing here.
fn nodes_lines(checked: &[Value]) -> impl Iterator<Item = String> {
    let lines = checked.iter().filter(|line| line["subject"] != "configuration");
    lines.map(|line| {
        let text = |name: &str| line[name].as_str().unwrap_or_default();
        let level = text("level");
        format!("node   {} {}: {}", text("subject"), level, text("says"))
    })
}

/// The files of keys in the data folder, which the first look at the database makes where they are missing.
struct Keys(Vec<(PathBuf, bool)>);

impl Keys {
    fn look(data_dir: &Path) -> Self {
        let files = ["secret.key", "seal.keys"].map(|name| data_dir.join(name));
        Self(files.into_iter().map(|file| (file.clone(), file.exists())).collect())
    }

    fn tell(&self) {
        for (file, was_there) in &self.0 {
            let shown = file.display();
            match (was_there, file.exists()) {
                (true, _) => out(&format!("left   {shown}, as it was")),
                (false, true) => out(&format!(
                    "made   {shown}: keep a copy apart from backups of the database"
                )),
                // The configuration names keys elsewhere.
                (false, false) => {}
            }
        }
    }
}

fn next_steps(file: &Path, wishes: &Wishes, owner: &Owner) -> Vec<String> {
    let is_systems = file == Path::new(SYSTEM_FILE);
    let config = match is_systems {
        true => String::new(),
        false => format!(" --config {}", file.display()),
    };
    let bitpro = match owner.name() {
        Some(name) => format!("runuser -u {name} -- bitpro{config}"),
        None => format!("bitpro{config}"),
    };
    let has_unit = is_systems && Path::new("/usr/lib/systemd/system/bitpro.service").exists();
    let start = match has_unit {
        true => "systemctl enable --now bitpro".to_owned(),
        false => format!("{bitpro} serve"),
    };
    let mut steps = vec![String::new(), "next".to_owned()];
    let mut nth = 0;
    let mut step = |text: String| {
        nth += 1;
        steps.push(format!("  {nth}. {text}"));
    };
    step(format!("start: {start}"));
    if wishes.is_https {
        let examples = super::check::examples();
        step(format!(
            "put a proxy in front: {examples} has files for nginx and Caddy"
        ));
    }
    step(format!("check: {bitpro} check"));
    step(format!(
        "add shops: {bitpro} merchant add --name NAME --owner EMAIL; each owner sets the wallet in the dashboard"
    ));
    steps
}

/// The network that a text names.
fn network(text: &str) -> Result<Network, String> {
    text.parse()
        .map_err(|_| format!("network-unknown: network = {text:?}: wanted one of mainnet, testnet4, signet, regtest"))
}
