//! What was found out about a request before, when it is decided again.

use std::cell::RefCell;

use smallvec::SmallVec;

use crate::fetch::TokenDigests;
use crate::login::Login;
use crate::policy::SchemeId;

/// Of one request: the digests of its tokens, and its passwords that are hashed on another thread.
#[derive(Debug, Default)]
pub struct RequestMemo {
    /// Each computed once.
    pub digests: TokenDigests,
    logins: RefCell<SmallVec<[(SchemeId, Login); 1]>>,
}

impl RequestMemo {
    /// The password that it presents to a scheme, if it was begun to be hashed. It presents the same one each time.
    pub(super) fn login(&self, scheme: SchemeId) -> Option<Login> {
        self.logins.borrow().iter().find(|(own, _)| *own == scheme).map(|(_, login)| login.clone())
    }

    pub(super) fn add_login(&self, scheme: SchemeId, login: Login) {
        self.logins.borrow_mut().push((scheme, login));
    }
}
