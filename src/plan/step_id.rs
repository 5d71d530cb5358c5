//! The ids of steps, and what each of them does.

use crate::ids::ids;

ids! {
    /// What kind of step it is, stable for scripts.
    pub enum StepId {
        /// Writes the CA's certificate into a file.
        CaCertificate = "ca-certificate",
        /// Writes the CA's key into a file of its own.
        CaKey = "ca-key",
        /// Makes the object of one more CA at the orchestrator.
        CaObject = "ca-object",
        /// Makes the Secret in which the CA lives in the cluster.
        CaSecret = "ca-secret",
        /// Makes or completes the object of the CA by which the server is verified.
        Cacert = "cacert",
        /// Writes a signed certificate into a file.
        Certificate = "certificate",
        /// Writes an organization's private key into a file.
        Key = "key",
        /// Notes what is issued in the issue log.
        Log = "log",
        /// Makes a namespace.
        Namespace = "namespace",
        /// Puts a client's key and certificate into its Secret.
        Pair = "pair",
        /// Makes the Secret of a key that waits for its certificate, or deletes it once the pair is in place.
        Pending = "pending",
        /// Removes the unfinished revision of a release whose helm is gone.
        Recover = "recover",
        /// Writes a certificate request into a file.
        Request = "request",
        /// Restarts workloads, which load at their start what has changed.
        Restart = "restart",
        /// Waits until the workloads are rolled out.
        Rollout = "rollout",
        /// Writes the server's certificate into a file.
        ServerCertificate = "server-certificate",
        /// Writes the server's private key into a file of its own.
        ServerKey = "server-key",
        /// Puts the server's key and certificate into its Secret.
        ServerPair = "server-pair",
        /// Upgrades the release.
        Upgrade = "upgrade",
        /// Edits the values files.
        Values = "values",
    }
}
