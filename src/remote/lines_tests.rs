use super::{Lines, brief};

#[test]
fn a_flood_of_lines_is_one_line_for_each_interval_and_a_count() {
    let lines = Lines::default();
    assert_eq!(lines.say(1000, "0".into()).as_deref(), Some("0"));
    let said = (1..20).filter_map(|number| lines.say(1001, number.to_string())).count();
    assert_eq!((said, lines.rest(1009)), (0, None));
    let rest = lines.rest(1010).unwrap();
    assert!(rest.starts_with("19 (19 lines of this kind were left out"), "{rest}");
    assert_eq!(lines.rest(1010), None, "said once");
    assert_eq!(lines.say(1011, "a".into()), None, "what was said of the rest is a line too");
    assert!(lines.rest(1020).unwrap().starts_with("a (1 "));
    assert_eq!(lines.rest(2000), None);
}

#[test]
fn a_clock_that_goes_back_silences_nothing() {
    let lines = Lines::default();
    assert!(lines.say(1000, "a".into()).is_some());
    assert!(lines.say(500, "b".into()).is_some());
}

#[test]
fn a_long_text_from_outside_is_cut_between_characters() {
    assert_eq!(brief("short"), "short");
    let long = "\u{20ac}".repeat(1000);
    let cut = brief(&long);
    assert!(cut.len() <= 303 && cut.ends_with("..."), "{}", cut.len());
    assert!(cut.trim_end_matches('.').chars().all(|c| c == '\u{20ac}'));
}
