//! Takes Swagger UI out of the crate that vendors it, compressed as it is served.

#![allow(clippy::expect_used, clippy::panic, reason = "a build that goes wrong should stop")]

use std::io::{Cursor, Read as _};
use std::path::PathBuf;
use std::{env, fs};

use utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED;
use zip::ZipArchive;
use zopfli::{Format, Options};

/// Each file, and whether it is worth compressing.
const FILES: [(&str, bool); 4] = [
    ("swagger-ui-bundle.js", true),
    ("swagger-ui.css", true),
    ("oauth2-redirect.html", false),
    ("oauth2-redirect.js", false),
];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo names OUT_DIR"));
    let mut archive = ZipArchive::new(Cursor::new(SWAGGER_UI_VENDORED)).expect("a zip archive");
    let folder = archive
        .file_names()
        .find_map(|name| name.ok()?.split_once('/').map(|(folder, _)| folder.to_owned()))
        .expect("a folder in the archive");
    let version = folder.strip_prefix("swagger-ui-").expect("the folder names the version");
    println!("cargo::rustc-env=SWAGGER_UI_VERSION={version}");
    for (name, compress) in FILES {
        let mut file = Vec::new();
        archive
            .by_name(&format!("{folder}/dist/{name}"))
            .unwrap_or_else(|error| panic!("{name}: {error}"))
            .read_to_end(&mut file)
            .expect("the file is whole");
        if compress {
            // Zopfli writes gzip, as zlib does, and 4 % fewer bytes.
            let mut compressed = Vec::new();
            zopfli::compress(Options::default(), Format::Gzip, &*file, &mut compressed).expect("memory");
            fs::write(out.join(format!("{name}.gz")), compressed).expect("written");
        } else {
            fs::write(out.join(name), file).expect("written");
        }
    }
}
