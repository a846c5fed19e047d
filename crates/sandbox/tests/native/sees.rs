//! What a run finds: spec sandbox.md 5.

use sandbox::Root;

use crate::rig::{PYTHON, Rig, everyone};

#[test]
fn the_environment_is_exactly_what_was_given() {
    for who in everyone() {
        let rig = Rig::new(who, &["env"]).with(|spec| spec.env.push(("A".into(), "b c\n=d".into())));
        let lines = rig.run().succeeded().lines;
        assert_eq!(lines, ["PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/tmp", "A=b c", "=d"], "{who:?}");
    }
}

#[test]
fn the_workspace_is_written_and_read_afterwards() {
    for who in everyone() {
        let rig = Rig::sh(
            who,
            "cat in/given; echo changed > in/given; mkdir -p out/deep; echo made > out/deep/file; mv out moved; \
             ln -s moved/deep/file link; touch /tmp/x /var/tmp/y /dev/shm/z; chmod 0 moved; chmod 700 moved",
        )
        .file("in/given", "given\n");
        assert_eq!(rig.run().succeeded().lines, ["given"], "{who:?}");
        let workspace = rig.folder().join("workspace");
        assert_eq!(std::fs::read_to_string(workspace.join("moved/deep/file")).unwrap(), "made\n");
        assert_eq!(std::fs::read_to_string(workspace.join("in/given")).unwrap(), "changed\n");
        let owner = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(workspace.join("moved/deep/file")).unwrap());
        let folder = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(rig.folder()).unwrap());
        assert_eq!(owner, folder, "given back");
        assert_eq!(rig.call("remove", 0), serde_json::json!({}));
        assert!(!rig.folder().exists());
    }
}

#[test]
fn folders_without_permissions_are_removed() {
    for who in everyone() {
        let rig = Rig::sh(who, "mkdir -p a/b/c; touch a/b/c/d; chmod 0 a/b/c a/b a");
        rig.run().succeeded();
        assert_eq!(rig.call("remove", 0), serde_json::json!({}), "{who:?}");
        assert!(!rig.folder().exists());
    }
}

#[test]
fn python_threads_processes_and_foreign_functions_work() {
    let script = "import ctypes, multiprocessing, threading, subprocess, tempfile, sqlite3, ssl, decimal, asyncio\n\
        def square(n): return n * n\n\
        threads = [threading.Thread(target=square, args=(n,)) for n in range(20)]\n\
        [thread.start() for thread in threads]; [thread.join() for thread in threads]\n\
        print(ctypes.CDLL(None).getpid() > 0)\n\
        callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)(square); print(callback(5))\n\
        if __name__ == '__main__':\n\
        \x20   with multiprocessing.get_context('fork').Pool(4) as pool: print(sum(pool.map(square, range(10))))\n\
        lock = multiprocessing.Lock(); print(lock.acquire())\n\
        print(subprocess.run(['perl', '-e', 'print 6*7'], capture_output=True).stdout)\n\
        tempfile.TemporaryFile().write(b'x')\n\
        async def main(): return await (await asyncio.create_subprocess_exec('true')).wait() == 0\n\
        print(asyncio.run(main()))";
    for who in everyone() {
        let lines = Rig::python(who, script).run().succeeded().lines;
        assert_eq!(lines, ["True", "25", "285", "True", "b'42'", "True"], "{who:?}");
    }
}

/// A CPython below the caller's home, if there is one.
fn pyenv() -> Option<std::path::PathBuf> {
    let versions = std::path::Path::new(&std::env::var_os("HOME")?).join(".pyenv/versions");
    let mut found: Vec<_> = std::fs::read_dir(versions).ok()?.flatten().map(|entry| entry.path()).collect();
    found.retain(|path| path.join("bin/python3").exists());
    found.sort();
    found.pop()
}

#[test]
fn a_prefix_below_home_is_shown_alone() {
    let Some(prefix) = pyenv() else {
        println!("skipped: a_prefix_below_home_is_shown_alone needs a Python under ~/.pyenv/versions");
        return;
    };
    for who in everyone() {
        // The ordinary user of this test cannot enter root's home.
        if who == crate::rig::Who::Ordinary && everyone().len() > 1 {
            continue;
        }
        let home = prefix.ancestors().nth(3).unwrap().display().to_string();
        let script = format!(
            "import os, sys, json, ctypes\nprint(sys.prefix)\nprint(os.listdir({home:?}), os.listdir({home:?} + '/.pyenv'))\n\
             try: open(sys.prefix + '/new', 'w')\nexcept OSError as error: print(error.strerror)"
        );
        let rig = Rig::new(who, &[&prefix.join("bin/python3").display().to_string(), "-c", &script])
            .with(|spec| spec.root = Root::Host { prefixes: vec![prefix.clone()], overlays: vec![] });
        let lines = rig.run().succeeded().lines;
        assert_eq!(lines[0], prefix.display().to_string());
        assert_eq!(lines[1], "['.pyenv'] ['versions']");
        assert_eq!(lines[2], "Read-only file system");
    }
}

#[test]
fn prefixes_and_overlays_are_laid_over_the_system() {
    for who in everyone() {
        let rig = Rig::sh(
            who,
            "greet; hidden; cat /usr/share/over/data /etc/over/setting; greet-from-prefix; ls /etc/passwd-evil; \
             grep -c intruder /etc/passwd",
        );
        let trees = rig.home.path().join("trees");
        let write = |path: &str, text: &str| {
            let file = trees.join(path);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(&file, text).unwrap();
            std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        };
        write("one/usr/bin/greet", "#!/bin/sh\necho one\n");
        write("two/usr/bin/greet", "#!/bin/sh\necho two\n");
        write("two/bin/hidden", "#!/bin/sh\necho from bin\n");
        write("one/usr/share/over/data", "data\n");
        write("two/etc/over/setting", "setting\n");
        write("one/etc/passwd", "intruder:x:0:0::/:/bin/sh\n");
        write("one/etc/passwd-evil", "x\n");
        write("prefix/bin/greet-from-prefix", "#!/bin/sh\necho prefix\n");
        let rig = rig.with(|spec| {
            spec.env[0].1 = format!("{}:{}", trees.join("prefix/bin").display(), spec.env[0].1);
            spec.root = Root::Host {
                prefixes: vec![trees.join("prefix")],
                overlays: vec![trees.join("one"), trees.join("two")],
            };
        });
        let lines = rig.run().lines;
        assert_eq!(lines[..5], ["one", "from bin", "data", "setting", "prefix"], "{who:?} {lines:?}");
        assert!(lines[5].contains("No such file"), "{lines:?}");
        assert_eq!(lines[6], "0");
    }
}

/// A root file system with a shell and the libraries it needs, as the linker lists them.
fn image(at: &std::path::Path) {
    let shell = std::fs::canonicalize("/bin/sh").unwrap();
    let listed = std::process::Command::new("ldd").arg(&shell).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let libraries = listed.split_ascii_whitespace().filter(|word| word.starts_with('/'));
    for (from, to) in libraries.map(|path| (path, path)).chain([(shell.to_str().unwrap(), "/bin/sh")]) {
        let to = at.join(to.trim_start_matches('/'));
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(from, to).unwrap();
    }
}

#[test]
fn an_image_folder_is_the_root() {
    for who in everyone() {
        let script = "for file in /etc/passwd /marker; do while read line; do echo $line; done < $file; done; echo /*; \
                      echo x > /workspace/out; echo x > /tmp/x && echo x > /new";
        let rig = Rig::new(who, &["sh", "-c", script]);
        let folder = rig.home.path().join("image");
        image(&folder);
        std::fs::create_dir_all(folder.join("etc")).unwrap();
        std::fs::write(folder.join("marker"), "image\n").unwrap();
        // Nothing in the image decides where things are mounted or read.
        std::os::unix::fs::symlink("/etc", folder.join("tmp")).unwrap();
        std::os::unix::fs::symlink("/marker", folder.join("etc/passwd")).unwrap();
        let rig = rig.with(|spec| spec.root = Root::Folder(folder));
        let lines = rig.run().lines;
        assert_eq!(lines[1], "job:x:10000:10000:job:/tmp:/bin/sh", "{who:?} {lines:?}");
        assert_eq!(lines[3], "image");
        assert!(lines[4].contains("/marker") && lines[4].contains("/workspace"), "{lines:?}");
        assert!(lines[5].contains("Read-only file system"), "{lines:?}");
        assert_eq!(std::fs::read_to_string(rig.folder().join("workspace/out")).unwrap(), "x\n");
    }
}

#[test]
fn perl_and_absolute_programs_work() {
    for who in everyone() {
        assert_eq!(Rig::new(who, &["perl", "-e", "print 1+1"]).run().succeeded().lines, ["2"]);
        assert_eq!(Rig::new(who, &[PYTHON, "-c", "print(3)"]).run().succeeded().lines, ["3"]);
    }
}
