//! Cases of the rules on proofs as they are: their form, what they are over, and whether their signature holds.

use substra_mtls::pki::inspect::Certificate;

use crate::{
    cms::*,
    forge::*,
    policy::Cases,
    scene::{NEXT, Scene, beside, proven},
};

pub(crate) fn all(cases: &mut Cases) {
    files(cases);
    forms(cases);
    signers(cases);
    attributes(cases);
    digests(cases);
    contents(cases);
}

/// The renewal of the first certificate of a federation, with a proof that `change` has altered.
struct Forged {
    request: Vec<u8>,
    certificate: Certificate,
}

impl Forged {
    fn new() -> Self {
        Self { request: of(&NEXT).der(), certificate: Scene::new().1 }
    }

    fn with(&self, change: impl FnOnce(Cms<'static>) -> Cms<'static>) -> Vec<u8> {
        beside(&self.request, &change(proof(&self.request, &KEY, &self.certificate)).der())
    }

    /// The attributes are those.
    fn attributes(&self, attributes: Vec<Vec<u8>>) -> Vec<u8> {
        self.with(|cms| Cms { attributes, ..cms })
    }
}

fn forms(cases: &mut Cases) {
    const CODE: &str = "proof-form";
    let forged = Forged::new();
    let Forged { request, certificate } = &forged;
    let whole = proof(request, &KEY, certificate).der();
    cases.accepts(CODE, "a proof in the one form", &beside(request, &whole));
    cases.refuses(CODE, "no structure", &beside(request, b"hello"));
    cases.refuses(CODE, "nothing", &beside(request, b""));
    cases.refuses(CODE, "bytes after its end", &beside(request, &[&whole[..], &[5, 0]].concat()));
    let mut long = vec![0x30, 0x83, 0];
    long.extend(&whole[2..]);
    cases.refuses(CODE, "a length in more bytes than it needs", &beside(request, &long));
    let indefinite = [&[0x30, 0x80], &whole[4..], &[0, 0]].concat();
    cases.refuses(CODE, "BER of indefinite length", &beside(request, &indefinite));
    cases.refuses(CODE, "CMS of another type", &forged.with(|cms| Cms { kind: oid("1.2.840.113549.1.7.3"), ..cms }));
    cases.refuses(CODE, "another version", &forged.with(|cms| Cms { version: 3, ..cms }));
    cases.refuses(CODE, "another version of its signer", &forged.with(|cms| Cms { signer_version: 3, ..cms }));
    let typed = seq(&[&oid("1.2.840.113549.1.9.16.1.4")]);
    cases.refuses(CODE, "content of another type", &forged.with(|cms| Cms { content: typed, ..cms }));
    let inside = seq(&[&oid(DATA), &tlv(0xa0, &tlv(4, request))]);
    cases.refuses(CODE, "the content inside", &forged.with(|cms| Cms { content: inside, ..cms }));
    let crls = tlv(0xa1, &seq(&[]));
    cases.refuses(CODE, "a revocation list inside", &forged.with(|cms| Cms { crls, ..cms }));
    cases.refuses(CODE, "an empty set of revocation lists", &forged.with(|cms| Cms { crls: vec![0xa1, 0], ..cms }));
}

fn signers(cases: &mut Cases) {
    const CODE: &str = "proof-form";
    let forged = Forged::new();
    let Forged { request, certificate } = &forged;
    let (scene, other) = Scene::new();
    cases.refuses(CODE, "no certificate inside", &forged.with(|cms| Cms { certificates: Vec::new(), ..cms }));
    cases.refuses(CODE, "an empty set of certificates", &forged.with(|cms| Cms { certificates: vec![0xa0, 0], ..cms }));
    let mut two = [certificate.der.clone(), scene.authority.certificate().der.clone()];
    two.sort();
    let two = tlv(0xa0, &two.concat());
    cases.refuses(CODE, "a second certificate inside", &forged.with(|cms| Cms { certificates: two, ..cms }));
    let attribute_certificate = tlv(0xa0, &tlv(0xa2, &certificate.der[4..]));
    let of_another_kind = forged.with(|cms| Cms { certificates: attribute_certificate, ..cms });
    cases.refuses(CODE, "a certificate of another kind", &of_another_kind);
    let spoilt = tlv(0xa0, &seq(&[&[2, 1, 1]]));
    cases.refuses(CODE, "a spoilt certificate", &forged.with(|cms| Cms { certificates: spoilt, ..cms }));
    cases.refuses(
        CODE,
        "the name of another certificate",
        &forged.with(|cms| Cms { id: issuer_and_serial(&other), ..cms }),
    );
    let by_id = |id: &[u8]| forged.with(|cms| Cms { id: tlv(0x80, id), version: 3, signer_version: 3, ..cms });
    cases.refuses(CODE, "another key identifier", &by_id(&[7; 20]));
    cases.accepts(CODE, "its own key identifier", &by_id(certificate.subject_key_id.as_ref().unwrap()));
    let by_id_of_1 = forged.with(|cms| Cms { id: tlv(0x80, certificate.subject_key_id.as_ref().unwrap()), ..cms });
    cases.refuses(CODE, "a key identifier in version 1", &by_id_of_1);
    let good = proof(request, &KEY, certificate);
    let mut both = [good.signer(), proof(request, &KEY, certificate).signer()];
    both.sort();
    let two = seq(&[
        &good.kind,
        &tlv(0xa0, &seq(&[&[2, 1, 1], &good.digests, &good.content, &good.certificates, &set(&[&both[0], &both[1]])])),
    ]);
    cases.refuses(CODE, "two signers", &beside(request, &two));
    let none = seq(&[
        &good.kind,
        &tlv(0xa0, &seq(&[&[2, 1, 1], &good.digests, &good.content, &good.certificates, &set(&[])])),
    ]);
    cases.refuses(CODE, "no signer", &beside(request, &none));
    let unsigned = tlv(0xa1, &signed("1.2.840.113549.1.9.5", &[&tlv(0x17, b"260304050607Z")]));
    cases.refuses(CODE, "attributes that nothing signs", &forged.with(|cms| Cms { unsigned, ..cms }));
}

fn attributes(cases: &mut Cases) {
    const CODE: &str = "proof-form";
    let forged = Forged::new();
    let (kind, digest) = (content_type(), message_digest(&forged.request));
    let time = signed("1.2.840.113549.1.9.5", &[&tlv(0x17, b"260304050607Z")]);
    cases.accepts(
        CODE,
        "a time, which nobody believes",
        &forged.attributes(vec![kind.clone(), time.clone(), digest.clone()]),
    );
    cases.refuses(CODE, "no signed attributes", &forged.attributes(Vec::new()));
    cases.refuses(CODE, "no contentType", &forged.attributes(vec![digest.clone()]));
    cases.refuses(CODE, "no messageDigest", &forged.attributes(vec![kind.clone()]));
    let twice = [digest.clone(), message_digest(b"another")];
    let mut twice = twice.to_vec();
    twice.sort();
    twice.insert(0, kind.clone());
    cases.refuses(CODE, "messageDigest twice", &forged.attributes(twice));
    let mut values = [tlv(4, &sha256(&forged.request)), tlv(4, &sha256(b"another"))];
    values.sort();
    let two = signed(MESSAGE_DIGEST, &[&values[0], &values[1]]);
    cases.refuses(CODE, "messageDigest with two values", &forged.attributes(vec![kind.clone(), two]));
    cases.refuses(
        CODE,
        "messageDigest without a value",
        &forged.attributes(vec![signed(MESSAGE_DIGEST, &[]), kind.clone()]),
    );
    let number = signed(MESSAGE_DIGEST, &[&[2, 1, 1]]);
    cases.refuses(CODE, "a messageDigest that is a number", &forged.attributes(vec![number, kind.clone()]));
    let wrong = signed(CONTENT_TYPE, &[&oid(SIGNED_DATA)]);
    cases.refuses(CODE, "a contentType of something else", &forged.attributes(vec![wrong, digest.clone()]));
    cases.refuses(CODE, "a set that is not in order", &forged.attributes(vec![digest.clone(), kind.clone()]));
}

fn digests(cases: &mut Cases) {
    const CODE: &str = "proof-form";
    let forged = Forged::new();
    let sha512 = seq(&[&oid("2.16.840.1.101.3.4.2.3")]);
    let sha384 = seq(&[&oid("2.16.840.1.101.3.4.2.2")]);
    let sha1 = seq(&[&oid("1.3.14.3.2.26")]);
    for (name, digest) in [("SHA-512", sha512), ("SHA-384", sha384.clone()), ("SHA-1", sha1)] {
        cases.refuses(CODE, name, &forged.with(|cms| Cms { digests: set(&[&digest]), digest, ..cms }));
    }
    let other = sha384.clone();
    cases.refuses(CODE, "a list without the digest", &forged.with(|cms| Cms { digests: set(&[&other]), ..cms }));
    cases.refuses(CODE, "an empty list of digests", &forged.with(|cms| Cms { digests: set(&[]), ..cms }));
    let own = seq(&[&oid(SHA256)]);
    let two = set(&[&own, &sha384]);
    cases.refuses(CODE, "two digests", &forged.with(|cms| Cms { digests: two, ..cms }));
    let parameters = seq(&[&oid(SHA256), &[2, 1, 1]]);
    cases.refuses(CODE, "a digest with parameters", &forged.with(|cms| Cms { digest: parameters, ..cms }));
    let nulls = seq(&[&oid(SHA256), &[5, 0]]);
    cases.accepts(
        CODE,
        "a digest with NULL",
        &forged.with(|cms| Cms { digests: set(&[&nulls]), digest: nulls, ..cms }),
    );
    let pss = seq(&[&oid("1.2.840.113549.1.1.10"), &[0x30, 0]]);
    cases.refuses(CODE, "RSA-PSS", &forged.with(|cms| Cms { algorithm: pss, ..cms }));
    let another = seq(&[&oid("1.2.840.10045.4.3.3")]);
    cases.refuses(CODE, "a signature over another digest", &forged.with(|cms| Cms { algorithm: another, ..cms }));
}

fn contents(cases: &mut Cases) {
    const OTHER: &str = "proof-of-another-request";
    const SIGNATURE: &str = "proof-signature";
    let forged = Forged::new();
    let Forged { request, certificate } = &forged;
    let whole = proof(request, &KEY, certificate).der();
    // Its signature differs at each making, so that it is another file for the same names.
    cases.refuses(OTHER, "the same request, signed again", &beside(&of(&NEXT).der(), &whole));
    cases.refuses(OTHER, "another key's request", &beside(&of(&RSA).der(), &whole));
    cases.refuses(
        OTHER,
        "a request with another host",
        &beside(&of(&NEXT).attributes(asks(&[&dns(&[HOST, "b.org-1.com"])])).der(), &whole),
    );
    cases.refuses(OTHER, "what it asks alone", &beside(request, &proof(&of(&NEXT).info(), &KEY, certificate).der()));
    let short = signed(MESSAGE_DIGEST, &[&tlv(4, &sha256(request)[..31])]);
    cases.refuses(OTHER, "a cut digest", &forged.attributes(vec![content_type(), short]));
    cases.accepts(OTHER, "its own request", &beside(request, &whole));

    cases.refuses(SIGNATURE, "another key", &beside(request, &proof(request, &NEXT, certificate).der()));
    let mut flipped = whole.clone();
    *flipped.last_mut().unwrap() ^= 1;
    cases.refuses(SIGNATURE, "a flipped signature", &beside(request, &flipped));
    let rsa = seq(&[&oid("1.2.840.113549.1.1.11"), &[5, 0]]);
    cases.refuses(SIGNATURE, "an RSA algorithm on an EC key", &forged.with(|cms| Cms { algorithm: rsa, ..cms }));
    let (_, other) = Scene::new();
    let swapped = forged.with(|cms| Cms { certificates: tlv(0xa0, &other.der), id: issuer_and_serial(&other), ..cms });
    cases.accepts(SIGNATURE, "two certificates of one key: the log tells them apart", &swapped);
    let of_another = Scene::empty().issue(&of(&NEXT).pem());
    let taken =
        forged.with(|cms| Cms { certificates: tlv(0xa0, &of_another.der), id: issuer_and_serial(&of_another), ..cms });
    cases.refuses(SIGNATURE, "the certificate of another key", &taken);
    cases.accepts(SIGNATURE, "its own signature", &beside(request, &whole));
}

fn files(cases: &mut Cases) {
    const PEM: &str = "request-not-one-pem";
    let (_, certificate) = Scene::new();
    let both = proven(&of(&NEXT), &KEY, &certificate);
    let text = String::from_utf8(both.clone()).unwrap();
    let at = text.find("-----BEGIN CMS").unwrap();
    let (request, proof) = text.split_at(at);
    cases.accepts(PEM, "a request and its proof", &both);
    cases.accepts(
        PEM,
        "both with text around, and CRLF",
        format!("Dear Ada,\n{request}\nand\n{proof}--\n").replace('\n', "\r\n").as_bytes(),
    );
    cases.refuses(PEM, "the proof first", format!("{proof}{request}").as_bytes());
    cases.refuses(PEM, "a proof alone", proof.as_bytes());
    cases.refuses(PEM, "two proofs", format!("{request}{proof}{proof}").as_bytes());
    cases.refuses(PEM, "two requests with a proof", format!("{request}{request}{proof}").as_bytes());
    cases.refuses(PEM, "a proof under another label", text.replace("CMS-----", "PKCS7-----").as_bytes());
    cases.refuses(PEM, "a request and a certificate", &[request.as_bytes(), certificate.to_pem().as_bytes()].concat());
    cases.refuses(
        PEM,
        "a proof with header lines",
        text.replace("BEGIN CMS-----\n", "BEGIN CMS-----\nA: b\n\n").as_bytes(),
    );
    cases.refuses(PEM, "a cut proof", &both[..both.len() - 10]);
}
