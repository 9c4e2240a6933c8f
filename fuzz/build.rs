//! The target `stream` plays Envoy: what the native module looks for at run time is to be found in the executable.

fn main() {
    println!("cargo:rustc-link-arg-bins=-rdynamic");
}
