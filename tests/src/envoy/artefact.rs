//! Which of the two artefacts runs in an Envoy.

/// Which of the two artefacts runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Artefact {
    /// `dist/lychgate.wasm`, in a VM.
    Wasm,
    /// `dist/liblychgate.so`, in Envoy itself.
    Native,
}

impl Artefact {
    /// The one that a suite runs with: `LYCHGATE_ARTEFACT` is `native`, or it is the Wasm module.
    ///
    /// # Panics
    /// If the variable says something else.
    #[must_use]
    pub fn from_environment() -> Self {
        match std::env::var("LYCHGATE_ARTEFACT").as_deref() {
            Ok("native") => Self::Native,
            Ok("wasm") | Err(_) => Self::Wasm,
            Ok(other) => panic!("LYCHGATE_ARTEFACT is native or wasm, and not {other:?}"),
        }
    }

    /// Whether a suite runs with the native module, to which this does not apply for this reason; it is printed.
    #[must_use]
    pub fn is_native_where(reason: &str) -> bool {
        let is_native = Self::from_environment() == Self::Native;
        if is_native {
            println!("not for the native module: {reason}");
        }
        is_native
    }

    /// Whether stats are changed by requests alone: what was counted since the last one is told with the next. So it is
    /// where Envoy 1.37 or 1.38 runs the native module.
    #[must_use]
    pub fn counts_with_requests_alone() -> bool {
        Self::from_environment() == Self::Native && (super::is_envoy("1.37") || super::is_envoy("1.38"))
    }

    /// The name of one of Lychgate's stats with these labels, in Envoy's text.
    #[must_use]
    pub fn stat(self, name: &str, labels: &[(&str, &str)]) -> String {
        match self {
            Self::Wasm => {
                let labels: String =
                    labels.iter().map(|(key, value)| format!("{key}=.={value};.;")).collect();
                format!("wasmcustom.{labels}{name}")
            }
            Self::Native => {
                let labels: String = labels.iter().map(|(key, value)| format!(".{key}.{value}")).collect();
                format!("dynamicmodulescustom.{name}{labels}")
            }
        }
    }
}
