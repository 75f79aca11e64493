//! Integers as bytes, few for small ones. Knows nothing of what they mean.

/// Integers one after another, each zigzagged and written in groups of seven bits, low ones first.
pub(super) fn packed<'a>(numbers: impl Iterator<Item = &'a i128>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for number in numbers {
        let mut rest = (number << 1 ^ number >> 127).cast_unsigned();
        while rest >= 0x80 {
            bytes.push((rest & 0x7f) as u8 | 0x80);
            rest >>= 7;
        }
        bytes.push((rest & 0x7f) as u8);
    }
    bytes
}

/// The integers back; nothing if the bytes end within one.
pub(super) fn unpacked(bytes: &[u8]) -> Option<Vec<i128>> {
    let mut numbers = Vec::new();
    let (mut zigzag, mut shift) = (0_u128, 0_u32);
    for byte in bytes {
        zigzag |= u128::from(byte & 0x7f).checked_shl(shift)?;
        shift += 7;
        if byte & 0x80 == 0 {
            numbers.push((zigzag >> 1).cast_signed() ^ -(zigzag & 1).cast_signed());
            (zigzag, shift) = (0, 0);
        }
    }
    (shift == 0).then_some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_integers_come_back_over_their_whole_range() {
        let numbers = [0, 1, -1, 63, -64, 64, i128::from(i64::MAX), i128::MAX, i128::MIN];
        assert_eq!(unpacked(&packed(numbers.iter())), Some(numbers.to_vec()));
        assert_eq!(packed([63, -64].iter()).len(), 2);
        assert_eq!(unpacked(&[0x80; 20]), None);
    }
}
