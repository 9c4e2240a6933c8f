//! A request that goes on: its headers, what is told of it, and its route, which is chosen by both.

use super::http_filter::HttpFilter;
use super::{filter_state, metadata};
use crate::decision::{Allow, Denial};
use crate::host::{HostError, IS_NATIVE, Stream};
use crate::request::HeaderMutation;

impl HttpFilter {
    /// Makes of a request what goes on.
    ///
    /// # Errors
    /// The refusal, if the host does not do its part.
    pub(super) fn let_go(&self, stream: &dyn Stream, allow: &Allow) -> Result<(), Denial> {
        edit(stream, allow)?;
        let policy = self.worker.engine().policy();
        filter_state::set_for_allowed(stream, policy, allow);
        if IS_NATIVE {
            // One that is only spared is nobody's.
            let identity = allow.identity.as_deref().filter(|_| allow.shadow_denial.is_none());
            metadata::tell(stream, identity);
        }
        let is_changed = allow.mutations().next().is_some() || policy.filter_state;
        if IS_NATIVE && is_changed {
            stream.choose_route_again().map_err(|HostError(what)| {
                self.worker.warn_of_route(what);
                Denial::host_failure(what)
            })?;
        }
        Ok(())
    }
}

/// Edits the request's headers. One that could not be taken away is one that the client forged.
fn edit(stream: &dyn Stream, allow: &Allow) -> Result<(), Denial> {
    let identity = allow.identity.iter().flat_map(|identity| &identity.headers);
    let is_new = !allow.mutations.spoofs_identity;
    (allow.mutations.list.iter().try_for_each(|edit| apply(stream, edit, false)))
        .and_then(|()| identity.into_iter().try_for_each(|edit| apply(stream, edit, is_new)))
        .map_err(|_| Denial::host_failure("request headers cannot be edited"))
}

/// Makes one edit; `is_new`: there is no such header yet.
pub(super) fn apply(stream: &dyn Stream, edit: &HeaderMutation, is_new: bool) -> Result<(), HostError> {
    match edit {
        HeaderMutation::Remove(name) => stream.remove_request_header(name),
        HeaderMutation::Set(name, value) if is_new => stream.add_request_header(name.as_bytes(), value),
        HeaderMutation::Set(name, value) => stream.set_request_header(name.as_bytes(), value),
    }
}
