//! The hint in envoy.yaml, `# yaml-language-server: $schema=...`, as an editor follows it: the language
//! server itself (npm `yaml-language-server`), asked what it has to say of the file.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use lychgate_tests::envoy::root;
use lychgate_tests::node;
use serde_json::{Value, json};

use super::{EXAMPLES, text};

/// The language server and the two ends of what is said with it (LSP 3.17).
struct Server {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Server {
    fn start(packages: &Path) -> Self {
        let mut child = Command::new("node")
            .arg(packages.join("node_modules/yaml-language-server/bin/yaml-language-server"))
            .arg("--stdio")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node runs");
        let input = child.stdin.take().expect("piped");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        let mut server = Self { child, input, output };
        server.send(&json!({"id": 1, "method": "initialize", "params": {
            "processId": std::process::id(), "rootUri": null, "capabilities": {"workspace": {"configuration": true}}}}));
        server.until(|message| message["id"] == 1 && message.get("result").is_some());
        server.send(&json!({"method": "initialized", "params": {}}));
        server
    }

    fn send(&mut self, message: &Value) {
        let mut message = message.clone();
        message["jsonrpc"] = "2.0".into();
        let text = message.to_string();
        write!(self.input, "Content-Length: {}\r\n\r\n{text}", text.len()).expect("it listens");
        self.input.flush().expect("it listens");
    }

    fn receive(&mut self) -> Value {
        let mut length = 0;
        loop {
            let mut line = String::new();
            assert_ne!(self.output.read_line(&mut line).expect("it speaks"), 0, "it is gone");
            match line.trim_end().split_once(": ") {
                Some(("Content-Length", value)) => length = value.parse().expect("a number"),
                Some(_) => {}
                None => break,
            }
        }
        let mut text = vec![0; length];
        self.output.read_exact(&mut text).expect("the whole message");
        serde_json::from_slice(&text).expect("JSON")
    }

    /// Reads on until this message, and answers what is asked on the way.
    fn until(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let message = self.receive();
            if wanted(&message) {
                return message;
            }
            if let (Some(id), Some(method)) = (message.get("id"), message["method"].as_str()) {
                let result = match method {
                    // As VS Code does: the sections in the order in which they were asked for.
                    "workspace/configuration" => {
                        let items = message["params"]["items"].as_array().map_or(0, Vec::len);
                        let mut settings = vec![json!({"validate": true, "schemaStore": {"enable": false}})];
                        settings.resize(items, json!({}));
                        settings.into()
                    }
                    _ => Value::Null,
                };
                self.send(&json!({"id": id, "result": result}));
            }
        }
    }

    /// What it has to say of a file with this text: line and message.
    fn diagnostics(&mut self, file: &Path, text: &str) -> Vec<(u64, String)> {
        let uri = format!("file://{}", file.display());
        let document = json!({"uri": uri, "languageId": "yaml", "version": 1, "text": text});
        self.send(&json!({"method": "textDocument/didOpen", "params": {"textDocument": document}}));
        let said = self.until(|message| {
            message["method"] == "textDocument/publishDiagnostics" && message["params"]["uri"] == uri.as_str()
        });
        self.send(&json!({"method": "textDocument/didClose", "params": {"textDocument": {"uri": uri}}}));
        let said = said["params"]["diagnostics"].as_array().expect("a list");
        let one = |one: &Value| {
            (
                one["range"]["start"]["line"].as_u64().unwrap_or_default() + 1,
                one["message"].as_str().unwrap_or_default().to_owned(),
            )
        };
        said.iter().map(one).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn an_editor_that_follows_the_hint_marks_mistakes_and_nothing_else() {
    let Some(packages) = node::packages("tests/editor") else { return };
    let root = fs::canonicalize(root()).expect("it is there");
    let mut server = Server::start(&packages);
    for (number, file) in EXAMPLES.iter().enumerate() {
        let good = text(file);
        assert!(
            good.lines().any(|line| line.starts_with("# yaml-language-server: $schema=")),
            "{file} has no hint"
        );
        let path = root.join(file);
        assert_eq!(server.diagnostics(&path, &good), [], "{file}");
        // Deep in the configuration, and on its line.
        let line =
            good.lines().position(|line| line.trim_start().starts_with("security:")).expect("it has one");
        let bad =
            good.lines().map(|own| format!("{}\n", own.replace("security:", "securty:"))).collect::<String>();
        let name = format!("mistaken-{number}.yaml");
        let said = server.diagnostics(&path.with_file_name(name), &bad);
        let marked = said.iter().any(|(at, text)| *at == line as u64 + 1 && text.contains("securty"));
        assert!(marked, "{file}: line {} is not marked: {said:?}", line + 1);
    }
    println!(
        "yaml-language-server: {} files without a mark, and each mistake marked on its line",
        EXAMPLES.len()
    );
}
