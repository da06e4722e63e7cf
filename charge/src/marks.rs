//! Which places of a list a walk through it has met already.

/// Which transactions a walk has met; the next walk begins without going through them all.
pub(crate) struct Marks {
    walk: u32,
    met_in: Vec<u32>,
}

impl Marks {
    /// None of so many was met yet.
    pub(crate) fn over(nodes: usize) -> Self {
        Self {
            walk: 1,
            met_in: vec![0; nodes],
        }
    }

    /// The next walk begins.
    pub(crate) const fn wipe(&mut self) {
        self.walk += 1;
    }

    /// Whether this walk has met it.
    pub(crate) fn is_met(&self, node: usize) -> bool {
        self.met_in[node] == self.walk
    }

    /// Whether this is the first time.
    pub(crate) fn meet(&mut self, node: usize) -> bool {
        std::mem::replace(&mut self.met_in[node], self.walk) != self.walk
    }
}
