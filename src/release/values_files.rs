//! The values files of a release: read once, merged as Helm merges them, edited where a setting belongs.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use serde_json::Value;
use zeroize::Zeroizing;

use super::sops_edit;
use crate::{
    cluster::{Cluster, MergedValues, Sops},
    failure::{Code, Exit, Failure, Result},
    files,
    plan::{Action, InitialState, Step, StepId, drift::same},
    text::mask,
    values::{self, HIDDEN, Refusal, Setting, ValuesKey},
};

/// One values file as it was read.
#[derive(Clone)]
struct ValuesFile {
    path: PathBuf,
    text: Zeroizing<Vec<u8>>,
    tree: Value,
    /// Encrypted by SOPS: the tree is that of its plain text.
    is_encrypted: bool,
}

/// All `-f` files, in Helm's order, and where in them the chart's settings stand.
#[derive(Clone)]
pub struct ValuesFiles {
    files: Vec<ValuesFile>,
    key: ValuesKey,
    sops: Arc<dyn Sops>,
}

/// The files after an edit.
pub struct EditedFiles {
    /// One step a file that is touched, or that has the settings already.
    pub steps: Vec<Step>,
    /// All merged values after the edit: what Helm deploys.
    pub whole: Value,
    /// The chart's own among them.
    pub merged: Value,
    files: Vec<ValuesFile>,
}

impl ValuesFiles {
    /// Reads every file.
    ///
    /// # Errors
    /// No file is named, one cannot be read, or Helm would not read it as it looks.
    pub fn read(paths: &[PathBuf], key: &ValuesKey, sops: &Arc<dyn Sops>) -> Result<Self> {
        let files = paths.iter().map(|path| read_one(path, &**sops)).collect::<Result<_>>()?;
        Ok(Self { files, key: key.clone(), sops: Arc::clone(sops) })
    }

    /// Where the chart's settings stand.
    #[must_use]
    pub fn key(&self) -> &ValuesKey {
        &self.key
    }

    /// The files as an edit leaves them, for a second edit that follows it.
    #[must_use]
    pub fn after(&self, edited: &EditedFiles) -> Self {
        self.with(edited.files.clone())
    }

    /// The chart's merged values.
    #[must_use]
    pub fn merged(&self) -> Value {
        self.key.below(&self.whole())
    }

    /// All merged values, those of an umbrella chart and its other parts too.
    #[must_use]
    pub fn whole(&self) -> Value {
        values::merge(&self.trees())
    }

    /// The paths, as they were given.
    #[must_use]
    pub fn paths(&self) -> Vec<PathBuf> {
        self.files.iter().map(|file| file.path.clone()).collect()
    }

    /// Words that Helm reads otherwise than they look, as `file:line:column: path is ...`.
    #[must_use]
    pub fn odd_words(&self) -> Vec<String> {
        let of = |file: &ValuesFile| -> Vec<String> {
            let line = |odd: &values::AmbiguousScalar| {
                let (line, column) = odd.at;
                let (place, path) = (file.path.display(), &odd.path);
                format!("{place}:{line}:{column}: {path} {odd}")
            };
            values::odd(&file.text).iter().map(line).collect()
        };
        self.files.iter().flat_map(of).collect()
    }

    /// Edits each file where its settings belong; nothing is written yet.
    ///
    /// # Errors
    /// A file cannot be edited without loss; the failure has the snippet to paste.
    pub fn edit(&self, settings: &[Setting]) -> Result<EditedFiles> {
        let settings: Vec<Setting> = settings.iter().map(|setting| self.key.setting(setting)).collect();
        let places = values::place(&self.trees(), &settings);
        let (mut steps, mut after) = (Vec::new(), Vec::new());
        for (file, here) in self.files.iter().zip(places) {
            let edited = file.edit(&here, &*self.sops)?;
            if edited.text != file.text {
                files::refuse_hard_links(&file.path)?;
            }
            if !here.is_empty() {
                steps.push(step(file, &self.key, &here, edited.text.clone()));
            }
            after.push(edited);
        }
        let after = self.with(after);
        let edited = EditedFiles { steps, whole: after.whole(), merged: after.merged(), files: after.files };
        if edited.whole != values::apply(&self.whole(), &settings) {
            return Err(Failure::new(Exit::Refused, Code::ValuesMerge, "the values files cannot be edited together safely")
                .why("a later file has null where a map must be: filling it would bring back what an earlier file sets there")
                .next("write out in the last file what shall be there instead of the null, then run the same command again")
                .unchanged("nothing was written"));
        }
        Ok(edited)
    }

    /// Whether one of them is encrypted.
    #[must_use]
    pub fn are_encrypted(&self) -> bool {
        self.files.iter().any(|file| file.is_encrypted)
    }

    fn with(&self, files: Vec<ValuesFile>) -> Self {
        Self { files, key: self.key.clone(), sops: Arc::clone(&self.sops) }
    }

    fn trees(&self) -> Vec<Value> {
        self.files.iter().map(|file| file.tree.clone()).collect()
    }
}

impl EditedFiles {
    /// Whether a file is changed.
    #[must_use]
    pub fn changes(&self) -> bool {
        self.steps.iter().any(|step| step.state == InitialState::ToDo)
    }

    /// What Helm gets in place of the files.
    #[must_use]
    pub fn values(&self) -> MergedValues {
        MergedValues(self.whole.clone())
    }

    /// The files that are not encrypted: Helm reads them from a disk, where the plain text of the others must not be.
    fn open(&self) -> impl Iterator<Item = &ValuesFile> {
        self.files.iter().filter(|file| !file.is_encrypted)
    }

    /// Lets Helm itself read the edited files and compares.
    ///
    /// # Errors
    /// Helm reads a file otherwise than we do: it is not written.
    pub fn proven_by(&self, cluster: &dyn Cluster) -> Result<()> {
        Self::all_proven_by(&[self], cluster)?.into_iter().collect()
    }

    /// The same for the files of several releases in one call; a result for each.
    ///
    /// # Errors
    /// Helm could not be asked.
    pub fn all_proven_by(all: &[&Self], cluster: &dyn Cluster) -> Result<Vec<Result<()>>> {
        let texts: Vec<&[u8]> = all.iter().flat_map(|edited| edited.open()).map(|file| file.text.as_slice()).collect();
        let readings = if texts.is_empty() { Vec::new() } else { cluster.parse_values(&texts)? };
        let mut readings = readings.into_iter();
        let mut proven = |edited: &Self| -> Result<()> {
            // All of them are taken, so that the next release finds its own.
            let own: Vec<_> = readings.by_ref().take(edited.open().count()).collect();
            edited.open().zip(own).try_for_each(|(file, helms)| agree(&file.path, &file.tree, helms))
        };
        Ok(all.iter().map(|edited| proven(edited)).collect())
    }
}

/// The commands that people type for these settings where sops is, for one of whose files it is not here.
#[must_use]
pub fn by_hand(path: &Path, key: &ValuesKey, settings: &[Setting]) -> String {
    sops_edit::by_hand(path, &settings.iter().map(|setting| key.setting(setting)).collect::<Vec<_>>())
}

fn agree(path: &Path, ours: &Value, helms: std::result::Result<Value, String>) -> Result<()> {
    let why = match helms {
        Ok(helms) if same(ours, &helms) => return Ok(()),
        Ok(_) => "Helm and this tool read the file differently".to_owned(),
        // What the parser quotes of the file stands between back quotes, cut short.
        Err(error) => format!(
            "Helm cannot read it: {}",
            mask::without(&error, ours, &[]).split('`').step_by(2).collect::<Vec<_>>().join(HIDDEN)
        ),
    };
    Err(Failure::new(Exit::Refused, Code::ValuesReading, format!("{} is not edited", path.display()))
        .why(why)
        .next("please report the file's unusual part; until then edit it by hand")
        .unchanged("nothing was written"))
}

impl ValuesFile {
    /// The file with these settings.
    fn edit(&self, settings: &[Setting], sops: &dyn Sops) -> Result<Self> {
        let (text, tree) = if self.is_encrypted {
            let text = sops_edit::edit(sops, (&self.path, &self.text), &self.tree, settings)?;
            (text, values::apply(&self.tree, settings))
        } else {
            let refused = |refusal: Refusal| refused(&self.path, &refusal);
            let text = values::edit(&self.text, settings).map_err(refused)?;
            let tree = values::read(&text).map_err(refused)?;
            (text, tree)
        };
        Ok(Self { path: self.path.clone(), text: text.into(), tree, is_encrypted: self.is_encrypted })
    }
}

fn step(file: &ValuesFile, key: &ValuesKey, settings: &[Setting], new: Zeroizing<Vec<u8>>) -> Step {
    let done = new == file.text;
    let paths = || settings.iter().map(|setting| setting.path.join(".")).collect::<Vec<_>>().join(", ");
    let more = if file.is_encrypted { format!(" (by sops): {}", paths()) } else { String::new() };
    let action = Action::EditValues { path: file.path.clone(), key: key.clone(), old: file.text.clone(), new };
    Step::to_do(StepId::Values, format!("values file {}{more}", file.path.display()), action).already_if(done)
}

fn read_one(path: &Path, sops: &dyn Sops) -> Result<ValuesFile> {
    let text = files::read(path)?;
    let is_encrypted = values::is_encrypted(&text);
    let plain = is_encrypted.then(|| sops.decrypt(path, &text)).transpose()?;
    let tree = values::read(plain.as_ref().unwrap_or(&text)).map_err(|refusal| refused(path, &refusal))?;
    Ok(ValuesFile { path: path.to_owned(), text, tree, is_encrypted })
}

fn refused(path: &Path, refusal: &Refusal) -> Failure {
    let place = match refusal.line {
        0 => path.display().to_string(),
        line => format!("{}:{line}:{}", path.display(), refusal.column),
    };
    let failure = Failure::new(Exit::Refused, refusal.code, format!("{place} cannot be used safely"))
        .why(refusal.why.clone())
        .unchanged("nothing was written");
    match &refusal.snippet {
        None => failure.next("fix the file at that place, then run the same command again"),
        Some(snippet) => failure.next("merge this by hand, then run the same command again:").below(snippet),
    }
}
