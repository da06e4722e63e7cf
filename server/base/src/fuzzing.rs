//! Fuzzing: what strangers send, held against what must be true of it whatever it is.
//!
//! A target takes any bytes, and panics when a property does not hold: what is taken reads back as the same, two readers that must agree
//! agree, nothing costs more than the input is long. `bitpro_server::fuzz` has the table of all of them.

use allocation_counter::measure;

/// Something that takes what strangers send.
#[derive(Debug)]
pub struct Target {
    /// Its name, and that of its folder in the corpus.
    pub name: &'static str,
    /// The longest input that is worth trying, in bytes.
    pub longest: usize,
    /// Words of its language: what changes put in.
    pub words: &'static [&'static str],
    /// The memory that it may take.
    pub memory: Memory,
    /// Tries one input.
    run: fn(&[u8]),
}

/// How much memory one input may take, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    /// At once, however short the input is.
    pub base: u64,
    /// At once, for each byte of the input.
    pub per_byte: u64,
    /// How often as much may be asked for in all: what takes little memory very often takes long.
    pub times: u64,
}

impl Memory {
    /// What reading a line of text may take: some tables, and its parts a few times over.
    pub const SMALL: Self = Self {
        base: 128 * 1024,
        per_byte: 64,
        times: 16,
    };
}

impl Target {
    /// A target that reads a text.
    pub const fn new(name: &'static str, longest: usize, words: &'static [&'static str], run: fn(&[u8])) -> Self {
        Self {
            name,
            longest,
            words,
            memory: Memory::SMALL,
            run,
        }
    }

    /// The target with other bounds of its memory.
    pub const fn within(self, memory: Memory) -> Self {
        Self { memory, ..self }
    }

    /// Tries one input, and holds the memory that it took against its length.
    ///
    /// # Panics
    /// When a property does not hold.
    pub fn try_with(&self, input: &[u8]) {
        let input = &input[..input.len().min(self.longest)];
        let taken = measure(|| (self.run)(input));
        let length = u64::try_from(input.len()).unwrap_or(u64::MAX);
        let most = self.memory.base + self.memory.per_byte * length;
        assert!(
            taken.bytes_max <= most,
            "{} bytes of input took {} bytes of memory, {most} at most",
            input.len(),
            taken.bytes_max
        );
        let most = most * self.memory.times;
        assert!(
            taken.bytes_total <= most,
            "{} bytes of input took {} bytes of memory one after the other, {most} at most",
            input.len(),
            taken.bytes_total
        );
    }
}

/// The input as a text; bytes that are none are no text of anybody's.
pub fn text(input: &[u8]) -> Option<&str> {
    std::str::from_utf8(input).ok()
}

/// The first line, and what is behind it.
pub fn first_line(input: &[u8]) -> (&[u8], &[u8]) {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    (&input[..end], input.get(end + 1..).unwrap_or_default())
}

/// Header values, one a line; a line that can be none is left out, as a server of HTTP does it.
pub fn header_values(input: &[u8]) -> impl Iterator<Item = http::HeaderValue> + '_ {
    input
        .split(|byte| *byte == b'\n')
        .filter_map(|line| http::HeaderValue::from_bytes(line).ok())
}

/// Asserts that an error message fits a line of a log or a page: short, and without what would move a terminal's cursor.
///
/// # Panics
/// When it does not.
pub fn assert_fit_to_show(message: &str) {
    assert!(message.len() <= 2_000, "a message of {} bytes", message.len());
    assert!(!message.chars().any(char::is_control), "{message:?}");
}
