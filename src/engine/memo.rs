//! What was found out about a request before, when it is decided again.

use std::cell::RefCell;

use crate::fetch::TokenDigests;
use crate::login::DeferredLogin;
use crate::policy::SchemeId;

/// Of one request: the digests of its tokens, and its passwords that are hashed on another thread.
#[derive(Debug, Default)]
pub struct RequestMemo {
    /// Each computed once.
    pub digests: TokenDigests,
    /// A list that takes no room while it is empty: nearly every request is decided once.
    logins: RefCell<Vec<(SchemeId, DeferredLogin)>>,
}

impl RequestMemo {
    /// The login that it presents to a scheme, if it was begun. It presents the same one each time.
    pub(super) fn login(&self, scheme: SchemeId) -> Option<DeferredLogin> {
        self.logins.borrow().iter().find(|(own, _)| *own == scheme).map(|(_, login)| login.clone())
    }

    /// The first that was begun, with its scheme.
    #[must_use]
    pub fn first_login(&self) -> Option<(SchemeId, DeferredLogin)> {
        self.logins.borrow().first().cloned()
    }

    /// Whether none was begun.
    pub(super) fn has_no_login(&self) -> bool {
        self.logins.borrow().is_empty()
    }

    pub(super) fn set_login(&self, scheme: SchemeId, login: DeferredLogin) {
        let mut logins = self.logins.borrow_mut();
        logins.retain(|(own, _)| *own != scheme);
        logins.push((scheme, login));
    }
}
