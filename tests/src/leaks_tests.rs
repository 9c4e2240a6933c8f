use super::*;

#[test]
fn a_secret_is_found_however_it_is_written() {
    let secret = [kept("it", "correct horse & battery")];
    for text in [
        "said correct horse & battery staple",
        "636f727265637420686f7273652026206261747465727900",
        "x Y29ycmVjdCBob3JzZSAmIGJhdHRlcnk= x",
        "Secret([99, 111, 114, 114, 101, 99, 116, 32, 104, 111, 114, 115, 101, 32, 38, 32, 98, 97, 116, 116, 101, 114, 121])",
        "password=correct+horse+%26+battery",
    ] {
        assert!(!found(&secret, text).is_empty(), "{text}");
    }
    let lines: String = secret[0].bytes.iter().map(|byte| format!("    {byte},\n")).collect();
    assert!(!found(&secret, &format!("Secret(\n[\n{lines}]\n)")).is_empty());
    assert!(found(&secret, "correct horse and battery").is_empty());
}
