use super::RateLimit;

#[test]
fn so_many_are_taken_in_an_interval_and_the_rest_is_counted() {
    let lines = RateLimit::new(100, 10);
    assert_eq!((0..500).filter(|_| lines.take(1000)).count(), 100);
    assert_eq!(lines.left_out(1009), None, "not yet");
    assert_eq!(lines.left_out(1010), Some(400));
    assert!(lines.take(1010), "and they are taken again");
    assert_eq!(lines.left_out(1020), None);
    // A clock that goes back does not stop them for long.
    assert!(lines.take(5));
}
