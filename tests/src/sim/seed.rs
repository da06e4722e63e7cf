//! How a history is named, so that one line runs it again: `s3:4711`, or shrunk `s3:4711:3,17-20`.

use std::fmt;
use std::str::FromStr;

/// The version of the histories: a change of what a number means is another version.
pub const VERSION: &str = "s3";

/// A seed, and which of its actions are kept; all where it says nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seed {
    /// The number that everything follows from.
    pub number: u64,
    /// The actions that are kept, ascending.
    pub kept: Option<Vec<usize>>,
}

impl Seed {
    /// The whole history of a number.
    #[must_use]
    pub const fn whole(number: u64) -> Self {
        Self { number, kept: None }
    }
}

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{VERSION}:{}", self.number)?;
        let Some(kept) = &self.kept else { return Ok(()) };
        let mut ranges: Vec<(usize, usize)> = Vec::new();
        for &index in kept {
            match ranges.last_mut() {
                Some((_, last)) if *last + 1 == index => *last = index,
                _ => ranges.push((index, index)),
            }
        }
        let texts: Vec<String> = ranges
            .into_iter()
            .map(|(first, last)| {
                if first == last {
                    first.to_string()
                } else {
                    format!("{first}-{last}")
                }
            })
            .collect();
        write!(
            f,
            ":{}",
            if texts.is_empty() {
                "-".to_owned()
            } else {
                texts.join(",")
            }
        )
    }
}

impl FromStr for Seed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.split(':');
        let version = parts.next().unwrap_or_default();
        if version != VERSION {
            return Err(format!(
                "the seed `{text}` is of version `{version}`, and this simulation makes histories of version `{VERSION}`: \
                 run it with the program that printed it"
            ));
        }
        let number = parts.next().unwrap_or_default();
        let number = number
            .parse()
            .map_err(|_| format!("`{number}` is not the number of a history"))?;
        let kept = match parts.next() {
            None => None,
            Some("-") => Some(Vec::new()),
            Some(list) => {
                Some(ranges(list).ok_or_else(|| format!("`{list}` is not a list of actions, as in 3,17-20"))?)
            }
        };
        match parts.next() {
            None => Ok(Self { number, kept }),
            Some(more) => Err(format!(
                "`{more}` is too much: a seed is {VERSION}:number or {VERSION}:number:actions"
            )),
        }
    }
}

fn ranges(list: &str) -> Option<Vec<usize>> {
    let mut kept: Vec<usize> = Vec::new();
    for range in list.split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
        let follows = kept.last().is_none_or(|before| *before < first);
        if !follows || last < first || last - first > 1_000_000 {
            return None;
        }
        kept.extend(first..=last);
    }
    Some(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_read_as_it_is_printed() {
        for text in ["s3:0", "s3:18446744073709551615", "s3:7:3,17-20", "s3:7:-"] {
            assert_eq!(text.parse::<Seed>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_seed_of_another_version_is_refused_by_name() {
        let refused = "s0:7".parse::<Seed>().unwrap_err();
        assert!(refused.contains("`s0`") && refused.contains("`s3`"), "{refused}");
        for text in [
            "", "7", "s3", "s3:", "s3:x", "s3:7:", "s3:7:3,2", "s3:7:5-4", "s3:7:1:2", "s3:-7",
        ] {
            assert!(text.parse::<Seed>().is_err(), "{text}");
        }
    }
}
