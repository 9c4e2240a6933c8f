//! The links of the documents, and the book that is made of them.

use std::process::Command;

use lychgate_tests::book::read;
use lychgate_tests::envoy::root;

use super::documents;

/// The targets of the links and pictures in a text, outside of blocks.
fn links(text: &str) -> Vec<String> {
    let mut inside = false;
    let mut found = Vec::new();
    for line in text.lines() {
        inside ^= line.starts_with("```");
        if !inside {
            let targets = line.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
            found.extend(targets.map(|(target, _)| target.to_owned()));
        }
    }
    found
}

/// The anchors of a document, as GitHub and mdBook make them of headings.
fn anchors(text: &str) -> Vec<String> {
    let headings = text.lines().filter_map(|line| line.strip_prefix('#'));
    let anchor = |heading: &str| -> String {
        let heading = heading.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
        heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_')).collect()
    };
    headings.map(anchor).collect()
}

#[test]
fn every_link_leads_somewhere() {
    let mut followed = 0;
    let mut documents = documents();
    documents.extend(["README.md", "examples/mcp/README.md", "examples/oidc/README.md"].map(str::to_owned));
    for document in documents {
        let text = read(&document);
        let folder = document.rsplit_once('/').map_or(".", |(folder, _)| folder);
        for link in links(&text).iter().filter(|link| !link.starts_with("http")) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { document.clone() } else { format!("{folder}/{file}") };
            assert!(root().join(&target).exists(), "{document}: {link}");
            if !anchor.is_empty() {
                assert!(anchors(&read(&target)).iter().any(|own| own == anchor), "{document}: {link}");
            }
            // What the book does not hold, a link in it cannot reach.
            let stays =
                !document.starts_with("docs/") || !target.contains("../..") && !file.starts_with("../../");
            assert!(
                stays && (folder != "docs" || !file.starts_with("..")),
                "{document}: {link} leaves the book"
            );
            followed += 1;
        }
    }
    println!("{followed} links followed");
    assert!(followed > 50, "{followed}");
}

#[test]
fn every_document_is_a_chapter() {
    let summary = read("docs/SUMMARY.md");
    let chapters: Vec<_> = links(&summary).into_iter().map(|link| format!("docs/{link}")).collect();
    for document in documents().into_iter().filter(|document| document != "docs/SUMMARY.md") {
        assert!(chapters.contains(&document), "{document} is not in docs/SUMMARY.md");
    }
}

/// `make book`, where mdBook is to be had: it takes minutes to be built, so it is not for a test to fetch.
#[test]
fn the_book_can_be_made() {
    let out = std::env::temp_dir().join(format!("lychgate-book-{}", std::process::id()));
    let ran =
        Command::new(root().join("scripts/book")).arg("--no-fetch").arg(&out).output().expect("it runs");
    if ran.status.code() == Some(3) {
        println!("SKIPPED: mdBook is missing; `make book` fetches it");
        return;
    }
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert!(ran.status.success() && !said.contains("WARN") && !said.contains("ERROR"), "{said}");
    for document in documents().into_iter().filter(|document| document != "docs/SUMMARY.md") {
        let page = document.trim_start_matches("docs/").replace(".md", ".html");
        assert!(out.join(&page).exists(), "{page}");
    }
    let _ = std::fs::remove_dir_all(&out);
}
