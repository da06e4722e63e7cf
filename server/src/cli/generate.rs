//! `bitpro generate`: what a package puts beside the program, from the definitions that the program itself goes by.

use std::fs;
use std::path::{Path, PathBuf};

use bitpro_config::{SETTINGS, Setting};
use clap::{CommandFactory as _, Subcommand};
use clap_complete::Shell;

use super::arguments::Arguments;
use super::print;

#[derive(Debug, Subcommand)]
pub(super) enum GenerateAction {
    /// Print completions for a shell.
    Completions { shell: Shell },
    /// Write the manual: bitpro.1, and a page for each command.
    Manual {
        /// The folder to write to. Created if it is missing.
        folder: PathBuf,
    },
    /// Print a configuration file with every setting, commented out.
    Configuration {
        /// A setting to write out, as name=value.
        #[arg(long, value_name = "SETTING", value_parser = setting)]
        set: Vec<(String, String)>,
    },
}

/// Prints or writes what is wanted.
///
/// # Errors
/// Why it cannot be written.
pub(super) fn generate(action: GenerateAction) -> Result<(), String> {
    match action {
        GenerateAction::Completions { shell } => print::out(completions(shell).trim_end()),
        GenerateAction::Manual { folder } => {
            manual(&folder).map_err(|error| format!("cannot write the manual to {}: {error}", folder.display()))?;
        }
        GenerateAction::Configuration { set } => print::out(configuration(&set).trim_end()),
    }
    Ok(())
}

fn setting(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("it is not written as name=value")?;
    match Setting::named(name) {
        Some(setting) => Ok((setting.name.to_owned(), value.to_owned())),
        None => Err(format!("{name} is not a setting")),
    }
}

fn completions(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "bitpro", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

fn manual(folder: &Path) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    clap_mangen::generate_to(Arguments::command(), folder)
}

const HEAD: &str = "\
# The configuration of Bitpro Checkout. Remove the # in front of a setting to set it; what is shown there is its default.
# Environment variables (BITPRO_ and the setting's name in upper case) win. `bitpro check` says what is wrong.
";

/// Every setting with what it does and what may be written, and those of `set` with their values.
pub(super) fn configuration(set: &[(String, String)]) -> String {
    let mut text = HEAD.to_owned();
    for setting in &SETTINGS {
        text.push_str(&format!("\n# {}\n# Valid: {}.\n", setting.meaning, setting.wanted));
        let written = set.iter().rev().find(|(name, _)| name == setting.name);
        let line = match written {
            Some((name, value)) => format!("{name} = {}\n", quoted(value)),
            None => format!("#{} = {}\n", setting.name, quoted(setting.default.unwrap_or_default())),
        };
        text.push_str(&line);
    }
    text
}

/// Any value may be written as a text, also a number.
pub(super) fn quoted(value: &str) -> String {
    toml::Value::String(value.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use bitpro_config::Config;

    use super::*;

    #[test]
    fn the_configuration_has_every_setting_and_sets_only_what_was_asked_for() {
        let set = [
            ("network".to_owned(), "regtest".to_owned()),
            ("data_dir".to_owned(), "/var/lib/\"bitpro\"".to_owned()),
        ];
        let text = configuration(&set);
        let table: toml::Table = text.parse().unwrap();
        assert_eq!(table.len(), 2);
        assert_eq!(table["data_dir"].as_str(), Some("/var/lib/\"bitpro\""));
        for setting in SETTINGS {
            assert!(text.contains(setting.meaning), "{}", setting.name);
        }
    }

    #[test]
    fn with_every_line_uncommented_it_says_what_the_server_does_anyway() {
        let set = [
            ("network".to_owned(), "regtest".to_owned()),
            ("data_dir".to_owned(), "/nowhere".to_owned()),
        ];
        let plain = configuration(&set);
        let uncommented: String = plain
            .lines()
            .map(|line| {
                let is_setting = line.starts_with('#') && !line.starts_with("# ");
                format!("{}\n", if is_setting { &line[1..] } else { line })
            })
            .collect();
        assert_eq!(uncommented.parse::<toml::Table>().unwrap().len(), SETTINGS.len());
        let read = |text: &str| {
            let file = tempfile::NamedTempFile::new().unwrap();
            fs::write(file.path(), text).unwrap();
            format!(
                "{:?}",
                Config::from_sources(Vec::new(), Some(file.path()), Some(Path::new("/nowhere"))).unwrap()
            )
        };
        assert_eq!(read(&uncommented), read(&plain));
    }

    #[test]
    fn the_manual_has_a_page_for_every_command() {
        let folder = tempfile::tempdir().unwrap();
        manual(folder.path()).unwrap();
        for page in ["bitpro.1", "bitpro-merchant-add.1", "bitpro-serve.1"] {
            let text = fs::read_to_string(folder.path().join(page)).unwrap();
            assert!(text.contains(".SH NAME"), "{page}");
        }
    }

    #[test]
    fn completions_know_the_commands() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            assert!(completions(shell).contains("reconcile"), "{shell}");
        }
    }

    #[test]
    fn only_settings_are_written_out() {
        assert!(setting("listen=127.0.0.1:1").is_ok());
        assert!(setting("listen").is_err());
        assert!(setting("lissten=1").is_err());
    }
}
