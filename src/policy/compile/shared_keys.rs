//! Two schemes with a key in common: a token of one may be a token of the other.

use std::rc::Rc;

use super::Compiler;
use crate::config::Path;
use crate::keys::VerificationKey;
use crate::policy::scheme::{Scheme, SchemeKind, TokenUsers};
use crate::token::{Issuer, Keys, TrustAnchor};

/// What a scheme's tokens are known by.
struct Tokens<'s> {
    name: &'s str,
    issuers: &'s [Issuer],
    audiences: Option<&'s [String]>,
    users: Option<&'s TokenUsers>,
    issues: bool,
}

impl Compiler<'_> {
    /// A name means one user in one directory and perhaps another user in another. So where the filter signs tokens for one
    /// of them, those of the other must be distinguished by more than their key.
    pub(super) fn check_shared_keys(&self, schemes: &[Scheme]) {
        let tokens: Vec<Tokens<'_>> = schemes.iter().filter_map(|scheme| self.tokens(scheme)).collect();
        for (index, one) in tokens.iter().enumerate() {
            for other in tokens.iter().skip(index.saturating_add(1)) {
                // The one that issues is the one to mend.
                let (own, other) = if one.issues { (one, other) } else { (other, one) };
                if own.issues && own.may_be_taken_for(other) {
                    let path = Path::Root.key("schemes");
                    let path = path.key(own.name);
                    let message = format!(
                        "has a key in common with `{}`, whose `users` are others: a token of one would be a token of the \
                         other; give each a key of its own, or another `issuer` or other `audiences`",
                        other.name
                    );
                    self.errors.add(&path.key("jwt"), message);
                } else if own.issues && own.outlives_its_users_at(other) {
                    let path = Path::Root.key("schemes");
                    let path = path.key(other.name);
                    let message = format!(
                        "has a key in common with `{}` and no `users`: a token that is issued there is accepted here \
                         also when its user is disabled or gone; name `users`, or other `audiences`",
                        own.name
                    );
                    self.warnings.add(&path.key("jwt"), message);
                }
            }
        }
    }

    fn tokens<'s>(&self, scheme: &'s Scheme) -> Option<Tokens<'s>> {
        let SchemeKind::Token { verifier, users, .. } = &scheme.kind else { return None };
        let (TrustAnchor::Issuers(issuers), audiences) = verifier.accepts() else { return None };
        let issues = self.token_endpoints.iter().any(|endpoint| endpoint.scheme == scheme.name);
        Some(Tokens { name: &scheme.name, issuers, audiences, users: users.as_ref(), issues })
    }
}

impl Tokens<'_> {
    /// Whether `other` takes the tokens of `self` without a look at their users.
    fn outlives_its_users_at(&self, other: &Self) -> bool {
        self.users.is_some() && other.users.is_none() && self.shares_tokens_with(other)
    }

    fn shares_tokens_with(&self, other: &Self) -> bool {
        let pairs = self.issuers.iter().flat_map(|own| other.issuers.iter().map(move |other| (own, other)));
        pairs.into_iter().any(|(own, theirs)| share_a_key(own, theirs) && self.passes(own, other, theirs))
    }

    fn may_be_taken_for(&self, other: &Self) -> bool {
        let (Some(own_users), Some(other_users)) = (self.users, other.users) else { return false };
        let pairs =
            || self.issuers.iter().flat_map(|own| other.issuers.iter().map(move |other| (own, other)));
        !Rc::ptr_eq(&own_users.directory, &other_users.directory)
            && pairs().any(|(own, theirs)| {
                share_a_key(own, theirs)
                    && (self.passes(own, other, theirs) || other.passes(theirs, self, own))
            })
    }

    /// Whether a token of `self` by `issuer` has the `iss` and the `aud` that `other` wants to see.
    fn passes(&self, issuer: &Issuer, other: &Self, wanted: &Issuer) -> bool {
        // What comes from elsewhere may say more than what is asked for.
        let unsaid = !self.issues;
        let issuer_passes = match (&issuer.name, &wanted.name) {
            (_, None) => true,
            (Some(own), Some(wanted)) => own == wanted,
            (None, Some(_)) => unsaid,
        };
        let audience_passes = match (self.audiences, other.audiences) {
            (_, None) => true,
            (Some(own), Some(wanted)) => own.iter().any(|audience| wanted.contains(audience)),
            (None, Some(_)) => unsaid,
        };
        issuer_passes && audience_passes
    }
}

fn share_a_key(one: &Issuer, other: &Issuer) -> bool {
    match (&one.keys, &other.keys) {
        (Keys::Fixed(one_keys), Keys::Fixed(other_keys)) => {
            let counts = |issuer: &Issuer, key: &VerificationKey| {
                issuer.algorithms.as_ref().is_none_or(|accepted| accepted.contains(&key.algorithm()))
            };
            let others = || other_keys.all().iter().filter(|key| counts(other, key));
            one_keys
                .all()
                .iter()
                .filter(|key| counts(one, key))
                .any(|key| others().any(|other| key.is_same(other)))
        }
        // What will be fetched is not known, and nothing is signed with it here.
        (Keys::Fetched(_), _) | (_, Keys::Fetched(_)) => false,
    }
}
