//! Enums whose variants have an id that scripts match: the word stands at one place, beside its meaning.

/// Makes an enum of ids. `ALL` lists them in their order; an id is what people read and what JSON holds.
macro_rules! ids {
    ($(#[$doc:meta])* $vis:vis enum $name:ident { $($(#[$meaning:meta])* $variant:ident = $id:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $vis enum $name { $($(#[$meaning])* $variant,)* }

        impl $name {
            /// All of them.
            #[allow(dead_code, reason = "of some only the schema lists them")]
            $vis const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The word that scripts match.
            #[must_use]
            $vis const fn id(self) -> &'static str {
                match self {
                    $(Self::$variant => $id,)*
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.id())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
                serializer.serialize_str(self.id())
            }
        }

        #[cfg(test)]
        impl schemars::JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let all: Vec<&str> = Self::ALL.iter().map(|one| one.id()).collect();
                schemars::json_schema!({"type": "string", "enum": all})
            }
        }
    };
}

pub(crate) use ids;

/// What the id of a variant must be: its name in kebab case.
#[cfg(test)]
pub(crate) fn kebab(name: &str) -> String {
    let word = |letter: char| if letter.is_ascii_uppercase() { format!("-{letter}") } else { letter.to_string() };
    name.chars().map(word).collect::<String>().trim_start_matches('-').to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::kebab;
    use crate::{failure::Code, plan::StepId, report::Stage};

    #[test]
    fn every_id_is_its_name_in_kebab_case() {
        let steps = StepId::ALL.iter().map(|step| (format!("{step:?}"), step.id()));
        let stages = Stage::ALL.iter().map(|stage| (format!("{stage:?}"), stage.id()));
        let codes = Code::ALL.iter().map(|code| (format!("{code:?}"), code.id()));
        for (name, id) in steps.chain(stages).chain(codes) {
            assert_eq!(kebab(&name), id);
        }
    }
}
