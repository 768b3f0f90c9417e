//! Opening hours as the half-hours of a week.

use jiff::tz::Offset;

use crate::dealer::Hours;

/// Half-hours of a week.
pub(super) const SLOTS: usize = 7 * 48;
const SLOT_MINUTES: u16 = 30;
const DAYS: [&str; 7] = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"];

/// The half-hours of a week, Monday first, in which somebody is open for at least a minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Week([u64; SLOTS.div_ceil(64)]);

impl Week {
    /// Every half-hour.
    pub(super) fn whole() -> Self {
        let mut week = Self::default();
        (0..SLOTS).for_each(|slot| week.open(slot));
        week
    }

    /// Hours by the clocks of UTC, as they stand where the dealer is at this offset.
    pub(super) fn of(hours: &Hours, offset: Offset) -> Self {
        let mut week = Self::default();
        for (day, intervals) in hours.week().iter().enumerate() {
            for &(from, to) in intervals {
                for slot in from / SLOT_MINUTES..to.div_ceil(SLOT_MINUTES) {
                    week.open(turned(day * 48 + usize::from(slot), -slots_of(offset)));
                }
            }
        }
        week
    }

    fn open(&mut self, slot: usize) {
        if let Some(word) = self.0.get_mut(slot / 64) {
            *word |= 1 << (slot % 64);
        }
    }

    pub(super) fn join(&mut self, other: &Self) {
        for (word, more) in self.0.iter_mut().zip(other.0) {
            *word |= more;
        }
    }

    pub(super) fn is_whole(&self) -> bool {
        self.0.iter().map(|word| word.count_ones()).sum::<u32>() as usize == SLOTS
    }

    fn is_open(&self, slot: usize) -> bool {
        self.0.get(slot / 64).is_some_and(|word| word >> (slot % 64) & 1 == 1)
    }

    /// The half-hours in which nobody is open, by the clocks of a place at this offset.
    pub(super) fn shut_at(&self, offset: Offset) -> impl Iterator<Item = usize> {
        let by = slots_of(offset);
        (0..SLOTS).filter(|&slot| !self.is_open(slot)).map(move |slot| turned(slot, by))
    }
}

/// `Sa 13:00`
pub(super) fn moment(slot: usize) -> String {
    let slot = slot % SLOTS;
    let day = DAYS.get(slot / 48).copied().unwrap_or_default();
    format!("{day} {:02}:{:02}", slot % 48 / 2, slot % 2 * 30)
}

/// Half-hours east of UTC.
fn slots_of(offset: Offset) -> i32 {
    offset.seconds().div_euclid(i32::from(SLOT_MINUTES) * 60)
}

fn turned(slot: usize, by: i32) -> usize {
    (slot as i32 + by).rem_euclid(SLOTS as i32) as usize
}
