use super::VerifiedPasswordCache;

#[test]
fn a_credential_is_known_for_its_time_and_its_directory_only() {
    let mut cache = VerifiedPasswordCache::new(300, [7; 32]);
    assert_eq!(cache.contains("staff", "ann", b"pw", 1000), None);
    cache.insert("staff", "ann", b"pw", true, 1000);
    assert_eq!(cache.contains("staff", "ann", b"pw", 1299), Some(true));
    cache.insert("guests", "bob", b"pw", false, 1000);
    assert_eq!(cache.contains("guests", "bob", b"pw", 1299), Some(false));
    assert_eq!(cache.contains("staff", "ann", b"pW", 1299), None);
    assert_eq!(cache.contains("staff", "an", b"npw", 1299), None);
    assert_eq!(cache.contains("guests", "ann", b"pw", 1299), None);
    assert_eq!(cache.contains("staff", "ann", b"pw", 1300), None);
    assert_eq!(cache.contains("staff", "ann", b"pw", 1299), None, "forgotten is forgotten");
}

#[test]
fn switched_off_it_remembers_nothing_and_a_flood_stays_bounded() {
    let mut off = VerifiedPasswordCache::new(0, [7; 32]);
    off.insert("staff", "ann", b"pw", true, 1000);
    assert_eq!(off.contains("staff", "ann", b"pw", 1000), None);
    let mut cache = VerifiedPasswordCache::new(300, [7; 32]);
    for user in 0..10_000 {
        cache.insert("staff", &user.to_string(), b"pw", true, 1000);
    }
    assert_eq!(cache.entries.len(), 4096);
    assert_eq!(cache.contains("staff", "9999", b"pw", 1000), Some(true));
}
