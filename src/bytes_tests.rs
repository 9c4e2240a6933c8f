use super::{same, same_ignoring_case};

/// Every length up to beyond what is compared in one go, and every place in it.
#[test]
fn one_bit_anywhere_makes_two_byte_strings_differ() {
    for length in 0..300_usize {
        let left: Vec<u8> = (0..length).map(|place| (place % 251) as u8).collect();
        assert!(same(&left, &left.clone()));
        assert!(!same(&left, &[left.as_slice(), b"x"].concat()));
        for place in 0..length {
            for bit in [1_u8, 0x20, 0x80] {
                let mut right = left.clone();
                if let Some(byte) = right.get_mut(place) {
                    *byte ^= bit;
                }
                assert!(!same(&left, &right), "{length} bytes, place {place}, bit {bit}");
            }
        }
    }
}

#[test]
fn the_case_of_letters_can_be_ignored_and_nothing_else() {
    for (left, right, is_same) in [
        (&b"Bearer"[..], &b"Bearer"[..], true),
        (b"Bearer", b"bEARER", true),
        (b"Bearer", b"Bearex", false),
        (b"Bearer", b"Beare", false),
        (b"[", b"{", false),
        (b"", b"", true),
    ] {
        assert_eq!(same_ignoring_case(left, right), is_same, "{left:?} {right:?}");
    }
}
