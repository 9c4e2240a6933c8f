//! `module/fuzz_seeds.rs` plays Envoy: what the native module looks for at run time is to be found in that executable.
//! The others have no such functions.

fn main() {
    println!("cargo:rustc-link-arg-tests=-Wl,--export-dynamic-symbol=envoy_dynamic_module_callback_*");
    println!("cargo:rerun-if-changed=build.rs");
}
