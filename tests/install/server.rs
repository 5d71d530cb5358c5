//! A small https server with a CA of its own, which answers as the test tells it.

use std::{
    collections::BTreeMap,
    io::{Read, Write},
    net::TcpListener,
    path::PathBuf,
    process::Command,
    sync::{Arc, Mutex},
};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::{
    ServerConfig, ServerConnection, Stream,
    crypto::aws_lc_rs::default_provider,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use tempfile::TempDir;

#[derive(Clone)]
pub(crate) enum Answer {
    Body(Vec<u8>),
    /// Promises the whole and ends in the middle.
    CutOff(Vec<u8>),
    MovedTo(String),
}

pub(crate) struct Server {
    pub(crate) url: String,
    folder: TempDir,
    answers: Arc<Mutex<BTreeMap<String, Answer>>>,
    /// The paths that were asked for.
    pub(crate) asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = Arc::new(config(&folder));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("https://127.0.0.1:{}", listener.local_addr().unwrap().port());
        let server = Self { url, folder, answers: Arc::default(), asked: Arc::default() };
        let (answers, asked) = (Arc::clone(&server.answers), Arc::clone(&server.asked));
        // It ends with the test's process.
        std::thread::spawn(move || {
            for socket in listener.incoming() {
                let (answers, asked, config) = (Arc::clone(&answers), Arc::clone(&asked), Arc::clone(&config));
                std::thread::spawn(move || {
                    let (mut socket, mut tls) = (socket.unwrap(), ServerConnection::new(config).unwrap());
                    let mut stream = Stream::new(&mut tls, &mut socket);
                    // A client that does not like our certificate goes away in the middle.
                    if let Some(path) = request(&mut stream) {
                        let answer = answers.lock().unwrap().get(&path).cloned();
                        asked.lock().unwrap().push(path);
                        drop(reply(&mut stream, answer));
                        tls.send_close_notify();
                        drop(tls.complete_io(&mut socket));
                    }
                });
            }
        });
        server
    }

    pub(crate) fn serve(&self, path: impl Into<String>, answer: Answer) {
        self.answers.lock().unwrap().insert(path.into(), answer);
    }

    /// Lets curl and wget trust the server, by their own settings; the installer has none for that.
    pub(crate) fn trusted(&self, command: &mut Command) {
        command.env("CURL_CA_BUNDLE", self.ca()).env("WGETRC", self.folder.path().join("wgetrc"));
    }

    pub(crate) fn ca(&self) -> PathBuf {
        self.folder.path().join("ca.crt")
    }
}

fn config(folder: &TempDir) -> ServerConfig {
    let (ca_key, key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let mut ca = CertificateParams::new(Vec::new()).unwrap();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    // Otherwise it has the leaf's name, which then passes for self-signed.
    ca.distinguished_name.push(DnType::CommonName, "tests");
    let ca_file = folder.path().join("ca.crt");
    std::fs::write(&ca_file, ca.self_signed(&ca_key).unwrap().pem()).unwrap();
    std::fs::write(folder.path().join("wgetrc"), format!("ca_certificate = {}\n", ca_file.display())).unwrap();
    crate::shells::open(folder.path());
    let issuer = Issuer::new(ca, ca_key);
    let leaf = CertificateParams::new(vec!["127.0.0.1".into()]).unwrap().signed_by(&key, &issuer).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], key)
        .unwrap()
}

/// The path that is asked for.
fn request(stream: &mut impl Read) -> Option<String> {
    let (mut text, mut byte) = (Vec::new(), [0]);
    while !text.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        text.push(byte[0]);
    }
    Some(String::from_utf8(text).ok()?.split(' ').nth(1)?.to_owned())
}

fn reply(stream: &mut impl Write, answer: Option<Answer>) -> std::io::Result<()> {
    let (head, body, length) = match answer {
        Some(Answer::Body(body)) => ("200 OK".to_owned(), body.clone(), body.len()),
        Some(Answer::CutOff(body)) => ("200 OK".to_owned(), body[..body.len() / 2].to_vec(), body.len()),
        Some(Answer::MovedTo(url)) => (format!("302 Found\r\nLocation: {url}"), Vec::new(), 0),
        None => ("404 Not Found".to_owned(), Vec::new(), 0),
    };
    write!(stream, "HTTP/1.1 {head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n")?;
    stream.write_all(&body)?;
    stream.flush()
}
