//! The module as a file: compiled, looked at, and started.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use wasmtime::{Config, Engine, Linker, Module, Store};

use super::{Failure, Machine, ROOT, State, imports, limits};

/// The module, compiled once for many machines.
#[derive(Clone)]
pub struct Image {
    engine: Engine,
    module: Module,
}

impl Image {
    /// The module in `file`. With `metered`, instructions are counted, which costs speed. Compiling it takes seconds, so
    /// the tests of one executable share it.
    ///
    /// # Panics
    /// If it is no module.
    #[must_use]
    pub fn load(file: &Path, metered: bool) -> Self {
        static COMPILED: Mutex<BTreeMap<(PathBuf, bool), Image>> = Mutex::new(BTreeMap::new());
        let mut compiled = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
        compiled.entry((file.to_owned(), metered)).or_insert_with(|| Self::compile(file, metered)).clone()
    }

    fn compile(file: &Path, metered: bool) -> Self {
        let mut config = Config::new();
        config.consume_fuel(metered);
        let engine = Engine::new(&config).expect("an engine");
        let module = Module::from_file(&engine, file).unwrap_or_else(|error| panic!("{error:?}"));
        Self { engine, module }
    }

    /// What the module asks of its host, as `module.name`, sorted.
    #[must_use]
    pub fn imports(&self) -> Vec<String> {
        let imports = self.module.imports();
        let mut names: Vec<_> =
            imports.map(|import| format!("{}.{}", import.module(), import.name())).collect();
        names.sort();
        names
    }

    /// What the module offers to its host, sorted.
    #[must_use]
    pub fn exports(&self) -> Vec<String> {
        let mut names: Vec<_> = self.module.exports().map(|export| export.name().to_owned()).collect();
        names.sort();
        names
    }

    /// The pages of memory the module begins with, and the most it says it will ever need.
    #[must_use]
    pub fn memory_pages(&self) -> Option<(u64, Option<u64>)> {
        let mut exports = self.module.exports();
        let memory = exports.find_map(|export| export.ty().memory().cloned())?;
        Some((memory.minimum(), memory.maximum()))
    }

    /// A machine with this state, configured.
    ///
    /// # Errors
    /// If the plugin refuses its configuration, or traps.
    pub fn start(&self, state: State) -> Result<Machine, Failure> {
        let mut store = Store::new(&self.engine, state);
        if let Some(bytes) = store.data().memory_cap {
            store.data_mut().limits = limits(bytes);
        }
        store.limiter(|state| &mut state.limits);
        // Without metering there is no fuel to be set.
        let _ = store.set_fuel(u64::MAX);
        let mut linker = Linker::new(&self.engine);
        imports::define(&mut linker);
        linker.define_unknown_imports_as_traps(&self.module).expect("functions");
        let instance = match linker.instantiate(&mut store, &self.module) {
            Err(error) if store.data().memory_cap.is_some() => {
                return Err(Failure::Unborn(error.to_string()));
            }
            instance => instance.expect("every import is known"),
        };
        store.data_mut().memory = instance.get_memory(&mut store, "memory");
        store.data_mut().allocate = instance.get_typed_func(&mut store, "proxy_on_memory_allocate").ok();
        let mut machine = Machine { store, instance, root: ROOT, next: ROOT };
        machine.call::<(), ()>("_initialize", ()).map_err(Failure::Trapped)?;
        match machine.configure(ROOT) {
            Ok(()) => Ok(machine),
            Err(Failure::Trapped(trap)) => {
                let failed = machine.state().failed.unwrap_or("nothing");
                Err(Failure::Trapped(format!("{trap}, where {failed} failed")))
            }
            Err(failure) => Err(failure),
        }
    }
}
