//! Commands that are shown, to be pasted: every word of them is one word for a POSIX shell; and what to do next, which is
//! words with such commands among them.

use std::{fmt, ops::Deref, ops::Range};

use serde::{Serialize, Serializer, ser::SerializeStruct};

use crate::plain;

/// A command, word by word.
#[derive(Debug, Clone)]
pub struct CommandLine {
    line: String,
    /// What this tool calls the option that names a context.
    pub(crate) context: &'static str,
    /// No word of it stands for another one that only a person knows.
    is_whole: bool,
}

impl CommandLine {
    /// A command of ours; the words of the verb are taken as they are.
    pub(crate) fn ours(verb: &str) -> Self {
        Self::of(&format!("helm substra-mtls {verb}"))
    }

    /// A sender's new request, which only the sender can make.
    pub(crate) fn enroll_anew() -> Self {
        Self::ours("enroll --new-request").blank("-f backend-values.yaml")
    }

    /// A command of helm.
    pub(crate) fn helm() -> Self {
        Self::of("helm")
    }

    /// A command of kubectl.
    pub(crate) fn kubectl() -> Self {
        Self { context: "--context", ..Self::of("kubectl") }
    }

    /// Any other; the words are taken as they are.
    pub(crate) fn of(words: &str) -> Self {
        Self { line: words.to_owned(), context: "--kube-context", is_whole: true }
    }

    /// Words that are ours, as they are.
    pub(crate) fn with(mut self, words: &str) -> Self {
        if !words.is_empty() {
            self.line.push_str(&format!(" {words}"));
        }
        self
    }

    /// Words of which one stands for what only a person knows: `REVISION`.
    pub(crate) fn blank(self, words: &str) -> Self {
        Self { is_whole: false, ..self.with(words) }
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
}

impl fmt::Display for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line)
    }
}

/// One word of a command line as a POSIX shell reads it: quoted where it must be, and what steers a terminal in the
/// shell's own escapes.
#[must_use]
pub fn word(text: &str) -> String {
    if !text.chars().all(plain::is_plain) {
        return format!("$'{}'", text.chars().map(in_escapes).collect::<String>());
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@%+".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// A character between `$'` and `'`: three octal digits a byte are read alike by all shells that know this quoting.
fn in_escapes(c: char) -> String {
    if plain::is_plain(c) && !matches!(c, '\'' | '\\') {
        return c.to_string();
    }
    c.encode_utf8(&mut [0; 4]).bytes().map(|byte| format!("\\{byte:03o}")).collect()
}

/// What to do next: words on one line, with commands among them, and below it lines to paste.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Next {
    text: String,
    commands: Box<[Place]>,
}

/// Where a command stands in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    place: Range<usize>,
    is_whole: bool,
}

/// A piece of what to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    Words(&'a str),
    Command(&'a str),
}

impl Next {
    /// With these words after it.
    #[must_use]
    pub fn words(mut self, words: &str) -> Self {
        self.text.push_str(&plain::line(words));
        self
    }

    /// With this command after it.
    #[must_use]
    pub(crate) fn command(mut self, command: CommandLine) -> Self {
        let CommandLine { line, is_whole, .. } = command;
        let from = self.text.len();
        self.text.push_str(&line);
        let mut commands = self.commands.into_vec();
        commands.push(Place { place: from..self.text.len(), is_whole });
        Self { text: self.text, commands: commands.into_boxed_slice() }
    }

    /// With all of another after it.
    #[must_use]
    pub(crate) fn and(self, other: &Self) -> Self {
        other.pieces().fold(self, |next, (piece, is_whole)| match piece {
            Piece::Words(words) => Self { text: next.text + words, ..next },
            Piece::Command(line) => next.command(CommandLine { is_whole, ..CommandLine::of(line) }),
        })
    }

    /// With lines below it.
    pub(crate) fn below(mut self, lines: &str) -> Self {
        self.text.push('\n');
        self.text.push_str(lines);
        self
    }

    /// The same with other words for what is called otherwise.
    pub(crate) fn renamed(&self, names: impl Fn(&str) -> String) -> Self {
        self.pieces().fold(Self::default(), |next, (piece, is_whole)| match piece {
            Piece::Words(words) => Self { text: next.text + &names(words), ..next },
            Piece::Command(line) => next.command(CommandLine { is_whole, ..CommandLine::of(&names(line)) }),
        })
    }

    /// Words and commands in their order, and whether a command can be pasted as it is.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = (Piece<'_>, bool)> {
        let ends = self.commands.iter().map(|shown| shown.place.end);
        let before = std::iter::once(0).chain(ends).zip(&self.commands).flat_map(|(from, shown)| {
            let words = (Piece::Words(&self.text[from..shown.place.start]), true);
            [words, (Piece::Command(&self.text[shown.place.clone()]), shown.is_whole)]
        });
        let last = self.commands.last().map_or(0, |shown| shown.place.end);
        before.chain([(Piece::Words(&self.text[last..]), true)]).filter(|(piece, _)| *piece != Piece::Words(""))
    }

    /// The commands that can be pasted as they are, in their order.
    pub fn commands(&self) -> impl Iterator<Item = &str> {
        self.commands.iter().filter(|shown| shown.is_whole).map(|shown| &self.text[shown.place.clone()])
    }
}

impl Deref for Next {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Next {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<&str> for Next {
    fn from(words: &str) -> Self {
        Self::default().words(words)
    }
}

impl From<String> for Next {
    fn from(words: String) -> Self {
        words.as_str().into()
    }
}

impl From<&Self> for Next {
    fn from(next: &Self) -> Self {
        next.clone()
    }
}

impl From<&CommandLine> for Next {
    fn from(command: &CommandLine) -> Self {
        command.clone().into()
    }
}

impl From<CommandLine> for Next {
    fn from(command: CommandLine) -> Self {
        Self::default().command(command)
    }
}

/// Two fields: the text, and beside it the commands alone.
impl Serialize for Next {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let commands: Vec<&str> = self.commands().collect();
        let mut fields = serializer.serialize_struct("Next", 2)?;
        fields.serialize_field("next", &self.text)?;
        if commands.is_empty() {
            fields.skip_field("commands")?;
        } else {
            fields.serialize_field("commands", &commands)?;
        }
        fields.end()
    }
}

#[cfg(test)]
impl schemars::JsonSchema for Next {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Next".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "object",
            "properties": {
                "next": {
                    "type": "string",
                    "description": "The next thing to do, for people; empty where nothing is to be done, below it lines to paste."
                },
                "commands": {
                    "type": "array",
                    "items": {"type": "string"},
                    "description": "The commands of next alone, in their order: each can be pasted as it is. Absent where there is none."
                }
            },
            "required": ["next"]
        })
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::cluster::ClusterTarget;

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

    #[test]
    fn a_word_is_one_word_for_the_shell() {
        assert_eq!([word("a-b.c"), word(""), word("a b"), word("it's")], ["a-b.c", "''", "'a b'", r"'it'\''s'"]);
        assert_eq!(word("a\u{1b}\n\u{202e}1'\\é"), r"$'a\033\012\342\200\2561\047\134é'");
    }

    #[test]
    fn next_is_words_with_commands_among_them() {
        let rollback = CommandLine::helm().with("rollback").word("a b").blank("REVISION");
        let next =
            Next::from("look: ").command(CommandLine::helm().with("history")).words("; back\n: ").command(rollback);
        assert_eq!(next.to_string(), r"look: helm history; back\u{a}: helm rollback 'a b' REVISION");
        assert_eq!(next.commands().collect::<Vec<_>>(), ["helm history"], "a person has to fill the other in");
        let both = next.clone().words("; then ").and(&CommandLine::ours("check").into()).below("x: 1\ny: 2");
        assert_eq!(both.commands().collect::<Vec<_>>(), ["helm history", "helm substra-mtls check"]);
        assert!(both.ends_with("REVISION; then helm substra-mtls check\nx: 1\ny: 2"), "{both}");
        let pieces: Vec<Piece<'_>> = next.pieces().map(|(piece, _)| piece).collect();
        assert_eq!(pieces.len(), 4);
        assert_eq!(pieces[1], Piece::Command("helm history"));
        let renamed = next.renamed(|text| text.replace("history", "list"));
        assert_eq!(renamed.commands().collect::<Vec<_>>(), ["helm list"]);
        let json = serde_json::to_value(&next).unwrap();
        assert_eq!(json["commands"], serde_json::json!(["helm history"]));
        assert_eq!(serde_json::to_value(Next::from("x")).unwrap(), serde_json::json!({"next": "x"}));
    }
}
