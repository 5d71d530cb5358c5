//! The launcher: hands over, or explains.

use std::{fs, os::unix::fs::symlink, process::Command};

use crate::{
    folder::{Folder, VERSION, root, stand_in},
    shells::{Ran, Tools, program, shells},
};

fn launch(folder: &Folder, shell: &[std::path::PathBuf], tools: &Tools) -> Command {
    let mut command = Command::new(&shell[0]);
    command.args(&shell[1..]).arg(folder.path.join("launch.sh")).env_clear().env("PATH", tools.path());
    command
}

fn installed() -> (Folder, Tools) {
    let (folder, tools) = (Folder::new(), Tools::new());
    folder.bundle(VERSION);
    Ran::of(&mut folder.installer(&shells()[0], tools.path())).ok();
    program(&folder.binary(), r#"for word; do echo "<$word>"; done; exit 7"#);
    (folder, tools)
}

#[test]
fn hands_over_every_word_and_the_exit_status_in_every_shell() {
    let (folder, tools) = installed();
    for shell in shells() {
        let ran = Ran::of(launch(&folder, shell, &tools).args(["a b", "", "*", "--x=$HOME"]));
        assert_eq!((ran.status, ran.stdout.as_str(), ran.stderr.as_str()), (7, "<a b>\n<>\n<*>\n<--x=$HOME>\n", ""));
    }
}

#[test]
fn starts_no_process_of_its_own() {
    let (folder, _) = installed();
    let nothing = Tools::without(&["uname", "sed", "od", "tr", "sh", "dirname", "rm", "cat", "id", "grep"]);
    for shell in shells() {
        let ran = Ran::of(launch(&folder, shell, &nothing).env("HELM_PLUGIN_DIR", &folder.path).arg("x"));
        assert_eq!((ran.status, ran.stdout.as_str(), ran.stderr.as_str()), (7, "<x>\n", ""));
    }
}

#[test]
fn looks_before_the_first_run_where_no_installer_ran() {
    let (folder, tools) = (Folder::new(), Tools::new());
    folder.bundle(VERSION);
    for shell in shells() {
        drop(fs::remove_file(folder.path.join("bin/checked")));
        let ran = Ran::of(launch(&folder, shell, &tools).arg("--version")).ok();
        assert_eq!((ran.stdout, ran.stderr), (format!("substra-mtls {VERSION}\n"), String::new()));
        assert!(folder.path.join("bin/checked").exists());
    }
}

#[track_caller]
fn explains(folder: &Folder, tools: &Tools, why: &str) {
    for shell in shells() {
        let ran = Ran::of(launch(folder, shell, tools).arg("check"));
        ran.not_installed(why);
        assert_eq!(ran.stdout, "");
    }
}

#[test]
fn explains_a_binary_that_is_missing_also_after_it_was_there() {
    let (folder, tools) = installed();
    fs::remove_file(folder.binary()).unwrap();
    explains(&folder, &tools, "bin/substra-mtls is not there");
    fs::remove_dir_all(folder.path.join("bin")).unwrap();
    explains(&folder, &tools, "bin/substra-mtls is not there");
}

#[test]
fn explains_a_binary_of_another_version_as_after_an_update_that_failed() {
    let (folder, tools) = (Folder::new(), Tools::new());
    folder.bundle("0.0.9");
    fs::write(folder.path.join("bin/checked"), "0.0.9 x86_64\n").unwrap();
    explains(&folder, &tools, "is \"substra-mtls 0.0.9\", and plugin.yaml wants");
}

#[test]
fn explains_a_binary_that_another_kind_of_machine_put_there() {
    let (folder, tools) = installed();
    fs::write(folder.binary(), b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\xfe\xfe\x01\0\0\0").unwrap();
    // From Linux 6.1 on the kernel tells its machine for nothing; before, only a missing note is noticed.
    if std::path::Path::new("/proc/sys/kernel/arch").exists() {
        fs::write(folder.path.join("bin/checked"), format!("{VERSION} pdp11\n")).unwrap();
    } else {
        fs::remove_file(folder.path.join("bin/checked")).unwrap();
    }
    explains(&folder, &tools, "damaged, or of another platform");
}

#[test]
fn explains_a_damaged_binary_that_no_installer_looked_at() {
    let (folder, tools) = installed();
    fs::remove_file(folder.path.join("bin/checked")).unwrap();
    fs::write(folder.binary(), "").unwrap();
    explains(&folder, &tools, "damaged, or of another platform");
    program(&folder.binary(), "exit 127");
    explains(&folder, &tools, "does not run here");
}

#[test]
fn the_line_that_it_tells_repairs() {
    let (folder, tools) = (Folder::new(), Tools::new());
    let ran = Ran::of(&mut launch(&folder, &shells()[0], &tools));
    let line = ran.stderr.lines().find_map(|line| line.trim().strip_prefix("the installer again: ")).unwrap();
    let named = folder.path.join("named");
    stand_in(&named, VERSION);
    let mut repair = Command::new(&shells()[0][0]);
    Ran::of(repair.args(["-c", line]).env("PATH", tools.path()).env("SUBSTRA_MTLS_BIN", &named)).ok();
    Ran::of(&mut launch(&folder, &shells()[0], &tools)).ok();
}

#[test]
fn runs_through_a_link_to_the_folder() {
    let (folder, tools) = installed();
    let link = folder.path.with_file_name("link");
    symlink(&folder.path, &link).unwrap();
    let ran = Ran::of(Command::new(link.join("launch.sh")).env_clear().env("PATH", tools.path()));
    assert_eq!(ran.status, 7, "{ran:?}");
    assert!(root().join("launch.sh").exists());
}
