//! Documents as their readers use them: the blocks in them, and the commands that they show with what
//! these print.

use std::fs;
use std::process::Command;

use crate::demonstration::Demonstration;
use crate::envoy::root;

/// A fenced block of a document.
#[derive(Clone, Debug)]
pub struct Block {
    /// What is after the fence: `yaml`, `console`.
    pub language: String,
    /// What is in it.
    pub text: String,
    /// Its first line in the document, for messages.
    pub line: usize,
}

/// A command and the output it promises.
#[derive(Clone, Debug)]
pub struct Step {
    /// The command, for `sh`.
    pub command: String,
    /// What it prints.
    pub output: String,
}

/// The text of a document of this repository.
///
/// # Panics
/// If it is not there.
#[must_use]
pub fn read(document: &str) -> String {
    fs::read_to_string(root().join(document)).unwrap_or_else(|error| panic!("{document}: {error}"))
}

/// Every fenced block of a document.
#[must_use]
pub fn blocks(document: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut inside = false;
    for (number, line) in read(document).lines().enumerate() {
        match (line.strip_prefix("```"), inside) {
            (Some(language), false) => {
                blocks.push(Block { language: language.into(), text: String::new(), line: number + 2 });
                inside = true;
            }
            (Some(_), true) => inside = false,
            (None, true) => {
                if let Some(block) = blocks.last_mut() {
                    block.text += &format!("{line}\n");
                }
            }
            (None, false) => {}
        }
    }
    assert!(!inside, "{document}: a block has no end");
    blocks
}

/// The commands of a `console` block: `$ ` begins a command, `> ` continues it, the rest is output.
///
/// # Panics
/// If there is output before any command.
#[must_use]
pub fn steps(block: &Block) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for line in block.text.lines() {
        match (line.strip_prefix("$ "), line.strip_prefix("> "), steps.last_mut()) {
            (Some(command), _, _) => {
                steps.push(Step { command: command.to_owned(), output: String::new() });
            }
            (None, Some(more), Some(step)) => step.command += &format!("\n{more}"),
            (None, None, Some(step)) => step.output += &format!("{line}\n"),
            (None, _, None) => panic!("output before any command: {line}"),
        }
    }
    steps
}

/// What a command prints, at the root of the repository and with the ports of a demonstration.
///
/// # Panics
/// If there is no shell.
#[must_use]
pub fn run(command: &str, demonstration: &Demonstration) -> String {
    let mut command = demonstration.moved(command);
    // That of `cargo test --workspace` serves as well as that of `make cli`, which is a build of its own.
    let built = std::env::current_exe().ok().and_then(|test| Some(test.parent()?.with_file_name("lychgate")));
    if let Some(built) = built.filter(|built| built.exists()) {
        command = command.replace("dist/lychgate ", &format!("{} ", built.display()));
    }
    let mut shell = Command::new("sh");
    let ran = shell.arg("-c").arg(command).current_dir(root()).output().expect("a shell");
    String::from_utf8_lossy(&ran.stdout).replace('\r', "") + &String::from_utf8_lossy(&ran.stderr)
}

/// Runs every command of a block, and compares what it prints.
///
/// # Panics
/// If it prints something else.
pub fn try_out(document: &str, block: &Block, demonstration: &Demonstration) -> usize {
    let steps = steps(block);
    for Step { command, output } in &steps {
        let seen = run(command, demonstration);
        assert_eq!(seen.trim_end(), output.trim_end(), "{document}:{}: {command}", block.line);
    }
    steps.len()
}

/// Runs every command of every `console` block of a document against one demonstration.
///
/// # Panics
/// If one prints something else, or there is none.
pub fn try_out_all(document: &str, demonstration: &Demonstration) {
    let blocks = blocks(document);
    let console = blocks.iter().filter(|block| block.language == "console");
    let tried: usize = console.map(|block| try_out(document, block, demonstration)).sum();
    assert!(tried > 0, "no `console` block in {document}");
    println!("{document}: {tried} commands tried");
}

/// The capabilities that a document tells operators to allow, in `capability_restriction_config`.
///
/// # Panics
/// If it has none.
#[must_use]
pub fn allowed_capabilities_in(document: &str) -> Vec<String> {
    let text = read(document);
    let (_, list) = text.split_once("allowed_capabilities:").unwrap_or_else(|| panic!("{document} has none"));
    let list = list.split("vm_config:").next().and_then(|list| list.split("```").next()).unwrap_or_default();
    // Behind the last one comes no other.
    let (list, _) = list.rsplit_once(": {}").expect("one of them at least");
    let name = |part: &str| {
        let name = part.rsplit(|c: char| c != '_' && !c.is_ascii_lowercase()).next()?;
        (!name.is_empty()).then(|| name.to_owned())
    };
    let mut names: Vec<_> = list.split(": {}").filter_map(name).collect();
    names.sort();
    names
}

/// What docs/operations.md lists.
#[must_use]
pub fn allowed_capabilities() -> Vec<String> {
    allowed_capabilities_in("docs/operations.md")
}
