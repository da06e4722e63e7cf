//! The programs in the guides under `docs/`, run as a reader would run them.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, Result, bail, ensure};
use tokio::process::{Child, Command};

/// Where the guides are.
#[must_use]
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

/// A language that the guides have programs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    Shell,
    Ruby,
    Php,
    Python,
    JavaScript,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Shell, Self::Ruby, Self::Php, Self::Python, Self::JavaScript];

    /// The word after the fence of a code block.
    #[must_use]
    pub const fn fence(self) -> &'static str {
        match self {
            Self::Shell => "shell",
            Self::Ruby => "ruby",
            Self::Php => "php",
            Self::Python => "python",
            Self::JavaScript => "javascript",
        }
    }

    /// What runs a program of it.
    const fn interpreter(self) -> &'static str {
        match self {
            Self::Shell => "sh",
            Self::Ruby => "ruby",
            Self::Php => "php",
            Self::Python => "python3",
            Self::JavaScript => "node",
        }
    }

    /// What the name of a file with a program of it ends with; Node.js goes by it.
    const fn ending(self) -> &'static str {
        match self {
            Self::Shell => "sh",
            Self::Ruby => "rb",
            Self::Php => "php",
            Self::Python => "py",
            Self::JavaScript => "mjs",
        }
    }
}

/// A program out of a guide, in a file of its own.
#[derive(Debug)]
pub struct Program {
    language: Language,
    file: tempfile::TempPath,
}

impl Program {
    /// The first program in `language` in the guide called `name`, as in `signed-links.md`.
    ///
    /// # Errors
    /// When the guide has none.
    pub fn of(name: &str, language: Language) -> Result<Self> {
        let text = std::fs::read_to_string(folder().join(name))?;
        let fence = format!("\n```{}\n", language.fence());
        let (_, rest) = text
            .split_once(&fence)
            .with_context(|| format!("{name} has no program in {language:?}"))?;
        let (code, _) = rest.split_once("\n```").context("a code block without an end")?;
        let file = tempfile::Builder::new()
            .prefix("bitpro-guide-")
            .suffix(&format!(".{}", language.ending()))
            .tempfile()?
            .into_temp_path();
        std::fs::write(&file, format!("{code}\n"))?;
        Ok(Self { language, file })
    }

    /// Starts it with nothing in its environment but `PATH` and `variables`, and what it prints at hand. It ends with its guard.
    ///
    /// # Errors
    /// When it cannot be run.
    pub fn start(&self, variables: &[(&str, &str)]) -> Result<Child> {
        Command::new(self.language.interpreter())
            .arg(&*self.file)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{} cannot be run", self.language.interpreter()))
    }

    /// Runs it with nothing in its environment but `PATH` and `variables`, and gives what it prints.
    ///
    /// # Errors
    /// When it fails, or complains.
    pub async fn run(&self, variables: &[(&str, &str)]) -> Result<String> {
        let output = Command::new(self.language.interpreter())
            .arg(&*self.file)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .envs(variables.iter().copied())
            .output()
            .await
            .with_context(|| format!("{} cannot be run", self.language.interpreter()))?;
        let said = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            bail!("the {:?} program ended with {}: {said}", self.language, output.status);
        }
        ensure!(said.is_empty(), "the {:?} program complains: {said}", self.language);
        Ok(String::from_utf8(output.stdout)?)
    }
}
