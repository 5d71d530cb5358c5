//! A reader of the README: a folder, a kubeconfig, and the lines of a page, which are run in their order.

use std::{fs, path::PathBuf, process::Command};

use super::{page, repository};
use crate::site::{Ran, Site, bed};

pub(super) struct Person<'a> {
    site: &'a Site,
    pub(super) folder: PathBuf,
    kubeconfig: String,
    /// What stands in the README, and what it is here.
    pub(super) here: Vec<(String, String)>,
    lines: std::vec::IntoIter<String>,
}

impl<'a> Person<'a> {
    /// A reader of the part of this heading, with the rights of these namespaces in contexts of these names.
    pub(super) fn new(site: &'a Site, heading: &str, contexts: &[(&str, &str)]) -> Self {
        Self::reading(site, &page::readme(), heading, contexts)
    }

    /// The same of another page than the README.
    pub(super) fn reading(site: &'a Site, page: &str, heading: &str, contexts: &[(&str, &str)]) -> Self {
        let token = |namespace: &str| site.admin(namespace, "create token substra-mtls");
        let files: Vec<String> =
            contexts.iter().map(|(name, namespace)| context(site, name, &token(namespace))).collect();
        Self::with(site, page, heading, files.join(":"))
    }

    /// A reader who may do everything, in a context of this name.
    pub(super) fn administrator(site: &'a Site, page: &str, heading: &str, name: &str) -> Self {
        Self::with(site, page, heading, context(site, name, &bed("ADMIN_TOKEN")))
    }

    fn with(site: &'a Site, page: &str, heading: &str, kubeconfig: String) -> Self {
        let folder = site.path(heading);
        fs::create_dir_all(site.path("bin")).unwrap();
        fs::create_dir_all(&folder).unwrap();
        let helm = site.path("bin/helm");
        if !helm.exists() {
            std::os::unix::fs::symlink(site.helm_binary(), helm).unwrap();
        }
        let here = [("-n org-1", &site.org), ("-n orchestrator", &site.orc)];
        let here = here.map(|(there, namespace)| (format!("{there} "), format!("-n {namespace} "))).to_vec();
        let lines = page::commands_of(page, heading).into_iter();
        let person = Self { site, folder, kubeconfig, here, lines };
        person.sh(&format!("helm repo add substra {}", *repository::ADDRESS)).ok();
        person
    }

    pub(super) fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.join(name), text).unwrap();
    }

    /// A mail with a file in it.
    pub(super) fn sends(&self, name: &str, other: &Person<'_>) {
        fs::copy(self.folder.join(name), other.folder.join(name)).unwrap();
    }

    /// A command line with this person's rights, in their folder.
    pub(super) fn sh(&self, line: &str) -> Ran {
        let mut command = Command::new("sh");
        command.args(["-euc", line]).current_dir(&self.folder);
        self.site.environment(&mut command);
        let path = format!("{}:{}:/usr/bin:/bin", self.site.path("bin").display(), bed("BIN"));
        command.env("PATH", path).env("KUBECONFIG", &self.kubeconfig);
        command.env("HELM_CONFIG_HOME", self.site.path("config")).env("HELM_CACHE_HOME", self.site.path("charts"));
        Ran::of(&mut command)
    }

    /// A line of the README: it has to succeed.
    #[track_caller]
    pub(super) fn runs(&self, line: &str) -> Ran {
        self.ends(line, 0)
    }

    /// The page's next line, of which the page says that it ends so.
    #[track_caller]
    pub(super) fn is_told(&mut self, status: i32) -> Ran {
        let line = self.lines.next().unwrap();
        self.ends(&line, status)
    }

    #[track_caller]
    fn ends(&self, line: &str, status: i32) -> Ran {
        let mut real = format!("{line} ");
        self.here.iter().for_each(|(there, here)| real = real.replace(there, here));
        if let Some((before, after)) = real.split_once("SHA256:") {
            real = format!("{before}{}{}", self.fingerprint(line), &after[64..]);
        }
        // Where a person is asked for consent.
        if ["enroll ", "approve ", "gate ", "ca init ", "ca trust ", "bootstrap "]
            .iter()
            .any(|verb| real.contains(verb))
        {
            real += "--yes";
        }
        let ran = self.sh(&real);
        assert_eq!(ran.status, status, "{line}\nas: {real}\n{}{}", ran.stdout, ran.stderr);
        ran
    }

    /// As openssl sees it: the key of the request that the line names, else of the certificate.
    fn fingerprint(&self, line: &str) -> String {
        let named = |end| line.split_whitespace().find(|word| word.ends_with(end));
        let (kind, file) = named(".csr").map_or_else(|| ("x509", named(".crt").unwrap()), |file| ("req", file));
        let script = format!(
            "openssl {kind} -in {file} -noout -pubkey | openssl pkey -pubin -outform DER | openssl dgst -sha256 -r"
        );
        format!("SHA256:{}", self.sh(&script).ok().stdout.split_whitespace().next().unwrap())
    }

    /// Runs the page on, up to and with the next line that has these words.
    #[track_caller]
    pub(super) fn goes_on_to(&mut self, words: &str) -> (String, Ran) {
        loop {
            let line = self.lines.next().unwrap_or_else(|| panic!("no further line has {words:?}"));
            let ran = self.runs(&line);
            if line.contains(words) {
                return (line, ran);
            }
        }
    }

    /// Runs what is left of the page; gives the last line's result.
    #[track_caller]
    pub(super) fn comes_to_the_end(mut self) -> Ran {
        let mut last = None;
        while let Some(line) = self.lines.next() {
            last = Some(self.runs(&line));
        }
        last.unwrap()
    }
}

/// A kubeconfig with one context.
fn context(site: &Site, name: &str, token: &str) -> String {
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: {name}\nclusters: [{{name: {name}, cluster: {{server: \"{}\", certificate-authority: \"{}\"}}}}]\nusers: [{{name: {name}, user: {{token: \"{}\"}}}}]\ncontexts: [{{name: {name}, context: {{cluster: {name}, user: {name}}}}}]\n",
        bed("SERVER"),
        bed("CA"),
        token.trim()
    );
    site.write(&format!("{name}.context"), &text);
    site.path(&format!("{name}.context")).display().to_string()
}
