//! A system over real sockets: the library that `serve` uses, and the program itself.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::Instant;

use crate::people::Person;
use crate::story::Story;

/// A running system, with what a script needs to use it.
#[derive(Clone)]
pub struct Live {
    /// What it printed or returned when it was ready.
    pub ready: Value,
    http: reqwest::Client,
}

impl Live {
    /// Uses a system that is ready.
    pub fn new(ready: Value) -> Self {
        // Loopback speaks plain HTTP, but the client wants a TLS library all the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .expect("a client");
        Self { ready, http }
    }

    /// Posts an enquiry with the source's secret: status and body, unless the system went away.
    pub async fn posts(&self, source: &str, person: &Person) -> Option<(u16, Value)> {
        let source = self.ready["sources"].as_array()?.iter().find(|one| one["source"] == source)?;
        let url = format!("{}/v1/leads/{}", self.ready["url"].as_str()?, source["key"].as_str()?);
        let request = self
            .http
            .post(url)
            .bearer_auth(source["secret"].as_str()?)
            .header("content-type", "application/json")
            .body(person.json().to_string());
        let response = request.send().await.ok()?;
        let status = response.status().as_u16();
        Some((status, serde_json::from_slice(&response.bytes().await.ok()?).ok()?))
    }

    /// What the desk sees of a lead.
    pub async fn story(&self, lead: &str) -> Option<Story> {
        let url = format!("{}/v1/leads/{lead}", self.ready["url"].as_str()?);
        let response =
            self.http.get(url).bearer_auth(self.ready["desk_token"].as_str()?).send().await.ok()?;
        Some(Story(serde_json::from_slice(&response.bytes().await.ok()?).ok()?))
    }

    /// Any path, as anyone.
    pub async fn get(&self, path: &str) -> Option<(u16, String)> {
        let response = self.http.get(format!("{}{path}", self.ready["url"].as_str()?)).send().await.ok()?;
        Some((response.status().as_u16(), response.text().await.ok()?))
    }
}

/// Looks until something is so. The limit is generous: it only ends what would never end.
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let limit = Instant::now() + Duration::from_secs(120);
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < limit, "never came to be: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// What came of a command.
#[derive(Debug)]
pub struct Ran {
    /// Its exit code.
    pub code: i32,
    /// What it printed.
    pub out: String,
    /// What it complained of.
    pub err: String,
}

impl Ran {
    /// What it printed, if it ended with this code.
    #[must_use]
    pub fn is(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{} {}", self.out, self.err);
        self
    }

    /// What it printed, as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("{} {}", self.out, self.err))
    }
}

/// The program, running.
pub struct Program {
    child: Child,
    /// How to use it.
    pub live: Live,
}

impl Program {
    /// Where the program is: beside this test, where cargo put both.
    pub fn path() -> PathBuf {
        let test = std::env::current_exe().expect("a test has a path");
        let built =
            test.ancestors().skip(1).map(|folder| folder.join("leadyard")).find(|path| path.is_file());
        built.expect("the program is built first: cargo build -p leadyard")
    }

    /// Runs one of its commands to the end.
    pub async fn run(args: &[&str]) -> Ran {
        let done = Command::new(Self::path()).args(args).stdin(Stdio::null()).output().await;
        let done = done.expect("the program starts");
        Ran {
            code: done.status.code().expect("it ends by itself"),
            out: String::from_utf8_lossy(&done.stdout).into_owned(),
            err: String::from_utf8_lossy(&done.stderr).into_owned(),
        }
    }

    /// Starts it on a data folder with a rulebook, and waits until it is ready.
    pub async fn start(data: &Path, rules: &Path) -> Self {
        let mut child = Command::new(Self::path())
            .args(["serve", "--json", "--port", "0", "--log", "error", "--data"])
            .arg(data)
            .arg("--rules")
            .arg(rules)
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .spawn()
            .expect("the program starts");
        let mut lines = BufReader::new(child.stdout.take().expect("its output is ours")).lines();
        let line =
            lines.next_line().await.expect("its output can be read").expect("it says that it is ready");
        // Read on, or a full pipe would stop it.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self { child, live: Live::new(serde_json::from_str(&line).expect("one line of JSON")) }
    }

    /// SIGKILL, and gone.
    pub async fn kill(mut self) {
        self.child.kill().await.expect("it was running");
    }
}
