//! Questions to whoever sits at the terminal.

use std::io::{BufRead, Write};

/// Asks, or says which option is missing where nobody can be asked.
pub(super) struct Asker<'t> {
    /// Where answers come from and questions go to; `None` where nobody sits.
    terminal: Option<(&'t mut dyn BufRead, &'t mut dyn Write)>,
}

impl<'t> Asker<'t> {
    /// Asks there.
    pub(super) fn at(answers: &'t mut dyn BufRead, questions: &'t mut dyn Write) -> Self {
        Self {
            terminal: Some((answers, questions)),
        }
    }

    /// Asks nobody.
    pub(super) const fn nobody() -> Self {
        Self { terminal: None }
    }

    /// Whether somebody can be asked.
    pub(super) const fn is_heard(&self) -> bool {
        self.terminal.is_some()
    }

    /// An answer that `read` takes; an empty one is `default`. Asks again when it is wrong. `None` when nobody can be asked.
    ///
    /// # Errors
    /// When the answers end.
    pub(super) fn ask<T>(
        &mut self,
        question: &str,
        default: &str,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<T>, String> {
        let Some((answers, questions)) = &mut self.terminal else {
            return Ok(None);
        };
        let shown = match default {
            "" => String::new(),
            default => format!(" [{default}]"),
        };
        loop {
            // A terminal that takes no question gives no answer either.
            let _ = write!(questions, "{question}{shown}: ");
            let _ = questions.flush();
            let mut answer = String::new();
            match answers.read_line(&mut answer) {
                Ok(0) => return Err("no-answer: the input has ended; nothing was changed".to_owned()),
                Ok(_) => {}
                Err(error) => return Err(format!("no-answer: {error}; nothing was changed")),
            }
            let answer = match answer.trim() {
                "" => default,
                answer => answer,
            };
            match read(answer) {
                Ok(value) => return Ok(Some(value)),
                Err(why) => {
                    let _ = writeln!(questions, "  {why}");
                }
            }
        }
    }

    /// Whether the answer is yes; `false` when nobody can be asked.
    ///
    /// # Errors
    /// When the answers end.
    pub(super) fn agrees(&mut self, question: &str) -> Result<bool, String> {
        let read = |answer: &str| match answer.to_ascii_lowercase().as_str() {
            "y" | "yes" => Ok(true),
            "n" | "no" => Ok(false),
            _ => Err("answer yes or no".to_owned()),
        };
        Ok(self.ask(question, "no", read)?.unwrap_or(false))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Result<u8, String> {
        text.parse().map_err(|_| format!("{text} is no number"))
    }

    #[test]
    fn a_wrong_answer_is_asked_for_again_and_an_empty_one_is_the_default() {
        let mut said = Vec::new();
        let mut answers: &[u8] = b"many\n7\n\n";
        let mut asker = Asker::at(&mut answers, &mut said);
        assert_eq!(asker.ask("How many", "3", number), Ok(Some(7)));
        assert_eq!(asker.ask("How many", "3", number), Ok(Some(3)));
        assert!(asker.ask("How many", "3", number).is_err());
        let said = String::from_utf8(said).unwrap();
        assert!(
            said.starts_with("How many [3]:   many is no number\nHow many [3]: "),
            "{said}"
        );
    }

    #[test]
    fn where_nobody_sits_nothing_is_agreed_to() {
        let mut asker = Asker::nobody();
        assert_eq!(asker.ask("How many", "3", number), Ok(None));
        assert_eq!(asker.agrees("Really"), Ok(false));
    }
}
