//! The file as it is written: its keys, each value with its place.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, MapAccess, Visitor},
};
use serde_json::Value;
use serde_saphyr::Spanned;

/// Every key may be missing here: `read` names the missing ones with the place of their map.
macro_rules! shape {
    ($(#[$doc:meta])* $name:ident { $($key:ident: $type:ty),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields, rename_all = "camelCase")]
        pub(super) struct $name {
            $(#[serde(default, deserialize_with = "written")] pub(super) $key: Option<Spanned<$type>>,)*
        }
    };
}

/// A release's own keys, and `site()` to read them.
macro_rules! release {
    ($(#[$doc:meta])* $name:ident { $($key:ident: $type:ty),* $(,)? }) => {
        shape! {
            $(#[$doc])*
            $name {
                context: String, kubeconfig: String, namespace: String, release: String, chart: String,
                version: String, values: Vec<Spanned<String>>, $($key: $type),*
            }
        }

        impl $name {
            pub(super) fn site(&self) -> RawSite<'_> {
                RawSite {
                    context: self.context.as_ref(),
                    kubeconfig: self.kubeconfig.as_ref(),
                    namespace: self.namespace.as_ref(),
                    release: self.release.as_ref(),
                    chart: self.chart.as_ref(),
                    version: self.version.as_ref(),
                    values: self.values.as_ref(),
                }
            }
        }
    };
}

shape! {
    /// The top; its first two keys are checked as `RawHeader`.
    #[expect(dead_code, reason = "they are keys all the same")]
    RawFile { api_version: String, kind: String, orchestrator: RawOrchestrator, organizations: RawOrganizations }
}
release! {
    /// `orchestrator`.
    RawOrchestrator { ca: RawCa, gate: String, cut_off: Vec<Spanned<String>> }
}
release! {
    /// One of `organizations`.
    RawOrganization { hostname: String }
}
shape! {
    /// `orchestrator.ca`; its `create` is of any type here, since the reader of YAML takes the text "true" for true.
    RawCa { cert: String, key: String, secret: String, create: Value }
}

/// What both kinds of release have.
pub(super) struct RawSite<'a> {
    pub(super) context: Option<&'a Spanned<String>>,
    pub(super) kubeconfig: Option<&'a Spanned<String>>,
    pub(super) namespace: Option<&'a Spanned<String>>,
    pub(super) release: Option<&'a Spanned<String>>,
    pub(super) chart: Option<&'a Spanned<String>>,
    pub(super) version: Option<&'a Spanned<String>>,
    pub(super) values: Option<&'a Spanned<Vec<Spanned<String>>>>,
}

/// The two keys that tell whether the rest can be understood; other keys are not looked at.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RawHeader {
    #[serde(default, deserialize_with = "written")]
    pub(super) api_version: Option<Spanned<String>>,
    #[serde(default, deserialize_with = "written")]
    pub(super) kind: Option<Spanned<String>>,
}

/// A key that is there needs a value: an empty `kubeconfig:` must not silently mean another cluster.
fn written<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// `organizations`, in the file's order.
#[derive(Debug)]
pub(super) struct RawOrganizations(pub(super) Vec<(Spanned<String>, Spanned<RawOrganization>)>);

impl<'de> Deserialize<'de> for RawOrganizations {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = RawOrganizations;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of MSP IDs")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawOrganizations, A::Error> {
                let mut all = Vec::new();
                while let Some(one) = map.next_entry()? {
                    all.push(one);
                }
                Ok(RawOrganizations(all))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}
