//! Repeated measurements of one thing.

use std::ops::Range;

/// Measurements in ascending order; there is at least one.
#[derive(Debug, Clone)]
pub struct Samples(Vec<f64>);

impl Samples {
    /// Sorts what was measured; `None` when nothing was.
    pub fn of(mut measured: Vec<f64>) -> Option<Self> {
        if measured.is_empty() {
            return None;
        }
        measured.sort_by(f64::total_cmp);
        Some(Self(measured))
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The middle one, or the mean of the two middle ones.
    pub fn median(&self) -> f64 {
        let Range { start, end } = middle(self.0.len());
        let middle = &self.0[start..end];
        middle.iter().sum::<f64>() / if middle.len() == 2 { 2.0 } else { 1.0 }
    }

    /// The smallest one that at least 99 of 100 do not exceed.
    pub fn p99(&self) -> f64 {
        let rank = (self.0.len() * 99).div_ceil(100);
        self.0[rank.saturating_sub(1)]
    }

    /// The largest one.
    pub fn max(&self) -> f64 {
        self.0[self.0.len() - 1]
    }

    /// The smallest one.
    pub fn min(&self) -> f64 {
        self.0[0]
    }
}

const fn middle(count: usize) -> Range<usize> {
    (count - 1) / 2..count / 2 + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[f64]) -> Samples {
        Samples::of(values.to_vec()).unwrap()
    }

    #[test]
    fn the_median_is_the_middle_of_what_is_sorted() {
        assert_eq!(of(&[3.0]).median(), 3.0);
        assert_eq!(of(&[9.0, 1.0, 2.0]).median(), 2.0);
        assert_eq!(of(&[4.0, 1.0, 2.0, 9.0]).median(), 3.0);
    }

    #[test]
    fn the_99th_percentile_is_a_measured_value() {
        let hundred: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!(of(&hundred).p99(), 99.0);
        assert_eq!(of(&[1.0, 2.0]).p99(), 2.0);
        assert!(Samples::of(Vec::new()).is_none());
    }
}
