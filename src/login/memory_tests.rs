use super::Memory;

#[test]
fn a_credential_is_known_for_its_time_and_its_directory_only() {
    let mut memory = Memory::new(300, [7; 32]);
    assert!(!memory.knows("staff", "ann", b"pw", 1000));
    memory.learn("staff", "ann", b"pw", 1000);
    assert!(memory.knows("staff", "ann", b"pw", 1299));
    assert!(!memory.knows("staff", "ann", b"pW", 1299));
    assert!(!memory.knows("staff", "an", b"npw", 1299));
    assert!(!memory.knows("guests", "ann", b"pw", 1299));
    assert!(!memory.knows("staff", "ann", b"pw", 1300));
    assert!(!memory.knows("staff", "ann", b"pw", 1299), "forgotten is forgotten");
}

#[test]
fn switched_off_it_remembers_nothing_and_a_flood_stays_bounded() {
    let mut off = Memory::new(0, [7; 32]);
    off.learn("staff", "ann", b"pw", 1000);
    assert!(!off.knows("staff", "ann", b"pw", 1000));
    let mut memory = Memory::new(300, [7; 32]);
    for user in 0..10_000 {
        memory.learn("staff", &user.to_string(), b"pw", 1000);
    }
    assert_eq!(memory.entries.len(), 4096);
    assert!(memory.knows("staff", "9999", b"pw", 1000));
}
