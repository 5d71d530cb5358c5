//! What a run gave, and how it is judged.

/// A run that came to its end.
pub(crate) struct Ran {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.status, 0, "{}{}", self.stdout, self.stderr);
        self
    }

    /// Ended before anything was changed.
    #[track_caller]
    pub(crate) fn refused(self, status: i32, code: &str) -> Self {
        self.failed(status, code, "  unchanged: ")
    }

    /// Ended half-way: it says what is done.
    #[track_caller]
    pub(crate) fn stopped(self, status: i32, code: &str) -> Self {
        self.failed(status, code, "  so far: ")
    }

    #[track_caller]
    fn failed(self, status: i32, code: &str, standing: &str) -> Self {
        assert_eq!(self.status, status, "{}{}", self.stdout, self.stderr);
        assert!(self.stderr.contains(&format!("[{code}]")), "{code}: {}", self.stderr);
        for label in ["error: ", "  why: ", "  next: ", standing] {
            assert!(self.stderr.contains(label), "{label:?} is missing: {}", self.stderr);
        }
        self
    }

    #[track_caller]
    pub(crate) fn fact(&self, key: &str) -> String {
        let found = self.stdout.lines().find_map(|line| line.strip_prefix(&format!("{key}: ")));
        found.unwrap_or_else(|| panic!("no {key} in {}{}", self.stdout, self.stderr)).to_owned()
    }
}
