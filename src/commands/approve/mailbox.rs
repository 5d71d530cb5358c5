//! The files of a mailbox that others write to: what in it may be the renewal of a member.

use std::path::{Path, PathBuf};

use crate::{files, names::MspId, plain::excerpt};

/// More than any federation has members.
const MOST: usize = 1000;

/// A request with its proof is smaller.
const LARGEST: u64 = 16 * 1024;

/// What was found, of files that anybody may have put there.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Mailbox {
    /// Each member whose request is there.
    pub(super) requests: Vec<(MspId, PathBuf)>,
    /// Everything else, and why it is not read.
    pub(super) ignored: Vec<String>,
}

impl Mailbox {
    /// Looks at names, kinds and sizes; reads nothing. A pattern for which the shell found no file stands for none.
    pub(super) fn look(paths: &[PathBuf], members: &[String]) -> Self {
        let mut found = Self::default();
        for path in paths.iter().filter(|path| !is_pattern(path)) {
            match member_of(path, members) {
                Ok(_) if found.requests.len() >= MOST => found.ignore(path, "there are too many"),
                Ok(org) => found.requests.push((org, path.clone())),
                Err(why) => found.ignore(path, why),
            }
        }
        found
    }

    fn ignore(&mut self, path: &Path, why: &str) {
        self.ignored.push(format!("{}: {why}", excerpt(&path.display().to_string())));
    }

    /// One line, however much it is.
    pub(super) fn ignored_line(&self) -> Option<String> {
        let (first, more) = self.ignored.split_first()?;
        let more = if more.is_empty() { String::new() } else { format!(", and {} more", more.len()) };
        Some(format!("not read: {first}{more}"))
    }
}

/// `*.csr` where no file has such a name.
fn is_pattern(path: &Path) -> bool {
    path.to_string_lossy().contains('*') && !files::is_there(path)
}

/// The member whose request a file may be.
fn member_of(path: &Path, members: &[String]) -> Result<MspId, &'static str> {
    let is_csr = path.extension().is_some_and(|extension| extension == "csr");
    let name = path.file_stem().and_then(|stem| stem.to_str()).filter(|_| is_csr);
    let member = name.filter(|name| members.iter().any(|member| member == name)).ok_or(NOT_A_MEMBER_S)?;
    match files::plain_size(path).ok_or("no plain file is there")? {
        size if size > LARGEST => Err("it is larger than a request"),
        _ => member.parse().map_err(|_| NOT_A_MEMBER_S),
    }
}

const NOT_A_MEMBER_S: &str = "its name is not ORG.csr of a member";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::disallowed_methods, reason = "a test makes its own files")]
    fn only_plain_files_that_are_named_after_members_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let write = |name: &str, size: usize| std::fs::write(path(name), vec![b'x'; size]).unwrap();
        write("A.csr", 10);
        write("B.csr", 16 * 1024 + 1);
        write("Stranger.csr", 10);
        write("A.pem", 10);
        std::fs::create_dir(path("C.csr")).unwrap();
        std::os::unix::fs::symlink(path("A.csr"), path("D.csr")).unwrap();
        let names = ["A.csr", "B.csr", "Stranger.csr", "A.pem", "C.csr", "D.csr", "E.csr", "*.csr"];
        let members = ["A", "B", "C", "D", "E"].map(str::to_owned);
        let found = Mailbox::look(&names.map(path), &members);
        assert_eq!(found.requests, [("A".parse().unwrap(), path("A.csr"))]);
        let why: Vec<&str> =
            found.ignored.iter().filter_map(|line| line.rsplit_once(": ")).map(|(_, why)| why).collect();
        let (stranger, none) = (NOT_A_MEMBER_S, "no plain file is there");
        assert_eq!(why, ["it is larger than a request", stranger, stranger, none, none, none]);
        assert!(found.ignored_line().is_some_and(|line| line.ends_with("than a request, and 5 more")));
        assert_eq!(Mailbox::look(&[path("*.csr")], &members), Mailbox::default(), "the shell found none");
    }
}
