//! Sums as bytes: what is nothing takes no room.
//!
//! A version, then each tally: its dimension; how many bytes of its value are those of the value before, how many more
//! there are and these; a mask of the counters that are not nothing and each of them; a mask of the histograms, and of
//! each the first bucket that is not nothing, a mask from it on, and those. Numbers are variable-length, seven bits a
//! byte; signed ones in zigzag. A source of fourteen leads a day takes about 50 bytes.
//!
//! Version 1 had whole values and whole masks, version 2 two counters less; both are read. A counter more is a version more:
//! what is of a later one is refused and not guessed at.
//!
//! Determinations. *Version 1 is not written, though it would do where nobody waited unserved*: tables of many names would
//! be larger, and sums would change their version with the next decision. The README says what that asks of an update.

use super::sums::{Dimension, Sums};
use super::tally::{BUCKETS, COUNTERS, Histogram, SPEEDS, Tally};

const VERSION: u8 = 3;
/// The first: names and masks are whole.
const WHOLE: u8 = 1;

/// The bytes are no sums, or of a later version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the sums of a report are damaged, or of a later version")]
pub struct Damaged;

impl Sums {
    /// As bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        let mut before = "";
        for (dimension, value, tally) in self.iter() {
            pack(&mut out, before, dimension, value, tally);
            before = value;
        }
        out
    }

    /// The same in pieces, each of at most so many bytes, together the whole; one, empty, of nothing. A value is never
    /// cut: a piece of less bytes than one takes has that one alone.
    pub fn pieces(&self, most_bytes: usize) -> Vec<Self> {
        let (mut pieces, mut piece, mut bytes, mut before) = (Vec::new(), Self::default(), 1, "");
        for (dimension, value, tally) in self.iter() {
            let packed = |before: &str| {
                let mut packed = Vec::new();
                pack(&mut packed, before, dimension, value, tally);
                packed.len()
            };
            let mut more = packed(before);
            if bytes + more > most_bytes && !piece.is_empty() {
                pieces.push(std::mem::take(&mut piece));
                bytes = 1;
                more = packed("");
            }
            bytes += more;
            piece.add(dimension, value, tally);
            before = value;
        }
        if !piece.is_empty() || pieces.is_empty() {
            pieces.push(piece);
        }
        pieces
    }

    /// Whether these bytes are of a later version: they are no damage, and whoever knows it reads them.
    pub fn is_later(bytes: &[u8]) -> bool {
        bytes.first().is_some_and(|version| *version > VERSION)
    }

    /// From bytes.
    ///
    /// # Errors
    /// When they were not written by [`Sums::encode`].
    pub fn decode(bytes: &[u8]) -> Result<Self, Damaged> {
        let mut bytes = Bytes(bytes);
        let version = bytes.byte()?;
        if !(WHOLE..=VERSION).contains(&version) {
            return Err(Damaged);
        }
        let mut sums = Self::default();
        let mut before: Vec<u8> = Vec::new();
        while !bytes.0.is_empty() {
            let dimension = *Dimension::ALL.get(usize::from(bytes.byte()?)).ok_or(Damaged)?;
            let shared = if version == WHOLE { 0 } else { bytes.length()? };
            if shared > before.len() {
                return Err(Damaged);
            }
            before.truncate(shared);
            let length = bytes.length()?;
            before.extend_from_slice(bytes.take(length)?);
            let value = std::str::from_utf8(&before).map_err(|_| Damaged)?;
            let mut tally = Tally { counts: bytes.sparse::<COUNTERS>()?, ..Tally::default() };
            let measured = bytes.byte()?;
            if measured >> SPEEDS != 0 {
                return Err(Damaged);
            }
            for at in (0..SPEEDS).filter(|at| measured & (1 << at) != 0) {
                let first = if version == WHOLE { 0 } else { bytes.length()? };
                tally.times[at] = Histogram(bytes.sparse_from::<BUCKETS>(first)?);
            }
            sums.add(dimension, value, &tally);
        }
        Ok(sums)
    }
}

fn pack(out: &mut Vec<u8>, before: &str, dimension: Dimension, value: &str, tally: &Tally) {
    let shared = before.bytes().zip(value.bytes()).take_while(|(one, other)| one == other).count();
    let more = &value.as_bytes()[shared..];
    out.push(dimension as u8);
    unsigned(out, shared as u64);
    unsigned(out, more.len() as u64);
    out.extend_from_slice(more);
    sparse(out, &tally.counts);
    let measured = (0..SPEEDS).filter(|at| tally.times[*at] != Histogram::default());
    out.push(measured.clone().fold(0, |mask, at| mask | (1 << at)));
    for at in measured {
        let buckets = &tally.times[at].0;
        let first = buckets.iter().position(|count| *count != 0).unwrap_or(0);
        unsigned(out, first as u64);
        sparse(out, &buckets[first..]);
    }
}

fn unsigned(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn sparse(out: &mut Vec<u8>, counts: &[i64]) {
    let counted = counts.iter().enumerate().filter(|(_, count)| **count != 0);
    unsigned(out, counted.clone().fold(0, |mask, (at, _)| mask | (1 << at)));
    for (_, count) in counted {
        unsigned(out, ((count << 1) ^ (count >> 63)) as u64);
    }
}

struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn byte(&mut self) -> Result<u8, Damaged> {
        let (first, rest) = self.0.split_first().ok_or(Damaged)?;
        self.0 = rest;
        Ok(*first)
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Damaged> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Damaged)?;
        self.0 = rest;
        Ok(taken)
    }

    fn unsigned(&mut self) -> Result<u64, Damaged> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Damaged)
    }

    fn length(&mut self) -> Result<usize, Damaged> {
        usize::try_from(self.unsigned()?).map_err(|_| Damaged)
    }

    fn sparse<const N: usize>(&mut self) -> Result<[i64; N], Damaged> {
        self.sparse_from(0)
    }

    fn sparse_from<const N: usize>(&mut self, first: usize) -> Result<[i64; N], Damaged> {
        let mask = self.unsigned()?;
        if first >= N || mask >> (N - first) != 0 {
            return Err(Damaged);
        }
        let mut counts = [0; N];
        for (at, count) in counts[first..].iter_mut().enumerate() {
            if mask & (1 << at) != 0 {
                let zigzag = self.unsigned()?;
                *count = (zigzag >> 1) as i64 ^ -((zigzag & 1) as i64);
            }
        }
        Ok(counts)
    }
}
