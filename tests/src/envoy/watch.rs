//! What a running Envoy is worth: its memory, its counters, its access logs; and listeners changed under it.

use std::fs;
use std::time::{Duration, Instant};

use super::{Envoy, Listener, Options, bootstrap, module, write};
use crate::http::{self, Request};

/// Memory, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// What the process holds, code and V8 included (`VmRSS`).
    pub resident: u64,
    /// What Envoy itself has allocated (`/memory`), without V8.
    pub allocated: u64,
}

impl Envoy {
    /// Replaces the listeners of an Envoy that was [started](Envoy::start_dynamic) on a watched file.
    ///
    /// # Panics
    /// If the file cannot be written.
    pub fn replace(&self, listeners: &[Listener], options: &Options) {
        self.replace_text(&bootstrap::resources(listeners, options, &module()).to_string());
    }

    /// The same with text that need be no listeners at all.
    ///
    /// # Panics
    /// If the file cannot be written.
    pub fn replace_text(&self, text: &str) {
        self.move_in("lds.json", text);
    }

    /// Replaces the filter of listeners that [find it](Listener::discovered), and leaves the listeners as they are.
    ///
    /// # Panics
    /// If the file cannot be written.
    pub fn replace_filter(&self, listener: &Listener, options: &Options) {
        self.move_in("ecds.json", &bootstrap::extension(listener, options, &module()).to_string());
    }

    /// Envoy looks when a file is moved there, so that it never sees a half.
    fn move_in(&self, name: &str, text: &str) {
        let file = write(&self.dir, &format!("next.{name}"), text);
        fs::rename(file, self.dir.join(name)).expect("moved");
    }

    /// Asks the admin interface.
    ///
    /// # Panics
    /// If it does not answer.
    #[must_use]
    pub fn ask_admin(&self, path: &str) -> http::Response {
        http::send(self.admin(), &Request::get(path)).unwrap_or_else(|error| panic!("admin {path}: {error}"))
    }

    /// The access log of a listener, after Envoy has flushed it to hold `wanted`.
    #[must_use]
    pub fn access_log(&self, listener: &str, wanted: &str) -> String {
        let deadline = Instant::now() + Duration::from_secs(15);
        loop {
            let log = fs::read_to_string(self.dir.join(format!("{listener}.access.log")));
            let log = log.unwrap_or_default();
            if log.contains(wanted) || Instant::now() > deadline {
                return log;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// A counter or gauge; 0 where there is none of that name.
    #[must_use]
    pub fn stat(&self, name: &str) -> u64 {
        let answer = self.ask_admin(&format!("/stats?filter=^{}$", name.replace('.', "\\.")));
        let text = answer.text();
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        value.and_then(|value| value.trim().parse().ok()).unwrap_or(0)
    }

    /// The time of a processor that its threads have had until now.
    ///
    /// # Panics
    /// If the system does not tell.
    #[must_use]
    pub fn processor_time(&self) -> Duration {
        self.time_of_threads("")
    }

    /// The same of its workers alone.
    ///
    /// # Panics
    /// If the system does not tell.
    #[must_use]
    pub fn worker_time(&self) -> Duration {
        self.time_of_threads("wrk:worker")
    }

    fn time_of_threads(&self, prefix: &str) -> Duration {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.child.id())).expect("Linux's /proc");
        let of_task = |task: fs::DirEntry| {
            let name = fs::read_to_string(task.path().join("comm")).ok()?;
            let text = fs::read_to_string(task.path().join("schedstat")).ok()?;
            let time = text.split_whitespace().next()?.parse::<u64>().ok()?;
            name.starts_with(prefix).then_some(time)
        };
        Duration::from_nanos(tasks.flatten().filter_map(of_task).sum())
    }

    /// The memory that it holds now.
    ///
    /// # Panics
    /// If the system or Envoy does not tell.
    #[must_use]
    pub fn memory(&self) -> Memory {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("Linux's /proc");
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let resident = resident.and_then(|text| text.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
        let allocated = self.ask_admin("/memory").json();
        Memory {
            resident: resident.expect("VmRSS") * 1024,
            allocated: allocated["allocated"].as_str().and_then(|text| text.parse().ok()).expect("allocated"),
        }
    }
}
