//! What happens to the requests: what clients, the upstream, called clusters and the clock do.

use std::time::Duration;

use super::super::{Failure, Headers, Machine, State};
use super::{Action, Cost, Stream};

const CONTINUE: u32 = 0;

/// What became of a call into the module: nothing, or how it trapped.
type Done = Result<(), String>;

fn size(length: usize) -> u32 {
    u32::try_from(length).expect("small")
}

impl Machine {
    /// Runs a callback of `context`, then what it asked for.
    pub(in crate::vm) fn run<P: wasmtime::WasmParams, R: wasmtime::WasmResults>(
        &mut self,
        context: u32,
        callback: &'static str,
        parameters: P,
    ) -> Result<R, String> {
        let (fuel, streams) = (self.instructions(), &mut self.state().streams);
        let saved = (streams.current, streams.effective, streams.queued);
        (streams.current, streams.effective, streams.queued) = (context, 0, 0);
        streams.depth += 1;
        streams.deepest = streams.deepest.max(streams.depth);
        let result = self.call::<P, R>(callback, parameters);
        let (spent, streams) = (self.instructions() - fuel, &mut self.state().streams);
        streams.costs.push(Cost { callback, instructions: spent, settled: streams.queued });
        (streams.current, streams.effective, streams.queued) = saved;
        let mut done = result.as_ref().map(drop).map_err(Clone::clone);
        while let (Ok(()), Some(action)) = (&done, self.state().streams.queue.pop_front()) {
            done = self.carry_out(&action);
        }
        self.state().streams.depth -= 1;
        done.and(result)
    }

    fn carry_out(&mut self, action: &Action) -> Done {
        let (Action::Reply(id) | Action::Resume(id)) = *action;
        let stream = self.stream(id);
        if stream.gone || stream.answered {
            return Ok(());
        }
        let Action::Reply(_) = action else {
            self.pass(id);
            let behind = std::mem::take(&mut self.stream(id).behind);
            if !behind.body.is_empty() || behind.end {
                self.deliver(id, &behind.body, behind.end)?;
            }
            return behind.trailers.map_or(Ok(()), |trailers| self.deliver_trailers(id, trailers));
        };
        stream.answered = true;
        self.response_begins(id)?;
        if self.state().streams.ends_at_once { self.hang_up(id) } else { Ok(()) }
    }

    fn response_begins(&mut self, id: u32) -> Done {
        let flow: u32 = self.run(id, "proxy_on_response_headers", (id, 1_u32, 0_u32))?;
        if flow != CONTINUE {
            self.state().streams.complain(id, "a response to it is held back");
        }
        Ok(())
    }

    fn stream(&mut self, id: u32) -> &mut Stream {
        self.state().streams.each.get_mut(&id).expect("a stream")
    }

    /// Its head goes on, and what is there of the rest.
    fn pass(&mut self, id: u32) {
        let stream = self.stream(id);
        (stream.passed, stream.open) = (true, (false, false));
        stream.trailers_passed = stream.trailers.is_some();
        stream.body.clear();
    }

    /// Does what the answer of a callback says. `passed` is what held before it.
    fn heed(&mut self, id: u32, flow: u32, passed: bool, is_head: bool) {
        let stream = self.stream(id);
        let refused = !stream.replies.is_empty() || stream.reply_failed;
        let wrong = match (flow == CONTINUE, passed) {
            (true, _) if refused => Some("Continue though it was answered"),
            (true, false) if !is_head => Some("Continue though it waits"),
            (false, true) if !refused => Some("it was let go on and is held back"),
            _ => None,
        };
        if flow == CONTINUE && !stream.answered {
            self.pass(id);
        }
        wrong.into_iter().for_each(|wrong| self.state().streams.complain(id, wrong));
    }

    /// A request begins; its number.
    ///
    /// # Errors
    /// How the module trapped, here and below.
    pub fn open(&mut self, root: u32, head: Headers, complete: bool) -> Result<u32, String> {
        self.next += 1;
        let (id, count) = (self.next, size(head.len()));
        let received = head.iter().map(|(name, value)| (name.len() + value.len()) as u64).sum();
        // A few of them share a connection.
        let connection = u64::from(id / 4);
        let open = (true, false);
        let stream = Stream { root, head, complete, connection, received, open, ..Stream::default() };
        self.state().streams.each.insert(id, stream);
        self.run::<_, ()>(id, "proxy_on_context_create", (id, root))?;
        let flow: u32 = self.run(id, "proxy_on_request_headers", (id, count, u32::from(complete)))?;
        self.heed(id, flow, false, true);
        Ok(id)
    }

    /// More of its body comes.
    ///
    /// # Errors
    /// See [`open`](Self::open).
    pub fn send(&mut self, id: u32, piece: &[u8], complete: bool) -> Done {
        let holds_all = self.state().streams.holds_all;
        let stream = self.stream(id);
        if stream.gone || stream.complete {
            return Ok(());
        }
        stream.complete = complete;
        stream.received += piece.len() as u64;
        if holds_all && !stream.passed && !stream.answered {
            stream.behind.body.extend(piece);
            stream.behind.end = complete;
            return Ok(());
        }
        self.deliver(id, piece, complete)
    }

    fn deliver(&mut self, id: u32, piece: &[u8], complete: bool) -> Done {
        let stream = self.stream(id);
        stream.body.extend(piece);
        let (length, passed) = (size(stream.body.len()), stream.passed);
        let flow: u32 = self.run(id, "proxy_on_request_body", (id, length, u32::from(complete)))?;
        self.heed(id, flow, passed, false);
        Ok(())
    }

    /// Its trailers come.
    ///
    /// # Errors
    /// See [`open`](Self::open).
    pub fn finish(&mut self, id: u32, trailers: Headers) -> Done {
        let holds_all = self.state().streams.holds_all;
        let stream = self.stream(id);
        if stream.gone || stream.complete {
            return Ok(());
        }
        stream.complete = true;
        if holds_all && !stream.passed && !stream.answered {
            stream.behind.trailers = Some(trailers);
            return Ok(());
        }
        self.deliver_trailers(id, trailers)
    }

    fn deliver_trailers(&mut self, id: u32, trailers: Headers) -> Done {
        let (count, stream) = (size(trailers.len()), self.stream(id));
        (stream.trailers, stream.open.1) = (Some(trailers), true);
        stream.in_trailers = true;
        let passed = stream.passed;
        let flow: u32 = self.run(id, "proxy_on_request_trailers", (id, count))?;
        self.stream(id).in_trailers = false;
        self.heed(id, flow, passed, false);
        Ok(())
    }

    /// The upstream answers it, if it went on.
    ///
    /// # Errors
    /// See [`open`](Self::open).
    pub fn upstream_answers(&mut self, id: u32) -> Done {
        let stream = self.stream(id);
        if stream.passed && !stream.answered && !stream.gone { self.response_begins(id) } else { Ok(()) }
    }

    /// It is over, on either side's part.
    ///
    /// # Errors
    /// See [`open`](Self::open).
    pub fn hang_up(&mut self, id: u32) -> Done {
        if std::mem::replace(&mut self.stream(id).gone, true) {
            return Ok(());
        }
        self.state().calls.retain(|call| call.context != id);
        self.run(id, "proxy_on_delete", (id,))
    }

    /// A body and trailers of a request that was never announced; what they were answered with.
    ///
    /// # Errors
    /// See [`open`](Self::open).
    pub fn strange(&mut self) -> Result<[u32; 2], String> {
        let id = u32::MAX;
        Ok([
            self.run(id, "proxy_on_request_body", (id, 1_u32, 1_u32))?,
            self.run(id, "proxy_on_request_trailers", (id, 1_u32))?,
        ])
    }

    /// A root context gets a tick, if it wants to be.
    ///
    /// # Errors
    /// See [`open`](Self::open).
    pub fn tick_root(&mut self, root: u32) -> Done {
        let period = self.state().streams.periods.get(&root).copied().unwrap_or_default();
        if period == 0 { Ok(()) } else { self.run(root, "proxy_on_tick", (root,)) }
    }

    /// A call of this place among those that are open is answered.
    ///
    /// # Errors
    /// See [`open`](Self::open).
    pub fn respond(&mut self, place: usize, headers: Headers, body: &[u8]) -> Done {
        let Some(call) = self.state().calls.remove(place) else { return Ok(()) };
        let (count, length) = (size(headers.len()), size(body.len()));
        self.state().answer = (headers, body.to_vec());
        let parameters = (call.context, call.id, count, length, 0_u32);
        self.run(call.context, "proxy_on_http_call_response", parameters)
    }

    /// A root context gets another configuration.
    ///
    /// # Errors
    /// If the plugin refuses it, or traps.
    pub fn configure_again(&mut self, root: u32, configuration: Vec<u8>) -> Result<(), Failure> {
        self.state().configuration = configuration;
        self.configure_root(root)
    }

    /// A root context is over.
    ///
    /// # Errors
    /// See [`open`](Self::open).
    pub fn end_root(&mut self, root: u32) -> Done {
        self.state().calls.retain(|call| call.context != root);
        self.run::<_, ()>(root, "proxy_on_delete", (root,))?;
        self.state().streams.roots.remove(&root);
        self.state().streams.periods.remove(&root);
        Ok(())
    }

    /// The host, to look at.
    #[must_use]
    pub fn host(&self) -> &State {
        self.store.data()
    }

    /// The root context that requests to come belong to.
    #[must_use]
    pub fn root(&self) -> u32 {
        self.root
    }

    /// Time goes by.
    pub fn wait(&mut self, time: Duration) {
        self.state().now += time;
    }
}
