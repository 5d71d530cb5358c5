//! Broken and odd files by the thousand: refused or edited rightly, never a panic.

use substra_mtls::values::{apply, edit, read};

use super::{backend, files, lines, orchestrator};

#[test]
fn twenty_thousand_mutants_are_refused_or_edited_rightly() {
    let mut written = 0;
    for (number, old) in files::mutants(7, 20_000).enumerate() {
        let settings = if number % 2 == 0 { backend() } else { orchestrator() };
        let Ok(new) = edit(&old, &settings) else { continue };
        let shown = format!("mutant {number}:\n{}\n-- became\n{}", old.escape_ascii(), new.escape_ascii());
        assert_eq!(read(&new), Ok(apply(&read(&old).unwrap(), &settings)), "{shown}");
        assert_eq!(lines::lost(&old, &new), None, "{shown}");
        assert_eq!(edit(&new, &settings), Ok(new), "{shown}");
        written += 1;
    }
    assert!(written > 5_000, "only {written} were written: the mutants are too wild to tell anything");
}
