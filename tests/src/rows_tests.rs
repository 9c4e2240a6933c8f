use super::pick;

const ROWS: [&str; 3] = ["no alg", "unknown alg", "ES256 with r = s = 0"];

fn picked(part: Option<&str>) -> Result<Vec<&'static str>, String> {
    pick(part, ROWS.to_vec(), |row| (*row).to_owned())
}

#[test]
fn a_part_of_the_name_is_enough_in_either_case() {
    assert_eq!(picked(None).unwrap(), ROWS);
    assert_eq!(picked(Some("alg")).unwrap(), ["no alg", "unknown alg"]);
    assert_eq!(picked(Some("es256")).unwrap(), ["ES256 with r = s = 0"]);
}

/// A word that was mistyped must not look like a success.
#[test]
fn a_filter_that_no_row_answers_to_fails() {
    assert!(picked(Some("ES265")).unwrap_err().contains("none of 3 rows has \"ES265\" in its name"));
}
