//! Commands that are shown, to be pasted: every word of them is one word for a POSIX shell.

use std::{fmt, path::PathBuf};

use crate::{cluster::ClusterTarget, text::word, values::ValuesKey};

/// A command, word by word.
#[derive(Debug, Clone)]
pub(crate) struct CommandLine {
    line: String,
    /// What this tool calls the option that names a context.
    context: &'static str,
}

impl CommandLine {
    /// A command of ours; the words of the verb are taken as they are.
    pub(crate) fn ours(verb: &str) -> Self {
        Self { line: format!("helm substra-mtls {verb}"), context: "--kube-context" }
    }

    /// A command of helm.
    pub(crate) fn helm() -> Self {
        Self { line: "helm".to_owned(), context: "--kube-context" }
    }

    /// A command of kubectl.
    pub(crate) fn kubectl() -> Self {
        Self { line: "kubectl".to_owned(), context: "--context" }
    }

    /// At this cluster and namespace.
    pub(crate) fn at(self, target: &ClusterTarget) -> Self {
        let context = self.context;
        self.option("-n", &target.namespace).option(context, &target.context).option("--kubeconfig", &target.kubeconfig)
    }

    /// Words that are ours, as they are.
    pub(crate) fn with(mut self, words: &str) -> Self {
        if !words.is_empty() {
            self.line.push_str(&format!(" {words}"));
        }
        self
    }

    /// A word that is somebody else's.
    pub(crate) fn word(self, text: impl fmt::Display) -> Self {
        let quoted = word(&text.to_string());
        self.with(&quoted)
    }

    /// An option with each of these values, none for none.
    pub(crate) fn option(self, name: &str, values: impl IntoIterator<Item = impl fmt::Display>) -> Self {
        values.into_iter().fold(self, |shown, value| shown.with(name).word(value))
    }

    /// An option without a value, where it is set.
    pub(crate) fn flag(self, name: &str, is_set: bool) -> Self {
        if is_set { self.with(name) } else { self }
    }

    /// Values files in their order, and the key below which their settings stand.
    pub(crate) fn files(self, files: &[PathBuf], key: &ValuesKey) -> Self {
        let key = if key.is_top() { None } else { Some(key) };
        self.option("-f", files.iter().map(|file| file.display())).option("--values-key", key)
    }
}

impl fmt::Display for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_name_holds_is_one_word_for_the_shell() {
        let odd = "it's a; $(thing) \"x\"";
        let target = ClusterTarget { namespace: None, context: Some(odd.into()), kubeconfig: Some("my config".into()) };
        let files = [PathBuf::from("my values.yaml"), PathBuf::from("b.yaml")];
        let shown = CommandLine::ours("ca trust")
            .word("a CA.crt")
            .at(&target)
            .files(&files, &"my.key".parse().unwrap())
            .option("--release", Some("r"));
        let shown = shown.flag("--no-upgrade", true).flag("--yes", false).option("--chart", None::<String>).to_string();
        let context = r#"'it'\''s a; $(thing) "x"'"#;
        let rest =
            "--kubeconfig 'my config' -f 'my values.yaml' -f b.yaml --values-key my.key --release r --no-upgrade";
        assert_eq!(shown, format!("helm substra-mtls ca trust 'a CA.crt' --kube-context {context} {rest}"));
        let kubectl = CommandLine::kubectl().at(&target).with("delete secret").word("x").to_string();
        assert_eq!(kubectl, format!("kubectl --context {context} --kubeconfig 'my config' delete secret x"));
    }
}
