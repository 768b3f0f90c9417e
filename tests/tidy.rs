//! Style that can be checked is a test: the direction of dependencies, purity of the domain, the map in
//! every crate's first file, no host or path of anybody's machine.

#![allow(clippy::expect_used, reason = "a test that cannot read the workspace has nothing else to say")]

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests stand in the workspace").to_owned()
}

fn files(under: &str, end: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(under)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder of the workspace") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if path.is_dir() && name != "target" && !name.starts_with('.') {
                folders.push(path);
            } else if name.ends_with(end) {
                let text = std::fs::read_to_string(&path).expect("UTF-8");
                // A test may read a clock where a library's verifier does.
                let code = text.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
                found.push((path, code));
            }
        }
    }
    assert!(!found.is_empty(), "no *{end} under {under}: this check would check nothing");
    found
}

#[test]
fn every_source_file_says_what_it_is() {
    for folder in ["functions", "shared", "infra", "tests"] {
        for (path, text) in files(folder, ".rs") {
            assert!(text.starts_with("//!"), "{} begins with its module's doc", path.display());
        }
    }
}

#[test]
fn the_domain_touches_nothing() {
    for word in [
        "tokio",
        "aws_sdk",
        "std::fs",
        // Addresses are read; nothing is dialled.
        "TcpStream",
        "TcpListener",
        "UdpSocket",
        "ToSocketAddrs",
        "std::env",
        "SystemTime",
        "Instant::now",
        "Timestamp::now",
    ] {
        for (path, text) in files("shared/domain/src", ".rs") {
            let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
            assert!(!code.into_iter().any(|line| line.contains(word)), "{word} in {}", path.display());
        }
    }
}

#[test]
fn functions_depend_on_shared_alone_and_shared_never_on_functions() {
    let functions = ["intake", "scoring", "distribution", "delivery", "sweep", "reporting", "console"];
    for (path, text) in files("functions", "Cargo.toml").into_iter().chain(files("shared", "Cargo.toml")) {
        let dependencies = text.split("[dependencies]").nth(1).unwrap_or_default();
        for function in functions {
            assert!(
                !dependencies.contains(&format!("leadyard-{function}")),
                "{} depends on the function {function}",
                path.display()
            );
        }
    }
    let domain =
        std::fs::read_to_string(root().join("shared/domain/Cargo.toml")).expect("the domain's manifest");
    assert!(!domain.contains("leadyard-platform"), "the domain never depends on the platform");
}

#[test]
fn one_file_reads_the_clock_one_the_environment_one_entropy() {
    let readers = [
        ("Timestamp::now", "shared/platform/src/clock.rs"),
        ("std::env::var(", "shared/platform/src/config.rs"),
        ("getrandom::fill", "shared/platform/src/entropy.rs"),
    ];
    for (call, reader) in readers {
        for folder in ["functions", "shared", "infra"] {
            // A crate's tests may ask how much they are to do.
            let code = files(folder, ".rs").into_iter();
            for (path, text) in
                code.filter(|(path, _)| !path.components().any(|part| part.as_os_str() == "tests"))
            {
                let here = path.ends_with(reader);
                assert!(here || !text.contains(call), "{call} in {}, not in {reader}", path.display());
            }
        }
    }
}

#[test]
fn the_top_level_is_as_agreed() {
    let agreed =
        ["Cargo.toml", "Cargo.lock", "LICENSE", "README.md", "functions", "infra", "shared", "tests"];
    for entry in std::fs::read_dir(root()).expect("the workspace") {
        let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
        let made_here = ["target", "leadyard-data"].contains(&name.as_str());
        assert!(
            name.starts_with('.') || made_here || agreed.contains(&name.as_str()),
            "{name} at the top level"
        );
    }
}
