//! sops without keys: files that look encrypted, for tests of whatever reads and edits them.

use std::path::Path;

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::{
    cluster::sops::{Sops, SopsChange, cannot_decrypt, cannot_edit},
    failure::Result,
    values::{self, Setting},
};

/// Keeps the plain text, comments and all, in the part that the real one keeps for itself.
#[derive(Debug, Clone, Copy)]
pub struct SimulatedSops;

/// What the real one says of a file that was changed by hand.
const CHANGED: &str = "Error: MAC mismatch: the file was changed without sops";

impl SimulatedSops {
    /// A values file as this sops would encrypt it: keys can be read, values cannot.
    ///
    /// # Errors
    /// It is no values file.
    pub fn encrypt(plain: &[u8]) -> Result<String, values::Refusal> {
        let mut tree = encrypted(&values::read(plain)?);
        tree["sops"] =
            json!({"mac": encrypted(&json!(plain.len())), "plain": BASE64.encode(plain), "version": "0.0.0"});
        Ok(format!("{tree:#}\n"))
    }
}

impl Sops for SimulatedSops {
    fn decrypt(&self, file: &Path, text: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let plain = serde_json::from_slice::<Value>(text)
            .ok()
            .and_then(|tree| BASE64.decode(tree["sops"]["plain"].as_str()?).ok())
            .filter(|plain| Self::encrypt(plain).is_ok_and(|encrypted| encrypted.as_bytes() == text));
        plain.map(Zeroizing::new).ok_or_else(|| cannot_decrypt(file, text, CHANGED))
    }

    fn edit(&self, file: &Path, text: &[u8], changes: &[SopsChange]) -> Result<Vec<u8>> {
        let mut text = text.to_vec();
        for change in changes {
            let plain = self.decrypt(file, &text)?;
            let new = setting(change)
                .ok_or_else(|| "Error: cannot set this value at this path".to_owned())
                .and_then(|setting| values::edit(&plain, &[setting]).map_err(|refusal| refusal.to_string()))
                .and_then(|plain| Self::encrypt(&plain).map_err(|refusal| refusal.to_string()));
            text = new.map_err(|why| cannot_edit(file, &text, change, &why))?.into_bytes();
        }
        Ok(text)
    }
}

/// Every value as the real one shows it.
fn encrypted(value: &Value) -> Value {
    match value {
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), encrypted(value))).collect(),
        Value::Array(items) => items.iter().map(encrypted).collect(),
        scalar => json!(format!("ENC[AES256_GCM,data:{},iv:,tag:,type:str]", BASE64.encode(scalar.to_string()))),
    }
}

/// A change as the editor of values files takes it: a list grows by one item at a time.
fn setting(change: &SopsChange) -> Option<Setting> {
    let keys: Vec<&str> = change.path.iter().map_while(Value::as_str).collect();
    match (change.path.len() - keys.len(), &change.value) {
        (0, Some(Value::Bool(value))) => Some(Setting::set(&keys, *value)),
        (0, Some(Value::String(text))) => Some(Setting::set(&keys, text.as_str())),
        (0, None) => Some(Setting::remove(&keys)),
        (1, Some(Value::String(text))) => Some(Setting::include(&keys, text)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Code;

    #[test]
    fn what_is_encrypted_is_decrypted_edited_and_guarded() {
        let (file, plain) = (Path::new("v.yaml"), b"# ours\na: {b: secret}\n");
        let text = SimulatedSops::encrypt(plain).unwrap().into_bytes();
        assert!(values::is_encrypted(&text) && !String::from_utf8_lossy(&text).contains("secret"));
        assert_eq!(*SimulatedSops.decrypt(file, &text).unwrap(), plain);
        let change = |path: &[Value], value| SopsChange { path: path.to_vec(), value: Some(value) };
        let changes = [change(&[json!("a"), json!("c")], json!(true)), change(&[json!("d"), json!(0)], json!("x"))];
        let new = SimulatedSops.edit(file, &text, &changes).unwrap();
        assert_eq!(*SimulatedSops.decrypt(file, &new).unwrap(), b"# ours\na: {b: secret, c: true}\nd:\n  - x\n");
        let deeper = change(&["a", "b", "c"].map(|key| json!(key)), json!(true));
        assert_eq!(SimulatedSops.edit(file, &text, &[deeper]).unwrap_err().code, Code::Sops);
        let changed = String::from_utf8_lossy(&text).replace("\"b\"", "\"c\"");
        assert_eq!(SimulatedSops.decrypt(file, changed.as_bytes()).unwrap_err().code, Code::Sops);
    }
}
