//! Sums as bytes: what is nothing takes no room.
//!
//! A version, then each tally: dimension, length of the value and the value; a mask of the counters that are not
//! nothing and each of them; a mask of the histograms, and of each a mask of its buckets and those. Numbers are
//! variable-length, seven bits a byte; signed ones in zigzag. A source of fourteen leads a day takes 49 bytes in the tests.

use super::sums::{Dimension, Sums};
use super::tally::{BUCKETS, COUNTERS, Histogram, SPEEDS, Tally};

const VERSION: u8 = 1;

/// The bytes are no sums, or of a later version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the sums of a report are damaged, or of a later version")]
pub struct Damaged;

impl Sums {
    /// As bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        for (dimension, value, tally) in self.iter() {
            out.push(dimension as u8);
            unsigned(&mut out, value.len() as u64);
            out.extend_from_slice(value.as_bytes());
            sparse(&mut out, &tally.counts);
            let measured = (0..SPEEDS).filter(|at| tally.times[*at] != Histogram::default());
            out.push(measured.clone().fold(0, |mask, at| mask | (1 << at)));
            for at in measured {
                sparse(&mut out, &tally.times[at].0);
            }
        }
        out
    }

    /// From bytes.
    ///
    /// # Errors
    /// When they were not written by [`Sums::encode`].
    pub fn decode(bytes: &[u8]) -> Result<Self, Damaged> {
        let mut bytes = Bytes(bytes);
        if bytes.byte()? != VERSION {
            return Err(Damaged);
        }
        let mut sums = Self::default();
        while !bytes.0.is_empty() {
            let dimension = *Dimension::ALL.get(usize::from(bytes.byte()?)).ok_or(Damaged)?;
            let length = usize::try_from(bytes.unsigned()?).map_err(|_| Damaged)?;
            let value = std::str::from_utf8(bytes.take(length)?).map_err(|_| Damaged)?;
            let mut tally = Tally { counts: bytes.sparse::<COUNTERS>()?, ..Tally::default() };
            let measured = bytes.byte()?;
            if measured >> SPEEDS != 0 {
                return Err(Damaged);
            }
            for at in (0..SPEEDS).filter(|at| measured & (1 << at) != 0) {
                tally.times[at] = Histogram(bytes.sparse::<BUCKETS>()?);
            }
            sums.add(dimension, value, &tally);
        }
        Ok(sums)
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

    fn sparse<const N: usize>(&mut self) -> Result<[i64; N], Damaged> {
        let mask = self.unsigned()?;
        if mask >> N != 0 {
            return Err(Damaged);
        }
        let mut counts = [0; N];
        for (at, count) in counts.iter_mut().enumerate() {
            if mask & (1 << at) != 0 {
                let zigzag = self.unsigned()?;
                *count = (zigzag >> 1) as i64 ^ -((zigzag & 1) as i64);
            }
        }
        Ok(counts)
    }
}
