//! What goes wrong on the simulated cluster when a test asks for it: calls that fail or do nothing, others who work meanwhile.

use super::{Objects, Releases, SimulatedCluster, SimulatedRelease, SimulatedState};
use crate::failure::{Code, Exit, Failure, Result};

/// Which calls end badly, for tests of what a run leaves behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InjectedFault {
    /// The call does nothing and fails.
    Before,
    /// The call does its work and fails all the same, as when an answer is lost.
    After,
    /// The call does nothing and says that it is done.
    Idle,
    /// The call does its work, and somebody else puts the old state back right after it: another upgrade, another object.
    Undone,
}

impl InjectedFault {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Before, Self::After, Self::Idle, Self::Undone];
}

/// What happens right after a write of this name, such as `upgrade backend`.
pub(super) type WriteHook = (String, Box<dyn FnOnce() + Send>);

impl SimulatedCluster {
    /// The `n`-th write from now on, from 0, ends badly.
    pub fn fail_write(&self, n: usize, fault: InjectedFault) {
        self.state().fault = Some((n, fault));
    }

    /// Right after the next write of this name, and before its caller continues, something else happens.
    pub fn after_write(&self, write: &str, happens: impl FnOnce() + Send + 'static) {
        self.state().hook = Some((write.to_owned(), Box::new(happens)));
    }

    /// One write, with the fault that was asked for.
    pub(super) fn write(&self, what: &str, work: impl FnOnce(&mut SimulatedState) -> Result<()>) -> Result<()> {
        let mut state = self.state();
        let fault = match state.fault.take() {
            Some((0, fault)) => Some(fault),
            Some((n, fault)) => {
                state.fault = Some((n - 1, fault));
                None
            }
            None => None,
        };
        let old = (fault == Some(InjectedFault::Undone)).then(|| (state.objects.clone(), state.releases.clone()));
        if !matches!(fault, Some(InjectedFault::Before | InjectedFault::Idle)) {
            work(&mut state)?;
            state.writes.push(what.to_owned());
        }
        if let Some((objects, releases)) = old {
            state.restore(&objects, &releases);
        }
        let hook = state.hook.take_if(|(write, _)| write == what);
        drop(state);
        if let Some((_, happens)) = hook {
            happens();
        }
        if !matches!(fault, Some(InjectedFault::Before | InjectedFault::After)) {
            return Ok(());
        }
        Err(Failure::new(Exit::Outside, Code::Fault, "the simulated call failed")
            .why("a test asked for it")
            .next("run the same command again"))
    }
}

impl SimulatedState {
    /// Somebody else brings back what was there before: objects as they were, and of a release that was upgraded the old
    /// values, by an upgrade of their own.
    fn restore(&mut self, objects: &Objects, releases: &Releases) {
        let new: Vec<_> = self.objects.keys().filter(|key| !objects.contains_key(key)).cloned().collect();
        new.iter().for_each(|key| drop(self.objects.remove(key)));
        for (key, old) in objects {
            if self.objects.get(key) != Some(old) {
                self.put(key.clone(), old.clone());
            }
        }
        for (key, old) in releases {
            let Some(now) = self.releases.get_mut(key) else { continue };
            if (now.revision, &now.annotations) != (old.revision, &old.annotations) {
                let revision = now.revision + u64::from(now.revision != old.revision);
                *now = SimulatedRelease { revision, ..old.clone() };
            }
        }
        self.releases.retain(|key, _| releases.contains_key(key));
    }
}
