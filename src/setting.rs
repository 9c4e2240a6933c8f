//! The kinds of settings: one of a few words, or a whole number within bounds. What is written here of a setting is
//! used by its reader and, with the feature `schema`, by its description in the JSON Schema.

/// A whole number: its bounds, and its value if it is left out.
#[derive(Clone, Copy, Debug)]
pub struct Number<T> {
    /// The least that is accepted.
    pub least: u64,
    /// The most that is accepted.
    pub most: u64,
    /// The value if it is left out.
    pub default: T,
}

/// An enumeration: the type, the word of each variant, and both as JSON Schema. The first paragraph of a comment on
/// the type and on a variant is the description that users read.
macro_rules! words {
    (
        $(#[$outer:meta])*
        $vis:vis enum $name:ident {
            $($(#[$inner:meta])* $variant:ident = $word:literal,)+
        }
    ) => {
        $(#[$outer])*
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        $vis enum $name {
            $($(#[$inner])* #[cfg_attr(feature = "schema", schemars(rename = $word))] $variant,)+
        }

        impl $name {
            /// The word of each variant.
            $vis const WORDS: &[(&str, Self)] = &[$(($word, Self::$variant)),+];
        }

        // For the defaults in the schema.
        #[cfg(feature = "schema")]
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(match self { $(Self::$variant => $word),+ })
            }
        }
    };
}
pub(crate) use words;
