//! A release that another helm holds: it is waited for, until it has ended or is gone.

use std::{sync::Mutex, time::Duration};

use time::OffsetDateTime;

use super::{Options, ReleaseQuery, ReleaseState, find, recover};
use crate::{
    cluster::{Cluster, Object, ObjectRef, created, revision_secret},
    failure::{Exit, Failure, Result},
    files::note::NoteState,
    interrupt,
    session::Session,
    times::rounded,
};

/// How long nothing may have changed before the helm of an old revision is taken for gone.
const STILL: Duration = Duration::from_mins(1);

/// How old a pending revision must be for that, where nobody says otherwise.
const OLD: Duration = Duration::from_hours(1);

/// How far the clocks of this machine and of the API server may be apart, with the time that helm takes to begin: one that
/// began later is somebody else's, whatever became of ours.
const CLOCKS: Duration = Duration::from_secs(30);

const LOOK_EVERY: Duration = Duration::from_secs(2);
const SAY_EVERY: Duration = Duration::from_mins(1);

/// A question at the terminal is asked by one release at a time.
static TERMINAL: Mutex<()> = Mutex::new(());

/// What ended the wait.
enum End {
    /// The revision is not pending any more.
    Over,
    /// Nobody works on it: why, and its Secret.
    Gone(String, Object),
}

/// What is watched of a pending release: its Secret, and what its helm would change.
#[derive(PartialEq)]
struct Sight {
    secret: Option<String>,
    generations: Vec<(ObjectRef, u64)>,
    jobs: Vec<(ObjectRef, String)>,
}

/// One wait for one revision.
struct Watch<'a> {
    session: &'a Session<'a>,
    cluster: &'a dyn Cluster,
    options: &'a Options,
    found: &'a ReleaseState,
    began: OffsetDateTime,
    wanted: Vec<ObjectRef>,
    note: NoteState,
}

/// A release that is pending as it is once nobody holds it: as the other helm left it; or, where that one is gone, as the
/// revision before has it, with what is to be taken away before the next upgrade.
///
/// # Errors
/// It is held for longer than the time limit, or there is no way on that is safe.
pub(crate) fn settle(
    session: &Session<'_>,
    options: &Options,
    query: &ReleaseQuery<'_>,
    mut found: ReleaseState,
) -> Result<ReleaseState> {
    let cluster = session.cluster()?;
    let began = session.clock.now();
    while found.record.is_pending() {
        let watch = Watch::begin(session, options, &found, began).map_err(|unseen| {
            let refused = find::pending(&found.name, &found.record, &cluster.target());
            let why = format!("{}; who does cannot be looked at: {}, {}", refused.why, unseen.what, unseen.why);
            refused.why(why)
        })?;
        match watch.end()? {
            End::Gone(why, secret) => return recover::judge(session, options, query, &found, (why, &secret)),
            End::Over => {
                let now = find::look(cluster, query)?;
                if now.record.is_pending() && now.record.revision == found.record.revision {
                    let why =
                        "Helm keeps its releases elsewhere than in Secrets, so that nobody can say who works on it";
                    return Err(find::pending(&now.name, &now.record, &cluster.target()).why(why));
                }
                session.console.say(format!("release {} is {} now", now.name, now.record.status));
                found = now;
            }
        }
    }
    Ok(found)
}

impl<'a> Watch<'a> {
    fn begin(
        session: &'a Session<'a>,
        options: &'a Options,
        found: &'a ReleaseState,
        began: OffsetDateTime,
    ) -> Result<Self> {
        let (cluster, name, revision) = (session.cluster()?, &found.name, found.record.revision);
        let before = revision_secret(name, revision.saturating_sub(1));
        let mut wanted = vec![revision_secret(name, revision)];
        let there = cluster.get(&[before.clone(), wanted[0].clone()])?;
        let since = wanted[0].find_in(&there).and_then(created);
        let note = before.find_in(&there).map_or(NoteState::None, |before| cluster.note(before, revision));
        // A note of an earlier upgrade to the same revision is not about this one.
        let note = match (note, since) {
            (NoteState::Dead(start), Some(since)) if (since - start).unsigned_abs() > CLOCKS => NoteState::None,
            (note, _) => note,
        };
        wanted.extend(found.workloads());
        wanted.extend(cluster.hook_jobs(name)?);
        Ok(Self { session, cluster, options, found, began, wanted, note })
    }

    fn end(&self) -> Result<End> {
        let clock = &self.session.clock;
        let objects = self.cluster.get(&self.wanted)?;
        let (mut sight, mut changed) = (Sight::of(&objects), clock.now());
        let Some(mut age) = self.age(&objects)? else { return Ok(End::Over) };
        let (asked, mut said) = (clock.now(), clock.now());
        self.tell(age)?;
        loop {
            let objects = self.cluster.get(&self.wanted)?;
            let now = Sight::of(&objects);
            let Some(secret) = self.wanted[0].find_in(&objects) else { return Ok(End::Over) };
            if now.secret != sight.secret {
                return Ok(End::Over);
            }
            if now != sight {
                (sight, changed) = (now, clock.now());
            }
            let job = working(&objects);
            let age_now = age + (clock.now() - asked).unsigned_abs();
            if job.is_none()
                && let Some(why) = self.gone(age_now, (clock.now() - changed).unsigned_abs())
            {
                return Ok(End::Gone(why, secret.clone()));
            }
            interrupt::stopped()?;
            if clock.now() - self.began > self.session.timeout {
                age = age_now;
                return Err(self.late(age, job));
            }
            if clock.now() - said >= SAY_EVERY {
                said = clock.now();
                self.session.console.say(format!("{}: still waiting", self.since(age_now)));
            }
            clock.wait(LOOK_EVERY);
        }
    }

    /// How old the revision is, by the API server's clock alone.
    fn age(&self, objects: &[Object]) -> Result<Option<Duration>> {
        let Some(since) = self.wanted[0].find_in(objects).and_then(created) else { return Ok(None) };
        let age = self.cluster.server_time()? - since;
        Ok(Some(if age.is_negative() { Duration::ZERO } else { age.unsigned_abs() }))
    }

    fn old(&self) -> Duration {
        self.options.recover_after.unwrap_or(OLD)
    }

    /// Why the helm that began it is gone, where that is known.
    fn gone(&self, age: Duration, still: Duration) -> Option<String> {
        if matches!(self.note, NoteState::Dead(_)) {
            return Some("the helm that began it was started on this machine and has ended".to_owned());
        }
        let is_gone = self.note != NoteState::Alive && age >= self.old() && still >= STILL;
        is_gone.then(|| format!("it is {} old, and for {} nothing has changed", rounded(age), rounded(STILL)))
    }

    /// Says that it waits, and for what; at a terminal it asks, and a dry run waits for nobody.
    fn tell(&self, age: Duration) -> Result<()> {
        let Session { console, dry_run, timeout, .. } = self.session;
        if matches!(self.note, NoteState::Dead(_)) {
            return Ok(());
        }
        let since = self.since(age);
        if age >= self.old() && self.note != NoteState::Alive {
            let still = rounded(STILL);
            console.say(format!("{since}: its helm is taken for gone once nothing has changed for {still}"));
            return Ok(());
        }
        if *dry_run {
            return Err(self.refused());
        }
        if console.interactive {
            let _one = TERMINAL.lock();
            let question = format!("{since}; another helm may work on it. Wait until it has ended?");
            return if console.says_yes(&question)? { Ok(()) } else { Err(self.refused()) };
        }
        let most = rounded(*timeout);
        console.say(format!("{since}; another helm may work on it: waiting until it has ended, at most {most}"));
        Ok(())
    }

    fn since(&self, age: Duration) -> String {
        let ReleaseState { name, record, .. } = self.found;
        format!("release {name} is {} since revision {}, {} ago", record.status, record.revision, rounded(age))
    }

    fn refused(&self) -> Failure {
        find::pending(&self.found.name, &self.found.record, &self.cluster.target())
    }

    fn late(&self, age: Duration, job: Option<String>) -> Failure {
        let old = rounded(self.old());
        let why = match job {
            Some(job) => format!("a Job of its hooks still runs: {job}"),
            None => format!(
                "it is {} old; another helm may still work on it, which is known only after {old}",
                rounded(age)
            ),
        };
        let refused = self.refused();
        let next = format!(
            "see who works on it; run the same command again, once that has ended or with --recover-after; or by hand, {}",
            refused.next
        );
        Failure { exit: Exit::TimedOut, ..refused.why(why).next(next) }
    }
}

impl Sight {
    fn of(objects: &[Object]) -> Self {
        let mut sight = Self { secret: None, generations: Vec::new(), jobs: Vec::new() };
        for object in objects {
            let name = object.reference();
            match name.resource.as_str() {
                "secret" => sight.secret = Some(format!("{} {}", object.uid(), object.resource_version())),
                "job" => sight.jobs.push((name, format!("{} {}", object.uid(), object.resource_version()))),
                _ => sight.generations.push((name, object.json()["metadata"]["generation"].as_u64().unwrap_or(0))),
            }
        }
        sight
    }
}

/// A Job that a pod of its own is still working on: another upgrade would end it in the middle.
fn working(objects: &[Object]) -> Option<String> {
    let is_active = |job: &&Object| {
        job.reference().resource == "job" && job.json()["status"]["active"].as_u64().is_some_and(|active| active > 0)
    };
    objects.iter().find(is_active).map(|job| job.name().to_owned())
}
