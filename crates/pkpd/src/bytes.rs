//! Whole numbers as bytes, small ones short: seven bits a byte, the lowest first (LEB128).

/// Bits of a number in one byte; the eighth says that more follows.
const BITS: u32 = 7;
const MORE: u8 = 1 << BITS;

/// Appends a number.
pub(crate) fn write(mut number: u64, into: &mut Vec<u8>) {
    while number >= u64::from(MORE) {
        into.push(number as u8 | MORE);
        number >>= BITS;
    }
    into.push(number as u8);
}

/// Takes a number off the front; `None` where there is none, or one of more than 64 bits.
pub(crate) fn read(from: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for place in (0..u64::BITS).step_by(BITS as usize) {
        let (first, rest) = from.split_first()?;
        *from = rest;
        let bits = u64::from(first & !MORE);
        number |= bits.checked_shl(place).filter(|shifted| shifted >> place == bits)?;
        if first & MORE == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_come_back(numbers in prop::collection::vec(any::<u64>().prop_flat_map(|n| (0..64_u32).prop_map(move |s| n >> s)), 0..50)) {
            let mut bytes = Vec::new();
            numbers.iter().for_each(|number| write(*number, &mut bytes));
            let mut rest = bytes.as_slice();
            let back: Vec<u64> = std::iter::from_fn(|| read(&mut rest)).collect();
            prop_assert_eq!(back, numbers);
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let mut rest = bytes.as_slice();
            while read(&mut rest).is_some() {}
            if let Some(summary) = crate::Summary::read(&bytes) {
                let mut again = Vec::new();
                summary.write(&mut again);
                prop_assert!(again.len() <= bytes.len());
            }
        }
    }
}
