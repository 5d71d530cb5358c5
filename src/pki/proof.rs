//! A renewal's proof: a signature over the request by the key of the certificate that it renews (CMS, RFC 5652).

mod form;

use der::{
    Any, Decode, Encode,
    asn1::{ObjectIdentifier, OctetString, SetOfVec},
};
use x509_cert::{attr::Attribute, spki::SubjectPublicKeyInfoOwned};

use self::form::{Content, ContentInfo, Digest, IssuerAndSerial, Parts, SignedData, Signer, SignerId};
use super::{encode, inspect::Certificate, key::PrivateKey, oid, pem, spki::PublicKey};
use crate::failure::{Code, Exit, Failure};

/// The PEM label of a proof (RFC 7468, section 9).
pub(super) const LABEL: &str = "CMS";

/// A signature over a request that holds. Whether its signer may vouch for the request is for the policy to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The certificate with whose key it was signed.
    pub signer: Certificate,
}

/// Signs the DER of a request with the key of `certificate`: a block to stand behind the request's own in its file.
///
/// # Errors
/// Code `proof-not-made` when the key is not that of the certificate, or the proof does not verify; when signing fails.
pub fn create(request_der: &[u8], key: &PrivateKey, certificate: &Certificate) -> Result<String, Failure> {
    let not_made = |why: String| {
        Failure::new(Exit::Failed, Code::ProofNotMade, "the proof of the renewal could not be made")
            .why(why)
            .next("have the request approved by its fingerprint; if it persists, report this as a bug")
    };
    if key.spki() != certificate.spki {
        return Err(not_made(format!("the key is not that of the certificate {}", certificate.serial)));
    }
    let digest = Digest::of(key.key_type());
    let signed = attributes(digest.over(request_der)).map_err(|error| not_made(error.to_string()))?;
    let signature = key.sign(&signed.to_der().map_err(|error| not_made(error.to_string()))?)?;
    let der = encoded(key, certificate, signed, &signature).map_err(|error| not_made(error.to_string()))?;
    read(request_der, &der).map_err(|failure| not_made(failure.why))?;
    pem::write(LABEL, &der)
}

fn attributes(message_digest: Vec<u8>) -> der::Result<SetOfVec<Attribute>> {
    let attribute = |oid: ObjectIdentifier, value: Any| -> der::Result<Attribute> {
        Ok(Attribute { oid, values: SetOfVec::try_from(vec![value])? })
    };
    SetOfVec::try_from(vec![
        attribute(oid::CONTENT_TYPE, Any::encode_from(&oid::DATA)?)?,
        attribute(oid::MESSAGE_DIGEST, Any::encode_from(&OctetString::new(message_digest)?)?)?,
    ])
}

fn encoded(
    key: &PrivateKey,
    certificate: &Certificate,
    signed: SetOfVec<Attribute>,
    signature: &[u8],
) -> der::Result<Vec<u8>> {
    let digest = Digest::of(key.key_type()).algorithm();
    let signer = Signer {
        version: 1,
        id: SignerId::IssuerAndSerial(IssuerAndSerial::of(certificate)?),
        digest: digest.clone(),
        signed: Some(signed),
        algorithm: encode::signature_algorithm(key.key_type())?,
        signature: OctetString::new(signature)?,
        unsigned: None,
    };
    let content = SignedData {
        version: 1,
        digests: SetOfVec::try_from(vec![digest])?,
        content: Content { content_type: oid::DATA, content: None },
        certificates: Some(SetOfVec::try_from(vec![Any::from_der(&certificate.der)?])?),
        crls: None,
        signers: SetOfVec::try_from(vec![Any::encode_from(&signer)?])?,
    };
    ContentInfo { content_type: oid::SIGNED_DATA, content }.to_der()
}

/// Reads a proof and verifies that it is over this request and was signed with the key of the certificate in it. Says
/// nothing of whether that certificate may vouch: [`policy::proof::vouches`](super::policy::proof::vouches) does.
///
/// # Errors
/// Codes `proof-form`, `proof-of-another-request`, `proof-signature`.
pub fn read(request_der: &[u8], cms_der: &[u8]) -> Result<Proof, Failure> {
    let refused = |code, what: &str, why: String| {
        Failure::new(Exit::Refused, code, what)
            .why(why)
            .next("ask the sender for the file again, as an attachment; or delete the block CMS from it, and compare the request's fingerprint")
    };
    let form = |why| refused(Code::ProofForm, "its proof is not a signature in the form of a renewal", why);
    let parts = form::read(cms_der).map_err(form)?;
    let key = SubjectPublicKeyInfoOwned::from_der(&parts.certificate.spki).map_err(|error| form(error.to_string()))?;
    let key = PublicKey::read(&key).map_err(|why| form(format!("of the certificate in it: {why}")))?;
    // SHA-256 is what every key may sign over, and what OpenSSL is told to use.
    if parts.digest != Digest::Sha256 && parts.digest != Digest::of(key.key_type) {
        return Err(form(format!("it is over another digest than SHA-256, with a key of {}", key.key_type)));
    }
    if parts.message_digest != parts.digest.over(request_der) {
        let why = "what it signs has another digest: the request was replaced, or was made and signed again";
        return Err(refused(Code::ProofOfAnotherRequest, "its proof is for another request", why.to_owned()));
    }
    let Parts { certificate: signer, signed, algorithm, signature, .. } = parts;
    key.verify(&algorithm, &signed, &signature)
        .map_err(|why| refused(Code::ProofSignature, "the signature of its proof does not verify", why.to_owned()))?;
    Ok(Proof { signer })
}
