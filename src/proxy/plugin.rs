//! The contexts of a VM: roots, one for each configuration, and the streams that belong to them.
//!
//! A VM may have several roots: plugins that share a `vm_id`, and an old configuration beside the new
//! one while its connections end. Each stream is held against the policy of its own.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use hashbrown::HashTable;

use super::exports::Flow;
use super::http::{Filter, refuse_unknown};
use super::root::Shared;

/// What there is in this VM.
#[derive(Default)]
pub struct Plugin {
    roots: RefCell<BTreeMap<u32, Rc<Shared>>>,
    streams: RefCell<Streams>,
}

/// The streams, each with its root. Every request comes and goes here, so it costs no allocation.
#[derive(Default)]
struct Streams(HashTable<(u32, Rc<Shared>)>);

/// Numbers of contexts come one after the other; multiplied like this they spread (Fibonacci hashing).
fn hash(context: u32) -> u64 {
    u64::from(context).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

impl Streams {
    fn insert(&mut self, context: u32, root: Rc<Shared>) {
        // The host gives each number once, until it says that it is over.
        self.remove(context);
        self.0.insert_unique(hash(context), (context, root), |(context, _)| hash(*context));
    }

    fn get(&self, context: u32) -> Option<Rc<Shared>> {
        self.0.find(hash(context), |(own, _)| *own == context).map(|(_, root)| Rc::clone(root))
    }

    fn remove(&mut self, context: u32) -> Option<Rc<Shared>> {
        let entry = self.0.find_entry(hash(context), |(own, _)| *own == context).ok()?;
        let ((_, root), _) = entry.remove();
        Some(root)
    }
}

thread_local! {
    static PLUGIN: Plugin = Plugin::default();
}

/// Gives a callback what there is.
pub fn with_plugin<T>(callback: impl FnOnce(&Plugin) -> T) -> T {
    PLUGIN.with(callback)
}

impl Plugin {
    fn root(&self, context: u32) -> Option<Rc<Shared>> {
        self.roots.borrow().get(&context).map(Rc::clone)
    }

    /// A context came to be: a root has no parent.
    pub fn create(&self, context: u32, parent: u32) {
        if parent == 0 {
            // Refuses everything until it is configured.
            if let Some(closed) = Shared::closed(context) {
                self.roots.borrow_mut().insert(context, closed);
            }
        } else if let Some(root) = self.root(parent) {
            self.streams.borrow_mut().insert(context, root);
        }
    }

    /// A root gets its configuration; says whether it is a good one.
    pub fn configure(&self, context: u32) -> bool {
        match Shared::configured(context) {
            Some(shared) => {
                let old = self.roots.borrow_mut().insert(context, shared);
                if let Some(old) = old {
                    old.retire();
                }
                true
            }
            None => false,
        }
    }

    /// Time has passed.
    pub fn tick(&self, context: u32) {
        if let Some(root) = self.root(context) {
            root.tick();
        }
    }

    /// What a root called for is there.
    pub fn call_response(&self, context: u32, id: u32, body_size: usize) {
        if let Some(root) = self.root(context) {
            root.respond(id, body_size);
        }
    }

    fn with_filter(&self, context: u32, work: impl FnOnce(&Filter<'_>) -> Flow) -> Flow {
        let root = self.streams.borrow().get(context);
        let Some(root) = root else {
            // A stream that nobody announced belongs to no policy.
            refuse_unknown();
            return Flow::Pause;
        };
        work(&Filter::new(context, &root))
    }

    /// A request's headers are there.
    pub fn request_headers(&self, context: u32, end_of_stream: bool) -> Flow {
        self.with_filter(context, |filter| filter.request_headers(end_of_stream))
    }

    /// So much of its body is buffered.
    pub fn request_body(&self, context: u32, size: usize, end_of_stream: bool) -> Flow {
        self.with_filter(context, |filter| filter.request_body(size, end_of_stream))
    }

    /// Its trailers are there, and so is all of its body.
    pub fn request_trailers(&self, context: u32) -> Flow {
        self.with_filter(context, |filter| filter.request_trailers())
    }

    /// An answer begins.
    pub fn response_headers(&self, context: u32) -> Flow {
        // The gate's own answers come by here, those to streams that it does not know among them.
        let root = self.streams.borrow().get(context);
        root.map_or(Flow::Continue, |root| Filter::new(context, &root).response_headers())
    }

    /// A context is over.
    pub fn delete(&self, context: u32) {
        let root = self.streams.borrow_mut().remove(context);
        match root {
            Some(root) => Filter::new(context, &root).end(),
            None => {
                let root = self.roots.borrow_mut().remove(&context);
                if let Some(root) = root {
                    root.retire();
                }
            }
        }
    }
}
