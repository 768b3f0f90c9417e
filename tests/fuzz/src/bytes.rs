//! Bytes, read as choices. Where they end, the first choice is taken for ever.

/// What is left to read.
#[derive(Clone, Copy, Debug)]
pub struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    /// All of them.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Whether nothing is left.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is left, as it stands.
    pub const fn rest(&self) -> &'a [u8] {
        self.0
    }

    /// One byte.
    pub fn byte(&mut self) -> u8 {
        match self.0.split_first() {
            Some((&first, rest)) => {
                self.0 = rest;
                first
            }
            None => 0,
        }
    }

    /// A number of eight bytes.
    pub fn number(&mut self) -> u64 {
        (0..8).fold(0, |number, _| number << 8 | u64::from(self.byte()))
    }

    /// 0 up to, and without, `end`; 0 if that is 0.
    pub fn below(&mut self, end: usize) -> usize {
        let two = usize::from(self.byte()) << 8 | usize::from(self.byte());
        two.checked_rem(end).unwrap_or(0)
    }

    /// Yes, in so many of 256 cases; no where the bytes end.
    pub fn chance(&mut self, of_256: u8) -> bool {
        !self.is_empty() && self.byte() < of_256
    }

    /// One of a list that is not empty; its first where the bytes end.
    pub fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())]
    }
}
