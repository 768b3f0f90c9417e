//! The data folder: what was answered survives closing and opening, one process at a time has it, and
//! what is damaged or somebody else's is refused with a message and left byte for byte as it was.
//!
//! What opening does not see: a page damaged in the middle of a file that is whole in length. To look at
//! every page of a large table would take minutes at each start; SQLite says so when it reads that page.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use leadyard::aws::{Calls, Counts, LocalAws, LocalAwsError, QueueSpec};

use super::{Place, clock, open, pass, run};

const TABLE: &str = "table.sqlite";
const QUEUES: &str = "queues.sqlite";

fn specs() -> [QueueSpec; 2] {
    [QueueSpec::new("dead"), QueueSpec::new("letters").visibility_s(30).dead_letters("dead", 3)]
}

/// Why a folder does not open, with everything beneath.
fn refusal(folder: &Path) -> String {
    let refused = LocalAws::open(folder, clock(), 1, Calls::Inline, &specs());
    let error: LocalAwsError = refused.err().expect("it is refused");
    format!("{:#}", anyhow::Error::from(error))
}

/// A folder with a table and some messages in it, closed.
async fn used_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let clock = clock();
    let aws = open(folder.path(), &clock, &specs());
    for n in 0..100 {
        aws.queues().send("letters", &format!("{n} {}", "x".repeat(1_000)), None, 0).unwrap();
    }
    let table = super::table::Table::over(aws).await;
    for n in 0..20 {
        table.put(&format!("lead {n}"), "L", []).await;
    }
    folder
}

/// The files of which the folder had others before, or has others now.
fn changed(before: &BTreeMap<String, Vec<u8>>, folder: &Path) -> Vec<String> {
    let after = bytes(folder);
    let names = before.keys().chain(after.keys()).filter(|name| before.get(*name) != after.get(*name));
    names.cloned().collect::<BTreeSet<_>>().into_iter().collect()
}

/// Every file of a folder.
fn bytes(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap());
    files.map(|file| (file.file_name().into_string().unwrap(), std::fs::read(file.path()).unwrap())).collect()
}

/// A folder of these files.
fn folder_of(files: &BTreeMap<String, Vec<u8>>) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        std::fs::write(folder.path().join(name), content).unwrap();
    }
    folder
}

#[test]
fn messages_survive_closing_in_the_state_they_were_in() {
    run(Place::File, async {
        let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
        let aws = open(folder.path(), &clock, &specs());
        let queues = aws.queues();
        for body in ["done", "open", "waiting"] {
            queues.send("letters", body, Some("acme"), 0).unwrap();
        }
        queues.send("letters", "delayed", None, 600).unwrap();
        let received = queues.receive("letters", 2, 30).await.unwrap();
        queues.delete("letters", &[received[0].receipt_handle.clone()]).await.unwrap();
        drop(aws);

        let aws = open(folder.path(), &clock, &specs());
        let queues = aws.queues();
        assert_eq!(queues.counts("letters").unwrap(), Counts { visible: 1, in_flight: 1, delayed: 1 });
        let next = queues.receive("letters", 10, 30).await.unwrap();
        assert_eq!(
            (next.len(), next[0].body.as_str(), next[0].group.as_deref()),
            (1, "waiting", Some("acme"))
        );
        // Whoever worked on it died with the process: it comes again, and counts on.
        pass(30.5).await;
        let again = queues.receive("letters", 10, 30).await.unwrap();
        let open = again.iter().find(|message| message.body == "open").unwrap();
        assert_eq!((&open.message_id, open.receive_count), (&received[1].message_id, 2));
        // Receipts of an earlier life are as good as any.
        drop(aws);
        let aws = self::open(folder.path(), &clock, &specs());
        let receipts = again.iter().map(|message| message.receipt_handle.clone()).collect::<Vec<_>>();
        assert_eq!(aws.queues().delete("letters", &receipts).await.unwrap(), 2);
        pass(600.0).await;
        let last = aws.queues().receive("letters", 10, 30).await.unwrap();
        assert_eq!((last.len(), last[0].body.as_str()), (1, "delayed"));
    });
}

#[test]
fn a_folder_serves_one_opening_at_a_time() {
    run(Place::File, async {
        let (folder, clock) = (used_folder().await, clock());
        let holder = open(folder.path(), &clock, &specs());
        let message = refusal(folder.path());
        assert!(message.contains(QUEUES) && message.contains("in use by another process"), "{message}");
        assert_eq!(holder.queues().counts("letters").unwrap().visible, 100, "the holder goes on");
        drop(holder);
        assert_eq!(open(folder.path(), &clock, &specs()).queues().counts("letters").unwrap().visible, 100);
    });
}

/// Set in the second process of the next test: the folder that the first one holds.
const HELD: &str = "SERVICES_HELD_FOLDER";

#[test]
fn a_folder_serves_one_process_at_a_time() {
    #[expect(clippy::disallowed_methods, reason = "how a test speaks to its second process")]
    let held = std::env::var_os(HELD);
    run(Place::File, async {
        if let Some(held) = held {
            let message = refusal(Path::new(&held));
            assert!(message.contains(QUEUES) && message.contains("in use by another process"), "{message}");
            return;
        }
        let folder = used_folder().await;
        let _holder = open(folder.path(), &clock(), &specs());
        let mut second = Command::new(std::env::current_exe().unwrap());
        second.args(["--exact", "files::a_folder_serves_one_process_at_a_time"]);
        let said = second.env(HELD, folder.path()).output().unwrap();
        let text = String::from_utf8_lossy(&said.stdout).into_owned();
        assert!(said.status.success() && text.contains("1 passed"), "{text}");
    });
}

#[test]
fn what_is_damaged_is_refused_and_left_as_it_was() {
    type Damage = fn(&mut Vec<u8>);
    let damages: [(&str, Damage); 5] = [
        ("text", |file| *file = b"this is not a database, whatever its name says".to_vec()),
        ("cut in half", |file| file.truncate(file.len() / 2 / 4096 * 4096)),
        ("cut within its first page", |file| file.truncate(1_000)),
        ("its header overwritten", |file| file[..100].fill(0x5a)),
        ("its schema overwritten", |file| file[100..4096].fill(0x5a)),
    ];
    run(Place::File, async {
        let sound = bytes(used_folder().await.path());
        for file in [TABLE, QUEUES] {
            for (what, damage) in &damages {
                let mut before = sound.clone();
                damage(before.get_mut(file).unwrap());
                let folder = folder_of(&before);
                let message = refusal(folder.path());
                assert!(message.contains(file) && message.contains("damaged"), "{file}, {what}: {message}");
                assert_eq!(changed(&before, folder.path()), [""; 0], "{file}, {what}");
            }
        }
    });
}

#[test]
fn a_sound_database_of_another_program_is_refused_and_left_as_it_was() {
    run(Place::File, async {
        let sound = bytes(used_folder().await.path());
        for (theirs, ours) in [(TABLE, QUEUES), (QUEUES, TABLE)] {
            let mut before = sound.clone();
            // Sound, and not what its name says.
            before.insert(ours.to_owned(), sound[theirs].clone());
            let folder = folder_of(&before);
            let message = refusal(folder.path());
            assert!(message.contains(ours) && message.contains("another program"), "{message}");
            assert_eq!(changed(&before, folder.path()), [""; 0], "{ours}");
        }
    });
}

#[test]
fn a_folder_whose_making_was_cut_short_is_made() {
    run(Place::File, async {
        let folder = tempfile::tempdir().unwrap();
        for file in [TABLE, QUEUES] {
            std::fs::write(folder.path().join(file), b"").unwrap();
        }
        let aws = open(folder.path(), &clock(), &specs());
        aws.queues().send("letters", "a", None, 0).unwrap();
        assert_eq!(aws.queues().peek("letters", 10).unwrap(), ["a"]);
    });
}
