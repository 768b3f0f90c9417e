//! 2^(−n/H) and log₂ in integers, so that every machine gives the same bits.

/// One in 63 fractional bits.
const ONE_Q63: u128 = 1 << 63;

/// One in 32 fractional bits.
pub(super) const ONE_Q32: u128 = 1 << 32;

/// `ROOTS[i]` = 2^(−2^−(i+1)) in 63 fractional bits: the square root of one half, its square root, and
/// so on. Each root rounds down by less than one unit and halves the error before it, so none is more
/// than two units (2⁻⁶²) low.
const ROOTS: [u128; 63] = {
    let mut roots = [0; 63];
    let mut root = ONE_Q63 / 2;
    let mut i = 0;
    while i < roots.len() {
        root = (root << 63).isqrt(); // below 2^126
        roots[i] = root;
        i += 1;
    }
    roots
};

/// 2^(−`age_days`/`half_life_days`) in 32 fractional bits, to the nearest.
///
/// The whole half-lives are a shift. The fraction left, in 63 bits, is a sum of powers of one half, and
/// so its power of two a product of [`ROOTS`]. At most 63 factors, each less than 3 units of 2⁻⁶³ low,
/// and the fraction itself less than one unit short: together below 2⁻⁵⁵, so that with the last
/// rounding the result is within 0.5 + 2⁻²³ units of 2⁻³² of the true value.
pub(super) fn fading_q32(age_days: u32, half_life_days: u16) -> u128 {
    let half_life = u32::from(half_life_days.max(1));
    let whole = age_days / half_life;
    if whole > 33 {
        return 0; // less than half a unit
    }
    let fraction = (u128::from(age_days % half_life) << 63) / u128::from(half_life);
    let mut product = ONE_Q63;
    for (i, root) in ROOTS.iter().enumerate() {
        if fraction >> (62 - i) & 1 == 1 {
            product = (product * root) >> 63; // below 2^126
        }
    }
    let shift = 31 + whole; // Q63 to Q32, and the whole half-lives
    (product + (1 << (shift - 1))) >> shift
}

/// log₂ of a positive integer in 32 fractional bits, rounded down; 0 for 0.
///
/// The integer part is the place of the highest bit. Squaring the mantissa yields one bit of the rest
/// at a time. Never decreases with its argument: every step rounds down.
pub(super) fn log2_q32(value: u128) -> u64 {
    let Some(exponent) = value.checked_ilog2() else { return 0 };
    let mut mantissa = if exponent > 63 { value >> (exponent - 63) } else { value << (63 - exponent) };
    let mut log = u64::from(exponent);
    for _ in 0..32 {
        mantissa = (mantissa * mantissa) >> 63; // the mantissa is below 2^64
        log <<= 1;
        if mantissa >= 1 << 64 {
            mantissa >>= 1;
            log |= 1;
        }
    }
    log
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_fading_is_within_one_unit_of_the_formula_for_every_half_life() {
        for half_life in 1..=365_u16 {
            for age in 0..=10 * u32::from(half_life) {
                let exact = (-f64::from(age) / f64::from(half_life)).exp2() * ONE_Q32 as f64;
                let off = (fading_q32(age, half_life) as f64 - exact).abs();
                assert!(off <= 0.501, "2^(-{age}/{half_life}) is {off} units off");
            }
        }
    }

    #[test]
    fn the_bits_are_the_same_in_every_version() {
        assert_eq!(fading_q32(0, 14), 1 << 32);
        assert_eq!(fading_q32(14, 14), 1 << 31);
        assert_eq!(fading_q32(7, 14), 3_037_000_500); // 2^31.5 = 3037000499.976…
        assert_eq!(fading_q32(1, 14), 4_087_499_558);
        assert_eq!(fading_q32(140, 14), 1 << 22);
        assert_eq!(fading_q32(u32::MAX, 1), 0);
    }

    proptest! {
        #[test]
        fn fading_never_rises(age in 0_u32..4_000, half_life in 1_u16..=365) {
            prop_assert!(fading_q32(age + 1, half_life) <= fading_q32(age, half_life));
        }

        #[test]
        fn the_logarithm_is_within_two_units_and_never_decreases(value in 1_u128..u128::MAX) {
            let exact = (value as f64).log2() * ONE_Q32 as f64;
            // f64 itself is good to about 2^-46 here, well below a unit of 2^-32.
            prop_assert!((log2_q32(value) as f64 - exact).abs() <= 2.0);
            prop_assert!(log2_q32(value) >= log2_q32(value - 1));
        }
    }
}
