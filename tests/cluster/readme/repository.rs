//! The stand-in charts in a chart repository on this machine, so that `substra/substra-backend` is found as by its users.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
};

use crate::site::{bed, chart};

/// The address of the repository, which is packed and served once for all stories.
pub(super) static ADDRESS: LazyLock<String> = LazyLock::new(|| {
    let folder = PathBuf::from(bed("DIR")).join(format!("repository-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    helm(&folder, &["package", &chart("substra-backend"), &chart("orchestrator")]);
    helm(&folder, &["repo", "index", ".", "--url", &address]);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let folder = folder.clone();
            std::thread::spawn(move || answer(&stream, &folder));
        }
    });
    address
});

fn helm(folder: &Path, args: &[&str]) {
    let mut helm = Command::new(format!("{}/helm4", bed("BIN")));
    let output = helm.args(args).current_dir(folder).env_clear().env("HOME", folder).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// One request for one file of the folder.
fn answer(mut stream: &TcpStream, folder: &Path) {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let first = lines.next().unwrap_or_default();
    lines.by_ref().take_while(|line| !line.is_empty()).for_each(drop);
    let name = first.split_whitespace().nth(1).and_then(|path| Path::new(path).file_name());
    let (status, body) = match name.map(|name| fs::read(folder.join(name))) {
        Some(Ok(body)) => ("200 OK", body),
        _ => ("404 Not Found", Vec::new()),
    };
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    drop(stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body)));
}
