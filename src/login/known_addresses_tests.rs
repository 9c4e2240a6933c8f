use super::{ENTRIES, KnownAddresses, OF_A_NAME};

#[test]
fn the_latest_four_addresses_of_a_name_are_remembered() {
    let mut addresses = KnownAddresses::default();
    for address in [1, 2, 3, 4, 1, 5] {
        addresses.insert(7, address);
    }
    let known: Vec<u64> = (0..10).filter(|address| addresses.contains(7, *address)).collect();
    assert_eq!(known, [1, 3, 4, 5], "the second was used least lately");
    assert!(!addresses.contains(8, 1), "another name has not");
}

#[test]
fn one_name_displaces_its_own_addresses_and_all_together_are_bounded() {
    let mut addresses = KnownAddresses::default();
    addresses.insert(1, 1);
    for address in 0..10_000 {
        addresses.insert(2, address);
    }
    assert!(addresses.contains(1, 1));
    assert_eq!(addresses.entries.len(), 1 + OF_A_NAME);
    for name in 0..6_000 {
        addresses.insert(name, 9);
    }
    assert_eq!(addresses.entries.len(), ENTRIES);
    assert!(addresses.contains(5_999, 9) && !addresses.contains(1, 1), "the oldest make way");
}
