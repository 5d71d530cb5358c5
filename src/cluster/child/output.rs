//! What a child says: so much of it, and nothing that could be a key.

use std::{
    fs::File,
    io::{self, PipeWriter, Read, Seek, SeekFrom},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, Receiver, RecvTimeoutError},
    },
    time::Duration,
};

use zeroize::Zeroizing;

type Bytes = Zeroizing<Vec<u8>>;

/// What comes out of a child's pipes, in the order in which they were made. A thread each reads to the end, so that no
/// child is held up, and keeps the beginning.
#[derive(Default)]
pub(super) struct OutputPipes {
    pipes: Vec<(Receiver<Bytes>, Option<Bytes>)>,
    full: Arc<AtomicBool>,
}

impl OutputPipes {
    /// Adds a pipe, and gives the end that the child writes to.
    pub(super) fn add_pipe(&mut self, max_output: usize) -> io::Result<PipeWriter> {
        let (mut reader, writer) = io::pipe()?;
        let (sender, receiver) = mpsc::channel();
        let full = Arc::clone(&self.full);
        std::thread::spawn(move || {
            let mut kept = Zeroizing::new(Vec::new());
            let mut block = Zeroizing::new(vec![0; 1 << 16]);
            while let Ok(count @ 1..) = reader.read(&mut block[..]) {
                let room = max_output.saturating_sub(kept.len());
                if count > room {
                    full.store(true, Ordering::Relaxed);
                }
                kept.extend_from_slice(&block[..count.min(room)]);
            }
            // Nobody waits for it where the child was given up.
            drop(sender.send(kept));
        });
        self.pipes.push((receiver, None));
        Ok(writer)
    }

    /// Whether more came out of one of them than is kept.
    pub(super) fn is_full(&self) -> bool {
        self.full.load(Ordering::Relaxed)
    }

    /// Whether all of them are closed; each is waited for so long.
    pub(super) fn wait_until_closed(&mut self, patience: Duration) -> bool {
        self.pipes.iter_mut().all(|(receiver, taken)| {
            if taken.is_none() {
                *taken = match receiver.recv_timeout(patience) {
                    Ok(bytes) => Some(bytes),
                    Err(RecvTimeoutError::Timeout) => None,
                    // Its thread is gone, and with it what it read.
                    Err(RecvTimeoutError::Disconnected) => Some(Bytes::default()),
                };
            }
            taken.is_some()
        })
    }

    /// What came out of the first two: stdout and stderr.
    pub(super) fn into_bytes(self) -> (Bytes, Bytes) {
        let mut all = self.pipes.into_iter().map(|(_, taken)| taken.unwrap_or_default());
        (all.next().unwrap_or_default(), all.next().unwrap_or_default())
    }
}

/// Empties a file that a child writes to once it is too long; what is written after that is kept.
pub(super) fn empty_if_longer(file: &File, max_output: usize) -> io::Result<()> {
    if file.metadata()?.len() > max_output as u64 { file.set_len(0) } else { Ok(()) }
}

/// The end of a file that a child has written to.
pub(super) fn tail(mut file: File, max_output: usize) -> io::Result<Bytes> {
    let from = file.metadata()?.len().saturating_sub(max_output as u64);
    let mut bytes = Bytes::default();
    file.seek(SeekFrom::Start(from))?;
    file.take(max_output as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Removes from a child's stderr what could be a key, and makes tabs blanks.
pub(super) fn redact_keys(text: &str) -> String {
    let base64 = |c: char| c.is_ascii_alphanumeric() || "+/=".contains(c);
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|c| base64(c) != base64(first)).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        if could_be_a_key(run) {
            clean.push_str("[removed]");
        } else {
            clean.extend(run.chars().map(|c| if matches!(c, '\t' | '\r') { ' ' } else { c }));
        }
        rest = after;
    }
    clean.trim().to_owned()
}

/// A line of base64 and not a path: 40 characters or more, in both cases, with few slashes.
fn could_be_a_key(run: &str) -> bool {
    let has = |what: fn(&u8) -> bool| run.bytes().any(|b| what(&b));
    run.len() >= 40
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_lowercase)
        && run.matches('/').count() * 10 < run.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_be_a_key_is_taken_out_of_stderr() {
        let text = format!("bad value {} in pair\u{1b}[2J", "QUJDabc/".repeat(6).replace("c/QUJ", "cdQUJ"));
        assert_eq!(redact_keys(&text), "bad value [removed] in pair\u{1b}[2J");
        assert_eq!(redact_keys("Error from server (NotFound)"), "Error from server (NotFound)");
    }
}
