//! The smallest history that still fails in the same way: parts are left out, from large to small, as long as the rest fails.

use super::Seed;

/// How often a history is run again at most.
const TRIES: u32 = 400;

/// Shrinks a history of `count` actions. `fails` says whether what is kept fails in the same way.
pub fn shrink(number: u64, count: usize, mut fails: impl FnMut(&Seed) -> bool) -> Seed {
    let mut kept: Vec<usize> = (0..count).collect();
    let mut part = kept.len().div_ceil(2);
    let mut tries = 0;
    while part >= 1 && tries < TRIES {
        let mut from = 0;
        let mut has_shrunk = false;
        while from < kept.len() && tries < TRIES {
            let until = (from + part).min(kept.len());
            let mut rest = kept.clone();
            rest.drain(from..until);
            tries += 1;
            let seed = Seed {
                number,
                kept: Some(rest.clone()),
            };
            if fails(&seed) {
                kept = rest;
                has_shrunk = true;
            } else {
                from = until;
            }
        }
        if part == 1 && !has_shrunk {
            break;
        }
        part = if part == 1 { 1 } else { part.div_ceil(2) };
    }
    Seed {
        number,
        kept: Some(kept),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_matter_is_left_out() {
        let shrunk = shrink(7, 100, |seed| {
            let kept = seed.kept.clone().unwrap();
            kept.contains(&13) && kept.contains(&77)
        });
        assert_eq!(shrunk.to_string(), "s3:7:13,77");
    }
}
