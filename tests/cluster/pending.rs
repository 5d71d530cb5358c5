//! A release that a killed helm left pending: the next run waits, or goes on where that is safe, and says what it does.

use std::{
    fs,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use crate::{
    site::{BACKEND, Ran, Site, chart},
    terminal::at_terminal,
};

/// Our own binary at a namespace, in a process of its own.
pub(crate) fn tool(site: &Site, namespace: &str, line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_substra-mtls"));
    site.environment(&mut command);
    command.env("HELM_BIN", site.helm_binary()).current_dir(site.folder.path()).args(line.split_whitespace());
    if namespace != "default" {
        command.args(site.place(namespace));
    }
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A process and all that descend from it, as a power cut ends them: at one moment, with no word said.
pub(crate) fn kill_all(child: &mut Child) {
    // Stopped first: a child that it begins now would not be seen.
    let stop = ["-STOP".to_owned(), child.id().to_string()];
    let _ended = Command::new("/bin/kill").args(stop).stderr(Stdio::null()).status().unwrap();
    let mut all = vec![child.id()];
    let parents = fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let pid: u32 = entry.unwrap().file_name().to_str()?.parse().ok()?;
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let parent = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse::<u32>().ok()?;
        Some((pid, parent))
    });
    let parents: Vec<(u32, u32)> = parents.collect();
    let mut at = 0;
    while at < all.len() {
        let above = all[at];
        all.extend(parents.iter().filter(|(_, parent)| *parent == above).map(|(pid, _)| *pid));
        at += 1;
    }
    let pids = all.iter().map(u32::to_string);
    // One that has ended meanwhile is no fault.
    let _ended = Command::new("/bin/kill").arg("-9").args(pids).stderr(Stdio::null()).status().unwrap();
    child.wait().unwrap();
}

/// Hooks get no pod: an upgrade changes the objects and then waits for its hook.
fn without_pods<T>(site: &Site, namespace: &str, meanwhile: impl FnOnce() -> T) -> T {
    site.admin(namespace, "create quota none --hard=pods=0");
    let done = meanwhile();
    site.admin(namespace, "delete quota none");
    done
}

fn is_pending(site: &Site, namespace: &str, release: &str) -> bool {
    site.helm(namespace, &format!("status {release}")).contains("STATUS: pending-upgrade")
}

fn await_pending(site: &Site, namespace: &str, release: &str) {
    let waited = (0..300).any(|_| {
        is_pending(site, namespace, release) || {
            thread::sleep(Duration::from_millis(100));
            false
        }
    });
    assert!(waited, "the upgrade did not begin");
}

/// A verb of ours, killed with its helm while that waits for a hook.
fn cut(site: &Site, namespace: &str, release: &str, line: &str) {
    without_pods(site, namespace, || {
        let mut child = tool(site, namespace, line).spawn().unwrap();
        await_pending(site, namespace, release);
        // The objects are changed by now: the Job of the hook comes after them.
        let job = || site.admin(namespace, "get jobs -o name");
        assert!((0..100).any(|_| !job().is_empty() || {
            thread::sleep(Duration::from_millis(50));
            false
        }));
        thread::sleep(Duration::from_millis(300));
        kill_all(&mut child);
    });
    assert!(is_pending(site, namespace, release));
}

fn gate(way: &str) -> String {
    format!("gate {way} -f orchestrator-values.yaml --release orchestrator --chart {} --yes", chart("orchestrator"))
}

fn enroll() -> String {
    let chart = chart("substra-backend");
    format!("enroll -f backend-values.yaml --release backend --chart {chart} --yes --certificate MyOrg1MSP.crt")
}

fn volumes(site: &Site) -> String {
    site.object(&site.orc, "deployment/orchestrator-server")["spec"]["template"]["spec"]["volumes"].to_string()
}

/// What a run said, its error's own lines.
fn said(ran: &Ran) -> String {
    ran.stderr.lines().skip_while(|line| !line.starts_with("error: ")).map(|line| format!("{line}\n")).collect()
}

both! {
    fn a_pending_gate_close_is_closed_and_a_pending_gate_open_is_opened(site) {
        site.enrolled();
        site.admin(&site.orc, "delete jobs --all");
        cut(site, &site.orc, "orchestrator", &format!("{} --installed MyOrg1MSP", gate("close")));
        // Pods come and go: what is written counts.
        let written = || site.state(&site.orc).into_iter().filter(|(key, _)| !key.contains("Deployment")).collect::<Vec<_>>();
        let (before, orc) = (written(), &site.orc);
        let revision = if site.helm(orc, "history orchestrator").contains("\n3 ") { 3 } else { 2 };
        let asked = Ran::of(&mut tool(site, orc, &format!("{} --installed MyOrg1MSP", gate("close")))).refused(3, "release-pending");
        assert_eq!(said(&asked), format!("\
error: release orchestrator is pending-upgrade since revision {revision} [release-pending]
  why: the helm that began it was started on this machine and has ended
  next: run the same command again with --recover: it removes that revision, touches no pod by that, and upgrades again
  unchanged: nothing was written
"));
        let other = Ran::of(&mut tool(site, orc, &format!("{} --recover", gate("open")))).refused(3, "release-pending");
        assert!(other.stderr.contains("would not go on with what it began: ") && other.stderr.contains(&format!(" rollback orchestrator {}", revision - 1)), "{}", other.stderr);
        assert_eq!(written(), before);
        let done = Ran::of(&mut tool(site, orc, &format!("{} --installed MyOrg1MSP --recover", gate("close")))).ok();
        assert!(done.stderr.contains(&format!("done     remove unfinished revision {revision} of release orchestrator")), "{}", done.stderr);
        assert!(volumes(site).contains("client-cacert"));

        site.admin(&site.orc, "delete jobs --all");
        cut(site, orc, "orchestrator", &gate("open"));
        Ran::of(&mut tool(site, orc, &format!("{} --installed MyOrg1MSP --recover", gate("close")))).refused(3, "release-pending");
        Ran::of(&mut tool(site, orc, &format!("{} --recover", gate("open")))).ok();
        assert!(!volumes(site).contains("client-cacert"));
    }

    fn a_pending_enrolment_is_completed(site) {
        site.approved();
        site.admin(&site.org, "delete jobs --all");
        cut(site, &site.org, "backend", &enroll());
        Ran::of(&mut tool(site, &site.org, &format!("{} --recover", enroll()))).ok();
        let before = site.state(&site.org);
        site.enroll("--certificate MyOrg1MSP.crt").ok();
        assert_eq!(site.state(&site.org), before);
    }

    fn a_helm_that_still_works_is_waited_for_by_a_second_operator(site) {
        site.approved();
        site.admin(&site.org, "delete jobs --all");
        let both = thread::scope(|scope| {
            without_pods(site, &site.org, || {
                let first = scope.spawn(|| Ran::of(&mut tool(site, &site.org, &enroll())));
                await_pending(site, &site.org, "backend");
                let second = scope.spawn(|| Ran::of(&mut tool(site, &site.org, &format!("{} --recover", enroll()))));
                thread::sleep(Duration::from_secs(4));
                [first, second]
            }).map(|run| run.join().unwrap().ok())
        });
        assert!(both[1].stderr.contains("another helm may work on it: waiting until it has ended, at most 15m"), "{}", both[1].stderr);
        assert!(both[1].stderr.contains("release backend is deployed now") && !both[1].stderr.contains("remove unfinished"), "{}", both[1].stderr);
    }

    fn an_old_one_of_another_machine_is_gone_after_a_minute_without_a_change(site) {
        site.approved();
        // What an operator elsewhere has begun, with the same values file.
        site.write("backend-values.yaml", &BACKEND.replace("    enabled: true\n", "    enabled: true\n    mtls:\n      enabled: true\n      clientCertificate: orchestrator-client-cert\n"));
        site.upgrade_is_cut_short();
        site.enroll("--certificate MyOrg1MSP.crt --timeout 3s --recover").refused(124, "release-pending");
        let ran = site.enroll("--certificate MyOrg1MSP.crt --recover --recover-after 2s").ok();
        assert!(ran.stderr.contains("its helm is taken for gone once nothing has changed for 1m"), "{}", ran.stderr);
        assert!(site.helm(&site.org, "status backend").contains("STATUS: deployed"));
    }

    fn at_a_terminal_it_asks_at_once_and_yes_to_all_is_no_answer(site) {
        site.approved();
        site.admin(&site.org, "delete jobs --all");
        site.upgrade_is_cut_short();
        let (screen, status) = at_terminal(site, "xterm", &site.org, &enroll(), &[("[y/N]", "n")]);
        assert!(status == 3 && screen.contains("Wait until it has ended? [y/N]"), "{screen}");
        site.helm(&site.org, "rollback backend 1");
        site.admin(&site.org, "delete jobs --all");
        cut(site, &site.org, "backend", &enroll());
        let (screen, status) = at_terminal(site, "xterm", &site.org, &enroll(), &[("[y/N]", "n")]);
        assert!(status == 5 && screen.contains("Remove unfinished revision 4 of release backend and upgrade it again"), "{screen}");
        let (screen, status) = at_terminal(site, "xterm", &site.org, &enroll(), &[("[y/N]", "y")]);
        assert_eq!(status, 0, "{screen}");
    }

    fn another_chart_version_and_values_of_others_are_left_to_people(site) {
        site.approved();
        site.admin(&site.org, "delete jobs --all");
        cut(site, &site.org, "backend", &enroll().replace("/substra-backend ", "/substra-backend-old --version 25.3.0 "));
        let ran = Ran::of(&mut tool(site, &site.org, &format!("{} --recover", enroll()))).refused(3, "release-pending");
        assert!(ran.stderr.contains("of another chart or version than the revision before"), "{}", ran.stderr);
        site.helm(&site.org, "rollback backend 1");
        let text = site.read("backend-values.yaml");
        site.write("backend-values.yaml", &format!("{text}worker:\n  replicas: 2\n"));
        site.admin(&site.org, "delete jobs --all");
        cut(site, &site.org, "backend", &format!("{} --accept-drift", enroll()));
        let ran = Ran::of(&mut tool(site, &site.org, &format!("{} --recover --accept-drift", enroll()))).refused(3, "release-pending");
        assert!(ran.stderr.contains("it changes more than mutual TLS: worker.replicas"), "{}", ran.stderr);
    }
}
