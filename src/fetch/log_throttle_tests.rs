use super::{LogThrottle, truncated};

#[test]
fn a_flood_of_lines_is_one_line_for_each_interval_and_a_count() {
    let lines = LogThrottle::default();
    assert_eq!(lines.line(1000, "0".into()).as_deref(), Some("0"));
    let said = (1..20).filter_map(|number| lines.line(1001, number.to_string())).count();
    assert_eq!((said, lines.suppressed(1009)), (0, None));
    let rest = lines.suppressed(1010).unwrap();
    assert!(rest.starts_with("19 (19 lines of this kind were left out"), "{rest}");
    assert_eq!(lines.suppressed(1010), None, "said once");
    assert_eq!(lines.line(1011, "a".into()), None, "what was said of the rest is a line too");
    assert!(lines.suppressed(1020).unwrap().starts_with("a (1 "));
    assert_eq!(lines.suppressed(2000), None);
}

#[test]
fn a_clock_that_goes_back_silences_nothing() {
    let lines = LogThrottle::default();
    assert!(lines.line(1000, "a".into()).is_some());
    assert!(lines.line(500, "b".into()).is_some());
}

#[test]
fn a_long_text_from_outside_is_cut_between_characters() {
    assert_eq!(truncated("short"), "short");
    let long = "\u{20ac}".repeat(1000);
    let cut = truncated(&long);
    assert!(cut.len() <= 303 && cut.ends_with("..."), "{}", cut.len());
    assert!(cut.trim_end_matches('.').chars().all(|c| c == '\u{20ac}'));
}
