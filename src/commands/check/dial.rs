//! One connection with an end: a server that drips bytes, or resolves no name, does not keep the check.

use std::{
    io::{self, ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream, ToSocketAddrs},
    sync::mpsc,
    time::Duration,
};

use time::OffsetDateTime;

use crate::{files, interrupt, times::Clock};

/// How long nothing may come, and how soon a signal is heard meanwhile.
const IDLE: Duration = Duration::from_secs(5);
const TICK: Duration = Duration::from_millis(200);

/// A connection that ends at a time.
pub(super) struct TimedStream {
    stream: TcpStream,
    clock: Clock,
    end: OffsetDateTime,
}

impl TimedStream {
    /// Connects, and lets all of it take so long.
    ///
    /// # Errors
    /// Why the address cannot be reached.
    pub(super) fn to(address: &str, limit: Duration) -> Result<Self, String> {
        let clock = Clock::system();
        let end = clock.now() + limit;
        let mut why = "it has no address".to_owned();
        for address in resolved(address)? {
            match TcpStream::connect_timeout(&address, IDLE) {
                Ok(stream) => {
                    let limits = stream.set_read_timeout(Some(TICK)).and(stream.set_write_timeout(Some(IDLE)));
                    return limits.map(|()| Self { stream, clock, end }).map_err(|e| files::reason(&e));
                }
                Err(error) => why = files::reason(&error),
            }
            if clock.now() >= end {
                break;
            }
        }
        Err(why)
    }

    fn goes_on(&self) -> io::Result<()> {
        if interrupt::wished() || self.clock.now() >= self.end { Err(ErrorKind::TimedOut.into()) } else { Ok(()) }
    }
}

/// The addresses of a name. The system's resolver knows no limit of ours: nobody waits for its thread.
fn resolved(address: &str) -> Result<Vec<SocketAddr>, String> {
    let (sender, receiver) = mpsc::channel();
    let name = address.to_owned();
    std::thread::spawn(move || {
        let found = name.to_socket_addrs().map(Iterator::collect::<Vec<_>>).map_err(|e| files::reason(&e));
        // Nobody waits any more where this fails.
        drop(sender.send(found));
    });
    receiver.recv_timeout(IDLE * 2).unwrap_or_else(|_| Err("its name was not resolved in time".to_owned()))
}

impl Read for TimedStream {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let idle = self.clock.now() + IDLE;
        loop {
            self.goes_on()?;
            match self.stream.read(bytes) {
                Err(e)
                    if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) && self.clock.now() < idle => {}
                other => return other,
            }
        }
    }
}

impl Write for TimedStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.goes_on()?;
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn who_drips_bytes_without_end_is_left() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            while stream.write_all(b"x").is_ok() {
                Clock::system().wait(Duration::from_millis(50));
            }
        });
        let (clock, start) = (Clock::system(), Clock::system().now());
        let mut dialled = TimedStream::to(&address, Duration::from_millis(800)).unwrap();
        let mut all = Vec::new();
        assert_eq!(dialled.read_to_end(&mut all).unwrap_err().kind(), ErrorKind::TimedOut);
        assert!(all.len() > 2 && clock.now() - start < Duration::from_secs(3), "{}", all.len());
    }
}
