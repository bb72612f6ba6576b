use super::*;
use std::fs::File;
use std::path::PathBuf;

#[test]
fn replacing_keeps_permissions_and_leaves_no_other_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.blo");
    fs::write(&path, "old").unwrap();
    let mut mode = fs::metadata(&path).unwrap().permissions();
    mode.set_readonly(true);
    fs::set_permissions(&path, mode).unwrap();
    replace(&path, b"new").unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "new");
    assert!(fs::metadata(&path).unwrap().permissions().readonly());
    assert_eq!(names(folder.path()), ["p.blo"]);
}

/// A pipe in a folder of its own; nothing is tested where the system has none.
#[cfg(unix)]
fn pipe(folder: &Path) -> Option<PathBuf> {
    let path = folder.join("pipe.json");
    let made = std::process::Command::new("mkfifo").arg(&path).status();
    made.is_ok_and(|s| s.success()).then_some(path)
}

#[cfg(unix)]
#[test]
fn a_pipe_takes_results_and_stays_a_pipe() {
    use std::os::unix::fs::FileTypeExt;
    let folder = tempfile::tempdir().unwrap();
    let Some(path) = pipe(folder.path()) else { return };
    let is_pipe = || fs::metadata(&path).unwrap().file_type().is_fifo();
    let Err(Failure::File { message, .. }) = replace(&path, b"text") else { panic!("a pipe was replaced") };
    assert!(message.contains("a device or a pipe") && is_pipe(), "{message}");

    let reader = std::thread::spawn({
        let path = path.clone();
        move || fs::read_to_string(path).unwrap()
    });
    write(&path, b"text").unwrap();
    assert!(reader.join().unwrap() == "text" && is_pipe());

    // a reader that leaves at once: more than a pipe holds cannot be written
    let reader = std::thread::spawn({
        let path = path.clone();
        move || drop(File::open(path).unwrap())
    });
    let failed = write(&path, &vec![b'x'; 1 << 22]);
    reader.join().unwrap();
    let Err(Failure::File { message, .. }) = failed else { panic!("nobody read it") };
    assert!(message.contains("cannot be written") && is_pipe(), "{message}");
    assert_eq!(names(folder.path()), ["pipe.json"]);
    assert!(replace(folder.path(), b"text").is_err() && write(folder.path(), b"text").is_err());
}

fn names(folder: &Path) -> Vec<String> {
    fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn what_a_killed_process_left_is_removed_and_what_somebody_writes_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c");
    for stale in [".c.blo-AbC123.tmp", ".c.blo-.tmp", ".cc.blo-AbC123.tmp", ".c.blo-a b.tmp"] {
        fs::write(folder.path().join(stale), "half").unwrap();
    }
    let held = temporary(&path).unwrap();
    assert!(probe(&path).unwrap());
    replace(&path, b"new").unwrap();
    let mut found = names(folder.path());
    found.sort();
    let mut left = vec![".c.blo-.tmp", ".c.blo-a b.tmp", ".cc.blo-AbC123.tmp", "c"];
    let other = held.path().file_name().unwrap().to_str().unwrap();
    left.push(other);
    left.sort_unstable();
    assert_eq!(found, left);
}

#[cfg(unix)]
#[test]
fn links_are_followed_also_to_a_file_that_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let (link, file) = (folder.path().join("link"), folder.path().join("file"));
    std::os::unix::fs::symlink("file", &link).unwrap();
    for text in ["one", "two"] {
        assert!(probe(&link).unwrap());
        write(&link, text.as_bytes()).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&file).unwrap(), text);
    }
    std::os::unix::fs::symlink("no/such/file", folder.path().join("lost")).unwrap();
    let Err(Failure::File { message, .. }) = probe(&folder.path().join("lost")) else { panic!("it leads nowhere") };
    assert!(message.contains("it is a link to") && message.contains("no folder"), "{message}");
}

#[test]
fn a_name_as_long_as_a_file_system_takes_can_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("e".repeat(255));
    assert!(probe(&path).unwrap());
    replace(&path, b"text").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"text");
}
