//! `role`: the Role that suffices on a side, and what binds it to an account, to be applied with kubectl.

mod args;
mod documents;
mod rules;

pub use self::args::RoleArgs;
use self::documents::Rights;
use crate::{
    cluster::ClusterTarget,
    command_line::CommandLine,
    failure::Next,
    names::Namespace,
    report::{Outcome, Stage},
};

/// Makes the two documents; no file and no cluster is looked at.
#[must_use]
pub fn run(args: &RoleArgs, namespace: Option<&Namespace>) -> Outcome {
    let rights = Rights::new(args.side, namespace, args.service_account.as_ref());
    let outcome = Outcome::new("role", Stage::Shown).result(&rights, rights.yaml());
    if args.service_account.is_some() {
        return outcome;
    }
    let target = ClusterTarget { namespace: namespace.map(ToString::to_string), ..ClusterTarget::default() };
    let create = CommandLine::kubectl().at(&target).with("create serviceaccount").word(&rights.service_account);
    let account = &rights.service_account;
    outcome
        .next(Next::from(format!("the rights are for the account {account}; if it does not exist: ")).command(create))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schemas;

    #[test]
    fn the_schema_of_role_is_kept() {
        schemas::is_kept::<Rights>(&["role"], &[Stage::Shown]);
    }
}
