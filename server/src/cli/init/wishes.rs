//! What is to stand in the configuration: from options, from answers, from the file that is there, and from the node that was found.

use std::path::{Path, PathBuf};

use bitpro_charge::Network;
use bitpro_config::PublicUrl;

use super::ask::Asker;
use super::file::ConfigurationFile;
use super::local_node::{self, LocalNode};
use super::{InitArguments, Trouble, network};

/// What is to be written, and what is there already.
pub(super) struct Wishes {
    /// Settings to write, with their values.
    pub set: Vec<(&'static str, String)>,
    /// Settings that are there and stay.
    pub left: Vec<&'static str>,
    pub data_dir: PathBuf,
    pub is_https: bool,
}

/// Where the database goes when nobody says otherwise.
const SYSTEM_FOLDER: &str = "/var/lib/bitpro";

impl Wishes {
    /// Gathers everything, and asks for what is missing.
    ///
    /// # Errors
    /// When something is missing or wrong, or contradicts the file. Nothing has been done then.
    pub(super) fn gathered(
        file: &ConfigurationFile,
        arguments: &InitArguments,
        asker: &mut Asker<'_>,
    ) -> Result<Self, Trouble> {
        let mut gathering = Gathering {
            file,
            set: Vec::new(),
            left: Vec::new(),
        };
        let nodes = match arguments.node_url.is_some() || arguments.without_node {
            true => Vec::new(),
            false => local_node::find(None),
        };
        let network = gathering.network(arguments, asker, &nodes)?;
        let data_dir = gathering.data_dir(arguments, asker)?;
        let is_https = gathering.public_url(arguments, asker, network)?;
        gathering.take("listen", arguments.listen.clone())?;
        let proxies = arguments.trusted_proxies.clone();
        let this_machine = || is_https.then(|| "127.0.0.1, ::1".to_owned());
        match proxies {
            Some(proxies) => gathering.take("trusted_proxies", Some(proxies))?,
            None => gathering.take_default("trusted_proxies", this_machine()),
        }
        gathering.node(arguments, network, &nodes)?;
        // A fixed rate is refused for real money; which exchanges are asked may be changed later.
        let live = (!network.is_sandbox()).then(|| "live".to_owned());
        gathering.take_default("rate_source", live);
        Ok(Self {
            set: gathering.set,
            left: gathering.left,
            data_dir,
            is_https,
        })
    }
}

struct Gathering<'f> {
    file: &'f ConfigurationFile,
    set: Vec<(&'static str, String)>,
    left: Vec<&'static str>,
}

impl Gathering<'_> {
    /// Takes a value that was given; what the file says otherwise is a contradiction that only a person can resolve.
    fn take(&mut self, name: &'static str, value: Option<String>) -> Result<(), Trouble> {
        let written = self.file.value(name);
        match (written, value) {
            (Some(written), Some(value)) if written.trim() != value.trim() => Err(Trouble::invalid(format!(
                "already-set: {name} is {written:?} in {} and {value:?} here: change it there; nothing was changed",
                self.file.path.display()
            ))),
            (Some(_), _) => {
                self.left.push(name);
                Ok(())
            }
            (None, Some(value)) => {
                self.set.push((name, value));
                Ok(())
            }
            (None, None) => Ok(()),
        }
    }

    /// Takes a value that nobody gave, unless the file has one.
    fn take_default(&mut self, name: &'static str, value: Option<String>) {
        match (self.file.value(name), value) {
            (Some(_), _) => self.left.push(name),
            (None, Some(value)) => self.set.push((name, value)),
            (None, None) => {}
        }
    }

    fn network(
        &mut self,
        arguments: &InitArguments,
        asker: &mut Asker<'_>,
        nodes: &[LocalNode],
    ) -> Result<Network, Trouble> {
        let given = arguments.network.clone();
        let known = given.clone().or_else(|| self.file.value("network"));
        let chosen = match known {
            Some(text) => network(&text)?,
            None => {
                let found: Vec<&str> = nodes.iter().map(|node| node.network.as_str()).collect();
                let default = found.first().copied().unwrap_or("mainnet");
                let question = "Network (mainnet, testnet4, signet, regtest)";
                match (asker.ask(question, default, network)?, nodes) {
                    (Some(network), _) => network,
                    (None, [node]) => node.network,
                    (None, _) => {
                        let found = match found.is_empty() {
                            true => "no node was found on this machine".to_owned(),
                            false => format!("nodes were found for {}", found.join(", ")),
                        };
                        let text = format!("network-missing: add --network; {found}; nothing was changed");
                        return Err(Trouble::invalid(text));
                    }
                }
            }
        };
        self.take("network", Some(chosen.as_str().to_owned()))?;
        Ok(chosen)
    }

    fn data_dir(&mut self, arguments: &InitArguments, asker: &mut Asker<'_>) -> Result<PathBuf, Trouble> {
        let written = self.file.value("data_dir").map(PathBuf::from);
        let given = arguments.data_dir.as_deref().map(absolute);
        let data_dir = match given.or(written) {
            Some(folder) => folder,
            None => {
                let default = usual_folder();
                let read = |text: &str| match text {
                    "" => Err("a folder is needed".to_owned()),
                    text => Ok(absolute(Path::new(text))),
                };
                let asked = asker.ask("Folder for database and keys", &default.display().to_string(), read)?;
                asked.unwrap_or(default)
            }
        };
        let Some(text) = data_dir.to_str() else {
            return Err(Trouble::invalid("data-dir-unwritable: data_dir is no text in UTF-8"));
        };
        self.take("data_dir", Some(text.to_owned()))?;
        Ok(data_dir)
    }

    /// Whether shoppers come over TLS.
    fn public_url(
        &mut self,
        arguments: &InitArguments,
        asker: &mut Asker<'_>,
        network: Network,
    ) -> Result<bool, Trouble> {
        let read = |text: &str| match (text, text.parse::<PublicUrl>()) {
            ("", _) if network.is_sandbox() => Ok(None),
            (_, Ok(url)) => Ok(Some(url)),
            (text, Err(())) => Err(format!(
                "public-url-wrong: public_url = {text:?}: wanted an http or https address without a path, such as https://pay.example"
            )),
        };
        let known = arguments.public_url.clone().or_else(|| self.file.value("public_url"));
        let url = match known {
            Some(text) => read(&text)?,
            None => {
                let question = match network.is_sandbox() {
                    true => "Public address, such as https://pay.example (empty: this machine only)",
                    false => "Public address, such as https://pay.example",
                };
                match asker.ask(question, "", read)? {
                    Some(url) => url,
                    None if network.is_sandbox() => None,
                    None => {
                        let text = "public-url-missing: add --public-url, the address that shoppers will see; nothing was changed";
                        return Err(Trouble::invalid(text));
                    }
                }
            }
        };
        self.take("public_url", url.as_ref().map(|url| url.origin().to_owned()))?;
        Ok(url.is_some_and(|url| url.is_https()))
    }

    fn node(&mut self, arguments: &InitArguments, network: Network, nodes: &[LocalNode]) -> Result<(), Trouble> {
        let path = |path: &PathBuf| absolute(path).display().to_string();
        let names_node =
            arguments.node_url.is_some() || arguments.node_cookie.is_some() || arguments.node_user.is_some();
        self.take("node_rpc_url", arguments.node_url.clone())?;
        self.take("node_cookie_file", arguments.node_cookie.as_ref().map(path))?;
        self.take("node_rpc_user", arguments.node_user.clone())?;
        self.take(
            "node_rpc_password_file",
            arguments.node_password_file.as_ref().map(path),
        )?;
        let settings = ["node_rpc_url", "node_cookie_file", "node_rpc_user"];
        let is_written = settings.iter().any(|name| self.file.value(name).is_some());
        if names_node || is_written {
            return Ok(());
        }
        if let Some(node) = nodes.iter().find(|node| node.network == network) {
            self.take_default("node_rpc_url", Some(node.url.clone()));
            self.take_default("node_cookie_file", Some(node.cookie.display().to_string()));
        }
        Ok(())
    }
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}

fn usual_folder() -> PathBuf {
    let home = std::env::var_os("HOME").filter(|home| !home.is_empty());
    match home {
        Some(home) if !rustix::process::geteuid().is_root() => Path::new(&home).join(".local/share/bitpro"),
        _ => SYSTEM_FOLDER.into(),
    }
}
