//! The target `stream` plays Envoy: what the native module looks for at run time is to be found in the executable.

fn main() {
    println!("cargo:rustc-link-arg-bins=-Wl,--export-dynamic-symbol=envoy_dynamic_module_callback_*");
    println!("cargo:rerun-if-changed=build.rs");
}
