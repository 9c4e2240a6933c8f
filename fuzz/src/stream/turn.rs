//! A turn of the loops of Envoy's threads: what was scheduled, and answers to calls.

use std::ptr::null;

use super::World;
use super::config::{Config, key_set};
use super::envoy::{self, Bytes, Call, Event, Header, pair};
use super::hooks::{
    envoy_dynamic_module_on_http_filter_config_http_callout_done,
    envoy_dynamic_module_on_http_filter_config_scheduled, envoy_dynamic_module_on_http_filter_scheduled,
};
use super::threads::on_main;

/// What Envoy says of a call that was not answered: it was reset, or the answer is too long.
const FAILURES: [u32; 2] = [1, 2];

impl World {
    /// The loops of the main thread and of this worker once. `how`: which is first, and which calls are answered how.
    pub(super) fn turn(&mut self, how: usize) {
        let (mut first, mut second): (Vec<Event>, Vec<Event>) =
            envoy::events().into_iter().partition(|event| matches!(event, Event::Config(_)));
        if how & 64 != 0 {
            std::mem::swap(&mut first, &mut second);
        }
        for event in first.into_iter().chain(second) {
            match event {
                // One that is over meanwhile is not there: Envoy drops what was scheduled for it.
                Event::Stream(id) => self.wake_stream(id),
                Event::Config(id) => self.wake_config(id),
            }
            self.judge_all();
        }
        let mut calls = envoy::calls();
        match how >> 4 & 3 {
            0 => {}
            1 => calls.reverse(),
            // The others are under way still.
            2 => calls.drain(1.min(calls.len())..).for_each(envoy::begin_call),
            _ => calls.drain(..).for_each(envoy::begin_call),
        }
        for call in calls {
            self.answer_call(&call, how);
            self.judge_all();
        }
    }

    fn wake_stream(&self, id: u64) {
        let Some(pointer) = envoy::find(id) else {
            if self.requests.contains_key(&id) {
                // It is for the other worker.
                envoy::schedule(Event::Stream(id));
            }
            return;
        };
        // SAFETY: it is there.
        unsafe {
            let filter = envoy::stream(pointer).filter;
            envoy_dynamic_module_on_http_filter_scheduled(pointer, filter, 0);
        }
    }

    fn wake_config(&self, id: u64) {
        let Some(config) = self.config(id) else { return };
        // SAFETY: it is there.
        on_main(|| unsafe {
            envoy_dynamic_module_on_http_filter_config_scheduled(config.envoy, config.own, 0);
        });
    }

    fn config(&self, id: u64) -> Option<&Config> {
        self.configs.iter().find(|config| config.id == id)
    }

    /// Calls of a configuration that is over are called off.
    fn answer_call(&mut self, call: &Call, how: usize) {
        let Some(config) = self.config(call.config) else { return };
        let failed = how & 8 != 0;
        let status: &[u8] = if how & 1 == 0 { b"200" } else { b"500" };
        let pairs = [pair(b":status", status), pair(b"content-type", b"application/json")];
        let headers: Vec<Header> = pairs.iter().map(Header::of).collect();
        let body: Box<[u8]> = match how & 6 {
            0 if call.is_for_keys => key_set(),
            0 => br#"{"active": true, "sub": "machine"}"#[..].into(),
            2 => br#"{"active": false}"#[..].into(),
            4 => b"{"[..].into(),
            _ => vec![b'a'; 100_000].into(),
        };
        // Each piece is one of its own.
        let pieces: Vec<Box<[u8]>> = body.chunks(97).map(Into::into).collect();
        let chunks: Vec<Bytes> = pieces.iter().map(|piece| Bytes::of(piece)).collect();
        // SAFETY: what is lent is there for the call. There is nothing where the call failed.
        on_main(|| unsafe {
            let (envoy, own) = (config.envoy, config.own);
            if failed {
                let result = FAILURES[how >> 1 & 1];
                envoy_dynamic_module_on_http_filter_config_http_callout_done(
                    envoy,
                    own,
                    call.id,
                    result,
                    null(),
                    0,
                    null(),
                    0,
                );
            } else {
                envoy_dynamic_module_on_http_filter_config_http_callout_done(
                    envoy,
                    own,
                    call.id,
                    0,
                    headers.as_ptr(),
                    headers.len(),
                    chunks.as_ptr(),
                    chunks.len(),
                );
            }
        });
        self.was_told_good |= !failed && !call.is_for_keys && how & 7 == 0;
    }
}
