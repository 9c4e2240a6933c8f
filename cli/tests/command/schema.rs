//! `schema`: what it prints is what docs/ has; `tests/schema` of the plugin holds that to the plugin.

use std::fs;

use super::{lychgate, stdout};

#[test]
fn what_is_published_is_what_the_command_prints() {
    for (arguments, file) in [
        (&["schema"] as &[&str], "docs/lychgate.schema.json"),
        (&["schema", "--files"], "docs/envoy.schema.json"),
        (&["schema", "--markdown"], "docs/reference.md"),
    ] {
        let output = lychgate(arguments, "", &[]);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let published = fs::read_to_string(format!("{}/../{file}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        let how = format!("lychgate {} > {file}", arguments.join(" "));
        assert!(stdout(&output) == published, "{file} is out of date: {how}");
    }
    let both = lychgate(&["schema", "--files", "--markdown"], "", &[]);
    assert_eq!(both.status.code(), Some(2));
}
