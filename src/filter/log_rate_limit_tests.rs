use super::LogRateLimit;

#[test]
fn a_flood_writes_so_many_lines_and_the_rest_is_counted() {
    let lines = LogRateLimit::default();
    assert_eq!((0..500).filter(|_| lines.take(1000)).count(), 100);
    assert_eq!(lines.left_out(1009), None, "not yet");
    assert_eq!(lines.left_out(1010), Some(400));
    assert!(lines.take(1010), "and there are lines again");
    assert_eq!(lines.left_out(1020), None);
    // A clock that goes back does not silence the log for long.
    assert!(lines.take(5));
}
