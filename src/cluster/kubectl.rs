//! The calls of `kubectl`: objects by name, written from standard input, never by `apply`.

use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{Kubernetes, Object, ObjectRef, RealCluster, child::ChildOutput};
use crate::{
    failure::{Code, Exit, Failure, Result},
    text::mask,
};

/// A wrong namespace answers just as a missing right does, and is the more usual of the two.
pub(super) const FORBIDDEN: &str = "check --namespace and --kube-context; if they are right, ask the cluster's administrator for the Role that `helm substra-mtls role backend` (or orchestrator) prints";

impl Kubernetes for RealCluster {
    fn get(&self, wanted: &[ObjectRef]) -> Result<Vec<Object>> {
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let names: Vec<String> = wanted.iter().map(ObjectRef::to_string).collect();
        // The managed fields tell when an object's data were changed last.
        let mut args = vec!["get", "--output=json", "--ignore-not-found", "--show-managed-fields"];
        args.extend(names.iter().map(String::as_str));
        objects(&self.read(&args, "read objects of the namespace")?)
    }

    fn list(&self, resource: &str, selector: &str) -> Result<Vec<Object>> {
        let selector = format!("--selector={selector}");
        objects(&self.read(&["get", resource, "--output=json", &selector], &format!("list {resource}"))?)
    }

    fn access_review(&self, namespace: &str) -> Result<Value> {
        let review = json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview", "spec": {"namespace": namespace}});
        let bytes = Zeroizing::new(review.to_string().into_bytes());
        let reply = self.kubectl_read(&["create", "--validate=false", "--output=json", "--filename=-"], Some(bytes))?;
        let answer = objects(&ensure_success(&reply, "ask what this account may do")?.stdout)?;
        Ok(answer.first().map(|answer| answer.json()["status"].clone()).unwrap_or_default())
    }

    fn create(&self, object: &Object) -> Result<()> {
        self.write("create", object)
    }

    fn replace(&self, object: &Object) -> Result<()> {
        self.write("replace", object)
    }

    /// Of kubectl's ways to delete only the raw one sends preconditions.
    fn delete(&self, seen: &Object) -> Result<()> {
        let options = json!({"apiVersion": "v1", "kind": "DeleteOptions", "preconditions":
            {"uid": seen.uid(), "resourceVersion": seen.resource_version()}});
        let path = format!("--raw={}", seen.api_path());
        let bytes = Zeroizing::new(options.to_string().into_bytes());
        let reply = self.kubectl_write(&["delete", &path, "--filename=-"], Some(bytes))?;
        match ensure_success(&reply, &format!("delete {}", seen.reference())) {
            Err(failure) if failure.code != Code::NotFound => Err(failure),
            _ => Ok(()),
        }
    }

    fn annotate_template(&self, workload: &ObjectRef, key: &str, value: &str) -> Result<()> {
        let patch = json!({"spec": {"template": {"metadata": {"annotations": {key: value}}}}});
        let (name, patch) = (workload.to_string(), format!("--patch={patch}"));
        let reply = self.kubectl_write(&["patch", &name, "--type=merge", "--output=name", &patch], None)?;
        ensure_success(&reply, &format!("restart {workload}")).map(drop)
    }
}

impl RealCluster {
    /// What the API server would make of a new object.
    pub(super) fn created_in_dry_run(&self, object: &Value) -> Result<Object> {
        let bytes = Zeroizing::new(object.to_string().into_bytes());
        let args = ["create", "--validate=false", "--dry-run=server", "--output=json", "--filename=-"];
        let reply = self.kubectl_read(&args, Some(bytes))?;
        let made = objects(&ensure_success(&reply, "ask the API server for its time")?.stdout)?;
        Ok(made.into_iter().next().unwrap_or_else(|| Object::from(Value::Null)))
    }

    fn read(&self, args: &[&str], doing: &str) -> Result<Zeroizing<Vec<u8>>> {
        let reply = self.kubectl_read(args, None)?;
        ensure_success(&reply, doing)?;
        Ok(reply.stdout)
    }

    fn write(&self, verb: &str, object: &Object) -> Result<()> {
        let bytes = Zeroizing::new(object.json().to_string().into_bytes());
        // Client-side field checks would ask the server for its schema first; the server checks anyway.
        let mut reply =
            self.kubectl_write(&[verb, "--validate=false", "--output=name", "--filename=-"], Some(bytes))?;
        if !reply.success {
            reply.stderr = mask::without(&reply.stderr, &data_to_redact(object), &[&object.reference().name]);
        }
        ensure_success(&reply, &format!("{verb} {}", object.reference())).map(drop)
    }
}

/// What an object holds, which a refusal may quote: others may keep items of their own in it. Of a key no copy
/// is made; its lines are taken out of whatever a child says.
fn data_to_redact(object: &Object) -> Value {
    let items = object.keys().into_iter().filter(|key| *key != "tls.key");
    items.filter_map(|key| Some(String::from_utf8_lossy(&object.data(key)?).into_owned())).collect()
}

/// One object, a list of them, or nothing at all: kubectl prints each of these.
fn objects(stdout: &[u8]) -> Result<Vec<Object>> {
    if stdout.trim_ascii().is_empty() {
        return Ok(Vec::new());
    }
    let mut value: Value = serde_json::from_slice(stdout).map_err(|e| {
        Failure::new(Exit::Outside, Code::Kubectl, "kubectl gave something that is not JSON")
            .why(e.to_string())
            .next("check by hand that kubectl get -o json answers, then run the same command again")
    })?;
    Ok(match value.get_mut("items").map(Value::take) {
        Some(Value::Array(items)) => items.into_iter().map(Object::from).collect(),
        _ => vec![Object::from(value)],
    })
}

/// Tells apart what callers must tell apart, by the reason that the API server names.
fn ensure_success<'a>(reply: &'a ChildOutput, doing: &str) -> Result<&'a ChildOutput> {
    if reply.success {
        return Ok(reply);
    }
    let text = &reply.stderr;
    let code = if text.contains("(Forbidden)") || text.contains("is forbidden") {
        Code::Forbidden
    } else if text.contains("(AlreadyExists)") {
        Code::Exists
    } else if text.contains("(Conflict)") {
        Code::Conflict
    } else if text.contains("(NotFound)") {
        Code::NotFound
    } else {
        Code::Kubectl
    };
    Err(refused(code, doing).why(one_line(text)))
}

/// What an API server refuses: a real one and a simulated one say it alike.
pub(super) fn refused(code: Code, doing: &str) -> Failure {
    let next = match code {
        Code::Forbidden => FORBIDDEN,
        Code::Exists => "somebody made it meanwhile; run the same command again",
        Code::Conflict => "somebody changed it meanwhile; run the same command again",
        Code::NotFound => "check the namespace; run the same command again",
        _ => "check that kubectl reaches the cluster, then run the same command again",
    };
    Failure::new(Exit::Outside, code, format!("kubectl could not {doing}")).next(next)
}

/// A child's stderr as one line that can be read: of a long one the beginning and the end.
pub(super) fn one_line(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if lines.is_empty() { "it said nothing on stderr".to_owned() } else { abbreviated(lines.join(" / ")) }
}

/// How many characters are shown of each end of a long text.
const SHOWN_END: usize = 1000;

fn abbreviated(text: String) -> String {
    let count = text.chars().count();
    if count <= 2 * SHOWN_END {
        return text;
    }
    let (head, tail): (String, String) =
        (text.chars().take(SHOWN_END).collect(), text.chars().skip(count - SHOWN_END).collect());
    format!("{head} [{} characters left out] {tail}", count - 2 * SHOWN_END)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_cut_and_keeps_its_beginning_and_its_end() {
        assert_eq!(one_line("a\n\n b\n"), "a / b");
        let line = one_line(&format!("first\n{}\nlast", "é".repeat(8 << 20)));
        assert!(line.starts_with("first / ") && line.ends_with(" / last") && line.contains("characters left out"));
        assert!(line.chars().count() < 2100);
    }
}
