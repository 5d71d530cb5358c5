//! The user's files as copies, so that none is ever written to; what is said of a copy names the user's own path.

use std::path::{Path, PathBuf};

use crate::{
    failure::{Failure, Result},
    files,
};

/// A throw-away folder with copies.
pub(super) struct Copies {
    folder: files::Scratch,
    /// The real path, the copy, and the path that the user gave.
    copied: Vec<(PathBuf, PathBuf, PathBuf)>,
}

impl Copies {
    pub(super) fn new() -> Result<Self> {
        Ok(Self { folder: files::scratch()?, copied: Vec::new() })
    }

    /// A copy, in a folder of its own where two files have the same name. A file that several read is one file here too.
    pub(super) fn add(&mut self, path: &Path) -> Result<PathBuf> {
        let real = files::real(path);
        if let Some((_, copy, _)) = self.copied.iter().find(|(known, _, _)| *known == real) {
            return Ok(copy.clone());
        }
        let text = files::read(path)?;
        let name = path.file_name().unwrap_or_default();
        let mut copy = self.folder.path().join(name);
        if copy.exists() {
            let own = self.folder.path().join(self.copied.len().to_string());
            files::make_folder(&own)?;
            copy = own.join(name);
        }
        files::create_private(&copy, &text)?;
        self.copied.push((real, copy.clone(), path.to_owned()));
        Ok(copy)
    }

    /// The folder, which is nobody's business.
    pub(super) fn folder(&self) -> String {
        self.folder.path().display().to_string()
    }

    /// A file of the rehearsal's own.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The same text with the user's own paths.
    pub(super) fn theirs(&self, text: &str) -> String {
        let mut names: Vec<(String, String)> = self
            .copied
            .iter()
            .map(|(_, copy, path)| (copy.display().to_string(), path.display().to_string()))
            .collect();
        // A name may be the beginning of another.
        names.sort_by_key(|(copy, _)| std::cmp::Reverse(copy.len()));
        let text = names.iter().fold(text.to_owned(), |text, (copy, path)| text.replace(copy, path));
        text.replace(&format!("{}/", self.folder()), "").replace(&self.folder(), ".")
    }

    /// A failure as the user may read it: with their own paths, and nothing happened to their files.
    pub(super) fn only_rehearsed(&self, failure: &Failure) -> Failure {
        Failure { standing: None, ..self.with_their_paths(failure) }.unchanged("your files were only read")
    }

    fn with_their_paths(&self, failure: &Failure) -> Failure {
        let (what, why, next) =
            (self.theirs(&failure.what), self.theirs(&failure.why), failure.next.renamed(|text| self.theirs(text)));
        let also = failure.also.iter().map(|other| self.with_their_paths(other)).collect();
        Failure { what, why, next, also, ..failure.clone() }
    }
}
