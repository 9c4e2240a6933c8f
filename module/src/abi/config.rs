//! A configuration, and what wakes it from another thread.

use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::time::Duration;

use smallvec::SmallVec;

use super::*;

/// What kind of stat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It only grows.
    Counter,
    /// It has a value.
    Gauge,
}

/// A configuration as Envoy has it. Stats can be changed from any thread on which it is known to be there, the
/// rest is for hooks on the main thread.
pub struct ConfigHandle(AtomicPtr<c_void>);

impl ConfigHandle {
    /// # Safety
    /// The configuration is one of Envoy's, and is there until it is [ended](Self::end).
    pub(super) unsafe fn new(config: Envoy) -> Self {
        Self(AtomicPtr::new(config))
    }

    fn get(&self) -> Option<Envoy> {
        Some(self.0.load(Ordering::Acquire)).filter(|config| !config.is_null())
    }

    /// The configuration is over.
    pub(super) fn end(&self) {
        self.0.store(null_mut(), Ordering::Release);
    }

    /// Makes a stat with these labels, while the configuration is made; gives its number.
    pub fn define(&self, kind: Kind, name: &str, labels: &[&str]) -> Option<usize> {
        let config = self.get()?;
        let mut labels: SmallVec<[Bytes; 4]> = labels.iter().map(|text| bytes(text.as_bytes())).collect();
        let mut id = 0;
        let define = match kind {
            Kind::Counter => envoy_dynamic_module_callback_http_filter_config_define_counter,
            Kind::Gauge => envoy_dynamic_module_callback_http_filter_config_define_gauge,
        };
        let name = bytes(name.as_bytes());
        // SAFETY: the configuration is there. Envoy copies name and labels, and writes through a valid pointer.
        let status = unsafe { define(config, name, labels.as_mut_ptr(), labels.len(), &raw mut id) };
        (status == 0).then_some(id)
    }

    /// Changes a stat; says whether this Envoy can.
    pub fn change_stat(&self, id: usize, labels: &[&str], change: Change) -> bool {
        let (function, value) = match change {
            Change::Count(by) => (newer().increment_counter, by),
            Change::Grow(by) => (newer().increment_gauge, by),
            Change::Shrink(by) => (newer().decrement_gauge, by),
            Change::Set(value) => (newer().set_gauge, value),
        };
        let (Some(function), Some(config)) = (function, self.get()) else { return false };
        let mut labels: SmallVec<[Bytes; 4]> = labels.iter().map(|text| bytes(text.as_bytes())).collect();
        // SAFETY: the configuration is there, and Envoy reads the labels during the call.
        unsafe { function(config, id, labels.as_mut_ptr(), labels.len(), value) };
        true
    }

    /// Begins a call of a cluster; gives its number.
    ///
    /// # Errors
    /// What Envoy says instead.
    pub fn call(
        &self,
        cluster: &str,
        headers: &[(String, String)],
        body: &[u8],
        timeout: Duration,
    ) -> Result<u64, &'static str> {
        let callout = newer().callout.ok_or("this Envoy makes no calls for modules")?;
        let config = self.get().ok_or("the configuration is over")?;
        let to_header = |(name, value): &(String, String)| Header::of(name.as_bytes(), value.as_bytes());
        let mut headers: SmallVec<[Header; 8]> = headers.iter().map(to_header).collect();
        let milliseconds = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
        let mut id = 0;
        // SAFETY: the configuration is there. Envoy copies all of it, and writes through a valid pointer.
        let status = unsafe {
            callout(
                config,
                &raw mut id,
                bytes(cluster.as_bytes()),
                headers.as_mut_ptr(),
                headers.len(),
                bytes(body),
                milliseconds,
            )
        };
        match status {
            0 => Ok(id),
            1 => Err("a header is missing"),
            2 => Err("there is no such cluster"),
            4 => Err("it has no healthy host, or lets no more requests through"),
            _ => Err("Envoy refuses"),
        }
    }

    /// What wakes it from another thread.
    pub fn scheduler(&self) -> Option<ConfigScheduler> {
        let config = self.get()?;
        // SAFETY: the configuration is there.
        let scheduler = unsafe { envoy_dynamic_module_callback_http_filter_config_scheduler_new(config) };
        (!scheduler.is_null()).then_some(ConfigScheduler(scheduler))
    }
}

/// Wakes a configuration, from any thread.
pub struct ConfigScheduler(Envoy);

// SAFETY: Envoy's scheduler may be used from any thread; it is deleted by the one that owns it.
unsafe impl Send for ConfigScheduler {}

impl ConfigScheduler {
    /// Has the hook for scheduled events called on the main thread, unless the configuration is over.
    pub fn wake(&self) {
        // SAFETY: it is there until it is dropped.
        unsafe { envoy_dynamic_module_callback_http_filter_config_scheduler_commit(self.0, 0) };
    }
}

impl Drop for ConfigScheduler {
    fn drop(&mut self) {
        // SAFETY: nothing uses it any more.
        unsafe { envoy_dynamic_module_callback_http_filter_config_scheduler_delete(self.0) };
    }
}
